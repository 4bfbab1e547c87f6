#include "flow/cron.h"

#include <stdio.h>

#include "flow/zone.h"

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };
enum { MOST_DAYS = 8 * 366 + 1 };

typedef struct field {
    const char *name;
    int least, most;
    const char *const *names; /* of least, least + 1, ... */
} field;

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const field fields[FIELDS] = {
    {"minute", 0, 59, NULL}, {"hour", 0, 23, NULL}, {"day", 1, 31, NULL}, {"month", 1, 12, months}, {"weekday", 0, 7, weekdays}};

struct sl_cron {
    sl_zone *zone;
    uint64_t sets[FIELDS]; /* bit n: n is in it */
    bool open[FIELDS];     /* begins with `*`: does not restrict */
};

/* ---- reading ------------------------------------------------------------------------------------------- */

static int number(sl_str text, const field *f, int *ret)
{
    for (int i = 0; f->names && f->names[i] && text.size == 3; i++)
        if (strncasecmp(text.data, f->names[i], 3) == 0) return *ret = f->least + i, 0;
    if (!text.size || text.size > 4) return -1;
    *ret = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        *ret = *ret * 10 + (text.data[i] - '0');
    }
    return 0;
}

static sl_str cut(sl_str *rest, char at)
{
    const char *found = rest->size ? memchr(rest->data, at, rest->size) : NULL;
    sl_str part = {rest->data, found ? (size_t)(found - rest->data) : rest->size};
    *rest = found ? (sl_str){found + 1, rest->size - part.size - 1} : (sl_str){0};
    return part;
}

static int wrong(const field *f, sl_str item, sl_error *error)
{
    return sl_error_set(error, 0, "%s: expected %d to %d%s, as *, 5, 1-5, 1,3 or */2, found \"%.*s\"", f->name, f->least, f->most,
                        f->names ? " or names" : "", (int)SL_MIN(item.size, (size_t)40), item.data);
}

/* FIRST, FIRST-LAST or *, each with /STEP but the first. */
static int read_item(sl_str item, const field *f, uint64_t *set, sl_error *error)
{
    sl_str step_text = item, range = cut(&step_text, '/'), last_text = range, first_text = cut(&last_text, '-');
    int first = f->least, last = f->names == weekdays ? 6 : f->most, step = 1;
    bool all = sl_str_is(range, "*");
    if (step_text.data && (number(step_text, &(field){0}, &step) < 0 || step < 1)) return wrong(f, item, error);
    if (!all) {
        if (number(first_text, f, &first) < 0) return wrong(f, item, error);
        last = first;
        if (last_text.data && number(last_text, f, &last) < 0) return wrong(f, item, error);
        if (first < f->least || last > f->most || first > f->most) return wrong(f, item, error);
        if (step_text.data && !last_text.data)
            return sl_error_set(error, 0, "%s: expected a range before /%d, found \"%d\"; write %d-%d/%d", f->name, step, first, first,
                                f->most, step);
        if (last < first)
            return sl_error_set(error, 0, "%s: the range %d-%d ends before it begins; write %d-%d,%d-%d", f->name, first, last, first,
                                f->most, f->least, last);
    }
    for (int i = first; i <= last; i += step) *set |= UINT64_C(1) << i;
    return 0;
}

static int read_field(sl_cron *cron, int which, sl_str text, sl_error *error)
{
    cron->open[which] = text.data[0] == '*';
    while (text.data) {
        sl_str item = cut(&text, ',');
        if (read_item(item, &fields[which], &cron->sets[which], error) < 0) return -1;
    }
    if (which == WEEKDAY && cron->sets[WEEKDAY] & 1 << 7) cron->sets[WEEKDAY] |= 1;
    return 0;
}

static size_t words(sl_str text, sl_str *ret, size_t most)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size;) {
        size_t begin = at;
        while (at < text.size && text.data[at] != ' ' && text.data[at] != '\t') at++;
        if (at > begin) {
            if (count < most) ret[count] = (sl_str){text.data + begin, at - begin};
            count++;
        } else at++;
    }
    return count;
}

