/* Asynchronous calls: each completes exactly once, on the loop's thread, never inside the call that submitted it. */
#include "private.h"

#include <stdio.h>

enum { LONGEST_SETTLE = 60 };

static sluice_call *new_call(host *host, call_kind kind, void *context)
{
    sluice_call *call = SL_NEW(sluice_call);
    *call = (sluice_call){.kind = kind, .host = host, .context = context, .order = host->next_order++};
    *host->calls_last = call;
    host->calls_last = &call->next;
    host->calls_open++;
    return call;
}

/* The record stays until the host's end, so that a late cancel is found. */
static void complete(sluice_call *call)
{
    call->completed = true;
    call->host->calls_open--;
    call->done(call->context, call->cancelled);
}

sluice_call *call_soon(host *host, void (*done)(void *context, bool cancelled), void *context)
{
    sluice_call *call = new_call(host, CALL_SOON, context);
    call->done = done;
    return call;
}

sluice_call *call_timer(sluice_instance *instance, int64_t after_us, void (*due)(void *context, bool cancelled), void *context)
{
    host *host = ((box *)instance)->host;
    host_check_loop(host, "timer");
    sluice_call *call = new_call(host, CALL_TIMER, context);
    call->due = host->monotonic + SL_MAX(after_us, 0);
    call->done = due;
    return call;
}

static void work(uv_work_t *job)
{
    sluice_call *call = job->data;
    call->work(call->context);
}

static void worked(uv_work_t *job, int status)
{
    sluice_call *call = job->data;
    call->host->loop_calls--;
    call->cancelled = status == UV_ECANCELED;
    complete(call);
}

sluice_call *call_job(sluice_instance *instance, void (*work_)(void *context), void (*done)(void *context, bool cancelled), void *context)
{
    host *host = ((box *)instance)->host;
    host_check_loop(host, "job");
    sluice_call *call = new_call(host, CALL_JOB, context);
    call->work = work_;
    call->done = done;
    call->job.data = call;
    host->loop_calls++;
    SL_ASSERT(uv_queue_work(&host->loop, &call->job, work, worked) == 0);
    return call;
}

void call_cancel(sluice_call *call)
{
    host_check_loop(call->host, "cancel");
    if (call->completed) {
        host_fault_found(call->host, "cancel of a call that has completed: its handle is gone by then");
        return;
    }
    if (call->kind == CALL_JOB) uv_cancel((uv_req_t *)&call->job);
    else if (call->kind == CALL_HTTP) sl_http_cancel(call->request);
    else call->cancelled = true;
}

/* ---- HTTP ------------------------------------------------------------------------------------------------- */

static void set_failure(sluice_failure *failure, sluice_class class_, const sl_error *error)
{
    const char *code = error->code ? strerrorname_np(error->code) : NULL;
    *failure = (sluice_failure){.class_ = class_};
    snprintf(failure->code, sizeof failure->code, "%s", code ? code : "HTTP");
    snprintf(failure->message, sizeof failure->message, "%s", error->text);
}

sluice_http_client *call_http_open(sluice_instance *instance, const sluice_http_client_options *options, sluice_failure *failure)
{
    host *host = ((box *)instance)->host;
    sl_error error = {0};
    host_check_loop(host, "http_open");
    sl_http_options own = {options->connections,      options->connect_timeout_us,    options->stall_timeout_us,
                           options->reply_timeout_us, options->max_connection_age_us, options->ca_file,
                           options->insecure};
    sluice_http_client *client = SL_NEW(sluice_http_client);
    client->host = host;
    if (sl_http_new(&host->loop, &own, &client->http, &error) < 0) {
        set_failure(failure, SLUICE_CONFIGURATION, &error);
        free(client);
        return NULL;
    }
    host->clients_open++;
    return client;
}

static void client_closed(void *context)
{
    sluice_http_client *client = context;
    client->host->clients_open--;
    free(client);
}

void call_http_close(sluice_http_client *client)
{
    if (!client) return;
    host_check_loop(client->host, "http_close");
    sl_http_close(client->http, client_closed, client);
}

