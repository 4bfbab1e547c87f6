#include "removal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "failure.h"
#include "lease.h"
#include "move.h"
#include "sluice/calls.h"

enum { NAMES_TRIED = 1000 };
static const char advice[] = "it is tried again; let the daemon write to its folder, or set `source: keep`";

/* ---- as text ------------------------------------------------------------------------------------------ */
void file_removal_done(file_removal *removal)
{
    file_text_done(&removal->root);
    file_text_done(&removal->folder);
    file_text_done(&removal->name);
    file_text_done(&removal->to);
}

static void member(file_text *ret, const char *name, const char *path)
{
    file_text_printf(ret, "\"%s\":\"", name);
    file_path_encode(ret, path);
    file_text_add(ret, "\",");
}

void file_removal_format(const file_removal *removal, file_text *ret)
{
    file_text_add(ret, "{");
    member(ret, "root", removal->root.data);
    member(ret, "folder", removal->folder.data ? removal->folder.data : "");
    member(ret, "name", removal->name.data);
    if (removal->to.data) member(ret, "to", removal->to.data);
    file_text_printf(ret,
                     "\"device\":%" PRId64 ",\"inode\":%" PRId64 ",\"size\":%" PRId64 ",\"mtime_ns\":%" PRId64 ",\"temporary\":\"%s\"}",
                     removal->device, removal->inode, removal->size, removal->mtime_ns, removal->temporary);
}

bool file_removal_parse(sluice_text text, file_removal *ret)
{
    file_text temporary = {0};
    bool whole = file_json_path(text, "root", &ret->root) && file_json_path(text, "folder", &ret->folder) &&
                 file_json_path(text, "name", &ret->name) && file_json_number(text, "device", &ret->device) &&
                 file_json_number(text, "inode", &ret->inode) && file_json_number(text, "size", &ret->size) &&
                 file_json_number(text, "mtime_ns", &ret->mtime_ns) && file_json_text(text, "temporary", &temporary) &&
                 file_temporary_valid(temporary.data) && !file_name_problem(ret->name.data, ret->name.size);
    if (whole) snprintf(ret->temporary, sizeof ret->temporary, "%s", temporary.data);
    file_text_done(&temporary);
    if (whole && !file_json_path(text, "to", &ret->to)) file_text_done(&ret->to);
    return whole;
}

static int64_t mtime_of(const struct stat *status) { return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec; }

void file_removal_identify(file_removal *removal, const struct stat *status)
{
    removal->device = (int64_t)status->st_dev;
    removal->inode = (int64_t)status->st_ino;
    removal->size = status->st_size;
    removal->mtime_ns = mtime_of(status);
}

void file_removal_version(const file_removal *removal, char ret[FILE_VERSION])
{
    snprintf(ret, FILE_VERSION, "%" PRId64 ":%" PRId64 ":%" PRId64 ":%" PRId64, removal->device, removal->inode, removal->size,
             removal->mtime_ns);
}

static bool is_taken(const file_removal *removal, const struct stat *status)
{
    return (int64_t)status->st_dev == removal->device && (int64_t)status->st_ino == removal->inode && status->st_size == removal->size &&
           mtime_of(status) == removal->mtime_ns && S_ISREG(status->st_mode);
}

/* ---- one run ------------------------------------------------------------------------------------------ */
typedef struct run {
    sluice_instance *instance;
    const file_removal *removal;
    sluice_failure *failure;
    int folder;
    int file; /* open for its lease, or -1 */
    bool leased;
    file_text path; /* for messages */
} run;

static int refuse(run *r, int error, const char *what)
{
    return file_refuse(r->failure, error, SLUICE_TRANSIENT, what, r->path.data, advice);
}

static int busy(run *r)
{
    return sluice_refuse(r->failure, SLUICE_TRANSIENT, "EBUSY",
                         "%.600s was read, but another process has it open for writing now; "
                         "it is removed when that ends and nothing was changed",
                         r->path.data);
}

