/* Where two things meet: a restart and a clock, a wait and an order, a loop and its gate, an effect and a new definition. */
#include "rig.h"

#include "operate.h"

#include <stdio.h>
#include <sys/stat.h>

/* ---- priorities and waits ---------------------------------------------------------------------------------------- */

static char *gated(const char *before, const char *after)
{
    char *gate = rig_path("gate"), *text = sl_asprintf("%s%s%s", before, gate, after);
    free(gate);
    return text;
}

static bool three_wait(rig *r)
{
    const sl_queue *queue = rig_queue(r, "make.success.try");
    return queue && queue->waiting.count == 3;
}

static void waits_over_a_restart(const char *prioritize)
{
    char *after = sl_asprintf("\"\n    retry: {failure: {transient: forever, backoff: 300ms, max_backoff: 300ms}}\n"
                              "    to: {success: end, other: end, failure: hold}\n"
                              "connections: {make.success: {prioritize: %s}}\n",
                              prioritize);
    char *text = gated("  make: {type: misbehave-source, count: 3, to: {success: try}}\n  try:\n    type: misbehave\n    while: \"", after);
    rig_gate("gate", true);
    rig *r = rig_open(text, false);
    rig_until(r, three_wait);
    rig_close(r);
    rig_gate("gate", false);
    r = rig_open(text, false);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
    free(text);
    free(after);
}

TEST(what_waits_in_a_queue_with_priorities_goes_on_after_a_restart) { waits_over_a_restart("[oldest]"); }
TEST(what_waits_in_a_queue_ranked_by_an_attribute_goes_on_after_a_restart) { waits_over_a_restart("[{attribute: number}]"); }

/* ---- a loop's gate ------------------------------------------------------------------------------------------------- */

static bool rests(rig *r) { return !r->engine->open_sessions && !r->engine->ready_first; }
static bool b_is_full(rig *r) { return rests(r) && rig_objects(r, "a.success.b") >= 50; }
static bool c_is_full(rig *r) { return rests(r) && rig_objects(r, "b.success.c") >= 50; }

TEST(what_waits_before_a_loop_enters_when_the_loop_has_room_again)
{
    sl_error error;
    rig *r = rig_open("  make: {type: misbehave-source, count: 300, batch: 100, to: {success: a}}\n"
                      "  a: {type: misbehave, to: {success: b, other: end, failure: end}}\n"
                      "  b: {type: misbehave, to: {success: c, other: end, failure: hold}}\n"
                      "  c: {type: misbehave, to: {success: end, other: end, failure: a}}\n"
                      "connections: {a.success: {max_objects: 50}, b.success: {max_objects: 50}, c.failure: {max_objects: 50}}\n",
                      false);
    sl_engine_processor_set(r->engine, "t/b", "stop", &error);
    sl_engine_processor_set(r->engine, "t/c", "stop", &error);
    rig_until(r, b_is_full);
    sl_engine_processor_set(r->engine, "t/b", "start", &error);
    rig_until(r, c_is_full);
    CHECK(rig_objects(r, "make.success.a") > 0);
    sl_engine_processor_set(r->engine, "t/c", "start", &error);
    rig_until(r, rig_is_idle);
    CHECK_INT(r->summary.delivered, 300);
    rig_close(r);
}

/* ---- effects of an older definition -------------------------------------------------------------------------------- */

#define MAKE_TO_END "  make: {type: misbehave-source, count: 3, to: {success: end}}\n"

static bool made_three(rig *r)
{
    rig_is_idle(r);
    return r->summary.delivered == 3;
}

TEST(effects_that_its_processor_cannot_do_do_not_stop_a_component)
{
    rig *r = rig_open(MAKE_TO_END, true);
    sl_batch *batch = sl_batch_new();
    uint32_t make = sl_journal_name(r->engine->journal, SL_STR("t/make"));
    sl_batch_note(r->engine, batch, SL_EVENT_PENDING, make, 0, (sl_str){0}, SL_STR("{\"remove\":\"x\"}"));
    sl_engine_append(r->engine, batch);
    rig_close(r);
    r = rig_open(MAKE_TO_END, false);
    CHECK_INT(rig_instance(r, "make")->component->pending_count, 1);
    rig_until(r, made_three);
    CHECK_INT(rig_instance(r, "make")->component->pending_count, 1);
    rig_close(r);
}

/* ---- turns -------------------------------------------------------------------------------------------------------------- */

static sl_flowfile *put_one(rig *r, sl_queue *queue)
{
    sl_flowfile *flowfile = sl_engine_born(r->engine, atomic_fetch_add(&r->engine->next_id, 1), 1);
    flowfile->seq = flowfile->id;
    sl_engine_put(r->engine, queue, flowfile, 1);
    return flowfile;
}

