/* From fields to moments and back; the forms that values take as texts. */
#include <stdio.h>

#include "flow/expression/date.h"
#include "flow/expression/pattern.h"

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

instant instant_of_ms(int64_t ms)
{
    int64_t seconds = floor_div(ms, 1000);
    return (instant){seconds, (int32_t)((ms - seconds * 1000) * 1000000)};
}

int64_t ms_of_instant(instant i) { return (int64_t)((uint64_t)i.seconds * 1000 + (uint64_t)(i.nanos / 1000000)); }

int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int moment_of(evaluation *e, instant i, const zone *z, moment *ret)
{
    const int64_t most = (int64_t)YEAR_MOST * 31556952;
    if (i.seconds > most || i.seconds < -most) return fail(e, "expected a date within %d years of 1970", YEAR_MOST);
    *ret = (moment){.utc = i, .zone = z, .offset = zone_offset(z, i.seconds), .nanos = i.nanos};
    int64_t local = i.seconds + ret->offset, rest;
    ret->days = floor_div(local, 86400);
    rest = local - ret->days * 86400;
    sl_civil_of(ret->days, &ret->year, &ret->month, &ret->day);
    ret->hour = (int)(rest / 3600);
    ret->minute = (int)(rest / 60 % 60);
    ret->second = (int)(rest % 60);
    return 0;
}

/* ---- from fields ------------------------------------------------------------------------------------------ */
static int64_t or_else(int64_t v, int64_t other) { return v == FIELD_NONE ? other : v; }

static int check(evaluation *e, int64_t v, int64_t least, int64_t most, const char *what)
{
    if (v == FIELD_NONE || (v >= least && v <= most)) return 0;
    return fail(e, "expected %s between %lld and %lld, found %lld", what, (long long)least, (long long)most, (long long)v);
}

static int check_fields(evaluation *e, const int64_t *is)
{
    static const struct {
        field field;
        int64_t least, most;
        const char *what;
    } ranges[] = {{FIELD_YEAR, -YEAR_MOST, YEAR_MOST, "a year"},
                  {FIELD_MONTH, 1, 12, "a month"},
                  {FIELD_DAY, 1, 31, "a day"},
                  {FIELD_DAY_OF_YEAR, 1, 366, "a day of the year"},
                  {FIELD_HALF_HOUR, 0, 11, "an hour"},
                  {FIELD_CLOCK_HALF_HOUR, 1, 12, "an hour"},
                  {FIELD_HOUR, 0, 24, "an hour"},
                  {FIELD_CLOCK_HOUR, 1, 24, "an hour"},
                  {FIELD_MINUTE, 0, 59, "a minute"},
                  {FIELD_SECOND, 0, 59, "a second"},
                  {FIELD_NANO, 0, 999999999, "a fraction"},
                  {FIELD_MILLI_OF_DAY, 0, 86399999, "a millisecond of the day"},
                  {FIELD_NANO_OF_DAY, 0, 86399999999999, "a nanosecond of the day"},
                  {FIELD_OFFSET, -18 * 3600, 18 * 3600, "an offset"}};
    for (size_t i = 0; i < SL_COUNT(ranges); i++)
        if (check(e, is[ranges[i].field], ranges[i].least, ranges[i].most, ranges[i].what) < 0) return -1;
    return 0;
}

/* Seconds of the day, 86400 for 24:00; -1: there is no time in it. */
static int64_t time_of_day(const int64_t *is, bool defaults, int32_t *ret_nanos)
{
    int64_t hour = is[FIELD_HOUR], half = is[FIELD_HALF_HOUR];
    *ret_nanos = (int32_t)or_else(is[FIELD_NANO], 0);
    if (is[FIELD_NANO_OF_DAY] != FIELD_NONE || is[FIELD_MILLI_OF_DAY] != FIELD_NONE) {
        int64_t nanos = is[FIELD_NANO_OF_DAY] != FIELD_NONE ? is[FIELD_NANO_OF_DAY] : is[FIELD_MILLI_OF_DAY] * 1000000;
        *ret_nanos = (int32_t)(nanos % 1000000000);
        return nanos / 1000000000;
    }
    if (is[FIELD_CLOCK_HOUR] != FIELD_NONE) hour = is[FIELD_CLOCK_HOUR] % 24;
    if (is[FIELD_CLOCK_HALF_HOUR] != FIELD_NONE) half = is[FIELD_CLOCK_HALF_HOUR] % 12;
    if (half != FIELD_NONE && is[FIELD_HALF_DAY] != FIELD_NONE) hour = is[FIELD_HALF_DAY] * 12 + half;
    if (hour == FIELD_NONE && !defaults) return -1;
    if (!defaults && is[FIELD_MINUTE] == FIELD_NONE && (is[FIELD_SECOND] != FIELD_NONE || is[FIELD_NANO] != FIELD_NONE)) return -1;
    return or_else(hour, 0) * 3600 + or_else(is[FIELD_MINUTE], 0) * 60 + or_else(is[FIELD_SECOND], 0);
}

static int date_of(evaluation *e, const int64_t *is, bool defaults, int64_t *ret_days)
{
    int64_t year = or_else(is[FIELD_YEAR], 1970), month = or_else(is[FIELD_MONTH], 1), day = or_else(is[FIELD_DAY], 1);
    if (is[FIELD_ERA] == 0) year = 1 - year;
    bool whole = is[FIELD_YEAR] != FIELD_NONE && is[FIELD_MONTH] != FIELD_NONE && is[FIELD_DAY] != FIELD_NONE;
    bool by_day = is[FIELD_YEAR] != FIELD_NONE && is[FIELD_DAY_OF_YEAR] != FIELD_NONE;
    if (!whole && !by_day && !defaults) return fail(e, "expected a year, a month and a day in the text and its pattern");
    int last = days_in_month(year, (int)month);
    if (day > last && !whole) return fail(e, "expected a day between 1 and %d, found %lld", last, (long long)day);
    *ret_days = sl_days_of(year, (int)month, (int)SL_MIN(day, (int64_t)last));
    if (by_day && !whole) {
        *ret_days = sl_days_of(year, 1, 1) + is[FIELD_DAY_OF_YEAR] - 1;
        if (*ret_days >= sl_days_of(year + 1, 1, 1)) return fail(e, "expected a day of the year up to 365, found 366");
    }
    if (is[FIELD_WEEKDAY] != FIELD_NONE && (whole || by_day) && is[FIELD_WEEKDAY] != iso_weekday(*ret_days))
        return fail(e, "expected a %s for that date, found a %s", weekday_names[iso_weekday(*ret_days)], weekday_names[is[FIELD_WEEKDAY]]);
    return 0;
}

int fields_instant(evaluation *e, const fields *f, const zone *z, bool defaults, instant *ret)
{
    int64_t days = 0;
    int32_t nanos;
    if (check_fields(e, f->is) < 0 || date_of(e, f->is, defaults, &days) < 0) return -1;
    int64_t time = time_of_day(f->is, defaults, &nanos);
    if (time < 0) return fail(e, "expected an hour in the text and its pattern");
    if (time > 86400 || (time == 86400 && nanos)) return fail(e, "expected a time up to 24:00");
    int64_t local = days * 86400 + time;
    if (f->is[FIELD_OFFSET] != FIELD_NONE) *ret = (instant){local - f->is[FIELD_OFFSET], nanos};
    else *ret = (instant){zone_utc(f->zone ? f->zone : z, local, INT32_MIN), nanos};
    return 0;
}

/* ---- as texts ------------------------------------------------------------------------------------------------ */
static int by_pattern(evaluation *e, instant i, const zone *z, const char *pattern_text, sl_str *ret)
{
    moment m;
    value v;
    if (moment_of(e, i, z, &m) < 0) return -1;
    pattern *p = pattern_new(sl_str_of(pattern_text), e->error);
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    pattern_format(p, &m, &out);
    pattern_free(p);
    if (scratch_buf(e, &out, &v) < 0) return -1;
    *ret = v.text;
    return 0;
}

int date_text(evaluation *e, int64_t ms, sl_str *ret)
{
    return by_pattern(e, instant_of_ms(ms), zone_default(), "EEE MMM dd HH:mm:ss zzz yyyy", ret);
}

int instant_text(evaluation *e, instant i, sl_str *ret)
{
    const char *pattern_text = "uuuu-MM-dd'T'HH:mm:ss'Z'";
    if (i.nanos % 1000) pattern_text = "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z'";
    else if (i.nanos % 1000000) pattern_text = "uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'";
    else if (i.nanos) pattern_text = "uuuu-MM-dd'T'HH:mm:ss.SSS'Z'";
    const zone *utc = zone_of(SL_STR("UTC"), e->error);
    return utc ? by_pattern(e, i, utc, pattern_text, ret) : -1;
}

