#include "test.h"

#include <errno.h>
#include <unistd.h>

#include "base/sys.h"

static char *in_folder(const char *name) { return sl_asprintf("%s/%s", sl_test_folder(), name); }

TEST(a_file_written_durably_is_read_back)
{
    char *path = in_folder("text");
    sl_error error = {0};
    sl_buf text = SL_BUF(100);
    CHECK_INT(sl_write_file_durably(path, SL_STR("old"), 0600, &error), 0);
    CHECK_INT(sl_write_file_durably(path, SL_STR("hello"), 0600, &error), 0);
    CHECK_INT(sl_read_file(path, 100, &text, &error), 0);
    CHECK_STR(text.data, "hello");
    sl_buf_clear(&text);
    CHECK_INT(sl_read_file(path, 4, &text, &error), -1);
    CHECK_INT(error.code, EFBIG);
    struct stat status;
    CHECK_INT(stat(path, &status), 0);
    CHECK_INT(status.st_mode & 0777, 0600);
    sl_buf_done(&text);
    free(path);
}

TEST(folders_are_made_with_their_parents_and_a_file_in_the_way_is_named)
{
    char *path = in_folder("a/b/c"), *file = in_folder("file"), *below = in_folder("file/x");
    sl_error error = {0};
    CHECK_INT(sl_make_dirs(path, 0700, &error), 0);
    CHECK_INT(sl_make_dirs(path, 0700, &error), 0);
    CHECK_INT(sl_write_file_durably(file, SL_STR("x"), 0600, &error), 0);
    CHECK_INT(sl_make_dirs(below, 0700, &error), -1);
    CHECK(strstr(error.text, "file/x") != NULL);
    free(path), free(file), free(below);
}

TEST(a_missing_file_says_its_name)
{
    sl_buf text = SL_BUF(100);
    sl_error error = {0};
    CHECK_INT(sl_read_file("/nonexistent/x", 100, &text, &error), -1);
    CHECK_INT(error.code, ENOENT);
    CHECK(strstr(error.text, "/nonexistent/x") != NULL);
}

TEST(rename_without_replacing)
{
    char *from = in_folder("from"), *to = in_folder("to");
    sl_error error = {0};
    sl_write_file_durably(from, SL_STR("1"), 0600, &error);
    sl_write_file_durably(to, SL_STR("2"), 0600, &error);
    CHECK_INT(sl_sys_now->rename_noreplace(from, to), -1);
    CHECK_INT(errno, EEXIST);
    unlink(to);
    CHECK_INT(sl_sys_now->rename_noreplace(from, to), 0);
    free(from), free(to);
}

static int write_calls;
static ssize_t short_write(int fd, const void *data, size_t size, off_t offset)
{
    write_calls++;
    if (write_calls % 3 == 1) return errno = EINTR, -1;
    return sl_sys_real.pwrite(fd, data, size > 2 ? 2 : size, offset);
}

TEST(short_writes_and_interruptions_are_gone_on_with)
{
    sl_sys faulty = sl_sys_real;
    faulty.pwrite = short_write;
    sl_sys_now = &faulty;
    char *path = in_folder("short");
    sl_error error = {0};
    sl_buf text = SL_BUF(100);
    CHECK_INT(sl_write_file_durably(path, SL_STR("0123456789"), 0600, &error), 0);
    sl_sys_now = &sl_sys_real;
    CHECK_INT(sl_read_file(path, 100, &text, &error), 0);
    CHECK_STR(text.data, "0123456789");
    CHECK(write_calls > 5);
    sl_buf_done(&text);
    free(path);
}
