/* The routes of connections: what is in a queue, emptying it, giving back what is held. */
#include <errno.h>

#include "api/private.h"

typedef struct operation {
    sl_request *request;
    char *key; /* "flow/connection" */
    uint64_t limit, count;
    sl_selection which;
    sl_str names[SL_URI_PARAMETERS], values[SL_URI_PARAMETERS];
    int result;
    sl_error error;
} operation;

static sl_engine *engine_of(const operation *o) { return atomic_load(&o->request->api->engine); }

/* Runs `call` on the loop; true: it went well. */
static bool run(operation *o, void (*call)(void *context))
{
    sl_request *request = o->request;
    o->key = sl_asprintf("%.*s/%.*s", SL_STR_ARGS(request->parameters[0]), SL_STR_ARGS(request->parameters[1]));
    int asked = sl_api_ask(request->api, call, o);
    free(o->key);
    if (asked < 0) return false;
    if (o->result < 0) sl_answer_error(request, &o->error);
    return o->result == 0;
}

static void list_on_loop(void *context)
{
    operation *o = context;
    o->result = sl_engine_queue_json(engine_of(o), o->key, o->limit, &o->request->answer.text, &o->error);
}

void sl_see_queue(sl_request *request)
{
    operation o = {.request = request};
    if (sl_request_number(request, "limit", 100, 1000, &o.limit) && run(&o, list_on_loop)) sl_answer_json(request);
}

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

static void empty_on_loop(void *context)
{
    operation *o = context;
    o->result = sl_engine_queue_empty(engine_of(o), o->key, &o->which, &o->count, &o->error);
}

void sl_see_queue_empty(sl_request *request)
{
    operation o = {.request = request};
    if (!sl_request_number(request, "through", 0, INT64_MAX, &o.which.through) || !which(&o)) return;
    if (!run(&o, empty_on_loop)) return;
    sl_buf_printf(&request->answer.text, "{\"dropped\":%llu}", (unsigned long long)o.count);
    sl_answer_json(request);
}

static void replay_on_loop(void *context)
{
    operation *o = context;
    o->result = sl_engine_queue_replay(engine_of(o), o->key, &o->which, &o->count, &o->error);
}

void sl_see_queue_replay(sl_request *request)
{
    operation o = {.request = request};
    if (!which(&o) || !run(&o, replay_on_loop)) return;
    sl_buf_printf(&request->answer.text, "{\"replayed\":%llu}", (unsigned long long)o.count);
    sl_answer_json(request);
}
