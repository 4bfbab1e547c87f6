/* A walk through a tree of folders that can pause anywhere: a stack of open folders, so memory and descriptors
 * grow with the depth of the tree, not with its size. Symbolic links are never followed below the root; a file
 * system loop (a bind mount into itself) ends at the greatest depth. One thread at a time.
 *
 *   file_scan_open -> file_scan_next until FILE_SCAN_END (or enough) -> file_scan_free
 */
#ifndef FILE_SCAN_H
#define FILE_SCAN_H

#include <sys/stat.h>

#include "sluice/sluice.h"

enum { FILE_SCAN_DEPTH = 200 };

typedef struct file_scan file_scan;

typedef struct file_scan_options {
    const char *directory;
    bool recurse, ignore_hidden;
    bool must_remove;  /* folders that cannot be written are a problem: nothing could be removed there */
    dev_t skip_device; /* a folder never entered (where files are moved to); inode 0: none */
    ino_t skip_inode;
    /* A folder or file that cannot be looked at; `path` is relative, error an errno value. */
    void (*problem)(void *context, const char *path, const struct stat *status, int error);
    void *context;
} file_scan_options;

typedef struct file_found { /* valid until the next call */
    int folder;             /* the open folder it is in */
    const char *name;
    const char *path;   /* of the folder, relative: "" or "a/b/" */
    struct stat status; /* of the name, a regular file */
} file_found;

/* NULL and errno when the root cannot be used. `options` is copied; the texts it names are kept by the caller. */
file_scan *file_scan_open(const file_scan_options *options);
bool file_scan_next(file_scan *scan, file_found *ret); /* false: all was seen */
void file_scan_free(file_scan *scan);

#endif
