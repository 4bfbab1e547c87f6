/* One thread runs at a time: who holds the baton. It goes on where a thread waits, and at calls of the daemon by chance.
 * The daemon's rooms are linked so that their calls of pthread and libuv for threads, mutexes, conditions and semaphores
 * come here (--wrap); the libraries' own do not, since no two threads are ever inside one. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <uv.h>

#include "sim.h"

enum { THREADS = 32 };
typedef enum thread_state { FREE, RUNNABLE, WAITING, ENDED } thread_state;

typedef struct thread {
    thread_state state;
    const void *thing; /* it waits for */
    int64_t deadline;  /* ticks */
    bool passed;       /* the deadline did */
    pthread_cond_t turn;
    pthread_t self;
    void *(*run)(void *argument);
    void (*uv_run)(void *argument);
    void *argument;
} thread;

static thread threads[THREADS];
static unsigned current;
static pthread_mutex_t baton = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local unsigned own;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __real_pthread_cond_signal(pthread_cond_t *cond);
int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __real_pthread_join(pthread_t thread, void **ret);

unsigned sim_thread(void) { return current; }

/* ---- the baton ------------------------------------------------------------------------------------------------------- */

void sim_threads_begin(void)
{
    threads[0].state = RUNNABLE;
    pthread_cond_init(&threads[0].turn, NULL);
    __real_pthread_mutex_lock(&baton);
}

static void wake_late(void)
{
    for (unsigned i = 0; i < THREADS; i++)
        if (threads[i].state == WAITING && threads[i].deadline <= sim_ticks()) {
            threads[i].state = RUNNABLE;
            threads[i].passed = true;
        }
}

static unsigned count_runnable(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < THREADS; i++) count += threads[i].state == RUNNABLE;
    return count;
}

/* Nobody can go on: the time comes for which the first of them waits. */
static void pass_time(void)
{
    int64_t first = INT64_MAX;
    for (unsigned i = 0; i < THREADS; i++)
        if (threads[i].state == WAITING) first = SL_MIN(first, threads[i].deadline);
    if (first == INT64_MAX) sim_found("no thread can go on, and none waits for a time");
    sim_pass(SL_MAX(first - sim_ticks(), (int64_t)0));
    wake_late();
}

static unsigned choose(void)
{
    wake_late();
    unsigned count = count_runnable();
    if (!count) {
        pass_time();
        count = count_runnable();
    }
    unsigned nth = count > 1 ? (unsigned)sim_below(SIM_BY_THREADS, count) : 0;
    for (unsigned i = 0; i < THREADS; i++)
        if (threads[i].state == RUNNABLE && nth-- == 0) return i;
    return 0;
}

static void give_baton(void)
{
    unsigned next = choose();
    if (next == own) return;
    sim->totals.switches++;
    current = next;
    __real_pthread_cond_signal(&threads[next].turn);
    if (threads[own].state == ENDED) return;
    while (current != own) __real_pthread_cond_wait(&threads[own].turn, &baton);
}

void sim_switch(unsigned per_mille)
{
    if (!sim_chance(SIM_BY_THREADS, per_mille)) return;
    give_baton();
}

bool sim_wait(const void *thing, int64_t deadline)
{
    thread *t = &threads[own];
    t->state = WAITING;
    t->thing = thing;
    t->deadline = deadline;
    t->passed = false;
    give_baton();
    return !t->passed;
}

static bool waits_for(const thread *t, const void *thing) { return t->state == WAITING && t->thing == thing; }

void sim_wake(const void *thing, bool all)
{
    unsigned count = 0;
    for (unsigned i = 0; i < THREADS; i++) count += waits_for(&threads[i], thing);
    if (!count) return;
    unsigned nth = all || count == 1 ? 0 : (unsigned)sim_below(SIM_BY_THREADS, count);
    for (unsigned i = 0; i < THREADS; i++) {
        if (!waits_for(&threads[i], thing) || (!all && nth-- > 0)) continue;
        threads[i].state = RUNNABLE;
        if (!all) return;
    }
}

/* ---- threads ----------------------------------------------------------------------------------------------------------- */

static void *run_thread(void *argument)
{
    thread *t = argument;
    own = (unsigned)(t - threads);
    __real_pthread_mutex_lock(&baton);
    while (current != own) __real_pthread_cond_wait(&t->turn, &baton);
    if (t->run) t->run(t->argument);
    else t->uv_run(t->argument);
    t->state = ENDED;
    sim_wake(t, true);
    give_baton();
    __real_pthread_mutex_unlock(&baton);
    return NULL;
}

static int start(pthread_t *ret, void *(*run)(void *), void (*uv_run)(void *), void *argument)
{
    unsigned i = 0;
    while (i < THREADS && threads[i].state != FREE) i++;
    if (i == THREADS) return EAGAIN;
    threads[i] = (thread){.state = RUNNABLE, .run = run, .uv_run = uv_run, .argument = argument};
    pthread_cond_init(&threads[i].turn, NULL);
    int failed = __real_pthread_create(&threads[i].self, NULL, run_thread, &threads[i]);
    if (failed) threads[i].state = FREE;
    *ret = threads[i].self;
    return failed;
}

