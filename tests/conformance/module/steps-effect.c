/* Steps: intents, turns, effects, state, asynchronous calls. */
#include <stdlib.h>

#include "script.h"

/* ---- effects and state -------------------------------------------------------------------------------------- */

static then complete_later(run *run)
{
    run->waiting = true;
    return WAIT;
}

void script_completed(void *context, bool cancelled)
{
    run *run = context;
    run->call = NULL;
    run->completions++;
    run->cancelled = cancelled;
    if (run->submitting) abort(); /* never inside the call that submitted it */
    run->waiting = false;
    script_go_on(run);
}

static then do_intend(run *run, const char *argument)
{
    if (run->on_worker) {
        sluice_intend_now(run->session, run->flowfile, argument);
        return NEXT;
    }
    run->call = sluice_intend(run->session, run->flowfile, argument, script_completed, run);
    return complete_later(run);
}

static then do_progress(run *run, const char *argument)
{
    if (run->on_worker) {
        sluice_progress(run->session, run->flowfile, argument, NULL, NULL);
        return NEXT;
    }
    run->call = sluice_progress(run->session, run->flowfile, argument, script_completed, run);
    return complete_later(run);
}

/* What an earlier try left: `intent`, `steps`. */
static then do_recall(run *run, const char *argument)
{
    char steps[LONGEST] = "";
    sluice_text intent = sluice_intent(run->session, run->flowfile);
    (void)argument;
    for (size_t i = 0; i < sluice_progress_count(run->session, run->flowfile); i++) {
        size_t used = strlen(steps);
        snprintf(steps + used, sizeof steps - used, "%s,", sluice_progress_at(run->session, run->flowfile, i).data);
    }
    sluice_set(run->session, run->flowfile, "intent", intent.data ? intent.data : "(none)");
    sluice_set(run->session, run->flowfile, "steps", steps);
    return NEXT;
}

static then do_turn(run *run, const char *argument)
{
    return sluice_turn(run->session, run->flowfile, argument) ? NEXT : script_end(run, SLUICE_ROLLBACK);
}

static then do_after_commit(run *run, const char *argument)
{
    sluice_after_commit(run->session, run->flowfile, argument);
    return NEXT;
}

static then do_set_state(run *run, const char *argument)
{
    char key[64];
    const char *value = script_split(argument, key, sizeof key);
    sluice_set_state(run->session, key, *value ? value : NULL);
    return NEXT;
}

static then do_state(run *run, const char *argument)
{
    sluice_text value = sluice_state(run->session, argument);
    sluice_set(run->session, run->flowfile, argument, value.data ? value.data : "(none)");
    return NEXT;
}

/* ---- asynchronous calls -------------------------------------------------------------------------------------- */

static then do_timer(run *run, const char *argument)
{
    run->call = sluice_timer(run->instance, atol(argument) * 1000, script_completed, run);
    return complete_later(run);
}

static void work(void *context) { ((run *)context)->completions += 10; }

static then do_job(run *run, const char *argument)
{
    (void)argument;
    run->call = sluice_job(run->instance, work, script_completed, run);
    return complete_later(run);
}

/* A call that is cancelled at once completes all the same. */
static then do_cancelled_timer(run *run, const char *argument)
{
    (void)argument;
    run->call = sluice_timer(run->instance, 3600 * 1000000LL, script_completed, run);
    sluice_cancel(run->instance, run->call);
    return complete_later(run);
}

static then do_completions(run *run, const char *argument)
{
    (void)argument;
    sluice_set_number(run->session, run->flowfile, "completions", run->completions);
    sluice_set(run->session, run->flowfile, "cancelled", run->cancelled ? "yes" : "no");
    return NEXT;
}

const step effect_steps[] = {
    {"intend", do_intend},
    {"progress", do_progress},
    {"recall", do_recall},
    {"turn", do_turn},
    {"after-commit", do_after_commit},
    {"set-state", do_set_state},
    {"state", do_state},
    {"timer", do_timer},
    {"job", do_job},
    {"cancelled-timer", do_cancelled_timer},
    {"completions", do_completions},
    {0},
};
