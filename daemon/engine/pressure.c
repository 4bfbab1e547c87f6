/* What full queues do to the processor before them.
 *
 * A processor does not run while a queue that it may fill is full: so back pressure reaches the source. (A disk that is
 * nearly full stops sources as well: disk.c.) Two things are
 * different, so that a flow never locks itself up and a stuck branch does not stall its sisters:
 *
 *   loops   A full queue that leads back to the processor itself must not stop it, or nobody would ever empty it. It then
 *           takes one FlowFile a session, only from queues of the loop, and gives no more to the loop than it takes from it: the
 *           loop turns. What it gave beyond (it splits) is counted; at LOOP_CREDIT it stops and says so. Nothing enters a
 *           loop from outside while a queue of it is full, so it does not grow.
 *   alone   A processor whose descriptor says that each FlowFile is judged alone (a router) runs while any way out is open.
 *           A FlowFile that wants into a full queue is set aside in its own queue, still counted there, others pass it,
 *           and it is judged again when there is room, in its old place in line. When all of its queue is aside, or
 *           ASIDE_MOST are, nothing moves: then back pressure goes on to what is before. */
#include <inttypes.h>

#include "engine/disk.h"
#include "engine/session.h"

enum { LOOP_CREDIT = 1000, ASIDE_MOST = 10000 };

/* ---- may it run? ------------------------------------------------------------------------------------------------- */

typedef struct ways {
    bool open;         /* a relationship without a full queue */
    bool blocked;      /* one with a full queue that is in no loop with it */
    bool blocked_loop; /* one with a full queue that is */
} ways;

static ways ways_out(const sl_instance *instance)
{
    const sl_flow_processor *definition = instance->definition;
    ways ways = {.open = !definition->relationship_count};
    for (size_t r = 0; r < definition->relationship_count; r++) {
        bool open = true;
        for (size_t c = 0; c < definition->relationships[r].connection_count; c++) {
            size_t at = definition->relationships[r].connections[c];
            if (!sl_queue_full(instance->flow->queues[at])) continue;
            open = false;
            *(instance->flow->definition->connections[at].loop ? &ways.blocked_loop : &ways.blocked) = true;
        }
        ways.open = ways.open || open;
    }
    return ways;
}

bool sl_instance_back_pressure(const sl_instance *instance)
{
    ways ways = ways_out(instance);
    return ways.blocked || ways.blocked_loop || sl_disk_stops(instance);
}

static bool judges_alone(const sl_instance *instance) { return instance->processor->flags & SLUICE_ALONE; }

static bool loop_may_turn(sl_instance *instance)
{
    if (instance->loop_debt < LOOP_CREDIT) return true;
    sl_bulletin(instance->engine->bulletins, SL_ERROR, instance->name,
                "the loop that it is in is full, and it makes more FlowFiles for the loop than it takes from it: it stops until there is "
                "room; give the loop a way out, or larger queues");
    return false;
}

/* Where FlowFiles enter a loop they do so only while no queue of it is full, wherever those that turn are just now. */
static bool is_gate(const sl_instance *instance)
{
    bool of_loop = false, of_others = false;
    for (size_t i = 0; i < instance->input_count; i++) *(instance->input_loops[i] ? &of_loop : &of_others) = true;
    return of_loop && of_others;
}

static bool loop_is_full(const sl_instance *instance)
{
    const sl_flow *flow = instance->flow->definition;
    for (size_t i = 0; i < flow->connection_count; i++)
        if (flow->connections[i].loop == instance->definition->loop && sl_queue_full(instance->flow->queues[i])) return true;
    return false;
}

void sl_pressure_room(sl_instance *from)
{
    sl_wake_instance(from);
    for (size_t i = 0; from->definition->loop && i < from->flow->definition->processor_count; i++) {
        sl_instance *at = from->flow->instances[i];
        if (at->definition->loop == from->definition->loop && is_gate(at)) sl_wake_instance(at);
    }
}

/* They stay in memory whole. */
static size_t aside(const sl_instance *instance)
{
    size_t count = 0;
    for (size_t i = 0; i < instance->input_count; i++) count += instance->inputs[i]->aside.count;
    return count;
}

