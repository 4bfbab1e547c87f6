#include "base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * SL_SECOND + t.tv_nsec / 1000;
}

static int64_t real_realtime(void) { return clock_us(CLOCK_REALTIME); }
static int64_t real_monotonic(void) { return clock_us(CLOCK_MONOTONIC); }

static void real_random(void *data, size_t size)
{
    char *at = data;
    while (size) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno != EINTR) sl_panic(__FILE__, __LINE__, "getrandom: %s", strerror(errno));
        if (got > 0) at += got, size -= (size_t)got;
    }
}

static int real_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }

static int real_rename_noreplace(const char *from, const char *to)
{
    if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    return link(from, to) < 0 ? -1 : unlink(from);
}

static int real_stat(const char *path, struct stat *ret) { return stat(path, ret); }
static int real_lstat(const char *path, struct stat *ret) { return lstat(path, ret); }
static int real_fstat(int fd, struct stat *ret) { return fstat(fd, ret); }

static int real_link_fd(int fd, const char *to)
{
    char from[32];
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

static int real_punch_hole(int fd, off_t offset, off_t size)
{
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
}

/* Where the file system cannot, the C library writes into each block. */
static int real_allocate(int fd, off_t offset, off_t size)
{
    int result;
    while ((result = fallocate(fd, 0, offset, size)) < 0 && errno == EINTR) continue;
    if (result == 0 || errno != EOPNOTSUPP) return result;
    int code;
    while ((code = posix_fallocate(fd, offset, size)) == EINTR) continue;
    errno = code;
    return code ? -1 : 0;
}

static int real_statvfs(const char *path, struct statvfs *ret) { return statvfs(path, ret); }

static int real_list(const char *path, void (*each)(void *context, const char *name), void *context)
{
    DIR *dir = opendir(path);
    if (!dir) return -1;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) each(context, entry->d_name);
    return closedir(dir);
}

static int real_clone(int to, int from) { return ioctl(to, FICLONE, from); }

/* An open file description's lock: it goes with the process, and no other descriptor's close drops it. */
static int real_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole);
}

static int real_lease(int fd, bool take) { return fcntl(fd, F_SETLEASE, take ? F_RDLCK : F_UNLCK); }

static void *real_map(int fd, size_t size)
{
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return mapped == MAP_FAILED ? NULL : mapped;
}

const sl_sys sl_sys_real = {
    .realtime = real_realtime,
    .monotonic = real_monotonic,
    .random = real_random,
    .open = real_open,
    .close = close,
    .pread = pread,
    .pwrite = pwrite,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .ftruncate = ftruncate,
    .punch_hole = real_punch_hole,
    .allocate = real_allocate,
    .link = link,
    .link_fd = real_link_fd,
    .rename = rename,
    .rename_noreplace = real_rename_noreplace,
    .unlink = unlink,
    .mkdir = mkdir,
    .stat = real_stat,
    .lstat = real_lstat,
    .fstat = real_fstat,
    .statvfs = real_statvfs,
    .chmod_fd = fchmod,
    .list = real_list,
    .clone = real_clone,
    .lock = real_lock,
    .lease = real_lease,
    .map = real_map,
    .unmap = munmap,
};
const sl_sys *sl_sys_now = &sl_sys_real;

int sl_write_all(int fd, const void *data, size_t size, off_t offset)
{
    const char *at = data;
    while (size) {
        ssize_t wrote = sl_sys_now->pwrite(fd, at, size, offset);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return -1;
        if (wrote == 0) return errno = ENOSPC, -1;
        at += wrote;
        size -= (size_t)wrote;
        offset += wrote;
    }
    return 0;
}

ssize_t sl_read_full(int fd, void *data, size_t size, off_t offset)
{
    size_t got = 0;
    while (got < size) {
        ssize_t read = sl_sys_now->pread(fd, (char *)data + got, size - got, offset + (off_t)got);
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return -1;
        if (read == 0) break;
        got += (size_t)read;
    }
    return (ssize_t)got;
}

