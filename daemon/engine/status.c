/* What /api/v1/status and the bulletins show. Numbers and times are plain JSON; nothing here is a
 * property's value, so no secret can pass. */
#include <inttypes.h>

#include "base/sys.h"
#include "engine/disk.h"
#include "engine/operations.h"

/* ---- members ---------------------------------------------------------------------------------------------- */

static void member_text(sl_buf *ret, const char *name, sl_str text)
{
    sl_buf_printf(ret, "\"%s\":", name);
    text.data ? sl_json_string(ret, text) : sl_buf_text(ret, "null");
}

static void member_string(sl_buf *ret, const char *name, const char *text) { member_text(ret, name, text ? sl_str_of(text) : (sl_str){0}); }

static void member_time(sl_buf *ret, const char *name, int64_t time)
{
    char text[SL_TIME_TEXT];
    if (time) sl_buf_printf(ret, "\"%s\":\"%s\"", name, sl_time_format(time, text));
    else sl_buf_printf(ret, "\"%s\":null", name);
}

static void member_limit(sl_buf *ret, const char *name, uint64_t limit)
{
    if (limit) sl_buf_printf(ret, ",\"%s\":%" PRIu64, name, limit);
    else sl_buf_printf(ret, ",\"%s\":null", name);
}

static const char *truth(bool value) { return value ? "true" : "false"; }

/* "flow/rest": the flow; *ret_rest what follows. */
static sl_str split(const char *key, sl_str *ret_rest)
{
    const char *slash = strchr(key, '/');
    *ret_rest = sl_str_of(slash ? slash + 1 : key);
    return (sl_str){key, slash ? (size_t)(slash - key) : 0};
}

static void member_owner(sl_buf *ret, const char *key, const char *rest_name)
{
    sl_str rest, flow = split(key, &rest);
    member_text(ret, "flow", flow);
    sl_buf_char(ret, ',');
    member_text(ret, rest_name, rest);
}

/* ---- processors --------------------------------------------------------------------------------------------- */

static void counts_json(sl_buf *ret, const char *name, const sl_counts *c)
{
    sl_buf_printf(ret,
                  ",\"%s\":{\"in\":%" PRIu64 ",\"in_bytes\":%" PRIu64 ",\"out\":%" PRIu64 ",\"out_bytes\":%" PRIu64
                  ",\"read_bytes\":%" PRIu64 ",\"written_bytes\":%" PRIu64 ",\"tasks\":%" PRIu64 ",\"task_us\":%" PRId64
                  ",\"failures\":%" PRIu64 "}",
                  name, c->in, c->in_bytes, c->out, c->out_bytes, c->read_bytes, c->written_bytes, c->tasks, c->task_us, c->failures);
}

static void named_figures_json(sl_buf *ret, sl_instance *instance)
{
    sl_buf_text(ret, ",\"figures\":{");
    uv_mutex_lock(&instance->lock);
    for (size_t i = 0; i < instance->figures.named_count; i++) {
        const sl_named_figure *figure = &instance->figures.named[i];
        if (i) sl_buf_char(ret, ',');
        sl_json_string(ret, sl_str_of(figure->name));
        sl_buf_printf(ret, ":%" PRId64, figure->value);
    }
    uv_mutex_unlock(&instance->lock);
    sl_buf_char(ret, '}');
}

static void last_error_json(sl_buf *ret, const sl_instance *instance)
{
    if (!instance->error_at) {
        sl_buf_text(ret, ",\"last_error\":null");
        return;
    }
    sl_buf_text(ret, ",\"last_error\":{");
    member_time(ret, "at", instance->error_at);
    sl_buf_char(ret, ',');
    member_string(ret, "class", instance->error_class);
    sl_buf_char(ret, ',');
    member_string(ret, "message", instance->error_message);
    sl_buf_char(ret, '}');
}

static const char *state_of(const sl_instance *instance)
{
    const sl_engine *engine = instance->engine;
    if (!instance->definition->enabled) return "disabled";
    if (instance->stopped) return instance->active ? "stopping" : "stopped";
    if (engine->draining || instance->flow->draining) return "draining";
    if (engine->paused || !engine->running) return "waiting";
    return instance->paused ? "paused" : "running";
}

static void labels_json(sl_buf *ret, const sl_node *labels)
{
    sl_buf_text(ret, ",\"labels\":{");
    for (size_t i = 0; labels && i < labels->count; i++) {
        if (i) sl_buf_char(ret, ',');
        sl_json_string(ret, labels->keys[i]->text);
        sl_buf_char(ret, ':');
        sl_json_string(ret, labels->items[i]->text);
    }
    sl_buf_char(ret, '}');
}

static int64_t wall_of_ticks(const sl_instance *instance, int64_t ticks)
{
    const sl_clock *clock = &instance->engine->clock;
    return sl_clock_wall(clock, clock->base + (ticks - clock->base_ticks));
}

/* Wall time; 0: it does not. */
static int64_t rests_until(const sl_instance *instance)
{
    return instance->rest_until > sl_ticks() ? wall_of_ticks(instance, instance->rest_until) : 0;
}

