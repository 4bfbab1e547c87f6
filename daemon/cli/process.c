#include "cli/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"

enum { DRAIN_SECONDS = 30, FAILED_SECONDS = 5 };

static void drained(void *context) { uv_stop(&((sl_process *)context)->loop); }

void sl_process_stop(sl_process *process)
{
    bool first = process->stops++ == 0;
    if (first && process->stopping) process->stopping(process->context);
    if (process->engine) sl_engine_drain(process->engine, DRAIN_SECONDS * SL_SECOND, drained, process);
}

static void on_signal(uv_signal_t *handle, int number)
{
    sl_process *process = handle->data;
    if (number == SIGHUP && process->hangup) {
        process->hangup(process->context);
        return;
    }
    process->signalled = true;
    if (!process->engine && process->stops > 1) _exit(SL_EXIT_FAILED); /* closing hangs; what is durable is durable */
    if (!process->stops)
        sl_log(SL_INFO, program_invocation_short_name, "SIG%s: drains, open sessions get %d s to end", sigabbrev_np(number), DRAIN_SECONDS);
    else
        sl_log(SL_WARNING, program_invocation_short_name, "SIG%s again: stops now; what is open is done anew after the next start",
               sigabbrev_np(number));
    sl_process_stop(process);
}

/* A worker that waits for its intent to be durable may neither go on nor be made to stop. */
static void give_up(uv_timer_t *timer)
{
    (void)timer;
    sl_log(SL_ERROR, program_invocation_short_name,
           "a session still waits for the journal, which cannot be written: it ends as in a crash, and is done anew after the next start");
    _exit(SL_EXIT_FAILED);
}

static void on_failure(void *context, const char *message)
{
    (void)message; /* the engine has logged it */
    sl_process *process = context;
    process->failed = true;
    uv_timer_init(&process->loop, &process->last_resort);
    process->last_resort.data = process;
    uv_timer_start(&process->last_resort, give_up, FAILED_SECONDS * 1000, 0);
    uv_unref((uv_handle_t *)&process->last_resort);
    if (!process->stops) sl_process_stop(process);
}

/* Modules abort when memory runs out; without a word the operator would not know what ended. */
static void on_abort(int number)
{
    static const char text[] =
        "sluice: aborts: memory has run out, or something is as it never may be; a restart recovers what is durable\n";
    (void)number;
    ssize_t wrote = write(STDERR_FILENO, text, sizeof text - 1);
    (void)wrote;
}

/* Its threads cannot be joined: no memory is freed, no handle closed. */
static void on_stuck(void *context, const char *message)
{
    (void)context, (void)message; /* the engine has logged it */
    _exit(SL_EXIT_FAILED);
}

void sl_process_init(sl_process *process)
{
    sl_memory_begin();
    struct sigaction abort_action = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};
    int result = uv_loop_init(&process->loop);
    SL_ASSERT(result == 0);
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGABRT, &abort_action, NULL);
}

static void listen_to_signals(sl_process *process)
{
    static const int numbers[SL_PROCESS_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < SL_PROCESS_SIGNALS; i++) {
        uv_signal_init(&process->loop, &process->signals[i]);
        process->signals[i].data = process;
        uv_signal_start(&process->signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&process->signals[i]);
    }
}

/* A knob of the tests' only: small segments show in seconds what otherwise takes two million events. */
static int read_segment_events(uint64_t *ret)
{
    const char *text = getenv("SLUICE_SEGMENT_EVENTS");
    char *end;
    if (!text) return SL_EXIT_DONE;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    if (*text >= '1' && *text <= '9' && !*end && !errno) return SL_EXIT_DONE;
    return sl_complain(SL_EXIT_USAGE, "SLUICE_SEGMENT_EVENTS: expected how many events fill a segment, found `%s`", text);
}

int sl_process_open(sl_process *process, sl_engine_options *options)
{
    sl_error error = {0};
    int code = read_segment_events(&options->segment_events);
    if (code != SL_EXIT_DONE) return code;
    options->loop = &process->loop;
    listen_to_signals(process);
    if (sl_engine_open(options, &process->engine, &error) < 0) {
        sl_log(SL_ERROR, program_invocation_short_name, "%s", error.text);
        return error.code == EBUSY ? SL_EXIT_BUSY : SL_EXIT_FAILED;
    }
    sl_engine_on_failure(process->engine, on_failure, process);
    sl_engine_on_stuck(process->engine, on_stuck, process);
    return SL_EXIT_DONE;
}

void sl_process_run(sl_process *process)
{
    /* Only draining ends it: an idle engine may have no handle that keeps the loop alive. */
    uv_ref((uv_handle_t *)&process->signals[0]);
    uv_run(&process->loop, UV_RUN_DEFAULT);
}

void sl_process_done(sl_process *process)
{
    sl_engine *engine = process->engine;
    process->engine = NULL; /* a signal that comes while it closes has nothing to drain */
    sl_engine_close(engine);
    for (size_t i = 0; i < SL_PROCESS_SIGNALS; i++)
        if (process->signals[i].data) uv_close((uv_handle_t *)&process->signals[i], NULL);
    if (process->last_resort.data) uv_close((uv_handle_t *)&process->last_resort, NULL);
    uv_run(&process->loop, UV_RUN_DEFAULT);
    uv_loop_close(&process->loop);
}