bool sl_pressure_lets_run(sl_instance *instance)
{
    if (sl_disk_stops(instance)) return false;
    ways ways = ways_out(instance);
    instance->loop_turns = false;
    instance->loop_only = is_gate(instance) && loop_is_full(instance);
    if (!ways.blocked && !ways.blocked_loop) {
        instance->loop_debt = 0;
        return true;
    }
    if (judges_alone(instance) && ways.open && aside(instance) < ASIDE_MOST) return true;
    if (ways.blocked) return false;
    instance->loop_only = instance->loop_turns = true;
    return loop_may_turn(instance);
}

/* ---- loops ----------------------------------------------------------------------------------------------------------- */

static bool from_loop(const sl_instance *instance, const sl_queue *queue)
{
    for (size_t i = 0; i < instance->input_count; i++)
        if (instance->inputs[i] == queue) return instance->input_loops[i];
    return false;
}

void sl_pressure_count(sl_instance *instance, uint64_t taken, uint64_t given)
{
    int64_t debt = instance->loop_debt + (int64_t)given - (int64_t)taken;
    instance->loop_debt = SL_MAX(debt, (int64_t)0);
}

/* ---- room ---------------------------------------------------------------------------------------------------------------- */

#define ROOM "\x01room:" /* no module's target begins so */

/* The full queue that the FlowFile would go into; NULL: it may go. */
static sl_queue *full_for(const sl_instance *instance, const sl_flow_relationship *relationship, bool of_loop)
{
    for (size_t c = 0; c < relationship->connection_count; c++) {
        size_t at = relationship->connections[c];
        bool turns = of_loop && instance->flow->definition->connections[at].loop && instance->loop_debt < LOOP_CREDIT;
        if (!turns && sl_queue_full(instance->flow->queues[at])) return instance->flow->queues[at];
    }
    return NULL;
}

/* State, children and effects were made for all that the session took: then it commits as a whole. */
static bool separable(const sl_session *session)
{
    if (!judges_alone(session->instance) || session->states) return false;
    for (const sluice_flowfile *view = session->first; view; view = view->next)
        if (!view->base || view->effects) return false;
    return true;
}

void sl_pressure_begin(sl_session *session) { session->separable = separable(session); }

bool sl_pressure_sets_aside(sl_session *session, sluice_flowfile *view)
{
    sl_instance *instance = session->instance;
    if (!session->separable) return false;
    const sl_flow_relationship *relationship = &instance->definition->relationships[view->relationship];
    sl_queue *full = full_for(instance, relationship, from_loop(instance, view->base->queue));
    if (!full) return false;
    char *key = sl_asprintf(ROOM "%s", full->key);
    sl_flight_leave(instance->engine, view->base);
    sl_queue_set_aside(view->base);
    sl_turn_wait(instance->engine, view->base, key);
    free(key);
    return true;
}

/* As many as there is room for; the first in any case. */
static size_t fitting(const sl_queue *queue, const sl_turn *turn)
{
    uint64_t objects = queue->objects, bytes = queue->bytes;
    size_t count = 0;
    while (count < turn->count) {
        if (count && queue->max_objects && objects >= queue->max_objects) break;
        if (count && queue->max_bytes && bytes >= queue->max_bytes) break;
        objects++;
        bytes += sl_flowfile_size(turn->aside[count++]);
    }
    return count;
}

static void give_room(sl_engine *engine, const sl_queue *queue, bool all)
{
    char *key = sl_asprintf(ROOM "%s", queue->key);
    sl_turn *turn = sl_map_get(&engine->turns, sl_str_of(key));
    if (turn && (all || !sl_queue_full(queue))) sl_turn_wake(engine, turn, all ? turn->count : fitting(queue, turn));
    free(key);
}

void sl_pressure_eased(sl_instance *instance)
{
    if (!judges_alone(instance) || !instance->engine->turns.live) return;
    for (size_t r = 0; r < instance->definition->relationship_count; r++)
        for (size_t c = 0; c < instance->definition->relationships[r].connection_count; c++)
            give_room(instance->engine, instance->flow->queues[instance->definition->relationships[r].connections[c]], false);
}

void sl_pressure_forget(sl_engine *engine)
{
    SL_MAP_EACH (&engine->queues, entry) give_room(engine, entry->value, true);
}
