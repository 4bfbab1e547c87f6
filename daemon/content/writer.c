#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "content/private.h"

/* ---- hashes ------------------------------------------------------------------------------------------ */

EVP_MD_CTX *sl_sha256_begin(void)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    SL_ASSERT(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
    return hash;
}

void sl_sha256_end(EVP_MD_CTX *hash, char hex[65])
{
    unsigned char digest[32];
    SL_ASSERT(EVP_DigestFinal_ex(hash, digest, NULL) == 1);
    sl_hex(digest, sizeof digest, hex);
    EVP_MD_CTX_free(hash);
}

void sl_sha256(const void *data, size_t size, char hex[65])
{
    EVP_MD_CTX *hash = sl_sha256_begin();
    EVP_DigestUpdate(hash, data, size);
    sl_sha256_end(hash, hex);
}

/* ---- claims from bytes --------------------------------------------------------------------------------- */

int sl_claim_small(sl_content *store, const void *data, size_t size, sl_claim **ret, sl_error *error)
{
    sl_claim *claim = sl_claim_new(store, size <= store->options.inline_limit ? SL_INLINE : SL_PACKED, size);
    char hex[65];
    if (claim->kind == SL_INLINE) claim->data = sl_strndup(data, size);
    else if (sl_pack_append(store, data, size, &claim->pack, &claim->offset, error) < 0) {
        claim->counted = false;
        sl_claim_unref(claim);
        return -1;
    }
    sl_sha256(data, size, hex);
    sl_claim_learn(claim, hex, NULL);
    *ret = claim;
    return 0;
}

int sl_temporary_open(sl_content *store, sl_error *error)
{
    char *folder = sl_asprintf("%s/own", store->folder);
    int fd = sl_sys_now->open(folder, O_RDWR | O_TMPFILE, 0600);
    if (fd < 0) sl_error_set(error, errno, "content: cannot make a file in %s: %s", folder, strerror(errno));
    free(folder);
    return fd;
}

int sl_claim_own(sl_content *store, int fd, uint64_t size, sl_claim **ret, sl_error *error)
{
    sl_claim *claim = sl_claim_new(store, SL_OWN, size);
    char *path = sl_own_path(store, claim->id, false);
    int result = sl_sys_now->fsync(fd) < 0 || sl_sys_now->link_fd(fd, path) < 0
                     ? sl_error_set(error, errno, "content: cannot keep %s: %s", path, strerror(errno))
                     : 0;
    sl_sys_now->close(fd);
    free(path);
    if (result < 0) {
        claim->counted = false;
        sl_claim_unref(claim);
        return -1;
    }
    sl_mark_own_folder(store, claim->id);
    atomic_fetch_add(&store->bytes, size);
    *ret = claim;
    return 0;
}

/* ---- the writer -------------------------------------------------------------------------------------------- */

struct sl_content_writer {
    sl_content *store;
    sl_buf small; /* until it is more than a pack takes */
    int fd;       /* then a file without a name */
    uint64_t size;
    EVP_MD_CTX *hash;
    bool failed;
    sl_error error;
};

sl_content_writer *sl_content_write(sl_content *store)
{
    sl_content_writer *writer = SL_NEW(sl_content_writer);
    *writer = (sl_content_writer){.store = store, .fd = -1, .small = SL_BUF(store->options.packed_limit), .hash = sl_sha256_begin()};
    return writer;
}

static int spill(sl_content_writer *writer)
{
    writer->fd = sl_temporary_open(writer->store, &writer->error);
    if (writer->fd < 0) return -1;
    int result = sl_write_all(writer->fd, writer->small.data, writer->small.size, 0);
    if (result < 0) sl_error_set(&writer->error, errno, "content: cannot write to %s: %s", writer->store->folder, strerror(errno));
    sl_buf_done(&writer->small);
    return result;
}

int sl_content_append(sl_content_writer *writer, const void *data, size_t size)
{
    if (writer->failed) return -1;
    EVP_DigestUpdate(writer->hash, data, size);
    bool small = writer->fd < 0 && writer->size + size <= writer->store->options.packed_limit;
    if (small) sl_buf_add(&writer->small, data, size);
    else if (writer->fd < 0 && spill(writer) < 0) writer->failed = true;
    else if (sl_write_all(writer->fd, data, size, (off_t)writer->size) < 0) {
        sl_error_set(&writer->error, errno, "content: cannot write to %s: %s", writer->store->folder, strerror(errno));
        writer->failed = true;
    }
    writer->size += size;
    return writer->failed ? -1 : 0;
}

void sl_content_abandon(sl_content_writer *writer)
{
    if (!writer) return;
    if (writer->fd >= 0) sl_sys_now->close(writer->fd);
    sl_buf_done(&writer->small);
    EVP_MD_CTX_free(writer->hash);
    free(writer);
}

int sl_content_close_writer(sl_content_writer *writer, sl_claim **ret, sl_error *error)
{
    int result;
    char hex[65];
    if (writer->failed) {
        if (error) *error = writer->error;
        result = -1;
    } else if (writer->fd >= 0) {
        result = sl_claim_own(writer->store, writer->fd, writer->size, ret, error);
        writer->fd = -1;
        sl_sha256_end(writer->hash, hex);
        writer->hash = NULL;
        if (result == 0) sl_claim_learn(*ret, hex, NULL);
    } else result = sl_claim_small(writer->store, writer->small.data ? writer->small.data : "", writer->small.size, ret, error);
    sl_content_abandon(writer);
    return result;
}
