/* The history of this engine: what is sampled, its file STATE/history, and what the API shows of it. The file is written
 * on a worker once a minute when something is new, and at the end; what is damaged is begun anew. */
#include <errno.h>
#include <inttypes.h>

#include "base/sys.h"
#include "engine/private.h"

enum { FILE_LIMIT = 64 << 20, MINUTE_SECONDS = 60 };
#define MINUTE (MINUTE_SECONDS * SL_SECOND)
#define PERIOD (SL_FIGURE_SECONDS * SL_SECOND)

/* ---- sampling ------------------------------------------------------------------------------------------------------ */

static void counts_of(const sl_counts *c, uint64_t ret[SL_SERIES_VALUES])
{
    const uint64_t all[SL_SERIES_VALUES] = {c->in,    c->in_bytes,          c->out,     c->out_bytes, c->read_bytes, c->written_bytes,
                                            c->tasks, (uint64_t)c->task_us, c->failures};
    memcpy(ret, all, sizeof all);
}

/* Totals begin at 0 again when a flow's definition is replaced. */
static int64_t since(uint64_t *seen, uint64_t total)
{
    uint64_t more = total >= *seen ? total - *seen : total;
    *seen = total;
    return (int64_t)more;
}

static void add(sl_engine *engine, sl_series *series, int64_t minute, const int64_t *values)
{
    if (sl_series_add(series, minute, values)) engine->history_new = true;
}

static void sample_figures(sl_engine *engine, sl_instance *instance, int64_t minute)
{
    uv_mutex_lock(&instance->lock);
    for (size_t i = 0; i < instance->figures.named_count; i++) {
        char *key = sl_asprintf("%s#%s", instance->name, instance->figures.named[i].name);
        sl_series *series = sl_history_series(engine->history, SL_SERIES_FIGURE, key);
        if (series) add(engine, series, minute, &instance->figures.named[i].value);
        free(key);
    }
    uv_mutex_unlock(&instance->lock);
}

static void sample_instance(sl_engine *engine, sl_instance *instance, int64_t minute)
{
    sl_series *series = sl_history_series(engine->history, SL_SERIES_PROCESSOR, instance->name);
    uint64_t totals[SL_SERIES_VALUES];
    int64_t values[SL_SERIES_VALUES];
    if (!series) return;
    counts_of(&instance->figures.total, totals);
    for (size_t i = 0; i < SL_SERIES_VALUES; i++) values[i] = since(&series->seen[i], totals[i]);
    add(engine, series, minute, values);
    sample_figures(engine, instance, minute);
}

static void sample_queue(sl_engine *engine, const sl_queue *queue, int64_t minute)
{
    sl_series *series = sl_history_series(engine->history, SL_SERIES_QUEUE, queue->key);
    if (!series) return;
    int64_t in = since(&series->seen[0], queue->entered_objects), out = since(&series->seen[1], queue->left_objects);
    add(engine, series, minute, (int64_t[]){in, out, (int64_t)queue->objects, (int64_t)queue->bytes});
}

static void sample(sl_engine *engine, int64_t minute)
{
    SL_MAP_EACH (&engine->flows, entry) {
        const sl_running_flow *flow = entry->value;
        for (size_t i = 0; i < flow->definition->processor_count; i++)
            if (flow->instances[i]) sample_instance(engine, flow->instances[i], minute);
    }
    SL_MAP_EACH (&engine->queues, entry) {
        const sl_queue *queue = entry->value;
        if (!queue->orphaned || queue->objects) sample_queue(engine, queue, minute);
    }
}

/* ---- the last five minutes --------------------------------------------------------------------------------------------- */

