#include "cli/state.h"

#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"

int sl_state_node(const char *state, uint32_t *ret, sl_error *error)
{
    char *path = sl_asprintf("%s/node", state);
    sl_buf text = SL_BUF(64);
    int result = sl_read_file(path, 32, &text, error);
    if (result == 0) *ret = (uint32_t)strtoul(text.data ? text.data : "", NULL, 10) & 0x3fffffff;
    else if (error && error->code == ENOENT) sl_error_set(error, ENOENT, "%s is no state folder: it has no file `node`", state);
    sl_buf_done(&text);
    free(path);
    return result;
}

int sl_state_content(const char *state, sl_content **ret, sl_error *error)
{
    char *folder = sl_asprintf("%s/content", state);
    sl_content_options options = {.folder = folder, .look_only = true};
    int result = sl_content_open(&options, ret, error);
    free(folder);
    return result;
}

int sl_state_held(const char *state, bool *ret, sl_error *error)
{
    char *path = sl_asprintf("%s/journal/lock", state);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = sl_sys_now->open(path, O_RDWR, 0);
    int result = 0;
    if (fd < 0) result = sl_error_set(error, errno, "%s is no state folder: cannot open %s: %s", state, path, strerror(errno));
    else if (fcntl(fd, F_OFD_GETLK, &whole) < 0)
        result = sl_error_set(error, errno, "cannot ask for the lock of %s: %s", path, strerror(errno));
    if (fd >= 0) sl_sys_now->close(fd);
    *ret = whole.l_type != F_UNLCK;
    free(path);
    return result;
}
