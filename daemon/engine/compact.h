/* engine/compact: packs of which little is held any more are emptied. What FlowFiles hold of them is copied on a worker, and
 * each FlowFile brought to the copy by a CARRY event; the old bytes are released behind those events, so whatever ends the
 * process, each claim has its bytes. Loop thread but what says otherwise. */
#ifndef SL_COMPACT_H
#define SL_COMPACT_H

#include "engine/engine.h"

typedef struct sl_compact sl_compact;

void sl_compact_tick(sl_engine *engine);  /* each second: begins a pass when one is due */
void sl_compact_begin(sl_engine *engine); /* now, unless one is under way or content is still being swept */
bool sl_compact_runs(const sl_engine *engine);
void sl_compact_step(sl_engine *engine); /* a slice of the pass */
/* Under engine->lock, any thread: the last holder of a claim went. true: its bytes have been copied, and live on under
 * another name, so there is nothing of it to keep. */
bool sl_compact_moved(sl_engine *engine, uint64_t claim);
uint64_t sl_compact_bytes(const sl_engine *engine); /* copied since the start */
void sl_compact_free(sl_engine *engine);

#endif
