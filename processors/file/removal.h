/* The effect of get-file: after the commit the source is removed or moved away, but only the very file that was
 * taken. It is renamed to a name of its own beside it, compared (device, inode, size, mtime), then unlinked or moved; a
 * newer file that was written over it meanwhile is put back. Each step can be the last before a crash: a repeat finds
 * out what was done and goes on from there. */
#ifndef FILE_REMOVAL_H
#define FILE_REMOVAL_H

#include <sys/stat.h>

#include "folder.h"

typedef struct file_removal {
    file_text root, folder, name; /* absolute path; "a/b/" below it; in that */
    file_text to;                 /* absolute path of the folder where it is moved to; data NULL: it is unlinked */
    int64_t device, inode, size, mtime_ns;
    char temporary[FILE_TEMPORARY];
} file_removal;

void file_removal_done(file_removal *removal);
/* JSON, of one line. */
void file_removal_format(const file_removal *removal, file_text *ret);
bool file_removal_parse(sluice_text text, file_removal *ret);
void file_removal_identify(file_removal *removal, const struct stat *status);
/* "DEVICE:INODE:SIZE:MTIME": the version of a file that was taken. */
enum { FILE_VERSION = 96 };
void file_removal_version(const file_removal *removal, char ret[FILE_VERSION]);
/* 0: removed, or nothing is left to remove. -1: failure filled; to be repeated. */
int file_removal_run(sluice_instance *instance, const file_removal *removal, sluice_failure *failure);

#endif
