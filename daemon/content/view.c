#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "content/private.h"

/* An adopted file can still be written through its producer's descriptors, an external one by anybody. A backup's copy has
 * another inode, and the time that the file had when it was copied. */
static int check_same(const sl_claim *claim, const char *path, int fd, bool copied, sl_error *error)
{
    struct stat status;
    if (sl_sys_now->fstat(fd, &status) < 0) return sl_error_set(error, errno, "cannot look at %s: %s", path, strerror(errno));
    int64_t mtime = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    bool same = copied || status.st_ino == claim->inode;
    if (same && (uint64_t)status.st_size == claim->size && mtime == claim->mtime_ns) return 0;
    return sl_error_set(error, ESTALE,
                        "%s is not what was taken: expected %" PRIu64 " bytes of inode %" PRIu64 " with the time it had, "
                        "found %lld bytes of inode %llu; whoever wrote it, its old content is gone",
                        path, claim->size, claim->inode, (long long)status.st_size, (unsigned long long)status.st_ino);
}

static char *path_of(const sl_content *store, const sl_claim *claim, bool copied)
{
    if (claim->kind == SL_PACKED) return sl_pack_path(store, claim->pack);
    if (claim->kind == SL_EXTERNAL) return sl_strdup(claim->path);
    return sl_own_path(store, claim->id, claim->kind == SL_ADOPTED && !copied);
}

int sl_content_view_open(sl_content *store, sl_claim *claim, sl_content_view *ret, sl_error *error)
{
    *ret = (sl_content_view){.fd = -1, .size = claim ? claim->size : 0};
    if (!claim || claim->kind == SL_INLINE || claim->size == 0) {
        ret->data = claim && claim->data ? claim->data : "";
        return 0;
    }
    bool copied = false;
    char *path = path_of(store, claim, false);
    ret->offset = claim->offset;
    ret->fd = sl_sys_now->open(path, O_RDONLY | O_NOFOLLOW, 0);
    if (ret->fd < 0 && errno == ENOENT && claim->kind == SL_ADOPTED) {
        free(path);
        path = path_of(store, claim, copied = true);
        ret->fd = sl_sys_now->open(path, O_RDONLY | O_NOFOLLOW, 0);
    }
    int result = 0;
    if (ret->fd < 0)
        result = sl_error_set(error, errno, "cannot open %s, which holds the content: %s%s", path, strerror(errno),
                              errno == ENOENT && claim->kind != SL_EXTERNAL ? "; it was released: no FlowFile needed it any more" : "");
    if (result == 0 && (claim->kind == SL_EXTERNAL || claim->kind == SL_ADOPTED)) result = check_same(claim, path, ret->fd, copied, error);
    if (result < 0) sl_content_view_done(ret);
    free(path);
    return result;
}

void sl_content_view_done(sl_content_view *view)
{
    if (view->fd >= 0) sl_sys_now->close(view->fd);
    view->fd = -1;
}

/* Somebody may have written to it meanwhile: then its pieces do not belong together. */
static int check_still(const sl_claim *claim, const sl_content_view *view, sl_error *error)
{
    if (claim->kind != SL_EXTERNAL && claim->kind != SL_ADOPTED) return 0;
    char *path = path_of(claim->store, claim, false);
    int result = check_same(claim, path, view->fd, true, error);
    free(path);
    return result;
}

int64_t sl_content_view_read(const sl_claim *claim, const sl_content_view *view, uint64_t offset, void *data, size_t size, sl_error *error)
{
    if (offset >= view->size) return 0;
    size_t wanted = (size_t)SL_MIN((uint64_t)size, view->size - offset);
    if (view->data) {
        memcpy(data, (const char *)view->data + offset, wanted);
        return (int64_t)wanted;
    }
    ssize_t got = sl_read_full(view->fd, data, wanted, (off_t)(view->offset + offset));
    if (got != (ssize_t)wanted)
        return sl_error_set(error, got < 0 ? errno : EIO, "expected %zu bytes of content at %" PRIu64 ", found %zd", wanted, offset, got);
    return offset + wanted == view->size && check_still(claim, view, error) < 0 ? -1 : got;
}

int sl_content_verify(sl_content *store, sl_claim *claim, sl_error *error)
{
    sl_content_view view;
    if (sl_content_view_open(store, claim, &view, error) < 0) return -1;
    EVP_MD_CTX *hash = sl_sha256_begin();
    bool zeros = claim->kind == SL_PACKED; /* so far: what a released range reads as */
    char *piece = sl_alloc(256 << 10), hex[65];
    int result = 0;
    for (uint64_t at = 0; result == 0 && at < view.size;) {
        ssize_t got = (ssize_t)SL_MIN(view.size - at, (uint64_t)(256 << 10));
        if (view.data) memcpy(piece, (const char *)view.data + at, (size_t)got);
        else got = sl_read_full(view.fd, piece, (size_t)got, (off_t)(view.offset + at));
        if (got <= 0)
            result = sl_error_set(error, got < 0 ? errno : EIO, "content %016" PRIx64 " ends after %" PRIu64 " of %" PRIu64 " bytes",
                                  claim->id, at, view.size);
        else EVP_DigestUpdate(hash, piece, (size_t)got), at += (uint64_t)got;
        zeros = zeros && got > 0 && !piece[0] && memcmp(piece, piece + 1, (size_t)got - 1) == 0;
    }
    sl_sha256_end(hash, hex);
    const char *expected = atomic_load(&claim->sha256);
    bool differs = result == 0 && expected && strcmp(expected, hex) != 0;
    if (differs && zeros)
        result = sl_error_set(error, ESTALE, "content %016" PRIx64 " was released: no FlowFile needed it any more", claim->id);
    else if (differs) result = sl_error_set(error, EIO, "content %016" PRIx64 " has SHA-256 %s, expected %s", claim->id, hex, expected);
    free(piece);
    sl_content_view_done(&view);
    return result;
}

int sl_content_view_kept(sl_content *store, sl_claim *claim, sl_content_view *ret, sl_error *error)
{
    *ret = (sl_content_view){.fd = -1};
    if (claim && claim->kind == SL_PACKED && sl_content_verify(store, claim, error) < 0) return -1;
    return sl_content_view_open(store, claim, ret, error);
}
