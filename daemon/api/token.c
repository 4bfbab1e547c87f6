/* STATE/token: what opens the API. */
#include <errno.h>

#include "api/api.h"
#include "base/sys.h"

enum { TOKEN_LIMIT = 4096, TOKEN_LEAST = 16 };

static int make(const char *path, sl_buf *ret, sl_error *error)
{
    unsigned char bytes[32];
    char hex[2 * sizeof bytes + 2];
    sl_sys_now->random(bytes, sizeof bytes);
    sl_hex(bytes, sizeof bytes, hex);
    sl_buf_text(ret, hex);
    hex[2 * sizeof bytes] = '\n';
    int result = sl_write_file_durably(path, (sl_str){hex, sizeof hex - 1}, 0600, error);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(hex, sizeof hex);
    return result;
}

static int check(const char *path, sl_str token, sl_error *error)
{
    struct stat status;
    if (token.size < TOKEN_LEAST)
        return sl_error_set(error, EINVAL,
                            "%s: expected a token of at least %d characters, found %zu; remove the file and a new one is made", path,
                            TOKEN_LEAST, token.size);
    for (size_t i = 0; i < token.size; i++)
        if (token.data[i] <= ' ' || token.data[i] > '~')
            return sl_error_set(error, EINVAL, "%s: a token has no blanks and only ASCII; remove the file and a new one is made", path);
    if (sl_sys_now->stat(path, &status) == 0 && (status.st_mode & 07))
        sl_log(SL_WARNING, "api", "%s can be read by everybody on this machine (mode %o); chmod 600 it", path, status.st_mode & 0777);
    return 0;
}

int sl_api_token(const char *state, sl_buf *ret, sl_error *error)
{
    char *path = sl_asprintf("%s/token", state);
    sl_buf text = SL_BUF(TOKEN_LIMIT);
    sl_error missing = {0};
    int result = sl_read_file(path, TOKEN_LIMIT, &text, &missing);
    if (result == 0) {
        sl_str token = sl_str_trim(sl_buf_view(&text));
        result = check(path, token, error);
        if (result == 0) sl_buf_str(ret, token);
    } else if (missing.code == ENOENT) result = make(path, ret, error);
    else sl_error_set(error, missing.code, "%s", missing.text);
    if (text.data) explicit_bzero(text.data, text.capacity);
    sl_buf_done(&text);
    free(path);
    return result;
}
