/* A running flow's new definition: its instances are made first, beside the old ones; then the old flow ends its
 * sessions and the new one takes its queues. On any failure the old flow goes on. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "engine/session.h"

#define CANCEL_AFTER 20000 /* ms: then open sessions are cancelled */
#define GIVE_UP      60000 /* ms: then the old definition goes on */

struct sl_replacement {
    struct sl_replacement *next;
    sl_engine *engine;
    sl_running_flow *old, *fresh;
    uv_timer_t timer;
    bool cancelled, given_up;
    void (*done)(void *context, const char *failure);
    void *context;
    struct { /* a newer definition, which comes when this one is in or was given up */
        sl_flow *flow;
        void (*done)(void *context, const char *failure);
        void *context;
    } waiting;
};

const char sl_engine_superseded[] = "a newer definition was given before this one could take over";

typedef struct verdict { /* told later, never inside the call */
    void (*done)(void *context, const char *failure);
    void *context;
    char *failure;
} verdict;

static void tell(void *context)
{
    verdict *v = context;
    if (v->done) v->done(v->context, v->failure);
    free(v->failure);
    free(v);
}

static void tell_later(sl_engine *engine, void (*done)(void *context, const char *failure), void *context, const char *failure)
{
    verdict *v = SL_NEW(verdict);
    *v = (verdict){.done = done, .context = context, .failure = failure ? sl_strdup(failure) : NULL};
    sl_engine_post(engine, tell, v);
}

static void timer_closed(uv_handle_t *handle)
{
    struct sl_replacement *replacement = handle->data;
    replacement->engine->open_handles--;
    free(replacement);
}

static void end(struct sl_replacement *replacement, const char *failure)
{
    sl_engine *engine = replacement->engine;
    struct sl_replacement **link = &engine->replacements;
    while (*link != replacement) link = &(*link)->next;
    *link = replacement->next;
    tell_later(engine, replacement->done, replacement->context, failure);
    engine->open_handles++;
    uv_close((uv_handle_t *)&replacement->timer, timer_closed);
    if (replacement->waiting.flow)
        sl_engine_replace_flow(engine, replacement->waiting.flow, replacement->waiting.done, replacement->waiting.context);
}

static void go_on_with_old(struct sl_replacement *replacement, const char *why)
{
    replacement->old->draining = false;
    sl_schedule_flow(replacement->old);
    sl_running_flow_free(replacement->fresh);
    end(replacement, why);
}

static void take_over(sl_instance *to, sl_instance *from)
{
    to->figures = from->figures;
    from->figures = (sl_figures){0};
    to->last_success_at = from->last_success_at;
    to->stopped = from->stopped;
    to->recovered_effects = sl_effects_recovered(to);
}

static void swap(struct sl_replacement *replacement)
{
    sl_error error;
    sl_running_flow *old = replacement->old, *fresh = replacement->fresh;
    if (sl_running_flow_check(fresh, &error) < 0) {
        go_on_with_old(replacement, error.text);
        return;
    }
    sl_running_flow_detach(old);
    sl_running_flow_attach(fresh);
    for (size_t i = 0; i < old->definition->processor_count; i++) {
        sl_instance *same = sl_engine_instance(replacement->engine, old->instances[i]->name);
        if (same) take_over(same, old->instances[i]);
    }
    sl_running_flow_free(old);
    sl_schedule_flow(fresh);
    end(replacement, NULL);
}

static bool quiet(const sl_running_flow *flow)
{
    if (flow->open_sessions) return false;
    for (size_t i = 0; i < flow->definition->processor_count; i++)
        if (flow->instances[i]->effects_running) return false;
    return true;
}

/* What does not return keeps its worker; the flow does not wait for it. */
static void give_up(struct sl_replacement *replacement)
{
    char text[1024];
    sl_buf names = SL_BUF(512);
    sl_stuck_names(replacement->old, &names);
    snprintf(text, sizeof text, "%s did not end within %d s, though cancelled after %d s; the old definition goes on",
             sl_buf_view(&names).data, GIVE_UP / 1000, CANCEL_AFTER / 1000);
    sl_bulletin(replacement->engine->bulletins, SL_ERROR, replacement->old->definition->name, "%s", text);
    sl_buf_done(&names);
    go_on_with_old(replacement, text);
}

void sl_replacements_check(sl_engine *engine)
{
    for (struct sl_replacement *at = engine->replacements, *next; at; at = next) {
        next = at->next;
        if (quiet(at->old)) swap(at);
        else if (at->given_up) give_up(at);
    }
}

static void on_deadline(uv_timer_t *timer)
{
    struct sl_replacement *replacement = timer->data;
    if (replacement->cancelled) replacement->given_up = true;
    replacement->cancelled = true;
    sl_running_flow_cancel(replacement->old);
    sl_engine_wake(replacement->engine);
}

static void begin(sl_engine *engine, sl_running_flow *old, sl_running_flow *fresh, void (*done)(void *context, const char *failure),
                  void *context)
{
    struct sl_replacement *replacement = SL_NEW(struct sl_replacement);
    *replacement = (struct sl_replacement){.engine = engine, .old = old, .fresh = fresh, .done = done, .context = context};
    replacement->next = engine->replacements;
    engine->replacements = replacement;
    uv_timer_init(engine->loop, &replacement->timer);
    replacement->timer.data = replacement;
    uv_timer_start(&replacement->timer, on_deadline, CANCEL_AFTER, GIVE_UP - CANCEL_AFTER);
    old->draining = true;
    sl_engine_wake(engine);
}

/* NULL: none is under way. */
static struct sl_replacement *replacement_of(const sl_engine *engine, const sl_running_flow *flow)
{
    struct sl_replacement *at = engine->replacements;
    while (at && at->old != flow) at = at->next;
    return at;
}

static void wait_for(struct sl_replacement *replacement, sl_flow *flow, void (*done)(void *context, const char *failure), void *context)
{
    if (replacement->waiting.flow) {
        sl_flow_free(replacement->waiting.flow);
        tell_later(replacement->engine, replacement->waiting.done, replacement->waiting.context, sl_engine_superseded);
    }
    replacement->waiting.flow = flow;
    replacement->waiting.done = done;
    replacement->waiting.context = context;
}

void sl_engine_replace_flow(sl_engine *engine, sl_flow *flow, void (*done)(void *context, const char *failure), void *context)
{
    sl_error error = {0};
    sl_running_flow *fresh, *old = sl_map_get(&engine->flows, sl_str_of(flow->name));
    int result = 0;
    if (engine->draining) result = sl_error_set(&error, ESHUTDOWN, "sluice stops; %s is read at its next start", flow->name);
    else if (!old) result = sl_engine_add_flow(engine, flow, &error);
    else if (replacement_of(engine, old)) {
        wait_for(replacement_of(engine, old), flow, done, context);
        return;
    } else {
        result = sl_running_flow_new(engine, flow, &fresh, &error);
        if (result == 0) {
            begin(engine, old, fresh, done, context);
            return;
        }
    }
    if (result < 0) sl_flow_free(flow);
    tell_later(engine, done, context, result < 0 ? error.text : NULL);
}
