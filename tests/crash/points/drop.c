#define _GNU_SOURCE
#include "drop.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct range { /* what stood there before a write; behind `had` bytes: nothing, or zeros */
    struct range *older;
    long mark;
    off64_t offset;
    size_t size, had;
    char bytes[];
} range;

typedef struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    range *newest;
} file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static file *files;
static long marks;

/* Memory of the rig's own is not counted among the program's. */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *memory);

static void *have(size_t size)
{
    void *memory = __libc_malloc(size);
    if (!memory) abort();
    memset(memory, 0, size);
    return memory;
}

static file *file_of(int fd, bool make)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
    file *found = files;
    while (found && (found->device != status.st_dev || found->inode != status.st_ino)) found = found->next;
    if (found || !make) return found;
    found = have(sizeof *found);
    *found = (file){.next = files, .device = status.st_dev, .inode = status.st_ino};
    return files = found;
}

/* The same file, open for reading and writing; by the libc's own call, so that it is not counted. */
static int open_again(int fd)
{
    static int (*real)(const char *, int, ...);
    char path[64];
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "open64");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return real(path, O_RDWR | O_CLOEXEC);
}

static void write_back(int fd, const void *bytes, size_t size, off64_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "pwrite64");
    if (real(fd, bytes, size, offset) != (ssize_t)size) abort();
}

void drop_before_write(int fd, off64_t offset, size_t size)
{
    struct stat status;
    int other = open_again(fd);
    if (other < 0) return;
    off64_t there = fstat(other, &status) == 0 && status.st_size > offset ? status.st_size - offset : 0;
    size_t kept = there < (off64_t)size ? (size_t)there : size;
    range *made = have(sizeof *made + kept);
    *made = (range){.offset = offset, .size = size};
    ssize_t had = kept ? pread64(other, made->bytes, kept, offset) : 0;
    made->had = had > 0 ? (size_t)had : 0;
    close(other);
    pthread_mutex_lock(&lock);
    file *file = file_of(fd, true);
    if (file) {
        made->mark = ++marks;
        made->older = file->newest;
        file->newest = made;
    } else __libc_free(made);
    pthread_mutex_unlock(&lock);
}

void drop_written_whole(int fd)
{
    pthread_mutex_lock(&lock);
    file *file = file_of(fd, true);
    if (file) {
        range *made = have(sizeof *made);
        *made = (range){.older = file->newest, .mark = ++marks, .size = SIZE_MAX / 2};
        file->newest = made;
    }
    pthread_mutex_unlock(&lock);
}

static void forget(range **link, long mark)
{
    while (*link && (*link)->mark > mark) link = &(*link)->older;
    for (range *gone = *link, *older; gone; gone = older) {
        older = gone->older;
        __libc_free(gone);
    }
    *link = NULL;
}

void drop_forget(int fd) { drop_synced(fd, INT64_MAX); }

long drop_begin_sync(void)
{
    pthread_mutex_lock(&lock);
    long mark = marks;
    pthread_mutex_unlock(&lock);
    return mark;
}

void drop_synced(int fd, long mark)
{
    pthread_mutex_lock(&lock);
    file *file = file_of(fd, false);
    if (file) forget(&file->newest, mark);
    pthread_mutex_unlock(&lock);
}

/* Its size stays: that is the folder's, not the pages'. */
static long undo(int fd, const range *range, off64_t end)
{
    static const char zeros[1 << 16];
    long gone = 0;
    off64_t until = (off64_t)range->size < end - range->offset ? range->offset + (off64_t)range->size : end;
    off64_t had_until = range->offset + (off64_t)range->had < until ? range->offset + (off64_t)range->had : until;
    if (had_until > range->offset) write_back(fd, range->bytes, (size_t)(had_until - range->offset), range->offset);
    for (off64_t at = had_until; at < until;) {
        size_t piece = until - at < (off64_t)sizeof zeros ? (size_t)(until - at) : sizeof zeros;
        write_back(fd, zeros, piece, at);
        at += (off64_t)piece;
    }
    if (until > range->offset) gone = until - range->offset;
    return gone;
}

long drop_failed(int fd)
{
    long gone = 0;
    struct stat status;
    int other = open_again(fd);
    if (other < 0) return 0;
    pthread_mutex_lock(&lock);
    file *file = file_of(fd, false);
    if (file && fstat(other, &status) == 0) {
        for (const range *range = file->newest; range; range = range->older) gone += undo(other, range, status.st_size);
        forget(&file->newest, INT64_MAX);
    }
    pthread_mutex_unlock(&lock);
    close(other);
    return gone;
}
