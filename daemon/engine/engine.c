#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/sys.h"
#include "engine/backup.h"
#include "engine/compact.h"
#include "engine/disk.h"
#include "engine/session.h"

enum { SCRATCH = 64 << 20, WINDOW = 10000 };

uint64_t sl_engine_append(sl_engine *engine, sl_batch *batch)
{
    uint64_t seq = sl_journal_append(engine->journal, batch);
    sl_engine_roll_if_full(engine);
    return seq;
}

int64_t sl_engine_time(sl_engine *engine)
{
    engine->last_time = SL_MAX(engine->last_time, SL_MAX(sl_now(), sl_content_time(engine->content)));
    return engine->last_time;
}

uint64_t sl_engine_durable(const sl_engine *engine) { return sl_journal_durable(engine->journal); }
sl_content *sl_engine_content(sl_engine *engine) { return engine->content; }

static int before_commit(void *context, sl_error *error) { return sl_content_sync(((sl_engine *)context)->content, error); }
static void committed(void *context) { sl_engine_wake(context); }

/* ---- things by name ------------------------------------------------------------------------------------------- */

sl_component *sl_engine_component(sl_engine *engine, sl_str name)
{
    sl_component *component = sl_map_get(&engine->components, name);
    if (!component) {
        component = SL_NEW(sl_component);
        component->pending_last = &component->pending;
        uv_mutex_init(&component->lock);
        sl_map_put(&engine->components, name, component);
    }
    if (!component->name && engine->journal) component->name = sl_journal_name(engine->journal, name);
    return component;
}

static void component_free(sl_component *component)
{
    while (component->pending) sl_pending_remove(component, component->pending->seq);
    SL_MAP_EACH (&component->state, entry) free(entry->value);
    sl_map_done(&component->state);
    uv_mutex_destroy(&component->lock);
    free(component);
}

sl_queue *sl_engine_queue(sl_engine *engine, sl_str key)
{
    sl_queue *queue = sl_map_get(&engine->queues, key);
    if (queue) return queue;
    char *copy = sl_strndup(key.data, key.size);
    queue = sl_queue_new(copy, sl_journal_name(engine->journal, key));
    queue->orphaned = true;
    queue->hold = sl_str_ends(key, ".hold");
    sl_map_put(&engine->queues, key, queue);
    free(copy);
    return queue;
}

const sl_registry *sl_engine_registry(sl_engine *engine) { return sl_modules_registry(engine->modules); }
struct sl_journal *sl_engine_journal(sl_engine *engine) { return engine->journal; }
const char *sl_engine_state(const sl_engine *engine) { return engine->state_folder; }

const sl_flow *sl_engine_flow(const sl_engine *engine, sl_str name)
{
    const sl_running_flow *flow = sl_map_get(&engine->flows, name);
    return flow ? flow->definition : NULL;
}

void sl_engine_flow_problem(sl_engine *engine, const char *name, const char *text)
{
    free(text ? sl_map_put(&engine->flow_problems, sl_str_of(name), sl_strdup(text))
              : sl_map_remove(&engine->flow_problems, sl_str_of(name)));
}

void sl_engine_bulletin(sl_engine *engine, sl_level level, const char *component, const char *text)
{
    sl_bulletin(engine->bulletins, level, component, "%s", text);
}

/* ---- open -------------------------------------------------------------------------------------------------------- */

static int read_node(sl_engine *engine, sl_error *error)
{
    char *path = sl_asprintf("%s/node", engine->state_folder);
    sl_buf text = SL_BUF(64);
    struct stat status;
    int result = 0;
    if (sl_sys_now->stat(path, &status) == 0 || errno != ENOENT) { /* a disk that fails does not make it another state */
        result = sl_read_file(path, 32, &text, error);
        if (result == 0) engine->node = (uint32_t)strtoul(text.data ? text.data : "", NULL, 10) & 0x3fffffff;
    } else {
        sl_sys_now->random(&engine->node, sizeof engine->node);
        engine->node &= 0x3fffffff;
        sl_buf_printf(&text, "%u\n", engine->node);
        result = sl_write_file_durably(path, sl_buf_view(&text), 0600, error);
    }
    sl_buf_done(&text);
    free(path);
    return result;
}

