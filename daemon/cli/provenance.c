/* sluice provenance, lineage, content: what happened to FlowFiles. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/history.h"
#include "cli/output.h"

enum { OUT_LIMIT = 256 * 1024 * 1024, DEFAULT_LIMIT = 100, MOST = 1000000, PAGE = 1000 };

/* ---- one event whole ------------------------------------------------------------------------------------------------ */

static void line(sl_buf *out, const char *name, const char *value)
{
    if (!*value) return;
    sl_buf_printf(out, "%-16s  ", name);
    sl_add_printable(out, sl_str_of(value));
    sl_buf_char(out, '\n');
}

static void add_changes(sl_buf *out, const json_t *event)
{
    const char *name;
    json_t *attribute, *changed = json_object_get(event, "changed"), *attributes = json_object_get(event, "attributes");
    sl_add_styled(out, SL_BOLD, "\nattributes\n");
    json_object_foreach(attributes, name, attribute)
    {
        json_t *change = json_object_get(changed, name), *before = json_array_get(change, 0);
        sl_buf_text(out, change ? "* " : "  ");
        sl_add_printable(out, sl_str_of(name));
        sl_buf_text(out, " = ");
        sl_add_printable(out, sl_str_of(json_string_value(attribute)));
        if (json_is_string(before)) {
            sl_buf_text(out, "   (was ");
            sl_add_printable(out, sl_str_of(json_string_value(before)));
            sl_buf_char(out, ')');
        }
        sl_buf_char(out, '\n');
    }
    json_object_foreach(changed, name, attribute)
    {
        if (json_object_get(attributes, name)) continue;
        sl_buf_text(out, "- ");
        sl_add_printable(out, sl_str_of(name));
        sl_buf_char(out, '\n');
    }
}

static void add_relatives(sl_buf *out, const json_t *event, const char *key)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(event, key), i, one)
    {
        if (json_is_string(one)) line(out, i ? "" : key, json_string_value(one));
    }
}

static void add_details(sl_buf *out, const json_t *details)
{
    if (!details || json_is_null(details)) return;
    char *text = json_dumps(details, JSON_COMPACT | JSON_ENCODE_ANY);
    line(out, "details", text);
    free(text);
}

static void event_page(const json_t *event, sl_buf *out)
{
    char text[SL_TIME_TEXT + 16];
    const json_t *content = json_object_get(event, "content");
    snprintf(text, sizeof text, "%lld", sl_member_number(event, "seq"));
    line(out, "event", text);
    static const char *const keys[] = {"time",          "type",         "flow",       "component", "component_type",
                                       "flow_revision", "relationship", "connection", "flowfile",  "transit_uri"};
    for (size_t i = 0; i < SL_COUNT(keys); i++) line(out, keys[i], sl_member_text(event, keys[i]));
    if (json_is_object(content)) {
        snprintf(text, sizeof text, "%lld", sl_member_number(content, "size"));
        line(out, "content size", text);
        line(out, "content sha256", sl_member_text(content, "sha256"));
    }
    snprintf(text, sizeof text, "%lld us", sl_member_number(event, "duration_us"));
    line(out, "duration", text);
    add_relatives(out, event, "parents");
    add_relatives(out, event, "children");
    add_details(out, json_object_get(event, "details"));
    add_changes(out, event);
}

/* ---- a list of events -------------------------------------------------------------------------------------------------- */

static const char *const event_heads[] = {"-SEQ", "TIME", "TYPE", "COMPONENT", "REL", "FILENAME", "FLOWFILE", "WHERE"};

static void event_row(sl_table *table, const json_t *event)
{
    const char *flow = sl_member_text(event, "flow"), *component = sl_member_text(event, "component"),
               *uri = sl_member_text(event, "transit_uri");
    const char *type = sl_member_text(event, "type");
    sl_table_cell(table, SL_PLAIN, "%lld", sl_member_number(event, "seq"));
    sl_table_cell(table, SL_DIM, "%.23sZ", sl_member_text(event, "time"));
    sl_table_cell(table, strcmp(type, "SEND") == 0 ? SL_GREEN : SL_PLAIN, "%s", type);
    sl_table_cell(table, SL_PLAIN, "%s%s%s", flow, *flow ? "/" : "", component);
    sl_table_cell(table, SL_PLAIN, "%s", sl_member_text(event, "relationship"));
    sl_table_cell(table, SL_PLAIN, "%s", sl_member_text(json_object_get(event, "attributes"), "filename"));
    sl_table_cell(table, SL_DIM, "%s", sl_member_text(event, "flowfile"));
    sl_table_cell(table, SL_PLAIN, "%s", *uri ? uri : sl_member_text(event, "connection"));
}

