/* What a session did becomes events, moves of FlowFiles, state and pending effects: one batch of the journal. */
#include <inttypes.h>
#include <stdio.h>

#include "base/sys.h"
#include "engine/session.h"

typedef struct commit {
    sl_session *session;
    sl_instance *instance;
    sl_engine *engine;
    sl_batch *batch;
    int64_t now, share; /* us of the trigger for each FlowFile */
    sl_counts counts;
    uint64_t loop_taken, loop_given;
    bool succeeded;
    sluice_failure *failure; /* of configuration */
} commit;

/* ---- one FlowFile ------------------------------------------------------------------------------------ */

/* As in NiFi every FlowFile has a name: one that its source did not name is called by its id. */
static void name_it(sluice_flowfile *view)
{
    if (view->parent || sl_attributes_get(sl_view_merged(view), SL_STR("filename")).data) return;
    sl_view_set(view, SL_STR("filename"), sl_view_attribute(view, SL_STR("uuid")));
}

/* The queue's own FlowFile of a view, out of its queue, as the session left it. */
static sl_flowfile *become(commit *c, sluice_flowfile *view)
{
    sl_flowfile *flowfile = view->base;
    if (flowfile) {
        c->counts.in++;
        c->counts.in_bytes += sl_flowfile_size(flowfile);
        c->loop_taken++;
        sl_engine_take_out(c->engine, flowfile);
        sl_flight_leave(c->engine, flowfile);
    } else {
        name_it(view);
        flowfile = sl_engine_born(c->engine, view->id, view->entered);
    }
    sl_attributes *after = sl_attributes_ref(sl_view_merged(view));
    sl_attributes_unref(flowfile->body->attributes);
    flowfile->body->attributes = after;
    sl_flowfile_set_claim(flowfile, sl_claim_ref(view->claim));
    return flowfile;
}

static unsigned event_type(const sluice_flowfile *view)
{
    if (view->event) return view->event;
    if (!view->base) return view->cloned ? SLUICE_CLONE : view->parent ? SLUICE_FORK : SLUICE_CREATE;
    if (view->claim_changed) return SLUICE_CONTENT_MODIFIED;
    return view->change_count ? SLUICE_ATTRIBUTES_MODIFIED : SLUICE_TRANSFER;
}

static sl_step step_of(const commit *c, const sluice_flowfile *view, unsigned type, char parents[32])
{
    parents[0] = 0;
    if (!view->base && view->parent) snprintf(parents, 32, "[%" PRIu64 "]", view->parent);
    return (sl_step){
        .type = type,
        .component = c->instance->name_id,
        .queue = SL_QUEUE_SAME,
        .changes = view->changes,
        .change_count = view->change_count,
        .claim_said = view->claim_changed || view->claim_learned,
        .parents = sl_str_of(parents),
        .uri = sl_str_of(view->uri),
        .details = sl_str_of(view->details),
        .duration = c->share,
    };
}

static void end_flowfile(commit *c, sluice_flowfile *view, sl_flowfile *flowfile, const char *reason, bool said)
{
    char parents[32];
    sl_step step = step_of(c, view, SLUICE_DROP, parents);
    sl_buf details = SL_BUF(4096);
    step.queue = 0;
    if (said) step.change_count = 0, step.claim_said = false, step.parents = step.uri = step.details = (sl_str){0};
    if (c->instance->definition->relationship_count && view->fate == SL_FATE_TRANSFER)
        step.relationship = c->instance->relationship_ids[view->relationship];
    if (reason) {
        sl_buf_text(&details, "{\"reason\":");
        sl_json_string(&details, sl_str_of(reason));
        sl_buf_char(&details, '}');
        step.details = sl_buf_view(&details);
    }
    sl_chain_add(c->engine, c->batch, flowfile, &step);
    sl_buf_done(&details);
    sl_engine_forget(c->engine, flowfile);
}

/* Into the queue of the relationship's target, counted where it is of a loop. */
static void enqueue(commit *c, size_t connection, sl_flowfile *flowfile)
{
    c->loop_given += c->instance->flow->definition->connections[connection].loop != 0;
    sl_engine_put(c->engine, c->instance->flow->queues[connection], flowfile, c->now);
}

static void clone_to(commit *c, const sl_flowfile *original, size_t relationship, size_t connection)
{
    char parents[32];
    sl_flowfile *clone = sl_engine_born(c->engine, atomic_fetch_add(&c->engine->next_id, 1), original->entered);
    clone->body->attributes = sl_attributes_ref(original->body->attributes);
    sl_flowfile_set_claim(clone, sl_claim_ref(original->body->claim));
    snprintf(parents, sizeof parents, "[%" PRIu64 "]", original->id);
    sl_step step = {.type = SLUICE_CLONE,
                    .component = c->instance->name_id,
                    .relationship = c->instance->relationship_ids[relationship],
                    .queue = c->instance->flow->queues[connection]->name,
                    .parents = sl_str_of(parents)};
    sl_chain_add(c->engine, c->batch, clone, &step);
    enqueue(c, connection, clone);
}

