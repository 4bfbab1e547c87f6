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

void sl_body_free(sl_body *body)
{
    if (!body) return;
    sl_attributes_unref(body->attributes);
    sl_claim_unref(body->claim);
    sl_intent_free(body->intent);
    free(body);
}

void sl_flowfile_set_claim(sl_flowfile *flowfile, sl_claim *claim)
{
    sl_claim_unref(flowfile->body->claim);
    flowfile->body->claim = claim;
    flowfile->size = claim ? claim->size : 0;
    flowfile->stored = claim && claim->kind != SL_INLINE;
}

/* ---- slabs -------------------------------------------------------------------------------------------- */

static void add_block(sl_slab *slab)
{
    sl_flowfile *block = sl_alloc(SL_SLAB_BLOCK * sizeof *block);
    slab->blocks = sl_grow(slab->blocks, slab->block_count, &slab->block_capacity, sizeof *slab->blocks);
    slab->blocks[slab->block_count++] = block;
    for (size_t i = SL_SLAB_BLOCK; i-- > 0;) {
        block[i].next = slab->free;
        slab->free = &block[i];
    }
}

sl_flowfile *sl_slab_new(sl_slab *slab)
{
    if (!slab->free) add_block(slab);
    sl_flowfile *flowfile = slab->free;
    slab->free = flowfile->next;
    slab->count++;
    *flowfile = (sl_flowfile){0};
    return flowfile;
}

void sl_slab_free(sl_slab *slab, sl_flowfile *flowfile)
{
    sl_body_free(flowfile->body);
    *flowfile = (sl_flowfile){.next = slab->free};
    slab->free = flowfile;
    slab->count--;
}

sl_flowfile *sl_slab_at(const sl_slab *slab, size_t n)
{
    size_t block = n / SL_SLAB_BLOCK;
    return block < slab->block_count ? &slab->blocks[block][n % SL_SLAB_BLOCK] : NULL;
}

void sl_slab_done(sl_slab *slab)
{
    for (size_t n = 0; n < slab->block_count * SL_SLAB_BLOCK; n++) sl_body_free(sl_slab_at(slab, n)->body);
    for (size_t i = 0; i < slab->block_count; i++) free(slab->blocks[i]);
    free(slab->blocks);
    *slab = (sl_slab){0};
}

/* ---- by id -------------------------------------------------------------------------------------------- */

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
