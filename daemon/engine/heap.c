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

/* Places whose parents were given already, the first of them at the end. */
typedef struct frontier {
    const sl_heap *heap;
    sl_heap_less less;
    const void *context;
    size_t *places, count;
} frontier;

static void open_place(frontier *f, size_t place)
{
    size_t low = 0, high = f->count;
    if (place >= f->heap->count) return;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->less(f->context, f->heap->items[f->places[middle]], f->heap->items[place])) high = middle;
        else low = middle + 1;
    }
    memmove(f->places + low + 1, f->places + low, (f->count++ - low) * sizeof *f->places);
    f->places[low] = place;
}

size_t sl_heap_first(const sl_heap *heap, size_t most, sl_heap_less less, const void *context, sl_flowfile **ret)
{
    size_t count = 0;
    frontier f = {.heap = heap, .less = less, .context = context, .places = sl_alloc((most + 2) * sizeof *f.places)};
    open_place(&f, 0);
    while (f.count && count < most) {
        size_t place = f.places[--f.count];
        ret[count++] = heap->items[place];
        open_place(&f, 2 * place + 1);
        open_place(&f, 2 * place + 2);
    }
    free(f.places);
    return count;
}

void sl_heap_done(sl_heap *heap)
{
    free(heap->items);
    *heap = (sl_heap){0};
}
