/* NNNNNN.idx: the marks of a full segment, sorted. Blocks of 4 KiB: a head, then for each kind its entries (key << 32 |
 * the event's distance from the segment's first) in ascending order, 511 to a block, each block with its number and a
 * CRC32C at its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"
#include "journal/index-private.h"

enum { BLOCK = 4096, ENTRIES = BLOCK / 8 - 1, PIECE = 64 /* blocks written at once */ };
static const char magic[8] = "SLIDX1\n";

typedef struct tail {
    uint32_t number, crc;
} tail;

typedef union block {
    uint64_t entries[ENTRIES + 1];
    struct {
        char magic[8];
        uint64_t first, count;
        uint64_t entry_counts[SL_INDEX_KINDS];
    } head;
    char bytes[BLOCK];
} block;

static uint64_t blocks_of(uint64_t entries) { return (entries + ENTRIES - 1) / ENTRIES; }

/* ---- written --------------------------------------------------------------------------------------------- */

typedef struct writing {
    int fd;
    block *piece;
    size_t filled; /* blocks of the piece */
    uint64_t number;
    bool (*pause)(void *context);
    void *context;
} writing;

static int flush(writing *w)
{
    size_t size = w->filled * BLOCK;
    if (sl_write_all(w->fd, w->piece, size, (off_t)((w->number - w->filled) * BLOCK)) < 0) return -1;
    w->filled = 0;
    /* Piece by piece, so that the last sync has little to do: a large one would hold up the journal's own. */
    if (sl_sys_now->fdatasync(w->fd) < 0) return -1;
    if (!w->pause || !w->pause(w->context)) return 0;
    errno = ECANCELED;
    return -1;
}

static int put(writing *w, const block *from)
{
    block *to = &w->piece[w->filled++];
    *to = *from;
    tail end = {.number = (uint32_t)w->number++};
    memcpy(to->bytes + BLOCK - sizeof end, &end, sizeof end.number);
    end.crc = sl_crc32c(0, to->bytes, BLOCK - sizeof end.crc);
    memcpy(to->bytes + BLOCK - sizeof end, &end, sizeof end);
    return w->filled == PIECE ? flush(w) : 0;
}

static int put_entries(writing *w, const uint64_t *entries, uint64_t count)
{
    for (uint64_t at = 0; at < count; at += ENTRIES) {
        block b;
        size_t here = (size_t)SL_MIN(count - at, (uint64_t)ENTRIES);
        memset(&b, 0xff, sizeof b);
        memcpy(b.entries, entries + at, here * sizeof *entries);
        if (put(w, &b) < 0) return -1;
    }
    return 0;
}

/* By the key alone, lowest byte first, each pass stable: entries come in the order of their offsets. */
static uint64_t *sort(uint64_t *entries, uint64_t *spare, size_t count)
{
    for (unsigned shift = 32; shift < 64; shift += 8) {
        size_t starts[256] = {0}, at = 0;
        for (size_t i = 0; i < count; i++) starts[entries[i] >> shift & 255]++;
        for (size_t i = 0; i < 256; i++) {
            size_t here = starts[i];
            starts[i] = at;
            at += here;
        }
        for (size_t i = 0; i < count; i++) spare[starts[entries[i] >> shift & 255]++] = entries[i];
        uint64_t *swap = entries;
        entries = spare;
        spare = swap;
    }
    return entries;
}

static size_t gather_dense(const sl_marks *marks, sl_index_kind kind, uint64_t *ret)
{
    uint32_t count = atomic_load(&marks->count);
    size_t found = 0;
    for (uint32_t at = 0; at < count; at++) {
        const sl_dense *dense = atomic_load_explicit(&marks->chunks[at / SL_CHUNK], memory_order_relaxed);
        uint32_t flowfile = dense->flowfile[at % SL_CHUNK], component = dense->component[at % SL_CHUNK];
        if (kind == SL_BY_FLOWFILE ? !flowfile : !component && !flowfile) continue;
        ret[found++] = (uint64_t)(kind == SL_BY_FLOWFILE ? flowfile : component) << 32 | at;
    }
    return found;
}

