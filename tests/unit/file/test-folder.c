/* Folders by descriptor, leases, and what an errno value means. */
#include "file/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "file/failure.h"
#include "file/lease.h"
#include "test.h"

static const char *at(const char *path)
{
    static char texts[8][256];
    static size_t next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "%s/%s", sl_test_folder(), path);
    return text;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

TEST(folders_are_made_when_asked)
{
    CHECK_INT(file_folder_open(at("a/b/c"), false), -1);
    CHECK_INT(errno, ENOENT);
    int root = file_folder_open(at("a/b/c/"), true);
    CHECK(root >= 0);
    CHECK_INT(file_folder_beneath(root, "x/y/", false), -1);
    int below = file_folder_beneath(root, "x//y/", false);
    CHECK_INT(below, -1);
    below = file_folder_beneath(root, "x/y/", true);
    CHECK(below >= 0 && access(at("a/b/c/x/y"), F_OK) == 0);
    close(below);
    close(root);
}

TEST(nothing_leads_above_or_through_links)
{
    int root = file_folder_open(at("root"), true);
    CHECK_INT(symlink("/", at("root/link")), 0);
    write_file("root/file", "x");
    static const char *const wrong[] = {"../", "a/../", "./", "link/", "link/etc/", "file/"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) CHECK_INT(file_folder_beneath(root, wrong[i], true), -1);
    close(root);
}

TEST(a_rename_never_replaces)
{
    int root = file_folder_open(at("r"), true);
    write_file("r/a", "one");
    write_file("r/b", "two");
    CHECK_INT(file_rename_new(root, "a", root, "b"), -1);
    CHECK_INT(errno, EEXIST);
    CHECK_INT(file_rename_new(root, "a", root, "c"), 0);
    CHECK(access(at("r/a"), F_OK) < 0 && access(at("r/c"), F_OK) == 0);
    close(root);
}

TEST(names_for_work_in_progress)
{
    CHECK(file_temporary_valid(".sluice-0123456789abcdef"));
    CHECK(!file_temporary_valid(".sluice-0123456789abcde") && !file_temporary_valid(".sluice-0123456789abcdeg"));
    CHECK(!file_temporary_valid("") && !file_temporary_valid("../../../../../etc/passwd"));
}

TEST(a_lease_sees_writers)
{
    write_file("file", "x");
    int reader = open(at("file"), O_RDONLY), writer = open(at("file"), O_WRONLY);
    CHECK_INT(file_lease_take(reader), FILE_LEASE_WRITER);
    close(writer);
    CHECK_INT(file_lease_take(reader), FILE_LEASE_HELD);
    CHECK(!file_lease_broken(reader));
    writer = open(at("file"), O_WRONLY | O_NONBLOCK);
    CHECK(writer < 0 && errno == EWOULDBLOCK);
    CHECK(file_lease_broken(reader)); /* and this process goes on: the signal is one that nobody dies of */
    file_lease_end(reader);
    close(reader);
}

TEST(errors_have_classes)
{
    sluice_failure failure = {0};
    static const int pass[] = {ENOSPC, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, EAGAIN, ESTALE, EBUSY};
    static const int stay[] = {ENOENT, EACCES, EPERM, EROFS, ENAMETOOLONG, EISDIR, ELOOP, EINVAL, EFBIG};
    for (size_t i = 0; i < SL_COUNT(pass); i++) {
        CHECK_INT(file_refuse(&failure, pass[i], SLUICE_PERMANENT, "write", "/x", "wait"), -1);
        CHECK_INT(failure.class_, SLUICE_TRANSIENT);
    }
    for (size_t i = 0; i < SL_COUNT(stay); i++) {
        file_refuse(&failure, stay[i], SLUICE_CONFIGURATION, "write", "/\xff", "mend it");
        CHECK_INT(failure.class_, SLUICE_CONFIGURATION);
        CHECK_STR(failure.code, strerrorname_np(stay[i]));
        CHECK(strstr(failure.message, "cannot write /%FF: "));
    }
}
