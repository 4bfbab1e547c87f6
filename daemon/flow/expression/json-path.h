/* A subset of JsonPath, as Jayway's: `$`, `.name`, `['name']`, `[0]`, `[-1]`, `[0,2]`, `[1:3]`, `*`, `[*]`, `..`, and
 * filters `[?(@.a.b == 'x' && @.n > 1 || !@.gone)]` with == != < <= > >=, texts, numbers, true, false, null and paths.
 * Functions, several names in one bracket, slices with a step and =~ are refused at compile time.
 */
#ifndef SL_EXPRESSION_JSON_PATH_H
#define SL_EXPRESSION_JSON_PATH_H

#include <jansson.h>

#include "flow/expression/private.h"

typedef struct json_path json_path;
json_path *json_path_new(sl_str text, sl_error *error); /* NULL: refused */
void json_path_free(void *data);
bool json_path_definite(const json_path *p); /* names one place */

typedef struct json_match { /* all borrowed from the document */
    json_t *value, *parent; /* parent NULL: the document itself */
    const char *key;        /* in an object */
    size_t index;           /* in an array */
} json_match;
typedef struct json_matches {
    json_match *items;
    size_t count, capacity;
} json_matches;
/* The caller frees ret->items, also after a failure (too many). */
int json_path_find(evaluation *e, const json_path *p, json_t *document, json_matches *ret);

#endif
