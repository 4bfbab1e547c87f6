#include "sim.h"

#include <errno.h>
#include <stdio.h>

/* ---- the load ----------------------------------------------------------------------------------------------------------- */

static uint32_t draw_size(void)
{
    uint64_t kind = sim_below(SIM_BY_PLAN, 100);
    if (kind < 8) return 0;
    if (kind < 55) return (uint32_t)sim_between(SIM_BY_PLAN, 1, 2 << 10);
    if (kind < 85) return (uint32_t)sim_between(SIM_BY_PLAN, 2 << 10, 24 << 10);
    return (uint32_t)sim_between(SIM_BY_PLAN, 60 << 10, SIM_CONTENT_MOST);
}

static void make_file(unsigned item)
{
    static char data[SIM_CONTENT_MOST];
    char path[64];
    uint32_t folder;
    const char *last;
    if (!sim_item_is_file(item, path)) return;
    int64_t file = sim_file_new(false, S_IFREG | 0644);
    SL_ASSERT(file >= 0 && sim_resolve(path, &folder, &last) == 0 && sim_name_set(folder, last, file, 0) == 0);
    sim_file_write((uint32_t)file, data, sim_item_content(item, 0, data), 0);
}

static void make_items(sim_outside *outside, bool rooms)
{
    outside->item_count = rooms ? SIM_ITEMS : (unsigned)sim_between(SIM_BY_PLAN, 5, SIM_ITEMS);
    int64_t last = sim_between(SIM_BY_PLAN, 1, 40) * SL_SECOND;
    for (unsigned item = 0; item < outside->item_count; item++)
        outside->items[item] = (sim_item){.size = draw_size(),
                                          .is_file = !rooms && sim_chance(SIM_BY_PLAN, 400),
                                          .arrives = sim_chance(SIM_BY_PLAN, 400) ? 0 : sim_between(SIM_BY_PLAN, 0, last)};
}

static void make_folders(const sim_outside *outside)
{
    int64_t source = sim_file_new(true, 0755);
    SL_ASSERT(source >= 0 && sim_name_set(0, "source", source, 0) == 0);
    for (unsigned item = 0; item < outside->item_count; item++) make_file(item);
    for (uint32_t file = 0; file < SIM_FILES; file++)
        if (sim->disk.files[file].used && !sim->disk.files[file].folder) sim_file_sync(file);
    sim_name_settle();
}

/* ---- what goes wrong ---------------------------------------------------------------------------------------------------- */

static unsigned one_of(const unsigned *values, size_t count) { return values[sim_below(SIM_BY_PLAN, count)]; }
#define ONE_OF(...) one_of((const unsigned[]){__VA_ARGS__}, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void make_fault(sim_fault *fault)
{
    static const int codes[] = {EIO, EIO, ENOSPC, EDQUOT, EINTR, SIM_SHORT};
    unsigned any = SIM_OPEN | SIM_READ | SIM_WRITE | SIM_SYNC | SIM_SHAPE | SIM_LINK | SIM_RENAME | SIM_UNLINK | SIM_LOOK;
    fault->code = codes[sim_below(SIM_BY_PLAN, SL_COUNT(codes))];
    fault->kinds =
        ONE_OF(SIM_WRITE, SIM_SYNC, SIM_SYNC, SIM_WRITE | SIM_SYNC, SIM_READ, SIM_OPEN | SIM_LINK | SIM_RENAME, SIM_UNLINK, any, any);
    if (fault->code == SIM_SHORT) fault->kinds = SIM_WRITE;
    if (fault->code == ENOSPC || fault->code == EDQUOT) fault->kinds = any;
    fault->from = sim_below(SIM_BY_PLAN, 6000);
    fault->to = fault->from + ONE_OF(1, 1, 3, 30, 300, 100000);
    fault->per_mille = ONE_OF(1000, 1000, 300, 20, 5);
    if (fault->to - fault->from > 1000) fault->per_mille = ONE_OF(2, 5, 20);
}

static void make_life(sim_life *life, bool calm)
{
    *life = (sim_life){.switches = ONE_OF(10, 50, 200, 500), .length = sim_between(SIM_BY_PLAN, 1, 30) * SL_SECOND};
    if (calm) return;
    life->survives = ONE_OF(0, 0, 300, 500, 900, 1000);
    life->operates = ONE_OF(0, 2, 10);
    life->jumps = ONE_OF(0, 0, 200, 1000);
    uint64_t at = sim_chance(SIM_BY_PLAN, 300) ? sim_below(SIM_BY_PLAN, 800) : sim_below(SIM_BY_PLAN, 8000);
    unsigned end = ONE_OF(0, 1, 1, 1, 2);
    if (end == 1) life->cut_at = at + 1;
    if (end == 2) life->kill_at = at + 1;
    life->fault_count = ONE_OF(0, 0, 1, 2, SIM_FAULTS);
    for (size_t i = 0; i < life->fault_count; i++) make_fault(&life->faults[i]);
}

void sim_plan_make(sim_plan *ret)
{
    sim_outside *outside = &sim->outside;
    ret->rooms = sim->seed % 10 == 0;
    ret->reflinks = sim_chance(SIM_BY_PLAN, 300);
    ret->segment_events = ONE_OF(40, 100, 300, 1200);
    ret->window = ONE_OF(1, 3, 10, 10000);
    ret->workers = ONE_OF(1, 2, 3);
    ret->retain_bytes = ONE_OF(0, 0, 400 << 10, 2 << 20);
    ret->expires = sim_chance(SIM_BY_PLAN, 200);
    ret->empties = sim_chance(SIM_BY_PLAN, 200);
    sim_flow_make(ret);
    ret->lives = (unsigned)sim_between(SIM_BY_PLAN, 2, SIM_LIVES - 1);
    for (unsigned life = 0; life < ret->lives; life++) make_life(&ret->life[life], life + 1 == ret->lives);
    outside->loses = ONE_OF(0, 20, 100);
    outside->refuses = ONE_OF(0, 20, 300);
    outside->denies = ONE_OF(0, 0, 10);
    outside->slowest = ONE_OF(1, 5, 60) * SL_SECOND;
    make_items(outside, ret->rooms);
    make_folders(outside);
    sim_trace("%s; segments of %llu events, a window of %llu, %u workers, %llu bytes kept\n%s", ret->rooms ? "rooms" : "flow",
              (unsigned long long)ret->segment_events, (unsigned long long)ret->window, ret->workers, (unsigned long long)ret->retain_bytes,
              ret->flow[0]);
}
