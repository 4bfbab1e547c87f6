/* A new segment: events go there at once; beside them, in slices, a checkpoint of every queue, and again what is
 * folded from events alone: components' state, pending effects, the next id. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/private.h"

enum { SLICE = 4096 };

static void repeat_pending(sl_engine *engine, sl_batch *batch, sl_component *component)
{
    for (sl_pending *pending = component->pending; pending; pending = pending->next) {
        uint64_t seq = sl_batch_next_seq(engine, batch);
        sl_batch_note(engine, batch, SL_EVENT_PENDING, component->name, pending->seq, (sl_str){0}, sl_str_of(pending->text));
        pending->seq = seq;
    }
}

static void repeat_component(sl_engine *engine, sl_batch *batch, sl_component *component)
{
    SL_MAP_EACH (&component->state, entry)
        sl_batch_note(engine, batch, SL_EVENT_STATE, component->name, 0, sl_str_of(entry->key), sl_str_of(entry->value));
    repeat_pending(engine, batch, component);
}

static void repeat_next_id(sl_engine *engine, sl_batch *batch)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, atomic_load(&engine->next_id));
    sl_batch_note(engine, batch, SL_EVENT_STATE, sl_journal_name(engine->journal, SL_STR("sluice")), 0, SL_STR(SL_STATE_NEXT_ID),
                  sl_str_of(text));
}

void sl_engine_begin_checkpoint(sl_engine *engine)
{
    sl_batch *batch = sl_batch_new();
    repeat_next_id(engine, batch);
    SL_MAP_EACH (&engine->components, entry) repeat_component(engine, batch, entry->value);
    engine->checkpointing = true;
    engine->checkpoint_at = 0;
    engine->checkpoint_end = engine->flowfiles.block_count * SL_SLAB_BLOCK;
    sl_journal_append(engine->journal, batch);
    sl_engine_wake(engine);
}

void sl_engine_roll_if_full(sl_engine *engine)
{
    sl_error error;
    if (!sl_journal_full(engine->journal) || engine->checkpointing) return;
    if (sl_journal_roll(engine->journal, &error) < 0) return; /* it has gone on by itself: sl_engine_check_renewal */
    sl_engine_begin_checkpoint(engine);
}

static uint16_t flags_of(const sl_flowfile *flowfile)
{
    return (uint16_t)((flowfile->body && flowfile->body->intent ? SL_CHECKPOINT_INTENT : 0) |
                      (flowfile->stored ? 0 : SL_CHECKPOINT_INLINE));
}

static sl_checkpoint_entry entry_of(const sl_engine *engine, const sl_flowfile *flowfile)
{
    return (sl_checkpoint_entry){.flowfile = flowfile->id,
                                 .seq = flowfile->seq,
                                 .moved = flowfile->moved,
                                 .segment = flowfile->segment,
                                 .queue = flowfile->queue->name,
                                 .entered = flowfile->entered,
                                 .queued = flowfile->queued,
                                 .not_before = sl_clock_wall(&engine->clock, flowfile->not_before),
                                 .size = sl_flowfile_size(flowfile),
                                 .retries = flowfile->retries,
                                 .crashes = flowfile->crashes,
                                 .flags = flags_of(flowfile)};
}

void sl_engine_checkpoint_step(sl_engine *engine)
{
    if (!engine->checkpointing) return;
    sl_checkpoint_entry *entries = sl_alloc(SLICE * sizeof *entries);
    size_t count = 0;
    /* What comes into a place that was seen already has its whole first event in this segment. */
    for (; engine->checkpoint_at < engine->checkpoint_end && count < SLICE; engine->checkpoint_at++) {
        const sl_flowfile *at = sl_slab_at(&engine->flowfiles, engine->checkpoint_at);
        if (at->id && at->queue) entries[count++] = entry_of(engine, at);
    }
    if (count) sl_journal_checkpoint_add(engine->journal, entries, count);
    free(entries);
    if (engine->checkpoint_at < engine->checkpoint_end) {
        sl_engine_wake(engine);
        return;
    }
    engine->checkpointing = false;
    sl_journal_checkpoint_end(engine->journal);
}
