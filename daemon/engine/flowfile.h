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

/* What is only in memory while it is needed: beyond a queue's window it stays in the journal (engine/bodies.c). */
typedef struct sl_body {
    sl_attributes *attributes;
    sl_claim *claim; /* NULL: no content */
    sl_intent *intent;
    struct sl_turn *waits_for; /* asked for a turn that another has */
    int64_t first_failure;
    uint32_t slot; /* in the table of what is in flight, 0: none */
    bool asked;    /* while taken by a worker: it has said its target (turns) */
} sl_body;

typedef enum sl_place { SL_READY, SL_TAKEN, SL_WAITING, SL_ASIDE } sl_place;

/* 96 bytes, of slabs: ten million of them fit in a gigabyte. */
typedef struct sl_flowfile {
    uint64_t id;    /* 0: a free one */
    uint64_t seq;   /* its last event; 0: none yet */
    uint64_t moved; /* the event that brought it into its queue: the queue's order */
    int64_t entered, queued, not_before;
    uint64_t size; /* of its content */
    struct sl_queue *queue;
    sl_body *body; /* NULL: in the journal */
    union {
        struct {
            struct sl_flowfile *previous, *next; /* of the list it is in: ready, taken or aside */
        };
        struct {
            size_t heap_at; /* SL_WAITING, or SL_READY in a queue with priorities: index in the heap */
            uint64_t rank;  /* there: what the attribute says */
        };
    };
    uint32_t segment; /* where the chain that ends in seq is */
    uint16_t retries; /* as many as that, or more */
    uint8_t crashes;
    uint8_t place : 2;    /* sl_place */
    uint8_t unread : 1;   /* its body could not be read, which was told */
    uint8_t intended : 1; /* while recovering: it has an intent or a turn */
    uint8_t stored : 1;   /* its content is not in its event's row alone */
} sl_flowfile;
_Static_assert(sizeof(sl_flowfile) == 96, "a queued FlowFile has its price");

static inline uint64_t sl_flowfile_size(const sl_flowfile *flowfile) { return flowfile->size; }
void sl_intent_free(sl_intent *intent);
void sl_intent_step(sl_intent *intent, const char *step);
void sl_body_free(sl_body *body); /* NULL is fine */
/* New content, counted in the FlowFile's size; takes the reference. In no queue at this moment. */
void sl_flowfile_set_claim(sl_flowfile *flowfile, sl_claim *claim);

/* Where FlowFiles live. Blocks are never given back, so a pointer stays readable: a freed one has id 0. */
enum { SL_SLAB_BLOCK = 4096 };
typedef struct sl_slab {
    sl_flowfile **blocks;
    size_t block_count, block_capacity;
    sl_flowfile *free;
    size_t count; /* in use */
} sl_slab;
sl_flowfile *sl_slab_new(sl_slab *slab);
void sl_slab_free(sl_slab *slab, sl_flowfile *flowfile); /* its body too */
void sl_slab_done(sl_slab *slab);
/* The n-th place, in use or free (id 0); NULL past the end. */
sl_flowfile *sl_slab_at(const sl_slab *slab, size_t n);

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
