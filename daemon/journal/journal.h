/* journal: the one truth. Append, recover, checkpoint, seal. Query is journal/query.h.
 *
 * Life: sl_journal_open locks the folder, folds what is there through the callbacks, and starts the
 * journal thread. The loop thread appends batches; the journal thread writes what has arrived as one SQLite
 * transaction and starts the next when that one ends, so the disk's own pace makes the groups. After each
 * commit `committed` is called on the journal thread and sl_journal_durable says how far the log is on disk.
 *
 * A segment is one SQLite file `NNNNNN.db`: WAL, synchronous=FULL, one writing connection from birth to
 * seal, no automatic checkpoint while it is open. When it is full (sl_journal_full) the engine calls
 * sl_journal_roll: events that follow go to a new segment at once; the old one's connection goes to the sealer
 * thread. Beside the new events the engine gives a checkpoint of all queues in slices; its complete-mark commits
 * last. Recovery: the newest segment with a complete checkpoint (or the first segment), then all events since
 * its start.
 *
 * Every row and every checkpoint block carries a CRC32C that is checked at reading.
 *
 * After a failed write or sync its file is left alone: what was not acknowledged is still in memory and goes to a fresh
 * segment, whose first number overrules the old one's tail (sl_journal_renewed tells the engine). When that fails too,
 * commits fail for good. A full disk is waited for.
 */
#ifndef SL_JOURNAL_H
#define SL_JOURNAL_H

#include "journal/event.h"

typedef struct sl_journal sl_journal;

/* A queued FlowFile as a checkpoint has it, 72 bytes packed: its attributes are read from its chain. */
typedef struct sl_checkpoint_entry {
    uint64_t flowfile, seq /* the last event it includes */, moved /* the one that brought it into its queue */;
    uint32_t segment; /* of the chain that ends in seq */
    uint32_t queue;
    int64_t entered, queued, not_before;
    uint64_t size;
    uint32_t retries;
    uint16_t crashes, flags; /* SL_CHECKPOINT_* */
} sl_checkpoint_entry;
enum {
    SL_CHECKPOINT_INTENT = 1, /* its chain has an intent or a turn */
    SL_CHECKPOINT_INLINE = 2, /* no file of the content store has its bytes */
};

typedef struct sl_journal_fold { /* called in this order during open, on the calling thread */
    void (*name)(void *context, uint32_t id, sl_str name);
    void (*entry)(void *context, const sl_checkpoint_entry *entry);
    void (*event)(void *context, const sl_event *event, uint32_t segment);
    void *context;
} sl_journal_fold;

typedef struct sl_journal_options {
    const char *folder;      /* STATE/journal, made when absent */
    uint64_t segment_events; /* 0: 2,000,000 */
    uint64_t segment_bytes;  /* on disk, or four times its checkpoint where that is more; 0: 512 MB */
    size_t pending_limit;    /* bytes not yet durable at which sl_journal_congested is true; 0: 64 MiB */
    int64_t retain_us;       /* age at which a segment may go; 0: never for its age */
    uint64_t retain_bytes;   /* of all segments; 0: no limit */
    sl_journal_fold fold;
    /* During open, once the folder is ours and before it is read. NULL: nothing to do then. */
    void (*locked)(void *context);
    void *locked_context;
    /* On the journal thread before a group's commit: syncs what the group's claims point to. -1: the commit
     * fails like a disk error, or waits for a full disk, by its code. */
    int (*before_commit)(void *context, sl_error *error);
    /* On the journal thread when a commit finds the disk full (before_commit with ENOSPC or EDQUOT too), each time before it
     * waits. true: there is more room now, it tries again at once. NULL: nobody can make room. */
    bool (*make_room)(void *context, const sl_error *error);
    /* On the journal thread after each commit, and after a failure (see sl_journal_failure). */
    void (*committed)(void *context);
    /* What an operator should read; any of the journal's threads. NULL: it is logged. */
    void (*notice)(void *context, sl_level level, const char *text);
    void *context;
} sl_journal_options;

/* error->code is EBUSY when another process holds the folder (exit code 75). */
int sl_journal_open(const sl_journal_options *options, sl_journal **ret, sl_error *error);
/* The same fold of a stopped state's folder without its lock, its threads or any write: for those who only look.
 * While a daemon runs there, what it commits meanwhile may or may not be seen. */
int sl_journal_inspect(const char *folder, const sl_journal_fold *fold, sl_error *error);
/* From the oldest segment there is instead of the newest checkpoint: both must give the same (doctor). */
int sl_journal_inspect_whole(const char *folder, const sl_journal_fold *fold, sl_error *error);
/* Waits until all that was appended is durable, then closes. */
void sl_journal_close(sl_journal *journal);

/* Loop thread. The id of a name (component "flow/processor", relationship, queue); made when new. Stable
 * over segments and restarts. */