static void processor_json(sl_buf *ret, sl_instance *instance)
{
    sl_counts window;
    bool wanted = instance->definition->enabled && !instance->stopped;
    sl_figures_window(&instance->figures, sl_ticks(), &window);
    sl_buf_char(ret, '{');
    member_string(ret, "id", instance->name);
    sl_buf_char(ret, ',');
    member_owner(ret, instance->name, "name");
    sl_buf_char(ret, ',');
    member_string(ret, "type", instance->processor->type);
    sl_buf_char(ret, ',');
    member_string(ret, "description", instance->definition->description);
    labels_json(ret, instance->definition->labels);
    sl_buf_printf(ret,
                  ",\"source\":%s,\"desired\":\"%s\",\"state\":\"%s\",\"active\":%u,\"concurrency\":%u,\"retrying\":%" PRIu64
                  ",\"pending_effects\":%zu,\"back_pressure\":%s,",
                  truth(instance->processor->flags & SLUICE_SOURCE), wanted ? "running" : "stopped", state_of(instance), instance->active,
                  instance->definition->concurrency, sl_instance_retrying(instance),
                  instance->component ? instance->component->pending_count : 0, truth(sl_instance_back_pressure(instance)));
    member_string(ret, "back_pressure_reason", sl_disk_stops(instance) ? sl_disk_reason(instance->engine) : NULL);
    sl_buf_char(ret, ',');
    member_time(ret, "last_success_at", instance->last_success_at);
    sl_buf_char(ret, ',');
    member_time(ret, "rests_until", rests_until(instance));
    sl_buf_char(ret, ',');
    member_time(ret, "stuck_since", instance->stuck_since ? wall_of_ticks(instance, instance->stuck_since) : 0);
    last_error_json(ret, instance);
    counts_json(ret, "five_minutes", &window);
    counts_json(ret, "total", &instance->figures.total);
    named_figures_json(ret, instance);
    sl_buf_char(ret, '}');
}

static void processors_json(sl_buf *ret, sl_engine *engine)
{
    bool any = false;
    SL_MAP_EACH (&engine->flows, entry) {
        sl_running_flow *flow = entry->value;
        for (size_t i = 0; i < flow->definition->processor_count; i++) {
            if (!flow->instances[i]) continue;
            if (any) sl_buf_char(ret, ',');
            any = true;
            processor_json(ret, flow->instances[i]);
        }
    }
}

/* ---- connections ---------------------------------------------------------------------------------------------- */

static void end_json(sl_buf *ret, const char *name, const sl_instance *instance)
{
    sl_buf_char(ret, ',');
    member_string(ret, name, instance ? instance->definition->name : NULL);
}

static void operation_json(sl_buf *ret, const sl_operation *operation)
{
    sl_buf_text(ret, ",\"operation\":");
    if (operation)
        sl_buf_printf(ret, "{\"kind\":\"%s\",\"done\":%" PRIu64 ",\"of\":%" PRIu64 "}", operation->kind->name, operation->result.count,
                      operation->of);
    else sl_buf_text(ret, "null");
}

void sl_engine_connection_json(const sl_engine *engine, const sl_queue *queue, sl_buf *ret)
{
    uint64_t in, out;
    sl_buf_char(ret, '{');
    member_owner(ret, queue->key, "id");
    end_json(ret, "from", queue->from);
    end_json(ret, "to", queue->to);
    sl_buf_printf(ret, ",\"objects\":%" PRIu64 ",\"bytes\":%" PRIu64, queue->objects, queue->bytes);
    member_limit(ret, "max_objects", queue->max_objects);
    member_limit(ret, "max_bytes", queue->max_bytes);
    sl_buf_char(ret, ',');
    member_time(ret, "oldest_queued_at", sl_queue_oldest(queue));
    sl_engine_history_window(engine, queue, &in, &out);
    sl_buf_printf(ret, ",\"five_minutes\":{\"in\":%" PRIu64 ",\"out\":%" PRIu64 "}", in, out);
    sl_buf_printf(ret, ",\"back_pressure\":%s,\"hold\":%s,\"held\":%" PRIu64 ",\"waiting\":%zu,\"taken\":%zu,\"orphaned\":%s",
                  truth(sl_queue_full(queue)), truth(queue->hold), queue->hold ? queue->objects : 0, queue->waiting.count,
                  queue->taken.count, truth(queue->orphaned));
    operation_json(ret, sl_operation_over(engine, queue));
    sl_buf_char(ret, '}');
}

static void connections_json(sl_buf *ret, sl_engine *engine)
{
    bool any = false;
    SL_MAP_EACH (&engine->queues, entry) {
        const sl_queue *queue = entry->value;
        /* A queue of a flow that is gone is only worth a word while something is in it. */
        if (queue->orphaned && !queue->objects) continue;
        if (any) sl_buf_char(ret, ',');
        any = true;
        sl_engine_connection_json(engine, queue, ret);
    }
}

/* ---- flows and the daemon -------------------------------------------------------------------------------------- */

