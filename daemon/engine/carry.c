/* What still lives in old segments is brought forward into the open one, so that they may go: those that retention lets
 * go, and one whose file has failed. Only chains of FlowFiles live in them: state, pending effects and the next id stand
 * in each segment again (roll.c). In slices on the loop; a pass ends when its last CARRY is durable. */
#include "engine/private.h"

#include "base/sys.h"

enum { SLICE_SEEN = 4096, SLICE_CARRIED = 512, SLICE_BYTES = 1 << 20, ROOM = 4 /* times what is carried */ };
static const int64_t slice_time = 2 * SL_MILLISECOND, stuck_time = 600 * SL_SECOND;

static bool lives_there(const sl_engine *engine, const sl_flowfile *flowfile)
{
    const sl_carry *carry = &engine->carry;
    return flowfile->segment < carry->before || (flowfile->segment >= carry->failed && flowfile->segment < carry->failed_end);
}

/* What is neither in memory nor durable yet cannot be read at this moment. */
static bool readable(const sl_engine *engine, const sl_flowfile *flowfile)
{
    return flowfile->body || flowfile->seq <= sl_journal_durable(engine->journal);
}

/* One whose body is in the journal borrows it for the moment. */
static void carry_one(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile)
{
    sl_body *lent, *body = sl_body_look(engine, flowfile, &lent);
    if (!body) { /* then its segment stays */
        engine->carry.before = SL_MIN(engine->carry.before, flowfile->segment);
        engine->carry.stuck_until = sl_ticks() + stuck_time;
        return;
    }
    flowfile->body = body;
    sl_chain_carry(engine, batch, flowfile);
    if (lent) flowfile->body = NULL;
    sl_body_discard(lent);
}

/* Of the FlowFiles that were there when the pass began: later ones begin in the segment that was open then. */
static bool slice(sl_engine *engine, sl_batch *batch)
{
    sl_carry *carry = &engine->carry;
    size_t seen = 0, bytes = 0;
    int64_t until = sl_ticks() + slice_time;
    for (; carry->at < carry->end; carry->at++) {
        if (seen++ == SLICE_SEEN || batch->count >= SLICE_CARRIED || bytes >= SLICE_BYTES) return false;
        sl_flowfile *flowfile = sl_slab_at(&engine->flowfiles, carry->at);
        size_t from = batch->count;
        if (!flowfile->id || !flowfile->queue || !lives_there(engine, flowfile)) continue;
        if (!readable(engine, flowfile)) {
            carry->waits = true;
            return false;
        }
        carry_one(engine, batch, flowfile);
        bytes += sl_batch_weight(batch, from);
        if (sl_ticks() < until) continue;
        carry->at++;
        return false;
    }
    return true;
}

static void begin(sl_engine *engine, uint32_t before)
{
    sl_carry *carry = &engine->carry;
    carry->running = true;
    carry->before = before;
    carry->at = 0;
    carry->end = engine->flowfiles.block_count * SL_SLAB_BLOCK;
    carry->walked = false;
    carry->bytes = 0;
}

/* What waits is brought forward again each time the journal has gone round: with a limit near its size that would be
 * all the journal does. */
static void make_room(sl_engine *engine)
{
    uint64_t bytes = engine->carry.bytes, limit = SL_MAX(engine->retain_bytes, bytes * ROOM);
    if (!engine->retain_bytes) return;
    if (limit > engine->retain_bytes)
        sl_bulletin(engine->bulletins, SL_WARNING, "journal",
                    "the queues hold %llu MB of attributes and small content, so provenance takes up to %llu MB, more than "
                    "retention.provenance.size allows; raise it, or deliver or empty what waits",
                    (unsigned long long)(bytes >> 20), (unsigned long long)(limit >> 20));
    sl_journal_retain_bytes(engine->journal, limit);
}

static void end(sl_engine *engine)
{
    sl_carry *carry = &engine->carry;
    carry->running = false;
    make_room(engine);
    if (carry->before) sl_journal_let_go(engine->journal, carry->before);
    carry->before = carry->failed = carry->failed_end = 0;
}

void sl_engine_carry_step(sl_engine *engine)
{
    sl_carry *carry = &engine->carry;
    if (!carry->running || engine->failed) return;
    if (engine->draining && !carry->failed_end) return; /* the next start begins it anew */
    if (!carry->walked && !sl_journal_congested(engine->journal)) {
        sl_batch *batch = sl_batch_new();
        carry->waits = false; /* for a commit, which wakes the loop */
        carry->walked = slice(engine, batch);
        carry->bytes += sl_batch_weight(batch, 0);
        carry->last = sl_engine_append(engine, batch);
        if (!carry->walked && !carry->waits) sl_engine_wake(engine);
    }
    if (carry->walked && sl_journal_durable(engine->journal) >= carry->last) end(engine);
}

void sl_engine_retain(sl_engine *engine)
{
    if (engine->carry.running || engine->checkpointing || engine->failed || sl_journal_incomplete(engine->journal)) return;
    if (engine->sweeping || sl_ticks() < engine->carry.stuck_until) return; /* the sweep reads where FlowFiles were */
    uint32_t before = sl_journal_keep_from(engine->journal);
    if (before <= sl_journal_oldest(engine->journal)) return;
    begin(engine, before);
    sl_engine_wake(engine);
}

void sl_engine_check_renewal(sl_engine *engine)
{
    sl_journal_renewal renewal;
    sl_carry *carry = &engine->carry;
    if (!sl_journal_renewed(engine->journal, &renewal)) return;
    uint32_t failed = carry->failed_end ? SL_MIN(carry->failed, renewal.failed) : renewal.failed;
    if (renewal.checkpoint) sl_engine_begin_checkpoint(engine);
    begin(engine, carry->running ? carry->before : 0);
    carry->failed = failed;
    carry->failed_end = renewal.number;
    sl_engine_wake(engine);
}
