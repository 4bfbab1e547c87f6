#include "engine/host.h"

#include <inttypes.h>

#include "base/sys.h"

enum { BATCH = 1000, GRANT_MOST = 64, TEXT_CEILING = 2 << 20 };
#define SLICE (5 * SL_MILLISECOND) /* how long one trigger on the loop may go on taking FlowFiles */

/* ---- views ------------------------------------------------------------------------------------------- */

sluice_flowfile *sl_view_new(sl_session *session, uint64_t id)
{
    sluice_flowfile *view = sl_arena_alloc(&session->arena, sizeof *view);
    view->session = session;
    view->id = id;
    view->view.fd = -1;
    *session->last = view;
    session->last = &view->next;
    session->count++;
    return view;
}

static const sl_pair *change_of(const sluice_flowfile *view, sl_str name)
{
    for (size_t i = 0; i < view->change_count; i++)
        if (sl_str_equal(view->changes[i].name, name)) return &view->changes[i];
    return NULL;
}

static sl_str computed(sluice_flowfile *view, sl_str name)
{
    sl_session *session = view->session;
    if (sl_str_is(name, "uuid")) {
        char *text = sl_arena_alloc(&session->arena, SL_UUID_TEXT);
        sl_uuid_make(view->id, view->entered / SL_MILLISECOND, session->engine->node, text);
        return sl_str_of(text);
    }
    const char *sha256 = view->claim && sl_str_is(name, "sha256") ? atomic_load(&view->claim->sha256) : NULL;
    return sha256 ? sl_str_of(sha256) : (sl_str){0};
}

sl_str sl_view_attribute(sluice_flowfile *view, sl_str name)
{
    const sl_pair *change = change_of(view, name);
    if (change) return change->value;
    sl_str value = sl_attributes_get(view->before, name);
    return value.data ? value : computed(view, name);
}

void sl_view_set(sluice_flowfile *view, sl_str name, sl_str value)
{
    sl_session *session = view->session;
    sl_pair *change = (sl_pair *)change_of(view, name);
    sl_attributes_unref(view->merged);
    view->merged = NULL;
    if (!change) {
        if (view->change_count == view->change_capacity) {
            size_t capacity = view->change_capacity ? view->change_capacity * 2 : 8;
            sl_pair *wider = sl_arena_alloc(&session->arena, capacity * sizeof *wider);
            if (view->change_count) memcpy(wider, view->changes, view->change_count * sizeof *wider);
            view->changes = wider;
            view->change_capacity = capacity;
        }
        change = &view->changes[view->change_count++];
        change->name = sl_arena_str(&session->arena, name);
    }
    change->value = value.data ? sl_arena_str(&session->arena, value) : (sl_str){0};
}

sl_attributes *sl_view_merged(sluice_flowfile *view)
{
    if (!view->change_count) return view->before;
    if (!view->merged) view->merged = sl_attributes_change(view->before, view->changes, view->change_count);
    return view->merged;
}

/* ---- begin and run ------------------------------------------------------------------------------------- */

static sl_session *session_new(sl_instance *instance)
{
    sl_session *session = SL_NEW(sl_session);
    session->abi.host = &sl_host;
    session->instance = instance;
    session->engine = instance->engine;
    session->last = &session->first;
    session->states_last = &session->states;
    session->text.ceiling = TEXT_CEILING;
    session->loop_only = instance->loop_only;
    session->loop_turns = instance->loop_turns;
    session->most = sl_instance_probing(instance) || session->loop_turns ? 1 : BATCH;
    session->begun = instance->last_begun = sl_ticks();
    int64_t slice = instance->definition->run_duration_us;
    session->slice_end = session->begun + (slice ? slice : SLICE);
    session->next = instance->sessions;
    if (session->next) session->next->previous = session;
    instance->sessions = session;
    instance->active++;
    instance->flow->open_sessions++;
    instance->engine->open_sessions++;
    return session;
}

static void unlink_session(sl_session *session)
{
    sl_instance *instance = session->instance;
    *(session->previous ? &session->previous->next : &instance->sessions) = session->next;
    if (session->next) session->next->previous = session->previous;
    instance->active--;
    instance->flow->open_sessions--;
    instance->engine->open_sessions--;
}

static void close_timeout(uv_handle_t *timer)
{
    sl_engine *engine = timer->data;
    engine->open_handles--;
    free(timer);
}

static void stop_timeout(sl_session *session)
{
    if (!session->timeout) return;
    session->timeout->data = session->engine;
    session->engine->open_handles++;
    uv_close((uv_handle_t *)session->timeout, close_timeout);
    session->timeout = NULL;
}

static void on_timeout(uv_timer_t *timer)
{
    sl_session *session = timer->data;
    sl_bulletin(session->engine->bulletins, SL_WARNING, session->instance->name,
                "a session takes longer than its `timeout`; it is cancelled and its FlowFiles are tried again");
    sl_session_cancel(session);
}

static void start_timeout(sl_session *session)
{
    int64_t timeout = session->instance->definition->timeout_us;
    if (!timeout) return;
    session->timeout = SL_NEW(uv_timer_t);
    uv_timer_init(session->engine->loop, session->timeout);
    session->timeout->data = session;
    uv_timer_start(session->timeout, on_timeout, (uint64_t)(timeout / SL_MILLISECOND), 0);
}

