/* Files and folders for the tests of the file family. Paths are below the test's folder unless they begin with '/'. */
#ifndef FOLDERS_H
#define FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

const char *at(const char *path); /* absolute; lives until the program ends */
void make_folder(const char *path);
void make_file(const char *path, const char *text); /* an hour old; folders above are made */
void make_fresh(const char *path, const char *text);
void set_age(const char *path, long seconds);
void make_link(const char *from, const char *to); /* hard */
const char *text_of(const char *path);            /* "(none)" when it cannot be read */
bool exists(const char *path);
size_t count_in(const char *path); /* names in a folder, hidden ones too */
void change_mode(const char *path, unsigned mode);
void move_path(const char *from, const char *to);
void remove_path(const char *path);

/* Permissions mean nothing to root: from here to `as_before` the process is nobody; the test's folder is its own. Nothing
 * changes for a process that is not root. */
void as_nobody(void);
void as_before(void);

/* A folder on another file system than the test's; NULL: there is none. Removed by remove_elsewhere. */
const char *elsewhere(void);
void remove_elsewhere(void);

#endif
