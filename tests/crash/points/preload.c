/* preload: counts a process's durability calls, and at the Nth kills it or lets the call fail. Loaded by LD_PRELOAD
 * into an unchanged program; tests/crash/shared/preload.py sets it up and reads what it writes.
 *
 *   CRASH_LOG        a line for each call: NUMBER OP RESULT ERRNO DEVICE:INODE SIZE PATH, in the order in which calls end
 *   CRASH_KILL       N: SIGKILL at the Nth call, CRASH_WHEN=before (default) or after it
 *   CRASH_FAIL       names of calls, with commas, or "all": these fail. Further
 *     CRASH_ERROR    EIO (default), ENOSPC, EDQUOT, EINTR; SHORT: half of a write is done
 *     CRASH_FROM     the Nth of them that fits, default 1; CRASH_TIMES how many, default 1, 0: for ever. EINTR for ever is
 *                    every second one: a call that is always interrupted is no fault that exists
 *     CRASH_PATH     only where the path has this in it
 *     CRASH_DROP     a sync that fails so loses what was written since the last good one, and the next succeeds (drop.h);
 *                    not with EINTR: an interrupted one loses nothing
 *   CRASH_NO_SYNC    fsync, fdatasync and sync_file_range say 0 and do nothing
 *   CRASH_MALLOC     N: the Nth allocation gives NULL; CRASH_MALLOC_TIMES how many, 0: all from there on
 *
 * Counted are calls on regular files and folders only, and opening only where it makes or cuts a file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "drop.h"

enum { PATH_MOST = 4200, LINE_MOST = 4400 };

typedef enum fault { FAULT_NONE, FAULT_ERROR, FAULT_SHORT } fault;

static struct settings {
    bool ready, kill_after, no_sync, all, endless, drop;
    long kill, from, times, malloc_at, malloc_times;
    int log, error;
    const char *names, *path;
} settings = {.log = -1};
static atomic_long calls, fitting, allocations;

typedef struct point { /* one call */
    long number;       /* 0: not counted */
    const char *op;
    fault fault;
    char path[PATH_MOST];
    int fd;
} point;

/* The libc's own, found once for each function. */
#define REAL(result, name, ...)         \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, name)

/* ---- settings ------------------------------------------------------------------------------------------- */

static long number_of(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

static int error_of(const char *text)
{
    static const struct {
        const char *name;
        int error;
    } known[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR}, {"SHORT", 0}};
    for (size_t i = 0; text && i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i].name) == 0) return known[i].error;
    return EIO;
}

__attribute__((constructor)) static void begin(void)
{
    REAL(int, "open", const char *, int, ...);
    const char *log = getenv("CRASH_LOG"), *when = getenv("CRASH_WHEN");
    if (log) settings.log = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    settings.kill = number_of("CRASH_KILL", 0);
    settings.kill_after = when && strcmp(when, "after") == 0;
    settings.names = getenv("CRASH_FAIL");
    settings.all = settings.names && strcmp(settings.names, "all") == 0;
    settings.error = error_of(getenv("CRASH_ERROR"));
    settings.from = number_of("CRASH_FROM", 1);
    settings.times = number_of("CRASH_TIMES", 1);
    settings.endless = settings.times == 0;
    settings.path = getenv("CRASH_PATH");
    settings.drop = number_of("CRASH_DROP", 0) != 0;
    settings.no_sync = number_of("CRASH_NO_SYNC", 0) != 0;
    settings.malloc_at = number_of("CRASH_MALLOC", 0);
    settings.malloc_times = number_of("CRASH_MALLOC_TIMES", 1);
    atomic_store(&allocations, 0);
    settings.ready = true;
}

static void write_log(const char *line, size_t size)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    if (settings.log >= 0 && real(settings.log, line, size) < 0) abort(); /* a rig that sees nothing must not go on */
}

__attribute__((destructor)) static void end(void)
{
    char line[64];
    int size = snprintf(line, sizeof line, "0 allocations %ld 0 0:0 0 \n", atomic_load(&allocations));
    write_log(line, (size_t)size);
}

/* ---- one call --------------------------------------------------------------------------------------------- */

static void path_of_fd(int fd, char ret[PATH_MOST])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, ret, PATH_MOST - 1);
    ret[size > 0 ? size : 0] = 0;
}

static void path_at(int folder, const char *path, char ret[PATH_MOST])
{
    if (path[0] == '/' || folder == AT_FDCWD) {
        snprintf(ret, PATH_MOST, "%s", path);
        return;
    }
    path_of_fd(folder, ret);
    size_t size = strlen(ret);
    snprintf(ret + size, PATH_MOST - size, "/%s", path);
}

static bool is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

