/* The host itself: clock, faults, injected failures, what is shared by its boxes. */
#include "private.h"

#include <stdio.h>

host *host_current;

/* ---- the clock: everything of the system but the time ------------------------------------------------- */

static sl_sys clock_sys;
static int64_t standing_realtime(void) { return host_current->realtime; }
static int64_t standing_monotonic(void) { return host_current->monotonic; }

static void stop_clock(host *host)
{
    host->realtime = sl_sys_real.realtime();
    host->monotonic = sl_sys_real.monotonic();
    clock_sys = sl_sys_real;
    clock_sys.realtime = standing_realtime;
    clock_sys.monotonic = standing_monotonic;
    sl_sys_now = &clock_sys;
}

int64_t host_now(host *host) { return host->realtime; }

void host_set_now(host *host, int64_t realtime_us) { host->realtime = realtime_us; }

/* ---- faults and failures ------------------------------------------------------------------------------- */

void host_fault_found(host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    host_say(host, format, arguments, &text);
    va_end(arguments);
    if (!host->expects_faults) sl_test_failed(host->module, 0, "fault: %s", text);
    uv_mutex_lock(&host->lock);
    host->fault = text;
    uv_mutex_unlock(&host->lock);
}

const char *host_fault(host *host)
{
    const char *fault = host->fault;
    host->expects_faults = true;
    host->fault = NULL;
    return fault;
}

/* Formats into the host's arena. */
void host_say(host *host, const char *format, va_list arguments, char **ret)
{
    sl_buf text = SL_BUF(65536);
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *made = sl_alloc((size_t)SL_MAX(size, 0) + 1);
    vsnprintf(made, (size_t)SL_MAX(size, 0) + 1, format, arguments);
    uv_mutex_lock(&host->lock);
    *ret = sl_arena_printf(&host->arena, "%s", made);
    uv_mutex_unlock(&host->lock);
    free(made);
    sl_buf_done(&text);
}

void host_check_loop(host *host, const char *call)
{
    uv_thread_t self = uv_thread_self();
    if (!uv_thread_equal(&self, &host->loop_thread))
        host_fault_found(host, "%s was called on a worker: it is for the loop thread only", call);
}

void host_check_session(session *session, const char *call)
{
    uv_thread_t self = uv_thread_self();
    const uv_thread_t *owner = session->on_worker && session->in_trigger ? &session->thread : &session->box->host->loop_thread;
    if (!uv_thread_equal(&self, owner)) host_fault_found(session->box->host, "%s was called on a thread that is not the session's", call);
}

void host_fail(host *host, host_point point, unsigned after, sluice_class class_, const char *code, const char *message)
{
    injection *injection = &host->injections[point];
    *injection = (struct injection){.armed = true, .after = after, .failure.class_ = class_};
    snprintf(injection->failure.code, sizeof injection->failure.code, "%s", code);
    snprintf(injection->failure.message, sizeof injection->failure.message, "%s", message);
}

bool host_injected(host *host, host_point point, sluice_failure *ret)
{
    injection *injection = &host->injections[point];
    uv_mutex_lock(&host->lock);
    bool fails = injection->armed && injection->after-- == 0;
    if (fails) {
        injection->armed = false;
        if (ret) *ret = injection->failure;
    }
    uv_mutex_unlock(&host->lock);
    return fails;
}

/* ---- what boxes share ------------------------------------------------------------------------------------ */

static void put_text(sl_map *map, const char *name, const char *value) { free(sl_map_put(map, sl_str_of(name), sl_strdup(value))); }
static void free_texts(sl_map *map)
{
    SL_MAP_EACH (map, entry) free(entry->value);
    sl_map_done(map);
}

void host_parameter(host *host, const char *name, const char *value) { put_text(&host->parameters, name, value); }
void host_secret(host *host, const char *name, const char *value) { put_text(&host->secrets, name, value); }

static sl_str find_parameter(void *context, sl_str name)
{
    host *host = context;
    const char *value = sl_map_get(&host->parameters, name);
    return value ? sl_str_of(value) : (sl_str){0};
}

