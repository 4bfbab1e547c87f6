/* A FlowFile's events form a chain that never leaves its segment: the first one there holds the whole state. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/private.h"

uint64_t sl_batch_next_seq(const sl_engine *engine, const sl_batch *batch) { return sl_journal_next(engine->journal) + batch->count; }

static sl_str kept(sl_batch *batch, sl_str text) { return text.size ? sl_arena_str(&batch->arena, text) : (sl_str){0}; }

static sl_str formatted(sl_engine *engine, sl_batch *batch, const sl_pair *pairs, size_t count)
{
    sl_buf_clear(&engine->scratch);
    sl_pairs_format(pairs, count, &engine->scratch);
    return kept(batch, sl_buf_view(&engine->scratch));
}

static void say_claim(sl_engine *engine, sl_batch *batch, sl_event *event, const sl_claim *claim)
{
    if (!claim) {
        event->claim = SL_STR("null");
        return;
    }
    sl_buf_clear(&engine->scratch);
    sl_claim_format(claim, &engine->scratch);
    event->claim = kept(batch, sl_buf_view(&engine->scratch));
    if (claim->kind == SL_INLINE) event->content = kept(batch, (sl_str){claim->data, claim->size});
}

size_t sl_batch_weight(const sl_batch *batch, size_t from)
{
    size_t bytes = 0;
    for (size_t i = from; i < batch->count; i++) {
        const sl_event *event = &batch->events[i];
        bytes += 96 + event->attributes.size + event->claim.size + event->content.size + event->details.size;
    }
    return bytes;
}

/* Everything but what the step says. */
static sl_event *next_event(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile, unsigned type)
{
    uint32_t segment = sl_journal_segment(engine->journal);
    uint64_t seq = sl_batch_next_seq(engine, batch);
    bool here = flowfile->seq && flowfile->segment == segment;
    sl_event *event = sl_batch_add(batch);
    event->type = type;
    event->time = sl_engine_time(engine);
    event->flowfile = flowfile->id;
    event->whole = !here;
    event->previous = here ? flowfile->seq : 0;
    if (!here) {
        const sl_attributes *all = flowfile->body->attributes;
        event->entered = flowfile->entered;
        if (all) event->attributes = formatted(engine, batch, all->pairs, all->count);
        if (flowfile->body->claim) say_claim(engine, batch, event, flowfile->body->claim);
    }
    flowfile->seq = seq;
    flowfile->segment = segment;
    return event;
}

void sl_chain_carry(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile)
{
    const sl_intent *intent = flowfile->body->intent;
    sl_event *whole = next_event(engine, batch, flowfile, SL_EVENT_CARRY);
    whole->target = (uint64_t)flowfile->body->first_failure;
    if (!intent) return;
    whole->uri = kept(batch, sl_str_of(intent->turn));
    if (intent->text) {
        sl_event *event = next_event(engine, batch, flowfile, SL_EVENT_INTENT);
        event->details = kept(batch, sl_str_of(intent->text));
        event->uri = kept(batch, sl_str_of(intent->turn));
    }
    for (size_t i = 0; i < intent->step_count; i++)
        next_event(engine, batch, flowfile, SL_EVENT_PROGRESS)->details = kept(batch, sl_str_of(intent->steps[i]));
}

/* What a chain has that the whole state in one event does not say. */
static bool has_more(const sl_flowfile *flowfile, const sl_step *step)
{
    if (step->queue != SL_QUEUE_SAME) return false; /* it ends with the stay in the queue */
    return flowfile->body->first_failure || (flowfile->body->intent && step->type != SL_EVENT_INTENT);
}

void sl_chain_add(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile, const sl_step *step)
{
    bool here = flowfile->seq && flowfile->segment == sl_journal_segment(engine->journal);
    if (!here && has_more(flowfile, step)) sl_chain_carry(engine, batch, flowfile);
    sl_event *event = next_event(engine, batch, flowfile, step->type);
    event->component = step->component;
    event->relationship = step->relationship;
    event->queue = step->queue;
    if (!event->whole && step->change_count) event->attributes = formatted(engine, batch, step->changes, step->change_count);
    if (!event->whole && step->claim_said) say_claim(engine, batch, event, flowfile->body->claim);
    event->parents = kept(batch, step->parents);
    event->uri = kept(batch, step->uri);
    event->details = kept(batch, step->details);
    event->target = step->target;
    event->duration = step->duration;
    event->retries = step->retries;
    event->not_before = step->not_before;
}

void sl_batch_note(sl_engine *engine, sl_batch *batch, unsigned type, uint32_t component, uint64_t target, sl_str uri, sl_str details)
{
    sl_event *event = sl_batch_add(batch);
    event->type = type;
    event->time = sl_engine_time(engine);
    event->component = component;
    event->target = target;
    event->uri = kept(batch, uri);
    event->details = kept(batch, details);
}
