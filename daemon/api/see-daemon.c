/* The routes of the daemon itself: health, figures, types, sessions, the dashboard's files. */
#include <ctype.h>

#include "api/private.h"
#include "engine/types.h"

/* ---- health ------------------------------------------------------------------------------------------------------ */

void sl_see_healthz(sl_request *request)
{
    sl_buf_text(&request->answer.text, "ok\n");
    sl_answer_done(request, 200, "text/plain; charset=utf-8");
}

void sl_see_readyz(sl_request *request)
{
    bool ready = atomic_load(&request->api->engine) != NULL;
    sl_buf_text(&request->answer.text, ready ? "ready\n" : "recovering\n");
    sl_answer_done(request, ready ? 200 : 503, "text/plain; charset=utf-8");
}

void sl_see_openapi(sl_request *request)
{
    request->answer.fixed = request->api->openapi;
    request->answer.size = strlen(request->api->openapi);
    sl_answer_json(request);
}

/* ---- what the loop says ------------------------------------------------------------------------------------------- */

static void status_on_loop(void *context)
{
    sl_request *request = context;
    sl_engine_status_json(atomic_load(&request->api->engine), &request->answer.text);
}

void sl_see_status(sl_request *request)
{
    if (sl_api_ask(request->api, status_on_loop, request) == 0) sl_answer_json(request);
}

static bool wants_openmetrics(const sl_request *request)
{
    const char *accept = sl_request_header(request, "Accept");
    return accept && strstr(accept, "application/openmetrics-text");
}

static void metrics_on_loop(void *context)
{
    sl_request *request = context;
    sl_engine_metrics(atomic_load(&request->api->engine), wants_openmetrics(request), &request->answer.text);
}

void sl_see_metrics(sl_request *request)
{
    if (sl_api_ask(request->api, metrics_on_loop, request) < 0) return;
    sl_answer_done(request, 200,
                   wants_openmetrics(request) ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8");
}

typedef struct past {
    sl_request *request;
    sl_str component;
    int64_t from, to, step;
    int result;
    sl_error error;
} past;

static void past_on_loop(void *context)
{
    past *p = context;
    p->result = sl_engine_history_json(atomic_load(&p->request->api->engine), p->component, p->from, p->to, p->step,
                                       &p->request->answer.text, &p->error);
}

void sl_see_status_history(sl_request *request)
{
    past p = {.request = request, .component = sl_uri_get(&request->uri, "component"), .step = 60 * SL_SECOND};
    sl_str step = sl_uri_get(&request->uri, "step");
    if (!p.component.data) {
        sl_answer_problem(request, 400, "component: expected a processor or connection, as FLOW/NAME; `sluice status` lists them");
        return;
    }
    if (step.data && sl_duration_parse(step, &p.step) < 0) {
        sl_answer_problem(request, 400, "step: expected a duration like 5m, found `%.*s`", SL_STR_ARGS(step));
        return;
    }
    if (!sl_request_time(request, "from", &p.from) || !sl_request_time(request, "to", &p.to)) return;
    if (sl_api_ask(request->api, past_on_loop, &p) < 0) return;
    if (p.result < 0) sl_answer_error(request, &p.error);
    else sl_answer_json(request);
}

typedef struct bulletins {
    sl_request *request;
    uint64_t after, limit, last;
    sl_buf list;
} bulletins;

static void bulletins_on_loop(void *context)
{
    bulletins *b = context;
    sl_engine_bulletins_json(atomic_load(&b->request->api->engine), b->after, b->limit, &b->list, &b->last);
}

void sl_see_bulletins(sl_request *request)
{
    bulletins b = {.request = request, .list = SL_BUF(SL_API_ANSWER)};
    if (!sl_request_number(request, "after", 0, INT64_MAX, &b.after) || !sl_request_number(request, "limit", 100, 1000, &b.limit)) return;
    if (sl_api_ask(request->api, bulletins_on_loop, &b) == 0) {
        sl_buf_printf(&request->answer.text, "{\"last\":%llu,\"bulletins\":", (unsigned long long)b.last);
        sl_buf_str(&request->answer.text, sl_buf_view(&b.list));
        sl_buf_char(&request->answer.text, '}');
        sl_answer_json(request);
    }
    sl_buf_done(&b.list);
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static void answer_with(sl_request *request, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!text) {
        sl_answer_problem(request, 500, "a module's description is not UTF-8");
        return;
    }
    sl_buf_text(&request->answer.text, text);
    free(text);
    sl_answer_json(request);
}

void sl_see_types(sl_request *request) { answer_with(request, sl_types_json(sl_engine_modules(atomic_load(&request->api->engine)))); }

void sl_see_type(sl_request *request)
{
    json_t *found = sl_type_json(sl_engine_modules(atomic_load(&request->api->engine)), request->parameters[0]);
    if (found) answer_with(request, found);
    else
        sl_answer_problem(request, 404, "there is no type `%.*s`; /api/v1/processor-types lists them", SL_STR_ARGS(request->parameters[0]));
}

/* ---- the browser's session ------------------------------------------------------------------------------------------ */

static void answer_cookie(sl_request *request, bool end)
{
    sl_buf cookie = SL_BUF(512);
    sl_auth_cookie(&request->api->auth, end, &cookie);
    sl_answer_header(request, "Set-Cookie", "%s", cookie.data);
    sl_buf_done(&cookie);
    sl_answer_done(request, 204, NULL);
}

void sl_see_session(sl_request *request) { answer_cookie(request, false); }

void sl_see_session_end(sl_request *request) { answer_cookie(request, true); }

/* ---- the dashboard's files --------------------------------------------------------------------------------------------- */

void sl_see_ui(sl_request *request)
{
    sl_str path = request->parameters[0].data ? request->parameters[0] : SL_STR("index.html");
    const sl_ui_file *file = sl_ui_files;
    while (file->path && !sl_str_is(path, file->path)) file++;
    if (!file->path) {
        sl_answer_problem(request, 404, "the dashboard has no file `%.*s`", SL_STR_ARGS(path));
        return;
    }
    const char *known = sl_request_header(request, "If-None-Match");
    bool same = known && strstr(known, file->etag);
    sl_answer_header(request, "ETag", "%s", file->etag);
    sl_answer_header(request, "Cache-Control", "no-cache");
    request->answer.fixed = file->data;
    request->answer.size = same ? 0 : file->size;
    sl_answer_done(request, same ? 304 : 200, file->type);
}
