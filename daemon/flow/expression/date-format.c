/* A moment by a pattern. */
#include <stdio.h>

#include "flow/expression/pattern.h"

const char *const month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const weekday_names[7] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static void add_number(sl_buf *out, int64_t value, int width, bool plus_when_wider)
{
    char text[24];
    bool negative = value < 0;
    size_t size = whole_text(negative ? -value : value, text);
    if (negative) sl_buf_char(out, '-');
    else if (plus_when_wider && (int)size > width) sl_buf_char(out, '+');
    for (int i = (int)size; i < width; i++) sl_buf_char(out, '0');
    sl_buf_add(out, text, size);
}

static void add_name(sl_buf *out, const char *name, int count)
{
    if (count == 5) sl_buf_add(out, name, 1);
    else if (count == 4) sl_buf_text(out, name);
    else sl_buf_add(out, name, SL_MIN(strlen(name), (size_t)3));
}

static void add_fraction(sl_buf *out, int32_t nanos, int count)
{
    char text[10];
    snprintf(text, sizeof text, "%09d", nanos);
    sl_buf_add(out, text, (size_t)SL_MIN(count, 9));
}

int iso_weekday(int64_t days) { return (int)(((days + 3) % 7 + 7) % 7); }
static int day_of_year(const moment *m) { return (int)(m->days - sl_days_of(m->year, 1, 1)) + 1; }

/* ---- weeks, as the United States count them: from Sunday, the first holds the first of January ------------- */
static int sunday_weekday(int64_t days) { return (iso_weekday(days) + 1) % 7; }

static void week_of_year(const moment *m, int64_t *ret_year, int *ret_week)
{
    int64_t next = sl_days_of(m->year + 1, 1, 1);
    int64_t sunday = m->days - sunday_weekday(m->days);
    *ret_year = m->year;
    if (sunday + 6 >= next) {
        *ret_year = m->year + 1;
        *ret_week = 1;
        return;
    }
    int64_t first = sl_days_of(m->year, 1, 1);
    *ret_week = (int)((sunday - (first - sunday_weekday(first))) / 7) + 1;
}

static int week_of_month(const moment *m)
{
    int64_t first = m->days - m->day + 1;
    return (int)((m->days - sunday_weekday(m->days) - (first - sunday_weekday(first))) / 7) + 1;
}

/* ---- offsets --------------------------------------------------------------------------------------------------- */
static void add_offset(sl_buf *out, int32_t offset, const char *zero, bool minutes_always, bool colons, bool seconds)
{
    if (offset == 0 && zero) {
        sl_buf_text(out, zero);
        return;
    }
    int32_t rest = offset < 0 ? -offset : offset;
    const char *colon = colons ? ":" : "";
    sl_buf_printf(out, "%c%02d", offset < 0 ? '-' : '+', rest / 3600);
    if (minutes_always || rest / 60 % 60) sl_buf_printf(out, "%s%02d", colon, rest / 60 % 60);
    if (seconds && rest % 60) sl_buf_printf(out, "%s%02d", colon, rest % 60);
}

static void add_localized_offset(sl_buf *out, int32_t offset, bool full)
{
    sl_buf_text(out, "GMT");
    if (!offset) return;
    int32_t rest = offset < 0 ? -offset : offset;
    sl_buf_printf(out, full ? "%c%02d:%02d" : "%c%d", offset < 0 ? '-' : '+', rest / 3600, rest / 60 % 60);
    if (!full && rest / 60 % 60) sl_buf_printf(out, ":%02d", rest / 60 % 60);
    if (rest % 60) sl_buf_printf(out, ":%02d", rest % 60);
}

static void add_zone_name(sl_buf *out, const moment *m)
{
    if (m->zone->rules) sl_buf_text(out, sl_zone_abbreviation(m->zone->rules, m->utc.seconds));
    else sl_buf_text(out, m->zone->name);
}

