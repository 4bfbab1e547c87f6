/* A flow's boxes. Made (init) before anything is attached, so that a definition that a module refuses changes nothing;
 * attached, the flow's queues are those of the state by name, and its processors take from them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "engine/session.h"

/* ---- make and free ------------------------------------------------------------------------------------------ */

static void timer_closed(uv_handle_t *timer)
{
    sl_instance *instance = SL_CONTAINER(timer, sl_instance, timer);
    instance->engine->open_handles--;
    uv_mutex_destroy(&instance->lock);
    free(instance);
}

void sl_instance_free(sl_instance *instance)
{
    if (!instance) return;
    SL_ASSERT(!instance->active);
    sl_schedule_remove(instance);
    if (instance->initialised && instance->processor && instance->processor->fini) instance->processor->fini(&instance->abi);
    if (instance->initialised && instance->service && instance->service->descriptor->fini)
        instance->service->descriptor->fini(&instance->abi);
    sl_map_done(&instance->secrets);
    sl_arena_done(&instance->secret_texts);
    sl_figures_done(&instance->figures);
    free(instance->error_message);
    free(instance->relationship_ids);
    free(instance->inputs);
    free(instance->input_loops);
    free(instance->name);
    instance->engine->open_handles++;
    uv_close((uv_handle_t *)&instance->timer, timer_closed);
}

sl_instance *sl_instance_new(sl_running_flow *flow, const char *name)
{
    sl_instance *instance = SL_NEW(sl_instance);
    instance->abi.host = &sl_host;
    instance->engine = flow->engine;
    instance->flow = flow;
    instance->name = sl_asprintf("%s/%s", flow->definition->name, name);
    uv_mutex_init(&instance->lock);
    uv_timer_init(flow->engine->loop, &instance->timer);
    instance->timer.data = instance;
    return instance;
}

int sl_instance_init(sl_instance *instance, int (*init)(sluice_instance *instance, sluice_failure *failure), sl_error *error)
{
    sluice_failure failure = {0};
    if (init && init(&instance->abi, &failure) < 0)
        return sl_error_set(error, EINVAL, "%s: %s: %s", instance->name, failure.code, failure.message);
    instance->initialised = true;
    return 0;
}

static void name_relationships(sl_instance *instance)
{
    const sl_flow_processor *definition = instance->definition;
    sl_journal *journal = instance->engine->journal;
    instance->relationship_ids = sl_alloc((definition->relationship_count + 1) * sizeof *instance->relationship_ids);
    for (size_t i = 0; i < definition->relationship_count; i++)
        instance->relationship_ids[i] = sl_journal_name(journal, sl_str_of(definition->relationships[i].name));
}

static int make_processors(sl_running_flow *flow, sl_error *error)
{
    sl_flow *definition = flow->definition;
    flow->instances = sl_alloc((definition->processor_count + 1) * sizeof *flow->instances);
    for (size_t i = 0; i < definition->processor_count; i++) {
        sl_instance *instance = flow->instances[i] = sl_instance_new(flow, definition->processors[i].name);
        instance->definition = &definition->processors[i];
        instance->processor = instance->definition->descriptor;
        instance->component = sl_engine_component(flow->engine, sl_str_of(instance->name));
        instance->name_id = instance->component->name;
        instance->stopped = sl_map_get(&instance->component->state, SL_STR(SL_STATE_STOPPED)) != NULL;
        instance->recovered_effects = sl_effects_recovered(instance);
        name_relationships(instance);
        sl_engine_history_restore(flow->engine, instance);
        if (sl_instance_init(instance, instance->processor->init, error) < 0) return -1;
    }
    return 0;
}

int sl_running_flow_new(sl_engine *engine, sl_flow *definition, sl_running_flow **ret, sl_error *error)
{
    sl_running_flow *flow = SL_NEW(sl_running_flow);
    flow->engine = engine;
    flow->definition = definition;
    if (sl_services_make(flow, error) < 0 || make_processors(flow, error) < 0) {
        flow->definition = NULL; /* stays the caller's */
        sl_running_flow_free(flow);
        return -1;
    }
    *ret = flow;
    return 0;
}

