/* engine/disk: how full the state's disk is, and what follows from it. Loop thread but what says otherwise.
 *
 *   warn     a bulletin, well before anything stops
 *   stop     sources stop: what is in the flows goes on and is delivered
 *   full     a commit found no room: the reserve is given for it, piece by piece; sources stop until it is whole again
 *   resume   with some more room than the stop wants, by itself
 */
#ifndef SL_DISK_H
#define SL_DISK_H

#include "engine/engine.h"

typedef struct sl_disk sl_disk;
struct sl_instance;

/* Once the state is ours, before it is recovered: where nothing is free the reserve is given for that. */
void sl_disk_open(sl_engine *engine, const sl_engine_options *options);
void sl_disk_close(sl_disk *disk);      /* NULL is fine */
void sl_disk_tick(sl_engine *engine);   /* each second: has a worker look */
void sl_disk_notice(sl_engine *engine); /* whether a commit found it full */
/* Journal thread: a commit finds no room. true: there is more now. */
bool sl_disk_make_room(void *engine, const sl_error *error);
bool sl_disk_stops(const struct sl_instance *instance);  /* a source that waits for room */
const char *sl_disk_reason(const sl_engine *engine);     /* why sources wait; NULL: they do not */
bool sl_disk_holds_back(const sl_engine *engine);        /* sources wait for the next look alone */
bool sl_disk_presses(const sl_engine *engine);           /* near the mark, or beyond it */
uint64_t sl_disk_available(const sl_engine *engine);     /* as last looked at */
void sl_disk_json(const sl_engine *engine, sl_buf *ret); /* an object of the status */

/* The marks of a file system, in bytes that are free; for tests. */
typedef struct sl_disk_marks {
    uint64_t warn, stop, resume;
} sl_disk_marks;
sl_disk_marks sl_disk_marks_of(uint64_t total, unsigned percent /* 0: the default */);

#endif
