#include "engine/priority.h"

#include <errno.h>

void sl_order_init(sl_order *order, const sl_priority *priorities, size_t count)
{
    *order = (sl_order){.count = count};
    if (!count) return;
    order->priorities = sl_alloc(count * sizeof *order->priorities);
    for (size_t i = 0; i < count; i++)
        order->priorities[i] = (sl_priority){priorities[i].kind, priorities[i].attribute ? sl_strdup(priorities[i].attribute) : NULL};
}

void sl_order_done(sl_order *order)
{
    for (size_t i = 0; i < order->count; i++) free((char *)order->priorities[i].attribute);
    free(order->priorities);
    *order = (sl_order){0};
}

/* As NiFi's: whole numbers first, smallest first; then other texts, by their bytes (here the first seven); last, none. */
static uint64_t rank_of(sl_str value)
{
    const uint64_t texts = (uint64_t)1 << 63;
    char *end;
    if (!value.data) return UINT64_MAX;
    sl_str text = sl_str_trim(value);
    if (text.size && text.size < 20) {
        char copy[20] = "";
        memcpy(copy, text.data, text.size);
        errno = 0;
        long long number = strtoll(copy, &end, 10);
        const long long most = (long long)(texts / 2 - 1);
        if (!errno && !*end) return (uint64_t)(SL_MIN(SL_MAX(number, -most), most) + most);
    }
    uint64_t rank = 0;
    for (size_t i = 0; i < 7; i++) rank = rank << 8 | (i < value.size ? (unsigned char)value.data[i] : 0);
    return texts | rank;
}

void sl_order_rank(const sl_order *order, sl_flowfile *flowfile)
{
    for (size_t i = 0; i < order->count; i++)
        if (order->priorities[i].kind == SL_BY_ATTRIBUTE)
            flowfile->rank = rank_of(sl_attributes_get(flowfile->body->attributes, sl_str_of(order->priorities[i].attribute)));
}

/* Less than 0: a first. */
static int compare(sl_priority_kind kind, const sl_flowfile *a, const sl_flowfile *b)
{
    switch (kind) {
    case SL_FIRST_IN: return (a->moved > b->moved) - (a->moved < b->moved);
    case SL_NEWEST: return (a->entered < b->entered) - (a->entered > b->entered);
    case SL_OLDEST: return (a->entered > b->entered) - (a->entered < b->entered);
    case SL_SMALLEST: return (a->size > b->size) - (a->size < b->size);
    case SL_BY_ATTRIBUTE: return (a->rank > b->rank) - (a->rank < b->rank);
    }
    return 0;
}

bool sl_order_less(const void *context, const sl_flowfile *a, const sl_flowfile *b)
{
    const sl_order *order = context;
    for (size_t i = 0; i < order->count; i++) {
        int told = compare(order->priorities[i].kind, a, b);
        if (told) return told < 0;
    }
    return a->moved < b->moved;
}
