/* Empties or replays a queue and runs the loop until that is done. */
#ifndef OPERATE_H
#define OPERATE_H

#include "test.h"

#include "base/sys.h"
#include "engine/engine.h"

typedef int operation_begin(sl_engine *engine, const char *key, const sl_selection *which,
                            void (*done)(void *context, const sl_operated *result), void *context, sl_error *error);

typedef struct operated {
    sl_operated result;
    char why[200];
    bool done;
} operated;

static inline void note_operated(void *context, const sl_operated *result)
{
    operated *to = context;
    to->result = *result;
    if (result->why) snprintf(to->why, sizeof to->why, "%s", result->why);
    to->done = true;
}

static inline uint64_t operate(sl_engine *engine, uv_loop_t *loop, operation_begin *begin, const char *key, const sl_selection *which)
{
    sl_error error = {0};
    operated to = {0};
    if (begin(engine, key, which, note_operated, &to, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    for (int64_t end = sl_ticks() + 30 * SL_SECOND; !to.done && sl_ticks() < end;) uv_run(loop, UV_RUN_ONCE);
    if (!to.done) sl_panic(__FILE__, __LINE__, "the operation over %s does not end", key);
    CHECK(!to.result.why);
    return to.result.count;
}

#endif
