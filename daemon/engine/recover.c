/* The fold of the journal becomes the engine's FlowFiles, queues, components' state and pending effects. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "engine/private.h"

struct sl_recovery {
    sl_engine *engine;
    char **names; /* by the journal's id */
    size_t name_count, name_capacity;
    sl_idmap live; /* `heap_at` holds the queue's id until the queues are there */
};

sl_recovery *sl_recovery_new(sl_engine *engine)
{
    sl_recovery *recovery = SL_NEW(sl_recovery);
    recovery->engine = engine;
    return recovery;
}

void sl_recovery_free(sl_recovery *recovery)
{
    for (size_t i = 0; i < recovery->name_count; i++) free(recovery->names[i]);
    free(recovery->names);
    sl_idmap_done(&recovery->live);
    free(recovery);
}

/* ---- the fold ------------------------------------------------------------------------------------------------ */

static void fold_name(void *context, uint32_t id, sl_str name)
{
    sl_recovery *recovery = context;
    while (recovery->name_count <= id) {
        recovery->names = sl_grow(recovery->names, recovery->name_count, &recovery->name_capacity, sizeof *recovery->names);
        recovery->names[recovery->name_count++] = NULL;
    }
    free(recovery->names[id]);
    recovery->names[id] = sl_strndup(name.data, name.size);
}

static sl_component *component_of(sl_recovery *recovery, uint32_t id)
{
    if (id >= recovery->name_count || !recovery->names[id]) return NULL;
    return sl_engine_component(recovery->engine, sl_str_of(recovery->names[id]));
}

static sl_flowfile *born(sl_recovery *recovery, uint64_t id)
{
    sl_flowfile *flowfile = sl_slab_new(&recovery->engine->flowfiles);
    flowfile->id = id;
    sl_idmap_put(&recovery->live, flowfile);
    return flowfile;
}

static void note_id(sl_engine *engine, uint64_t id)
{
    if (id >= atomic_load(&engine->next_id)) atomic_store(&engine->next_id, id + 1);
}

static void fold_entry(void *context, const sl_checkpoint_entry *entry)
{
    sl_recovery *recovery = context;
    sl_flowfile *flowfile = born(recovery, entry->flowfile);
    note_id(recovery->engine, entry->flowfile);
    flowfile->seq = entry->seq;
    flowfile->moved = entry->moved;
    flowfile->segment = entry->segment;
    flowfile->heap_at = entry->queue;
    flowfile->entered = entry->entered;
    flowfile->queued = entry->queued;
    flowfile->not_before = entry->not_before;
    flowfile->retries = (uint16_t)SL_MIN(entry->retries, (uint32_t)UINT16_MAX);
    flowfile->crashes = (uint8_t)entry->crashes;
    flowfile->size = entry->size;
    flowfile->intended = entry->flags & SL_CHECKPOINT_INTENT;
    flowfile->stored = !(entry->flags & SL_CHECKPOINT_INLINE);
}

static void fold_move(sl_flowfile *flowfile, const sl_event *event)
{
    flowfile->heap_at = event->queue;
    flowfile->moved = event->seq;
    flowfile->queued = event->time;
    flowfile->retries = flowfile->crashes = 0;
    flowfile->not_before = event->not_before;
    flowfile->intended = false;
}

/* The claim's text is canonical: {"id":"..","kind":"..","size":"..",...}; or null. */
static void fold_claim(sl_flowfile *flowfile, sl_str claim)
{
    static const char member[] = "\"size\":\"", in_row[] = "\"kind\":\"inline\"";
    const char *at = memmem(claim.data, claim.size, member, sizeof member - 1);
    flowfile->size = at ? strtoull(at + sizeof member - 1, NULL, 10) : 0;
    flowfile->stored = at && !memmem(claim.data, (size_t)(at - claim.data), in_row, sizeof in_row - 1);
}

