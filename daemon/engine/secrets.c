#include "engine/secrets.h"

#include <ctype.h>
#include <errno.h>

#include "base/sys.h"

enum { SECRET_LIMIT = 65536 };

static bool name_is_safe(const char *name)
{
    if (!*name || *name == '.' || strlen(name) > 200) return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("._-", *at)) return false;
    return true;
}

/* 1: found; 0: not there; -1: there, but useless. */
static int read_from_folder(const char *folder, const char *name, sl_buf *ret, sl_error *error)
{
    if (!folder || !*folder) return 0;
    char *path = sl_asprintf("%s/%s", folder, name);
    int found = sl_read_file(path, SECRET_LIMIT, ret, error) == 0 ? 1 : -1;
    if (found < 0 && (error->code == ENOENT || error->code == ENOTDIR)) found = 0;
    free(path);
    return found;
}

static void variable_name(const char *name, bool capitals, sl_buf *ret)
{
    sl_buf_text(ret, "SLUICE_SECRET_");
    for (; *name; name++) sl_buf_char(ret, !capitals ? *name : isalnum((unsigned char)*name) ? (char)toupper((unsigned char)*name) : '_');
}

static int read_from_environment(const char *name, sl_buf *ret)
{
    const char *value = NULL;
    for (int capitals = 0; !value && capitals < 2; capitals++) {
        sl_buf variable = SL_BUF(512);
        variable_name(name, capitals, &variable);
        value = getenv(variable.data);
        sl_buf_done(&variable);
    }
    if (value) sl_buf_text(ret, value);
    return value != NULL;
}

static int not_found(const char *credentials, const char *folder, const char *name, sl_error *error)
{
    sl_buf variable = SL_BUF(512);
    variable_name(name, true, &variable);
    sl_error_set(error, ENOENT,
                 "the secret \"%s\" is not there; looked in systemd's credentials (%s), in the config's secrets folder (%s) and in the "
                 "environment (%s); put it into one of them",
                 name, credentials ? credentials : "CREDENTIALS_DIRECTORY is not set", folder ? folder : "none is set", variable.data);
    sl_buf_done(&variable);
    return -1;
}

int sl_secret_read(const char *folder, const char *name, sl_buf *ret, sl_error *error)
{
    sl_error own = {0};
    if (!error) error = &own;
    if (!name_is_safe(name))
        return sl_error_set(error, EINVAL,
                            "the secret's name \"%.200s\" must be letters, digits, \"_\", \"-\" and \".\", not beginning with \".\"", name);
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    size_t before = ret->size;
    int found = read_from_folder(credentials, name, ret, error);
    if (!found) found = read_from_folder(folder, name, ret, error);
    if (!found) found = read_from_environment(name, ret);
    if (found < 0) return sl_error_prefix(error, "the secret \"%s\"", name);
    if (!found) return not_found(credentials, folder, name, error);
    if (ret->size > before && ret->data[ret->size - 1] == '\n') ret->data[--ret->size] = 0;
    if (ret->size == before) return sl_error_set(error, EINVAL, "the secret \"%s\" is there but empty; write its value", name);
    error->code = 0;
    error->text[0] = 0;
    return 0;
}
