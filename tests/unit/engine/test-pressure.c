/* Back pressure: it reaches the source; loops turn; a stuck branch stalls no other. */
#include "rig.h"

#include "operate.h"

#include <stdio.h>

static bool source_rests(rig *r)
{
    rig_is_idle(r);
    return rig_instance(r, "make")->figures.total.tasks && !r->engine->open_sessions && !r->engine->ready_first;
}

TEST(back_pressure_reaches_the_source)
{
    rig *r = rig_open("  make: {type: misbehave-source, count: 1000, batch: 10, to: {success: first}}\n"
                      "  first: {type: misbehave, to: {success: last, other: end, failure: hold}}\n"
                      "  last: {type: misbehave, enabled: false, to: {success: end, other: end, failure: hold}}\n"
                      "connections: {make.success: {max_objects: 20}, first.success: {max_objects: 20}}\n",
                      false);
    rig_until(r, source_rests);
    uint64_t first = rig_objects(r, "make.success.first"), last = rig_objects(r, "first.success.last");
    CHECK(first >= 20 && first < 40);
    CHECK(last >= 20 && last < 20 + 40);
    CHECK(rig_instance(r, "make")->figures.total.out == first + last);
    rig_close(r);
}

/* ---- loops ---------------------------------------------------------------------------------------------------------- */

static char *with_gate(const char *before, const char *after)
{
    char *gate = rig_path("gate"), *text = sl_asprintf("%s%s%s", before, gate, after);
    free(gate);
    return text;
}

static bool turned(rig *r) { return rig_figure(r, "b", "tries") > 20000; }

TEST(a_loop_of_full_queues_turns_and_does_not_grow)
{
    char *text = with_gate("  make: {type: misbehave-source, count: 2000, batch: 100, to: {success: a}}\n"
                           "  a: {type: misbehave, to: {success: b, other: end, failure: hold}}\n"
                           "  b: {type: misbehave, class: permanent, to: {success: end, other: end, failure: a}, while: \"",
                           "\"}\n"
                           "connections: {make.success: {max_objects: 50}, a.success: {max_objects: 50}, b.failure: {max_objects: 50}}\n");
    rig_gate("gate", true);
    rig *r = rig_open(text, false);
    rig_until(r, turned);
    uint64_t round = rig_objects(r, "a.success.b") + rig_objects(r, "b.failure.a");
    CHECK(round >= 50 && round <= 2 * 50 + 2 * 150);
    CHECK(rig_objects(r, "make.success.a") > 0); /* it does not take what is not of the loop */
    rig_gate("gate", false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 2000);
    rig_close(r);
    free(text);
}

static bool tried(rig *r) { return rig_figure(r, "b", "tries") > 5000; }

TEST(a_processor_that_leads_to_itself_turns)
{
    char *text = with_gate("  make: {type: misbehave-source, count: 500, batch: 100, to: {success: b}}\n"
                           "  b: {type: misbehave, class: permanent, to: {success: end, other: end, failure: b}, while: \"",
                           "\"}\nconnections: {b.failure: {max_objects: 5}}\n");
    rig_gate("gate", true);
    rig *r = rig_open(text, false);
    rig_until(r, tried);
    rig_gate("gate", false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 500);
    rig_close(r);
    free(text);
}

static bool stopped_growing(rig *r) { return rig_instance(r, "a")->loop_debt >= 1000; }

TEST(a_loop_that_makes_more_than_it_takes_stops_and_says_so)
{
    rig *r = rig_open("  make: {type: misbehave-source, count: 100, to: {success: a}}\n"
                      "  a: {type: misbehave, children: 3, to: {success: a, other: end, failure: hold}}\n"
                      "connections: {a.success: {max_objects: 50}}\n",
                      false);
    rig_until(r, stopped_growing);
    uint64_t stopped = rig_objects(r, "a.success.a");
    for (int i = 0; i < 100; i++) uv_run(&r->loop, UV_RUN_NOWAIT);
    CHECK_INT(rig_objects(r, "a.success.a"), stopped);
    CHECK(stopped < 50 + 4 * 150 + 1100);
    sl_buf said = SL_BUF(1 << 20);
    sl_engine_bulletins_json(r->engine, 0, 100, &said, NULL);
    CHECK(strstr(said.data, "makes more FlowFiles for the loop") != NULL);
    sl_buf_done(&said);
    rig_close(r);
}

