/* A text by a pattern, leniently (toDate: any case, any digits) or strictly (toInstant). */
#include <stdio.h>

#include "flow/expression/pattern.h"

typedef struct parse {
    const pattern *p;
    sl_str text;
    bool lenient;
    fields *fields;
    size_t furthest;
} parse;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Where `name` matches; lenient texts in any case. 0: not. */
static size_t match_name(const parse *s, size_t at, const char *name, size_t size)
{
    if (s->text.size - at < size) return 0;
    int differs = s->lenient ? strncasecmp(s->text.data + at, name, size) : memcmp(s->text.data + at, name, size);
    return differs ? 0 : size;
}

static bool put(parse *s, field f, int64_t v)
{
    if (s->fields->is[f] != FIELD_NONE && s->fields->is[f] != v) return false;
    s->fields->is[f] = v;
    return true;
}

/* ---- numbers -------------------------------------------------------------------------------------------- */
typedef struct digits {
    int64_t value;
    size_t end, count;
    bool minus, plus;
} digits;

static bool read_sign(const parse *s, size_t *at, const number_shape *shape, digits *ret)
{
    char here = *at < s->text.size ? s->text.data[*at] : 0;
    bool fixed = shape->least == shape->most;
    if (here != '+' && here != '-') return true;
    if (here == '-' && shape->sign == SIGN_NONE && (!s->lenient || fixed)) return false;
    if (here == '+' && shape->sign != SIGN_EXCEEDS && (!s->lenient || (shape->sign == SIGN_NONE && fixed))) return false;
    ret->minus = here == '-';
    ret->plus = here == '+';
    ++*at;
    return true;
}

static size_t digits_at(sl_str text, size_t at, size_t most)
{
    size_t count = 0;
    while (count < most && at + count < text.size && is_digit(text.data[at + count])) count++;
    return count;
}

/* The widths that count here, and what is left to the numbers right behind. */
static bool read_digits(const parse *s, const element *e, size_t at, const number_shape *shape, digits *ret)
{
    bool reduced = (e->letter == 'y' || e->letter == 'u') && e->count == 2;
    bool fixed = e->subsequent == -1 || (e->subsequent > 0 && shape->least == shape->most && shape->sign == SIGN_NONE);
    if (s->lenient && (reduced || shape->fraction)) fixed = false;
    if (shape->fraction && !s->lenient) fixed = true;
    size_t least = !s->lenient || fixed ? (size_t)shape->least : shape->fraction ? 0 : 1;
    size_t most = !s->lenient || fixed ? (size_t)shape->most : 9, behind = e->subsequent > 0 ? (size_t)e->subsequent : 0;
    *ret = (digits){0};
    if (!shape->fraction && !read_sign(s, &at, shape, ret)) return false;
    size_t count = digits_at(s->text, at, most + behind);
    if (behind) count = SL_MIN(count, SL_MAX(least, count > behind ? count - behind : 0));
    if (count < least || count > 18) return false;
    for (size_t i = 0; i < count; i++) ret->value = ret->value * 10 + s->text.data[at + i] - '0';
    if (!s->lenient && shape->sign == SIGN_EXCEEDS && !ret->minus && ret->plus != (count > (size_t)shape->least)) return false;
    ret->count = count;
    ret->end = at + count;
    if (ret->minus) ret->value = -ret->value;
    return true;
}

static bool put_number(parse *s, const element *e, const digits *d)
{
    static const char letters[] = "MLdDhKkHmsnAN";
    static const field into[] = {FIELD_MONTH,     FIELD_MONTH,        FIELD_DAY,        FIELD_DAY_OF_YEAR, FIELD_CLOCK_HALF_HOUR,
                                 FIELD_HALF_HOUR, FIELD_CLOCK_HOUR,   FIELD_HOUR,       FIELD_MINUTE,      FIELD_SECOND,
                                 FIELD_NANO,      FIELD_MILLI_OF_DAY, FIELD_NANO_OF_DAY};
    if (e->letter == 'y' || e->letter == 'u')
        return put(s, FIELD_YEAR, d->value + (e->count == 2 && d->count == 2 && !d->minus ? 2000 : 0));
    if (e->letter == 'S') {
        int64_t nanos = d->value;
        for (size_t i = d->count; i < 9; i++) nanos *= 10;
        return put(s, FIELD_NANO, nanos);
    }
    return put(s, into[strchr(letters, e->letter) - letters], d->value);
}

