/* engine/heap: FlowFiles by an order of the owner's: a binary heap whose members know their place (heap_at). */
#ifndef SL_HEAP_H
#define SL_HEAP_H

#include "engine/flowfile.h"

typedef bool (*sl_heap_less)(const void *context, const sl_flowfile *a, const sl_flowfile *b);

typedef struct sl_heap { /* zeroed to begin with */
    sl_flowfile **items; /* items[0] is the first */
    size_t count, capacity;
} sl_heap;

void sl_heap_put(sl_heap *heap, sl_flowfile *flowfile, sl_heap_less less, const void *context);
void sl_heap_remove(sl_heap *heap, sl_flowfile *flowfile, sl_heap_less less, const void *context);
/* The first `most` in order, without the rest being looked at; returns how many. */
size_t sl_heap_first(const sl_heap *heap, size_t most, sl_heap_less less, const void *context, sl_flowfile **ret);
void sl_heap_done(sl_heap *heap);

#endif
