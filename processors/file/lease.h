/* Has another process this file open for writing? A read lease tells, where the file system and our rights allow one
 * (one's own files, or CAP_LEASE). While it is held, whoever opens the file for writing waits. Any thread. */
#ifndef FILE_LEASE_H
#define FILE_LEASE_H

#include <stdbool.h>

typedef enum file_lease {
    FILE_LEASE_HELD,
    FILE_LEASE_WRITER,  /* somebody has it open for writing */
    FILE_LEASE_UNKNOWN, /* no lease can be had here: the age must do */
} file_lease;

file_lease file_lease_take(int fd); /* open for reading only */
/* True when somebody began to open it for writing since file_lease_take gave FILE_LEASE_HELD. */
bool file_lease_broken(int fd);
void file_lease_end(int fd);

#endif
