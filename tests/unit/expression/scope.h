/* The attributes, parameters and state that the tests of expressions see. */
#ifndef SL_TEST_EXPRESSION_SCOPE_H
#define SL_TEST_EXPRESSION_SCOPE_H

#include "flow/expression.h"
#include "test.h"

typedef struct pair {
    const char *name, *value;
} pair;

static const pair attributes[] = {
    {"filename", "a brand new filename.txt"},
    {"path", "in/2024/"},
    {"mime.type", "image/png"},
    {"abc", "hello world"},
    {"xyz", "good-bye world"},
    {"a b", "spaced"},
    {"123", "number"},
    {"empty", ""},
    {"blank", "  \t\n"},
    {"true.text", "true"},
    {"word", "TrUe"},
    {"n1", "1"},
    {"n2", "2"},
    {"n10", "10"},
    {"negative", "-64"},
    {"pi", "3.14159"},
    {"half", "0.5"},
    {"hex", "0x1F"},
    {"size", "1024"},
    {"huge", "9223372036854775807"},
    {"over", "9223372036854775808"},
    {"text", "not a number"},
    {"padded", "  42  "},
    {"greetings", "hello"},
    {"list", "red,blue,red,green,blue,yellow"},
    {"holes", ",a,,b,,,c,"},
    {"numbers", "1,2,3,4,5"},
    {"windows", "C:\\test\\1.txt"},
    {"url", "https://abc.go/x"},
    {"line", "\"Jacobson, John\", 32, Mr."},
    {"special", "<a href=\"x\">M & M's</a>"},
    {"unicode", "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F"}, /* äöüß */
    {"astral", "a\xF0\x9F\x98\x80z"},                /* a, an emoji, z */
    {"time", "1420058163264"},                       /* 2014-12-31T20:36:03.264Z */
    {"date", "04-08-2026"},
    {"stamp", "2013/11/18 10:22:27.678"},
    {"compact", "20130917162643"},
    {"may", "10may2004"},
    {"leap", "29-02-2024 00:00:00"},
    {"iso", "2022-12-03T10:15:30+01:00"},
    {"isoz", "2022-12-03T10:15:30.123456789Z"},
    {"rfc", "Thu, 1 Dec 2022 16:00:00 GMT"},
    {"json",
     "{\"firstName\":\"John\",\"lastName\":\"Smith\",\"age\":25,\"voter\":true,\"height\":6.1,\"gone\":null,\"address\":{\"city\":\"New "
     "York\",\"postalCode\":\"10021-3100\"},\"phoneNumbers\":[{\"type\":\"home\",\"number\":\"212 555-1234\"},{\"type\":\"office\","
     "\"number\":\"646 555-4567\"}],\"nicknames\":[]}"},
    {"broken", "{\"a\":"},
    {"template", "<${n1}> #{secret} $${n1}"},
    {"bad.template", "${n1:nope()}"},
    {"pointer", "abc"},
    {"base", "https://example.com"},
};

static const pair parameters[] = {
    {"inbox", "/srv/inbox"}, {"p q", "spaced parameter"}, {"odd", "${n1} #{inbox} 'x'"}, {"empty", ""}, {"Format", "yyyy"}};
static const pair states[] = {{"count", "17"}, {"123", "number"}};

static inline sl_str look_up(const pair *pairs, size_t count, sl_str name)
{
    for (size_t i = 0; i < count; i++)
        if (sl_str_is(name, pairs[i].name)) return sl_str_of(pairs[i].value);
    return (sl_str){NULL, 0};
}

static inline sl_str attribute(void *context, sl_str name) { return (void)context, look_up(attributes, SL_COUNT(attributes), name); }
static inline sl_str state(void *context, sl_str name) { return (void)context, look_up(states, SL_COUNT(states), name); }
static inline sl_str parameter(void *context, sl_str name) { return (void)context, look_up(parameters, SL_COUNT(parameters), name); }
static inline sl_str attribute_at(void *context, size_t i)
{
    (void)context;
    return i < SL_COUNT(attributes) ? sl_str_of(attributes[i].name) : (sl_str){NULL, 0};
}

static const sl_expression_scope scope = {attribute, attribute_at, state, NULL, "flow/processor"};
static const sl_parameter_scope parameter_scope = {parameter, NULL};

/* Compiled and evaluated; -1: error, *ret_offset SIZE_MAX for one of the evaluation. */
static inline int evaluate(const char *text, sl_buf *ret, size_t *ret_offset, sl_error *error)
{
    sl_expression *expression;
    if (sl_expression_compile(sl_str_of(text), &parameter_scope, &expression, ret_offset, error) < 0) return -1;
    *ret_offset = SIZE_MAX;
    int failed = sl_expression_evaluate(expression, &scope, ret, error);
    sl_expression_free(expression);
    return failed;
}

#endif
