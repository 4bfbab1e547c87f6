#include "failure.h"

#include "sluice/calls.h"

bool file_error_passes(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EINTR:
    case EAGAIN:
    case EBUSY:
    case ESTALE:
    case ETIMEDOUT:
    case EHOSTDOWN: return true;
    default: return false;
    }
}

int file_refuse(sluice_failure *failure, int error, sluice_class otherwise, const char *what, const char *path, const char *advice)
{
    file_text shown = {0};
    file_text_add(&shown, path);
    file_show(&shown);
    sluice_refuse(failure, file_error_passes(error) ? SLUICE_TRANSIENT : otherwise, sluice_errno_name(error), "cannot %s %.600s: %s; %s",
                  what, shown.data, strerror(error), advice);
    file_text_done(&shown);
    return -1;
}
