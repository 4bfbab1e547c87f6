/* Dates: Java's DateTimeFormatter patterns over the proleptic Gregorian calendar, in zones of the system's tzdata.
 * The process's TZ is read once, as the default zone; nothing here changes it. */
#ifndef SL_EXPRESSION_DATE_H
#define SL_EXPRESSION_DATE_H

#include "flow/expression/private.h"
#include "flow/expression/text.h"
#include "flow/zone.h"

/* ---- zones ------------------------------------------------------------------------------------------ */
typedef struct zone {
    sl_zone *rules; /* NULL: always `offset` */
    int32_t offset; /* seconds east */
    char name[64];
} zone;

/* As ZoneId.of: "Z", "+02:00", "UTC+2", "Europe/Paris". Zones are shared and live as long as the process. NULL: none. */
const zone *zone_of(sl_str id, sl_error *error);
const zone *zone_default(void); /* TZ, else what /etc/localtime names, else UTC */
int32_t zone_offset(const zone *z, int64_t utc);
/* Where the clock shows it twice the earlier one, or the one with `preferred` as its offset; where it never does,
 * later by the gap. Pass INT32_MIN for none. */
int64_t zone_utc(const zone *z, int64_t local, int32_t preferred);
bool zone_shows(const zone *z, int64_t local); /* false in a gap */

/* ---- moments ------------------------------------------------------------------------------------------ */
typedef struct moment { /* a moment with its clock's face */
    int64_t year;
    int month, day, hour, minute, second;
    int32_t nanos, offset;
    int64_t days; /* since 1970 */
    instant utc;
    const zone *zone;
} moment;

enum { YEAR_MOST = 999999999 }; /* either way, as Java's */
int moment_of(evaluation *e, instant i, const zone *z, moment *ret);
instant instant_of_ms(int64_t ms);
int64_t ms_of_instant(instant i); /* floor; wraps */

/* ---- patterns ------------------------------------------------------------------------------------------ */
typedef struct pattern pattern;
pattern *pattern_new(sl_str text, sl_error *error); /* NULL: refused */
void pattern_free(void *data);
/* A letter by which only formatting is in this version, or 0. */
char pattern_unreadable(const pattern *p);
void pattern_format(const pattern *p, const moment *m, sl_buf *out);

typedef enum field {
    FIELD_YEAR,
    FIELD_MONTH,
    FIELD_DAY,
    FIELD_DAY_OF_YEAR,
    FIELD_WEEKDAY, /* 0: Monday */
    FIELD_HALF_DAY,
    FIELD_HALF_HOUR,       /* 0 to 11 */
    FIELD_CLOCK_HALF_HOUR, /* 1 to 12 */
    FIELD_HOUR,
    FIELD_CLOCK_HOUR, /* 1 to 24 */
    FIELD_MINUTE,
    FIELD_SECOND,
    FIELD_NANO,
    FIELD_MILLI_OF_DAY,
    FIELD_NANO_OF_DAY,
    FIELD_OFFSET, /* seconds east */
    FIELD_ERA,    /* 0: before Christ */
    FIELDS,
} field;
typedef struct fields { /* what a text held */
    int64_t is[FIELDS]; /* FIELD_NONE: nothing */
    const zone *zone;
} fields;
#define FIELD_NONE INT64_MIN
/* lenient: as toDate reads; else as toInstant does. -1: *ret_at is where it did not fit. */
int pattern_parse(const pattern *p, sl_str text, bool lenient, fields *ret, size_t *ret_at);
/* Both date and time must be there (Instant.from), or what is not is 1970-01-01 00:00:00 (defaults). zone: when the text has none. */
int fields_instant(evaluation *e, const fields *f, const zone *z, bool defaults, instant *ret);
int days_in_month(int64_t year, int month);

/* ---- fixed forms ------------------------------------------------------------------------------------------ */
bool instant_parse(sl_str text, instant *ret); /* ISO 8601 with an offset, or RFC 1123 */

#endif
