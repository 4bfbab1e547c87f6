/* journal/private: what the files of this room share.
 *
 *   journal.c   open and close, the loop thread's side: names, append, roll, checkpoint
 *   writer.c    the journal thread: groups, commits, what follows a failure
 *   sealer.c    the sealer thread: full segments, their indexes, those that are let go
 *   spans.c     which segments there are; retention
 *   recover.c   the fold at opening
 *   backup.c    a copy as of one moment
 *   state.c     one FlowFile's whole state, read from its chain
 *   segment.c   one SQLite file
 *   reader.c    the segments of a folder, opened for reading; names (journal/reader.h)
 *   describe.c  an event as JSON
 *   query.c     search, one event, its claims
 *   lineage.c   ancestors and descendants
 */
#ifndef SL_JOURNAL_PRIVATE_H
#define SL_JOURNAL_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/sys.h"
#include "journal/index.h"
#include "journal/segment.h"

enum { SL_RETAINED = 8 /* segments that retention reckons with */ };

typedef enum sl_command_kind {
    SL_DO_BATCH,
    SL_DO_NAME,
    SL_DO_COMPONENT,
    SL_DO_ROLL,
    SL_DO_BLOCK,
    SL_DO_COMPLETE,
    SL_DO_ADOPT, /* the loop knows of the renewal: checkpoint blocks that follow are the fresh segment's */
} sl_command_kind;

typedef struct sl_command { /* from the loop thread to the journal thread, in order */
    struct sl_command *next;
    sl_command_kind kind;
    sl_batch *batch;
    uint64_t seq;       /* batch: its last; roll: the new segment's first; component: since */
    uint32_t id;        /* name, component; roll, adopt: the segment's number */
    char *text, *other; /* name; type and revision; text: a block's entries */
    size_t size;        /* of a block; what this command counts as pending */
} sl_command;

typedef struct sl_named {         /* by id */
    char *text, *type, *revision; /* type and revision of a component, or NULL */
} sl_named;

typedef struct sl_span { /* a segment that is there */
    uint32_t number;
    uint64_t first, end; /* seqs [first, end) are its own; end 0: open */
    int64_t created;     /* us since 1970; 0: not looked at yet */
    uint64_t bytes;      /* on disk, as last looked at */
    sl_marks *marks;     /* until its index stands as a file */
    bool to_seal;        /* its WAL is still to be checkpointed, and no connection waits for that */
    bool to_index, failed;
} sl_span;

enum { SL_STATE_READERS = 4 };
typedef struct sl_state_reader {
    uint32_t segment; /* 0: none */
    uint64_t first, used;
    sqlite3 *db;
    sqlite3_stmt *by_seq;
} sl_state_reader;

struct sl_journal {
    sl_journal_options options;
    char *folder;
    int lock_fd;
    struct sl_acknowledged *acknowledged; /* mapped; NULL: none is kept */

    /* loop thread */
    uint64_t next; /* the seq of the next event */
    uint32_t segment_number;
    uint64_t segment_first; /* its first seq */
    bool incomplete;        /* the open segment's checkpoint is still to be written */
    int64_t segment_created;
    uint64_t segment_begun; /* the next seq when its checkpoint was complete: what follows is worth a roll */
    sl_map name_ids;        /* text -> id */
    sl_named *names;
    size_t name_count, name_capacity; /* names[0] is unused: id 0 means none */

    /* under `lock` */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    sl_command *first, *last;
    bool ending, written; /* to be closed; the journal thread has ended */
    sl_error failure;
    sl_journal_figures figures;
    sl_segment *sealing[16]; /* full segments on their way to the sealer, oldest first */
    size_t sealing_count;
    pthread_cond_t to_seal;
    sl_span *spans; /* ascending; the last is the open one */
    size_t span_count, span_capacity;
    uint32_t let_go, unlinked; /* segments below are to be, were unlinked */
    bool surveyed;
    bool held;             /* a backup copies: nothing is sealed or unlinked */
    bool touching;         /* the sealer does one of the two */
    sl_journal_cut cut;    /* what the last commit has put on disk; `oldest` is not kept */
    uint32_t number_given; /* the greatest number a segment was given */
    sl_journal_renewal renewal;
    bool renewal_untold, given_up;