static int print_events(const json_t *events, const char *cursor)
{
    sl_table table = SL_TABLE(event_heads);
    sl_buf out = SL_BUF(OUT_LIMIT);
    size_t i;
    json_t *event;
    json_array_foreach(events, i, event) { event_row(&table, event); }
    sl_table_print(&table, &out);
    sl_table_done(&table);
    int code = sl_print(&out);
    if (code == SL_EXIT_DONE && cursor) fprintf(stderr, "There are more: --cursor %s\n", cursor);
    return code;
}

/* Asks page by page until there are as many as wanted: a page can end early, with its time. */
static int collect(sl_history *history, uint64_t limit, const char *cursor, json_t *ret_events, json_t **ret_cursor)
{
    json_t *page, *last = cursor ? json_string(cursor) : NULL;
    int code = SL_EXIT_DONE;
    for (;;) {
        code = sl_history_events(history, SL_MIN(limit - json_array_size(ret_events), (uint64_t)PAGE), json_string_value(last), &page);
        if (code != SL_EXIT_DONE) break;
        json_array_extend(ret_events, json_object_get(page, "events"));
        json_decref(last);
        last = json_incref(json_object_get(page, "cursor"));
        json_decref(page);
        if (!json_is_string(last) || json_array_size(ret_events) >= limit) break;
    }
    *ret_cursor = last ? last : json_null();
    return code;
}

static int list_events(sl_history *history, const sl_arguments *arguments)
{
    sl_error error = {0};
    uint64_t limit;
    if (sl_option_number(arguments, "limit", DEFAULT_LIMIT, &limit, &error) < 0 || limit == 0 || limit > MOST)
        return sl_complain(SL_EXIT_USAGE, "provenance: --limit takes a whole number from 1 to %d", MOST);
    json_t *events = json_array(), *cursor;
    int code = collect(history, limit, sl_option_value(arguments, "cursor"), events, &cursor);
    if (code == SL_EXIT_DONE && sl_given_option(arguments, "json"))
        return sl_common_print_json(json_pack("{s:o, s:o}", "events", events, "cursor", cursor));
    if (code == SL_EXIT_DONE) code = print_events(events, json_string_value(cursor));
    json_decref(events);
    json_decref(cursor);
    return code;
}

/* An event is one whatever the filters say. */
static int refuse_filters(const sl_arguments *arguments)
{
    for (size_t i = 0; i < arguments->given_count; i++) {
        const char *name = arguments->given[i].option->name;
        if (strcmp(name, "json") != 0 && strcmp(name, "url") != 0 && strcmp(name, "state") != 0)
            return sl_complain(SL_EXIT_USAGE, "provenance: with an event's number --%s has no meaning; leave one of them out", name);
    }
    return SL_EXIT_DONE;
}

static int show_event(sl_history *history, const sl_arguments *arguments)
{
    json_t *event;
    int code = sl_history_event(history, arguments->positional[0], &event);
    if (code != SL_EXIT_DONE) return code;
    if (sl_given_option(arguments, "json")) return sl_common_print_json(event);
    sl_buf out = SL_BUF(OUT_LIMIT);
    event_page(event, &out);
    json_decref(event);
    return sl_print(&out);
}

int sl_command_provenance(const sl_arguments *arguments)
{
    sl_history *history;
    int code = arguments->count ? refuse_filters(arguments) : SL_EXIT_DONE;
    if (code == SL_EXIT_DONE) code = sl_history_open(arguments, &history);
    if (code != SL_EXIT_DONE) return code;
    code = arguments->count ? show_event(history, arguments) : list_events(history, arguments);
    sl_history_close(history);
    return code;
}

/* ---- lineage -------------------------------------------------------------------------------------------------------------- */

static int by_seq(const void *a, const void *b)
{
    long long x = sl_member_number(*(json_t *const *)a, "seq"), y = sl_member_number(*(json_t *const *)b, "seq");
    return (x > y) - (x < y);
}

