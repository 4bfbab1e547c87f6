/* An engine in a test's own folder, with the modules of this folder and those of the build, under a clock that can be set. */
#ifndef RIG_H
#define RIG_H

#include "test.h"

#include "base/sys.h"
#include "engine/engine.h"
#include "engine/private.h"

typedef struct rig {
    uv_loop_t loop;
    uv_timer_t look;
    sl_engine *engine;
    sl_engine_summary summary;
    bool (*until)(struct rig *rig);
    int64_t deadline;
    bool met;
} rig;

/* `flow` is a flow's YAML behind "sluice: 1\nname: t\nprocessors:\n"; it is started unless `paused`. The same test's second
 * rig finds the state of its first. */
rig *rig_open(const char *processors, bool paused);
void rig_close(rig *rig);
/* Runs the loop until it is so, or 20 s: then the test fails. */
void rig_until(rig *rig, bool (*until)(struct rig *rig));
bool rig_is_idle(rig *rig);

sl_queue *rig_queue(rig *rig, const char *name); /* "a.success.b" */
uint64_t rig_objects(rig *rig, const char *name);
sl_instance *rig_instance(rig *rig, const char *name);
int64_t rig_figure(rig *rig, const char *processor, const char *figure);

void rig_set_clock(int64_t offset_us); /* of the wall clock, from the real one */
char *rig_path(const char *name);      /* in the test's folder; the caller frees it */
void rig_gate(const char *name, bool closed);

#endif
