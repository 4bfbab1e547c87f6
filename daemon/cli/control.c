/* sluice queue replay, queue empty, start, stop, reload: what changes a running daemon. */
#include <stdio.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/history.h"
#include "cli/output.h"
#include "cli/queues.h"

enum { PATH_LIMIT = 8192 };

/* ---- what all of them do: find the thing in the status, ask, tell ------------------------------------------------------ */

typedef struct target {
    const char *list, *key; /* of the status: "connections" by "id" */
    const char *folder;     /* of the path */
} target;

static const target connections = {.list = "connections", .key = "id", .folder = "connections"};
static const target processors = {.list = "processors", .key = "name", .folder = "processors"};

/* "/api/v1/flows/FLOW/connections/ID"; *ret_name "FLOW/ID", which the caller frees. */
static int find(sl_client *client, const target *target, const char *name, sl_buf *path, char **ret_name)
{
    json_t *status;
    const json_t *found;
    int code = sl_client_json(client, "GET", "/api/v1/status", &status);
    if (code != SL_EXIT_DONE) return code;
    code = sl_queues_find(status, target->list, target->key, name, &found);
    if (code == SL_EXIT_DONE) {
        const char *flow = sl_member_text(found, "flow"), *rest = sl_member_text(found, target->key);
        sl_buf_text(path, "/api/v1/flows/");
        sl_percent_encode(path, sl_str_of(flow), "");
        sl_buf_printf(path, "/%s/", target->folder);
        sl_percent_encode(path, sl_str_of(rest), "");
        *ret_name = sl_asprintf("%s/%s", flow, rest);
    }
    json_decref(status);
    return code;
}

/* The answer as it is, or a sentence. */
static int tell(const sl_arguments *arguments, json_t *answer, const char *format, ...) SL_PRINTF(3, 4);
static int tell(const sl_arguments *arguments, json_t *answer, const char *format, ...)
{
    char text[2048];
    va_list list;
    if (sl_given_option(arguments, "json")) return sl_common_print_json(answer);
    json_decref(answer);
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    sl_buf out = SL_BUF(8192);
    sl_add_printable(&out, sl_str_of(text));
    sl_buf_char(&out, '\n');
    return sl_print(&out);
}

/* ---- queues ----------------------------------------------------------------------------------------------------------------- */

/* Checked before: check_selection. */
static void add_selection(const sl_arguments *arguments, sl_buf *path)
{
    const char *flowfile = sl_option_value(arguments, "flowfile"), *error = sl_option_value(arguments, "error"), *attribute;
    size_t at = 0;
    if (flowfile) sl_client_parameter(path, "flowfile", flowfile);
    if (error) sl_client_parameter(path, "error", error);
    while ((attribute = sl_option_next(arguments, "attr", &at))) {
        const char *equals = strchr(attribute, '=');
        char *name = sl_asprintf("attr.%.*s", (int)(equals - attribute), attribute);
        sl_client_parameter(path, name, equals + 1);
        free(name);
    }
}

static int check_selection(const sl_arguments *arguments)
{
    const char *attribute;
    size_t at = 0;
    while ((attribute = sl_option_next(arguments, "attr", &at)))
        if (!strchr(attribute, '=') || attribute[0] == '=')
            return sl_complain(SL_EXIT_USAGE, "%s: --attr takes NAME=VALUE, not `%s`", arguments->command->name, attribute);
    return SL_EXIT_DONE;
}

/* A long queue takes its time: on a terminal it is said how far it is. */
typedef struct progress {
    sl_client *client; /* another than the one that waits; NULL: nobody looks on */
    const char *name;
    bool told;
} progress;

static void look(void *context)
{
    progress *p = context;
    json_t *status = NULL;
    const json_t *connection;
    if (!p->client || sl_client_json(p->client, "GET", "/api/v1/status", &status) != SL_EXIT_DONE) return;
    if (sl_queues_find(status, "connections", "id", p->name, &connection) == SL_EXIT_DONE) {
        const json_t *operation = json_object_get(connection, "operation");
        if (json_is_object(operation)) {
            fprintf(stderr, "\r%lld of %lld ", sl_member_number(operation, "done"), sl_member_number(operation, "of"));
            p->told = true;
        }
    }
    json_decref(status);
}

static int operate(sl_client *client, const sl_arguments *arguments, const char *method, const char *path, const char *name, json_t **ret)
{
    progress p = {.name = name};
    if (isatty(STDERR_FILENO) && sl_client_open(arguments, &p.client) != SL_EXIT_DONE) p.client = NULL;
    int code = sl_client_wait(client, method, path, look, &p, ret);
    if (p.told) fprintf(stderr, "\r\033[K");
    sl_client_close(p.client);
    return code;
}

static int tell_operated(const sl_arguments *arguments, json_t *answer, const char *name, const char *count, const char *what)
{
    char more[256] = "", why[512] = "";
    long long unreadable = sl_member_number(answer, "unreadable");
    bool complete = sl_member_true(answer, "complete");
    if (unreadable) snprintf(more, sizeof more, "; %lld cannot be read and stay, see `sluice bulletins`", unreadable);
    if (!complete) snprintf(why, sizeof why, "; the rest stays queued: %s", sl_member_text(answer, "why"));
    int code = tell(arguments, answer, "%s: %lld FlowFiles %s%s%s", name, sl_member_number(answer, count), what, more, why);
    return code == SL_EXIT_DONE && (unreadable || !complete) ? SL_EXIT_FAILED : code;
}

