/* engine/flowfile: one item on its way, as the loop thread keeps it. Owned by the engine; in exactly one queue; while
 * a session has it, it is `taken`, still counted in its queue. Only the loop thread touches these; a session
 * works on its own copy (engine/session.h). */
#ifndef SL_FLOWFILE_H
#define SL_FLOWFILE_H

#include "content/content.h"
#include "engine/attributes.h"

struct sl_queue;
struct sl_turn;

/* What a processor with effects outside has journalled for a FlowFile before it acts. */
typedef struct sl_intent {
    char *text; /* NULL: only a turn */
    char **steps;
    size_t step_count, step_capacity;
    char *turn; /* the target whose turn the FlowFile holds, or NULL */
} sl_intent;

typedef enum sl_place { SL_READY, SL_TAKEN, SL_WAITING, SL_ASIDE } sl_place;

typedef struct sl_flowfile {
    uint64_t id;
    uint64_t seq;     /* its last event; 0: none yet in this segment's chain */
    uint64_t moved;   /* the event that brought it into its queue: the queue's order */
    uint32_t segment; /* where the chain that ends in seq is */
    uint32_t retries, crashes;
    uint32_t listed; /* the segment that was open when it came into the list of all */
    uint32_t slot;   /* in the table of what is in flight, 0: none */
    sl_place place;
    bool asked;       /* while taken by a worker: it has said its target (turns) */
    uint32_t heap_at; /* SL_WAITING: index in the queue's heap */
    int64_t entered, queued, not_before, first_failure;
    sl_attributes *attributes;
    sl_claim *claim; /* NULL: no content */
    sl_intent *intent;
    struct sl_queue *queue;
    struct sl_turn *waits_for;                   /* asked for a turn that another has */
    struct sl_flowfile *previous, *next;         /* of the list it is in: ready, taken or aside */
    struct sl_flowfile *all_previous, *all_next; /* of the engine's list of all */
} sl_flowfile;

static inline uint64_t sl_flowfile_size(const sl_flowfile *flowfile) { return flowfile->claim ? flowfile->claim->size : 0; }
void sl_intent_free(sl_intent *intent);
void sl_intent_step(sl_intent *intent, const char *step);
void sl_flowfile_free(sl_flowfile *flowfile); /* in no list any more */

/* FlowFiles by id. */
typedef struct sl_idmap {
    sl_flowfile **slots;
    size_t capacity, count;
} sl_idmap;
sl_flowfile *sl_idmap_get(const sl_idmap *map, uint64_t id);
void sl_idmap_put(sl_idmap *map, sl_flowfile *flowfile);
void sl_idmap_remove(sl_idmap *map, uint64_t id);
void sl_idmap_done(sl_idmap *map);

#endif
