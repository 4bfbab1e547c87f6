/* engine/clock: time that passes, whatever is done to the wall clock. Waits and ages are measured on it; what is
 * written to the journal or shown is wall time. Owned by the engine, loop thread only; a struct without a destructor.
 *
 * A wall clock that is set is noticed when somebody asks (sl_clock_check, each second). How long ago a wall time was is
 * exact over a clock set forward; over one set back it may come out as too short by what the clock was set back, never as too
 * long: times in the hour that came twice are taken for those of the second time. */
#ifndef SL_CLOCK_H
#define SL_CLOCK_H

#include "base/base.h"

enum { SL_CLOCK_STEPS = 32 }; /* more: the two oldest become one */

typedef struct sl_clock {
    int64_t base, base_ticks; /* wall time and ticks when it began */
    int64_t stepped;          /* by what the wall clock was set since, in all */
    struct {
        int64_t after, step; /* wall times greater than `after` include it */
    } steps[SL_CLOCK_STEPS];
    size_t step_count;
} sl_clock;

void sl_clock_init(sl_clock *clock);
/* us: the wall time at init and what has passed since. */
int64_t sl_clock_steady(const sl_clock *clock);
/* A steady time as the wall clock's, and back. 0 is 0: no time. */
int64_t sl_clock_wall(const sl_clock *clock, int64_t steady);
/* How long ago a wall time was. */
int64_t sl_clock_age(const sl_clock *clock, int64_t wall);
/* By what the wall clock was set since the last check, us; 0: it was not (less than a second is drift). */
int64_t sl_clock_check(sl_clock *clock);

#endif
