/* The routes of flows and their processors. */
#include <errno.h>
#include <time.h>

#include "api/private.h"

/* A flow's or a processor's name is checked before it goes anywhere. */
static bool name_valid(sl_request *request, sl_str name)
{
    if (sl_flow_name_valid(name)) return true;
    sl_answer_problem(request, 404, "there is no `%.*s`: names are of the form [a-z][a-z0-9_-]{0,62}", SL_STR_ARGS(name));
    return false;
}

/* ---- looking --------------------------------------------------------------------------------------------------------- */

static void flows_on_loop(void *context)
{
    sl_request *request = context;
    sl_engine_flows_json(atomic_load(&request->api->engine), &request->answer.text);
}

void sl_see_flows(sl_request *request)
{
    if (sl_api_ask(request->api, flows_on_loop, request) == 0) sl_answer_json(request);
}

typedef struct found_flow {
    sl_request *request;
    bool found;
    char revision[17];
} found_flow;

static void flow_on_loop(void *context)
{
    found_flow *f = context;
    const sl_flow *flow = sl_engine_flow(atomic_load(&f->request->api->engine), f->request->parameters[0]);
    f->found = flow != NULL;
    if (!flow) return;
    memcpy(f->revision, flow->revision, sizeof f->revision);
    sl_buf_str(&f->request->answer.text, flow->text);
}

static void no_flow(sl_request *request)
{
    sl_answer_problem(request, 404, "there is no running flow `%.*s`; /api/v1/flows lists them", SL_STR_ARGS(request->parameters[0]));
}

void sl_see_flow(sl_request *request)
{
    found_flow f = {.request = request};
    if (sl_api_ask(request->api, flow_on_loop, &f) < 0) return;
    if (!f.found) {
        no_flow(request);
        return;
    }
    const char *known = sl_request_header(request, "If-None-Match");
    bool same = known && strstr(known, f.revision);
    if (same) sl_buf_clear(&request->answer.text);
    sl_answer_header(request, "ETag", "\"%s\"", f.revision);
    sl_answer_done(request, same ? 304 : 200, "application/yaml");
}

/* ---- checking a text ----------------------------------------------------------------------------------------------------- */

static void problems_json(const sl_problems *problems, sl_buf *ret)
{
    sl_buf_printf(ret, "{\"valid\":%s,\"problems\":[", problems->errors ? "false" : "true");
    for (size_t i = 0; i < problems->count; i++) {
        const sl_problem *p = &problems->items[i];
        sl_buf_printf(ret, "%s{\"severity\":\"%s\",\"line\":%u,\"column\":%u,\"message\":", i ? "," : "", p->warning ? "warning" : "error",
                      p->mark.line, p->mark.column);
        sl_json_string(ret, sl_str_of(p->message));
        sl_buf_char(ret, '}');
    }
    sl_buf_text(ret, "]}");
}

static void name_must_fit(const sl_flow *flow, sl_str name, sl_problems *problems)
{
    if (flow && !sl_str_is(name, flow->name))
        sl_problem_error(problems, (sl_mark){0}, "expected `name: %.*s`, found `name: %s`", SL_STR_ARGS(name), flow->name);
}

void sl_see_validate(sl_request *request)
{
    const sl_api_options *from = &request->api->options;
    sl_str name = request->parameters[0];
    if (!name_valid(request, name)) return;
    sl_flow_options options = {.registry = sl_engine_registry(atomic_load(&request->api->engine))};
    char *file = sl_asprintf("%.*s.yaml", SL_STR_ARGS(name));
    sl_problems problems = {.file = file};
    if (from->settings) options.settings = from->settings(from->context, name, &options.setting_count);
    sl_flow *flow = sl_flow_parse(sl_buf_view(&request->body), file, &options, &problems);
    name_must_fit(flow, name, &problems);
    problems_json(&problems, &request->answer.text);
    sl_flow_free(flow);
    sl_problems_done(&problems);
    free(file);
    sl_answer_json(request);
}