static void format_zone(const element *at, const moment *m, sl_buf *out)
{
    switch (at->letter) {
    case 'z': add_zone_name(out, m); break;
    case 'V': sl_buf_text(out, m->zone->name); break;
    case 'O': add_localized_offset(out, m->offset, at->count == 4); break;
    case 'Z':
        if (at->count == 4) add_localized_offset(out, m->offset, true);
        else if (at->count == 5) add_offset(out, m->offset, "Z", true, true, true);
        else add_offset(out, m->offset, NULL, true, false, false);
        break;
    default: /* X and x */
        add_offset(out, m->offset, at->letter == 'X' ? "Z" : NULL, at->count > 1, at->count == 3 || at->count == 5, at->count > 3);
    }
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */
static int64_t plain_field(char letter, const moment *m)
{
    int half = m->hour % 12;
    int64_t second_of_day = (int64_t)m->hour * 3600 + m->minute * 60 + m->second;
    switch (letter) {
    case 'd': return m->day;
    case 'D': return day_of_year(m);
    case 'h': return half ? half : 12;
    case 'K': return half;
    case 'k': return m->hour ? m->hour : 24;
    case 'H': return m->hour;
    case 'm': return m->minute;
    case 's': return m->second;
    case 'n': return m->nanos;
    case 'A': return second_of_day * 1000 + m->nanos / 1000000;
    case 'N': return second_of_day * 1000000000 + m->nanos;
    case 'W': return week_of_month(m);
    case 'F': return (m->day - 1) % 7 + 1;
    default: return 0;
    }
}

static void format_year(const element *at, int64_t year, sl_buf *out)
{
    if (at->count == 2) add_number(out, (year % 100 + 100) % 100, 2, false);
    else add_number(out, year, at->count, at->count >= 4);
}

static void format_week_field(const element *at, const moment *m, sl_buf *out)
{
    int64_t year;
    int week;
    week_of_year(m, &year, &week);
    if (at->letter == 'w') add_number(out, week, at->count, false);
    else format_year(at, year, out);
}

static void format_quarter(const element *at, const moment *m, sl_buf *out)
{
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    int quarter = (m->month - 1) / 3;
    if (at->count <= 2) add_number(out, quarter + 1, at->count, false);
    else if (at->count == 3) sl_buf_printf(out, "Q%d", quarter + 1);
    else if (at->count == 4) sl_buf_text(out, names[quarter]);
    else sl_buf_printf(out, "%d", quarter + 1);
}

static void format_element(const element *at, const moment *m, sl_buf *out)
{
    switch (at->letter) {
    case 0: sl_buf_str(out, at->literal); break;
    case '[':
    case ']': break;
    case 'u': format_year(at, m->year, out); break;
    case 'y': format_year(at, m->year > 0 ? m->year : 1 - m->year, out); break;
    case 'G':
        sl_buf_text(out, at->count == 4   ? (m->year > 0 ? "Anno Domini" : "Before Christ")
                         : at->count == 5 ? (m->year > 0 ? "A" : "B")
                         : m->year > 0    ? "AD"
                                          : "BC");
        break;
    case 'M':
    case 'L':
        if (at->count <= 2) add_number(out, m->month, at->count, false);
        else add_name(out, month_names[m->month - 1], at->count);
        break;
    case 'E': add_name(out, weekday_names[iso_weekday(m->days)], at->count); break;
    case 'e':
    case 'c':
        if (at->count <= 2) add_number(out, sunday_weekday(m->days) + 1, at->count, false);
        else add_name(out, weekday_names[iso_weekday(m->days)], at->count);
        break;
    case 'a': sl_buf_text(out, m->hour < 12 ? "AM" : "PM"); break;
    case 'Q':
    case 'q': format_quarter(at, m, out); break;
    case 'Y':
    case 'w': format_week_field(at, m, out); break;
    case 'S': add_fraction(out, m->nanos, at->count); break;
    case 'z':
    case 'V':
    case 'O':
    case 'X':
    case 'x':
    case 'Z': format_zone(at, m, out); break;
    default: add_number(out, plain_field(at->letter, m), at->count, false);
    }
}

void pattern_format(const pattern *p, const moment *m, sl_buf *out)
{
    for (size_t i = 0; i < p->count; i++) format_element(&p->elements[i], m, out);
}