/* ---- names ------------------------------------------------------------------------------------------------- */
/* Leniently a name may be short or long whatever the count; the longest that fits is taken. */
static size_t match_names(const parse *s, size_t at, const element *e, const char *const *names, int count, int *ret)
{
    size_t best = 0;
    for (int i = 0; i < count; i++) {
        size_t full = strlen(names[i]), cut = SL_MIN(full, (size_t)3);
        size_t matched = s->lenient || e->count == 4 ? match_name(s, at, names[i], full) : 0;
        if (!matched && (s->lenient || e->count < 4)) matched = match_name(s, at, names[i], cut);
        if (matched > best) best = matched, *ret = i;
    }
    return best;
}

static size_t parse_month_name(parse *s, const element *e, size_t at)
{
    int month = 0;
    digits d;
    size_t size = match_names(s, at, e, month_names, 12, &month);
    if (size) return put(s, FIELD_MONTH, month + 1) ? at + size : SIZE_MAX;
    const number_shape shape = {1, 19, SIGN_NORMAL, false};
    if (!s->lenient || !read_digits(s, e, at, &shape, &d)) return SIZE_MAX;
    return put(s, FIELD_MONTH, d.value) ? d.end : SIZE_MAX;
}

static size_t parse_weekday(parse *s, const element *e, size_t at)
{
    int day = 0;
    size_t size = match_names(s, at, e, weekday_names, 7, &day);
    return size && put(s, FIELD_WEEKDAY, day) ? at + size : SIZE_MAX;
}

static size_t parse_choice(parse *s, size_t at, field into, const char *zero, const char *one)
{
    for (int i = 0; i < 2; i++) {
        const char *name = i ? one : zero;
        if (match_name(s, at, name, strlen(name))) return put(s, into, i) ? at + strlen(name) : SIZE_MAX;
    }
    return SIZE_MAX;
}

/* ---- zones ---------------------------------------------------------------------------------------------------- */
/* [+-]hh[[:]mm[[:]ss]] */
static size_t parse_offset(parse *s, size_t at, bool colons, bool minutes)
{
    sl_str text = s->text;
    if (at >= text.size || (text.data[at] != '+' && text.data[at] != '-')) return SIZE_MAX;
    int sign = text.data[at++] == '-' ? -1 : 1, part[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
        size_t from = at;
        bool colon = i && from < text.size && text.data[from] == ':';
        if (i && !s->lenient && colon != colons) break;
        if (colon) from++;
        size_t count = digits_at(text, from, 2);
        if (count != 2 && !(i == 0 && count == 1 && s->lenient)) break;
        part[i] = count == 2 ? (text.data[from] - '0') * 10 + text.data[from + 1] - '0' : text.data[from] - '0';
        at = from + count;
        if (i == 0) s->furthest = at;
        if (i == 1) minutes = false;
    }
    bool none = !is_digit(text.data[at - 1]);
    if (none || (minutes && !s->lenient) || part[0] > 18 || part[1] > 59 || part[2] > 59) return SIZE_MAX;
    return put(s, FIELD_OFFSET, sign * (part[0] * 3600 + part[1] * 60 + part[2])) ? at : SIZE_MAX;
}

static const zone *abbreviated(sl_str word)
{
    static const char *const zones[][2] = {{"EST", "America/New_York"},    {"EDT", "America/New_York"},    {"CST", "America/Chicago"},
                                           {"CDT", "America/Chicago"},     {"MST", "America/Denver"},      {"MDT", "America/Denver"},
                                           {"PST", "America/Los_Angeles"}, {"PDT", "America/Los_Angeles"}, {"CET", "Europe/Paris"},
                                           {"CEST", "Europe/Paris"},       {"EET", "Europe/Helsinki"},     {"EEST", "Europe/Helsinki"},
                                           {"BST", "Europe/London"},       {"JST", "Asia/Tokyo"},          {"IST", "Asia/Kolkata"},
                                           {"AEST", "Australia/Sydney"},   {"AEDT", "Australia/Sydney"},   {"MSK", "Europe/Moscow"}};
    for (size_t i = 0; i < SL_COUNT(zones); i++)
        if (sl_str_is(word, zones[i][0])) return zone_of(sl_str_of(zones[i][1]), NULL);
    return NULL;
}

