/* drop: what Linux does to a file whose sync fails. Its dirty pages are called clean, whether they reached the disk or
 * not, and the next sync says 0: what was written since the last good sync may be gone. Here it is gone at once.
 *
 * preload.c tells of each write before it is done and of each sync. Any thread. */
#ifndef CRASH_DROP_H
#define CRASH_DROP_H

#include <sys/types.h>

void drop_before_write(int fd, off64_t offset, size_t size);
void drop_written_whole(int fd);     /* an empty file got its bytes by another way than writing */
void drop_forget(int fd);            /* the file was just made, or cut to nothing */
long drop_begin_sync(void);          /* a mark: */
void drop_synced(int fd, long mark); /* what was written before the mark is on the disk */
long drop_failed(int fd);            /* bytes that are not what was written any more */

#endif
