/* Dates and instants. */
#include <stdio.h>

#include "flow/expression/date.h"
#include "flow/expression/functions.h"

/* What literal arguments are at compile time. */
typedef struct date_arguments {
    pattern *pattern;
    const zone *zone;
} date_arguments;

static void date_arguments_free(void *data)
{
    date_arguments *d = data;
    pattern_free(d->pattern);
    free(d);
}

static pattern *readable_pattern(sl_str text, bool reads, sl_error *error)
{
    pattern *p = pattern_new(text, error);
    char letter = p && reads ? pattern_unreadable(p) : 0;
    if (!letter) return p;
    pattern_free(p);
    sl_error_set(error, 0, "expected a date pattern, found \"%.*s\": reading by the letter %c is not in this version",
                 (int)SL_MIN(text.size, (size_t)120), text.data, letter);
    return NULL;
}

/* The pattern is argument 0, the zone argument 1. */
static int prepare_date(compiler *c, call *call, bool reads)
{
    const value *text = constant_argument(call, 0), *id = constant_argument(call, 1);
    date_arguments *d = compile_keep(c, SL_NEW(date_arguments), date_arguments_free);
    sl_error error;
    call->prepared = d;
    if (text && text->kind == KIND_TEXT && !(d->pattern = readable_pattern(text->text, reads, &error)))
        return compile_fail(c, call->arguments[0]->offset, "%s: %s", call->function->name, error.text);
    if (id && id->kind == KIND_TEXT && !(d->zone = zone_of(id->text, &error)))
        return compile_fail(c, call->arguments[1]->offset, "%s: %s", call->function->name, error.text);
    return 0;
}

int prepare_date_format(compiler *c, call *call) { return prepare_date(c, call, false); }

int prepare_date_parse(compiler *c, call *call)
{
    if (!call->count) return 0;
    return prepare_date(c, call, true);
}

int prepare_instant_parse(compiler *c, call *call)
{
    if (call->count == 1) return compile_fail(c, call->offset, "toInstant: expected 0 or 2 arguments, found 1: the second is a time zone");
    return prepare_date_parse(c, call);
}

/* ---- arguments ------------------------------------------------------------------------------------------- */
static const zone *zone_argument(evaluation *e, const call *c, const value *arguments)
{
    const date_arguments *d = c->prepared;
    if (d->zone) return d->zone;
    if (c->count < 2 || arguments[1].missing) return zone_default();
    return zone_of(arguments[1].text, e->error);
}

/* *own is the caller's to free. NULL with no error: there is no pattern. */
static const pattern *pattern_argument(evaluation *e, const call *c, const value *arguments, bool reads, pattern **own)
{
    const date_arguments *d = c->prepared;
    *own = NULL;
    if (d->pattern) return d->pattern;
    return *own = readable_pattern(arguments[0].text, reads, e->error);
}

/* ---- format ------------------------------------------------------------------------------------------------ */
static int format(evaluation *e, const call *c, instant i, const value *arguments, value *ret)
{
    moment m;
    pattern *own;
    *ret = VALUE_MISSING(KIND_TEXT);
    if (arguments[0].missing) return 0;
    const zone *z = zone_argument(e, c, arguments);
    if (!z || moment_of(e, i, z, &m) < 0) return -1;
    const pattern *p = pattern_argument(e, c, arguments, false, &own);
    if (!p) return -1;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    pattern_format(p, &m, &out);
    pattern_free(own);
    return scratch_buf(e, &out, ret);
}

FUNCTION(date_format) { return format(e, c, instant_of_ms(subject.whole), arguments, ret); }
FUNCTION(date_format_instant) { return format(e, c, subject.instant, arguments, ret); }

