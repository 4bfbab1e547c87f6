#include "flow/zone.h"

#include <stdio.h>

#include "base/sys.h"

enum { MOST_FILE = 1 << 20, LAST_YEAR = 2200 };

typedef struct change { /* from `at` on the clock shows UTC + offset */
    int64_t at, offset;
    char name[8]; /* "CET" */
} change;
struct sl_zone {
    change *changes; /* the first from the beginning of time */
    size_t count, capacity;
};

/* ---- the calendar ---------------------------------------------------------------------------------------- */

/* Years begin in March, so that the leap day is the last. */
int64_t sl_days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void sl_civil_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

static int weekday_of(int64_t days) { return (int)(((days % 7) + 11) % 7); } /* 0: Sunday */

/* ---- changes --------------------------------------------------------------------------------------------- */

static void add(sl_zone *zone, int64_t at, int64_t offset, const char *name)
{
    if (zone->count && at <= zone->changes[zone->count - 1].at) return;
    if (zone->count && offset == zone->changes[zone->count - 1].offset) return;
    zone->changes = sl_grow(zone->changes, zone->count, &zone->capacity, sizeof *zone->changes);
    change *added = &zone->changes[zone->count++];
    *added = (change){.at = at, .offset = offset};
    snprintf(added->name, sizeof added->name, "%s", name);
}

static size_t segment_of(const sl_zone *zone, int64_t utc)
{
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at <= utc) low = middle;
        else high = middle;
    }
    return low;
}

int64_t sl_zone_local(const sl_zone *zone, int64_t utc) { return utc + zone->changes[segment_of(zone, utc)].offset; }

const char *sl_zone_abbreviation(const sl_zone *zone, int64_t utc) { return zone->changes[segment_of(zone, utc)].name; }

int64_t sl_zone_first(const sl_zone *zone, int64_t local)
{
    /* No offset is beyond 26 hours, so no earlier segment shows this time. */
    for (size_t i = segment_of(zone, local - 26 * 3600);; i++) {
        int64_t at = SL_MAX(local - zone->changes[i].offset, zone->changes[i].at);
        if (i + 1 == zone->count || at < zone->changes[i + 1].at) return at;
    }
}

/* ---- the rule of the years to come: "CET-1CEST,M3.5.0,M10.5.0/3" ----------------------------------------- */

typedef struct rule_day {
    char kind; /* M, J, or 0: a day from 0 that counts leap days */
    int month, week, day;
    int64_t time;
} rule_day;
typedef struct rule {
    int64_t standard, summer; /* offsets */
    bool has_summer;
    char standard_name[8], summer_name[8];
    rule_day begins, ends;
} rule;
typedef struct scan {
    const char *at;
    bool failed;
} scan;

static void name(scan *s, char ret[8])
{
    const char *begin = s->at;
    if (*s->at == '<') {
        while (*s->at && *s->at != '>') s->at++;
        snprintf(ret, 8, "%.*s", (int)(s->at - begin) - 1, begin + 1);
        if (*s->at) s->at++;
        else s->failed = true;
        return;
    }
    while ((*s->at >= 'a' && *s->at <= 'z') || (*s->at >= 'A' && *s->at <= 'Z')) s->at++;
    if (s->at - begin < 3) s->failed = true;
    snprintf(ret, 8, "%.*s", (int)(s->at - begin), begin);
}

static int number(scan *s, int most)
{
    int value = 0, digits = 0;
    for (; *s->at >= '0' && *s->at <= '9' && digits < 4; s->at++, digits++) value = value * 10 + (*s->at - '0');
    if (!digits || value > most) s->failed = true;
    return value;
}

static bool take(scan *s, char c)
{
    if (*s->at != c) return false;
    s->at++;
    return true;
}

static int64_t clock_time(scan *s)
{
    bool minus = take(s, '-');
    if (!minus) take(s, '+');
    int64_t time = number(s, 167) * 3600LL;
    if (take(s, ':')) time += number(s, 59) * 60;
    if (take(s, ':')) time += number(s, 59);
    return minus ? -time : time;
}

