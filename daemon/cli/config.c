#include "cli/config.h"

#include <errno.h>

#include "base/sys.h"

enum { CONFIG_LIMIT = 1024 * 1024 };

/* ---- the keys, in the form that modules use for their properties --------------------------------------- */

static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const sluice_property http_table[] = {
    {.name = "listen", .type = SLUICE_LIST, .help = "ADDR:PORT or unix:PATH; an empty list: nowhere."},
    {.name = "open", .type = SLUICE_LIST, .help = "Routes that need no token."},
    {0},
};
static const sluice_property secrets_table[] = {
    {.name = "dir", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "A folder with a file for each secret."},
    {0},
};
static const sluice_property flows_table[] = {
    {.name = "dir", .type = SLUICE_STRING, .fallback = SL_FLOWS_FOLDER, .help = "The folder with the flows."},
    {.name = "writable", .type = SLUICE_BOOL, .fallback = "false", .help = "Whether the API may write flows."},
    {0},
};
static const sluice_property log_table[] = {
    {.name = "level", .type = SLUICE_ENUM, .fallback = "info", .allowed = levels, .help = "The least level that is logged."},
    {0},
};
static const sluice_property provenance_table[] = {
    {.name = "age", .type = SLUICE_DURATION, .fallback = "30d", .help = "Events older than that may go; 0: never for their age."},
    {.name = "size", .type = SLUICE_SIZE, .fallback = "10GB", .help = "What the journal may take on the disk; 0: no limit."},
    {0},
};
static const sluice_property content_table[] = {
    {.name = "age", .type = SLUICE_DURATION, .fallback = "0", .help = "Only 0 in this version: content goes when no FlowFile needs it."},
    {.name = "disk",
     .type = SLUICE_STRING,
     .help = "How full the disk may be, as 80%, or what content may take, as 50GB; default: all but a twentieth, at most 1 GB."},
    {0},
};
static const sluice_property retention_table[] = {
    {.name = "provenance", .type = SLUICE_TABLE, .table = provenance_table, .help = "How long events are kept."},
    {.name = "content", .type = SLUICE_TABLE, .table = content_table, .help = "What content may take."},
    {0},
};
static const sluice_property config_table[] = {
    {.name = "http", .type = SLUICE_TABLE, .table = http_table, .help = "Where the API is served."},
    {.name = "secrets", .type = SLUICE_TABLE, .table = secrets_table, .help = "Where secrets are."},
    {.name = "flows", .type = SLUICE_TABLE, .table = flows_table, .help = "Where flows are."},
    {.name = "retention", .type = SLUICE_TABLE, .table = retention_table, .help = "How long what happened is kept."},
    {.name = "log", .type = SLUICE_TABLE, .table = log_table, .help = "What is logged."},
    {0},
};

/* Read by hand below, since their names are the operator's, or refused. */
static bool read_by_hand(sl_str key) { return sl_str_is(key, "parameters") || sl_str_is(key, "services"); }

static sl_str no_parameter(void *context, sl_str name)
{
    (void)context;
    (void)name;
    return (sl_str){0};
}

/* ---- decoding ------------------------------------------------------------------------------------------------ */

static const char **texts(sl_config *config, const sl_value *value, size_t *ret_count)
{
    const char **list = sl_arena_alloc(&config->arena, (value->item_count + 1) * sizeof *list);
    for (size_t i = 0; i < value->item_count; i++) list[i] = sl_arena_str(&config->arena, value->items[i].text).data;
    *ret_count = value->item_count;
    return list;
}

static void take_listen(sl_config *config, const sl_value *value, sl_problems *problems)
{
    config->listen = texts(config, value, &config->listen_count);
    config->listen_given = true;
    for (size_t i = 0; i < config->listen_count; i++) {
        const char *text = config->listen[i];
        if (strncmp(text, "unix:/", 6) == 0 || (strncmp(text, "unix:", 5) != 0 && strrchr(text, ':'))) continue;
        sl_problem_error(problems, value->items[i].mark, "http.listen: expected ADDR:PORT or unix:/PATH, found \"%s\"", text);
    }
}