void sl_running_flow_free(sl_running_flow *flow)
{
    for (size_t i = 0; flow->instances && flow->instances[i]; i++) sl_instance_free(flow->instances[i]);
    sl_services_let_go(flow);
    sl_flow_free(flow->definition);
    free(flow->instances);
    free(flow->queues);
    free(flow);
}

/* ---- queues ------------------------------------------------------------------------------------------------------ */

static char *queue_key(const sl_running_flow *flow, const char *connection)
{
    return sl_asprintf("%s/%s", flow->definition->name, connection);
}

static sl_instance *instance_named(const sl_running_flow *flow, sl_str name)
{
    for (size_t i = 0; i < flow->definition->processor_count; i++)
        if (sl_str_is(name, flow->definition->processors[i].name)) return flow->instances[i];
    return NULL;
}

/* "flow/upload.crashed.hold" and "flow/upload.expired.hold" are made by the engine and belong to the processor. */
static sl_instance *owner_of_own_hold(const sl_running_flow *flow, sl_str key)
{
    size_t prefix = strlen(flow->definition->name) + 1;
    if (!sl_str_starts(key, flow->definition->name) || key.size <= prefix || key.data[prefix - 1] != '/') return NULL;
    sl_str rest = {key.data + prefix, key.size - prefix};
    const char *suffix = sl_str_ends(rest, ".crashed.hold") ? ".crashed.hold" : sl_str_ends(rest, ".expired.hold") ? ".expired.hold" : NULL;
    return suffix ? instance_named(flow, (sl_str){rest.data, rest.size - strlen(suffix)}) : NULL;
}

static bool has_place(const sl_running_flow *flow, sl_str key)
{
    size_t prefix = strlen(flow->definition->name) + 1;
    for (size_t i = 0; i < flow->definition->connection_count; i++)
        if (sl_str_is((sl_str){key.data + prefix, key.size - prefix}, flow->definition->connections[i].name)) return true;
    return owner_of_own_hold(flow, key) != NULL;
}

int sl_running_flow_check(sl_running_flow *flow, sl_error *error)
{
    char *prefix = sl_asprintf("%s/", flow->definition->name);
    int result = 0;
    SL_MAP_EACH (&flow->engine->queues, entry) {
        const sl_queue *queue = entry->value;
        sl_str key = {entry->key, entry->key_size};
        if (result < 0 || !queue->objects || !sl_str_starts(key, prefix) || has_place(flow, key)) continue;
        result = sl_error_set(error, ENOTEMPTY,
                              "%s: the state holds %" PRIu64 " FlowFiles in the queue %s, which this definition does not have; put that "
                              "connection back, let it run empty, or empty it with `sluice queue empty %s`",
                              flow->definition->name, queue->objects, queue->key, queue->key);
    }
    free(prefix);
    return result;
}

static void add_input(sl_instance *instance, sl_queue *queue, bool in_loop)
{
    instance->inputs = sl_grow(instance->inputs, instance->input_count, &instance->input_capacity, sizeof *instance->inputs);
    instance->input_loops = sl_realloc(instance->input_loops, instance->input_capacity * sizeof *instance->input_loops);
    instance->input_loops[instance->input_count] = in_loop;
    instance->inputs[instance->input_count++] = queue;
}

static sl_queue *expired_hold(sl_running_flow *flow, const sl_instance *to)
{
    char *key = sl_asprintf("%s.expired.hold", to->name);
    sl_queue *queue = sl_engine_queue(flow->engine, sl_str_of(key));
    free(key);
    return queue;
}

static bool have_bodies(sl_engine *engine, sl_queue *queue)
{
    for (sl_flowfile *at = queue->ready.first; at; at = at->next) sl_body_need(engine, at);
    bool all = !queue->cold;
    for (size_t i = 0; i < queue->waiting.count; i++) all = sl_body_need(engine, queue->waiting.items[i]) && all;
    return all;
}

