/* /metrics: Prometheus' text format and OpenMetrics. Families are tables; a row is a name, a kind, a line of help and
 * how to read its value. */
#include <inttypes.h>

#include "base/sys.h"
#include "engine/compact.h"
#include "engine/disk.h"
#include "engine/private.h"

typedef enum kind { GAUGE, COUNTER } kind;

typedef struct out {
    sl_buf *ret;
    bool openmetrics;
} out;

/* In Prometheus' format a counter's family has the name of its samples, in OpenMetrics the one without _total. */
static void family(const out *to, const char *name, kind kind, const char *help)
{
    const char *suffix = kind == COUNTER && !to->openmetrics ? "_total" : "";
    sl_buf_printf(to->ret, "# HELP sluice_%s%s %s\n# TYPE sluice_%s%s %s\n", name, suffix, help, name, suffix,
                  kind == COUNTER ? "counter" : "gauge");
}

static void escaped(sl_buf *ret, sl_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\\' || c == '"') sl_buf_char(ret, '\\');
        if (c == '\n') sl_buf_text(ret, "\\n");
        else sl_buf_char(ret, c);
    }
}

static void label(sl_buf *ret, bool *any, const char *name, sl_str value)
{
    sl_buf_printf(ret, "%s%s=\"", *any ? "," : "{", name);
    *any = true;
    escaped(ret, value);
    sl_buf_char(ret, '"');
}

/* "flow/rest" as the labels flow and `rest`; NULL key: none. `third` NULL: not there. */
static void labels(sl_buf *ret, const char *key, const char *rest, const char *third, sl_str third_value)
{
    bool any = false;
    const char *slash = key ? strchr(key, '/') : NULL;
    if (key) {
        label(ret, &any, "flow", (sl_str){key, slash ? (size_t)(slash - key) : 0});
        if (rest) label(ret, &any, rest, sl_str_of(slash ? slash + 1 : key));
    }
    if (third) label(ret, &any, third, third_value);
    if (any) sl_buf_char(ret, '}');
}

static void value(sl_buf *ret, double number)
{
    if (number == (double)(int64_t)number && number > -1e15 && number < 1e15) sl_buf_printf(ret, " %" PRId64 "\n", (int64_t)number);
    else sl_buf_printf(ret, " %.6f\n", number);
}

static void sample(const out *to, const char *name, kind kind, const char *key, const char *rest, double number)
{
    sl_buf_printf(to->ret, "sluice_%s%s", name, kind == COUNTER ? "_total" : "");
    labels(to->ret, key, rest, NULL, (sl_str){0});
    value(to->ret, number);
}

/* ---- processors -------------------------------------------------------------------------------------------- */

typedef struct processor_row {
    const char *name, *help;
    kind kind;
    double (*read)(const sl_instance *instance);
} processor_row;

#define PROCESSOR_READ(name, expression) \
    static double read_##name(const sl_instance *instance) { return (double)(expression); }
PROCESSOR_READ(in, instance->figures.total.in)
PROCESSOR_READ(in_bytes, instance->figures.total.in_bytes)
PROCESSOR_READ(out, instance->figures.total.out)
PROCESSOR_READ(out_bytes, instance->figures.total.out_bytes)
PROCESSOR_READ(read_bytes, instance->figures.total.read_bytes)
PROCESSOR_READ(written_bytes, instance->figures.total.written_bytes)
PROCESSOR_READ(tasks, instance->figures.total.tasks)
PROCESSOR_READ(task_seconds, (double)instance->figures.total.task_us / SL_SECOND)
PROCESSOR_READ(failures, instance->figures.total.failures)
PROCESSOR_READ(active, instance->active)
PROCESSOR_READ(retrying, sl_instance_retrying(instance))
PROCESSOR_READ(paused, instance->paused)
PROCESSOR_READ(stuck, instance->stuck)
PROCESSOR_READ(slow_triggers, instance->slow_triggers)
PROCESSOR_READ(stopped, instance->stopped || !instance->definition->enabled)
PROCESSOR_READ(last_success, (double)instance->last_success_at / SL_SECOND)

