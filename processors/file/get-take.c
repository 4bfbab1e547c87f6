/* One file: whether its time has come, and its taking. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "failure.h"
#include "get-file.h"
#include "lease.h"
#include "removal.h"
#include "sluice/calls.h"

enum { TOLD_MOST = 1000 }; /* problems told in one scan */

/* A change within the clock tick of the last one would not show in mtime: only files that rested longer are taken, so
 * that a later change can be told. */
#define LEAST_AGE 20000

/* ---- what cannot be read ---------------------------------------------------------------------------------- */
void get_tell(get_file *self, const char *path, const char *what, int error)
{
    file_text key = {0}, shown = {0};
    file_text_printf(&key, "%d %s %s", error, what, path);
    if (self->told.count >= TOLD_MOST) {
        self->untold += !file_set_has(&self->told, key.data);
    } else if (file_set_add(&self->told, key.data) && !file_set_has(&self->told_before, key.data)) {
        file_text_printf(&shown, "%s/%s", self->directory.data, path);
        file_show(&shown);
        sluice_bulletin(self->instance, SLUICE_LOG_WARNING,
                        "cannot %s %.600s: %s; it is left where it is, and looked at again in each scan", what, shown.data,
                        strerror(error));
    }
    file_text_done(&key);
    file_text_done(&shown);
}

static void tell_file(get_file *self, const file_found *found, const char *what, int error)
{
    file_text path = {0};
    file_text_printf(&path, "%s%s", found->path, found->name);
    get_tell(self, path.data, what, error);
    file_text_done(&path);
}

/* ---- what is in flight -------------------------------------------------------------------------------------- */
static void path_key(file_text *ret, const char *version, const char *path) { file_text_printf(ret, "%s %s", version, path); }

static void add_in_flight(get_file *self, const char *version, const char *path)
{
    file_text key = {0};
    path_key(&key, version, path);
    pthread_mutex_lock(&self->lock);
    file_set_add(&self->in_flight, version);
    file_set_add(&self->in_flight_paths, key.data);
    pthread_mutex_unlock(&self->lock);
    file_text_done(&key);
}

void get_released(get_file *self, const char *version, const char *path)
{
    file_text key = {0};
    path_key(&key, version, path);
    pthread_mutex_lock(&self->lock);
    file_set_remove(&self->in_flight, version);
    file_set_remove(&self->in_flight_paths, key.data);
    pthread_mutex_unlock(&self->lock);
    file_text_done(&key);
}

/* A hard link to a file in flight is another file to take, once the first is gone: it waits. */
static bool in_flight(get_file *self, const file_found *found, const struct stat *status)
{
    char version[FILE_VERSION];
    file_removal removal = {0};
    file_text key = {0};
    file_removal_identify(&removal, status);
    file_removal_version(&removal, version);
    file_text_printf(&key, "%s %s%s", version, found->path, found->name);
    pthread_mutex_lock(&self->lock);
    bool has = file_set_has(&self->in_flight, version);
    bool other = has && !file_set_has(&self->in_flight_paths, key.data);
    pthread_mutex_unlock(&self->lock);
    self->waiting += other;
    file_text_done(&key);
    return has;
}

/* ---- is it to be taken -------------------------------------------------------------------------------------- */
static bool named_right(const get_file *self, const file_found *found)
{
    size_t folder = strlen(found->path);
    if (regex_given(&self->file_filter) && !regex_matches(&self->file_filter, found->name, strlen(found->name))) return false;
    return !regex_given(&self->path_filter) || !folder || regex_matches(&self->path_filter, found->path, folder - 1);
}

static int64_t micros(struct timespec time) { return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000; }

/* A time in the future says nothing of when the file was written; that of its last change of any kind does. */
static int64_t age(const get_file *self, const struct stat *status)
{
    int64_t now = sluice_now(self->instance), modified = micros(status->st_mtim);
    return now - (modified <= now ? modified : micros(status->st_ctim));
}

static bool at_rest(get_file *self, const struct stat *status)
{
    int64_t least = self->min_age > LEAST_AGE ? self->min_age : LEAST_AGE;
    if (age(self, status) >= least) return true;
    self->waiting++;
    return false;
}

