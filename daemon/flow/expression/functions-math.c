/* Numbers: Java's longs, which wrap, and doubles. */
#include <math.h>
#include <stdio.h>

#include "flow/expression/functions.h"

static double as_decimal(value v) { return v.kind == KIND_DECIMAL ? v.decimal : (double)v.whole; }

static int whole(int64_t v, value *ret)
{
    *ret = VALUE_WHOLE(v);
    return 0;
}

static int decimal(double v, value *ret)
{
    *ret = VALUE_DECIMAL(v);
    return 0;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------- */
static int64_t wrap(char operation, int64_t a, int64_t b)
{
    uint64_t left = (uint64_t)a, right = (uint64_t)b;
    switch (operation) {
    case '+': return (int64_t)(left + right);
    case '-': return (int64_t)(left - right);
    case '*': return (int64_t)(left * right);
    case '/': return b == -1 ? (int64_t)(0 - left) : a / b;
    default: return b == -1 ? 0 : a % b;
    }
}

static double in_decimals(char operation, double a, double b)
{
    switch (operation) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return a / b;
    default: return fmod(a, b);
    }
}

static int arithmetic(evaluation *e, char operation, value a, value b, value *ret)
{
    if (b.missing) {
        *ret = VALUE_MISSING(KIND_WHOLE);
        return 0;
    }
    if (a.kind == KIND_DECIMAL || b.kind == KIND_DECIMAL) return decimal(in_decimals(operation, as_decimal(a), as_decimal(b)), ret);
    if (b.whole == 0 && (operation == '/' || operation == '%')) return fail(e, "expected a divisor other than 0");
    return whole(wrap(operation, a.whole, b.whole), ret);
}

FUNCTION(math_plus) { return (void)c, arithmetic(e, '+', subject, arguments[0], ret); }
FUNCTION(math_minus) { return (void)c, arithmetic(e, '-', subject, arguments[0], ret); }
FUNCTION(math_multiply) { return (void)c, arithmetic(e, '*', subject, arguments[0], ret); }
FUNCTION(math_divide) { return (void)c, arithmetic(e, '/', subject, arguments[0], ret); }
FUNCTION(math_mod) { return (void)c, arithmetic(e, '%', subject, arguments[0], ret); }

/* ---- kinds ---------------------------------------------------------------------------------------------------- */
FUNCTION(math_to_number)
{
    (void)c, (void)arguments;
    *ret = subject;
    return value_to(e, KIND_WHOLE, ret);
}

FUNCTION(math_to_decimal)
{
    (void)c, (void)arguments;
    *ret = subject;
    return value_to(e, KIND_DECIMAL, ret);
}