static void count_out(commit *c, const sl_flowfile *flowfile)
{
    c->counts.out++;
    c->counts.out_bytes += sl_flowfile_size(flowfile);
}

/* By a relationship: to its first queue itself, to each further one a clone, or to the end. */
static void transfer(commit *c, sluice_flowfile *view)
{
    const sl_flow_relationship *relationship = &c->instance->definition->relationships[view->relationship];
    sl_flowfile *flowfile = become(c, view);
    char parents[32];
    unsigned type = event_type(view);
    count_out(c, flowfile);
    sl_step step = step_of(c, view, type, parents);
    step.relationship = c->instance->relationship_ids[view->relationship];
    if (!relationship->connection_count) {
        bool failed = strcmp(relationship->name, "failure") == 0;
        ++*(failed ? &c->engine->ended_failed : &c->engine->ended_delivered);
        if (type != SLUICE_TRANSFER) sl_chain_add(c->engine, c->batch, flowfile, &step);
        end_flowfile(c, view, flowfile, NULL, type != SLUICE_TRANSFER);
        return;
    }
    step.queue = c->instance->flow->queues[relationship->connections[0]]->name;
    sl_chain_add(c->engine, c->batch, flowfile, &step);
    for (size_t i = 1; i < relationship->connection_count; i++) clone_to(c, flowfile, view->relationship, relationship->connections[i]);
    enqueue(c, relationship->connections[0], flowfile);
}

static void drop(commit *c, sluice_flowfile *view)
{
    if (!view->base && !view->event) return; /* made for nothing: it was never there */
    sl_flowfile *flowfile = become(c, view);
    unsigned type = event_type(view);
    bool more = view->event; /* a creation or a delivery is told first */
    char parents[32];
    sl_step step = step_of(c, view, type, parents);
    if (more) sl_chain_add(c->engine, c->batch, flowfile, &step);
    end_flowfile(c, view, flowfile, view->reason, more);
}

static void back(commit *c, sluice_flowfile *view)
{
    if (!view->base) return;
    if (view->set_aside && view->base->body->waits_for) {
        sl_flight_leave(c->engine, view->base);
        sl_queue_set_aside(view->base);
    } else sl_engine_give_back(c->engine, view->base, sl_engine_steady(c->engine));
}

static void retry(commit *c, sluice_flowfile *view)
{
    sl_flowfile *flowfile = view->base;
    sl_buf details = SL_BUF(8192);
    sl_buf_printf(&details, "{\"class\":\"%s\",\"code\":", sl_class_name(view->failure->class_));
    sl_json_string(&details, sl_str_of(view->failure->code));
    sl_buf_text(&details, ",\"message\":");
    sl_json_string(&details, sl_str_of(view->failure->message));
    sl_buf_char(&details, '}');
    sl_step step = {.type = SL_EVENT_RETRY,
                    .component = c->instance->name_id,
                    .queue = SL_QUEUE_SAME,
                    .details = sl_buf_view(&details),
                    .uri = sl_str_of(flowfile->body->intent ? flowfile->body->intent->turn : NULL),
                    .target = (uint64_t)flowfile->body->first_failure,
                    .duration = c->share,
                    .retries = flowfile->retries,
                    .not_before = sl_clock_wall(&c->engine->clock, flowfile->not_before)};
    sl_chain_add(c->engine, c->batch, flowfile, &step);
    sl_buf_done(&details);
    sl_engine_give_back(c->engine, flowfile, sl_engine_steady(c->engine));
}

static void fail(commit *c, sluice_flowfile *view)
{
    c->counts.failures++;
    switch (sl_failure_judge(c->session, view, c->now)) {
    case SL_VERDICT_RETRY: retry(c, view); return;
    case SL_VERDICT_BACK:
        c->failure = view->failure;
        back(c, view);
        return;
    case SL_VERDICT_LEAVES:
        sl_failure_attributes(c->session, view);
        view->fate = SL_FATE_TRANSFER;
        transfer(c, view);
        return;
    }
}

static void settle(commit *c, sluice_flowfile *view)
{
    switch (view->fate) {
    case SL_FATE_TRANSFER:
        c->succeeded = true;
        if (!sl_pressure_sets_aside(c->session, view)) transfer(c, view);
        break;
    case SL_FATE_DROP:
        c->succeeded = true;
        drop(c, view);
        break;
    case SL_FATE_FAIL: fail(c, view); break;
    case SL_FATE_NONE: back(c, view); break;
    }
}

/* ---- the rest of a session ------------------------------------------------------------------------------ */

