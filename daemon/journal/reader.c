#include "journal/reader.h"

#include <errno.h>
#include <stdio.h>

#include "journal/private.h"

/* ---- opening and closing ---------------------------------------------------------------------------- */

int sl_reader_open(const char *journal_folder, uint32_t node, sl_reader **ret, sl_error *error)
{
    sl_reader *reader = SL_NEW(sl_reader);
    reader->folder = sl_strdup(journal_folder);
    reader->node = node;
    if (sl_reader_refresh(reader, error) < 0) {
        sl_reader_close(reader);
        return -1;
    }
    *ret = reader;
    return 0;
}

static void close_segment(sl_reader *reader, sl_reader_segment *segment)
{
    sl_index_close(segment->index);
    segment->index = NULL;
    if (!segment->db) return;
    sqlite3_finalize(segment->by_seq);
    sqlite3_finalize(segment->name);
    sqlite3_finalize(segment->component);
    sqlite3_close(segment->db);
    free(segment->wanted);
    segment->by_seq = segment->name = segment->component = NULL;
    segment->db = NULL;
    segment->wanted = NULL;
    reader->open--;
}

void sl_reader_close(sl_reader *reader)
{
    if (!reader) return;
    for (size_t i = 0; i < reader->count; i++) close_segment(reader, &reader->segments[i]);
    for (size_t i = 0; i < reader->name_count; i++) free(reader->names[i]);
    free(reader->names);
    free(reader->segments);
    free(reader->folder);
    free(reader);
}

static void close_oldest(sl_reader *reader)
{
    sl_reader_segment *oldest = NULL;
    for (size_t i = 0; i < reader->count; i++) {
        sl_reader_segment *segment = &reader->segments[i];
        if (segment->db && !segment->pins && (!oldest || segment->used < oldest->used)) oldest = segment;
    }
    if (oldest) close_segment(reader, oldest);
}

int sl_reader_failed(const sl_reader_segment *segment, sl_error *error)
{
    char name[24];
    snprintf(name, sizeof name, "segment %u", segment->number);
    return sl_sqlite_failed(segment->db, "search", name, error);
}

int sl_reader_prepare(sl_reader_segment *segment, const char *sql, sqlite3_stmt **ret, sl_error *error)
{
    int result = sqlite3_prepare_v2(segment->db, sql, -1, ret, NULL);
    if (result == SQLITE_OK) return 0;
    sl_reader_failed(segment, error);
    if (error && result == SQLITE_ERROR) error->code = ENODATA; /* no such table */
    return -1;
}

int sl_reader_number(sl_reader_segment *segment, const char *sql, uint64_t first, uint64_t second, uint64_t *ret, sl_error *error)
{
    sqlite3_stmt *row = NULL;
    *ret = 0;
    if (sl_reader_prepare(segment, sql, &row, error) < 0) return -1;
    if (sqlite3_bind_parameter_count(row) > 0) sqlite3_bind_int64(row, 1, (int64_t)first);
    if (sqlite3_bind_parameter_count(row) > 1) sqlite3_bind_int64(row, 2, (int64_t)second);
    int state = sqlite3_step(row), result = 0;
    if (state == SQLITE_ROW) *ret = (uint64_t)sqlite3_column_int64(row, 0);
    else if (state != SQLITE_DONE) result = sl_reader_failed(segment, error);
    sqlite3_finalize(row);
    return result;
}

int sl_reader_use(sl_reader *reader, sl_reader_segment *segment, sl_error *error)
{
    segment->used = ++reader->uses;
    if (segment->db) return 0;
    if (reader->open >= SL_READER_OPEN) close_oldest(reader);
    char *path = sl_segment_path(reader->folder, segment->number);
    int result = sl_segment_open_reader(path, &segment->db, error);
    free(path);
    if (result < 0) {
        segment->db = NULL;
        return -1;
    }
    reader->open++;
    if (sl_reader_prepare(segment, "SELECT " SL_EVENT_COLUMNS " FROM event WHERE seq=?", &segment->by_seq, error) == 0 &&
        sl_reader_prepare(segment, "SELECT text FROM name WHERE id=?", &segment->name, error) == 0 &&
        sl_reader_prepare(segment, "SELECT type, revision FROM component WHERE name=? AND since<=? ORDER BY since DESC LIMIT 1",
                          &segment->component, error) == 0)
        return 0;
    close_segment(reader, segment);
    return -1;
}

/* ---- indexes and chains ---------------------------------------------------------------------------------- */

void sl_reader_follow(sl_reader *reader, sl_journal *journal) { reader->journal = journal; }

