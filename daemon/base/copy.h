/* copy: files of ours to another folder, synced: what backup and restore are made of. One walk can be done twice: first
 * counting, which only adds up what would be written, then for real. A thread that may block has it; never the loop's. */
#ifndef SL_COPY_H
#define SL_COPY_H

#include <sys/types.h>

#include "base/base.h"

typedef struct sl_copier {
    bool (*pause)(void *context); /* after each piece and each file; true: give up, error->code ECANCELED. NULL: none */
    void *context;
    bool counting;
    bool links;                    /* hard links are tried: both folders are of one file system */
    bool no_clones;                /* a first reflink was refused */
    uint64_t expected;             /* counted: bytes that will be written */
    uint64_t expected_files;       /* counted */
    uint64_t bytes, files, linked; /* done; linked ones are of `files` */
} sl_copier;

/* Whether hard links from `from` to `to`, two folders that are there, may be tried. */
void sl_copier_begin(sl_copier *copier, const char *from, const char *to);
/* The file's first `limit` bytes (UINT64_MAX: all), with its time; `to` must not exist. Blocks of zeros become holes. What
 * failed leaves nothing behind. */
int sl_copy_file(sl_copier *copier, const char *from, const char *to, uint64_t limit, sl_error *error);
/* For a file that is never written again: a hard link where it can be, else a copy. */
int sl_copy_link(sl_copier *copier, const char *from, const char *to, sl_error *error);
/* The three parts of these, for a file that may not simply be opened: links it, or says that it cannot be linked; counts it;
 * copies `size` bytes of what `read` gives, as sl_read_full does. */
typedef struct sl_copy_source {
    const char *path; /* for its time, and for messages */
    int fd;           /* for a reflink of all of it; -1: none */
    ssize_t (*read)(void *context, void *data, size_t size, uint64_t at);
    void *context;
} sl_copy_source;
bool sl_copy_linked(sl_copier *copier, const char *from, const char *to);
int sl_copy_count(sl_copier *copier, const char *from, uint64_t limit, sl_error *error);
int sl_copy_from(sl_copier *copier, const sl_copy_source *from, uint64_t size, const char *to, sl_error *error);
int sl_copy_folder(sl_copier *copier, const char *path, sl_error *error); /* makes it, mode 0700 */
int sl_copy_synced(sl_copier *copier, const char *path, sl_error *error); /* fsync of a folder whose files are there */
/* Whether what was counted has room beside `folder`. -1: ENOSPC. */
int sl_copier_room(const sl_copier *copier, const char *folder, sl_error *error);
int sl_remove_tree(const char *path, sl_error *error); /* what is not there is removed already */

#endif
