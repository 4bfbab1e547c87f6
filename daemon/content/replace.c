/* A pack that could not be synced for want of room. The kernel may call clean what it could not write, so its file is not
 * synced again: all of it is copied into a fresh one, in which what was not yet on the disk must still be what was
 * written, and that one takes its name. Journal thread. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "content/private.h"

enum { COPIED = 256 << 10 };

static bool is_zero(const char *data, size_t size) { return !data[0] && memcmp(data, data + 1, size - 1) == 0; }

/* Holes stay holes. */
static int copy(const sl_pack *pack, int to, sl_error *error)
{
    char *piece = sl_alloc(COPIED);
    int result = 0;
    for (uint64_t at = 0; result == 0 && at < pack->size;) {
        ssize_t got = sl_read_full(pack->fd, piece, (size_t)SL_MIN(pack->size - at, (uint64_t)COPIED), (off_t)at);
        if (got < 0) result = sl_error_set(error, errno, "cannot read it: %s", strerror(errno));
        else if (got == 0) break; /* its end was reserved and never written */
        else if (!is_zero(piece, (size_t)got) && sl_write_all(to, piece, (size_t)got, (off_t)at) < 0)
            result = sl_error_set(error, errno, "%s", strerror(errno));
        at += (uint64_t)(got > 0 ? got : 0);
    }
    free(piece);
    if (result == 0 && sl_sys_now->ftruncate(to, (off_t)pack->size) < 0) result = sl_error_set(error, errno, "%s", strerror(errno));
    return result;
}

static int check(int fd, const sl_piece *piece, sl_error *error)
{
    char *data = sl_alloc(piece->size + 1);
    ssize_t got = sl_read_full(fd, data, piece->size, (off_t)piece->offset);
    bool same = got == (ssize_t)piece->size && sl_crc32c(0, data, piece->size) == piece->crc;
    free(data);
    if (same) return 0;
    return sl_error_set(error, EIO, "what was written at %" PRIu64 " and not yet on the disk is not there any more", piece->offset);
}

/* One that is released while this goes on is dropped from the list before its bytes go. */
static int check_all(sl_content *store, sl_pack *pack, int fd, sl_error *error)
{
    int result = 0;
    for (size_t i = 0; result == 0; i++) {
        pthread_mutex_lock(&store->lock);
        bool more = i < pack->fresh_count;
        sl_piece piece = more ? pack->fresh[i] : (sl_piece){0};
        pthread_mutex_unlock(&store->lock);
        if (!more) break;
        if (piece.size) result = check(fd, &piece, error);
    }
    return result;
}

static int put_in_place(sl_content *store, int fd, const char *path, const char *temporary, sl_error *error)
{
    char *folder = sl_asprintf("%s/pack", store->folder);
    int result = sl_sys_now->fdatasync(fd) < 0 || sl_sys_now->rename(temporary, path) < 0 || sl_sync_dir(folder) < 0
                     ? sl_error_set(error, errno, "%s", strerror(errno))
                     : 0;
    free(folder);
    return result;
}

int sl_pack_replace(sl_content *store, sl_pack *pack, sl_error *error)
{
    char *path = sl_pack_path(store, pack->id), *temporary = sl_asprintf("%s.new", path);
    pthread_mutex_lock(&store->lock);
    while (pack->writers > 1) pthread_cond_wait(&store->written, &store->lock); /* one of them is this */
    pthread_mutex_unlock(&store->lock);
    int fd = sl_sys_now->open(temporary, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int result = fd < 0 ? sl_error_set(error, errno, "%s", strerror(errno)) : copy(pack, fd, error);
    if (result == 0) result = check_all(store, pack, fd, error);
    if (result == 0) result = put_in_place(store, fd, path, temporary, error);
    if (result == 0) {
        sl_sys_now->close(pack->fd);
        pack->fd = fd;
    } else {
        sl_error_prefix(error, "content: cannot write pack %016" PRIx64 " in %s anew", pack->id, store->folder);
        sl_sys_now->unlink(temporary);
        if (fd >= 0) sl_sys_now->close(fd);
    }
    free(path);
    free(temporary);
    return result;
}