static void leave(rig *r, sl_flowfile *flowfile)
{
    sl_engine_take_out(r->engine, flowfile);
    sl_engine_forget(r->engine, flowfile);
}

TEST(one_that_asks_twice_for_a_turn_or_for_another_waits_once)
{
    rig *r = rig_open("  make: {type: misbehave-source, to: {success: b}}\n"
                      "  b: {type: misbehave, to: {success: end, other: end, failure: hold}}\n",
                      true);
    sl_queue *queue = rig_queue(r, "make.success.b");
    sl_flowfile *first = put_one(r, queue), *second = put_one(r, queue), *third = put_one(r, queue);
    CHECK(sl_turn_ask(r->engine, first, "k"));
    CHECK(sl_turn_ask(r->engine, second, "l"));
    CHECK(!sl_turn_ask(r->engine, third, "k"));
    CHECK(!sl_turn_ask(r->engine, third, "k"));
    CHECK(!sl_turn_ask(r->engine, third, "l"));
    leave(r, third);
    leave(r, first);
    leave(r, second);
    CHECK_INT(r->engine->turns.live, 0);
    rig_close(r);
}

static bool bulletin_says(rig *r, const char *what)
{
    sl_buf text = SL_BUF(1 << 20);
    uint64_t last;
    sl_engine_bulletins_json(r->engine, 0, 1000, &text, &last);
    bool says = strstr(sl_buf_view(&text).data, what) != NULL;
    sl_buf_done(&text);
    return says;
}

TEST(a_turn_of_a_stopped_processor_is_let_go_or_told)
{
    rig *r = rig_open("  make: {type: misbehave-source, to: {success: [b, c]}}\n"
                      "  b: {type: misbehave, to: {success: end, other: end, failure: hold}}\n"
                      "  c: {type: misbehave, to: {success: end, other: end, failure: hold}}\n",
                      true);
    sl_error error;
    sl_queue *stopped = rig_queue(r, "make.success.b"), *goes = rig_queue(r, "make.success.c");
    sl_flowfile *holder = put_one(r, stopped), *waits = put_one(r, goes);
    CHECK(sl_turn_ask(r->engine, holder, "k"));
    CHECK(!sl_turn_ask(r->engine, waits, "k"));
    sl_turns_look(r->engine);
    CHECK(!sl_turn_ask(r->engine, waits, "k")); /* its processor will come to it */
    sl_engine_processor_set(r->engine, "t/b", "stop", &error);
    sl_turns_look(r->engine);
    CHECK(sl_turn_ask(r->engine, waits, "k"));
    CHECK(!sl_turn_ask(r->engine, holder, "k"));
    sl_engine_processor_set(r->engine, "t/c", "stop", &error);
    waits->body->intent->text = sl_strdup("{}"); /* it has begun */
    sl_turns_look(r->engine);
    CHECK(!sl_turn_ask(r->engine, holder, "k"));
    CHECK(bulletin_says(r, "1 deliveries to k wait for FlowFile"));
    leave(r, holder);
    leave(r, waits);
    CHECK_INT(r->engine->turns.live, 0);
    rig_close(r);
}

TEST(emptying_a_queue_drops_also_those_whose_turn_comes_by_it)
{
    rig *r = rig_open("  make: {type: misbehave-source, to: {success: b}}\n"
                      "  b: {type: misbehave, to: {success: end, other: end, failure: hold}}\n",
                      true);
    sl_queue *queue = rig_queue(r, "make.success.b");
    sl_flowfile *taken[3];
    sl_batch *batch = sl_batch_new();
    for (size_t i = 0; i < 3; i++) sl_batch_note(r->engine, batch, SL_EVENT_STATE, 0, 0, SL_STR("k"), SL_STR("v"));
    sl_engine_append(r->engine, batch); /* seqs that the FlowFiles may have come by */
    for (size_t i = 0; i < 3; i++) put_one(r, queue);
    for (size_t i = 0; i < 3; i++) CHECK(sl_turn_ask(r->engine, taken[i] = sl_queue_take(queue, UINT64_MAX), "k") == (i == 0));
    for (size_t i = 1; i < 3; i++) sl_queue_set_aside(taken[i]);
    sl_queue_return(taken[0], INT64_MAX);
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, "t/make.success.b", NULL), 3);
    CHECK_INT(queue->objects, 0);
    rig_close(r);
}

/* ---- a clock set back over a restart ----------------------------------------------------------------------------------- */

static void make_sources(int count, size_t size)
{
    char *folder = rig_path("in");
    mkdir(folder, 0755);
    for (int i = 0; i < count; i++) {
        char *path = sl_asprintf("%s/%d", folder, i);
        FILE *file = fopen(path, "w");
        SL_ASSERT(file);
        for (size_t at = 0; at < size; at++) fputc('a' + i, file);
        fclose(file);
        free(path);
    }
    free(folder);
}

