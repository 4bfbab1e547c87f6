/* The backup of a running state: a thread of its own, at the least priority and with pauses, as the sealer has it. Content
 * that is released while it runs waits for its end, sealing and unlinking of segments only while the journal is copied. That
 * is bounded: by a deadline, by how many releases may wait, and by the room that the state's own disk has left; past that
 * the backup is given up, never the work. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/backup.h"
#include "engine/private.h"

enum { WAITING_MOST = 1000000 /* releases: 64 MB of memory */, ROOM_LEAST = 64 << 20 };
static const int64_t least_rest = 5 * SL_MILLISECOND, longest_rest = 200 * SL_MILLISECOND, look_every = 100 * SL_MILLISECOND;

typedef enum stage { RUNNING, DONE, FAILED, CANCELLED } stage;
static const char *const stage_names[] = {"running", "done", "failed", "cancelled"};
static const char *const phase_names[] = {"counting", "journal", "content", "ending"};

struct sl_backup {
    sl_engine *engine;
    char *to;
    int64_t deadline; /* ticks */
    int64_t lease;    /* us without a question at which it is given up; 0: none */
    /* the thread's */
    sl_copier copier;
    sl_content_cut *cut;
    int64_t rested, looked; /* ticks */
    bool journal_held, content_held, left;
    /* loop thread */
    uv_thread_t thread;
    bool runs;                    /* the thread is to be joined */
    int64_t started_at, ended_at; /* us since 1970 */
    uv_mutex_t lock;              /* all below */
    uv_cond_t changed;
    stage stage;
    sl_backup_phase phase;
    sl_copier progress; /* as of the last pause */
    sl_backup_about about;
    int64_t asked; /* ticks */
    bool stops;
    stage stops_as;
    char why[256];
    sl_error error;
};

/* ---- giving up ------------------------------------------------------------------------------------------------------ */

static void give_up(sl_backup *backup, stage as, const char *format, ...) SL_PRINTF(3, 4);
static void give_up(sl_backup *backup, stage as, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    uv_mutex_lock(&backup->lock);
    if (!backup->stops && backup->stage == RUNNING) {
        vsnprintf(backup->why, sizeof backup->why, format, arguments);
        backup->stops_as = as;
        backup->stops = true;
        uv_cond_signal(&backup->changed);
    }
    uv_mutex_unlock(&backup->lock);
    va_end(arguments);
}

static bool no_room(const sl_backup *backup)
{
    struct statvfs disk;
    if (sl_sys_now->statvfs(backup->engine->state_folder, &disk) < 0) return false;
    return (uint64_t)disk.f_bavail * disk.f_frsize < ROOM_LEAST;
}

static void look(sl_backup *backup, int64_t now)
{
    uint64_t bytes;
    size_t waiting = sl_content_waits(backup->engine->content, &bytes);
    uv_mutex_lock(&backup->lock);
    bool left = backup->lease && now - backup->asked > backup->lease;
    uv_mutex_unlock(&backup->lock);
    if (left) give_up(backup, CANCELLED, "whoever began it has not asked for it any more");
    else if (now > backup->deadline) give_up(backup, FAILED, "its deadline has passed; give it more time, or a faster disk");
    else if (waiting > WAITING_MOST)
        give_up(backup, FAILED, "more than %d contents wait for it to be released; take it at a quieter time, or to a faster disk",
                WAITING_MOST);
    else if (waiting && no_room(backup))
        give_up(backup, FAILED, "the state's disk runs full, and %llu MB of it wait for the backup to be released",
                (unsigned long long)(bytes / 1000000));
}

/* Rests as long as the piece before it took. */
static bool on_pause(void *context)
{
    sl_backup *backup = context;
    int64_t now = sl_ticks(), took = now - backup->rested;
    if (now - backup->looked > look_every) look(backup, backup->looked = now);
    uv_mutex_lock(&backup->lock);
    backup->progress = backup->copier;
    if (took >= least_rest && !backup->stops) {
        uv_cond_timedwait(&backup->changed, &backup->lock, (uint64_t)SL_MIN(took, longest_rest) * 1000);
        backup->rested = sl_ticks();
    }
    bool stops = backup->stops;
    uv_mutex_unlock(&backup->lock);
    return stops;
}

