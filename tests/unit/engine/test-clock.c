/* Time that passes, whatever is done to the wall clock. */
#include "test.h"

#include "base/sys.h"
#include "engine/clock.h"

static int64_t wall, ticks;
static int64_t now(void) { return wall; }
static int64_t monotonic(void) { return ticks; }
static sl_sys sys;

static sl_clock begin(void)
{
    sl_clock clock;
    sys = sl_sys_real;
    sys.realtime = now;
    sys.monotonic = monotonic;
    sl_sys_now = &sys;
    wall = 1000000 * SL_SECOND;
    ticks = 5 * SL_SECOND;
    sl_clock_init(&clock);
    return clock;
}

static void pass(int64_t us) { wall += us, ticks += us; }

TEST(time_passes_as_it_does)
{
    sl_clock clock = begin();
    int64_t then = wall;
    pass(90 * SL_SECOND);
    CHECK_INT(sl_clock_check(&clock), 0);
    CHECK_INT(sl_clock_age(&clock, then), 90 * SL_SECOND);
    CHECK_INT(sl_clock_wall(&clock, sl_clock_steady(&clock)), wall);
    CHECK_INT(sl_clock_wall(&clock, 0), 0);
}

TEST(a_clock_set_forward_makes_nothing_older)
{
    sl_clock clock = begin();
    int64_t before = wall;
    pass(10 * SL_SECOND);
    wall += 86400 * SL_SECOND;
    CHECK_INT(sl_clock_check(&clock), 86400 * SL_SECOND);
    CHECK_INT(sl_clock_check(&clock), 0);
    int64_t after = wall;
    pass(7 * SL_SECOND);
    CHECK_INT(sl_clock_age(&clock, before), 17 * SL_SECOND);
    CHECK_INT(sl_clock_age(&clock, after), 7 * SL_SECOND);
    CHECK_INT(sl_clock_wall(&clock, sl_clock_steady(&clock)), wall);
}

TEST(a_clock_set_back_makes_nothing_older_and_forgets_no_more_than_the_step)
{
    sl_clock clock = begin();
    int64_t long_before = wall;
    pass(7200 * SL_SECOND);
    int64_t just_before = wall;
    pass(SL_SECOND);
    wall -= 3600 * SL_SECOND;
    CHECK_INT(sl_clock_check(&clock), -3600 * SL_SECOND);
    int64_t after = wall + 1;
    pass(10 * SL_SECOND);
    CHECK_INT(sl_clock_age(&clock, long_before), 7211 * SL_SECOND);
    CHECK_INT(sl_clock_age(&clock, after), 10 * SL_SECOND - 1);
    CHECK_INT(sl_clock_age(&clock, just_before), (11 - 3600) * SL_SECOND);
}

TEST(however_often_it_is_set_nothing_grows_and_nothing_gets_too_old)
{
    sl_clock clock = begin();
    int64_t then = wall;
    for (int i = 0; i < 1000; i++) {
        pass(SL_SECOND);
        wall += i % 3 ? 100 * SL_SECOND : -50 * SL_SECOND;
        CHECK(sl_clock_check(&clock) != 0);
    }
    CHECK(clock.step_count <= SL_CLOCK_STEPS);
    CHECK(sl_clock_age(&clock, then) <= 1000 * SL_SECOND);
    CHECK_INT(sl_clock_wall(&clock, sl_clock_steady(&clock)), wall);
}

TEST(drift_is_no_step)
{
    sl_clock clock = begin();
    pass(SL_SECOND);
    wall += 900 * SL_MILLISECOND;
    CHECK_INT(sl_clock_check(&clock), 0);
    wall += 200 * SL_MILLISECOND;
    CHECK_INT(sl_clock_check(&clock), 1100 * SL_MILLISECOND);
}
