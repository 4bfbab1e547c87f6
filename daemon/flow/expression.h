/* expression: NiFi's Expression Language, compiled once when a flow is loaded.
 *
 * A text with `${...}` in it becomes an sl_expression; a text without is a literal and costs nothing
 * to evaluate. Evaluation is total: bounded in steps and in size of the result, never blocking, and
 * an error is a text for the operator. Compiled expressions are immutable: any thread may evaluate.
 *
 * `#{name}` was replaced before (parameters are data, never parsed again): the compiler gets a
 * lookup for those that stand inside `${...}`, where they are text values.
 */
#ifndef SL_EXPRESSION_H
#define SL_EXPRESSION_H

#include "base/base.h"

typedef struct sl_expression sl_expression;

typedef struct sl_expression_scope { /* what an evaluation can see; every member may be NULL */
    /* The attribute's value, or a view with data NULL when there is none. */
    sl_str (*attribute)(void *context, sl_str name);
    /* The i-th attribute's name, or data NULL past the end (for allMatchingAttributes and friends). */
    sl_str (*attribute_at)(void *context, size_t i);
    sl_str (*state)(void *context, sl_str key);
    void *context;
    const char *component; /* getUri, thread */
} sl_expression_scope;

typedef struct sl_parameter_scope {
    /* A parameter's text, or data NULL when there is none. */
    sl_str (*parameter)(void *context, sl_str name);
    void *context;
} sl_parameter_scope;

/* Compiles `text`: literal runs, `#{p}`, `${...}`, escapes `$${` and `##{`. On failure error->text says
 * what was expected and found and *ret_offset is the byte in `text` where it was found. */
int sl_expression_compile(sl_str text, const sl_parameter_scope *parameters, sl_expression **ret, size_t *ret_offset, sl_error *error);
/* Only `#{p}` and the two escapes are resolved, `${` stays as it is: for properties that take no expressions. */
int sl_parameters_resolve(sl_str text, const sl_parameter_scope *parameters, sl_buf *ret, size_t *ret_offset, sl_error *error);
void sl_expression_free(sl_expression *expression);
/* The text when it holds no `${...}` (after parameters), else data NULL. */
sl_str sl_expression_literal(const sl_expression *expression);
/* Appends the value to `ret`. A missing attribute gives the empty text, as in NiFi. */
int sl_expression_evaluate(const sl_expression *expression, const sl_expression_scope *scope, sl_buf *ret, sl_error *error);
/* True when the value is "true" (any case); for routes. */
int sl_expression_test(const sl_expression *expression, const sl_expression_scope *scope, bool *ret, sl_error *error);
/* Names of all functions, NULL at the end: for suggestions, completion and the manual. */
const char *const *sl_expression_functions(void);

#endif
