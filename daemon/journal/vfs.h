/* journal/vfs: SQLite's files through a shim that latches. After a failed write or sync SQLite would try again and the
 * kernel would say yes without having the bytes; so once one failed, every later write and sync of that file fails
 * too, until it is closed. Tests set a fault. */
#ifndef SL_VFS_H
#define SL_VFS_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

const char *sl_vfs_name(void); /* registers it at the first call; any thread */
/* This thread's large writes (a checkpoint) go in pieces of 1 MiB, each synced, with a call of `pause` after it, so that
 * the disk stays free for others. NULL: at full speed again. */
void sl_vfs_pace(void (*pause)(void *context), void *context);
/* Whether a write or sync of the database's log has failed: whatever follows on this connection fails. */
bool sl_vfs_latched(struct sqlite3 *db);
/* What stands in the log beyond `size` was refused and must not come back at a restart. Latches it. */
void sl_vfs_cut_log(struct sqlite3 *db, int64_t size);
/* For tests: the next `after`-th sync (1: the next) fails once with EIO. 0: none. */
void sl_vfs_fail_sync(int after);
void sl_vfs_fail_syncs(bool all);       /* from now on every sync fails, or none */
void sl_vfs_full(bool full);            /* writes fail as on a full disk */
void sl_vfs_fail_checkpoints(bool all); /* syncs of databases fail while this thread's are paced: the sealer's */

#endif
