/* A copy of the log as of one moment, made while it goes on. What a commit has put into the open segment's log is never
 * changed before the segment is sealed: so its file and the log's first bytes, up to the end of the last commit, are the
 * segment as a power cut at that moment would have left it. Full segments are whole already; where the sealer has taken the
 * log in, nobody ever writes to them again and a hard link will do. Sealing and unlinking wait meanwhile.
 *
 * A segment's file is only ever read through SQLite: closing a descriptor of one's own would drop the locks that this process
 * has on it, and whoever opens the segment then, with sqlite3, would take the log away from under the daemon. */
#include <errno.h>
#include <stdio.h>

#include "base/copy.h"
#include "journal/private.h"

void sl_journal_note_cut(sl_journal *journal, const sl_segment *segment, uint64_t seq)
{
    if (seq) journal->cut.seq = seq;
    journal->cut.open = segment->number;
    journal->cut.log = (uint64_t)segment->log_size;
}

/* ---- the moment ------------------------------------------------------------------------------------------------------ */

int sl_journal_hold(sl_journal *journal, sl_journal_cut *ret, sl_error *error)
{
    int result = 0;
    pthread_mutex_lock(&journal->lock);
    journal->held = true;
    while (journal->touching && !journal->ending) pthread_cond_wait(&journal->to_seal, &journal->lock);
    *ret = journal->cut;
    ret->oldest = journal->let_go;
    if (journal->ending) result = sl_error_set(error, ECANCELED, "the journal is being closed");
    else if (!ret->log) result = sl_error_set(error, EIO, "journal: how long the log of segment %06u is, is not known", ret->open);
    pthread_mutex_unlock(&journal->lock);
    if (result == 0 && sl_journal_failure(journal, error)) result = -1;
    if (result < 0) sl_journal_go_on(journal);
    return result;
}

void sl_journal_go_on(sl_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->held = false;
    pthread_cond_broadcast(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
}

int sl_journal_cut_stopped(const char *folder, sl_journal_cut *ret, sl_error *error)
{
    uint32_t *numbers;
    size_t count;
    if (sl_journal_segments(folder, &numbers, &count, error) < 0) return -1;
    *ret = (sl_journal_cut){.seq = sl_acknowledged_read(folder), .log = UINT64_MAX};
    if (count) ret->oldest = numbers[0], ret->open = numbers[count - 1];
    free(numbers);
    return 0;
}

/* ---- the files --------------------------------------------------------------------------------------------------------- */

typedef struct copying {
    const char *folder, *to;
    sl_copier *copier;
} copying;

static bool is_there(const char *path, uint64_t *ret_size)
{
    struct stat status;
    bool there = sl_sys_now->stat(path, &status) == 0;
    *ret_size = there ? (uint64_t)status.st_size : 0;
    return there;
}

static ssize_t read_database(void *context, void *data, size_t size, uint64_t at)
{
    sqlite3_file *file = context;
    int result = file->pMethods->xRead(file, data, (int)size, (sqlite3_int64)at);
    if (result == SQLITE_OK) return (ssize_t)size;
    errno = EIO;
    return -1;
}

static int copy_through(const copying *c, sqlite3 *db, const char *from, const char *to, sl_error *error)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods ||
        file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return sl_sqlite_failed(db, "look at", from, error);
    sl_copy_source source = {.path = from, .fd = -1, .read = read_database, .context = file};
    return sl_copy_from(c->copier, &source, (uint64_t)size, to, error);
}

static int copy_database(const copying *c, const char *from, const char *to, bool changes, sl_error *error)
{
    sqlite3 *db;
    if (!changes && sl_copy_linked(c->copier, from, to)) return 0;
    if (c->copier->counting) return sl_copy_count(c->copier, from, UINT64_MAX, error);
    if (sl_segment_open_reader(from, &db, error) < 0) return -1;
    int result = copy_through(c, db, from, to, error);
    sqlite3_close(db);
    return result;
}

typedef enum part { DATABASE, LOG, INDEX } part;

/* Those that change are never linked. */
static int copy_one(const copying *c, uint32_t number, part part, bool changes, uint64_t limit, sl_error *error)
{
    static const char *const ends[] = {".db", ".db-wal", ".idx"};
    char *from = sl_asprintf("%s/%06u%s", c->folder, number, ends[part]), *to = sl_asprintf("%s/%06u%s", c->to, number, ends[part]);
    int result;
    if (part == DATABASE) result = copy_database(c, from, to, changes, error);
    else if (changes) result = sl_copy_file(c->copier, from, to, limit, error);
    else result = sl_copy_link(c->copier, from, to, error);
    free(from);
    free(to);
    return result;
}

static int copy_segment(const copying *c, uint32_t number, bool open, uint64_t log, sl_error *error)
{
    uint64_t size;
    char *path = sl_asprintf("%s/%06u.db-wal", c->folder, number), *idx = sl_asprintf("%s/%06u.idx", c->folder, number);
    bool logged = is_there(path, &size) && size > 0, indexed = is_there(idx, &size) && !open;
    free(path);
    free(idx);
    int result = copy_one(c, number, DATABASE, open || logged, UINT64_MAX, error);
    if (result == 0 && logged) result = copy_one(c, number, LOG, true, log, error);
    /* One that is found damaged meanwhile is made anew: so it is here. */
    if (result == 0 && indexed && copy_one(c, number, INDEX, false, UINT64_MAX, error) < 0) result = error->code == ENOENT ? 0 : -1;
    return result;
}

int sl_journal_copy(const char *folder, const sl_journal_cut *cut, const char *to, sl_copier *copier, sl_error *error)
{
    uint32_t *numbers;
    size_t count;
    copying c = {folder, to, copier};
    if (sl_journal_segments(folder, &numbers, &count, error) < 0) return -1;
    int result = sl_copy_folder(copier, to, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        bool open = numbers[i] == cut->open;
        if (numbers[i] >= cut->oldest && numbers[i] <= cut->open)
            result = copy_segment(&c, numbers[i], open, open ? cut->log : UINT64_MAX, error);
    }
    free(numbers);
    if (result == 0 && !copier->counting) result = sl_acknowledged_write(to, cut->seq, error);
    return result == 0 ? sl_copy_synced(copier, to, error) : result;
}
