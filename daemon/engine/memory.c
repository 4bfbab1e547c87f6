/* What bursts leave behind in the allocator goes back to the system: after a long queue was filled or read that may be a
 * tenth of what the process has. */
#include "engine/private.h"

enum { PERIOD = 30 /* seconds */ };

typedef struct giving {
    sl_job job;
    sl_engine *engine;
} giving;

static void give(sl_job *job)
{
    (void)job;
    sl_memory_give_back();
}

static void given(sl_job *job, bool cancelled)
{
    giving *work = SL_CONTAINER(job, giving, job);
    (void)cancelled;
    work->engine->memory_giving = false;
    sl_engine_check_drained(work->engine);
    free(work);
}

void sl_engine_memory_tick(sl_engine *engine)
{
    uint64_t next = sl_journal_next(engine->journal);
    if (engine->memory_giving || ++engine->memory_rest < PERIOD || engine->memory_seen == next) return;
    giving *work = SL_NEW(giving);
    *work = (giving){.job = {.work = give, .done = given}, .engine = engine};
    engine->memory_giving = true;
    engine->memory_rest = 0;
    engine->memory_seen = next;
    sl_workers_submit(engine->workers, &work->job, false);
}
