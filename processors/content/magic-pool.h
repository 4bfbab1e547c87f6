/* libmagic for several threads: a cookie serves one thread at a time, so each user borrows one. The data base is loaded
 * when the first is needed, not before: it is 8 MB. Any thread. */
#ifndef CONTENT_MAGIC_POOL_H
#define CONTENT_MAGIC_POOL_H

#include <magic.h>
#include <pthread.h>

#include "sluice/sluice.h"

enum { MAGIC_POOL_KEEPS = 16 };

typedef struct magic_pool {
    pthread_mutex_t lock;
    magic_t idle[MAGIC_POOL_KEEPS]; /* more than these are closed when they come back */
    unsigned count;
} magic_pool;

void magic_pool_init(magic_pool *pool);
void magic_pool_done(magic_pool *pool); /* all are back */
/* NULL: failure filled. */
magic_t magic_pool_take(magic_pool *pool, sluice_failure *failure);
void magic_pool_give(magic_pool *pool, magic_t cookie);

#endif
