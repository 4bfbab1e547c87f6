/* An object store in a directory: DIR/BUCKET/KEY, and DIR/.sluice for what else must be remembered.
 *
 * DIR/.sluice/tmp/EFFECT is an object being written and DIR/.sluice/tmp/EFFECT.json its metadata, complete before the
 * object gets its place; DIR/.sluice/objects/BUCKET/xx/HASH.json holds a key's metadata (HASH is the key's SHA-256: a
 * key may be longer than a file's name). Order: object written and synced, metadata written and synced, object into
 * place, its folder synced, metadata into place. So whatever was cut off can tell its own object from another's: by
 * the effect in the metadata in place, or by the inode in the metadata that waits.
 *
 * s3_file_store_put blocks: a worker. One effect is never at work twice at a time, nor are two of one key.
 */
#ifndef S3_FILE_STORE_H
#define S3_FILE_STORE_H

#include <stdatomic.h>

#include "error.h"
#include "text.h"

typedef enum s3_file_outcome { S3_FILE_WRITTEN, S3_FILE_EXISTS, S3_FILE_FAILED, S3_FILE_STOPPED } s3_file_outcome;

typedef struct s3_file_put {
    /* in; borrowed */
    const char *folder, *bucket, *key, *effect;
    const char *metadata; /* JSON object's members to keep with it, `"content_type":"...",...`; or "" */
    const void *data;     /* content: memory, or a range of a file */
    int fd;
    uint64_t offset, size;
    const char *expected_sha256; /* or NULL */
    bool replace;                /* false: another object there is S3_FILE_EXISTS */
    _Atomic bool stop;           /* set by anyone */
    void *owner;                 /* the caller's own */
    /* out */
    s3_file_outcome outcome;
    char sha256[65], md5[33];
    sluice_failure failure;
} s3_file_put;

void s3_file_store_put(void *file_put);
/* Whether the key can be a file's name; false: failure set, permanent. Any thread. */
bool s3_file_store_key(const char *key, sluice_failure *failure);

#endif
