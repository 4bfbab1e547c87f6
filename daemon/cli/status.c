/* sluice status, bulletins: what a running daemon does and what it says. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/common.h"
#include "cli/output.h"
#include "cli/queues.h"

enum { OUT_LIMIT = 64 * 1024 * 1024 };

/* ---- status -------------------------------------------------------------------------------------------------------- */

static sl_style style_of(const char *state)
{
    if (strcmp(state, "running") == 0) return SL_GREEN;
    return strcmp(state, "paused") == 0 || strcmp(state, "invalid") == 0 || strcmp(state, "failed") == 0 ? SL_RED : SL_YELLOW;
}

static void add_line(sl_buf *out, const char *what, const char *why)
{
    sl_buf_text(out, what);
    sl_add_printable(out, sl_str_of(why));
    sl_buf_char(out, '\n');
}

static void add_head(const json_t *status, sl_buf *out)
{
    const json_t *daemon = json_object_get(status, "daemon"), *connection;
    const char *failure = sl_member_text(json_object_get(status, "journal"), "failure");
    char up[SL_HUMAN_TEXT];
    long long held = 0;
    size_t i;
    json_array_foreach(json_object_get(status, "connections"), i, connection) { held += sl_member_number(connection, "held"); }
    sl_buf_printf(out, "sluiced %s ", sl_member_text(daemon, "version"));
    sl_add_styled(out, style_of(sl_member_text(daemon, "state")), sl_member_text(daemon, "state"));
    sl_buf_printf(out, ", up %s; %lld FlowFiles, %lld of them held; %lld delivered, %lld ended by a failure\n",
                  sl_human_duration(sl_member_number(daemon, "uptime_seconds") * SL_SECOND, up), sl_member_number(status, "flowfiles"),
                  held, sl_member_number(status, "delivered"), sl_member_number(status, "ended_by_failure"));
    const char *full = sl_member_text(json_object_get(status, "disk"), "reason");
    if (*failure) add_line(out, "the journal cannot be written: ", failure);
    if (*full) add_line(out, "sources wait: ", full);
}

static void add_flows(const json_t *flows, sl_buf *out)
{
    static const char *const heads[] = {"FLOW", "STATE", "REVISION", "PROBLEM"};
    sl_table table = SL_TABLE(heads);
    const json_t *flow;
    size_t i;
    json_array_foreach(flows, i, flow)
    {
        sl_table_cell(&table, SL_BOLD, "%s", sl_member_text(flow, "name"));
        sl_table_cell(&table, style_of(sl_member_text(flow, "state")), "%s", sl_member_text(flow, "state"));
        sl_table_cell(&table, SL_PLAIN, "%s", sl_member_text(flow, "revision"));
        sl_table_cell(&table, SL_RED, "%s", sl_member_text(flow, "problem"));
    }
    sl_buf_char(out, '\n');
    sl_table_print(&table, out);
    sl_table_done(&table);
}

static void processor_row(sl_table *table, const json_t *processor)
{
    const json_t *window = json_object_get(processor, "five_minutes"), *error = json_object_get(processor, "last_error");
    const char *state = sl_member_text(processor, "state");
    sl_table_cell(table, SL_BOLD, "%s/%s", sl_member_text(processor, "flow"), sl_member_text(processor, "name"));
    sl_table_cell(table, SL_PLAIN, "%s", sl_member_text(processor, "type"));
    sl_table_cell(table, style_of(state), "%s", state);
    sl_table_cell(table, SL_PLAIN, "%lld/%lld", sl_member_number(processor, "active"), sl_member_number(processor, "concurrency"));
    sl_table_cell(table, SL_PLAIN, "%lld", sl_member_number(window, "in"));
    sl_table_cell(table, SL_PLAIN, "%lld", sl_member_number(window, "out"));
    sl_table_cell(table, sl_member_number(window, "failures") ? SL_YELLOW : SL_PLAIN, "%lld", sl_member_number(window, "failures"));
    sl_table_cell(table, SL_PLAIN, "%lld", sl_member_number(processor, "retrying"));
    /* An old error of a processor that works again is no news. */
    bool news = json_is_object(error) &&
                (strcmp(state, "paused") == 0 || sl_member_number(processor, "retrying") || *sl_member_text(processor, "rests_until"));
    if (*sl_member_text(processor, "stuck_since"))
        sl_table_cell(table, SL_RED, "stuck: a session is open since %.19sZ", sl_member_text(processor, "stuck_since"));
    else if (*sl_member_text(processor, "back_pressure_reason")) sl_table_cell(table, SL_YELLOW, "waits for room on the disk");
    else
        sl_table_cell(table, SL_RED, "%s%s%s", news ? sl_member_text(error, "class") : "", news ? ": " : "",
                      news ? sl_member_text(error, "message") : "");
}

