/* sluice queue list, replay, empty; start and stop of processors: what is asked of one thing of a flow. */
#include "cli/queues.h"

#include <stdio.h>

#include "base/sys.h"
#include "cli/common.h"
#include "cli/history.h"
#include "cli/output.h"
#include "cli/state.h"
#include "journal/query.h"

enum { OUT_LIMIT = 64 * 1024 * 1024, DEFAULT_LIMIT = 100, MOST = 1000 };

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static int no_such_thing(const json_t *all, const char *list, const char *key, const char *name)
{
    const char *slash = strchr(name, '/'), *names[512];
    size_t count = 0, i;
    const json_t *one;
    json_array_foreach(all, i, one)
    {
        if (count < SL_COUNT(names)) names[count++] = sl_member_text(one, key);
    }
    const char *near = sl_nearest(sl_str_of(slash ? slash + 1 : name), names, count);
    return sl_complain(SL_EXIT_FAILED, "there is nothing among the %s named `%s`; %s%s%s`sluice queue list` and `sluice status` list them",
                       list, name, near ? "did you mean `" : "", near ? near : "", near ? "`? " : "");
}

int sl_queues_find(const json_t *status, const char *list, const char *key, const char *name, const json_t **ret)
{
    const json_t *all = json_object_get(status, list), *one;
    const char *slash = strchr(name, '/');
    size_t i;
    *ret = NULL;
    json_array_foreach(all, i, one)
    {
        sl_str flow = sl_str_of(sl_member_text(one, "flow"));
        if (strcmp(sl_member_text(one, key), slash ? slash + 1 : name) != 0) continue;
        if (slash && !sl_str_equal(flow, (sl_str){name, (size_t)(slash - name)})) continue;
        if (*ret)
            return sl_complain(SL_EXIT_FAILED, "`%s` is in more than one flow, %s and %s: write FLOW/%s", name,
                               sl_member_text(*ret, "flow"), sl_member_text(one, "flow"), name);
        *ret = one;
    }
    return *ret ? SL_EXIT_DONE : no_such_thing(all, list, key, name);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------- */

static const char *note_of(const json_t *connection)
{
    if (sl_member_true(connection, "orphaned")) return "orphaned: no running flow has this queue";
    if (sl_member_true(connection, "back_pressure")) return "back pressure";
    return sl_member_number(connection, "held") ? "held" : "";
}

static void age_cell(sl_table *table, const char *since)
{
    char text[SL_HUMAN_TEXT];
    int64_t time;
    bool known = *since && sl_time_parse(sl_str_of(since), &time) == 0;
    sl_table_cell(table, SL_PLAIN, "%s", known ? sl_human_duration(sl_now() - time, text) : "");
}

static void bytes_cell(sl_table *table, const json_t *object, const char *key)
{
    char text[SL_HUMAN_TEXT];
    bool known = json_is_integer(json_object_get(object, key));
    sl_table_cell(table, SL_PLAIN, "%s", known ? sl_human_bytes((uint64_t)sl_member_number(object, key), text) : "");
}

void sl_queues_table(const json_t *connections, sl_buf *out)
{
    static const char *const heads[] = {"CONNECTION", "-OBJECTS", "-BYTES", "-OLDEST", "NOTE"};
    sl_table table = SL_TABLE(heads);
    const json_t *connection;
    size_t i;
    json_array_foreach(connections, i, connection)
    {
        sl_table_cell(&table, SL_BOLD, "%s/%s", sl_member_text(connection, "flow"), sl_member_text(connection, "id"));
        sl_table_cell(&table, SL_PLAIN, "%lld", sl_member_number(connection, "objects"));
        bytes_cell(&table, connection, "bytes");
        age_cell(&table, sl_member_text(connection, "oldest_queued_at"));
        sl_table_cell(&table, sl_member_number(connection, "held") ? SL_RED : SL_YELLOW, "%s", note_of(connection));
    }
    sl_table_print(&table, out);
    sl_table_done(&table);
}

static void flowfiles_table(const json_t *flowfiles, sl_buf *out)
{
    static const char *const heads[] = {"FLOWFILE", "FILENAME", "-SIZE", "-QUEUED FOR", "STATE", "-RETRIES", "WHY"};
    sl_table table = SL_TABLE(heads);
    const json_t *flowfile;
    size_t i;
    json_array_foreach(flowfiles, i, flowfile)
    {
        const json_t *attributes = json_object_get(flowfile, "attributes");
        sl_table_cell(&table, SL_PLAIN, "%s", sl_member_text(flowfile, "flowfile"));
        sl_table_cell(&table, SL_BOLD, "%s", sl_member_text(attributes, "filename"));
        bytes_cell(&table, flowfile, "size");
        age_cell(&table, sl_member_text(flowfile, "queued_at"));
        sl_table_cell(&table, SL_PLAIN, "%s", sl_member_text(flowfile, "state"));
        sl_table_cell(&table, SL_PLAIN, "%lld", sl_member_number(flowfile, "retries"));
        const char *unreadable = sl_member_text(flowfile, "unreadable");
        if (*unreadable) sl_table_cell(&table, SL_RED, "cannot be read: %s", unreadable);
        else sl_table_cell(&table, SL_RED, "%s", sl_member_text(attributes, "error.message"));
    }
    sl_table_print(&table, out);
    sl_table_done(&table);
}

static int print_listing(json_t *listing, bool json)
{
    if (json) return sl_common_print_json(listing);
    sl_buf out = SL_BUF(OUT_LIMIT);
    flowfiles_table(json_object_get(listing, "flowfiles"), &out);
    if (sl_member_true(listing, "truncated")) sl_buf_text(&out, "There are more; --limit shows them.\n");
    json_decref(listing);
    return sl_print(&out);
}

static int print_connections(json_t *connections, bool json)
{
    if (json) return sl_common_print_json(connections);
    sl_buf out = SL_BUF(OUT_LIMIT);
    sl_queues_table(connections, &out);
    json_decref(connections);
    return sl_print(&out);
}

/* ---- asked of the daemon ------------------------------------------------------------------------------------------------- */

static int connection_path(sl_client *client, const char *name, sl_buf *path)
{
    json_t *status;
    const json_t *connection;
    int code = sl_client_json(client, "GET", "/api/v1/status", &status);
    if (code != SL_EXIT_DONE) return code;
    code = sl_queues_find(status, "connections", "id", name, &connection);
    if (code == SL_EXIT_DONE) {
        sl_buf_text(path, "/api/v1/flows/");
        sl_percent_encode(path, sl_str_of(sl_member_text(connection, "flow")), "");
        sl_buf_text(path, "/connections/");
        sl_percent_encode(path, sl_str_of(sl_member_text(connection, "id")), "");
    }
    json_decref(status);
    return code;
}

static int ask_listing(const sl_arguments *arguments, uint64_t limit)
{
    sl_client *client;
    json_t *answer = NULL;
    char number[32];
    bool one = arguments->count != 0, json = sl_given_option(arguments, "json");
    int code = sl_client_open(arguments, &client);
    if (code != SL_EXIT_DONE) return code;
    sl_buf path = SL_BUF(4096);
    if (one) {
        code = connection_path(client, arguments->positional[0], &path);
        snprintf(number, sizeof number, "%llu", (unsigned long long)limit);
        sl_buf_text(&path, "/flowfiles");
        sl_client_parameter(&path, "limit", number);
    } else {
        sl_buf_text(&path, "/api/v1/status");
    }
    if (code == SL_EXIT_DONE) code = sl_client_json(client, "GET", path.data, &answer);
    sl_buf_done(&path);
    sl_client_close(client);
    if (code != SL_EXIT_DONE) return code;
    if (one) return print_listing(answer, json);
    json_t *connections = json_incref(json_object_get(answer, "connections"));
    json_decref(answer);
    return print_connections(connections, json);
}

/* ---- read from a state folder --------------------------------------------------------------------------------------------- */

typedef struct folded_queue {
    uint32_t id;
    const char *key;
    uint64_t objects;
    int64_t oldest;
} folded_queue;

static int by_key(const void *a, const void *b) { return strcmp(((const folded_queue *)a)->key, ((const folded_queue *)b)->key); }

static folded_queue *fold_queues(const sl_fold *fold, size_t *ret_count)
{
    folded_queue *by_id = sl_alloc((fold->name_count + 1) * sizeof *by_id);
    size_t count = 0;
    SL_FOLD_EACH(fold, folded)
    {
        folded_queue *queue = &by_id[folded->queue < fold->name_count ? folded->queue : fold->name_count];
        queue->id = folded->queue;
        queue->key = sl_fold_name(fold, folded->queue);
        if (!queue->objects++ || folded->queued < queue->oldest) queue->oldest = folded->queued;
    }
    for (size_t i = 0; i <= fold->name_count; i++)
        if (by_id[i].objects) by_id[count++] = by_id[i];
    if (count) qsort(by_id, count, sizeof *by_id, by_key);
    *ret_count = count;
    return by_id;
}

/* With the members of a daemon's answer that the journal alone knows. */
static json_t *queue_json(const folded_queue *queue)
{
    char time[SL_TIME_TEXT];
    const char *slash = strchr(queue->key, '/');
    bool hold = sl_str_ends(sl_str_of(queue->key), ".hold");
    return json_pack("{s:s%, s:s, s:I, s:s, s:b, s:I}", "flow", queue->key, slash ? (size_t)(slash - queue->key) : (size_t)0, "id",
                     slash ? slash + 1 : queue->key, "objects", (json_int_t)queue->objects, "oldest_queued_at",
                     sl_time_format(queue->oldest, time), "hold", hold, "held", (json_int_t)(hold ? queue->objects : 0));
}

static json_t *queues_json(const sl_fold *fold)
{
    size_t count;
    folded_queue *queues = fold_queues(fold, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, queue_json(&queues[i]));
    free(queues);
    return list;
}

static int by_moved(const void *a, const void *b)
{
    const sl_folded *x = *(const sl_folded *const *)a, *y = *(const sl_folded *const *)b;
    if (x->moved != y->moved) return x->moved < y->moved ? -1 : 1;
    return (x->flowfile > y->flowfile) - (x->flowfile < y->flowfile);
}

/* Those of one queue in its order; the caller frees the list. */
static const sl_folded **members_of(const sl_fold *fold, uint32_t queue, size_t *ret_count)
{
    const sl_folded **all = sl_alloc((fold->count + 1) * sizeof *all);
    *ret_count = 0;
    SL_FOLD_EACH(fold, folded)
    if (folded->queue == queue) all[(*ret_count)++] = folded;
    if (*ret_count) qsort(all, *ret_count, sizeof *all, by_moved);
    return all;
}

static json_t *flowfile_json(sl_reader *reader, const sl_folded *folded, uint32_t node)
{
    char uuid[SL_UUID_TEXT], queued[SL_TIME_TEXT], entered[SL_TIME_TEXT];
    sl_error error = {0};
    sl_buf text = SL_BUF(16 * 1024 * 1024);
    sl_uuid_make(folded->flowfile, folded->entered / SL_MILLISECOND, node, uuid);
    json_t *made =
        json_pack("{s:s, s:I, s:I, s:s, s:s}", "flowfile", uuid, "seq", (json_int_t)folded->seq, "retries", (json_int_t)folded->retries,
                  "entered_at", sl_time_format(folded->entered, entered), "queued_at", sl_time_format(folded->queued, queued));
    json_t *event = NULL;
    if (sl_query_event(reader, folded->seq, &text, &error) == 0) event = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
    else json_object_set_new(made, "unreadable", json_string(error.text));
    if (event) {
        json_t *content = json_object_get(event, "content");
        json_object_set(made, "attributes", json_object_get(event, "attributes"));
        json_object_set_new(made, "size", json_integer(sl_member_number(content, "size")));
        if (json_object_get(content, "sha256")) json_object_set(made, "sha256", json_object_get(content, "sha256"));
    }
    json_decref(event);
    sl_buf_done(&text);
    return made;
}

static int fold_listing(const char *state, const sl_fold *fold, const json_t *connection, uint64_t limit, json_t **ret)
{
    sl_error error = {0};
    uint32_t node, queue = 0;
    sl_reader *reader = NULL;
    size_t count;
    char *key = sl_asprintf("%s/%s", sl_member_text(connection, "flow"), sl_member_text(connection, "id"));
    for (uint32_t id = 1; id < fold->name_count; id++) /* 0 is nobody's name: it would list what has no queue at all */
        if (strcmp(sl_fold_name(fold, id), key) == 0) queue = id;
    free(key);
    char *folder = sl_asprintf("%s/journal", state);
    int result = sl_state_node(state, &node, &error);
    if (result == 0) result = sl_reader_open(folder, node, &reader, &error);
    free(folder);
    if (result == 0 && !queue) result = sl_error_set(&error, 0, "the journal in %s does not name this queue; run `sluice doctor`", state);
    if (result < 0) {
        sl_reader_close(reader);
        return sl_complain(SL_EXIT_FAILED, "%s", error.text);
    }
    const sl_folded **members = members_of(fold, queue, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count && i < limit; i++) json_array_append_new(list, flowfile_json(reader, members[i], node));
    *ret = json_pack("{s:O, s:I, s:o, s:b}", "connection", connection, "objects", (json_int_t)count, "flowfiles", list, "truncated",
                     count > limit);
    free(members);
    sl_reader_close(reader);
    return SL_EXIT_DONE;
}

static int read_listing(const sl_arguments *arguments, uint64_t limit)
{
    sl_error error = {0};
    sl_fold fold = {0};
    const char *state = sl_option_value(arguments, "state");
    bool json = sl_given_option(arguments, "json");
    if (sl_fold_read(state, false, &fold, &error) < 0) return sl_complain(SL_EXIT_FAILED, "%s", error.text);
    json_t *status = json_pack("{s:o}", "connections", queues_json(&fold)), *listing = NULL;
    const json_t *connection = NULL;
    int code = SL_EXIT_DONE;
    if (arguments->count) {
        code = sl_queues_find(status, "connections", "id", arguments->positional[0], &connection);
        if (code == SL_EXIT_DONE) code = fold_listing(state, &fold, connection, limit, &listing);
        if (code == SL_EXIT_DONE) code = print_listing(listing, json);
    } else {
        code = print_connections(json_incref(json_object_get(status, "connections")), json);
    }
    json_decref(status);
    sl_fold_done(&fold);
    return code;
}

int sl_command_queue_list(const sl_arguments *arguments)
{
    sl_error error = {0};
    uint64_t limit;
    if (sl_option_number(arguments, "limit", DEFAULT_LIMIT, &limit, &error) < 0 || limit == 0 || limit > MOST)
        return sl_complain(SL_EXIT_USAGE, "queue list: --limit takes a whole number from 1 to %d", MOST);
    if (!arguments->count && sl_given_option(arguments, "limit"))
        return sl_complain(SL_EXIT_USAGE, "queue list: --limit goes with a CONNECTION");
    return sl_history_offline(arguments) ? read_listing(arguments, limit) : ask_listing(arguments, limit);
}