static sl_engine *engine_new(const sl_engine_options *options)
{
    sl_engine *engine = SL_NEW(sl_engine);
    engine->loop = options->loop;
    engine->state_folder = sl_strdup(options->state);
    engine->secrets_folder = options->secrets ? sl_strdup(options->secrets) : NULL;
    engine->paused = options->paused;
    engine->retain_bytes = options->retain_bytes;
    engine->waiters_last = &engine->waiters;
    engine->messages_last = &engine->messages;
    engine->releases_last = &engine->releases;
    engine->releases_held_last = &engine->releases_held;
    engine->releases_logged_last = &engine->releases_logged;
    engine->slots_fd = -1;
    engine->retry_due = INT64_MAX;
    engine->scratch = SL_BUF(SCRATCH);
    engine->window = options->window ? options->window : WINDOW;
    engine->started_at = sl_now();
    sl_clock_init(&engine->clock);
    engine->stuck_worker = 60 * SL_SECOND;
    engine->stuck_later = 900 * SL_SECOND;
    engine->grace = 3 * SL_SECOND;
    engine->loop_thread = uv_thread_self();
    engine->bulletins = sl_bulletins_new();
    atomic_init(&engine->next_id, 1);
    uv_mutex_init(&engine->lock);
    uv_async_init(engine->loop, &engine->wake, sl_engine_on_wake);
    uv_idle_init(engine->loop, &engine->idle);
    uv_timer_t *timers[] = {&engine->retry_timer, &engine->expiry_timer, &engine->drain_timer};
    for (size_t i = 0; i < SL_COUNT(timers); i++) {
        uv_timer_init(engine->loop, timers[i]);
        timers[i]->data = engine;
    }
    engine->wake.data = engine->idle.data = engine;
    return engine;
}

static int open_content(sl_engine *engine, sl_error *error)
{
    char *folder = sl_asprintf("%s/content", engine->state_folder);
    sl_content_options options = {.folder = folder, .unused = sl_releases_note, .context = engine};
    int result = sl_content_open(&options, &engine->content, error);
    free(folder);
    return result;
}

typedef struct opening {
    sl_engine *engine;
    const sl_engine_options *options;
} opening;

static void state_is_ours(void *context)
{
    const opening *o = context;
    sl_disk_open(o->engine, o->options);
}

static void on_notice(void *context, sl_level level, const char *text)
{
    sl_bulletin(((sl_engine *)context)->bulletins, level, "journal", "%s", text);
}

static int open_journal(sl_engine *engine, const sl_engine_options *given, sl_error *error)
{
    char *folder = sl_asprintf("%s/journal", engine->state_folder);
    sl_recovery *recovery = sl_recovery_new(engine);
    opening opening = {engine, given};
    sl_journal_options options = {.folder = folder,
                                  .segment_events = given->segment_events,
                                  .retain_us = given->retain_us,
                                  .retain_bytes = given->retain_bytes,
                                  .locked = state_is_ours,
                                  .locked_context = &opening,
                                  .before_commit = before_commit,
                                  .make_room = sl_disk_make_room,
                                  .committed = committed,
                                  .notice = on_notice,
                                  .context = engine};
    sl_recovery_fold(recovery, &options.fold);
    int result = sl_journal_open(&options, &engine->journal, error);
    if (result == 0) result = sl_recovery_finish(recovery, error);
    sl_recovery_free(recovery);
    free(folder);
    return result;
}

static unsigned worker_count(const sl_engine_options *options)
{
    if (options->workers) return options->workers;
    return SL_MAX(uv_available_parallelism(), 2u);
}

static int open_all(sl_engine *engine, const sl_engine_options *options, sl_error *error)
{
    char *modules = sl_modules_folder(options->modules);
    int result = sl_make_dirs(engine->state_folder, 0700, error);
    if (result == 0) result = sl_state_complete(engine->state_folder, error);
    if (result == 0) result = sl_modules_load(modules, &engine->modules, error);
    if (result == 0) result = open_content(engine, error);
    if (result == 0) result = open_journal(engine, options, error);
    if (result == 0) result = sl_engine_history_open(engine, error);
    if (result == 0) result = sl_watch_new(engine->bulletins, &engine->watch, error);
    if (result == 0) result = sl_workers_new(engine->loop, worker_count(options), &engine->workers, error);
    free(modules);
    return result;
}

int sl_engine_open(const sl_engine_options *options, sl_engine **ret, sl_error *error)
{
    sl_engine *engine = engine_new(options);
    if (open_all(engine, options, error) < 0) {
        sl_engine_close(engine);
        return -1;
    }
    sl_sweep_begin(engine);
    *ret = engine;
    return 0;
}

