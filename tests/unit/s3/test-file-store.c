/* The directory that stands for a store: what is written, what a death in the middle leaves, what is refused. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "s3/file-store.h"

#define EFFECT_1 "11111111-1111-4111-8111-111111111111"
#define EFFECT_2 "22222222-2222-4222-8222-222222222222"

static s3_file_put put_of(const char *key, const char *effect, const char *text)
{
    return (s3_file_put){.folder = sl_test_folder(),
                         .bucket = "bucket",
                         .key = key,
                         .effect = effect,
                         .metadata = "\"Content-Type\":\"text/plain\"",
                         .data = text,
                         .fd = -1,
                         .size = strlen(text),
                         .replace = true};
}

static char *path_of(const char *name) { return sl_asprintf("%s/%s", sl_test_folder(), name); }

static char *content_of(const char *name)
{
    sl_buf text = SL_BUF(1 << 20);
    char *path = path_of(name);
    sl_error error;
    if (sl_read_file(path, 1 << 20, &text, &error) != 0) sl_buf_text(&text, "(none)");
    free(path);
    return sl_buf_take(&text);
}

#define CHECK_CONTENT(name, expected)      \
    do {                                   \
        char *content_ = content_of(name); \
        CHECK_STR(content_, expected);     \
        free(content_);                    \
    } while (0)

static bool is_there(const char *name)
{
    struct stat found;
    char *path = path_of(name);
    bool there = lstat(path, &found) == 0;
    free(path);
    return there;
}

#define METADATA_OF_K \
    ".sluice/objects/bucket/82/8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a.json" /* named by the SHA-256 of "k" */

static void rename_in(const char *from, const char *to)
{
    char *old = path_of(from), *new = path_of(to);
    CHECK_INT(rename(old, new), 0);
    free(old), free(new);
}

static size_t left_in_scratch(void)
{
    char *path = path_of(".sluice/tmp");
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) count += entry->d_name[0] != '.';
    if (folder) closedir(folder);
    free(path);
    return count;
}

TEST(an_object_and_its_metadata)
{
    s3_file_put put = put_of("a/b/c d.txt", EFFECT_1, "hello");
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_WRITTEN);
    CHECK_STR(put.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    CHECK_STR(put.md5, "5d41402abc4b2a76b9719d911017c592");
    CHECK_CONTENT("bucket/a/b/c d.txt", "hello");
    CHECK_INT(left_in_scratch(), 0);
}

TEST(content_from_a_file)
{
    size_t size = 600000;
    char *path = path_of("source"), *data = sl_alloc(size + 1);
    memset(data, 'x', size);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    SL_ASSERT(sl_write_all(fd, data, size, 0) == 0);
    s3_file_put put = put_of("large", EFFECT_1, "");
    put.data = NULL, put.fd = fd, put.offset = 100, put.size = size - 100;
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_WRITTEN);
    CHECK_CONTENT("bucket/large", data + 100);
    put = put_of("larger", EFFECT_2, "");
    put.data = NULL, put.fd = fd, put.size = size + 1;
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_FAILED);
    CHECK_INT(put.failure.class_, SLUICE_TRANSIENT);
    CHECK(!is_there("bucket/larger"));
    CHECK_INT(left_in_scratch(), 0);
    close(fd);
    free(path), free(data);
}

TEST(a_repeat_of_one_effect_writes_nothing)
{
    s3_file_put put = put_of("k", EFFECT_1, "hello");
    s3_file_store_put(&put);
    struct stat first, second;
    char *path = path_of("bucket/k");
    CHECK_INT(stat(path, &first), 0);
    for (int replace = 0; replace < 2; replace++) {
        s3_file_put again = put_of("k", EFFECT_1, "hello");
        again.replace = replace;
        s3_file_store_put(&again);
        CHECK_INT(again.outcome, S3_FILE_WRITTEN);
        CHECK_STR(again.md5, put.md5);
        CHECK_INT(stat(path, &second), 0);
        CHECK_INT(second.st_ino, first.st_ino);
    }
    free(path);
}

TEST(another_object_is_replaced_or_left)
{
    s3_file_put first = put_of("k", EFFECT_1, "first"), second = put_of("k", EFFECT_2, "second");
    s3_file_store_put(&first);
    second.replace = false;
    s3_file_store_put(&second);
    CHECK_INT(second.outcome, S3_FILE_EXISTS);
    CHECK_CONTENT("bucket/k", "first");
    second.replace = true;
    s3_file_store_put(&second);
    CHECK_INT(second.outcome, S3_FILE_WRITTEN);
    CHECK_CONTENT("bucket/k", "second");
    s3_file_put third = put_of("new", EFFECT_1, "third");
    third.replace = false;
    s3_file_store_put(&third);
    CHECK_INT(third.outcome, S3_FILE_WRITTEN);
    CHECK_INT(left_in_scratch(), 0);
}

