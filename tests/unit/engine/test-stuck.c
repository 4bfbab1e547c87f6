/* Processors that are stuck: noticed, named, left behind. */
#include "rig.h"

#include <stdio.h>

#include "engine/session.h"

static rig *open_with(const char *type, const char *more)
{
    char *gate = rig_path("gate");
    char *text = sl_asprintf("  make: {type: misbehave-source, count: 2, to: {success: it}}\n"
                             "  it: {type: %s, while: \"%s\", %sto: {success: end, other: end, failure: hold}}\n",
                             type, gate, more);
    rig *r = rig_open(text, false);
    r->engine->stuck_worker = r->engine->stuck_later = 20 * SL_MILLISECOND;
    free(text);
    free(gate);
    return r;
}

static bool says(rig *r, const char *text)
{
    sl_buf said = SL_BUF(1 << 20);
    sl_engine_bulletins_json(r->engine, 0, 1000, &said, NULL);
    bool found = strstr(said.data, text) != NULL;
    sl_buf_done(&said);
    return found;
}

static bool shows(rig *r, const char *text)
{
    sl_buf status = SL_BUF(1 << 20);
    sl_engine_status_json(r->engine, &status);
    bool found = strstr(status.data, text) != NULL;
    sl_buf_done(&status);
    return found;
}

static bool is_stuck(rig *r) { return rig_instance(r, "it")->stuck > 0; }

TEST(a_worker_that_does_not_return_is_named_until_it_does)
{
    rig_gate("gate", true);
    rig *r = open_with("misbehave-worker", "");
    rig_until(r, is_stuck);
    CHECK(says(r, "\"component\":\"t/it\",\"message\":\"a session has been open for"));
    CHECK(shows(r, "\"stuck_since\":\"2"));
    sl_buf metrics = SL_BUF(1 << 20);
    sl_engine_metrics(r->engine, false, &metrics);
    CHECK(strstr(metrics.data, "sluice_processor_stuck{flow=\"t\",processor=\"it\"} 1") != NULL);
    sl_buf_done(&metrics);
    rig_gate("gate", false);
    rig_until(r, rig_is_idle);
    CHECK(says(r, "has ended after"));
    CHECK(!shows(r, "\"stuck_since\":\"2"));
    CHECK_INT(r->summary.delivered, 2);
    rig_close(r);
}

TEST(an_asynchronous_session_over_its_limit_is_named)
{
    rig *r = open_with("misbehave-later", "");
    rig_until(r, is_stuck);
    CHECK(shows(r, "\"stuck_since\":\"2"));
    r->engine->grace = 10 * SL_SECOND;
    sl_engine_drain(r->engine, 0, NULL, NULL);
    rig_close(r);
}

static bool was_slow(rig *r) { return rig_instance(r, "it")->slow_triggers > 0; }

TEST(what_holds_up_the_loop_is_named)
{
    rig *r = open_with("misbehave", "block: 60ms, ");
    rig_until(r, was_slow);
    CHECK(says(r, "\"component\":\"t/it\",\"message\":\"held up the loop for"));
    rig_until(r, rig_is_idle);
    rig_close(r);
}

static bool was_tried(rig *r) { return r->engine->open_sessions == 0 && says(r, "is cancelled"); }

TEST(a_timeout_stops_a_worker_that_asks)
{
    rig_gate("gate", true);
    rig *r = open_with("misbehave-worker", "timeout: 30ms, yield: 10ms, ");
    rig_until(r, was_tried);
    rig_gate("gate", false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 2);
    rig_close(r);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

static char left[1024];
static void on_stuck(void *context, const char *message)
{
    snprintf(left, sizeof left, "%s", message);
    uv_stop(&((rig *)context)->loop);
}
static bool works(rig *r)
{
    return rig_instance(r, "it")->sessions && sl_workers_began(r->engine->workers, &rig_instance(r, "it")->sessions->job);
}

TEST(a_worker_that_never_ends_does_not_keep_the_process)
{
    rig_gate("gate", true);
    rig *r = open_with("misbehave-worker", "obeys: false, ");
    rig_until(r, works);
    r->engine->grace = 50 * SL_MILLISECOND;
    sl_engine_on_stuck(r->engine, on_stuck, r);
    sl_engine_drain(r->engine, 10 * SL_MILLISECOND, NULL, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK(strstr(left, "t/it did not end when cancelled") != NULL);
    rig_gate("gate", false);
    rig_close(r);
}

TEST(one_that_obeys_is_waited_for)
{
    rig_gate("gate", true);
    rig *r = open_with("misbehave-worker", "");
    rig_until(r, works);
    left[0] = 0;
    sl_engine_on_stuck(r->engine, on_stuck, r);
    rig_close(r);
    CHECK_STR(left, "");
    rig_gate("gate", false);
    r = open_with("misbehave-worker", "");
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 2);
    rig_close(r);
}