static void take_open(sl_config *config, const sl_value *value, sl_problems *problems)
{
    static const char *const routes[] = {"healthz", "readyz", "metrics"};
    config->open = texts(config, value, &config->open_count);
    for (size_t i = 0; i < config->open_count; i++) {
        bool known = false;
        for (size_t k = 0; k < SL_COUNT(routes); k++) known |= strcmp(config->open[i], routes[k]) == 0;
        if (!known)
            sl_problem_error(problems, value->items[i].mark, "http.open: expected healthz, readyz or metrics, found \"%s\"",
                             config->open[i]);
    }
}

static const sl_value *written(const sl_config *config, const char *name)
{
    const sl_value *value = sl_properties_find(&config->properties, name);
    return value && value->given ? value : NULL;
}

/* A part of the file system, or a size. */
static void take_disk(sl_config *config, const sl_value *value, sl_problems *problems)
{
    char *end;
    const char *text = sl_arena_str(&config->arena, value->text).data;
    unsigned long percent = strtoul(text, &end, 10);
    config->content_disk_percent = 0;
    config->content_disk_bytes = 0;
    if (end != text && strcmp(end, "%") == 0 && text[0] != '-' && percent >= 1 && percent <= 100)
        config->content_disk_percent = (unsigned)percent;
    else if (sl_size_parse(value->text, &config->content_disk_bytes) < 0)
        sl_problem_error(problems, value->mark,
                         "retention.content.disk: expected a part of the disk from 1%% to 100%%, or a size as 50GB, found \"%s\"", text);
}

static void take_values(sl_config *config, sl_problems *problems)
{
    const sl_value *value;
    if ((value = written(config, "http.listen"))) take_listen(config, value, problems);
    if ((value = written(config, "http.open"))) take_open(config, value, problems);
    if ((value = written(config, "secrets.dir"))) config->secrets = sl_arena_str(&config->arena, value->text).data;
    if ((value = written(config, "flows.dir"))) config->flows = sl_arena_str(&config->arena, value->text).data;
    if ((value = written(config, "flows.writable")) && value->number)
        sl_problem_error(problems, value->mark, "flows.writable: true is not in this version: edit the files and send SIGHUP");
    if ((value = written(config, "retention.provenance.age"))) config->provenance_age = value->number;
    if ((value = written(config, "retention.provenance.size"))) config->provenance_size = (uint64_t)value->number;
    if ((value = written(config, "retention.content.age")) && value->number)
        sl_problem_error(problems, value->mark, "retention.content.age: not in this version but 0: content goes when no FlowFile needs it");
    if ((value = written(config, "retention.content.disk"))) take_disk(config, value, problems);
    if ((value = written(config, "log.level"))) sl_log_level_parse(levels[value->number], &config->log);
}

/* What is in it is checked with each flow that uses one. */
static void take_services(sl_config *config, const sl_node *root, sl_problems *problems)
{
    config->services = sl_node_get(root, "services");
    if (!config->services || config->services->kind == SL_MAPPING) return;
    sl_problem_error(problems, config->services->mark, "services: expected a mapping of names, as in services: {b2: {type: s3, ...}}");
}

static void take_flow_parameters(sl_config *config, const sl_node *name, const sl_node *node, sl_problems *problems)
{
    struct sl_config_flow *flow = &config->parameters[config->parameter_count++];
    flow->name = sl_arena_str(&config->arena, name->text).data;
    if (node->kind != SL_MAPPING) {
        sl_problem_error(problems, node->mark, "parameters.%s: expected a mapping of the flow's parameters to values", flow->name);
        return;
    }
    flow->settings = sl_arena_alloc(&config->arena, (node->count + 1) * sizeof *flow->settings);
    for (size_t i = 0; i < node->count; i++) {
        const char *parameter = sl_arena_str(&config->arena, node->keys[i]->text).data;
        if (node->items[i]->kind != SL_SCALAR || sl_node_null(node->items[i]))
            sl_problem_error(problems, node->items[i]->mark, "parameters.%s.%s: expected a value, as text", flow->name, parameter);
        else flow->settings[flow->count++] = (sl_setting){parameter, sl_arena_str(&config->arena, node->items[i]->text).data};
    }
}

