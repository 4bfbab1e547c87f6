/* The second half of a removal where the source is moved: from its temporary name into another folder, never over
 * what is there, on another file system by copying. */
#ifndef FILE_MOVE_H
#define FILE_MOVE_H

#include "removal.h"

/* `folder` holds the file under its temporary name; absent there when an earlier try got that far.
 * 0; -1: failure filled. */
int file_move(const file_removal *removal, int folder, sluice_failure *failure);

#endif
