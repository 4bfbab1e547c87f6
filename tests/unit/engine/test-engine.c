/* The engine as a whole: real modules, a real journal; flows run until idle, stop, start again. */
#include "test.h"

#include "operate.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/engine.h"
#include "engine/private.h"

typedef struct rig {
    uv_loop_t loop;
    uv_timer_t look;
    sl_engine *engine;
    sl_engine_summary summary;
    int64_t deadline;
    bool drained;
} rig;

static sl_flow *flow_of(sl_engine *engine, const char *text)
{
    sl_problems problems = {.file = "test.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(engine)};
    sl_flow *flow = sl_flow_parse(sl_str_of(text), "test.yaml", &options, &problems);
    sl_buf printed = SL_BUF(1 << 20);
    sl_problems_print(&problems, &printed);
    if (!flow) sl_test_failed(__FILE__, __LINE__, "%s", printed.data);
    sl_buf_done(&printed);
    sl_problems_done(&problems);
    return flow;
}

static size_t window; /* of the engines that are opened; 0: its default */

static rig *rig_open(const char *flow, bool paused, uint64_t segment_events)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    char *state = sl_asprintf("%s/state", sl_test_folder());
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->look);
    r->look.data = r;
    sl_engine_options options = {.loop = &r->loop, .state = state, .paused = paused, .segment_events = segment_events, .window = window};
    int result = sl_engine_open(&options, &r->engine, &error);
    free(state);
    if (result < 0) {
        sl_test_failed(__FILE__, __LINE__, "%s", error.text);
        exit(1);
    }
    sl_flow *definition = flow ? flow_of(r->engine, flow) : NULL;
    if (definition && sl_engine_add_flow(r->engine, definition, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text);
    return r;
}

static void look(uv_timer_t *timer)
{
    rig *r = timer->data;
    sl_engine_summarise(r->engine, &r->summary);
    if (r->summary.idle || r->summary.only_paused || sl_ticks() > r->deadline) uv_stop(&r->loop);
}

static void run_until_idle(rig *r)
{
    r->deadline = sl_ticks() + 60 * SL_SECOND;
    sl_engine_start(r->engine);
    uv_timer_start(&r->look, look, 5, 5);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&r->look);
    if (!r->summary.idle) fprintf(stderr, "# not idle: %s\n", r->summary.why);
}

static void on_drained(void *context)
{
    rig *r = context;
    r->drained = true;
    uv_stop(&r->loop);
}

static void rig_close(rig *r)
{
    sl_engine_drain(r->engine, 5 * SL_SECOND, on_drained, r);
    while (!r->drained) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_close(r->engine);
    uv_close((uv_handle_t *)&r->look, NULL);
    while (uv_loop_close(&r->loop) != 0) uv_run(&r->loop, UV_RUN_ONCE);
    free(r);
}

#define CHAIN(count_, end_)                                \
    "sluice: 1\n"                                          \
    "name: chain\n"                                        \
    "processors:\n"                                        \
    "  make:\n"                                            \
    "    type: generate-flowfile\n"                        \
    "    count: " #count_ "\n"                             \
    "    batch: 1000\n"                                    \
    "    size: 0B\n"                                       \
    "    to: {success: sort}\n"                            \
    "  sort:\n"                                            \
    "    type: route-on-attribute\n"                       \
    "    routes: {all: \"${filename:isEmpty():not()}\"}\n" \
    "    to: {all: mark, unmatched: mark}\n"               \
    "  mark:\n"                                            \
    "    type: update-attribute\n"                         \
    "    attributes: {seen: \"yes\"}\n"                    \
    "    to: {success: " end_ ", failure: hold}\n"

static uint64_t held(rig *r)
{
    const sl_queue *queue = sl_map_get(&r->engine->queues, SL_STR("chain/mark.success.hold"));
    return queue ? queue->objects : 0;
}

TEST(a_chain_runs_to_its_end)
{
    rig *r = rig_open(CHAIN(20000, "end"), false, 0);

    run_until_idle(r);
    CHECK(r->summary.idle);
    CHECK_INT(r->summary.delivered, 20000);
    CHECK_INT(r->summary.queued, 0);

    rig_close(r);
}

TEST(what_is_held_is_there_after_a_restart)
{
    rig *r = rig_open(CHAIN(2500, "hold"), false, 0);
    run_until_idle(r);
    CHECK_INT(held(r), 2500);
    rig_close(r);
    r = rig_open(CHAIN(2500, "hold"), true, 0);
    CHECK_INT(held(r), 2500);
    const sl_queue *queue = sl_map_get(&r->engine->queues, SL_STR("chain/mark.success.hold"));
    CHECK(queue->ready.first->body == NULL); /* read when it is wanted */
    sl_body *body = sl_body_need(r->engine, queue->ready.first);
    CHECK_VIEW(sl_attributes_get(body->attributes, SL_STR("seen")), "yes");
    rig_close(r);
}

