/* The table of base/sys.h over the simulated disk. Descriptors are from 1000 on; what is not below the disk's home is the
 * machine's (modules), and is only read. */
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

const char sim_home[] = "/sim/";

enum { FIRST = 1000, MOST = 512, BLOCK = 4096, BLOCKS = 50000 };

static struct {
    bool open;
    uint32_t file;
    int flags;
} fds[MOST];

static bool ours(const char *path) { return strncmp(path, sim_home, sizeof sim_home - 2) == 0; }
static uint32_t file_of(int fd) { return fds[fd - FIRST].file; }
static sim_file *of(int fd) { return &sim->disk.files[file_of(fd)]; }
static bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

static int valid(int fd)
{
    if (fd >= FIRST && fd < FIRST + MOST && fds[fd - FIRST].open) return 0;
    return errno = EBADF, -1;
}

static int failed(int code) { return errno = code, -1; }

/* A call that may fail: it ends here with the fault's errno. */
#define DOOR(kind)                             \
    do {                                       \
        int fault_ = sim_door(kind);           \
        if (fault_ > 0) return failed(fault_); \
    } while (0)

static int fd_new(uint32_t file, int flags)
{
    int at = 0;
    while (at < MOST && fds[at].open) at++;
    if (at == MOST) return failed(EMFILE);
    fds[at].open = true;
    fds[at].file = file;
    fds[at].flags = flags;
    sim->disk.files[file].opens++;
    if (writes(flags)) sim->disk.files[file].writers++;
    return at + FIRST;
}

/* ---- open and close --------------------------------------------------------------------------------------------------- */

static int open_nameless(const char *path, int flags, mode_t mode)
{
    if (sim_look_up(path) < 0) return failed(ENOENT);
    int64_t file = sim_file_new(false, S_IFREG | mode);
    return file < 0 ? failed(ENOSPC) : fd_new((uint32_t)file, flags);
}

static int make_named(uint32_t folder, const char *last, mode_t mode, int64_t *ret)
{
    int64_t file = sim_file_new(false, S_IFREG | mode);
    if (file < 0) return ENOSPC;
    int code = sim_name_set(folder, last, file, ++sim->disk.next_group);
    if (code) sim_file_check((uint32_t)file);
    *ret = file;
    return code;
}

static int open_named(const char *path, int flags, mode_t mode)
{
    uint32_t folder;
    const char *last;
    int code = sim_resolve(path, &folder, &last);
    if (code) return failed(code);
    int64_t file = sim_look_up(path);
    if (file >= 0 && (flags & O_CREAT) && (flags & O_EXCL)) return failed(EEXIST);
    if (file < 0 && !(flags & O_CREAT)) return failed(ENOENT);
    if (file < 0 && (code = make_named(folder, last, mode, &file))) return failed(code);
    if ((flags & O_DIRECTORY) && !sim->disk.files[file].folder) return failed(ENOTDIR);
    if (flags & O_TRUNC) sim_file_resize((uint32_t)file, 0);
    return fd_new((uint32_t)file, flags);
}

static int sim_open(const char *path, int flags, mode_t mode)
{
    if (!ours(path)) return writes(flags) ? failed(EROFS) : sl_sys_real.open(path, flags, mode);
    DOOR(SIM_OPEN);
    int fd = (flags & O_TMPFILE) == O_TMPFILE ? open_nameless(path, flags, mode) : open_named(path, flags, mode);
    sim_trace("open %s %x = %d", path, (unsigned)flags, fd);
    return fd;
}

static int sim_close(int fd)
{
    if (fd < FIRST) return sl_sys_real.close(fd);
    if (valid(fd) < 0) sim_found("close of descriptor %d, which is not open", fd);
    sim_door(SIM_OTHER);
    sim_file *f = of(fd);
    fds[fd - FIRST].open = false;
    f->opens--;
    if (writes(fds[fd - FIRST].flags)) f->writers--;
    if (!f->opens) f->locked = false;
    sim_trace("close %d", fd);
    sim_file_check(file_of(fd));
    return 0;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------- */

static ssize_t sim_pread(int fd, void *data, size_t size, off_t offset)
{
    if (fd < FIRST) return sl_sys_real.pread(fd, data, size, offset);
    if (valid(fd) < 0) return -1;
    DOOR(SIM_READ);
    const sim_file *f = of(fd);
    size_t got = (uint64_t)offset >= f->size ? 0 : (size_t)SL_MIN((uint64_t)size, f->size - (uint64_t)offset);
    memcpy(data, sim_cached(file_of(fd)) + offset, got);
    sim_trace("pread %d %zu@%lld = %zu", fd, size, (long long)offset, got);
    return (ssize_t)got;
}

static ssize_t sim_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (valid(fd) < 0) return -1;
    int fault = sim_door(SIM_WRITE);
    if (fault > 0 && size > SIM_SECTOR && sim_chance(SIM_BY_FAULTS, 300)) /* some of it went through */
        sim_file_write(file_of(fd), data, (size_t)sim_below(SIM_BY_FAULTS, size), (uint64_t)offset);
    if (fault > 0) return failed(fault);
    if (fault == SIM_SHORT && size > 1) size = 1 + (size_t)sim_below(SIM_BY_FAULTS, size - 1);
    int code = sim_file_write(file_of(fd), data, size, (uint64_t)offset);
    sim_trace("pwrite %d %zu@%lld = %d %x", fd, size, (long long)offset, code, sl_crc32c(0, data, size));
    return code ? failed(code) : (ssize_t)size;
}

