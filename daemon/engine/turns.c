/* Deliveries to one target run one at a time, in queue order, over all instances. The first that asks for a target
 * holds it until it leaves its queue; others are set aside, and go back to their old places in line when it leaves, so
 * that the oldest asks first. One that asked is noted at once, though it comes aside only when its session ends. */
#include <inttypes.h>

#include "engine/private.h"

static sl_turn *turn_of(sl_engine *engine, const char *key)
{
    sl_turn *turn = sl_map_get(&engine->turns, sl_str_of(key));
    if (turn) return turn;
    turn = SL_NEW(sl_turn);
    turn->key = sl_strdup(key);
    sl_map_put(&engine->turns, sl_str_of(key), turn);
    return turn;
}

static void turn_free(sl_turn *turn)
{
    free(turn->aside);
    free(turn->key);
    free(turn);
}

static void forget_if_unused(sl_engine *engine, sl_turn *turn)
{
    if (turn->holder || turn->count) return;
    sl_map_remove(&engine->turns, sl_str_of(turn->key));
    turn_free(turn);
}

static void hold(sl_turn *turn, sl_flowfile *flowfile)
{
    turn->holder = flowfile;
    turn->told = false;
    if (!flowfile->body->intent) flowfile->body->intent = SL_NEW(sl_intent);
    if (flowfile->body->intent->turn && strcmp(flowfile->body->intent->turn, turn->key) == 0) return;
    free(flowfile->body->intent->turn);
    flowfile->body->intent->turn = sl_strdup(turn->key);
}

/* What it holds goes to those who wait for it. */
static void give_up(sl_engine *engine, sl_flowfile *flowfile)
{
    const char *key = flowfile->body->intent ? flowfile->body->intent->turn : NULL;
    sl_turn *turn = key ? sl_map_get(&engine->turns, sl_str_of(key)) : NULL;
    if (!turn || turn->holder != flowfile) return;
    turn->holder = NULL;
    int64_t now = sl_engine_steady(engine);
    for (size_t i = 0; i < turn->count; i++) {
        turn->aside[i]->body->waits_for = NULL;
        if (turn->aside[i]->place == SL_ASIDE) sl_engine_give_back(engine, turn->aside[i], now);
    }
    turn->count = 0;
    forget_if_unused(engine, turn);
}

static void stop_waiting(sl_engine *engine, sl_flowfile *flowfile)
{
    sl_turn *turn = flowfile->body->waits_for;
    if (!turn) return;
    size_t at = 0;
    while (turn->aside[at] != flowfile) at++;
    memmove(&turn->aside[at], &turn->aside[at + 1], (--turn->count - at) * sizeof *turn->aside);
    flowfile->body->waits_for = NULL;
    forget_if_unused(engine, turn);
}

bool sl_turn_ask(sl_engine *engine, sl_flowfile *flowfile, const char *key)
{
    sl_turn *turn = turn_of(engine, key);
    if (turn->holder == flowfile) return true;
    if (flowfile->body->waits_for == turn) return false; /* it asked before */
    stop_waiting(engine, flowfile);
    give_up(engine, flowfile); /* of another target, where the flow's definition changed between two tries */
    turn = turn_of(engine, key);
    if (!turn->holder) {
        hold(turn, flowfile);
        return true;
    }
    turn->aside = sl_grow(turn->aside, turn->count, &turn->capacity, sizeof *turn->aside);
    turn->aside[turn->count++] = flowfile;
    flowfile->body->waits_for = turn;
    return false;
}

void sl_turn_restore(sl_engine *engine, sl_flowfile *flowfile)
{
    if (!flowfile->body->intent || !flowfile->body->intent->turn) return;
    sl_turn *turn = turn_of(engine, flowfile->body->intent->turn);
    if (!turn->holder) turn->holder = flowfile;
}

void sl_turn_release(sl_engine *engine, sl_flowfile *flowfile)
{
    stop_waiting(engine, flowfile);
    give_up(engine, flowfile);
}

void sl_turn_wait(sl_engine *engine, sl_flowfile *flowfile, const char *key)
{
    sl_turn *turn = turn_of(engine, key);
    turn->aside = sl_grow(turn->aside, turn->count, &turn->capacity, sizeof *turn->aside);
    size_t at = turn->count++;
    for (; at > 0 && turn->aside[at - 1]->moved > flowfile->moved; at--) turn->aside[at] = turn->aside[at - 1];
    turn->aside[at] = flowfile;
    flowfile->body->waits_for = turn;
}

void sl_turn_wake(sl_engine *engine, sl_turn *turn, size_t count)
{
    int64_t now = sl_engine_steady(engine);
    for (size_t i = 0; i < count; i++) {
        turn->aside[i]->body->waits_for = NULL;
        sl_engine_give_back(engine, turn->aside[i], now);
    }
    turn->count -= count;
    memmove(turn->aside, turn->aside + count, turn->count * sizeof *turn->aside);
    forget_if_unused(engine, turn);
}

/* Why nobody delivers it; NULL: somebody does. */
static const char *left_alone(const sl_flowfile *holder)
{
    const sl_queue *queue = holder->queue;
    if (holder->place == SL_TAKEN || !queue) return NULL;
    if (!queue->to) return "which no running flow has; load that flow again, or empty the queue";
    if (queue->to->stopped) return "whose processor is stopped; start it, or empty the queue";
    return queue->to->definition->enabled ? NULL : "whose processor is disabled; enable it, or empty the queue";
}

/* One that has begun a delivery (it has an intent) must end it before another may go to that target; one that only has its
 * turn has done nothing yet, and asks again when its time comes. */
void sl_turns_look(sl_engine *engine)
{
    SL_MAP_EACH (&engine->turns, entry) {
        sl_turn *turn = entry->value;
        sl_flowfile *holder = turn->holder;
        const char *why = holder && turn->count ? left_alone(holder) : NULL;
        if (!why || turn->told) continue;
        if (holder->body->intent && holder->body->intent->text) {
            turn->told = true;
            sl_bulletin(engine->bulletins, SL_WARNING, holder->queue->key,
                        "%zu deliveries to %.200s wait for FlowFile %" PRIu64 ", which has begun its own to it and is in %s, %s",
                        turn->count, turn->key, holder->id, holder->queue->key, why);
            continue;
        }
        give_up(engine, holder);
        sl_intent_free(holder->body->intent);
        holder->body->intent = NULL;
    }
}

void sl_turns_done(sl_engine *engine)
{
    SL_MAP_EACH (&engine->turns, entry) turn_free(entry->value);
    sl_map_done(&engine->turns);
}
