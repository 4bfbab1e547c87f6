#include "move.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "failure.h"
#include "sluice/calls.h"

enum { NAMES_TRIED = 10000, PIECE = 256 << 10 };
static const char advice[] = "it is tried again; see to it that the daemon can write to the folder of move_to";

typedef struct move {
    const file_removal *removal;
    sluice_failure *failure;
    int from, to; /* folders */
    file_text path;
} move;

static int refuse(const move *m, int error, const char *what)
{
    return file_refuse(m->failure, error, SLUICE_TRANSIENT, what, m->path.data, advice);
}

/* Links or renames to the first free name. link: the source keeps its name too. -1 and errno. */
static int place(int from_folder, const char *from, int to_folder, const char *name, bool link)
{
    file_text numbered = {0};
    int result = -1;
    errno = EEXIST;
    for (unsigned number = 0; result < 0 && errno == EEXIST && number < NAMES_TRIED; number++) {
        file_text_cut(&numbered, 0);
        file_name_numbered(&numbered, name, number);
        result =
            link ? linkat(from_folder, from, to_folder, numbered.data, 0) : file_rename_new(from_folder, from, to_folder, numbered.data);
    }
    int error = errno;
    file_text_done(&numbered);
    errno = error;
    return result;
}

/* ---- to another file system ----------------------------------------------------------------------------- */
static int copy_bytes(int from, int to)
{
    char *piece = malloc(PIECE);
    if (!piece) abort();
    ssize_t got;
    int error = 0;
    while (!error && (got = read(from, piece, PIECE)) != 0) {
        if (got < 0) {
            if (errno != EINTR) error = errno;
            continue;
        }
        for (ssize_t at = 0, wrote; !error && at<got; at += wrote> 0 ? wrote : 0)
            if ((wrote = write(to, piece + at, (size_t)(got - at))) < 0 && errno != EINTR) error = errno;
    }
    free(piece);
    errno = error;
    return error ? -1 : 0;
}

static int copy_to(move *m)
{
    struct stat status;
    const char *temporary = m->removal->temporary;
    int from = openat(m->from, temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0) return refuse(m, errno, "read");
    int to = openat(m->to, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = to < 0 || fstat(from, &status) < 0 || copy_bytes(from, to) < 0 || fchmod(to, status.st_mode & 07777) < 0 ? -1 : 0;
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    if (result == 0 && (futimens(to, times) < 0 || fsync(to) < 0)) result = -1;
    int error = errno;
    close(from);
    if (to >= 0) close(to);
    return result < 0 ? refuse(m, error, "copy") : 0;
}

/* The copy has two names until the source is gone: a repeat knows by the second that it is complete and in place. */
static int place_copy(move *m)
{
    const char *temporary = m->removal->temporary;
    if (place(m->to, temporary, m->to, m->removal->name.data, true) < 0) {
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return refuse(m, errno, "move");
        /* No hard links there: a crash just here leaves a second copy. */
        if (place(m->to, temporary, m->to, m->removal->name.data, false) < 0) return refuse(m, errno, "move");
    }
    return fsync(m->to) < 0 ? refuse(m, errno, "move") : 0;
}

static int clean_up(move *m)
{
    struct stat status;
    const char *temporary = m->removal->temporary;
    if (unlinkat(m->from, temporary, 0) < 0 && errno != ENOENT) return refuse(m, errno, "remove");
    if (fstatat(m->to, temporary, &status, AT_SYMLINK_NOFOLLOW) < 0) return 0;
    return unlinkat(m->to, temporary, 0) < 0 && errno != ENOENT ? refuse(m, errno, "remove the temporary name of") : 0;
}

static int move_by_copy(move *m)
{
    struct stat status;
    bool placed = fstatat(m->to, m->removal->temporary, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_nlink > 1;
    if (!placed && (copy_to(m) < 0 || place_copy(m) < 0)) return -1;
    return clean_up(m);
}

/* ---- both ----------------------------------------------------------------------------------------------- */
static int move_now(move *m)
{
    const file_removal *removal = m->removal;
    struct stat status;
    if (fstatat(m->from, removal->temporary, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? clean_up(m) : refuse(m, errno, "look at");
    if (place(m->from, removal->temporary, m->to, removal->name.data, false) == 0) return fsync(m->to) < 0 ? refuse(m, errno, "move") : 0;
    return errno == EXDEV ? move_by_copy(m) : refuse(m, errno, "move");
}

int file_move(const file_removal *removal, int folder, sluice_failure *failure)
{
    move m = {.removal = removal, .failure = failure, .from = folder, .to = -1};
    file_text_printf(&m.path, "%s/%s%s", removal->to.data, removal->folder.data, removal->name.data);
    int root = file_folder_open(removal->to.data, true), result;
    if (root >= 0) m.to = file_folder_beneath(root, removal->folder.data, true);
    if (m.to >= 0) result = move_now(&m);
    else result = refuse(&m, errno, "make the folder of");
    if (root >= 0) close(root);
    if (m.to >= 0) close(m.to);
    file_text_done(&m.path);
    return result;
}
