/* sim [--seed N [--trace]] [--seeds FROM-TO] [--jobs N] [--control no-sync|sync-again] */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

enum { SEEDS = 500, LONGEST = 120 /* s of a seed */, TWICE = 25 /* each such seed runs twice */ };

typedef struct options {
    uint64_t from, to;
    unsigned jobs;
    sim_control control;
    bool shown;
} options;

typedef struct outcome { /* of a seed */
    bool ended, found;
    uint64_t hash, lines;
    sim_totals totals;
    char finding[2048];
} outcome;

/* ---- a seed -------------------------------------------------------------------------------------------------------------- */

static void live(void)
{
    int nowhere = sim->shown ? -1 : open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    sl_sys_now = &sim_sys;
    sim_threads_begin();
    sim_vfs_register();
    if (sim->plan.rooms) sim_rooms_run();
    sim_life_run();
}

/* How the child ended; what no life says of itself is a crash. */
static int run_life(void)
{
    int status = 0;
    sim->calls = 0;
    sim->calm = sim->life + 1 == sim->plan.lives;
    sim_trace_flush();
    pid_t child = fork();
    if (child == 0) live();
    while (child < 0 || (waitpid(child, &status, 0) < 0 && errno == EINTR))
        if (child < 0) sl_panic(__FILE__, __LINE__, "fork: %s", strerror(errno));
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    sim->found = true;
    snprintf(sim->finding, sizeof sim->finding, "life %u ended by signal %d (%s)", sim->life, WTERMSIG(status),
             strsignal(WTERMSIG(status)));
    return SIM_FOUND;
}

static void after_life(int how)
{
    sim_totals *totals = &sim->totals;
    totals->lives++;
    switch (how) {
    case SIM_STOPPED:
        totals->stops++;
        sim_disk_killed();
        break;
    case SIM_CUT:
        totals->cuts++;
        sim_disk_cut();
        sim->booted = sim->time - (int64_t)sim_below(SIM_BY_TIME, 20 * SL_SECOND);
        break;
    case SIM_KILLED:
        totals->kills++;
        sim_disk_killed();
        break;
    case SIM_FAILED:
    case SIM_REFUSED:
        totals->refusals++;
        sim_disk_killed();
        break;
    case SIM_FOUND: break;
    default:
        if (sim->found) break;
        sim->found = true;
        snprintf(sim->finding, sizeof sim->finding, "life %u ended with code %d", sim->life, how);
    }
    sim_pass(sim_between(SIM_BY_TIME, SL_MILLISECOND, 90 * SL_SECOND));
}

static void run_seed(uint64_t seed, const options *options, outcome *ret)
{
    sim_world_new(seed, options->control, options->shown);
    sim->totals.seeds = 1;
    for (sim->life = 0; sim->life < sim->plan.lives && !sim->found; sim->life++) after_life(run_life());
    sim_trace_flush();
    ret->hash = sim->hash;
    ret->lines = sim->lines;
    ret->totals = sim->totals;
    ret->found = sim->found;
    memcpy(ret->finding, sim->finding, sizeof ret->finding);
    ret->ended = true;
    sim_world_free();
}

/* ---- many ------------------------------------------------------------------------------------------------------------------ */

static void add(sim_totals *to, const sim_totals *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *sums; i++) sums[i] += more[i];
}

static void run_one(uint64_t seed, const options *options, outcome *ret)
{
    outcome again;
    alarm(LONGEST);
    run_seed(seed, options, ret);
    if (ret->found || seed % TWICE || options->control) return;
    run_seed(seed, options, &again);
    if (again.hash == ret->hash && again.lines == ret->lines) return;
    ret->found = true;
    snprintf(ret->finding, sizeof ret->finding, "two runs differ: %llu lines with hash %016llx, %llu with %016llx",
             (unsigned long long)ret->lines, (unsigned long long)ret->hash, (unsigned long long)again.lines,
             (unsigned long long)again.hash);
}

/* One process of several, each with every jobs-th seed; a control ends with what it finds. */
static void work(const options *options, unsigned job, outcome *outcomes)
{
    for (uint64_t seed = options->from + job; seed <= options->to; seed += options->jobs) {
        run_one(seed, options, &outcomes[seed - options->from]);
        if (options->control && outcomes[seed - options->from].found) return;
    }
}