    atomic_size_t pending; /* bytes not yet durable */
    atomic_uint_fast64_t durable;
    atomic_bool failed, stalled;
    atomic_uint complete;                  /* the newest segment whose checkpoint is complete and durable */
    atomic_uint_fast64_t open_bytes;       /* on disk, of the segment that is written */
    atomic_uint_fast64_t checkpoint_bytes; /* of them, those that were there when its checkpoint was complete */
    atomic_uint open_number;               /* that segment: the loop may be ahead by some */

    /* journal thread */
    sl_segment *segment;
    sl_marks *marks;   /* of it; the span has a reference too */
    bool skips_blocks; /* checkpoint blocks that come are of a segment that failed */
    bool proven;       /* a commit has succeeded in this segment */
    pthread_t writer, sealer;
    bool writer_runs, sealer_runs;

    /* state_read: the segments read last */
    pthread_mutex_t reader_lock;
    sl_state_reader readers[SL_STATE_READERS];
    uint64_t reads;
};

/* acknowledged.c */
uint64_t sl_acknowledged_read(const char *folder);                                            /* 0: unknown */
int sl_acknowledged_write(const char *folder, uint64_t seq, sl_error *error);                 /* into a folder without a lock */
int sl_acknowledged_check(const sl_journal *journal, uint64_t acknowledged, sl_error *error); /* once `next` is folded */
void sl_acknowledged_open(sl_journal *journal);
void sl_acknowledged_note(sl_journal *journal, uint64_t seq); /* journal thread, after a commit; 0: it had no events */
/* The segment whose commit was the last, and how many bytes of its log were on disk then; 0: unknown. */
uint32_t sl_acknowledged_log(const char *folder, uint64_t *ret_bytes);
void sl_acknowledged_close(sl_journal *journal);

/* recover.c: fills next, segment_number, segment_first, incomplete, names; calls the fold. Makes nothing. */
int sl_journal_recover(sl_journal *journal, sl_error *error);
/* Numbers of the segments in `folder`, ascending; *ret to be freed. */
int sl_journal_segments(const char *folder, uint32_t **ret, size_t *ret_count, sl_error *error);
void sl_journal_remember_name(sl_journal *journal, uint32_t id, sl_str text);
void sl_journal_forget_names(sl_journal *journal);

/* A condition whose timed waits go by a clock that nobody sets; and when it is in `us` by that. */
void sl_journal_condition(pthread_cond_t *condition);
struct timespec sl_journal_in(int64_t us);

/* writer.c */
int sl_journal_start_writer(sl_journal *journal, sl_error *error);
void sl_journal_stop_writer(sl_journal *journal); /* after all that was appended is written, or failed */
void sl_journal_push(sl_journal *journal, sl_command *command);
void sl_journal_notice(sl_journal *journal, sl_level level, const char *format, ...) SL_PRINTF(3, 4);

/* sealer.c */
void *sl_journal_run_sealer(void *journal);
void sl_journal_seal(sl_journal *journal, sl_segment *segment);

/* backup.c; `lock` held. The log's end is moved to what the segment has committed; seq 0: by no event. */
void sl_journal_note_cut(sl_journal *journal, const sl_segment *segment, uint64_t seq);

void sl_journal_index_again(sl_journal *journal, uint32_t segment); /* its index is damaged; any thread */

/* spans.c; called with `lock` held, but during open and inspect */
sl_span *sl_span_add(sl_journal *journal, uint32_t number, uint64_t first); /* or the one there is; ends the one before */
sl_span *sl_span_get(sl_journal *journal, uint32_t number);                 /* NULL: none */
/* The segment that has `seq`, which the engine believes in `segment`: a later one may have overruled its tail. */
uint32_t sl_span_of(const sl_journal *journal, uint32_t segment, uint64_t seq);
void sl_spans_done(sl_journal *journal);
/* A reference to the marks of a segment, NULL: none. Any thread, lock not held. */
sl_marks *sl_journal_marks(sl_journal *journal, uint32_t segment);
uint64_t sl_segment_bytes(const char *folder, uint32_t number); /* of all its files */

/* state.c */
void sl_journal_close_readers(sl_journal *journal);
/* Where a chain's rows are: a statement that has the event's columns by seq; NULL and error when none. */
typedef struct sl_chain_door {
    sqlite3_stmt *(*by_seq)(void *context, uint64_t seq, sl_error *error);
    void *context;
} sl_chain_door;
/* The folded attributes, claim, content and intent of the chain that ends with `seq`. */
int sl_chain_read(const sl_chain_door *door, uint64_t seq, sl_journal_state *ret, sl_error *error);

#endif