static void lineage_row(sl_table *table, const json_t *event, const char *asked)
{
    const char *flow = sl_member_text(event, "flow"), *uri = sl_member_text(event, "transit_uri"),
               *flowfile = sl_member_text(event, "flowfile");
    sl_table_cell(table, SL_PLAIN, "%lld", sl_member_number(event, "seq"));
    sl_table_cell(table, SL_DIM, "%.23sZ", sl_member_text(event, "time"));
    sl_table_cell(table, SL_PLAIN, "%s", sl_member_text(event, "type"));
    sl_table_cell(table, strcmp(flowfile, asked) == 0 ? SL_BOLD : SL_PLAIN, "%s", flowfile);
    sl_table_cell(table, SL_PLAIN, "%s%s%s", flow, *flow ? "/" : "", sl_member_text(event, "component"));
    sl_table_cell(table, SL_PLAIN, "%s", sl_member_text(event, "relationship"));
    sl_table_cell(table, SL_PLAIN, "%s", *uri ? uri : sl_member_text(event, "connection"));
}

/* The events in order, then who came from whom. */
static void lineage_page(const json_t *lineage, sl_buf *out)
{
    static const char *const heads[] = {"-SEQ", "TIME", "TYPE", "FLOWFILE", "COMPONENT", "REL", "WHERE"};
    sl_table table = SL_TABLE(heads);
    json_t *nodes = json_object_get(lineage, "nodes"), *node;
    json_t **events = sl_alloc((json_array_size(nodes) + 1) * sizeof *events);
    size_t count = 0, i;
    json_array_foreach(nodes, i, node)
    {
        if (strcmp(sl_member_text(node, "kind"), "event") == 0) events[count++] = node;
    }
    if (count) qsort(events, count, sizeof *events, by_seq);
    for (i = 0; i < count; i++) lineage_row(&table, events[i], sl_member_text(lineage, "flowfile"));
    sl_table_print(&table, out);
    sl_table_done(&table);
    free(events);
    json_array_foreach(json_object_get(lineage, "edges"), i, node)
    {
        const char *from = sl_member_text(node, "from"), *to = sl_member_text(node, "to");
        if (strncmp(to, "flowfile:", 9) == 0) sl_buf_printf(out, "%s -> %s\n", from, to);
    }
    if (json_is_true(json_object_get(lineage, "truncated"))) sl_buf_text(out, "There is more than is shown here.\n");
}

int sl_command_lineage(const sl_arguments *arguments)
{
    sl_history *history;
    json_t *lineage = NULL;
    int code = sl_history_open(arguments, &history);
    if (code != SL_EXIT_DONE) return code;
    code = sl_history_lineage(history, arguments->positional[0], &lineage);
    sl_history_close(history);
    if (code != SL_EXIT_DONE) return code;
    if (sl_given_option(arguments, "json")) return sl_common_print_json(lineage);
    sl_buf out = SL_BUF(OUT_LIMIT);
    lineage_page(lineage, &out);
    json_decref(lineage);
    return sl_print(&out);
}

/* ---- content ---------------------------------------------------------------------------------------------------------------- */

int sl_command_content(const sl_arguments *arguments)
{
    sl_history *history;
    const char *path = sl_option_value(arguments, "output"), *side = sl_option_value(arguments, "side");
    if (sl_given_option(arguments, "json")) return sl_complain(SL_EXIT_USAGE, "content: bytes have no form in JSON; leave --json out");
    int code = sl_history_open(arguments, &history);
    if (code != SL_EXIT_DONE) return code;
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : STDOUT_FILENO;
    if (fd < 0) code = sl_complain(SL_EXIT_FAILED, "content: cannot make %s: %s", path, strerror(errno));
    if (code == SL_EXIT_DONE) code = sl_history_content(history, arguments->positional[0], side && strcmp(side, "input") == 0, fd);
    if (path && fd >= 0 && close(fd) < 0) code = sl_complain(SL_EXIT_FAILED, "content: cannot write %s: %s", path, strerror(errno));
    if (path && fd >= 0 && code != SL_EXIT_DONE) unlink(path); /* ours: it was made by us, and is not whole */
    sl_history_close(history);
    return code;
}
