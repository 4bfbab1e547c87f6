#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

file_lease file_lease_take(int fd)
{
    /* Who breaks the lease sends this signal: the usual SIGIO would end the process, SIGURG is ignored. */
    fcntl(fd, F_SETSIG, SIGURG);
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return FILE_LEASE_HELD;
    return errno == EAGAIN ? FILE_LEASE_WRITER : FILE_LEASE_UNKNOWN;
}

bool file_lease_broken(int fd) { return fcntl(fd, F_GETLEASE) != F_RDLCK; }

void file_lease_end(int fd) { fcntl(fd, F_SETLEASE, F_UNLCK); }
