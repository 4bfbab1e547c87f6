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
    char sha256[65], md5[33], md5_base64[32]; /* "" unless wanted */
    char error[128];                          /* "" for done */
} s3_hash;

void s3_hash_run(void *hash);

/* MD5 as a body goes by. */
typedef struct s3_running_md5 s3_running_md5;
s3_running_md5 *s3_running_md5_new(void);
void s3_running_md5_add(void *running, const void *data, size_t size); /* data NULL: anew */
void s3_running_md5_hex(s3_running_md5 *running, char hex[33]);        /* ends it */
void s3_running_md5_free(s3_running_md5 *running);

/* Bytes read at an offset, all of them; -1 and errno; short only at the file's end. */
int64_t s3_read_at(int fd, void *data, size_t size, uint64_t offset);

#endif
