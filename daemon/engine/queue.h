/* engine/queue: a connection's queue in memory, loop thread only. First in, first out; what waits for its retry or its
 * turn does not block those behind it. Objects and bytes count everything that belongs to the queue, also what
 * sessions have taken, so that back pressure sees it. */
#ifndef SL_QUEUE_H
#define SL_QUEUE_H

#include "engine/priority.h"

struct sl_instance;
struct sl_cursor;

typedef struct sl_list {
    sl_flowfile *first, *last;
    size_t count;
} sl_list;

typedef struct sl_queue {
    const char *key; /* "flow/by-kind.image.upload"; owned */
    uint32_t name;   /* the journal's id of key */
    uint64_t objects, bytes;
    uint64_t max_objects, max_bytes; /* 0: no limit */
    bool hold;
    bool orphaned; /* no running flow has it */
    int64_t expire_after;
    bool expire_since_queued;
    int64_t expire_from;           /* the oldest time in it that counts, or earlier: before it is too old nothing expires */
    int64_t expire_rest;           /* ticks: no look before */
    int64_t expire_unread;         /* ticks: those that cannot be read are tried again; 0: there are none */
    bool expiring;                 /* see expiry.c */
    struct sl_queue *expire_to;    /* NULL: dropped */
    struct sl_instance *from, *to; /* to NULL: a hold */
    sl_list ready, taken, aside;
    sl_flowfile *cold; /* the first of `ready` that has no body; NULL: all have one */
    size_t ahead;      /* how many of `ready` come before it */
    bool fetching;     /* bodies are being read (engine/bodies.c) */
    struct sl_cursor *cursors;
    sl_order order; /* its priorities; with any, `line` is used in place of `ready`, and bodies stay in memory */
    sl_heap line;
    sl_heap waiting;                        /* by not_before */
    uint64_t entered_objects, left_objects; /* since the start */
} sl_queue;

sl_queue *sl_queue_new(const char *key, uint32_t name);
void sl_queue_free(sl_queue *queue); /* must be empty */
bool sl_queue_full(const sl_queue *queue);
/* Puts a FlowFile in (last), or in the heap when it has not_before. */
void sl_queue_put(sl_queue *queue, sl_flowfile *flowfile, int64_t now);
/* Back after being taken, to its old place in line; or in the heap. */
void sl_queue_return(sl_flowfile *flowfile, int64_t now);
/* Sets a taken one aside until sl_queue_return. */
void sl_queue_set_aside(sl_flowfile *flowfile);
/* The next that is ready and has its body, whose events are durable up to `durable`; marked taken. NULL: none. */
sl_flowfile *sl_queue_take(sl_queue *queue, uint64_t durable);
bool sl_queue_available(const sl_queue *queue, uint64_t durable);
/* One in `ready` lost its body, or some from `cold` on got theirs. */
void sl_queue_stripped(sl_flowfile *flowfile);
void sl_queue_fetched(sl_queue *queue);
/* The first that is ready, NULL: none is. */
sl_flowfile *sl_queue_first(const sl_queue *queue);
/* Another order from now on; copied. With any, all that are ready must have their bodies. */
void sl_queue_prioritize(sl_queue *queue, const sl_priority *priorities, size_t count);
/* Takes it out altogether, from whatever place it has. */
void sl_queue_remove(sl_flowfile *flowfile);
/* Makes those ready whose time has come; returns the next time, INT64_MAX: none waits. */
int64_t sl_queue_wake(sl_queue *queue, int64_t now);
int64_t sl_queue_oldest(const sl_queue *queue); /* queued time of the oldest; 0: empty */
/* The first `most` in order: ready, taken, waiting, aside; returns how many. */
size_t sl_queue_front(const sl_queue *queue, size_t most, sl_flowfile **ret);

/* A place among those that are ready of a queue without priorities, which goes on where it was whatever comes, leaves or
 * comes back meanwhile. The caller's; ended before the queue is. */
typedef struct sl_cursor {
    sl_queue *queue;
    sl_flowfile *at; /* the next; NULL: the end for now */
    uint64_t seen;   /* `moved` of the last that was given */
    struct sl_cursor *next;
} sl_cursor;
void sl_cursor_begin(sl_cursor *cursor, sl_queue *queue);
sl_flowfile *sl_cursor_next(sl_cursor *cursor);
void sl_cursor_end(sl_cursor *cursor);

#endif
