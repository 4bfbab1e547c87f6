/* cli/flow-set: the flows of a daemon, from their files into the engine. Loop thread.
 *
 * A flow that is wrong does not keep the others from starting: its last good text from STATE/flows/NAME.yaml runs
 * instead, or it is shown as invalid. What the engine took becomes the last good text.
 */
#ifndef SL_FLOW_SET_H
#define SL_FLOW_SET_H

#include "cli/config.h"
#include "engine/engine.h"

typedef struct sl_flow_set {
    sl_engine *engine;
    const sl_config *config;  /* of now; changes with a reload */
    const char *const *files; /* of --flow; NULL: the configuration's folder */
    size_t file_count;
    size_t reloading; /* reloads under way */
    /* Told when a reload begins and when the last of those under way has ended. */
    void (*began)(void *context);
    void (*ended)(void *context);
    void *context;
} sl_flow_set;

/* Adds all flows to the engine. strict: a wrong one is told on standard error and the answer is SL_EXIT_INVALID. */
int sl_flow_set_load(sl_flow_set *set, bool strict);
/* Checks the files again, whole, and replaces what runs, or adds what is new; a flow that is wrong goes on as it was,
 * which log, bulletins and status say. name NULL: all. done (may be NULL) is called once, later or at once, with NULL or
 * what is wrong. While one is under way a newer one's texts wait for it, each flow's newest; who asked for an older one is told. */
void sl_flow_set_reload(sl_flow_set *set, const char *name, void (*done)(void *context, const char *failure), void *context);

#endif