/* Of a queue: seen[2] and seen[3] are its totals here. */
static void count_recent(sl_engine *engine, const sl_queue *queue, size_t periods)
{
    sl_series *series = sl_history_series(engine->history, SL_SERIES_QUEUE, queue->key);
    if (!series) return;
    if (!series->recent) series->recent = sl_alloc(SL_HISTORY_RECENT * sizeof *series->recent);
    periods = SL_MIN(periods, (size_t)SL_HISTORY_RECENT);
    memmove(series->recent + periods, series->recent, (SL_HISTORY_RECENT - periods) * sizeof *series->recent);
    memset(series->recent, 0, periods * sizeof *series->recent);
    series->recent[0][0] += (uint64_t)since(&series->seen[2], queue->entered_objects);
    series->recent[0][1] += (uint64_t)since(&series->seen[3], queue->left_objects);
}

void sl_engine_history_window(const sl_engine *engine, const sl_queue *queue, uint64_t *ret_in, uint64_t *ret_out)
{
    const sl_series *series = sl_history_find(engine->history, SL_SERIES_QUEUE, sl_str_of(queue->key));
    *ret_in = *ret_out = 0;
    for (size_t age = 0; series && series->recent && age < SL_HISTORY_RECENT; age++) {
        *ret_in += series->recent[age][0];
        *ret_out += series->recent[age][1];
    }
}

static size_t bucket_of(int64_t period) { return (size_t)((period % SL_FIGURE_BUCKETS + SL_FIGURE_BUCKETS) % SL_FIGURE_BUCKETS); }

void sl_engine_history_restore(sl_engine *engine, sl_instance *instance)
{
    sl_series *series = sl_history_find(engine->history, SL_SERIES_PROCESSOR, sl_str_of(instance->name));
    int64_t period = sl_ticks() / PERIOD;
    if (!series || !series->recent) return;
    for (int64_t age = 0; age < SL_HISTORY_RECENT; age++) {
        const uint64_t *v = series->recent[age];
        size_t at = bucket_of(period - age);
        instance->figures.bucket_at[at] = period - age;
        instance->figures.buckets[at] = (sl_counts){v[0], v[1], v[2], v[3], v[4], v[5], v[6], (int64_t)v[7], v[8]};
    }
    free(series->recent);
    series->recent = NULL;
}

static void keep_recent(sl_engine *engine, const sl_instance *instance)
{
    sl_series *series = sl_history_find(engine->history, SL_SERIES_PROCESSOR, sl_str_of(instance->name));
    int64_t period = sl_ticks() / PERIOD;
    if (!series) return;
    if (!series->recent) series->recent = sl_alloc(SL_HISTORY_RECENT * sizeof *series->recent);
    for (int64_t age = 0; age < SL_HISTORY_RECENT; age++) {
        size_t at = bucket_of(period - age);
        sl_counts none = {0};
        counts_of(instance->figures.bucket_at[at] == period - age ? &instance->figures.buckets[at] : &none, series->recent[age]);
    }
}

/* ---- the file --------------------------------------------------------------------------------------------------------------- */

typedef struct writing {
    sl_job job;
    sl_engine *engine;
    sl_buf text;
    int result;
    sl_error error;
} writing;

static char *path_of(const sl_engine *engine) { return sl_asprintf("%s/history", engine->state_folder); }

static void write_text(sl_job *job)
{
    writing *w = SL_CONTAINER(job, writing, job);
    char *path = path_of(w->engine);
    w->result = sl_write_file_durably(path, sl_buf_view(&w->text), 0600, &w->error);
    free(path);
}

static void written(sl_job *job, bool cancelled)
{
    writing *w = SL_CONTAINER(job, writing, job);
    (void)cancelled;
    if (w->result < 0)
        sl_bulletin(w->engine->bulletins, SL_WARNING, "history", "the figures of the day are not written, a restart will not have them: %s",
                    w->error.text);
    w->engine->history_writing = false;
    sl_engine_check_drained(w->engine);
    sl_buf_done(&w->text);
    free(w);
}

static writing *writing_new(sl_engine *engine)
{
    writing *w = SL_NEW(writing);
    *w = (writing){.job = {.work = write_text, .done = written}, .engine = engine, .text = SL_BUF(FILE_LIMIT)};
    SL_MAP_EACH (&engine->flows, entry) {
        const sl_running_flow *flow = entry->value;
        for (size_t i = 0; i < flow->definition->processor_count; i++)
            if (flow->instances[i]) keep_recent(engine, flow->instances[i]);
    }
    sl_history_save(engine->history, sl_now(), &w->text);
    engine->history_new = false;
    return w;
}

