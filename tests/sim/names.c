#include "sim.h"

#include <errno.h>

/* Names that differ between the cache and the disk are settled by a sync of their folder, or by a cut. */

static sim_file *file_at(uint32_t one_more) { return &sim->disk.files[one_more - 1]; }

static void set_cached(sim_name *name, uint32_t file)
{
    uint32_t old = name->file;
    name->file = file;
    if (file) file_at(file)->names++;
    if (!old) return;
    file_at(old)->names--;
    sim_file_check(old - 1);
}

static void set_durable(sim_name *name, uint32_t file)
{
    uint32_t old = name->durable;
    name->durable = file;
    if (file) file_at(file)->durable_names++;
    if (!old) return;
    file_at(old)->durable_names--;
    sim_file_check(old - 1);
}

static void forget_unused(uint32_t folder)
{
    for (uint32_t *link = &sim->disk.files[folder].first; *link;) {
        sim_name *name = &sim->disk.names[*link - 1];
        if (name->file || name->durable) {
            link = &name->next;
            continue;
        }
        *link = name->next;
        *name = (sim_name){0};
    }
}

int64_t sim_name_of(uint32_t folder, const char *text, size_t size)
{
    for (uint32_t at = sim->disk.files[folder].first; at; at = sim->disk.names[at - 1].next) {
        const sim_name *name = &sim->disk.names[at - 1];
        if (strlen(name->text) == size && memcmp(name->text, text, size) == 0) return at - 1;
    }
    return -1;
}

static int64_t name_new(uint32_t folder, const char *text)
{
    uint32_t at = 0;
    while (at < SIM_NAMES && sim->disk.names[at].text[0]) at++;
    if (at == SIM_NAMES) return -1;
    sim_name *name = &sim->disk.names[at];
    *name = (sim_name){.folder = folder, .next = sim->disk.files[folder].first};
    memcpy(name->text, text, strlen(text));
    sim->disk.files[folder].first = at + 1;
    return at;
}

int sim_name_set(uint32_t folder, const char *text, int64_t file, uint32_t group)
{
    if (strlen(text) >= sizeof sim->disk.names[0].text) return ENAMETOOLONG;
    int64_t at = sim_name_of(folder, text, strlen(text));
    if (at < 0) at = name_new(folder, text);
    if (at < 0) return ENOSPC;
    sim_name *name = &sim->disk.names[at];
    set_cached(name, (uint32_t)(file + 1));
    name->group = group;
    sim->disk.files[folder].mtime = sim_wall();
    forget_unused(folder);
    return 0;
}

/* The folder that the last part is in, and that part. */
int sim_resolve(const char *path, uint32_t *ret_folder, const char **ret_last)
{
    const char *at = path + SL_MIN(strlen(path), strlen(sim_home));
    uint32_t folder = 0;
    for (const char *slash; (slash = strchr(at, '/')); at = slash + 1) {
        size_t size = (size_t)(slash - at);
        if (size == 0 || (size == 1 && *at == '.')) continue;
        int64_t name = sim_name_of(folder, at, size);
        if (name < 0 || !sim->disk.names[name].file) return ENOENT;
        folder = sim->disk.names[name].file - 1;
        if (!sim->disk.files[folder].folder) return ENOTDIR;
    }
    *ret_folder = folder;
    *ret_last = at;
    return 0;
}

int64_t sim_look_up(const char *path)
{
    uint32_t folder;
    const char *last;
    if (sim_resolve(path, &folder, &last) != 0) return -1;
    if (!*last || strcmp(last, ".") == 0) return folder;
    int64_t name = sim_name_of(folder, last, strlen(last));
    return name < 0 ? -1 : (int64_t)sim->disk.names[name].file - 1;
}

void sim_folder_sync(uint32_t folder)
{
    if (sim->control == SIM_NO_SYNC) return;
    for (uint32_t at = sim->disk.files[folder].first; at; at = sim->disk.names[at - 1].next) {
        sim_name *name = &sim->disk.names[at - 1];
        if (name->durable != name->file) set_durable(name, name->file);
    }
    forget_unused(folder);
}

void sim_name_settle(void)
{
    for (uint32_t at = 0; at < SIM_NAMES; at++) {
        sim_name *name = &sim->disk.names[at];
        if (name->durable != name->file) set_durable(name, name->file);
    }
}

/* One draw for all that a call changed. */
static bool group_survives(uint32_t group, uint64_t salt, unsigned per_mille) { return sim_mix(group, salt) % 1000 < per_mille; }

void sim_names_cut(void)
{
    uint64_t salt = sim_draw(SIM_BY_DISK);
    unsigned survives = sim->plan.life[sim->life].survives;
    for (uint32_t at = 0; at < SIM_NAMES; at++) {
        sim_name *name = &sim->disk.names[at];
        if (name->file == name->durable) continue;
        if (group_survives(name->group, salt, survives)) set_durable(name, name->file);
        else set_cached(name, name->durable);
    }
    for (uint32_t file = 0; file < SIM_FILES; file++)
        if (sim->disk.files[file].used && sim->disk.files[file].folder) forget_unused(file);
}