static rule_day day_of_rule(scan *s)
{
    rule_day day = {.time = 7200};
    if (!take(s, ',')) s->failed = true;
    if (take(s, 'M')) {
        day.kind = 'M';
        day.month = number(s, 12);
        if (!take(s, '.')) s->failed = true;
        day.week = number(s, 5);
        if (!take(s, '.')) s->failed = true;
        day.day = number(s, 6);
        if (!day.month || !day.week) s->failed = true;
    } else {
        if (take(s, 'J')) day.kind = 'J';
        day.day = number(s, 365);
    }
    if (take(s, '/')) day.time = clock_time(s);
    return day;
}

static int read_rule(const char *text, rule *ret)
{
    scan s = {text, false};
    *ret = (rule){0};
    name(&s, ret->standard_name);
    ret->standard = -clock_time(&s);
    if (*s.at) {
        ret->has_summer = true;
        name(&s, ret->summer_name);
        ret->summer = *s.at && *s.at != ',' ? -clock_time(&s) : ret->standard + 3600;
        ret->begins = day_of_rule(&s);
        ret->ends = day_of_rule(&s);
    }
    return s.failed || *s.at ? -1 : 0;
}

static bool leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/* Local seconds at which the rule's day and time come in this year. */
static int64_t moment(const rule_day *rule, int64_t year)
{
    int64_t days = sl_days_of(year, 1, 1);
    if (rule->kind == 'J') days += rule->day - 1 + (leap(year) && rule->day >= 60);
    else if (!rule->kind) days += rule->day;
    else {
        days = sl_days_of(year, rule->month, 1);
        int64_t next = rule->month == 12 ? sl_days_of(year + 1, 1, 1) : sl_days_of(year, rule->month + 1, 1);
        days += (rule->day - weekday_of(days) + 7) % 7 + 7 * (rule->week - 1);
        while (days >= next) days -= 7;
    }
    return days * 86400 + rule->time;
}

static void extend(sl_zone *zone, const rule *rule)
{
    int64_t year;
    int month, day;
    sl_civil_of(SL_MAX(zone->changes[zone->count - 1].at, (int64_t)0) / 86400, &year, &month, &day);
    if (!rule->has_summer) return;
    for (; year < LAST_YEAR; year++) {
        int64_t begins = moment(&rule->begins, year) - rule->standard, ends = moment(&rule->ends, year) - rule->summer;
        if (begins < ends) add(zone, begins, rule->summer, rule->summer_name);
        add(zone, ends, rule->standard, rule->standard_name);
        if (begins > ends) add(zone, begins, rule->summer, rule->summer_name);
    }
}

/* ---- the file --------------------------------------------------------------------------------------------- */

typedef struct header {
    uint32_t utc_flags, standard_flags, leaps, changes, types, characters;
} header;

static uint64_t big_endian(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    while (size--) value = value << 8 | *at++;
    return value;
}

static bool read_header(sl_str file, header *ret)
{
    const unsigned char *at = (const unsigned char *)file.data;
    if (file.size < 44 || memcmp(at, "TZif", 4) != 0) return false;
    uint32_t *counts = &ret->utc_flags;
    for (size_t i = 0; i < 6; i++) {
        counts[i] = (uint32_t)big_endian(at + 20 + 4 * i, 4);
        if (counts[i] > MOST_FILE) return false;
    }
    return true;
}

static size_t body_size(const header *h, size_t time_size)
{
    return h->changes * (time_size + 1) + h->types * 6 + h->characters + h->leaps * (time_size + 4) + h->standard_flags + h->utc_flags;
}

static const char *type_name(const header *h, const unsigned char *types, size_t type, char ret[8])
{
    const char *names = (const char *)types + 6 * (size_t)h->types;
    size_t at = SL_MIN(types[6 * type + 5], h->characters);
    snprintf(ret, 8, "%.*s", (int)SL_MIN(h->characters - at, (size_t)7), names + at);
    return ret;
}

