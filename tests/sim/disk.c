#include "sim.h"

#include <errno.h>

static unsigned char *bytes; /* of each file: the cache's, then the durable ones */

unsigned char *sim_bytes_place(unsigned char *place);
unsigned char *sim_bytes_place(unsigned char *place) { return bytes = place; }

unsigned char *sim_cached(uint32_t file) { return bytes + (size_t)file * 2 * SIM_FILE_MOST; }
unsigned char *sim_durable(uint32_t file) { return sim_cached(file) + SIM_FILE_MOST; }

/* ---- sectors ------------------------------------------------------------------------------------------------------ */

static bool has(const uint64_t *set, uint64_t sector) { return set[sector / 64] >> sector % 64 & 1; }
static void add(uint64_t *set, uint64_t sector) { set[sector / 64] |= (uint64_t)1 << sector % 64; }
static void take(uint64_t *set, uint64_t sector) { set[sector / 64] &= ~((uint64_t)1 << sector % 64); }

static uint64_t sectors(uint64_t size) { return (size + SIM_SECTOR - 1) / SIM_SECTOR; }

static void touch(sim_file *f, uint64_t offset, uint64_t size)
{
    for (uint64_t sector = offset / SIM_SECTOR; sector < sectors(offset + size); sector++) {
        add(f->dirty, sector);
        take(f->ghost, sector);
    }
    f->high = SL_MAX(f->high, offset + size);
    f->mtime = sim_wall();
}

