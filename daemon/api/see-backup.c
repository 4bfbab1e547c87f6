/* The routes of the backup: begun, asked for, cancelled. */
#include <errno.h>
#include <stdio.h>

#include "api/private.h"
#include "engine/backup.h"

static const int64_t usual_deadline = 6 * 3600 * SL_SECOND;

typedef struct asked {
    sl_request *request;
    char *to;
    int64_t deadline, lease;
    int result;
    sl_error error;
} asked;

static sl_engine *engine_of(const asked *a) { return atomic_load(&a->request->api->engine); }

static bool duration(sl_request *request, const char *name, int64_t *ret)
{
    sl_str text = sl_uri_get(&request->uri, name);
    if (!text.data || sl_duration_parse(text, ret) == 0) return true;
    sl_answer_problem(request, 400, "%s: expected a duration like 30m, found `%.*s`", name, SL_STR_ARGS(text));
    return false;
}

static void begin_on_loop(void *context)
{
    asked *a = context;
    a->result = sl_engine_backup(engine_of(a), a->to, a->deadline, a->lease, &a->error);
    if (a->result == 0) sl_engine_backup_json(engine_of(a), &a->request->answer.text);
}

static void refuse(sl_request *request, const sl_error *error)
{
    bool here = error->code == ENOENT || error->code == EACCES || error->code == EEXIST; /* a conflict, not a route that is unknown */
    if (here) sl_answer_problem(request, 409, "%s", error->text);
    else sl_answer_error(request, error);
}

/* Looked at here as well as by the thread that makes it: what is wrong is said at once. */
static void begin(asked *a)
{
    if (sl_backup_check(a->request->api->state, a->to, &a->error) < 0) {
        refuse(a->request, &a->error);
        return;
    }
    if (sl_api_ask(a->request->api, begin_on_loop, a) < 0) return;
    if (a->result < 0) sl_answer_error(a->request, &a->error);
    else sl_answer_done(a->request, 202, "application/json");
}

void sl_see_backup_begin(sl_request *request)
{
    asked a = {.request = request, .deadline = usual_deadline};
    sl_str to = sl_uri_get(&request->uri, "to");
    if (!to.size || memchr(to.data, 0, to.size)) {
        sl_answer_problem(request, 400, "to: expected the absolute path of a folder that is not there yet");
        return;
    }
    if (!duration(request, "deadline", &a.deadline) || !duration(request, "lease", &a.lease)) return;
    a.to = sl_strndup(to.data, to.size);
    begin(&a);
    free(a.to);
}

static void see_on_loop(void *context)
{
    asked *a = context;
    sl_engine_backup_json(engine_of(a), &a->request->answer.text);
}

void sl_see_backup(sl_request *request)
{
    asked a = {.request = request};
    if (sl_api_ask(request->api, see_on_loop, &a) == 0) sl_answer_json(request);
}

static void cancel_on_loop(void *context)
{
    asked *a = context;
    sl_engine_backup_cancel(engine_of(a), "it was cancelled");
    sl_engine_backup_json(engine_of(a), &a->request->answer.text);
}

void sl_see_backup_cancel(sl_request *request)
{
    asked a = {.request = request};
    if (sl_api_ask(request->api, cancel_on_loop, &a) == 0) sl_answer_json(request);
}