FUNCTION(math_to_radix)
{
    char digits[72];
    size_t at = sizeof digits;
    *ret = VALUE_MISSING(KIND_TEXT);
    if (arguments[0].missing) return 0;
    int32_t radix = (int32_t)arguments[0].whole;
    if (radix < 2 || radix > 36) radix = 10;
    uint64_t rest = subject.whole < 0 ? 0 - (uint64_t)subject.whole : (uint64_t)subject.whole;
    do digits[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % (uint64_t)radix];
    while (rest /= (uint64_t)radix);
    if (subject.whole < 0) digits[--at] = '-';
    size_t size = sizeof digits - at, width = 0;
    if (c->count > 1 && !arguments[1].missing && (int32_t)arguments[1].whole > 0) width = (size_t)(int32_t)arguments[1].whole;
    char *text = scratch(e, SL_MAX(size, width));
    if (!text) return -1;
    size_t padding = width > size ? width - size : 0;
    memset(text, '0', padding);
    memcpy(text + padding, digits + at, size);
    *ret = VALUE_TEXT(((sl_str){text, padding + size}));
    return 0;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

static int not_in_radix(evaluation *e, sl_str text, int32_t radix)
{
    return fail(e, "expected a whole number in base %d, found \"%.*s\"", radix, (int)SL_MIN(text.size, (size_t)80), text.data);
}

FUNCTION(math_from_radix)
{
    (void)c;
    if (arguments[0].missing) return *ret = VALUE_MISSING(KIND_WHOLE), 0;
    int32_t radix = (int32_t)arguments[0].whole;
    sl_str text = subject.text;
    if (radix < 2 || radix > 36) return fail(e, "expected a base between 2 and 36, found %d", radix);
    size_t at = text.size && (text.data[0] == '-' || text.data[0] == '+');
    bool minus = at && text.data[0] == '-';
    int64_t value = 0;
    if (at == text.size) return not_in_radix(e, text, radix);
    for (; at < text.size; at++) {
        int digit = digit_of(text.data[at]);
        bool over = digit >= radix || __builtin_mul_overflow(value, radix, &value) || __builtin_sub_overflow(value, digit, &value);
        if (over) return not_in_radix(e, text, radix);
    }
    if (!minus && value == INT64_MIN) return not_in_radix(e, text, radix);
    return whole(minus ? value : -value, ret); /* collected below zero, where there is one more */
}

/* ---- math(name): the methods of java.lang.Math --------------------------------------------------------------------- */
static double signum(double d) { return d > 0 ? 1 : d < 0 ? -1 : d; }
static double to_degrees(double d) { return d * (180.0 / M_PI); }
static double to_radians(double d) { return d / 180.0 * M_PI; }
static double next_up(double d) { return nextafter(d, INFINITY); }
static double next_down(double d) { return nextafter(d, -INFINITY); }
static double ulp(double d)
{
    return isinf(d)                            ? INFINITY
           : isnan(d)                          ? d
           : fabs(d) == 1.7976931348623157e308 ? fabs(d) - nextafter(fabs(d), 0)
                                               : nextafter(fabs(d), INFINITY) - fabs(d);
}

static double java_max(double a, double b)
{
    if (isnan(a) || isnan(b)) return NAN;
    return a == b ? (signbit(a) ? b : a) : a > b ? a : b;
}

static double java_min(double a, double b)
{
    if (isnan(a) || isnan(b)) return NAN;
    return a == b ? (signbit(a) ? a : b) : a < b ? a : b;
}

static double java_pow(double a, double b) { return (fabs(a) == 1 && isinf(b)) || isnan(b) ? NAN : pow(a, b); }

static const struct {
    const char *name;
    double (*of)(double);
} decimal_methods[] = {{"abs", fabs},
                       {"ceil", ceil},
                       {"floor", floor},
                       {"rint", rint},
                       {"sqrt", sqrt},
                       {"cbrt", cbrt},
                       {"sin", sin},
                       {"cos", cos},
                       {"tan", tan},
                       {"asin", asin},
                       {"acos", acos},
                       {"atan", atan},
                       {"sinh", sinh},
                       {"cosh", cosh},
                       {"tanh", tanh},
                       {"exp", exp},
                       {"expm1", expm1},
                       {"log", log},
                       {"log10", log10},
                       {"log1p", log1p},
                       {"signum", signum},
                       {"toDegrees", to_degrees},
                       {"toRadians", to_radians},
                       {"nextUp", next_up},
                       {"nextDown", next_down},
                       {"ulp", ulp}};

static const struct {
    const char *name;
    double (*of)(double, double);
} decimal_pairs[] = {{"max", java_max},      {"min", java_min},       {"pow", java_pow},
                     {"atan2", atan2},       {"hypot", hypot},        {"IEEEremainder", remainder},
                     {"copySign", copysign}, {"nextAfter", nextafter}};

static int no_method(evaluation *e, sl_str name, const char *of)
{
    return fail(e, "expected a method of java.lang.Math that takes %s, found \"%.*s\"", of, (int)SL_MIN(name.size, (size_t)60), name.data);
}

static int64_t java_round(double d)
{
    double down = floor(d);
    return decimal_to_whole(d - down >= 0.5 ? down + 1 : down);
}

static int of_decimal(evaluation *e, sl_str name, double d, value *ret)
{
    if (sl_str_is(name, "round")) return whole(java_round(d), ret);
    if (sl_str_is(name, "getExponent"))
        return whole(isnan(d) || isinf(d) ? 1024 : fabs(d) < 2.2250738585072014e-308 ? -1023 : ilogb(d), ret);
    for (size_t i = 0; i < SL_COUNT(decimal_methods); i++)
        if (sl_str_is(name, decimal_methods[i].name)) return decimal(decimal_methods[i].of(d), ret);
    return no_method(e, name, "one decimal");
}

static int overflow(evaluation *e) { return fail(e, "expected a result between -2^63 and 2^63-1"); }

static int of_whole(evaluation *e, sl_str name, int64_t v, value *ret)
{
    if (sl_str_is(name, "abs")) return whole(v < 0 ? wrap('-', 0, v) : v, ret);
    if (sl_str_is(name, "absExact")) return v == INT64_MIN ? overflow(e) : whole(v < 0 ? -v : v, ret);
    if (sl_str_is(name, "negateExact")) return v == INT64_MIN ? overflow(e) : whole(-v, ret);
    if (sl_str_is(name, "incrementExact")) return v == INT64_MAX ? overflow(e) : whole(v + 1, ret);
    if (sl_str_is(name, "decrementExact")) return v == INT64_MIN ? overflow(e) : whole(v - 1, ret);
    if (sl_str_is(name, "toIntExact")) return v != (int32_t)v ? overflow(e) : whole(v, ret);
    return no_method(e, name, "one whole number");
}

static int divided(evaluation *e, sl_str name, int64_t a, int64_t b, value *ret)
{
    bool exact = sl_str_ends(name, "Exact"), mod = sl_str_is(name, "floorMod") || sl_str_is(name, "ceilMod");
    if (b == 0) return fail(e, "expected a divisor other than 0");
    if (exact && a == INT64_MIN && b == -1) return overflow(e);
    int64_t quotient = wrap('/', a, b), rest = wrap('%', a, b);
    bool differ = (a < 0) != (b < 0);
    if (sl_str_starts(name, "floor") && rest && differ) quotient--, rest += b;
    if (sl_str_starts(name, "ceil") && rest && !differ) quotient++, rest -= b;
    return whole(mod ? rest : quotient, ret);
}

static int of_wholes(evaluation *e, sl_str name, int64_t a, int64_t b, value *ret)
{
    static const char *const divisions[] = {"floorDiv", "floorMod", "ceilDiv", "ceilMod", "divideExact", "floorDivExact", "ceilDivExact"};
    int64_t result;
    if (sl_str_is(name, "max")) return whole(SL_MAX(a, b), ret);
    if (sl_str_is(name, "min")) return whole(SL_MIN(a, b), ret);
    if (sl_str_is(name, "addExact")) return __builtin_add_overflow(a, b, &result) ? overflow(e) : whole(result, ret);
    if (sl_str_is(name, "subtractExact")) return __builtin_sub_overflow(a, b, &result) ? overflow(e) : whole(result, ret);
    if (sl_str_is(name, "multiplyExact")) return __builtin_mul_overflow(a, b, &result) ? overflow(e) : whole(result, ret);
    if (sl_str_is(name, "multiplyHigh")) return whole((int64_t)((__int128_t)a * b >> 64), ret);
    for (size_t i = 0; i < SL_COUNT(divisions); i++)
        if (sl_str_is(name, divisions[i])) return divided(e, name, a, b, ret);
    return no_method(e, name, "two whole numbers");
}

static int of_pair(evaluation *e, sl_str name, value a, value b, value *ret)
{
    if (a.kind != KIND_DECIMAL && b.kind != KIND_DECIMAL) return of_wholes(e, name, a.whole, b.whole, ret);
    if (a.kind == KIND_DECIMAL && b.kind != KIND_DECIMAL) {
        if (sl_str_is(name, "scalb")) return decimal(scalbn(a.decimal, (int32_t)b.whole), ret);
        return no_method(e, name, "a decimal and a whole number (toDecimal() makes decimals)");
    }
    for (size_t i = 0; a.kind == KIND_DECIMAL && i < SL_COUNT(decimal_pairs); i++)
        if (sl_str_is(name, decimal_pairs[i].name)) return decimal(decimal_pairs[i].of(a.decimal, b.decimal), ret);
    return no_method(e, name, a.kind == KIND_DECIMAL ? "two decimals" : "a whole number and a decimal");
}

FUNCTION(math_math)
{
    *ret = VALUE_MISSING(KIND_WHOLE);
    if (arguments[0].missing || (c->count > 1 && arguments[1].missing)) return 0;
    if (c->count > 1) return of_pair(e, arguments[0].text, subject, arguments[1], ret);
    if (subject.kind == KIND_DECIMAL) return of_decimal(e, arguments[0].text, subject.decimal, ret);
    return of_whole(e, arguments[0].text, subject.whole, ret);
}

FUNCTION(math_alone)
{
    (void)c, (void)subject;
    uint64_t random;
    *ret = VALUE_MISSING(KIND_WHOLE);
    if (arguments[0].missing) return 0;
    if (!sl_str_is(arguments[0].text, "random")) return no_method(e, arguments[0].text, "nothing");
    sl_sys_now->random(&random, sizeof random);
    return decimal((double)(random >> 11) * 0x1p-53, ret);
}

FUNCTION(math_random)
{
    (void)e, (void)c, (void)subject, (void)arguments;
    uint64_t random;
    sl_sys_now->random(&random, sizeof random);
    return whole((int64_t)(random >> 1), ret);
}