static size_t gather(const sl_marks *marks, sl_index_kind kind, uint64_t *ret)
{
    if (kind == SL_BY_FLOWFILE || kind == SL_BY_COMPONENT) return gather_dense(marks, kind, ret);
    const sl_sparse *sparse = sl_marks_sparse(marks, kind);
    uint32_t count = atomic_load(&sparse->count);
    for (uint32_t i = 0; i < count; i++) ret[i] = sl_sparse_at(sparse, i);
    return count;
}

static int write_blocks(writing *w, const sl_marks *marks)
{
    size_t most = SL_MAX(SL_MAX(atomic_load(&marks->filenames.count), atomic_load(&marks->parents.count)), atomic_load(&marks->count));
    uint64_t *entries = sl_alloc(2 * (most + 1) * sizeof *entries), *spare = entries + most + 1;
    block head = {.head = {.first = marks->first, .count = atomic_load(&marks->count)}};
    memcpy(head.head.magic, magic, sizeof magic);
    int result = put(w, &head); /* its place; the counts are known at the end */
    for (int kind = 0; result == 0 && kind < SL_INDEX_KINDS; kind++) {
        size_t count = gather(marks, (sl_index_kind)kind, entries);
        head.head.entry_counts[kind] = count;
        result = put_entries(w, sort(entries, spare, count), count);
    }
    free(entries);
    if (result == 0 && w->filled) result = flush(w);
    w->number = 0;
    if (result == 0 && (result = put(w, &head)) == 0) result = flush(w);
    return result;
}

