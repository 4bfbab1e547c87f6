/* The fold at opening: the newest segment with a complete checkpoint, then all events since its start. */
#include "journal/private.h"

#include <errno.h>
#include <stdio.h>

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

typedef struct numbers {
    uint32_t *items;
    size_t count, capacity;
} numbers;

static void note_number(void *context, const char *name)
{
    numbers *found = context;
    unsigned number;
    int end = 0;
    if (sscanf(name, "%6u.db%n", &number, &end) != 1 || !end || name[end]) return;
    found->items = sl_grow(found->items, found->count, &found->capacity, sizeof *found->items);
    found->items[found->count++] = number;
}

int sl_journal_segments(const char *folder, uint32_t **ret, size_t *ret_count, sl_error *error)
{
    numbers found = {0};
    int result = sl_sys_now->list(folder, note_number, &found);
    if (result < 0) sl_error_set(error, errno, "journal: cannot list %s: %s", folder, strerror(errno));
    if (found.count) qsort(found.items, found.count, sizeof *found.items, compare_numbers);
    if (result < 0) free(found.items);
    *ret = result < 0 ? NULL : found.items;
    *ret_count = result < 0 ? 0 : found.count;
    return result;
}

typedef struct step { /* one segment being folded */
    sl_journal *journal;
    uint32_t number;
    sqlite3 *db;
    char *path;
    int64_t first;
    bool last;
    sl_marks *marks; /* of the last one */
} step;

static int step_open(sl_journal *journal, uint32_t number, step *ret, sl_error *error)
{
    *ret = (step){.journal = journal, .number = number, .path = sl_segment_path(journal->folder, number)};
    if (sl_segment_open_reader(ret->path, &ret->db, error) == 0) return 0;
    free(ret->path);
    return -1;
}

static void step_close(step *step)
{
    sqlite3_close(step->db);
    free(step->path);
}

/* A file whose making a crash cut short: without tables, or with the rollback journal of what came before WAL, which a
 * reader may not play back and the next writer does. */
static bool half_made(sqlite3 *db)
{
    return sqlite3_errcode(db) == SQLITE_ERROR || sqlite3_extended_errcode(db) == SQLITE_READONLY_ROLLBACK;
}

/* Runs `sql` and `row` for each row; 1 when the file is half made. */
static int each_row(step *step, const char *sql, int (*row)(struct step *step, sqlite3_stmt *row, sl_error *error), sl_error *error)
{
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(step->db, sql, -1, &rows, NULL) != SQLITE_OK) {
        if (half_made(step->db)) return 1;
        return sl_sqlite_failed(step->db, "read", step->path, error);
    }
    int state, result = 0;
    while (result == 0 && (state = sqlite3_step(rows)) == SQLITE_ROW) result = row(step, rows, error);
    if (result == 0 && state != SQLITE_DONE) result = sl_sqlite_failed(step->db, "read", step->path, error);
    sqlite3_finalize(rows);
    return result;
}

static int fold_name(step *step, sqlite3_stmt *row, sl_error *error)
{
    (void)error;
    uint32_t id = (uint32_t)sqlite3_column_int64(row, 0);
    sl_str text = sl_str_of((const char *)sqlite3_column_text(row, 1));
    const sl_journal_fold *fold = &step->journal->options.fold;
    bool known = id < step->journal->name_count && step->journal->names[id].text;
    sl_journal_remember_name(step->journal, id, text);
    if (!known && fold->name) fold->name(fold->context, id, text);
    return 0;
}

static int fold_block(step *step, sqlite3_stmt *row, sl_error *error)
{
    const sl_journal_fold *fold = &step->journal->options.fold;
    const char *data = sqlite3_column_blob(row, 0);
    size_t size = (size_t)sqlite3_column_bytes(row, 0);
    if (size % sizeof(sl_checkpoint_entry) || sl_crc32c(0, data, size) != (uint32_t)sqlite3_column_int64(row, 1))
        return sl_error_set(error, EIO,
                            "journal: a checkpoint block of %s does not have the CRC it was written with: the disk "
                            "changed it; stop, restore the state from a backup",
                            step->path);
    for (size_t at = 0; at < size; at += sizeof(sl_checkpoint_entry)) {
        sl_checkpoint_entry entry;
        memcpy(&entry, data + at, sizeof entry);
        /* Written while a segment failed: what this one has taken over is here. */
        if (step->first > 0 && entry.seq >= (uint64_t)step->first) entry.segment = step->number;
        if (fold->entry) fold->entry(fold->context, &entry);
    }
    return 0;
}

static int fold_event(step *step, sqlite3_stmt *row, sl_error *error)
{
    sl_event event;
    const sl_journal_fold *fold = &step->journal->options.fold;
    if (sl_event_from_row(row, &event, error) < 0) return -1;
    if (fold->event) fold->event(fold->context, &event, step->number);
    step->journal->next = SL_MAX(step->journal->next, event.seq + 1);
    if (step->marks) sl_marks_add(step->marks, &event);
    return 0;
}

