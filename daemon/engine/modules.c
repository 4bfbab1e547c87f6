#include "engine/modules.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/descriptor.h"

#ifndef SL_MODULES_RELATIVE
#define SL_MODULES_RELATIVE "lib/sluice/processors"
#endif

typedef struct loaded {
    sl_module info;
    void *handle; /* NULL: refused before it was opened */
} loaded;

struct sl_modules {
    loaded *items;
    size_t count, capacity;
    sl_map owners[2];      /* type -> index + 1: of processors, of services */
    sl_map descriptors[2]; /* type -> descriptor */
    sl_arena arena;
    sl_registry registry;
};

/* ---- which folder ----------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat status;
    return sl_sys_now->stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* PATH/SUFFIX when it is a folder, else NULL. */
static char *folder_in(const char *path, const char *suffix)
{
    char *folder = sl_asprintf("%s/%s", path, suffix);
    if (is_folder(folder)) return folder;
    free(folder);
    return NULL;
}

static void go_up(char path[PATH_MAX])
{
    const char *parent = dirname(path);
    memmove(path, parent, strlen(parent) + 1);
}

/* Meson leaves its mark at the top of a build folder. */
static char *build_folder(const char *binary)
{
    char at[PATH_MAX];
    snprintf(at, sizeof at, "%s", binary);
    for (int levels = 0; levels < 6 && strcmp(at, "/") != 0; levels++) {
        go_up(at);
        char *mark = folder_in(at, "meson-private");
        free(mark);
        if (mark) return sl_asprintf("%s/processors", at);
    }
    return NULL;
}

static char *installed_folder(const char *binary)
{
    char prefix[PATH_MAX];
    snprintf(prefix, sizeof prefix, "%s", binary);
    for (int levels = 0; levels < 2; levels++) go_up(prefix);
    if (strcmp(prefix, "/") == 0) prefix[0] = 0;
    char *folder = folder_in(prefix, SL_MODULES_RELATIVE);
    if (!folder) folder = folder_in(prefix, "lib/sluice/processors");
    return folder ? folder : sl_asprintf("%s/%s", prefix, SL_MODULES_RELATIVE);
}

char *sl_modules_folder(const char *given)
{
    const char *variable = getenv("SLUICE_MODULES");
    if (given && *given) return sl_strdup(given);
    if (variable && *variable) return sl_strdup(variable);
    char binary[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", binary, sizeof binary - 1);
    binary[size > 0 ? size : 0] = 0;
    char *folder = build_folder(binary);
    return folder ? folder : installed_folder(binary);
}

/* ---- one module ------------------------------------------------------------------------------------- */

static int open_module(loaded *item, sl_arena *arena, sl_error *error)
{
    item->handle = dlopen(item->info.path, RTLD_NOW | RTLD_LOCAL);
    if (!item->handle) return sl_error_set(error, EINVAL, "expected a shared object that can be loaded, found: %s", dlerror());
    const sluice_module *module = dlsym(item->handle, SLUICE_MODULE_SYMBOL);
    if (!module)
        return sl_error_set(error, EINVAL, "expected the symbol `%s`, found none; end the module with SLUICE_MODULE(...)",
                            SLUICE_MODULE_SYMBOL);
    return sl_descriptor_read(module, arena, &item->info, error);
}

static const char *type_at(const sl_module *module, bool service, size_t i)
{
    return service ? module->services[i].type : module->processors[i].type;
}

static int check_unique(const sl_modules *modules, const sl_module *module, bool service, size_t count, sl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *type = type_at(module, service, i);
        size_t owner = (size_t)(uintptr_t)sl_map_get(&modules->owners[service], sl_str_of(type));
        for (size_t j = 0; j < i; j++)
            if (strcmp(type, type_at(module, service, j)) == 0)
                return sl_error_set(error, EINVAL, "expected one %s of type \"%s\", found two", service ? "service" : "processor", type);
        if (owner)
            return sl_error_set(error, EINVAL, "expected types that no other module has, found \"%s\", which is in %s already", type,
                                modules->items[owner - 1].info.path);
    }
    return 0;
}

