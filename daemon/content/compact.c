/* Packs of which little is held any more, and what moves out of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "content/private.h"

enum { WORTH = 1 << 20 /* bytes that nobody holds */, PART = 4 /* less than a quarter is held */, BLOCK = 512 /* of st_blocks */ };

/* All that are not appended to, with what is held of each; the file is looked at without the lock. */
static sl_sparse *resting(sl_content *store, size_t *ret_count)
{
    size_t count = 0;
    pthread_mutex_lock(&store->lock);
    sl_sparse *all = sl_alloc((store->pack_uses.live + 1) * sizeof *all);
    SL_MAP_EACH (&store->pack_uses, entry) {
        const sl_pack_use *use = entry->value;
        uint64_t id = strtoull(entry->key, NULL, 16);
        if (!sl_pack_in_use(store, id)) all[count++] = (sl_sparse){.pack = id, .held = (uint64_t)SL_MAX(use->live, (int64_t)0)};
    }
    pthread_mutex_unlock(&store->lock);
    *ret_count = count;
    return all;
}

/* Where the file system keeps holes these are its blocks, elsewhere its length. */
static uint64_t taken(const sl_content *store, uint64_t pack)
{
    struct stat status;
    char *path = sl_pack_path(store, pack);
    bool there = sl_sys_now->stat(path, &status) == 0;
    free(path);
    return there ? (uint64_t)status.st_blocks * BLOCK : 0;
}

static int least_held(const void *a, const void *b)
{
    const sl_sparse *x = a, *y = b;
    return (x->held > y->held) - (x->held < y->held);
}

size_t sl_content_sparse(sl_content *store, sl_sparse *ret, size_t most)
{
    size_t count, found = 0;
    uint64_t waste = 0;
    sl_sparse *all = resting(store, &count);
    for (size_t i = 0; i < count; i++) {
        sl_sparse *at = &all[i];
        at->taken = taken(store, at->pack);
        uint64_t idle = at->taken > at->held ? at->taken - at->held : 0;
        waste += idle;
        if (idle >= WORTH && at->held * PART < at->taken) all[found++] = *at;
    }
    atomic_store(&store->waste, waste);
    if (found) qsort(all, found, sizeof *all, least_held);
    found = SL_MIN(found, most);
    memcpy(ret, all, found * sizeof *ret);
    free(all);
    return found;
}

size_t sl_content_packed_limit(const sl_content *store) { return store->options.packed_limit; }

uint64_t sl_content_disk(const sl_content *store) { return atomic_load(&store->bytes) + atomic_load(&store->waste); }

static int move(sl_content *store, const sl_claim *old, const char *data, sl_claim **ret, sl_error *error)
{
    char hex[65];
    const char *sha256 = atomic_load(&old->sha256), *md5 = atomic_load(&old->md5);
    sl_sha256(data, old->size, hex);
    if (sha256 && strcmp(sha256, hex) != 0)
        return sl_error_set(error, EIO, "content %016" PRIx64 " has SHA-256 %s, expected %s; its pack stays as it is", old->id, hex,
                            sha256);
    if (sl_claim_small(store, data, old->size, ret, error) < 0) return -1;
    sl_claim_learn(*ret, NULL, md5);
    return 0;
}

int sl_content_move(sl_content *store, sl_claim *old, sl_claim **ret, sl_error *error)
{
    sl_content_view view;
    if (sl_content_view_open(store, old, &view, error) < 0) return -1;
    char *data = sl_alloc(old->size + 1);
    ssize_t got = view.data ? 0 : sl_read_full(view.fd, data, old->size, (off_t)view.offset);
    int code = errno;
    sl_content_view_done(&view);
    int result = got == (ssize_t)old->size ? move(store, old, data, ret, error)
                                           : sl_error_set(error, got < 0 ? code : EIO, "content %016" PRIx64 " cannot be read: %s", old->id,
                                                          got < 0 ? strerror(code) : "its pack ends before it");
    free(data);
    return result;
}