static void run_all(const options *options, outcome *outcomes)
{
    pid_t children[64];
    for (unsigned job = 0; job < options->jobs; job++) {
        children[job] = fork();
        if (children[job] == 0) {
            work(options, job, outcomes);
            _exit(0);
        }
    }
    for (unsigned job = 0; job < options->jobs; job++)
        while (waitpid(children[job], NULL, 0) < 0 && errno == EINTR) continue;
}

#define U(value) ((unsigned long long)(value))

static void print_totals(const sim_totals *t)
{
    printf("%llu seeds, %llu lives: %llu power cuts, %llu kills, %llu stops, %llu ended by themselves\n", U(t->seeds), U(t->lives),
           U(t->cuts), U(t->kills), U(t->stops), U(t->refusals));
    printf("%llu calls, %llu switches of threads, %llu faults, %llu clock steps, %llu operations\n", U(t->calls), U(t->switches),
           U(t->faults), U(t->jumps), U(t->operations));
    printf("%llu accepted, %llu delivered, %llu repeats, %llu held, %llu emptied, %llu lost, %llu wrong\n", U(t->accepted), U(t->delivered),
           U(t->repeats), U(t->held), U(t->emptied), U(t->lost), U(t->wrong));
}

/* The number of seeds with a finding. */
static unsigned report(const options *options, const outcome *outcomes)
{
    sim_totals sum = {0};
    unsigned findings = 0;
    for (uint64_t seed = options->from; seed <= options->to; seed++) {
        const outcome *of = &outcomes[seed - options->from];
        if (!of->ended && options->control) continue;
        add(&sum, &of->totals);
        if (of->ended && !of->found) continue;
        findings++;
        printf("seed %llu: %s\n    sim --seed %llu --trace%s\n", U(seed), of->ended ? of->finding : "did not end in time", U(seed),
               options->control == SIM_NO_SYNC ? " --control no-sync"
               : options->control              ? " --control sync-again"
                                               : "");
    }
    if (options->from == options->to)
        printf("seed %llu: %llu lines, hash %016llx\n", U(options->from), U(outcomes->lines), U(outcomes->hash));
    print_totals(&sum);
    return findings;
}

static int usage(void)
{
    fprintf(stderr, "sim [--seed N [--trace]] [--seeds FROM-TO] [--jobs N] [--control no-sync|sync-again]\n");
    return 2;
}

static int parse(int argc, char **argv, options *ret)
{
    *ret = (options){.from = 1, .to = SEEDS, .jobs = (unsigned)SL_MIN(sysconf(_SC_NPROCESSORS_ONLN), 64L)};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        char none[1] = "", *end = none;
        if (strcmp(argv[i], "--trace") == 0) ret->shown = true;
        else if (strcmp(argv[i], "--seed") == 0) ret->from = ret->to = strtoull(value, &end, 10), i++;
        else if (strcmp(argv[i], "--jobs") == 0) ret->jobs = (unsigned)SL_MIN(strtoul(value, &end, 10), 64ul), i++;
        else if (strcmp(argv[i], "--seeds") == 0) {
            ret->from = strtoull(value, &end, 10);
            if (*end == '-') ret->to = strtoull(end + 1, &end, 10);
            i++;
        } else if (strcmp(argv[i], "--control") == 0) {
            ret->control = strcmp(value, "no-sync") == 0 ? SIM_NO_SYNC : strcmp(value, "sync-again") == 0 ? SIM_SYNC_AGAIN : SIM_NO_CONTROL;
            if (!ret->control) return -1;
            i++;
        } else return -1;
        if (*end) return -1;
    }
    return ret->from && ret->to >= ret->from && ret->to - ret->from < 1000000 && ret->jobs ? 0 : -1;
}

int main(int argc, char **argv)
{
    options options;
    if (parse(argc, argv, &options) < 0) return usage();
    size_t size = (size_t)(options.to - options.from + 1) * sizeof(outcome);
    outcome *outcomes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcomes == MAP_FAILED) sl_panic(__FILE__, __LINE__, "no memory for %zu bytes", size);
    if (options.from == options.to) options.jobs = 1;
    fflush(stdout);
    run_all(&options, outcomes);
    unsigned findings = report(&options, outcomes);
    munmap(outcomes, size);
    if (!options.control) return findings ? 1 : 0;
    printf("control: %s\n", findings ? "found, as it must be" : "NOT found");
    return findings ? 0 : 1;
}
