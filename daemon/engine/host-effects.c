/* Intents, steps, turns, state and effects after the commit. What must reach the journal while a session is open goes
 * there at once, as events of the FlowFile that is taken; a worker asks the loop thread for it and waits. */
#include <inttypes.h>

#include "engine/host.h"

/* ---- a worker asks the loop --------------------------------------------------------------------------------------- */

typedef struct request {
    sl_session *session;
    sluice_flowfile *flowfile;
    const char *text;
    bool granted;
    uv_sem_t answered;
    struct request *next;
} request;

static void answered(void *context, bool cancelled)
{
    request *r = context;
    (void)cancelled; /* a waiter of ours is never cancelled: without durability the worker must not go on */
    uv_sem_post(&r->answered);
}

static request *ask_loop(request *r, void (*run)(void *context))
{
    uv_sem_init(&r->answered, 0);
    sl_engine_post(r->session->engine, run, r);
    uv_sem_wait(&r->answered);
    uv_sem_destroy(&r->answered);
    return r;
}

/* ---- intents --------------------------------------------------------------------------------------------------------- */

sluice_text sl_host_intent(sluice_session *session, sluice_flowfile *flowfile)
{
    (void)session;
    const sl_intent *intent = flowfile->base ? flowfile->base->body->intent : NULL;
    return intent && intent->text ? sl_text_of(sl_str_of(intent->text)) : (sluice_text){0};
}

size_t sl_host_progress_count(sluice_session *session, sluice_flowfile *flowfile)
{
    (void)session;
    const sl_intent *intent = flowfile->base ? flowfile->base->body->intent : NULL;
    return intent ? intent->step_count : 0;
}

sluice_text sl_host_progress_at(sluice_session *session, sluice_flowfile *flowfile, size_t i)
{
    (void)session;
    const sl_intent *intent = flowfile->base ? flowfile->base->body->intent : NULL;
    return intent && i < intent->step_count ? sl_text_of(sl_str_of(intent->steps[i])) : (sluice_text){0};
}

static sl_intent *intent_for(sluice_flowfile *flowfile)
{
    SL_ASSERT(flowfile->base); /* only what was taken from a queue has a delivery to repeat */
    if (!flowfile->base->body->intent) flowfile->base->body->intent = SL_NEW(sl_intent);
    return flowfile->base->body->intent;
}

static uint64_t note(sl_session *session, sluice_flowfile *flowfile, unsigned type, const char *text, const char *turn)
{
    sl_batch *batch = sl_batch_new();
    sl_step step = {.type = type, .component = session->instance->name_id, .queue = SL_QUEUE_SAME};
    step.details = sl_str_of(text);
    step.uri = sl_str_of(turn);
    sl_chain_add(session->engine, batch, flowfile->base, &step);
    return sl_engine_append(session->engine, batch);
}

static uint64_t note_intent(sl_session *session, sluice_flowfile *flowfile, const char *text)
{
    sl_intent *intent = intent_for(flowfile);
    free(intent->text);
    intent->text = sl_strdup(text);
    for (size_t i = 0; i < intent->step_count; i++) free(intent->steps[i]);
    intent->step_count = 0;
    return note(session, flowfile, SL_EVENT_INTENT, text, intent->turn);
}

static uint64_t note_step(sl_session *session, sluice_flowfile *flowfile, const char *text)
{
    uint64_t seq = note(session, flowfile, SL_EVENT_PROGRESS, text, NULL);
    sl_intent_step(intent_for(flowfile), text);
    flowfile->base->crashes = 0; /* it gets on: no suspect */
    return seq;
}

static void intend_for_worker(void *context)
{
    request *r = context;
    sl_engine_wait_durable(r->session->engine, note_intent(r->session, r->flowfile, r->text), answered, r);
}

static void progress_for_worker(void *context)
{
    request *r = context;
    sl_engine_wait_durable(r->session->engine, note_step(r->session, r->flowfile, r->text), answered, r);
}

sluice_call *sl_host_intend(sluice_session *abi, sluice_flowfile *flowfile, const char *intent,
                            void (*durable)(void *context, bool cancelled), void *context)
{
    sl_session *session = sl_session_of(abi);
    if (session->on_worker) {
        ask_loop(&(request){.session = session, .flowfile = flowfile, .text = intent}, intend_for_worker);
        return NULL;
    }
    uint64_t seq = note_intent(session, flowfile, intent);
    bool first = !session->intended;
    session->intended = true;
    return first ? sl_call_intent(session, seq, durable, context) : sl_call_durable(session->engine, seq, durable, context);
}

