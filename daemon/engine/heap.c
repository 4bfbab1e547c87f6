#include "engine/heap.h"

static void set(sl_heap *heap, size_t at, sl_flowfile *flowfile)
{
    heap->items[at] = flowfile;
    flowfile->heap_at = at;
}

static void sift_up(sl_heap *heap, size_t at, sl_heap_less less, const void *context)
{
    sl_flowfile *flowfile = heap->items[at];
    for (; at > 0 && less(context, flowfile, heap->items[(at - 1) / 2]); at = (at - 1) / 2) set(heap, at, heap->items[(at - 1) / 2]);
    set(heap, at, flowfile);
}

static void sift_down(sl_heap *heap, size_t at, sl_heap_less less, const void *context)
{
    sl_flowfile *flowfile = heap->items[at];
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && less(context, heap->items[child + 1], heap->items[child])) child++;
        if (!less(context, heap->items[child], flowfile)) break;
        set(heap, at, heap->items[child]);
    }
    set(heap, at, flowfile);
}

void sl_heap_put(sl_heap *heap, sl_flowfile *flowfile, sl_heap_less less, const void *context)
{
    heap->items = sl_grow(heap->items, heap->count, &heap->capacity, sizeof *heap->items);
    set(heap, heap->count++, flowfile);
    sift_up(heap, heap->count - 1, less, context);
}

void sl_heap_remove(sl_heap *heap, sl_flowfile *flowfile, sl_heap_less less, const void *context)
{
    size_t at = flowfile->heap_at;
    sl_flowfile *last = heap->items[--heap->count];
    if (last == flowfile) return;
    set(heap, at, last);
    sift_down(heap, at, less, context);
    sift_up(heap, last->heap_at, less, context);
}

void sl_heap_done(sl_heap *heap)
{
    free(heap->items);
    *heap = (sl_heap){0};
}
