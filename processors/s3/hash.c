#include "hash.h"

#include <errno.h>
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

static EVP_MD_CTX *digest_new(const EVP_MD *kind)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || EVP_DigestInit_ex(digest, kind, NULL) != 1) abort();
    return digest;
}

static void digest_end(EVP_MD_CTX *digest, char *hex, char *base64)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(digest, bytes, &size);
    s3_hex(bytes, size, hex);
    if (!base64) return;
    s3_text text = {0};
    s3_text_base64(&text, bytes, size);
    strcpy(base64, text.data);
    s3_text_done(&text);
}

static void add_block(EVP_MD_CTX *sha256, EVP_MD_CTX *md5, const void *data, size_t size)
{
    if (sha256) EVP_DigestUpdate(sha256, data, size);
    if (md5) EVP_DigestUpdate(md5, data, size);
}

static void add_file(s3_hash *hash, EVP_MD_CTX *sha256, EVP_MD_CTX *md5)
{
    void *block = s3_alloc(BLOCK);
    for (uint64_t at = 0; at < hash->size && !hash->error[0];) {
        size_t want = (size_t)S3_MIN(hash->size - at, (uint64_t)BLOCK);
        int64_t got = s3_read_at(hash->fd, block, want, hash->offset + at);
        if (atomic_load(&hash->stop)) snprintf(hash->error, sizeof hash->error, "stopped");
        else if (got < 0)
            snprintf(hash->error, sizeof hash->error, "reading the content at byte %llu: %s", (unsigned long long)at, strerror(errno));
        else if ((size_t)got < want)
            snprintf(hash->error, sizeof hash->error, "the content ends at byte %llu, expected %llu bytes",
                     (unsigned long long)(at + (uint64_t)got), (unsigned long long)hash->size);
        else add_block(sha256, md5, block, want);
        at += want;
    }
    free(block);
}

void s3_hash_run(void *context)
{
    s3_hash *hash = context;
    EVP_MD_CTX *sha256 = hash->wants_sha256 ? digest_new(EVP_sha256()) : NULL;
    EVP_MD_CTX *md5 = hash->wants_md5 ? digest_new(EVP_md5()) : NULL;
    hash->error[0] = 0;
    if (hash->data || !hash->size) add_block(sha256, md5, hash->data, (size_t)hash->size);
    else add_file(hash, sha256, md5);
    if (sha256) digest_end(sha256, hash->sha256, NULL);
    if (md5) digest_end(md5, hash->md5, hash->md5_base64);
    EVP_MD_CTX_free(sha256);
    EVP_MD_CTX_free(md5);
}

/* ---- as it goes by ------------------------------------------------------------------------------ */

struct s3_running_md5 {
    EVP_MD_CTX *digest;
};

s3_running_md5 *s3_running_md5_new(void)
{
    s3_running_md5 *running = s3_alloc(sizeof *running);
    running->digest = digest_new(EVP_md5());
    return running;
}

void s3_running_md5_add(void *context, const void *data, size_t size)
{
    s3_running_md5 *running = context;
    if (data) EVP_DigestUpdate(running->digest, data, size);
    else EVP_DigestInit_ex(running->digest, EVP_md5(), NULL);
}

void s3_running_md5_hex(s3_running_md5 *running, char hex[33]) { digest_end(running->digest, hex, NULL); }

void s3_running_md5_free(s3_running_md5 *running)
{
    if (running) EVP_MD_CTX_free(running->digest);
    free(running);
}