/* ---- the thread -------------------------------------------------------------------------------------------------------- */

static void hold(sl_backup *backup, bool journal, bool content)
{
    if (backup->journal_held && !journal) sl_journal_go_on(backup->engine->journal);
    if (backup->content_held && !content) sl_content_go_on(backup->engine->content);
    if (content && !backup->content_held) sl_content_hold(backup->engine->content);
    backup->journal_held = journal;
    backup->content_held = content;
}

static void on_phase(void *context, sl_backup_phase phase)
{
    sl_backup *backup = context;
    uv_mutex_lock(&backup->lock);
    backup->phase = phase;
    uv_mutex_unlock(&backup->lock);
    if (phase == SL_BACKUP_CONTENT) hold(backup, false, true);
    if (phase == SL_BACKUP_ENDS) hold(backup, false, false);
}

/* Content waits first: what lives at the moment that the journal then gives has not been let go. */
static int take_moment(sl_backup *backup, sl_backup_work *work, sl_error *error)
{
    hold(backup, false, true);
    if (sl_journal_hold(backup->engine->journal, &work->journal, error) < 0) return -1;
    backup->journal_held = true;
    work->content = backup->cut = sl_content_cut_new(backup->engine->content);
    uv_mutex_lock(&backup->lock);
    backup->about = (sl_backup_about){work->journal.seq, sl_now()};
    uv_mutex_unlock(&backup->lock);
    return 0;
}

static int copy(sl_backup *backup, const char *partial, sl_error *error)
{
    sl_backup_work work = {
        .state = backup->engine->state_folder, .to = partial, .copier = &backup->copier, .phase = on_phase, .context = backup};
    int result = take_moment(backup, &work, error);
    if (result == 0) result = sl_backup_fill(&work, error);
    hold(backup, false, false);
    if (result == 0) result = sl_backup_end(partial, backup->to, &backup->about, error);
    return result;
}

static void finished(void *context);

static void end(sl_backup *backup, int result, const sl_error *error)
{
    uv_mutex_lock(&backup->lock);
    backup->progress = backup->copier;
    backup->stage = result == 0 ? DONE : backup->stops ? backup->stops_as : FAILED;
    backup->error = *error;
    if (result < 0 && error->code == ECANCELED) sl_error_set(&backup->error, ECANCELED, "%s", backup->why);
    uv_mutex_unlock(&backup->lock);
    sl_engine_post(backup->engine, finished, backup);
}

static void run(void *argument)
{
    sl_backup *backup = argument;
    sl_error error = {0};
    char *partial = NULL;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 19); /* of this thread alone */
    backup->rested = sl_ticks();
    int result = sl_backup_begin(backup->engine->state_folder, backup->to, &partial, &backup->left, &error);
    if (result == 0) result = copy(backup, partial, &error);
    if (result < 0 && partial) sl_remove_tree(partial, NULL);
    free(partial);
    end(backup, result, &error);
}

/* ---- the loop's side ------------------------------------------------------------------------------------------------------ */

static void join(sl_backup *backup)
{
    if (backup->runs) uv_thread_join(&backup->thread);
    backup->runs = false;
}

static void tell(const sl_backup *backup)
{
    const sl_copier *did = &backup->progress;
    sl_bulletins *to = backup->engine->bulletins;
    if (backup->left)
        sl_bulletin(to, SL_WARNING, "backup", "%s.partial, which a backup that was cut short had left, is removed", backup->to);
    if (backup->stage == DONE)
        sl_bulletin(to, SL_INFO, "backup", "%s has all up to event %llu: %llu files, %llu of them linked, %llu MB copied, in %lld s",
                    backup->to, (unsigned long long)backup->about.seq, (unsigned long long)did->files, (unsigned long long)did->linked,
                    (unsigned long long)(did->bytes / 1000000), (long long)((backup->ended_at - backup->started_at) / SL_SECOND));
    else sl_bulletin(to, backup->stage == FAILED ? SL_ERROR : SL_WARNING, "backup", "%s is not made: %s", backup->to, backup->error.text);
}

static void finished(void *context)
{
    sl_backup *backup = context;
    join(backup);
    backup->ended_at = sl_now();
    tell(backup);
    sl_engine_check_drained(backup->engine);
}