/* A heap wants all attributes at once, also of those that wait and will come into it. Where one cannot be read, which is
 * told, the queue stays in its old order. */
static void prioritize(sl_running_flow *flow, sl_queue *queue, const sl_flow_connection *connection)
{
    if (!connection->priority_count || have_bodies(flow->engine, queue))
        sl_queue_prioritize(queue, connection->priorities, connection->priority_count);
}

static void attach_queue(sl_running_flow *flow, size_t index)
{
    const sl_flow_connection *connection = &flow->definition->connections[index];
    char *key = queue_key(flow, connection->name);
    sl_queue *queue = flow->queues[index] = sl_engine_queue(flow->engine, sl_str_of(key));
    queue->orphaned = false;
    queue->hold = connection->kind == SL_TO_HOLD;
    queue->max_objects = connection->max_objects;
    queue->max_bytes = connection->max_bytes;
    queue->from = flow->instances[connection->from];
    queue->to = connection->kind == SL_TO_PROCESSOR ? flow->instances[connection->to] : NULL;
    queue->expire_after = connection->expire_after_us;
    queue->expire_since_queued = connection->expire_since_queued;
    queue->expire_from = 0;
    queue->expire_to = NULL;
    if (connection->expire_after_us && connection->expire_to == SL_TO_HOLD)
        queue->expire_to = expired_hold(flow, queue->to ? queue->to : queue->from);
    if (queue->to) {
        add_input(queue->to, queue, connection->loop != 0);
        sl_retries_cut(queue);
    }
    prioritize(flow, queue, connection);
    free(key);
}

void sl_running_flow_attach(sl_running_flow *flow)
{
    sl_engine *engine = flow->engine;
    const sl_flow *definition = flow->definition;
    flow->queues = sl_alloc((definition->connection_count + 1) * sizeof *flow->queues);
    for (size_t i = 0; i < definition->connection_count; i++) attach_queue(flow, i);
    sl_pressure_forget(engine);
    SL_MAP_EACH (&engine->queues, entry) {
        sl_queue *queue = entry->value;
        sl_instance *owner = owner_of_own_hold(flow, (sl_str){entry->key, entry->key_size});
        if (!owner) continue;
        queue->orphaned = false;
        queue->hold = true;
        queue->from = owner;
    }
    for (size_t i = 0; i < definition->processor_count; i++)
        sl_journal_component(engine->journal, flow->instances[i]->name_id, sl_str_of(flow->instances[i]->processor->type),
                             sl_str_of(definition->revision));
    sl_map_put(&engine->flows, sl_str_of(definition->name), flow);
    sl_engine_flow_problem(engine, definition->name, NULL);
}

void sl_running_flow_detach(sl_running_flow *flow)
{
    SL_MAP_EACH (&flow->engine->queues, entry) {
        sl_queue *queue = entry->value;
        bool from = queue->from && queue->from->flow == flow, to = queue->to && queue->to->flow == flow;
        if (!from && !to) continue;
        queue->from = queue->to = NULL;
        queue->orphaned = true;
        queue->expire_after = 0;
    }
}

void sl_running_flow_cancel(sl_running_flow *flow)
{
    for (size_t i = 0; i < flow->definition->processor_count; i++)
        /* Cancelling completes later, never inside the call: the list stays as it is. */
        for (sl_session *session = flow->instances[i]->sessions; session; session = session->next) sl_session_cancel(session);
}

sl_instance *sl_engine_instance(sl_engine *engine, const char *name)
{
    const char *slash = strchr(name, '/');
    if (!slash) return NULL;
    sl_running_flow *flow = sl_map_get(&engine->flows, (sl_str){name, (size_t)(slash - name)});
    return flow ? instance_named(flow, sl_str_of(slash + 1)) : NULL;
}