/* A zone's id, or (names) an abbreviation. */
static size_t parse_zone(parse *s, size_t at, bool names)
{
    size_t end = at;
    while (end < s->text.size && end - at < 60) {
        char c = s->text.data[end];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || strchr("/_+-:", c);
        if (!letter || !c) break;
        end++;
    }
    for (; end > at; end--) { /* the longest that is one */
        sl_str word = {s->text.data + at, end - at};
        const zone *z = names ? abbreviated(word) : NULL;
        if (!z) z = zone_of(word, NULL);
        if (!z) continue;
        s->fields->zone = z;
        return end;
    }
    return SIZE_MAX;
}

static size_t parse_zone_element(parse *s, const element *e, size_t at)
{
    bool letter_z = at < s->text.size && (s->text.data[at] == 'Z' || (s->lenient && s->text.data[at] == 'z'));
    switch (e->letter) {
    case 'X':
        if (letter_z) return put(s, FIELD_OFFSET, 0) ? at + 1 : SIZE_MAX;
        return parse_offset(s, at, e->count == 3 || e->count == 5, e->count > 1);
    case 'x': return parse_offset(s, at, e->count == 3 || e->count == 5, e->count > 1);
    case 'Z':
        if (e->count == 5 && letter_z) return put(s, FIELD_OFFSET, 0) ? at + 1 : SIZE_MAX;
        if (e->count != 4) return parse_offset(s, at, e->count == 5, true);
        /* fall through */
    case 'O':
        if (!match_name(s, at, "GMT", 3)) return SIZE_MAX;
        if (at + 3 < s->text.size && strchr("+-", s->text.data[at + 3])) return parse_zone(s, at, false);
        return put(s, FIELD_OFFSET, 0) ? at + 3 : SIZE_MAX;
    default: return parse_zone(s, at, e->letter == 'z');
    }
}

/* ---- elements ---------------------------------------------------------------------------------------------------- */
static size_t parse_element(parse *s, const element *e, size_t at)
{
    number_shape shape;
    digits d;
    if (!e->letter) {
        size_t size = match_name(s, at, e->literal.data, e->literal.size);
        return size || !e->literal.size ? at + size : SIZE_MAX;
    }
    if (number_shape_of(e, &shape)) return read_digits(s, e, at, &shape, &d) && put_number(s, e, &d) ? d.end : SIZE_MAX;
    switch (e->letter) {
    case 'M':
    case 'L': return parse_month_name(s, e, at);
    case 'E': return parse_weekday(s, e, at);
    case 'a': return parse_choice(s, at, FIELD_HALF_DAY, "AM", "PM");
    case 'G': return parse_choice(s, at, FIELD_ERA, "BC", "AD");
    default: return parse_zone_element(s, e, at);
    }
}

static size_t parse_elements(parse *s, size_t from, size_t to, size_t at)
{
    for (size_t i = from; i < to; i++) {
        const element *e = &s->p->elements[i];
        if (e->letter == ']') continue;
        if (e->letter != '[') {
            at = parse_element(s, e, at);
            if (at == SIZE_MAX) return SIZE_MAX;
            s->furthest = SL_MAX(s->furthest, at);
            continue;
        }
        fields before = *s->fields;
        size_t after = parse_elements(s, i + 1, e->matching, at);
        if (after == SIZE_MAX) *s->fields = before;
        else at = after;
        i = e->matching;
    }
    return at;
}

int pattern_parse(const pattern *p, sl_str text, bool lenient, fields *ret, size_t *ret_at)
{
    parse s = {.p = p, .text = text, .lenient = lenient, .fields = ret};
    ret->zone = NULL;
    for (size_t i = 0; i < FIELDS; i++) ret->is[i] = FIELD_NONE;
    size_t end = parse_elements(&s, 0, p->count, 0);
    *ret_at = end == SIZE_MAX ? s.furthest : end;
    return end == text.size ? 0 : -1;
}
