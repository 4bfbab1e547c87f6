/* engine/reserve: a file that holds a part of the disk, so that commits go on when others have filled it. It is given
 * back in pieces, since who filled the disk may take what comes free, and made again when there is room. It outlives the
 * process as it is at any moment: what its file has is what is there. */
#ifndef SL_RESERVE_H
#define SL_RESERVE_H

#include "base/base.h"

typedef struct sl_reserve sl_reserve;
/* What is there already counts; nothing is made yet. A file that is larger than `wanted` is cut. Never NULL: where its file cannot be
 * opened, making it says so. */
sl_reserve *sl_reserve_open(const char *path, uint64_t wanted);
/* `keep` bytes of it stay at most: what a stopped state needs for its next start. NULL is fine. */
void sl_reserve_close(sl_reserve *reserve, uint64_t keep);
/* Any thread. A piece goes back to the file system; false: nothing was left. */
bool sl_reserve_give(sl_reserve *reserve);
/* A thread that may block: makes it whole. -1: it is as it was before; ECANCELED: some was given meanwhile. */
int sl_reserve_make(sl_reserve *reserve, sl_error *error);
uint64_t sl_reserve_size(const sl_reserve *reserve); /* any thread: what is there */
uint64_t sl_reserve_wanted(const sl_reserve *reserve);

#endif
