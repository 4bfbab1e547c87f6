/* engine/priority: the order in which a queue with `prioritize` gives its FlowFiles. Priorities stack: the first that tells
 * two apart decides; those that none tells apart come as they came in. Loop thread. */
#ifndef SL_PRIORITY_H
#define SL_PRIORITY_H

#include "engine/heap.h"
#include "flow/flow.h"

typedef struct sl_order {    /* zeroed: first in, first out */
    sl_priority *priorities; /* owned, names and all */
    size_t count;
} sl_order;

void sl_order_init(sl_order *order, const sl_priority *priorities, size_t count); /* copies */
void sl_order_done(sl_order *order);
/* Notes what the attribute says (flowfile->rank); the FlowFile has its body. */
void sl_order_rank(const sl_order *order, sl_flowfile *flowfile);
bool sl_order_less(const void *order, const sl_flowfile *a, const sl_flowfile *b); /* a sl_heap_less */

#endif