static int join(pthread_t which)
{
    unsigned i = 0;
    while (i < THREADS && (threads[i].state == FREE || !pthread_equal(threads[i].self, which))) i++;
    if (i == THREADS) return ESRCH;
    while (threads[i].state != ENDED) sim_wait(&threads[i], INT64_MAX);
    __real_pthread_mutex_unlock(&baton); /* it has given it on, and only goes */
    int failed = __real_pthread_join(which, NULL);
    __real_pthread_mutex_lock(&baton);
    pthread_cond_destroy(&threads[i].turn);
    threads[i].state = FREE;
    return failed;
}

#define WRAPPED(result, name, ...)     \
    result __wrap_##name(__VA_ARGS__); \
    result __wrap_##name(__VA_ARGS__)

WRAPPED(int, pthread_create, pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    (void)attributes;
    return start(ret, run, NULL, argument);
}

WRAPPED(int, pthread_join, pthread_t which, void **ret)
{
    if (ret) *ret = NULL;
    return join(which);
}

WRAPPED(int, uv_thread_create, uv_thread_t *ret, uv_thread_cb run, void *argument) { return -start(ret, NULL, run, argument); }
WRAPPED(int, uv_thread_join, uv_thread_t *which) { return -join(*which); }
WRAPPED(int, setpriority, int which, int who, int priority) { return (void)which, (void)who, (void)priority, 0; }

/* ---- mutexes, conditions, semaphores --------------------------------------------------------------------------------------- */

static int lock(pthread_mutex_t *mutex)
{
    while (pthread_mutex_trylock(mutex) != 0) sim_wait(mutex, INT64_MAX);
    return 0;
}

static int unlock(pthread_mutex_t *mutex)
{
    __real_pthread_mutex_unlock(mutex);
    sim_wake(mutex, true);
    return 0;
}

static int wait_on(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline)
{
    unlock(mutex);
    bool woken = sim_wait(cond, deadline);
    lock(mutex);
    return woken ? 0 : ETIMEDOUT;
}

static int signal_one(pthread_cond_t *cond) { return sim_wake(cond, false), 0; }
static int signal_all(pthread_cond_t *cond) { return sim_wake(cond, true), 0; }

WRAPPED(int, pthread_mutex_lock, pthread_mutex_t *mutex) { return lock(mutex); }
WRAPPED(int, pthread_mutex_unlock, pthread_mutex_t *mutex) { return unlock(mutex); }
WRAPPED(int, pthread_cond_wait, pthread_cond_t *cond, pthread_mutex_t *mutex) { return wait_on(cond, mutex, INT64_MAX); }
WRAPPED(int, pthread_cond_signal, pthread_cond_t *cond) { return signal_one(cond); }
WRAPPED(int, pthread_cond_broadcast, pthread_cond_t *cond) { return signal_all(cond); }
WRAPPED(void, uv_mutex_lock, uv_mutex_t *mutex) { lock(mutex); }
WRAPPED(void, uv_mutex_unlock, uv_mutex_t *mutex) { unlock(mutex); }
WRAPPED(void, uv_cond_wait, uv_cond_t *cond, uv_mutex_t *mutex) { wait_on(cond, mutex, INT64_MAX); }
WRAPPED(void, uv_cond_signal, uv_cond_t *cond) { signal_one(cond); }
WRAPPED(void, uv_cond_broadcast, uv_cond_t *cond) { signal_all(cond); }

WRAPPED(int, uv_cond_timedwait, uv_cond_t *cond, uv_mutex_t *mutex, uint64_t ns)
{
    return -wait_on(cond, mutex, sim_ticks() + (int64_t)(ns / 1000));
}

WRAPPED(int, pthread_cond_timedwait, pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
    if (!(cond->__data.__wrefs & 2)) /* glibc: the clock that it was made for */
        sim_found("a wait by the wall clock: who sets the clock back makes it last");
    return wait_on(cond, mutex, (int64_t)until->tv_sec * SL_SECOND + until->tv_nsec / 1000);
}

WRAPPED(int, clock_gettime, clockid_t which, struct timespec *ret)
{
    int64_t now = which == CLOCK_REALTIME ? sim_wall() : sim_ticks();
    *ret = (struct timespec){.tv_sec = now / SL_SECOND, .tv_nsec = now % SL_SECOND * 1000};
    return 0;
}

WRAPPED(int, uv_sem_init, uv_sem_t *sem, unsigned value) { return *(unsigned *)(void *)sem = value, 0; }
WRAPPED(void, uv_sem_destroy, uv_sem_t *sem) { (void)sem; }

WRAPPED(void, uv_sem_post, uv_sem_t *sem)
{
    ++*(unsigned *)(void *)sem;
    sim_wake(sem, false);
}

WRAPPED(void, uv_sem_wait, uv_sem_t *sem)
{
    while (!*(unsigned *)(void *)sem) sim_wait(sem, INT64_MAX);
    --*(unsigned *)(void *)sem;
}
