/* Digests of ranges in memory and in files. */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"
#include "s3/hash.h"

static int file_of(const char *text, size_t size)
{
    char *path = sl_asprintf("%s/content", sl_test_folder());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    SL_ASSERT(fd >= 0 && sl_write_all(fd, text, size, 0) == 0);
    free(path);
    return fd;
}

TEST(known_digests)
{
    s3_hash hash = {.data = "hello", .fd = -1, .size = 5, .wants_sha256 = true, .wants_md5 = true};
    s3_hash_run(&hash);
    CHECK_STR(hash.error, "");
    CHECK_STR(hash.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    CHECK_STR(hash.md5, "5d41402abc4b2a76b9719d911017c592");
    hash = (s3_hash){.data = "", .fd = -1, .wants_md5 = true};
    s3_hash_run(&hash);
    CHECK_STR(hash.md5, "d41d8cd98f00b204e9800998ecf8427e");
    CHECK_STR(hash.sha256, "");
}

TEST(a_range_of_a_file_is_as_in_memory)
{
    size_t size = 700001;
    char *data = sl_alloc(size);
    for (size_t i = 0; i < size; i++) data[i] = (char)(i * 7 >> 2);
    int fd = file_of(data, size);
    s3_hash file = {.fd = fd, .offset = 1000, .size = size - 2000, .wants_sha256 = true, .wants_md5 = true};
    s3_hash memory = {.data = data + 1000, .fd = -1, .size = size - 2000, .wants_sha256 = true, .wants_md5 = true};
    s3_hash_run(&file), s3_hash_run(&memory);
    CHECK_STR(file.error, "");
    CHECK_STR(file.sha256, memory.sha256);
    CHECK_STR(file.md5, memory.md5);
    close(fd);
    free(data);
}

TEST(what_cannot_be_hashed)
{
    int fd = file_of("short", 5);
    s3_hash hash = {.fd = fd, .offset = 2, .size = 10, .wants_md5 = true};
    s3_hash_run(&hash);
    CHECK(strstr(hash.error, "ends at byte 3"));
    close(fd);
    s3_hash_run(&hash);
    CHECK(strstr(hash.error, "Bad file descriptor"));
    fd = file_of("enough for it", 13);
    hash = (s3_hash){.fd = fd, .size = 13, .wants_md5 = true, .stop = true};
    s3_hash_run(&hash);
    CHECK_STR(hash.error, "stopped");
    close(fd);
}