static void take_parameters(sl_config *config, const sl_node *root, sl_problems *problems)
{
    const sl_node *node = sl_node_get(root, "parameters");
    if (!node) return;
    if (node->kind != SL_MAPPING) {
        sl_problem_error(problems, node->mark, "parameters: expected a mapping of flows, as in parameters: {media-to-b2: {bucket: prod}}");
        return;
    }
    config->parameters = sl_arena_alloc(&config->arena, (node->count + 1) * sizeof *config->parameters);
    for (size_t i = 0; i < node->count; i++) take_flow_parameters(config, node->keys[i], node->items[i], problems);
}

static void init(sl_config *config)
{
    static const char *default_listen[] = {"127.0.0.1:8470", "unix:/run/sluice/api.sock"};
    static const char *default_open[] = {"healthz", "readyz"};
    *config = (sl_config){.listen = default_listen,
                          .listen_count = SL_COUNT(default_listen),
                          .open = default_open,
                          .open_count = SL_COUNT(default_open),
                          .flows = SL_FLOWS_FOLDER,
                          .provenance_age = SL_PROVENANCE_AGE,
                          .provenance_size = SL_PROVENANCE_SIZE,
                          .log = SL_INFO};
}

int sl_config_parse(sl_str text, sl_config *ret, sl_problems *problems)
{
    init(ret);
    ret->file = problems->file ? sl_arena_str(&ret->arena, sl_str_of(problems->file)).data : NULL;
    if (!sl_str_trim(text).size) return 0; /* nothing said is a fine configuration */
    const sl_node *root = sl_tree_parse(text, &ret->arena, problems);
    if (!root) return -1;
    if (root->kind != SL_MAPPING) {
        sl_problem_error(problems, root->mark,
                         "expected the configuration's keys: http, parameters, services, secrets, retention, flows, log");
        return -1;
    }
    take_services(ret, root, problems);
    sl_parameter_scope none = {.parameter = no_parameter};
    sl_properties_decode(root, config_table, read_by_hand, &none, &ret->arena, &ret->properties, problems);
    if (!problems->errors) take_values(ret, problems);
    take_parameters(ret, root, problems);
    return problems->errors ? -1 : 0;
}

int sl_config_load(const char *path, sl_config *ret, sl_problems *problems)
{
    sl_error error = {0};
    sl_buf text = SL_BUF(CONFIG_LIMIT);
    init(ret);
    problems->file = path ? path : SL_CONFIG_FILE;
    if (sl_read_file(problems->file, CONFIG_LIMIT, &text, &error) < 0) {
        sl_buf_done(&text);
        if (!path && error.code == ENOENT) return 0;
        sl_problem_error(problems, (sl_mark){0}, "%s", error.text);
        return -1;
    }
    char *kept = sl_buf_take(&text);
    int result = sl_config_parse(sl_str_of(kept), ret, problems);
    free(kept);
    return result;
}

void sl_config_done(sl_config *config)
{
    sl_properties_done(&config->properties);
    sl_arena_done(&config->arena);
    *config = (sl_config){0};
}

const sl_setting *sl_config_settings(const sl_config *config, sl_str flow, size_t *ret_count)
{
    *ret_count = 0;
    for (size_t i = 0; i < config->parameter_count; i++) {
        if (!sl_str_is(flow, config->parameters[i].name)) continue;
        *ret_count = config->parameters[i].count;
        return config->parameters[i].settings;
    }
    return NULL;
}