TEST(segments_roll_and_the_fold_stays_the_same)
{
    rig *r = rig_open(CHAIN(5000, "hold"), false, 1500);
    run_until_idle(r);
    CHECK_INT(held(r), 5000);
    CHECK(sl_journal_segment(r->engine->journal) > 4);
    uint64_t next = atomic_load(&r->engine->next_id);
    rig_close(r);
    r = rig_open(CHAIN(5000, "hold"), false, 1500);
    CHECK_INT(held(r), 5000);
    CHECK(atomic_load(&r->engine->next_id) >= next);
    run_until_idle(r); /* the source has made what it had to */
    CHECK_INT(held(r), 5000);
    rig_close(r);
}

TEST(hold_is_given_back_or_emptied)
{
    rig *r = rig_open(CHAIN(10, "hold"), false, 0);
    sl_error error = {0};
    run_until_idle(r);
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_replay, "chain/mark.success.hold", NULL), 10);
    run_until_idle(r);
    CHECK_INT(held(r), 10);
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, "chain/mark.success.hold", NULL), 10);
    CHECK_INT(held(r), 0);
    CHECK_INT(sl_engine_queue_replay(r->engine, "chain/make.success.sort", NULL, NULL, NULL, &error), -1);
    rig_close(r);
}

TEST(a_flow_without_a_place_for_what_waits_is_refused)
{
    rig *r = rig_open(CHAIN(10, "hold"), false, 0);
    run_until_idle(r);
    rig_close(r);
    r = rig_open(NULL, false, 0);
    sl_error error = {0};
    sl_flow *flow = flow_of(r->engine, CHAIN(10, "end"));
    CHECK_INT(sl_engine_add_flow(r->engine, flow, &error), -1);
    CHECK(strstr(error.text, "chain/mark.success.hold") != NULL);
    sl_flow_free(flow);
    rig_close(r);
}

static char replaced[1024] = "not told";
static void on_replaced(void *context, const char *failure)
{
    snprintf(replaced, sizeof replaced, "%s", failure ? failure : "");
    uv_stop(&((rig *)context)->loop);
}