static void add_processors(const json_t *processors, sl_buf *out)
{
    static const char *const heads[] = {"PROCESSOR", "TYPE", "STATE", "-ACTIVE", "-IN 5m", "-OUT 5m", "-FAILED 5m", "-RETRYING", "WHY"};
    sl_table table = SL_TABLE(heads);
    const json_t *processor;
    size_t i;
    json_array_foreach(processors, i, processor) { processor_row(&table, processor); }
    sl_buf_char(out, '\n');
    sl_table_print(&table, out);
    sl_table_done(&table);
}

/* Leaves of a list only what belongs to the flow. */
static void keep_flow(json_t *status, const char *list, const char *key, const char *flow)
{
    json_t *all = json_object_get(status, list);
    for (size_t i = json_array_size(all); i > 0; i--)
        if (strcmp(sl_member_text(json_array_get(all, i - 1), key), flow) != 0) json_array_remove(all, i - 1);
}

static int filter(json_t *status, const char *flow)
{
    keep_flow(status, "flows", "name", flow);
    keep_flow(status, "processors", "flow", flow);
    keep_flow(status, "connections", "flow", flow);
    if (json_array_size(json_object_get(status, "flows")) || json_array_size(json_object_get(status, "connections"))) return SL_EXIT_DONE;
    return sl_complain(SL_EXIT_FAILED, "the daemon has no flow `%s`; `sluice status` lists those it has", flow);
}

int sl_command_status(const sl_arguments *arguments)
{
    sl_client *client;
    json_t *status = NULL;
    int code = sl_client_open(arguments, &client);
    if (code != SL_EXIT_DONE) return code;
    code = sl_client_json(client, "GET", "/api/v1/status", &status);
    sl_client_close(client);
    if (code == SL_EXIT_DONE && arguments->count) code = filter(status, arguments->positional[0]);
    if (code == SL_EXIT_DONE && sl_given_option(arguments, "json")) return sl_common_print_json(status);
    sl_buf out = SL_BUF(OUT_LIMIT);
    if (code == SL_EXIT_DONE) {
        add_head(status, &out);
        add_flows(json_object_get(status, "flows"), &out);
        add_processors(json_object_get(status, "processors"), &out);
        sl_buf_char(&out, '\n');
        sl_queues_table(json_object_get(status, "connections"), &out);
        code = sl_print(&out);
    }
    json_decref(status);
    return code;
}

/* ---- bulletins --------------------------------------------------------------------------------------------------------- */

static void bulletin_line(const json_t *bulletin, sl_buf *out)
{
    const char *level = sl_member_text(bulletin, "level");
    sl_buf_printf(out, "%lld  %.19sZ  ", sl_member_number(bulletin, "seq"), sl_member_text(bulletin, "time"));
    sl_add_styled(out, strcmp(level, "error") == 0 ? SL_RED : strcmp(level, "warning") == 0 ? SL_YELLOW : SL_PLAIN, level);
    sl_buf_text(out, "  ");
    sl_add_printable(out, sl_str_of(sl_member_text(bulletin, "component")));
    sl_buf_text(out, ": ");
    sl_add_printable(out, sl_str_of(sl_member_text(bulletin, "message")));
    if (sl_member_number(bulletin, "count") > 1) sl_buf_printf(out, " (%lld times)", sl_member_number(bulletin, "count"));
    sl_buf_char(out, '\n');
}

static int ask_bulletins(const sl_arguments *arguments, json_t **ret)
{
    sl_client *client;
    sl_error error = {0};
    uint64_t after, limit;
    char number[32];
    if (sl_option_number(arguments, "after", 0, &after, &error) < 0 || sl_option_number(arguments, "limit", 100, &limit, &error) < 0)
        return sl_complain(SL_EXIT_USAGE, "bulletins: %s", error.text);
    int code = sl_client_open(arguments, &client);
    if (code != SL_EXIT_DONE) return code;
    sl_buf path = SL_BUF(256);
    sl_buf_text(&path, "/api/v1/bulletins");
    snprintf(number, sizeof number, "%llu", (unsigned long long)after);
    sl_client_parameter(&path, "after", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)limit);
    sl_client_parameter(&path, "limit", number);
    code = sl_client_json(client, "GET", path.data, ret);
    sl_buf_done(&path);
    sl_client_close(client);
    return code;
}

int sl_command_bulletins(const sl_arguments *arguments)
{
    json_t *answer = NULL, *bulletin;
    size_t i;
    int code = ask_bulletins(arguments, &answer);
    if (code != SL_EXIT_DONE) return code;
    if (sl_given_option(arguments, "json")) return sl_common_print_json(answer);
    sl_buf out = SL_BUF(OUT_LIMIT);
    json_t *list = json_is_array(answer) ? answer : json_object_get(answer, "bulletins");
    json_array_foreach(list, i, bulletin) { bulletin_line(bulletin, &out); }
    json_decref(answer);
    return sl_print(&out);
}
