/* Where everything is at the end. */
#include "life.h"

#include <stdio.h>

#include "cli/state.h"

typedef struct queued {
    uint64_t flowfile;
    char queue[96];
} queued;

typedef struct account {
    sl_engine *engine;
    unsigned covered[SIM_ITEMS]; /* sinks */
    queued *queued;
    size_t count, capacity;
} account;

static account a;

/* ---- the flow's shape ------------------------------------------------------------------------------------------------- */

static unsigned sinks_from(unsigned box, unsigned item)
{
    const sim_box *b = &sim->plan.boxes[box];
    if (b->kind == SIM_SINK) return 1u << b->sink;
    if (b->kind == SIM_ROUTE) return sinks_from(b->next[item % 2 ? 0 : 1], item);
    unsigned sinks = 0;
    for (unsigned i = 0; i < b->next_count; i++) sinks |= sinks_from(b->next[i], item);
    return sinks;
}

/* "t/FROM.RELATIONSHIP.TARGET" */
unsigned sim_sinks_after(const char *queue, unsigned item)
{
    const char *from = strchr(queue, '/') + 1, *target = strrchr(queue, '.') + 1;
    bool holds = strcmp(target, "hold") == 0;
    size_t size = holds ? (size_t)(strchr(from, '.') - from) : strlen(target);
    for (unsigned box = 0; box < sim->plan.box_count; box++) {
        const char *name = sim->plan.boxes[box].name;
        if (strlen(name) == size && memcmp(name, holds ? from : target, size) == 0) return sinks_from(box, item);
    }
    sim_found("a queue %s, of which the flow knows nothing", queue);
}

unsigned sim_item_of(sl_engine *engine, const sl_flowfile *flowfile)
{
    sl_body *lent, *body = sl_body_look(engine, flowfile, &lent);
    if (!body) return SIM_ITEMS;
    sl_str number = sl_attributes_get(body->attributes, SL_STR("number"));
    unsigned item = number.data ? (unsigned)strtoul(number.data, NULL, 10) : SIM_ITEMS;
    sl_body_discard(lent);
    return item;
}

/* ---- begin and end ------------------------------------------------------------------------------------------------------ */

void sim_account_begin(sl_engine *engine)
{
    const sl_flowfile *at;
    sim_trace("the journal goes on with %llu", (unsigned long long)sl_journal_next(engine->journal));
    for (size_t n = 0; (at = sl_slab_at(&engine->flowfiles, n)); n++)
        if (at->id)
            sim_trace("recovered: FlowFile %llu in %s by %llu", (unsigned long long)at->id, at->queue->key, (unsigned long long)at->seq);
}

bool sim_all_removed(void)
{
    for (unsigned item = 0; item < sim->outside.item_count; item++)
        if (!sim->outside.items[item].removed || sim_item_is_there(item)) return false;
    return true;
}

static void check_content(const sl_flowfile *flowfile, unsigned item)
{
    sl_error error = {0};
    sl_body *lent, *body = sl_body_look(a.engine, flowfile, &lent);
    if (!body) sim_found("FlowFile %llu in %s cannot be read", (unsigned long long)flowfile->id, flowfile->queue->key);
    if (body->claim && sl_content_verify(a.engine->content, body->claim, &error) < 0)
        sim_found("item %u in %s: %s", item, flowfile->queue->key, error.text);
    sl_body_discard(lent);
}

static void note(const sl_flowfile *flowfile)
{
    unsigned item = sim_item_of(a.engine, flowfile);
    if (item >= sim->outside.item_count)
        sim_found("FlowFile %llu in %s is of no item", (unsigned long long)flowfile->id, flowfile->queue->key);
    check_content(flowfile, item);
    a.covered[item] |= sim_sinks_after(flowfile->queue->key, item);
    if (flowfile->queue->hold) sim->totals.held++;
    a.queued = sl_grow(a.queued, a.count, &a.capacity, sizeof *a.queued);
    queued *q = &a.queued[a.count++];
    q->flowfile = flowfile->id;
    snprintf(q->queue, sizeof q->queue, "%s", flowfile->queue->key);
}

static void check_item(unsigned item)
{
    const sim_item *it = &sim->outside.items[item];
    unsigned wanted = sinks_from(0, item), there = a.covered[item] | it->emptied;
    for (unsigned sink = 0; sink < SIM_SINKS; sink++)
        if (sim->outside.deliveries[sink][item].times) there |= 1u << sink;
    sim->totals.accepted++;
    sim->totals.emptied += it->emptied != 0;
    if ((wanted & ~there) == 0) return;
    sim->totals.lost++;
    sim_found("item %u was taken and is lost: it should come to sinks %x, came to or waits for %x", item, wanted, there);
}

void sim_account_queues(sl_engine *engine)
{
    a = (account){.engine = engine};
    const sl_flowfile *at;
    for (size_t n = 0; (at = sl_slab_at(&engine->flowfiles, n)); n++)
        if (at->id) note(at);
    for (unsigned item = 0; item < sim->outside.item_count; item++) check_item(item);
}

static void compare(const sl_fold *fold, const char *what)
{
    if (fold->count != a.count) sim_found("the fold of %s has %zu FlowFiles, the queues had %zu", what, (size_t)fold->count, a.count);
    for (size_t i = 0; i < a.count; i++) {
        const sl_folded *folded = sl_fold_find(fold, a.queued[i].flowfile);
        const char *queue = folded ? sl_fold_name(fold, folded->queue) : "nowhere";
        if (strcmp(queue, a.queued[i].queue) != 0)
            sim_found("FlowFile %llu was in %s, the fold of %s has it in %s", (unsigned long long)a.queued[i].flowfile, a.queued[i].queue,
                      what, queue);
    }
}

void sim_account_fold(void)
{
    static const char *const what[] = {"the newest checkpoint", "all events"};
    for (int whole = 0; whole < 2; whole++) {
        sl_error error = {0};
        sl_fold fold;
        if (sl_fold_read("/sim/state", whole, &fold, &error) < 0) sim_found("the fold of %s: %s", what[whole], error.text);
        compare(&fold, what[whole]);
        sl_fold_done(&fold);
    }
}
