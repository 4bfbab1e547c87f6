/* One process of the daemon: the engine is opened, runs until its time is over or until a calm one has nothing left to do,
 * and is stopped. */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/private.h"
#include "life.h"

#define PATIENCE (6 * 3600 * SL_SECOND) /* of a calm life */

static uv_loop_t loop;
static bool drained;

static void on_failure(void *context, const char *message)
{
    (void)context;
    sim_trace("the engine fails: %s", message);
    if (sim->calm) sim_found("nothing fails and the engine ends: %s", message);
    sim_end_life(SIM_FAILED);
}

static void on_stuck(void *context, const char *message)
{
    (void)context;
    sim_trace("the engine is stuck: %s", message);
    if (sim->calm) sim_found("nothing fails and the engine does not end: %s", message);
    sim_end_life(SIM_FAILED);
}

static void on_drained(void *context) { *(bool *)context = true; }

static void refused(const char *text)
{
    sim_trace("refused: %s", text);
    if (sim->calm) sim_found("nothing fails and the start is refused: %s", text);
    sim_end_life(SIM_REFUSED);
}

static char *own_folder(void)
{
    char binary[PATH_MAX] = "";
    SL_ASSERT(readlink("/proc/self/exe", binary, sizeof binary - 1) > 0);
    return sl_strdup(dirname(binary));
}

sl_flow *sim_flow(sl_engine *engine, unsigned which)
{
    sl_problems problems = {.file = "t.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(engine)};
    sl_flow *flow = sl_flow_parse(sl_str_of(sim->plan.flow[which]), "t.yaml", &options, &problems);
    sl_buf printed = SL_BUF(1 << 20);
    sl_problems_print(&problems, &printed);
    if (!flow) sim_found("the plan's flow is wrong: %s\n%s", printed.data, sim->plan.flow[which]);
    sl_buf_done(&printed);
    sl_problems_done(&problems);
    return flow;
}

static sl_engine *open_engine(void)
{
    sl_error error = {0};
    sl_engine *engine;
    const sim_plan *plan = &sim->plan;
    char *modules = own_folder();
    uv_loop_init(&loop);
    sl_engine_options options = {.loop = &loop,
                                 .state = "/sim/state",
                                 .modules = modules,
                                 .workers = plan->workers,
                                 .segment_events = plan->segment_events,
                                 .retain_bytes = plan->retain_bytes,
                                 .window = plan->window};
    if (sl_engine_open(&options, &engine, &error) < 0) refused(error.text);
    if (sl_engine_add_flow(engine, sim_flow(engine, 0), &error) < 0) refused(error.text);
    sl_engine_on_failure(engine, on_failure, NULL);
    sl_engine_on_stuck(engine, on_stuck, NULL);
    free(modules);
    return engine;
}

/* ---- running ----------------------------------------------------------------------------------------------------------- */

static bool is_idle(sl_engine *engine, sl_engine_summary *ret)
{
    sl_engine_summarise(engine, ret);
    return ret->idle;
}

static void run_calm(sl_engine *engine)
{
    sl_engine_summary summary = {0};
    int64_t end = sim_ticks() + PATIENCE, next = 0;
    sim_operator_mends(engine);
    for (;;) {
        uv_run(&loop, UV_RUN_ONCE);
        if (sim_ticks() < next) continue;
        next = sim_ticks() + SL_SECOND;
        if (is_idle(engine, &summary) && sim_all_removed()) return;
        if (sim_ticks() > end) sim_found("nothing fails and it does not come to its end in six hours: %s", summary.why);
    }
}

static void run(sl_engine *engine)
{
    const sim_life *life = &sim->plan.life[sim->life];
    int64_t end = sim_ticks() + life->length;
    while (sim_ticks() < end) {
        uv_run(&loop, UV_RUN_ONCE);
        if (sim_chance(SIM_BY_OPERATOR, life->operates)) sim_operator_acts(engine);
    }
}

static void stop(sl_engine *engine)
{
    sim_trace("stop");
    sl_engine_drain(engine, 5 * SL_SECOND, on_drained, &drained);
    while (!drained) uv_run(&loop, UV_RUN_ONCE);
    if (sim->calm) sim_account_queues(engine);
    sl_engine_close(engine);
    if (uv_loop_close(&loop) != 0) sim_found("the engine is closed and has left a handle open");
}

void sim_life_run(void)
{
    sim_trace("a process begins");
    sl_engine *engine = open_engine();
    sim_account_begin(engine);
    sl_engine_start(engine);
    if (sim->calm) run_calm(engine);
    else run(engine);
    stop(engine);
    if (sim->calm) sim_account_fold();
    sim_end_life(SIM_STOPPED);
}
