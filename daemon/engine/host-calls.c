/* Asynchronous calls of modules: each completes exactly once, on the loop thread, never inside the submitting call. */
#include <stdio.h>

#include "base/sys.h"
#include "engine/host.h"
#include "net/http.h"

typedef enum call_kind { CALL_TIMER, CALL_JOB, CALL_DURABLE, CALL_INTENT, CALL_HTTP } call_kind;

struct sluice_call {
    call_kind kind;
    sl_engine *engine;
    bool cancelled;
    void (*done)(void *context, bool cancelled);
    void (*replied)(void *context, const sluice_http_reply *reply);
    void (*work)(void *context);
    void *context;
    uv_timer_t timer;
    sl_job job;
    sl_waiter *waiter; /* NULL: durable, at the gate */
    sl_instance *instance;
    struct sl_gated *gated;
    sl_http_request *request;
};

static sluice_call *call_new(sl_engine *engine, call_kind kind, void *context)
{
    sluice_call *call = SL_NEW(sluice_call);
    *call = (sluice_call){.kind = kind, .engine = engine, .context = context};
    engine->open_calls++;
    return call;
}

static void call_free(sluice_call *call)
{
    call->engine->open_calls--;
    free(call);
}

/* ---- timers ------------------------------------------------------------------------------------------------------- */

static void timer_closed(uv_handle_t *timer) { call_free(timer->data); }

static void timer_due(uv_timer_t *timer)
{
    sluice_call *call = timer->data;
    uv_close((uv_handle_t *)timer, timer_closed);
    call->done(call->context, call->cancelled);
}

sluice_call *sl_host_timer(sluice_instance *instance, int64_t after_us, void (*due)(void *context, bool cancelled), void *context)
{
    sl_engine *engine = sl_instance_of(instance)->engine;
    sluice_call *call = call_new(engine, CALL_TIMER, context);
    call->done = due;
    uv_timer_init(engine->loop, &call->timer);
    call->timer.data = call;
    uv_update_time(engine->loop);
    uv_timer_start(&call->timer, timer_due, after_us <= 0 ? 0 : (uint64_t)((after_us + 999) / 1000), 0);
    return call;
}

/* ---- jobs ----------------------------------------------------------------------------------------------------------- */

static void job_work(sl_job *job)
{
    sluice_call *call = SL_CONTAINER(job, sluice_call, job);
    call->work(call->context);
}

static void job_done(sl_job *job, bool cancelled)
{
    sluice_call *call = SL_CONTAINER(job, sluice_call, job);
    call->done(call->context, cancelled);
    call_free(call);
}

sluice_call *sl_host_job(sluice_instance *instance, void (*work)(void *context), void (*done)(void *context, bool cancelled), void *context)
{
    sluice_call *call = call_new(sl_instance_of(instance)->engine, CALL_JOB, context);
    call->work = work;
    call->done = done;
    call->job = (sl_job){.work = job_work, .done = job_done};
    sl_workers_submit(call->engine->workers, &call->job, true);
    return call;
}

/* ---- durability -------------------------------------------------------------------------------------------------------- */

static void became_durable(void *context, bool cancelled)
{
    sluice_call *call = context;
    call->done(call->context, cancelled);
    call_free(call);
}

sluice_call *sl_call_durable(sl_engine *engine, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context)
{
    sluice_call *call = call_new(engine, CALL_DURABLE, context);
    call->done = durable;
    call->waiter = sl_engine_wait_durable(engine, seq, became_durable, call);
    return call;
}

static void passed_gate(void *context)
{
    sluice_call *call = context;
    call->done(call->context, call->cancelled);
    call_free(call);
}

static void intent_durable(void *context, bool cancelled)
{
    sluice_call *call = context;
    call->waiter = NULL;
    call->cancelled = call->cancelled || cancelled;
    sl_gate_durable(call->gated, call->cancelled, passed_gate, call);
}

sluice_call *sl_call_intent(sl_session *session, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context)
{
    sluice_call *call = call_new(session->engine, CALL_INTENT, context);
    call->done = durable;
    call->instance = session->instance;
    call->gated = sl_gate_enter(session);
    call->waiter = sl_engine_wait_durable(session->engine, seq, intent_durable, call);
    return call;
}

