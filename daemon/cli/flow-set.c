#include "cli/flow-set.h"

#include <errno.h>
#include <stdio.h>

#include "base/sys.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/flow-file.h"

enum { TEXT_LIMIT = 1024 * 1024, FAILURE_LIMIT = 64 * 1024 };

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static int list_files(const sl_flow_set *set, sl_flow_paths *ret, sl_error *error)
{
    if (!set->files) return sl_flow_paths_list(set->config->flows, ret, error);
    for (size_t i = 0; i < set->file_count; i++) sl_flow_paths_add(ret, set->files[i]);
    return 0;
}

/* In the daemon's folder a flow has its file's name; elsewhere its own. */
static char *name_of(const sl_flow_set *set, const char *path) { return set->files ? sl_flow_file_name(path) : sl_flow_path_stem(path); }

static sl_flow *load(const sl_flow_set *set, const char *path, bool of_folder, sl_problems *problems)
{
    sl_flow_reading reading = {.registry = sl_engine_registry(set->engine), .config = set->config, .stem_must_match = of_folder};
    return sl_flow_file_load(path, &reading, problems);
}

/* ---- the last good text -------------------------------------------------------------------------------------------------- */

static char *good_path(const sl_flow_set *set, const char *name)
{
    return sl_asprintf("%s/flows/%s.yaml", sl_engine_state(set->engine), name);
}

/* What was written is not written again: a start syncs nothing for it. */
static void keep_good(const sl_flow_set *set, const char *name)
{
    const sl_flow *flow = sl_engine_flow(set->engine, sl_str_of(name));
    if (!flow) return;
    char *path = good_path(set, name), *folder = sl_asprintf("%s/flows", sl_engine_state(set->engine));
    sl_buf text = SL_BUF(TEXT_LIMIT);
    sl_error error = {0};
    bool same = sl_read_file(path, TEXT_LIMIT, &text, &error) == 0 && sl_str_equal(sl_buf_view(&text), flow->text);
    if (!same && (sl_make_dirs(folder, 0700, &error) < 0 || sl_write_file_durably(path, flow->text, 0600, &error) < 0))
        sl_log(SL_WARNING, name, "its text cannot be kept as the last good one: %s", error.text);
    sl_buf_done(&text);
    free(folder);
    free(path);
}

/* ---- what is wrong --------------------------------------------------------------------------------------------------------- */

static void log_lines(const sl_flow_set *set, const char *name, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        char *line = sl_strndup(text, size);
        sl_engine_bulletin(set->engine, SL_ERROR, name, line);
        free(line);
        text += size + (text[size] == '\n');
    }
}

static char *problem_text(const sl_problems *problems)
{
    sl_buf text = SL_BUF(FAILURE_LIMIT);
    sl_problems_print(problems, &text);
    while (text.size && text.data[text.size - 1] == '\n') text.data[--text.size] = 0;
    return sl_buf_take(&text);
}

/* ---- at the start ------------------------------------------------------------------------------------------------------------ */

static int add(const sl_flow_set *set, const char *name, sl_flow *flow, char **ret_failure)
{
    sl_error error = {0};
    if (sl_engine_add_flow(set->engine, flow, &error) == 0) {
        sl_log(SL_INFO, name, "revision %s is loaded", sl_engine_flow(set->engine, sl_str_of(name))->revision);
        return 0;
    }
    sl_flow_free(flow);
    free(*ret_failure);
    *ret_failure = sl_strdup(error.text);
    return -1;
}

static int run_last_good(const sl_flow_set *set, const char *name)
{
    char *path = good_path(set, name), *failure = NULL;
    sl_problems problems = {0};
    int result = -1;
    if (sl_sys_now->stat(path, &(struct stat){0}) == 0) {
        sl_flow *flow = load(set, path, false, &problems);
        if (flow && strcmp(flow->name, name) == 0) result = add(set, name, flow, &failure);
        else sl_flow_free(flow);
    }
    sl_problems_done(&problems);
    free(failure);
    free(path);
    return result;
}

static void tell_wrong(const sl_flow_set *set, const char *name, const char *failure)
{
    log_lines(set, name, failure);
    bool runs = run_last_good(set, name) == 0;
    sl_engine_bulletin(set->engine, SL_WARNING, name,
                       runs ? "the flow is wrong; its last good text from the state folder runs instead"
                            : "the flow is wrong and does not run; mend its file, then `sluice reload`");
    sl_engine_flow_problem(set->engine, name, failure);
}

static int load_one(const sl_flow_set *set, const char *path, bool strict)
{
    sl_problems problems = {0};
    char *name = name_of(set, path), *failure = NULL;
    sl_flow *flow = load(set, path, !set->files, &problems);
    int result = -1;
    if (!flow) failure = problem_text(&problems);
    else if ((result = add(set, name, flow, &failure)) == 0) keep_good(set, name);
    if (result < 0 && strict) fprintf(stderr, "%s%s%s\n", flow ? path : "", flow ? ": error: " : "", failure);
    else if (result < 0) tell_wrong(set, name, failure);
    else if (problems.count) sl_common_problems(&problems); /* warnings */
    sl_problems_done(&problems);
    free(failure);
    free(name);
    return result;
}