static int replay(sl_client *client, const sl_arguments *arguments, sl_buf *path, const char *name)
{
    json_t *answer;
    sl_buf_text(path, "/replay");
    add_selection(arguments, path);
    int code = operate(client, arguments, "POST", path->data, name, &answer);
    if (code != SL_EXIT_DONE) return code;
    return tell_operated(arguments, answer, name, "replayed", "go back to the processor");
}

/* What comes while the command is on its way was not meant. */
static int newest(sl_client *client, const sl_buf *path, char text[24])
{
    json_t *listing;
    char *first = sl_asprintf("%s?limit=1", path->data);
    int code = sl_client_json(client, "GET", first, &listing);
    free(first);
    if (code != SL_EXIT_DONE) return code;
    snprintf(text, 24, "%lld", sl_member_number(listing, "seq"));
    json_decref(listing);
    return SL_EXIT_DONE;
}

static int empty(sl_client *client, const sl_arguments *arguments, sl_buf *path, const char *name)
{
    json_t *answer;
    char number[24];
    const char *through = sl_option_value(arguments, "through");
    sl_buf_text(path, "/flowfiles");
    int code = through ? SL_EXIT_DONE : newest(client, path, number);
    if (code == SL_EXIT_DONE) {
        sl_client_parameter(path, "through", through ? through : number);
        add_selection(arguments, path);
        code = operate(client, arguments, "DELETE", path->data, name, &answer);
    }
    if (code != SL_EXIT_DONE) return code;
    return tell_operated(arguments, answer, name, "dropped", "are dropped");
}

/* ---- processors --------------------------------------------------------------------------------------------------------------- */

static int start(sl_client *client, const sl_arguments *arguments, sl_buf *path, const char *name)
{
    json_t *answer;
    sl_buf_text(path, "/start");
    int code = sl_client_json(client, "POST", path->data, &answer);
    return code == SL_EXIT_DONE ? tell(arguments, answer, "%s: started", name) : code;
}

static int stop(sl_client *client, const sl_arguments *arguments, sl_buf *path, const char *name)
{
    json_t *answer;
    sl_buf_text(path, "/stop");
    int code = sl_client_json(client, "POST", path->data, &answer);
    return code == SL_EXIT_DONE ? tell(arguments, answer, "%s: stopped; it stays so over restarts until `sluice start %s`", name, name)
                                : code;
}

static int with_target(const sl_arguments *arguments, const target *target,
                       int (*act)(sl_client *client, const sl_arguments *arguments, sl_buf *path, const char *name))
{
    sl_client *client;
    char *name = NULL;
    int code = sl_client_open(arguments, &client);
    if (code != SL_EXIT_DONE) return code;
    sl_buf path = SL_BUF(PATH_LIMIT);
    code = find(client, target, arguments->positional[0], &path, &name);
    if (code == SL_EXIT_DONE) code = act(client, arguments, &path, name);
    free(name);
    sl_buf_done(&path);
    sl_client_close(client);
    return code;
}

static int check_number(const sl_arguments *arguments, const char *option)
{
    sl_error error = {0};
    uint64_t number;
    if (sl_option_number(arguments, option, 0, &number, &error) == 0) return SL_EXIT_DONE;
    return sl_complain(SL_EXIT_USAGE, "%s: %s", arguments->command->name, error.text);
}

int sl_command_queue_replay(const sl_arguments *arguments)
{
    int code = check_selection(arguments);
    return code == SL_EXIT_DONE ? with_target(arguments, &connections, replay) : code;
}

int sl_command_queue_empty(const sl_arguments *arguments)
{
    int code = check_number(arguments, "through");
    if (code == SL_EXIT_DONE) code = check_selection(arguments);
    return code == SL_EXIT_DONE ? with_target(arguments, &connections, empty) : code;
}

int sl_command_start(const sl_arguments *arguments) { return with_target(arguments, &processors, start); }
int sl_command_stop(const sl_arguments *arguments) { return with_target(arguments, &processors, stop); }

/* ---- reload --------------------------------------------------------------------------------------------------------------------- */

int sl_command_reload(const sl_arguments *arguments)
{
    sl_client *client;
    json_t *answer;
    const char *flow = arguments->count ? arguments->positional[0] : NULL;
    int code = sl_client_open(arguments, &client);
    if (code != SL_EXIT_DONE) return code;
    sl_buf path = SL_BUF(PATH_LIMIT);
    sl_buf_text(&path, "/api/v1/");
    if (flow) {
        sl_buf_text(&path, "flows/");
        sl_percent_encode(&path, sl_str_of(flow), "");
        sl_buf_char(&path, '/');
    }
    sl_buf_text(&path, "reload");
    code = sl_client_json(client, "POST", path.data, &answer);
    sl_buf_done(&path);
    sl_client_close(client);
    if (code != SL_EXIT_DONE) return code;
    return tell(arguments, answer, flow ? "%s: reloaded" : "%s are reloaded", flow ? flow : "all flows");
}
