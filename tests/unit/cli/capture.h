/* Runs a command of `sluice` in this process, as its main would, with what it prints kept. */
#ifndef SL_CAPTURE_H
#define SL_CAPTURE_H

#include "base/base.h"

/* Words as typed after `sluice`, NULL at the end. Returns the exit code; texts are terminated and the caller's. `input`
 * (NULL: none) is standard input. */
typedef struct sl_captured {
    int code;
    char *out, *err;
} sl_captured;
sl_captured sl_capture(const char *input, const char *const *words);
void sl_captured_done(sl_captured *captured);
#define CAPTURE(...) sl_capture(NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Writes a file of the test's folder; returns its path, valid until 64 further ones were asked for. */
const char *sl_test_file(const char *name, const char *text);
const char *sl_test_path(const char *name);

#endif
