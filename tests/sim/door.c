/* What happens at each call of the daemon: time passes, the clock may be set, another thread may go on, the call may fail,
 * and the process or the machine may be gone. */
#include "sim.h"

#include <errno.h>

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {"open", "read", "write", "sync", "shape", "link", "rename", "unlink", "look", "other"};
    return names[__builtin_ctz(kind)];
}

static bool takes_space(unsigned kind) { return kind & (SIM_OPEN | SIM_WRITE | SIM_SYNC | SIM_SHAPE | SIM_LINK | SIM_RENAME); }

static int64_t cost(unsigned kind)
{
    if (kind == SIM_SYNC) return sim_between(SIM_BY_TIME, 200, 6000);
    return sim_between(SIM_BY_TIME, 2, kind == SIM_WRITE ? 120 : 40);
}

static void set_clock(void)
{
    static const int64_t most[] = {5, 300, 7200, 400000}; /* seconds */
    int64_t by = sim_between(SIM_BY_TIME, 1, most[sim_below(SIM_BY_TIME, SL_COUNT(most))]) * SL_SECOND;
    if (sim_chance(SIM_BY_TIME, 500)) by = -by;
    sim->wall_offset += by;
    sim->totals.jumps++;
    sim_trace("the clock is set by %lld s", (long long)(by / SL_SECOND));
}

static bool strikes(const sim_fault *fault, unsigned kind)
{
    if (sim->calls < fault->from || sim->calls >= fault->to || !(fault->kinds & kind)) return false;
    bool space = fault->code == ENOSPC || fault->code == EDQUOT;
    return (!space || takes_space(kind)) && sim_chance(SIM_BY_FAULTS, fault->per_mille);
}

static int fault_of(const sim_life *life, unsigned kind)
{
    for (size_t i = 0; i < life->fault_count; i++) {
        if (!strikes(&life->faults[i], kind)) continue;
        sim->totals.faults++;
        sim_trace("fault: %s fails with %d", kind_name(kind), life->faults[i].code);
        return life->faults[i].code;
    }
    return 0;
}

int sim_door(unsigned kind)
{
    const sim_life *life = &sim->plan.life[sim->life];
    sim->calls++;
    sim->totals.calls++;
    sim_pass(cost(kind));
    if (life->cut_at && sim->calls >= life->cut_at) {
        sim_trace("the power is cut");
        sim_end_life(SIM_CUT);
    }
    if (life->kill_at && sim->calls >= life->kill_at) {
        sim_trace("the process is killed");
        sim_end_life(SIM_KILLED);
    }
    if (life->jumps && sim_below(SIM_BY_TIME, 1000000) < life->jumps) set_clock();
    sim_switch(life->switches);
    return fault_of(life, kind);
}
