/* Conversions between kinds, as NiFi's casts and Java's own forms do them. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "flow/expression/date.h"
#include "flow/expression/text.h"

const char *kind_name(kind k)
{
    static const char *const names[] = {"a text",      "a whole number", "a decimal",  "a number",
                                        "a condition", "a date",         "an instant", "anything"};
    return names[k];
}

bool kind_converts(kind from, kind to)
{
    if (to == KIND_ANY || to == KIND_TEXT || from == to) return true;
    if (from == KIND_TRUTH) return false;
    if (to == KIND_TRUTH) return from == KIND_TEXT;
    if (to == KIND_DATE) return from != KIND_INSTANT;
    if (to == KIND_INSTANT) return from != KIND_DATE;
    if (to == KIND_DECIMAL) return from != KIND_INSTANT;
    return true;
}

/* ---- numbers ----------------------------------------------------------------------------------------- */
size_t whole_text(int64_t whole, char text[24])
{
    char reversed[24];
    size_t size = 0, at = 0;
    uint64_t rest = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;
    do reversed[size++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (whole < 0) text[at++] = '-';
    while (size) text[at++] = reversed[--size];
    return at;
}

/* The shortest digits (two at least) that give the number back, and the exponent of the first. */
static size_t shortest_digits(double d, char digits[20], int *exponent)
{
    char text[40];
    for (int precision = 1; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, d);
        if (precision == 16 || strtod(text, NULL) == d) break;
    }
    size_t size = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at != '.') digits[size++] = *at;
    *exponent = atoi(at + 1);
    while (size > 1 && digits[size - 1] == '0') size--;
    return size;
}

static size_t plain_decimal(char *text, const char *digits, size_t size, int exponent)
{
    size_t at = 0;
    if (exponent < 0) {
        text[at++] = '0';
        text[at++] = '.';
        for (int i = -1; i > exponent; i--) text[at++] = '0';
        memcpy(text + at, digits, size);
        return at + size;
    }
    size_t whole = (size_t)exponent + 1;
    for (size_t i = 0; i < SL_MAX(whole, size); i++) {
        if (i == whole) text[at++] = '.';
        text[at++] = i < size ? digits[i] : '0';
    }
    if (size <= whole) {
        text[at++] = '.';
        text[at++] = '0';
    }
    return at;
}

size_t decimal_text(double d, char text[32])
{
    if (isnan(d)) return (size_t)snprintf(text, 32, "NaN");
    if (isinf(d)) return (size_t)snprintf(text, 32, d < 0 ? "-Infinity" : "Infinity");
    size_t at = 0;
    if (signbit(d)) text[at++] = '-';
    d = fabs(d);
    if (d == 0) return at + (size_t)snprintf(text + at, 32 - at, "0.0");
    char digits[20];
    int exponent;
    size_t size = shortest_digits(d, digits, &exponent);
    if (d >= 1e-3 && d < 1e7) return at + plain_decimal(text + at, digits, size, exponent);
    at += plain_decimal(text + at, digits, size, 0);
    return at + (size_t)snprintf(text + at, 32 - at, "E%d", exponent);
}

int64_t decimal_to_whole(double d)
{
    if (isnan(d)) return 0;
    if (d >= 9223372036854775808.0) return INT64_MAX;
    if (d < -9223372036854775808.0) return INT64_MIN;
    return (int64_t)d;
}

static size_t span(sl_str text, size_t at, bool hex)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    while (at < text.size && memchr(digits, text.data[at], hex ? 22 : 10)) at++;
    return at;
}

static size_t sign_end(sl_str text, size_t at) { return at < text.size && (text.data[at] == '-' || text.data[at] == '+') ? at + 1 : at; }

/* The forms NiFi takes for numbers: digits, 0x digits, decimals with a point or an exponent, hexadecimal ones. */
static number_form form_of(sl_str text)
{
    size_t first = sign_end(text, 0);
    sl_str word = {text.data + first, text.size - first};
    if (sl_str_is(word, "Infinity") || sl_str_is(word, "NaN")) return DECIMAL_NUMBER;
    bool hex = word.size > 2 && word.data[0] == '0' && (word.data[1] | 0x20) == 'x';
    if (hex) first += 2;
    size_t whole = span(text, first, hex), at = whole;
    if (at == text.size) return at > first ? WHOLE_NUMBER : NOT_NUMBER;
    bool point = text.data[at] == '.';
    if (point) {
        at = span(text, whole + 1, hex);
        if (at == whole + 1 && !(hex && whole > first)) return NOT_NUMBER;
        bool bare = hex && (whole > first || at == whole + 1); /* then an exponent must follow */
        if (at == text.size) return bare ? NOT_NUMBER : DECIMAL_NUMBER;
    } else if (whole == first) return NOT_NUMBER;
    if ((text.data[at] | 0x20) != (hex ? 'p' : 'e')) return NOT_NUMBER;
    size_t exponent = sign_end(text, at + 1);
    at = span(text, exponent, false);
    return at == text.size && at > exponent ? DECIMAL_NUMBER : NOT_NUMBER;
}