/* ---- parse ----------------------------------------------------------------------------------------------------- */
static int parse(evaluation *e, const call *c, sl_str text, const value *arguments, bool lenient, instant *ret)
{
    fields f;
    size_t at;
    pattern *own;
    const zone *z = zone_argument(e, c, arguments);
    const pattern *p = z ? pattern_argument(e, c, arguments, true, &own) : NULL;
    if (!p) return -1;
    int parsed = pattern_parse(p, text, lenient, &f, &at);
    pattern_free(own);
    if (parsed == 0) return fields_instant(e, &f, z, lenient, ret);
    sl_str written = arguments[0].text;
    return fail(e, "expected a date as %.*s, found \"%.*s\", which differs at %zu", (int)SL_MIN(written.size, (size_t)100), written.data,
                (int)SL_MIN(text.size, (size_t)100), text.data, at);
}

FUNCTION(date_to_date)
{
    *ret = VALUE_MISSING(KIND_DATE);
    if (!c->count || subject.kind != KIND_TEXT) {
        if (value_to(e, KIND_WHOLE, &subject) < 0) return -1;
        if (!subject.missing) *ret = VALUE_DATE(subject.whole);
        return 0;
    }
    instant found = {0};
    if (arguments[0].missing) return 0;
    if (parse(e, c, subject.text, arguments, true, &found) < 0) return -1;
    *ret = VALUE_DATE(ms_of_instant(found));
    return 0;
}

FUNCTION(date_to_instant)
{
    *ret = VALUE_MISSING(KIND_INSTANT);
    if (!c->count || subject.kind != KIND_TEXT) {
        if (value_to(e, KIND_WHOLE, &subject) < 0) return -1;
        if (!subject.missing) *ret = VALUE_INSTANT(instant_of_ms(subject.whole));
        return 0;
    }
    instant found = {0};
    if (arguments[0].missing) return 0;
    if (arguments[1].missing) return fail(e, "expected a time zone, found none");
    if (parse(e, c, subject.text, arguments, false, &found) < 0) return -1;
    *ret = VALUE_INSTANT(found);
    return 0;
}

FUNCTION(date_to_micros)
{
    (void)e, (void)c, (void)arguments;
    *ret = VALUE_WHOLE((int64_t)((uint64_t)subject.instant.seconds * 1000000 + (uint64_t)(subject.instant.nanos / 1000)));
    return 0;
}

FUNCTION(date_to_nanos)
{
    (void)e, (void)c, (void)arguments;
    *ret = VALUE_WHOLE((int64_t)((uint64_t)subject.instant.seconds * 1000000000 + (uint64_t)subject.instant.nanos));
    return 0;
}

FUNCTION(date_now)
{
    (void)e, (void)c, (void)subject, (void)arguments;
    int64_t now = sl_now();
    *ret = VALUE_DATE(now / 1000 - (now % 1000 < 0));
    return 0;
}

/* ---- arithmetic --------------------------------------------------------------------------------------------------- */
typedef enum unit { NANOSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR } unit;
static const char *const unit_names[] = {"nanosecond", "second", "minute", "hour", "day", "week", "month", "year"};

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* "2 weeks" */
static bool parse_amount(sl_str text, int64_t *ret_amount, unit *ret_unit)
{
    while (text.size && is_space(text.data[0])) text.data++, text.size--;
    while (text.size && is_space(text.data[text.size - 1])) text.size--;
    size_t at = 0;
    int64_t amount = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        if (__builtin_mul_overflow(amount, 10, &amount) || __builtin_add_overflow(amount, text.data[at] - '0', &amount)) return false;
    size_t gap = at;
    while (gap < text.size && is_space(text.data[gap])) gap++;
    if (!at || gap == at) return false;
    sl_str word = {text.data + gap, text.size - gap};
    for (size_t i = 0; i < SL_COUNT(unit_names); i++) {
        size_t size = strlen(unit_names[i]);
        bool plural = word.size == size + 1 && (word.data[size] | 0x20) == 's';
        if ((word.size != size && !plural) || strncasecmp(word.data, unit_names[i], size) != 0) continue;
        *ret_amount = amount;
        *ret_unit = (unit)i;
        return true;
    }
    return false;
}

