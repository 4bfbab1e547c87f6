#include <stdio.h>
#include <time.h>

#include "base/base.h"

char *sl_time_format(int64_t time_us, char text[SL_TIME_TEXT])
{
    int64_t seconds = time_us / SL_SECOND, micros = time_us % SL_SECOND;
    if (micros < 0) micros += SL_SECOND, seconds--;
    time_t clock = (time_t)seconds;
    struct tm t;
    if (!gmtime_r(&clock, &t) || t.tm_year + 1900 > 9999 || t.tm_year + 1900 < 0) {
        snprintf(text, SL_TIME_TEXT, "invalid");
        return text;
    }
    snprintf(text, SL_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (t.tm_year + 1900) % 10000, t.tm_mon + 1, t.tm_mday, t.tm_hour,
             t.tm_min, t.tm_sec, (int)micros);
    return text;
}

typedef struct scan {
    sl_str left;
    bool failed;
} scan;

static int digits(scan *s, size_t count)
{
    int value = 0;
    if (s->left.size < count) return s->failed = true, 0;
    for (size_t i = 0; i < count; i++) {
        char c = s->left.data[i];
        if (c < '0' || c > '9') return s->failed = true, 0;
        value = value * 10 + (c - '0');
    }
    s->left.data += count;
    s->left.size -= count;
    return value;
}

static bool take(scan *s, const char *any_of)
{
    if (!s->left.size || !strchr(any_of, s->left.data[0]) || !s->left.data[0]) return false;
    s->left.data++;
    s->left.size--;
    return true;
}

static void expect(scan *s, const char *any_of)
{
    if (!take(s, any_of)) s->failed = true;
}

static int64_t fraction(scan *s)
{
    int64_t micros = 0, unit = 100000;
    size_t count = 0;
    for (; s->left.size && s->left.data[0] >= '0' && s->left.data[0] <= '9'; count++, unit /= 10) {
        micros += (s->left.data[0] - '0') * unit;
        s->left.data++;
        s->left.size--;
    }
    if (!count) s->failed = true;
    return micros;
}

static int64_t zone_offset(scan *s)
{
    if (take(s, "Zz")) return 0;
    bool west = s->left.size && s->left.data[0] == '-';
    expect(s, "+-");
    int hours = digits(s, 2);
    expect(s, ":");
    int minutes = digits(s, 2);
    if (hours > 23 || minutes > 59) s->failed = true;
    return (west ? -1 : 1) * (hours * 3600 + minutes * 60) * SL_SECOND;
}

static bool day_exists(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && leap);
}

int sl_time_parse(sl_str text, int64_t *ret_us)
{
    scan s = {text, false};
    struct tm t = {0};
    int64_t micros = 0, offset = 0;
    int year = digits(&s, 4);
    expect(&s, "-");
    int month = digits(&s, 2);
    expect(&s, "-");
    int day = digits(&s, 2);
    if (!s.failed && s.left.size) {
        expect(&s, "Tt ");
        t.tm_hour = digits(&s, 2);
        expect(&s, ":");
        t.tm_min = digits(&s, 2);
        expect(&s, ":");
        t.tm_sec = digits(&s, 2);
        if (take(&s, ".")) micros = fraction(&s);
        offset = zone_offset(&s);
    }
    if (s.failed || s.left.size || !day_exists(year, month, day) || t.tm_hour > 23 || t.tm_min > 59 || t.tm_sec > 60) return -1;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    t.tm_mday = day;
    *ret_us = (int64_t)timegm(&t) * SL_SECOND + micros - offset;
    return 0;
}

/* ---- numbers with a unit -------------------------------------------------------------------------- */

typedef struct unit {
    const char *name;
    uint64_t factor;
} unit;

static int with_unit(sl_str text, const unit *units, size_t count, uint64_t most, uint64_t *ret)
{
    uint64_t value = 0;
    size_t at = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text.data[at] - '0', &value)) return -1;
    if (!at) return -1;
    sl_str rest = {text.data + at, text.size - at};
    for (size_t i = 0; i < count; i++) {
        if (!sl_str_is(rest, units[i].name)) continue;
        if (__builtin_mul_overflow(value, units[i].factor, ret) || *ret > most) return -1;
        return 0;
    }
    return -1;
}

static const unit durations[] = {{"w", 7ULL * 86400 * SL_SECOND},
                                 {"d", 86400ULL * SL_SECOND},
                                 {"h", 3600ULL * SL_SECOND},
                                 {"m", 60ULL * SL_SECOND},
                                 {"s", SL_SECOND},
                                 {"ms", SL_MILLISECOND},
                                 {"us", 1}};

int sl_duration_parse(sl_str text, int64_t *ret_us)
{
    uint64_t value;
    if (sl_str_is(text, "0")) return *ret_us = 0, 0;
    if (with_unit(text, durations, SL_COUNT(durations), INT64_MAX, &value) < 0) return -1;
    *ret_us = (int64_t)value;
    return 0;
}

char *sl_duration_format(int64_t us, char text[SL_TIME_TEXT])
{
    if (us == 0) return snprintf(text, SL_TIME_TEXT, "0s"), text;
    for (size_t i = 1; i < SL_COUNT(durations); i++) {
        int64_t factor = (int64_t)durations[i].factor;
        if (us % factor) continue;
        snprintf(text, SL_TIME_TEXT, "%lld%s", (long long)(us / factor), durations[i].name);
        break;
    }
    return text;
}

int sl_size_parse(sl_str text, uint64_t *ret)
{
    static const unit sizes[] = {{"", 1},
                                 {"B", 1},
                                 {"kB", 1000},
                                 {"KB", 1000},
                                 {"MB", 1000000},
                                 {"GB", 1000000000},
                                 {"TB", 1000000000000},
                                 {"KiB", 1ULL << 10},
                                 {"MiB", 1ULL << 20},
                                 {"GiB", 1ULL << 30},
                                 {"TiB", 1ULL << 40}};
    return with_unit(text, sizes, SL_COUNT(sizes), INT64_MAX, ret);
}
