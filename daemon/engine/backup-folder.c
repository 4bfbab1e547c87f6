/* The folder of a backup: where it may be, its mark while it is filled, its name when it is whole. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/backup.h"

static const char about_name[] = "backup.json", mark_name[] = "incomplete";

static char *in(const char *folder, const char *name) { return sl_asprintf("%s/%s", folder, name); }

/* ---- the mark ------------------------------------------------------------------------------------------------------ */

static bool is_marked(const char *folder)
{
    struct stat status;
    char *path = in(folder, mark_name);
    bool there = sl_sys_now->stat(path, &status) == 0;
    free(path);
    return there;
}

static int mark(const char *folder, sl_error *error)
{
    char *path = in(folder, mark_name);
    int result = sl_write_file_durably(path, SL_STR("This folder was being filled. Nothing starts from it.\n"), 0600, error);
    free(path);
    return result;
}

static int unmark(const char *folder, sl_error *error)
{
    char *path = in(folder, mark_name);
    int result = sl_sys_now->unlink(path) < 0 || sl_sync_dir(folder) < 0
                     ? sl_error_set(error, errno, "cannot remove %s: %s", path, strerror(errno))
                     : 0;
    free(path);
    return result;
}

int sl_state_complete(const char *state, sl_error *error)
{
    if (!is_marked(state)) return 0;
    return sl_error_set(error, EINVAL,
                        "%s is a backup or a restore that was cut short: it has a file `%s`; take another, or run `sluice restore` again",
                        state, mark_name);
}

/* ---- where ------------------------------------------------------------------------------------------------------------ */

typedef struct listing {
    size_t count;
} listing;

static void count(void *context, const char *name)
{
    (void)name;
    ((listing *)context)->count++;
}

