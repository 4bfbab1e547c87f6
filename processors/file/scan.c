#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "name.h"

typedef struct level {
    DIR *entries;
    size_t path_size; /* of the path of the folder above */
} level;

struct file_scan {
    file_scan_options options;
    level levels[FILE_SCAN_DEPTH];
    size_t depth;
    file_text path; /* of the innermost folder, relative */
};

/* Takes the open folder `fd`. */
static int push(file_scan *scan, int fd, size_t path_size)
{
    int error = 0;
    if (scan->options.must_remove && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0) error = errno;
    DIR *entries = error ? NULL : fdopendir(fd);
    if (!entries) {
        if (!error) error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    scan->levels[scan->depth++] = (level){entries, path_size};
    return 0;
}

static void pop(file_scan *scan)
{
    level *innermost = &scan->levels[--scan->depth];
    closedir(innermost->entries);
    file_text_cut(&scan->path, innermost->path_size);
}

file_scan *file_scan_open(const file_scan_options *options)
{
    file_scan *scan = calloc(1, sizeof *scan);
    if (!scan) abort();
    scan->options = *options;
    file_text_bytes(&scan->path, "", 0);
    int fd = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && push(scan, fd, 0) == 0) return scan;
    int error = errno;
    file_scan_free(scan);
    errno = error;
    return NULL;
}

void file_scan_free(file_scan *scan)
{
    if (!scan) return;
    while (scan->depth) pop(scan);
    file_text_done(&scan->path);
    free(scan);
}

static void problem(file_scan *scan, const char *name, const struct stat *status, int error)
{
    size_t size = scan->path.size;
    if (error == ENOENT) return; /* it went while we looked */
    file_text_add(&scan->path, name);
    scan->options.problem(scan->options.context, scan->path.data, status, error);
    file_text_cut(&scan->path, size);
}

static void enter(file_scan *scan, int folder, const char *name, const struct stat *status)
{
    const file_scan_options *options = &scan->options;
    if (!options->recurse) return;
    if (options->skip_inode && status->st_ino == options->skip_inode && status->st_dev == options->skip_device) return;
    if (scan->depth == FILE_SCAN_DEPTH) {
        problem(scan, name, status, ELOOP);
        return;
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    size_t size = scan->path.size;
    if (fd >= 0 && push(scan, fd, size) == 0) {
        file_text_add(&scan->path, name);
        file_text_add(&scan->path, "/");
        return;
    }
    if (errno != ENOTDIR && errno != ELOOP) problem(scan, name, status, errno);
}

static bool left_out(const file_scan *scan, const char *name)
{
    if (name[0] != '.') return false;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return true;
    /* What get-file is removing and put-file is writing is no one's input. */
    return scan->options.ignore_hidden || strstr(name, ".sluice-") != NULL;
}

/* The next name of the innermost folder; NULL at its end. */
static const struct dirent *next_name(file_scan *scan)
{
    const struct dirent *entry;
    errno = 0;
    do entry = readdir(scan->levels[scan->depth - 1].entries);
    while (entry && left_out(scan, entry->d_name));
    if (!entry && errno) problem(scan, "", &(struct stat){0}, errno);
    return entry;
}

bool file_scan_next(file_scan *scan, file_found *ret)
{
    while (scan->depth) {
        const struct dirent *entry = next_name(scan);
        if (!entry) {
            pop(scan);
            continue;
        }
        if (entry->d_type != DT_REG && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) continue;
        int folder = dirfd(scan->levels[scan->depth - 1].entries);
        struct stat status = {0};
        if (fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            problem(scan, entry->d_name, &status, errno);
        } else if (S_ISDIR(status.st_mode)) {
            enter(scan, folder, entry->d_name, &status);
        } else if (S_ISREG(status.st_mode)) {
            *ret = (file_found){folder, entry->d_name, scan->path.data, status};
            return true;
        }
    }
    return false;
}
