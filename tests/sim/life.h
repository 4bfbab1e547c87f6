/* life: what the files share that look into the engine. */
#ifndef SIM_LIFE_H
#define SIM_LIFE_H

#include "engine/private.h"
#include "sim.h"

sl_flow *sim_flow(sl_engine *engine, unsigned which);

/* operator.c: one thing that an operator may do; what is stopped or held goes on. */
void sim_operator_acts(sl_engine *engine);
void sim_operator_mends(sl_engine *engine);

/* account.c */
void sim_account_begin(sl_engine *engine);  /* what was recovered, for the trace */
bool sim_all_removed(void);                 /* no source has an item left */
void sim_account_queues(sl_engine *engine); /* drained: each item is delivered, queued, held or emptied */
void sim_account_fold(void);                /* closed: the journal's folds are those queues */
/* Which sinks a FlowFile of the item, in that queue, is still to come to. */
unsigned sim_sinks_after(const char *queue, unsigned item);
unsigned sim_item_of(sl_engine *engine, const sl_flowfile *flowfile);

#endif
