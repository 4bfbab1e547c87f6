/* The routes of connections: what is in a queue, emptying it, giving back what is held. The loop answers when it is done:
 * no worker of the server's waits for a long queue. */
#include <errno.h>

#include "api/private.h"

typedef struct operation {
    sl_request *request;
    uint64_t limit;
    sl_selection which;
    sl_str names[SL_URI_PARAMETERS], values[SL_URI_PARAMETERS];
    int (*begin)(const struct operation *o, sl_engine *engine, const char *key, sl_deferral *deferral, sl_error *error);
} operation;

static void begin_on_loop(void *context)
{
    const operation *o = context;
    sl_request *request = o->request;
    sl_error error = {0};
    char *key = sl_asprintf("%.*s/%.*s", SL_STR_ARGS(request->parameters[0]), SL_STR_ARGS(request->parameters[1]));
    sl_deferral *deferral = sl_api_defer(request);
    if (o->begin(o, atomic_load(&request->api->engine), key, deferral, &error) < 0) {
        sl_answer_error(request, &error);
        sl_api_answer(deferral);
    }
    free(key);
}

/* ---- what is in it ------------------------------------------------------------------------------------------------- */

static void listed(void *context, sl_buf *text)
{
    sl_deferral *deferral = context;
    if (deferral->request) {
        sl_buf_done(&deferral->request->answer.text);
        deferral->request->answer.text = *text;
        *text = SL_BUF(0);
        sl_answer_json(deferral->request);
    }
    sl_api_answer(deferral);
}

static int begin_list(const operation *o, sl_engine *engine, const char *key, sl_deferral *deferral, sl_error *error)
{
    return sl_engine_queue_list(engine, key, o->limit, SL_API_ANSWER, listed, deferral, error);
}

void sl_see_queue(sl_request *request)
{
    operation o = {.request = request, .begin = begin_list};
    if (sl_request_number(request, "limit", 100, 1000, &o.limit)) sl_api_ask(request->api, begin_on_loop, &o);
}

/* ---- what is done to it ---------------------------------------------------------------------------------------------- */

static void attribute(operation *o, sl_str name, sl_str value)
{
    o->names[o->which.attribute_count] = name;
    o->values[o->which.attribute_count++] = value;
}

/* flowfile=, error= (a code), attr.NAME=. */
static bool which(operation *o)
{
    static const size_t prefix = 5; /* attr. */
    const sl_uri *uri = &o->request->uri;
    sl_str flowfile = sl_uri_get(uri, "flowfile");
    o->which.names = o->names;
    o->which.values = o->values;
    for (size_t i = 0; i < uri->parameter_count; i++) {
        sl_str name = uri->parameters[i].name, value = uri->parameters[i].value;
        if (sl_str_is(name, "error")) attribute(o, SL_STR("error.code"), value);
        else if (sl_str_starts(name, "attr.")) attribute(o, (sl_str){name.data + prefix, name.size - prefix}, value);
    }
    return !flowfile.data || sl_request_flowfile(o->request, flowfile, &o->which.flowfile);
}

static void answer(sl_deferral *deferral, const char *name, const sl_operated *result)
{
    sl_request *request = deferral->request;
    if (request) {
        sl_buf *text = &request->answer.text;
        sl_buf_printf(text, "{\"%s\":%llu,\"unreadable\":%llu,\"complete\":%s", name, (unsigned long long)result->count,
                      (unsigned long long)result->unread, result->why ? "false" : "true");
        if (result->why) {
            sl_buf_text(text, ",\"why\":");
            sl_json_string(text, sl_str_of(result->why));
        }
        sl_buf_char(text, '}');
        sl_answer_json(request);
    }
    sl_api_answer(deferral);
}

static void emptied(void *context, const sl_operated *result) { answer(context, "dropped", result); }

static void replayed(void *context, const sl_operated *result) { answer(context, "replayed", result); }

static int begin_empty(const operation *o, sl_engine *engine, const char *key, sl_deferral *deferral, sl_error *error)
{
    return sl_engine_queue_empty(engine, key, &o->which, emptied, deferral, error);
}

static int begin_replay(const operation *o, sl_engine *engine, const char *key, sl_deferral *deferral, sl_error *error)
{
    return sl_engine_queue_replay(engine, key, &o->which, replayed, deferral, error);
}

void sl_see_queue_empty(sl_request *request)
{
    operation o = {.request = request, .begin = begin_empty};
    if (sl_request_number(request, "through", 0, INT64_MAX, &o.which.through) && which(&o)) sl_api_ask(request->api, begin_on_loop, &o);
}

void sl_see_queue_replay(sl_request *request)
{
    operation o = {.request = request, .begin = begin_replay};
    if (which(&o)) sl_api_ask(request->api, begin_on_loop, &o);
}
