/* The SHA-256 of a whole file while it goes up in parts, which each have digests of their own that say nothing of the
 * order or of a change between two of them. Works in slices, so that a worker is not kept for minutes. Loop thread.
 */
#ifndef S3_WHOLE_H
#define S3_WHOLE_H

#include "hash.h"

typedef struct s3_whole s3_whole;

/* `done` comes once, later: error "" and the digest in hex, or why there is none. The descriptor is borrowed. */
s3_whole *s3_whole_start(sluice_instance *instance, const sluice_content *content,
                         void (*done)(void *context, const char *sha256, const char *error), void *context);
void s3_whole_cancel(s3_whole *whole); /* `done` still comes, soon */
void s3_whole_free(s3_whole *whole);   /* after `done`; NULL is fine */

#endif