static const processor_row processor_rows[] = {
    {"processor_in_flowfiles", "FlowFiles taken from queues.", COUNTER, read_in},
    {"processor_in_bytes", "Their content's bytes.", COUNTER, read_in_bytes},
    {"processor_out_flowfiles", "FlowFiles transferred.", COUNTER, read_out},
    {"processor_out_bytes", "Their content's bytes.", COUNTER, read_out_bytes},
    {"processor_read_bytes", "Content bytes read.", COUNTER, read_read_bytes},
    {"processor_written_bytes", "Content bytes written.", COUNTER, read_written_bytes},
    {"processor_tasks", "Sessions that ended.", COUNTER, read_tasks},
    {"processor_task_seconds", "Time in sessions.", COUNTER, read_task_seconds},
    {"processor_failures", "FlowFiles that failed, retried ones each time.", COUNTER, read_failures},
    {"processor_active", "Sessions open now.", GAUGE, read_active},
    {"processor_retrying", "FlowFiles that wait for their retry.", GAUGE, read_retrying},
    {"processor_stuck", "Sessions open for longer than their limit.", GAUGE, read_stuck},
    {"processor_slow_triggers", "Triggers that held up the loop for over 50 ms.", COUNTER, read_slow_triggers},
    {"processor_paused", "1: paused by a failure of configuration.", GAUGE, read_paused},
    {"processor_stopped", "1: stopped by hand or disabled.", GAUGE, read_stopped},
    {"processor_last_success_timestamp_seconds", "When it last succeeded; 0: not since the start.", GAUGE, read_last_success},
};

static void processors(const out *to, sl_engine *engine)
{
    for (size_t r = 0; r < SL_COUNT(processor_rows); r++) {
        const processor_row *row = &processor_rows[r];
        family(to, row->name, row->kind, row->help);
        SL_MAP_EACH (&engine->flows, entry) {
            const sl_running_flow *flow = entry->value;
            for (size_t i = 0; i < flow->definition->processor_count; i++)
                if (flow->instances[i])
                    sample(to, row->name, row->kind, flow->instances[i]->name, "processor", row->read(flow->instances[i]));
        }
    }
}

static void named_figures(const out *to, sl_instance *instance)
{
    uv_mutex_lock(&instance->lock);
    for (size_t i = 0; i < instance->figures.named_count; i++) {
        const sl_named_figure *figure = &instance->figures.named[i];
        sl_buf_text(to->ret, "sluice_processor_figure");
        labels(to->ret, instance->name, "processor", "figure", sl_str_of(figure->name));
        value(to->ret, (double)figure->value);
    }
    uv_mutex_unlock(&instance->lock);
}

static void figures(const out *to, sl_engine *engine)
{
    family(to, "processor_figure", GAUGE, "What a module counts of its own.");
    SL_MAP_EACH (&engine->flows, entry) {
        const sl_running_flow *flow = entry->value;
        for (size_t i = 0; i < flow->definition->processor_count; i++)
            if (flow->instances[i]) named_figures(to, flow->instances[i]);
    }
}

/* ---- connections --------------------------------------------------------------------------------------------- */

typedef struct connection_row {
    const char *name, *help;
    double (*read)(const sl_queue *queue);
} connection_row;

#define CONNECTION_READ(name, expression) \
    static double read_queue_##name(const sl_queue *queue) { return (double)(expression); }
CONNECTION_READ(objects, queue->objects)
CONNECTION_READ(bytes, queue->bytes)
CONNECTION_READ(max_objects, queue->max_objects)
CONNECTION_READ(max_bytes, queue->max_bytes)
CONNECTION_READ(full, sl_queue_full(queue))
CONNECTION_READ(held, queue->hold ? queue->objects : 0)
CONNECTION_READ(oldest, (double)sl_queue_oldest(queue) / SL_SECOND)

static const connection_row connection_rows[] = {
    {"connection_objects", "FlowFiles in the queue, taken ones included.", read_queue_objects},
    {"connection_bytes", "Their content's bytes.", read_queue_bytes},
    {"connection_max_objects", "Back pressure's bound; 0: none.", read_queue_max_objects},
    {"connection_max_bytes", "Back pressure's bound; 0: none.", read_queue_max_bytes},
    {"connection_back_pressure", "1: at its bound.", read_queue_full},
    {"connection_held", "FlowFiles held for an operator.", read_queue_held},
    {"connection_oldest_timestamp_seconds", "When the oldest came into the queue; 0: empty.", read_queue_oldest},
};

