/* cli/common: what several commands begin with. Each says what is wrong itself and returns an exit code. */
#ifndef SL_COMMON_H
#define SL_COMMON_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/config.h"
#include "engine/modules.h"

/* The modules of --modules, SLUICE_MODULES or the place they are installed in. */
int sl_common_modules(const sl_arguments *arguments, sl_modules **ret);
/* --config, or an empty configuration when it is not given. Done in any case. */
int sl_common_config(const sl_arguments *arguments, sl_config *ret);
/* Prints problems, when there are any, to standard error. */
void sl_common_problems(const sl_problems *problems);
/* The daemon's state folder: --state, $STATE_DIRECTORY, /var/lib/sluice. */
const char *sl_common_state(const sl_arguments *arguments);
/* Prints the object on one line; takes it. */
int sl_common_print_json(json_t *object);
/* Text that may not be UTF-8 as JSON: bytes that are not become U+FFFD. */
json_t *sl_json_text(const char *text);
/* Members of an answer: "" and 0 where they are absent or of another kind. */
const char *sl_member_text(const json_t *object, const char *key);
long long sl_member_number(const json_t *object, const char *key);
bool sl_member_true(const json_t *object, const char *key);

#endif
