#include "engine/attributes.h"

static char *copy_view(sl_str *to, sl_str from, char *at)
{
    SL_ASSERT(from.data || !from.size);
    if (from.size) memcpy(at, from.data, from.size);
    at[from.size] = 0;
    *to = (sl_str){at, from.size};
    return at + from.size + 1;
}

sl_attributes *sl_attributes_new(const sl_pair *pairs, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += pairs[i].name.size + pairs[i].value.size + 2;
    sl_attributes *made = sl_alloc(sizeof *made + count * sizeof(sl_pair) + bytes);
    char *at = (char *)(made->pairs + count);
    atomic_init(&made->references, 1);
    made->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        at = copy_view(&made->pairs[i].name, pairs[i].name, at);
        at = copy_view(&made->pairs[i].value, pairs[i].value, at);
    }
    return made;
}

sl_attributes *sl_attributes_ref(sl_attributes *attributes)
{
    if (attributes) atomic_fetch_add_explicit(&attributes->references, 1, memory_order_relaxed);
    return attributes;
}

void sl_attributes_unref(sl_attributes *attributes)
{
    if (attributes && atomic_fetch_sub_explicit(&attributes->references, 1, memory_order_acq_rel) == 1) free(attributes);
}

sl_str sl_attributes_get(const sl_attributes *attributes, sl_str name)
{
    for (size_t i = 0; attributes && i < attributes->count; i++)
        if (sl_str_equal(attributes->pairs[i].name, name)) return attributes->pairs[i].value;
    return (sl_str){NULL, 0};
}

static const sl_pair *change_of(const sl_pair *changes, size_t count, sl_str name)
{
    for (size_t i = 0; i < count; i++)
        if (sl_str_equal(changes[i].name, name)) return &changes[i];
    return NULL;
}

sl_attributes *sl_attributes_change(const sl_attributes *attributes, const sl_pair *changes, size_t count)
{
    size_t before = attributes ? attributes->count : 0, kept = 0;
    sl_pair *pairs = sl_alloc((before + count + 1) * sizeof *pairs);
    for (size_t i = 0; i < before; i++) {
        const sl_pair *change = change_of(changes, count, attributes->pairs[i].name);
        if (!change) pairs[kept++] = attributes->pairs[i];
        else if (change->value.data) pairs[kept++] = *change;
    }
    for (size_t i = 0; i < count; i++)
        if (changes[i].value.data && !sl_attributes_get(attributes, changes[i].name).data) pairs[kept++] = changes[i];
    sl_attributes *made = sl_attributes_new(pairs, kept);
    free(pairs);
    return made;
}

void sl_pairs_format(const sl_pair *pairs, size_t count, sl_buf *ret)
{
    sl_buf_char(ret, '{');
    for (size_t i = 0; i < count; i++) {
        if (i) sl_buf_char(ret, ',');
        sl_json_string(ret, pairs[i].name);
        sl_buf_char(ret, ':');
        if (pairs[i].value.data) sl_json_string(ret, pairs[i].value);
        else sl_buf_text(ret, "null");
    }
    sl_buf_char(ret, '}');
}

typedef struct delta {
    sl_pair *pairs;
    size_t count, capacity;
} delta;

static int add_member(void *context, sl_str name, const sl_str *value)
{
    delta *d = context;
    for (size_t i = 0; i < d->count; i++)
        if (sl_str_equal(d->pairs[i].name, name)) return -1;
    d->pairs = sl_grow(d->pairs, d->count, &d->capacity, sizeof *d->pairs);
    d->pairs[d->count++] = (sl_pair){name, value ? *value : (sl_str){NULL, 0}};
    return 0;
}

int sl_attributes_apply(const sl_attributes *attributes, sl_str json, sl_attributes **ret, sl_error *error)
{
    sl_arena arena = {0};
    delta d = {0};
    int result = sl_json_members(json, &arena, add_member, &d, error);
    if (result == 0) *ret = sl_attributes_change(attributes, d.pairs, d.count);
    free(d.pairs);
    sl_arena_done(&arena);
    return result;
}
