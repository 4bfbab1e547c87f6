/* The routes of provenance: they read the journal's folder on the worker's thread and never hold up the loop. */
#include <errno.h>
#include <unistd.h>

#include "api/private.h"
#include "base/sys.h"
#include "content/content.h"

/* ---- parameters ---------------------------------------------------------------------------------------------------- */

static bool number_of(sl_str text, uint64_t *ret)
{
    uint64_t number = 0;
    if (!text.size || text.size > 18) return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *ret = number;
    return true;
}

bool sl_request_number(sl_request *request, const char *name, uint64_t fallback, uint64_t most, uint64_t *ret)
{
    sl_str text = sl_uri_get(&request->uri, name);
    *ret = fallback;
    if (!text.data || (number_of(text, ret) && *ret <= most)) return true;
    sl_answer_problem(request, 400, "%s: expected a number from 0 to %llu, found `%.*s`", name, (unsigned long long)most,
                      SL_STR_ARGS(text));
    return false;
}

bool sl_request_flowfile(sl_request *request, sl_str text, uint64_t *ret)
{
    if (sl_uuid_id(text, ret) == 0 || (number_of(text, ret) && *ret)) return true;
    sl_answer_problem(request, 400, "expected a FlowFile's UUID as events show it, found `%.*s`", SL_STR_ARGS(text));
    return false;
}

bool sl_request_time(sl_request *request, const char *name, int64_t *ret)
{
    sl_str text = sl_uri_get(&request->uri, name);
    if (!text.data || sl_time_parse(text, ret) == 0) return true;
    sl_answer_problem(request, 400, "%s: expected a time like 2026-11-24T09:23:00Z, found `%.*s`", name, SL_STR_ARGS(text));
    return false;
}

static bool word_of(sl_request *request, const char *name, const char *no, const char *yes, bool *ret)
{
    sl_str text = sl_uri_get(&request->uri, name);
    *ret = text.data && sl_str_is(text, yes);
    if (!text.data || *ret || sl_str_is(text, no)) return true;
    sl_answer_problem(request, 400, "%s: expected %s or %s, found `%.*s`", name, no, yes, SL_STR_ARGS(text));
    return false;
}

static bool type_of(sl_request *request, unsigned *ret)
{
    sl_str text = sl_uri_get(&request->uri, "type");
    if (!text.data || (*ret = sl_event_type_parse(text))) return true;
    sl_answer_problem(request, 400, "type: expected RECEIVE, SEND, DROP or another of NiFi's, found `%.*s`", SL_STR_ARGS(text));
    return false;
}

typedef struct asked { /* a query with the lists that it points to */
    sl_query query;
    sl_str names[SL_URI_PARAMETERS], values[SL_URI_PARAMETERS];
} asked;

static void attributes_of(const sl_uri *uri, asked *ret)
{
    static const size_t prefix = 5; /* attr. */
    for (size_t i = 0; i < uri->parameter_count; i++) {
        sl_str name = uri->parameters[i].name;
        if (!sl_str_starts(name, "attr.")) continue;
        ret->names[ret->query.attribute_count] = (sl_str){name.data + prefix, name.size - prefix};
        ret->values[ret->query.attribute_count++] = uri->parameters[i].value;
    }
    ret->query.attribute_names = ret->names;
    ret->query.attribute_values = ret->values;
}

static bool query_of(sl_request *request, asked *ret)
{
    sl_query *query = &ret->query;
    uint64_t limit;
    sl_str flowfile = sl_uri_get(&request->uri, "flowfile");
    query->flow = sl_uri_get(&request->uri, "flow");
    query->component = sl_uri_get(&request->uri, "component");
    query->filename = sl_uri_get(&request->uri, "filename");
    query->sha256 = sl_uri_get(&request->uri, "sha256");
    query->durable = sl_engine_durable(atomic_load(&request->api->engine));
    attributes_of(&request->uri, ret);
    bool good =
        sl_request_number(request, "limit", 100, 1000, &limit) && sl_request_number(request, "cursor", 0, INT64_MAX, &query->cursor) &&
        type_of(request, &query->type) && sl_request_time(request, "from", &query->from) && sl_request_time(request, "to", &query->to) &&
        word_of(request, "order", "desc", "asc", &query->ascending) && word_of(request, "internal", "false", "true", &query->internal) &&
        (!flowfile.data || sl_request_flowfile(request, flowfile, &query->flowfile));
    query->limit = limit;
    return good;
}

