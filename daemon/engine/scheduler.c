/* Who runs next. An instance is looked at when something changed for it (a FlowFile came, a session ended, room came
 * up, its time came); it is then in the ready list once, and is visited in turn. Each visit runs one session of what
 * runs on the loop at once, or begins as many as it may have open of what does not. */
#include "base/sys.h"
#include "engine/compact.h"
#include "engine/disk.h"
#include "engine/host.h"

#define TURN (4 * SL_MILLISECOND) /* of the loop: then sockets and timers have theirs */

/* ---- the ready list --------------------------------------------------------------------------------------- */

static void run_ready(uv_idle_t *idle);

void sl_wake_instance(sl_instance *instance)
{
    sl_engine *engine = instance->engine;
    if (instance->ready_listed || !engine->running) return;
    instance->ready_listed = true;
    instance->next_ready = NULL;
    if (engine->ready_last) engine->ready_last->next_ready = instance;
    else engine->ready_first = instance;
    engine->ready_last = instance;
    if (!uv_is_active((uv_handle_t *)&engine->idle)) uv_idle_start(&engine->idle, run_ready);
}

static sl_instance *next_ready(sl_engine *engine)
{
    sl_instance *instance = engine->ready_first;
    engine->ready_first = instance->next_ready;
    if (!engine->ready_first) engine->ready_last = NULL;
    instance->ready_listed = false;
    return instance;
}

void sl_schedule_remove(sl_instance *instance)
{
    sl_engine *engine = instance->engine;
    sl_instance *before = NULL;
    if (!instance->ready_listed) return;
    for (sl_instance *at = engine->ready_first; at != instance; at = at->next_ready) before = at;
    if (before) before->next_ready = instance->next_ready;
    else engine->ready_first = instance->next_ready;
    if (engine->ready_last == instance) engine->ready_last = before;
    instance->ready_listed = false;
}

void sl_schedule_flow(sl_running_flow *flow)
{
    for (size_t i = 0; i < flow->definition->processor_count; i++) sl_wake_instance(flow->instances[i]);
}

void sl_schedule_all(sl_engine *engine)
{
    SL_MAP_EACH (&engine->flows, entry) sl_schedule_flow(entry->value);
}

static void each_instance(sl_engine *engine, void (*visit)(sl_instance *instance))
{
    SL_MAP_EACH (&engine->flows, entry) {
        sl_running_flow *flow = entry->value;
        for (size_t i = 0; i < flow->definition->processor_count; i++) visit(flow->instances[i]);
    }
}

static void became_durable(sl_instance *instance)
{
    if (instance->component->pending) sl_effects_run(instance->engine, instance);
    if (!instance->waits_for_durable) return;
    instance->waits_for_durable = false;
    sl_wake_instance(instance);
}

void sl_schedule_durable(sl_engine *engine)
{
    each_instance(engine, became_durable);
    if (!engine->congested || sl_journal_congested(engine->journal)) return;
    engine->congested = false;
    sl_schedule_all(engine);
}

/* ---- may it run? --------------------------------------------------------------------------------------------- */

static uint64_t durable_for(const sl_instance *instance)
{
    return instance->processor->flags & SLUICE_EFFECTS ? sl_journal_durable(instance->engine->journal) : UINT64_MAX;
}

static bool has_input(sl_instance *instance)
{
    uint64_t durable = durable_for(instance);
    bool ready = false;
    for (size_t i = 0; i < instance->input_count; i++) {
        if (instance->loop_only && !instance->input_loops[i]) continue;
        sl_bodies_fetch(instance->engine, instance->inputs[i]);
        if (sl_queue_available(instance->inputs[i], durable)) return true;
        ready = ready || sl_queue_first(instance->inputs[i]);
    }
    if (ready) instance->waits_for_durable = true; /* or for its body, which tells when it is there */
    return false;
}

sl_flowfile *sl_instance_take(sl_instance *instance, bool loop_only)
{
    uint64_t durable = durable_for(instance);
    for (size_t i = 0; i < instance->input_count; i++) {
        size_t at = instance->input_next++ % instance->input_count;
        if (loop_only && !instance->input_loops[at]) continue;
        sl_flowfile *flowfile = sl_queue_take(instance->inputs[at], durable);
        if (!flowfile) continue;
        sl_bodies_fetch(instance->engine, instance->inputs[at]);
        sl_flight_enter(instance->engine, flowfile);
        return flowfile;
    }
    return NULL;
}

static void on_time(uv_timer_t *timer) { sl_wake_instance(timer->data); }

static bool wait_until(sl_instance *instance, int64_t when, int64_t now)
{
    if (when <= now) return false;
    uv_update_time(instance->engine->loop);
    uv_timer_start(&instance->timer, on_time, (uint64_t)((when - now + SL_MILLISECOND - 1) / SL_MILLISECOND), 0);
    return true;
}

static unsigned concurrency(const sl_instance *instance)
{
    if (instance->processor->flags & SLUICE_SERIAL || instance->paused) return 1;
    return instance->definition->concurrency;
}

static int64_t next_cron(const sl_schedule *schedule);

