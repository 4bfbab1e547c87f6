/* What happens to old segments, and to one whose file fails: a week with a small limit, days with an age, a disk that
 * refuses a sync under a running flow. Nothing that lives is dropped. */
#include "test.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/engine.h"
#include "engine/private.h"
#include "journal/vfs.h"

#define DAY (24 * 3600 * SL_SECOND)
enum { LIMIT = 3 << 20, STEPS = 12 };

static _Atomic int64_t offset;
static sl_sys sys;
static int64_t moved_realtime(void) { return sl_sys_real.realtime() + offset; }

typedef struct rig {
    uv_loop_t loop;
    sl_engine *engine;
    bool drained;
} rig;

static sl_flow *flow_of(sl_engine *engine, const char *text)
{
    sl_problems problems = {.file = "test.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(engine)};
    sl_flow *flow = sl_flow_parse(sl_str_of(text), "test.yaml", &options, &problems);
    if (!flow) sl_panic(__FILE__, __LINE__, "%s", problems.count ? problems.items[0].message : "?");
    sl_problems_done(&problems);
    return flow;
}

static rig *open_rig(const char *flow, sl_engine_options options)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    char *state = sl_asprintf("%s/state", sl_test_folder());
    sys = sl_sys_real;
    sys.realtime = moved_realtime;
    sl_sys_now = &sys;
    uv_loop_init(&r->loop);
    options.loop = &r->loop;
    options.state = state;
    if (sl_engine_open(&options, &r->engine, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    if (sl_engine_add_flow(r->engine, flow_of(r->engine, flow), &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    sl_engine_start(r->engine);
    free(state);
    return r;
}

static void on_drained(void *context)
{
    rig *r = context;
    r->drained = true;
}

static void close_rig(rig *r)
{
    sl_engine_drain(r->engine, 5 * SL_SECOND, on_drained, r);
    while (!r->drained) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_close(r->engine);
    while (uv_loop_close(&r->loop) != 0) uv_run(&r->loop, UV_RUN_ONCE);
    sl_sys_now = &sl_sys_real;
    free(r);
}

static uint64_t objects(rig *r, const char *key)
{
    const sl_queue *queue = sl_map_get(&r->engine->queues, sl_str_of(key));
    return queue ? queue->objects : 0;
}

/* ---- the disk ------------------------------------------------------------------------------------------------------ */

typedef struct usage {
    uint64_t bytes, largest /* of one segment, with its log and index */;
    unsigned segments, first;
} usage;

static usage look_at_disk(void)
{
    enum { NUMBERS = 4096 };
    static uint64_t sizes[NUMBERS];
    usage found = {0};
    char *folder = sl_asprintf("%s/state/journal", sl_test_folder());
    DIR *dir = opendir(folder);
    memset(sizes, 0, sizeof sizes);
    for (struct dirent *entry; (entry = readdir(dir));) {
        unsigned number;
        int end = 0;
        struct stat status;
        char *path = sl_asprintf("%s/%s", folder, entry->d_name);
        if (sscanf(entry->d_name, "%6u.%n", &number, &end) == 1 && end && number < NUMBERS && stat(path, &status) == 0) {
            found.bytes += (uint64_t)status.st_size;
            sizes[number] += (uint64_t)status.st_size;
            found.largest = SL_MAX(found.largest, sizes[number]);
            if (strcmp(entry->d_name + end, "db") == 0) found.segments++;
            if (strcmp(entry->d_name + end, "db") == 0 && (!found.first || number < found.first)) found.first = number;
        }
        free(path);
    }
    closedir(dir);
    free(folder);
    return found;
}

/* ---- a week --------------------------------------------------------------------------------------------------------- */

/* `waits` holds what the first day made until the gate opens; `many` comes and goes all week. */
#define WEEK                                                                                                              \
    "sluice: 1\nname: week\nprocessors:\n"                                                                                \
    "  first: {type: generate-flowfile, count: 300, batch: 100, content: \"inline ${filename}\", attributes: {filename: " \
    "\"held-${nextInt()}\", day: first, note: \"a \\\"quoted\\\" one\"}, to: {success: waits}}\n"                         \
    "  waits: {type: hash-content, enabled: %s, to: {success: put, failure: hold}}\n"                                     \
    "  put: {type: put-file, directory: \"%s\", to: {success: end, failure: hold}}\n"                                     \
    "  many: {type: generate-flowfile, batch: 20, size: 0B, to: {success: mark}}\n"                                       \
    "  mark: {type: update-attribute, attributes: {filler: \"%s\"}, to: {success: end, failure: hold}}\n"

static char *week(const char *enabled)
{
    static const char filler[] = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
    char *out = sl_asprintf("%s/out", sl_test_folder()), *text = sl_asprintf(WEEK, enabled, out, filler);
    mkdir(out, 0755);
    free(out);
    return text;
}

static void run_for(rig *r, uint64_t events)
{
    uint64_t until = sl_journal_next(r->engine->journal) + events;
    int64_t ends = sl_ticks() + 20 * SL_SECOND;
    sl_engine_processor_set(r->engine, "week/many", "start", NULL);
    while (sl_journal_next(r->engine->journal) < until && sl_ticks() < ends) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_processor_set(r->engine, "week/many", "stop", NULL);
}

static bool settled(rig *r)
{
    const sl_journal *journal = r->engine->journal;
    if (sl_journal_durable(journal) + 1 < sl_journal_next(journal) || r->engine->checkpointing || r->engine->carry.running) return false;
    return sl_journal_keep_from(journal) <= sl_journal_oldest(journal) && look_at_disk().first == sl_journal_oldest(journal);
}

/* Two hours at a time, each with some events; *ret_most: the most that was there, and the largest segment. */
static unsigned pass_days(rig *r, int days, usage *ret_most)
{
    usage now = {0};
    *ret_most = now;
    for (int i = 0; i < days * STEPS; i++) {
        run_for(r, 1200);
        offset += DAY / STEPS;
        for (int64_t ends = sl_ticks() + 20 * SL_SECOND; !settled(r) && sl_ticks() < ends;) {
            sl_engine_retain(r->engine);
            uv_run(&r->loop, UV_RUN_NOWAIT);
        }
        now = look_at_disk();
        ret_most->bytes = SL_MAX(ret_most->bytes, now.bytes);
        ret_most->largest = SL_MAX(ret_most->largest, now.largest);
    }
    return now.first;
}

static void check_held(rig *r)
{
    while (sl_journal_durable(r->engine->journal) + 1 < sl_journal_next(r->engine->journal)) usleep(500);
    const sl_flowfile *at;
    size_t found = 0;
    for (size_t n = 0; (at = sl_slab_at(&r->engine->flowfiles, n)); n++) {
        if (!at->id || strcmp(at->queue->key, "week/first.success.waits") != 0) continue;
        sl_body *lent, *body = sl_body_look(r->engine, at, &lent);
        CHECK(body != NULL);
        if (!body) return;
        CHECK_VIEW(sl_attributes_get(body->attributes, SL_STR("day")), "first");
        CHECK_VIEW(sl_attributes_get(body->attributes, SL_STR("note")), "a \"quoted\" one");
        CHECK(sl_str_starts(sl_attributes_get(body->attributes, SL_STR("filename")), "held-"));
        CHECK(body->claim && body->claim->kind == SL_INLINE);
        sl_body_discard(lent);
        found++;
    }
    CHECK_INT(found, 300);
}

static unsigned count_files(void)
{
    unsigned count = 0;
    char *out = sl_asprintf("%s/out", sl_test_folder()), text[64] = "";
    DIR *dir = opendir(out);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strncmp(entry->d_name, "held-", 5) != 0) continue;
        char *path = sl_asprintf("%s/%s", out, entry->d_name), *expected = sl_asprintf("inline %s", entry->d_name);
        FILE *file = fopen(path, "r");
        memset(text, 0, sizeof text);
        CHECK(file && fread(text, 1, sizeof text - 1, file) > 0);
        CHECK_STR(text, expected);
        if (file) fclose(file);
        free(path);
        free(expected);
        count++;
    }
    closedir(dir);
    free(out);
    return count;
}

TEST(a_week_with_a_small_limit)
{
    char *waits = week("false"), *goes = week("true");
    usage most, again;
    sl_engine_options options = {.retain_bytes = LIMIT, .window = 50};
    rig *r = open_rig(waits, options);
    CHECK(pass_days(r, 4, &most) > 1);
    CHECK_INT(objects(r, "week/first.success.waits"), 300);
    check_held(r);
    close_rig(r);
    r = open_rig(waits, options); /* in the middle of the week it is started again */
    unsigned first = pass_days(r, 3, &again);
    CHECK(first > 1);
    CHECK_INT(objects(r, "week/first.success.waits"), 300);
    check_held(r);
    close_rig(r);
    uint64_t bytes = SL_MAX(most.bytes, again.bytes), largest = SL_MAX(most.largest, again.largest);
    printf("# at most %llu kB with a limit of %d kB; a segment has at most %llu kB\n", (unsigned long long)(bytes >> 10), LIMIT >> 10,
           (unsigned long long)(largest >> 10));
    CHECK(bytes <= LIMIT + largest);
    CHECK(largest < 2 * LIMIT);
    r = open_rig(goes, options);
    for (int64_t end = sl_ticks() + 30 * SL_SECOND; count_files() < 300 && sl_ticks() < end;) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(count_files(), 300);
    close_rig(r);
    offset = 0;
    free(waits);
    free(goes);
}

TEST(events_go_by_their_age)
{
    char *text = week("false");
    usage most;
    rig *r = open_rig(text, (sl_engine_options){.retain_us = DAY});
    CHECK(pass_days(r, 3, &most) > 3);
    /* A day and what one segment spans, an eighth of it: so some ten of them. */
    usage found = look_at_disk();
    printf("# %u segments from %u on\n", found.segments, found.first);
    CHECK(found.segments <= 12);
    check_held(r);
    close_rig(r);
    offset = 0;
    free(text);
}

/* ---- a disk that refuses a sync --------------------------------------------------------------------------------------- */

static bool bulletin_says(rig *r, const char *what)
{
    sl_buf text = SL_BUF(1 << 20);
    uint64_t last;
    sl_engine_bulletins_json(r->engine, 0, 1000, &text, &last);
    bool says = text.data && strstr(text.data, what);
    sl_buf_done(&text);
    return says;
}

static void run_until_carried(rig *r, uint32_t segment)
{
    for (int64_t end = sl_ticks() + 20 * SL_SECOND; sl_ticks() < end;) {
        uv_run(&r->loop, UV_RUN_ONCE);
        if (sl_journal_segment(r->engine->journal) > segment && !r->engine->checkpointing && !r->engine->carry.running) return;
    }
    sl_test_failed(__FILE__, __LINE__, "the journal did not go on in a fresh segment");
}

TEST(a_flow_survives_a_failed_sync)
{
    char *text = week("false");
    rig *r = open_rig(text, (sl_engine_options){.window = 50});
    for (int64_t end = sl_ticks() + 20 * SL_SECOND; objects(r, "week/first.success.waits") < 300 && sl_ticks() < end;)
        uv_run(&r->loop, UV_RUN_ONCE);
    for (int round = 1; round <= 3; round++) {
        uint32_t segment = sl_journal_segment(r->engine->journal);
        sl_vfs_fail_sync(1);
        run_until_carried(r, segment);
        const sl_flowfile *at;
        for (size_t n = 0; (at = sl_slab_at(&r->engine->flowfiles, n)); n++) CHECK(!at->id || at->segment > segment);
    }
    CHECK(!r->engine->failed);
    CHECK(bulletin_says(r, "fresh segment"));
    check_held(r);
    close_rig(r);
    r = open_rig(text, (sl_engine_options){.window = 50});
    check_held(r);
    close_rig(r);
    free(text);
}
