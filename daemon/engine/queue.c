#include "engine/queue.h"

static void list_append(sl_list *list, sl_flowfile *flowfile)
{
    flowfile->previous = list->last;
    flowfile->next = NULL;
    *(list->last ? &list->last->next : &list->first) = flowfile;
    list->last = flowfile;
    list->count++;
}

/* Back to its place among the first: those before it came into the queue earlier. */
static void list_insert(sl_list *list, sl_flowfile *flowfile)
{
    sl_flowfile *after = list->first;
    while (after && after->moved < flowfile->moved) after = after->next;
    flowfile->next = after;
    flowfile->previous = after ? after->previous : list->last;
    *(flowfile->previous ? &flowfile->previous->next : &list->first) = flowfile;
    *(after ? &after->previous : &list->last) = flowfile;
    list->count++;
}

static void list_remove(sl_list *list, sl_flowfile *flowfile)
{
    *(flowfile->previous ? &flowfile->previous->next : &list->first) = flowfile->next;
    *(flowfile->next ? &flowfile->next->previous : &list->last) = flowfile->previous;
    flowfile->previous = flowfile->next = NULL;
    list->count--;
}

/* ---- the line -------------------------------------------------------------------------------------- */

static bool before_cold(const sl_queue *queue, const sl_flowfile *flowfile) { return !queue->cold || flowfile->moved < queue->cold->moved; }

static void becomes_cold(sl_queue *queue, sl_flowfile *flowfile)
{
    queue->ahead = 0;
    if (flowfile == queue->ready.last) queue->ahead = queue->ready.count - 1;
    else
        for (const sl_flowfile *at = queue->ready.first; at != flowfile; at = at->next) queue->ahead++;
    queue->cold = flowfile;
}

static void entered(sl_queue *queue, sl_flowfile *flowfile)
{
    if (!before_cold(queue, flowfile)) return;
    if (flowfile->body) queue->ahead++;
    else becomes_cold(queue, flowfile);
}

void sl_queue_fetched(sl_queue *queue)
{
    for (; queue->cold && queue->cold->body; queue->cold = queue->cold->next) queue->ahead++;
}

void sl_queue_stripped(sl_flowfile *flowfile)
{
    sl_queue *queue = flowfile->queue;
    if (before_cold(queue, flowfile)) becomes_cold(queue, flowfile);
}

static void left_line(sl_queue *queue, sl_flowfile *flowfile)
{
    if (flowfile == queue->cold) {
        queue->cold = flowfile->next;
        sl_queue_fetched(queue);
    } else if (before_cold(queue, flowfile)) queue->ahead--;
}

static bool earlier(const void *none, const sl_flowfile *a, const sl_flowfile *b)
{
    (void)none;
    return a->not_before < b->not_before || (a->not_before == b->not_before && a->moved < b->moved);
}

/* ---- the queue ---------------------------------------------------------------------------------- */

sl_queue *sl_queue_new(const char *key, uint32_t name)
{
    sl_queue *queue = SL_NEW(sl_queue);
    queue->key = sl_strdup(key);
    queue->name = name;
    return queue;
}

void sl_queue_free(sl_queue *queue)
{
    if (!queue) return;
    free((char *)queue->key);
    sl_heap_done(&queue->waiting);
    sl_heap_done(&queue->line);
    sl_order_done(&queue->order);
    free(queue);
}

bool sl_queue_full(const sl_queue *queue)
{
    return (queue->max_objects && queue->objects >= queue->max_objects) || (queue->max_bytes && queue->bytes >= queue->max_bytes);
}

static void leave_ready(sl_queue *queue, sl_flowfile *flowfile)
{
    if (queue->order.count) {
        sl_heap_remove(&queue->line, flowfile, sl_order_less, &queue->order);
        return;
    }
    left_line(queue, flowfile);
    list_remove(&queue->ready, flowfile);
}

static void join(sl_queue *queue, sl_flowfile *flowfile, bool first)
{
    if (queue->order.count) {
        sl_order_rank(&queue->order, flowfile);
        sl_heap_put(&queue->line, flowfile, sl_order_less, &queue->order);
        return;
    }
    first ? list_insert(&queue->ready, flowfile) : list_append(&queue->ready, flowfile);
    entered(queue, flowfile);
}

static void leave_place(sl_flowfile *flowfile)
{
    sl_queue *queue = flowfile->queue;
    switch (flowfile->place) {
    case SL_READY: leave_ready(queue, flowfile); break;
    case SL_TAKEN: list_remove(&queue->taken, flowfile); break;
    case SL_ASIDE: list_remove(&queue->aside, flowfile); break;
    case SL_WAITING: sl_heap_remove(&queue->waiting, flowfile, earlier, NULL); break;
    }
}

static void enter_ready(sl_queue *queue, sl_flowfile *flowfile, int64_t now, bool first)
{
    if (flowfile->not_before > now) {
        flowfile->place = SL_WAITING;
        sl_heap_put(&queue->waiting, flowfile, earlier, NULL);
        return;
    }
    flowfile->place = SL_READY;
    join(queue, flowfile, first);
}

void sl_queue_put(sl_queue *queue, sl_flowfile *flowfile, int64_t now)
{
    flowfile->queue = queue;
    queue->objects++;
    queue->bytes += sl_flowfile_size(flowfile);
    queue->entered_objects++;
    enter_ready(queue, flowfile, now, false);
}