static sl_index *open_index(sl_reader *reader, sl_reader_segment *segment)
{
    sl_index *index = NULL;
    sl_error error = {0};
    sl_marks *marks = reader->journal ? sl_journal_marks(reader->journal, segment->number) : NULL;
    segment->marked = marks != NULL;
    if (marks) return sl_index_of_marks(marks);
    char *path = sl_asprintf("%s/%06u.idx", reader->folder, segment->number);
    if (sl_index_open(path, segment->first, &index, &error) < 0) segment->index_damaged = error.code == EBADMSG;
    free(path);
    return index;
}

sl_index *sl_reader_index(sl_reader *reader, sl_reader_segment *segment)
{
    if (reader->scans) return NULL;
    if (!segment->index && !segment->index_damaged) segment->index = open_index(reader, segment);
    return segment->index;
}

void sl_reader_index_damaged(sl_reader *reader, sl_reader_segment *segment)
{
    /* Marks are not damaged: they are too many, or too much was asked. */
    if (segment->marked) return;
    sl_log(SL_WARNING, "journal", "the index of segment %06u is damaged; it is made anew", segment->number);
    sl_index_close(segment->index);
    segment->index = NULL;
    if (reader->journal) sl_journal_index_again(reader->journal, segment->number);
    else segment->index_damaged = true;
}

/* Marks that have become a file meanwhile take memory for nothing. */
static void drop_old_marks(sl_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        sl_reader_segment *segment = &reader->segments[i];
        if (!segment->index || !segment->marked) continue;
        sl_marks *marks = sl_journal_marks(reader->journal, segment->number);
        if (!marks) {
            sl_index_close(segment->index);
            segment->index = NULL;
        }
        sl_marks_unref(marks);
    }
}

static sqlite3_stmt *reader_by_seq(void *context, uint64_t seq, sl_error *error)
{
    sl_reader_segment *segment = sl_reader_find(context, seq);
    if (segment && sl_reader_use(context, segment, error) == 0) return segment->by_seq;
    if (!segment) sl_error_set(error, ENOENT, "journal: event %llu is in no segment", (unsigned long long)seq);
    return NULL;
}

int sl_reader_chain(sl_reader *reader, uint64_t seq, sl_journal_state *ret, sl_error *error)
{
    return sl_chain_read(&(sl_chain_door){reader_by_seq, reader}, seq, ret, error);
}

static int last_of_row(sl_reader_segment *segment, sqlite3_stmt *row, uint64_t *ret, int64_t *ret_entered, sl_error *error)
{
    int state = sqlite3_step(row);
    if (state == SQLITE_ROW) {
        *ret = (uint64_t)sqlite3_column_int64(row, 0);
        if (ret_entered) *ret_entered = sqlite3_column_int64(row, 1);
    }
    sqlite3_reset(row);
    return state == SQLITE_ROW || state == SQLITE_DONE ? 0 : sl_reader_failed(segment, error);
}

/* *ret_known false: no index, or none that is of use. */
static int last_by_index(sl_reader *reader, sl_reader_segment *segment, sqlite3_stmt *row, uint64_t flowfile, uint64_t before,
                         uint64_t *ret, int64_t *ret_entered, bool *ret_known, sl_error *error)
{
    sl_seqs seqs = {0};
    uint32_t key = sl_index_flowfile(flowfile);
    sl_index *index = sl_reader_index(reader, segment);
    int result = 0;
    *ret_known = index && sl_index_find(index, SL_BY_FLOWFILE, &key, 1, segment->first, before, &seqs) == 0;
    if (index && !*ret_known) sl_reader_index_damaged(reader, segment);
    for (size_t i = seqs.count; *ret_known && result == 0 && !*ret && i-- > 0;) {
        sqlite3_bind_int64(row, 2, (int64_t)seqs.items[i]);
        sqlite3_bind_int64(row, 3, (int64_t)seqs.items[i] + 1);
        result = last_of_row(segment, row, ret, ret_entered, error);
    }
    free(seqs.items);
    return result;
}

int sl_reader_last_of(sl_reader *reader, sl_reader_segment *segment, uint64_t flowfile, uint64_t before, bool whole, uint64_t *ret,
                      int64_t *ret_entered, sl_error *error)
{
    static const char *const texts[] = {
        "SELECT seq, entered FROM event WHERE +flowfile=?1 AND seq>=?2 AND seq<?3 ORDER BY seq DESC LIMIT 1",
        "SELECT seq, entered FROM event WHERE +flowfile=?1 AND seq>=?2 AND seq<?3 AND whole ORDER BY seq DESC LIMIT 1"};
    sqlite3_stmt *row = NULL;
    bool known;
    *ret = 0;
    if (ret_entered) *ret_entered = 0;
    if (sl_reader_prepare(segment, texts[whole], &row, error) < 0) return -1;
    sqlite3_bind_int64(row, 1, (int64_t)flowfile);
    int result = last_by_index(reader, segment, row, flowfile, before, ret, ret_entered, &known, error);
    if (result == 0 && !known) {
        sqlite3_bind_int64(row, 2, (int64_t)segment->first);
        sqlite3_bind_int64(row, 3, (int64_t)SL_MIN(before, (uint64_t)INT64_MAX));
        result = last_of_row(segment, row, ret, ret_entered, error);
    }
    sqlite3_finalize(row);
    return result;
}

