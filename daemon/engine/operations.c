#include "engine/operations.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/sys.h"

enum { SLICE_EVENTS = 512, SLICE_BYTES = 1 << 20, READ_BYTES = 4 << 20, UNDURABLE = 4096 /* events of one operation */ };
static const int64_t slice_time = 2 * SL_MILLISECOND;

/* ---- which ------------------------------------------------------------------------------------------------------------ */

static bool concerns(sl_operation *o, sl_flowfile *flowfile)
{
    if (!flowfile->id || flowfile->queue != o->queue || flowfile->place == SL_TAKEN || flowfile->moved > o->through) return false;
    if (o->which.flowfile && flowfile->id != o->which.flowfile) return false;
    return !o->kind->concerns || o->kind->concerns(o, flowfile);
}

static bool fits(const sl_operation *o, const sl_body *body)
{
    bool fit = true;
    for (size_t i = 0; fit && i < o->which.attribute_count; i++) {
        sl_str found = sl_attributes_get(body->attributes, o->which.names[i]), wanted = o->which.values[i];
        fit = wanted.data ? found.data && sl_str_equal(found, wanted) : !found.data;
    }
    return fit;
}

/* ---- the walk ------------------------------------------------------------------------------------------------------------ */

/* First those that are ready, in their order. Then, where some are or were in other places, everything once more by where it
 * lies in memory, which does not change while it lives. */
static sl_flowfile *look(sl_operation *o)
{
    const sl_queue *queue = o->queue;
    if (o->in_order && o->cursor.at && o->cursor.at->moved <= o->through) return o->cursor.at;
    if (o->in_order) {
        o->in_order = false;
        o->result.unread = 0; /* they are met again */
        o->walked = !o->elsewhere && !queue->waiting.count && !queue->aside.count && !queue->line.count;
    }
    if (o->walked || o->at >= o->end) return NULL;
    return sl_slab_at(&o->engine->flowfiles, o->at);
}

static void pass(sl_operation *o)
{
    if (o->in_order) sl_cursor_next(&o->cursor);
    else o->at++;
}

static void want(sl_operation *o, sl_flowfile *flowfile)
{
    o->wanted[o->count++] = (sl_wanted){.flowfile = flowfile,
                                        .id = flowfile->id,
                                        .seq = flowfile->seq,
                                        .moved = flowfile->moved,
                                        .segment = flowfile->segment,
                                        .cold = !flowfile->body};
}

/* What went on, or into another segment, while it was read. */
static void want_again(sl_operation *o)
{
    size_t count = o->count;
    o->count = o->acted = 0;
    for (size_t i = 0; i < count; i++)
        if (o->wanted[i].again) want(o, o->wanted[i].flowfile);
}

static void gather(sl_operation *o, int64_t until)
{
    size_t seen = 0;
    while (!o->walked && o->count < SL_OPERATION_AHEAD && (++seen % 64 || sl_ticks() < until)) {
        sl_flowfile *flowfile = look(o);
        if (!flowfile) {
            o->walked = true;
            return;
        }
        if (concerns(o, flowfile)) want(o, flowfile);
        pass(o);
    }
}

/* ---- bodies ---------------------------------------------------------------------------------------------------------------- */

static size_t weight_of(const sl_body *body)
{
    size_t bytes = body->claim && body->claim->kind == SL_INLINE ? body->claim->size : 0;
    for (size_t i = 0; body->attributes && i < body->attributes->count; i++)
        bytes += body->attributes->pairs[i].name.size + body->attributes->pairs[i].value.size;
    return bytes;
}

/* Worker. Those that it does not come to are read the next time. */
static void read_bodies(sl_job *job)
{
    sl_operation *o = SL_CONTAINER(job, sl_operation, job);
    sl_error error;
    size_t bytes = 0;
    for (size_t i = 0; i < o->count && bytes < READ_BYTES; i++) {
        sl_wanted *wanted = &o->wanted[i];
        if (!wanted->cold) continue;
        wanted->failed = sl_body_read(o->engine, wanted->segment, wanted->seq, &wanted->body, &error) < 0;
        if (!wanted->failed) bytes += weight_of(wanted->body);
        else if (!o->error.text[0]) o->error = error;
    }
}

static void bodies_read(sl_job *job, bool cancelled)
{
    sl_operation *o = SL_CONTAINER(job, sl_operation, job);
    (void)cancelled; /* never by us */
    o->reading = false;
    o->engine->fetches--;
    sl_engine_wake(o->engine);
}

