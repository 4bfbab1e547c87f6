/* What is in a queue for too long leaves it: looked at each second, in slices, and only once something can be that old. */
#include "engine/operations.h"

#include "base/sys.h"

enum { REST = 9 /* times what the last look took: so it takes a tenth of the loop at most */ };
static const int64_t unread_again = 600 * SL_SECOND;

static bool too_old(const sl_engine *engine, const sl_queue *queue, int64_t since)
{
    return sl_clock_age(&engine->clock, since) >= queue->expire_after;
}

static int may(const sl_operation *o, sl_error *error)
{
    return o->queue->expire_after ? 0 : sl_error_set(error, 0, "nothing expires here any more");
}

static bool concerns(sl_operation *o, sl_flowfile *flowfile)
{
    sl_queue *queue = o->queue;
    int64_t since = queue->expire_since_queued ? flowfile->queued : flowfile->entered;
    if (flowfile->unread && queue->expire_unread && sl_ticks() < queue->expire_unread) return false;
    if (too_old(o->engine, queue, since)) return true;
    queue->expire_from = SL_MIN(queue->expire_from, since);
    return false;
}

static void expire(sl_operation *o, sl_batch *batch, sl_flowfile *flowfile)
{
    const sl_queue *queue = o->queue;
    sl_queue *to = queue->expire_to;
    sl_step step = {.type = SLUICE_EXPIRE, .queue = to ? to->name : 0, .component = queue->from ? queue->from->name_id : 0};
    sl_engine_take_out(o->engine, flowfile);
    sl_chain_add(o->engine, batch, flowfile, &step);
    if (to) sl_engine_put(o->engine, to, flowfile, sl_engine_wall(o->engine));
    else sl_engine_forget(o->engine, flowfile);
}

static const sl_operation_kind expiry = {.name = "expire", .may = may, .concerns = concerns, .act = expire};

static void looked(void *context, const sl_operated *result)
{
    sl_queue *queue = context;
    int64_t now = sl_ticks();
    queue->expiring = false;
    queue->expire_rest = now + REST * result->worked;
    if (!result->unread) return;
    queue->expire_unread = now + unread_again; /* not each second, and not told each second */
}

static bool due(const sl_engine *engine, const sl_queue *queue)
{
    int64_t now = sl_ticks();
    if (!queue->expire_after || !queue->objects || queue->expiring || now < queue->expire_rest) return false;
    return too_old(engine, queue, queue->expire_from) || (queue->expire_unread && now >= queue->expire_unread);
}

void sl_expiry_look(sl_engine *engine)
{
    SL_MAP_EACH (&engine->queues, entry) {
        sl_queue *queue = entry->value;
        if (!due(engine, queue)) continue;
        queue->expiring = true;
        queue->expire_from = INT64_MAX; /* what stays says it anew */
        if (queue->expire_unread && sl_ticks() >= queue->expire_unread) queue->expire_unread = 0;
        sl_operation_begin(engine, &expiry, queue, NULL, looked, queue, NULL);
    }
}

void sl_expiry_anew(sl_engine *engine)
{
    SL_MAP_EACH (&engine->queues, entry) ((sl_queue *)entry->value)->expire_from = 0;
}