static void session_free(sl_session *session)
{
    for (sluice_flowfile *view = session->first; view; view = view->next) {
        sl_view_close_content(view);
        sl_attributes_unref(view->merged);
        sl_attributes_unref(view->before);
        sl_claim_unref(view->claim);
    }
    while (session->writers) {
        struct sluice_writer *writer = session->writers;
        session->writers = writer->next;
        sl_content_abandon(writer->writer);
        free(writer);
    }
    stop_timeout(session);
    sl_gate_session_gone(session);
    unlink_session(session);
    sl_buf_done(&session->text);
    free(session->granted);
    sl_arena_done(&session->arena);
    free(session);
}

void sl_session_end(sl_session *session, sluice_outcome outcome)
{
    if (outcome == SLUICE_ROLLBACK) sl_session_roll_back(session);
    else sl_session_commit(session);
    sl_stuck_ended(session);
    sl_schedule_session_ended(session);
    sl_engine *engine = session->engine;
    sl_instance *instance = session->instance;
    session_free(session);
    sl_gate_open(instance);
    sl_host_turns_check(instance); /* not before: what it was given may be gone */
    sl_replacements_check(engine);
    sl_engine_check_drained(engine);
}

void sl_session_cancel(sl_session *session)
{
    const sluice_processor *processor = session->instance->processor;
    if (session->cancelled) return;
    session->cancelled = true;
    if (session->on_worker) sl_workers_cancel(session->engine->workers, &session->job);
    else if (session->later && processor->cancel) processor->cancel(&session->instance->abi, &session->abi);
}

static void run_on_loop(sl_session *session)
{
    sl_instance *instance = session->instance;
    start_timeout(session);
    sl_watch_begin(session->engine->watch, instance);
    sluice_outcome outcome = instance->processor->trigger(&instance->abi, &session->abi);
    sl_watch_end(session->engine->watch, instance);
    if (outcome == SLUICE_LATER && !session->finished) {
        session->later = true;
        return;
    }
    sl_session_end(session, session->finished ? session->outcome : outcome);
}

_Thread_local sl_session *sl_session_of_worker;

static void run_on_worker(sl_job *job)
{
    sl_session *session = SL_CONTAINER(job, sl_session, job);
    sl_session_of_worker = session;
    atomic_store(&session->working, sl_ticks());
    session->outcome = session->instance->processor->trigger(&session->instance->abi, &session->abi);
    sl_session_of_worker = NULL;
}

static void worker_ended(sl_job *job, bool cancelled)
{
    sl_session *session = SL_CONTAINER(job, sl_session, job);
    session->engine->running_jobs--;
    sl_session_end(session, cancelled || session->outcome == SLUICE_LATER ? SLUICE_ROLLBACK : session->outcome);
}

/* A worker cannot reach queues: it is given beforehand what it may take, as much as the last session took and more. */
static void grant(sl_session *session)
{
    sl_instance *instance = session->instance;
    size_t wanted = SL_MIN(SL_MAX(instance->grant, (size_t)1), session->most);
    /* Who asks for turns waits for earlier FlowFiles to ask: none may lie in hands that are busy with another. */
    if (instance->processor->flags & SLUICE_EFFECTS) wanted = SL_MIN(wanted, (size_t)1);
    session->granted = sl_alloc(wanted * sizeof *session->granted);
    for (sl_flowfile *flowfile; session->granted_count < wanted && (flowfile = sl_instance_take(instance, session->loop_only));)
        session->granted[session->granted_count++] = flowfile;
}

void sl_session_run(sl_instance *instance)
{
    sl_session *session = session_new(instance);
    if (!(instance->processor->flags & SLUICE_ON_WORKER)) {
        run_on_loop(session);
        return;
    }
    session->on_worker = true;
    if (!(instance->processor->flags & SLUICE_SOURCE)) grant(session);
    session->job = (sl_job){.work = run_on_worker, .done = worker_ended};
    session->engine->running_jobs++;
    start_timeout(session);
    sl_workers_submit(session->engine->workers, &session->job, false);
}

/* ---- get ------------------------------------------------------------------------------------------------- */

static sl_flowfile *next_flowfile(sl_session *session)
{
    if (session->taken >= session->most) return NULL;
    if (session->on_worker) return session->granted_next < session->granted_count ? session->granted[session->granted_next++] : NULL;
    if (session->taken && sl_ticks() >= session->slice_end) return NULL;
    return sl_instance_take(session->instance, session->loop_only);
}

sluice_flowfile *sl_host_get(sluice_session *abi)
{
    sl_session *session = (sl_session *)abi;
    sl_flowfile *flowfile = next_flowfile(session);
    if (!flowfile) return NULL;
    session->taken++;
    sl_flight_mark(session->engine, flowfile);
    sluice_flowfile *view = sl_view_new(session, flowfile->id);
    view->base = flowfile;
    view->entered = flowfile->entered;
    view->before = sl_attributes_ref(flowfile->body->attributes);
    view->claim = sl_claim_ref(flowfile->body->claim);
    return view;
}

void sl_session_learn_grant(sl_session *session)
{
    sl_instance *instance = session->instance;
    if (!session->on_worker || !session->granted_count) return;
    bool all = session->granted_next == session->granted_count;
    instance->grant = all ? SL_MIN(session->granted_count * 2, (size_t)GRANT_MOST) : SL_MAX(session->granted_next, (size_t)1);
}
