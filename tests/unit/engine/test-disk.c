/* A disk that fills up: told well before, sources stop, what is in the flows goes on, commits live on the reserve, and all
 * comes back by itself. What the file system says is this test's to say. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/disk.h"
#include "engine/private.h"
#include "engine/reserve.h"
#include "journal/vfs.h"

#define GB UINT64_C(1000000000)
#define MB UINT64_C(1000000)

static sl_sys sys;
static _Atomic uint64_t total, available, inodes;
static atomic_int allocate_fails, reserve_fails, cuts, looks;
static atomic_bool cut_makes_room;

static int told_statvfs(const char *path, struct statvfs *ret)
{
    (void)path;
    looks++;
    *ret = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_files = 1000000};
    ret->f_blocks = total / 4096;
    ret->f_bfree = ret->f_bavail = available / 4096;
    ret->f_ffree = ret->f_favail = inodes;
    return 0;
}

static bool is_reserve(int fd)
{
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/reserve");
}

static int told_allocate(int fd, off_t offset, off_t size)
{
    int code = is_reserve(fd) ? reserve_fails : allocate_fails;
    return code ? (errno = code, -1) : sl_sys_real.allocate(fd, offset, size);
}

static int told_ftruncate(int fd, off_t size)
{
    if (is_reserve(fd)) {
        cuts++;
        if (cut_makes_room) sl_vfs_full(false);
    }
    return sl_sys_real.ftruncate(fd, size);
}

/* ---- an engine on it --------------------------------------------------------------------------------------------------- */

typedef struct rig {
    uv_loop_t loop;
    sl_engine *engine;
} rig;

static void set_disk(uint64_t of, uint64_t free_bytes)
{
    total = of;
    available = free_bytes;
    inodes = 1000000;
    allocate_fails = reserve_fails = 0;
    cuts = 0;
    cut_makes_room = false;
    sys = sl_sys_real;
    sys.statvfs = told_statvfs;
    sys.allocate = told_allocate;
    sys.ftruncate = told_ftruncate;
    sl_sys_now = &sys;
}

static int try_open(rig *r, sl_engine_options options, sl_error *error)
{
    char *state = sl_asprintf("%s/state", sl_test_folder());
    uv_loop_init(&r->loop);
    options.loop = &r->loop;
    options.state = state;
    int result = sl_engine_open(&options, &r->engine, error);
    free(state);
    return result;
}

