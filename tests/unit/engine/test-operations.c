/* What is done to a whole queue: in slices, over what was there, with bodies in memory or not; a stop in the middle. */
#include "rig.h"

#include "engine/operations.h"
#include "operate.h"

#include <errno.h>

enum { MANY = 20000 /* twice the window: half of the bodies are in the journal alone */ };
#define HOLD "t/park.success.hold"
#define MADE(count_)                                                                           \
    "  make: {type: misbehave-source, count: " #count_ ", batch: 1000, to: {success: park}}\n" \
    "  park: {type: misbehave, to: {success: hold, other: hold, failure: hold}}\n"

static bool all_held(rig *r)
{
    return rig_objects(r, "park.success.hold") == MANY && sl_journal_durable(r->engine->journal) + 1 == sl_journal_next(r->engine->journal);
}

static rig *open_held(void)
{
    sl_error error;
    rig *r = rig_open(MADE(20000), false);
    rig_until(r, all_held);
    sl_engine_processor_set(r->engine, "t/park", "stop", &error);
    return r;
}

static void put(rig *r, sl_queue *queue)
{
    sl_batch *batch = sl_batch_new();
    sl_flowfile *flowfile = sl_engine_born(r->engine, atomic_fetch_add(&r->engine->next_id, 1), 1);
    sl_step step = {.type = SLUICE_CREATE, .queue = queue->name};
    sl_chain_add(r->engine, batch, flowfile, &step);
    sl_engine_append(r->engine, batch);
    sl_engine_put(r->engine, queue, flowfile, 1);
}

static int64_t number_of(rig *r, const sl_flowfile *flowfile)
{
    sl_body *lent, *body = sl_body_look(r->engine, flowfile, &lent);
    int64_t number = body ? strtoll(sl_attributes_get(body->attributes, SL_STR("number")).data, NULL, 10) : -1;
    sl_body_discard(lent);
    return number;
}

/* ---- slices --------------------------------------------------------------------------------------------------------- */

TEST(a_replay_goes_in_slices_and_keeps_the_order)
{
    rig *r = open_held();
    sl_error error = {0};
    operated to = {0};
    sl_queue *back = rig_queue(r, "make.success.park");
    CHECK_INT(sl_engine_queue_replay(r->engine, HOLD, NULL, note_operated, &to, &error), 0);
    CHECK_INT(back->objects, 0);
    uint64_t turns = 0, before = 0, most = 0;
    for (; !to.done; turns++, before = back->objects) {
        uv_run(&r->loop, UV_RUN_ONCE);
        most = SL_MAX(most, back->objects - before);
    }
    printf("# %llu turns, at most %llu in one\n", (unsigned long long)turns, (unsigned long long)most);
    CHECK_INT(to.result.count, MANY);
    CHECK(most <= 2 * SL_OPERATION_AHEAD);
    CHECK_INT(back->objects, MANY);
    CHECK(rig_queue(r, "make.success.park")->cold != NULL); /* the window holds there too */
    while (sl_journal_durable(r->engine->journal) + 1 < sl_journal_next(r->engine->journal)) uv_run(&r->loop, UV_RUN_ONCE);
    sl_flowfile *front[200];
    CHECK_INT(sl_queue_front(back, SL_COUNT(front), front), SL_COUNT(front));
    int64_t first = number_of(r, front[0]);
    for (size_t i = 0; i < SL_COUNT(front); i++) CHECK_INT(number_of(r, front[i]), first + (int64_t)i);
    rig_close(r);
}

TEST(what_comes_meanwhile_is_not_meant)
{
    rig *r = open_held();
    sl_error error = {0};
    operated to = {0};
    sl_queue *held = rig_queue(r, "park.success.hold");
    CHECK_INT(sl_engine_queue_empty(r->engine, HOLD, NULL, note_operated, &to, &error), 0);
    while (!to.done) {
        put(r, held);
        uv_run(&r->loop, UV_RUN_ONCE);
    }
    CHECK_INT(to.result.count, MANY);
    CHECK(held->objects > 10 && held->objects == held->entered_objects - MANY);
    rig_close(r);
}

TEST(those_of_a_selection_are_found_in_the_journal_too)
{
    rig *r = open_held();
    char text[24];
    snprintf(text, sizeof text, "%d", MANY - 5);
    sl_str names[] = {SL_STR("number")}, values[] = {sl_str_of(text)};
    sl_selection which = {.names = names, .values = values, .attribute_count = 1};
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, HOLD, &which), 1);
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, HOLD, &which), 0);
    CHECK_INT(rig_objects(r, "park.success.hold"), MANY - 1);
    rig_close(r);
}

TEST(one_at_a_time_over_a_queue_and_a_few_over_all)
{
    rig *r = open_held();
    sl_error error = {0};
    operated first = {0}, others[SL_OPERATIONS] = {0};
    CHECK_INT(sl_engine_queue_empty(r->engine, HOLD, NULL, note_operated, &first, &error), 0);
    CHECK_INT(sl_engine_queue_replay(r->engine, HOLD, NULL, note_operated, &others[0], &error), -1);
    CHECK_INT(error.code, EBUSY);
    CHECK(strstr(error.text, "queue empty") != NULL);
    for (size_t i = 1; i < SL_OPERATIONS; i++) {
        char key[32];
        snprintf(key, sizeof key, "t/queue-%zu", i);
        put(r, sl_engine_queue(r->engine, sl_str_of(key)));
        CHECK_INT(sl_engine_queue_empty(r->engine, key, NULL, note_operated, &others[i], &error), 0);
    }
    CHECK_INT(sl_engine_queue_empty(r->engine, "t/make.success.park", NULL, note_operated, &others[0], &error), -1);
    CHECK_INT(error.code, EBUSY);
    while (!first.done || !others[1].done) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(others[1].result.count, 1);
    CHECK_INT(sl_engine_queue_empty(r->engine, "t/make.success.park", NULL, note_operated, &others[0], &error), 0);
    rig_close(r);
    CHECK(others[0].done);
}