static bool were_read(const sl_operation *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->wanted[i].body || o->wanted[i].failed) return true;
    return false;
}

/* False: all bodies are in memory. */
static bool read_ahead(sl_operation *o)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < o->count; i++)
        if (o->wanted[i].cold) newest = SL_MAX(newest, o->wanted[i].seq);
    if (!newest) return false;
    o->waits = newest > sl_journal_durable(o->engine->journal); /* cannot be read at this moment */
    if (o->waits) return true;
    o->job = (sl_job){.work = read_bodies, .done = bodies_read};
    o->error = (sl_error){0};
    o->reading = true;
    o->engine->fetches++;
    sl_workers_submit(o->engine->workers, &o->job, true);
    return true;
}

/* ---- doing it ---------------------------------------------------------------------------------------------------------------- */

static void not_read(sl_operation *o, sl_wanted *wanted)
{
    sl_flowfile *flowfile = wanted->flowfile;
    if (!wanted->failed || flowfile->seq != wanted->seq) {
        wanted->again = true;
        return;
    }
    o->result.unread++;
    if (o->kind->asked || !flowfile->unread) sl_body_unreadable(o->engine, flowfile, &o->error);
    flowfile->unread = 1;
}

static void act_on(sl_operation *o, sl_batch *batch, sl_wanted *wanted)
{
    sl_flowfile *flowfile = wanted->flowfile;
    sl_body *lent = wanted->body;
    bool there = flowfile->id == wanted->id && flowfile->moved == wanted->moved && concerns(o, flowfile), lends = false;
    wanted->body = NULL;
    if (there && lent && !flowfile->body && flowfile->seq == wanted->seq) {
        flowfile->body = lent;
        flowfile->unread = 0;
        lends = true;
    }
    if (there && !flowfile->body) not_read(o, wanted);
    else if (there && fits(o, flowfile->body)) {
        o->kind->act(o, batch, flowfile);
        o->result.count++;
        if (lends) return;
    } else if (lends) flowfile->body = NULL;
    sl_body_discard(lent);
}

static void act(sl_operation *o, int64_t until)
{
    sl_batch *batch = sl_batch_new();
    size_t bytes = 0, from = 0;
    do {
        act_on(o, batch, &o->wanted[o->acted++]);
        bytes += sl_batch_weight(batch, from);
        from = batch->count;
    } while (o->acted < o->count && batch->count < SLICE_EVENTS && bytes < SLICE_BYTES && sl_ticks() < until);
    o->last = sl_engine_append(o->engine, batch);
}

/* ---- the way through ------------------------------------------------------------------------------------------------------------ */

static void operation_free(sl_operation *o)
{
    for (size_t i = 0; i < o->count; i++) sl_body_discard(o->wanted[i].body);
    sl_cursor_end(&o->cursor);
    sl_arena_done(&o->arena);
    free(o);
}

/* It is in the list no more. */
static void end(sl_operation *o, const char *why)
{
    o->result.why = why;
    o->result.worked = o->worked;
    o->done(o->context, &o->result);
    operation_free(o);
}

/* Whether it ended: before its end by what came between. What it wrote by then is waited for all the same. */
static bool interrupted(sl_operation *o)
{
    sl_error error = {0};
    sl_engine *engine = o->engine;
    if (sl_journal_failure(engine->journal, &error)) {
        end(o, error.text);
        return true;
    }
    bool stops = engine->draining;
    if (stops) sl_error_set(&error, ESHUTDOWN, "sluice stops");
    if (!stops && (!o->kind->may || o->kind->may(o, &error) == 0)) return false;
    if (sl_journal_durable(engine->journal) < o->last) return false;
    end(o, error.text);
    return true;
}

static bool may_write(const sl_operation *o)
{
    const sl_journal *journal = o->engine->journal;
    sl_error error;
    if (o->engine->draining || (o->kind->may && o->kind->may(o, &error) < 0)) return false; /* it only waits for what it wrote */
    return !sl_journal_congested(journal) && sl_journal_durable(journal) + UNDURABLE >= o->last;
}

