/* Retries: how long, how often, who waits; whatever the clock does. */
#include "rig.h"

#include "operate.h"

#include <stdio.h>

#define GATED(retry_)                                                  \
    "  make: {type: misbehave-source, count: 3, to: {success: try}}\n" \
    "  try:\n"                                                         \
    "    type: misbehave\n"                                            \
    "    while: \"%s\"\n"                                              \
    "    retry: {failure: {" retry_ "}}\n"                             \
    "    to: {success: end, other: end, failure: hold}\n"

static rig *open_gated(const char *format, bool paused)
{
    char *gate = rig_path("gate"), *text = NULL;
    sl_buf buf = SL_BUF(1 << 16);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    sl_buf_printf(&buf, format, gate);
#pragma GCC diagnostic pop
    text = sl_buf_take(&buf);
    rig *r = rig_open(text, paused);
    free(text);
    free(gate);
    return r;
}

static bool all_wait(rig *r)
{
    const sl_queue *queue = rig_queue(r, "make.success.try");
    return queue->waiting.count == 3;
}

TEST(waits_grow_and_stay_between_the_half_and_the_whole)
{
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t wait = sl_jittered(1000);
        least = SL_MIN(least, wait);
        most = SL_MAX(most, wait);
    }
    CHECK(least >= 500 && least < 550);
    CHECK(most <= 1000 && most > 950);
    CHECK_INT(sl_jittered(0), 0);
    CHECK(sl_jittered(1) <= 1);
}

TEST(a_count_of_retries_is_kept)
{
    rig_gate("gate", true);
    rig *r = open_gated(GATED("transient: 4, backoff: 1ms, max_backoff: 2ms"), false);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "try.failure.hold"), 3);
    CHECK_INT(rig_figure(r, "try", "tries"), 3 * 5);
    rig_close(r);
}

TEST(an_age_of_retries_is_real_time_though_the_clock_is_set_forward)
{
    rig_gate("gate", true);
    rig *r = open_gated(GATED("transient: 1h, backoff: 20ms, max_backoff: 20ms"), false);
    rig_until(r, all_wait);
    rig_set_clock(30 * 86400 * SL_SECOND);
    int64_t step = sl_clock_check(&r->engine->clock) - 30 * 86400 * SL_SECOND; /* it reads two clocks, one after the other */
    CHECK(step > -SL_SECOND && step < SL_SECOND);
    int64_t tries = rig_figure(r, "try", "tries");
    while (rig_figure(r, "try", "tries") < tries + 6) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(rig_objects(r, "try.failure.hold"), 0);
    rig_gate("gate", false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
    rig_set_clock(0);
}

TEST(an_age_of_retries_ends_them)
{
    rig_gate("gate", true);
    rig *r = open_gated(GATED("transient: 500ms, backoff: 5ms, max_backoff: 5ms"), false);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "try.failure.hold"), 3);
    CHECK(rig_figure(r, "try", "tries") > 3 * 2);
    rig_close(r);
}

TEST(a_clock_set_back_keeps_no_retry_waiting)
{
    rig_gate("gate", true);
    rig *r = open_gated(GATED("transient: forever, backoff: 20ms, max_backoff: 20ms"), false);
    rig_until(r, all_wait);
    rig_set_clock(-365 * 86400 * SL_SECOND);
    rig_gate("gate", false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
    rig_set_clock(0);
}

TEST(after_a_restart_under_another_clock_nobody_waits_longer_than_max_backoff)
{
    rig_gate("gate", true);
    rig_set_clock(365 * 86400 * SL_SECOND);
    rig *r = open_gated(GATED("transient: forever, backoff: 40ms, max_backoff: 40ms"), false);
    rig_until(r, all_wait);
    rig_close(r);
    rig_set_clock(0);
    rig_gate("gate", false);
    r = open_gated(GATED("transient: forever, backoff: 40ms, max_backoff: 40ms"), false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
}

static bool rests(rig *r) { return rig_instance(r, "try")->rest_until > sl_ticks(); }

TEST(yield_rests_the_processor_and_keeps_the_order)
{
    rig_gate("gate", true);
    rig *r = open_gated(GATED("transient: forever, backoff: 1h, max_backoff: 1h, policy: yield"), false);
    rig_until(r, rests);
    const sl_queue *queue = rig_queue(r, "make.success.try");
    CHECK_INT(queue->objects, 3);
    CHECK_INT(queue->waiting.count, 0);
    sl_buf status = SL_BUF(1 << 20);
    sl_engine_status_json(r->engine, &status);
    CHECK(strstr(status.data, "\"rests_until\":\"") != NULL);
    sl_buf_done(&status);
    rig_gate("gate", false);
    sl_error error;
    CHECK_INT(sl_engine_processor_set(r->engine, "t/try", "start", &error), 0);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
}

/* ---- expiry ------------------------------------------------------------------------------------------------------------- */

#define EXPIRES(after_)                                                                           \
    "  make: {type: misbehave-source, count: 3, to: {success: never}}\n"                          \
    "  never: {type: misbehave, enabled: false, to: {success: end, other: end, failure: hold}}\n" \
    "connections: {make.success.never: {expire: {after: " after_ ", since: queued, to: hold}}}\n"

static bool all_expired(rig *r) { return rig_objects(r, "never.expired.hold") == 3; }
static bool all_queued(rig *r) { return rig_objects(r, "make.success.never") == 3; }
static bool clock_noticed(rig *r) { return r->engine->clock.step_count > 0; }

TEST(expiry_counts_the_time_that_really_passes)
{
    rig *r = rig_open(EXPIRES("1h"), false);
    rig_until(r, all_queued);
    rig_set_clock(86400 * SL_SECOND);
    rig_until(r, clock_noticed);
    CHECK_INT(rig_objects(r, "make.success.never"), 3);
    rig_close(r);
    rig_set_clock(0);
}

TEST(what_is_old_expires)
{
    rig *r = rig_open(EXPIRES("100ms"), false);
    rig_until(r, all_expired);
    rig_close(r);
}

/* ---- holds ---------------------------------------------------------------------------------------------------------------- */

static uint64_t replay(rig *r, const char *name, const char *value)
{
    sl_str names[] = {sl_str_of(name)}, values[] = {sl_str_of(value)};
    sl_selection which = {.names = names, .values = values, .attribute_count = 1};
    return operate(r->engine, &r->loop, sl_engine_queue_replay, "t/try.failure.hold", &which);
}

TEST(of_what_is_held_only_the_selected_goes_back)
{
    rig_gate("gate", true);
    rig *r = open_gated(GATED("transient: 0"), false);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "try.failure.hold"), 3);
    CHECK_INT(replay(r, "error.code", "Other"), 0);
    CHECK_INT(replay(r, "nosuch", "1"), 0);
    rig_gate("gate", false);
    CHECK_INT(replay(r, "number", "1"), 1);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "try.failure.hold"), 2);
    CHECK_INT(replay(r, "error.code", "Gate"), 2);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "try.failure.hold"), 0);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
}
