#include "engine/disk.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/sys.h"
#include "engine/private.h"
#include "engine/reserve.h"

#define MB UINT64_C(1000000)
#define GB (1000 * MB)
enum { PART = 20 /* a twentieth free */, NAMES = 512, REASON = 700 };
#define RESERVE_LEAST (4ULL << 20)
#define RESERVE_MOST  (64ULL << 20)
#define START_ROOM    (4ULL << 20) /* with less than that the reserve is given for recovery */
#define MAKE_AGAIN    (2 * SL_SECOND)

typedef struct seen {
    uint64_t total, available, content;
    uint64_t held; /* bytes of content then: what came since is room that went */
    bool names;    /* files can be made */
    bool known;
} seen;

struct sl_disk {
    unsigned percent;
    uint64_t limit; /* of content; 0: none */
    sl_reserve *reserve;
    bool looking, warned, stopped;
    bool held_back; /* sources wait for the next look: by what they brought in since the last the mark is reached */
    bool without;   /* the reserve cannot be made, for another reason than room: it must do without */
    seen seen;
    int64_t make_at; /* ticks: not before */
    char reason[REASON];
    uv_mutex_t lock; /* full_text */
    char full_text[REASON / 2];
    atomic_bool met_full, untold; /* a commit found no room, and the reserve is not whole since; not told yet */
};

/* ---- marks ---------------------------------------------------------------------------------------------------- */

sl_disk_marks sl_disk_marks_of(uint64_t total, unsigned percent)
{
    uint64_t stop = percent ? total / 100 * (100 - percent) : SL_MIN(total / PART, GB), way = (total - stop) / 10;
    if (!percent) way = SL_MIN(way, 9 * stop);
    return (sl_disk_marks){.stop = stop, .warn = stop + way, .resume = stop + SL_MIN(total / 50, way / 4)};
}

static uint64_t resume_limit(const sl_disk *disk) { return disk->limit - disk->limit / 20; }

static bool above(const sl_disk *disk)
{
    const seen *s = &disk->seen;
    return s->available <= sl_disk_marks_of(s->total, disk->percent).stop || !s->names || (disk->limit && s->content >= disk->limit);
}

static bool below(const sl_disk *disk)
{
    const seen *s = &disk->seen;
    return s->available >= sl_disk_marks_of(s->total, disk->percent).resume && s->names &&
           (!disk->limit || s->content <= resume_limit(disk));
}

static bool near(const sl_disk *disk)
{
    const seen *s = &disk->seen;
    return s->known && (s->available <= sl_disk_marks_of(s->total, disk->percent).warn ||
                        (disk->limit && s->content >= disk->limit - disk->limit / 10));
}

static bool reserved(const sl_disk *disk) { return disk->without || sl_reserve_size(disk->reserve) >= sl_reserve_wanted(disk->reserve); }

