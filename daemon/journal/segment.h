/* journal/segment: one SQLite file of the journal: its schema, its statements, the CRC of a row. A segment belongs
 * to one thread at a time. */
#ifndef SL_SEGMENT_H
#define SL_SEGMENT_H

#include <sqlite3.h>

#include "journal/event.h"
#include "journal/journal.h"

#define SL_JOURNAL_FORMAT 1

enum { SL_INSERT_EVENT, SL_INSERT_NAME, SL_INSERT_COMPONENT, SL_INSERT_BLOCK, SL_SET_META, SL_SEGMENT_STATEMENTS };

typedef struct sl_segment {
    uint32_t number;
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[SL_SEGMENT_STATEMENTS];
    uint64_t blocks;  /* checkpoint blocks written */
    int64_t log_size; /* bytes of the log at the last commit; 0: none yet */
    int64_t frame;    /* bytes of one page in it */
} sl_segment;

char *sl_segment_path(const char *folder, uint32_t number);
/* Makes the file, whose events begin with the number `first`, or opens it for writing; WAL and synchronous=FULL. */
int sl_segment_open(const char *folder, uint32_t number, uint64_t first, sl_segment **ret, sl_error *error);
/* Writes the bytes of its log from `from` on again and syncs them; nobody may have it open. See journal.c. */
int sl_segment_write_log_again(const char *folder, uint32_t number, uint64_t from, sl_error *error);
int sl_segment_open_reader(const char *path, sqlite3 **ret, sl_error *error);
void sl_segment_remove(const char *folder, uint32_t number); /* all its files */
/* Checkpoints the WAL (when `seal`) and closes. */
int sl_segment_close(sl_segment *segment, bool seal, sl_error *error);

/* Undoes what was begun, if anything was: after a failure that left the file as it was (a full disk). */
void sl_segment_undo(sl_segment *segment);
/* After a failure for good: takes out of the log what was not committed. */
void sl_segment_cut(sl_segment *segment);
int sl_segment_begin(sl_segment *segment, sl_error *error);
int sl_segment_commit(sl_segment *segment, sl_error *error);
int sl_segment_event(sl_segment *segment, const sl_event *event, sl_error *error);
int sl_segment_name(sl_segment *segment, uint32_t id, sl_str name, sl_error *error);
int sl_segment_component(sl_segment *segment, uint32_t id, uint64_t since, sl_str type, sl_str revision, sl_error *error);
int sl_segment_block(sl_segment *segment, const void *entries, size_t size, sl_error *error);
int sl_segment_meta(sl_segment *segment, const char *key, int64_t value, sl_error *error);
int sl_segment_read_meta(sqlite3 *db, const char *key, int64_t *ret); /* -1: absent */

/* Columns of an event, in the order that sl_event_from_row reads them. */
#define SL_EVENT_COLUMNS                                                                                               \
    "seq,time,type,flowfile,previous,whole,component,relationship,queue,attributes,claim,content,parents,uri,details," \
    "target,entered,duration,retries,not_before,crc"
/* The views point into the row and live until the next step. -1: the CRC does not fit. */
int sl_event_from_row(sqlite3_stmt *row, sl_event *ret, sl_error *error);
uint32_t sl_event_crc(const sl_event *event);
int sl_sqlite_failed(sqlite3 *db, const char *what, const char *path, sl_error *error); /* -1 */

#endif
