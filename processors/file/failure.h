/* What an errno value means for a FlowFile or a processor. */
#ifndef FILE_FAILURE_H
#define FILE_FAILURE_H

#include "name.h"

/* Disk full, I/O error, too many files: it passes. Nothing the FlowFile or the configuration is to blame for. */
bool file_error_passes(int error);
/* Fills `failure` for errno value `error`: transient when it passes, else `otherwise`. Returns -1.
 * "cannot WHAT PATH: REASON; ADVICE" */
int file_refuse(sluice_failure *failure, int error, sluice_class otherwise, const char *what, const char *path, const char *advice);

#endif
