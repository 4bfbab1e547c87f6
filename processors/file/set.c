#include "set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char removed[] = "";

static uint64_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325u;
    while (*text) value = (value ^ (unsigned char)*text++) * 0x100000001b3u;
    return value ^ (value >> 29);
}

/* The slot of `text`, or the free one where it would go. */
static char **slot_of(char **slots, size_t capacity, const char *text)
{
    size_t at = hash(text) & (capacity - 1);
    while (slots[at] && (slots[at] == removed || strcmp(slots[at], text) != 0)) at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static void grow(file_set *set)
{
    size_t capacity = 64;
    while (capacity < set->count * 4) capacity *= 2;
    char **slots = calloc(capacity, sizeof *slots);
    if (!slots) abort();
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i] && set->slots[i] != removed) *slot_of(slots, capacity, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots, set->capacity = capacity, set->used = set->count;
}

bool file_set_has(const file_set *set, const char *text) { return set->capacity && *slot_of(set->slots, set->capacity, text); }

bool file_set_add(file_set *set, const char *text)
{
    if (file_set_has(set, text)) return false;
    if (set->used * 2 >= set->capacity) grow(set);
    char *copy = strdup(text);
    if (!copy) abort();
    *slot_of(set->slots, set->capacity, text) = copy;
    set->count++, set->used++;
    return true;
}

void file_set_remove(file_set *set, const char *text)
{
    char **slot = set->capacity ? slot_of(set->slots, set->capacity, text) : NULL;
    if (!slot || !*slot) return;
    free(*slot);
    *slot = removed;
    set->count--;
}

void file_set_done(file_set *set)
{
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i] != removed) free(set->slots[i]);
    free(set->slots);
    *set = (file_set){0};
}