static bool named(const char *op)
{
    size_t size = strlen(op);
    for (const char *at = settings.names; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
        if (strncmp(at, op, size) == 0 && (at[size] == ',' || at[size] == 0)) return true;
    return false;
}

static fault fault_for(const point *p)
{
    if (!settings.names || (!settings.all && !named(p->op)) || (settings.path && !strstr(p->path, settings.path))) return FAULT_NONE;
    long at = atomic_fetch_add(&fitting, 1) + 1 - settings.from;
    bool due = at >= 0 && (settings.endless || at < settings.times);
    if (!due || (settings.endless && settings.error == EINTR && at % 2)) return FAULT_NONE;
    return settings.error ? FAULT_ERROR : FAULT_SHORT;
}

static void log_line(const point *p, const char *op, long result, int error)
{
    char line[LINE_MOST];
    struct stat status = {0};
    if (settings.log < 0) return;
    if (p->fd < 0 || fstat(p->fd, &status) != 0) lstat(p->path, &status);
    int size = snprintf(line, sizeof line - 1, "%ld %s %ld %d %llx:%llx %lld %s", p->number, op, result, error,
                        (unsigned long long)status.st_dev, (unsigned long long)status.st_ino, (long long)status.st_size, p->path);
    if (size > LINE_MOST - 2) size = LINE_MOST - 2;
    for (int i = 0; i < size; i++)
        if (line[i] == '\n') line[i] = '?';
    line[size] = '\n';
    write_log(line, (size_t)size + 1);
}

static void die(const point *p)
{
    log_line(p, settings.kill_after ? "killed-after" : "killed-before", 0, 0);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* `p->path` is there already. */
static void arrive(point *p, const char *op, int fd)
{
    if (!settings.ready) return;
    p->op = op;
    p->fd = fd;
    p->number = atomic_fetch_add(&calls, 1) + 1;
    if (p->number == settings.kill && !settings.kill_after) die(p);
    p->fault = fault_for(p);
}

static void arrive_fd(point *p, const char *op, int fd)
{
    p->number = 0;
    p->fault = FAULT_NONE;
    int error = errno;
    if (settings.ready && is_file(fd)) {
        path_of_fd(fd, p->path);
        arrive(p, op, fd);
    }
    errno = error;
}

static void arrive_at(point *p, const char *op, int folder, const char *path)
{
    p->number = 0;
    p->fault = FAULT_NONE;
    int error = errno;
    if (settings.ready) {
        path_at(folder, path, p->path);
        arrive(p, op, -1);
    }
    errno = error;
}

static long leave(point *p, long result)
{
    int error = result < 0 ? errno : 0, before = errno;
    if (p->number) {
        log_line(p, p->op, result, error);
        if (p->number == settings.kill && settings.kill_after) die(p);
    }
    errno = before;
    return result;
}

static bool refused(const point *p)
{
    if (p->fault == FAULT_ERROR) errno = settings.error;
    return p->fault == FAULT_ERROR;
}

static size_t cut(const point *p, size_t size) { return p->fault == FAULT_SHORT && size > 1 ? size / 2 : size; }

/* ---- writes --------------------------------------------------------------------------------------------------- */

/* offset -1: where the descriptor stands. */
static void before_write(const point *p, int fd, off64_t offset, size_t size)
{
    if (!settings.drop || !p->number || !size) return;
    if (offset < 0) offset = lseek64(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    if (offset >= 0) drop_before_write(fd, offset, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    point p;
    arrive_fd(&p, "write", fd);
    if (refused(&p)) return leave(&p, -1);
    before_write(&p, fd, -1, size);
    return leave(&p, real(fd, data, cut(&p, size)));
}

static ssize_t pwrite_with(ssize_t (*real)(int, const void *, size_t, off64_t), int fd, const void *data, size_t size, off64_t offset)
{
    point p;
    arrive_fd(&p, "pwrite", fd);
    if (refused(&p)) return leave(&p, -1);
    before_write(&p, fd, offset, size);
    return leave(&p, real(fd, data, cut(&p, size), offset));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return pwrite_with(real, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return pwrite_with(real, fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    point p;
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    arrive_fd(&p, "writev", fd);
    if (refused(&p)) return leave(&p, -1);
    before_write(&p, fd, -1, size);
    return leave(&p, real(fd, parts, p.fault == FAULT_SHORT && count > 1 ? count / 2 : count));
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags)
{
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    point p;
    arrive_fd(&p, "copy_file_range", to);
    if (refused(&p)) return leave(&p, -1);
    before_write(&p, to, to_at ? *to_at : -1, size);
    return leave(&p, real(from, from_at, to, to_at, cut(&p, size), flags));
}

/* ---- syncs ---------------------------------------------------------------------------------------------------- */

static int refuse_sync(point *p, int fd)
{
    if (settings.drop && settings.error != EINTR) log_line(p, "dropped", drop_failed(fd), 0);
    errno = settings.error;
    return (int)leave(p, -1);
}

static int sync_with(int (*real)(int), const char *op, int fd)
{
    point p;
    arrive_fd(&p, op, fd);
    if (refused(&p)) return refuse_sync(&p, fd);
    long mark = settings.drop ? drop_begin_sync() : 0;
    int result = settings.no_sync ? 0 : real(fd);
    if (settings.drop && p.number && result == 0) drop_synced(fd, mark);
    return (int)leave(&p, result);
}

int fsync(int fd)
{
    REAL(int, "fsync", int);
    return sync_with(real, "fsync", fd);
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    return sync_with(real, "fdatasync", fd);
}

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    REAL(int, "sync_file_range", int, off64_t, off64_t, unsigned);
    point p;
    arrive_fd(&p, "sync_file_range", fd);
    if (refused(&p)) return refuse_sync(&p, fd);
    return (int)leave(&p, settings.no_sync ? 0 : real(fd, offset, size, flags));
}

/* ---- sizes ---------------------------------------------------------------------------------------------------- */

static int ftruncate_with(int (*real)(int, off64_t), int fd, off64_t size)
{
    point p;
    arrive_fd(&p, "ftruncate", fd);
    return (int)leave(&p, refused(&p) ? -1 : real(fd, size));
}

int ftruncate(int fd, off_t size)
{
    REAL(int, "ftruncate64", int, off64_t);
    return ftruncate_with(real, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    REAL(int, "ftruncate64", int, off64_t);
    return ftruncate_with(real, fd, size);
}

static int fallocate_with(int (*real)(int, int, off64_t, off64_t), int fd, int mode, off64_t offset, off64_t size)
{
    point p;
    arrive_fd(&p, "fallocate", fd);
    return (int)leave(&p, refused(&p) ? -1 : real(fd, mode, offset, size));
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    REAL(int, "fallocate64", int, int, off64_t, off64_t);
    return fallocate_with(real, fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
    REAL(int, "fallocate64", int, int, off64_t, off64_t);
    return fallocate_with(real, fd, mode, offset, size);
}

int ioctl(int fd, unsigned long request, ...)
{
    REAL(int, "ioctl", int, unsigned long, ...);
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request != FICLONE && request != FICLONERANGE) return real(fd, request, argument);
    point p;
    arrive_fd(&p, "ioctl", fd);
    int result = refused(&p) ? -1 : real(fd, request, argument);
    if (settings.drop && p.number && result == 0) drop_written_whole(fd);
    return (int)leave(&p, result);
}

/* ---- names ---------------------------------------------------------------------------------------------------- */

static bool makes(int flags) { return (flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE; }

static int open_with(int folder, const char *path, int flags, mode_t mode)
{
    REAL(int, "openat64", int, const char *, int, ...);
    if (!makes(flags) || strncmp(path, "/dev/", 5) == 0) return real(folder, path, flags, mode);
    point p;
    arrive_at(&p, "open", folder, path);
    if (refused(&p)) return (int)leave(&p, -1);
    int fd = real(folder, path, flags, mode);
    if (fd >= 0) p.fd = fd;
    struct stat status;
    if (settings.drop && fd >= 0 && fstat(fd, &status) == 0 && status.st_size == 0) drop_forget(fd);
    leave(&p, fd);
    return fd;
}

#define MODE(flags)                       \
    mode_t mode = 0;                      \
    if (makes(flags)) {                   \
        va_list arguments;                \
        va_start(arguments, flags);       \
        mode = va_arg(arguments, mode_t); \
        va_end(arguments);                \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags)
    return open_with(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags)
    return open_with(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE(flags)
    return open_with(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE(flags)
    return open_with(folder, path, flags | O_LARGEFILE, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    REAL(int, "mkdirat", int, const char *, mode_t);
    point p;
    arrive_at(&p, "mkdir", folder, path);
    return (int)leave(&p, refused(&p) ? -1 : real(folder, path, mode));
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    point p;
    arrive_at(&p, "rename", to_folder, to);
    return (int)leave(&p, refused(&p) ? -1 : real(from_folder, from, to_folder, to, flags));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) { return renameat2(from_folder, from, to_folder, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int);
    point p;
    arrive_at(&p, "link", to_folder, to);
    return (int)leave(&p, refused(&p) ? -1 : real(from_folder, from, to_folder, to, flags));
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *path, int flags)
{
    REAL(int, "unlinkat", int, const char *, int);
    point p;
    arrive_at(&p, "unlink", folder, path);
    return (int)leave(&p, refused(&p) ? -1 : real(folder, path, flags));
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

/* The daemon calls renameat2 by its number. */
long syscall(long number, ...)
{
    REAL(long, "syscall", long, ...);
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_renameat2) return renameat2((int)a[0], (const char *)a[1], (int)a[2], (const char *)a[3], (unsigned)a[4]);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static bool no_memory(void)
{
    if (!settings.ready) return false;
    long at = atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed) + 1;
    if (!settings.malloc_at || at < settings.malloc_at) return false;
    if (settings.malloc_times && at >= settings.malloc_at + settings.malloc_times) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) { return no_memory() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return no_memory() ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return no_memory() ? NULL : __libc_realloc(old, size); }
