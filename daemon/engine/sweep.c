/* After a start: which content that is older than the start does nobody hold? A worker reads the claims of all FlowFiles as
 * the journal had them then; what is left is removed. Until that is known no claim from before the start is let go, since
 * FlowFiles in the journal may share it. */
#include <inttypes.h>

#include "engine/places.h"
#include "engine/private.h"

enum { SORTED_AT_ONCE = 64 * 1024 };

typedef struct sl_sweep {
    sl_job job;
    sl_engine *engine;
    sl_places places;
    sl_live *live;
    uint64_t *ids; /* of claims on disk, one for each holder */
    size_t id_count, id_capacity;
    bool failed;
    sl_error error;
} sweep;

static int by_chain(const void *a, const void *b)
{
    const sl_place_of *x = a, *y = b;
    if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static int look(sweep *s, const sl_place_of *at, sl_error *error)
{
    sl_journal_state state;
    sl_claim *claim = NULL;
    if (sl_journal_state_read(s->engine->journal, at->segment, at->seq, &state, error) < 0) return -1;
    int result = 0;
    if (state.claim.size && !sl_str_is(state.claim, "null"))
        result = sl_claim_parse(s->engine->content, state.claim, state.content, &claim, error);
    if (claim && claim->kind != SL_INLINE && claim->kind != SL_EXTERNAL) {
        sl_live_add(s->live, claim);
        s->ids = sl_grow(s->ids, s->id_count, &s->id_capacity, sizeof *s->ids);
        s->ids[s->id_count++] = claim->id;
    }
    sl_claim_unref(claim); /* one that only looks */
    sl_journal_state_done(&state);
    return result;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Chains are read in the order in which they are on disk. */
static void look_at_all(sweep *s)
{
    sl_place_of *some = sl_alloc(SORTED_AT_ONCE * sizeof *some);
    size_t count;
    sl_places_rewind(&s->places);
    do {
        for (count = 0; count < SORTED_AT_ONCE && sl_places_next(&s->places, &some[count]);) count++;
        qsort(some, count, sizeof *some, by_chain);
        for (size_t i = 0; i < count && !s->failed; i++) s->failed = s->engine->draining || look(s, &some[i], &s->error) < 0;
    } while (count && !s->failed);
    free(some);
}

static void run(sl_job *job)
{
    sweep *s = SL_CONTAINER(job, sweep, job);
    look_at_all(s);
    if (s->id_count) qsort(s->ids, s->id_count, sizeof *s->ids, compare);
    if (!s->failed) s->failed = sl_content_sweep(s->engine->content, s->live, &s->error) < 0;
}

/* What was stripped or cloned meanwhile has changed the counts already: these come on top. */
static void note_holders(sweep *s)
{
    sl_engine *engine = s->engine;
    for (size_t i = 0, next; i < s->id_count; i = next) {
        for (next = i + 1; next < s->id_count && s->ids[next] == s->ids[i];) next++;
        if (next - i > 1) sl_holders_add(engine, s->ids[i], (uint32_t)(next - i - 1));
    }
}

void sl_sweep_free(struct sl_sweep *s)
{
    if (!s) return;
    sl_live_free(s->live);
    sl_places_done(&s->places);
    free(s->ids);
    free(s);
}

static void done(sl_job *job, bool cancelled)
{
    sweep *s = SL_CONTAINER(job, sweep, job);
    sl_engine *engine = s->engine;
    (void)cancelled;
    uv_mutex_lock(&engine->lock);
    if (!s->failed) note_holders(s);
    uv_mutex_unlock(&engine->lock);
    /* Without the counts nothing of before the start may be let go; the next start tries again. */
    if (s->failed && !engine->draining) sl_log(SL_WARNING, "content", "what nobody holds is not removed in this run: %s", s->error.text);
    engine->sweeping = false;
    if (!s->failed) sl_releases_resume(engine);
    sl_sweep_free(s);
    sl_engine_check_drained(engine);
}

/* Before the engine appends anything: each place is one that the journal has on disk. Content that is in a row concerns no
 * file. */
void sl_sweep_note_places(sl_engine *engine)
{
    sweep *s = engine->sweep = SL_NEW(sweep);
    *s = (sweep){.job = {.work = run, .done = done}, .engine = engine, .live = sl_live_new()};
    const sl_flowfile *at;
    for (size_t n = 0; (at = sl_slab_at(&engine->flowfiles, n)); n++)
        if (at->id && at->stored) sl_places_add(&s->places, at->segment, at->seq);
}

void sl_sweep_begin(sl_engine *engine)
{
    sl_job *job = &engine->sweep->job;
    engine->sweep = NULL;
    engine->sweeping = true;
    sl_workers_submit(engine->workers, job, false);
}
