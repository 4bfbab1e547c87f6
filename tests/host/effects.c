/* Intents, progress, turns, effects after a commit, state: what the journal keeps in the daemon. */
#include "private.h"

static sluice_text view(const char *text) { return (sluice_text){text, text ? strlen(text) : 0}; }
static const char *keep(item *item, const char *text) { return sl_arena_printf(&item->arena, "%s", text); }

/* ---- intents ------------------------------------------------------------------------------------------- */

sluice_text call_intent(sluice_session *abi, sluice_flowfile *flowfile)
{
    host_check_session((session *)abi, "intent");
    return view(flowfile->item ? flowfile->item->intent : NULL);
}

static bool may_intend(session *session, const sluice_flowfile *flowfile, const char *call, bool waits)
{
    host *host = session->box->host;
    host_check_session(session, call);
    bool worker = session->on_worker && session->in_trigger;
    if (!(session->box->processor->flags & SLUICE_EFFECTS))
        host_fault_found(host, "%s: %s is for processors with SLUICE_EFFECTS", session->box->name, call);
    if (worker == waits) host_fault_found(host, "%s: %s takes a callback on the loop and none on a worker", session->box->name, call);
    if (!flowfile->item) host_fault_found(host, "%s: %s is for FlowFiles that came from the queue", session->box->name, call);
    return flowfile->item != NULL;
}

sluice_call *call_intend(sluice_session *abi, sluice_flowfile *flowfile, const char *intent, void (*durable)(void *context, bool cancelled),
                         void *context)
{
    session *session = (struct session *)abi;
    if (may_intend(session, flowfile, "intend", durable != NULL) && !session->box->losing) {
        flowfile->item->intent = keep(flowfile->item, intent);
        flowfile->item->step_count = 0;
    }
    return durable ? call_soon(session->box->host, durable, context) : NULL;
}

sluice_call *call_progress(sluice_session *abi, sluice_flowfile *flowfile, const char *step, void (*durable)(void *context, bool cancelled),
                           void *context)
{
    session *session = (struct session *)abi;
    bool may = may_intend(session, flowfile, "progress", durable != NULL);
    item *item = flowfile->item;
    if (may && !item->intent) host_fault_found(session->box->host, "%s: progress without an intent", session->box->name);
    if (may && !session->box->losing) {
        const char **steps = sl_arena_alloc(&item->arena, (item->step_count + 1) * sizeof *steps);
        if (item->step_count) memcpy(steps, item->steps, item->step_count * sizeof *steps);
        steps[item->step_count++] = keep(item, step);
        item->steps = steps;
    }
    return durable ? call_soon(session->box->host, durable, context) : NULL;
}

size_t call_progress_count(sluice_session *abi, sluice_flowfile *flowfile)
{
    host_check_session((session *)abi, "progress_count");
    return flowfile->item ? flowfile->item->step_count : 0;
}

sluice_text call_progress_at(sluice_session *abi, sluice_flowfile *flowfile, size_t i)
{
    host_check_session((session *)abi, "progress_at");
    return view(flowfile->item && i < flowfile->item->step_count ? flowfile->item->steps[i] : NULL);
}

/* ---- turns ------------------------------------------------------------------------------------------------ */

bool call_turn(sluice_session *abi, sluice_flowfile *flowfile, const char *key)
{
    session *session = (struct session *)abi;
    host *host = session->box->host;
    host_check_session(session, "turn");
    if (!flowfile->item) {
        host_fault_found(host, "%s: turn is for FlowFiles that came from the queue", session->box->name);
        return true;
    }
    item *holder = sl_map_get(&host->turns, sl_str_of(key));
    if (holder && holder != flowfile->item) {
        session->denied = true;
        flowfile->item->aside = keep(flowfile->item, key);
        return false;
    }
    sl_map_put(&host->turns, sl_str_of(key), flowfile->item);
    flowfile->item->turn = keep(flowfile->item, key);
    return true;
}

/* All that waited for it may ask again; the oldest does so first. */
void turn_release(host *host, item *item)
{
    if (!item->turn) return;
    sl_map_remove(&host->turns, sl_str_of(item->turn));
    for (box *box = host->boxes; box; box = box->next)
        for (struct item *waiting = box->queue.first; waiting; waiting = waiting->next)
            if (waiting->aside && strcmp(waiting->aside, item->turn) == 0) waiting->aside = NULL;
    item->turn = NULL;
}

/* ---- after the commit ------------------------------------------------------------------------------------- */

void call_after_commit(sluice_session *abi, sluice_flowfile *flowfile, const char *effect)
{
    session *session = (struct session *)abi;
    host_check_session(session, "after_commit");
    if (!session->box->processor->effect) host_fault_found(session->box->host, "%s: after_commit without `effect`", session->box->name);
    planned *planned = sl_arena_alloc(&session->arena, sizeof *planned);
    planned->flowfile = flowfile;
    planned->text = sl_arena_printf(&session->arena, "%s", effect);
    *session->planned_last = planned;
    session->planned_last = &planned->next;
}

typedef struct effect_run {
    box *box;
    const char *text;
    sluice_failure failure;
    int failed;
} effect_run;

static void run_effect(void *argument)
{
    effect_run *run = argument;
    run->failed = run->box->processor->effect(&run->box->abi, view(run->text), &run->failure);
}

/* An effect that can never succeed ends: nothing was done, so nothing is lost. */
static void do_effect(box *box, size_t i)
{
    effect_run run = {.box = box, .text = box->effects[i].text};
    uv_thread_t thread;
    SL_ASSERT(uv_thread_create(&thread, run_effect, &run) == 0);
    uv_thread_join(&thread);
    if (run.failed) {
        box->failure = run.failure;
        if (run.failure.class_ < SLUICE_TRANSIENT || run.failure.class_ > SLUICE_CONFIGURATION || !run.failure.code[0])
            host_fault_found(box->host, "%s: effect failed without a class or a code", box->name);
    }
    bool ended = !run.failed || run.failure.class_ == SLUICE_PERMANENT;
    box->effects[i].done = ended && !host_injected(box->host, HOST_EFFECT_DONE, NULL);
}

size_t box_run_effects(box *box)
{
    size_t left = 0;
    for (size_t i = 0; i < box->effect_count; i++) {
        do_effect(box, i);
        if (box->effects[i].done) free(box->effects[i].text);
        else box->effects[left++] = box->effects[i];
    }
    box->effect_count = left;
    return left;
}

size_t box_effects(const box *box) { return box->effect_count; }
const char *box_effect(box *box, size_t i) { return i < box->effect_count ? box->effects[i].text : NULL; }

/* ---- state ---------------------------------------------------------------------------------------------------- */

sluice_text call_state(sluice_session *abi, const char *key)
{
    session *session = (struct session *)abi;
    host_check_session(session, "state");
    const char *value = sl_map_get(&session->box->state, sl_str_of(key));
    for (change *change = session->changes; change; change = change->next)
        if (strcmp(change->key, key) == 0) value = change->value;
    return view(value ? sl_arena_printf(&session->arena, "%s", value) : NULL);
}

void call_set_state(sluice_session *abi, const char *key, const char *value)
{
    session *session = (struct session *)abi;
    host_check_session(session, "set_state");
    change *change = sl_arena_alloc(&session->arena, sizeof *change);
    change->key = sl_arena_printf(&session->arena, "%s", key);
    change->value = value ? sl_arena_printf(&session->arena, "%s", value) : NULL;
    *session->changes_last = change;
    session->changes_last = &change->next;
}
