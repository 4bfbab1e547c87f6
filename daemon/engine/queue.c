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

/* ---- cursors --------------------------------------------------------------------------------------------- */

void sl_cursor_begin(sl_cursor *cursor, sl_queue *queue)
{
    *cursor = (sl_cursor){.queue = queue, .at = queue->ready.first, .next = queue->cursors};
    queue->cursors = cursor;
}

sl_flowfile *sl_cursor_next(sl_cursor *cursor)
{
    sl_flowfile *flowfile = cursor->at;
    if (!flowfile) return NULL;
    cursor->seen = flowfile->moved;
    cursor->at = flowfile->next;
    return flowfile;
}

void sl_cursor_end(sl_cursor *cursor)
{
    sl_cursor **link = &cursor->queue->cursors;
    while (*link != cursor) link = &(*link)->next;
    *link = cursor->next;
}

static void cursors_leave(sl_queue *queue, const sl_flowfile *flowfile)
{
    for (sl_cursor *cursor = queue->cursors; cursor; cursor = cursor->next)
        if (cursor->at == flowfile) cursor->at = flowfile->next;
}

/* One that comes between what a cursor gave last and what it would give next. */
static void cursors_meet(sl_queue *queue, sl_flowfile *flowfile)
{
    for (sl_cursor *cursor = queue->cursors; cursor; cursor = cursor->next)
        if (flowfile->moved > cursor->seen && (!cursor->at || flowfile->moved < cursor->at->moved)) cursor->at = flowfile;
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
    cursors_leave(queue, flowfile);
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
    cursors_meet(queue, flowfile);
}

static void may_expire(sl_queue *queue, const sl_flowfile *flowfile)
{
    if (queue->expire_after)
        queue->expire_from = SL_MIN(queue->expire_from, queue->expire_since_queued ? flowfile->queued : flowfile->entered);
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
    may_expire(queue, flowfile);
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
    may_expire(flowfile->queue, flowfile);
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

static size_t front_of(const sl_list *list, size_t most, sl_flowfile **ret)
{
    size_t count = 0;
    for (sl_flowfile *at = list->first; at && count < most; at = at->next) ret[count++] = at;
    return count;
}

size_t sl_queue_front(const sl_queue *queue, size_t most, sl_flowfile **ret)
{
    size_t count = sl_heap_first(&queue->line, most, sl_order_less, &queue->order, ret);
    count += front_of(&queue->ready, most - count, ret + count);
    count += front_of(&queue->taken, most - count, ret + count);
    count += sl_heap_first(&queue->waiting, most - count, earlier, NULL, ret + count);
    return count + front_of(&queue->aside, most - count, ret + count);
}
