#include "base/base.h"

/* Slots hold the entry's index plus 2; 0 is empty, 1 a removed one. Entries keep the order of insertion. */
enum { EMPTY = 0, REMOVED = 1, OFFSET = 2 };

void sl_map_done(sl_map *map)
{
    for (size_t i = 0; i < map->count; i++) free(map->entries[i].key);
    free(map->entries);
    free(map->slots);
    *map = (sl_map){0};
}

static struct sl_map_entry *find(const sl_map *map, sl_str key, uint64_t hash, size_t *ret_slot)
{
    if (!map->slot_count) return NULL;
    for (size_t slot = hash & (map->slot_count - 1); map->slots[slot] != EMPTY; slot = (slot + 1) & (map->slot_count - 1)) {
        if (map->slots[slot] == REMOVED) continue;
        struct sl_map_entry *entry = &map->entries[map->slots[slot] - OFFSET];
        if (entry->hash != hash || entry->key_size != key.size || memcmp(entry->key, key.data, key.size) != 0) continue;
        if (ret_slot) *ret_slot = slot;
        return entry;
    }
    return NULL;
}

void *sl_map_get(const sl_map *map, sl_str key)
{
    const struct sl_map_entry *entry = find(map, key, sl_hash(key.data, key.size), NULL);
    return entry ? entry->value : NULL;
}

static void place(sl_map *map, size_t index)
{
    size_t slot = map->entries[index].hash & (map->slot_count - 1);
    while (map->slots[slot] > REMOVED) slot = (slot + 1) & (map->slot_count - 1);
    map->slots[slot] = (uint32_t)index + OFFSET;
}

/* Closes the gaps that removals left, in order, and rebuilds the slots. */
static void rebuild(sl_map *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->count; i++)
        if (map->entries[i].key) map->entries[kept++] = map->entries[i];
    map->count = kept;
    map->slot_count = 16;
    while (map->slot_count < kept * 3) map->slot_count *= 2;
    free(map->slots);
    map->slots = sl_alloc(map->slot_count * sizeof *map->slots);
    for (size_t i = 0; i < kept; i++) place(map, i);
}

void *sl_map_put(sl_map *map, sl_str key, void *value)
{
    uint64_t hash = sl_hash(key.data, key.size);
    struct sl_map_entry *entry = find(map, key, hash, NULL);
    if (entry) {
        void *old = entry->value;
        entry->value = value;
        return old;
    }
    if ((map->count + 1) * 2 > map->slot_count) rebuild(map);
    map->entries = sl_grow(map->entries, map->count, &map->capacity, sizeof *map->entries);
    map->entries[map->count] = (struct sl_map_entry){sl_strndup(key.data, key.size), key.size, hash, value};
    place(map, map->count++);
    map->live++;
    return NULL;
}

void *sl_map_remove(sl_map *map, sl_str key)
{
    size_t slot;
    struct sl_map_entry *entry = find(map, key, sl_hash(key.data, key.size), &slot);
    if (!entry) return NULL;
    void *old = entry->value;
    free(entry->key);
    *entry = (struct sl_map_entry){0};
    map->slots[slot] = REMOVED;
    map->live--;
    return old;
}
