/* For `sluice run --until-idle`: is there anything left to do, and what. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/disk.h"
#include "engine/private.h"

static void sum_queues(sl_engine *engine, sl_engine_summary *ret, bool *ret_workable)
{
    SL_MAP_EACH (&engine->queues, entry) {
        const sl_queue *queue = entry->value;
        if (queue->hold) ret->held += queue->objects;
        else ret->queued += queue->objects;
        if (queue->hold || !queue->objects) continue;
        ret->retrying += queue->waiting.count;
        if (!queue->to || !queue->to->paused) *ret_workable = true;
    }
}

static bool runs(const sl_instance *instance) { return instance->definition->enabled && !instance->stopped; }

static bool source_done(sl_instance *instance)
{
    bool never = (instance->processor->flags & SLUICE_ENDLESS) && !(instance->processor->ends && instance->processor->ends(&instance->abi));
    return !never && instance->scanned && instance->scan_waiting == 0;
}

static void sum_instances(sl_running_flow *flow, sl_engine_summary *ret, bool *ret_sources_done, bool *ret_paused, size_t *ret_pending)
{
    for (size_t i = 0; i < flow->definition->processor_count; i++) {
        sl_instance *instance = flow->instances[i];
        bool source = instance->processor->flags & SLUICE_SOURCE;
        *ret_pending += instance->component->pending_count;
        *ret_paused = *ret_paused || instance->paused;
        if (!source || !runs(instance)) continue;
        ret->waiting_files += instance->scan_waiting;
        if ((instance->processor->flags & SLUICE_ENDLESS) && !(instance->processor->ends && instance->processor->ends(&instance->abi)))
            ret->endless = true;
        /* A paused source has no more to give until it is mended. */
        if (!instance->paused && (!source_done(instance) || sl_disk_stops(instance))) *ret_sources_done = false;
    }
}

void sl_engine_summarise(sl_engine *engine, sl_engine_summary *ret)
{
    bool workable = false, sources_done = true, paused = false;
    size_t pending = 0;
    *ret = (sl_engine_summary){.delivered = engine->ended_delivered, .failed_ended = engine->ended_failed};
    bool waits = sl_disk_reason(engine) != NULL;
    sum_queues(engine, ret, &workable);
    SL_MAP_EACH (&engine->flows, entry) sum_instances(entry->value, ret, &sources_done, &paused, &pending);
    ret->in_flight = engine->open_sessions;
    bool durable = sl_journal_durable(engine->journal) + 1 >= sl_journal_next(engine->journal);
    bool quiet = sources_done && !engine->open_sessions && !pending && durable;
    ret->idle = quiet && !ret->queued && !paused;
    ret->only_paused = quiet && paused && !workable;
    if (ret->idle) return;
    snprintf(ret->why, sizeof ret->why,
             "%s%" PRIu64 " queued, %" PRIu64 " wait for a retry, %" PRIu64 " files wait for their age, %zu effects pending%s",
             sources_done ? ""
             : waits      ? "sources wait for room on the disk; "
                          : "sources still scan; ",
             ret->queued, ret->retrying, ret->waiting_files, pending, paused ? "; a processor is paused" : "");
}

/* A source without a schedule rests between two scans that find nothing; who waits for the end of a run need not. */
void sl_engine_hurry(sl_engine *engine)
{
    SL_MAP_EACH (&engine->flows, entry) {
        const sl_running_flow *flow = entry->value;
        for (size_t i = 0; i < flow->definition->processor_count; i++) {
            sl_instance *instance = flow->instances[i];
            bool rests = instance->processor->flags & SLUICE_SOURCE && !instance->active && !instance->scanned && !instance->paused &&
                         instance->definition->schedule.kind == SL_AS_SOON && instance->scan_waiting == 0;
            if (!rests || !instance->yield_until) continue;
            instance->yield_until = 0;
            sl_wake_instance(instance);
        }
    }
}
