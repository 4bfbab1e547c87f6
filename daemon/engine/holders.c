/* A claim's bytes live while any FlowFile holds them, in memory or in the journal alone. A claim object counts its
 * references; what an object cannot see is another object of the same claim, or a FlowFile whose body is in the journal. Only
 * claims that have more than one such holder are noted here; every other has one, and its going is the last. */
#include "engine/private.h"

static sl_str key_of(const uint64_t *id) { return (sl_str){(const char *)id, sizeof *id}; }

static bool on_disk(const sl_claim *claim) { return claim->counted && claim->kind != SL_INLINE && claim->kind != SL_EXTERNAL; }

static void count(sl_engine *engine, uint64_t id, uint32_t holders)
{
    if (holders > 1) sl_map_put(&engine->holders, key_of(&id), (void *)(uintptr_t)holders);
    else sl_map_remove(&engine->holders, key_of(&id));
}

static uint32_t holders_of(const sl_engine *engine, uint64_t id)
{
    uint32_t noted = (uint32_t)(uintptr_t)sl_map_get(&engine->holders, key_of(&id));
    return noted ? noted : 1;
}

void sl_holders_add(sl_engine *engine, uint64_t id, uint32_t more) { count(engine, id, holders_of(engine, id) + more); }

void sl_holders_leave(sl_engine *engine, sl_claim *claim)
{
    if (on_disk(claim)) {
        uv_mutex_lock(&engine->lock);
        /* The only reference: nobody else can take another, so the object goes, and the holder stays. */
        if (atomic_load(&claim->references) == 1) claim->counted = false;
        else count(engine, claim->id, holders_of(engine, claim->id) + 1);
        uv_mutex_unlock(&engine->lock);
    }
    sl_claim_unref(claim);
}

bool sl_holders_last(sl_engine *engine, uint64_t id)
{
    uint32_t holders = holders_of(engine, id);
    count(engine, id, holders - 1);
    return holders == 1;
}
