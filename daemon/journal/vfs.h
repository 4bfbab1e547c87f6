/* journal/vfs: SQLite's files through a shim that latches. After a failed write or sync SQLite would try again and the
 * kernel would say yes without having the bytes; so once one failed, every later write and sync of that file fails
 * too, until it is closed. Tests set a fault. */
#ifndef SL_VFS_H
#define SL_VFS_H

#include <stdbool.h>

const char *sl_vfs_name(void); /* registers it at the first call; any thread */
/* For tests: the next `after`-th sync (1: the next) fails once with EIO. 0: none. */
void sl_vfs_fail_sync(int after);

#endif
