#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

sim_world *sim;

unsigned char *sim_bytes_place(unsigned char *place);

static unsigned char *place;
static const size_t place_size = (size_t)SIM_FILES * 2 * SIM_FILE_MOST;

/* ---- chance --------------------------------------------------------------------------------------------------------- */

uint64_t sim_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * 0x9E3779B97F4A7C15u ^ (b + 0xD1B54A32D192ED03u);
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

uint64_t sim_draw(unsigned stream)
{
    sim->chance[stream] += 0x9E3779B97F4A7C15u;
    return sim_mix(sim->chance[stream], stream);
}

uint64_t sim_below(unsigned stream, uint64_t bound) { return bound ? sim_draw(stream) % bound : 0; }
int64_t sim_between(unsigned stream, int64_t least, int64_t most)
{
    return least + (int64_t)sim_below(stream, (uint64_t)(most - least) + 1);
}
bool sim_chance(unsigned stream, unsigned per_mille) { return per_mille && sim_draw(stream) % 1000 < per_mille; }

/* ---- the world ------------------------------------------------------------------------------------------------------ */

static void *shared(size_t size)
{
    void *made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) sl_panic(__FILE__, __LINE__, "no memory for a world of %zu bytes", size);
    return made;
}

void sim_world_new(uint64_t seed, sim_control control, bool shown)
{
    sim = shared(sizeof *sim);
    place = sim_bytes_place(shared(place_size));
    sim->seed = seed;
    sim->control = control;
    sim->shown = shown;
    for (unsigned stream = 0; stream < SIM_STREAMS; stream++) sim->chance[stream] = sim_mix(seed, 1000 + stream);
    sim->wall_offset = 1700000000 * SL_SECOND;
    sim->time = SL_SECOND;
    sim_disk_new();
    sim_plan_make(&sim->plan);
}

void sim_world_free(void)
{
    munmap(place, place_size);
    munmap(sim, sizeof *sim);
    sim = NULL;
}

void sim_end_life(int how)
{
    sim_trace_flush();
    _exit(how);
}

void sim_found(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!sim->found) vsnprintf(sim->finding, sizeof sim->finding, format, arguments);
    va_end(arguments);
    sim->found = true;
    sim_trace("FOUND %s", sim->finding);
    sim_end_life(SIM_FOUND);
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

int64_t sim_ticks(void) { return sim->time - sim->booted; }
int64_t sim_wall(void) { return sim->time + sim->wall_offset; }
void sim_pass(int64_t us) { sim->time += us; }

/* ---- the trace ---------------------------------------------------------------------------------------------------------- */

static char held[1 << 16];
static size_t held_size;

void sim_trace_flush(void)
{
    for (size_t at = 0; at < held_size;) {
        ssize_t wrote = write(STDOUT_FILENO, held + at, held_size - at);
        if (wrote <= 0) break;
        at += (size_t)wrote;
    }
    held_size = 0;
}

static uint64_t fold(uint64_t hash, const char *text, size_t size)
{
    for (; size >= 8; text += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    for (; size; text++, size--) hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
    return hash;
}

void sim_trace(const char *format, ...)
{
    char line[8192];
    va_list arguments;
    int size = snprintf(line, sizeof line, "%u %lld %u ", sim->life, (long long)sim->time, sim_thread());
    va_start(arguments, format);
    int more = vsnprintf(line + size, sizeof line - (size_t)size - 1, format, arguments);
    va_end(arguments);
    size = (int)SL_MIN((size_t)(size + more), sizeof line - 2);
    line[size++] = '\n';
    sim->hash = fold(sim->hash, line, (size_t)size);
    sim->lines++;
    if (!sim->shown) return;
    if (held_size + (size_t)size > sizeof held) sim_trace_flush();
    memcpy(held + held_size, line, (size_t)size);
    held_size += (size_t)size;
}