/* What a later segment has overruled was never acknowledged. end 0: all. */
static int fold_events(step *step, uint64_t end, sl_error *error)
{
    char sql[sizeof "SELECT  FROM event WHERE seq< ORDER BY seq" + sizeof SL_EVENT_COLUMNS + 24];
    snprintf(sql, sizeof sql, "SELECT " SL_EVENT_COLUMNS " FROM event WHERE seq<%lld ORDER BY seq", end ? (long long)end : INT64_MAX);
    return each_row(step, sql, fold_event, error);
}

static int fold_segment(sl_journal *journal, uint32_t number, bool base, bool last, uint64_t end, sl_error *error)
{
    step step;
    if (step_open(journal, number, &step, error) < 0) return -1;
    if (sl_segment_read_meta(step.db, "first", &step.first) == 0) journal->next = SL_MAX(journal->next, (uint64_t)step.first);
    sl_span *span = sl_span_add(journal, number, step.first > 0 ? (uint64_t)step.first : 0);
    if (last && step.first > 0) span->marks = step.marks = sl_marks_new((uint64_t)step.first);
    int result = each_row(&step, "SELECT id, text FROM name ORDER BY id", fold_name, error);
    if (result == 0 && base) result = each_row(&step, "SELECT entries, crc FROM checkpoint ORDER BY block", fold_block, error);
    if (result == 0) result = fold_events(&step, end, error);
    if (step.marks) sl_marks_publish(step.marks);
    journal->segment_number = number;
    journal->segment_first = step.first > 0 ? (uint64_t)step.first : journal->next;
    step_close(&step);
    return result < 0 ? -1 : 0;
}

/* The first number of the first segment from `at` on that has one; 0: none has. */
static int first_from(sl_journal *journal, const uint32_t *numbers, size_t count, size_t at, uint64_t *ret, sl_error *error)
{
    *ret = 0;
    for (; at < count && !*ret; at++) {
        step step;
        if (step_open(journal, numbers[at], &step, error) < 0) return -1;
        if (sl_segment_read_meta(step.db, "first", &step.first) == 0) *ret = (uint64_t)step.first;
        step_close(&step);
    }
    return 0;
}

static int fold_from(sl_journal *journal, const uint32_t *numbers, size_t count, size_t base, sl_error *error)
{
    int result = 0;
    for (size_t i = base; result == 0 && i < count; i++) {
        uint64_t end;
        result = first_from(journal, numbers, count, i + 1, &end, error);
        if (result == 0) result = fold_segment(journal, numbers[i], i == base, i + 1 == count, end, error);
    }
    return result;
}

static int is_complete(sl_journal *journal, uint32_t number, bool *ret, sl_error *error)
{
    step step;
    int64_t complete = 0;
    if (step_open(journal, number, &step, error) < 0) return -1;
    *ret = sl_segment_read_meta(step.db, "complete", &complete) == 0 && complete;
    step_close(&step);
    return 0;
}

int sl_journal_recover(sl_journal *journal, sl_error *error)
{
    uint32_t *numbers;
    size_t count;
    if (sl_journal_segments(journal->folder, &numbers, &count, error) < 0) return -1;
    int result = 0;
    size_t base = count;
    bool complete = false;
    while (result == 0 && !complete && base > 0) result = is_complete(journal, numbers[--base], &complete, error);
    if (complete) atomic_store(&journal->complete, numbers[base]);
    journal->incomplete = count > 0 && (base != count - 1 || !complete) && !(count == 1 && numbers[0] == 1);
    if (result == 0) result = fold_from(journal, numbers, count, base, error);
    free(numbers);
    return result;
}

/* From the oldest segment that is a beginning: the first ever, or one with a complete checkpoint. */
static int fold_whole(sl_journal *journal, sl_error *error)
{
    uint32_t *numbers;
    size_t count, base = 0;
    if (sl_journal_segments(journal->folder, &numbers, &count, error) < 0) return -1;
    int result = 0;
    bool complete = count && numbers[0] == 1;
    while (result == 0 && !complete && base < count)
        if ((result = is_complete(journal, numbers[base], &complete, error)) == 0 && !complete) base++;
    if (result == 0) result = fold_from(journal, numbers, count, base, error);
    free(numbers);
    return result;
}

static int inspect(const char *folder, const sl_journal_fold *fold, int (*read)(sl_journal *journal, sl_error *error), sl_error *error)
{
    char *copy = sl_strdup(folder);
    sl_journal journal = {.folder = copy, .options = {.folder = copy, .fold = *fold}, .lock_fd = -1, .next = 1};
    sl_journal_remember_name(&journal, 0, SL_STR(""));
    uint64_t acknowledged = sl_acknowledged_read(folder); /* before the fold: a daemon may go on meanwhile */
    int result = read(&journal, error);
    if (result == 0) result = sl_acknowledged_check(&journal, acknowledged, error);
    sl_journal_forget_names(&journal);
    sl_spans_done(&journal);
    free(copy);
    return result;
}

int sl_journal_inspect(const char *folder, const sl_journal_fold *fold, sl_error *error)
{
    return inspect(folder, fold, sl_journal_recover, error);
}

int sl_journal_inspect_whole(const char *folder, const sl_journal_fold *fold, sl_error *error)
{
    return inspect(folder, fold, fold_whole, error);
}