uint32_t sl_journal_name(sl_journal *journal, sl_str name);
/* Loop thread. From now on events of the component are of this type and flow revision. */
void sl_journal_component(sl_journal *journal, uint32_t name, sl_str type, sl_str revision);
sl_str sl_journal_name_text(sl_journal *journal, uint32_t id);

/* Loop thread. Takes the batch (the journal frees it once durable), numbers its events; returns the last seq. */
uint64_t sl_journal_append(sl_journal *journal, sl_batch *batch);
uint64_t sl_journal_next(const sl_journal *journal);               /* loop thread: the seq the next event will get */
uint32_t sl_journal_segment(const sl_journal *journal);            /* loop thread: where appended events go now */
uint64_t sl_journal_durable(const sl_journal *journal);            /* any thread */
bool sl_journal_congested(const sl_journal *journal);              /* any thread: what is not durable is at its bound */
bool sl_journal_failure(const sl_journal *journal, sl_error *ret); /* any thread: true: commits fail; why */

bool sl_journal_full(const sl_journal *journal); /* loop thread: time to roll */
int sl_journal_roll(sl_journal *journal, sl_error *error);
/* Loop thread. The open segment's checkpoint is still to be given: after a roll, or after a crash in one. */
bool sl_journal_incomplete(const sl_journal *journal);
void sl_journal_checkpoint_add(sl_journal *journal, const sl_checkpoint_entry *entries, size_t count);
void sl_journal_checkpoint_end(sl_journal *journal); /* the complete-mark */

/* Loop thread. The journal went on in a fresh segment by itself: FlowFiles whose chain lies in [failed, number) have to
 * be carried forward. Tells it once; the engine's answer is the fresh segment's checkpoint when that is `incomplete`
 * now. */
typedef struct sl_journal_renewal {
    uint32_t failed, number;
    bool checkpoint; /* a whole checkpoint has to be given */
} sl_journal_renewal;
bool sl_journal_renewed(sl_journal *journal, sl_journal_renewal *ret);
/* Any thread. Commits wait for a full disk; or for good, as a failure, once given up. */
bool sl_journal_stalled(const sl_journal *journal);
void sl_journal_give_up(sl_journal *journal);

/* Loop thread. The oldest segment that retention keeps: what still lives in older ones has to be carried forward, and
 * then be durable, before they are let go. Never one that a recovery would need. */
uint32_t sl_journal_keep_from(const sl_journal *journal);
uint32_t sl_journal_oldest(const sl_journal *journal);
void sl_journal_let_go(sl_journal *journal, uint32_t before);      /* unlinked by the sealer */
void sl_journal_retain_bytes(sl_journal *journal, uint64_t bytes); /* instead of the option */

/* ---- backup.c: the log as of one moment, copied while it goes on --------------------------------------------------- */
struct sl_copier;
typedef struct sl_journal_cut {
    uint64_t seq;          /* the last event that is in; 0: unknown */
    uint32_t oldest, open; /* of segments [oldest, open]; 0: there is none */
    uint64_t log;          /* bytes of the open one's log that are in; UINT64_MAX: all */
} sl_journal_cut;
/* Any thread that may block, but the loop's. Until sl_journal_go_on nothing is sealed or unlinked; what is under way stops
 * first. Events go on. -1: commits fail, or the journal is being closed; then nothing is held. */
int sl_journal_hold(sl_journal *journal, sl_journal_cut *ret, sl_error *error);
void sl_journal_go_on(sl_journal *journal);
/* All of a folder that nobody writes to; the caller has its lock, or knows. */
int sl_journal_cut_stopped(const char *folder, sl_journal_cut *ret, sl_error *error);
/* Into `to`, which is made. Full segments are linked where they can be. */
int sl_journal_copy(const char *folder, const sl_journal_cut *cut, const char *to, struct sl_copier *copier, sl_error *error);

/* The whole state of a FlowFile after its event `seq` of `segment`: attributes as one JSON object, claim text,
 * inline bytes; read from its chain. Any thread (opens its own reader); for recovery, which wants it fast, calls
 * in ascending order reuse one statement. */
typedef struct sl_journal_state {
    sl_arena arena;
    sl_str attributes, claim, content, intent; /* intent: of the last INTENT, empty when none */
    sl_str turn;                               /* the target whose turn it holds */
    sl_str *progress;
    size_t progress_count;
    int64_t first_failure; /* of the retries it is in; 0: none */
    int64_t entered;       /* when the FlowFile came into the system */
} sl_journal_state;
void sl_journal_state_done(sl_journal_state *state);
int sl_journal_state_read(sl_journal *journal, uint32_t segment, uint64_t seq, sl_journal_state *ret, sl_error *error);

typedef struct sl_journal_figures {
    uint64_t events, commits, bytes; /* since the start */
    uint32_t segments;
    uint64_t disk; /* bytes of all segments, as last looked at */
    int64_t commit_us_max, commit_us_sum;
    size_t pending;
} sl_journal_figures;
void sl_journal_measure(const sl_journal *journal, sl_journal_figures *ret);

#endif
