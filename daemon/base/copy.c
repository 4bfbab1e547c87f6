#include "base/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"

enum { PIECE = 1 << 20, BLOCK = 64 << 10, SYNC_EVERY = 4 << 20, OPEN_FOLDERS = 16 };

void sl_copier_begin(sl_copier *copier, const char *from, const char *to)
{
    struct stat source, target;
    copier->links = sl_sys_now->stat(from, &source) == 0 && sl_sys_now->stat(to, &target) == 0 && source.st_dev == target.st_dev;
}

static int give_way(const sl_copier *copier, sl_error *error)
{
    if (copier->pause && copier->pause(copier->context)) return sl_error_set(error, ECANCELED, "given up");
    return 0;
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

typedef struct pair {
    const sl_copy_source *from;
    const char *to;
    int target;
} pair;

static bool all_zero(const char *data, size_t size) { return !data[0] && memcmp(data, data + 1, size - 1) == 0; }

/* What is not written stays a hole, as what was released from a pack is one. */
static int write_blocks(const pair *files, const char *data, size_t size, uint64_t at, sl_error *error)
{
    for (size_t from = 0; from < size; from += BLOCK) {
        size_t part = SL_MIN(size - from, (size_t)BLOCK);
        if (all_zero(data + from, part)) continue;
        if (sl_write_all(files->target, data + from, part, (off_t)(at + from)) < 0)
            return sl_error_set(error, errno, "cannot write %s: %s", files->to, strerror(errno));
    }
    return 0;
}

/* Synced as it goes: a heap of dirty pages at the end would hold up everybody's next fsync. */
static int sync_now(const pair *files, sl_error *error)
{
    if (sl_sys_now->fsync(files->target) == 0) return 0;
    return sl_error_set(error, errno, "cannot sync %s: %s", files->to, strerror(errno));
}

static int transfer(sl_copier *copier, const pair *files, uint64_t size, sl_error *error)
{
    char *piece = sl_alloc(PIECE);
    int result = 0;
    for (uint64_t at = 0; result == 0 && at < size;) {
        ssize_t got = files->from->read(files->from->context, piece, (size_t)SL_MIN(size - at, (uint64_t)PIECE), at);
        if (got < 0) result = sl_error_set(error, errno, "cannot read %s: %s", files->from->path, strerror(errno));
        else if (got == 0) result = sl_error_set(error, EIO, "%s became shorter while it was copied", files->from->path);
        else result = write_blocks(files, piece, (size_t)got, at, error);
        if (result < 0) break;
        at += (uint64_t)got;
        copier->bytes += (uint64_t)got;
        if (at % SYNC_EVERY == 0) result = sync_now(files, error);
        if (result == 0) result = give_way(copier, error);
    }
    free(piece);
    return result;
}

static bool clone(sl_copier *copier, const pair *files)
{
    if (copier->no_clones || files->from->fd < 0) return false;
    if (sl_sys_now->clone(files->target, files->from->fd) == 0) return true;
    copier->no_clones = true;
    return false;
}

/* The time is taken after the copying: who changed the file meanwhile is found out by it. */
static int finish(const pair *files, uint64_t size, sl_error *error)
{
    struct stat after;
    if (sl_sys_now->ftruncate(files->target, (off_t)size) < 0)
        return sl_error_set(error, errno, "cannot write %s: %s", files->to, strerror(errno));
    if (sl_sys_now->lstat(files->from->path, &after) < 0)
        return sl_error_set(error, errno, "cannot look at %s: %s", files->from->path, strerror(errno));
    struct timespec times[2] = {after.st_mtim, after.st_mtim};
    if (futimens(files->target, times) < 0) return sl_error_set(error, errno, "cannot set the time of %s: %s", files->to, strerror(errno));
    return sync_now(files, error);
}

int sl_copy_from(sl_copier *copier, const sl_copy_source *from, uint64_t size, const char *to, sl_error *error)
{
    pair files = {.from = from, .to = to, .target = sl_sys_now->open(to, O_WRONLY | O_CREAT | O_EXCL, 0600)};
    if (files.target < 0) return sl_error_set(error, errno, "cannot make %s: %s", to, strerror(errno));
    int result = 0;
    if (clone(copier, &files)) copier->bytes += size;
    else result = transfer(copier, &files, size, error);
    if (result == 0) result = finish(&files, size, error);
    if (sl_sys_now->close(files.target) < 0 && result == 0) result = sl_error_set(error, errno, "cannot write %s: %s", to, strerror(errno));
    if (result < 0) sl_sys_now->unlink(to);
    copier->files += result == 0;
    return result == 0 ? give_way(copier, error) : result;
}

int sl_copy_count(sl_copier *copier, const char *from, uint64_t limit, sl_error *error)
{
    struct stat status;
    if (sl_sys_now->lstat(from, &status) < 0) return sl_error_set(error, errno, "cannot look at %s: %s", from, strerror(errno));
    copier->expected += SL_MIN(SL_MIN((uint64_t)status.st_size, limit), (uint64_t)status.st_blocks * 512);
    copier->expected_files++;
    return give_way(copier, error);
}

static ssize_t read_fd(void *context, void *data, size_t size, uint64_t at) { return sl_read_full(*(int *)context, data, size, (off_t)at); }

int sl_copy_file(sl_copier *copier, const char *from, const char *to, uint64_t limit, sl_error *error)
{
    struct stat status;
    if (copier->counting) return sl_copy_count(copier, from, limit, error);
    int fd = sl_sys_now->open(from, O_RDONLY | O_NOFOLLOW, 0), result;
    if (fd < 0) return sl_error_set(error, errno, "cannot open %s: %s", from, strerror(errno));
    sl_copy_source source = {.path = from, .fd = fd, .read = read_fd, .context = &fd};
    if (sl_sys_now->fstat(fd, &status) < 0) result = sl_error_set(error, errno, "cannot look at %s: %s", from, strerror(errno));
    else result = sl_copy_from(copier, &source, SL_MIN((uint64_t)status.st_size, limit), to, error);
    sl_sys_now->close(fd);
    return result;
}

bool sl_copy_linked(sl_copier *copier, const char *from, const char *to)
{
    if (!copier->links) return false;
    if (copier->counting) {
        copier->expected_files++;
        return true;
    }
    if (sl_sys_now->link(from, to) == 0) {
        copier->files++;
        copier->linked++;
        return true;
    }
    if (errno == EXDEV) copier->links = false;
    return false;
}

int sl_copy_link(sl_copier *copier, const char *from, const char *to, sl_error *error)
{
    return sl_copy_linked(copier, from, to) ? give_way(copier, error) : sl_copy_file(copier, from, to, UINT64_MAX, error);
}

/* ---- folders ------------------------------------------------------------------------------------------------------ */

int sl_copy_folder(sl_copier *copier, const char *path, sl_error *error)
{
    if (copier->counting || sl_sys_now->mkdir(path, 0700) == 0) return 0;
    return sl_error_set(error, errno, "cannot make the folder %s: %s", path, strerror(errno));
}

int sl_copy_synced(sl_copier *copier, const char *path, sl_error *error)
{
    if (copier->counting || sl_sync_dir(path) == 0) return 0;
    return sl_error_set(error, errno, "cannot sync %s: %s", path, strerror(errno));
}

int sl_copier_room(const sl_copier *copier, const char *folder, sl_error *error)
{
    struct statvfs file_system;
    if (sl_sys_now->statvfs(folder, &file_system) < 0)
        return sl_error_set(error, errno, "cannot ask %s for its room: %s", folder, strerror(errno));
    uint64_t room = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    if (room >= copier->expected) return 0;
    return sl_error_set(error, ENOSPC, "no room: it needs %llu MB, the file system of %s has %llu MB left",
                        (unsigned long long)(copier->expected / 1000000 + 1), folder, (unsigned long long)(room / 1000000));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)at;
    int result = kind == FTW_DP ? rmdir(path) : sl_sys_now->unlink(path);
    return result < 0 && errno != ENOENT ? errno : 0;
}

int sl_remove_tree(const char *path, sl_error *error)
{
    int failed = nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    if (failed < 0) failed = errno;
    if (!failed || failed == ENOENT) return 0;
    return sl_error_set(error, failed, "cannot remove %s: %s", path, strerror(failed));
}
