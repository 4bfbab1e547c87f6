/* What other threads tell the loop: messages, commits that became durable. One wake-up serves all that is due by then. */
#include "engine/compact.h"
#include "engine/disk.h"
#include "engine/private.h"

/* ---- other threads ----------------------------------------------------------------------------------------- */

void sl_engine_wake(sl_engine *engine) { uv_async_send(&engine->wake); }

void sl_engine_post(sl_engine *engine, void (*run)(void *context), void *context)
{
    sl_message *message = SL_NEW(sl_message);
    *message = (sl_message){.run = run, .context = context};
    uv_mutex_lock(&engine->lock);
    *engine->messages_last = message;
    engine->messages_last = &message->next;
    uv_mutex_unlock(&engine->lock);
    sl_engine_wake(engine);
}

void sl_engine_run_messages(sl_engine *engine)
{
    uv_mutex_lock(&engine->lock);
    sl_message *message = engine->messages;
    engine->messages = NULL;
    engine->messages_last = &engine->messages;
    uv_mutex_unlock(&engine->lock);
    for (sl_message *next; message; message = next) {
        next = message->next;
        message->run(message->context);
        free(message);
    }
}

/* ---- durability --------------------------------------------------------------------------------------------- */

sl_waiter *sl_engine_wait_durable(sl_engine *engine, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context)
{
    sl_waiter *waiter = SL_NEW(sl_waiter);
    *waiter = (sl_waiter){.seq = seq, .durable = durable, .context = context};
    *engine->waiters_last = waiter;
    engine->waiters_last = &waiter->next;
    if (seq <= sl_journal_durable(engine->journal)) sl_engine_wake(engine);
    return waiter;
}

static void complete_waiters(sl_engine *engine)
{
    uint64_t durable = sl_journal_durable(engine->journal);
    sl_waiter *ended = NULL, **ended_last = &ended;
    for (sl_waiter **link = &engine->waiters; *link;) {
        sl_waiter *waiter = *link;
        if (waiter->seq > durable && !waiter->cancelled) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->next = NULL;
        *ended_last = waiter;
        ended_last = &waiter->next;
    }
    engine->waiters_last = &engine->waiters;
    while (*engine->waiters_last) engine->waiters_last = &(*engine->waiters_last)->next;
    for (sl_waiter *next; ended; ended = next) {
        next = ended->next;
        ended->durable(ended->context, ended->cancelled && ended->seq > durable);
        free(ended);
    }
}

static void check_failure(sl_engine *engine)
{
    sl_error error;
    if (engine->failed || !sl_journal_failure(engine->journal, &error)) return;
    engine->failed = true;
    sl_bulletin(engine->bulletins, SL_ERROR, "journal", "%s; sluice stops: a restart recovers what is durable", error.text);
    if (engine->on_failure) engine->on_failure(engine->on_failure_context, error.text);
}

void sl_engine_on_wake(uv_async_t *wake)
{
    sl_engine *engine = wake->data;
    sl_engine_run_messages(engine);
    if (!engine->journal || engine->closing) return;
    check_failure(engine);
    sl_disk_notice(engine);
    sl_releases_log(engine);
    complete_waiters(engine);
    sl_releases_apply(engine);
    sl_schedule_durable(engine);
    sl_engine_check_renewal(engine);
    sl_engine_checkpoint_step(engine);
    sl_engine_carry_step(engine);
    sl_compact_step(engine);
    sl_operations_step(engine);
    sl_replacements_check(engine);
    sl_engine_check_drained(engine);
}
