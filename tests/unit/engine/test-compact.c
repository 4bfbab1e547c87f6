/* Many small contents in one pack, of which a few are held: those move out and the pack goes, on a file system that keeps no
 * holes; whatever ends the process meanwhile, each FlowFile has its bytes. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/compact.h"
#include "engine/private.h"

enum { MADE = 320, KEPT = MADE / 20, SIZE = 20000, PACKED = MADE * SIZE };

/* Each content is held twice: by a FlowFile and by its clone. */
#define FLOW                                                                                                                   \
    "sluice: 1\nname: t\nprocessors:\n"                                                                                        \
    "  made: {type: generate-flowfile, count: 320, batch: 10, size: 20000B, attributes: {filename: \"f-${nextInt()}\", keep: " \
    "\"${nextInt():mod(40):equals(1)}\"}, to: {success: [one, two]}}\n"                                                        \
    "  one: {type: hash-content, enabled: false, to: {success: end, failure: hold}}\n"                                         \
    "  two: {type: hash-content, enabled: false, to: {success: end, failure: hold}}\n"
static const char *const queues[] = {"t/made.success.one", "t/made.success.two"};

static sl_sys sys;
static atomic_bool holes;

static int may_punch(int fd, off_t offset, off_t size)
{
    if (holes) return sl_sys_real.punch_hole(fd, offset, size);
    return errno = EOPNOTSUPP, -1;
}

typedef struct rig {
    uv_loop_t loop;
    sl_engine *engine;
} rig;