static void backup_free(sl_backup *backup)
{
    if (!backup) return;
    sl_content_cut_free(backup->cut);
    uv_mutex_destroy(&backup->lock);
    uv_cond_destroy(&backup->changed);
    free(backup->to);
    free(backup);
}

static sl_backup *backup_new(sl_engine *engine, const char *to, int64_t deadline, int64_t lease)
{
    sl_backup *backup = SL_NEW(sl_backup);
    backup->engine = engine;
    backup->to = sl_strdup(to);
    backup->asked = sl_ticks();
    backup->deadline = backup->asked + deadline;
    backup->lease = lease;
    backup->started_at = sl_now();
    backup->copier = (sl_copier){.pause = on_pause, .context = backup};
    uv_mutex_init(&backup->lock);
    uv_cond_init(&backup->changed);
    return backup;
}

int sl_engine_backup(sl_engine *engine, const char *to, int64_t deadline, int64_t lease, sl_error *error)
{
    if (engine->draining || engine->failed) return sl_error_set(error, EAGAIN, "the daemon stops; ask again when it is back");
    if (sl_backup_runs(engine))
        return sl_error_set(error, EBUSY, "a backup to %s is being made already; wait for it, or cancel it", engine->backup->to);
    sl_backup *backup = backup_new(engine, to, deadline, lease);
    int failed = uv_thread_create(&backup->thread, run, backup);
    if (failed) {
        backup_free(backup);
        return sl_error_set(error, -failed, "cannot start a thread for the backup: %s", uv_strerror(failed));
    }
    backup->runs = true;
    backup_free(engine->backup);
    engine->backup = backup;
    return 0;
}

bool sl_backup_runs(const sl_engine *engine) { return engine->backup && engine->backup->runs; }

void sl_engine_backup_cancel(sl_engine *engine, const char *why)
{
    if (sl_backup_runs(engine)) give_up(engine->backup, CANCELLED, "%s", why);
}

void sl_backup_join(sl_engine *engine)
{
    sl_engine_backup_cancel(engine, "the daemon ends");
    if (engine->backup) join(engine->backup);
}

void sl_backup_done(sl_engine *engine)
{
    backup_free(engine->backup);
    engine->backup = NULL;
}

/* ---- what it says ------------------------------------------------------------------------------------------------------------ */

static void add_number(sl_buf *ret, const char *name, uint64_t number)
{
    sl_buf_printf(ret, ",\"%s\":%llu", name, (unsigned long long)number);
}

static void add_time(sl_buf *ret, const char *name, int64_t time)
{
    char text[SL_TIME_TEXT];
    if (time) sl_buf_printf(ret, ",\"%s\":\"%s\"", name, sl_time_format(time, text));
}

void sl_engine_backup_json(sl_engine *engine, sl_buf *ret)
{
    sl_backup *backup = engine->backup;
    if (!backup) {
        sl_buf_text(ret, "{\"state\":\"none\"}");
        return;
    }
    uint64_t bytes;
    size_t waiting = sl_content_waits(engine->content, &bytes);
    uv_mutex_lock(&backup->lock);
    backup->asked = sl_ticks();
    /* Until the loop has joined it, it runs: another cannot begin. */
    sl_buf_printf(ret, "{\"state\":\"%s\",\"to\":", stage_names[backup->runs ? RUNNING : backup->stage]);
    sl_json_string(ret, sl_str_of(backup->to));
    sl_buf_printf(ret, ",\"phase\":\"%s\"", phase_names[backup->phase]);
    add_number(ret, "seq", backup->about.seq);
    add_number(ret, "files", backup->progress.files);
    add_number(ret, "files_total", backup->progress.expected_files);
    add_number(ret, "linked", backup->progress.linked);
    add_number(ret, "bytes", backup->progress.bytes);
    add_number(ret, "bytes_total", backup->progress.expected);
    add_number(ret, "releases_waiting", waiting);
    add_time(ret, "taken_at", backup->about.taken_at);
    add_time(ret, "started_at", backup->started_at);
    add_time(ret, "ended_at", backup->ended_at);
    if (backup->error.text[0]) {
        sl_buf_text(ret, ",\"error\":");
        sl_json_string(ret, sl_str_of(backup->error.text));
    }
    sl_buf_char(ret, '}');
    uv_mutex_unlock(&backup->lock);
}