static bool may_run(sl_instance *instance)
{
    sl_engine *engine = instance->engine;
    const sl_flow_processor *definition = instance->definition;
    int64_t now = sl_ticks();
    if (!engine->running || engine->failed || instance->flow->draining || instance->stopped || !definition->enabled ||
        !instance->flow->definition->enabled)
        return false;
    unsigned most = concurrency(instance);
    if (instance->active >= most && !sl_gate_ahead(instance, most)) return false;
    if (instance->recovered_effects && instance->component->pending) return false;
    if (instance->paused && !sl_instance_probing(instance)) {
        /* Looked at each second, since a secret may change before its time comes. */
        wait_until(instance, SL_MIN(instance->paused_until, now + SL_SECOND), now);
        return false;
    }
    /* A cron schedule does not run at the start, but when it says. */
    if (definition->schedule.kind == SL_AT_CRON && !instance->next_due) instance->next_due = next_cron(&definition->schedule);
    if (wait_until(instance, SL_MAX(instance->yield_until, instance->rest_until), now) || wait_until(instance, instance->next_due, now))
        return false;
    if (!sl_pressure_lets_run(instance)) return false;
    if (!(instance->processor->flags & SLUICE_SOURCE) && !has_input(instance)) return false;
    if (sl_journal_congested(engine->journal)) {
        engine->congested = true;
        return false;
    }
    return true;
}

/* ---- visits ------------------------------------------------------------------------------------------------------ */

static void visit(sl_instance *instance)
{
    bool at_once = !(instance->processor->flags & SLUICE_ON_WORKER);
    sl_pressure_eased(instance);
    while (may_run(instance)) {
        unsigned active = instance->active;
        sl_session_run(instance);
        if (at_once && instance->active <= active) break; /* it ended: others have their turn */
    }
}

static void run_ready(uv_idle_t *idle)
{
    sl_engine *engine = idle->data;
    int64_t end = sl_ticks() + TURN;
    while (engine->ready_first && sl_ticks() < end) visit(next_ready(engine));
    if (!engine->ready_first) uv_idle_stop(&engine->idle);
}

static int64_t next_cron(const sl_schedule *schedule)
{
    int64_t real = sl_now(), next = sl_cron_next(schedule->cron, real);
    return next < 0 ? INT64_MAX / 2 : sl_ticks() + (next - real);
}

/* When a processor runs next by its schedule, now that a session of it ended. */
static void pace(sl_session *session)
{
    sl_instance *instance = session->instance;
    const sl_schedule *schedule = &instance->definition->schedule;
    bool source = instance->processor->flags & SLUICE_SOURCE;
    bool rests = !source || session->scanned || !session->count; /* a scan goes on without waiting */
    int64_t now = sl_ticks();
    if (session->yielded) instance->yield_until = now + instance->definition->yield_us;
    if (!rests) return;
    if (schedule->kind == SL_EVERY) instance->next_due = SL_MAX(session->begun + schedule->every_us, now);
    else if (schedule->kind == SL_AT_CRON) {
        instance->next_due = next_cron(schedule);
    } else if (source) instance->yield_until = now + instance->definition->yield_us;
}

void sl_schedule_session_ended(sl_session *session)
{
    pace(session);
    sl_wake_instance(session->instance);
}

/* ---- retries, and what is looked at each second ------------------------------------------------------------------- */

static void on_retry(uv_timer_t *timer)
{
    sl_engine *engine = timer->data;
    int64_t now = sl_engine_steady(engine), next = INT64_MAX;
    engine->retry_due = INT64_MAX;
    SL_MAP_EACH (&engine->queues, entry) {
        sl_queue *queue = entry->value;
        if (!queue->waiting.count) continue;
        next = SL_MIN(next, sl_queue_wake(queue, now));
        if (queue->to) sl_wake_instance(queue->to);
    }
    if (next < INT64_MAX) sl_schedule_retry_at(engine, next);
}

void sl_schedule_retry_at(sl_engine *engine, int64_t when)
{
    if (when >= engine->retry_due && uv_is_active((uv_handle_t *)&engine->retry_timer)) return;
    int64_t wait = SL_MAX(when - sl_engine_steady(engine), (int64_t)0);
    engine->retry_due = when;
    uv_update_time(engine->loop);
    uv_timer_start(&engine->retry_timer, on_retry, (uint64_t)((wait + SL_MILLISECOND - 1) / SL_MILLISECOND), 0);
}

/* When a cron schedule says is wall time: it is looked up anew. */
static void find_cron(sl_instance *instance)
{
    const sl_schedule *schedule = &instance->definition->schedule;
    if (schedule->kind != SL_AT_CRON || !instance->next_due) return;
    instance->next_due = next_cron(schedule);
    sl_wake_instance(instance);
}

static void check_clock(sl_engine *engine)
{
    char text[SL_TIME_TEXT];
    int64_t step = sl_clock_check(&engine->clock);
    if (!step) return;
    sl_bulletin(engine->bulletins, SL_WARNING, "clock",
                "the clock was set %s by %s; retries and expiry go on by the time that really passes", step > 0 ? "forward" : "back",
                sl_duration_format((step > 0 ? step : -step) / SL_SECOND * SL_SECOND, text));
    each_instance(engine, find_cron);
    sl_expiry_anew(engine);
}

/* Each second: what expires, effects whose time came. */
static void housekeeping(uv_timer_t *timer)
{
    sl_engine *engine = timer->data;
    check_clock(engine);
    sl_bulletins_tick(engine->bulletins);
    each_instance(engine, sl_stuck_look);
    sl_disk_tick(engine);
    sl_engine_history_tick(engine);
    sl_expiry_look(engine);
    sl_turns_look(engine);
    sl_engine_retain(engine);
    sl_compact_tick(engine);
    sl_engine_memory_tick(engine);
    each_instance(engine, became_durable);
}

void sl_schedule_start(sl_engine *engine)
{
    engine->running = true;
    sl_engine_history_tick(engine);
    sl_disk_tick(engine);
    uv_timer_start(&engine->expiry_timer, housekeeping, 1000, 1000);
    uv_timer_start(&engine->retry_timer, on_retry, 0, 0);
    each_instance(engine, became_durable);
    sl_schedule_all(engine);
}
