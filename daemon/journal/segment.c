#include "journal/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"
#include "journal/vfs.h"

/* Text and integers that sqlite3 can read; NULL for what is absent keeps a row near 110 bytes. */
static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE component(name INTEGER, since INTEGER, type TEXT, revision TEXT, PRIMARY KEY(name, since)) WITHOUT ROWID;"
    "CREATE TABLE checkpoint(block INTEGER PRIMARY KEY, entries BLOB NOT NULL, crc INTEGER NOT NULL);"
    "CREATE TABLE event(seq INTEGER PRIMARY KEY, time INTEGER, type INTEGER, flowfile INTEGER, previous INTEGER,"
    " whole INTEGER, component INTEGER, relationship INTEGER, queue INTEGER, attributes TEXT, claim TEXT, content BLOB,"
    " parents TEXT, uri TEXT, details TEXT, target INTEGER, entered INTEGER, duration INTEGER, retries INTEGER,"
    " not_before INTEGER, crc INTEGER);"
    "CREATE TABLE type(id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE VIEW provenance AS SELECT e.seq, strftime('%Y-%m-%dT%H:%M:%f', e.time / 1e6, 'unixepoch') || 'Z' AS time,"
    " t.name AS type, e.flowfile, c.text AS component, r.text AS relationship, q.text AS queue, e.attributes, e.claim,"
    " e.parents, e.uri AS transit_uri, e.duration AS duration_us, e.details FROM event e JOIN type t ON t.id = e.type"
    " LEFT JOIN name c ON c.id = e.component LEFT JOIN name r ON r.id = e.relationship"
    " LEFT JOIN name q ON q.id = e.queue WHERE e.type < 32;"
    /* The queues by the events of this segment alone: FlowFiles that no event here has moved are in the checkpoint. */
    "CREATE VIEW fold AS SELECT e.flowfile, q.text AS queue, e.seq FROM event e JOIN name q ON q.id = e.queue"
    " WHERE e.seq IN (SELECT max(seq) FROM event WHERE queue IS NOT NULL AND flowfile > 0 GROUP BY flowfile)"
    " AND e.queue > 0;";

static const char *const statement_texts[SL_SEGMENT_STATEMENTS] = {
    [SL_INSERT_EVENT] = "INSERT INTO event(" SL_EVENT_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SL_INSERT_NAME] = "INSERT OR IGNORE INTO name(id,text) VALUES(?,?)",
    [SL_INSERT_COMPONENT] = "INSERT OR REPLACE INTO component(name,since,type,revision) VALUES(?,?,?,?)",
    [SL_INSERT_BLOCK] = "INSERT INTO checkpoint(block,entries,crc) VALUES(?,?,?)",
    [SL_SET_META] = "INSERT OR REPLACE INTO meta(key,value) VALUES(?,?)",
};

int sl_sqlite_failed(sqlite3 *db, const char *what, const char *path, sl_error *error)
{
    int code = sqlite3_extended_errcode(db), number = EIO;
    switch (code & 255) {
    case SQLITE_FULL: number = ENOSPC; break;
    case SQLITE_BUSY: number = EAGAIN; break;
    case SQLITE_INTERRUPT: number = ECANCELED; break;
    case SQLITE_CANTOPEN: number = sl_no_space(sqlite3_system_errno(db)) ? ENOSPC : EIO; break; /* a file that could not be made */
    }
    return sl_error_set(error, number, "journal: cannot %s %s: %s (SQLite %d)", what, path, sqlite3_errmsg(db), code);
}

char *sl_segment_path(const char *folder, uint32_t number) { return sl_asprintf("%s/%06u.db", folder, number); }

/* The file itself first: what is left of the others without it is removed at the next start. */
void sl_segment_remove(const char *folder, uint32_t number)
{
    static const char *const ends[] = {".db", ".db-wal", ".db-shm", ".db-journal", ".idx", ".idx.tmp"};
    for (size_t i = 0; i < SL_COUNT(ends); i++) {
        char *path = sl_asprintf("%s/%06u%s", folder, number, ends[i]);
        sl_sys_now->unlink(path);
        free(path);
    }
}

static int run(sl_segment *segment, const char *sql, const char *what, sl_error *error)
{
    if (sqlite3_exec(segment->db, sql, NULL, NULL, NULL) == SQLITE_OK) return 0;
    return sl_sqlite_failed(segment->db, what, segment->path, error);
}

static int make_types(sl_segment *segment, sl_error *error)
{
    sl_buf sql = SL_BUF(16384);
    for (unsigned type = 1; type < 64; type++) {
        const char *name = sl_event_type_name(type);
        if (name[0] != '?') sl_buf_printf(&sql, "INSERT INTO type VALUES(%u,'%s');", type, name);
    }
    int result = run(segment, sql.data, "describe", error);
    sl_buf_done(&sql);
    return result;
}