/* So that they are known before their first minute is over. */
static void note_processors(sl_engine *engine, const sl_running_flow *flow)
{
    for (size_t i = 0; i < flow->definition->processor_count; i++)
        if (flow->instances[i]) sl_history_series(engine->history, SL_SERIES_PROCESSOR, flow->instances[i]->name);
}

/* What recovery put into the queues did not come now. */
static void begin(sl_engine *engine)
{
    SL_MAP_EACH (&engine->queues, entry) {
        const sl_queue *queue = entry->value;
        sl_series *series = sl_history_series(engine->history, SL_SERIES_QUEUE, queue->key);
        if (!series) continue;
        series->seen[0] = series->seen[2] = queue->entered_objects;
        series->seen[1] = series->seen[3] = queue->left_objects;
    }
}

void sl_engine_history_tick(sl_engine *engine)
{
    if (!engine->history_minute) begin(engine);
    int64_t minute = sl_now() / MINUTE, period = sl_ticks() / PERIOD;
    size_t periods = engine->history_minute ? (size_t)(period - engine->history_period) : 0;
    engine->history_period = period;
    SL_MAP_EACH (&engine->queues, entry) count_recent(engine, entry->value, periods);
    SL_MAP_EACH (&engine->flows, entry) note_processors(engine, entry->value);
    if (minute == engine->history_minute) return;
    if (engine->history_minute) sample(engine, engine->history_minute);
    engine->history_minute = minute;
    if (!engine->history_new || engine->history_writing) return;
    engine->history_writing = true;
    sl_workers_submit(engine->workers, &writing_new(engine)->job, false);
}

int sl_engine_history_open(sl_engine *engine, sl_error *error)
{
    char *path = path_of(engine);
    sl_buf text = SL_BUF(FILE_LIMIT + 1);
    sl_error wrong = {0};
    engine->history = sl_history_new();
    struct stat status;
    int result = sl_sys_now->stat(path, &status) == 0 ? sl_read_file(path, FILE_LIMIT, &text, error) : 0;
    if (result == 0 && text.size && sl_history_load(engine->history, sl_buf_view(&text), sl_now(), &wrong) < 0)
        sl_bulletin(engine->bulletins, SL_WARNING, "history", "%s: %s; the figures of the day begin anew", path, wrong.text);
    sl_buf_done(&text);
    free(path);
    return result;
}

void sl_engine_history_close(sl_engine *engine)
{
    if (!engine->history) return;
    if (engine->history_minute) {
        sample(engine, engine->history_minute);
        writing *w = writing_new(engine);
        write_text(&w->job);
        written(&w->job, false);
    }
    sl_history_free(engine->history);
    engine->history = NULL;
}

/* ---- what the API shows --------------------------------------------------------------------------------------------------------- */

static const char *const processor_names[] = {"in",    "in_bytes", "out",     "out_bytes", "read_bytes", "written_bytes",
                                              "tasks", "task_us",  "failures"};
static const char *const queue_names[] = {"in", "out", "objects", "bytes"};
static const char *const figure_names[] = {"value"};
static const char *const *const names_of[] = {
    [SL_SERIES_PROCESSOR] = processor_names, [SL_SERIES_QUEUE] = queue_names, [SL_SERIES_FIGURE] = figure_names};

typedef struct span {
    int64_t first; /* minute */
    size_t count, step;
    sl_buf *ret;
    sl_str key; /* of the processor whose figures are shown */
    bool any;
} span;

