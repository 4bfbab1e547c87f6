/* engine/workers: threads for what computes or blocks. A job runs on a worker, then `done` on the loop. */
#ifndef SL_WORKERS_H
#define SL_WORKERS_H

#include <uv.h>

#include "base/base.h"

typedef struct sl_workers sl_workers;
typedef struct sl_job {
    void (*work)(struct sl_job *job);                 /* worker thread; not called when cancelled */
    void (*done)(struct sl_job *job, bool cancelled); /* loop thread, exactly once, never inside submit */
    struct sl_job *next;
    int state;
} sl_job;

int sl_workers_new(uv_loop_t *loop, unsigned threads, sl_workers **ret, sl_error *error);
/* The job is the caller's memory until `done`. `urgent` ones (effects, hashes for deliveries) go first. */
void sl_workers_submit(sl_workers *workers, sl_job *job, bool urgent);
bool sl_workers_began(const sl_workers *workers, const sl_job *job); /* it runs on a thread, or did */
/* One that has not begun is completed as cancelled. Loop thread. */
void sl_workers_cancel(sl_workers *workers, sl_job *job);
bool sl_workers_busy(const sl_workers *workers); /* more waits than there are threads: do not add triggers */
/* No job may be left. Joins the threads; closes the handle; `closed` later. */
void sl_workers_close(sl_workers *workers, void (*closed)(void *context), void *context);

#endif
