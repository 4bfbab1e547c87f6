/* engine/types: what a module's types say of themselves, as JSON: for `sluice describe --json` and the API. Any thread. */
#ifndef SL_TYPES_H
#define SL_TYPES_H

#include <jansson.h>

#include "engine/modules.h"

/* A list of {"type","kind","module","summary",...}: processors and services. The caller's reference. */
json_t *sl_types_json(const sl_modules *modules);
/* One whole: properties, relationships, manual, ... NULL: no such type. */
json_t *sl_type_json(const sl_modules *modules, sl_str type);

#endif