/* Absent, or a folder with nothing in it. */
static int check_empty(const char *path, bool *ret_there, sl_error *error)
{
    struct stat status;
    listing found = {0};
    *ret_there = sl_sys_now->lstat(path, &status) == 0;
    if (!*ret_there) return errno == ENOENT ? 0 : sl_error_set(error, errno, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return sl_error_set(error, EEXIST, "%s is there already, and is no folder; name one that is not there", path);
    if (sl_sys_now->list(path, count, &found) < 0) return sl_error_set(error, errno, "cannot list %s: %s", path, strerror(errno));
    if (!found.count) return 0;
    return sl_error_set(error, EEXIST, "%s is there already and is not empty; name a folder that is not there, or an empty one", path);
}

/* "/a/b/" is /a and b, by real names. */
static int split(const char *to, char parent[PATH_MAX], sl_str *ret_name, sl_error *error)
{
    sl_str path = sl_str_of(to);
    while (path.size > 1 && path.data[path.size - 1] == '/') path.size--;
    if (path.size < 2 || path.data[0] != '/' || path.size >= PATH_MAX - 64)
        return sl_error_set(error, EINVAL, "expected the absolute path of a folder, found `%s`", to);
    size_t at = path.size;
    while (path.data[at - 1] != '/') at--;
    *ret_name = (sl_str){path.data + at, path.size - at};
    if (sl_str_is(*ret_name, ".") || sl_str_is(*ret_name, ".."))
        return sl_error_set(error, EINVAL, "`%s` ends with no name of its own", to);
    char *above = sl_strndup(path.data, at);
    int result = realpath(above, parent) ? 0
                                         : sl_error_set(error, errno, "%s, where the backup would be made: %s%s", above, strerror(errno),
                                                        errno == ENOENT ? "; make that folder, writable for the daemon's user" : "");
    free(above);
    return result;
}

static bool is_below(const char *folder, const char *path)
{
    size_t size = strlen(folder);
    return strncmp(folder, path, size) == 0 && (!path[size] || path[size] == '/');
}

static int check_parent(const char *state, const char *parent, sl_error *error)
{
    char real[PATH_MAX];
    if (!realpath(state, real)) return sl_error_set(error, errno, "cannot find %s: %s", state, strerror(errno));
    if (is_below(real, parent)) return sl_error_set(error, EINVAL, "%s is inside the state %s; a backup has to be elsewhere", parent, real);
    if (access(parent, W_OK | X_OK) == 0) return 0;
    return sl_error_set(error, errno,
                        "the daemon's user may not write to %s: %s; make it that user's (the unit needs ReadWritePaths=%s as well)", parent,
                        strerror(errno), parent);
}

int sl_backup_check(const char *state, const char *to, sl_error *error)
{
    char parent[PATH_MAX];
    sl_str name;
    bool there;
    if (split(to, parent, &name, error) < 0 || check_parent(state, parent, error) < 0) return -1;
    char *path = sl_asprintf("%s/%.*s", parent, SL_STR_ARGS(name));
    int result = check_empty(path, &there, error);
    free(path);
    return result;
}

/* ---- a backup ------------------------------------------------------------------------------------------------------------ */

static int make_partial(const char *partial, bool *ret_left, sl_error *error)
{
    bool there;
    *ret_left = is_marked(partial);
    if (*ret_left && sl_remove_tree(partial, error) < 0) return -1;
    if (check_empty(partial, &there, error) < 0) return -1;
    if (!there && sl_sys_now->mkdir(partial, 0700) < 0)
        return sl_error_set(error, errno, "cannot make the folder %s: %s", partial, strerror(errno));
    return mark(partial, error);
}

int sl_backup_begin(const char *state, const char *to, char **ret_partial, bool *ret_left, sl_error *error)
{
    char parent[PATH_MAX];
    sl_str name;
    if (sl_backup_check(state, to, error) < 0 || split(to, parent, &name, error) < 0) return -1;
    *ret_partial = sl_asprintf("%s/%.*s.partial", parent, SL_STR_ARGS(name));
    if (make_partial(*ret_partial, ret_left, error) == 0) return 0;
    free(*ret_partial);
    *ret_partial = NULL;
    return -1;
}

static int write_about(const char *folder, const sl_backup_about *about, sl_error *error)
{
    char time[SL_TIME_TEXT], *path = in(folder, about_name);
    sl_buf text = SL_BUF(1024);
    sl_buf_printf(&text, "{\"format\":\"1\",\"version\":\"%s\",\"seq\":\"%llu\",\"taken_at\":\"%s\"}\n", SL_VERSION,
                  (unsigned long long)about->seq, sl_time_format(about->taken_at, time));
    int result = sl_write_file_durably(path, sl_buf_view(&text), 0600, error);
    sl_buf_done(&text);
    free(path);
    return result;
}

static int name_it(const char *partial, const char *to, sl_error *error)
{
    char parent[PATH_MAX];
    sl_str name;
    if (split(to, parent, &name, error) < 0) return -1;
    char *path = sl_asprintf("%s/%.*s", parent, SL_STR_ARGS(name));
    int result = 0;
    if (sl_sys_now->rename(partial, path) < 0 || sl_sync_dir(parent) < 0)
        result = sl_error_set(error, errno, "cannot rename %s to %s: %s", partial, path, strerror(errno));
    free(path);
    return result;
}

int sl_backup_end(const char *partial, const char *to, const sl_backup_about *about, sl_error *error)
{
    return write_about(partial, about, error) < 0 || unmark(partial, error) < 0 ? -1 : name_it(partial, to, error);
}

static int read_member(void *context, sl_str name, const sl_str *value)
{
    sl_backup_about *about = context;
    char text[32];
    if (!value) return -1;
    snprintf(text, sizeof text, "%.*s", SL_STR_ARGS(*value));
    if (sl_str_is(name, "seq")) about->seq = strtoull(text, NULL, 10);
    if (sl_str_is(name, "taken_at")) return sl_time_parse(*value, &about->taken_at);
    if (sl_str_is(name, "format")) return sl_str_is(*value, "1") ? 0 : -1;
    return 0;
}

int sl_backup_about_read(const char *backup, sl_backup_about *ret, sl_error *error)
{
    char *path = in(backup, about_name);
    sl_buf text = SL_BUF(4096);
    sl_arena arena = {0};
    *ret = (sl_backup_about){0};
    int result = sl_read_file(path, 4000, &text, error);
    if (result < 0 && error && error->code == ENOENT)
        sl_error_set(error, ENOENT, "%s is no backup: it has no file `%s`", backup, about_name);
    else if (result == 0 && sl_json_members(sl_str_trim(sl_buf_view(&text)), &arena, read_member, ret, NULL) < 0)
        result = sl_error_set(error, EINVAL, "%s is damaged, or of a later version of sluice", path);
    sl_arena_done(&arena);
    sl_buf_done(&text);
    free(path);
    return result;
}

/* ---- a restore ------------------------------------------------------------------------------------------------------------- */

static void empty_one(void *context, const char *name)
{
    const char *folder = context;
    if (strcmp(name, mark_name) == 0) return;
    char *path = in(folder, name);
    sl_remove_tree(path, NULL); /* what is left is found by check_empty */
    free(path);
}

/* `state` may be a link, as systemd makes one for a dynamic user. */
static int restore_into(const char *state, bool *ret_made, sl_error *error)
{
    bool there;
    *ret_made = false;
    if (is_marked(state)) { /* a restore that was cut short */
        sl_sys_now->list(state, empty_one, (void *)state);
        if (unmark(state, error) < 0) return -1;
    }
    if (check_empty(state, &there, error) < 0) return -1;
    if (!there && sl_sys_now->mkdir(state, 0700) < 0)
        return sl_error_set(error, errno, "cannot make the folder %s: %s", state, strerror(errno));
    *ret_made = !there;
    return mark(state, error);
}

int sl_restore_begin(const char *state, bool *ret_made, sl_error *error)
{
    char real[PATH_MAX];
    return restore_into(realpath(state, real) ? real : state, ret_made, error);
}

int sl_restore_end(const char *state, sl_error *error) { return unmark(state, error); }