static void fold_flowfile(sl_recovery *recovery, const sl_event *event, uint32_t segment)
{
    sl_flowfile *flowfile = sl_idmap_get(&recovery->live, event->flowfile);
    note_id(recovery->engine, event->flowfile);
    if (flowfile && event->seq <= flowfile->seq) return; /* the checkpoint includes it */
    bool moves = event->queue != SL_QUEUE_SAME;
    if (moves && event->queue == 0) {
        sl_idmap_remove(&recovery->live, event->flowfile);
        if (flowfile) sl_slab_free(&recovery->engine->flowfiles, flowfile);
        return;
    }
    if (!flowfile && !moves) return; /* made and ended in one commit */
    if (!flowfile) flowfile = born(recovery, event->flowfile);
    if (event->whole) flowfile->entered = event->entered;
    if (event->claim.size) fold_claim(flowfile, event->claim);
    flowfile->seq = event->seq;
    flowfile->segment = segment;
    if (moves) fold_move(flowfile, event);
    if (event->type == SL_EVENT_CRASHED) flowfile->crashes = (uint8_t)event->retries;
    if (event->type == SL_EVENT_PROGRESS) flowfile->crashes = 0; /* it gets on: no suspect */
    if (event->type == SL_EVENT_INTENT || (event->type == SL_EVENT_CARRY && event->uri.size)) flowfile->intended = true;
    if (event->type != SL_EVENT_RETRY) return;
    flowfile->retries = (uint16_t)SL_MIN(event->retries, (uint32_t)UINT16_MAX);
    flowfile->not_before = event->not_before;
    if (event->uri.size) flowfile->intended = true;
}

static void fold_state(sl_recovery *recovery, const sl_event *event)
{
    sl_component *component = component_of(recovery, event->component);
    if (!component) return;
    if (event->details.size) free(sl_map_put(&component->state, event->uri, sl_strndup(event->details.data, event->details.size)));
    else free(sl_map_remove(&component->state, event->uri));
    if (sl_str_is(event->uri, SL_STATE_NEXT_ID)) {
        char *text = sl_map_get(&component->state, event->uri);
        if (text) note_id(recovery->engine, strtoull(text, NULL, 10) - 1);
    }
}

static void fold_pending(sl_recovery *recovery, const sl_event *event)
{
    sl_component *component = component_of(recovery, event->component);
    if (!component) return;
    if (event->target) sl_pending_remove(component, event->target);
    if (event->type == SL_EVENT_PENDING) sl_pending_add(component, event->seq, event->details);
}

static void fold_event(void *context, const sl_event *event, uint32_t segment)
{
    sl_recovery *recovery = context;
    recovery->engine->last_time = SL_MAX(recovery->engine->last_time, event->time);
    if (event->claim.size) sl_content_mention(recovery->engine->content, event->claim);
    if (event->type == SL_EVENT_RELEASE) sl_content_mention_id(recovery->engine->content, event->target);
    if (event->flowfile) fold_flowfile(recovery, event, segment);
    else if (event->type == SL_EVENT_STATE) fold_state(recovery, event);
    else if (event->type == SL_EVENT_PENDING || event->type == SL_EVENT_DONE) fold_pending(recovery, event);
}

void sl_recovery_fold(sl_recovery *recovery, sl_journal_fold *ret)
{
    *ret = (sl_journal_fold){.name = fold_name, .entry = fold_entry, .event = fold_event, .context = recovery};
}

/* ---- what was in flight when the process died ------------------------------------------------------------------ */

/* "flow/by-kind.image.upload" leads to "flow/upload"; NULL: to no processor. */
static char *target_of(const char *queue)
{
    const char *slash = strchr(queue, '/'), *dot = strrchr(queue, '.');
    if (!slash || !dot || dot < slash || strcmp(dot, ".hold") == 0) return NULL;
    return sl_asprintf("%.*s/%s", (int)(slash - queue), queue, dot + 1);
}

static void hold_suspect(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile, const char *processor)
{
    char message[160];
    if (!sl_body_need(engine, flowfile)) return;
    snprintf(message, sizeof message,
             "it was in this processor's hands each time when the process died %u times in a row; look at it, "
             "then `sluice queue replay` or `empty`",
             flowfile->crashes);
    sl_pair changes[] = {{SL_STR("error.component"), sl_str_of(processor)},
                         {SL_STR("error.relationship"), SL_STR("crashed")},
                         {SL_STR("error.class"), SL_STR("permanent")},
                         {SL_STR("error.code"), SL_STR("Crashed")},
                         {SL_STR("error.message"), sl_str_of(message)}};
    char *key = sl_asprintf("%s.crashed.hold", processor);
    sl_queue *queue = sl_engine_queue(engine, sl_str_of(key));
    sl_attributes *after = sl_attributes_change(flowfile->body->attributes, changes, SL_COUNT(changes));
    sl_engine_take_out(engine, flowfile);
    sl_attributes_unref(flowfile->body->attributes);
    flowfile->body->attributes = after;
    sl_step step = {.type = SL_EVENT_CRASHED, .queue = queue->name, .changes = changes, .change_count = SL_COUNT(changes)};
    step.component = sl_journal_name(engine->journal, sl_str_of(processor));
    step.retries = flowfile->crashes;
    sl_chain_add(engine, batch, flowfile, &step);
    sl_engine_put(engine, queue, flowfile, sl_engine_wall(engine));
    sl_bulletin(engine->bulletins, SL_ERROR, processor, "FlowFile %" PRIu64 " is held in %s: %s", flowfile->id, key, message);
    free(key);
}

