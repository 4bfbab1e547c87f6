/* Packs: small contents appended to one file, one fdatasync for a group of them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "content/private.h"

static void pack_close(sl_content *store, sl_pack *pack)
{
    sl_pack **link = &store->packs;
    while (*link != pack) link = &(*link)->next;
    *link = pack->next;
    sl_sys_now->close(pack->fd);
    sl_pack_count(store, pack->id, 0); /* all of it may have been released while it was in use */
    free(pack);
}

static sl_pack *pack_open(sl_content *store, sl_error *error)
{
    uint64_t id = sl_content_new_id(store);
    char *path = sl_pack_path(store, id);
    int fd = sl_sys_now->open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) sl_error_set(error, errno, "content: cannot make %s: %s", path, strerror(errno));
    free(path);
    if (fd < 0) return NULL;
    sl_pack *pack = SL_NEW(sl_pack);
    *pack = (sl_pack){.next = store->packs, .id = id, .fd = fd};
    store->packs = pack;
    store->dirty_packs = true;
    return pack;
}

/* Under the lock: the pack to append to, with the range taken. */
static sl_pack *reserve(sl_content *store, size_t size, uint64_t *ret_offset, sl_error *error)
{
    sl_pack *pack = store->packs;
    if (pack && !pack->retired && pack->size + size > store->options.pack_size) {
        pack->retired = true;
        sl_pack_count(store, pack->id, 0); /* all of it may be released already */
    }
    if (!pack || pack->retired) pack = pack_open(store, error);
    if (!pack) return NULL;
    *ret_offset = pack->size;
    pack->size += size;
    pack->writers++;
    return pack;
}

int sl_pack_append(sl_content *store, const void *data, size_t size, uint64_t *ret_pack, uint64_t *ret_offset, sl_error *error)
{
    pthread_mutex_lock(&store->lock);
    sl_pack *pack = reserve(store, size, ret_offset, error);
    pthread_mutex_unlock(&store->lock);
    if (!pack) return -1;
    int result = sl_write_all(pack->fd, data, size, (off_t)*ret_offset);
    if (result < 0)
        sl_error_set(error, errno, "content: cannot write to pack %016" PRIx64 " in %s: %s", pack->id, store->folder, strerror(errno));
    pthread_mutex_lock(&store->lock);
    pack->writers--;
    pack->dirty = true;
    *ret_pack = pack->id;
    sl_pack_count(store, *ret_pack, result == 0 ? (int64_t)size : 0);
    pthread_mutex_unlock(&store->lock);
    if (result == 0) atomic_fetch_add(&store->bytes, size);
    return result;
}

/* Syncs outside the lock what was dirty when it began. `writers` keeps a pack from being closed meanwhile. */
int sl_pack_sync(sl_content *store, sl_error *error)
{
    int result = 0;
    pthread_mutex_lock(&store->lock);
    for (sl_pack *pack = store->packs, *next; pack; pack = next) {
        bool dirty = pack->dirty;
        pack->dirty = false;
        pack->writers++;
        pthread_mutex_unlock(&store->lock);
        if (dirty && sl_sys_now->fdatasync(pack->fd) < 0)
            result =
                sl_error_set(error, errno, "content: cannot sync pack %016" PRIx64 " in %s: %s", pack->id, store->folder, strerror(errno));
        pthread_mutex_lock(&store->lock);
        pack->writers--;
        next = pack->next;
        if (pack->retired && !pack->dirty && !pack->writers) pack_close(store, pack);
    }
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* Appended to, or with a range that somebody writes and has not counted yet, or being synced. */
static bool in_use(const sl_content *store, uint64_t id)
{
    const sl_pack *pack = store->packs;
    while (pack && pack->id != id) pack = pack->next;
    return pack && (!pack->retired || pack->writers);
}

void sl_pack_count(sl_content *store, uint64_t id, int64_t bytes)
{
    char key[17];
    snprintf(key, sizeof key, "%016" PRIx64, id);
    int64_t live = (int64_t)(intptr_t)sl_map_get(&store->packs_live, sl_str_of(key)) + bytes;
    if (live > 0 || in_use(store, id)) {
        sl_map_put(&store->packs_live, sl_str_of(key), (void *)(intptr_t)live);
        return;
    }
    sl_map_remove(&store->packs_live, sl_str_of(key));
    char *path = sl_pack_path(store, id);
    sl_sys_now->unlink(path); /* a leftover is removed at the next start */
    free(path);
}

void sl_pack_release(sl_content *store, uint64_t id, uint64_t offset, uint64_t size)
{
    char *path = sl_pack_path(store, id);
    int fd = sl_sys_now->open(path, O_RDWR, 0);
    /* Where the file system cannot, the space comes back with the whole pack. */
    if (fd >= 0) {
        sl_sys_now->punch_hole(fd, (off_t)offset, (off_t)size);
        sl_sys_now->close(fd);
    }
    free(path);
    pthread_mutex_lock(&store->lock);
    sl_pack_count(store, id, -(int64_t)size);
    pthread_mutex_unlock(&store->lock);
    atomic_fetch_sub(&store->bytes, size);
}
