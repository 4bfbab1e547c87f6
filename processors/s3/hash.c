#include "hash.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define BLOCK (256 * 1024)

int64_t s3_read_at(int fd, void *data, size_t size, uint64_t offset)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = pread(fd, (char *)data + have, size - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        have += (size_t)got;
    }
    return (int64_t)have;
}

/* ---- piece by piece --------------------------------------------------------------------------------- */

struct s3_digest {
    EVP_MD_CTX *state;
};

s3_digest *s3_digest_new(const char *kind)
{
    s3_digest *digest = s3_alloc(sizeof *digest);
    digest->state = EVP_MD_CTX_new();
    const EVP_MD *method = strcmp(kind, "MD5") == 0 ? EVP_md5() : EVP_sha256();
    if (!digest->state || EVP_DigestInit_ex(digest->state, method, NULL) != 1) abort();
    return digest;
}

void s3_digest_add(s3_digest *digest, const void *data, size_t size) { EVP_DigestUpdate(digest->state, data, size); }

void s3_digest_end(s3_digest *digest, char *hex)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(digest->state, bytes, &size);
    s3_hex(bytes, size, hex);
    EVP_MD_CTX_free(digest->state);
    free(digest);
}

/* ---- a range ---------------------------------------------------------------------------------------- */

static void add_block(s3_digest *sha256, s3_digest *md5, const void *data, size_t size)
{
    if (sha256) s3_digest_add(sha256, data, size);
    if (md5) s3_digest_add(md5, data, size);
}

static void add_file(s3_hash *hash, s3_digest *sha256, s3_digest *md5)
{
    void *block = s3_alloc(BLOCK);
    for (uint64_t at = 0; at < hash->size && !hash->error[0];) {
        size_t want = (size_t)S3_MIN(hash->size - at, (uint64_t)BLOCK);
        int64_t got = s3_read_at(hash->fd, block, want, hash->offset + at);
        if (atomic_load(&hash->stop)) snprintf(hash->error, sizeof hash->error, "stopped");
        else if (got < 0)
            snprintf(hash->error, sizeof hash->error, "reading the content at byte %llu: %s", (unsigned long long)at, strerror(errno));
        else if ((size_t)got < want)
            snprintf(hash->error, sizeof hash->error, "the content ends at byte %" PRIu64 ", expected %" PRIu64 " bytes",
                     at + (uint64_t)got, hash->size);
        else add_block(sha256, md5, block, want);
        at += want;
    }
    free(block);
}

void s3_hash_run(void *context)
{
    s3_hash *hash = context;
    s3_digest *sha256 = hash->wants_sha256 ? s3_digest_new("SHA256") : NULL;
    s3_digest *md5 = hash->wants_md5 ? s3_digest_new("MD5") : NULL;
    hash->error[0] = 0;
    if (hash->data || !hash->size) add_block(sha256, md5, hash->data, (size_t)hash->size);
    else add_file(hash, sha256, md5);
    if (sha256) s3_digest_end(sha256, hash->sha256);
    if (md5) s3_digest_end(md5, hash->md5);
}