static void add_types(sl_modules *modules, size_t index)
{
    const sl_module *module = &modules->items[index].info;
    void *owner = (void *)(uintptr_t)(index + 1);
    for (size_t i = 0; i < module->processor_count; i++) {
        sl_map_put(&modules->owners[0], sl_str_of(module->processors[i].type), owner);
        sl_map_put(&modules->descriptors[0], sl_str_of(module->processors[i].type), (void *)&module->processors[i]);
    }
    for (size_t i = 0; i < module->service_count; i++) {
        sl_map_put(&modules->owners[1], sl_str_of(module->services[i].type), owner);
        sl_map_put(&modules->descriptors[1], sl_str_of(module->services[i].type), (void *)&module->services[i]);
    }
}

static void refuse(sl_modules *modules, loaded *item, const sl_error *error)
{
    const char *path = item->info.path;
    if (item->handle) dlclose(item->handle);
    item->handle = NULL;
    item->info = (sl_module){.path = path, .refused = sl_arena_printf(&modules->arena, "%s", error->text)};
    sl_log(SL_ERROR, "modules", "%s is not used: %s", path, error->text);
}

static void load(sl_modules *modules, const char *path)
{
    sl_error error = {0};
    modules->items = sl_grow(modules->items, modules->count, &modules->capacity, sizeof *modules->items);
    loaded *item = &modules->items[modules->count++];
    *item = (loaded){.info.path = sl_arena_printf(&modules->arena, "%s", path)};
    if (open_module(item, &modules->arena, &error) < 0 ||
        check_unique(modules, &item->info, false, item->info.processor_count, &error) < 0 ||
        check_unique(modules, &item->info, true, item->info.service_count, &error) < 0)
        refuse(modules, item, &error);
    else add_types(modules, modules->count - 1);
}

/* ---- the folder ------------------------------------------------------------------------------------- */

static bool is_hidden(const struct dirent *entry) { return entry->d_name[0] == '.'; }

static int load_folder(sl_modules *modules, const char *folder, bool deeper, sl_error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) return sl_error_set(error, errno, "the modules' folder %s cannot be read: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path = sl_asprintf("%s/%s", folder, entries[i]->d_name);
        bool directory = !is_hidden(entries[i]) && is_folder(path);
        sl_error below = {0};
        if (!is_hidden(entries[i]) && !directory && sl_str_ends(sl_str_of(path), ".so")) load(modules, path);
        if (directory && deeper && load_folder(modules, path, false, &below) < 0) sl_log(SL_ERROR, "modules", "%s", below.text);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static const sluice_processor *find_processor(void *context, sl_str type)
{
    return sl_map_get(&((sl_modules *)context)->descriptors[0], type);
}
static const sluice_service *find_service(void *context, sl_str type) { return sl_map_get(&((sl_modules *)context)->descriptors[1], type); }
static const char *name_at(void *context, bool service, size_t i)
{
    const sl_map *map = &((sl_modules *)context)->descriptors[service];
    return i < map->count ? map->entries[i].key : NULL;
}

int sl_modules_load(const char *folder, sl_modules **ret, sl_error *error)
{
    sl_modules *modules = SL_NEW(sl_modules);
    modules->registry = (sl_registry){.processor = find_processor, .service = find_service, .name_at = name_at, .context = modules};
    if (load_folder(modules, folder, true, error) < 0) {
        sl_modules_free(modules);
        return -1;
    }
    *ret = modules;
    return 0;
}

void sl_modules_free(sl_modules *modules)
{
    if (!modules) return;
    for (int kind = 0; kind < 2; kind++) {
        sl_map_done(&modules->owners[kind]);
        sl_map_done(&modules->descriptors[kind]);
    }
    for (size_t i = modules->count; i > 0; i--)
        if (modules->items[i - 1].handle) dlclose(modules->items[i - 1].handle);
    sl_arena_done(&modules->arena);
    free(modules->items);
    free(modules);
}

const sl_registry *sl_modules_registry(const sl_modules *modules) { return &modules->registry; }

const sl_module *sl_modules_at(const sl_modules *modules, size_t i) { return i < modules->count ? &modules->items[i].info : NULL; }

const sl_module *sl_modules_owner(const sl_modules *modules, sl_str type)
{
    size_t owner = (size_t)(uintptr_t)sl_map_get(&modules->owners[0], type);
    if (!owner) owner = (size_t)(uintptr_t)sl_map_get(&modules->owners[1], type);
    return owner ? &modules->items[owner - 1].info : NULL;
}
