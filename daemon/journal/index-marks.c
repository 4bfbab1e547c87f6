/* Marks: a segment's index in memory, appended by one thread and read by others without a lock. */
#include "journal/index-private.h"

/* ---- made ------------------------------------------------------------------------------------------------- */

sl_marks *sl_marks_new(uint64_t first)
{
    sl_marks *marks = SL_NEW(sl_marks);
    atomic_init(&marks->references, 1);
    marks->first = first;
    return marks;
}

sl_marks *sl_marks_ref(sl_marks *marks)
{
    if (marks) atomic_fetch_add(&marks->references, 1);
    return marks;
}

void sl_marks_unref(sl_marks *marks)
{
    if (!marks || atomic_fetch_sub(&marks->references, 1) != 1) return;
    for (size_t i = 0; i < SL_CHUNKS; i++) {
        free(atomic_load(&marks->chunks[i]));
        free(atomic_load(&marks->filenames.chunks[i]));
        free(atomic_load(&marks->parents.chunks[i]));
    }
    free(marks);
}

uint64_t sl_marks_end(const sl_marks *marks) { return marks->first + atomic_load_explicit(&marks->count, memory_order_acquire); }
bool sl_marks_whole(const sl_marks *marks) { return !atomic_load(&marks->overflowed); }

uint32_t sl_index_filename(sl_str text)
{
    uint32_t key = sl_crc32c(0, text.data, text.size);
    return key ? key : 1;
}

static void add_sparse(sl_marks *marks, sl_sparse *to, uint32_t key, uint32_t offset)
{
    uint32_t chunk = to->added / SL_CHUNK;
    if (chunk >= SL_CHUNKS) {
        atomic_store(&marks->overflowed, true);
        return;
    }
    if (!atomic_load_explicit(&to->chunks[chunk], memory_order_relaxed))
        atomic_store(&to->chunks[chunk], sl_alloc(SL_CHUNK * sizeof(uint64_t)));
    atomic_load_explicit(&to->chunks[chunk], memory_order_relaxed)[to->added++ % SL_CHUNK] = (uint64_t)key << 32 | offset;
}

/* In the one form in which deltas are written a quote inside a text is escaped: so the first bare quote ends it. */
static sl_str filename_of(sl_str attributes)
{
    static const char piece[] = "\"filename\":\"";
    const char *at = attributes.size ? memmem(attributes.data, attributes.size, piece, sizeof piece - 1) : NULL;
    if (!at) return (sl_str){0};
    const char *from = at + sizeof piece - 1, *end = attributes.data + attributes.size, *to = from;
    while (to < end && *to != '"') to += *to == '\\' ? 2 : 1;
    return to < end ? (sl_str){from, (size_t)(to - from)} : (sl_str){0};
}

static void add_parents(sl_marks *marks, sl_str list, uint32_t offset)
{
    for (size_t at = 0; at < list.size;) {
        uint64_t id = 0;
        size_t from = at;
        for (; at < list.size && list.data[at] >= '0' && list.data[at] <= '9'; at++) id = id * 10 + (uint64_t)(list.data[at] - '0');
        if (at > from) add_sparse(marks, &marks->parents, sl_index_flowfile(id), offset);
        else at++;
    }
}

void sl_marks_add(sl_marks *marks, const sl_event *event)
{
    uint64_t offset = event->seq - marks->first;
    if (event->seq < marks->first + marks->added) return; /* is in already */
    if (offset >= (uint64_t)SL_CHUNK * SL_CHUNKS) {
        atomic_store(&marks->overflowed, true);
        return;
    }
    uint32_t chunk = (uint32_t)(offset / SL_CHUNK), within = (uint32_t)(offset % SL_CHUNK);
    for (uint32_t i = marks->added / SL_CHUNK; i <= chunk; i++) /* a gap is empty, not absent */
        if (!atomic_load_explicit(&marks->chunks[i], memory_order_relaxed)) atomic_store(&marks->chunks[i], SL_NEW(sl_dense));
    sl_dense *dense = atomic_load_explicit(&marks->chunks[chunk], memory_order_relaxed);
    dense->flowfile[within] = sl_index_flowfile(event->flowfile);
    dense->component[within] = (uint16_t)SL_MIN(event->component, (uint32_t)SL_COMPONENT_OTHER);
    sl_str filename = filename_of(event->attributes);
    if (filename.data) add_sparse(marks, &marks->filenames, sl_index_filename(filename), (uint32_t)offset);
    if (event->parents.size) add_parents(marks, event->parents, (uint32_t)offset);
    marks->added = (uint32_t)offset + 1;
}

void sl_marks_publish(sl_marks *marks)
{
    atomic_store_explicit(&marks->filenames.count, marks->filenames.added, memory_order_release);
    atomic_store_explicit(&marks->parents.count, marks->parents.added, memory_order_release);
    atomic_store_explicit(&marks->count, marks->added, memory_order_release);
}

/* ---- asked ------------------------------------------------------------------------------------------------- */

void sl_seqs_add(sl_seqs *seqs, uint64_t seq)
{
    seqs->items = sl_grow(seqs->items, seqs->count, &seqs->capacity, sizeof *seqs->items);
    seqs->items[seqs->count++] = seq;
}

