#include "engine/compact.h"

#include <inttypes.h>

#include "base/sys.h"
#include "engine/disk.h"
#include "engine/private.h"

enum {
    PACKS = 64,      /* of a pass */
    ITEMS = 1000,    /* FlowFiles looked at by a job */
    SEEN = 4096,     /* places of the slab in a slice */
    MOST = 64 << 20, /* bytes copied in a pass */
    WORTH = 64,      /* bytes that a look at a FlowFile must be worth */
    DUTY = 20,       /* a pass is due after so many times what the last one took */
};
static const int64_t slice_time = 2 * SL_MILLISECOND, pause_time = 60 * SL_SECOND, pressed_time = 10 * SL_SECOND,
                     again_time = 600 * SL_SECOND;

typedef struct item {
    sl_flowfile *flowfile;
    uint64_t id, seq;
    uint32_t segment;
    bool cold; /* its body is in the journal; `body` is the job's then */
    sl_body *body;
    sl_claim *old;   /* a reference */
    sl_claim *fresh; /* of `moved`; NULL: it stays where it is */
} item;

typedef struct copied { /* by the old claim's id */
    sl_claim *claim;    /* a reference: each holder of the old one gets this one */
    bool done;          /* the old one has no holder any more */
} copied;

typedef struct tried { /* what of a pack nobody could move, by its id */
    uint64_t held;
    int64_t at; /* ticks */
} tried;

typedef enum phase { RESTS, LOOKS_FOR_PACKS, GATHERS, COPIES, MOVES } phase;

struct sl_compact {
    sl_engine *engine;
    phase phase;
    sl_job job;
    sl_sparse packs[PACKS];
    size_t pack_count;
    size_t at, end; /* places of the slab: the next, the end */
    item items[ITEMS];
    size_t count, next;
    sl_map moved; /* old claim's id -> copied; changed under engine->lock */
    sl_map tried;
    uint64_t budget, bytes, claims; /* of the pass: that may be copied, were copied */
    uint64_t total;
    bool full;          /* the disk has no room for copies */
    int64_t begun, due; /* ticks */
};

static sl_str key_of(const uint64_t *id) { return (sl_str){(const char *)id, sizeof *id}; }

static sl_compact *compact_of(sl_engine *engine)
{
    if (!engine->compact) {
        engine->compact = SL_NEW(sl_compact);
        engine->compact->engine = engine;
        engine->compact->due = sl_ticks() + pressed_time;
    }
    return engine->compact;
}

bool sl_compact_runs(const sl_engine *engine) { return engine->compact && engine->compact->phase != RESTS; }
uint64_t sl_compact_bytes(const sl_engine *engine) { return engine->compact ? engine->compact->total : 0; }

/* ---- old and new --------------------------------------------------------------------------------------------------- */

bool sl_compact_moved(sl_engine *engine, uint64_t claim)
{
    copied *found = engine->compact ? sl_map_get(&engine->compact->moved, key_of(&claim)) : NULL;
    if (found) found->done = true;
    return found != NULL;
}

/* Copies whose old claim is gone need no holding any more. */
static void forget_done(sl_compact *c, bool all)
{
    sl_claim *claims[256];
    size_t count;
    do {
        count = 0;
        uv_mutex_lock(&c->engine->lock);
        SL_MAP_EACH (&c->moved, entry) {
            copied *at = entry->value;
            if (!all && !at->done) continue;
            claims[count++] = at->claim;
            free(at);
            sl_map_remove(&c->moved, (sl_str){entry->key, entry->key_size});
            if (count == SL_COUNT(claims)) break;
        }
        uv_mutex_unlock(&c->engine->lock);
        for (size_t i = 0; i < count; i++) sl_claim_unref(claims[i]); /* which may ask for the lock */
    } while (count == SL_COUNT(claims));
}

static bool of_packs(const sl_compact *c, const sl_claim *claim)
{
    for (size_t i = 0; claim && claim->kind == SL_PACKED && i < c->pack_count; i++)
        if (c->packs[i].pack == claim->pack) return true;
    return false;
}

/* ---- a job: bodies that are in the journal, copies ---------------------------------------------------------------------- */

static sl_claim *copy_of(sl_compact *c, sl_claim *old)
{
    sl_error error = {0};
    sl_claim *fresh;
    copied *known = sl_map_get(&c->moved, key_of(&old->id)); /* this job alone changes it now */
    if (known) return known->claim;
    if (c->full || old->size > c->budget) return NULL;
    if (sl_content_move(c->engine->content, old, &fresh, &error) < 0) {
        c->full = sl_no_space(error.code);
        if (!c->full) sl_bulletin(c->engine->bulletins, SL_WARNING, "content", "%s", error.text);
        return NULL;
    }
    c->budget -= old->size;
    c->bytes += old->size;
    c->claims++;
    known = SL_NEW(copied);
    known->claim = fresh;
    uv_mutex_lock(&c->engine->lock);
    sl_map_put(&c->moved, key_of(&old->id), known);
    uv_mutex_unlock(&c->engine->lock);
    return fresh;
}