static void connections(const out *to, sl_engine *engine)
{
    for (size_t r = 0; r < SL_COUNT(connection_rows); r++) {
        const connection_row *row = &connection_rows[r];
        family(to, row->name, GAUGE, row->help);
        SL_MAP_EACH (&engine->queues, entry) {
            const sl_queue *queue = entry->value;
            if (queue->orphaned && !queue->objects) continue;
            sample(to, row->name, GAUGE, queue->key, "connection", row->read(queue));
        }
    }
}

/* ---- the daemon ------------------------------------------------------------------------------------------------ */

static void single(const out *to, const char *name, kind kind, const char *help, double number)
{
    family(to, name, kind, help);
    sample(to, name, kind, NULL, NULL, number);
}

static void journal(const out *to, sl_engine *engine)
{
    sl_journal_figures f;
    sl_journal_measure(engine->journal, &f);
    single(to, "journal_events", COUNTER, "Events on disk since the start.", (double)f.events);
    single(to, "journal_commits", COUNTER, "Group commits since the start.", (double)f.commits);
    single(to, "journal_bytes", COUNTER, "Bytes of events committed since the start.", (double)f.bytes);
    single(to, "journal_commit_seconds", COUNTER, "Time in commits since the start.", (double)f.commit_us_sum / SL_SECOND);
    single(to, "journal_commit_seconds_max", GAUGE, "The slowest commit since the start.", (double)f.commit_us_max / SL_SECOND);
    single(to, "journal_pending_bytes", GAUGE, "Bytes of events not yet on disk.", (double)f.pending);
    single(to, "journal_durable_seq", GAUGE, "The last event on disk.", (double)sl_journal_durable(engine->journal));
    single(to, "journal_segment", GAUGE, "Number of the open segment.", (double)f.segments);
    single(to, "journal_failed", GAUGE, "1: commits fail.", sl_journal_failure(engine->journal, NULL));
}

static void build_info(const out *to)
{
    family(to, "build_info", GAUGE, "1, with the version as a label.");
    sl_buf_text(to->ret, "sluice_build_info");
    labels(to->ret, NULL, NULL, "version", sl_str_of(SL_VERSION));
    value(to->ret, 1);
}

static void flow_problems(const out *to, sl_engine *engine)
{
    family(to, "flow_invalid", GAUGE, "1: the flow's file could not be loaded.");
    SL_MAP_EACH (&engine->flows, entry)
        sample(to, "flow_invalid", GAUGE, entry->key, NULL,
               sl_map_get(&engine->flow_problems, (sl_str){entry->key, entry->key_size}) != NULL);
    SL_MAP_EACH (&engine->flow_problems, entry)
        if (!sl_map_get(&engine->flows, (sl_str){entry->key, entry->key_size})) sample(to, "flow_invalid", GAUGE, entry->key, NULL, 1);
}

void sl_engine_metrics(sl_engine *engine, bool openmetrics, sl_buf *ret)
{
    out to = {ret, openmetrics};
    build_info(&to);
    single(&to, "start_time_seconds", GAUGE, "When the daemon started.", (double)engine->started_at / SL_SECOND);
    single(&to, "flowfiles", GAUGE, "FlowFiles alive.", (double)engine->flowfiles.count);
    single(&to, "delivered_flowfiles", COUNTER, "FlowFiles that ended at `end` since the start.", (double)engine->ended_delivered);
    single(&to, "failed_flowfiles", COUNTER, "FlowFiles that a relationship named failure ended.", (double)engine->ended_failed);
    single(&to, "content_bytes", GAUGE, "Content on disk.", (double)sl_content_bytes(engine->content));
    single(&to, "content_moved_bytes", COUNTER, "Content copied out of packs of which little else was held.",
           (double)sl_compact_bytes(engine));
    single(&to, "disk_available_bytes", GAUGE, "Free on the state's file system, as last looked at.", (double)sl_disk_available(engine));
    single(&to, "disk_sources_stopped", GAUGE, "1: sources wait for room on the disk.", sl_disk_reason(engine) != NULL);
    journal(&to, engine);
    flow_problems(&to, engine);
    processors(&to, engine);
    figures(&to, engine);
    connections(&to, engine);
    if (openmetrics) sl_buf_text(ret, "# EOF\n");
}
