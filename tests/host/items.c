/* FlowFiles outside sessions, and attributes as small arrays. */
#include "private.h"

item *item_new(host *host)
{
    item *item = SL_NEW(struct item);
    item->id = ++host->next_id;
    sl_uuid_make(item->id, host->realtime / 1000, 1, item->uuid);
    return item;
}

void item_free(item *item)
{
    sl_claim_unref(item->claim);
    sl_arena_done(&item->arena);
    free(item->text);
    free(item);
}

void items_add(item_list *list, item *item)
{
    item->next = NULL;
    if (!list->first) list->last = &list->first;
    *list->last = item;
    list->last = &item->next;
    list->count++;
}

void items_remove(item_list *list, item *item)
{
    struct item **link = &list->first;
    while (*link != item) link = &(*link)->next;
    *link = item->next;
    if (list->last == &item->next) list->last = link;
    list->count--;
}

static pair *find(const attributes *attributes, sl_str name)
{
    for (size_t i = 0; i < attributes->count; i++)
        if (sl_str_equal(attributes->items[i].name, name)) return &attributes->items[i];
    return NULL;
}

sl_str attributes_get(const attributes *attributes, sl_str name)
{
    const pair *found = find(attributes, name);
    return found ? found->value : (sl_str){0};
}

static void make_room(attributes *attributes, sl_arena *arena)
{
    if (attributes->count < attributes->capacity) return;
    size_t capacity = attributes->capacity ? 2 * attributes->capacity : 16;
    pair *larger = sl_arena_alloc(arena, capacity * sizeof *larger);
    if (attributes->count) memcpy(larger, attributes->items, attributes->count * sizeof *larger);
    attributes->items = larger;
    attributes->capacity = capacity;
}

void attributes_set(attributes *attributes, sl_arena *arena, sl_str name, sl_str value)
{
    pair *found = find(attributes, name);
    if (!found) {
        make_room(attributes, arena);
        found = &attributes->items[attributes->count++];
        found->name = sl_arena_str(arena, name);
    }
    found->value = sl_arena_str(arena, value);
}

void attributes_unset(attributes *attributes, sl_str name)
{
    pair *found = find(attributes, name);
    if (!found) return;
    size_t after = (size_t)(attributes->items + --attributes->count - found);
    memmove(found, found + 1, after * sizeof *found);
}

void attributes_copy(attributes *to, const attributes *from, sl_arena *arena)
{
    attributes copy = {0};
    for (size_t i = 0; i < from->count; i++) attributes_set(&copy, arena, from->items[i].name, from->items[i].value);
    *to = copy;
}
