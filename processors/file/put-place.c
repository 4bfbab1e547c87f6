/* Bytes under a temporary name, synced, then the final name by a hard link (or a rename, where it may replace).
 *
 * How a repeat knows its own work: the temporary name is random and in the journal before anything is done. While it
 * has a second link, the file is in place; it goes only after a progress step with the final name is durable. So a
 * file that is in the way is never mistaken for ours, nor ours for a stranger's. A replacing rename needs none of
 * that: it may be done again. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "failure.h"
#include "put-file.h"
#include "sluice/calls.h"

enum { NAMES_TRIED = 10000, PIECE = 256 << 10 };

typedef struct placing {
    const put_settings *settings;
    sluice_session *session;
    sluice_flowfile *flowfile;
    const put_target *target;
    put_placed *ret;
    sluice_failure *failure;
    int folder;
    bool unmarked; /* no hard links here: the temporary name is gone */
} placing;

/* ---- failures ----------------------------------------------------------------------------------------- */
/* A denial in the operator's own folder is the configuration's fault; one in a folder of data is this FlowFile's. */
static int refuse(const placing *p, int error, const char *what)
{
    bool denied = error == EACCES || error == EPERM;
    bool own = error == EROFS || (denied && !p->target->folder.size);
    file_text path = {0};
    put_target_path(p->target, p->target->name.data, &path);
    file_refuse(p->failure, error, own ? SLUICE_CONFIGURATION : SLUICE_PERMANENT, what, path.data,
                own || denied ? "let the daemon write to that folder" : "correct the path or the name, then replay it");
    file_text_done(&path);
    return -1;
}

static int refuse_conflict(const placing *p)
{
    file_text path = {0};
    put_target_path(p->target, p->target->name.data, &path);
    file_show(&path);
    sluice_refuse(p->failure, SLUICE_PERMANENT, "EEXIST",
                  "%.600s exists already; `conflict: fail` replaces nothing: remove it, or write "
                  "`conflict: replace`, rename or ignore",
                  path.data);
    file_text_done(&path);
    return -1;
}

/* ---- the folder --------------------------------------------------------------------------------------- */
static int open_folder(placing *p)
{
    const char *path = p->target->root.size ? p->target->root.data : "/";
    int root = file_folder_open(path, p->settings->create);
    if (root < 0)
        return file_refuse(p->failure, errno, SLUICE_CONFIGURATION, "use the folder", path,
                           errno == ENOENT ? "make it, or correct `directory`" : "correct `directory`, or let the daemon write there");
    p->folder = file_folder_beneath(root, p->target->folder.data, p->settings->create);
    int error = errno;
    close(root);
    if (p->folder >= 0) return 0;
    if (error == ENOENT)
        return file_refuse(p->failure, error, SLUICE_CONFIGURATION, "use a folder below", path, "make it, or write `create: true`");
    if (error == ELOOP || error == ENOTDIR)
        return refuse(p, error, "follow what is not a folder (a symbolic link or a file) on the way to");
    return refuse(p, error, "make the folder of");
}

/* ---- the bytes ---------------------------------------------------------------------------------------- */
static int write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno != EINTR) return -1;
        if (wrote > 0) data += wrote, size -= (size_t)wrote;
    }
    return 0;
}

static int copy_content(placing *p, int fd, EVP_MD_CTX *hash)
{
    char *piece = malloc(PIECE);
    if (!piece) abort();
    int64_t got;
    int result = 0;
    for (uint64_t at = 0; (got = sluice_read(p->session, p->flowfile, at, piece, PIECE, p->failure)) > 0; at += (uint64_t)got) {
        EVP_DigestUpdate(hash, piece, (size_t)got);
        if (write_all(fd, piece, (size_t)got) == 0) continue;
        result = refuse(p, errno, "write");
        break;
    }
    free(piece);
    return got < 0 ? -1 : result;
}

/* The bytes went by, so their hash is known; one that was known before must be the same. */
static int check_hash(placing *p, EVP_MD_CTX *hash, const char *known)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    EVP_DigestFinal_ex(hash, digest, &size);
    for (unsigned i = 0; i < size; i++) snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
    if (known && strcmp(known, hex) != 0)
        return sluice_refuse(p->failure, SLUICE_PERMANENT, "ContentChanged",
                             "the content has changed since it was hashed: its SHA-256 was %s and is %s; "
                             "another program has written to the file it was taken from",
                             known, hex);
    if (!known) sluice_hashes(p->session, p->flowfile, hex, NULL);
    return 0;
}

static int write_to(placing *p, int fd)
{
    sluice_content content;
    if (!sluice_content_of(p->session, p->flowfile, &content, p->failure)) return -1;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL)) abort();
    int result = copy_content(p, fd, hash);
    if (result == 0) result = check_hash(p, hash, content.sha256);
    EVP_MD_CTX_free(hash);
    if (result == 0 && fsync(fd) < 0) result = refuse(p, errno, "write");
    return result;
}

static int remove_temporary(placing *p)
{
    return unlinkat(p->folder, p->target->temporary, 0) < 0 && errno != ENOENT ? refuse(p, errno, "remove the temporary name of") : 0;
}

static int write_temporary(placing *p)
{
    int fd = openat(p->folder, p->target->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) return refuse(p, errno, "write");
    int result = write_to(p, fd);
    if (close(fd) < 0 && result == 0) result = refuse(p, errno, "write");
    if (result < 0) unlinkat(p->folder, p->target->temporary, 0);
    return result;
}

/* ---- the name ----------------------------------------------------------------------------------------- */
static void numbered(placing *p, unsigned number)
{
    file_text_cut(&p->ret->name, 0);
    file_name_numbered(&p->ret->name, p->target->name.data, number);
}

/* -1 and errno. */
static int link_to(placing *p, const char *name)
{
    const char *temporary = p->target->temporary;
    if (linkat(p->folder, temporary, p->folder, name, 0) == 0) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return -1;
    if (file_rename_new(p->folder, temporary, p->folder, name) < 0) return -1;
    p->unmarked = true;
    return 0;
}

static int give_name(placing *p)
{
    unsigned most = p->settings->conflict == PUT_RENAME ? NAMES_TRIED : 1;
    for (unsigned number = 0; number < most; number++) {
        numbered(p, number);
        if (link_to(p, p->ret->name.data) == 0) return 0;
        if (errno != EEXIST) return refuse(p, errno, "write");
    }
    if (remove_temporary(p) < 0) return -1;
    if (p->settings->conflict != PUT_IGNORE) return refuse_conflict(p);
    p->ret->existed = true;
    return 0;
}

static int replace(placing *p)
{
    numbered(p, 0);
    if (renameat(p->folder, p->target->temporary, p->folder, p->ret->name.data) < 0) {
        int error = errno;
        unlinkat(p->folder, p->target->temporary, 0);
        return refuse(p, error, "replace");
    }
    return fsync(p->folder) < 0 ? refuse(p, errno, "write") : 0;
}

/* Once the journal knows the name, the mark may go. */
static int conclude(placing *p)
{
    file_text step = {0};
    if (fsync(p->folder) < 0) return refuse(p, errno, "write");
    file_text_add(&step, "{\"name\":\"");
    file_path_encode(&step, p->ret->name.data);
    file_text_add(&step, "\"}");
    sluice_progress(p->session, p->flowfile, step.data, NULL, NULL); /* on a worker: durable when it returns */
    file_text_done(&step);
    return p->unmarked ? 0 : remove_temporary(p);
}

/* ---- what an earlier try did ---------------------------------------------------------------------------- */
static bool concluded(placing *p)
{
    size_t steps = sluice_progress_count(p->session, p->flowfile);
    return steps && file_json_path(sluice_progress_at(p->session, p->flowfile, steps - 1), "name", &p->ret->name);
}

static bool same_file(const struct stat *a, const struct stat *b) { return a->st_dev == b->st_dev && a->st_ino == b->st_ino; }

/* True when the temporary name is a second one: the file is in place, under the name that `ret` gets. When somebody has
 * renamed it since, it was delivered under the first. */
static bool linked(placing *p)
{
    struct stat ours, there;
    if (fstatat(p->folder, p->target->temporary, &ours, AT_SYMLINK_NOFOLLOW) < 0 || ours.st_nlink < 2) return false;
    for (unsigned number = 0; number < NAMES_TRIED; number++) {
        numbered(p, number);
        if (fstatat(p->folder, p->ret->name.data, &there, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&ours, &there)) return true;
    }
    numbered(p, 0);
    return true;
}

/* Spares writing what would be thrown away; whoever comes after this look is found when the name is given. */
static bool in_the_way(placing *p)
{
    struct stat there;
    if (p->settings->conflict != PUT_FAIL && p->settings->conflict != PUT_IGNORE) return false;
    return fstatat(p->folder, p->target->name.data, &there, AT_SYMLINK_NOFOLLOW) == 0;
}

static int place(placing *p)
{
    if (concluded(p)) return remove_temporary(p);
    if (linked(p)) return conclude(p);
    if (in_the_way(p)) {
        if (remove_temporary(p) < 0) return -1;
        p->ret->existed = p->settings->conflict == PUT_IGNORE;
        return p->ret->existed ? 0 : refuse_conflict(p);
    }
    if (write_temporary(p) < 0) return -1;
    if (p->settings->conflict == PUT_REPLACE) return replace(p);
    if (give_name(p) < 0) return -1;
    return p->ret->existed ? 0 : conclude(p);
}

int put_place(const put_settings *settings, sluice_session *session, sluice_flowfile *flowfile, const put_target *target, put_placed *ret,
              sluice_failure *failure)
{
    placing p = {settings, session, flowfile, target, ret, failure, -1, false};
    int result = open_folder(&p);
    if (result == 0) result = place(&p);
    if (p.folder >= 0) close(p.folder);
    return result;
}
