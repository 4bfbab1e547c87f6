/* journal/event: what one row of the journal says. The journal is one ordered log; a FlowFile's state is the
 * fold of its events, the queues are the fold of all of them.
 *
 * A FlowFile's first event in a segment holds its whole state (`whole`): all attributes, the claim, entry time.
 * Later ones hold what changed, and `previous` leads to the one before in the same segment, so that a chain
 * never leaves its segment.
 */
#ifndef SL_EVENT_H
#define SL_EVENT_H

#include "base/base.h"
#include "sluice/sluice.h"

/* Types 1..31 are provenance (sluice_event_type); from 32 on internal ones that recovery folds. */
enum {
    SL_EVENT_INTENT = 32, /* details: what the component is about to do for the FlowFile; replaces an earlier one */
    SL_EVENT_PROGRESS,    /* details: a step of it that is done */
    SL_EVENT_PENDING,     /* details: an effect to do after this commit (remove a source); target: the earlier
                            * PENDING that it carries on, or 0 */
    SL_EVENT_DONE,        /* target: seq of the PENDING that is done */
    SL_EVENT_STATE,       /* key in uri, value in details (absent: removed), of the component */
    SL_EVENT_RELEASE,     /* target: id of a claim whose bytes may go */
    SL_EVENT_RETRY,       /* the FlowFile stays in its queue: retry count, not before */
    SL_EVENT_CRASHED,     /* the FlowFile was in flight when the process died; retries holds how often in a row */
    SL_EVENT_CARRY,       /* nothing happened: the whole state, brought into this segment */
};
/* "RECEIVE", "INTENT"; "?" when unknown. And back: 0 when unknown. */
const char *sl_event_type_name(unsigned type);
unsigned sl_event_type_parse(sl_str name);

#define SL_QUEUE_SAME UINT32_MAX /* the event does not move the FlowFile */

typedef struct sl_event {
    uint64_t seq; /* given by sl_journal_append */
    int64_t time; /* us since 1970 */
    unsigned type;
    uint64_t flowfile;  /* 0: of none */
    uint64_t previous;  /* seq, same segment; 0 when whole or of none */
    bool whole;         /* attributes are all of them, not a delta */
    uint32_t component; /* sl_journal_name ids; 0: none */
    uint32_t relationship;
    uint32_t queue;      /* where it is afterwards; 0: ended; SL_QUEUE_SAME */
    sl_str attributes;   /* JSON object of text, or null for removed; empty: no change */
    sl_str claim;        /* JSON text of the claim; empty: unchanged ("null": none any more) */
    sl_str content;      /* the bytes of an inline claim that this event brings */
    sl_str parents;      /* JSON list of FlowFile ids; in the child's first event */
    sl_str uri, details; /* details: JSON text */
    uint64_t target;     /* DONE, RELEASE */
    int64_t entered;     /* when the FlowFile came into the system; whole events only */
    int64_t duration;    /* us of the trigger, shared by its batch */
    uint32_t retries;
    int64_t not_before; /* us since 1970; 0: now */
} sl_event;

/* A batch: the events of one commit, in order, with everything they point to in its arena. */
typedef struct sl_batch {
    sl_arena arena;
    sl_event *events;
    size_t count, capacity;
    struct sl_batch *next;
} sl_batch;
sl_batch *sl_batch_new(void);
sl_event *sl_batch_add(sl_batch *batch); /* zeroed, queue SL_QUEUE_SAME; valid until the next add */
void sl_batch_free(sl_batch *batch);

#endif
