#include "engine/clock.h"

#include "base/sys.h"

#define LEAST_STEP SL_SECOND

void sl_clock_init(sl_clock *clock) { *clock = (sl_clock){.base = sl_now(), .base_ticks = sl_ticks()}; }

int64_t sl_clock_steady(const sl_clock *clock) { return clock->base + (sl_ticks() - clock->base_ticks); }

int64_t sl_clock_wall(const sl_clock *clock, int64_t steady) { return steady ? steady + clock->stepped : 0; }

int64_t sl_clock_age(const sl_clock *clock, int64_t wall)
{
    int64_t age = sl_clock_steady(clock) - wall;
    for (size_t i = 0; i < clock->step_count; i++)
        if (wall > clock->steps[i].after) age += clock->steps[i].step;
    return age;
}

/* Wall times between the two come out too young rather than too old. */
static void join_oldest(sl_clock *clock)
{
    int64_t step = clock->steps[0].step + clock->steps[1].step, a = clock->steps[0].after, b = clock->steps[1].after;
    clock->steps[1].step = step;
    clock->steps[1].after = step > 0 ? SL_MAX(a, b) : SL_MIN(a, b);
    memmove(clock->steps, clock->steps + 1, --clock->step_count * sizeof clock->steps[0]);
}

int64_t sl_clock_check(sl_clock *clock)
{
    int64_t expected = sl_clock_wall(clock, sl_clock_steady(clock)), found = sl_now(), step = found - expected;
    if (step < LEAST_STEP && step > -LEAST_STEP) return 0;
    if (clock->step_count == SL_CLOCK_STEPS) join_oldest(clock);
    clock->steps[clock->step_count].after = step > 0 ? expected : found;
    clock->steps[clock->step_count++].step = step;
    clock->stepped += step;
    return step;
}