static void points_json(const span *span, const sl_series *series)
{
    size_t width = sl_series_values(series->kind), counters = sl_series_counters(series->kind);
    int64_t *all = sl_alloc((span->count + 1) * width * sizeof *all);
    sl_series_read(series, span->first, span->count, all);
    sl_buf_char(span->ret, '[');
    for (size_t at = 0; at < span->count; at += span->step) {
        char time[SL_TIME_TEXT];
        size_t end = SL_MIN(at + span->step, span->count);
        sl_buf_printf(span->ret, "%s{\"time\":\"%s\"", at ? "," : "", sl_time_format((span->first + (int64_t)at) * MINUTE, time));
        for (size_t i = 0; i < width; i++) {
            int64_t value = i < counters ? 0 : all[(end - 1) * width + i];
            for (size_t m = at; i < counters && m < end; m++) value += all[m * width + i];
            sl_buf_printf(span->ret, ",\"%s\":%" PRId64, names_of[series->kind][i], value);
        }
        sl_buf_char(span->ret, '}');
    }
    sl_buf_char(span->ret, ']');
    free(all);
}

static void figure_json(void *context, sl_series *series)
{
    span *span = context;
    sl_str key = sl_str_of(series->key);
    if (series->kind != SL_SERIES_FIGURE || key.size <= span->key.size || memcmp(key.data, span->key.data, span->key.size) != 0 ||
        key.data[span->key.size] != '#')
        return;
    if (span->any) sl_buf_char(span->ret, ',');
    span->any = true;
    sl_json_string(span->ret, sl_str_of(series->key + span->key.size + 1));
    sl_buf_char(span->ret, ':');
    points_json(span, series);
}

typedef struct search {
    sl_str name;
    sl_series *found;
    bool several;
} search;

/* "flow/x", or "x" where one flow has it. */
static void match(void *context, sl_series *series)
{
    search *s = context;
    const char *slash = strchr(series->key, '/');
    if (series->kind == SL_SERIES_FIGURE || !slash) return;
    if (!sl_str_is(s->name, series->key) && !sl_str_is(s->name, slash + 1)) return;
    s->several = s->several || s->found;
    s->found = series;
}

static int find(const sl_engine *engine, sl_str name, sl_series **ret, sl_error *error)
{
    search s = {.name = name};
    sl_history_each(engine->history, match, &s);
    *ret = s.found;
    if (s.several)
        return sl_error_set(error, EINVAL, "component: %.*s is in several flows; name it FLOW/%.*s", SL_STR_ARGS(name), SL_STR_ARGS(name));
    if (s.found) return 0;
    return sl_error_set(error, ENOENT, "there are no figures of %.*s; expected a processor or a connection, as FLOW/NAME",
                        SL_STR_ARGS(name));
}

int sl_engine_history_json(sl_engine *engine, sl_str component, int64_t from, int64_t to, int64_t step, sl_buf *ret, sl_error *error)
{
    sl_series *series;
    if (find(engine, component, &series, error) < 0) return -1;
    if (step < MINUTE || step % MINUTE || step > SL_HISTORY_MINUTES * MINUTE)
        return sl_error_set(error, EINVAL, "step: expected whole minutes up to 24h");
    int64_t now = sl_now() / MINUTE, end = to ? SL_MIN(to / MINUTE, now) : now, first = SL_MAX(from / MINUTE, end - SL_HISTORY_MINUTES);
    first = sl_series_first(series) ? SL_MAX(first, sl_series_first(series)) : end;
    span span = {.first = first, .count = end > first ? (size_t)(end - first) : 0, .step = (size_t)(step / MINUTE), .ret = ret};
    span.key = sl_str_of(series->key);
    sl_buf_text(ret, "{\"component\":");
    sl_json_string(ret, span.key);
    sl_buf_printf(ret, ",\"kind\":\"%s\",\"step_seconds\":%zu,\"points\":", series->kind == SL_SERIES_QUEUE ? "connection" : "processor",
                  span.step * MINUTE_SECONDS);
    points_json(&span, series);
    sl_buf_text(ret, ",\"figures\":{");
    if (series->kind == SL_SERIES_PROCESSOR) sl_history_each(engine->history, figure_json, &span);
    sl_buf_text(ret, "}}");
    return 0;
}