/* Sources would run without it. */
static bool no_room_for_reserve(const sl_disk *disk)
{
    uint64_t missing = sl_reserve_wanted(disk->reserve) - sl_reserve_size(disk->reserve);
    return !reserved(disk) && disk->seen.available < missing + sl_disk_marks_of(disk->seen.total, disk->percent).resume;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static const char *size_text(uint64_t bytes, char text[16])
{
    if (bytes >= 10 * GB) snprintf(text, 16, "%" PRIu64 " GB", bytes / GB);
    else if (bytes >= GB) snprintf(text, 16, "%.1f GB", (double)bytes / GB);
    else if (bytes >= 10 * MB) snprintf(text, 16, "%" PRIu64 " MB", bytes / MB);
    else snprintf(text, 16, "%.1f MB", (double)bytes / MB);
    return text;
}

/* How full it is, and which limit that is near. */
static void describe(const sl_engine *engine, char *ret, size_t size)
{
    const sl_disk *disk = engine->disk;
    const seen *s = &disk->seen;
    char free_text[16], mark_text[16], content_text[16], limit_text[16];
    sl_disk_marks marks = sl_disk_marks_of(s->total, disk->percent);
    int used = snprintf(ret, size, "the disk of %s is %.1f %% full, %s are free", engine->state_folder,
                        s->total ? 100.0 * (double)(s->total - SL_MIN(s->available, s->total)) / (double)s->total : 0.0,
                        size_text(s->available, free_text));
    if (used < 0 || (size_t)used >= size) return;
    ret += used, size -= (size_t)used;
    if (!s->names) snprintf(ret, size, " and no more files can be made on it: its file system has used up its inodes");
    else if (disk->limit && s->content >= disk->limit - disk->limit / 10)
        snprintf(ret, size, "; content takes %s of the %s that retention.content.disk allows", size_text(s->content, content_text),
                 size_text(disk->limit, limit_text));
    else if (no_room_for_reserve(disk))
        snprintf(ret, size, "; that is no room for the reserve of %s besides what sources leave free",
                 size_text(sl_reserve_wanted(disk->reserve), limit_text));
    else
        snprintf(ret, size, "; sources stop with less than %s free (retention.content.disk%s)", size_text(marks.stop, mark_text),
                 disk->percent ? "" : " is not set");
}

static void tell_near(sl_engine *engine)
{
    char text[REASON];
    sl_disk *disk = engine->disk;
    bool now = near(disk);
    if (now && !disk->warned && !disk->stopped) {
        describe(engine, text, sizeof text);
        sl_bulletin(engine->bulletins, SL_WARNING, "disk", "%s; make room, or deliver or empty what waits", text);
    }
    /* Some way back before it is told anew. */
    const seen *s = &disk->seen;
    sl_disk_marks marks = sl_disk_marks_of(s->total, disk->percent);
    bool far = s->available >= marks.warn + (marks.warn - marks.stop) / 4 && (!disk->limit || s->content <= disk->limit / 100 * 85);
    disk->warned = now || (disk->warned && !far);
}

static void stop(sl_engine *engine, const char *why)
{
    sl_disk *disk = engine->disk;
    disk->stopped = true;
    snprintf(disk->reason, sizeof disk->reason, "%s", why);
    sl_bulletin(engine->bulletins, SL_ERROR, "disk",
                "%s; sources stop, what is in the flows goes on and is delivered; make room, sources go on by themselves then", why);
}

static void resume(sl_engine *engine)
{
    char text[16];
    sl_disk *disk = engine->disk;
    disk->stopped = false;
    disk->reason[0] = 0;
    atomic_store(&disk->met_full, false);
    sl_bulletin(engine->bulletins, SL_WARNING, "disk", "there is room again, %s are free; sources go on",
                size_text(disk->seen.available, text));
    sl_schedule_all(engine);
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static void judge(sl_engine *engine)
{
    char text[REASON];
    sl_disk *disk = engine->disk;
    if (disk->stopped && below(disk) && reserved(disk)) resume(engine);
    else if (!disk->stopped && (above(disk) || no_room_for_reserve(disk))) {
        describe(engine, text, sizeof text);
        stop(engine, text);
    }
    tell_near(engine);
    if (disk->held_back && !disk->stopped) sl_schedule_all(engine);
    disk->held_back = false;
}

/* ---- looking ------------------------------------------------------------------------------------------------------- */

typedef struct look {
    sl_job job;
    sl_engine *engine;
    seen seen;
    bool may_make;
    int failed; /* to make the reserve: an errno */
    char text[REASON / 2];
} look;

static void see(const sl_engine *engine, seen *ret)
{
    struct statvfs status;
    if (sl_sys_now->statvfs(engine->state_folder, &status) < 0 || !status.f_blocks) return;
    uint64_t unit = status.f_frsize ? status.f_frsize : status.f_bsize;
    ret->available = status.f_bavail * unit;
    ret->total = (status.f_blocks - status.f_bfree + status.f_bavail) * unit; /* as df counts: without root's part */
    ret->names = !status.f_files || status.f_favail >= NAMES;
    ret->content = engine->content ? sl_content_disk(engine->content) : 0;
    ret->held = engine->content ? sl_content_bytes(engine->content) : 0;
    ret->known = true;
}

/* Only where sources would go on with it. */
static void make_reserve(look *l)
{
    const sl_disk *disk = l->engine->disk;
    sl_error error = {0};
    uint64_t missing = sl_reserve_wanted(disk->reserve) - sl_reserve_size(disk->reserve);
    uint64_t least = sl_disk_marks_of(l->seen.total, disk->percent).resume;
    if (!missing || !l->may_make || !l->seen.known || l->seen.available < missing + least) return;
    if (sl_reserve_make(disk->reserve, &error) == 0) {
        see(l->engine, &l->seen);
        return;
    }
    l->failed = error.code;
    snprintf(l->text, sizeof l->text, "%s", error.text);
}

static void run_look(sl_job *job)
{
    look *l = SL_CONTAINER(job, look, job);
    see(l->engine, &l->seen);
    make_reserve(l);
}

static void take_failure(sl_engine *engine, const look *l)
{
    sl_disk *disk = engine->disk;
    disk->make_at = sl_ticks() + MAKE_AGAIN;
    if (l->failed == ECANCELED) return;
    bool full = sl_no_space(l->failed);
    if (full && !disk->stopped) stop(engine, l->text); /* a quota: the file system has room, this user has not */
    if (!full && !disk->without)
        sl_bulletin(engine->bulletins, SL_WARNING, "disk", "%s; there is no reserve for commits on a full disk", l->text);
    disk->without = !full;
}

static void looked(sl_job *job, bool cancelled)
{
    look *l = SL_CONTAINER(job, look, job);
    sl_engine *engine = l->engine;
    engine->disk->looking = false;
    if (!cancelled && l->seen.known && !engine->closing) {
        engine->disk->seen = l->seen;
        if (l->failed) take_failure(engine, l);
        else if (reserved(engine->disk)) engine->disk->without = false;
        judge(engine);
    }
    free(l);
}

void sl_disk_tick(sl_engine *engine)
{
    sl_disk *disk = engine->disk;
    if (!disk || disk->looking) return;
    look *l = SL_NEW(look);
    *l = (look){.job = {.work = run_look, .done = looked}, .engine = engine, .may_make = sl_ticks() >= disk->make_at};
    disk->looking = true;
    sl_workers_submit(engine->workers, &l->job, true);
}

/* ---- full ---------------------------------------------------------------------------------------------------------- */

bool sl_disk_make_room(void *context, const sl_error *error)
{
    sl_engine *engine = context;
    sl_disk *disk = engine->disk;
    uv_mutex_lock(&disk->lock);
    if (!atomic_load(&disk->met_full)) snprintf(disk->full_text, sizeof disk->full_text, "%s", error->text);
    uv_mutex_unlock(&disk->lock);
    bool first = !atomic_exchange(&disk->met_full, true), given = sl_reserve_give(disk->reserve);
    if (first) {
        atomic_store(&disk->untold, true);
        sl_engine_wake(engine);
    }
    return given;
}

void sl_disk_notice(sl_engine *engine)
{
    char text[REASON], left[16];
    sl_disk *disk = engine->disk;
    if (!disk || !atomic_exchange(&disk->untold, false)) return;
    uv_mutex_lock(&disk->lock);
    snprintf(text, sizeof text, "the disk is full: %s; commits go on out of the reserve, of which %s are left", disk->full_text,
             size_text(sl_reserve_size(disk->reserve), left));
    uv_mutex_unlock(&disk->lock);
    disk->make_at = sl_ticks() + MAKE_AGAIN;
    if (!disk->stopped) stop(engine, text);
}

/* ---- open, close, asked ---------------------------------------------------------------------------------------------- */

void sl_disk_open(sl_engine *engine, const sl_engine_options *options)
{
    sl_disk *disk = engine->disk = SL_NEW(sl_disk);
    char text[REASON], *path = sl_asprintf("%s/reserve", engine->state_folder);
    disk->percent = options->content_disk_percent;
    disk->limit = disk->percent ? 0 : options->content_disk_bytes;
    uv_mutex_init(&disk->lock);
    see(engine, &disk->seen);
    uint64_t wanted = SL_MIN(SL_MAX(disk->seen.total / 100, RESERVE_LEAST), RESERVE_MOST);
    disk->reserve = sl_reserve_open(path, disk->seen.known ? SL_MIN(wanted, disk->seen.total / 4) : 0);
    free(path);
    if (!disk->seen.known) return;
    while (disk->seen.available < START_ROOM && sl_reserve_give(disk->reserve)) see(engine, &disk->seen);
    describe(engine, text, sizeof text);
    if (disk->seen.available <= sl_disk_marks_of(disk->seen.total, disk->percent).stop || !disk->seen.names) stop(engine, text);
}

void sl_disk_close(sl_disk *disk)
{
    if (!disk) return;
    sl_reserve_close(disk->reserve, START_ROOM);
    uv_mutex_destroy(&disk->lock);
    free(disk);
}

/* Between two looks a fast source brings in more than a small disk has. */
static bool runs_ahead(const sl_engine *engine)
{
    const sl_disk *disk = engine->disk;
    const seen *s = &disk->seen;
    uint64_t now = sl_content_bytes(engine->content), more = now > s->held ? now - s->held : 0;
    if (!s->known) return false;
    return s->available <= sl_disk_marks_of(s->total, disk->percent).stop + more || (disk->limit && s->content + more >= disk->limit);
}

bool sl_disk_stops(const sl_instance *instance)
{
    sl_disk *disk = instance->engine->disk;
    if (!(instance->processor->flags & SLUICE_SOURCE)) return false;
    if (disk->stopped) return true;
    bool ahead = runs_ahead(instance->engine);
    disk->held_back = disk->held_back || ahead;
    return ahead;
}

const char *sl_disk_reason(const sl_engine *engine) { return engine->disk->stopped ? engine->disk->reason : NULL; }
bool sl_disk_holds_back(const sl_engine *engine) { return engine->disk->held_back; }
bool sl_disk_presses(const sl_engine *engine) { return engine->disk->stopped || near(engine->disk); }
uint64_t sl_disk_available(const sl_engine *engine) { return engine->disk->seen.available; }

void sl_disk_json(const sl_engine *engine, sl_buf *ret)
{
    const sl_disk *disk = engine->disk;
    const seen *s = &disk->seen;
    sl_buf_printf(ret,
                  "{\"total\":%" PRIu64 ",\"available\":%" PRIu64 ",\"content\":%" PRIu64 ",\"reserve\":%" PRIu64 ",\"warn_below\":%" PRIu64
                  ",\"stop_below\":%" PRIu64 ",\"content_limit\":",
                  s->total, s->available, s->content, sl_reserve_size(disk->reserve), sl_disk_marks_of(s->total, disk->percent).warn,
                  sl_disk_marks_of(s->total, disk->percent).stop);
    disk->limit ? sl_buf_printf(ret, "%" PRIu64, disk->limit) : sl_buf_text(ret, "null");
    sl_buf_printf(ret, ",\"sources_stopped\":%s,\"reason\":", disk->stopped ? "true" : "false");
    disk->stopped ? sl_json_string(ret, sl_str_of(disk->reason)) : sl_buf_text(ret, "null");
    sl_buf_char(ret, '}');
}