sl_parameter_scope host_parameters(host *host) { return (sl_parameter_scope){.parameter = find_parameter, .context = host}; }

void host_service(host *host, const char *name, const char *yaml)
{
    sl_buf problems = SL_BUF(65536);
    box *box = box_make(host, name, yaml, true, &problems);
    if (problems.size) sl_test_failed(host->module, 0, "service %s: %s", name, problems.data);
    sl_map_put(&host->services, sl_str_of(name), box);
    sl_buf_done(&problems);
}

/* A released range or file goes at once: there is no journal that must know first. */
static void release(void *context, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    host *host = context;
    if (host->content) sl_content_release(host->content, id, kind, pack, offset, size);
}

bool host_logged(host *host, const char *part)
{
    uv_mutex_lock(&host->lock);
    bool found = host->log.data && strstr(host->log.data, part);
    uv_mutex_unlock(&host->lock);
    return found;
}

/* ---- its life ------------------------------------------------------------------------------------------------ */

static void open_content(host *host)
{
    sl_error error = {0};
    char *folder = sl_asprintf("%s/host-content", sl_test_folder());
    sl_content_options options = {.folder = folder, .unused = release, .context = host};
    int failed = sl_content_open(&options, &host->content, &error);
    if (failed) sl_panic(__FILE__, __LINE__, "%s", error.text);
    free(folder);
}

static void load_module(host *host)
{
    sl_error error = {0};
    char *all = sl_modules_folder(NULL);
    char *folder = strchr(host->module, '/') ? sl_strdup(host->module) : sl_asprintf("%s/%s", all, host->module);
    if (sl_modules_load(folder, &host->modules, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    for (size_t i = 0; sl_modules_at(host->modules, i); i++) {
        const sl_module *module = sl_modules_at(host->modules, i);
        if (module->refused) sl_test_failed(module->path, 0, "%s", module->refused);
    }
    if (!sl_modules_at(host->modules, 0)) sl_test_failed(folder, 0, "expected a module, found none");
    free(folder);
    free(all);
}

host *host_new(const char *module)
{
    SL_ASSERT(!host_current);
    host *host = SL_NEW(struct host);
    host_current = host;
    host->module = sl_strdup(module);
    host->log = SL_BUF(1 << 20);
    host->boxes_last = &host->boxes;
    host->calls_last = &host->calls;
    uv_mutex_init(&host->lock);
    SL_ASSERT(uv_loop_init(&host->loop) == 0);
    host->loop_thread = uv_thread_self();
    stop_clock(host);
    open_content(host);
    load_module(host);
    return host;
}

static void free_calls(host *host)
{
    for (sluice_call *call = host->calls, *next; call; call = next) {
        next = call->next;
        free(call);
    }
}

/* Processors end before the services that they use. */
static void free_boxes(host *host)
{
    for (int services = 0; services < 2; services++)
        for (box *box = host->boxes; box; box = box->next)
            if ((box->service != NULL) == services) box_free(box);
    for (box *box = host->boxes, *next; box; box = next) {
        next = box->next;
        sl_arena_done(&box->arena);
        free(box);
    }
}

void host_free(host *host)
{
    free_boxes(host);
    host_settle(host);
    uv_run(&host->loop, UV_RUN_DEFAULT);
    if (host->calls_open) host_fault_found(host, "%zu asynchronous calls never completed: fini must end what it began", host->calls_open);
    if (host->clients_open) host_fault_found(host, "%zu HTTP clients were not closed by fini", host->clients_open);
    if (uv_loop_close(&host->loop) != 0) host_fault_found(host, "handles are open on the loop after the test");
    free_calls(host);
    sl_content *content = host->content;
    host->content = NULL;
    sl_content_close(content);
    sl_modules_free(host->modules);
    free_texts(&host->parameters);
    free_texts(&host->secrets);
    sl_map_done(&host->services);
    sl_map_done(&host->turns);
    sl_arena_done(&host->arena);
    sl_buf_done(&host->log);
    uv_mutex_destroy(&host->lock);
    free(host->module);
    free(host);
    sl_sys_now = &sl_sys_real;
    host_current = NULL;
}