static void open_gate(void *context) { sl_gate_open(context); }

/* ---- cancel ------------------------------------------------------------------------------------------------------------- */

void sl_host_cancel(sluice_call *call)
{
    if (call->cancelled) return;
    call->cancelled = true;
    switch (call->kind) {
    case CALL_TIMER: uv_timer_start(&call->timer, timer_due, 0, 0); break;
    case CALL_JOB: sl_workers_cancel(call->engine->workers, &call->job); break;
    case CALL_DURABLE:
        call->waiter->cancelled = true;
        sl_engine_wake(call->engine);
        break;
    case CALL_INTENT:
        if (call->waiter) {
            call->waiter->cancelled = true;
            sl_engine_wake(call->engine);
        } else {
            sl_gate_hurry(call->gated);
            sl_engine_post(call->engine, open_gate, call->instance);
        }
        break;
    case CALL_HTTP: sl_http_cancel(call->request); break;
    }
}

/* ---- HTTP ---------------------------------------------------------------------------------------------------------------- */

struct sluice_http_client {
    sl_engine *engine;
    sl_http *http;
};

sluice_http_client *sl_host_http_open(sluice_instance *instance, const sluice_http_client_options *options, sluice_failure *failure)
{
    sluice_http_client *client = SL_NEW(sluice_http_client);
    sl_error error;
    sl_http_options wanted = {.connections = options->connections,
                              .connect_timeout_us = options->connect_timeout_us,
                              .stall_timeout_us = options->stall_timeout_us,
                              .reply_timeout_us = options->reply_timeout_us,
                              .max_connection_age_us = options->max_connection_age_us,
                              .ca_file = options->ca_file,
                              .insecure = options->insecure};
    client->engine = sl_instance_of(instance)->engine;
    if (sl_http_new(client->engine->loop, &wanted, &client->http, &error) == 0) return client;
    sl_failure_of_error(failure, &error);
    failure->class_ = SLUICE_CONFIGURATION;
    free(client);
    return NULL;
}

static void client_closed(void *context)
{
    sluice_http_client *client = context;
    client->engine->open_handles--;
    free(client);
}

void sl_host_http_close(sluice_http_client *client)
{
    if (!client) return;
    client->engine->open_handles++;
    sl_http_close(client->http, client_closed, client);
}

static sluice_text reply_header(const sluice_http_reply *reply, const char *name)
{
    return sl_text_of(sl_http_header(reply->internal, name));
}

static void on_reply(void *context, const sl_http_reply *from, sl_http_request *request)
{
    sluice_call *call = context;
    sluice_http_reply reply = {.status = from->status,
                               .body = sl_text_of(from->body),
                               .error = from->error,
                               .connected = from->connected,
                               .configuration = from->configuration,
                               .cancelled = from->cancelled,
                               .duration_us = from->duration_us,
                               .bytes_sent = from->bytes_sent,
                               .header = reply_header,
                               .internal = request};
    call->replied(call->context, &reply);
    call_free(call);
}

sluice_call *sl_host_http(sluice_http_client *client, const sluice_http_call_options *options,
                          void (*done)(void *context, const sluice_http_reply *reply), void *context, sluice_failure *failure)
{
    sluice_call *call = call_new(client->engine, CALL_HTTP, context);
    sl_error error;
    call->replied = done;
    sl_http_call wanted = {.method = options->method,
                           .url = options->url,
                           .headers = options->headers,
                           .body = {.data = options->data,
                                    .fd = options->data || !options->size ? -1 : options->fd,
                                    .offset = options->offset,
                                    .size = options->size,
                                    .sent = options->sent,
                                    .sent_context = context},
                           .reply_limit = options->reply_limit,
                           .fresh_connection = options->fresh_connection,
                           .timeout_us = options->timeout_us};
    if (sl_http_submit(client->http, &wanted, on_reply, call, &call->request, &error) == 0) return call;
    sl_failure_of_error(failure, &error);
    call_free(call);
    return NULL;
}
