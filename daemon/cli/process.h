/* cli/process: a process that runs flows, what `sluiced` and `sluice run` have in common: the loop, the engine, the
 * signals, draining. Everything on the loop's thread.
 *
 * Life: sl_process_init, sl_process_open, (add flows, start), sl_process_run until it was told to stop, sl_process_done.
 */
#ifndef SL_PROCESS_H
#define SL_PROCESS_H

#include <uv.h>

#include "engine/engine.h"

enum { SL_PROCESS_SIGNALS = 3 };

typedef struct sl_process {
    uv_loop_t loop;
    sl_engine *engine; /* NULL: not open */
    uv_signal_t signals[SL_PROCESS_SIGNALS];
    uv_timer_t last_resort; /* data NULL: not begun */
    unsigned stops;         /* how often it was told to */
    bool failed;            /* commits fail for good */
    bool signalled;         /* a signal told it to */
    /* Set before sl_process_open, NULL is fine. */
    void (*stopping)(void *context); /* once, when draining begins */
    void (*hangup)(void *context);   /* SIGHUP; NULL: it stops, like SIGTERM */
    void *context;
} sl_process;

void sl_process_init(sl_process *process);
/* Opens the engine (options->loop is filled here) and listens to signals. Returns an exit code; has said why. */
int sl_process_open(sl_process *process, sl_engine_options *options);
/* Runs until it is drained. */
void sl_process_run(sl_process *process);
/* Drains; the second time without waiting. */
void sl_process_stop(sl_process *process);
/* Closes the engine and the loop; handles of the caller's must be closing already. */
void sl_process_done(sl_process *process);

#endif