static void read_item(sl_compact *c, item *item)
{
    sl_error error;
    if (sl_body_read(c->engine, item->segment, item->seq, &item->body, &error) < 0) return; /* whoever takes it tells that */
    if (of_packs(c, item->body->claim)) item->old = sl_claim_ref(item->body->claim);
    else {
        sl_body_discard(item->body);
        item->body = NULL;
    }
}

static void run_copies(sl_job *job)
{
    sl_compact *c = SL_CONTAINER(job, sl_compact, job);
    for (size_t i = 0; i < c->count && !c->engine->draining; i++) {
        item *item = &c->items[i];
        if (item->cold) read_item(c, item);
        if (item->old) item->fresh = copy_of(c, item->old);
    }
}

/* ---- moving --------------------------------------------------------------------------------------------------------------- */

/* Still there as it was, and nobody works on it. */
static bool unchanged(const item *item)
{
    const sl_flowfile *flowfile = item->flowfile;
    if (flowfile->id != item->id || flowfile->seq != item->seq || !flowfile->queue || flowfile->place == SL_TAKEN) return false;
    return !flowfile->body || (flowfile->body->claim && flowfile->body->claim->id == item->old->id);
}

/* Its whole state once more, with the new claim. What it held goes with item->old, after the event. */
static void move_one(sl_engine *engine, sl_batch *batch, item *item)
{
    sl_flowfile *flowfile = item->flowfile;
    bool lent = !flowfile->body;
    if (lent) {
        flowfile->body = item->body;
        item->body = NULL;
    }
    sl_claim *held = flowfile->body->claim;
    flowfile->body->claim = sl_claim_ref(item->fresh);
    flowfile->segment = 0; /* else it would say what changed only */
    sl_chain_carry(engine, batch, flowfile);
    sl_claim_unref(item->old);
    item->old = held;
    if (!lent) return;
    sl_holders_leave(engine, flowfile->body->claim);
    flowfile->body->claim = NULL;
    sl_body_free(flowfile->body);
    flowfile->body = NULL;
}

static void drop_item(item *item)
{
    sl_claim_unref(item->old);
    sl_body_discard(item->body);
    *item = (struct item){0};
}

static void gather_on(sl_compact *c);

static void move_slice(sl_compact *c)
{
    sl_engine *engine = c->engine;
    sl_batch *batch = sl_batch_new();
    int64_t until = sl_ticks() + slice_time;
    size_t from = c->next;
    for (; c->next < c->count && sl_ticks() < until; c->next++) {
        item *item = &c->items[c->next];
        if (item->fresh && unchanged(item)) move_one(engine, batch, item);
    }
    sl_engine_append(engine, batch);
    /* Now that the events are on their way the old claims may go: what follows is journalled behind them. */
    for (size_t i = from; i < c->next; i++) drop_item(&c->items[i]);
    if (c->next == c->count) gather_on(c);
    else sl_engine_wake(engine);
}

/* ---- a pass ------------------------------------------------------------------------------------------------------------------ */

static void end_pass(sl_compact *c)
{
    int64_t now = sl_ticks(), took = now - c->begun;
    c->phase = RESTS;
    c->due = now + SL_MAX(sl_disk_presses(c->engine) ? pressed_time : pause_time, DUTY * took);
    c->total += c->bytes;
    if (c->claims)
        sl_log(SL_INFO, "content", "%" PRIu64 " contents of %" PRIu64 " bytes were moved out of %zu packs of which little else was held",
               c->claims, c->bytes, c->pack_count);
}

static void give_up(sl_compact *c)
{
    for (size_t i = 0; i < c->count; i++) drop_item(&c->items[i]);
    c->count = 0;
    end_pass(c);
}

static void copies_made(sl_job *job, bool cancelled)
{
    sl_compact *c = SL_CONTAINER(job, sl_compact, job);
    sl_engine *engine = c->engine;
    engine->fetches--;
    if (cancelled || engine->draining || engine->failed) give_up(c);
    else {
        c->phase = MOVES;
        c->next = 0;
        sl_engine_wake(engine);
    }
    sl_engine_check_drained(engine);
}

static void submit(sl_compact *c, phase phase, void (*work)(sl_job *job), void (*done)(sl_job *job, bool cancelled))
{
    c->phase = phase;
    c->job = (sl_job){.work = work, .done = done};
    c->engine->fetches++;
    sl_workers_submit(c->engine->workers, &c->job, false);
}

/* Only what a pack can hold is looked at; what is not on the disk yet is met in a later pass. */
static void note_candidate(sl_compact *c, sl_flowfile *flowfile)
{
    const sl_body *body = flowfile->body;
    if (!flowfile->id || !flowfile->queue || flowfile->place == SL_TAKEN || !flowfile->size) return;
    if (flowfile->size > sl_content_packed_limit(c->engine->content)) return;
    if (body ? !of_packs(c, body->claim) : flowfile->seq > sl_journal_durable(c->engine->journal)) return;
    c->items[c->count++] = (item){.flowfile = flowfile,
                                  .id = flowfile->id,
                                  .seq = flowfile->seq,
                                  .segment = flowfile->segment,
                                  .cold = !body,
                                  .old = body ? sl_claim_ref(body->claim) : NULL};
}

