/* engine/attributes: the attributes of a FlowFile as one immutable, counted block. A change makes a new block;
 * clones and queued FlowFiles share. Any thread. */
#ifndef SL_ATTRIBUTES_H
#define SL_ATTRIBUTES_H

#include <stdatomic.h>

#include "base/base.h"

typedef struct sl_pair {
    sl_str name, value; /* value.data NULL in a change: removed */
} sl_pair;

typedef struct sl_attributes {
    atomic_uint references;
    uint32_t count;
    sl_pair pairs[]; /* in order of first appearance; the bytes follow in the same allocation */
} sl_attributes;

/* Copies. Names must differ from each other. */
sl_attributes *sl_attributes_new(const sl_pair *pairs, size_t count);
sl_attributes *sl_attributes_ref(sl_attributes *attributes);
void sl_attributes_unref(sl_attributes *attributes);                    /* NULL is fine */
sl_str sl_attributes_get(const sl_attributes *attributes, sl_str name); /* data NULL: absent */
/* What `attributes` (NULL: none) becomes by the changes, each name at most once in them. */
sl_attributes *sl_attributes_change(const sl_attributes *attributes, const sl_pair *changes, size_t count);
/* {"name":"value","gone":null} */
void sl_pairs_format(const sl_pair *pairs, size_t count, sl_buf *ret);
/* Applies a delta's text to `attributes` (NULL: none). */
int sl_attributes_apply(const sl_attributes *attributes, sl_str json, sl_attributes **ret, sl_error *error);

#endif