/* ---- branches ------------------------------------------------------------------------------------------------------------ */

#define BRANCHES                                                                                                        \
    "  make: {type: misbehave-source, count: 3000, batch: 100, to: {success: sort}}\n"                                  \
    "  sort: {type: route-on-attribute, routes: {odd: \"${kind:equals('odd')}\"}, to: {odd: stuck, unmatched: fine}}\n" \
    "  fine: {type: misbehave, to: {success: end, other: end, failure: hold}}\n"                                        \
    "  stuck: {type: misbehave, to: {success: hold, other: end, failure: hold}}\n"                                      \
    "connections: {sort.odd: {max_objects: 10}"

static bool fine_is_done(rig *r)
{
    rig_is_idle(r);
    return r->summary.delivered == 1500;
}

typedef struct expected {
    sl_engine *engine;
    int64_t number;
} expected;

static void check_next(expected *e, const sl_flowfile *flowfile)
{
    sl_body *lent, *body = sl_body_look(e->engine, flowfile, &lent);
    CHECK_INT(strtoll(sl_attributes_get(body->attributes, SL_STR("number")).data, NULL, 10), e->number);
    sl_body_discard(lent);
    e->number += 2;
}

TEST(a_stuck_branch_stalls_no_other_and_keeps_its_order)
{
    rig *r = rig_open(BRANCHES "}\n", false);
    sl_error error;
    sl_engine_processor_set(r->engine, "t/stuck", "stop", &error);
    rig_until(r, fine_is_done);
    CHECK_INT(rig_objects(r, "sort.odd.stuck"), 10);
    CHECK_INT(rig_queue(r, "make.success.sort")->aside.count, 1490);
    CHECK(r->summary.queued == 1500 && !r->summary.idle);
    sl_engine_processor_set(r->engine, "t/stuck", "start", &error);
    rig_until(r, rig_is_idle);
    const sl_queue *held = rig_queue(r, "stuck.success.hold");
    CHECK_INT(held->objects, 1500);
    expected e = {.engine = r->engine, .number = 1};
    static sl_flowfile *front[1500];
    CHECK_INT(sl_queue_front(held, SL_COUNT(front), front), 1500);
    for (size_t i = 0; i < SL_COUNT(front); i++) check_next(&e, front[i]);
    rig_close(r);
}

TEST(what_waits_for_room_survives_a_restart_and_an_operator)
{
    rig *r = rig_open(BRANCHES "}\n", false);
    sl_error error;
    sl_engine_processor_set(r->engine, "t/stuck", "stop", &error);
    rig_until(r, fine_is_done);
    rig_close(r);
    r = rig_open(BRANCHES "}\n", true);
    CHECK_INT(rig_queue(r, "make.success.sort")->ready.count, 1490);
    rig_close(r);
    r = rig_open(BRANCHES "}\n", false);
    sl_engine_processor_set(r->engine, "t/stuck", "stop", &error);
    while (rig_queue(r, "make.success.sort")->aside.count < 1490) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, "t/make.success.sort", NULL), 1490);
    CHECK_INT(r->engine->turns.live, 0);
    sl_engine_processor_set(r->engine, "t/stuck", "start", &error);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "stuck.success.hold"), 10);
    rig_close(r);
}

static bool all_stands(rig *r) { return source_rests(r) && rig_queue(r, "make.success.sort")->aside.count >= 200; }

TEST(a_queue_full_of_one_branch_stops_what_is_before_it)
{
    rig *r = rig_open(BRANCHES ", make.success: {max_objects: 200}}\n", false);
    sl_error error;
    sl_engine_processor_set(r->engine, "t/stuck", "stop", &error);
    rig_until(r, all_stands);
    uint64_t waiting = rig_objects(r, "make.success.sort");
    CHECK(waiting >= 200 && waiting < 300);
    CHECK(rig_instance(r, "make")->figures.total.out < 3000);
    sl_engine_processor_set(r->engine, "t/stuck", "start", &error);
    rig_until(r, rig_is_idle);
    CHECK_INT(rig_objects(r, "stuck.success.hold"), 1500);
    rig_close(r);
}