static void check_content(rig *r, sl_flowfile *flowfile)
{
    sl_error error = {0};
    sl_body *lent, *body = sl_body_look(r->engine, flowfile, &lent);
    CHECK_INT(sl_content_verify(r->engine->content, body->claim, &error), 0);
    sl_body_discard(lent);
}

static bool let_go(rig *r) { return r->engine->swept && !r->engine->releases && !r->engine->releases_logged && !r->engine->releasing; }

TEST(content_outlives_a_restart_under_a_clock_that_was_set_back)
{
    char *folder = rig_path("in"),
         *text = sl_asprintf("  take: {type: get-file, directory: %s, source: delete, min_age: 0s, to: {success: park}}\n"
                             "  park: {type: misbehave, to: {success: hold, other: hold, failure: hold}}\n",
                             folder);
    make_sources(4, 10000);
    rig *r = rig_open(text, false);
    while (rig_objects(r, "park.success.hold") < 4 || rig_instance(r, "take")->component->pending) uv_run(&r->loop, UV_RUN_ONCE);
    rig_close(r);
    rig_set_clock(-86400 * SL_SECOND);
    r = rig_open(text, false);
    sl_queue *held = rig_queue(r, "park.success.hold");
    sl_selection one = {.flowfile = held->ready.first->id};
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, "t/park.success.hold", &one), 1);
    uv_run(&r->loop, UV_RUN_NOWAIT);
    rig_until(r, let_go);
    sl_flowfile *left[4];
    size_t left_count = sl_queue_front(held, SL_COUNT(left), left);
    for (size_t i = 0; i < left_count; i++) check_content(r, left[i]);
    CHECK_INT(held->objects, 3);
    rig_close(r);
    rig_set_clock(0);
    free(text);
    free(folder);
}

/* ---- bodies that are read ahead ------------------------------------------------------------------------------------------ */

static void say(rig *r, sl_queue *queue, sl_flowfile *flowfile, const char *value)
{
    sl_pair pair = {SL_STR("value"), sl_str_of(value)};
    sl_batch *batch = sl_batch_new();
    sl_attributes_unref(flowfile->body->attributes);
    flowfile->body->attributes = sl_attributes_new(&pair, 1);
    sl_step step = {.type = SLUICE_CREATE, .queue = queue->name, .changes = &pair, .change_count = 1};
    sl_chain_add(r->engine, batch, flowfile, &step);
    sl_engine_append(r->engine, batch);
    sl_engine_put(r->engine, queue, flowfile, 1);
}

static sl_queue *read_ahead;
static bool all_durable(rig *r) { return sl_journal_durable(r->engine->journal) + 1 == sl_journal_next(r->engine->journal); }
static bool has_read(rig *r) { return !read_ahead->fetching && all_durable(r); }

TEST(what_came_again_while_it_was_read_ahead_is_as_it_is_now)
{
    rig *r = rig_open("  make: {type: misbehave-source, enabled: false, to: {success: b}}\n"
                      "  b: {type: misbehave, enabled: false, to: {success: end, other: end, failure: hold}}\n",
                      false);
    sl_flowfile *flowfile = NULL;
    read_ahead = rig_queue(r, "make.success.b");
    r->engine->window = 2;
    for (int i = 0; i < 5; i++)
        say(r, read_ahead, flowfile = sl_engine_born(r->engine, atomic_fetch_add(&r->engine->next_id, 1), 1), "old");
    rig_until(r, all_durable);
    leave(r, read_ahead->ready.first);
    CHECK(!flowfile->body);
    sl_bodies_fetch(r->engine, read_ahead);
    CHECK(read_ahead->fetching && sl_body_need(r->engine, flowfile));
    sl_engine_take_out(r->engine, flowfile);
    say(r, read_ahead, flowfile, "new");
    CHECK(!flowfile->body);
    rig_until(r, has_read);
    sl_body *lent, *body = sl_body_look(r->engine, flowfile, &lent);
    CHECK_VIEW(sl_attributes_get(body->attributes, SL_STR("value")), "new");
    sl_body_discard(lent);
    rig_close(r);
}

/* ---- closed at once ------------------------------------------------------------------------------------------------------ */

TEST(an_engine_that_is_closed_without_a_stop_leaves_nothing)
{
    uv_loop_t loop;
    sl_engine *engine;
    sl_error error = {0};
    char *state = rig_path("state");
    uv_loop_init(&loop);
    sl_engine_options options = {.loop = &loop, .state = state, .workers = 2};
    CHECK_INT(sl_engine_open(&options, &engine, &error), 0);
    sl_engine_close(engine);
    while (uv_loop_close(&loop) != 0) uv_run(&loop, UV_RUN_ONCE);
    free(state);
}