/* What needs the journal's lock first: another process may hold this state. */
int sl_engine_prepare_state(sl_engine *engine, sl_error *error)
{
    return read_node(engine, error) < 0 || sl_flight_open(engine, error) < 0 ? -1 : 0;
}

/* ---- start, drain, close -------------------------------------------------------------------------------------- */

int sl_engine_add_flow(sl_engine *engine, sl_flow *flow, sl_error *error)
{
    sl_running_flow *running;
    if (sl_map_get(&engine->flows, sl_str_of(flow->name)))
        return sl_error_set(error, EEXIST, "the flow %s runs already; replace it by a reload", flow->name);
    if (sl_running_flow_new(engine, flow, &running, error) < 0) return -1;
    if (sl_running_flow_check(running, error) < 0) {
        running->definition = NULL; /* stays the caller's */
        sl_running_flow_free(running);
        return -1;
    }
    sl_running_flow_attach(running);
    if (engine->running) sl_schedule_flow(running);
    return 0;
}

void sl_engine_start(sl_engine *engine)
{
    if (engine->paused) return;
    sl_flight_begin(engine);
    sl_schedule_start(engine);
    sl_engine_wake(engine); /* a checkpoint that a crash cut short goes on */
}

void sl_engine_on_failure(sl_engine *engine, void (*failed)(void *context, const char *message), void *context)
{
    engine->on_failure = failed;
    engine->on_failure_context = context;
}

void sl_engine_on_stuck(sl_engine *engine, void (*stuck)(void *context, const char *message), void *context)
{
    engine->on_stuck = stuck;
    engine->on_stuck_context = context;
}

static void handle_closed(uv_handle_t *handle) { --((sl_engine *)handle->data)->open_handles; }

static void close_handle(sl_engine *engine, uv_handle_t *handle)
{
    engine->open_handles++;
    uv_close(handle, handle_closed);
}

static void workers_closed(void *context) { --((sl_engine *)context)->open_handles; }

static void run_until_closed(sl_engine *engine)
{
    while (engine->open_handles || engine->open_calls) uv_run(engine->loop, UV_RUN_ONCE);
}

static void close_flows(sl_engine *engine)
{
    SL_MAP_EACH (&engine->flows, entry) {
        sl_running_flow *flow = entry->value;
        sl_running_flow_detach(flow);
        sl_running_flow_free(flow);
    }
    sl_map_done(&engine->flows);
    sl_map_done(&engine->services);
    run_until_closed(engine);
}

static void free_all(sl_engine *engine)
{
    sl_slab_done(&engine->flowfiles);
    SL_MAP_EACH (&engine->queues, entry) {
        sl_queue *queue = entry->value;
        sl_queue_free(queue);
    }
    SL_MAP_EACH (&engine->components, entry) component_free(entry->value);
    SL_MAP_EACH (&engine->flow_problems, entry) free(entry->value);
    sl_map_done(&engine->queues);
    sl_map_done(&engine->components);
    sl_map_done(&engine->flow_problems);
    sl_turns_done(engine);
    sl_map_done(&engine->holders);
    sl_releases_done(engine);
}

void sl_engine_close(sl_engine *engine)
{
    if (!engine) return;
    engine->running = false;
    engine->draining = true;
    sl_backup_join(engine);
    sl_engine_history_close(engine);
    close_flows(engine);
    engine->closing = true;
    if (engine->workers) {
        engine->open_handles++;
        sl_workers_close(engine->workers, workers_closed, engine);
    }
    sl_engine_run_messages(engine);
    run_until_closed(engine);
    sl_backup_done(engine);
    sl_operations_end(engine);
    sl_journal_close(engine->journal);
    sl_disk_close(engine->disk);
    sl_compact_free(engine);
    if (engine->slots) free_all(engine);
    sl_sweep_free(engine->sweep);
    sl_content_close(engine->content);
    uv_handle_t *handles[] = {(uv_handle_t *)&engine->wake, (uv_handle_t *)&engine->idle, (uv_handle_t *)&engine->retry_timer,
                              (uv_handle_t *)&engine->expiry_timer, (uv_handle_t *)&engine->drain_timer};
    for (size_t i = 0; i < SL_COUNT(handles); i++) close_handle(engine, handles[i]);
    run_until_closed(engine);
    sl_flight_close(engine);
    sl_modules_free(engine->modules);
    sl_watch_free(engine->watch);
    sl_bulletins_free(engine->bulletins);
    sl_buf_done(&engine->scratch);
    uv_mutex_destroy(&engine->lock);
    free(engine->state_folder);
    free(engine->secrets_folder);
    free(engine);
}