static sluice_text reply_header(const sluice_http_reply *reply, const char *name)
{
    sl_str value = sl_http_header(reply->internal, name);
    return (sluice_text){value.data, value.size};
}

static void replied(void *context, const sl_http_reply *reply, sl_http_request *request)
{
    sluice_call *call = context;
    sluice_http_reply own = {reply->status,        {reply->body.data, reply->body.size},
                             reply->error,         reply->connected,
                             reply->configuration, reply->cancelled,
                             reply->duration_us,   reply->bytes_sent,
                             reply_header,         request};
    call->completed = true;
    call->host->calls_open--;
    call->host->loop_calls--;
    call->replied(call->context, &own);
}

static void body_sent(void *context, const void *data, size_t size);

typedef struct sent_hook { /* lives in the host's arena */
    void (*sent)(void *context, const void *data, size_t size);
    void *context;
} sent_hook;

static void body_sent(void *context, const void *data, size_t size)
{
    const sent_hook *hook = context;
    hook->sent(hook->context, data, size);
}

sluice_call *call_http(sluice_http_client *client, const sluice_http_call_options *options,
                       void (*done)(void *context, const sluice_http_reply *reply), void *context, sluice_failure *failure)
{
    host *host = client->host;
    sl_error error = {0};
    host_check_loop(host, "http");
    sent_hook *hook = sl_arena_alloc(&host->arena, sizeof *hook);
    *hook = (sent_hook){options->sent, context};
    sl_http_call own = {
        .method = options->method,
        .url = options->url,
        .headers = options->headers,
        .body = {options->data, options->data || !options->size ? -1 : options->fd, options->offset, options->size,
                 options->sent ? body_sent : NULL, hook},
        .reply_limit = options->reply_limit,
        .fresh_connection = options->fresh_connection,
        .timeout_us = options->timeout_us,
    };
    sluice_call *call = new_call(host, CALL_HTTP, context);
    call->replied = done;
    if (sl_http_submit(client->http, &own, replied, call, &call->request, &error) < 0) {
        set_failure(failure, SLUICE_PERMANENT, &error);
        call->completed = true;
        host->calls_open--;
        return NULL;
    }
    host->loop_calls++;
    return call;
}

/* ---- letting them complete ------------------------------------------------------------------------------------ */

static bool is_due(const sluice_call *call)
{
    if (call->completed || (call->kind != CALL_SOON && call->kind != CALL_TIMER)) return false;
    return call->cancelled || call->kind == CALL_SOON || call->due <= call->host->monotonic;
}

/* The earliest that can complete now. */
static sluice_call *next_due(host *host)
{
    sluice_call *best = NULL;
    for (sluice_call *call = host->calls; call; call = call->next)
        if (is_due(call) && (!best || call->due < best->due || (call->due == best->due && call->order < best->order))) best = call;
    return best;
}

void host_settle(host *host)
{
    int64_t deadline = sl_sys_real.monotonic() + LONGEST_SETTLE * SL_SECOND;
    for (;;) {
        sluice_call *call = next_due(host);
        if (call) complete(call);
        else if (!host->loop_calls) break;
        else uv_run(&host->loop, UV_RUN_ONCE);
        if (sl_sys_real.monotonic() > deadline) {
            sl_test_failed(host->module, 0, "%zu asynchronous calls did not complete within %d s", host->loop_calls, LONGEST_SETTLE);
            break;
        }
    }
    uv_run(&host->loop, UV_RUN_NOWAIT);
}

static int64_t next_timer(const host *host, int64_t until)
{
    for (const sluice_call *call = host->calls; call; call = call->next)
        if (!call->completed && call->kind == CALL_TIMER && call->due < until) until = call->due;
    return until;
}

void host_advance(host *host, int64_t us)
{
    int64_t end = host->monotonic + us;
    host_settle(host);
    while (host->monotonic < end) {
        int64_t step = next_timer(host, end) - host->monotonic;
        host->monotonic += step;
        host->realtime += step;
        host_settle(host);
    }
}

size_t host_calls(host *host) { return host->calls_open; }
struct uv_loop_s *host_loop(host *host) { return &host->loop; }
