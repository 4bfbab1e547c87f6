/* The way to a stop: nothing new is scheduled, open sessions end (cancelled at the deadline), what was appended becomes
 * durable. What is still queued stays where it is. */
#include "engine/private.h"

static void cancel_sessions(sl_engine *engine)
{
    SL_MAP_EACH (&engine->flows, entry) sl_running_flow_cancel(entry->value);
}

static void on_last_deadline(uv_timer_t *timer) { sl_stuck_leave(timer->data); }

/* What does not end though it is cancelled must not keep the process. */
static void begin_grace(sl_engine *engine)
{
    cancel_sessions(engine);
    uv_update_time(engine->loop);
    uv_timer_start(&engine->drain_timer, on_last_deadline, (uint64_t)(engine->grace / SL_MILLISECOND), 0);
}

static void on_deadline(uv_timer_t *timer)
{
    sl_engine *engine = timer->data;
    if (engine->open_sessions)
        sl_log(SL_WARNING, "engine", "%zu sessions are still open at the deadline; they are cancelled", engine->open_sessions);
    begin_grace(engine);
    /* What waits for a full disk was never acknowledged: the next start finds the sources as they are. */
    if (sl_journal_stalled(engine->journal)) sl_journal_give_up(engine->journal);
}

void sl_engine_check_drained(sl_engine *engine)
{
    if (!engine->draining || engine->drained || !engine->journal) return;
    if (engine->open_sessions || engine->running_effects || (engine->failed ? engine->releasing : sl_releases_left(engine)) ||
        engine->fetches || engine->sweeping || engine->history_writing || engine->memory_giving || engine->replacements ||
        engine->operations || sl_backup_runs(engine))
        return;
    if (!engine->failed && sl_journal_durable(engine->journal) + 1 < sl_journal_next(engine->journal)) return;
    engine->drained = true;
    uv_timer_stop(&engine->drain_timer);
    if (engine->on_drained) engine->on_drained(engine->on_drained_context);
}

void sl_engine_drain(sl_engine *engine, int64_t deadline_us, void (*drained)(void *context), void *context)
{
    bool again = engine->draining;
    engine->draining = true;
    engine->running = false;
    uv_timer_stop(&engine->expiry_timer);
    uv_timer_stop(&engine->retry_timer);
    sl_engine_backup_cancel(engine, "the daemon stops");
    if (!again) {
        engine->on_drained = drained;
        engine->on_drained_context = context;
        uv_timer_start(&engine->drain_timer, on_deadline, (uint64_t)(deadline_us / SL_MILLISECOND), 0);
    } else if (!engine->drained) begin_grace(engine);
    sl_engine_wake(engine); /* never inside this call */
}