static bool parse_whole(const char *text, int64_t *ret)
{
    const char *digits = text + (*text == '-' || *text == '+');
    bool hex = digits[0] == '0' && (digits[1] | 0x20) == 'x';
    errno = 0;
    unsigned long long magnitude = strtoull(hex ? digits + 2 : digits, NULL, hex ? 16 : 10);
    bool negative = *text == '-';
    if (errno || magnitude > (unsigned long long)INT64_MAX + negative) return false;
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

number_form number_of(sl_str text, value *ret, bool *ret_overflow)
{
    number_form form = text.size ? form_of(text) : NOT_NUMBER;
    *ret_overflow = false;
    if (form == NOT_NUMBER) return form;
    char small[64], *copy = text.size < sizeof small ? small : sl_strndup(text.data, text.size);
    if (copy == small) {
        memcpy(small, text.data, text.size);
        small[text.size] = 0;
    }
    if (form == DECIMAL_NUMBER) *ret = VALUE_DECIMAL(strtod(copy, NULL));
    else {
        int64_t whole = 0;
        *ret_overflow = !parse_whole(copy, &whole);
        *ret = VALUE_WHOLE(whole);
    }
    if (copy != small) free(copy);
    return form;
}

/* ---- to a kind ------------------------------------------------------------------------------------------ */
static int text_to_number(evaluation *e, value *v)
{
    bool overflow;
    sl_str text = java_trim(v->text);
    if (number_of(text, v, &overflow) == NOT_NUMBER) *v = VALUE_MISSING(KIND_WHOLE);
    if (overflow)
        return fail(e, "expected a whole number between -2^63 and 2^63-1, found \"%.*s\"", (int)SL_MIN(text.size, (size_t)80), text.data);
    return 0;
}

static int to_number(evaluation *e, value *v)
{
    switch (v->kind) {
    case KIND_TEXT: return text_to_number(e, v);
    case KIND_DATE: *v = VALUE_WHOLE(v->whole); return 0;
    case KIND_INSTANT: *v = VALUE_WHOLE(ms_of_instant(v->instant)); return 0;
    case KIND_TRUTH: return fail(e, "expected a number, found a condition");
    default: return 0;
    }
}

static int to_whole(evaluation *e, value *v)
{
    if (to_number(e, v) < 0) return -1;
    if (v->kind == KIND_DECIMAL) *v = VALUE_WHOLE(v->missing ? 0 : decimal_to_whole(v->decimal));
    return 0;
}

static int to_decimal(evaluation *e, value *v)
{
    if (to_number(e, v) < 0) return -1;
    if (v->missing) *v = VALUE_MISSING(KIND_DECIMAL);
    else if (v->kind == KIND_WHOLE) *v = VALUE_DECIMAL((double)v->whole);
    return 0;
}

static int to_text(evaluation *e, value *v)
{
    sl_str text;
    if (v->kind == KIND_TEXT) return 0;
    if (value_text(e, *v, &text) < 0) return -1;
    *v = VALUE_TEXT(text);
    return 0;
}

static int to_truth(evaluation *e, value *v)
{
    if (v->kind == KIND_TRUTH) return 0;
    if (v->kind != KIND_TEXT) return fail(e, "expected a condition, found %s", kind_name(v->kind));
    sl_str text = java_trim(v->text);
    *v = VALUE_TRUTH(text.size == 4 && strncasecmp(text.data, "true", 4) == 0);
    return 0;
}

static int to_date(evaluation *e, value *v)
{
    if (v->kind == KIND_TEXT) return date_from_text(e, v->text, v);
    if (v->kind == KIND_TRUTH || v->kind == KIND_INSTANT) return fail(e, "expected a date, found %s", kind_name(v->kind));
    *v = VALUE_DATE(v->kind == KIND_DECIMAL ? decimal_to_whole(v->decimal) : v->whole);
    return 0;
}

static int to_instant(evaluation *e, value *v)
{
    if (v->kind == KIND_TEXT) return instant_from_text(e, v->text, v);
    if (v->kind == KIND_TRUTH || v->kind == KIND_DATE) return fail(e, "expected an instant, found %s", kind_name(v->kind));
    *v = VALUE_INSTANT(instant_of_ms(v->kind == KIND_DECIMAL ? decimal_to_whole(v->decimal) : v->whole));
    return 0;
}

int value_to(evaluation *e, kind wanted, value *v)
{
    if (wanted == KIND_ANY || v->kind == wanted) return 0;
    if (v->missing) {
        if (wanted != KIND_NUMBER) v->kind = wanted;
        return 0;
    }
    switch (wanted) {
    case KIND_TEXT: return to_text(e, v);
    case KIND_WHOLE: return to_whole(e, v);
    case KIND_DECIMAL: return to_decimal(e, v);
    case KIND_NUMBER: return to_number(e, v);
    case KIND_TRUTH: return to_truth(e, v);
    case KIND_DATE: return to_date(e, v);
    case KIND_INSTANT: return to_instant(e, v);
    default: return 0;
    }
}

int value_text(evaluation *e, value v, sl_str *ret)
{
    char text[32], *copy;
    size_t size;
    switch (v.kind) {
    case KIND_TEXT: *ret = v.text; return 0;
    case KIND_TRUTH: *ret = v.truth ? SL_STR("true") : SL_STR("false"); return 0;
    case KIND_DATE: return date_text(e, v.whole, ret);
    case KIND_INSTANT: return instant_text(e, v.instant, ret);
    case KIND_DECIMAL: size = decimal_text(v.decimal, text); break;
    default: size = whole_text(v.whole, text); break;
    }
    if (!(copy = scratch(e, size))) return -1;
    memcpy(copy, text, size);
    *ret = (sl_str){copy, size};
    return 0;
}