static void set_crashes(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile, uint32_t crashes)
{
    char *processor = target_of(flowfile->queue->key);
    flowfile->crashes = (uint8_t)crashes;
    if (processor && crashes >= SL_CRASHES_HELD) hold_suspect(engine, batch, flowfile, processor);
    else if (processor && sl_body_need(engine, flowfile)) {
        sl_step step = {.type = SL_EVENT_CRASHED, .queue = SL_QUEUE_SAME, .retries = crashes};
        step.component = sl_journal_name(engine->journal, sl_str_of(processor));
        sl_chain_add(engine, batch, flowfile, &step);
    }
    free(processor);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void count_crashes(sl_recovery *recovery)
{
    sl_engine *engine = recovery->engine;
    uint64_t *ids;
    bool ran;
    size_t count = sl_flight_landed(engine, &ids, &ran);
    sl_batch *batch = sl_batch_new();
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++) {
        sl_flowfile *flowfile = sl_idmap_get(&recovery->live, ids[i]);
        if (flowfile && (i == 0 || ids[i] != ids[i - 1])) set_crashes(engine, batch, flowfile, flowfile->crashes + 1);
    }
    sl_flowfile *at;
    for (size_t n = 0; ran && (at = sl_slab_at(&engine->flowfiles, n)); n++)
        if (at->id && at->crashes && !at->queue->hold && !bsearch(&at->id, ids, count, sizeof *ids, compare_ids))
            set_crashes(engine, batch, at, 0);
    free(ids);
    sl_engine_append(engine, batch);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static int by_move(const void *a, const void *b)
{
    const sl_flowfile *x = *(sl_flowfile *const *)a, *y = *(sl_flowfile *const *)b;
    if (x->moved != y->moved) return x->moved < y->moved ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Bodies stay in the journal until they are wanted, but for those who hold a turn or may. */
static int enqueue(sl_recovery *recovery, sl_flowfile *flowfile, int64_t now, sl_error *error)
{
    sl_engine *engine = recovery->engine;
    sl_queue *queue = sl_engine_queue(engine, sl_journal_name_text(engine->journal, (uint32_t)flowfile->heap_at));
    if (flowfile->intended && sl_body_read(engine, flowfile->segment, flowfile->seq, &flowfile->body, error) < 0) return -1;
    flowfile->queued = SL_MIN(flowfile->queued, sl_engine_wall(engine)); /* written under a clock that was ahead */
    sl_queue_put(queue, flowfile, now);
    if (flowfile->body) sl_turn_restore(engine, flowfile);
    return 0;
}

static int enqueue_all(sl_recovery *recovery, sl_error *error)
{
    sl_engine *engine = recovery->engine;
    size_t count = 0;
    int result = 0;
    int64_t now = sl_engine_steady(engine);
    sl_flowfile **all = sl_alloc((engine->flowfiles.count + 1) * sizeof *all), *at;
    for (size_t n = 0; (at = sl_slab_at(&engine->flowfiles, n)); n++)
        if (at->id) all[count++] = at;
    if (count) qsort(all, count, sizeof *all, by_move);
    for (size_t i = 0; result == 0 && i < count; i++) result = enqueue(recovery, all[i], now, error);
    free(all);
    return result;
}

int sl_recovery_finish(sl_recovery *recovery, sl_error *error)
{
    sl_engine *engine = recovery->engine;
    if (sl_engine_prepare_state(engine, error) < 0) return -1;
    sl_content_begin_after(engine->content, sl_engine_time(engine)); /* from now on no event is of before this moment */
    SL_MAP_EACH (&engine->components, entry) sl_engine_component(engine, (sl_str){entry->key, entry->key_size});
    if (enqueue_all(recovery, error) < 0) return -1;
    sl_sweep_note_places(engine);
    if (sl_journal_incomplete(engine->journal)) sl_engine_begin_checkpoint(engine);
    count_crashes(recovery);
    return 0;
}