int sl_index_write(const char *path, const sl_marks *marks, bool (*pause)(void *context), void *context, sl_error *error)
{
    char *temporary = sl_asprintf("%s.tmp", path), *folder = sl_strdup(path);
    *strrchr(folder, '/') = 0;
    writing w = {.pause = pause, .context = context};
    w.fd = sl_sys_now->open(temporary, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int result = w.fd < 0 ? -1 : 0;
    if (result == 0) {
        w.piece = sl_alloc(PIECE * BLOCK);
        result = write_blocks(&w, marks);
        if (result == 0) result = sl_sys_now->fsync(w.fd);
        free(w.piece);
    }
    if (result == 0) result = sl_sys_now->rename(temporary, path);
    if (result == 0) result = sl_sync_dir(folder);
    if (result < 0) {
        sl_error_set(error, errno, "journal: cannot write %s: %s; searches scan its segment", path, strerror(errno));
        sl_sys_now->unlink(temporary);
    }
    if (w.fd >= 0) sl_sys_now->close(w.fd);
    free(temporary);
    free(folder);
    return result;
}

/* ---- read ---------------------------------------------------------------------------------------------------- */

struct sl_index {
    sl_marks *marks; /* or */
    int fd;
    uint64_t first, count, entry_counts[SL_INDEX_KINDS], starts[SL_INDEX_KINDS] /* first blocks */;
    uint64_t cached; /* the number of the block below; UINT64_MAX: none */
    block block;
};

static int read_block(sl_index *index, uint64_t number)
{
    tail end;
    if (index->cached == number) return 0;
    index->cached = UINT64_MAX;
    if (sl_read_full(index->fd, &index->block, BLOCK, (off_t)(number * BLOCK)) != BLOCK) return -1;
    memcpy(&end, index->block.bytes + BLOCK - sizeof end, sizeof end);
    if (end.number != (uint32_t)number || end.crc != sl_crc32c(0, index->block.bytes, BLOCK - sizeof end.crc)) return -1;
    index->cached = number;
    return 0;
}

sl_index *sl_index_of_marks(sl_marks *marks)
{
    sl_index *index = SL_NEW(sl_index);
    *index = (sl_index){.marks = marks, .fd = -1};
    return index;
}

void sl_index_close(sl_index *index)
{
    if (!index) return;
    if (index->fd >= 0) sl_sys_now->close(index->fd);
    sl_marks_unref(index->marks);
    free(index);
}

uint64_t sl_index_end(const sl_index *index) { return index->marks ? sl_marks_end(index->marks) : index->first + index->count; }

static bool read_head(sl_index *index, uint64_t first)
{
    struct stat status;
    if (read_block(index, 0) < 0 || memcmp(index->block.head.magic, magic, sizeof magic) != 0 || index->block.head.first != first)
        return false;
    index->first = first;
    index->count = index->block.head.count;
    uint64_t blocks = 1;
    for (int kind = 0; kind < SL_INDEX_KINDS; kind++) {
        index->entry_counts[kind] = index->block.head.entry_counts[kind];
        index->starts[kind] = blocks;
        blocks += blocks_of(index->entry_counts[kind]);
    }
    return sl_sys_now->fstat(index->fd, &status) == 0 && (uint64_t)status.st_size == blocks * BLOCK;
}

int sl_index_open(const char *path, uint64_t first, sl_index **ret, sl_error *error)
{
    int fd = sl_sys_now->open(path, O_RDONLY, 0);
    if (fd < 0) return sl_error_set(error, errno, "cannot open %s: %s", path, strerror(errno));
    sl_index *index = SL_NEW(sl_index);
    index->fd = fd;
    index->cached = UINT64_MAX;
    if (read_head(index, first)) {
        *ret = index;
        return 0;
    }
    sl_index_close(index);
    return sl_error_set(error, EBADMSG, "%s is damaged or not of this segment; it is made anew", path);
}

static int entry_at(sl_index *index, sl_index_kind kind, uint64_t at, uint64_t *ret)
{
    if (read_block(index, index->starts[kind] + at / ENTRIES) < 0) return -1;
    *ret = index->block.entries[at % ENTRIES];
    return 0;
}

/* The first entry that is not below `value`. */
static int seek(sl_index *index, sl_index_kind kind, uint64_t value, uint64_t *ret)
{
    uint64_t low = 0, high = blocks_of(index->entry_counts[kind]), entry;
    while (low < high) { /* the last block that begins below it, by their first entries */
        uint64_t middle = (low + high) / 2;
        if (entry_at(index, kind, middle * ENTRIES, &entry) < 0) return -1;
        if (entry < value) low = middle + 1;
        else high = middle;
    }
    uint64_t from = low ? (low - 1) * ENTRIES : 0, end = SL_MIN(low * ENTRIES, index->entry_counts[kind]);
    while (from < end) {
        uint64_t middle = (from + end) / 2;
        if (entry_at(index, kind, middle, &entry) < 0) return -1;
        if (entry < value) from = middle + 1;
        else end = middle;
    }
    *ret = from;
    return 0;
}

static int find_key(sl_index *index, sl_index_kind kind, uint32_t key, uint64_t from, uint64_t end, sl_seqs *ret)
{
    uint64_t at, entry, high = (uint64_t)key << 32;
    if (seek(index, kind, high | from, &at) < 0) return -1;
    for (; at < index->entry_counts[kind]; at++) {
        if (entry_at(index, kind, at, &entry) < 0 || ret->count > SL_INDEX_MOST) return -1;
        if (entry >= (high | end) || entry >> 32 != key) break;
        sl_seqs_add(ret, index->first + (uint32_t)entry);
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void sl_seqs_settle(sl_seqs *seqs)
{
    size_t kept = 0;
    if (seqs->count) qsort(seqs->items, seqs->count, sizeof *seqs->items, ascending);
    for (size_t i = 0; i < seqs->count; i++)
        if (!kept || seqs->items[kept - 1] != seqs->items[i]) seqs->items[kept++] = seqs->items[i];
    seqs->count = kept;
}

int sl_index_find(sl_index *index, sl_index_kind kind, const uint32_t *keys, size_t count, uint64_t from, uint64_t end, sl_seqs *ret)
{
    if (index->marks) return sl_marks_find(index->marks, kind, keys, count, from, end, ret);
    uint64_t low = from > index->first ? from - index->first : 0;
    uint64_t high = SL_MIN(end, index->first + index->count);
    high = high > index->first ? high - index->first : 0;
    if (low >= high) return 0;
    for (size_t i = 0; i < count; i++)
        if (find_key(index, kind, keys[i], low, high, ret) < 0) return -1;
    bool others = false; /* components of a greater number stand together */
    for (size_t i = 0; kind == SL_BY_COMPONENT && i < count; i++) others |= keys[i] >= SL_COMPONENT_OTHER;
    if (others && find_key(index, kind, SL_COMPONENT_OTHER, low, high, ret) < 0) return -1;
    sl_seqs_settle(ret);
    return 0;
}
