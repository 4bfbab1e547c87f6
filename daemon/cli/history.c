#include "cli/history.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/client.h"
#include "cli/common.h"
#include "cli/output.h"
#include "cli/state.h"
#include "content/content.h"
#include "journal/query.h"

enum { ANSWER_LIMIT = 256 * 1024 * 1024, PATH_LIMIT = 64 * 1024 };

struct sl_history {
    const sl_arguments *arguments;
    sl_client *client; /* or */
    sl_reader *reader;
    const char *state;
};

bool sl_history_offline(const sl_arguments *arguments) { return sl_given_option(arguments, "state") && !sl_given_option(arguments, "url"); }

static int open_reader(sl_history *history)
{
    sl_error error = {0};
    uint32_t node;
    history->state = sl_option_value(history->arguments, "state");
    if (sl_state_node(history->state, &node, &error) < 0) return sl_complain(SL_EXIT_FAILED, "%s", error.text);
    char *folder = sl_asprintf("%s/journal", history->state);
    int result = sl_reader_open(folder, node, &history->reader, &error);
    free(folder);
    return result < 0 ? sl_complain(SL_EXIT_FAILED, "%s", error.text) : SL_EXIT_DONE;
}

int sl_history_open(const sl_arguments *arguments, sl_history **ret)
{
    sl_history *history = SL_NEW(sl_history);
    history->arguments = arguments;
    int code = sl_history_offline(arguments) ? open_reader(history) : sl_client_open(arguments, &history->client);
    if (code == SL_EXIT_DONE) *ret = history;
    else sl_history_close(history);
    return code;
}

void sl_history_close(sl_history *history)
{
    if (!history) return;
    sl_client_close(history->client);
    sl_reader_close(history->reader);
    free(history);
}

/* ---- values of options ------------------------------------------------------------------------------------------ */

static int parse_seq(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno) return SL_EXIT_DONE;
    return sl_complain(SL_EXIT_USAGE, "expected an event's number, found `%s`", text);
}

static int parse_flowfile(const char *text, uint64_t *ret)
{
    if (sl_uuid_id(sl_str_of(text), ret) == 0) return SL_EXIT_DONE;
    return sl_complain(SL_EXIT_USAGE, "expected a FlowFile's uuid as `sluice provenance` shows it, found `%s`", text);
}

/* RFC 3339, or a duration back from now. *ret 0: not given. */
static int time_option(const sl_arguments *arguments, const char *name, int64_t *ret)
{
    const char *text = sl_option_value(arguments, name);
    int64_t back;
    *ret = 0;
    if (!text || sl_time_parse(sl_str_of(text), ret) == 0) return SL_EXIT_DONE;
    if (sl_duration_parse(sl_str_of(text), &back) == 0) return *ret = sl_now() - back, SL_EXIT_DONE;
    return sl_complain(SL_EXIT_USAGE, "--%s takes a time like 2026-11-24T09:00:00Z or a duration back from now like 2h, not `%s`", name,
                       text);
}

/* ---- a page of events --------------------------------------------------------------------------------------------- */

static int add_time(const sl_arguments *arguments, const char *name, sl_buf *path)
{
    char text[SL_TIME_TEXT];
    int64_t time;
    int code = time_option(arguments, name, &time);
    if (code == SL_EXIT_DONE && time) sl_client_parameter(path, name, sl_time_format(time, text));
    return code;
}

static int add_filters(const sl_arguments *arguments, sl_buf *path)
{
    static const char *const plain[] = {"flow", "component", "type", "flowfile", "filename", "sha256"};
    for (size_t i = 0; i < SL_COUNT(plain); i++)
        if (sl_given_option(arguments, plain[i])) sl_client_parameter(path, plain[i], sl_option_value(arguments, plain[i]));
    sl_arena arena = {0};
    sl_error error = {0};
    sl_setting *attributes;
    size_t count;
    int code = SL_EXIT_DONE;
    if (sl_option_settings(arguments, "attr", &arena, &attributes, &count, &error) < 0) {
        code = sl_complain(SL_EXIT_USAGE, "%s", error.text);
        count = 0;
    }
    for (size_t i = 0; i < count; i++)
        sl_client_parameter(path, sl_arena_printf(&arena, "attr.%s", attributes[i].name), attributes[i].value);
    sl_arena_done(&arena);
    if (code == SL_EXIT_DONE) code = add_time(arguments, "from", path);
    return code == SL_EXIT_DONE ? add_time(arguments, "to", path) : code;
}

