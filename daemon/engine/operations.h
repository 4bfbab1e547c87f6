/* engine/operations: what is done to a whole queue (emptied, replayed, expired), in slices on the loop. It concerns what was
 * there when it was asked; what comes later is left alone. Bodies that stay in the journal are read ahead on a worker. It
 * goes at the journal's pace, and ends early when sluice stops: what was done stays done. Loop thread only. */
#ifndef SL_OPERATIONS_H
#define SL_OPERATIONS_H

#include "engine/private.h"

typedef struct sl_operation sl_operation;

typedef struct sl_operation_kind {
    const char *name; /* "empty" */
    bool asked;       /* by an operator: one at a time over a queue, and of all queues a few */
    /* Before each slice; -1: it cannot go on, and why. NULL: it always can. */
    int (*may)(const sl_operation *operation, sl_error *error);
    /* By what is in memory of every FlowFile. NULL: all are meant. */
    bool (*concerns)(sl_operation *operation, sl_flowfile *flowfile);
    /* Takes a FlowFile with its body out of the queue. */
    void (*act)(sl_operation *operation, sl_batch *batch, sl_flowfile *flowfile);
} sl_operation_kind;

typedef struct sl_wanted { /* of the next ones: what it was when it was seen */
    sl_flowfile *flowfile;
    uint64_t id, seq, moved;
    uint32_t segment;
    bool cold, failed, again; /* no body in memory; it could not be read; to be read once more */
    sl_body *body;            /* as it was read */
} sl_wanted;

enum { SL_OPERATION_AHEAD = 512, SL_OPERATIONS = 4 /* that were asked for, at a time */ };

struct sl_operation {
    sl_job job;
    sl_operation *next;
    sl_engine *engine;
    sl_queue *queue;
    const sl_operation_kind *kind;
    sl_arena arena; /* of the selection */
    sl_selection which;
    uint64_t through, first; /* seqs: the newest that is meant; the first that it wrote, 0: none */
    uint64_t of;             /* FlowFiles in the queue at the beginning */
    sl_operated result;
    void (*done)(void *context, const sl_operated *result);
    void *context;
    sl_cursor cursor;
    bool in_order, elsewhere, walked; /* it goes by the cursor; some were not among the ready; all were seen */
    size_t at, end;                   /* of the slab, after the cursor */
    bool reading, waits;              /* for a worker; for a commit */
    uint64_t last;                    /* seq: durable when it ends */
    int64_t worked;                   /* us on the loop */
    sl_error error;                   /* of the first body that could not be read */
    size_t count, acted;              /* of `wanted` */
    sl_wanted wanted[SL_OPERATION_AHEAD];
};

/* NULL, which only those that are asked for get: EBUSY, one goes on over the same queue, or too many do. `done` is called later, once. */
sl_operation *sl_operation_begin(sl_engine *engine, const sl_operation_kind *kind, sl_queue *queue, const sl_selection *which,
                                 void (*done)(void *context, const sl_operated *result), void *context, sl_error *error);
/* sl_operations_step: on each wake of the loop. sl_operations_end: all, at once: the engine closes. */
/* What an operator asked of the queue and is under way; NULL: nothing. */
const sl_operation *sl_operation_over(const sl_engine *engine, const sl_queue *queue);

#endif