/* All or nothing: a crash in between leaves a file without tables, which is made anew. The first segment has nothing
 * before it: its checkpoint is empty and complete. */
static int make(sl_segment *segment, uint64_t first, sl_error *error)
{
    char about[256];
    snprintf(about, sizeof about,
             "INSERT INTO meta VALUES('format',%d),('number',%u),('created',%lld),('first',%llu);"
             "INSERT INTO meta SELECT 'complete',1 WHERE %u=1;",
             SL_JOURNAL_FORMAT, segment->number, (long long)sl_now(), (unsigned long long)first, segment->number);
    if (run(segment, "BEGIN IMMEDIATE", "begin", error) < 0 || run(segment, schema, "make the tables of", error) < 0 ||
        make_types(segment, error) < 0 || run(segment, about, "describe", error) < 0)
        return -1;
    return run(segment, "COMMIT", "commit", error);
}

static int prepare(sl_segment *segment, sl_error *error)
{
    for (int i = 0; i < SL_SEGMENT_STATEMENTS; i++)
        if (sqlite3_prepare_v3(segment->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &segment->statements[i], NULL) != SQLITE_OK)
            return sl_sqlite_failed(segment->db, "prepare for", segment->path, error);
    return 0;
}

static int check_format(sl_segment *segment, sl_error *error)
{
    int64_t format = 0;
    if (sl_segment_read_meta(segment->db, "format", &format) == 0 && format == SL_JOURNAL_FORMAT) return 0;
    return sl_error_set(error, EINVAL, "journal: %s has format %lld, expected %d; it was written by another version of sluice",
                        segment->path, (long long)format, SL_JOURNAL_FORMAT);
}

/* An open segment's log only grows: it has a head of 32 bytes, then its pages, each with 24 bytes before it. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    sl_segment *segment = context;
    (void)db, (void)name;
    segment->log_size = 32 + pages * segment->frame;
    return SQLITE_OK;
}

static void watch_log(sl_segment *segment)
{
    sqlite3_stmt *row = NULL;
    sqlite3_prepare_v2(segment->db, "PRAGMA page_size", -1, &row, NULL);
    segment->frame = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int64(row, 0) + 24 : 0;
    sqlite3_finalize(row);
    if (segment->frame) sqlite3_wal_hook(segment->db, on_commit, segment);
}

static int set_up(sl_segment *segment, uint64_t first, sl_error *error)
{
    /* Before the first table: a page holds some 35 rows; 8 KiB measured best for rows of 110 bytes. */
    if (run(segment,
            "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
            "PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY; PRAGMA locking_mode=NORMAL",
            "set up", error) < 0)
        return -1;
    watch_log(segment);
    sqlite3_stmt *tables = NULL;
    sqlite3_prepare_v2(segment->db, "SELECT 1 FROM sqlite_master WHERE name='type'", -1, &tables, NULL);
    bool fresh = sqlite3_step(tables) != SQLITE_ROW;
    sqlite3_finalize(tables);
    if ((fresh && make(segment, first, error) < 0) || prepare(segment, error) < 0) return -1;
    return check_format(segment, error);
}

int sl_segment_open(const char *folder, uint32_t number, uint64_t first, sl_segment **ret, sl_error *error)
{
    sl_segment *segment = SL_NEW(sl_segment);
    segment->number = number;
    segment->path = sl_segment_path(folder, number);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = 0;
    if (sqlite3_open_v2(segment->path, &segment->db, flags, sl_vfs_name()) != SQLITE_OK)
        result = sl_sqlite_failed(segment->db, "open", segment->path, error);
    if (result == 0) result = set_up(segment, first, error);
    if (result == 0 && sl_sync_dir(folder) < 0) result = sl_error_set(error, errno, "journal: cannot sync %s: %s", folder, strerror(errno));
    if (result < 0) {
        sl_segment_close(segment, false, NULL);
        return -1;
    }
    *ret = segment;
    return 0;
}

static int write_again(int fd, off_t from)
{
    enum { PIECE = 1 << 20 };
    char *piece = sl_alloc(PIECE);
    ssize_t got = 0;
    int result = 0;
    for (off_t at = from; result == 0 && (got = sl_read_full(fd, piece, PIECE, at)) > 0; at += got)
        result = sl_write_all(fd, piece, (size_t)got, at);
    if (got < 0) result = -1;
    free(piece);
    return result == 0 ? sl_sys_now->fdatasync(fd) : -1;
}

