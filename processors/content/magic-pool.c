#include "magic-pool.h"

#include "sluice/calls.h"

void magic_pool_init(magic_pool *pool)
{
    *pool = (magic_pool){0};
    pthread_mutex_init(&pool->lock, NULL);
}

void magic_pool_done(magic_pool *pool)
{
    while (pool->count) magic_close(pool->idle[--pool->count]);
    pthread_mutex_destroy(&pool->lock);
}

static magic_t open_cookie(sluice_failure *failure)
{
    magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF);
    if (!cookie) {
        sluice_refuse(failure, SLUICE_TRANSIENT, sluice_errno_name(errno), "libmagic: %s", strerror(errno));
        return NULL;
    }
    if (magic_load(cookie, NULL) == 0) return cookie;
    const char *reason = magic_error(cookie);
    sluice_refuse(failure, SLUICE_CONFIGURATION, "magic",
                  "libmagic: cannot load its data base: %s; install libmagic-mgc, or let MAGIC name the file",
                  reason ? reason : "no reason");
    magic_close(cookie);
    return NULL;
}

magic_t magic_pool_take(magic_pool *pool, sluice_failure *failure)
{
    magic_t cookie = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->count) cookie = pool->idle[--pool->count];
    pthread_mutex_unlock(&pool->lock);
    return cookie ? cookie : open_cookie(failure);
}

void magic_pool_give(magic_pool *pool, magic_t cookie)
{
    pthread_mutex_lock(&pool->lock);
    bool kept = pool->count < MAGIC_POOL_KEEPS;
    if (kept) pool->idle[pool->count++] = cookie;
    pthread_mutex_unlock(&pool->lock);
    if (!kept) magic_close(cookie);
}
