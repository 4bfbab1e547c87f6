#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "content/private.h"

enum { INLINE_LIMIT = 2 << 10, PACKED_LIMIT = 256 << 10, PACK_SIZE = 64 << 20 };

uint64_t sl_content_new_id(sl_content *store) { return atomic_fetch_add(&store->next_id, 1); }

char *sl_own_path(const sl_content *store, uint64_t id, bool adopted)
{
    return sl_asprintf("%s/own/%x/%016" PRIx64 "%s", store->folder, (unsigned)(id % SL_OWN_FOLDERS), id, adopted ? ".a" : "");
}

char *sl_pack_path(const sl_content *store, uint64_t id) { return sl_asprintf("%s/pack/%016" PRIx64 ".pack", store->folder, id); }

void sl_mark_own_folder(sl_content *store, uint64_t id)
{
    pthread_mutex_lock(&store->lock);
    store->dirty_folders |= 1u << (id % SL_OWN_FOLDERS);
    pthread_mutex_unlock(&store->lock);
}

static int make_folder(const sl_content *store, const char *name, sl_error *error)
{
    char *path = sl_asprintf("%s/%s", store->folder, name);
    int result = 0;
    if (sl_sys_now->mkdir(path, 0700) < 0 && errno != EEXIST)
        result = sl_error_set(error, errno, "content: cannot make the folder %s: %s", path, strerror(errno));
    free(path);
    return result;
}

static int sync_folder(sl_content *store, const char *name, sl_error *error);

/* All are made, then synced once: a sync for each would be most of a first start. Those that are there as well: whoever made them
 * may have died before. */
static int make_folders(sl_content *store, sl_error *error)
{
    if (sl_make_dirs(store->folder, 0700, error) < 0 || make_folder(store, "own", error) < 0 || make_folder(store, "pack", error) < 0 ||
        make_folder(store, "quarantine", error) < 0)
        return -1;
    for (unsigned i = 0; i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        if (make_folder(store, name, error) < 0) return -1;
    }
    return sync_folder(store, "own", error) < 0 || sync_folder(store, ".", error) < 0 ? -1 : 0;
}

int sl_content_open(const sl_content_options *options, sl_content **ret, sl_error *error)
{
    sl_content *store = SL_NEW(sl_content);
    store->options = *options;
    store->options.folder = store->folder = sl_strdup(options->folder);
    if (!store->options.inline_limit) store->options.inline_limit = INLINE_LIMIT;
    if (!store->options.packed_limit) store->options.packed_limit = PACKED_LIMIT;
    if (!store->options.pack_size) store->options.pack_size = PACK_SIZE;
    /* Never the same twice, without reading what is there: the start's time, and 256 ids a microsecond. */
    store->first_id = (uint64_t)sl_now() << 8;
    atomic_init(&store->next_id, store->first_id);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->written, NULL);
    /* A broken read lease is told by SIGIO, whose default ends the process. */
    signal(SIGIO, SIG_IGN);
    if (!options->look_only && make_folders(store, error) < 0) {
        sl_content_close(store);
        return -1;
    }
    *ret = store;
    return 0;
}

void sl_content_close(sl_content *store)
{
    if (!store) return;
    sl_packs_done(store);
    free(store->mentioned);
    sl_content_held_free(store->held); /* the next start finds what they would have let go */
    pthread_cond_destroy(&store->written);
    pthread_mutex_destroy(&store->lock);
    free(store->folder);
    free(store);
}

/* The id of a claim is no greater than the time of an event that tells of it. */
void sl_content_begin_after(sl_content *store, int64_t time)
{
    store->first_id = SL_MAX(store->first_id, (uint64_t)(time + 1) << 8);
    atomic_store(&store->next_id, SL_MAX(atomic_load(&store->next_id), store->first_id));
}

int64_t sl_content_time(const sl_content *store) { return (int64_t)(atomic_load(&store->next_id) >> 8); }
uint64_t sl_content_first(const sl_content *store) { return store->first_id; }
uint64_t sl_content_bytes(const sl_content *store) { return atomic_load(&store->bytes); }

/* ---- sync and release -------------------------------------------------------------------------------- */

static int sync_folder(sl_content *store, const char *name, sl_error *error)
{
    char *path = sl_asprintf("%s/%s", store->folder, name);
    int result = sl_sync_dir(path);
    if (result < 0) sl_error_set(error, errno, "content: cannot sync %s: %s", path, strerror(errno));
    free(path);
    return result;
}

static int sync_folders(sl_content *store, uint32_t folders, bool packs, sl_error *error)
{
    if (packs && sync_folder(store, "pack", error) < 0) return -1;
    for (unsigned i = 0; i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        if ((folders & 1u << i) && sync_folder(store, name, error) < 0) return -1;
    }
    return 0;
}

int sl_content_sync(sl_content *store, sl_error *error)
{
    pthread_mutex_lock(&store->lock);
    uint32_t folders = store->dirty_folders;
    bool packs = store->dirty_packs;
    store->dirty_folders = 0;
    store->dirty_packs = false;
    pthread_mutex_unlock(&store->lock);
    if (sync_folders(store, folders, packs, error) == 0) return sl_pack_sync(store, error);
    pthread_mutex_lock(&store->lock);
    store->dirty_folders |= folders;
    store->dirty_packs |= packs;
    pthread_mutex_unlock(&store->lock);
    return -1;
}

/* false: it is not there. */
static bool remove_own(sl_content *store, uint64_t id, bool adopted, uint64_t size)
{
    char *path = sl_own_path(store, id, adopted);
    int result = sl_sys_now->unlink(path);
    bool there = result == 0 || errno != ENOENT;
    if (result == 0) atomic_fetch_sub(&store->bytes, size);
    else if (there) sl_log(SL_WARNING, "content", "cannot remove %s: %s", path, strerror(errno));
    free(path);
    return there;
}

void sl_content_release(sl_content *store, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    if (sl_content_wait(store, id, kind, pack, offset, size)) return;
    if (kind == SL_PACKED) sl_pack_release(store, pack, offset, size);
    else if (kind == SL_OWN) remove_own(store, id, false, size);
    else if (kind == SL_ADOPTED && !remove_own(store, id, true, size)) remove_own(store, id, false, size); /* it came by a backup */
}
