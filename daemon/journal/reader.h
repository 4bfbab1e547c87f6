/* journal/reader: the segments of a folder, opened for reading, a few at a time. Private to this room; the public
 * side is journal/query.h. */
#ifndef SL_READER_H
#define SL_READER_H

#include "journal/index.h"
#include "journal/private.h"
#include "journal/query.h"
#include "journal/segment.h"

enum { SL_READER_OPEN = 8, SL_CHILDREN = 1000 };

typedef struct sl_reader_segment {
    uint32_t number;
    uint64_t first, end; /* seqs [first, end) are its own; first 0: a crash cut its making short, nothing to read */
    sqlite3 *db;         /* NULL: closed */
    sqlite3_stmt *by_seq, *name, *component;
    uint64_t used;   /* when, for closing the one used longest ago */
    unsigned pins;   /* a statement of the caller's is open: not to be closed */
    sl_index *index; /* NULL: none, or not looked for yet; `marked`: it is the journal's marks */
    bool marked, index_damaged;
    /* The FlowFiles that the last search's filters want, in the connection's temporary table `wanted`. */
    char *wanted;
    uint64_t wanted_end;
} sl_reader_segment;

struct sl_reader {
    char *folder;
    bool scans;          /* goes by no index; for tests, which compare */
    sl_journal *journal; /* whose marks are used; NULL: a stopped folder, or another process's */
    uint32_t node;
    sl_reader_segment *segments; /* ascending */
    size_t count, capacity, open;
    uint64_t uses;
    char **names; /* by id; NULL: not looked up yet. Ids are the same in all segments. */
    size_t name_count, name_capacity;
};

/* Looks for new segments and for those that are gone. */
int sl_reader_refresh(sl_reader *reader, sl_error *error);
/* Opens it; may close another that nobody has pinned. */
int sl_reader_use(sl_reader *reader, sl_reader_segment *segment, sl_error *error);
/* The one that has `seq`, NULL: none. */
sl_reader_segment *sl_reader_find(sl_reader *reader, uint64_t seq);
/* Its index, NULL: there is none, scan. One that turned out damaged is reported with
 * sl_reader_index_damaged and not used again. */
sl_index *sl_reader_index(sl_reader *reader, sl_reader_segment *segment);
void sl_reader_index_damaged(sl_reader *reader, sl_reader_segment *segment);
/* The state after event `seq`, wherever its chain's rows are. */
int sl_reader_chain(sl_reader *reader, uint64_t seq, sl_journal_state *ret, sl_error *error);
/* The FlowFile's last event before `before` there (`whole`: that begins its chain); *ret 0: none. ret_entered may be
 * NULL. */
int sl_reader_last_of(sl_reader *reader, sl_reader_segment *segment, uint64_t flowfile, uint64_t before, bool whole, uint64_t *ret,
                      int64_t *ret_entered, sl_error *error);
/* "" for 0 and for what no segment names. */
sl_str sl_reader_name(sl_reader *reader, sl_reader_segment *segment, uint32_t id);
int sl_reader_failed(const sl_reader_segment *segment, sl_error *error); /* what SQLite said; -1 */
/* error->code ENODATA: the segment has no such table. */
int sl_reader_prepare(sl_reader_segment *segment, const char *sql, sqlite3_stmt **ret, sl_error *error);
/* The number that a question with at most two parameters finds; 0: none. */
int sl_reader_number(sl_reader_segment *segment, const char *sql, uint64_t first, uint64_t second, uint64_t *ret, sl_error *error);

/* query.c: the state before an event, by its chain or, with `thorough`, from an older segment. */
typedef enum sl_before { SL_BEFORE_KNOWN, SL_BEFORE_NOTHING, SL_BEFORE_UNKNOWN } sl_before;
int sl_reader_before(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, bool thorough, sl_journal_state *ret,
                     sl_before *ret_known, sl_error *error);
/* The columns that sl_describe_event wants: an event's and whether its details are JSON. */
#define SL_DESCRIBE_COLUMNS SL_EVENT_COLUMNS ",json_valid(details)"
/* describe.c: the row's event as surface.md's object. */
int sl_describe_event(sl_reader *reader, sl_reader_segment *segment, sqlite3_stmt *row, bool thorough, sl_buf *ret, sl_error *error);
/* Members flow, component, relationship, connection of an event, each with a comma after it. */
void sl_describe_place(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, sl_buf *ret);
void sl_describe_uuid(const sl_reader *reader, uint64_t flowfile, int64_t entered, sl_buf *ret);
void sl_describe_text(const char *name, sl_str text, sl_buf *ret); /* "name":"text", or null when empty */
/* Calls back for each number of a JSON list of numbers. */
void sl_describe_ids(sl_str list, void (*each)(void *context, uint64_t id), void *context);

#endif
