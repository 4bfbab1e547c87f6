#include "engine/flowfile.h"

void sl_intent_free(sl_intent *intent)
{
    if (!intent) return;
    for (size_t i = 0; i < intent->step_count; i++) free(intent->steps[i]);
    free(intent->steps);
    free(intent->text);
    free(intent->turn);
    free(intent);
}

void sl_intent_step(sl_intent *intent, const char *step)
{
    intent->steps = sl_grow(intent->steps, intent->step_count, &intent->step_capacity, sizeof *intent->steps);
    intent->steps[intent->step_count++] = sl_strdup(step);
}

void sl_flowfile_free(sl_flowfile *flowfile)
{
    if (!flowfile) return;
    sl_attributes_unref(flowfile->attributes);
    sl_claim_unref(flowfile->claim);
    sl_intent_free(flowfile->intent);
    free(flowfile);
}

/* Linear probing; ids are consecutive, so multiply by an odd constant to spread them (Fibonacci hashing). */
static size_t home(const sl_idmap *map, uint64_t id) { return (size_t)((id * 0x9E3779B97F4A7C15u) >> 20) & (map->capacity - 1); }

static size_t find(const sl_idmap *map, uint64_t id)
{
    size_t at = home(map, id);
    while (map->slots[at] && map->slots[at]->id != id) at = (at + 1) & (map->capacity - 1);
    return at;
}

sl_flowfile *sl_idmap_get(const sl_idmap *map, uint64_t id) { return map->capacity ? map->slots[find(map, id)] : NULL; }

static void grow(sl_idmap *map)
{
    sl_idmap wider = {.capacity = map->capacity ? map->capacity * 2 : 1024, .count = map->count};
    wider.slots = sl_alloc(wider.capacity * sizeof *wider.slots);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i]) wider.slots[find(&wider, map->slots[i]->id)] = map->slots[i];
    free(map->slots);
    *map = wider;
}

void sl_idmap_put(sl_idmap *map, sl_flowfile *flowfile)
{
    if (map->count * 2 >= map->capacity) grow(map);
    size_t at = find(map, flowfile->id);
    if (!map->slots[at]) map->count++;
    map->slots[at] = flowfile;
}

/* Backward-shift deletion, so that no tombstones pile up. */
void sl_idmap_remove(sl_idmap *map, uint64_t id)
{
    if (!map->capacity) return;
    size_t mask = map->capacity - 1, hole = find(map, id);
    if (!map->slots[hole]) return;
    map->count--;
    for (size_t at = (hole + 1) & mask; map->slots[at]; at = (at + 1) & mask) {
        size_t wanted = home(map, map->slots[at]->id);
        if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = NULL;
}

void sl_idmap_done(sl_idmap *map)
{
    free(map->slots);
    *map = (sl_idmap){0};
}
