/* engine/session: a trigger's transaction. Begun and ended on the loop thread; in between it belongs to the thread of
 * its trigger. It works on its own view of FlowFiles (struct sluice_flowfile); the queue's own (sl_flowfile) change
 * only at its end, so that a rollback has nothing to undo. */
#ifndef SL_SESSION_H
#define SL_SESSION_H

#include "engine/private.h"

typedef enum sl_fate { SL_FATE_NONE, SL_FATE_TRANSFER, SL_FATE_DROP, SL_FATE_FAIL } sl_fate;

typedef struct sl_text_item { /* a list of texts in the session's arena */
    const char *key, *text;
    struct sl_text_item *next;
} sl_text_item;

struct sluice_flowfile {
    sl_session *session;
    struct sluice_flowfile *next;
    sl_flowfile *base;   /* taken from a queue; NULL: made here */
    uint64_t id, parent; /* parent 0: none */
    bool cloned;
    int64_t entered;
    sl_attributes *before; /* what `changes` are against; a reference of ours; may be NULL */
    sl_attributes *merged; /* both together, made when asked for; NULL: not made, or stale */
    sl_pair *changes;      /* each name once */
    size_t change_count, change_capacity;
    sl_claim *claim; /* as it is now; a reference of ours */
    bool claim_changed, claim_learned;
    sl_content_view view;
    bool viewed;
    sl_fate fate;
    size_t relationship; /* index of the definition's */
    sluice_event_type event;
    const char *uri, *details, *reason;
    sluice_failure *failure;
    sl_text_item *effects; /* after_commit */
    bool set_aside;        /* another has its turn */
};

struct sluice_writer {
    sl_session *session;
    sluice_flowfile *flowfile;
    sl_content_writer *writer;
    struct sluice_writer *next, *previous;
};

struct sl_session {
    sluice_session abi; /* first: what the module sees */
    sl_instance *instance;
    sl_engine *engine;
    sl_session *next, *previous; /* the instance's open ones */
    sl_arena arena;
    sluice_flowfile *first, **last;
    size_t count, taken;
    sl_flowfile **granted;                    /* of a worker's session: what `get` hands out */
    size_t granted_count, granted_next, most; /* most: FlowFiles it may take in all */
    int64_t begun, slice_end;                 /* ticks */
    bool on_worker, later, finished, yielded, scanned, told_stuck;
    atomic_bool cancelled;                 /* its worker asks */
    _Atomic int64_t working;               /* ticks when its worker began; 0: it waits for one */
    bool loop_only, loop_turns, separable; /* see pressure.c */
    sluice_outcome outcome;
    uint64_t scan_waiting;
    sluice_failure *failure; /* of the instance itself */
    sl_text_item *states, **states_last;
    struct sluice_writer *writers; /* not yet closed */
    sl_job job;
    sl_buf text;       /* for evaluation */
    size_t open_calls; /* durable waits that belong to it */
    uint64_t read_bytes;
    uv_timer_t *timeout;
    struct sl_gated *gated; /* its intent is on its way: see gate.c */
    bool intended;
};

/* The session whose trigger this worker runs; NULL on the loop. */
extern _Thread_local sl_session *sl_session_of_worker;
/* Runs the instance's trigger once, in a session of its own. */
void sl_session_run(sl_instance *instance);
/* Loop thread, once nothing of the module's runs for it. */
void sl_session_end(sl_session *session, sluice_outcome outcome);
void sl_session_cancel(sl_session *session);
/* Attributes as the session sees them; `uuid` and `sha256` among them. data NULL: absent. */
sl_str sl_view_attribute(sluice_flowfile *flowfile, sl_str name);
sl_attributes *sl_view_merged(sluice_flowfile *flowfile);               /* borrowed; NULL: none at all */
void sl_view_set(sluice_flowfile *flowfile, sl_str name, sl_str value); /* value.data NULL: removed */
sluice_flowfile *sl_view_new(sl_session *session, uint64_t id);
sluice_flowfile *sl_host_get(sluice_session *session);
void sl_session_learn_grant(sl_session *session); /* how much the next one should be given */

/* commit.c */
void sl_session_commit(sl_session *session);
void sl_session_roll_back(sl_session *session);

/* failure.c: what a failed FlowFile's end is */
typedef enum sl_verdict { SL_VERDICT_LEAVES, SL_VERDICT_RETRY, SL_VERDICT_BACK } sl_verdict;
sl_verdict sl_failure_judge(sl_session *session, sluice_flowfile *flowfile, int64_t now);
void sl_failure_attributes(sl_session *session, sluice_flowfile *flowfile);

/* host-content.c */
void sl_view_close_content(sluice_flowfile *flowfile);

#endif
