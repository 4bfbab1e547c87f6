/* sluice validate: checks flows without running them. */
#include <stdio.h>

#include "cli/common.h"
#include "cli/flow-file.h"
#include "cli/output.h"
#include "engine/secrets.h"

enum { SECRET_LIMIT = 64 * 1024 };

typedef struct work {
    sl_flow_reading reading;
    const sl_config *config;
    bool complete, json, failed;
    json_t *files;
} work;

/* ---- --complete: is every secret there --------------------------------------------------------------------- */

static void check_secret(const work *work, const sl_value *value, sl_problems *problems)
{
    sl_error error = {0};
    sl_buf secret = SL_BUF(SECRET_LIMIT);
    char *name = sl_strndup(value->text.data, value->text.size);
    if (sl_secret_read(work->config->secrets, name, &secret, &error) < 0) sl_problem_error(problems, value->mark, "%s", error.text);
    if (secret.data) explicit_bzero(secret.data, secret.capacity);
    sl_buf_done(&secret);
    free(name);
}

static void check_secrets(const work *work, const sl_properties *properties, sl_problems *problems)
{
    for (size_t i = 0; i < properties->count; i++) {
        const sl_value *value = &properties->values[i];
        if (value->secret && value->given) check_secret(work, value, problems);
        if (value->table) check_secrets(work, value->table, problems);
    }
}

static void check_complete(const work *work, const sl_flow *flow, sl_problems *problems)
{
    for (size_t i = 0; i < flow->service_count; i++) check_secrets(work, &flow->services[i].properties, problems);
    for (size_t i = 0; i < flow->processor_count; i++) check_secrets(work, &flow->processors[i].properties, problems);
}

/* ---- one file ------------------------------------------------------------------------------------------------- */

static json_t *problem_json(const sl_problem *problem)
{
    return json_pack("{s:s, s:i, s:i, s:o}", "severity", problem->warning ? "warning" : "error", "line", (int)problem->mark.line, "column",
                     (int)problem->mark.column, "message", sl_json_text(problem->message));
}

static void add_file(work *work, const char *path, const sl_problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) json_array_append_new(list, problem_json(&problems->items[i]));
    json_array_append_new(work->files,
                          json_pack("{s:o, s:b, s:o}", "file", sl_json_text(path), "valid", problems->errors == 0, "problems", list));
}

static void check_file(work *work, const char *path)
{
    sl_problems problems = {0};
    sl_flow *flow = sl_flow_file_load(path, &work->reading, &problems);
    if (flow && work->complete) check_complete(work, flow, &problems);
    if (work->json) add_file(work, path, &problems);
    else sl_common_problems(&problems);
    if (problems.errors) work->failed = true;
    else if (!work->json) printf("%s: ok\n", path);
    sl_problems_done(&problems);
    sl_flow_free(flow);
}

static int check_all(const sl_arguments *arguments, const sl_config *config, const sl_registry *registry)
{
    sl_arena arena = {0};
    sl_error error = {0};
    sl_setting *settings;
    work work = {.config = config, .complete = sl_given_option(arguments, "complete"), .json = sl_given_option(arguments, "json")};
    work.reading = (sl_flow_reading){.registry = registry, .config = config, .unset_allowed = !work.complete};
    int code = SL_EXIT_DONE;
    if (sl_option_settings(arguments, "set", &arena, &settings, &work.reading.setting_count, &error) < 0)
        code = sl_complain(SL_EXIT_USAGE, "validate: %s", error.text);
    if (code == SL_EXIT_DONE) {
        work.reading.settings = settings;
        work.files = json_array();
        for (size_t i = 0; i < arguments->count; i++) check_file(&work, arguments->positional[i]);
        if (work.json) code = sl_common_print_json(work.files);
        else json_decref(work.files);
        if (work.failed) code = SL_EXIT_INVALID;
    }
    sl_arena_done(&arena);
    return code;
}

int sl_command_validate(const sl_arguments *arguments)
{
    sl_modules *modules = NULL;
    sl_config config;
    int code = sl_common_config(arguments, &config);
    if (code == SL_EXIT_DONE) code = sl_common_modules(arguments, &modules);
    if (code == SL_EXIT_DONE) code = check_all(arguments, &config, sl_modules_registry(modules));
    sl_modules_free(modules);
    sl_config_done(&config);
    return code;
}
