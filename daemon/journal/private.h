/* journal/private: what the files of this room share.
 *
 *   journal.c   open and close, the loop thread's side: names, append, roll, checkpoint
 *   writer.c    the journal thread: groups, commits, the failure latch; the sealer thread
 *   recover.c   the fold at opening
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

#include "base/sys.h"
#include "journal/segment.h"

typedef enum sl_command_kind { SL_DO_BATCH, SL_DO_NAME, SL_DO_COMPONENT, SL_DO_ROLL, SL_DO_BLOCK, SL_DO_COMPLETE } sl_command_kind;

typedef struct sl_command { /* from the loop thread to the journal thread, in order */
    struct sl_command *next;
    sl_command_kind kind;
    sl_batch *batch;
    uint64_t seq;       /* batch: its last; roll: the new segment's first; component: since */
    uint32_t id;        /* name, component; roll: the new segment's number */
    char *text, *other; /* name; type and revision; text: a block's entries */
    size_t size;        /* of a block; what this command counts as pending */
} sl_command;

typedef struct sl_named {         /* by id */
    char *text, *type, *revision; /* type and revision of a component, or NULL */
} sl_named;

struct sl_journal {
    sl_journal_options options;
    char *folder;
    int lock_fd;

    /* loop thread */
    uint64_t next; /* the seq of the next event */
    uint32_t segment_number;
    uint64_t segment_first; /* its first seq */
    bool incomplete;        /* the open segment's checkpoint is still to be written */
    sl_map name_ids;        /* text -> id */
    sl_named *names;
    size_t name_count, name_capacity; /* names[0] is unused: id 0 means none */

    /* under `lock` */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    sl_command *first, *last;
    bool ending;
    sl_error failure;
    sl_journal_figures figures;
    sl_segment *sealing[16]; /* full segments on their way to the sealer */
    size_t sealing_count;
    pthread_cond_t to_seal;

    atomic_size_t pending; /* bytes not yet durable */
    atomic_uint_fast64_t durable;
    atomic_bool failed;

    /* journal thread */
    sl_segment *segment;
    pthread_t writer, sealer;
    bool writer_runs, sealer_runs;

    /* state_read: the reader used last */
    pthread_mutex_t reader_lock;
    sqlite3 *reader;
    sqlite3_stmt *by_seq;
    uint32_t reader_segment;
};

/* recover.c: fills next, segment_number, segment_first, incomplete, names; calls the fold. Makes nothing. */
int sl_journal_recover(sl_journal *journal, sl_error *error);
/* Numbers of the segments in `folder`, ascending; *ret to be freed. */
int sl_journal_segments(const char *folder, uint32_t **ret, size_t *ret_count, sl_error *error);
void sl_journal_remember_name(sl_journal *journal, uint32_t id, sl_str text);
void sl_journal_forget_names(sl_journal *journal);

/* writer.c */
int sl_journal_start_writer(sl_journal *journal, sl_error *error);
void sl_journal_stop_writer(sl_journal *journal); /* after all that was appended is written, or failed */
void sl_journal_push(sl_journal *journal, sl_command *command);

/* state.c */
void sl_journal_close_reader(sl_journal *journal);
/* The folded attributes, claim, content and intent of the chain that ends with `seq`. */
int sl_chain_read(sqlite3_stmt *by_seq, uint64_t seq, sl_journal_state *ret, sl_error *error);

#endif
