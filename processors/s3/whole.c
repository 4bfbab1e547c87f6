#include "whole.h"

#include <stdatomic.h>
#include <stdio.h>

#define BLOCK (256 * 1024)
#define SLICE (64 * 1024 * 1024)

struct s3_whole {
    sluice_instance *instance;
    int fd;
    uint64_t offset, size, position;
    s3_digest *digest; /* NULL once ended */
    sluice_call *call;
    _Atomic bool stop;
    char sha256[65], error[160];
    void (*done)(void *context, const char *sha256, const char *error);
    void *context;
};

static void next_slice(s3_whole *whole);

static void hash_block(s3_whole *whole, void *block)
{
    size_t want = (size_t)S3_MIN(whole->size - whole->position, (uint64_t)BLOCK);
    int64_t got = s3_read_at(whole->fd, block, want, whole->offset + whole->position);
    if (got == (int64_t)want) {
        s3_digest_add(whole->digest, block, want);
        whole->position += want;
    } else
        snprintf(whole->error, sizeof whole->error, "reading the content at byte %llu of %llu: %s", (unsigned long long)whole->position,
                 (unsigned long long)whole->size, got < 0 ? strerror(errno) : "it ends there");
}

static void hash_slice(void *context)
{
    s3_whole *whole = context;
    uint64_t end = S3_MIN(whole->size, whole->position + SLICE);
    void *block = s3_alloc(BLOCK);
    while (whole->position < end && !whole->error[0] && !atomic_load(&whole->stop)) hash_block(whole, block);
    free(block);
}

static void on_slice(void *context, bool cancelled)
{
    s3_whole *whole = context;
    whole->call = NULL;
    if (cancelled || atomic_load(&whole->stop)) snprintf(whole->error, sizeof whole->error, "stopped");
    if (!whole->error[0] && whole->position < whole->size) {
        next_slice(whole);
        return;
    }
    s3_digest_end(whole->digest, whole->sha256);
    whole->digest = NULL;
    whole->done(whole->context, whole->sha256, whole->error);
}

static void next_slice(s3_whole *whole) { whole->call = sluice_job(whole->instance, hash_slice, on_slice, whole); }

s3_whole *s3_whole_start(sluice_instance *instance, const sluice_content *content,
                         void (*done)(void *context, const char *sha256, const char *error), void *context)
{
    s3_whole *whole = s3_alloc(sizeof *whole);
    whole->instance = instance;
    whole->fd = content->fd, whole->offset = content->offset, whole->size = content->size;
    whole->digest = s3_digest_new("SHA256");
    whole->done = done, whole->context = context;
    next_slice(whole);
    return whole;
}

void s3_whole_cancel(s3_whole *whole)
{
    if (atomic_exchange(&whole->stop, true)) return;
    sluice_cancel(whole->instance, whole->call);
}

void s3_whole_free(s3_whole *whole) { free(whole); }
