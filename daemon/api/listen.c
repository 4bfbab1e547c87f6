/* Sockets that listen: the address decides; nothing listens beyond this machine unless its address says so. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/private.h"

enum { BACKLOG = 64 };

static int failed(const char *where, int code, sl_error *error)
{
    if (code == EADDRINUSE)
        return sl_error_set(error, code, "cannot listen on %s: another program does; stop it, or give another address with --http", where);
    return sl_error_set(error, code, "cannot listen on %s: %s", where, strerror(code));
}

/* ---- Unix sockets ---------------------------------------------------------------------------------------------- */

/* A socket's file outlives a process that was killed: nobody answers there, so it may go. */
static bool somebody_answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return true;
    bool answers = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || (errno != ECONNREFUSED && errno != ENOENT);
    close(fd);
    return answers;
}

static int clear_path(const char *where, const struct sockaddr_un *address, sl_error *error)
{
    struct stat status;
    if (lstat(address->sun_path, &status) < 0) return errno == ENOENT ? 0 : failed(where, errno, error);
    if (!S_ISSOCK(status.st_mode))
        return sl_error_set(error, EEXIST, "cannot listen on %s: the path is there and no socket; remove it, or name another", where);
    if (somebody_answers(address)) return failed(where, EADDRINUSE, error);
    return unlink(address->sun_path) < 0 ? failed(where, errno, error) : 0;
}

static int listen_unix(const char *where, sl_listener *ret, sl_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = where + strlen("unix:");
    if (path[0] != '/' || strlen(path) >= sizeof address.sun_path)
        return sl_error_set(error, EINVAL, "cannot listen on %s: expected an absolute path of at most %zu bytes after unix:", where,
                            sizeof address.sun_path - 1);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (clear_path(where, &address, error) < 0) return -1;
    ret->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ret->fd < 0) return failed(where, errno, error);
    /* Before listen nobody can connect: the mode is never wider than it shall be while that matters. */
    if (bind(ret->fd, (struct sockaddr *)&address, sizeof address) < 0) return failed(where, errno, error);
    ret->path = sl_strdup(path);
    if (chmod(path, 0660) < 0 || listen(ret->fd, BACKLOG) < 0) return failed(where, errno, error);
    ret->address = sl_strdup(where);
    return 0;
}

/* ---- TCP ---------------------------------------------------------------------------------------------------------- */

/* "host:port", "[v6]:port". */
static int split(const char *where, char host[256], char port[16], sl_error *error)
{
    const char *colon = strrchr(where, ':'), *begin = where;
    size_t size = colon ? (size_t)(colon - where) : 0;
    if (size > 2 && where[0] == '[' && where[size - 1] == ']') begin++, size -= 2;
    else if (size && memchr(where, ':', size)) size = 0;
    if (!size || size > 255 || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5)
        return sl_error_set(error, EINVAL, "cannot listen on `%s`: expected ADDRESS:PORT like 127.0.0.1:8470, [::1]:8470, or unix:PATH",
                            where);
    snprintf(host, 256, "%.*s", (int)size, begin);
    snprintf(port, 16, "%s", colon + 1);
    return 0;
}

static char *url_of(int fd, const char *host)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char number[NI_MAXHOST], port[NI_MAXSERV] = "";
    getsockname(fd, (struct sockaddr *)&address, &size);
    getnameinfo((struct sockaddr *)&address, size, number, sizeof number, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    return sl_asprintf(strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s", host, port);
}

static int listen_tcp(const char *where, sl_listener *ret, sl_error *error)
{
    char host[256], port[16];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    if (split(where, host, port, error) < 0) return -1;
    int missing = getaddrinfo(host, port, &hints, &found);
    if (missing) return sl_error_set(error, EINVAL, "cannot listen on %s: %s", where, gai_strerror(missing));
    int on = 1, code = 0;
    ret->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ret->fd < 0 || setsockopt(ret->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(ret->fd, found->ai_addr, found->ai_addrlen) < 0 || listen(ret->fd, BACKLOG) < 0)
        code = errno;
    freeaddrinfo(found);
    if (code) return failed(where, code, error);
    ret->address = url_of(ret->fd, host);
    return 0;
}

int sl_listen(const char *where, sl_listener *ret, sl_error *error)
{
    ret->fd = -1;
    return strncmp(where, "unix:", 5) == 0 ? listen_unix(where, ret, error) : listen_tcp(where, ret, error);
}