TEST(a_reload_swaps_or_leaves_all_as_it_was)
{
    rig *r = rig_open(CHAIN(100, "hold"), false, 0);
    run_until_idle(r);
    sl_engine_replace_flow(r->engine, flow_of(r->engine, CHAIN(100, "end")), on_replaced, r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK(strstr(replaced, "chain/mark.success.hold") != NULL);
    sl_engine_replace_flow(r->engine, flow_of(r->engine, CHAIN(150, "hold")), on_replaced, r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    CHECK_STR(replaced, "");
    run_until_idle(r);
    CHECK_INT(held(r), 150);
    rig_close(r);
}

TEST(flows_share_a_service_as_long_as_one_uses_it)
{
    static const char shared[] = "b2: {type: s3, endpoint: \"file:///tmp\"}\n";
    static const char text[] = "sluice: 1\nname: %s\nprocessors:\n"
                               "  make: {type: generate-flowfile, count: 1, to: {success: put}}\n"
                               "  put: {type: put-s3, service: b2, bucket: b, key: k, to: {success: end, failure: hold}}\n";
    rig *r = rig_open(NULL, false, 0);
    sl_arena arena = {0};
    sl_problems problems = {.file = "sluiced.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(r->engine)};
    options.shared_services = sl_tree_parse(sl_str_of(shared), &arena, &problems);
    sl_error error = {0};
    for (const char *name = "a"; name; name = *name == 'a' ? "b" : NULL) {
        char *yaml = sl_asprintf(text, name);
        CHECK_INT(sl_engine_add_flow(r->engine, sl_flow_parse(sl_str_of(yaml), "x.yaml", &options, &problems), &error), 0);
        free(yaml);
    }
    sl_running_flow *a = sl_map_get(&r->engine->flows, SL_STR("a")), *b = sl_map_get(&r->engine->flows, SL_STR("b"));
    CHECK(a->services[0] == b->services[0]);
    /* The one that made it goes; the other still has it. */
    sl_running_flow_detach(a);
    sl_map_remove(&r->engine->flows, SL_STR("a"));
    sl_running_flow_free(a);
    CHECK_INT(r->engine->services.live, 1);
    CHECK(b->services[0]->initialised);
    rig_close(r);
    sl_problems_done(&problems);
    sl_arena_done(&arena);
}

static void write_file(const char *folder, const char *name, size_t size)
{
    char *path = sl_asprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    SL_ASSERT(file);
    for (size_t i = 0; i < size; i++) fputc('a' + (int)(i % 26), file);
    fclose(file);
    free(path);
}

TEST(files_become_files)
{
    char *in = sl_asprintf("%s/in", sl_test_folder()), *out = sl_asprintf("%s/out", sl_test_folder());
    mkdir(in, 0755);
    mkdir(out, 0755);
    write_file(in, "small", 10);
    write_file(in, "packed", 50000);
    write_file(in, "large", 600000);
    char *text = sl_asprintf("sluice: 1\nname: files\nprocessors:\n"
                             "  take: {type: get-file, directory: \"%s\", source: delete, min_age: 0, to: {success: put}}\n"
                             "  put: {type: put-file, directory: \"%s\", to: {success: end, failure: hold}}\n",
                             in, out);
    rig *r = rig_open(text, false, 0);
    run_until_idle(r);
    CHECK(r->summary.idle);
    CHECK_INT(r->summary.delivered, 3);
    rig_close(r);
    struct stat status;
    char *path = sl_asprintf("%s/large", out), *gone = sl_asprintf("%s/large", in);
    CHECK(stat(path, &status) == 0 && status.st_size == 600000);
    CHECK(stat(gone, &status) < 0);
    free(path);
    free(gone);
    free(text);
    free(in);
    free(out);
}

/* Several workers of one instance, fed by several queues, all to few targets: turns must not wait for each other. */
TEST(turns_on_workers_come_to_an_end)
{
    char *out = sl_asprintf("%s/turns", sl_test_folder());
    mkdir(out, 0755);
    char *text = sl_asprintf(
        "sluice: 1\nname: turns\nprocessors:\n"
        "  a: {type: generate-flowfile, count: 60, batch: 7, size: 100B, attributes: {filename: \"${nextInt():mod(3)}\"}, to: {success: put}}\n"
        "  b: {type: generate-flowfile, count: 60, batch: 5, size: 100B, attributes: {filename: \"${nextInt():mod(3)}\"}, to: {success: put}}\n"
        "  c: {type: generate-flowfile, count: 60, batch: 3, size: 100B, attributes: {filename: \"${nextInt():mod(3)}\"}, to: {success: put}}\n"
        "  put: {type: put-file, directory: \"%s\", conflict: replace, concurrency: 4, to: {success: end, failure: hold}}\n",
        out);
    rig *r = rig_open(text, false, 0);
    run_until_idle(r);
    CHECK(r->summary.idle);
    CHECK_INT(r->summary.delivered, 180);
    rig_close(r);
    free(text);
    free(out);
}

/* ---- beyond the window ------------------------------------------------------------------------------------------ */

#define LONG_CHAIN                                                                                         \
    "sluice: 1\n"                                                                                          \
    "name: chain\n"                                                                                        \
    "processors:\n"                                                                                        \
    "  make: {type: generate-flowfile, count: 3000, batch: 500, size: %s, to: {success: [sort, other]}}\n" \
    "  sort: {type: hash-content, enabled: %s, to: {success: end, failure: hold}}\n"                       \
    "  other: {type: hash-content, enabled: %s, to: {success: end, failure: hold}}\n"

static size_t count_cold(rig *r, size_t *ret_all)
{
    const sl_flowfile *at;
    size_t cold = 0;
    *ret_all = 0;
    for (size_t n = 0; (at = sl_slab_at(&r->engine->flowfiles, n)); n++) {
        if (!at->id) continue;
        ++*ret_all;
        cold += at->body == NULL;
    }
    return cold;
}

static uint64_t content_files(rig *r)
{
    for (int64_t end = sl_ticks() + 60 * SL_SECOND; sl_content_bytes(r->engine->content) && sl_ticks() < end;)
        uv_run(&r->loop, UV_RUN_ONCE);
    return sl_content_bytes(r->engine->content);
}

/* First everything waits, far beyond the window, each content held by two; then, after a restart, all of it comes through. */
static void through_the_window(const char *size)
{
    char *waits = sl_asprintf(LONG_CHAIN, size, "false", "false"), *goes = sl_asprintf(LONG_CHAIN, size, "true", "true");
    size_t all;
    window = 100;
    rig *r = rig_open(waits, false, 4000);
    r->deadline = sl_ticks() + 60 * SL_SECOND;
    sl_engine_start(r->engine);
    while (r->engine->flowfiles.count < 6000 && sl_ticks() < r->deadline) uv_run(&r->loop, UV_RUN_ONCE);
    size_t cold = count_cold(r, &all);
    CHECK_INT(all, 6000);
    CHECK(cold >= 5700);
    rig_close(r);
    r = rig_open(goes, false, 4000);
    CHECK_INT(count_cold(r, &all), 6000);
    run_until_idle(r);
    CHECK_INT(r->summary.delivered, 6000);
    CHECK_INT(r->summary.queued, 0);
    CHECK_INT(r->summary.held, 0);
    CHECK_INT(content_files(r), 0); /* the last holder's going lets the bytes go */
    rig_close(r);
    window = 0;
    free(waits);
    free(goes);
}

TEST(a_long_queue_keeps_little_in_memory) { through_the_window("10B"); }
TEST(packed_content_is_held_by_all_that_share_it) { through_the_window("3KB"); }

TEST(a_long_queue_is_emptied_without_a_rest)
{
    char *waits = sl_asprintf(LONG_CHAIN, "3KB", "false", "false");
    window = 50;
    rig *r = rig_open(waits, false, 0);
    r->deadline = sl_ticks() + 60 * SL_SECOND;
    sl_engine_start(r->engine);
    while (r->engine->flowfiles.count < 6000 && sl_ticks() < r->deadline) uv_run(&r->loop, UV_RUN_ONCE);
    while (sl_journal_durable(r->engine->journal) + 1 < sl_journal_next(r->engine->journal)) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, "chain/make.success.sort", NULL), 3000);
    CHECK(sl_content_bytes(r->engine->content) > 0); /* the others hold it */
    CHECK_INT(operate(r->engine, &r->loop, sl_engine_queue_empty, "chain/make.success.other", NULL), 3000);
    CHECK_INT(content_files(r), 0);
    rig_close(r);
    window = 0;
    free(waits);
}

/* ---- priorities --------------------------------------------------------------------------------------------------- */

typedef struct listing {
    sl_engine *engine;
    char text[400];
} listing;

static void note_name(listing *to, sl_flowfile *flowfile)
{
    size_t at = strlen(to->text);
    sl_str name = sl_attributes_get(sl_body_need(to->engine, flowfile)->attributes, SL_STR("filename"));
    snprintf(to->text + at, sizeof to->text - at, "%s%.*s", at ? " " : "", SL_STR_ARGS(name));
}

static void note_names(const sl_queue *queue, listing *to)
{
    sl_flowfile *front[16];
    size_t count = sl_queue_front(queue, SL_COUNT(front), front);
    for (size_t i = 0; i < count; i++) note_name(to, front[i]);
}

static void put_made(sl_engine *engine, sl_queue *queue, const char *name, uint64_t size, const char *priority)
{
    static int64_t born = 1000;
    sl_pair pairs[] = {{SL_STR("filename"), sl_str_of(name)}, {SL_STR("priority"), sl_str_of(priority)}};
    sl_flowfile *flowfile = sl_engine_born(engine, atomic_fetch_add(&engine->next_id, 1), born++);
    flowfile->body->attributes = sl_attributes_new(pairs, *priority ? 2 : 1);
    flowfile->size = size;
    flowfile->seq = flowfile->id;
    sl_engine_put(engine, queue, flowfile, born);
}

static void check_order(const char *prioritize, const char *expected)
{
    char *text = sl_asprintf("sluice: 1\nname: order\nprocessors:\n"
                             "  make: {type: generate-flowfile, count: 1, enabled: false, to: {success: last}}\n"
                             "  last: {type: hash-content, enabled: false, to: {success: end, failure: hold}}\n"
                             "connections: {make.success: {prioritize: %s}}\n",
                             prioritize);
    rig *r = rig_open(text, false, 0);
    sl_queue *queue = sl_map_get(&r->engine->queues, SL_STR("order/make.success.last"));
    put_made(r->engine, queue, "a", 30, "10");
    put_made(r->engine, queue, "b", 10, "x");
    put_made(r->engine, queue, "c", 20, "2");
    put_made(r->engine, queue, "d", 10, "2");
    put_made(r->engine, queue, "e", 30, "");
    listing listed = {.engine = r->engine};
    note_names(queue, &listed);
    CHECK_STR(listed.text, expected);
    sl_flowfile *first = sl_queue_take(queue, UINT64_MAX);
    CHECK(first && sl_attributes_get(first->body->attributes, SL_STR("filename")).data[0] == expected[0]);
    sl_queue_return(first, INT64_MAX);
    listed.text[0] = 0;
    note_names(queue, &listed);
    CHECK_STR(listed.text, expected);
    rig_close(r);
    free(text);
}

TEST(a_queue_gives_by_its_priorities)
{
    check_order("[]", "a b c d e");
    check_order("[first-in]", "a b c d e");
    check_order("[newest]", "e d c b a");
    check_order("[oldest]", "a b c d e");
    check_order("[smallest]", "b d c a e");
    check_order("[priority]", "c d a b e");
    check_order("[{attribute: priority}, newest]", "d c a b e");
    check_order("[smallest, {attribute: priority}]", "d b c a e");
}