static bool wanted(get_file *self, const file_found *found, const struct stat *status)
{
    if (!named_right(self, found)) return false;
    if (status->st_size < self->min_size || (self->max_size && status->st_size > self->max_size)) return false;
    if (self->source == GET_KEEP ? file_taken_has(self->taken, status) : in_flight(self, found, status)) return false;
    if (self->max_age && age(self, status) > self->max_age) return false;
    return at_rest(self, status);
}

/* ---- the taking --------------------------------------------------------------------------------------------- */
/* The open file, at rest and as wanted as its name was; -1: not now. */
static int open_file(get_file *self, const file_found *found, struct stat *ret)
{
    int fd = openat(found->folder, found->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno == EWOULDBLOCK) self->waiting++; /* somebody holds a lease on it for writing */
        else if (errno != ENOENT && errno != ELOOP) tell_file(self, found, "read", errno);
        return -1;
    }
    bool right = fstat(fd, ret) == 0 && S_ISREG(ret->st_mode) && wanted(self, found, ret);
    file_lease lease = right ? file_lease_take(fd) : FILE_LEASE_UNKNOWN;
    if (lease == FILE_LEASE_HELD) file_lease_end(fd);
    if (lease == FILE_LEASE_WRITER) self->waiting++;
    if (right && lease != FILE_LEASE_WRITER) return fd;
    close(fd);
    return -1;
}

static void remember_removal(get_file *self, sluice_session *session, sluice_flowfile *flowfile, const file_found *found,
                             const struct stat *status)
{
    char version[FILE_VERSION];
    file_removal removal = {0};
    file_text text = {0}, path = {0};
    file_text_add(&removal.root, self->directory.data);
    file_text_add(&removal.folder, found->path);
    file_text_add(&removal.name, found->name);
    if (self->source == GET_MOVE) file_text_add(&removal.to, self->move_to.data);
    file_removal_identify(&removal, status);
    file_temporary(self->instance, removal.temporary);
    file_removal_format(&removal, &text);
    sluice_after_commit(session, flowfile, text.data);
    file_removal_version(&removal, version);
    file_text_printf(&path, "%s%s", found->path, found->name);
    add_in_flight(self, version, path.data);
    file_text_done(&text);
    file_text_done(&path);
    file_removal_done(&removal);
}

/* It changed under our hands, or only it cannot be read: the scan goes on. The rest is the store's, and ends the batch. */
static get_result import_failed(get_file *self, sluice_session *session, const file_found *found, sluice_failure *failure)
{
    if (strcmp(failure->code, "EAGAIN") == 0) {
        self->waiting++;
        return GET_LEFT;
    }
    if (failure->class_ == SLUICE_PERMANENT) {
        file_text path = {0};
        file_text_printf(&path, "%s%s", found->path, found->name);
        get_tell(self, path.data, "read", EIO);
        file_text_done(&path);
        return GET_LEFT;
    }
    sluice_fail(session, NULL, NULL, failure);
    return GET_STOP;
}

static get_result take(get_file *self, sluice_session *session, const file_found *found, int fd, const struct stat *status)
{
    sluice_failure failure = {0};
    file_text path = {0}, uri = {0};
    file_text_printf(&path, "%s/%s%s", self->directory.data, found->path, found->name);
    sluice_source source = {.path = path.data, .fd = fd, .adopt = self->source != GET_KEEP};
    sluice_flowfile *flowfile = sluice_create(session, NULL);
    get_result result = GET_TAKEN;
    if (sluice_import(session, flowfile, &source, &failure) < 0) {
        sluice_drop(session, flowfile, failure.message);
        result = import_failed(self, session, found, &failure);
    } else {
        file_uri(&uri, path.data);
        get_set_attributes(self, session, flowfile, found, fd, status);
        sluice_event(session, flowfile, SLUICE_RECEIVE, uri.data, NULL);
        if (self->source == GET_KEEP) file_taken_add(self->taken, status);
        else remember_removal(self, session, flowfile, found, status);
        sluice_transfer(session, flowfile, "success");
    }
    file_text_done(&uri);
    file_text_done(&path);
    return result;
}

get_result get_take(get_file *self, sluice_session *session, const file_found *found)
{
    struct stat status;
    if (!wanted(self, found, &found->status)) return GET_LEFT;
    int fd = open_file(self, found, &status);
    if (fd < 0) return GET_LEFT;
    get_result result = take(self, session, found, fd, &status);
    close(fd);
    return result;
}