/* ---- loading again --------------------------------------------------------------------------------------------------------- */

/* Two hold it: the worker that waits, and whoever will say that the reload is done. */
typedef struct reload {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    sl_api *api;
    char *flow; /* NULL: all */
    char *failure;
    bool done;
    unsigned holders;
} reload;

static void leave(reload *reload)
{
    pthread_mutex_lock(&reload->lock);
    bool last = --reload->holders == 0;
    pthread_mutex_unlock(&reload->lock);
    if (!last) return;
    pthread_mutex_destroy(&reload->lock);
    pthread_cond_destroy(&reload->changed);
    free(reload->failure);
    free(reload->flow);
    free(reload);
}

static void on_reloaded(void *context, const char *failure)
{
    reload *reload = context;
    pthread_mutex_lock(&reload->lock);
    reload->done = true;
    if (failure) reload->failure = sl_strdup(failure);
    pthread_cond_signal(&reload->changed);
    pthread_mutex_unlock(&reload->lock);
    leave(reload);
}

static void reload_on_loop(void *context)
{
    reload *reload = context;
    const sl_api_options *options = &reload->api->options;
    options->reload(options->context, reload->flow, on_reloaded, reload);
}

static bool ends(sl_api *api)
{
    pthread_mutex_lock(&api->lock);
    bool stopping = api->stopping;
    pthread_mutex_unlock(&api->lock);
    return stopping;
}

/* A drain may take its time; the daemon's end does not wait for it. */
static bool wait_for(reload *reload)
{
    pthread_mutex_lock(&reload->lock);
    while (!reload->done && !ends(reload->api)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&reload->changed, &reload->lock, &until);
    }
    bool done = reload->done;
    pthread_mutex_unlock(&reload->lock);
    return done;
}

void sl_see_reload(sl_request *request)
{
    sl_str name = request->parameters[0];
    if (name.data && !name_valid(request, name)) return;
    if (!request->api->options.reload) {
        sl_answer_problem(request, 501, "this daemon was started without files to load again");
        return;
    }
    reload *made = SL_NEW(reload);
    *made = (reload){.api = request->api, .flow = name.data ? sl_strndup(name.data, name.size) : NULL, .holders = 2};
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    if (sl_api_ask(request->api, reload_on_loop, made) < 0) made->holders = 1; /* nobody was asked */
    else if (wait_for(made)) {
        if (made->failure) sl_answer_problem(request, 422, "%s", made->failure);
        else {
            sl_buf_text(&request->answer.text, "{\"reloaded\":true}");
            sl_answer_json(request);
        }
    }
    leave(made);
}

/* ---- processors ----------------------------------------------------------------------------------------------------------------- */

typedef struct verb {
    sl_request *request;
    char *name;
    const char *verb;
    int result;
    sl_error error;
} verb;

static void verb_on_loop(void *context)
{
    verb *v = context;
    v->result = sl_engine_processor_set(atomic_load(&v->request->api->engine), v->name, v->verb, &v->error);
}

static void set_processor(sl_request *request, const char *what)
{
    sl_str flow = request->parameters[0], processor = request->parameters[1];
    if (!name_valid(request, flow)) return;
    verb v = {.request = request, .verb = what, .name = sl_asprintf("%.*s/%.*s", SL_STR_ARGS(flow), SL_STR_ARGS(processor))};
    if (sl_api_ask(request->api, verb_on_loop, &v) == 0) {
        sl_buf *text = &request->answer.text;
        sl_buf_text(text, "{\"processor\":");
        sl_json_string(text, sl_str_of(v.name));
        sl_buf_printf(text, ",\"desired\":\"%s\"}", strcmp(what, "start") == 0 ? "running" : "stopped");
        if (v.result < 0) sl_answer_error(request, &v.error);
        else sl_answer_json(request);
    }
    free(v.name);
}

void sl_see_processor_start(sl_request *request) { set_processor(request, "start"); }

void sl_see_processor_stop(sl_request *request) { set_processor(request, "stop"); }
