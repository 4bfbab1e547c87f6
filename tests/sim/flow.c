/* The flow that a seed means: a source, steps, perhaps a fork, sinks; and its text. */
#include "sim.h"

#include <stdio.h>

static unsigned one_of(const unsigned *values, size_t count) { return values[sim_below(SIM_BY_PLAN, count)]; }
#define ONE_OF(...) one_of((const unsigned[]){__VA_ARGS__}, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

/* ---- the shape ---------------------------------------------------------------------------------------------------------- */

static unsigned add_box(sim_plan *plan, sim_kind kind)
{
    unsigned at = plan->box_count++;
    SL_ASSERT(at < SIM_BOXES);
    sim_box *box = &plan->boxes[at];
    *box = (sim_box){.kind = kind, .on = ONE_OF(0, 0, 1, 2), .fails = ONE_OF(0, 0, 20, 200), .turns = sim_chance(SIM_BY_PLAN, 300)};
    snprintf(box->name, sizeof box->name, "%c%u", kind == SIM_SOURCE ? 's' : kind == SIM_SINK ? 'z' : 'm', at);
    if (kind == SIM_SINK) box->sink = plan->sink_count++;
    return at;
}

static void lead(sim_plan *plan, unsigned from, unsigned to)
{
    sim_box *box = &plan->boxes[from];
    box->next[box->next_count++] = to;
}

static unsigned add_steps(sim_plan *plan, unsigned from, unsigned count)
{
    for (; count; count--) {
        unsigned to = add_box(plan, ONE_OF(SIM_PASS, SIM_REWRITE, SIM_ROUNDS));
        lead(plan, from, to);
        from = to;
    }
    return from;
}

static void add_branches(sim_plan *plan, unsigned from, unsigned branches)
{
    for (; branches; branches--) {
        unsigned last = add_steps(plan, from, ONE_OF(0, 1));
        lead(plan, last, add_box(plan, SIM_SINK));
    }
}

static void make_shape(sim_plan *plan)
{
    unsigned last = add_steps(plan, add_box(plan, SIM_SOURCE), ONE_OF(0, 1, 1, 2));
    unsigned fork = ONE_OF(0, SIM_PASS, SIM_SPLIT, SIM_ROUTE);
    if (!fork) {
        add_branches(plan, last, 1);
        return;
    }
    unsigned box = add_box(plan, fork);
    lead(plan, last, box);
    add_branches(plan, box, 2);
}

/* ---- the text ------------------------------------------------------------------------------------------------------------- */

static const char *name_of(const sim_plan *plan, const sim_box *box, unsigned i)
{
    return i < box->next_count ? plan->boxes[box->next[i]].name : "hold";
}

static void add_ways(const sim_plan *plan, const sim_box *box, sl_buf *text)
{
    bool forks = box->kind == SIM_SPLIT || box->kind == SIM_ROUTE;
    if (forks) sl_buf_text(text, "to: {success: hold");
    else if (box->next_count == 2) sl_buf_printf(text, "to: {success: [%s, %s]", name_of(plan, box, 0), name_of(plan, box, 1));
    else sl_buf_printf(text, "to: {success: %s", box->kind == SIM_SINK ? "end" : name_of(plan, box, 0));
    if (box->kind == SIM_SOURCE) {
        sl_buf_text(text, "}}\n");
        return;
    }
    if (box->kind != SIM_SINK)
        sl_buf_printf(text, ", again: %s, left: %s, right: %s", box->kind == SIM_ROUNDS ? box->name : "hold",
                      forks ? name_of(plan, box, 0) : "hold", forks ? name_of(plan, box, 1) : "hold");
    sl_buf_text(text, ", failure: hold}}\n");
}