/* What is written through a mapping is seen by looking. */
static void find_mapped(uint32_t file)
{
    sim_file *f = &sim->disk.files[file];
    if (!f->mapped) return;
    for (uint64_t sector = 0; sector < sectors(f->size); sector++)
        if (!has(f->ghost, sector) &&
            memcmp(sim_cached(file) + sector * SIM_SECTOR, sim_durable(file) + sector * SIM_SECTOR, SIM_SECTOR) != 0)
            add(f->dirty, sector);
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static void file_free(uint32_t file)
{
    sim_file *f = &sim->disk.files[file];
    uint64_t high = sectors(SL_MAX(f->high, SL_MAX(f->size, f->durable_size))) * SIM_SECTOR;
    memset(sim_cached(file), 0, high);
    memset(sim_durable(file), 0, high);
    *f = (sim_file){0};
}

void sim_file_check(uint32_t file)
{
    const sim_file *f = &sim->disk.files[file];
    if (file && f->used && !f->names && !f->durable_names && !f->opens) file_free(file);
}

int64_t sim_file_new(bool folder, mode_t mode)
{
    uint32_t file = 0;
    while (file < SIM_FILES && sim->disk.files[file].used) file++;
    if (file == SIM_FILES) sim_found("the simulated disk has no more than %u files", SIM_FILES);
    sim->disk.files[file] =
        (sim_file){.used = true, .folder = folder, .number = ++sim->disk.next_number, .mode = mode, .mtime = sim_wall()};
    return file;
}

int sim_file_write(uint32_t file, const void *data, size_t size, uint64_t offset)
{
    sim_file *f = &sim->disk.files[file];
    if (offset + size > SIM_FILE_MOST) sim_found("a file of the simulated disk is larger than %u bytes", (unsigned)SIM_FILE_MOST);
    memcpy(sim_cached(file) + offset, data, size);
    touch(f, offset, size);
    f->size = SL_MAX(f->size, offset + size);
    return 0;
}

void sim_file_resize(uint32_t file, uint64_t size)
{
    sim_file *f = &sim->disk.files[file];
    if (size < f->size) {
        memset(sim_cached(file) + size, 0, f->size - size);
        touch(f, size, f->size - size);
    }
    f->size = size;
    f->mtime = sim_wall();
}

void sim_file_punch(uint32_t file, uint64_t offset, uint64_t size)
{
    sim_file *f = &sim->disk.files[file];
    if (offset >= f->size) return;
    size = SL_MIN(size, f->size - offset);
    memset(sim_cached(file) + offset, 0, size);
    touch(f, offset, size);
}

void sim_file_sync(uint32_t file)
{
    sim_file *f = &sim->disk.files[file];
    if (sim->control == SIM_NO_SYNC) return;
    find_mapped(file);
    if (f->size < f->durable_size) memset(sim_durable(file) + f->size, 0, f->durable_size - f->size);
    for (uint64_t word = 0; word < SL_COUNT(f->dirty); word++)
        for (uint64_t left = f->dirty[word]; left; left &= left - 1) {
            uint64_t at = (word * 64 + (uint64_t)__builtin_ctzll(left)) * SIM_SECTOR;
            memcpy(sim_durable(file) + at, sim_cached(file) + at, SIM_SECTOR);
        }
    memset(f->dirty, 0, sizeof f->dirty);
    f->durable_size = f->size;
}

void sim_file_sync_failed(uint32_t file)
{
    sim_file *f = &sim->disk.files[file];
    find_mapped(file);
    for (size_t word = 0; word < SL_COUNT(f->dirty); word++) f->ghost[word] |= f->dirty[word];
    memset(f->dirty, 0, sizeof f->dirty);
}

/* ---- the end of a life ------------------------------------------------------------------------------------------------- */

static void restore(uint32_t file, uint64_t sector)
{
    memcpy(sim_cached(file) + sector * SIM_SECTOR, sim_durable(file) + sector * SIM_SECTOR, SIM_SECTOR);
}

static uint64_t size_after_cut(const sim_file *f, unsigned survives)
{
    if (f->size == f->durable_size) return f->size;
    if (f->size > f->durable_size && sim_chance(SIM_BY_DISK, 300))
        return f->durable_size + sim_below(SIM_BY_DISK, f->size - f->durable_size);
    return sim_chance(SIM_BY_DISK, survives) ? f->size : f->durable_size;
}

static void cut_file(uint32_t file, unsigned survives)
{
    sim_file *f = &sim->disk.files[file];
    find_mapped(file);
    uint64_t was = f->size, size = size_after_cut(f, survives), end = SL_MAX(was, f->durable_size);
    for (uint64_t sector = 0; sector < sectors(end); sector++) {
        bool lost = sector * SIM_SECTOR >= was || !has(f->dirty, sector) || !sim_chance(SIM_BY_DISK, survives);
        if (lost) restore(file, sector);
    }
    if (size < end) memset(sim_cached(file) + size, 0, end - size);
    memcpy(sim_durable(file), sim_cached(file), sectors(end) * SIM_SECTOR);
    memset(f->dirty, 0, sizeof f->dirty);
    memset(f->ghost, 0, sizeof f->ghost);
    f->size = f->durable_size = size;
}

/* The cache may drop what a failed sync called clean at any time; here it is when a process ends. */
static void drop_ghosts(uint32_t file)
{
    sim_file *f = &sim->disk.files[file];
    for (uint64_t sector = 0; sector < sectors(f->size); sector++)
        if (has(f->ghost, sector)) restore(file, sector);
    memset(f->ghost, 0, sizeof f->ghost);
}

static void close_all(void)
{
    for (uint32_t file = 0; file < SIM_FILES; file++) {
        sim_file *f = &sim->disk.files[file];
        f->opens = f->writers = 0;
        f->locked = false;
        sim_file_check(file);
    }
}

void sim_disk_cut(void)
{
    unsigned survives = sim->plan.life[sim->life].survives;
    sim_names_cut();
    for (uint32_t file = 0; file < SIM_FILES; file++)
        if (sim->disk.files[file].used && !sim->disk.files[file].folder) cut_file(file, survives);
    close_all();
}

void sim_disk_killed(void)
{
    for (uint32_t file = 0; file < SIM_FILES; file++)
        if (sim->disk.files[file].used && sim_chance(SIM_BY_DISK, 500)) drop_ghosts(file);
    close_all();
}

void sim_disk_new(void)
{
    int64_t root = sim_file_new(true, 0755);
    SL_ASSERT(root == 0);
    sim->disk.files[0].names = sim->disk.files[0].durable_names = 1;
}