static const char amount_form[] = "a number, a space and nanoseconds, seconds, minutes, hours, days, weeks, months or years";

int prepare_duration(compiler *c, call *call)
{
    const value *text = constant_argument(call, 0), *id = constant_argument(call, 1);
    int64_t amount;
    unit of;
    sl_error error;
    if (text && text->kind == KIND_TEXT && !parse_amount(text->text, &amount, &of))
        return compile_fail(c, call->arguments[0]->offset, "%s: expected %s, found \"%.*s\"", call->function->name, amount_form,
                            (int)SL_MIN(text->text.size, (size_t)80), text->text.data);
    if (id && id->kind == KIND_TEXT && !zone_of(id->text, &error))
        return compile_fail(c, call->arguments[1]->offset, "%s: %s", call->function->name, error.text);
    return 0;
}

static int too_far(evaluation *e) { return fail(e, "expected a date within %d years of 1970", YEAR_MOST); }

/* Elapsed time: the same on every clock. */
static int add_elapsed(evaluation *e, instant *i, int64_t amount, unit of)
{
    static const int64_t seconds[] = {0, 1, 60, 3600};
    int64_t more;
    if (of == NANOSECOND) {
        more = amount / 1000000000;
        i->nanos += (int32_t)(amount % 1000000000);
        if (i->nanos < 0) i->nanos += 1000000000, more--;
        if (i->nanos >= 1000000000) i->nanos -= 1000000000, more++;
    } else if (__builtin_mul_overflow(amount, seconds[of], &more)) return too_far(e);
    return __builtin_add_overflow(i->seconds, more, &i->seconds) ? too_far(e) : 0;
}

/* Months and years: the day is kept, or is the month's last. */
static int add_months(evaluation *e, moment *m, int64_t amount, unit of)
{
    int64_t months;
    if (amount > INT32_MAX || amount < -(int64_t)INT32_MAX || __builtin_mul_overflow(amount, of == YEAR ? 12 : 1, &months))
        return too_far(e);
    int64_t total = m->year * 12 + m->month - 1 + months;
    m->year = total / 12 - (total % 12 < 0);
    m->month = (int)(total - m->year * 12) + 1;
    if (m->year > YEAR_MOST || m->year < -YEAR_MOST) return too_far(e);
    m->days = sl_days_of(m->year, m->month, SL_MIN(m->day, days_in_month(m->year, m->month)));
    return 0;
}

static int add_calendar(evaluation *e, instant *i, int64_t amount, unit of, const zone *z)
{
    moment m;
    if (moment_of(e, *i, z, &m) < 0) return -1;
    if (of == DAY || of == WEEK) {
        if (__builtin_mul_overflow(amount, of == WEEK ? 7 : 1, &amount) || __builtin_add_overflow(m.days, amount, &m.days))
            return too_far(e);
    } else if (add_months(e, &m, amount, of) < 0) return -1;
    if (m.days > (int64_t)YEAR_MOST * 366 || m.days < -(int64_t)YEAR_MOST * 366) return too_far(e);
    int64_t local = m.days * 86400 + m.hour * 3600 + m.minute * 60 + m.second;
    i->seconds = zone_utc(z, local, m.offset);
    return 0;
}

static int add_amount(evaluation *e, instant *i, value text, bool minus, const zone *z)
{
    int64_t amount;
    unit of;
    moment within;
    if (text.missing || !parse_amount(text.text, &amount, &of))
        return fail(e, "expected %s, found \"%.*s\"", amount_form, text.missing ? 0 : (int)SL_MIN(text.text.size, (size_t)80),
                    text.missing ? "" : text.text.data);
    if (minus) amount = -amount;
    int failed = of < DAY ? add_elapsed(e, i, amount, of) : add_calendar(e, i, amount, of, z);
    return failed < 0 ? -1 : moment_of(e, *i, z, &within);
}