static bool can_come(const sl_cron *cron)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (cron->open[DAY] || !cron->open[WEEKDAY]) return true;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= lengths[month - 1]; day++)
            if (cron->sets[MONTH] >> month & 1 && cron->sets[DAY] >> day & 1) return true;
    return false;
}

static int read_fields(sl_cron *cron, sl_str text, sl_error *error)
{
    sl_str parts[FIELDS];
    size_t count = words(text, parts, FIELDS);
    if (count != FIELDS)
        return sl_error_set(error, 0, "expected five fields, MINUTE HOUR DAY MONTH WEEKDAY, as \"30 2 * * mon-fri\"; found %zu in \"%.*s\"",
                            count, (int)SL_MIN(text.size, (size_t)60), text.data);
    for (int i = 0; i < FIELDS; i++)
        if (read_field(cron, i, parts[i], error) < 0) return -1;
    if (!can_come(cron)) return sl_error_set(error, 0, "none of these days is in any of these months; it would never run");
    return 0;
}

int sl_cron_parse(sl_str text, const char *tz, sl_cron **ret, sl_error *error)
{
    sl_cron *cron = SL_NEW(sl_cron);
    *ret = NULL;
    if (read_fields(cron, text, error) < 0 || sl_zone_load(tz, &cron->zone, error) < 0) {
        sl_cron_free(cron);
        return -1;
    }
    *ret = cron;
    return 0;
}

int sl_cron_zone_check(const char *tz, sl_error *error)
{
    sl_zone *zone;
    if (sl_zone_load(tz, &zone, error) < 0) return -1;
    sl_zone_free(zone);
    return 0;
}

void sl_cron_free(sl_cron *cron)
{
    if (!cron) return;
    sl_zone_free(cron->zone);
    free(cron);
}

/* ---- the next time --------------------------------------------------------------------------------------- */

static bool in(const sl_cron *cron, int which, int value) { return cron->sets[which] >> value & 1; }

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static bool day_fits(const sl_cron *cron, int64_t days)
{
    int64_t year;
    int month, day, weekday = (int)(((days % 7) + 11) % 7);
    sl_civil_of(days, &year, &month, &day);
    if (!in(cron, MONTH, month)) return false;
    bool by_day = in(cron, DAY, day), by_weekday = in(cron, WEEKDAY, weekday);
    return cron->open[DAY] || cron->open[WEEKDAY] ? by_day && by_weekday : by_day || by_weekday;
}

/* A time of day: the clock's face decides. */
static int64_t next_in_day(const sl_cron *cron, int64_t days, int64_t after)
{
    for (int hour = 0; hour < 24; hour++) {
        if (!in(cron, HOUR, hour)) continue;
        for (int minute = 0; minute < 60; minute++) {
            if (!in(cron, MINUTE, minute)) continue;
            int64_t at = sl_zone_first(cron->zone, days * 86400 + hour * 3600 + minute * 60);
            if (at > after) return at;
        }
    }
    return -1;
}

/* A pace: minute by minute, through whatever the clock's face does. */
static int64_t next_minute(const sl_cron *cron, int64_t after)
{
    int64_t at = after + 1, first_day = floor_div(sl_zone_local(cron->zone, at), 86400);
    for (;;) {
        int64_t local = sl_zone_local(cron->zone, at), days = floor_div(local, 86400), second = local - days * 86400;
        if (days - first_day > MOST_DAYS) return -1;
        if (second % 60) at += 60 - second % 60;
        else if (!day_fits(cron, days)) at = SL_MAX(sl_zone_first(cron->zone, (days + 1) * 86400), at + 60);
        else if (in(cron, HOUR, (int)(second / 3600)) && in(cron, MINUTE, (int)(second / 60 % 60))) return at;
        else at += 60;
    }
}

int64_t sl_cron_next(const sl_cron *cron, int64_t after_us)
{
    int64_t after = floor_div(after_us, SL_SECOND), found = -1;
    if (cron->sets[HOUR] == 0xFFFFFF) found = next_minute(cron, after);
    else {
        int64_t first = floor_div(sl_zone_local(cron->zone, after), 86400);
        for (int64_t days = first; found < 0 && days <= first + MOST_DAYS; days++)
            if (day_fits(cron, days)) found = next_in_day(cron, days, after);
    }
    return found < 0 ? -1 : found * SL_SECOND;
}
