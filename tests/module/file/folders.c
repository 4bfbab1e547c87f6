#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum { NOBODY = 65534 };

const char *at(const char *path)
{
    static char texts[64][600]; /* enough for one expression's worth */
    static size_t next;
    char *text = texts[next++ % 64];
    if (path[0] == '/') snprintf(text, sizeof texts[0], "%s", path);
    else snprintf(text, sizeof texts[0], "%s/%s", sl_test_folder(), path);
    return text;
}

static void must(bool done, const char *what, const char *path)
{
    if (!done) sl_test_failed(__FILE__, __LINE__, "cannot %s %s: %s", what, path, strerror(errno));
}

void make_folder(const char *path)
{
    char text[600];
    snprintf(text, sizeof text, "%s", at(path));
    for (char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(text, 0755);
        *slash = '/';
    }
    must(mkdir(text, 0755) == 0 || errno == EEXIST, "make", text);
}

void make_fresh(const char *path, const char *text)
{
    char folder[600];
    snprintf(folder, sizeof folder, "%s", at(path));
    *strrchr(folder, '/') = 0;
    make_folder(folder);
    int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write", path);
    close(fd);
}

void set_age(const char *path, long seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= seconds;
    struct timespec times[2] = {now, now};
    must(utimensat(AT_FDCWD, at(path), times, 0) == 0, "set the age of", path);
}

void make_file(const char *path, const char *text)
{
    make_fresh(path, text);
    set_age(path, 3600);
}

void make_link(const char *from, const char *to) { must(link(at(from), at(to)) == 0, "link", to); }

const char *text_of(const char *path)
{
    static char texts[8][100000];
    static size_t next;
    char *text = texts[next++ % 8];
    int fd = open(at(path), O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof texts[0] - 1);
    if (fd >= 0) close(fd);
    if (got < 0) return "(none)";
    text[got] = 0;
    return text;
}

bool exists(const char *path)
{
    struct stat status;
    return lstat(at(path), &status) == 0;
}

size_t count_in(const char *path)
{
    DIR *entries = opendir(at(path));
    size_t count = 0;
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (entries) closedir(entries);
    return count;
}

void change_mode(const char *path, unsigned mode) { must(chmod(at(path), mode) == 0, "change the mode of", path); }
void move_path(const char *from, const char *to) { must(rename(at(from), at(to)) == 0, "rename", from); }
void remove_path(const char *path) { must(remove(at(path)) == 0, "remove", path); }

static bool was_root;

void as_nobody(void)
{
    was_root = geteuid() == 0;
    if (!was_root) return;
    must(chown(sl_test_folder(), NOBODY, NOBODY) == 0, "give away", sl_test_folder());
    must(seteuid(NOBODY) == 0, "become", "nobody");
}

void as_before(void)
{
    if (was_root) must(seteuid(0) == 0, "become", "root");
}

static char other[64];

const char *elsewhere(void)
{
    struct stat here, there;
    snprintf(other, sizeof other, "/dev/shm/sluice-test-XXXXXX");
    if (!mkdtemp(other)) return NULL;
    if (stat(sl_test_folder(), &here) == 0 && stat(other, &there) == 0 && here.st_dev != there.st_dev) return other;
    remove_elsewhere();
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

void remove_elsewhere(void)
{
    if (other[0]) nftw(other, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    other[0] = 0;
}
