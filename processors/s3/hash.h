/* SHA-256 and MD5 of a range of content. s3_hash_run blocks: a worker, or a small range in memory. */
#ifndef S3_HASH_H
#define S3_HASH_H

#include "text.h"

typedef struct s3_hash {
    const void *data; /* the range, or NULL: fd */
    int fd;
    uint64_t offset, size;
    bool wants_sha256, wants_md5;
    _Atomic bool stop; /* set by anyone: the run ends soon, with `error` set */
    /* results */
    char sha256[65], md5[33]; /* hex, "" unless wanted */
    char error[160];          /* "" for done */
} s3_hash;

void s3_hash_run(void *hash);

/* Bytes read at an offset, all of them; -1 and errno; short only at the file's end. */
int64_t s3_read_at(int fd, void *data, size_t size, uint64_t offset);

/* ---- a digest fed piece by piece -------------------------------------------------------------------- */
typedef struct s3_digest s3_digest;
s3_digest *s3_digest_new(const char *kind); /* "SHA256" or "MD5" */
void s3_digest_add(s3_digest *digest, const void *data, size_t size);
void s3_digest_end(s3_digest *digest, char *hex /* 65 or 33 */); /* frees it */

#endif