TEST(a_stop_in_the_middle_leaves_the_rest)
{
    rig *r = open_held();
    sl_error error = {0};
    operated to = {0};
    CHECK_INT(sl_engine_queue_empty(r->engine, HOLD, NULL, note_operated, &to, &error), 0);
    while (rig_objects(r, "park.success.hold") == MANY) uv_run(&r->loop, UV_RUN_ONCE);
    rig_close(r);
    CHECK(to.done && to.result.count > 0 && to.result.count < MANY);
    CHECK_STR(to.why, "sluice stops");
    r = rig_open(MADE(0), true);
    CHECK_INT(rig_objects(r, "park.success.hold"), MANY - to.result.count);
    rig_close(r);
}

/* ---- what cannot be read ------------------------------------------------------------------------------------------------ */

static size_t told(rig *r)
{
    sl_buf text = SL_BUF(1 << 20);
    uint64_t last;
    size_t count = 0;
    sl_engine_bulletins_json(r->engine, 0, 1000, &text, &last);
    for (const char *at = text.data; (at = strstr(at, "cannot be read")); at++) count++;
    CHECK(!strstr(text.data, "\"count\":2"));
    sl_buf_done(&text);
    return count;
}

static sl_flowfile *spoil_last(rig *r)
{
    sl_flowfile *last = rig_queue(r, "park.success.hold")->ready.last;
    CHECK(!last->body);
    last->segment = 77; /* there is none */
    return last;
}

TEST(one_that_cannot_be_read_stays_and_is_counted)
{
    rig *r = open_held();
    sl_error error = {0};
    operated to = {0};
    spoil_last(r);
    CHECK_INT(sl_engine_queue_empty(r->engine, HOLD, NULL, note_operated, &to, &error), 0);
    while (!to.done) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(to.result.count, MANY - 1);
    CHECK_INT(to.result.unread, 1);
    CHECK_INT(rig_objects(r, "park.success.hold"), 1);
    rig_close(r);
}

static bool expired_once(rig *r) { return rig_objects(r, "park.success.hold") == 1 && !r->engine->operations; }

TEST(one_that_cannot_be_read_does_not_expire_each_second)
{
    rig *r = open_held();
    sl_queue *held = rig_queue(r, "park.success.hold");
    spoil_last(r);
    held->expire_after = 1;
    held->expire_from = 0;
    sl_expiry_look(r->engine);
    rig_until(r, expired_once);
    CHECK_INT(told(r), 1);
    put(r, held); /* a reason to look again */
    held->expire_rest = 0;
    sl_expiry_look(r->engine);
    CHECK(r->engine->operations != NULL);
    rig_until(r, expired_once);
    CHECK_INT(told(r), 1);
    CHECK(held->expire_unread > sl_ticks());
    rig_close(r);
}

/* ---- listing --------------------------------------------------------------------------------------------------------------- */

typedef struct listed {
    char *text;
} listed;

static void note_listed(void *context, sl_buf *text)
{
    listed *to = context;
    to->text = sl_buf_take(text);
}

static char *list(rig *r, size_t limit, size_t ceiling)
{
    sl_error error = {0};
    listed to = {0};
    CHECK_INT(sl_engine_queue_list(r->engine, HOLD, limit, ceiling, note_listed, &to, &error), 0);
    CHECK(!to.text);
    while (!to.text) uv_run(&r->loop, UV_RUN_ONCE);
    return to.text;
}

TEST(a_listing_has_the_first_and_says_what_cannot_be_read)
{
    rig *r = open_held();
    rig_close(r);
    r = rig_open(MADE(0), true); /* no body is in memory */
    sl_queue *held = rig_queue(r, "park.success.hold");
    CHECK(!held->ready.first->body);
    held->ready.first->next->segment = 77;
    char *text = list(r, 3, 1 << 20), *second = strstr(text, "\"position\":1");
    CHECK(strstr(text, "\"position\":2") && !strstr(text, "\"position\":3") && strstr(text, "\"truncated\":true"));
    CHECK(second && strstr(second, "\"unreadable\":\"journal") && strstr(text, "\"number\""));
    CHECK(!held->ready.first->body);
    free(text);
    text = list(r, 1000, 4096);
    CHECK(strlen(text) <= 4096 && strstr(text, "],\"truncated\":true}"));
    free(text);
    rig_close(r);
}

/* ---- the first of a heap ------------------------------------------------------------------------------------------------------ */

static bool smaller(const void *none, const sl_flowfile *a, const sl_flowfile *b)
{
    (void)none;
    return a->size < b->size;
}

TEST(the_first_of_a_heap_are_found_in_order)
{
    enum { COUNT = 1000, FIRST = 50 };
    static sl_flowfile all[COUNT];
    sl_flowfile *front[FIRST + 1];
    sl_heap heap = {0};
    for (size_t i = 0; i < COUNT; i++) {
        all[i].size = i * 619 % COUNT;
        sl_heap_put(&heap, &all[i], smaller, NULL);
    }
    CHECK_INT(sl_heap_first(&heap, FIRST, smaller, NULL, front), FIRST);
    for (size_t i = 0; i < FIRST; i++) CHECK_INT(front[i]->size, i);
    while (heap.count > 7) sl_heap_remove(&heap, heap.items[0], smaller, NULL);
    CHECK_INT(sl_heap_first(&heap, FIRST, smaller, NULL, front), 7);
    CHECK_INT(front[6]->size, COUNT - 1);
    sl_heap_done(&heap);
}
