#include "cli/flow-file.h"

#include <dirent.h>
#include <errno.h>

#include "base/sys.h"

enum { FLOW_LIMIT = 1024 * 1024 };

/* ---- one file -------------------------------------------------------------------------------------------- */

/* The flow's `name:` before it is checked: which parameters of the configuration are its own. */
static sl_str name_of(sl_str text, sl_arena *arena)
{
    sl_problems ignored = {0};
    const sl_node *root = sl_tree_parse(text, arena, &ignored);
    sl_problems_done(&ignored);
    const sl_node *name = root && root->kind == SL_MAPPING ? sl_node_get(root, "name") : NULL;
    return name && name->kind == SL_SCALAR ? name->text : (sl_str){0};
}

static bool is_set(const sl_flow_reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->setting_count; i++)
        if (strcmp(reading->settings[i].name, name) == 0) return true;
    return false;
}

static sl_setting *merge(const sl_flow_reading *reading, sl_str name, sl_arena *arena, size_t *ret_count)
{
    size_t configured = 0;
    const sl_setting *of_config = reading->config ? sl_config_settings(reading->config, name, &configured) : NULL;
    sl_setting *all = sl_arena_alloc(arena, (configured + reading->setting_count + 1) * sizeof *all);
    *ret_count = 0;
    for (size_t i = 0; i < configured; i++)
        if (!is_set(reading, of_config[i].name)) all[(*ret_count)++] = of_config[i];
    for (size_t i = 0; i < reading->setting_count; i++) all[(*ret_count)++] = reading->settings[i];
    return all;
}

sl_flow *sl_flow_file_parse(sl_str text, const char *path, const sl_flow_reading *reading, sl_problems *problems)
{
    sl_arena arena = {0};
    sl_flow_options options = {
        .registry = reading->registry, .stem_must_match = reading->stem_must_match, .unset_allowed = reading->unset_allowed};
    if (reading->config) {
        options.shared_services = reading->config->services;
        options.shared_services_file = reading->config->file;
    }
    options.settings = merge(reading, name_of(text, &arena), &arena, &options.setting_count);
    problems->file = path;
    sl_flow *flow = sl_flow_parse(text, path, &options, problems);
    sl_arena_done(&arena);
    return flow;
}

sl_flow *sl_flow_file_load(const char *path, const sl_flow_reading *reading, sl_problems *problems)
{
    sl_error error = {0};
    sl_buf text = SL_BUF(FLOW_LIMIT);
    sl_flow *flow = NULL;
    problems->file = path;
    if (sl_read_file(path, FLOW_LIMIT, &text, &error) < 0) sl_problem_error(problems, (sl_mark){0}, "%s", error.text);
    else flow = sl_flow_file_parse(sl_buf_view(&text), path, reading, problems);
    sl_buf_done(&text);
    return flow;
}

/* ---- a folder of them -------------------------------------------------------------------------------------- */

static bool is_flow(const char *name)
{
    sl_str text = sl_str_of(name);
    return name[0] != '.' && sl_str_ends(text, ".yaml") && !sl_str_ends(text, ".test.yaml") && !sl_str_ends(text, ".layout.yaml");
}

void sl_flow_paths_add(sl_flow_paths *paths, const char *path)
{
    paths->items = sl_grow(paths->items, paths->count, &paths->capacity, sizeof *paths->items);
    paths->items[paths->count++] = sl_strdup(path);
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int sl_flow_paths_list(const char *folder, sl_flow_paths *ret, sl_error *error)
{
    DIR *dir = opendir(folder);
    if (!dir && errno == ENOENT) return 0;
    if (!dir) return sl_error_set(error, errno, "cannot list the flows in %s: %s", folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_flow(entry->d_name)) continue;
        char *path = sl_asprintf("%s/%s", folder, entry->d_name);
        sl_flow_paths_add(ret, path);
        free(path);
    }
    closedir(dir);
    if (ret->count) qsort(ret->items, ret->count, sizeof *ret->items, compare_texts);
    return 0;
}

void sl_flow_paths_done(sl_flow_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) free(paths->items[i]);
    free(paths->items);
    *paths = (sl_flow_paths){0};
}

char *sl_flow_path_stem(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t size = strlen(name);
    if (sl_str_ends(sl_str_of(name), ".yaml")) size -= 5;
    return sl_strndup(name, size);
}

char *sl_flow_file_name(const char *path)
{
    sl_arena arena = {0};
    sl_error error = {0};
    sl_buf text = SL_BUF(FLOW_LIMIT);
    sl_str name = {0};
    if (sl_read_file(path, FLOW_LIMIT, &text, &error) == 0) name = name_of(sl_buf_view(&text), &arena);
    char *made = name.size && sl_flow_name_valid(name) ? sl_strndup(name.data, name.size) : sl_flow_path_stem(path);
    sl_buf_done(&text);
    sl_arena_done(&arena);
    return made;
}