static rig *open_rig(const char *processors, sl_engine_options options)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    if (try_open(r, options, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    char *text = sl_asprintf("sluice: 1\nname: t\nprocessors:\n%s", processors);
    sl_problems problems = {.file = "t.yaml"};
    sl_flow_options flow_options = {.registry = sl_engine_registry(r->engine)};
    sl_flow *flow = sl_flow_parse(sl_str_of(text), "t.yaml", &flow_options, &problems);
    if (!flow) sl_panic(__FILE__, __LINE__, "%s", problems.count ? problems.items[0].message : "?");
    if (sl_engine_add_flow(r->engine, flow, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    sl_problems_done(&problems);
    sl_engine_start(r->engine);
    free(text);
    return r;
}

static void close_loop(rig *r)
{
    while (uv_loop_close(&r->loop) != 0) uv_run(&r->loop, UV_RUN_ONCE);
    sl_sys_now = &sl_sys_real;
    free(r);
}

static void close_rig(rig *r)
{
    sl_engine_drain(r->engine, 5 * SL_SECOND, NULL, NULL);
    while (!r->engine->drained) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_close(r->engine);
    close_loop(r);
}

/* Looks at the disk as often as the loop turns; 20 s at most. */
static bool until(rig *r, bool (*so)(rig *r))
{
    for (int64_t ends = sl_ticks() + 20 * SL_SECOND; !so(r) && sl_ticks() < ends;) {
        sl_disk_tick(r->engine);
        uv_run(&r->loop, UV_RUN_NOWAIT);
    }
    return so(r);
}

static bool stopped(rig *r) { return sl_disk_reason(r->engine) != NULL; }
static bool goes(rig *r) { return !stopped(r); }
static bool presses(rig *r) { return sl_disk_presses(r->engine); }

static int looks_wanted;
static bool looked_often(rig *r)
{
    (void)r;
    return looks > looks_wanted;
}

/* Several looks more, which change nothing. */
static void look_on(rig *r)
{
    looks_wanted = looks + 10;
    CHECK(until(r, looked_often));
}

static const sl_instance *instance(rig *r, const char *name)
{
    char *full = sl_asprintf("t/%s", name);
    const sl_instance *found = sl_engine_instance(r->engine, full);
    free(full);
    return found;
}

static uint64_t objects(rig *r, const char *name)
{
    char *key = sl_asprintf("t/%s", name);
    const sl_queue *queue = sl_map_get(&r->engine->queues, sl_str_of(key));
    free(key);
    return queue ? queue->objects : 0;
}

/* How many bulletins say it, each counted as often as it was said. */
static unsigned said(rig *r, const char *text)
{
    sl_buf json = SL_BUF(4 << 20);
    uint64_t last;
    unsigned count = 0;
    sl_engine_bulletins_json(r->engine, 0, 1000, &json, &last);
    for (const char *at = json.data; (at = strstr(at, text)); at++) count++;
    if (!count) printf("# %s\n", json.data);
    sl_buf_done(&json);
    return count;
}

static bool status_has(rig *r, const char *text)
{
    sl_buf json = SL_BUF(4 << 20);
    sl_engine_status_json(r->engine, &json);
    bool has = strstr(json.data, text) != NULL;
    if (!has) printf("# %s\n", json.data);
    sl_buf_done(&json);
    return has;
}

static uint64_t reserve_size(void)
{
    struct stat status = {0};
    char *path = sl_asprintf("%s/state/reserve", sl_test_folder());
    if (stat(path, &status) == 0 && (uint64_t)status.st_blocks * 512 < (uint64_t)status.st_size) status.st_size = -1;
    free(path);
    return (uint64_t)status.st_size;
}

/* ---- marks ---------------------------------------------------------------------------------------------------------------- */

TEST(marks_leave_a_small_disk_some_and_a_large_one_no_more_than_it_needs)
{
    sl_disk_marks small = sl_disk_marks_of(24 * MB, 0), large = sl_disk_marks_of(10000 * GB, 0), given = sl_disk_marks_of(1000 * GB, 80);
    CHECK_INT(small.stop, 1200000);
    CHECK(small.warn > small.resume && small.resume > small.stop);
    CHECK_INT(large.stop, GB);
    CHECK_INT(large.warn, 10 * GB);
    CHECK(large.resume > large.stop && large.resume < large.warn);
    CHECK_INT(given.stop, 200 * GB);
    CHECK_INT(given.warn, 280 * GB);
    CHECK(given.resume > given.stop && given.resume < given.warn);
    sl_disk_marks all = sl_disk_marks_of(1000 * GB, 100);
    CHECK_INT(all.stop, 0);
    CHECK(all.resume > 0 && all.warn > all.resume);
}

/* ---- the mark --------------------------------------------------------------------------------------------------------------- */

#define HELD "  made: {type: generate-flowfile, batch: 1, size: 3000B, schedule: 1ms, to: {success: hold}}\n"
#define ENDS "  made: {type: generate-flowfile, batch: 1, size: 0B, schedule: 1ms, to: {success: end}}\n"

static uint64_t made_before;
static bool makes_more(rig *r) { return instance(r, "made")->figures.total.out > made_before; }

static bool makes(rig *r)
{
    made_before = instance(r, "made")->figures.total.out;
    return until(r, makes_more);
}

static bool makes_nothing(rig *r)
{
    look_on(r); /* a session that was open has ended */
    uint64_t before = instance(r, "made")->figures.total.out;
    look_on(r);
    return instance(r, "made")->figures.total.out == before;
}

TEST(sources_stop_at_the_mark_and_come_back_with_some_room)
{
    set_disk(100 * GB, 50 * GB);
    rig *r = open_rig(ENDS, (sl_engine_options){.content_disk_percent = 80});
    CHECK(makes(r));
    CHECK(!presses(r));
    available = 25 * GB; /* nine tenths of the way */
    CHECK(until(r, presses));
    CHECK_INT(said(r, "75.0 % full"), 1);
    CHECK(makes(r));
    available = 20 * GB;
    CHECK(until(r, stopped));
    CHECK(makes_nothing(r));
    CHECK_INT(said(r, "80.0 % full"), 1);
    CHECK(strstr(sl_disk_reason(r->engine), "retention.content.disk") != NULL);
    CHECK(status_has(r, "\"back_pressure\":true,\"back_pressure_reason\":\"the disk of "));
    CHECK(status_has(r, "\"sources_stopped\":true"));
    sl_engine_summary summary;
    sl_engine_summarise(r->engine, &summary);
    CHECK(!summary.idle && strstr(summary.why, "room on the disk"));
    available = 20 * GB + 100 * MB; /* no flapping */
    CHECK(makes_nothing(r));
    available = 23 * GB;
    CHECK(until(r, goes));
    CHECK(makes(r));
    CHECK_INT(said(r, "sources go on\""), 1);
    CHECK_INT(said(r, "sources stop, what is in the flows goes on"), 1);
    CHECK(status_has(r, "\"back_pressure\":false,\"back_pressure_reason\":null"));
    close_rig(r);
}

TEST(without_a_word_a_twentieth_stays_free)
{
    set_disk(100 * MB, 50 * MB);
    rig *r = open_rig(ENDS, (sl_engine_options){0});
    CHECK(makes(r));
    available = 5 * MB;
    CHECK(until(r, stopped));
    CHECK(strstr(sl_disk_reason(r->engine), "is not set") != NULL);
    available = 50 * MB;
    CHECK(until(r, goes));
    close_rig(r);
}

static bool whole_reserve(rig *r)
{
    (void)r;
    return reserve_size() == 64 << 20;
}

/* Nobody looks meanwhile: what came in since the last look counts. */
TEST(a_source_that_is_faster_than_the_looks_stops_too)
{
    set_disk(100 * GB, 50 * GB);
    rig *r = open_rig(HELD, (sl_engine_options){.content_disk_percent = 80});
    CHECK(until(r, whole_reserve));
    available = 20 * GB + MB;
    look_on(r);
    uv_timer_stop(&r->engine->expiry_timer);
    CHECK(!stopped(r));
    uint64_t before = sl_content_bytes(r->engine->content);
    for (int64_t ends = sl_ticks() + 20 * SL_SECOND; !sl_disk_holds_back(r->engine) && sl_ticks() < ends;) uv_run(&r->loop, UV_RUN_NOWAIT);
    CHECK(!stopped(r));
    CHECK(sl_content_bytes(r->engine->content) <= before + 2 * MB);
    available = 50 * GB;
    CHECK(makes(r));
    close_rig(r);
}

TEST(a_file_system_without_inodes_is_full)
{
    set_disk(100 * GB, 50 * GB);
    rig *r = open_rig(ENDS, (sl_engine_options){0});
    CHECK(makes(r));
    inodes = 100;
    CHECK(until(r, stopped));
    CHECK(strstr(sl_disk_reason(r->engine), "inodes") != NULL);
    inodes = 10000;
    CHECK(until(r, goes));
    close_rig(r);
}

static void emptied(void *context, const sl_operated *result)
{
    (void)context;
    CHECK(result->count >= 300);
}

static bool too_much(rig *r) { return sl_content_bytes(r->engine->content) > 2 * MB; }

TEST(content_has_a_limit_of_its_own)
{
    set_disk(100 * GB, 50 * GB);
    rig *r = open_rig(HELD, (sl_engine_options){.content_disk_bytes = MB});
    CHECK(until(r, stopped));
    CHECK(makes_nothing(r));
    CHECK(!too_much(r));
    CHECK(strstr(sl_disk_reason(r->engine), "that retention.content.disk allows") != NULL);
    CHECK_INT(said(r, "make room, or deliver or empty what waits"), 1);
    CHECK(objects(r, "made.success.hold") >= 300);
    sl_error error = {0};
    CHECK_INT(sl_engine_queue_empty(r->engine, "t/made.success.hold", NULL, emptied, NULL, &error), 0);
    CHECK(until(r, goes));
    CHECK(makes(r));
    close_rig(r);
}

/* ---- full --------------------------------------------------------------------------------------------------------------------- */

static bool all_durable(rig *r) { return sl_journal_durable(r->engine->journal) + 1 == sl_journal_next(r->engine->journal); }

/* A commit meets a full disk, gets a piece of the reserve, and goes on; sources wait until all of it is back. */
TEST(a_commit_on_a_full_disk_lives_on_the_reserve)
{
    set_disk(100 * GB, 50 * GB);
    rig *r = open_rig(ENDS, (sl_engine_options){0});
    CHECK(until(r, whole_reserve));
    cut_makes_room = true;
    reserve_fails = ENOSPC;
    sl_vfs_full(true);
    CHECK(until(r, stopped));
    available = 0;
    CHECK(until(r, all_durable));
    CHECK(!sl_journal_stalled(r->engine->journal));
    CHECK(cuts >= 1);
    CHECK_INT(reserve_size(), 56 << 20);
    CHECK_INT(said(r, "commits go on out of the reserve"), 1);
    CHECK(makes_nothing(r));
    available = 50 * GB;
    reserve_fails = EDQUOT; /* the file system has room, the quota has not */
    CHECK(makes_nothing(r));
    CHECK(stopped(r));
    reserve_fails = 0;
    CHECK(until(r, goes));
    CHECK(whole_reserve(r));
    CHECK(makes(r));
    close_rig(r);
    CHECK_INT(reserve_size(), 4 << 20); /* for the next start */
}

static bool stalls(rig *r) { return sl_journal_stalled(r->engine->journal); }
static bool stalls_no_more(rig *r) { return !stalls(r) && all_durable(r); }

TEST(without_any_reserve_left_commits_wait)
{
    set_disk(100 * GB, 50 * GB);
    rig *r = open_rig(ENDS, (sl_engine_options){0});
    CHECK(until(r, whole_reserve));
    sl_vfs_full(true);
    available = 0;
    CHECK(until(r, stalls));
    CHECK_INT(reserve_size(), 0);
    CHECK_INT(cuts, 8);
    sl_vfs_full(false);
    CHECK(until(r, stalls_no_more));
    CHECK(stopped(r));
    available = 50 * GB;
    CHECK(until(r, goes));
    CHECK(whole_reserve(r));
    close_rig(r);
}

TEST(a_start_on_a_full_disk_takes_the_reserve_and_says_so)
{
    set_disk(100 * GB, 50 * GB);
    close_rig(open_rig(ENDS, (sl_engine_options){0}));
    CHECK_INT(reserve_size(), 4 << 20);
    set_disk(100 * GB, 0);
    rig *r = open_rig(ENDS, (sl_engine_options){0});
    CHECK(stopped(r));
    CHECK_INT(reserve_size(), 0);
    CHECK(makes_nothing(r));
    available = 50 * GB;
    CHECK(until(r, goes));
    CHECK(makes(r));
    close_rig(r);
}

static bool told_without(rig *r)
{
    uint64_t last;
    sl_buf json = SL_BUF(4 << 20);
    sl_engine_bulletins_json(r->engine, 0, 1000, &json, &last);
    bool told = strstr(json.data, "there is no reserve") != NULL;
    sl_buf_done(&json);
    return told;
}

TEST(a_disk_that_cannot_reserve_is_used_without)
{
    set_disk(100 * GB, 50 * GB);
    reserve_fails = EIO;
    rig *r = open_rig(ENDS, (sl_engine_options){0});
    CHECK(until(r, told_without));
    CHECK(makes(r));
    CHECK_INT(said(r, "there is no reserve"), 1);
    close_rig(r);
}

TEST(no_room_for_what_is_in_flight_refuses_the_start)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    set_disk(100 * GB, 50 * GB);
    allocate_fails = ENOSPC;
    CHECK_INT(try_open(r, (sl_engine_options){0}, &error), -1);
    CHECK_INT(error.code, ENOSPC);
    CHECK(strstr(error.text, "in-flight") && strstr(error.text, "make room"));
    close_loop(r);
}

/* ---- the reserve ------------------------------------------------------------------------------------------------------------ */

static sl_reserve *open_reserve(uint64_t wanted)
{
    char *path = sl_asprintf("%s/reserve", sl_test_folder());
    sl_reserve *reserve = sl_reserve_open(path, wanted);
    free(path);
    return reserve;
}

TEST(a_reserve_is_made_whole_given_in_pieces_and_found_again)
{
    sl_error error = {0};
    sl_sys_now = &sl_sys_real;
    sl_reserve *reserve = open_reserve(20 << 20);
    CHECK_INT(sl_reserve_size(reserve), 0);
    CHECK(!sl_reserve_give(reserve));
    CHECK_INT(sl_reserve_make(reserve, &error), 0);
    CHECK_INT(sl_reserve_size(reserve), 20 << 20);
    CHECK(sl_reserve_give(reserve));
    uint64_t left = sl_reserve_size(reserve);
    CHECK(left < 20 << 20 && left >= 17 << 20);
    sl_reserve_close(reserve, UINT64_MAX);
    reserve = open_reserve(20 << 20);
    CHECK_INT(sl_reserve_size(reserve), left);
    CHECK_INT(sl_reserve_make(reserve, &error), 0);
    int pieces = 0;
    while (sl_reserve_give(reserve)) pieces++;
    CHECK_INT(pieces, 8);
    CHECK_INT(sl_reserve_make(reserve, &error), 0);
    sl_reserve_close(reserve, UINT64_MAX);
    reserve = open_reserve(5 << 20); /* a smaller disk than before */
    CHECK_INT(sl_reserve_size(reserve), 5 << 20);
    sl_reserve_close(reserve, 0);
    reserve = open_reserve(5 << 20);
    CHECK_INT(sl_reserve_size(reserve), 0);
    sl_reserve_close(reserve, 0);
}

/* As a crash can leave it: long, without its blocks. */
TEST(a_reserve_without_blocks_is_none)
{
    sl_error error = {0};
    char *path = sl_asprintf("%s/reserve", sl_test_folder());
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK_INT(ftruncate(fd, 20 << 20), 0);
    close(fd);
    free(path);
    sl_reserve *reserve = open_reserve(20 << 20);
    CHECK_INT(sl_reserve_size(reserve), 0);
    CHECK_INT(sl_reserve_make(reserve, &error), 0);
    CHECK_INT(sl_reserve_size(reserve), 20 << 20);
    sl_reserve_close(reserve, 0);
}

static int steps_left;
static int some_room(int fd, off_t offset, off_t size)
{
    if (steps_left-- > 0) return sl_sys_real.allocate(fd, offset, size);
    return errno = ENOSPC, -1;
}

TEST(a_reserve_that_does_not_fit_leaves_what_there_was)
{
    sl_error error = {0};
    struct stat status;
    sys = sl_sys_real;
    sys.allocate = some_room;
    sl_sys_now = &sys;
    steps_left = 2;
    sl_reserve *reserve = open_reserve(40 << 20);
    CHECK_INT(sl_reserve_make(reserve, &error), -1);
    CHECK_INT(error.code, ENOSPC);
    CHECK_INT(sl_reserve_size(reserve), 0);
    char *path = sl_asprintf("%s/reserve", sl_test_folder());
    CHECK(stat(path, &status) == 0 && status.st_blocks == 0);
    free(path);
    sl_reserve_close(reserve, 0);
    sl_sys_now = &sl_sys_real;
}