static const char *flow_state(const sl_engine *engine, const sl_running_flow *flow)
{
    if (flow->draining || engine->draining) return "draining";
    return engine->paused || !engine->running ? "waiting" : "running";
}

static void flow_json(sl_buf *ret, sl_engine *engine, sl_str name, const sl_running_flow *running)
{
    sl_buf_char(ret, '{');
    member_text(ret, "name", name);
    sl_buf_char(ret, ',');
    member_string(ret, "description", running ? running->definition->description : NULL);
    sl_buf_char(ret, ',');
    member_string(ret, "revision", running ? running->definition->revision : NULL);
    sl_buf_printf(ret, ",\"state\":\"%s\",", running ? flow_state(engine, running) : "invalid");
    const char *problem = sl_map_get(&engine->flow_problems, name);
    member_string(ret, "problem", problem);
    sl_buf_char(ret, '}');
}

static void flows_json(sl_buf *ret, sl_engine *engine)
{
    bool any = false;
    SL_MAP_EACH (&engine->flows, entry) {
        if (any) sl_buf_char(ret, ',');
        any = true;
        flow_json(ret, engine, (sl_str){entry->key, entry->key_size}, entry->value);
    }
    SL_MAP_EACH (&engine->flow_problems, entry) {
        sl_str name = {entry->key, entry->key_size};
        if (sl_map_get(&engine->flows, name)) continue;
        if (any) sl_buf_char(ret, ',');
        any = true;
        flow_json(ret, engine, name, NULL);
    }
}

static void journal_json(sl_buf *ret, sl_engine *engine)
{
    sl_journal_figures figures;
    sl_error failure = {0};
    bool failed = sl_journal_failure(engine->journal, &failure);
    sl_journal_measure(engine->journal, &figures);
    sl_buf_printf(ret,
                  ",\"journal\":{\"durable_seq\":%" PRIu64 ",\"next_seq\":%" PRIu64
                  ",\"pending_bytes\":%zu,\"congested\":%s,\"events\":%" PRIu64 ",\"commits\":%" PRIu64 ",\"bytes\":%" PRIu64
                  ",\"segments\":%" PRIu32 ",\"commit_us_max\":%" PRId64 ",\"commit_us_sum\":%" PRId64 ",",
                  sl_journal_durable(engine->journal), sl_journal_next(engine->journal), figures.pending,
                  truth(sl_journal_congested(engine->journal)), figures.events, figures.commits, figures.bytes, figures.segments,
                  figures.commit_us_max, figures.commit_us_sum);
    member_string(ret, "failure", failed ? failure.text : NULL);
    sl_buf_char(ret, '}');
}

static const char *daemon_state(const sl_engine *engine)
{
    if (engine->failed) return "failed";
    if (engine->draining) return "draining";
    if (engine->paused) return "paused";
    return engine->running ? "running" : "starting";
}

/* Last, so that whoever compares two answers can leave out the part that changes by itself. */
static void daemon_json(sl_buf *ret, sl_engine *engine)
{
    int64_t now = sl_now();
    sl_buf_printf(ret, ",\"daemon\":{\"version\":\"%s\",\"state\":\"%s\",\"node\":%" PRIu32 ",", SL_VERSION, daemon_state(engine),
                  engine->node);
    member_time(ret, "started_at", engine->started_at);
    sl_buf_char(ret, ',');
    member_time(ret, "time", now);
    sl_buf_printf(ret, ",\"uptime_seconds\":%" PRId64 "}", (int64_t)((now - engine->started_at) / SL_SECOND));
}

void sl_engine_flows_json(sl_engine *engine, sl_buf *ret)
{
    sl_buf_text(ret, "{\"flows\":[");
    flows_json(ret, engine);
    sl_buf_text(ret, "]}");
}

void sl_engine_status_json(sl_engine *engine, sl_buf *ret)
{
    sl_buf_text(ret, "{\"flows\":[");
    flows_json(ret, engine);
    sl_buf_text(ret, "],\"processors\":[");
    processors_json(ret, engine);
    sl_buf_text(ret, "],\"connections\":[");
    connections_json(ret, engine);
    sl_buf_printf(ret, "],\"flowfiles\":%zu,\"delivered\":%" PRIu64 ",\"ended_by_failure\":%" PRIu64 ",\"content\":{\"bytes\":%" PRIu64 "}",
                  engine->flowfiles.count, engine->ended_delivered, engine->ended_failed, sl_content_bytes(engine->content));
    journal_json(ret, engine);
    daemon_json(ret, engine);
    sl_buf_text(ret, ",\"disk\":"); /* which changes by itself too */
    sl_disk_json(engine, ret);
    sl_buf_char(ret, '}');
}

void sl_engine_bulletins_json(sl_engine *engine, uint64_t after, size_t limit, sl_buf *ret, uint64_t *ret_last)
{
    sl_bulletins_json(engine->bulletins, after, limit, ret, ret_last);
}

const sl_modules *sl_engine_modules(const sl_engine *engine) { return engine->modules; }
