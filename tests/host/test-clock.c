/* The clock stands until it is moved, and what waits for it comes in its order. */
#include <uv.h>

#include "host.h"

static char order[16], letters[] = "abcx";
static void due(void *context, bool cancelled)
{
    size_t used = strlen(order);
    snprintf(order + used, sizeof order - used, "%c%s", *(const char *)context, cancelled ? "!" : "");
}

TEST(timers_fire_in_their_order)
{
    host *host = host_new("example");
    sluice_instance *instance = box_instance(box_new(host, "type: example\n"));
    int64_t start = host_now(host);
    order[0] = 0;
    instance->host->timer(instance, 3 * SL_SECOND, due, &letters[2]);
    instance->host->timer(instance, 1 * SL_SECOND, due, &letters[0]);
    sluice_call *cancelled = instance->host->timer(instance, 9 * SL_SECOND, due, &letters[3]);
    instance->host->timer(instance, 1 * SL_SECOND, due, &letters[1]);
    CHECK_STR(order, "");
    host_advance(host, SL_SECOND - 1);
    CHECK_STR(order, "");
    host_advance(host, 1);
    CHECK_STR(order, "ab");
    instance->host->cancel(cancelled);
    CHECK_STR(order, "ab");
    host_settle(host);
    CHECK_STR(order, "abx!");
    host_advance(host, 10 * SL_SECOND);
    CHECK_STR(order, "abx!c");
    CHECK_INT(host_now(host), start + 11 * SL_SECOND);
    CHECK_INT(instance->host->now(), start + 11 * SL_SECOND);
    CHECK_INT(host_calls(host), 0);
    host_free(host);
}

TEST(a_cancel_after_the_completion_is_a_fault)
{
    host *host = host_new("example");
    sluice_instance *instance = box_instance(box_new(host, "type: example\n"));
    order[0] = 0;
    sluice_call *call = instance->host->timer(instance, 0, due, &letters[0]);
    host_settle(host);
    CHECK_STR(order, "a");
    host_fault(host);
    instance->host->cancel(call);
    const char *fault = host_fault(host);
    CHECK(fault && strstr(fault, "has completed"));
    host_free(host);
}

typedef struct job {
    uv_thread_t worked_on, completed_on;
    unsigned completions;
} job;

static void work(void *context) { ((job *)context)->worked_on = uv_thread_self(); }

static void done(void *context, bool cancelled)
{
    job *job = context;
    job->completed_on = uv_thread_self();
    job->completions += cancelled ? 10 : 1;
}

TEST(a_job_runs_elsewhere_and_completes_here)
{
    host *host = host_new("example");
    sluice_instance *instance = box_instance(box_new(host, "type: example\n"));
    uv_thread_t here = uv_thread_self();
    job job = {.worked_on = here};
    instance->host->job(instance, work, done, &job);
    CHECK_INT(job.completions, 0);
    host_settle(host);
    CHECK_INT(job.completions, 1);
    CHECK(!uv_thread_equal(&job.worked_on, &here));
    CHECK(uv_thread_equal(&job.completed_on, &here));
    host_free(host);
}