sluice_call *sl_host_progress(sluice_session *abi, sluice_flowfile *flowfile, const char *text,
                              void (*durable)(void *context, bool cancelled), void *context)
{
    sl_session *session = sl_session_of(abi);
    if (session->on_worker) {
        ask_loop(&(request){.session = session, .flowfile = flowfile, .text = text}, progress_for_worker);
        return NULL;
    }
    return sl_call_durable(session->engine, note_step(session, flowfile, text), durable, context);
}

/* ---- turns -------------------------------------------------------------------------------------------------------------- */

/* A session of another worker that has an earlier FlowFile which has not said its target: that one goes first. */
static const sl_session *earlier_undecided(const sl_instance *instance, const request *r)
{
    for (const sl_session *session = instance->sessions; session; session = session->next)
        for (size_t i = 0; session != r->session && i < session->granted_count; i++) {
            const sl_flowfile *other = session->granted[i];
            if (other->place == SL_TAKEN && other->moved < r->flowfile->base->moved && !other->body->asked) return session;
        }
    return NULL;
}

static void decide(request *r, bool granted)
{
    r->granted = granted;
    uv_sem_post(&r->answered);
}

/* False: not now. One that waits for a session which itself waits for a worker must give up its own: it goes back. */
static bool answer_turn(const sl_instance *instance, request *r)
{
    const sl_session *earlier = earlier_undecided(instance, r);
    if (earlier && sl_workers_began(instance->engine->workers, &earlier->job)) return false;
    if (!earlier) r->flowfile->base->body->asked = true;
    decide(r, !earlier && sl_turn_ask(r->session->engine, r->flowfile->base, r->text));
    return true;
}

static void turn_for_worker(void *context)
{
    request *r = context, **link = (request **)&r->session->instance->turn_requests;
    while (*link) link = &(*link)->next;
    *link = r;
    sl_host_turns_check(r->session->instance);
}

void sl_host_turns_check(sl_instance *instance)
{
    bool decided = true;
    while (decided) {
        decided = false;
        for (request **link = (request **)&instance->turn_requests; *link; link = &(*link)->next) {
            request *r = *link, *next = r->next;
            if (!answer_turn(instance, r)) continue; /* answered, `r` is its worker's again */
            *link = next;
            decided = true;
            break;
        }
    }
}

bool sl_host_turn(sluice_session *abi, sluice_flowfile *flowfile, const char *key)
{
    sl_session *session = sl_session_of(abi);
    SL_ASSERT(flowfile->base);
    bool granted = session->on_worker
                       ? ask_loop(&(request){.session = session, .flowfile = flowfile, .text = key}, turn_for_worker)->granted
                       : sl_turn_ask(session->engine, flowfile->base, key);
    flowfile->set_aside = !granted;
    return granted;
}

/* ---- with the commit ------------------------------------------------------------------------------------------------------ */

void sl_host_after_commit(sluice_session *abi, sluice_flowfile *flowfile, const char *effect)
{
    sl_session *session = sl_session_of(abi);
    sl_text_item *item = sl_arena_alloc(&session->arena, sizeof *item), **last = &flowfile->effects;
    item->text = sl_session_keep(session, effect);
    while (*last) last = &(*last)->next;
    *last = item;
}

sluice_text sl_host_state(sluice_session *abi, const char *key)
{
    sl_session *session = sl_session_of(abi);
    sl_component *component = session->instance->component;
    const char *found = NULL;
    bool set_here = false;
    for (const sl_text_item *item = session->states; item; item = item->next)
        if (strcmp(item->key, key) == 0) found = item->text, set_here = true;
    if (set_here) return found ? sl_text_of(sl_str_of(found)) : (sluice_text){0};
    uv_mutex_lock(&component->lock);
    found = sl_session_keep(session, sl_map_get(&component->state, sl_str_of(key)));
    uv_mutex_unlock(&component->lock);
    return found ? sl_text_of(sl_str_of(found)) : (sluice_text){0};
}

void sl_host_set_state(sluice_session *abi, const char *key, const char *value)
{
    sl_session *session = sl_session_of(abi);
    sl_text_item *item = sl_arena_alloc(&session->arena, sizeof *item);
    item->key = sl_session_keep(session, key);
    item->text = sl_session_keep(session, value);
    *session->states_last = item;
    session->states_last = &item->next;
}
