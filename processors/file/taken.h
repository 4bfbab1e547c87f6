/* Which files a source that keeps its files has taken: (device, inode, size, mtime) of each, remembered over
 * restarts. In the instance's state they are pages of up to 64 entries ("taken.0", "taken.1", ...; "taken" is
 * their number), so that a batch writes a few small values and a restart can find all of them again.
 * Used by trigger alone: one thread at a time. */
#ifndef FILE_TAKEN_H
#define FILE_TAKEN_H

#include <sys/stat.h>

#include "sluice/sluice.h"

typedef struct file_taken file_taken;

file_taken *file_taken_load(sluice_session *session);
void file_taken_free(file_taken *taken);
/* True when exactly this version of the file was taken. Either way the file counts as still there. */
bool file_taken_has(file_taken *taken, const struct stat *status);
void file_taken_add(file_taken *taken, const struct stat *status);
/* After a complete scan: forgets the files that were not seen since the last call. */
void file_taken_forget_gone(file_taken *taken);
/* As file_taken_forget_gone, but a part of the tree could not be read: forgets nothing. */
void file_taken_keep_all(file_taken *taken);
/* Puts what changed into the session's state. */
void file_taken_save(file_taken *taken, sluice_session *session);

#endif