/* ---- events ------------------------------------------------------------------------------------------------------------- */

static void answer_or_error(sl_request *request, int result, const sl_error *error)
{
    if (result < 0) sl_answer_error(request, error);
    else sl_answer_json(request);
}

void sl_see_provenance(sl_request *request)
{
    asked asked = {0};
    sl_error error = {0};
    if (!query_of(request, &asked)) return;
    sl_reader *reader = sl_api_reader(request);
    if (reader) answer_or_error(request, sl_query_events(reader, &asked.query, &request->answer.text, &error), &error);
}

static bool seq_of(sl_request *request, uint64_t *ret)
{
    if (number_of(request->parameters[0], ret) && *ret) return true;
    sl_answer_problem(request, 400, "expected an event's seq, found `%.*s`", SL_STR_ARGS(request->parameters[0]));
    return false;
}

void sl_see_event(sl_request *request)
{
    uint64_t seq;
    sl_error error = {0};
    sl_reader *reader = seq_of(request, &seq) ? sl_api_reader(request) : NULL;
    if (reader) answer_or_error(request, sl_query_event(reader, seq, &request->answer.text, &error), &error);
}

void sl_see_lineage(sl_request *request)
{
    uint64_t flowfile;
    sl_error error = {0};
    sl_reader *reader = sl_request_flowfile(request, request->parameters[0], &flowfile) ? sl_api_reader(request) : NULL;
    if (reader) answer_or_error(request, sl_query_lineage(reader, flowfile, &request->answer.text, &error), &error);
}

/* ---- content --------------------------------------------------------------------------------------------------------------- */

static int open_content(sl_content *store, sl_claim *claim, sl_content_view *ret, sl_error *error)
{
    if (sl_content_view_kept(store, claim, ret, error) == 0) return 0;
    if (error->code != ENOENT && error->code != ESTALE && claim->kind != SL_PACKED) return -1;
    error->code = ESTALE;
    return sl_error_prefix(error, "the content is gone or damaged");
}

static void answer_view(sl_request *request, sl_content_view *view, uint64_t seq, const char *side)
{
    sl_answer *answer = &request->answer;
    if (view->data) sl_buf_add(&answer->text, view->data, view->size);
    else {
        answer->fd = view->fd;
        answer->offset = view->offset;
        answer->size = view->size;
        view->fd = -1;
    }
    /* Whatever the bytes are, a browser only keeps them. */
    sl_answer_header(request, "Content-Disposition", "attachment; filename=\"event-%llu-%s\"", (unsigned long long)seq, side);
    sl_answer_done(request, 200, "application/octet-stream");
}

static int view_of(sl_request *request, sl_str claim_text, sl_str inline_data, sl_content_view *ret, sl_error *error)
{
    sl_content *store = sl_engine_content(atomic_load(&request->api->engine));
    sl_claim *claim = NULL;
    if (sl_claim_parse(store, claim_text, inline_data, &claim, error) < 0) return -1;
    int result = open_content(store, claim, ret, error);
    if (result == 0 && ret->data && ret->size) { /* the claim's bytes go with the claim */
        sl_buf_add(&request->answer.text, ret->data, ret->size);
        ret->data = "";
        ret->size = 0;
    }
    sl_claim_unref(claim);
    return result;
}

void sl_see_content(sl_request *request)
{
    uint64_t seq;
    bool input;
    sl_error error = {0};
    sl_content_view view = {.fd = -1};
    sl_buf claim = SL_BUF(1 << 20), inline_data = SL_BUF(SL_API_ANSWER);
    sl_reader *reader = seq_of(request, &seq) && word_of(request, "side", "output", "input", &input) ? sl_api_reader(request) : NULL;
    if (!reader) return;
    int result = sl_query_claim(reader, seq, input, &claim, &inline_data, &error);
    if (result == 0) result = view_of(request, sl_buf_view(&claim), sl_buf_view(&inline_data), &view, &error);
    if (result < 0) sl_answer_error(request, &error);
    else answer_view(request, &view, seq, input ? "input" : "output");
    sl_content_view_done(&view);
    sl_buf_done(&claim);
    sl_buf_done(&inline_data);
}
