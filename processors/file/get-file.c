#include "get-file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "failure.h"
#include "folder.h"
#include "removal.h"
#include "sluice/calls.h"

enum { LOOKED_AT_MOST = 20000 }; /* names in one trigger, so that a huge folder does not keep a worker */

static const char *const sources[] = {"delete", "keep", "move", NULL};

const sluice_property get_properties[] = {
    {.name = "directory", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "The folder to take files from."},
    {.name = "source",
     .type = SLUICE_ENUM,
     .flags = SLUICE_REQUIRED,
     .allowed = sources,
     .help = "What becomes of a file that was taken: delete, keep or move."},
    {.name = "move_to", .type = SLUICE_STRING, .help = "Where `source: move` moves them, into the same subfolders; made when absent."},
    {.name = "recurse", .type = SLUICE_BOOL, .fallback = "true", .help = "Takes files of subfolders too."},
    {.name = "file_filter",
     .type = SLUICE_STRING,
     .flags = SLUICE_REGEX,
     .fallback = "[^\\.].*",
     .help = "Only files whose whole name matches."},
    {.name = "path_filter",
     .type = SLUICE_STRING,
     .flags = SLUICE_REGEX,
     .help = "Only files of subfolders whose whole relative path (a/b) matches; those directly in `directory` always."},
    {.name = "ignore_hidden",
     .type = SLUICE_BOOL,
     .fallback = "true",
     .help = "Leaves files and folders out whose name begins with a dot."},
    {.name = "min_age", .type = SLUICE_DURATION, .fallback = "10s", .help = "Only files that were not changed for so long."},
    {.name = "max_age", .type = SLUICE_DURATION, .help = "Only files that were changed since then."},
    {.name = "min_size", .type = SLUICE_SIZE, .fallback = "0", .help = "Only files of at least this size."},
    {.name = "max_size", .type = SLUICE_SIZE, .help = "Only files of at most this size."},
    {.name = "batch",
     .type = SLUICE_INT,
     .fallback = "100",
     .least = 1,
     .most = 10000,
     .help = "How many files one session takes at most."},
    {0},
};
const sluice_named get_relationships[] = {{.name = "success", .help = "Every file that is taken."}, {0}};
const sluice_named get_writes[] = {
    {.name = "filename", .help = "Its name."},
    {.name = "path", .help = "Its folder, relative to `directory`: a/b/, or empty."},
    {.name = "absolute.path", .help = "Its folder: /srv/inbox/a/b/."},
    {.name = "filename.encoding", .help = "\"percent\" where these three are not UTF-8 and were percent-encoded; else absent."},
    {.name = "file.lastModifiedTime", .help = "As 2024-05-01T12:00:00+0000, as are the next two."},
    {.name = "file.lastAccessTime", .help = "When it was read last."},
    {.name = "file.creationTime", .help = "Where the file system knows it."},
    {.name = "file.owner", .help = "The user's name, or its number."},
    {.name = "file.group", .help = "The group's name, or its number."},
    {.name = "file.permissions", .help = "As rw-r--r--."},
    {0},
};

/* ---- init and fini ---------------------------------------------------------------------------------------- */
static void end_scan(get_file *self)
{
    file_scan_free(self->scan);
    self->scan = NULL;
}

void get_fini(sluice_instance *instance)
{
    get_file *self = instance->data;
    if (!self) return;
    end_scan(self);
    file_taken_free(self->taken);
    file_text_done(&self->directory);
    file_text_done(&self->move_to);
    regex_done(&self->file_filter);
    regex_done(&self->path_filter);
    file_set_done(&self->told_before);
    file_set_done(&self->told);
    file_set_done(&self->in_flight);
    file_set_done(&self->in_flight_paths);
    pthread_mutex_destroy(&self->lock);
    free(self);
    instance->data = NULL;
}

static int take_folder(sluice_instance *instance, const char *property, file_text *ret, sluice_failure *failure)
{
    sluice_text text = sluice_property_text(instance, property);
    if (!text.size || memchr(text.data, 0, text.size))
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "path", "%s: expected the path of a folder, found \"%.*s\"", property,
                             SLUICE_TEXT_ARGS(text));
    file_absolute(ret, text.data, text.size);
    while (ret->size > 1 && ret->data[ret->size - 1] == '/') file_text_cut(ret, ret->size - 1);
    return 0;
}

static int take_folders(sluice_instance *instance, get_file *self, sluice_failure *failure)
{
    bool given = sluice_has(instance, "move_to"), move = self->source == GET_MOVE;
    if (move && !given)
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "move_to", "source: move needs `move_to`, the folder where files are moved");
    if (given && !move)
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "move_to", "move_to: only `source: move` moves files, found `source: %s`",
                             sources[self->source]);
    if (take_folder(instance, "directory", &self->directory, failure) < 0) return -1;
    return move ? take_folder(instance, "move_to", &self->move_to, failure) : 0;
}

static void take_numbers(sluice_instance *instance, get_file *self)
{
    self->recurse = sluice_number(instance, "recurse");
    self->ignore_hidden = sluice_number(instance, "ignore_hidden");
    self->min_age = sluice_number(instance, "min_age");
    self->max_age = sluice_has(instance, "max_age") ? sluice_number(instance, "max_age") : 0;
    self->min_size = sluice_number(instance, "min_size");
    self->max_size = sluice_has(instance, "max_size") ? sluice_number(instance, "max_size") : 0;
    self->batch = sluice_number(instance, "batch");
}

