/* Claims that nobody holds any more: a RELEASE event first, the bytes only when it is durable. What a crash leaves is
 * found at the next start, since the fold does not know it. */
#include "engine/compact.h"
#include "engine/private.h"

enum { RELEASES_AT_ONCE = 4096 };

static void push(sl_release ***last, sl_release *release)
{
    release->next = NULL;
    **last = release;
    *last = &release->next;
}

void sl_releases_note(void *context, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    sl_engine *engine = context;
    if (engine->closing) return; /* the FlowFiles live on in the journal */
    sl_release *release = SL_NEW(sl_release);
    *release = (sl_release){.id = id, .kind = kind, .pack = pack, .offset = offset, .size = size};
    uv_mutex_lock(&engine->lock);
    bool first = !engine->releases;
    if (!engine->swept && id < sl_content_first(engine->content)) push(&engine->releases_held_last, release);
    else if (sl_holders_last(engine, id)) {
        sl_compact_moved(engine, id);
        push(&engine->releases_last, release);
    } else free(release);
    first = first && engine->releases;
    uv_mutex_unlock(&engine->lock);
    if (first) sl_engine_wake(engine);
}

void sl_releases_resume(sl_engine *engine)
{
    uv_mutex_lock(&engine->lock);
    engine->swept = true;
    for (sl_release *release = engine->releases_held, *next; release; release = next) {
        next = release->next;
        if (sl_holders_last(engine, release->id)) push(&engine->releases_last, release);
        else free(release);
    }
    engine->releases_held = NULL;
    uv_mutex_unlock(&engine->lock);
    sl_engine_wake(engine);
}

void sl_releases_log(sl_engine *engine)
{
    uv_mutex_lock(&engine->lock);
    sl_release *noted = engine->releases;
    engine->releases = NULL;
    engine->releases_last = &engine->releases;
    uv_mutex_unlock(&engine->lock);
    if (!noted) return;
    sl_batch *batch = sl_batch_new();
    for (sl_release *release = noted, *next; release; release = next) {
        next = release->next;
        release->seq = sl_batch_next_seq(engine, batch);
        sl_batch_note(engine, batch, SL_EVENT_RELEASE, 0, release->id, (sl_str){0}, (sl_str){0});
        push(&engine->releases_logged_last, release);
        engine->releases_waiting++;
    }
    sl_engine_append(engine, batch);
}

typedef struct letting_go {
    sl_job job;
    sl_engine *engine;
    sl_release *first;
    size_t count;
} letting_go;

static void let_go(sl_job *job)
{
    letting_go *work = SL_CONTAINER(job, letting_go, job);
    for (sl_release *release = work->first; release; release = release->next)
        sl_content_release(work->engine->content, release->id, release->kind, release->pack, release->offset, release->size);
}

static void free_releases(sl_release *release)
{
    for (sl_release *next; release; release = next) {
        next = release->next;
        free(release);
    }
}

static void gone(sl_job *job, bool cancelled)
{
    letting_go *work = SL_CONTAINER(job, letting_go, job);
    sl_engine *engine = work->engine;
    (void)cancelled; /* then the next start finds the bytes */
    engine->releasing = false;
    engine->releases_waiting -= work->count;
    free_releases(work->first);
    free(work);
    sl_releases_apply(engine);
    sl_engine_check_drained(engine);
}

void sl_releases_apply(sl_engine *engine)
{
    uint64_t durable = sl_journal_durable(engine->journal);
    if (engine->releasing || !engine->releases_logged || engine->releases_logged->seq > durable) return;
    letting_go *work = SL_NEW(letting_go);
    *work = (letting_go){.job = {.work = let_go, .done = gone}, .engine = engine, .first = engine->releases_logged};
    sl_release **link = &engine->releases_logged;
    for (; *link && (*link)->seq <= durable && work->count < RELEASES_AT_ONCE; work->count++) link = &(*link)->next;
    sl_release *rest = *link;
    *link = NULL;
    engine->releases_logged = rest;
    if (!rest) engine->releases_logged_last = &engine->releases_logged;
    engine->releasing = true;
    sl_workers_submit(engine->workers, &work->job, false);
}

bool sl_releases_left(sl_engine *engine)
{
    uv_mutex_lock(&engine->lock);
    bool left = engine->releases || engine->releases_logged || engine->releasing;
    uv_mutex_unlock(&engine->lock);
    return left;
}

void sl_releases_done(sl_engine *engine)
{
    free_releases(engine->releases);
    free_releases(engine->releases_held);
    free_releases(engine->releases_logged);
    engine->releases = engine->releases_logged = NULL;
}