void sl_queue_return(sl_flowfile *flowfile, int64_t now)
{
    leave_place(flowfile);
    enter_ready(flowfile->queue, flowfile, now, true);
}

void sl_queue_set_aside(sl_flowfile *flowfile)
{
    leave_place(flowfile);
    flowfile->place = SL_ASIDE;
    list_append(&flowfile->queue->aside, flowfile);
}

sl_flowfile *sl_queue_first(const sl_queue *queue)
{
    if (queue->order.count) return queue->line.count ? queue->line.items[0] : NULL;
    return queue->ready.first;
}

static int by_move(const void *a, const void *b)
{
    const sl_flowfile *x = *(sl_flowfile *const *)a, *y = *(sl_flowfile *const *)b;
    return (x->moved > y->moved) - (x->moved < y->moved);
}

void sl_queue_prioritize(sl_queue *queue, const sl_priority *priorities, size_t count)
{
    if (!count && !queue->order.count) return;
    sl_heap all = {0};
    for (sl_flowfile *flowfile; (flowfile = sl_queue_first(queue));) {
        leave_ready(queue, flowfile);
        all.items = sl_grow(all.items, all.count, &all.capacity, sizeof(sl_flowfile *));
        all.items[all.count++] = flowfile;
    }
    sl_order_done(&queue->order);
    sl_order_init(&queue->order, priorities, count);
    if (all.count) qsort(all.items, all.count, sizeof(sl_flowfile *), by_move);
    for (size_t i = 0; i < all.count; i++) join(queue, all.items[i], false);
    sl_heap_done(&all);
}

bool sl_queue_available(const sl_queue *queue, uint64_t durable)
{
    const sl_flowfile *first = sl_queue_first(queue);
    return first && first->body && first->seq <= durable;
}

sl_flowfile *sl_queue_take(sl_queue *queue, uint64_t durable)
{
    if (!sl_queue_available(queue, durable)) return NULL;
    sl_flowfile *flowfile = sl_queue_first(queue);
    leave_ready(queue, flowfile);
    flowfile->place = SL_TAKEN;
    list_append(&queue->taken, flowfile);
    return flowfile;
}

void sl_queue_remove(sl_flowfile *flowfile)
{
    sl_queue *queue = flowfile->queue;
    leave_place(flowfile);
    queue->objects--;
    queue->bytes -= sl_flowfile_size(flowfile);
    queue->left_objects++;
    flowfile->queue = NULL;
}

int64_t sl_queue_wake(sl_queue *queue, int64_t now)
{
    const sl_heap *waiting = &queue->waiting;
    while (waiting->count && waiting->items[0]->not_before <= now) sl_queue_return(waiting->items[0], now);
    return waiting->count ? waiting->items[0]->not_before : INT64_MAX;
}

static int64_t older(int64_t oldest, const sl_flowfile *flowfile)
{
    return flowfile && (!oldest || flowfile->queued < oldest) ? flowfile->queued : oldest;
}

int64_t sl_queue_oldest(const sl_queue *queue)
{
    int64_t oldest = older(older(older(0, queue->ready.first), queue->taken.first), queue->aside.first);
    for (size_t i = 0; i < queue->waiting.count; i++) oldest = older(oldest, queue->waiting.items[i]);
    for (size_t i = 0; i < queue->line.count; i++) oldest = older(oldest, queue->line.items[i]);
    return oldest;
}

static bool each_of(const sl_list *list, bool (*visit)(void *context, sl_flowfile *flowfile), void *context)
{
    for (sl_flowfile *flowfile = list->first, *next; flowfile; flowfile = next) {
        next = flowfile->next;
        if (!visit(context, flowfile)) return false;
    }
    return true;
}

static int by_order(const void *a, const void *b, void *order)
{
    const sl_flowfile *x = *(sl_flowfile *const *)a, *y = *(sl_flowfile *const *)b;
    return sl_order_less(order, x, y) ? -1 : sl_order_less(order, y, x);
}

static int by_time(const void *a, const void *b, void *none)
{
    const sl_flowfile *x = *(sl_flowfile *const *)a, *y = *(sl_flowfile *const *)b;
    return earlier(none, x, y) ? -1 : earlier(none, y, x);
}

/* A copy, since visitors take FlowFiles out. */
static bool each_in(const sl_heap *heap, int (*compare)(const void *a, const void *b, void *context), const sl_order *order,
                    bool (*visit)(void *context, sl_flowfile *flowfile), void *context)
{
    bool more = true;
    if (!heap->count) return true;
    sl_flowfile **copy = sl_alloc(heap->count * sizeof *copy);
    size_t count = heap->count;
    memcpy(copy, heap->items, count * sizeof *copy);
    qsort_r(copy, count, sizeof *copy, compare, (void *)order);
    for (size_t i = 0; more && i < count; i++) more = visit(context, copy[i]);
    free(copy);
    return more;
}

void sl_queue_each(const sl_queue *queue, bool (*visit)(void *context, sl_flowfile *flowfile), void *context)
{
    if (!each_in(&queue->line, by_order, &queue->order, visit, context)) return;
    if (!each_of(&queue->ready, visit, context) || !each_of(&queue->taken, visit, context)) return;
    if (!each_in(&queue->waiting, by_time, NULL, visit, context)) return;
    each_of(&queue->aside, visit, context);
}
