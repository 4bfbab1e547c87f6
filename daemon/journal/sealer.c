/* The sealer thread: what a full segment still needs, away from the commits. First the WAL is checkpointed, then the
 * index written; segments that retention has let go are unlinked. At a start it looks once at the segments that are
 * there, and does for them what an earlier process did not come to. It works in pieces with pauses and gives way to
 * others on the processor too. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "journal/private.h"
#include "journal/vfs.h"

enum { SEAL_PATIENCE = 10000 /* ms */ };

/* Rests as long as the piece before it took, at least 5 ms; not at all once the journal is to be closed. */
typedef struct resting {
    sl_journal *journal;
    int64_t since; /* ticks */
} resting;

static bool rest(void *context)
{
    resting *r = context;
    sl_journal *journal = r->journal;
    int64_t wait = SL_MIN(SL_MAX(sl_ticks() - r->since, 5 * SL_MILLISECOND), 200 * SL_MILLISECOND);
    struct timespec until = sl_journal_in(wait);
    pthread_mutex_lock(&journal->lock);
    while (!journal->ending)
        if (pthread_cond_timedwait(&journal->to_seal, &journal->lock, &until) == ETIMEDOUT) break;
    bool ending = journal->ending;
    pthread_mutex_unlock(&journal->lock);
    r->since = sl_ticks();
    return ending;
}

/* Between the pieces of a checkpoint; one of a segment that retention takes meanwhile is given up, and one that a backup is
 * about to copy is left for later. */
typedef struct sealing {
    resting resting;
    const sl_segment *segment;
} sealing;

static void rest_sealing(void *context)
{
    sealing *s = context;
    sl_journal *journal = s->resting.journal;
    rest(&s->resting);
    pthread_mutex_lock(&journal->lock);
    bool stops = s->segment->number < journal->let_go || (journal->held && !journal->ending);
    pthread_mutex_unlock(&journal->lock);
    if (stops) sqlite3_interrupt(s->segment->db);
}

/* ---- sealing ----------------------------------------------------------------------------------------------- */

static void seal_later(sl_journal *journal, uint32_t number)
{
    pthread_mutex_lock(&journal->lock);
    sl_span *span = sl_span_get(journal, number);
    if (span) span->to_seal = true;
    pthread_mutex_unlock(&journal->lock);
}

static void seal(sl_journal *journal, sl_segment *segment)
{
    sl_error error = {0};
    uint32_t number = segment->number;
    sealing sealing = {{journal, sl_ticks()}, segment};
    char *path = sl_strdup(segment->path);
    int result = sl_segment_meta(segment, "sealed", 1, &error);
    sl_vfs_pace(rest_sealing, &sealing);
    sqlite3_busy_timeout(segment->db, SEAL_PATIENCE); /* for those who read there */
    if (result == 0) result = sl_segment_close(segment, true, &error);
    else sl_segment_close(segment, false, NULL);
    if (result < 0 && (error.code == EAGAIN || error.code == ECANCELED)) seal_later(journal, number);
    else if (result < 0)
        sl_journal_notice(journal, SL_WARNING,
                          "%s stays unsealed: %s. Nothing is lost: its log has it all, and is read; the next start tries again", path,
                          error.text);
    sl_vfs_pace(NULL, NULL);
    free(path);
}