typedef struct keyset { /* small, open addressing; 0 apart */
    uint32_t *slots, mask;
    bool zero;
} keyset;

static keyset keyset_new(const uint32_t *keys, size_t count)
{
    keyset set = {.mask = 15};
    while (set.mask < count * 2) set.mask = set.mask * 2 + 1;
    set.slots = sl_alloc(((size_t)set.mask + 1) * sizeof *set.slots);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = keys[i] * 0x9E3779B1u >> 7 & set.mask;
        while (set.slots[at] && set.slots[at] != keys[i]) at = (at + 1) & set.mask;
        set.slots[at] = keys[i];
        set.zero |= keys[i] == 0;
    }
    return set;
}

static inline bool keyset_has(const keyset *set, uint32_t key)
{
    if (!key) return set->zero;
    uint32_t at = key * 0x9E3779B1u >> 7 & set->mask;
    while (set->slots[at] && set->slots[at] != key) at = (at + 1) & set->mask;
    return set->slots[at] != 0;
}

static void find_many(const sl_dense *dense, sl_index_kind kind, const keyset *set, uint32_t from, uint32_t end, uint64_t base,
                      sl_seqs *ret)
{
    if (kind == SL_BY_FLOWFILE) {
        for (uint32_t i = from; i < end; i++)
            if (dense->flowfile[i] && keyset_has(set, dense->flowfile[i])) sl_seqs_add(ret, base + i);
        return;
    }
    for (uint32_t i = from; i < end; i++)
        if (dense->component[i] == SL_COMPONENT_OTHER || keyset_has(set, dense->component[i])) sl_seqs_add(ret, base + i);
}

/* Thirty-two at a time, so that the compiler compares them together: nearly all are not the one. */
static void find_flowfile(const sl_dense *dense, uint32_t key, uint32_t from, uint32_t end, uint64_t base, sl_seqs *ret)
{
    enum { TOGETHER = 32 };
    uint32_t i = from;
    while (i < end) {
        uint32_t until = SL_MIN(end, i + TOGETHER), any = 0;
        for (uint32_t k = i; k < until; k++) any |= dense->flowfile[k] == key;
        for (uint32_t k = i; any && k < until; k++)
            if (dense->flowfile[k] == key) sl_seqs_add(ret, base + k);
        i = until;
    }
}

static int find_dense(const sl_marks *marks, sl_index_kind kind, const keyset *set, const uint32_t *keys, size_t count, uint64_t from,
                      uint64_t end, sl_seqs *ret)
{
    while (from < end && ret->count <= SL_INDEX_MOST) {
        uint64_t chunk = from / SL_CHUNK, until = SL_MIN(end, (chunk + 1) * SL_CHUNK), base = marks->first + chunk * SL_CHUNK;
        const sl_dense *dense = atomic_load_explicit(&marks->chunks[chunk], memory_order_acquire);
        uint32_t low = (uint32_t)(from - chunk * SL_CHUNK), high = (uint32_t)(until - chunk * SL_CHUNK);
        if (kind == SL_BY_FLOWFILE && count == 1 && keys[0]) find_flowfile(dense, keys[0], low, high, base, ret);
        else find_many(dense, kind, set, low, high, base, ret);
        from = until;
    }
    return ret->count <= SL_INDEX_MOST ? 0 : -1;
}

static int find_sparse(const sl_marks *marks, const sl_sparse *sparse, const keyset *set, const uint32_t *keys, size_t key_count,
                       uint64_t from, uint64_t end, sl_seqs *ret)
{
    uint32_t only = key_count == 1 ? keys[0] : 0;
    uint32_t count = atomic_load_explicit(&sparse->count, memory_order_acquire);
    for (uint32_t i = 0; i < count && ret->count <= SL_INDEX_MOST; i++) {
        uint64_t entry = sl_sparse_at(sparse, i), seq = marks->first + (uint32_t)entry;
        if (key_count == 1 ? entry >> 32 != only : !keyset_has(set, (uint32_t)(entry >> 32))) continue;
        if (seq < marks->first + from || seq >= marks->first + end) continue;
        if (!ret->count || ret->items[ret->count - 1] != seq) sl_seqs_add(ret, seq);
    }
    return ret->count <= SL_INDEX_MOST ? 0 : -1;
}

int sl_marks_find(const sl_marks *marks, sl_index_kind kind, const uint32_t *keys, size_t count, uint64_t from, uint64_t end, sl_seqs *ret)
{
    uint64_t low = from > marks->first ? from - marks->first : 0;
    uint64_t high = SL_MIN(end, sl_marks_end(marks));
    high = high > marks->first ? high - marks->first : 0;
    if (!sl_marks_whole(marks)) return -1;
    keyset set = keyset_new(keys, count);
    int result = kind == SL_BY_FLOWFILE || kind == SL_BY_COMPONENT
                     ? find_dense(marks, kind, &set, keys, count, low, high, ret)
                     : find_sparse(marks, sl_marks_sparse(marks, kind), &set, keys, count, low, high, ret);
    free(set.slots);
    return result;
}
