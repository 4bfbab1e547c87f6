/* libcurl's sockets and timer on the event loop.
 *
 * libcurl changes its interest in a socket several times while it handles one event, and each change told
 * to the loop is up to two system calls. So changes are only noted, and applied once a turn, in the prepare
 * phase. For the same reason an idle connection stays watched for reading: the next request on it will
 * want just that; should it become readable while nobody wants it, it is let go.
 */
#include "net/private.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static sl_http_socket *find(sl_http *http, curl_socket_t fd)
{
    return fd >= 0 && (size_t)fd < http->socket_capacity ? http->sockets[fd] : NULL;
}

static void remember(sl_http *http, sl_http_socket *socket)
{
    size_t old = http->socket_capacity, at = (size_t)socket->fd;
    if (at >= old) {
        http->socket_capacity = SL_MAX(at + 1, SL_MAX(old * 2, (size_t)64));
        http->sockets = sl_realloc(http->sockets, http->socket_capacity * sizeof *http->sockets);
        memset(http->sockets + old, 0, (http->socket_capacity - old) * sizeof *http->sockets);
    }
    http->sockets[at] = socket;
}

static void note_change(sl_http *http, curl_socket_t fd)
{
    http->changed = sl_grow(http->changed, http->changed_count, &http->changed_capacity, sizeof *http->changed);
    http->changed[http->changed_count++] = fd;
    sl_http_wake(http);
}

static sl_http_socket *watch_socket(sl_http *http, curl_socket_t fd, bool ours)
{
    sl_http_socket *socket = SL_NEW(sl_http_socket);
    socket->http = http, socket->fd = fd, socket->ours = ours;
    if (uv_poll_init_socket(http->loop, &socket->poll, fd) != 0) {
        free(socket);
        return NULL;
    }
    http->open_handles++;
    remember(http, socket);
    return socket;
}

static void socket_gone(uv_handle_t *handle)
{
    sl_http_socket *socket = SL_CONTAINER(handle, sl_http_socket, poll);
    sl_http *http = socket->http;
    free(socket);
    sl_http_handle_closed(http);
}

static void let_go(sl_http *http, sl_http_socket *socket)
{
    http->sockets[socket->fd] = NULL;
    uv_close((uv_handle_t *)&socket->poll, socket_gone);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    if (!watch_socket(context, fd, true)) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

/* The loop must forget the descriptor before its number can come back as another socket. */
static int close_socket(void *context, curl_socket_t fd)
{
    sl_http *http = context;
    sl_http_socket *socket = find(http, fd);
    if (socket) let_go(http, socket);
    return close(fd);
}

void sl_http_socket_options(sl_http *http, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
}

int sl_http_on_interest(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)easy, (void)unused;
    sl_http *http = context;
    sl_http_socket *socket = find(http, fd);
    if (what == CURL_POLL_REMOVE) {
        if (!socket) return 0;
        /* The resolver closes its own descriptors without asking: they cannot wait for the turn's end. */
        if (!socket->ours) let_go(http, socket);
        else socket->wanted = 0, note_change(http, fd);
        return 0;
    }
    if (!socket && !(socket = watch_socket(http, fd, false))) return -1;
    socket->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (socket->wanted != socket->applied) note_change(http, fd);
    return 0;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    sl_http_socket *socket = SL_CONTAINER(poll, sl_http_socket, poll);
    sl_http *http = socket->http;
    if (!socket->wanted) { /* an idle connection that the server closed: libcurl looks before it reuses one */
        uv_poll_stop(poll);
        socket->applied = 0;
        return;
    }
    int running, action = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    if (status < 0) action = CURL_CSELECT_ERR;
    curl_multi_socket_action(http->multi, socket->fd, action, &running); /* may free `socket` */
    sl_http_collect(http);
}

static void apply(sl_http_socket *socket)
{
    if (socket->wanted == socket->applied) return;
    if (!socket->wanted && socket->applied == UV_READABLE) return;
    if (socket->wanted) uv_poll_start(&socket->poll, socket->wanted, on_event);
    else uv_poll_stop(&socket->poll);
    socket->applied = socket->wanted;
}

void sl_http_apply_interest(sl_http *http)
{
    for (size_t i = 0; i < http->changed_count; i++) {
        sl_http_socket *socket = find(http, http->changed[i]);
        if (socket) apply(socket);
    }
    http->changed_count = 0;
}

static void on_due(uv_timer_t *timer)
{
    sl_http *http = timer->data;
    http->due = true; /* the prepare phase of this turn does it */
}

int sl_http_on_timer(CURLM *multi, long milliseconds, void *context)
{
    (void)multi;
    sl_http *http = context;
    uv_timer_stop(&http->timer);
    http->due = milliseconds == 0;
    if (milliseconds == 0) sl_http_wake(http);
    if (milliseconds <= 0) return 0;
    /* The loop's time is that of the turn's start; a timer based on it would come early. */
    uv_update_time(http->loop);
    uv_timer_start(&http->timer, on_due, (uint64_t)milliseconds, 0);
    return 0;
}
