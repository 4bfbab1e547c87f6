/* Files are copied as far as is wanted, with their time and holes; what fails in the middle leaves nothing. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/sys.h"

static char *in(const char *name) { return sl_asprintf("%s/%s", sl_test_folder(), name); }

static char *make(const char *name, size_t size, char filling)
{
    char *path = in(name), *data = sl_alloc(size + 1);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    memset(data, filling, size);
    CHECK_INT(sl_write_all(fd, data, size, 0), 0);
    struct timespec times[2] = {{1000, 5}, {1000, 5}};
    CHECK_INT(futimens(fd, times), 0);
    close(fd);
    free(data);
    return path;
}

static sl_copier plain(void) { return (sl_copier){.no_clones = true}; }

static bool exists(const char *path) { return access(path, F_OK) == 0; }

TEST(a_file_is_copied_as_far_as_is_wanted)
{
    sl_copier copier = plain();
    sl_error error = {0};
    sl_buf text = SL_BUF(10 << 20);
    char *from = make("from", 5000000, 'x'), *to = in("to");
    struct stat status;
    CHECK_INT(sl_copy_file(&copier, from, to, 4999999, &error), 0);
    CHECK_INT(sl_read_file(to, 10 << 20, &text, &error), 0);
    CHECK_INT(text.size, 4999999);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != 'x') {
            CHECK(!"a byte differs");
            break;
        }
    CHECK_INT(stat(to, &status), 0);
    CHECK_INT(status.st_mode & 0777, 0600);
    CHECK_INT(status.st_mtim.tv_sec, 1000);
    CHECK_INT(status.st_mtim.tv_nsec, 5);
    CHECK_INT(copier.files, 1);
    CHECK_INT(copier.bytes, 4999999);
    CHECK_INT(sl_copy_file(&copier, from, to, UINT64_MAX, &error), -1); /* it is there */
    CHECK_INT(error.code, EEXIST);
    CHECK_INT(sl_copy_file(&copier, "/nowhere/at/all", to, UINT64_MAX, &error), -1);
    CHECK_INT(error.code, ENOENT);
    sl_buf_done(&text);
    free(from);
    free(to);
}

TEST(what_is_zero_takes_no_room_and_is_counted_as_none)
{
    sl_copier copier = plain();
    sl_error error = {0};
    char *from = make("from", 100000, 'x'), *to = in("to");
    struct stat status;
    CHECK_INT(truncate(from, 64 << 20), 0);
    copier.counting = true;
    CHECK_INT(sl_copy_file(&copier, from, to, UINT64_MAX, &error), 0);
    CHECK(!exists(to));
    CHECK(copier.expected < 1 << 20);
    CHECK_INT(copier.expected_files, 1);
    copier.counting = false;
    CHECK_INT(sl_copy_file(&copier, from, to, UINT64_MAX, &error), 0);
    CHECK_INT(stat(to, &status), 0);
    CHECK_INT(status.st_size, 64 << 20);
    CHECK(status.st_blocks * 512 < 1 << 20);
    free(from);
    free(to);
}

TEST(what_is_never_written_again_is_linked)
{
    sl_copier copier = plain();
    sl_error error = {0};
    struct stat status;
    char *from = make("from", 1000, 'x'), *to = in("to"), *copy = in("copy");
    sl_copier_begin(&copier, sl_test_folder(), sl_test_folder());
    CHECK(copier.links);
    CHECK_INT(sl_copy_link(&copier, from, to, &error), 0);
    CHECK_INT(stat(to, &status), 0);
    CHECK_INT(status.st_nlink, 2);
    CHECK_INT(copier.linked, 1);
    sl_copier_begin(&copier, sl_test_folder(), "/proc");
    CHECK(!copier.links);
    CHECK_INT(sl_copy_link(&copier, from, copy, &error), 0);
    CHECK_INT(stat(copy, &status), 0);
    CHECK_INT(status.st_nlink, 1);
    CHECK_INT(copier.linked, 1);
    CHECK_INT(copier.files, 2);
    free(from);
    free(to);
    free(copy);
}

/* ---- what fails ----------------------------------------------------------------------------------------------------- */

static int writes_left, code;
static ssize_t failing_write(int fd, const void *data, size_t size, off_t offset)
{
    if (writes_left-- > 0) return sl_sys_real.pwrite(fd, data, size, offset);
    errno = code;
    return -1;
}
static int failing_sync(int fd)
{
    (void)fd;
    errno = code;
    return -1;
}

static void with(const sl_sys *sys, int expected)
{
    sl_copier copier = plain();
    sl_error error = {0};
    char *from = make("from", 5000000, 'x'), *to = in("to");
    sl_sys_now = sys;
    CHECK_INT(sl_copy_file(&copier, from, to, UINT64_MAX, &error), -1);
    sl_sys_now = &sl_sys_real;
    CHECK_INT(error.code, expected);
    CHECK(strstr(error.text, "to: "));
    CHECK(!exists(to));
    CHECK_INT(copier.files, 0);
    free(from);
    free(to);
}

TEST(a_disk_that_becomes_full_leaves_nothing)
{
    sl_sys sys = sl_sys_real;
    sys.pwrite = failing_write;
    for (writes_left = 0; writes_left < 60; writes_left += 7) {
        int left = writes_left;
        code = ENOSPC;
        with(&sys, ENOSPC);
        writes_left = left;
    }
}

TEST(a_sync_that_fails_is_told)
{
    sl_sys sys = sl_sys_real;
    sys.fsync = failing_sync;
    code = EIO;
    with(&sys, EIO);
}

static bool stop_at_third(void *context) { return ++*(int *)context == 3; }

TEST(it_can_be_given_up_between_two_pieces)
{
    int calls = 0;
    sl_copier copier = {.no_clones = true, .pause = stop_at_third, .context = &calls};
    sl_error error = {0};
    char *from = make("from", 5000000, 'x'), *to = in("to");
    CHECK_INT(sl_copy_file(&copier, from, to, UINT64_MAX, &error), -1);
    CHECK_INT(error.code, ECANCELED);
    CHECK_INT(calls, 3);
    CHECK(!exists(to));
    free(from);
    free(to);
}

TEST(room_is_looked_at)
{
    sl_copier copier = {.expected = 1};
    sl_error error = {0};
    CHECK_INT(sl_copier_room(&copier, sl_test_folder(), &error), 0);
    copier.expected = UINT64_MAX / 2;
    CHECK_INT(sl_copier_room(&copier, sl_test_folder(), &error), -1);
    CHECK_INT(error.code, ENOSPC);
}

TEST(a_tree_is_removed)
{
    sl_error error = {0};
    char *top = in("top"), *below = in("top/below"), *link = in("top/link");
    CHECK_INT(sl_make_dirs(below, 0700, &error), 0);
    char *kept = make("kept", 10, 'x');
    free(make("top/below/file", 10, 'x'));
    CHECK_INT(symlink(kept, link), 0);
    CHECK_INT(sl_remove_tree(top, &error), 0);
    CHECK(!exists(top));
    CHECK(exists(kept));
    CHECK_INT(sl_remove_tree(top, &error), 0); /* again */
    free(top);
    free(below);
    free(link);
    free(kept);
}
