#include "life.h"

#include <stdio.h>

static const char *any_box(void) { return sim->plan.boxes[sim_below(SIM_BY_OPERATOR, sim->plan.box_count)].name; }

static void set(sl_engine *engine, const char *verb)
{
    sl_error error = {0};
    char name[64];
    snprintf(name, sizeof name, "t/%s", any_box());
    int result = sl_engine_processor_set(engine, name, verb, &error);
    sim_trace("operator: %s %s = %d", verb, name, result);
}

static void replaced(void *context, const char *failure)
{
    (void)context;
    sim_trace("operator: reload: %s", failure ? failure : "done");
}

static void reload(sl_engine *engine)
{
    unsigned which = (unsigned)sim_below(SIM_BY_OPERATOR, 2);
    sim_trace("operator: reload %u", which);
    sl_engine_replace_flow(engine, sim_flow(engine, which), replaced, NULL);
}

static sl_queue *any_queue(const sl_engine *engine)
{
    size_t nth = (size_t)sim_below(SIM_BY_OPERATOR, engine->queues.live);
    SL_MAP_EACH (&engine->queues, entry)
        if (nth-- == 0) return entry->value;
    return NULL;
}

static void operated(void *context, const sl_operated *result)
{
    (void)context;
    sim_trace("operator: done to %llu", (unsigned long long)result->count);
}

static void each_in(sl_engine *engine, const sl_queue *queue, void (*visit)(unsigned item, unsigned sinks))
{
    const sl_flowfile *at;
    for (size_t n = 0; (at = sl_slab_at(&engine->flowfiles, n)); n++) {
        if (!at->id || at->queue != queue) continue;
        unsigned item = sim_item_of(engine, at);
        if (item < SIM_ITEMS) visit(item, sim_sinks_after(queue->key, item));
    }
}

/* It is there now and may be dropped: the sinks behind are not to miss it. */
static void give_up(unsigned item, unsigned sinks) { sim->outside.items[item].emptied |= sinks; }

static void forget_intents(unsigned item, unsigned sinks)
{
    for (unsigned sink = 0; sink < SIM_SINKS; sink++)
        if (sinks >> sink & 1) sim->outside.deliveries[sink][item].left = true;
}

static void empty(sl_engine *engine)
{
    sl_error error = {0};
    sl_queue *queue = any_queue(engine);
    if (!queue) return;
    each_in(engine, queue, give_up);
    int result = sl_engine_queue_empty(engine, queue->key, NULL, operated, NULL, &error);
    sim_trace("operator: empty %s = %d", queue->key, result);
}

static void replay(sl_engine *engine, sl_queue *queue)
{
    sl_error error = {0};
    if (!queue || !queue->hold) return;
    each_in(engine, queue, forget_intents);
    int result = sl_engine_queue_replay(engine, queue->key, NULL, operated, NULL, &error);
    sim_trace("operator: replay %s = %d", queue->key, result);
}

/* What is in a queue can be told only when it is on disk. */
static bool all_durable(sl_engine *engine) { return sl_journal_durable(engine->journal) + 1 == sl_journal_next(engine->journal); }

void sim_operator_acts(sl_engine *engine)
{
    sim->totals.operations++;
    switch (sim_below(SIM_BY_OPERATOR, 12)) {
    case 0:
    case 1: set(engine, "stop"); break;
    case 2:
    case 3:
    case 4: set(engine, "start"); break;
    case 5:
    case 6:
    case 7: reload(engine); break;
    case 8:
        if (sim->plan.empties && all_durable(engine)) empty(engine);
        break;
    default:
        if (all_durable(engine)) replay(engine, any_queue(engine));
    }
}

void sim_operator_mends(sl_engine *engine)
{
    for (unsigned i = 0; i < sim->plan.box_count; i++) {
        sl_error error = {0};
        char name[64];
        snprintf(name, sizeof name, "t/%s", sim->plan.boxes[i].name);
        sl_engine_processor_set(engine, name, "start", &error);
    }
    if (sim_chance(SIM_BY_OPERATOR, 500)) return;
    SL_MAP_EACH (&engine->queues, entry) replay(engine, entry->value);
}