int sl_segment_write_log_again(const char *folder, uint32_t number, uint64_t from, sl_error *error)
{
    char *path = sl_asprintf("%s/%06u.db-wal", folder, number);
    int fd = sl_sys_now->open(path, O_RDWR, 0), result = 0;
    if (fd < 0 && errno != ENOENT) result = sl_error_set(error, errno, "journal: cannot open %s: %s", path, strerror(errno));
    if (fd >= 0 && write_again(fd, (off_t)from) < 0)
        result = sl_error_set(error, errno, "journal: cannot write %s again: %s", path, strerror(errno));
    if (fd >= 0) sl_sys_now->close(fd);
    free(path);
    return result;
}

int sl_segment_open_reader(const char *path, sqlite3 **ret, sl_error *error)
{
    if (sqlite3_open_v2(path, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        sl_sqlite_failed(*ret, "open", path, error);
        sqlite3_close(*ret);
        return -1;
    }
    sqlite3_busy_timeout(*ret, 2000);
    sqlite3_exec(*ret, "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-1024", NULL, NULL, NULL);
    return 0;
}

int sl_segment_close(sl_segment *segment, bool seal, sl_error *error)
{
    int result = 0;
    if (!segment) return 0;
    for (int i = 0; i < SL_SEGMENT_STATEMENTS; i++) sqlite3_finalize(segment->statements[i]);
    if (seal && sqlite3_wal_checkpoint_v2(segment->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
        result = sl_sqlite_failed(segment->db, "checkpoint", segment->path, error);
    /* Closing would checkpoint by itself; an open segment's WAL is left as it is: it is opened in 0.1 s. */
    if (segment->db) sqlite3_db_config(segment->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(segment->db);
    free(segment->path);
    free(segment);
    return result;
}

int sl_segment_begin(sl_segment *segment, sl_error *error) { return run(segment, "BEGIN IMMEDIATE", "begin in", error); }

int sl_segment_commit(sl_segment *segment, sl_error *error) { return run(segment, "COMMIT", "commit to", error); }

void sl_segment_undo(sl_segment *segment)
{
    for (int i = 0; i < SL_SEGMENT_STATEMENTS; i++) sqlite3_reset(segment->statements[i]);
    if (!sqlite3_get_autocommit(segment->db)) sqlite3_exec(segment->db, "ROLLBACK", NULL, NULL, NULL);
}

void sl_segment_cut(sl_segment *segment)
{
    sl_segment_undo(segment);
    if (segment->log_size) sl_vfs_cut_log(segment->db, segment->log_size);
}

static int step(sl_segment *segment, int which, const char *what, sl_error *error)
{
    sqlite3_stmt *statement = segment->statements[which];
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : sl_sqlite_failed(segment->db, what, segment->path, error);
}

static uint32_t crc_of(uint32_t crc, sl_str text)
{
    uint32_t size = (uint32_t)text.size;
    return sl_crc32c(sl_crc32c(crc, &size, sizeof size), text.data, text.size);
}

uint32_t sl_event_crc(const sl_event *event)
{
    uint64_t numbers[] = {
        event->seq,       (uint64_t)event->time,      event->type,  event->flowfile, event->previous,          event->whole,
        event->component, event->relationship,        event->queue, event->target,   (uint64_t)event->entered, (uint64_t)event->duration,
        event->retries,   (uint64_t)event->not_before};
    uint32_t crc = sl_crc32c(0, numbers, sizeof numbers);
    crc = crc_of(crc_of(crc_of(crc, event->attributes), event->claim), event->content);
    return crc_of(crc_of(crc_of(crc, event->parents), event->uri), event->details);
}

static void bind_number(sqlite3_stmt *statement, int at, int64_t value)
{
    if (value) sqlite3_bind_int64(statement, at, value);
    else sqlite3_bind_null(statement, at);
}

static void bind_text(sqlite3_stmt *statement, int at, sl_str text)
{
    if (text.size) sqlite3_bind_text(statement, at, text.data, (int)text.size, SQLITE_STATIC);
    else sqlite3_bind_null(statement, at);
}

int sl_segment_event(sl_segment *segment, const sl_event *e, sl_error *error)
{
    sqlite3_stmt *s = segment->statements[SL_INSERT_EVENT];
    sqlite3_bind_int64(s, 1, (int64_t)e->seq);
    sqlite3_bind_int64(s, 2, e->time);
    sqlite3_bind_int64(s, 3, e->type);
    bind_number(s, 4, (int64_t)e->flowfile);
    bind_number(s, 5, (int64_t)e->previous);
    bind_number(s, 6, e->whole);
    bind_number(s, 7, e->component);
    bind_number(s, 8, e->relationship);
    if (e->queue == SL_QUEUE_SAME) sqlite3_bind_null(s, 9);
    else sqlite3_bind_int64(s, 9, e->queue);
    bind_text(s, 10, e->attributes);
    bind_text(s, 11, e->claim);
    if (e->content.size) sqlite3_bind_blob(s, 12, e->content.data, (int)e->content.size, SQLITE_STATIC);
    else sqlite3_bind_null(s, 12);
    bind_text(s, 13, e->parents);
    bind_text(s, 14, e->uri);
    bind_text(s, 15, e->details);
    bind_number(s, 16, (int64_t)e->target);
    bind_number(s, 17, e->entered);
    bind_number(s, 18, e->duration);
    bind_number(s, 19, e->retries);
    bind_number(s, 20, e->not_before);
    sqlite3_bind_int64(s, 21, sl_event_crc(e));
    return step(segment, SL_INSERT_EVENT, "insert into", error);
}

int sl_segment_name(sl_segment *segment, uint32_t id, sl_str name, sl_error *error)
{
    sqlite3_bind_int64(segment->statements[SL_INSERT_NAME], 1, id);
    bind_text(segment->statements[SL_INSERT_NAME], 2, name);
    return step(segment, SL_INSERT_NAME, "name in", error);
}

int sl_segment_component(sl_segment *segment, uint32_t id, uint64_t since, sl_str type, sl_str revision, sl_error *error)
{
    sqlite3_stmt *s = segment->statements[SL_INSERT_COMPONENT];
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, (int64_t)since);
    bind_text(s, 3, type);
    bind_text(s, 4, revision);
    return step(segment, SL_INSERT_COMPONENT, "describe in", error);
}

int sl_segment_block(sl_segment *segment, const void *entries, size_t size, sl_error *error)
{
    sqlite3_stmt *s = segment->statements[SL_INSERT_BLOCK];
    sqlite3_bind_int64(s, 1, (int64_t)++segment->blocks);
    sqlite3_bind_blob(s, 2, entries, (int)size, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, sl_crc32c(0, entries, size));
    return step(segment, SL_INSERT_BLOCK, "checkpoint into", error);
}

int sl_segment_meta(sl_segment *segment, const char *key, int64_t value, sl_error *error)
{
    sqlite3_bind_text(segment->statements[SL_SET_META], 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(segment->statements[SL_SET_META], 2, value);
    return step(segment, SL_SET_META, "mark", error);
}

int sl_segment_read_meta(sqlite3 *db, const char *key, int64_t *ret)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key=?", -1, &statement, NULL) != SQLITE_OK) return -1;
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) *ret = sqlite3_column_int64(statement, 0), result = 0;
    sqlite3_finalize(statement);
    return result;
}

static sl_str column(sqlite3_stmt *row, int at)
{
    const void *data = sqlite3_column_blob(row, at);
    return (sl_str){data, data ? (size_t)sqlite3_column_bytes(row, at) : 0};
}

int sl_event_from_row(sqlite3_stmt *row, sl_event *ret, sl_error *error)
{
    *ret = (sl_event){
        .seq = (uint64_t)sqlite3_column_int64(row, 0),
        .time = sqlite3_column_int64(row, 1),
        .type = (unsigned)sqlite3_column_int(row, 2),
        .flowfile = (uint64_t)sqlite3_column_int64(row, 3),
        .previous = (uint64_t)sqlite3_column_int64(row, 4),
        .whole = sqlite3_column_int(row, 5) != 0,
        .component = (uint32_t)sqlite3_column_int64(row, 6),
        .relationship = (uint32_t)sqlite3_column_int64(row, 7),
        .queue = sqlite3_column_type(row, 8) == SQLITE_NULL ? SL_QUEUE_SAME : (uint32_t)sqlite3_column_int64(row, 8),
        .attributes = column(row, 9),
        .claim = column(row, 10),
        .content = column(row, 11),
        .parents = column(row, 12),
        .uri = column(row, 13),
        .details = column(row, 14),
        .target = (uint64_t)sqlite3_column_int64(row, 15),
        .entered = sqlite3_column_int64(row, 16),
        .duration = sqlite3_column_int64(row, 17),
        .retries = (uint32_t)sqlite3_column_int64(row, 18),
        .not_before = sqlite3_column_int64(row, 19),
    };
    if ((uint32_t)sqlite3_column_int64(row, 20) == sl_event_crc(ret)) return 0;
    return sl_error_set(error, EIO,
                        "journal: event %llu does not have the CRC it was written with: the disk changed it; "
                        "stop, restore the state from a backup or move this segment away",
                        (unsigned long long)ret->seq);
}
