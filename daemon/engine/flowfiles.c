/* FlowFiles that live: made, moved and ended, and which are in flight.
 *
 * STATE/in-flight is a mapped file of ids: those that a processor has in its hands at this moment. It survives the
 * process, not the machine, which is what it is for: a FlowFile that was in a processor's hands each time the process
 * died is suspect. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "engine/private.h"

enum { SLOTS = 16384 };

int sl_flight_open(sl_engine *engine, sl_error *error)
{
    char *path = sl_asprintf("%s/in-flight", engine->state_folder);
    engine->slots_fd = sl_sys_now->open(path, O_RDWR | O_CREAT, 0600);
    void *mapped = NULL;
    /* All of its blocks: to fill a hole of a mapped file on a full disk ends the process. */
    if (engine->slots_fd >= 0 && sl_sys_now->ftruncate(engine->slots_fd, SLOTS * 8) == 0 &&
        sl_sys_now->allocate(engine->slots_fd, 0, SLOTS * 8) == 0)
        mapped = sl_sys_now->map(engine->slots_fd, SLOTS * 8);
    int code = errno;
    int result = mapped ? 0
                        : sl_error_set(error, code, "cannot make and map %s of %d bytes: %s%s", path, SLOTS * 8, strerror(code),
                                       sl_no_space(code) ? "; make room on its disk, then start again" : "");
    free(path);
    if (result < 0) return -1;
    engine->slots = mapped;
    engine->free_slots = sl_alloc(SLOTS * sizeof *engine->free_slots);
    for (uint32_t slot = SLOTS - 1; slot > 0; slot--) engine->free_slots[engine->free_slot_count++] = slot;
    return 0;
}

void sl_flight_close(sl_engine *engine)
{
    if (engine->slots) sl_sys_now->unmap((void *)engine->slots, SLOTS * 8);
    if (engine->slots_fd >= 0) sl_sys_now->close(engine->slots_fd);
    free(engine->free_slots);
    engine->slots = NULL;
    engine->free_slots = NULL;
    engine->slots_fd = -1;
}

void sl_flight_begin(sl_engine *engine) { atomic_store(&engine->slots[0], 1); }

size_t sl_flight_landed(sl_engine *engine, uint64_t **ret, bool *ret_ran)
{
    size_t count = 0;
    *ret_ran = atomic_exchange(&engine->slots[0], 0) != 0;
    *ret = sl_alloc(SLOTS * sizeof **ret);
    for (uint32_t slot = 1; slot < SLOTS; slot++) {
        uint64_t id = atomic_exchange(&engine->slots[slot], 0);
        if (id) (*ret)[count++] = id;
    }
    return count;
}

void sl_flight_enter(sl_engine *engine, sl_flowfile *flowfile)
{
    /* More in flight than slots: those without one are not watched. */
    if (!flowfile->body->slot && engine->free_slot_count) flowfile->body->slot = engine->free_slots[--engine->free_slot_count];
}

void sl_flight_mark(sl_engine *engine, const sl_flowfile *flowfile)
{
    uint32_t slot = flowfile->body->slot;
    if (slot) atomic_store_explicit(&engine->slots[slot], flowfile->id, memory_order_relaxed);
}

void sl_flight_leave(sl_engine *engine, sl_flowfile *flowfile)
{
    sl_body *body = flowfile->body;
    if (!body || !body->slot) return;
    atomic_store_explicit(&engine->slots[body->slot], 0, memory_order_relaxed);
    engine->free_slots[engine->free_slot_count++] = body->slot;
    body->slot = 0;
}

/* ---- made and ended ----------------------------------------------------------------------------------- */

sl_flowfile *sl_engine_born(sl_engine *engine, uint64_t id, int64_t entered)
{
    sl_flowfile *flowfile = sl_slab_new(&engine->flowfiles);
    flowfile->id = id;
    flowfile->entered = entered;
    flowfile->body = SL_NEW(sl_body);
    return flowfile;
}

void sl_engine_forget(sl_engine *engine, sl_flowfile *flowfile)
{
    sl_flight_leave(engine, flowfile);
    sl_slab_free(&engine->flowfiles, flowfile);
}

/* ---- queues ------------------------------------------------------------------------------------------ */

static void wake_target(sl_engine *engine, sl_queue *queue, const sl_flowfile *flowfile)
{
    if (flowfile->place == SL_WAITING) sl_schedule_retry_at(engine, flowfile->not_before);
    else if (queue->to) sl_wake_instance(queue->to);
}

void sl_engine_put(sl_engine *engine, sl_queue *queue, sl_flowfile *flowfile, int64_t now)
{
    flowfile->moved = flowfile->seq;
    flowfile->queued = now;
    flowfile->retries = flowfile->crashes = 0;
    flowfile->body->first_failure = 0;
    flowfile->not_before = 0;
    sl_queue_put(queue, flowfile, now);
    sl_bodies_keep_window(engine, queue, flowfile);
    wake_target(engine, queue, flowfile);
}

void sl_engine_take_out(sl_engine *engine, sl_flowfile *flowfile)
{
    sl_queue *queue = flowfile->queue;
    bool was_full = sl_queue_full(queue);
    sl_turn_release(engine, flowfile);
    flowfile->body->asked = false;
    sl_queue_remove(flowfile);
    /* What was journalled about a delivery ends with the stay in the queue. */
    sl_intent_free(flowfile->body->intent);
    flowfile->body->intent = NULL;
    if (was_full && !sl_queue_full(queue) && queue->from) sl_pressure_room(queue->from);
}

void sl_engine_give_back(sl_engine *engine, sl_flowfile *flowfile, int64_t now)
{
    sl_flight_leave(engine, flowfile);
    flowfile->body->asked = false;
    sl_queue_return(flowfile, now);
    wake_target(engine, flowfile->queue, flowfile);
}