/* ---- a stop while segments are carried forward --------------------------------------------------------------------------- */

TEST(a_stop_does_not_wait_for_retention)
{
    rig *r = rig_open("  make: {type: misbehave-source, count: 40000, to: {success: hold}}\n", false);
    sl_carry *carry = &r->engine->carry;
    rig_until(r, rig_is_idle);
    carry->before = UINT32_MAX;
    carry->end = r->engine->flowfiles.block_count * SL_SLAB_BLOCK;
    carry->running = true;
    sl_engine_carry_step(r->engine);
    uint64_t next = sl_journal_next(r->engine->journal);
    CHECK(!carry->walked);
    sl_engine_drain(r->engine, 5 * SL_SECOND, NULL, NULL);
    while (!r->engine->drained) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(sl_journal_next(r->engine->journal), next);
    rig_close(r);
}

TEST(retention_waits_for_the_sweep_which_reads_old_segments)
{
    rig *r = rig_open("  make: {type: misbehave-source, to: {success: end}}\n", true);
    sl_engine *engine = r->engine;
    sl_error error;
    CHECK_INT(sl_journal_roll(engine->journal, &error), 0);
    sl_engine_begin_checkpoint(engine);
    sl_journal_retain_bytes(engine->journal, 1);
    while (engine->sweeping || sl_journal_keep_from(engine->journal) < 2) uv_run(&r->loop, UV_RUN_NOWAIT);
    engine->sweeping = true;
    sl_engine_retain(engine);
    CHECK(!engine->carry.running);
    engine->sweeping = false;
    sl_engine_retain(engine);
    CHECK(engine->carry.running);
    rig_close(r);
}

/* ---- a new definition at the end -------------------------------------------------------------------------------------------- */

#define ONE_FLOW "sluice: 1\nname: t\nprocessors:\n  make: {type: misbehave-source, to: {success: end}}\n"

static char *told;
static void note_told(void *context, const char *failure)
{
    ++*(int *)context;
    free(told);
    told = failure ? sl_strdup(failure) : NULL;
}

static void replace(rig *r, int *count)
{
    sl_problems problems = {.file = "t.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(r->engine)};
    sl_flow *flow = sl_flow_parse(sl_str_of(ONE_FLOW), "t.yaml", &options, &problems);
    sl_problems_done(&problems);
    sl_engine_replace_flow(r->engine, flow, note_told, count);
}

TEST(a_definition_that_comes_before_a_stop_is_taken_and_one_that_comes_after_it_is_not)
{
    rig *r = rig_open("  make: {type: misbehave-source, to: {success: end}}\n", true);
    int count = 0;
    replace(r, &count);
    sl_engine_drain(r->engine, 5 * SL_SECOND, NULL, NULL);
    while (!r->engine->drained) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_run_messages(r->engine);
    CHECK(count == 1 && !told);
    replace(r, &count);
    rig_close(r);
    CHECK(count == 2 && told && strstr(told, "stops"));
    free(told);
    told = NULL;
}

/* ---- a clock that once was ahead ------------------------------------------------------------------------------------------ */

static bool three_are_held(rig *r) { return rig_objects(r, "try.failure.hold") == 3; }

TEST(ages_are_right_in_a_state_that_was_once_written_under_a_clock_ahead)
{
    char *text = gated("  make: {type: misbehave-source, count: 3, to: {success: try}}\n"
                       "  try:\n"
                       "    type: misbehave\n"
                       "    retry: {failure: {transient: 50ms, backoff: 5ms, max_backoff: 5ms}}\n"
                       "    to: {success: end, other: end, failure: hold}\n"
                       "    while: \"",
                       "\"\n");
    rig_set_clock(365 * 86400 * SL_SECOND);
    rig *r = rig_open(
        "  make: {type: misbehave-source, enabled: false, to: {success: try}}\n  try: {type: misbehave, to: {success: end, other: end, failure: hold}}\n",
        true);
    sl_batch *batch = sl_batch_new();
    sl_batch_note(r->engine, batch, SL_EVENT_RELEASE, 0, 1, (sl_str){0}, (sl_str){0});
    sl_engine_append(r->engine, batch);
    rig_close(r);
    rig_set_clock(0);
    rig_gate("gate", true);
    r = rig_open(text, false);
    CHECK(r->engine->last_time > sl_now() + 300 * 86400 * SL_SECOND);
    rig_until(r, three_are_held);
    CHECK(rig_queue(r, "try.failure.hold")->ready.first->queued <= sl_now());
    rig_close(r);
    r = rig_open(text, true);
    CHECK(rig_queue(r, "try.failure.hold")->ready.first->queued <= sl_now());
    rig_close(r);
    free(text);
}