static int sync_file(int fd)
{
    if (fd < FIRST) return 0; /* what the disk hangs from is the machine's, and there */
    if (valid(fd) < 0) return -1;
    int fault = sim_door(SIM_SYNC);
    if (fault > 0) {
        if (fault != EINTR && !of(fd)->folder) sim_file_sync_failed(file_of(fd));
        return failed(fault);
    }
    if (of(fd)->folder) sim_folder_sync(file_of(fd));
    else sim_file_sync(file_of(fd));
    sim_trace("sync %d", fd);
    return 0;
}

static int sim_ftruncate(int fd, off_t size)
{
    if (valid(fd) < 0) return -1;
    DOOR(SIM_SHAPE);
    if (size > SIM_FILE_MOST) return failed(EFBIG);
    sim_file_resize(file_of(fd), (uint64_t)size);
    sim_trace("truncate %d %lld", fd, (long long)size);
    return 0;
}

static int sim_punch(int fd, off_t offset, off_t size)
{
    if (valid(fd) < 0) return -1;
    DOOR(SIM_SHAPE);
    sim_file_punch(file_of(fd), (uint64_t)offset, (uint64_t)size);
    sim_trace("punch %d %lld@%lld", fd, (long long)size, (long long)offset);
    return 0;
}

static int sim_allocate(int fd, off_t offset, off_t size)
{
    if (valid(fd) < 0) return -1;
    DOOR(SIM_SHAPE);
    if (offset + size > SIM_FILE_MOST) return failed(ENOSPC);
    if ((uint64_t)(offset + size) > of(fd)->size) sim_file_resize(file_of(fd), (uint64_t)(offset + size));
    sim_trace("allocate %d %lld@%lld", fd, (long long)size, (long long)offset);
    return 0;
}

static int sim_clone(int to, int from)
{
    if (valid(to) < 0 || valid(from) < 0) return -1;
    DOOR(SIM_SHAPE);
    if (!sim->plan.reflinks) return failed(EOPNOTSUPP);
    int code = sim_file_write(file_of(to), sim_cached(file_of(from)), of(from)->size, 0);
    sim_trace("clone %d of %d = %d", to, from, code);
    return code ? failed(code) : 0;
}

static void *sim_map(int fd, size_t size)
{
    if (valid(fd) < 0) return NULL;
    int fault = sim_door(SIM_OTHER);
    if (fault > 0) return errno = fault, NULL;
    SL_ASSERT(size <= of(fd)->size);
    of(fd)->mapped = true;
    sim_trace("map %d", fd);
    return sim_cached(file_of(fd));
}

static int sim_unmap(void *data, size_t size)
{
    (void)data, (void)size;
    sim_door(SIM_OTHER);
    return 0;
}

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

static int put_name(const char *path, int64_t file, bool replaces, uint32_t group)
{
    uint32_t folder;
    const char *last;
    int code = sim_resolve(path, &folder, &last);
    if (!code && !replaces && sim_look_up(path) >= 0) code = EEXIST;
    if (!code) code = sim_name_set(folder, last, file, group);
    return code;
}

static int link_file(int64_t file, const char *to)
{
    int code = file < 0 ? ENOENT : put_name(to, file, false, ++sim->disk.next_group);
    sim_trace("link %s = %d", to, code);
    return code ? failed(code) : 0;
}

static int sim_link(const char *from, const char *to)
{
    DOOR(SIM_LINK);
    return link_file(sim_look_up(from), to);
}

static int sim_link_fd(int fd, const char *to)
{
    if (valid(fd) < 0) return -1;
    DOOR(SIM_LINK);
    return link_file(file_of(fd), to);
}

static int move(const char *from, const char *to, bool replaces)
{
    DOOR(SIM_RENAME);
    uint32_t group = ++sim->disk.next_group;
    int64_t file = sim_look_up(from);
    int code = file < 0 ? ENOENT : put_name(to, file, replaces, group);
    if (!code) code = put_name(from, -1, true, group);
    sim_trace("rename %s %s = %d", from, to, code);
    return code ? failed(code) : 0;
}

static int sim_rename(const char *from, const char *to) { return move(from, to, true); }
static int sim_rename_noreplace(const char *from, const char *to) { return move(from, to, false); }

static int sim_unlink(const char *path)
{
    DOOR(SIM_UNLINK);
    int code = sim_look_up(path) < 0 ? ENOENT : put_name(path, -1, true, ++sim->disk.next_group);
    sim_trace("unlink %s = %d", path, code);
    return code ? failed(code) : 0;
}

