/* Folders and names in them by descriptor, so that nothing that others do to a path in between leads us astray.
 * Any thread; -1 and errno. */
#ifndef FILE_FOLDER_H
#define FILE_FOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "name.h"

enum { FILE_TEMPORARY = 32 }; /* room for ".sluice-" and 16 hex digits */

/* The configured folder `path`: symbolic links are followed. make: it and those above are made when absent. */
int file_folder_open(const char *path, bool make);
/* `path` ("", "a/b/") below the open folder `root`: no symbolic link is followed, nothing leads above. */
int file_folder_beneath(int root, const char *path, bool make);
/* rename() that never replaces; EEXIST. Also where the file system does not know how. */
int file_rename_new(int from_folder, const char *from, int to_folder, const char *to);
/* A name for work in progress, ".sluice-" and random digits; get-file never takes such a file. */
void file_temporary(sluice_instance *instance, char ret[FILE_TEMPORARY]);
bool file_temporary_valid(const char *name);
/* `path` itself when absolute, else below the working folder of the process. */
void file_absolute(file_text *ret, const char *path, size_t size);

#endif
