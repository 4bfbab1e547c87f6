/* Which ranges of a pack were released, as far as a few of them tell: a file system frees whole blocks only, so what two
 * neighbours share goes with the second of them. */
#include "content/private.h"

enum { RANGES = 64 }; /* of a pack: contents mostly go in the order in which they came, so a few are all there is */

/* The first that ends at `offset` or behind it. */
static size_t place_of(const sl_ranges *ranges, uint64_t offset)
{
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges->items[middle].end < offset) low = middle + 1;
        else high = middle;
    }
    return low;
}

sl_range sl_ranges_add(sl_ranges *ranges, uint64_t offset, uint64_t end)
{
    size_t at = place_of(ranges, offset), last = at;
    sl_range whole = {offset, end};
    for (; last < ranges->count && ranges->items[last].offset <= end; last++) {
        whole.offset = SL_MIN(whole.offset, ranges->items[last].offset);
        whole.end = SL_MAX(whole.end, ranges->items[last].end);
    }
    if (last == at && ranges->count == RANGES) return whole; /* not remembered: its edges stay with the pack */
    if (last == at) ranges->items = sl_grow(ranges->items, ranges->count, &ranges->capacity, sizeof *ranges->items);
    memmove(ranges->items + at + 1, ranges->items + last, (ranges->count - last) * sizeof *ranges->items);
    ranges->count += 1 - (last - at);
    ranges->items[at] = whole;
    return whole;
}

void sl_ranges_done(sl_ranges *ranges)
{
    free(ranges->items);
    *ranges = (sl_ranges){0};
}
