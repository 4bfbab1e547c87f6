/* What a FlowFile knows of the file it came from, by NiFi's names. */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <time.h>

#include "get-file.h"
#include "sluice/calls.h"

static void set_time(sluice_session *session, sluice_flowfile *flowfile, const char *name, int64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm parts;
    char text[40];
    if (gmtime_r(&time, &parts) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+0000", &parts)) sluice_set(session, flowfile, name, text);
}

static void set_times(sluice_session *session, sluice_flowfile *flowfile, int fd, const struct stat *status)
{
    struct statx more;
    set_time(session, flowfile, "file.lastModifiedTime", status->st_mtim.tv_sec);
    set_time(session, flowfile, "file.lastAccessTime", status->st_atim.tv_sec);
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 && (more.stx_mask & STATX_BTIME))
        set_time(session, flowfile, "file.creationTime", more.stx_btime.tv_sec);
}

/* Looking up may ask the network, and files of a folder mostly have one owner. An id without a name is itself. */
static const char *user_name(get_owner *owner, unsigned id)
{
    char buffer[4096];
    struct passwd record, *found = NULL;
    if (owner->known && owner->id == id) return owner->name;
    if (getpwuid_r(id, &record, buffer, sizeof buffer, &found) == 0 && found)
        snprintf(owner->name, sizeof owner->name, "%s", found->pw_name);
    else snprintf(owner->name, sizeof owner->name, "%u", id);
    owner->id = id, owner->known = true;
    return owner->name;
}

static const char *group_name(get_owner *owner, unsigned id)
{
    char buffer[16384];
    struct group record, *found = NULL;
    if (owner->known && owner->id == id) return owner->name;
    if (getgrgid_r(id, &record, buffer, sizeof buffer, &found) == 0 && found)
        snprintf(owner->name, sizeof owner->name, "%s", found->gr_name);
    else snprintf(owner->name, sizeof owner->name, "%u", id);
    owner->id = id, owner->known = true;
    return owner->name;
}

static void set_permissions(sluice_session *session, sluice_flowfile *flowfile, mode_t mode)
{
    char text[] = "rwxrwxrwx";
    for (unsigned i = 0; i < 9; i++)
        if (!(mode >> (8 - i) & 1)) text[i] = '-';
    sluice_set(session, flowfile, "file.permissions", text);
}

static void set_name(sluice_session *session, sluice_flowfile *flowfile, const char *attribute, const char *text, bool encode)
{
    file_text encoded = {0};
    if (encode) file_name_encode(&encoded, text);
    sluice_set(session, flowfile, attribute, encode ? encoded.data : text);
    file_text_done(&encoded);
}

/* All three or none are encoded, so that one word tells how to read them. */
static void set_names(const get_file *self, sluice_session *session, sluice_flowfile *flowfile, const file_found *found)
{
    file_text folder = {0};
    file_text_printf(&folder, "%s/%s", self->directory.data, found->path);
    bool encode = !file_name_is_utf8(found->name) || !file_name_is_utf8(folder.data);
    set_name(session, flowfile, "filename", found->name, encode);
    set_name(session, flowfile, "path", found->path, encode);
    set_name(session, flowfile, "absolute.path", folder.data, encode);
    if (encode) sluice_set(session, flowfile, "filename.encoding", "percent");
    file_text_done(&folder);
}

void get_set_attributes(get_file *self, sluice_session *session, sluice_flowfile *flowfile, const file_found *found, int fd,
                        const struct stat *status)
{
    set_names(self, session, flowfile, found);
    set_times(session, flowfile, fd, status);
    sluice_set(session, flowfile, "file.owner", user_name(&self->owner, status->st_uid));
    sluice_set(session, flowfile, "file.group", group_name(&self->group, status->st_gid));
    set_permissions(session, flowfile, status->st_mode);
}