static void add_retry(sl_buf *text)
{
    static const char *const transient[] = {"forever", "forever", "3", "20s"}, *const policies[] = {"penalize", "yield"};
    sl_buf_printf(text, "retry: {failure: {transient: %s, permanent: %u, backoff: %ums, max_backoff: %us, policy: %s}}, ",
                  transient[sim_below(SIM_BY_PLAN, 4)], ONE_OF(0, 0, 2), ONE_OF(10, 500, 1000), ONE_OF(1, 10, 600),
                  policies[sim_below(SIM_BY_PLAN, 2)]);
}

static void add_processor(const sim_plan *plan, const sim_box *box, sl_buf *text)
{
    static const char *const steps[] = {"sim-step", "sim-step-alone", "sim-step-worker"};
    static const char *const modes[] = {
        [SIM_PASS] = "pass", [SIM_REWRITE] = "rewrite", [SIM_ROUNDS] = "rounds", [SIM_SPLIT] = "split", [SIM_ROUTE] = "route"};
    sl_buf_printf(text, "  %s: {", box->name);
    if (box->kind == SIM_SOURCE) sl_buf_text(text, "type: sim-source-worker, ");
    else if (box->kind == SIM_SINK)
        sl_buf_printf(text, "type: sim-sink%s, sink: %u, turns: %s, concurrency: %u, ", box->on == 2 ? "-worker" : "", box->sink,
                      box->turns ? "true" : "false", ONE_OF(1, 2, 4));
    else {
        sl_buf_printf(text, "type: %s, mode: %s, fails: %u, ", steps[box->on], modes[box->kind], box->fails);
        if (box->kind == SIM_ROUNDS) sl_buf_printf(text, "rounds: %u, ", ONE_OF(1, 3, 20));
        sl_buf_printf(text, "concurrency: %u, ", ONE_OF(1, 1, 3));
    }
    if (box->kind != SIM_SOURCE) add_retry(text);
    add_ways(plan, box, text);
}

static void add_connection(const sim_plan *plan, const sim_box *box, const char *way, bool may_expire, sl_buf *text)
{
    static const char *const orders[] = {"newest", "oldest", "smallest", "priority", "{attribute: number}", "first-in"};
    sl_buf_printf(text, "  %s.%s: {max_objects: %u", box->name, way, ONE_OF(1, 3, 10, 1000));
    if (sim_chance(SIM_BY_PLAN, 200)) sl_buf_printf(text, ", prioritize: [%s]", orders[sim_below(SIM_BY_PLAN, SL_COUNT(orders))]);
    if (plan->expires && may_expire && sim_chance(SIM_BY_PLAN, 500))
        sl_buf_printf(text, ", expire: {after: %us, since: %s, to: hold}", ONE_OF(2, 20, 120),
                      sim_chance(SIM_BY_PLAN, 500) ? "entry" : "queued");
    sl_buf_text(text, "}\n");
}

static void add_connections(const sim_plan *plan, const sim_box *box, sl_buf *text)
{
    if (box->kind == SIM_SINK) return;
    if (box->kind == SIM_SPLIT || box->kind == SIM_ROUTE) {
        add_connection(plan, box, "left", false, text);
        add_connection(plan, box, "right", false, text);
    } else add_connection(plan, box, "success", box->next_count == 1, text);
    if (box->kind == SIM_ROUNDS) add_connection(plan, box, "again", true, text);
}

static void write_flow(const sim_plan *plan, char *ret)
{
    sl_buf text = SL_BUF(SIM_FLOW - 1);
    sl_buf_text(&text, "sluice: 1\nname: t\nprocessors:\n");
    for (unsigned i = 0; i < plan->box_count; i++) add_processor(plan, &plan->boxes[i], &text);
    sl_buf_text(&text, "connections:\n");
    for (unsigned i = 0; i < plan->box_count; i++) add_connections(plan, &plan->boxes[i], &text);
    SL_ASSERT(!text.overflowed);
    memcpy(ret, text.data, text.size + 1);
    sl_buf_done(&text);
}

void sim_flow_make(sim_plan *plan)
{
    make_shape(plan);
    for (unsigned i = 0; i < 2; i++) write_flow(plan, plan->flow[i]);
}
