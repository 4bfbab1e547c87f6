/* sys: the one door to the clock, to randomness and to files. A simulation, a fault rig or a
 * movable clock replaces the table; nothing in daemon/ calls the system's own functions for these.
 * (SQLite comes through a VFS of the journal's; sockets belong to libuv and libcurl.)
 *
 * Calls have POSIX's meaning and errno. Any thread.
 */
#ifndef SL_SYS_H
#define SL_SYS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include "base/base.h"

typedef struct sl_sys {
    int64_t (*realtime)(void);  /* microseconds since 1970 */
    int64_t (*monotonic)(void); /* microseconds, never back */
    void (*random)(void *data, size_t size);
    int (*open)(const char *path, int flags, mode_t mode); /* O_CLOEXEC is added */
    int (*close)(int fd);
    ssize_t (*pread)(int fd, void *data, size_t size, off_t offset);
    ssize_t (*pwrite)(int fd, const void *data, size_t size, off_t offset);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*punch_hole)(int fd, off_t offset, off_t size); /* the range reads as zeros and takes no space */
    int (*allocate)(int fd, off_t offset, off_t size);   /* the range has its blocks: a write there never lacks space */
    int (*link)(const char *from, const char *to);
    int (*link_fd)(int fd, const char *to); /* gives an open file (O_TMPFILE too) a name */
    int (*rename)(const char *from, const char *to);
    int (*rename_noreplace)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*stat)(const char *path, struct stat *ret);
    int (*lstat)(const char *path, struct stat *ret);
    int (*fstat)(int fd, struct stat *ret);
    int (*statvfs)(const char *path, struct statvfs *ret); /* may wait for long where a server is: never on the loop */
    int (*chmod_fd)(int fd, mode_t mode);
    int (*list)(const char *path, void (*each)(void *context, const char *name), void *context); /* all but . and .. */
    int (*clone)(int to, int from);                                                              /* a reflink of all of it */
    int (*lock)(int fd);               /* for writing, whole, of the open file; EAGAIN: somebody has it */
    int (*lease)(int fd, bool take);   /* for reading: nobody has it open for writing */
    void *(*map)(int fd, size_t size); /* shared, for reading and writing; NULL and errno */
    int (*unmap)(void *data, size_t size);
} sl_sys;

extern const sl_sys sl_sys_real;
extern const sl_sys *sl_sys_now; /* what the process uses; set before threads start */

static inline int64_t sl_now(void) { return sl_sys_now->realtime(); }
static inline int64_t sl_ticks(void) { return sl_sys_now->monotonic(); }
/* An errno that says: no room, on the disk or in the quota. */
static inline bool sl_no_space(int code) { return code == ENOSPC || code == EDQUOT; }

/* Built on the table. */
int sl_write_all(int fd, const void *data, size_t size, off_t offset); /* -1 and errno; retries EINTR and short writes */
ssize_t sl_read_full(int fd, void *data, size_t size, off_t offset);   /* bytes read; short only at the end */
int sl_sync_dir(const char *path);                                     /* fsync of a folder */
int sl_make_dirs(const char *path, mode_t mode, sl_error *error);      /* like mkdir -p; new parents are synced */
int sl_read_file(const char *path, size_t limit, sl_buf *ret, sl_error *error);
/* Temporary name beside it, fsync, rename, fsync of the folder. */
int sl_write_file_durably(const char *path, sl_str text, mode_t mode, sl_error *error);

#endif
