/* Processors that are stuck are noticed, named and, at the end, left behind.
 *
 *   on the loop     a trigger that took long is told when it returns; one that does not return is told by a thread of its
 *                   own, since the loop cannot
 *   on a worker     told once it runs longer than its limit: the processor's `timeout`, or 60 s
 *   asynchronous    the same with its `timeout`, or 15 min: a large upload takes its time
 */
#include <stdio.h>

#include "base/sys.h"
#include "engine/session.h"

static const int64_t slow = 50 * SL_MILLISECOND, hung = 10 * SL_SECOND, again = 60 * SL_SECOND;

/* ---- on the loop: the watch ---------------------------------------------------------------------------------------- */

struct sl_watch {
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t ending;
    sl_bulletins *bulletins;
    const sl_instance *runs; /* NULL: no trigger */
    int64_t since;           /* ticks */
    bool told, ends;
};

static void look_at_loop(sl_watch *watch)
{
    if (!watch->runs || watch->told || sl_ticks() - watch->since < hung) return;
    watch->told = true;
    sl_bulletin(watch->bulletins, SL_ERROR, watch->runs->name,
                "has held up the loop for 10 s and does not return: nothing else runs, nor can sluice be stopped but by SIGKILL, which "
                "loses nothing");
}

static void watch_loop(void *context)
{
    sl_watch *watch = context;
    uv_mutex_lock(&watch->lock);
    while (!watch->ends) {
        uv_cond_timedwait(&watch->ending, &watch->lock, 1000000000); /* ns */
        look_at_loop(watch);
    }
    uv_mutex_unlock(&watch->lock);
}

int sl_watch_new(sl_bulletins *bulletins, sl_watch **ret, sl_error *error)
{
    sl_watch *watch = SL_NEW(sl_watch);
    watch->bulletins = bulletins;
    uv_mutex_init(&watch->lock);
    uv_cond_init(&watch->ending);
    int failed = uv_thread_create(&watch->thread, watch_loop, watch);
    if (failed) {
        free(watch);
        return sl_error_set(error, -failed, "cannot start a thread: %s", uv_strerror(failed));
    }
    *ret = watch;
    return 0;
}

void sl_watch_free(sl_watch *watch)
{
    if (!watch) return;
    uv_mutex_lock(&watch->lock);
    watch->ends = true;
    uv_cond_signal(&watch->ending);
    uv_mutex_unlock(&watch->lock);
    uv_thread_join(&watch->thread);
    uv_mutex_destroy(&watch->lock);
    uv_cond_destroy(&watch->ending);
    free(watch);
}

void sl_watch_begin(sl_watch *watch, const sl_instance *instance)
{
    uv_mutex_lock(&watch->lock);
    watch->runs = instance;
    watch->since = sl_ticks();
    watch->told = false;
    uv_mutex_unlock(&watch->lock);
}

static void tell_slow(sl_instance *instance, int64_t took)
{
    instance->slow_triggers++;
    instance->slowest = SL_MAX(instance->slowest, took);
    int64_t now = sl_ticks();
    if (instance->slow_told && now - instance->slow_told < again) return;
    instance->slow_told = now;
    sl_bulletin(
        instance->engine->bulletins, SL_WARNING, instance->name,
        "held up the loop for %lld ms (%llu times over 50 ms since the start, %lld ms at most): what takes long belongs on a worker",
        (long long)(took / SL_MILLISECOND), (unsigned long long)instance->slow_triggers, (long long)(instance->slowest / SL_MILLISECOND));
}

void sl_watch_end(sl_watch *watch, sl_instance *instance)
{
    uv_mutex_lock(&watch->lock);
    watch->runs = NULL;
    int64_t took = sl_ticks() - watch->since;
    uv_mutex_unlock(&watch->lock);
    if (took > slow + instance->definition->run_duration_us) tell_slow(instance, took);
}

/* ---- on workers, asynchronous ------------------------------------------------------------------------------------------ */

static int64_t limit_of(const sl_session *session)
{
    int64_t timeout = session->instance->definition->timeout_us;
    if (timeout) return timeout;
    return session->on_worker ? session->engine->stuck_worker : session->engine->stuck_later;
}

/* Ticks; 0: it only waits for a worker. */
static int64_t works_since(const sl_session *session) { return session->on_worker ? atomic_load(&session->working) : session->begun; }

static void tell_stuck(sl_session *session, int64_t since)
{
    session->told_stuck = true;
    sl_bulletin(session->engine->bulletins, SL_WARNING, session->instance->name,
                "a session has been open for %lld s%s; what it took stays in its hands until it ends",
                (long long)((sl_ticks() - since) / SL_SECOND), session->on_worker ? " on a worker and does not return" : "");
}

void sl_stuck_look(sl_instance *instance)
{
    int64_t now = sl_ticks();
    instance->stuck = 0;
    instance->stuck_since = 0;
    for (sl_session *session = instance->sessions; session; session = session->next) {
        int64_t since = works_since(session);
        if (!since || now - since <= limit_of(session)) continue;
        instance->stuck++;
        if (!instance->stuck_since || since < instance->stuck_since) instance->stuck_since = since;
        if (!session->told_stuck) tell_stuck(session, since);
    }
}

void sl_stuck_ended(const sl_session *session)
{
    if (!session->told_stuck) return;
    sl_bulletin(session->engine->bulletins, SL_INFO, session->instance->name, "the session that was open for long has ended after %lld s",
                (long long)((sl_ticks() - works_since(session)) / SL_SECOND));
    session->instance->stuck = 0; /* looked at anew within a second */
    session->instance->stuck_since = 0;
}

/* ---- at the end ------------------------------------------------------------------------------------------------------------ */

void sl_stuck_names(const sl_running_flow *flow, sl_buf *ret)
{
    for (size_t i = 0; i < flow->definition->processor_count; i++) {
        const sl_instance *instance = flow->instances[i];
        if (instance->sessions || instance->effects_running) sl_buf_printf(ret, "%s%s", ret->size ? ", " : "", instance->name);
    }
}

void sl_stuck_leave(sl_engine *engine)
{
    sl_buf names = SL_BUF(4096);
    SL_MAP_EACH (&engine->flows, entry) sl_stuck_names(entry->value, &names);
    char *message = names.size
                        ? sl_asprintf("%s did not end when cancelled; sluice ends without: what they had in hand was never committed "
                                      "and is queued at the next start",
                                      names.data)
                        : sl_asprintf("the engine's own work did not end in time; sluice ends without: what is not durable is done "
                                      "anew at the next start");
    sl_log(SL_ERROR, "engine", "%s", message);
    if (engine->on_stuck) engine->on_stuck(engine->on_stuck_context, message);
    free(message);
    sl_buf_done(&names);
}
