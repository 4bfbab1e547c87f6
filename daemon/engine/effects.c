/* Effects that a commit covers (a source's removal): PENDING stands in the journal with the commit; once that is
 * durable the processor's `effect` runs on a worker, again and again until it succeeds, and DONE ends it. */
#include "engine/private.h"

#include "base/sys.h"

enum { EFFECTS_AT_ONCE = 256, LONGEST_WAIT = 60 };

sl_pending *sl_pending_add(sl_component *component, uint64_t seq, sl_str text)
{
    sl_pending *pending = SL_NEW(sl_pending);
    pending->seq = seq;
    pending->text = sl_strndup(text.data, text.size);
    if (!component->pending) component->pending_last = &component->pending;
    *component->pending_last = pending;
    component->pending_last = &pending->next;
    component->pending_count++;
    return pending;
}

static void unlink_pending(sl_component *component, sl_pending **link)
{
    sl_pending *pending = *link;
    *link = pending->next;
    if (component->pending_last == &pending->next) component->pending_last = link;
    component->pending_count--;
    free(pending->text);
    free(pending);
}

void sl_pending_remove(sl_component *component, uint64_t seq)
{
    for (sl_pending **link = &component->pending; *link; link = &(*link)->next)
        if ((*link)->seq == seq) {
            unlink_pending(component, link);
            return;
        }
}

typedef struct effects_job {
    sl_job job;
    sl_instance *instance;
    size_t count;
    sl_pending *items[EFFECTS_AT_ONCE];
} effects_job;

static void run_effects(sl_job *job)
{
    effects_job *work = SL_CONTAINER(job, effects_job, job);
    sl_instance *instance = work->instance;
    for (size_t i = 0; i < work->count; i++) {
        sl_pending *pending = work->items[i];
        sluice_text text = {pending->text, strlen(pending->text)};
        pending->failure = (sluice_failure){0};
        pending->done = instance->processor->effect(&instance->abi, text, &pending->failure) == 0;
    }
}

static void put_off(sl_instance *instance, sl_pending *pending)
{
    int64_t wait = SL_MIN((int64_t)1 << SL_MIN(pending->tries, 6u), (int64_t)LONGEST_WAIT);
    pending->tries++;
    pending->due = sl_ticks() + sl_jittered(wait * SL_SECOND);
    sl_bulletin(instance->engine->bulletins, SL_WARNING, instance->name, "%s: %s; tried again in %lld s", pending->failure.code,
                pending->failure.message, (long long)wait);
}

/* One that can never succeed is reported and ends: nothing was removed, so nothing is lost. */
static bool ends(sl_instance *instance, const sl_pending *pending)
{
    if (pending->done) return true;
    if (pending->failure.class_ != SLUICE_PERMANENT) return false;
    sl_bulletin(instance->engine->bulletins, SL_ERROR, instance->name, "%s: %s", pending->failure.code, pending->failure.message);
    return true;
}

static void settle(sl_instance *instance)
{
    sl_component *component = instance->component;
    sl_batch *batch = sl_batch_new();
    for (sl_pending **link = &component->pending; *link;) {
        sl_pending *pending = *link;
        bool ran = pending->running;
        pending->running = false;
        if (ran && ends(instance, pending)) {
            sl_batch_note(instance->engine, batch, SL_EVENT_DONE, component->name, pending->seq, (sl_str){0}, (sl_str){0});
            unlink_pending(component, link);
            continue;
        }
        if (ran) put_off(instance, pending);
        link = &pending->next;
    }
    sl_engine_append(instance->engine, batch);
}

static void effects_ran(sl_job *job, bool cancelled)
{
    effects_job *work = SL_CONTAINER(job, effects_job, job);
    sl_instance *instance = work->instance;
    sl_engine *engine = instance->engine;
    if (cancelled)
        for (size_t i = 0; i < work->count; i++) work->items[i]->running = false;
    else settle(instance);
    free(work);
    instance->effects_running = false;
    engine->running_effects--;
    if (!instance->component->pending) instance->recovered_effects = false;
    sl_wake_instance(instance);
    sl_effects_run(engine, instance);
    sl_replacements_check(engine);
    sl_engine_check_drained(engine);
}

/* Those of an older definition, which this processor cannot do, are not waited for. */
bool sl_effects_recovered(const sl_instance *instance) { return instance->component->pending && instance->processor->effect; }

void sl_effects_run(sl_engine *engine, sl_instance *instance)
{
    if (instance->effects_running || !instance->component->pending || engine->paused || engine->failed) return;
    if (!instance->processor->effect) return; /* an older definition's: kept, shown, run when such a processor is back */
    uint64_t durable = sl_journal_durable(engine->journal);
    int64_t now = sl_ticks();
    effects_job *work = SL_NEW(effects_job);
    *work = (effects_job){.job = {.work = run_effects, .done = effects_ran}, .instance = instance};
    for (sl_pending *at = instance->component->pending; at && work->count < EFFECTS_AT_ONCE; at = at->next) {
        if (at->seq > durable || at->due > now) continue;
        at->running = true;
        work->items[work->count++] = at;
    }
    if (!work->count) {
        free(work);
        return;
    }
    instance->effects_running = true;
    engine->running_effects++;
    sl_workers_submit(engine->workers, &work->job, true);
}
