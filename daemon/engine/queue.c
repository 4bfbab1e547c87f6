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

/* ---- the heap of those that wait for their time ------------------------------------------------ */

static void heap_set(sl_queue *queue, size_t at, sl_flowfile *flowfile)
{
    queue->waiting[at] = flowfile;
    flowfile->heap_at = at;
}

static bool earlier(const sl_flowfile *a, const sl_flowfile *b)
{
    return a->not_before < b->not_before || (a->not_before == b->not_before && a->moved < b->moved);
}

static void sift_up(sl_queue *queue, size_t at)
{
    sl_flowfile *flowfile = queue->waiting[at];
    for (; at > 0 && earlier(flowfile, queue->waiting[(at - 1) / 2]); at = (at - 1) / 2) heap_set(queue, at, queue->waiting[(at - 1) / 2]);
    heap_set(queue, at, flowfile);
}

static void sift_down(sl_queue *queue, size_t at)
{
    sl_flowfile *flowfile = queue->waiting[at];
    for (size_t child; (child = 2 * at + 1) < queue->waiting_count; at = child) {
        if (child + 1 < queue->waiting_count && earlier(queue->waiting[child + 1], queue->waiting[child])) child++;
        if (!earlier(queue->waiting[child], flowfile)) break;
        heap_set(queue, at, queue->waiting[child]);
    }
    heap_set(queue, at, flowfile);
}

static void heap_put(sl_queue *queue, sl_flowfile *flowfile)
{
    queue->waiting = sl_grow(queue->waiting, queue->waiting_count, &queue->waiting_capacity, sizeof *queue->waiting);
    heap_set(queue, queue->waiting_count++, flowfile);
    sift_up(queue, queue->waiting_count - 1);
}

static void heap_remove(sl_queue *queue, sl_flowfile *flowfile)
{
    size_t at = flowfile->heap_at;
    sl_flowfile *last = queue->waiting[--queue->waiting_count];
    if (last == flowfile) return;
    heap_set(queue, at, last);
    sift_down(queue, at);
    sift_up(queue, last->heap_at);
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
    free(queue->waiting);
    free(queue);
}

bool sl_queue_full(const sl_queue *queue)
{
    return (queue->max_objects && queue->objects >= queue->max_objects) || (queue->max_bytes && queue->bytes >= queue->max_bytes);
}

static void leave_place(sl_flowfile *flowfile)
{
    sl_queue *queue = flowfile->queue;
    switch (flowfile->place) {
    case SL_READY:
        left_line(queue, flowfile);
        list_remove(&queue->ready, flowfile);
        break;
    case SL_TAKEN: list_remove(&queue->taken, flowfile); break;
    case SL_ASIDE: list_remove(&queue->aside, flowfile); break;
    case SL_WAITING: heap_remove(queue, flowfile); break;
    }
}

static void enter_ready(sl_queue *queue, sl_flowfile *flowfile, int64_t now, bool first)
{
    if (flowfile->not_before > now) {
        flowfile->place = SL_WAITING;
        heap_put(queue, flowfile);
        return;
    }
    flowfile->place = SL_READY;
    first ? list_insert(&queue->ready, flowfile) : list_append(&queue->ready, flowfile);
    entered(queue, flowfile);
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

bool sl_queue_available(const sl_queue *queue, uint64_t durable)
{
    const sl_flowfile *first = queue->ready.first;
    return first && first->body && first->seq <= durable;
}

sl_flowfile *sl_queue_take(sl_queue *queue, uint64_t durable)
{
    if (!sl_queue_available(queue, durable)) return NULL;
    sl_flowfile *flowfile = queue->ready.first;
    left_line(queue, flowfile);
    list_remove(&queue->ready, flowfile);
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
    while (queue->waiting_count && queue->waiting[0]->not_before <= now) sl_queue_return(queue->waiting[0], now);
    return queue->waiting_count ? queue->waiting[0]->not_before : INT64_MAX;
}

static int64_t older(int64_t oldest, const sl_flowfile *flowfile)
{
    return flowfile && (!oldest || flowfile->queued < oldest) ? flowfile->queued : oldest;
}

int64_t sl_queue_oldest(const sl_queue *queue)
{
    int64_t oldest = older(older(older(0, queue->ready.first), queue->taken.first), queue->aside.first);
    for (size_t i = 0; i < queue->waiting_count; i++) oldest = older(oldest, queue->waiting[i]);
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

void sl_queue_each(const sl_queue *queue, bool (*visit)(void *context, sl_flowfile *flowfile), void *context)
{
    if (!each_of(&queue->ready, visit, context) || !each_of(&queue->taken, visit, context)) return;
    for (size_t i = 0; i < queue->waiting_count; i++)
        if (!visit(context, queue->waiting[i])) return;
    each_of(&queue->aside, visit, context);
}