int get_init(sluice_instance *instance, sluice_failure *failure)
{
    get_file *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->instance = instance;
    instance->data = self;
    pthread_mutex_init(&self->lock, NULL);
    self->source = (get_source)sluice_number(instance, "source");
    take_numbers(instance, self);
    int result = take_folders(instance, self, failure);
    if (result == 0) result = regex_of_property(instance, "file_filter", &self->file_filter, failure);
    if (result == 0) result = regex_of_property(instance, "path_filter", &self->path_filter, failure);
    if (result < 0) get_fini(instance);
    return result;
}

/* ---- a scan ----------------------------------------------------------------------------------------------- */
static void problem(void *context, const char *path, const struct stat *status, int error)
{
    get_file *self = context;
    self->incomplete = true;
    const char *what = !S_ISDIR(status->st_mode) ? "look at" : self->source == GET_KEEP ? "read the folder" : "read and empty the folder";
    get_tell(self, path, what, error);
}

/* The folder where files are moved to may be below the one they come from: it is no source. */
static int open_move_to(get_file *self, file_scan_options *options, sluice_failure *failure)
{
    struct stat to, from;
    static const char advice[] = "correct move_to, or let the daemon write there";
    int fd = file_folder_open(self->move_to.data, true);
    bool writable = fd >= 0 && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0 && fstat(fd, &to) == 0;
    int error = errno;
    if (fd >= 0) close(fd);
    if (!writable) return file_refuse(failure, error, SLUICE_CONFIGURATION, "use the folder", self->move_to.data, advice);
    if (stat(self->directory.data, &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "move_to",
                             "move_to is the folder that files are taken from, %s; expected another", self->directory.data);
    options->skip_device = to.st_dev;
    options->skip_inode = to.st_ino;
    return 0;
}

static int begin_scan(get_file *self, sluice_failure *failure)
{
    file_scan_options options = {.directory = self->directory.data,
                                 .recurse = self->recurse,
                                 .ignore_hidden = self->ignore_hidden,
                                 .must_remove = self->source != GET_KEEP,
                                 .problem = problem,
                                 .context = self};
    if (self->source == GET_MOVE && open_move_to(self, &options, failure) < 0) return -1;
    self->waiting = 0;
    self->incomplete = self->made = false;
    self->scan = file_scan_open(&options);
    if (self->scan) return 0;
    bool denied = errno == EACCES || errno == EROFS || errno == EPERM;
    return file_refuse(failure, errno, SLUICE_CONFIGURATION,
                       self->source == GET_KEEP || !denied ? "read the folder" : "read and empty the folder", self->directory.data,
                       !denied                    ? "make it, or correct `directory`"
                       : self->source == GET_KEEP ? "let the daemon read it"
                                                  : "let the daemon read it and write to it, or set `source: keep`");
}

static void scan_ended(get_file *self, sluice_session *session)
{
    end_scan(self);
    if (self->untold)
        sluice_bulletin(self->instance, SLUICE_LOG_WARNING, "%llu more files or folders could not be read in this scan",
                        (unsigned long long)self->untold);
    file_set_done(&self->told_before);
    self->told_before = self->told;
    self->told = (file_set){0};
    self->untold = 0;
    if (self->taken && self->incomplete) file_taken_keep_all(self->taken);
    else if (self->taken) file_taken_forget_gone(self->taken);
    sluice_scanned(session, self->waiting);
    if (!self->made) sluice_yield(session);
}

/* Takes a batch, or as much of it as the rest of the scan gives. */
static void take_batch(get_file *self, sluice_session *session)
{
    int64_t made = 0;
    file_found found;
    for (unsigned looked = 0; made < self->batch && looked < LOOKED_AT_MOST && !sluice_stopping(self->instance); looked++) {
        if (!file_scan_next(self->scan, &found)) {
            scan_ended(self, session);
            return;
        }
        get_result result = get_take(self, session, &found);
        if (result == GET_STOP) return;
        if (result == GET_TAKEN) made++, self->made = true;
    }
}

sluice_outcome get_trigger(sluice_instance *instance, sluice_session *session)
{
    get_file *self = instance->data;
    sluice_failure failure = {0};
    if (self->source == GET_KEEP && !self->taken) self->taken = file_taken_load(session);
    if (!self->scan && begin_scan(self, &failure) < 0) {
        sluice_fail(session, NULL, NULL, &failure);
        return SLUICE_DONE;
    }
    take_batch(self, session);
    if (self->taken) file_taken_save(self->taken, session);
    return SLUICE_DONE;
}

/* ---- the effect ------------------------------------------------------------------------------------------- */
int get_effect(sluice_instance *instance, sluice_text effect, sluice_failure *failure)
{
    get_file *self = instance->data;
    char version[FILE_VERSION];
    file_removal removal = {0};
    int result;
    if (file_removal_parse(effect, &removal)) {
        result = file_removal_run(instance, &removal, failure);
        file_removal_version(&removal, version);
        file_text path = {0};
        file_text_printf(&path, "%s%s", removal.folder.data, removal.name.data);
        if (result == 0) get_released(self, version, path.data);
        file_text_done(&path);
    } else {
        result = sluice_refuse(failure, SLUICE_PERMANENT, "effect", "expected what get-file wrote of a file to remove, found \"%.*s\"",
                               SLUICE_TEXT_ARGS(effect));
    }
    file_removal_done(&removal);
    return result;
}
