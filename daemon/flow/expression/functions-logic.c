/* Conditions, comparisons, search. */
#include "flow/expression/functions.h"

static int truth(bool is, value *ret)
{
    *ret = VALUE_TRUTH(is);
    return 0;
}

FUNCTION(logic_is_null) { return (void)e, (void)c, (void)arguments, truth(subject.missing, ret); }
FUNCTION(logic_not_null) { return (void)e, (void)c, (void)arguments, truth(!subject.missing, ret); }
FUNCTION(logic_is_empty) { return (void)e, (void)c, (void)arguments, truth(subject.missing || is_blank(subject.text), ret); }

FUNCTION(logic_not)
{
    (void)c, (void)arguments;
    if (subject.missing) return fail(e, "expected a condition as its subject, found none");
    return truth(!subject.truth, ret);
}

FUNCTION(logic_and)
{
    (void)arguments;
    *ret = subject;
    return !subject.missing && !subject.truth ? 0 : argument(e, c, 0, ret);
}

FUNCTION(logic_or)
{
    (void)arguments;
    *ret = subject;
    return !subject.missing && subject.truth ? 0 : argument(e, c, 0, ret);
}

FUNCTION(logic_if_else) { return (void)arguments, argument(e, c, !subject.missing && subject.truth ? 0 : 1, ret); }

/* ---- equality -------------------------------------------------------------------------------------------- */
/* Values of different kinds are compared as texts, where a date is its milliseconds. */
static int comparable(evaluation *e, value v, sl_str *ret)
{
    if (v.kind == KIND_DATE) v.kind = KIND_WHOLE;
    return value_text(e, v, ret);
}

FUNCTION(logic_equals)
{
    sl_str left, right;
    if (subject.missing || arguments[0].missing) return truth(false, ret);
    if (subject.kind == arguments[0].kind) {
        if (subject.kind == KIND_TEXT) return truth(sl_str_equal(subject.text, arguments[0].text), ret);
        if (subject.kind == KIND_INSTANT)
            return truth(subject.instant.seconds == arguments[0].instant.seconds && subject.instant.nanos == arguments[0].instant.nanos,
                         ret);
    }
    (void)c;
    if (comparable(e, subject, &left) < 0 || comparable(e, arguments[0], &right) < 0) return -1;
    return truth(sl_str_equal(left, right), ret);
}

FUNCTION(logic_equals_ignore_case)
{
    (void)e, (void)c;
    return truth(!arguments[0].missing && equal_ignoring_case(subject.text, arguments[0].text), ret);
}

FUNCTION(logic_in)
{
    (void)arguments;
    for (size_t i = 0; i < c->count; i++) {
        value item;
        if (argument(e, c, i, &item) < 0) return -1;
        if (!item.missing && sl_str_equal(item.text, subject.text)) return truth(true, ret);
    }
    return truth(false, ret);
}

/* ---- order ------------------------------------------------------------------------------------------------- */
static double as_decimal(value v) { return v.kind == KIND_DECIMAL ? v.decimal : (double)v.whole; }

/* -1, 0, 1, or 2 where a NaN compares with nothing */
static int order_of(value a, value b)
{
    if (a.kind != KIND_DECIMAL && b.kind != KIND_DECIMAL) return (a.whole > b.whole) - (a.whole < b.whole);
    double left = as_decimal(a), right = as_decimal(b);
    return left < right ? -1 : left > right ? 1 : left == right ? 0 : 2;
}

static int ordered(value a, value b, int one, int other, value *ret)
{
    int order = b.missing ? 2 : order_of(a, b);
    return truth(order == one || order == other, ret);
}

FUNCTION(logic_gt) { return (void)e, (void)c, ordered(subject, arguments[0], 1, 1, ret); }
FUNCTION(logic_ge) { return (void)e, (void)c, ordered(subject, arguments[0], 1, 0, ret); }
FUNCTION(logic_lt) { return (void)e, (void)c, ordered(subject, arguments[0], -1, -1, ret); }
FUNCTION(logic_le) { return (void)e, (void)c, ordered(subject, arguments[0], -1, 0, ret); }

/* ---- search -------------------------------------------------------------------------------------------------- */
FUNCTION(search_starts_with)
{
    (void)e, (void)c;
    sl_str what = arguments[0].text;
    if (arguments[0].missing || what.size > subject.text.size) return truth(false, ret);
    return truth(memcmp(subject.text.data, what.data, what.size) == 0, ret);
}

FUNCTION(search_ends_with)
{
    (void)e, (void)c;
    sl_str what = arguments[0].text;
    if (arguments[0].missing || what.size > subject.text.size) return truth(false, ret);
    return truth(memcmp(subject.text.data + subject.text.size - what.size, what.data, what.size) == 0, ret);
}

FUNCTION(search_contains)
{
    (void)e, (void)c;
    return truth(!arguments[0].missing && find_text(subject.text, arguments[0].text).data, ret);
}

static int index_in(evaluation *e, value subject, value what, bool last, value *ret)
{
    *ret = VALUE_WHOLE(-1);
    if (subject.missing) return 0;
    if (what.missing) return fail(e, "expected a text as its argument, found none");
    sl_str found = last ? find_last_text(subject.text, what.text) : find_text(subject.text, what.text);
    if (found.data) ret->whole = (int64_t)utf16_length((sl_str){subject.text.data, (size_t)(found.data - subject.text.data)});
    return 0;
}

FUNCTION(search_index_of) { return (void)c, index_in(e, subject, arguments[0], false, ret); }
FUNCTION(search_last_index_of) { return (void)c, index_in(e, subject, arguments[0], true, ret); }
