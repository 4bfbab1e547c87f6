/* libuv's loop on the simulated clock: timers, wake-ups, idle callbacks, closing, in libuv's own order. */
#include <uv.h>

#include "sim.h"

enum { HANDLES = 1024 };

typedef struct handle {
    uv_handle_t *self; /* NULL: free */
    bool active, pending, closing;
    uint64_t due, order; /* ms */
    uint64_t repeat;
    uv_timer_cb timer;
    uv_async_cb async;
    uv_idle_cb idle;
    uv_close_cb closed;
} handle;

static handle handles[HANDLES];
static unsigned handle_end;
static uint64_t loop_time, next_order;
static bool stopping;
static const char loop_thing;

static void update_time(void) { loop_time = (uint64_t)sim_ticks() / 1000; }

static handle *find(const void *self)
{
    for (unsigned i = 0; i < handle_end; i++)
        if (handles[i].self == self) return &handles[i];
    return NULL;
}

static handle *handle_new(void *self)
{
    handle *at = find(NULL);
    if (!at || at >= handles + handle_end) {
        SL_ASSERT(handle_end < HANDLES);
        at = &handles[handle_end++];
    }
    *at = (handle){.self = self};
    return at;
}

static void handle_init(uv_loop_t *loop, uv_handle_t *self, uv_handle_type type)
{
    self->loop = loop;
    self->type = type;
    handle_new(self);
}

#define WRAPPED(result, name, ...)     \
    result __wrap_##name(__VA_ARGS__); \
    result __wrap_##name(__VA_ARGS__)

/* ---- handles --------------------------------------------------------------------------------------------------------- */

WRAPPED(int, uv_loop_init, uv_loop_t *loop)
{
    *loop = (uv_loop_t){0};
    return 0;
}

WRAPPED(int, uv_loop_close, uv_loop_t *loop)
{
    (void)loop;
    for (unsigned i = 0; i < handle_end; i++)
        if (handles[i].self) return UV_EBUSY;
    return 0;
}

WRAPPED(void, uv_update_time, uv_loop_t *loop)
{
    (void)loop;
    update_time();
}

WRAPPED(int, uv_timer_init, uv_loop_t *loop, uv_timer_t *timer)
{
    handle_init(loop, (uv_handle_t *)timer, UV_TIMER);
    return 0;
}

WRAPPED(int, uv_timer_start, uv_timer_t *timer, uv_timer_cb callback, uint64_t timeout, uint64_t repeat)
{
    handle *h = find(timer);
    SL_ASSERT(h && !h->closing);
    h->active = true;
    h->timer = callback;
    h->due = loop_time + timeout;
    h->repeat = repeat;
    h->order = ++next_order;
    return 0;
}

WRAPPED(int, uv_timer_stop, uv_timer_t *timer)
{
    find(timer)->active = false;
    return 0;
}

WRAPPED(int, uv_idle_init, uv_loop_t *loop, uv_idle_t *idle)
{
    handle_init(loop, (uv_handle_t *)idle, UV_IDLE);
    return 0;
}

WRAPPED(int, uv_idle_start, uv_idle_t *idle, uv_idle_cb callback)
{
    handle *h = find(idle);
    h->active = true;
    h->idle = callback;
    return 0;
}

WRAPPED(int, uv_idle_stop, uv_idle_t *idle)
{
    find(idle)->active = false;
    return 0;
}

WRAPPED(int, uv_async_init, uv_loop_t *loop, uv_async_t *async, uv_async_cb callback)
{
    handle_init(loop, (uv_handle_t *)async, UV_ASYNC);
    find(async)->async = callback;
    return 0;
}

WRAPPED(int, uv_async_send, uv_async_t *async)
{
    find(async)->pending = true;
    sim_wake(&loop_thing, true);
    return 0;
}

WRAPPED(int, uv_is_active, const uv_handle_t *self) { return find(self)->active; }

WRAPPED(void, uv_close, uv_handle_t *self, uv_close_cb closed)
{
    handle *h = find(self);
    SL_ASSERT(h && !h->closing);
    h->active = h->pending = false;
    h->closing = true;
    h->closed = closed;
}

WRAPPED(void, uv_stop, uv_loop_t *loop)
{
    (void)loop;
    stopping = true;
}

/* ---- a turn ------------------------------------------------------------------------------------------------------------ */

static handle *next_timer(void)
{
    handle *first = NULL;
    for (unsigned i = 0; i < handle_end; i++) {
        handle *h = &handles[i];
        if (!h->self || !h->timer || !h->active) continue;
        if (!first || h->due < first->due || (h->due == first->due && h->order < first->order)) first = h;
    }
    return first;
}

static void run_timers(void)
{
    for (handle *h; (h = next_timer()) && h->due <= loop_time;) {
        uv_timer_t *timer = (uv_timer_t *)h->self;
        h->active = false;
        if (h->repeat) {
            h->active = true;
            h->due = SL_MAX(h->due + h->repeat, loop_time);
            h->order = ++next_order;
        }
        h->timer(timer);
    }
}

static bool run_idle(void)
{
    bool any = false;
    for (unsigned i = 0; i < handle_end; i++) {
        if (!handles[i].self || !handles[i].idle || !handles[i].active) continue;
        handles[i].idle((uv_idle_t *)handles[i].self);
        any = true;
    }
    return any;
}

static void run_async(void)
{
    for (unsigned i = 0; i < handle_end; i++) {
        if (!handles[i].self || !handles[i].pending) continue;
        handles[i].pending = false;
        handles[i].async((uv_async_t *)handles[i].self);
    }
}

static void run_closing(void)
{
    for (unsigned i = 0; i < handle_end; i++) {
        handle *h = &handles[i];
        if (!h->self || !h->closing) continue;
        uv_handle_t *self = h->self;
        uv_close_cb closed = h->closed;
        *h = (handle){0};
        if (closed) closed(self);
    }
}

static bool something_now(void)
{
    for (unsigned i = 0; i < handle_end; i++) {
        const handle *h = &handles[i];
        if (h->self && (h->pending || h->closing || (h->idle && h->active))) return true;
    }
    return false;
}

static void poll(uv_run_mode mode)
{
    sim_switch(500);
    while (mode != UV_RUN_NOWAIT && !stopping && !something_now()) {
        const handle *timer = next_timer();
        int64_t due = timer ? (int64_t)timer->due * 1000 : INT64_MAX;
        if (due <= sim_ticks()) break;
        if (!sim_wait(&loop_thing, due)) break;
    }
    update_time();
    run_async();
}

static bool alive(void)
{
    for (unsigned i = 0; i < handle_end; i++)
        if (handles[i].self) return true;
    return false;
}

WRAPPED(int, uv_run, uv_loop_t *loop, uv_run_mode mode)
{
    (void)loop;
    do {
        update_time();
        run_timers();
        run_idle();
        poll(mode);
        run_closing();
        if (mode == UV_RUN_ONCE) run_timers();
        sim_pass(1); /* a turn takes time, too */
    } while (mode == UV_RUN_DEFAULT && !stopping && alive());
    stopping = false;
    return alive();
}