static int ask_events(sl_history *history, uint64_t limit, const char *cursor, json_t **ret)
{
    char number[32];
    sl_buf path = SL_BUF(PATH_LIMIT);
    sl_buf_text(&path, "/api/v1/provenance");
    snprintf(number, sizeof number, "%llu", (unsigned long long)limit);
    sl_client_parameter(&path, "limit", number);
    if (cursor) sl_client_parameter(&path, "cursor", cursor);
    int code = add_filters(history->arguments, &path);
    if (code == SL_EXIT_DONE && path.overflowed) code = sl_complain(SL_EXIT_USAGE, "the filters are longer than a request may be");
    if (code == SL_EXIT_DONE) code = sl_client_json(history->client, "GET", path.data, ret);
    sl_buf_done(&path);
    return code;
}

static int fill_query(const sl_arguments *arguments, sl_arena *arena, sl_query *query)
{
    const char *type = sl_option_value(arguments, "type"), *flowfile = sl_option_value(arguments, "flowfile");
    sl_error error = {0};
    sl_setting *attributes;
    query->flow = sl_str_of(sl_option_value(arguments, "flow"));
    query->component = sl_str_of(sl_option_value(arguments, "component"));
    query->filename = sl_str_of(sl_option_value(arguments, "filename"));
    query->sha256 = sl_str_of(sl_option_value(arguments, "sha256"));
    if (type && !(query->type = sl_event_type_parse(sl_str_of(type))))
        return sl_complain(SL_EXIT_USAGE, "there is no type of event `%s`; they are RECEIVE, SEND, ROUTE, DROP and the like", type);
    if (sl_option_settings(arguments, "attr", arena, &attributes, &query->attribute_count, &error) < 0)
        return sl_complain(SL_EXIT_USAGE, "%s", error.text);
    sl_str *names = sl_arena_alloc(arena, (query->attribute_count + 1) * sizeof *names);
    sl_str *values = sl_arena_alloc(arena, (query->attribute_count + 1) * sizeof *values);
    for (size_t i = 0; i < query->attribute_count; i++) {
        names[i] = sl_str_of(attributes[i].name);
        values[i] = sl_str_of(attributes[i].value);
    }
    query->attribute_names = names;
    query->attribute_values = values;
    int code = flowfile ? parse_flowfile(flowfile, &query->flowfile) : SL_EXIT_DONE;
    if (code == SL_EXIT_DONE) code = time_option(arguments, "from", &query->from);
    return code == SL_EXIT_DONE ? time_option(arguments, "to", &query->to) : code;
}

static int parse_answer(sl_buf *answer, int result, const sl_error *error, json_t **ret)
{
    json_error_t wrong;
    int code = SL_EXIT_DONE;
    if (result < 0) code = sl_complain(SL_EXIT_FAILED, "%s", error->text);
    else if (!(*ret = json_loadb(answer->data, answer->size, JSON_ALLOW_NUL, &wrong)))
        code = sl_complain(SL_EXIT_FAILED, "the journal's answer is not JSON: %s", wrong.text);
    sl_buf_done(answer);
    return code;
}

static int read_events(sl_history *history, uint64_t limit, const char *cursor, json_t **ret)
{
    sl_arena arena = {0};
    sl_error error = {0};
    sl_buf answer = SL_BUF(ANSWER_LIMIT);
    sl_query query = {.limit = limit};
    int code = fill_query(history->arguments, &arena, &query);
    if (code == SL_EXIT_DONE && cursor) code = parse_seq(cursor, &query.cursor);
    if (code == SL_EXIT_DONE) code = parse_answer(&answer, sl_query_events(history->reader, &query, &answer, &error), &error, ret);
    sl_arena_done(&arena);
    return code;
}

int sl_history_events(sl_history *history, uint64_t limit, const char *cursor, json_t **ret)
{
    return history->client ? ask_events(history, limit, cursor, ret) : read_events(history, limit, cursor, ret);
}

