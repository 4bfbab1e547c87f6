/* Secrets: the three places in their order, one newline dropped, and what is said when there is none. */
#include "test.h"

#include <errno.h>

#include "base/sys.h"
#include "engine/secrets.h"

static char *place(const char *folder, const char *name, const char *text)
{
    char *path = sl_asprintf("%s/%s", sl_test_folder(), folder), *file = sl_asprintf("%s/%s", path, name);
    CHECK_INT(sl_make_dirs(path, 0700, NULL), 0);
    CHECK_INT(sl_write_file_durably(file, sl_str_of(text), 0600, NULL), 0);
    free(file);
    return path;
}

static void check_secret(const char *folder, const char *name, const char *expected)
{
    sl_buf found = SL_BUF(100000);
    sl_error error = {0};
    CHECK_INT(sl_secret_read(folder, name, &found, &error), 0);
    CHECK_STR(found.data, expected);
    CHECK_INT(found.size, strlen(expected));
    sl_buf_done(&found);
}

static void check_refused(const char *folder, const char *name, int code, const char *expected)
{
    sl_buf found = SL_BUF(100000);
    sl_error error = {0};
    CHECK_INT(sl_secret_read(folder, name, &found, &error), -1);
    CHECK_INT(error.code, code);
    if (!strstr(error.text, expected)) sl_test_failed(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", error.text, expected);
    sl_buf_done(&found);
}

TEST(credentials_then_folder_then_environment)
{
    char *credentials = place("credentials", "key", "from credentials"), *folder = place("folder", "key", "from folder");
    setenv("CREDENTIALS_DIRECTORY", credentials, 1);
    setenv("SLUICE_SECRET_key", "from variable", 1);
    check_secret(folder, "key", "from credentials");
    unsetenv("CREDENTIALS_DIRECTORY");
    check_secret(folder, "key", "from folder");
    check_secret(NULL, "key", "from variable");
    unsetenv("SLUICE_SECRET_key");
    setenv("SLUICE_SECRET_MY_KEY_2", "in capitals", 1);
    check_secret(folder, "my-key.2", "in capitals");
    unsetenv("SLUICE_SECRET_MY_KEY_2");
    free(credentials);
    free(folder);
}

TEST(one_newline_is_dropped)
{
    char *folder = place("folder", "one", "a b\n");
    free(place("folder", "two", "a\n\n"));
    check_secret(folder, "one", "a b");
    check_secret(folder, "two", "a\n");
    free(folder);
}

TEST(says_where_it_looked)
{
    char *folder = place("folder", "empty", "\n");
    check_refused(folder, "b2_key", ENOENT, "CREDENTIALS_DIRECTORY is not set");
    check_refused(folder, "b2_key", ENOENT, folder);
    check_refused(NULL, "b2_key", ENOENT, "SLUICE_SECRET_B2_KEY");
    check_refused(folder, "empty", EINVAL, "there but empty");
    check_refused(folder, "../etc/passwd", EINVAL, "must be letters");
    check_refused(folder, ".hidden", EINVAL, "must be letters");
    free(folder);
}