void sl_journal_seal(sl_journal *journal, sl_segment *segment)
{
    pthread_mutex_lock(&journal->lock);
    bool room = journal->sealing_count < SL_COUNT(journal->sealing);
    if (room) journal->sealing[journal->sealing_count++] = segment;
    pthread_cond_broadcast(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
    if (room) return;
    /* The disk is far behind: its turn comes later. */
    uint32_t number = segment->number;
    sl_segment_close(segment, false, NULL);
    seal_later(journal, number);
}

static void seal_next(sl_journal *journal)
{
    sl_segment *segment = journal->sealing[0];
    memmove(journal->sealing, journal->sealing + 1, --journal->sealing_count * sizeof *journal->sealing);
    bool gone = segment->number < journal->let_go;
    pthread_mutex_unlock(&journal->lock);
    uint32_t number = segment->number;
    if (gone) sl_segment_close(segment, false, NULL);
    else seal(journal, segment);
    uint64_t bytes = sl_segment_bytes(journal->folder, number);
    pthread_mutex_lock(&journal->lock);
    sl_span *span = sl_span_get(journal, number);
    if (span) span->bytes = bytes;
}

static void seal_old(sl_journal *journal, uint32_t number)
{
    sl_error error = {0};
    sl_segment *segment;
    if (sl_segment_open(journal->folder, number, 0, &segment, &error) == 0) seal(journal, segment);
    else sl_journal_notice(journal, SL_WARNING, "%s", error.text);
}

/* ---- indexes --------------------------------------------------------------------------------------------------- */

static int read_rows(sl_journal *journal, sqlite3 *db, const sl_span *span, sl_marks *marks, sl_error *error)
{
    resting resting = {journal, sl_ticks()};
    sqlite3_stmt *rows = NULL;
    uint64_t count = 0;
    int state = sqlite3_prepare_v2(db, "SELECT " SL_EVENT_COLUMNS " FROM event WHERE seq>=?1 AND seq<?2 ORDER BY seq", -1, &rows, NULL);
    if (state != SQLITE_OK) return sl_sqlite_failed(db, "index", "a segment", error);
    sqlite3_bind_int64(rows, 1, (int64_t)span->first);
    sqlite3_bind_int64(rows, 2, span->end ? (int64_t)span->end : INT64_MAX);
    int result = 0;
    while (result == 0 && (state = sqlite3_step(rows)) == SQLITE_ROW) {
        sl_event event;
        result = sl_event_from_row(rows, &event, error);
        if (result == 0) sl_marks_add(marks, &event);
        if (result == 0 && ++count % 8192 == 0 && rest(&resting)) result = sl_error_set(error, ECANCELED, "the journal is closed");
    }
    if (result == 0 && state != SQLITE_DONE) result = sl_sqlite_failed(db, "index", "a segment", error);
    sqlite3_finalize(rows);
    sl_marks_publish(marks);
    return result;
}

/* The marks of a segment whose events an earlier process wrote. */
static sl_marks *read_marks(sl_journal *journal, const sl_span *span, sl_error *error)
{
    sqlite3 *db;
    char *path = sl_segment_path(journal->folder, span->number);
    int result = sl_segment_open_reader(path, &db, error);
    free(path);
    if (result < 0) return NULL;
    sl_marks *marks = sl_marks_new(span->first);
    result = read_rows(journal, db, span, marks, error);
    sqlite3_close(db);
    if (result == 0) return marks;
    sl_marks_unref(marks);
    return NULL;
}

static int write_index(sl_journal *journal, const sl_span *span, sl_error *error)
{
    sl_marks *marks = span->marks ? sl_marks_ref(span->marks) : read_marks(journal, span, error);
    if (!marks) return -1;
    resting resting = {journal, sl_ticks()};
    char *path = sl_asprintf("%s/%06u.idx", journal->folder, span->number);
    int result = sl_marks_whole(marks) ? sl_index_write(path, marks, rest, &resting, error)
                                       : sl_error_set(error, E2BIG, "%06u has too many events for an index", span->number);
    free(path);
    sl_marks_unref(marks);
    return result;
}

/* marked: of those whose marks are in memory. */
static sl_span *next_to_index(sl_journal *journal, bool marked)
{
    for (size_t i = 0; i + 1 < journal->span_count; i++)
        if (journal->spans[i].to_index && (!marked || journal->spans[i].marks)) return &journal->spans[i];
    return NULL;
}

static void index_next(sl_journal *journal, bool marked)
{
    sl_error error = {0};
    sl_span *span = next_to_index(journal, marked);
    span->to_index = false;
    sl_span copy = *span;
    copy.marks = sl_marks_ref(span->marks);
    pthread_mutex_unlock(&journal->lock);
    int result = write_index(journal, &copy, &error);
    sl_marks_unref(copy.marks);
    if (result < 0 && error.code != ECANCELED) sl_log(SL_WARNING, "journal", "%s", error.text);
    uint64_t bytes = sl_segment_bytes(journal->folder, copy.number);
    pthread_mutex_lock(&journal->lock);
    span = sl_span_get(journal, copy.number);
    if (!span) return; /* let go meanwhile: unlink_old comes next */
    span->bytes = bytes;
    if (result < 0) return;
    sl_marks_unref(span->marks);
    span->marks = NULL;
}

void sl_journal_index_again(sl_journal *journal, uint32_t segment)
{
    char *path = sl_asprintf("%s/%06u.idx", journal->folder, segment);
    sl_sys_now->unlink(path);
    free(path);
    pthread_mutex_lock(&journal->lock);
    sl_span *span = sl_span_get(journal, segment);
    if (span) span->to_index = true;
    pthread_cond_broadcast(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- unlinking -------------------------------------------------------------------------------------------------- */

static void unlink_old(sl_journal *journal)
{
    uint32_t before = journal->let_go, *numbers;
    size_t count;
    sl_error error = {0};
    pthread_mutex_unlock(&journal->lock);
    if (sl_journal_segments(journal->folder, &numbers, &count, &error) == 0) {
        for (size_t i = 0; i < count && numbers[i] < before; i++) sl_segment_remove(journal->folder, numbers[i]);
        free(numbers);
        sl_sync_dir(journal->folder);
    } else sl_log(SL_WARNING, "journal", "%s", error.text);
    pthread_mutex_lock(&journal->lock);
    journal->unlinked = before;
}

/* ---- what is there at a start ------------------------------------------------------------------------------------- */

/* What belongs to a segment that is gone, and what was being written when the process died. */
static void remove_stray(void *context, const char *name)
{
    const sl_journal *journal = context;
    unsigned number;
    int end = 0;
    if (sscanf(name, "%6u.%n", &number, &end) != 1 || !end || strcmp(name + end, "db") == 0) return;
    char *path = sl_segment_path(journal->folder, number), *own = sl_asprintf("%s/%s", journal->folder, name);
    struct stat status;
    if (strcmp(name + end, "idx.tmp") == 0 || (sl_sys_now->stat(path, &status) < 0 && errno == ENOENT)) sl_sys_now->unlink(own);
    free(path);
    free(own);
}

typedef struct survey {
    int64_t first, created, overrules;
    bool logged, indexed;
    uint64_t bytes;
} survey;

static void look_at(sl_journal *journal, uint32_t number, survey *ret)
{
    sqlite3 *db;
    struct stat status;
    sl_index *index = NULL;
    sl_error error = {0};
    char *path = sl_segment_path(journal->folder, number), *log = sl_asprintf("%s-wal", path);
    char *idx = sl_asprintf("%s/%06u.idx", journal->folder, number);
    *ret = (survey){.bytes = sl_segment_bytes(journal->folder, number)};
    ret->logged = sl_sys_now->stat(log, &status) == 0 && status.st_size > 0;
    if (sl_segment_open_reader(path, &db, &error) == 0) {
        sl_segment_read_meta(db, "first", &ret->first);
        sl_segment_read_meta(db, "created", &ret->created);
        sl_segment_read_meta(db, "overrules", &ret->overrules);
        sqlite3_close(db);
    }
    ret->indexed = sl_index_open(idx, (uint64_t)ret->first, &index, NULL) == 0;
    sl_index_close(index);
    free(path);
    free(log);
    free(idx);
}

static void take_survey(sl_journal *journal, uint32_t number, const survey *found)
{
    if (number < journal->let_go) return; /* meanwhile */
    sl_span *span = sl_span_add(journal, number, (uint64_t)found->first);
    bool open = span == &journal->spans[journal->span_count - 1];
    if (!span->created) span->created = found->created;
    if (found->overrules && sl_span_get(journal, (uint32_t)found->overrules)) {
        sl_span *failed = sl_span_get(journal, (uint32_t)found->overrules);
        failed->failed = true;
        failed->to_seal = false;
    }
    if (open || span->marks) return; /* this process made it */
    span->bytes = found->bytes;
    span->to_seal = found->logged;
    span->to_index = !found->indexed && found->first > 0;
}

static void take_stock(sl_journal *journal)
{
    uint32_t *numbers;
    size_t count;
    sl_error error = {0};
    pthread_mutex_unlock(&journal->lock);
    sl_sys_now->list(journal->folder, remove_stray, journal);
    int result = sl_journal_segments(journal->folder, &numbers, &count, &error);
    if (result < 0) sl_log(SL_WARNING, "journal", "%s", error.text);
    for (size_t i = 0; result == 0 && i < count; i++) {
        survey found;
        look_at(journal, numbers[i], &found);
        pthread_mutex_lock(&journal->lock);
        take_survey(journal, numbers[i], &found);
        pthread_mutex_unlock(&journal->lock);
    }
    free(numbers);
    pthread_mutex_lock(&journal->lock);
    journal->surveyed = true;
}

/* ---- the thread ---------------------------------------------------------------------------------------------------- */

static sl_span *next_to_seal(sl_journal *journal)
{
    for (size_t i = 0; i + 1 < journal->span_count; i++)
        if (journal->spans[i].to_seal) return &journal->spans[i];
    return NULL;
}

static void seal_next_old(sl_journal *journal)
{
    sl_span *span = next_to_seal(journal);
    uint32_t number = span->number;
    span->to_seal = false;
    pthread_mutex_unlock(&journal->lock);
    seal_old(journal, number);
    uint64_t bytes = sl_segment_bytes(journal->folder, number);
    pthread_mutex_lock(&journal->lock);
    span = sl_span_get(journal, number);
    if (span) span->bytes = bytes;
}

static void touch(sl_journal *journal, void (*task)(sl_journal *journal))
{
    journal->touching = true;
    task(journal);
    journal->touching = false;
    if (journal->held) pthread_cond_broadcast(&journal->to_seal); /* sl_journal_hold waits */
}

/* One task; false: nothing to do. */
static bool work(sl_journal *journal)
{
    bool ending = journal->ending, held = journal->held && !ending;
    if (!ending && !held && journal->unlinked < journal->let_go) touch(journal, unlink_old);
    else if (!ending && !journal->surveyed) take_stock(journal);
    else if (!ending && next_to_index(journal, true)) index_next(journal, true); /* quick, and frees their memory */
    else if (!held && journal->sealing_count) touch(journal, seal_next);
    else if (ending) return false;
    else if (!held && next_to_seal(journal)) touch(journal, seal_next_old);
    else if (next_to_index(journal, false)) index_next(journal, false);
    else return false;
    return true;
}

void *sl_journal_run_sealer(void *argument)
{
    sl_journal *journal = argument;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 19); /* of this thread alone */
    pthread_mutex_lock(&journal->lock);
    while (!journal->written || journal->sealing_count)
        if (!work(journal)) pthread_cond_wait(&journal->to_seal, &journal->lock);
    pthread_mutex_unlock(&journal->lock);
    return NULL;
}
