#include "engine/workers.h"

enum job_state { WAITING = 1, RUNNING, FINISHED, CANCELLED };

typedef struct job_list {
    sl_job *first, *last;
    size_t count;
} job_list;

struct sl_workers {
    uv_thread_t *threads;
    unsigned thread_count;
    uv_mutex_t lock;
    uv_cond_t work;
    job_list urgent, normal, finished;
    bool ending;
    uv_async_t wake;
    void (*closed)(void *context);
    void *closed_context;
};

static void push(job_list *list, sl_job *job)
{
    job->next = NULL;
    *(list->last ? &list->last->next : &list->first) = job;
    list->last = job;
    list->count++;
}

static sl_job *pop(job_list *list)
{
    sl_job *job = list->first;
    if (!job) return NULL;
    list->first = job->next;
    if (!list->first) list->last = NULL;
    list->count--;
    return job;
}

static bool unlink_job(job_list *list, sl_job *job)
{
    sl_job *before = NULL;
    for (sl_job *at = list->first; at; before = at, at = at->next) {
        if (at != job) continue;
        *(before ? &before->next : &list->first) = at->next;
        if (list->last == at) list->last = before;
        list->count--;
        return true;
    }
    return false;
}

static void run_jobs(void *argument)
{
    sl_workers *workers = argument;
    uv_mutex_lock(&workers->lock);
    for (;;) {
        sl_job *job = pop(&workers->urgent);
        if (!job) job = pop(&workers->normal);
        if (!job && workers->ending) break;
        if (!job) {
            uv_cond_wait(&workers->work, &workers->lock);
            continue;
        }
        job->state = RUNNING;
        uv_mutex_unlock(&workers->lock);
        job->work(job);
        uv_mutex_lock(&workers->lock);
        job->state = FINISHED;
        push(&workers->finished, job);
        uv_async_send(&workers->wake);
    }
    uv_mutex_unlock(&workers->lock);
}

static void complete(uv_async_t *wake)
{
    sl_workers *workers = wake->data;
    uv_mutex_lock(&workers->lock);
    job_list finished = workers->finished;
    workers->finished = (job_list){0};
    uv_mutex_unlock(&workers->lock);
    for (sl_job *job; (job = pop(&finished));) job->done(job, job->state == CANCELLED);
}

int sl_workers_new(uv_loop_t *loop, unsigned threads, sl_workers **ret, sl_error *error)
{
    sl_workers *workers = SL_NEW(sl_workers);
    uv_mutex_init(&workers->lock);
    uv_cond_init(&workers->work);
    workers->threads = sl_alloc(threads * sizeof *workers->threads);
    workers->wake.data = workers;
    int failed = uv_async_init(loop, &workers->wake, complete);
    for (; !failed && workers->thread_count < threads; workers->thread_count++)
        failed = uv_thread_create(&workers->threads[workers->thread_count], run_jobs, workers);
    if (failed) return sl_error_set(error, -failed, "cannot start %u worker threads: %s", threads, uv_strerror(failed));
    *ret = workers;
    return 0;
}

void sl_workers_submit(sl_workers *workers, sl_job *job, bool urgent)
{
    uv_mutex_lock(&workers->lock);
    job->state = WAITING;
    push(urgent ? &workers->urgent : &workers->normal, job);
    uv_cond_signal(&workers->work);
    uv_mutex_unlock(&workers->lock);
}

bool sl_workers_began(const sl_workers *workers, const sl_job *job)
{
    uv_mutex_t *lock = (uv_mutex_t *)&workers->lock;
    uv_mutex_lock(lock);
    bool began = job->state != WAITING;
    uv_mutex_unlock(lock);
    return began;
}

void sl_workers_cancel(sl_workers *workers, sl_job *job)
{
    uv_mutex_lock(&workers->lock);
    if (job->state == WAITING && (unlink_job(&workers->urgent, job) || unlink_job(&workers->normal, job))) {
        job->state = CANCELLED;
        push(&workers->finished, job);
        uv_async_send(&workers->wake);
    }
    uv_mutex_unlock(&workers->lock);
}

bool sl_workers_busy(const sl_workers *workers)
{
    uv_mutex_t *lock = (uv_mutex_t *)&workers->lock;
    uv_mutex_lock(lock);
    bool busy = workers->urgent.count + workers->normal.count >= workers->thread_count;
    uv_mutex_unlock(lock);
    return busy;
}

static void free_workers(uv_handle_t *wake)
{
    sl_workers *workers = wake->data;
    void (*closed)(void *context) = workers->closed;
    void *context = workers->closed_context;
    uv_mutex_destroy(&workers->lock);
    uv_cond_destroy(&workers->work);
    free(workers->threads);
    free(workers);
    if (closed) closed(context);
}

void sl_workers_close(sl_workers *workers, void (*closed)(void *context), void *context)
{
    uv_mutex_lock(&workers->lock);
    workers->ending = true;
    uv_cond_broadcast(&workers->work);
    uv_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->thread_count; i++) uv_thread_join(&workers->threads[i]);
    complete(&workers->wake); /* what the loop had no time for */
    workers->closed = closed;
    workers->closed_context = context;
    uv_close((uv_handle_t *)&workers->wake, free_workers);
}
