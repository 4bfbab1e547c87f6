/* Packs: small contents appended to one file, one fdatasync for a group of them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "content/private.h"

enum { BLOCK_MOST = 64 << 10 }; /* of any file system */

/* ---- what is known of a pack's file ------------------------------------------------------------------------- */

static sl_str key_of(uint64_t id, char text[17])
{
    snprintf(text, 17, "%016" PRIx64, id);
    return (sl_str){text, 16};
}

static sl_pack_use *use_of(sl_content *store, uint64_t id)
{
    char text[17];
    sl_pack_use *use = sl_map_get(&store->pack_uses, key_of(id, text));
    if (use) return use;
    use = SL_NEW(sl_pack_use);
    sl_map_put(&store->pack_uses, key_of(id, text), use);
    return use;
}

static void forget_use(sl_content *store, uint64_t id)
{
    char text[17];
    sl_pack_use *use = sl_map_remove(&store->pack_uses, key_of(id, text));
    if (use) sl_ranges_done(&use->released);
    free(use);
}

void sl_packs_done(sl_content *store)
{
    for (sl_pack *pack = store->packs, *next; pack; pack = next) {
        next = pack->next;
        sl_sys_now->close(pack->fd);
        free(pack->fresh);
        free(pack);
    }
    SL_MAP_EACH (&store->pack_uses, entry) {
        sl_pack_use *use = entry->value;
        sl_ranges_done(&use->released);
        free(use);
    }
    sl_map_done(&store->pack_uses);
}

static sl_pack *open_pack(const sl_content *store, uint64_t id)
{
    sl_pack *pack = store->packs;
    while (pack && pack->id != id) pack = pack->next;
    return pack;
}

/* Appended to, or with a range that somebody writes and has not counted yet, or being synced. */
bool sl_pack_in_use(const sl_content *store, uint64_t id)
{
    const sl_pack *pack = open_pack(store, id);
    return pack && (!pack->retired || pack->writers);
}

void sl_pack_count(sl_content *store, uint64_t id, int64_t bytes)
{
    sl_pack_use *use = use_of(store, id);
    use->live += bytes;
    if (use->live > 0 || sl_pack_in_use(store, id)) return;
    forget_use(store, id);
    char *path = sl_pack_path(store, id);
    sl_sys_now->unlink(path); /* a leftover is removed at the next start */
    free(path);
}

/* ---- appending --------------------------------------------------------------------------------------------------- */

static void pack_close(sl_content *store, sl_pack *pack)
{
    sl_pack **link = &store->packs;
    while (*link != pack) link = &(*link)->next;
    *link = pack->next;
    sl_sys_now->close(pack->fd);
    sl_pack_count(store, pack->id, 0); /* all of it may have been released while it was in use */
    free(pack->fresh);
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

/* Under the lock. What a write left of itself before it failed takes no room either. */
static void appended(sl_content *store, sl_pack *pack, const sl_piece *piece, bool done)
{
    pack->writers--;
    if (!pack->writers) pthread_cond_broadcast(&store->written);
    if (done) {
        pack->dirty = true;
        pack->fresh = sl_grow(pack->fresh, pack->fresh_count, &pack->fresh_capacity, sizeof *pack->fresh);
        pack->fresh[pack->fresh_count++] = *piece;
    } else sl_sys_now->punch_hole(pack->fd, (off_t)piece->offset, (off_t)piece->size);
    sl_pack_count(store, pack->id, done ? (int64_t)piece->size : 0);
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
    sl_piece piece = {*ret_offset, size, result == 0 ? sl_crc32c(0, data, size) : 0};
    *ret_pack = pack->id;
    pthread_mutex_lock(&store->lock);
    appended(store, pack, &piece, result == 0);
    pthread_mutex_unlock(&store->lock);
    if (result == 0) atomic_fetch_add(&store->bytes, size);
    return result;
}

/* ---- syncing ------------------------------------------------------------------------------------------------------ */

static int sync_one(sl_content *store, sl_pack *pack, sl_error *error)
{
    if (pack->refused) return sl_pack_replace(store, pack, error);
    if (sl_sys_now->fdatasync(pack->fd) == 0) return 0;
    return sl_error_set(error, errno, "content: cannot sync pack %016" PRIx64 " in %s: %s", pack->id, store->folder, strerror(errno));
}

/* Under the lock. A file that could not be synced is not tried again: what it got since the last good sync goes into
 * another of its name, when this is called again. */
static void synced(sl_pack *pack, size_t count, bool done)
{
    pack->writers--;
    pack->refused = !done;
    if (!done) pack->retired = pack->dirty = true;
    else {
        memmove(pack->fresh, pack->fresh + count, (pack->fresh_count - count) * sizeof *pack->fresh);
        pack->fresh_count -= count;
    }
}

/* Syncs outside the lock what was dirty when it began. `writers` keeps a pack from being closed meanwhile. */
int sl_pack_sync(sl_content *store, sl_error *error)
{
    int result = 0;
    pthread_mutex_lock(&store->lock);
    for (sl_pack *pack = store->packs, *next; pack; pack = next) {
        size_t count = pack->fresh_count;
        pack->writers++;
        if (pack->dirty) {
            pack->dirty = false;
            pthread_mutex_unlock(&store->lock);
            bool done = sync_one(store, pack, error) == 0;
            pthread_mutex_lock(&store->lock);
            if (!done) result = -1;
            synced(pack, count, done);
        } else pack->writers--;
        next = pack->next;
        if (pack->retired && !pack->dirty && !pack->writers) pack_close(store, pack);
    }
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* ---- releasing ---------------------------------------------------------------------------------------------------- */

/* Under the lock. Released before it was synced: then nobody waits for it. */
static void drop_fresh(sl_content *store, uint64_t id, uint64_t offset)
{
    sl_pack *pack = open_pack(store, id);
    for (size_t i = 0; pack && i < pack->fresh_count; i++)
        if (pack->fresh[i].offset == offset) pack->fresh[i].size = 0;
}

void sl_pack_release(sl_content *store, uint64_t id, uint64_t offset, uint64_t size)
{
    pthread_mutex_lock(&store->lock);
    drop_fresh(store, id, offset);
    sl_range whole = sl_ranges_add(&use_of(store, id)->released, offset, offset + size);
    pthread_mutex_unlock(&store->lock);
    /* As far into its released neighbours as a block that they share can reach. */
    uint64_t from = SL_MAX(whole.offset, offset - SL_MIN(offset, (uint64_t)BLOCK_MOST));
    uint64_t end = SL_MIN(whole.end, offset + size + BLOCK_MOST);
    char *path = sl_pack_path(store, id);
    int fd = sl_sys_now->open(path, O_RDWR, 0);
    /* Where the file system cannot, the space comes back with the whole pack. */
    if (fd >= 0) {
        sl_sys_now->punch_hole(fd, (off_t)from, (off_t)(end - from));
        sl_sys_now->close(fd);
    }
    free(path);
    pthread_mutex_lock(&store->lock);
    sl_pack_count(store, id, -(int64_t)size);
    pthread_mutex_unlock(&store->lock);
    atomic_fetch_sub(&store->bytes, size);
}