static void gather(sl_compact *c)
{
    int64_t until = sl_ticks() + slice_time;
    size_t seen = 0;
    for (; c->at < c->end && c->count < ITEMS; c->at++) {
        if (seen++ == SEEN || sl_ticks() >= until) {
            sl_engine_wake(c->engine);
            return;
        }
        note_candidate(c, sl_slab_at(&c->engine->flowfiles, c->at));
    }
    if (c->count) submit(c, COPIES, run_copies, copies_made);
    else end_pass(c);
}

static void gather_on(sl_compact *c)
{
    c->count = 0;
    if (c->full) {
        end_pass(c);
        return;
    }
    c->phase = GATHERS;
    sl_engine_wake(c->engine);
}

void sl_compact_step(sl_engine *engine)
{
    sl_compact *c = engine->compact;
    if (!c || (c->phase != GATHERS && c->phase != MOVES)) return;
    if (engine->draining || engine->failed) give_up(c);
    else if (sl_journal_congested(engine->journal)) return; /* a commit wakes the loop */
    else if (c->phase == GATHERS) gather(c);
    else move_slice(c);
}

/* ---- which packs -------------------------------------------------------------------------------------------------------------- */

static void run_look(sl_job *job)
{
    sl_compact *c = SL_CONTAINER(job, sl_compact, job);
    c->pack_count = sl_content_sparse(c->engine->content, c->packs, PACKS);
}

/* What could not be moved the last time (taken, kept for a replay) is left alone for some time unless it became less. */
static bool worth_trying(sl_compact *c, const sl_sparse *pack, int64_t now)
{
    tried *before = sl_map_get(&c->tried, key_of(&pack->pack));
    if (before && before->held == pack->held && now - before->at < again_time) return false;
    if (!before) sl_map_put(&c->tried, key_of(&pack->pack), before = SL_NEW(tried));
    *before = (tried){pack->held, now};
    return true;
}

static void forget_tried(sl_compact *c, bool all)
{
    SL_MAP_EACH (&c->tried, entry) {
        const tried *at = entry->value;
        if (!all && sl_ticks() - at->at < again_time) continue;
        free(entry->value);
        sl_map_remove(&c->tried, (sl_str){entry->key, entry->key_size});
    }
}

static void choose(sl_compact *c)
{
    uint64_t waste = 0, held = 0;
    size_t count = 0;
    int64_t now = sl_ticks();
    forget_tried(c, false);
    for (size_t i = 0; i < c->pack_count; i++) {
        if (!worth_trying(c, &c->packs[i], now)) continue;
        waste += c->packs[i].taken - c->packs[i].held;
        held += c->packs[i].held;
        c->packs[count++] = c->packs[i];
    }
    bool worth = sl_disk_presses(c->engine) || waste >= c->engine->flowfiles.count * WORTH;
    c->pack_count = worth ? count : 0;
    /* Copies must not be what fills the disk. */
    c->budget = SL_MIN((uint64_t)MOST, sl_disk_available(c->engine) / 4);
}

static void packs_known(sl_job *job, bool cancelled)
{
    sl_compact *c = SL_CONTAINER(job, sl_compact, job);
    sl_engine *engine = c->engine;
    engine->fetches--;
    if (cancelled || engine->draining || engine->failed) c->pack_count = 0;
    else choose(c);
    if (!c->pack_count) end_pass(c);
    else {
        c->at = 0;
        c->end = engine->flowfiles.block_count * SL_SLAB_BLOCK;
        gather_on(c);
    }
    sl_engine_check_drained(engine);
}

void sl_compact_begin(sl_engine *engine)
{
    sl_compact *c = compact_of(engine);
    if (c->phase != RESTS || engine->sweeping || engine->draining || engine->failed || !engine->running) return;
    uv_mutex_lock(&engine->lock);
    bool swept = engine->swept;
    uv_mutex_unlock(&engine->lock);
    if (!swept) return;
    c->begun = sl_ticks();
    c->bytes = c->claims = 0;
    c->full = false;
    c->count = 0;
    submit(c, LOOKS_FOR_PACKS, run_look, packs_known);
}

void sl_compact_tick(sl_engine *engine)
{
    sl_compact *c = compact_of(engine);
    /* While a job runs the copies are its own. */
    if (c->phase == RESTS) forget_done(c, false);
    if (sl_ticks() >= c->due) sl_compact_begin(engine);
}

void sl_compact_free(sl_engine *engine)
{
    sl_compact *c = engine->compact;
    if (!c) return;
    forget_done(c, true);
    forget_tried(c, true);
    sl_map_done(&c->moved);
    sl_map_done(&c->tried);
    free(c);
    engine->compact = NULL;
}