int sl_sync_dir(const char *path)
{
    int fd = sl_sys_now->open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return -1;
    int failed = sl_sys_now->fsync(fd), code = errno;
    sl_sys_now->close(fd);
    errno = code;
    return failed;
}

static int sync_parent(const char *path)
{
    char parent[4096];
    snprintf(parent, sizeof parent, "%s", path);
    return sl_sync_dir(dirname(parent));
}

static int make_one(const char *path, mode_t mode)
{
    if (sl_sys_now->mkdir(path, mode) < 0) return errno == EEXIST ? 0 : -1;
    return sync_parent(path);
}

/* Whoever made it may have died before its name was durable. Not for one in a folder that is not ours to read. */
static int make_sure(const char *path) { return sync_parent(path) == 0 || errno == EACCES || errno == EINVAL ? 0 : -1; }

/* The next part of a path behind its first `size` bytes, into `part`; its size, 0: there is none. */
static size_t next_part(const char *path, size_t size, char part[4096])
{
    if (!path[size]) return 0;
    size_t end = size + 1 + strcspn(path + size + 1, "/");
    snprintf(part, 4096, "%.*s", (int)end, path);
    return end;
}

/* The deepest that is there is made sure of, then what is not there is made, one after the other. */
static int make_parts(const char *path, mode_t mode, char part[4096])
{
    struct stat status;
    size_t there = 0, end;
    while ((end = next_part(path, there, part)) && sl_sys_now->stat(part, &status) == 0) there = end;
    snprintf(part, 4096, "%.*s", (int)there, path);
    if (there && make_sure(part) < 0) return -1;
    for (end = there; (end = next_part(path, end, part));)
        if (make_one(part, mode) < 0) return -1;
    return 0;
}

int sl_make_dirs(const char *path, mode_t mode, sl_error *error)
{
    char part[4096];
    struct stat status;
    if (strlen(path) >= sizeof part) return sl_error_set(error, ENAMETOOLONG, "%s: the path is longer than 4095 bytes", path);
    if (make_parts(path, mode, part) < 0) return sl_error_set(error, errno, "cannot make the folder %s: %s", part, strerror(errno));
    if (sl_sys_now->stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        return sl_error_set(error, ENOTDIR, "%s: expected a folder, found something else; remove it or name another", path);
    return 0;
}

int sl_read_file(const char *path, size_t limit, sl_buf *ret, sl_error *error)
{
    int fd = sl_sys_now->open(path, O_RDONLY, 0);
    if (fd < 0) return sl_error_set(error, errno, "cannot read %s: %s", path, strerror(errno));
    char block[16384];
    ssize_t got = 0;
    size_t total = 0;
    while (total <= limit && (got = sl_read_full(fd, block, sizeof block, (off_t)total)) > 0) {
        total += (size_t)got;
        if (total <= limit) sl_buf_add(ret, block, (size_t)got);
    }
    int code = errno;
    sl_sys_now->close(fd);
    if (got < 0) return sl_error_set(error, code, "cannot read %s: %s", path, strerror(code));
    if (total > limit || ret->overflowed) return sl_error_set(error, EFBIG, "%s is larger than the %zu bytes allowed", path, limit);
    return 0;
}

static int write_and_sync(int fd, sl_str text, mode_t mode)
{
    if (sl_sys_now->chmod_fd(fd, mode) < 0 || sl_write_all(fd, text.data, text.size, 0) < 0) return -1;
    return sl_sys_now->fsync(fd);
}

int sl_write_file_durably(const char *path, sl_str text, mode_t mode, sl_error *error)
{
    char *temporary = sl_asprintf("%s.new", path), *parent = sl_strdup(path);
    int fd = sl_sys_now->open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    int failed = fd < 0 ? -1 : write_and_sync(fd, text, mode);
    if (!failed) failed = sl_sys_now->rename(temporary, path);
    if (!failed) failed = sl_sync_dir(dirname(parent));
    if (failed) sl_error_set(error, errno, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0) sl_sys_now->close(fd);
    free(temporary);
    free(parent);
    return failed;
}