/* ---- which segments there are -------------------------------------------------------------------------- */

/* Retention took it between the listing and the opening. */
static bool is_gone(const sl_reader *reader, const sl_reader_segment *segment)
{
    struct stat status;
    char *path = sl_segment_path(reader->folder, segment->number);
    bool gone = sl_sys_now->stat(path, &status) < 0 && errno == ENOENT;
    free(path);
    return gone;
}

/* A file whose making a crash cut short has no tables or no first number yet: nothing of it counts. */
static int read_first(sl_reader *reader, sl_reader_segment *segment, sl_error *error)
{
    sl_error wrong = {0};
    if (segment->first) return 0;
    int result = sl_reader_use(reader, segment, &wrong);
    if (result == 0) result = sl_reader_number(segment, "SELECT value FROM meta WHERE key='first'", 0, 0, &segment->first, &wrong);
    if (!segment->first) close_segment(reader, segment);
    if (result == 0 || wrong.code == ENODATA || is_gone(reader, segment)) return 0;
    return sl_error_set(error, wrong.code, "%s", wrong.text);
}

static void take_over(sl_reader *reader, sl_reader_segment *old, size_t count)
{
    for (size_t i = 0, at = 0; i < count; i++) {
        while (at < reader->count && reader->segments[at].number < old[i].number) at++;
        if (at < reader->count && reader->segments[at].number == old[i].number) reader->segments[at] = old[i];
        else close_segment(reader, &old[i]);
    }
    free(old);
}

/* A segment's first number overrules what the one before it has from there on: that was never acknowledged. */
static void set_ends(sl_reader *reader)
{
    uint64_t end = INT64_MAX;
    for (size_t i = reader->count; i-- > 0;) {
        reader->segments[i].end = end;
        if (reader->segments[i].first) end = reader->segments[i].first;
    }
}

int sl_reader_refresh(sl_reader *reader, sl_error *error)
{
    uint32_t *numbers;
    size_t count, old_count = reader->count;
    if (sl_journal_segments(reader->folder, &numbers, &count, error) < 0) return -1;
    sl_reader_segment *old = reader->segments;
    reader->segments = NULL;
    reader->count = reader->capacity = 0;
    for (size_t i = 0; i < count; i++) {
        reader->segments = sl_grow(reader->segments, reader->count, &reader->capacity, sizeof *reader->segments);
        reader->segments[reader->count++] = (sl_reader_segment){.number = numbers[i]};
    }
    free(numbers);
    take_over(reader, old, old_count);
    int result = 0;
    for (size_t i = 0; result == 0 && i < reader->count; i++) result = read_first(reader, &reader->segments[i], error);
    set_ends(reader);
    if (reader->journal) drop_old_marks(reader);
    return result;
}

sl_reader_segment *sl_reader_find(sl_reader *reader, uint64_t seq)
{
    for (size_t i = 0; i < reader->count; i++) {
        sl_reader_segment *segment = &reader->segments[i];
        if (segment->first && seq >= segment->first && seq < segment->end) return segment;
    }
    return NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------ */

static char *look_up(sl_reader_segment *segment, uint32_t id)
{
    char *text = NULL;
    sqlite3_bind_int64(segment->name, 1, id);
    if (sqlite3_step(segment->name) == SQLITE_ROW)
        text = sl_strndup((const char *)sqlite3_column_text(segment->name, 0), (size_t)sqlite3_column_bytes(segment->name, 0));
    sqlite3_reset(segment->name);
    return text;
}

sl_str sl_reader_name(sl_reader *reader, sl_reader_segment *segment, uint32_t id)
{
    enum { NAMES = 1 << 20 }; /* more than that is damage */
    if (!id || id == SL_QUEUE_SAME || id > NAMES) return SL_STR("");
    while (reader->name_count <= id) {
        reader->names = sl_grow(reader->names, reader->name_count, &reader->name_capacity, sizeof *reader->names);
        reader->names[reader->name_count++] = NULL;
    }
    if (!reader->names[id]) reader->names[id] = look_up(segment, id);
    return sl_str_of(reader->names[id]);
}