static rig *open_rig(void)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    char *state = sl_asprintf("%s/state", sl_test_folder());
    sys = sl_sys_real;
    sys.punch_hole = may_punch;
    sl_sys_now = &sys;
    uv_loop_init(&r->loop);
    sl_engine_options options = {.loop = &r->loop, .state = state};
    if (sl_engine_open(&options, &r->engine, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    sl_problems problems = {.file = "t.yaml"};
    sl_flow_options flow_options = {.registry = sl_engine_registry(r->engine)};
    sl_flow *flow = sl_flow_parse(SL_STR(FLOW), "t.yaml", &flow_options, &problems);
    if (!flow) sl_panic(__FILE__, __LINE__, "%s", problems.count ? problems.items[0].message : "?");
    if (sl_engine_add_flow(r->engine, flow, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    sl_problems_done(&problems);
    sl_engine_start(r->engine);
    free(state);
    return r;
}

static void close_rig(rig *r)
{
    sl_engine_drain(r->engine, 5 * SL_SECOND, NULL, NULL);
    while (!r->engine->drained) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_close(r->engine);
    while (uv_loop_close(&r->loop) != 0) uv_run(&r->loop, UV_RUN_ONCE);
    sl_sys_now = &sl_sys_real;
    free(r);
}

static bool until(rig *r, bool (*so)(rig *r))
{
    for (int64_t ends = sl_ticks() + 20 * SL_SECOND; !so(r) && sl_ticks() < ends;) uv_run(&r->loop, UV_RUN_NOWAIT);
    return so(r);
}

static sl_queue *queue(rig *r, size_t which) { return sl_map_get(&r->engine->queues, sl_str_of(queues[which])); }

static bool durable(rig *r) { return sl_journal_durable(r->engine->journal) + 1 == sl_journal_next(r->engine->journal); }
static bool all_made(rig *r) { return queue(r, 0) && queue(r, 1) && queue(r, 0)->objects + queue(r, 1)->objects == 2 * MADE && durable(r); }
static bool swept(rig *r) { return !r->engine->sweeping; }
static bool quiet(rig *r) { return !sl_releases_left(r->engine) && !sl_compact_runs(r->engine) && durable(r); }

static unsigned emptied;
static void on_emptied(void *context, const sl_operated *result)
{
    (void)context;
    emptied++;
    CHECK_INT(result->count, MADE - KEPT);
}
static bool both_emptied(rig *r) { return emptied == 2 && quiet(r); }

/* A state whose only pack nobody appends to and holds little of. */
static void make_state(void)
{
    static const sl_str name = {"keep", 4}, value = {"false", 5};
    sl_selection which = {.names = &name, .values = &value, .attribute_count = 1};
    sl_error error = {0};
    holes = false;
    rig *r = open_rig();
    CHECK(until(r, all_made));
    CHECK(until(r, swept));
    close_rig(r);
    r = open_rig();
    CHECK(until(r, swept));
    emptied = 0;
    for (size_t i = 0; i < SL_COUNT(queues); i++)
        CHECK_INT(sl_engine_queue_empty(r->engine, queues[i], &which, on_emptied, NULL, &error), 0);
    CHECK(until(r, both_emptied));
    close_rig(r);
}

/* Bytes of blocks of all packs. */
static uint64_t packs_take(void)
{
    uint64_t bytes = 0;
    char *folder = sl_asprintf("%s/state/content/pack", sl_test_folder());
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat status;
        char *path = sl_asprintf("%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && stat(path, &status) == 0) bytes += (uint64_t)status.st_blocks * 512;
        free(path);
    }
    closedir(dir);
    free(folder);
    return bytes;
}

typedef struct seen {
    rig *rig;
    uint64_t ids[2 * KEPT];
    size_t count, of_pack;
    uint64_t pack; /* not that one */
} seen;

static bool see(void *context, sl_flowfile *flowfile)
{
    seen *s = context;
    sl_error error = {0};
    sl_body *lent, *body = sl_body_look(s->rig->engine, flowfile, &lent);
    CHECK(body && body->claim && body->claim->kind == SL_PACKED && s->count < 2 * KEPT);
    if (!body || !body->claim || s->count == 2 * KEPT) return false;
    if (sl_content_verify(s->rig->engine->content, body->claim, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text);
    CHECK_VIEW(sl_attributes_get(body->attributes, SL_STR("keep")), "true");
    CHECK_INT(flowfile->size, SIZE);
    s->of_pack += body->claim->pack == s->pack;
    s->pack = s->pack ? s->pack : body->claim->pack;
    s->ids[s->count++] = body->claim->id;
    sl_body_discard(lent);
    return true;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void each(sl_queue *queue, bool (*visit)(void *context, sl_flowfile *flowfile), void *context)
{
    sl_flowfile *all[MADE];
    size_t count = sl_queue_front(queue, SL_COUNT(all), all);
    for (size_t i = 0; i < count && visit(context, all[i]); i++) continue;
}

/* All that was kept is there with its bytes; how many different claims that are. */
static size_t check_bytes(rig *r, uint64_t pack, size_t *ret_of_pack)
{
    seen s = {.rig = r, .pack = pack};
    size_t different = 0;
    for (size_t i = 0; i < SL_COUNT(queues); i++) {
        CHECK_INT(queue(r, i)->objects, KEPT);
        each(queue(r, i), see, &s);
    }
    CHECK_INT(s.count, 2 * KEPT);
    qsort(s.ids, s.count, sizeof *s.ids, by_id);
    for (size_t i = 0; i < s.count; i++) different += i == 0 || s.ids[i] != s.ids[i - 1];
    if (ret_of_pack) *ret_of_pack = s.of_pack;
    return different;
}

static uint64_t old_pack(rig *r)
{
    sl_body *lent, *body = sl_body_look(r->engine, sl_queue_first(queue(r, 0)), &lent);
    uint64_t pack = body->claim->pack;
    sl_body_discard(lent);
    return pack;
}

static void compact(rig *r)
{
    sl_compact_begin(r->engine);
    CHECK(sl_compact_runs(r->engine));
    CHECK(until(r, quiet));
    sl_compact_tick(r->engine);
    CHECK(until(r, quiet));
}

static void check_restart(void)
{
    rig *r = open_rig();
    CHECK(until(r, swept));
    CHECK_INT(check_bytes(r, 0, NULL), KEPT);
    CHECK_INT(sl_content_bytes(r->engine->content), KEPT * SIZE);
    close_rig(r);
}

TEST(a_pack_shrinks_to_what_lives)
{
    make_state();
    uint64_t before = packs_take();
    CHECK(before >= PACKED);
    rig *r = open_rig();
    CHECK(until(r, swept));
    CHECK_INT(check_bytes(r, 0, NULL), KEPT);
    compact(r);
    size_t left;
    CHECK_INT(check_bytes(r, 0, &left), KEPT); /* a clone has its original's copy */
    printf("# packs took %llu KiB, take %llu KiB for %d KiB\n", (unsigned long long)before >> 10, (unsigned long long)packs_take() >> 10,
           KEPT * SIZE >> 10);
    CHECK(packs_take() <= KEPT * SIZE + (64 << 10));
    CHECK_INT(sl_compact_bytes(r->engine), KEPT * SIZE);
    CHECK_INT(sl_content_bytes(r->engine->content), KEPT * SIZE);
    compact(r); /* nothing is left to do */
    CHECK_INT(sl_compact_bytes(r->engine), KEPT * SIZE);
    close_rig(r);
    check_restart();
}

static bool warm_up(void *context, sl_flowfile *flowfile)
{
    CHECK(sl_body_need(context, flowfile) != NULL);
    return true;
}

/* Bodies in memory, one of them in a session's hands: it is met later, and gets the copy that its clone has. */
TEST(what_a_session_has_is_met_later)
{
    make_state();
    rig *r = open_rig();
    CHECK(until(r, swept));
    for (size_t i = 0; i < SL_COUNT(queues); i++) each(queue(r, i), warm_up, r->engine);
    uint64_t pack = old_pack(r);
    size_t left;
    sl_flowfile *taken = sl_queue_take(queue(r, 1), UINT64_MAX);
    CHECK(taken != NULL);
    compact(r);
    CHECK_INT(check_bytes(r, pack, &left), KEPT + 1);
    CHECK_INT(left, 1);
    CHECK(packs_take() >= PACKED);
    sl_queue_return(taken, sl_engine_steady(r->engine));
    compact(r);
    CHECK_INT(check_bytes(r, pack, &left), KEPT);
    CHECK_INT(left, 0);
    CHECK_INT(sl_compact_bytes(r->engine), KEPT * SIZE);
    CHECK(packs_take() <= KEPT * SIZE + (64 << 10));
    close_rig(r);
    check_restart();
}

static atomic_int writes_left;
static ssize_t no_room(int fd, const void *data, size_t size, off_t offset)
{
    if (writes_left-- > 0) return sl_sys_real.pwrite(fd, data, size, offset);
    return errno = ENOSPC, -1;
}

TEST(a_disk_without_room_for_copies_leaves_all_as_it_is)
{
    make_state();
    rig *r = open_rig();
    CHECK(until(r, swept));
    uint64_t pack = old_pack(r);
    size_t left;
    writes_left = 5;
    sys.pwrite = no_room;
    compact(r);
    sys.pwrite = sl_sys_real.pwrite;
    CHECK_INT(check_bytes(r, pack, &left), KEPT);
    CHECK_INT(left, 2 * (KEPT - 5));
    compact(r);
    CHECK_INT(check_bytes(r, pack, &left), KEPT);
    CHECK_INT(left, 0);
    close_rig(r);
    check_restart();
}

/* ---- the process ends in the middle ----------------------------------------------------------------------------------------- */

/* In a process of its own, which is killed after so many turns of its loop. true: it was; false: it had done all. */
static bool killed_after(unsigned turns)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        rig *r = open_rig();
        until(r, swept);
        sl_compact_begin(r->engine);
        while (!quiet(r) && turns) {
            uv_run(&r->loop, UV_RUN_NOWAIT);
            turns--;
        }
        if (turns) _exit(0);
        raise(SIGKILL);
    }
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status);
}

TEST(a_kill_at_any_turn_leaves_each_its_bytes)
{
    make_state();
    unsigned kills = 0, turns = 1;
    for (; kills < 80 && killed_after(turns); turns += 1 + turns / 4) {
        kills++;
        rig *r = open_rig();
        CHECK(until(r, swept));
        check_bytes(r, 0, NULL);
        close_rig(r);
    }
    printf("# killed %u times, then done within %u turns\n", kills, turns);
    CHECK(kills >= 3 && kills < 80);
    rig *r = open_rig();
    CHECK(until(r, swept));
    check_bytes(r, 0, NULL);
    close_rig(r);
}
