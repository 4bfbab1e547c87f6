/* What an operator does to queues and processors. Each becomes events like a session's. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "engine/private.h"

static int find_queue(sl_engine *engine, const char *key, sl_queue **ret, sl_error *error)
{
    *ret = sl_map_get(&engine->queues, sl_str_of(key));
    if (*ret) return 0;
    return sl_error_set(error, ENOENT, "there is no queue %s; expected FLOW/PROCESSOR.RELATIONSHIP.TARGET; `sluice status` lists them",
                        key);
}

/* ---- over a queue's FlowFiles ----------------------------------------------------------------------------------- */

typedef struct operation {
    sl_engine *engine;
    sl_batch *batch;
    sl_queue *to;
    sl_selection which;
    uint64_t count;
    int64_t now;
    const char *key;
} operation;

/* One whose body is in the journal is only looked at: most of a long queue may not be meant. */
static bool attributes_fit(const operation *o, const sl_flowfile *flowfile)
{
    sl_body *lent;
    const sl_body *body = sl_body_look(o->engine, flowfile, &lent);
    bool fit = body != NULL;
    for (size_t i = 0; fit && i < o->which.attribute_count; i++) {
        sl_str found = sl_attributes_get(body->attributes, o->which.names[i]), wanted = o->which.values[i];
        fit = wanted.data ? found.data && sl_str_equal(found, wanted) : !found.data;
    }
    sl_body_discard(lent);
    return fit;
}

static bool concerns(const operation *o, const sl_flowfile *flowfile)
{
    if (flowfile->place == SL_TAKEN) return false; /* a session has it */
    if (o->which.through && flowfile->moved > o->which.through) return false;
    if (o->which.flowfile && flowfile->id != o->which.flowfile) return false;
    return !o->which.attribute_count || attributes_fit(o, flowfile);
}

static sl_str details_of(const operation *o, const char *verb, char text[400])
{
    snprintf(text, 400, "{\"%s\":\"%.300s\"}", verb, o->key);
    return sl_str_of(text);
}

static bool drop_one(void *context, sl_flowfile *flowfile)
{
    operation *o = context;
    char text[400];
    if (!concerns(o, flowfile) || !sl_body_need(o->engine, flowfile)) return true;
    sl_step step = {.type = SLUICE_DROP, .queue = 0, .details = details_of(o, "emptied", text)};
    step.component = flowfile->queue->from ? flowfile->queue->from->name_id : 0;
    sl_engine_take_out(o->engine, flowfile);
    sl_chain_add(o->engine, o->batch, flowfile, &step);
    sl_engine_forget(o->engine, flowfile);
    o->count++;
    return true;
}

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

static bool replay_one(void *context, sl_flowfile *flowfile)
{
    operation *o = context;
    char text[400];
    sl_pair changes[SL_COUNT(error_names)];
    if (!concerns(o, flowfile) || !sl_body_need(o->engine, flowfile)) return true;
    sl_step step = {.type = SLUICE_REPLAY, .queue = o->to->name, .details = details_of(o, "from", text)};
    step.component = o->to->to ? o->to->to->name_id : 0;
    sl_engine_take_out(o->engine, flowfile);
    step.change_count = clear_errors(flowfile, changes);
    step.changes = changes;
    sl_chain_add(o->engine, o->batch, flowfile, &step);
    sl_engine_put(o->engine, o->to, flowfile, o->now);
    o->count++;
    return true;
}

static uint64_t operate(operation *o, sl_queue *queue, bool (*visit)(void *context, sl_flowfile *flowfile))
{
    o->batch = sl_batch_new();
    o->now = sl_engine_wall(o->engine);
    /* Whose turn came because another left is in a place that was looked at already. */
    uint64_t before;
    do {
        before = o->count;
        sl_queue_each(queue, visit, o);
    } while (queue->to && o->count > before);
    sl_engine_append(o->engine, o->batch);
    return o->count;
}

int sl_engine_queue_empty(sl_engine *engine, const char *key, const sl_selection *which, uint64_t *ret_count, sl_error *error)
{
    sl_queue *queue;
    if (find_queue(engine, key, &queue, error) < 0) return -1;
    operation o = {.engine = engine, .which = which ? *which : (sl_selection){0}, .key = queue->key};
    *ret_count = operate(&o, queue, drop_one);
    return 0;
}

int sl_engine_queue_replay(sl_engine *engine, const char *key, const sl_selection *which, uint64_t *ret_count, sl_error *error)
{
    sl_queue *queue;
    if (find_queue(engine, key, &queue, error) < 0) return -1;
    if (!queue->hold)
        return sl_error_set(error, EINVAL, "%s is no hold queue: its FlowFiles are taken by %s without a replay", key,
                            queue->to ? queue->to->name : "its processor once a flow has it");
    if (!queue->from) return sl_error_set(error, ENOTCONN, "no running flow has the processor that %s gives back to", key);
    if (!queue->from->input_count)
        return sl_error_set(error, EINVAL, "%s is a source and takes no FlowFiles; change where %s leads in the flow, or empty it",
                            queue->from->name, key);
    operation o = {.engine = engine, .which = which ? *which : (sl_selection){0}, .to = queue->from->inputs[0], .key = queue->key};
    *ret_count = operate(&o, queue, replay_one);
    return 0;
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