/* ---- one event, a lineage, a content ----------------------------------------------------------------------------------- */

static int ask_one(sl_history *history, const char *what, const char *which, json_t **ret)
{
    sl_buf path = SL_BUF(PATH_LIMIT);
    sl_buf_printf(&path, "/api/v1/%s/", what);
    sl_percent_encode(&path, sl_str_of(which), "");
    int code = sl_client_json(history->client, "GET", path.data, ret);
    sl_buf_done(&path);
    return code;
}

int sl_history_event(sl_history *history, const char *seq, json_t **ret)
{
    uint64_t number;
    sl_error error = {0};
    int code = parse_seq(seq, &number);
    if (code != SL_EXIT_DONE) return code;
    if (history->client) return ask_one(history, "provenance", seq, ret);
    sl_buf answer = SL_BUF(ANSWER_LIMIT);
    return parse_answer(&answer, sl_query_event(history->reader, number, &answer, &error), &error, ret);
}

int sl_history_lineage(sl_history *history, const char *flowfile, json_t **ret)
{
    uint64_t id;
    sl_error error = {0};
    int code = parse_flowfile(flowfile, &id);
    if (code != SL_EXIT_DONE) return code;
    if (history->client) return ask_one(history, "lineage", flowfile, ret);
    sl_buf answer = SL_BUF(ANSWER_LIMIT);
    return parse_answer(&answer, sl_query_lineage(history->reader, id, &answer, &error), &error, ret);
}

static int copy_piece(const sl_content_view *view, uint64_t at, char *piece, size_t size, int fd, sl_error *error)
{
    const char *from = view->data ? (const char *)view->data + at : piece;
    if (!view->data && sl_read_full(view->fd, piece, size, (off_t)(view->offset + at)) != (ssize_t)size)
        return sl_error_set(error, EIO, "the content ends after %llu of %llu bytes", (unsigned long long)at,
                            (unsigned long long)view->size);
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, from + done, size - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return sl_error_set(error, errno, "cannot write the content: %s", strerror(errno));
        done += (size_t)written;
    }
    return 0;
}

static int copy_claim(sl_content *store, sl_str text, sl_str inline_data, int fd, sl_error *error)
{
    enum { PIECE = 256 * 1024 };
    sl_claim *claim;
    sl_content_view view;
    if (!text.size || sl_str_is(text, "null")) return sl_error_set(error, ENOENT, "the FlowFile had no content then");
    if (sl_claim_parse(store, text, inline_data, &claim, error) < 0) return -1;
    int result = sl_content_view_kept(store, claim, &view, error);
    char *piece = sl_alloc(PIECE);
    for (uint64_t at = 0; result == 0 && at < view.size; at += PIECE)
        result = copy_piece(&view, at, piece, (size_t)SL_MIN(view.size - at, (uint64_t)PIECE), fd, error);
    free(piece);
    if (result == 0 || view.fd >= 0) sl_content_view_done(&view);
    sl_claim_unref(claim);
    return result;
}

static int read_content(sl_history *history, uint64_t seq, bool input, int fd)
{
    sl_error error = {0};
    sl_content *store;
    sl_buf claim = SL_BUF(1024 * 1024), data = SL_BUF(ANSWER_LIMIT);
    int result = sl_query_claim(history->reader, seq, input, &claim, &data, &error);
    if (result == 0) result = sl_state_content(history->state, &store, &error);
    if (result == 0) {
        result = copy_claim(store, sl_buf_view(&claim), sl_buf_view(&data), fd, &error);
        sl_content_close(store);
    }
    sl_buf_done(&claim);
    sl_buf_done(&data);
    return result < 0 ? sl_complain(SL_EXIT_FAILED, "%s", error.text) : SL_EXIT_DONE;
}

int sl_history_content(sl_history *history, const char *seq, bool input, int fd)
{
    uint64_t number;
    int code = parse_seq(seq, &number);
    if (code != SL_EXIT_DONE) return code;
    if (!history->client) return read_content(history, number, input, fd);
    sl_buf path = SL_BUF(1024);
    sl_buf_printf(&path, "/api/v1/provenance/%s/content?side=%s", seq, input ? "input" : "output");
    code = sl_client_download(history->client, path.data, fd);
    sl_buf_done(&path);
    return code;
}