/* Of what leaves well: one that failed is tried again, or is somebody's to look at, with its source where it was. */
static void add_effects_of(commit *c, const sluice_flowfile *view)
{
    for (sl_text_item *effect = view->effects; effect; effect = effect->next) {
        uint64_t seq = sl_batch_next_seq(c->engine, c->batch);
        sl_batch_note(c->engine, c->batch, SL_EVENT_PENDING, c->instance->name_id, 0, (sl_str){0}, sl_str_of(effect->text));
        sl_pending_add(c->instance->component, seq, sl_str_of(effect->text));
    }
}

static void add_effects(commit *c)
{
    for (const sluice_flowfile *view = c->session->first; view; view = view->next)
        if (view->fate == SL_FATE_TRANSFER || view->fate == SL_FATE_DROP) add_effects_of(c, view);
}

static void set_states(commit *c)
{
    sl_component *component = c->instance->component;
    uv_mutex_lock(&component->lock);
    for (sl_text_item *state = c->session->states; state; state = state->next) {
        sl_str key = sl_str_of(state->key);
        free(state->text ? sl_map_put(&component->state, key, sl_strdup(state->text)) : sl_map_remove(&component->state, key));
        sl_batch_note(c->engine, c->batch, SL_EVENT_STATE, component->name, 0, key, sl_str_of(state->text));
    }
    uv_mutex_unlock(&component->lock);
}

static void note_scan(commit *c)
{
    sl_instance *instance = c->instance;
    sl_session *session = c->session;
    if (!(instance->processor->flags & SLUICE_SOURCE)) return;
    if (c->counts.out) {
        instance->made_since_scan += c->counts.out;
        instance->scanned = false;
    }
    if (!session->scanned) return;
    instance->scanned = instance->made_since_scan == 0;
    instance->scan_waiting = session->scan_waiting;
    instance->made_since_scan = 0;
}

static void instance_failed(commit *c, const sluice_failure *failure)
{
    if (failure->class_ == SLUICE_CONFIGURATION) {
        sl_instance_pause(c->instance, failure);
        return;
    }
    sl_instance_failed(c->instance, failure);
    c->session->yielded = true;
}

/* What a worker was given and did not take. */
static void return_grants(sl_session *session)
{
    int64_t now = sl_engine_steady(session->engine);
    while (session->granted_count > session->granted_next)
        sl_engine_give_back(session->engine, session->granted[--session->granted_count], now);
}

/* A module that forgets a FlowFile has a bug; its session leaves no trace, so that nothing is lost or made twice. */
static bool is_whole(sl_session *session)
{
    const sluice_flowfile *view = session->first;
    while (view && (view->fate != SL_FATE_NONE || view->set_aside)) view = view->next;
    if (!view) return true;
    sl_bulletin(session->engine->bulletins, SL_ERROR, session->instance->name,
                "the processor ended a session without saying what becomes of FlowFile %" PRIu64 "; the session is undone", view->id);
    session->yielded = true;
    return false;
}

void sl_session_commit(sl_session *session)
{
    sl_engine *engine = session->engine;
    if (!is_whole(session)) {
        sl_session_roll_back(session);
        return;
    }
    commit c = {
        .session = session, .instance = session->instance, .engine = engine, .batch = sl_batch_new(), .now = sl_engine_wall(engine)};
    int64_t took = sl_ticks() - session->begun;
    c.share = took / (int64_t)SL_MAX(session->count, (size_t)1);
    sl_session_learn_grant(session);
    add_effects(&c);
    sl_pressure_begin(session);
    for (sluice_flowfile *view = session->first; view; view = view->next) settle(&c, view);
    set_states(&c);
    note_scan(&c);
    if (session->loop_turns) sl_pressure_count(c.instance, c.loop_taken, c.loop_given);
    sl_engine_append(engine, c.batch);
    return_grants(session);
    c.counts.tasks = 1;
    c.counts.task_us = took;
    c.counts.read_bytes = session->read_bytes;
    sl_figures_add(&c.instance->figures, &c.counts, sl_ticks());
    if (session->failure) instance_failed(&c, session->failure);
    else if (c.failure) sl_instance_pause(c.instance, c.failure);
    else if (c.succeeded || session->scanned) sl_instance_succeeded(c.instance);
}

void sl_session_roll_back(sl_session *session)
{
    commit c = {.session = session, .instance = session->instance, .engine = session->engine, .now = sl_engine_wall(session->engine)};
    bool aside = false;
    for (sluice_flowfile *view = session->first; view; view = view->next) {
        aside = aside || view->set_aside;
        back(&c, view);
    }
    return_grants(session);
    if (!aside) session->yielded = true; /* at once it would find the same again */
    if (session->failure) instance_failed(&c, session->failure);
}