int sl_flow_set_load(sl_flow_set *set, bool strict)
{
    sl_error error = {0};
    sl_flow_paths paths = {0};
    int code = SL_EXIT_DONE;
    if (list_files(set, &paths, &error) < 0) {
        sl_log(SL_ERROR, "sluiced", "%s", error.text);
        code = SL_EXIT_INVALID;
    }
    if (!paths.count && code == SL_EXIT_DONE) sl_log(SL_WARNING, "sluiced", "there are no flows in %s", set->config->flows);
    for (size_t i = 0; i < paths.count; i++)
        if (load_one(set, paths.items[i], strict) < 0 && strict) code = SL_EXIT_INVALID;
    sl_flow_paths_done(&paths);
    return code;
}

/* ---- a reload ---------------------------------------------------------------------------------------------------------------- */

typedef struct reload {
    sl_flow_set *set;
    size_t open; /* replacements that have not answered, and one while it begins */
    sl_buf failures;
    void (*done)(void *context, const char *failure);
    void *context;
} reload;

typedef struct change { /* of one flow */
    reload *reload;
    char *name;
} change;

static void release(reload *reload)
{
    sl_flow_set *set = reload->set;
    if (--reload->open) return;
    --set->reloading;
    if (reload->done) reload->done(reload->context, reload->failures.size ? reload->failures.data : NULL);
    sl_buf_done(&reload->failures);
    free(reload);
    if (!set->reloading && set->ended) set->ended(set->context);
}

static void refuse(reload *reload, const char *name, const char *failure)
{
    const sl_flow_set *set = reload->set;
    bool runs = sl_engine_flow(set->engine, sl_str_of(name)) != NULL;
    log_lines(set, name, failure);
    sl_engine_bulletin(set->engine, SL_WARNING, name,
                       runs ? "the new text is refused; the flow goes on as it was" : "the flow is wrong and does not run");
    sl_engine_flow_problem(set->engine, name, failure);
    sl_buf_printf(&reload->failures, "%s%s", reload->failures.size ? "\n" : "", failure);
}

static void on_replaced(void *context, const char *failure)
{
    change *change = context;
    sl_flow_set *set = change->reload->set;
    sl_buf *failures = &change->reload->failures;
    if (failure && strcmp(failure, sl_engine_superseded) == 0) {
        sl_buf_printf(failures, "%s%s: %s", failures->size ? "\n" : "", change->name, failure);
    } else if (failure) {
        refuse(change->reload, change->name, failure);
    } else {
        sl_engine_flow_problem(set->engine, change->name, NULL);
        sl_log(SL_INFO, change->name, "revision %s runs", sl_engine_flow(set->engine, sl_str_of(change->name))->revision);
        keep_good(set, change->name);
    }
    release(change->reload);
    free(change->name);
    free(change);
}

static void reload_one(reload *reload, const char *path, const char *name)
{
    sl_flow_set *set = reload->set;
    sl_problems problems = {0};
    sl_flow *flow = load(set, path, !set->files, &problems);
    if (flow) {
        change *change = SL_NEW(struct change);
        change->reload = reload;
        change->name = sl_strdup(flow->name);
        reload->open++;
        sl_engine_replace_flow(set->engine, flow, on_replaced, change);
        if (problems.count) sl_common_problems(&problems);
    } else {
        char *failure = problem_text(&problems);
        refuse(reload, name, failure);
        free(failure);
    }
    sl_problems_done(&problems);
}

static void reload_files(reload *reload, const char *only)
{
    sl_flow_set *set = reload->set;
    sl_error error = {0};
    sl_flow_paths paths = {0};
    bool found = false;
    if (list_files(set, &paths, &error) < 0) sl_buf_text(&reload->failures, error.text);
    for (size_t i = 0; i < paths.count; i++) {
        char *name = name_of(set, paths.items[i]);
        if (!only || strcmp(only, name) == 0) {
            found = true;
            reload_one(reload, paths.items[i], name);
        }
        free(name);
    }
    if (only && !found)
        sl_buf_printf(&reload->failures, "there is no file of a flow %s in %s", only, set->files ? "--flow" : set->config->flows);
    sl_flow_paths_done(&paths);
}

void sl_flow_set_reload(sl_flow_set *set, const char *name, void (*done)(void *context, const char *failure), void *context)
{
    reload *reload = SL_NEW(struct reload);
    *reload = (struct reload){.set = set, .open = 1, .failures = SL_BUF(FAILURE_LIMIT), .done = done, .context = context};
    if (!set->reloading++ && set->began) set->began(set->context);
    reload_files(reload, name);
    release(reload);
}