/* A death between the object's place and its metadata's: the metadata waits, and names the object's inode. */
TEST(a_death_before_the_metadata_has_its_place)
{
    s3_file_put put = put_of("k", EFFECT_1, "hello");
    s3_file_store_put(&put);
    rename_in(METADATA_OF_K, ".sluice/tmp/" EFFECT_1 ".json");
    s3_file_put again = put_of("k", EFFECT_1, "hello");
    again.replace = false; /* it is ours, so it is not in the way */
    s3_file_store_put(&again);
    CHECK_INT(again.outcome, S3_FILE_WRITTEN);
    CHECK_STR(again.sha256, put.sha256);
    CHECK_INT(left_in_scratch(), 0);
}

TEST(a_death_while_writing)
{
    s3_file_put put = put_of("k", EFFECT_1, "hello");
    s3_file_store_put(&put);
    char *path = path_of(".sluice/tmp/" EFFECT_2);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    SL_ASSERT(sl_write_all(fd, "half of it and longer", 21, 0) == 0);
    close(fd), free(path);
    s3_file_put again = put_of("k", EFFECT_2, "whole");
    s3_file_store_put(&again);
    CHECK_INT(again.outcome, S3_FILE_WRITTEN);
    CHECK_CONTENT("bucket/k", "whole");
    CHECK_INT(left_in_scratch(), 0);
}

TEST(an_object_changed_by_hand_is_not_ours)
{
    s3_file_put put = put_of("k", EFFECT_1, "hello");
    s3_file_store_put(&put);
    char *path = path_of("bucket/k.new");
    sl_error error;
    CHECK_INT(sl_write_file_durably(path, SL_STR("HELLO"), 0600, &error), 0);
    free(path);
    rename_in("bucket/k.new", "bucket/k");
    s3_file_put again = put_of("k", EFFECT_1, "hello");
    s3_file_store_put(&again);
    CHECK_INT(again.outcome, S3_FILE_WRITTEN);
    CHECK_CONTENT("bucket/k", "hello");
}

TEST(a_key_beside_another_that_goes_on_below_it)
{
    s3_file_put file = put_of("a", EFFECT_1, "x"), below = put_of("a/b", EFFECT_2, "x");
    s3_file_store_put(&file);
    s3_file_store_put(&below);
    CHECK_INT(below.outcome, S3_FILE_FAILED);
    CHECK_INT(below.failure.class_, SLUICE_PERMANENT);
    s3_file_put deep = put_of("c/d", EFFECT_2, "x"), folder = put_of("c", EFFECT_1, "x");
    s3_file_store_put(&deep);
    s3_file_store_put(&folder);
    CHECK_INT(folder.failure.class_, SLUICE_PERMANENT);
    CHECK_CONTENT("bucket/c/d", "x");
    s3_file_put deeper = put_of("a/b/c/d", EFFECT_2, "x");
    s3_file_store_put(&deeper);
    CHECK_INT(deeper.failure.class_, SLUICE_PERMANENT);
    CHECK_INT(left_in_scratch(), 0);
}

TEST(keys_that_are_no_files_name)
{
    static const char *const wrong[] = {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/."};
    static const char *const right[] = {"a", "a/b", "...", "a/.b", "..a/b.", " ", "\xc3\xa4"};
    sluice_failure failure;
    char long_name[300];
    for (size_t i = 0; i < SL_COUNT(wrong); i++) {
        CHECK(!s3_file_store_key(wrong[i], &failure));
        CHECK_INT(failure.class_, SLUICE_PERMANENT);
    }
    for (size_t i = 0; i < SL_COUNT(right); i++) CHECK(s3_file_store_key(right[i], &failure));
    memset(long_name, 'k', sizeof long_name);
    long_name[255] = 0;
    CHECK(s3_file_store_key(long_name, &failure));
    long_name[255] = 'k', long_name[256] = 0;
    CHECK(!s3_file_store_key(long_name, &failure));
}

TEST(a_directory_that_is_none)
{
    char *path = path_of("file");
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    s3_file_put put = put_of("k", EFFECT_1, "x");
    put.folder = path;
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_FAILED);
    CHECK_INT(put.failure.class_, SLUICE_CONFIGURATION);
    CHECK(strstr(put.failure.message, path));
    put.folder = "/proc/none";
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_FAILED);
    CHECK(put.failure.class_ != SLUICE_PERMANENT);
    free(path);
}

TEST(content_that_is_not_what_it_was)
{
    s3_file_put put = put_of("k", EFFECT_1, "hello");
    put.expected_sha256 = "3cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_FAILED);
    CHECK_INT(put.failure.class_, SLUICE_PERMANENT);
    CHECK_STR(put.failure.code, "ContentChanged");
    CHECK(!is_there("bucket/k"));
}

TEST(stopped)
{
    s3_file_put put = put_of("k", EFFECT_1, "hello");
    put.stop = true;
    s3_file_store_put(&put);
    CHECK_INT(put.outcome, S3_FILE_STOPPED);
    CHECK(!is_there("bucket/k"));
    CHECK_INT(left_in_scratch(), 0);
}
