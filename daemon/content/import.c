/* A source file becomes content: read when small; else taken over by reflink, by a hard link while a read lease shows
 * that nobody has it open for writing, or by copying; or, when the source stays, referred to where it is. */
#include <errno.h>

#include "content/private.h"

enum { COPY_PIECE = 256 << 10, COPIED_LIMIT = 64 << 10 };

static int64_t mtime_of(const struct stat *status) { return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec; }

static int check_unchanged(const char *path, int fd, const struct stat *before, sl_error *error)
{
    struct stat now;
    if (sl_sys_now->fstat(fd, &now) < 0) return sl_error_set(error, errno, "cannot look at %s: %s", path, strerror(errno));
    if (now.st_size == before->st_size && mtime_of(&now) == mtime_of(before)) return 0;
    return sl_error_set(error, EAGAIN, "%s changed while it was read; it is taken when it rests", path);
}

static int import_small(sl_content *store, const char *path, int fd, const struct stat *status, sl_claim **ret, sl_error *error)
{
    size_t size = (size_t)status->st_size;
    char *data = sl_alloc(size + 1);
    ssize_t got = sl_read_full(fd, data, size, 0);
    int result = got < 0               ? sl_error_set(error, errno, "cannot read %s: %s", path, strerror(errno))
                 : (size_t)got != size ? sl_error_set(error, EAGAIN, "%s became shorter while it was read", path)
                                       : check_unchanged(path, fd, status, error);
    if (result == 0) result = sl_claim_small(store, data, size, ret, error);
    free(data);
    return result;
}

static int copy_bytes(const char *path, int from, int to, uint64_t size, char hex[65], sl_error *error)
{
    char *piece = sl_alloc(COPY_PIECE);
    EVP_MD_CTX *hash = sl_sha256_begin();
    int result = 0;
    for (uint64_t at = 0; result == 0 && at < size;) {
        ssize_t got = sl_read_full(from, piece, (size_t)SL_MIN(size - at, (uint64_t)COPY_PIECE), (off_t)at);
        if (got < 0) result = sl_error_set(error, errno, "cannot read %s: %s", path, strerror(errno));
        else if (got == 0) result = sl_error_set(error, EAGAIN, "%s became shorter while it was read", path);
        else if (sl_write_all(to, piece, (size_t)got, (off_t)at) < 0)
            result = sl_error_set(error, errno, "content: cannot write a copy of %s: %s", path, strerror(errno));
        else EVP_DigestUpdate(hash, piece, (size_t)got), at += (uint64_t)got;
    }
    sl_sha256_end(hash, hex);
    free(piece);
    return result;
}

/* A reflink costs nothing and no writer can reach it; where there is none, a copy. */
static int import_copy(sl_content *store, const char *path, int fd, const struct stat *status, bool only_reflink, sl_claim **ret,
                       sl_error *error)
{
    char hex[65] = "";
    int to = sl_temporary_open(store, error);
    if (to < 0) return -1;
    bool reflink = sl_sys_now->clone(to, fd) == 0;
    int result = 0;
    if (!reflink && only_reflink) result = sl_error_set(error, ENOTSUP, "no reflink");
    else if (!reflink) result = copy_bytes(path, fd, to, (uint64_t)status->st_size, hex, error);
    if (result == 0) result = check_unchanged(path, fd, status, error);
    if (result < 0) {
        sl_sys_now->close(to);
        return -1;
    }
    result = sl_claim_own(store, to, (uint64_t)status->st_size, ret, error);
    if (result == 0 && !reflink) sl_claim_learn(*ret, hex, NULL);
    return result;
}

static sl_claim *claim_of_file(sl_content *store, sl_claim_kind kind, const struct stat *status)
{
    sl_claim *claim = sl_claim_new(store, kind, (uint64_t)status->st_size);
    claim->device = status->st_dev;
    claim->inode = status->st_ino;
    claim->mtime_ns = mtime_of(status);
    return claim;
}

/* 1: it cannot be linked (another file system, protected hard links, open for writing): copy it. */
static int import_link(sl_content *store, const char *path, int fd, const struct stat *status, sl_claim **ret, sl_error *error)
{
    if (sl_sys_now->lease(fd, true) < 0) return 1;
    sl_claim *claim = claim_of_file(store, SL_ADOPTED, status);
    char *to = sl_own_path(store, claim->id, true);
    int result = sl_sys_now->fsync(fd) < 0 || sl_sys_now->link_fd(fd, to) < 0 ? 1 : 0;
    if (result == 0 && check_unchanged(path, fd, status, error) < 0) {
        sl_sys_now->unlink(to);
        result = -1;
    }
    sl_sys_now->lease(fd, false);
    free(to);
    if (result != 0) {
        claim->counted = false;
        sl_claim_unref(claim);
        return result;
    }
    sl_mark_own_folder(store, claim->id);
    atomic_fetch_add(&store->bytes, claim->size);
    *ret = claim;
    return 0;
}

static int adopt(sl_content *store, const char *path, int fd, const struct stat *status, sl_claim **ret, sl_error *error)
{
    /* A file system that has no reflinks is asked once. */
    bool tried = atomic_load(&store->no_reflinks_from) == status->st_dev + 1;
    if (!tried && import_copy(store, path, fd, status, true, ret, NULL) == 0) return 0;
    if (!tried) atomic_store(&store->no_reflinks_from, status->st_dev + 1);
    int result = import_link(store, path, fd, status, ret, error);
    return result <= 0 ? result : import_copy(store, path, fd, status, false, ret, error);
}

int sl_content_import(sl_content *store, const char *path, int fd, bool removed_later, sl_claim **ret, sl_error *error)
{
    struct stat status;
    if (sl_sys_now->fstat(fd, &status) < 0) return sl_error_set(error, errno, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode)) return sl_error_set(error, EINVAL, "%s is not a regular file", path);
    /* Above that, linking or referring to a file costs less than copying it into a pack. */
    size_t small = SL_MIN(store->options.packed_limit, (size_t)COPIED_LIMIT);
    if ((uint64_t)status.st_size <= small) return import_small(store, path, fd, &status, ret, error);
    if (removed_later) return adopt(store, path, fd, &status, ret, error);
    *ret = claim_of_file(store, SL_EXTERNAL, &status);
    (*ret)->path = sl_strdup(path);
    return 0;
}
