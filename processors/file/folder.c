#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sluice/calls.h"

static const char prefix[] = ".sluice-";
enum { PREFIX = sizeof prefix - 1, DIGITS = 16 };

static int close_with(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

/* The new name must be on disk before anything in the folder can count as delivered. */
static int make_in(int parent, const char *name)
{
    if (mkdirat(parent, name, 0777) < 0) return errno == EEXIST ? 0 : -1;
    return fsync(parent);
}

static int make_with_parents(const char *path)
{
    size_t size = strlen(path);
    while (size && path[size - 1] == '/') size--;
    const char *end = path + size;
    while (size && path[size - 1] != '/') size--;
    char *parent = size ? file_copy(path, size > 1 ? size - 1 : 1) : file_copy(".", 1);
    char *name = file_copy(path + size, (size_t)(end - path) - size);
    int fd = file_folder_open(parent, true), result = fd < 0 ? -1 : make_in(fd, name), error = errno;
    if (fd >= 0) close(fd);
    free(parent);
    free(name);
    errno = error;
    return result;
}

int file_folder_open(const char *path, bool make)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT || !make) return fd;
    return make_with_parents(path) < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int step_into(int folder, const char *name, bool make)
{
    if (file_name_problem(name, strlen(name))) return errno = EINVAL, -1;
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, fd = openat(folder, name, flags);
    if (fd >= 0 || errno != ENOENT || !make) return fd;
    return make_in(folder, name) < 0 ? -1 : openat(folder, name, flags);
}

int file_folder_beneath(int root, const char *path, bool make)
{
    int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0 && *path) {
        size_t size = strcspn(path, "/");
        char *name = file_copy(path, size);
        int next = step_into(folder, name, make), error = errno;
        free(name);
        close_with(folder, error);
        folder = next;
        path += size + (path[size] == '/');
    }
    return folder;
}

int file_rename_new(int from_folder, const char *from, int to_folder, const char *to)
{
    struct stat there;
    if (renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (fstatat(to_folder, to, &there, AT_SYMLINK_NOFOLLOW) == 0) return errno = EEXIST, -1;
    if (errno != ENOENT) return -1;
    if (linkat(from_folder, from, to_folder, to, 0) == 0) return unlinkat(from_folder, from, 0);
    return errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS ? renameat(from_folder, from, to_folder, to) : -1;
}

void file_temporary(sluice_instance *instance, char ret[FILE_TEMPORARY])
{
    uint64_t number;
    sluice_random(instance, &number, sizeof number);
    snprintf(ret, FILE_TEMPORARY, "%s%016" PRIx64, prefix, number);
}

bool file_temporary_valid(const char *name)
{
    return strlen(name) == PREFIX + DIGITS && memcmp(name, prefix, PREFIX) == 0 && strspn(name + PREFIX, "0123456789abcdef") == DIGITS;
}

void file_absolute(file_text *ret, const char *path, size_t size)
{
    char *working = size && path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (working) {
        file_text_add(ret, working);
        file_text_add(ret, "/");
    }
    file_text_bytes(ret, path, size);
    free(working);
}