static int64_t type_offset(const unsigned char *types, size_t type) { return (int32_t)(uint32_t)big_endian(types + 6 * type, 4); }

static bool read_body(sl_zone *zone, sl_str body, const header *h)
{
    const unsigned char *times = (const unsigned char *)body.data, *indexes = times + 8 * (size_t)h->changes, *types = indexes + h->changes;
    if (!h->types || body_size(h, 8) > body.size) return false;
    char name[8];
    add(zone, INT64_MIN, type_offset(types, 0), type_name(h, types, 0, name));
    for (size_t i = 0; i < h->changes; i++) {
        if (indexes[i] >= h->types) return false;
        add(zone, (int64_t)big_endian(times + 8 * i, 8), type_offset(types, indexes[i]), type_name(h, types, indexes[i], name));
    }
    for (size_t i = 0; i < zone->count; i++)
        if (zone->changes[i].offset < -26 * 3600 || zone->changes[i].offset > 26 * 3600) return false;
    return true;
}

/* "\nTZ\n" */
static bool read_footer(sl_zone *zone, sl_str footer)
{
    char text[128];
    rule rule;
    if (footer.size < 2 || footer.data[0] != '\n') return false;
    const char *end = memchr(footer.data + 1, '\n', footer.size - 1);
    if (!end || (size_t)(end - footer.data) > sizeof text) return false;
    snprintf(text, sizeof text, "%.*s", (int)(end - footer.data - 1), footer.data + 1);
    if (!text[0]) return true;
    if (read_rule(text, &rule) < 0) return false;
    extend(zone, &rule);
    return true;
}

static bool read_file(sl_zone *zone, sl_str file)
{
    header h;
    if (!read_header(file, &h) || file.data[4] < '2') return false;
    size_t skip = 44 + body_size(&h, 4);
    if (skip > file.size) return false;
    sl_str second = {file.data + skip, file.size - skip};
    if (!read_header(second, &h)) return false;
    sl_str body = {second.data + 44, second.size - 44};
    if (!read_body(zone, body, &h)) return false;
    size_t size = body_size(&h, 8);
    return read_footer(zone, (sl_str){body.data + size, body.size - size});
}

static bool name_valid(const char *name)
{
    if (!name[0] || name[0] == '/' || strlen(name) > 63 || strstr(name, "..")) return false;
    for (const char *at = name; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!letter && !strchr("_+-/", *at)) return false;
    }
    return true;
}

int sl_zone_load(const char *zone_name, sl_zone **ret, sl_error *error)
{
    char path[128];
    sl_buf file = SL_BUF(MOST_FILE + 1);
    sl_zone *zone = SL_NEW(sl_zone);
    bool utc = !zone_name || strcmp(zone_name, "UTC") == 0, valid = utc || name_valid(zone_name);
    *ret = NULL;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", valid && !utc ? zone_name : "UTC");
    if (utc) add(zone, INT64_MIN, 0, "UTC");
    else if (!valid || sl_read_file(path, MOST_FILE, &file, NULL) < 0) {
        sl_error_set(error, 0, "no time zone \"%.63s\"; expected a name as Europe/Berlin or UTC (/usr/share/zoneinfo has them all)",
                     zone_name);
        goto fail;
    } else if (!read_file(zone, sl_buf_view(&file))) {
        sl_error_set(error, 0, "%s: expected a time zone of version 2 or later (RFC 8536), found something else; reinstall tzdata", path);
        goto fail;
    }
    sl_buf_done(&file);
    *ret = zone;
    return 0;
fail:
    sl_buf_done(&file);
    sl_zone_free(zone);
    return -1;
}

void sl_zone_free(sl_zone *zone)
{
    if (!zone) return;
    free(zone->changes);
    free(zone);
}
