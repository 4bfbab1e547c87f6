/* What a failure does: by its class and the relationship's retry limits the FlowFile waits, leaves, or the processor
 * pauses with all its FlowFiles queued. */
#include <sys/stat.h>

#include "base/sys.h"
#include "engine/session.h"

#define PAUSE_FIRST (1 * SL_SECOND)
#define PAUSE_MOST  (30 * SL_SECOND)

static const char *const class_names[] = {"", "transient", "permanent", "configuration"};

const char *sl_class_name(sluice_class class_) { return class_ <= SLUICE_CONFIGURATION ? class_names[class_] : ""; }

/* ---- a FlowFile ---------------------------------------------------------------------------------------- */

static bool retries_left(const sl_engine *engine, const sl_limit *limit, const sl_flowfile *flowfile)
{
    if (limit->forever) return true;
    if (limit->duration_us) return sl_clock_age(&engine->clock, flowfile->body->first_failure) < limit->duration_us;
    return flowfile->retries < limit->count;
}

/* Those that failed together must not come back together. */
int64_t sl_jittered(int64_t wait)
{
    uint64_t random;
    sl_sys_now->random(&random, sizeof random);
    return wait - (int64_t)(random % (uint64_t)(wait / 2 + 1));
}

static int64_t backoff(const sl_retry *retry, uint32_t retries)
{
    int64_t wait = retry->backoff_us;
    for (uint32_t i = 0; i < retries && wait < retry->max_backoff_us; i++) wait *= 2;
    return sl_jittered(SL_MIN(wait, retry->max_backoff_us));
}

static void tell(sl_instance *instance, const sluice_failure *failure, sl_level level, const char *then)
{
    instance->error_class = sl_class_name(failure->class_);
    free(instance->error_message);
    instance->error_message = sl_asprintf("%s: %s", failure->code, failure->message);
    instance->error_at = sl_now();
    sl_bulletin(instance->engine->bulletins, level, instance->name, "%s: %s; %s", failure->code, failure->message, then);
}

/* The FlowFile waits while others pass it, or the processor rests and it keeps its place in line. */
static void wait_for_retry(sl_instance *instance, sl_flowfile *flowfile, const sl_retry *retry)
{
    int64_t wait = backoff(retry, flowfile->retries);
    if (flowfile->retries < UINT16_MAX) flowfile->retries++;
    flowfile->not_before = 0;
    if (retry->policy == SL_YIELD) instance->rest_until = SL_MAX(instance->rest_until, sl_ticks() + wait);
    else flowfile->not_before = sl_engine_steady(instance->engine) + wait;
}

/* By which relationship it failed is not remembered: by the one for that. */
static int64_t longest_backoff(const sl_flow_processor *definition)
{
    int64_t longest = 0;
    for (size_t i = 0; i < definition->relationship_count; i++) {
        const sl_flow_relationship *relationship = &definition->relationships[i];
        if (strcmp(relationship->name, "failure") == 0) return relationship->retry.max_backoff_us;
        longest = SL_MAX(longest, relationship->retry.max_backoff_us);
    }
    return longest;
}

/* A clock that was wrong, or a definition that was different, when the wait was written must not keep it for years. */
void sl_retries_cut(sl_queue *queue)
{
    int64_t now = sl_engine_steady(queue->to->engine), latest = now + longest_backoff(queue->to->definition);
    size_t count = 0;
    sl_flowfile **late = sl_alloc((queue->waiting.count + 1) * sizeof *late);
    for (size_t i = 0; i < queue->waiting.count; i++)
        if (queue->waiting.items[i]->not_before > latest) late[count++] = queue->waiting.items[i];
    for (size_t i = 0; i < count; i++) {
        late[i]->not_before = latest;
        sl_queue_return(late[i], now);
    }
    free(late);
}

sl_verdict sl_failure_judge(sl_session *session, sluice_flowfile *view, int64_t now)
{
    sl_instance *instance = session->instance;
    sl_flowfile *flowfile = view->base;
    const sluice_failure *failure = view->failure;
    const sl_flow_relationship *relationship = &instance->definition->relationships[view->relationship];
    if (failure->class_ == SLUICE_CONFIGURATION && flowfile) return SL_VERDICT_BACK;
    const sl_retry *retry = &relationship->retry;
    if (flowfile && !flowfile->body->first_failure) flowfile->body->first_failure = now;
    const sl_limit *limit = failure->class_ == SLUICE_TRANSIENT ? &retry->transient : &retry->permanent;
    if (!flowfile || !retries_left(instance->engine, limit, flowfile)) {
        tell(instance, failure, SL_ERROR, "the FlowFile leaves by its failure relationship");
        return SL_VERDICT_LEAVES;
    }
    wait_for_retry(instance, flowfile, retry);
    tell(instance, failure, SL_WARNING, "it is tried again");
    return SL_VERDICT_RETRY;
}

static void set(sluice_flowfile *view, const char *name, const char *value) { sl_view_set(view, sl_str_of(name), sl_str_of(value)); }

void sl_failure_attributes(sl_session *session, sluice_flowfile *view)
{
    const sl_instance *instance = session->instance;
    set(view, "error.component", instance->name);
    set(view, "error.relationship", instance->definition->relationships[view->relationship].name);
    set(view, "error.class", sl_class_name(view->failure->class_));
    set(view, "error.code", view->failure->code);
    set(view, "error.message", view->failure->message);
}

/* ---- an instance ----------------------------------------------------------------------------------------- */

static int64_t changed_at(const char *path)
{
    struct stat status;
    if (!path || sl_sys_now->stat(path, &status) < 0) return 0;
    return (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}

/* A secret that is written anew changes its folder (rename) or itself; folders hold a few files. */
int64_t sl_secrets_changed(const sl_engine *engine)
{
    return SL_MAX(changed_at(engine->secrets_folder), changed_at(getenv("CREDENTIALS_DIRECTORY")));
}

void sl_instance_failed(sl_instance *instance, const sluice_failure *failure) { tell(instance, failure, SL_WARNING, "it is tried again"); }

void sl_instance_pause(sl_instance *instance, const sluice_failure *failure)
{
    tell(instance, failure, SL_ERROR, "the processor pauses and keeps its FlowFiles; it tries one again by itself");
    /* Sessions that were under way when it paused fail for the same reason: they are not a try of their own. */
    if (instance->paused && sl_ticks() < instance->paused_until) return;
    int64_t wait = instance->paused ? SL_MIN(instance->pause_backoff * 2, PAUSE_MOST) : PAUSE_FIRST;
    instance->pause_backoff = wait;
    instance->paused = true;
    instance->paused_until = sl_ticks() + sl_jittered(wait);
    instance->secrets_seen = sl_secrets_changed(instance->engine);
}

bool sl_instance_probing(const sl_instance *instance)
{
    if (!instance->paused) return false;
    return sl_ticks() >= instance->paused_until || sl_secrets_changed(instance->engine) != instance->secrets_seen;
}

void sl_instance_succeeded(sl_instance *instance)
{
    instance->last_success_at = sl_now();
    if (!instance->paused) return;
    instance->paused = false;
    instance->pause_backoff = 0;
    sl_bulletin(instance->engine->bulletins, SL_INFO, instance->name, "works again after its pause");
    sl_wake_instance(instance);
}

uint64_t sl_instance_retrying(const sl_instance *instance)
{
    uint64_t count = 0;
    for (size_t i = 0; i < instance->input_count; i++) count += instance->inputs[i]->waiting.count;
    return count;
}