/* Opens what is under `name` and takes its lease. -1: a writer has it, or failure. 0 also where no lease can be had. */
static int lease(run *r, const char *name)
{
    if (r->file < 0) r->file = openat(r->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (r->file < 0) return errno == EWOULDBLOCK ? busy(r) : 0; /* its mode changed: by identity alone */
    switch (file_lease_take(r->file)) {
    case FILE_LEASE_HELD: r->leased = true; return 0;
    case FILE_LEASE_WRITER: return busy(r);
    case FILE_LEASE_UNKNOWN: return 0;
    }
    return 0;
}

/* Puts back what is not ours to remove: under its name, or when that is taken again under one beside it. */
static int put_back(run *r)
{
    file_text name = {0};
    int result = -1, error = EEXIST;
    for (unsigned number = 0; result < 0 && error == EEXIST && number < NAMES_TRIED; number++) {
        file_text_cut(&name, 0);
        file_name_numbered(&name, r->removal->name.data, number);
        result = file_rename_new(r->folder, r->removal->temporary, r->folder, name.data);
        if (result < 0) error = errno;
        else if (number)
            sluice_bulletin(r->instance, SLUICE_LOG_WARNING,
                            "%.600s was written anew twice while it was being removed; the older one has got \"-%u\" in its name",
                            r->path.data, number);
    }
    file_text_done(&name);
    return result < 0 ? refuse(r, error, "put back the newer file that is at") : 0;
}

static void tell_newer(run *r)
{
    sluice_bulletin(r->instance, SLUICE_LOG_INFO, "%.600s was changed after it was read; it stays, and is taken again in its turn",
                    r->path.data);
}

/* 1: under its temporary name; 0: nothing is to be done any more; -1: failure. */
static int set_aside(run *r)
{
    struct stat status;
    const file_removal *removal = r->removal;
    if (fstatat(r->folder, removal->temporary, &status, AT_SYMLINK_NOFOLLOW) == 0) return 1;
    if (fstatat(r->folder, removal->name.data, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : refuse(r, errno, "look at");
    if (!is_taken(removal, &status)) {
        tell_newer(r);
        return 0;
    }
    if (lease(r, removal->name.data) < 0) return -1;
    if (file_rename_new(r->folder, removal->name.data, r->folder, removal->temporary) == 0) return 1;
    return errno == ENOENT ? 0 : refuse(r, errno, "remove");
}

/* Is what lies aside what was taken, and at rest? 1: yes; 0: no, and it was put back; -1: failure. */
static int judge(run *r)
{
    struct stat status;
    const file_removal *removal = r->removal;
    if (fstatat(r->folder, removal->temporary, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 1 : refuse(r, errno, "look at");
    if (!is_taken(removal, &status)) {
        if (put_back(r) < 0) return -1;
        tell_newer(r);
        return 0;
    }
    bool writer = r->leased ? file_lease_broken(r->file) : lease(r, removal->temporary) < 0;
    if (!writer) return 1;
    return put_back(r) < 0 ? -1 : busy(r);
}

static int finish(run *r)
{
    if (r->removal->to.data) return file_move(r->removal, r->folder, r->failure);
    /* Not synced: after a power cut the name may be back and the file is taken once more, which loses nothing. */
    if (unlinkat(r->folder, r->removal->temporary, 0) == 0 || errno == ENOENT) return 0;
    return refuse(r, errno, "remove");
}

static int run_in_folder(run *r)
{
    int found = set_aside(r);
    /* An earlier try may have ended between the move and the cleaning up after it. */
    if (found == 0) return r->removal->to.data ? file_move(r->removal, r->folder, r->failure) : 0;
    if (found > 0) found = judge(r);
    return found > 0 ? finish(r) : found;
}

static int open_folder(run *r)
{
    int root = file_folder_open(r->removal->root.data, false);
    if (root < 0) return -1;
    r->folder = file_folder_beneath(root, r->removal->folder.data, false);
    int error = errno;
    close(root);
    errno = error;
    return r->folder < 0 ? -1 : 0;
}

int file_removal_run(sluice_instance *instance, const file_removal *removal, sluice_failure *failure)
{
    run r = {.instance = instance, .removal = removal, .failure = failure, .folder = -1, .file = -1};
    file_text_printf(&r.path, "%s/%s%s", removal->root.data, removal->folder.data, removal->name.data);
    file_show(&r.path);
    int result = 0;
    if (open_folder(&r) == 0) result = run_in_folder(&r);
    else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) result = refuse(&r, errno, "open the folder of");
    if (r.file >= 0) close(r.file); /* which ends the lease */
    if (r.folder >= 0) close(r.folder);
    file_text_done(&r.path);
    return result;
}
