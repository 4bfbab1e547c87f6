/* flow/cron: five fields (minute hour day month weekday), names, ranges, steps, lists, in a time zone. */
#ifndef SL_CRON_H
#define SL_CRON_H

#include "base/base.h"

typedef struct sl_cron sl_cron;
/* tz: an IANA name, NULL: UTC. As in Vixie cron, day and weekday both restricted means either. */
int sl_cron_parse(sl_str text, const char *tz, sl_cron **ret, sl_error *error);
/* The first moment after `after_us` (microseconds since 1970). A local time that a DST change skips runs at the
 * change; one that comes twice runs once. But where every hour is meant (`*`) the schedule is a pace and not a time of day, so
 * it goes on through both: every 5 minutes stays every 5 minutes. -1: none within 8 years. Any thread. */
int64_t sl_cron_next(const sl_cron *cron, int64_t after_us);
void sl_cron_free(sl_cron *cron);
int sl_cron_zone_check(const char *tz, sl_error *error); /* -1: no such time zone, for a message of its own */

#endif