/* ---- from texts ------------------------------------------------------------------------------------------------ */
static bool all_digits(sl_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.size > 0;
}

/* 1: by this pattern; 0: not; -1: by it, but no date. */
static int try_pattern(evaluation *e, const char *pattern_text, sl_str text, bool lenient, bool defaults, instant *ret)
{
    fields f;
    size_t at;
    const zone *utc = zone_of(SL_STR("UTC"), e->error);
    pattern *p = pattern_new(sl_str_of(pattern_text), e->error);
    int parsed = utc && p ? pattern_parse(p, text, lenient, &f, &at) : -1;
    pattern_free(p);
    if (parsed < 0) return 0;
    return fields_instant(e, &f, defaults ? zone_default() : utc, defaults, ret) < 0 ? -1 : 1;
}

static int not_a(evaluation *e, const char *what, sl_str text)
{
    return fail(e, "expected %s, found \"%.*s\"", what, (int)SL_MIN(text.size, (size_t)80), text.data);
}

static int number_text(evaluation *e, sl_str text, int64_t *ret)
{
    value v;
    bool overflow;
    if (number_of(text, &v, &overflow) != WHOLE_NUMBER || overflow) return not_a(e, "milliseconds since 1970", text);
    *ret = v.whole;
    return 0;
}

int date_from_text(evaluation *e, sl_str text, value *ret)
{
    static const char *const forms[] = {"EEE MMM dd HH:mm:ss zzz yyyy", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm:ss.SSS"};
    text = java_trim(text);
    if (all_digits(text)) {
        *ret = VALUE_DATE(0);
        return number_text(e, text, &ret->whole);
    }
    for (size_t i = 0; i < SL_COUNT(forms); i++) {
        instant found = {0};
        /* The two forms with slashes have each digit. */
        if (i && text.size != strlen(forms[i])) continue;
        int parsed = try_pattern(e, forms[i], text, true, true, &found);
        if (parsed < 0) return -1;
        if (parsed) *ret = VALUE_DATE(ms_of_instant(found));
        if (parsed) return 0;
    }
    return not_a(e, "a date: milliseconds since 1970 or yyyy/MM/dd HH:mm:ss[.SSS] (toDate reads other forms)", text);
}

bool instant_parse(sl_str text, instant *ret)
{
    static const char *const forms[] = {"uuuu-MM-dd'T'HH:mm:ssXXXXX",   "uuuu-MM-dd'T'HH:mmXXXXX", "uuuu-MM-dd'T'HH:mm:ssX",
                                        "EEE, d MMM uuuu HH:mm[:ss] z", "d MMM uuuu HH:mm[:ss] z", "EEE, d MMM uuuu HH:mm[:ss] Z",
                                        "d MMM uuuu HH:mm[:ss] Z"};
    sl_error ignored;
    evaluation e = {.error = &ignored};
    char plain[64];
    int32_t nanos = 0;
    if (text.size >= sizeof plain) return false;
    memcpy(plain, text.data, text.size);
    const char *point = memchr(text.data, '.', text.size);
    size_t from = point ? (size_t)(point - text.data) : text.size, to = from, scale = 100000000;
    if (point)
        for (to = from + 1; to < text.size && scale && text.data[to] >= '0' && text.data[to] <= '9'; to++, scale /= 10)
            nanos += (text.data[to] - '0') * (int32_t)scale;
    memmove(plain + from, text.data + to, text.size - to);
    sl_str rest = {plain, from + text.size - to};
    for (size_t i = 0; i < SL_COUNT(forms); i++) {
        if (point && i > 2) break;
        if (try_pattern(&e, forms[i], rest, i <= 2 ? false : true, false, ret) <= 0) continue;
        ret->nanos = nanos;
        return true;
    }
    return false;
}

int instant_from_text(evaluation *e, sl_str text, value *ret)
{
    text = java_trim(text);
    if (all_digits(text)) {
        int64_t ms = 0;
        if (number_text(e, text, &ms) < 0) return -1;
        *ret = VALUE_INSTANT(instant_of_ms(ms));
        return 0;
    }
    instant found = {0};
    if (!instant_parse(text, &found)) return not_a(e, "an instant: milliseconds since 1970, ISO 8601 with an offset or RFC 1123", text);
    *ret = VALUE_INSTANT(found);
    return 0;
}
