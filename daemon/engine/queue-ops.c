/* What an operator does to queues and processors. Each becomes events like a session's. */
#include <errno.h>
#include <stdio.h>

#include "engine/operations.h"

static int find_queue(sl_engine *engine, const char *key, sl_queue **ret, sl_error *error)
{
    *ret = sl_map_get(&engine->queues, sl_str_of(key));
    if (*ret) return 0;
    return sl_error_set(error, ENOENT, "there is no queue %s; expected FLOW/PROCESSOR.RELATIONSHIP.TARGET; `sluice status` lists them",
                        key);
}

static sl_str details_of(const sl_operation *o, const char *verb, char text[400])
{
    snprintf(text, 400, "{\"%s\":\"%.300s\"}", verb, o->queue->key);
    return sl_str_of(text);
}

/* ---- empty ----------------------------------------------------------------------------------------------------------- */

static void drop(sl_operation *o, sl_batch *batch, sl_flowfile *flowfile)
{
    char text[400];
    sl_step step = {.type = SLUICE_DROP, .queue = 0, .details = details_of(o, "emptied", text)};
    step.component = o->queue->from ? o->queue->from->name_id : 0;
    sl_engine_take_out(o->engine, flowfile);
    sl_chain_add(o->engine, batch, flowfile, &step);
    sl_engine_forget(o->engine, flowfile);
}

static const sl_operation_kind empty = {.name = "empty", .asked = true, .act = drop};

int sl_engine_queue_empty(sl_engine *engine, const char *key, const sl_selection *which,
                          void (*done)(void *context, const sl_operated *result), void *context, sl_error *error)
{
    sl_queue *queue;
    if (find_queue(engine, key, &queue, error) < 0) return -1;
    return sl_operation_begin(engine, &empty, queue, which, done, context, error) ? 0 : -1;
}

/* ---- replay ---------------------------------------------------------------------------------------------------------- */

static const char *const error_names[] = {"error.component", "error.relationship", "error.class", "error.code", "error.message"};

/* Its errors are of the past. */
static size_t clear_errors(sl_flowfile *flowfile, sl_pair changes[SL_COUNT(error_names)])
{
    size_t count = 0;
    for (size_t i = 0; i < SL_COUNT(error_names); i++)
        if (sl_attributes_get(flowfile->body->attributes, sl_str_of(error_names[i])).data)
            changes[count++] = (sl_pair){.name = sl_str_of(error_names[i])};
    if (!count) return 0;
    sl_attributes *after = sl_attributes_change(flowfile->body->attributes, changes, count);
    sl_attributes_unref(flowfile->body->attributes);
    flowfile->body->attributes = after;
    return count;
}

static int can_replay(const sl_queue *queue, sl_error *error)
{
    const char *key = queue->key;
    if (!queue->hold)
        return sl_error_set(error, EINVAL, "%s is no hold queue: its FlowFiles are taken by %s without a replay", key,
                            queue->to ? queue->to->name : "its processor once a flow has it");
    if (!queue->from) return sl_error_set(error, ENOTCONN, "no running flow has the processor that %s gives back to", key);
    if (!queue->from->input_count)
        return sl_error_set(error, EINVAL, "%s is a source and takes no FlowFiles; change where %s leads in the flow, or empty it",
                            queue->from->name, key);
    return 0;
}

/* The flow may be another by now. */
static int may_replay(const sl_operation *o, sl_error *error) { return can_replay(o->queue, error); }

static void give_back(sl_operation *o, sl_batch *batch, sl_flowfile *flowfile)
{
    char text[400];
    sl_pair changes[SL_COUNT(error_names)];
    sl_queue *to = o->queue->from->inputs[0];
    sl_step step = {.type = SLUICE_REPLAY, .queue = to->name, .details = details_of(o, "from", text), .changes = changes};
    step.component = to->to ? to->to->name_id : 0;
    sl_engine_take_out(o->engine, flowfile);
    step.change_count = clear_errors(flowfile, changes);
    sl_chain_add(o->engine, batch, flowfile, &step);
    sl_engine_put(o->engine, to, flowfile, sl_engine_wall(o->engine));
}

static const sl_operation_kind replay = {.name = "replay", .asked = true, .may = may_replay, .act = give_back};

int sl_engine_queue_replay(sl_engine *engine, const char *key, const sl_selection *which,
                           void (*done)(void *context, const sl_operated *result), void *context, sl_error *error)
{
    sl_queue *queue;
    if (find_queue(engine, key, &queue, error) < 0 || can_replay(queue, error) < 0) return -1;
    return sl_operation_begin(engine, &replay, queue, which, done, context, error) ? 0 : -1;
}

/* ---- processors -------------------------------------------------------------------------------------------------- */

static void set_stopped(sl_instance *instance, bool stopped)
{
    sl_component *component = instance->component;
    sl_batch *batch = sl_batch_new();
    instance->stopped = stopped;
    uv_mutex_lock(&component->lock);
    free(stopped ? sl_map_put(&component->state, SL_STR(SL_STATE_STOPPED), sl_strdup("1"))
                 : sl_map_remove(&component->state, SL_STR(SL_STATE_STOPPED)));
    uv_mutex_unlock(&component->lock);
    sl_batch_note(instance->engine, batch, SL_EVENT_STATE, component->name, 0, SL_STR(SL_STATE_STOPPED),
                  stopped ? SL_STR("1") : (sl_str){0});
    sl_engine_append(instance->engine, batch);
    if (stopped) return;
    instance->paused_until = instance->yield_until = instance->rest_until = 0; /* started by hand: tried now */
    sl_wake_instance(instance);
}

int sl_engine_processor_set(sl_engine *engine, const char *name, const char *verb, sl_error *error)
{
    sl_instance *instance = sl_engine_instance(engine, name);
    if (!instance)
        return sl_error_set(error, ENOENT, "there is no processor %s; expected FLOW/PROCESSOR; `sluice status` lists them", name);
    if (strcmp(verb, "start") != 0 && strcmp(verb, "stop") != 0)
        return sl_error_set(error, EINVAL, "expected start or stop, found %s", verb);
    set_stopped(instance, strcmp(verb, "stop") == 0);
    return 0;
}