static int date_arithmetic(evaluation *e, const call *c, value subject, const value *arguments, bool minus, value *ret)
{
    instant i = instant_of_ms(subject.whole);
    const zone *z = c->count > 1 && !arguments[1].missing ? zone_of(arguments[1].text, e->error) : zone_default();
    if (!z || add_amount(e, &i, arguments[0], minus, z) < 0) return -1;
    if (i.seconds > INT64_MAX / 1000 - 1 || i.seconds < INT64_MIN / 1000 + 1) return too_far(e);
    *ret = VALUE_DATE(ms_of_instant(i));
    return 0;
}

static int instant_arithmetic(evaluation *e, value subject, const value *arguments, bool minus, value *ret)
{
    const zone *utc = zone_of(SL_STR("UTC"), e->error);
    if (!utc || add_amount(e, &subject.instant, arguments[0], minus, utc) < 0) return -1;
    *ret = subject;
    return 0;
}

FUNCTION(date_plus) { return date_arithmetic(e, c, subject, arguments, false, ret); }
FUNCTION(date_minus) { return date_arithmetic(e, c, subject, arguments, true, ret); }
FUNCTION(date_plus_instant) { return (void)c, instant_arithmetic(e, subject, arguments, false, ret); }
FUNCTION(date_minus_instant) { return (void)c, instant_arithmetic(e, subject, arguments, true, ret); }

/* ---- validity ------------------------------------------------------------------------------------------------------- */
static bool date_exists(const fields *f)
{
    int64_t year = f->is[FIELD_YEAR], month = f->is[FIELD_MONTH], day = f->is[FIELD_DAY];
    if (month == FIELD_NONE || day == FIELD_NONE) return true;
    if (year == FIELD_NONE) year = 2000; /* a leap year: 29 February may be meant */
    return year >= -YEAR_MOST && year <= YEAR_MOST && month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, (int)month);
}

/* With a date and an hour, the zone's clock must show them once a day at least. */
static bool time_exists(const fields *f, const zone *z)
{
    int64_t hour = f->is[FIELD_HOUR], minute = f->is[FIELD_MINUTE], second = f->is[FIELD_SECOND];
    if (!z->rules || f->is[FIELD_MONTH] == FIELD_NONE || f->is[FIELD_DAY] == FIELD_NONE) return true;
    if (hour == FIELD_NONE) {
        hour = f->is[FIELD_HALF_HOUR] != FIELD_NONE ? f->is[FIELD_HALF_HOUR] : f->is[FIELD_CLOCK_HALF_HOUR];
        if (hour == FIELD_NONE) return true;
        hour = hour % 12 + (f->is[FIELD_HALF_DAY] == 1 ? 12 : 0);
    }
    if (minute == FIELD_NONE) minute = 0;
    if (second == FIELD_NONE) second = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
    int64_t year = f->is[FIELD_YEAR] == FIELD_NONE ? 2000 : f->is[FIELD_YEAR];
    return zone_shows(z, sl_days_of(year, (int)f->is[FIELD_MONTH], (int)f->is[FIELD_DAY]) * 86400 + hour * 3600 + minute * 60 + second);
}

FUNCTION(date_is_valid)
{
    fields f;
    size_t at;
    pattern *own;
    *ret = VALUE_TRUTH(false);
    if (arguments[0].missing) return 0;
    bool zoned = c->count > 1 && !arguments[1].missing;
    const zone *z = zoned ? zone_argument(e, c, arguments) : NULL;
    const pattern *p = zoned && !z ? NULL : pattern_argument(e, c, arguments, true, &own);
    if (!p) return 0; /* a zone or a pattern of an attribute that is none: no date is valid by it */
    bool fits = pattern_parse(p, java_trim(subject.text), true, &f, &at) == 0;
    pattern_free(own);
    ret->truth = fits && date_exists(&f) && (!z || time_exists(&f, z));
    return 0;
}

FUNCTION(date_is_valid_instant)
{
    (void)e, (void)c, (void)arguments;
    instant found = {0};
    *ret = VALUE_TRUTH(instant_parse(java_trim(subject.text), &found));
    return 0;
}