/* Whether there is more to be done at once. */
static bool slice(sl_operation *o, int64_t until)
{
    o->waits = false;
    if (o->acted == o->count) want_again(o);
    if (!o->acted) {
        gather(o, until);
        if (!o->walked && o->count < SL_OPERATION_AHEAD) return true;
        if (!were_read(o) && read_ahead(o)) return false;
    }
    if (o->acted < o->count) act(o, until);
    return o->acted < o->count || !o->walked;
}

/* -1: it has ended, and is gone. */
static int step(sl_operation *o, int64_t until)
{
    int64_t began = sl_ticks();
    if (o->reading) return 0;
    if (interrupted(o)) return -1;
    bool more = may_write(o) && slice(o, until), again = false;
    for (size_t i = 0; i < o->count; i++) again = again || o->wanted[i].again;
    o->worked += sl_ticks() - began;
    if (more || (again && !o->reading && !o->waits)) sl_engine_wake(o->engine);
    if (!o->walked || again || o->reading || o->acted < o->count || o->last > sl_journal_durable(o->engine->journal)) return 0;
    end(o, NULL);
    return -1;
}

static void append(sl_engine *engine, sl_operation *o)
{
    sl_operation **link = &engine->operations;
    while (*link) link = &(*link)->next;
    o->next = NULL;
    *link = o;
}

/* Each in turn, as far as the time goes that all have together. */
void sl_operations_step(sl_engine *engine)
{
    int64_t until = sl_ticks() + slice_time;
    size_t count = 0;
    for (const sl_operation *at = engine->operations; at; at = at->next) count++;
    for (; count; count--) {
        if (sl_ticks() >= until) {
            sl_engine_wake(engine);
            return;
        }
        sl_operation *o = engine->operations;
        engine->operations = o->next;
        if (step(o, until) == 0) append(engine, o);
    }
}

void sl_operations_end(sl_engine *engine)
{
    for (sl_operation *o; (o = engine->operations);) {
        engine->operations = o->next;
        end(o, "sluice stops");
    }
}

/* ---- begin ------------------------------------------------------------------------------------------------------------------------ */

const sl_operation *sl_operation_over(const sl_engine *engine, const sl_queue *queue)
{
    for (const sl_operation *at = engine->operations; at; at = at->next)
        if (at->queue == queue && at->kind->asked) return at;
    return NULL;
}

static int check(const sl_engine *engine, const sl_queue *queue, sl_error *error)
{
    size_t asked = 0;
    const sl_operation *other = sl_operation_over(engine, queue);
    if (other)
        return sl_error_set(error, EBUSY, "`queue %s` goes on over %s, %" PRIu64 " of %" PRIu64 " are done; ask again when it has ended",
                            other->kind->name, queue->key, other->result.count, other->of);
    for (const sl_operation *at = engine->operations; at; at = at->next) asked += at->kind->asked;
    if (asked < SL_OPERATIONS) return 0;
    return sl_error_set(error, EBUSY, "%d operations over queues go on already; ask again when one has ended", SL_OPERATIONS);
}

static void copy_selection(sl_operation *o, const sl_selection *which)
{
    size_t count = which->attribute_count;
    sl_str *names = sl_arena_alloc(&o->arena, (count + 1) * sizeof *names),
           *values = sl_arena_alloc(&o->arena, (count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        names[i] = sl_arena_str(&o->arena, which->names[i]);
        if (which->values[i].data) values[i] = sl_arena_str(&o->arena, which->values[i]);
    }
    o->which = *which;
    o->which.names = names;
    o->which.values = values;
    if (which->through) o->through = SL_MIN(o->through, which->through);
}

sl_operation *sl_operation_begin(sl_engine *engine, const sl_operation_kind *kind, sl_queue *queue, const sl_selection *which,
                                 void (*done)(void *context, const sl_operated *result), void *context, sl_error *error)
{
    if (kind->asked && check(engine, queue, error) < 0) return NULL;
    sl_operation *o = SL_NEW(sl_operation);
    o->engine = engine;
    o->kind = kind;
    o->queue = queue;
    o->done = done;
    o->context = context;
    o->through = sl_journal_next(engine->journal) - 1;
    o->of = queue->objects;
    o->in_order = true;
    o->elsewhere = queue->objects != queue->ready.count;
    o->end = engine->flowfiles.block_count * SL_SLAB_BLOCK;
    if (which) copy_selection(o, which);
    sl_cursor_begin(&o->cursor, queue);
    append(engine, o);
    sl_engine_wake(engine);
    return o;
}