static int sim_mkdir(const char *path, mode_t mode)
{
    DOOR(SIM_LINK);
    if (strlen(path) < sizeof sim_home || sim_look_up(path) >= 0) return failed(EEXIST);
    int64_t file = sim_file_new(true, S_IFDIR | mode);
    int code = file < 0 ? ENOSPC : put_name(path, file, false, ++sim->disk.next_group);
    if (code && file >= 0) sim_file_check((uint32_t)file);
    sim_trace("mkdir %s = %d", path, code);
    return code ? failed(code) : 0;
}

/* ---- looking ---------------------------------------------------------------------------------------------------------------- */

static int describe(uint32_t file, struct stat *ret)
{
    const sim_file *f = &sim->disk.files[file];
    *ret = (struct stat){.st_dev = 77, .st_ino = f->number, .st_nlink = f->names, .st_mode = f->mode, .st_size = (off_t)f->size};
    if (f->folder) ret->st_mode |= S_IFDIR;
    ret->st_blocks = (blkcnt_t)((f->size + SIM_SECTOR - 1) / SIM_SECTOR);
    ret->st_blksize = 4096;
    ret->st_mtim = (struct timespec){.tv_sec = f->mtime / SL_SECOND, .tv_nsec = f->mtime % SL_SECOND * 1000};
    return 0;
}

static int sim_stat(const char *path, struct stat *ret)
{
    if (!ours(path)) return sl_sys_real.stat(path, ret);
    DOOR(SIM_LOOK);
    int64_t file = sim_look_up(path);
    sim_trace("stat %s = %d", path, file >= 0);
    return file < 0 ? failed(ENOENT) : describe((uint32_t)file, ret);
}

static int sim_fstat(int fd, struct stat *ret)
{
    if (fd < FIRST) return sl_sys_real.fstat(fd, ret);
    if (valid(fd) < 0) return -1;
    DOOR(SIM_LOOK);
    sim_trace("fstat %d = %llu", fd, (unsigned long long)of(fd)->size);
    return describe(file_of(fd), ret);
}

static int sim_statvfs(const char *path, struct statvfs *ret)
{
    (void)path;
    DOOR(SIM_LOOK);
    uint64_t used = 0;
    for (uint32_t file = 0; file < SIM_FILES; file++) used += sim->disk.files[file].size / BLOCK + 1;
    *ret = (struct statvfs){.f_bsize = BLOCK, .f_frsize = BLOCK, .f_blocks = BLOCKS, .f_bfree = BLOCKS - used, .f_bavail = BLOCKS - used};
    return 0;
}

/* The names as they were when it began: what is called back may change the folder. */
static int sim_list(const char *path, void (*each)(void *context, const char *name), void *context)
{
    DOOR(SIM_LOOK);
    int64_t folder = sim_look_up(path);
    if (folder < 0) return failed(ENOENT);
    size_t count = 0;
    char(*names)[sizeof sim->disk.names[0].text] = sl_alloc(SIM_NAMES * sizeof *names);
    for (uint32_t at = sim->disk.files[folder].first; at; at = sim->disk.names[at - 1].next)
        if (sim->disk.names[at - 1].file) memcpy(names[count++], sim->disk.names[at - 1].text, sizeof *names);
    sim_trace("list %s = %zu", path, count);
    for (size_t i = 0; i < count; i++) each(context, names[i]);
    free(names);
    return 0;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------------- */

static int sim_chmod_fd(int fd, mode_t mode)
{
    if (valid(fd) < 0) return -1;
    DOOR(SIM_OTHER);
    of(fd)->mode = S_IFREG | mode;
    return 0;
}

static int sim_lock(int fd)
{
    if (valid(fd) < 0) return -1;
    sim_door(SIM_OTHER);
    if (of(fd)->locked) return failed(EAGAIN);
    of(fd)->locked = true;
    return 0;
}

static int sim_lease(int fd, bool take)
{
    if (valid(fd) < 0) return -1;
    DOOR(SIM_OTHER);
    return take && of(fd)->writers ? failed(EAGAIN) : 0;
}

static void sim_random(void *data, size_t size)
{
    for (size_t at = 0; at < size; at++) ((unsigned char *)data)[at] = (unsigned char)sim_draw(SIM_BY_DAEMON);
}

const sl_sys sim_sys = {
    .realtime = sim_wall,
    .monotonic = sim_ticks,
    .random = sim_random,
    .open = sim_open,
    .close = sim_close,
    .pread = sim_pread,
    .pwrite = sim_pwrite,
    .fsync = sync_file,
    .fdatasync = sync_file,
    .ftruncate = sim_ftruncate,
    .punch_hole = sim_punch,
    .allocate = sim_allocate,
    .link = sim_link,
    .link_fd = sim_link_fd,
    .rename = sim_rename,
    .rename_noreplace = sim_rename_noreplace,
    .unlink = sim_unlink,
    .mkdir = sim_mkdir,
    .stat = sim_stat,
    .lstat = sim_stat,
    .fstat = sim_fstat,
    .statvfs = sim_statvfs,
    .chmod_fd = sim_chmod_fd,
    .list = sim_list,
    .clone = sim_clone,
    .lock = sim_lock,
    .lease = sim_lease,
    .map = sim_map,
    .unmap = sim_unmap,
};
