/* Which FlowFiles have their attributes, claim and intent in memory. A queue keeps those of its first ones, up to the
 * engine's window; the bodies of the rest stay in the journal, and are read ahead in batches on a worker before their
 * turn comes. So a long queue costs 96 bytes a FlowFile, and taking from it never waits for the disk in practice. */
#include <inttypes.h>

#include "engine/private.h"

enum { FETCH = 2000 };

/* ---- one body ------------------------------------------------------------------------------------------------- */

static sl_intent *intent_of(const sl_journal_state *state)
{
    if (!state->intent.size && !state->turn.size) return NULL;
    sl_intent *intent = SL_NEW(sl_intent);
    if (state->intent.size) intent->text = sl_strndup(state->intent.data, state->intent.size);
    if (state->turn.size) intent->turn = sl_strndup(state->turn.data, state->turn.size);
    for (size_t i = 0; i < state->progress_count; i++) {
        char *step = sl_strndup(state->progress[i].data, state->progress[i].size);
        sl_intent_step(intent, step);
        free(step);
    }
    return intent;
}

int sl_body_read(sl_engine *engine, uint32_t segment, uint64_t seq, sl_body **ret, sl_error *error)
{
    sl_journal_state state;
    if (sl_journal_state_read(engine->journal, segment, seq, &state, error) < 0) return -1;
    sl_body *body = SL_NEW(sl_body);
    int result = sl_attributes_apply(NULL, state.attributes, &body->attributes, error);
    if (result == 0 && state.claim.size && !sl_str_is(state.claim, "null")) {
        result = sl_claim_parse(engine->content, state.claim, state.content, &body->claim, error);
        if (result == 0) body->claim->counted = true; /* in a FlowFile's hands again */
    }
    body->intent = intent_of(&state);
    body->first_failure = state.first_failure;
    sl_journal_state_done(&state);
    if (result == 0) *ret = body;
    else sl_body_discard(body);
    return result;
}

void sl_body_discard(sl_body *body)
{
    if (!body) return;
    if (body->claim) body->claim->counted = false;
    sl_body_free(body);
}

void sl_body_unreadable(sl_engine *engine, const sl_flowfile *flowfile, const sl_error *error)
{
    sl_bulletin(engine->bulletins, SL_ERROR, flowfile->queue->key,
                "FlowFile %" PRIu64 " cannot be read and stays where it is: %s; run `sluice doctor` on the stopped state", flowfile->id,
                error->text);
}

sl_body *sl_body_look(sl_engine *engine, const sl_flowfile *flowfile, sl_body **ret_lent)
{
    sl_error error;
    *ret_lent = NULL;
    if (flowfile->body) return flowfile->body;
    if (sl_body_read(engine, flowfile->segment, flowfile->seq, ret_lent, &error) < 0) sl_body_unreadable(engine, flowfile, &error);
    return *ret_lent;
}

sl_body *sl_body_need(sl_engine *engine, sl_flowfile *flowfile)
{
    sl_error error;
    if (flowfile->body) return flowfile->body;
    if (sl_body_read(engine, flowfile->segment, flowfile->seq, &flowfile->body, &error) < 0) sl_body_unreadable(engine, flowfile, &error);
    else if (flowfile->place == SL_READY && !flowfile->queue->order.count) sl_queue_fetched(flowfile->queue);
    return flowfile->body;
}

/* ---- the window -------------------------------------------------------------------------------------------------- */

void sl_bodies_keep_window(sl_engine *engine, sl_queue *queue, sl_flowfile *flowfile)
{
    sl_body *body = flowfile->body;
    if (flowfile->place != SL_READY || body->intent || queue->order.count || (!queue->cold && queue->ready.count <= engine->window)) return;
    if (body->claim) sl_holders_leave(engine, body->claim);
    body->claim = NULL;
    sl_body_free(body);
    flowfile->body = NULL;
    sl_queue_stripped(flowfile);
}

/* ---- reading ahead ------------------------------------------------------------------------------------------------- */

typedef struct wanted {
    sl_flowfile *flowfile;
    uint64_t id, seq;
    uint32_t segment;
    sl_body *body;
} wanted;

typedef struct fetch {
    sl_job job;
    sl_engine *engine;
    sl_queue *queue;
    sl_error error; /* of the first that failed */
    size_t count, failed;
    wanted items[FETCH];
} fetch;

static void read_bodies(sl_job *job)
{
    fetch *f = SL_CONTAINER(job, fetch, job);
    sl_error error;
    for (size_t i = 0; i < f->count; i++) {
        if (sl_body_read(f->engine, f->items[i].segment, f->items[i].seq, &f->items[i].body, &error) == 0) continue;
        if (!f->failed++) f->error = error;
    }
}

/* One that cannot be read must not hold up those behind it. */
static void put_by(sl_engine *engine, sl_flowfile *flowfile, const sl_error *error)
{
    sl_body_unreadable(engine, flowfile, error);
    flowfile->unread = 1;
    sl_queue_set_aside(flowfile);
}

static void bodies_read(sl_job *job, bool cancelled)
{
    fetch *f = SL_CONTAINER(job, fetch, job);
    sl_queue *queue = f->queue;
    for (size_t i = 0; i < f->count; i++) {
        wanted *item = &f->items[i];
        /* One that has gone on meanwhile, or was carried into another segment, is read there, the next time. */
        bool there =
            item->flowfile->id == item->id && item->flowfile->seq == item->seq && !item->flowfile->body && item->flowfile->queue == queue;
        if (there && item->body) item->flowfile->body = item->body;
        else sl_body_discard(item->body);
        if (there && !item->body && !cancelled) put_by(f->engine, item->flowfile, &f->error);
    }
    f->engine->fetches--;
    queue->fetching = false;
    sl_queue_fetched(queue);
    if (queue->to) sl_wake_instance(queue->to);
    sl_engine_check_drained(f->engine);
    free(f);
}

void sl_bodies_fetch(sl_engine *engine, sl_queue *queue)
{
    if (!queue->cold || queue->fetching || queue->ahead > engine->window / 2 || !engine->running) return;
    uint64_t durable = sl_journal_durable(engine->journal);
    fetch *f = SL_NEW(fetch);
    *f = (fetch){.job = {.work = read_bodies, .done = bodies_read}, .engine = engine, .queue = queue};
    for (sl_flowfile *at = queue->cold; at && f->count < FETCH && at->seq <= durable; at = at->next)
        if (!at->body) f->items[f->count++] = (wanted){.flowfile = at, .id = at->id, .seq = at->seq, .segment = at->segment};
    if (!f->count) {
        free(f);
        return;
    }
    queue->fetching = true;
    engine->fetches++;
    sl_workers_submit(engine->workers, &f->job, true);
}
