/* flow/zone: one time zone, read from the system's tzdata (TZif, RFC 8536). The process's own TZ is neither read nor
 * changed. Immutable once loaded: any thread. Seconds since 1970. */
#ifndef SL_ZONE_H
#define SL_ZONE_H

#include "base/base.h"

typedef struct sl_zone sl_zone;

int sl_zone_load(const char *name, sl_zone **ret, sl_error *error); /* NULL and "UTC": no file is needed */
void sl_zone_free(sl_zone *zone);
int64_t sl_zone_local(const sl_zone *zone, int64_t utc);            /* as if the local clock's face were UTC */
const char *sl_zone_abbreviation(const sl_zone *zone, int64_t utc); /* "CET": the zone's, for its lifetime */
/* The first moment at which the local clock shows `local` or later: the change itself where a change skips it, the
 * first of two where it comes twice. */
int64_t sl_zone_first(const sl_zone *zone, int64_t local);

/* Days since 1970 and the civil calendar. */
int64_t sl_days_of(int64_t year, int month, int day);
void sl_civil_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif
