#include "file-store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "sigv4.h"

#define BLOCK          (256 * 1024)
#define METADATA_LIMIT (1024 * 1024)

typedef struct paths {
    s3_text object, object_folder, temporary, pending, metadata, metadata_folder, scratch;
} paths;

/* ---- names --------------------------------------------------------------------------------------------- */

static bool component_fits(const char *at, size_t size)
{
    if (size == 0 || size > 255) return false;
    return !(at[0] == '.' && (size == 1 || (size == 2 && at[1] == '.')));
}

bool s3_file_store_key(const char *key, sluice_failure *failure)
{
    for (const char *at = key;; at++) {
        size_t size = strcspn(at, "/");
        if (!component_fits(at, size)) {
            sluice_refuse(
                failure, SLUICE_PERMANENT, "InvalidKey",
                "key: a file:// endpoint keeps it as a file's name, so each part between slashes is expected to have 1 to 255 bytes "
                "and not to be '.' or '..', found '%.60s' in '%.200s'",
                size ? at : "", key);
            return false;
        }
        at += size;
        if (!*at) return true;
    }
}

static void folder_of(s3_text *folder, const s3_text *path)
{
    s3_text_bytes(folder, path->data, (size_t)(strrchr(path->data, '/') - path->data));
}

static void paths_init(paths *at, const s3_file_put *put)
{
    char hash[65];
    s3_sha256_hex(put->key, strlen(put->key), hash);
    s3_text_printf(&at->object, "%s/%s/%s", put->folder, put->bucket, put->key);
    s3_text_printf(&at->scratch, "%s/.sluice/tmp", put->folder);
    s3_text_printf(&at->temporary, "%s/%s", at->scratch.data, put->effect);
    s3_text_printf(&at->pending, "%s/%s.json", at->scratch.data, put->effect);
    s3_text_printf(&at->metadata, "%s/.sluice/objects/%s/%.2s/%s.json", put->folder, put->bucket, hash, hash);
    folder_of(&at->object_folder, &at->object);
    folder_of(&at->metadata_folder, &at->metadata);
}

static void paths_done(paths *at)
{
    s3_text *all[] = {&at->object, &at->object_folder, &at->temporary, &at->pending, &at->metadata, &at->metadata_folder, &at->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) s3_text_done(all[i]);
}

/* ---- failures --------------------------------------------------------------------------------------------- */

static sluice_class class_of(int error)
{
    switch (error) {
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
    case ENAMETOOLONG:
    case EILSEQ:
    case EFBIG:
    case EINVAL: return SLUICE_PERMANENT; /* this key's name */
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: return SLUICE_CONFIGURATION;
    default: return SLUICE_TRANSIENT;
    }
}

static bool fail(s3_file_put *put, const char *what, const char *path, int error)
{
    const char *hint = "";
    if (class_of(error) == SLUICE_PERMANENT) hint = "; in a directory a key cannot be beside another that goes on below it";
    else if (class_of(error) == SLUICE_CONFIGURATION) hint = "; give the daemon's user the right to write there";
    put->outcome = S3_FILE_FAILED;
    sluice_refuse(&put->failure, class_of(error), sluice_errno_name(error), "%s %.500s: %s%s", what, path, strerror(error), hint);
    return false;
}

/* ---- folders ------------------------------------------------------------------------------------------------ */

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = fsync(fd), error = errno;
    close(fd);
    errno = error;
    return result;
}

static int make_folder(char *path)
{
    if (mkdir(path, 0777) != 0) return errno == EEXIST ? 0 : -1;
    char *slash = strrchr(path, '/');
    *slash = 0;
    int result = sync_folder(*path ? path : "/");
    *slash = '/';
    return result;
}

/* Makes `path` and what is missing above it, each new one durable. -1 and errno; ENOTDIR: a file is in the way. */
static int make_folders(const char *path)
{
    struct stat found;
    int result = 0;
    if (stat(path, &found) == 0) return S_ISDIR(found.st_mode) ? 0 : (errno = ENOTDIR, -1);
    char *copy = s3_copy(path, strlen(path));
    for (char *at = copy + 1; result == 0 && *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        result = make_folder(copy);
        *at = '/';
    }
    if (result == 0) result = make_folder(copy);
    int error = errno;
    free(copy);
    errno = error;
    return result;
}

/* The directory itself is the operator's: nothing that is wrong with it is a FlowFile's fault. */
static bool prepare(s3_file_put *put, const paths *at)
{
    if (make_folders(put->folder) != 0 || make_folders(at->scratch.data) != 0) {
        fail(put, "expected a directory to write to at", put->folder, errno);
        if (put->failure.class_ == SLUICE_PERMANENT) put->failure.class_ = SLUICE_CONFIGURATION;
        return false;
    }
    if (make_folders(at->object_folder.data) != 0) return fail(put, "making the folder", at->object_folder.data, errno);
    if (make_folders(at->metadata_folder.data) != 0) return fail(put, "making the folder", at->metadata_folder.data, errno);
    return true;
}

/* ---- what is there ------------------------------------------------------------------------------------------- */

static bool read_text(const char *path, s3_text *ret)
{
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool fits = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0 && found.st_size <= METADATA_LIMIT;
    char *text = s3_alloc(fits ? (size_t)found.st_size : 0);
    if (fits) fits = s3_read_at(fd, text, (size_t)found.st_size, 0) == found.st_size;
    if (fits) s3_text_bytes(ret, text, (size_t)found.st_size);
    free(text);
    close(fd);
    return fits;
}

/* The metadata at `path` is of this effect, and the object in place is the one it describes. */
static bool describes(const char *path, s3_file_put *put, const struct stat *object)
{
    s3_text text = {0};
    char effect[64];
    uint64_t inode, size;
    sluice_text view;
    bool ours = read_text(path, &text) && (view = (sluice_text){text.data, text.size}, true) &&
                s3_json_member(view, "effect", effect, sizeof effect) && strcmp(effect, put->effect) == 0 &&
                s3_json_number(view, "inode", &inode) && inode == (uint64_t)object->st_ino && s3_json_number(view, "size", &size) &&
                size == (uint64_t)object->st_size && size == put->size && s3_json_member(view, "sha256", put->sha256, sizeof put->sha256) &&
                s3_json_member(view, "md5", put->md5, sizeof put->md5);
    s3_text_done(&text);
    return ours;
}

static bool metadata_into_place(s3_file_put *put, const paths *at)
{
    if (rename(at->pending.data, at->metadata.data) != 0) return fail(put, "moving the metadata to", at->metadata.data, errno);
    if (sync_folder(at->metadata_folder.data) != 0) return fail(put, "syncing", at->metadata_folder.data, errno);
    put->outcome = S3_FILE_WRITTEN;
    return true;
}

/* True: nothing is left to write, and `outcome` says what was found. */
static bool settled(s3_file_put *put, const paths *at)
{
    struct stat object;
    if (lstat(at->object.data, &object) != 0) return false; /* what else is wrong will show */
    if (!S_ISREG(object.st_mode)) {
        fail(put, "expected a file or nothing at", at->object.data, EISDIR);
        return true;
    }
    if (describes(at->metadata.data, put, &object)) {
        put->outcome = S3_FILE_WRITTEN;
        return true;
    }
    if (describes(at->pending.data, put, &object)) {
        if (sync_folder(at->object_folder.data) != 0) fail(put, "syncing", at->object_folder.data, errno);
        else metadata_into_place(put, at);
        return true;
    }
    if (put->replace) return false;
    put->outcome = S3_FILE_EXISTS;
    return true;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t size)
{
    for (const char *at = data, *end = at + size; at < end;) {
        ssize_t wrote = write(fd, at, (size_t)(end - at));
        if (wrote < 0 && errno != EINTR) return false;
        if (wrote > 0) at += wrote;
    }
    return true;
}

static bool unreadable(s3_file_put *put, uint64_t at, int error)
{
    put->outcome = S3_FILE_FAILED;
    sluice_refuse(&put->failure, SLUICE_TRANSIENT, "ContentUnreadable", "reading the content at byte %llu of %llu: %s",
                  (unsigned long long)at, (unsigned long long)put->size, error ? strerror(error) : "it ends there");
    return false;
}

typedef struct copying {
    int fd;
    s3_digest *sha256, *md5;
    void *block;
} copying;

static bool copy_block(s3_file_put *put, const paths *at, copying *out, uint64_t position, size_t size)
{
    const void *from = (const char *)put->data + position;
    if (atomic_load(&put->stop)) {
        put->outcome = S3_FILE_STOPPED;
        return false;
    }
    if (!put->data) {
        int64_t got = s3_read_at(put->fd, out->block, size, put->offset + position);
        if (got != (int64_t)size) return unreadable(put, position, got < 0 ? errno : 0);
        from = out->block;
    }
    s3_digest_add(out->sha256, from, size);
    s3_digest_add(out->md5, from, size);
    return write_all(out->fd, from, size) || fail(put, "writing", at->temporary.data, errno);
}

static bool check_sha256(s3_file_put *put)
{
    if (!put->expected_sha256 || strcasecmp(put->expected_sha256, put->sha256) == 0) return true;
    put->outcome = S3_FILE_FAILED;
    sluice_refuse(&put->failure, SLUICE_PERMANENT, "ContentChanged",
                  "%.300s: the content was taken with SHA-256 %.64s, its file now has %s: it was changed or is damaged", put->key,
                  put->expected_sha256, put->sha256);
    return false;
}

static bool copy(s3_file_put *put, const paths *at, int fd)
{
    copying out = {.fd = fd, .sha256 = s3_digest_new("SHA256"), .md5 = s3_digest_new("MD5"), .block = s3_alloc(BLOCK)};
    bool done = true;
    for (uint64_t position = 0; done && position < put->size; position += BLOCK)
        done = copy_block(put, at, &out, position, (size_t)S3_MIN(put->size - position, (uint64_t)BLOCK));
    s3_digest_end(out.sha256, put->sha256);
    s3_digest_end(out.md5, put->md5);
    free(out.block);
    if (!done || !check_sha256(put)) return false;
    return fsync(fd) == 0 || fail(put, "syncing", at->temporary.data, errno);
}

static void describe(const s3_file_put *put, const struct stat *object, s3_text *ret)
{
    s3_text_add(ret, "{\"key\":");
    s3_text_json(ret, put->key);
    s3_text_printf(ret, ",\"effect\":\"%s\",\"inode\":%llu,\"size\":%llu,\"sha256\":\"%s\",\"md5\":\"%s\"", put->effect,
                   (unsigned long long)object->st_ino, (unsigned long long)put->size, put->sha256, put->md5);
    if (*put->metadata) s3_text_printf(ret, ",%s", put->metadata);
    s3_text_add(ret, "}\n");
}

static int open_new(const char *path) { return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666); }

static bool write_pending(s3_file_put *put, const paths *at, const struct stat *object)
{
    s3_text text = {0};
    int fd = open_new(at->pending.data);
    if (fd < 0) return fail(put, "creating", at->pending.data, errno);
    describe(put, object, &text);
    bool done = (write_all(fd, text.data, text.size) && fsync(fd) == 0) || fail(put, "writing", at->pending.data, errno);
    s3_text_done(&text);
    close(fd);
    return done && (sync_folder(at->scratch.data) == 0 || fail(put, "syncing", at->scratch.data, errno));
}

static bool write_temporary(s3_file_put *put, const paths *at)
{
    struct stat object;
    int fd = open_new(at->temporary.data);
    if (fd < 0) return fail(put, "creating", at->temporary.data, errno);
    bool done = copy(put, at, fd) && (fstat(fd, &object) == 0 || fail(put, "looking at", at->temporary.data, errno));
    close(fd);
    return done && write_pending(put, at, &object);
}

/* Without replacing: by rename where the file system can, else by a second name. */
static int place_new(const paths *at)
{
    int result = renameat2(AT_FDCWD, at->temporary.data, AT_FDCWD, at->object.data, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS)) return result;
    result = link(at->temporary.data, at->object.data);
    if (result == 0) unlink(at->temporary.data);
    return result;
}

static bool object_into_place(s3_file_put *put, const paths *at)
{
    int result = put->replace ? rename(at->temporary.data, at->object.data) : place_new(at);
    if (result != 0 && errno == EEXIST && !put->replace) {
        put->outcome = S3_FILE_EXISTS;
        return false;
    }
    if (result != 0) return fail(put, "moving the object to", at->object.data, errno);
    return sync_folder(at->object_folder.data) == 0 || fail(put, "syncing", at->object_folder.data, errno);
}

static void write_object(s3_file_put *put, const paths *at)
{
    if (prepare(put, at) && write_temporary(put, at) && object_into_place(put, at) && metadata_into_place(put, at)) return;
    unlink(at->temporary.data);
    if (put->outcome != S3_FILE_FAILED || put->failure.class_ != SLUICE_TRANSIENT) unlink(at->pending.data);
}

void s3_file_store_put(void *context)
{
    s3_file_put *put = context;
    paths at = {0};
    put->outcome = S3_FILE_FAILED;
    paths_init(&at, put);
    if (!settled(put, &at)) write_object(put, &at);
    paths_done(&at);
}
