/* journal/index-private: the layout of marks, shared by index-marks.c (made and asked) and index-file.c (sorted and
 * written). */
#ifndef SL_INDEX_PRIVATE_H
#define SL_INDEX_PRIVATE_H

#include <stdatomic.h>

#include "journal/index.h"

enum { SL_CHUNK = 65536, SL_CHUNKS = 512, SL_COMPONENT_OTHER = UINT16_MAX /* of a greater number: the row says which */ };

typedef struct sl_dense { /* of SL_CHUNK events */
    uint32_t flowfile[SL_CHUNK];
    uint16_t component[SL_CHUNK];
} sl_dense;

typedef struct sl_sparse { /* key << 32 | offset, in order of the offset */
    _Atomic(uint64_t *) chunks[SL_CHUNKS];
    uint32_t added; /* the writing thread's */
    atomic_uint count;
} sl_sparse;

struct sl_marks {
    atomic_uint references;
    uint64_t first;
    _Atomic(sl_dense *) chunks[SL_CHUNKS];
    uint32_t added; /* the writing thread's: offsets below are in */
    atomic_uint count;
    sl_sparse filenames, parents;
    atomic_bool overflowed;
};

static inline const sl_sparse *sl_marks_sparse(const sl_marks *marks, sl_index_kind kind)
{
    return kind == SL_BY_FILENAME ? &marks->filenames : &marks->parents;
}
static inline uint64_t sl_sparse_at(const sl_sparse *sparse, uint32_t at)
{
    return atomic_load_explicit(&sparse->chunks[at / SL_CHUNK], memory_order_relaxed)[at % SL_CHUNK];
}

int sl_marks_find(const sl_marks *marks, sl_index_kind kind, const uint32_t *keys, size_t count, uint64_t from, uint64_t end, sl_seqs *ret);

#endif
