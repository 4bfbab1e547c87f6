/* libFuzzer: any bytes as a text with expressions, and as the attributes that they see. */
#include <stdint.h>

#include "flow/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sl_str bytes;

/* Names are looked up in the input itself: what follows a name is its value. */
static sl_str attribute(void *context, sl_str name)
{
    (void)context;
    const char *found = name.size && bytes.size ? memmem(bytes.data, bytes.size, name.data, name.size) : NULL;
    if (!found || name.size > 8) return (sl_str){NULL, 0};
    size_t after = (size_t)(found - bytes.data) + name.size;
    return (sl_str){bytes.data + after, SL_MIN(bytes.size - after, (size_t)64)};
}

static sl_str attribute_at(void *context, size_t i)
{
    (void)context;
    return i < 4 && i * 2 + 2 <= bytes.size ? (sl_str){bytes.data + i * 2, 2} : (sl_str){NULL, 0};
}

static sl_str parameter(void *context, sl_str name) { return attribute(context, name); }

static void run(const sl_expression *expression)
{
    static const sl_expression_scope scope = {attribute, attribute_at, attribute, NULL, "fuzz"};
    sl_buf value = SL_BUF(1 << 16);
    sl_error error;
    bool is;
    if (sl_expression_evaluate(expression, &scope, &value, &error) == 0 && value.size > (1 << 16)) abort();
    if (sl_expression_literal(expression).data && !sl_str_equal(sl_expression_literal(expression), sl_buf_view(&value)) && value.size)
        abort();
    sl_expression_test(expression, &scope, &is, &error);
    sl_buf_done(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const sl_parameter_scope parameters = {parameter, NULL};
    sl_expression *expression;
    sl_error error;
    size_t offset = 0;
    bytes = (sl_str){(const char *)data, size};
    if (sl_expression_compile(bytes, &parameters, &expression, &offset, &error) == 0) run(expression);
    else if (offset > size || !memchr(error.text, 0, sizeof error.text)) abort();
    else expression = NULL;
    sl_expression_free(expression);
    sl_buf resolved = SL_BUF(1 << 16);
    if (sl_parameters_resolve(bytes, &parameters, &resolved, &offset, &error) < 0 && offset > size) abort();
    sl_buf_done(&resolved);
    return 0;
}
