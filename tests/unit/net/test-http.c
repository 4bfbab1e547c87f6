/* The HTTP client against a server of this file's own: a thread a connection, plain sockets, and a behaviour
 * for each path. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"
#include "net/http.h"

/* ---- the server ------------------------------------------------------------------------------- */

#define CONNECTIONS_MOST 256

static struct server {
    int listener, port, stop[2]; /* a pipe that becomes readable when all must end */
    pthread_t acceptor, connections[CONNECTIONS_MOST];
    int fds[CONNECTIONS_MOST];
    atomic_int opened, requests, active, most_active, expects, stray_types;
} server;

typedef struct incoming {
    char head[16384];
    size_t size; /* bytes in head, those of the body that came along included */
    size_t head_size;
    char path[256], method[16];
    uint64_t length; /* of the body */
    uint32_t crc;
} incoming;

/* Waits for the socket or the end of the test; false: end. */
static bool ready(int fd, short events)
{
    struct pollfd wait[2] = {{fd, events, 0}, {server.stop[0], POLLIN, 0}};
    while (poll(wait, 2, -1) < 0 && errno == EINTR) {}
    return !wait[1].revents;
}

static void pause_ms(int milliseconds)
{
    struct pollfd wait = {server.stop[0], POLLIN, 0};
    poll(&wait, 1, milliseconds);
}

static void reply(int fd, const char *text)
{
    size_t size = strlen(text);
    while (size) {
        ssize_t wrote = send(fd, text, size, MSG_NOSIGNAL);
        if (wrote <= 0) return;
        text += wrote, size -= (size_t)wrote;
    }
}

static const char *header_of(const incoming *in, const char *name)
{
    for (const char *line = in->head; (line = strstr(line, "\r\n"));)
        if (line += 2, strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') return line + strlen(name) + 1;
    return NULL;
}

static bool read_head(int fd, incoming *in)
{
    memset(in, 0, sizeof *in);
    char *end = NULL;
    while (!end) {
        if (in->size + 1 >= sizeof in->head || !ready(fd, POLLIN)) return false;
        ssize_t got = recv(fd, in->head + in->size, sizeof in->head - 1 - in->size, 0);
        if (got <= 0) return false;
        in->size += (size_t)got;
        end = memmem(in->head, in->size, "\r\n\r\n", 4);
    }
    in->head_size = (size_t)(end - in->head) + 4;
    end[3] = 0;
    sscanf(in->head, "%15s %255s", in->method, in->path);
    const char *length = header_of(in, "Content-Length");
    in->length = length ? strtoull(length, NULL, 10) : 0;
    if (header_of(in, "Expect")) server.expects++;
    const char *type = header_of(in, "Content-Type");
    if (type && strstr(type, "urlencoded")) server.stray_types++;
    return true;
}

/* Reads up to `most` bytes of the body. */
static bool read_body(int fd, incoming *in, uint64_t most)
{
    char data[65536];
    size_t early = in->size - in->head_size;
    in->crc = sl_crc32c(0, in->head + in->head_size, early);
    for (uint64_t have = early; have < SL_MIN(in->length, most);) {
        if (!ready(fd, POLLIN)) return false;
        ssize_t got = recv(fd, data, SL_MIN(sizeof data, in->length - have), 0);
        if (got <= 0) return false;
        in->crc = sl_crc32c(in->crc, data, (size_t)got);
        have += (uint64_t)got;
    }
    return true;
}

static void ok(int fd, const incoming *in)
{
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nETag:  \"%08x\" \r\nX-Method: %s\r\nX-Path: %s\r\nContent-Length: 4\r\n\r\ndone",
             in->crc, in->method, in->path);
    reply(fd, text);
}

static void abort_connection(int fd)
{
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void slow(int fd, const incoming *in)
{
    (void)in;
    reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
    for (int i = 0; i < 6; i++) pause_ms(20), reply(fd, " ");
}

static void big(int fd)
{
    char block[4097] = {0};
    memset(block, 'x', 4096);
    reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 409600\r\n\r\n");
    for (int i = 0; i < 100; i++) reply(fd, block);
}

/* One request; false: the connection is over. */
static bool answer(int fd, incoming *in, int nth)
{
    const char *path = in->path;
    if (strncmp(path, "/stall", 6) == 0 || strncmp(path, "/hang", 5) == 0) return ready(-1, 0);
    if (strncmp(path, "/reset", 6) == 0) return read_body(fd, in, 100000), abort_connection(fd), false;
    if (strncmp(path, "/stale", 6) == 0 && nth > 1) return false;
    if (strncmp(path, "/early", 6) == 0)
        return reply(fd, "HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), pause_ms(100), false;
    if (strncmp(path, "/continue", 9) == 0) reply(fd, "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
    if (!read_body(fd, in, UINT64_MAX)) return false;
    if (strncmp(path, "/slow", 5) == 0) slow(fd, in);
    else if (strncmp(path, "/big", 4) == 0) big(fd);
    else if (strncmp(path, "/503", 4) == 0) reply(fd, "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    else if (strncmp(path, "/mute", 5) == 0) reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab"), ready(-1, 0);
    else if (strncmp(path, "/garbage", 8) == 0) return reply(fd, "\x01\x02 what is this\r\n\r\n"), false;
    else ok(fd, in);
    return true;
}

static void *serve(void *argument)
{
    int fd = *(int *)argument;
    incoming *in = SL_NEW(incoming);
    for (int nth = 1; read_head(fd, in); nth++) {
        server.requests++;
        int active = ++server.active;
        if (active > server.most_active) server.most_active = active;
        bool more = answer(fd, in, nth);
        server.active--;
        if (!more) break;
    }
    free(in);
    close(fd);
    return NULL;
}

static void *accept_all(void *unused)
{
    (void)unused;
    while (ready(server.listener, POLLIN)) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC), at = server.opened;
        if (fd < 0) continue;
        SL_ASSERT(at < CONNECTIONS_MOST);
        server.fds[at] = fd;
        server.opened++;
        pthread_create(&server.connections[at], NULL, serve, &server.fds[at]);
    }
    return NULL;
}

static void server_start(void)
{
    memset(&server, 0, sizeof server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int small = 8192;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); /* so that a stall is one soon */
    SL_ASSERT(bind(server.listener, (struct sockaddr *)&address, size) == 0 && listen(server.listener, 128) == 0);
    getsockname(server.listener, (struct sockaddr *)&address, &size);
    server.port = ntohs(address.sin_port);
    SL_ASSERT(pipe2(server.stop, O_CLOEXEC) == 0);
    pthread_create(&server.acceptor, NULL, accept_all, NULL);
}

static void server_stop(void)
{
    SL_ASSERT(write(server.stop[1], "", 1) == 1);
    pthread_join(server.acceptor, NULL);
    for (int i = 0; i < server.opened; i++) pthread_join(server.connections[i], NULL);
    close(server.listener), close(server.stop[0]), close(server.stop[1]);
}

/* ---- the client's side ---------------------------------------------------------------------------- */

typedef struct exchange {
    sl_http_request *request;
    int done, status;
    char error[256], body[64], etag[64], method[16], path[256], retry_after[16], early[8];
    bool connected, configuration, cancelled;
    uint64_t bytes_sent;
    uint32_t crc;
    uint64_t seen;
    int rewinds;
} exchange;

static uv_loop_t loop;
static sl_http *http;
static bool inside_submit;
static int closed_calls;

static void keep(char *text, size_t size, sl_str view) { snprintf(text, size, "%.*s", SL_STR_ARGS(view)); }

static void on_done(void *context, const sl_http_reply *found, sl_http_request *request)
{
    exchange *own = context;
    CHECK(!inside_submit);
    own->done++;
    own->status = found->status, own->connected = found->connected;
    own->configuration = found->configuration, own->cancelled = found->cancelled, own->bytes_sent = found->bytes_sent;
    snprintf(own->error, sizeof own->error, "%s", found->error ? found->error : "");
    keep(own->body, sizeof own->body, found->body);
    keep(own->etag, sizeof own->etag, sl_http_header(request, "etag"));
    keep(own->method, sizeof own->method, sl_http_header(request, "X-METHOD"));
    keep(own->path, sizeof own->path, sl_http_header(request, "x-path"));
    keep(own->retry_after, sizeof own->retry_after, sl_http_header(request, "Retry-After"));
    keep(own->early, sizeof own->early, sl_http_header(request, "X-Early"));
    CHECK(sl_http_header(request, "x-pat").data == NULL);
}

static void on_sent(void *context, const void *data, size_t size)
{
    exchange *own = context;
    if (!data) own->rewinds++, own->crc = 0, own->seen = 0;
    else own->crc = sl_crc32c(own->crc, data, size), own->seen += size;
}

static void on_closed(void *context)
{
    CHECK(context == &server);
    closed_calls++;
}

static void begin(const sl_http_options *options)
{
    sl_error error;
    server_start();
    uv_loop_init(&loop);
    CHECK_INT(sl_http_new(&loop, options, &http, &error), 0);
}

static void end(void)
{
    closed_calls = 0;
    sl_http_close(http, on_closed, &server);
    CHECK_INT(closed_calls, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(closed_calls, 1);
    CHECK_INT(uv_loop_close(&loop), 0);
    server_stop();
}

static void submit(exchange *own, const char *method, const char *path, sl_http_call call)
{
    char url[300];
    sl_error error;
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    call.method = method, call.url = url;
    if (call.body.data || call.body.size == 0) call.body.fd = -1;
    call.body.sent = on_sent, call.body.sent_context = own;
    inside_submit = true;
    CHECK_INT(sl_http_submit(http, &call, on_done, own, &own->request, &error), 0);
    inside_submit = false;
    memset(url, '#', sizeof url - 1); /* the client has copies */
}

static void finish(const exchange *exchanges, int count)
{
    for (int i = 0; i < count; i++)
        while (!exchanges[i].done && uv_run(&loop, UV_RUN_ONCE)) {}
}

static sl_http_call with_text(const char *text) { return (sl_http_call){.body = {.data = text, .size = strlen(text)}}; }

static uint32_t crc_of(const char *text) { return sl_crc32c(0, text, strlen(text)); }

static int make_file(size_t size, uint32_t *crc)
{
    char path[256];
    snprintf(path, sizeof path, "%s/body", sl_test_folder());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    unsigned char *data = sl_alloc(size);
    for (size_t i = 0; i < size; i++) data[i] = (unsigned char)(i * 2654435761U >> 13);
    SL_ASSERT(sl_write_all(fd, data, size, 0) == 0);
    *crc = sl_crc32c(0, data, size);
    free(data);
    return fd;
}

/* ---- tests ------------------------------------------------------------------------------------------- */

TEST(a_put_from_memory)
{
    begin(NULL);
    exchange own = {0};
    submit(&own, "PUT", "/a/../b%2Fc/./d", with_text("hello"));
    finish(&own, 1);
    char etag[16];
    snprintf(etag, sizeof etag, "\"%08x\"", crc_of("hello"));
    CHECK_INT(own.status, 200);
    CHECK_STR(own.etag, etag);
    CHECK_STR(own.method, "PUT");
    CHECK_STR(own.path, "/a/../b%2Fc/./d"); /* as it is */
    CHECK_STR(own.body, "done");
    CHECK_STR(own.error, "");
    CHECK_INT(own.seen, 5);
    CHECK_INT(own.crc, crc_of("hello"));
    CHECK_INT(own.bytes_sent, 5);
    CHECK_INT(server.expects, 0);
    CHECK_INT(server.stray_types, 0);
    end();
}

TEST(methods_without_a_body)
{
    begin(NULL);
    exchange own[5] = {0};
    const char *methods[] = {"GET", "DELETE", "POST", "PUT", "HEAD"};
    for (int i = 0; i < 4; i++) { /* HEAD's reply must have no body, which this server would send */
        submit(&own[i], methods[i], "/x?uploads=", (sl_http_call){0});
        finish(&own[i], 1);
        CHECK_INT(own[i].status, 200);
        CHECK_STR(own[i].method, methods[i]);
        CHECK_STR(own[i].path, "/x?uploads=");
    }
    CHECK_INT(server.opened, 1); /* one connection for all */
    submit(&own[4], "HEAD", "/503", (sl_http_call){0});
    finish(&own[4], 1);
    CHECK_INT(own[4].status, 503);
    end();
}

TEST(a_large_file_is_seen_once_and_arrives_whole)
{
    for (int round = 0; round < 2; round++) {
        sl_http_options options = {.connections = round ? 4 : 32};
        uint32_t crc;
        int fd = make_file(5000001, &crc);
        begin(&options);
        exchange own = {0};
        submit(&own, "PUT", "/file", (sl_http_call){.body = {.fd = fd, .size = 5000001}});
        finish(&own, 1);
        char etag[16];
        snprintf(etag, sizeof etag, "\"%08x\"", crc);
        CHECK_INT(own.status, 200);
        CHECK_STR(own.etag, etag);
        CHECK_INT(own.crc, crc);
        CHECK_INT(own.seen, 5000001);
        CHECK_INT(own.bytes_sent, 5000001);
        CHECK_INT(own.rewinds, 0);
        CHECK_INT(server.expects, 0);
        end();
        close(fd);
    }
}

TEST(a_range_of_a_file)
{
    uint32_t crc;
    int fd = make_file(300000, &crc);
    char *part = sl_alloc(100000);
    CHECK_INT(sl_read_full(fd, part, 100000, 150000), 100000);
    begin(NULL);
    exchange own = {0};
    submit(&own, "PUT", "/part", (sl_http_call){.body = {.fd = fd, .offset = 150000, .size = 100000}});
    finish(&own, 1);
    char etag[16];
    snprintf(etag, sizeof etag, "\"%08x\"", sl_crc32c(0, part, 100000));
    CHECK_STR(own.etag, etag);
    free(part);
    end();
    close(fd);
}

TEST(a_file_that_was_cut_short_is_an_error)
{
    uint32_t crc;
    int fd = make_file(200000, &crc);
    begin(NULL);
    exchange own = {0};
    submit(&own, "PUT", "/cut", (sl_http_call){.body = {.fd = fd, .size = 300000}});
    finish(&own, 1);
    CHECK_INT(own.status, 0);
    CHECK(strstr(own.error, "of 300000"));
    CHECK(!own.configuration);
    end();
    close(fd);
}

TEST(more_requests_than_connections_wait_in_order)
{
    sl_http_options options = {.connections = 3};
    begin(&options);
    exchange own[40] = {0};
    for (int i = 0; i < 40; i++) submit(&own[i], "PUT", i < 4 ? "/slow" : "/a", with_text("x"));
    finish(own, 40);
    for (int i = 0; i < 40; i++) {
        CHECK_INT(own[i].done, 1);
        CHECK_INT(own[i].status, 200);
    }
    CHECK(server.most_active <= 3);
    CHECK(server.opened <= 3);
    CHECK_INT(server.requests, 40);
    end();
}

TEST(a_slow_reply_of_blanks_is_waited_for)
{
    sl_http_options options = {.stall_timeout_us = 30 * SL_MILLISECOND};
    begin(&options);
    exchange own = {0};
    submit(&own, "POST", "/slow", with_text("x"));
    finish(&own, 1);
    CHECK_INT(own.status, 200);
    CHECK_STR(own.body, "      ");
    end();
}

TEST(a_reset_in_mid_body)
{
    uint32_t crc;
    int fd = make_file(8000000, &crc);
    begin(NULL);
    exchange own = {0};
    submit(&own, "PUT", "/reset", (sl_http_call){.body = {.fd = fd, .size = 8000000}});
    finish(&own, 1);
    CHECK_INT(own.done, 1);
    CHECK_INT(own.status, 0);
    CHECK(own.connected);
    CHECK(!own.configuration);
    CHECK(own.error[0]);
    CHECK_INT(server.requests, 1); /* not repeated */
    end();
    close(fd);
}

TEST(a_kept_connection_that_dies_is_not_repeated)
{
    begin(NULL);
    exchange own[2] = {0};
    submit(&own[0], "POST", "/stale?uploads", with_text("1"));
    finish(&own[0], 1);
    CHECK_INT(own[0].status, 200);
    submit(&own[1], "POST", "/stale?uploads", with_text("2"));
    finish(&own[1], 1);
    CHECK_INT(own[1].status, 0);
    CHECK(own[1].connected);
    CHECK_STR(own[1].error, "the connection broke after the request was sent");
    CHECK_INT(server.requests, 2);
    end();
}

TEST(after_503_the_connection_is_not_used_again)
{
    begin(NULL);
    exchange own[2] = {0};
    submit(&own[0], "PUT", "/503", with_text("1"));
    finish(&own[0], 1);
    CHECK_INT(own[0].status, 503);
    CHECK_STR(own[0].retry_after, "7");
    submit(&own[1], "PUT", "/a", with_text("1"));
    finish(&own[1], 1);
    CHECK_INT(own[1].status, 200);
    CHECK_INT(server.opened, 2);
    end();
}

TEST(a_fresh_connection_and_expect_for_a_large_repeat)
{
    uint32_t crc;
    int fd = make_file(2000000, &crc);
    begin(NULL);
    exchange own[3] = {0};
    submit(&own[0], "PUT", "/a", with_text("1"));
    finish(&own[0], 1);
    submit(&own[1], "PUT", "/continue", (sl_http_call){.body = {.fd = fd, .size = 2000000}, .fresh_connection = true});
    finish(&own[1], 1);
    CHECK_INT(own[1].status, 200);
    CHECK_INT(own[1].crc, crc);
    CHECK_STR(own[1].early, ""); /* headers of the 100 are not the reply's */
    CHECK_INT(server.expects, 1);
    CHECK_INT(server.opened, 2);
    submit(&own[2], "PUT", "/a", (sl_http_call){.body = {.data = "x", .size = 1}, .fresh_connection = true});
    finish(&own[2], 1);
    CHECK_INT(server.expects, 1);
    CHECK_INT(server.opened, 3);
    end();
    close(fd);
}

TEST(a_refusal_before_the_body_was_read)
{
    uint32_t crc;
    int fd = make_file(8000000, &crc);
    begin(NULL);
    exchange own = {0};
    submit(&own, "PUT", "/early", (sl_http_call){.body = {.fd = fd, .size = 8000000}});
    finish(&own, 1);
    CHECK_INT(own.done, 1);
    CHECK(own.status == 403 || (own.status == 0 && own.error[0])); /* whether the reply outruns the reset is the kernel's */
    CHECK(own.bytes_sent < 8000000);
    end();
    close(fd);
}

TEST(a_server_that_takes_no_bytes_is_a_stall)
{
    sl_http_options options = {.stall_timeout_us = 400 * SL_MILLISECOND};
    uint32_t crc;
    int fd = make_file(30000000, &crc);
    begin(&options);
    exchange own = {0};
    submit(&own, "PUT", "/stall", (sl_http_call){.body = {.fd = fd, .size = 30000000}});
    finish(&own, 1);
    CHECK_INT(own.status, 0);
    CHECK(strstr(own.error, "the server took no byte for 400ms"));
    CHECK(own.connected);
    end();
    close(fd);
}

TEST(a_server_that_never_answers)
{
    sl_http_options options = {.stall_timeout_us = 50 * SL_MILLISECOND, .reply_timeout_us = 400 * SL_MILLISECOND};
    begin(&options);
    exchange own[3] = {0};
    submit(&own[0], "PUT", "/hang", with_text("x"));
    submit(&own[1], "PUT", "/mute", with_text("x"));
    submit(&own[2], "PUT", "/hang", (sl_http_call){.body = {.data = "x", .size = 1}, .timeout_us = 100 * SL_MILLISECOND});
    finish(own, 3);
    CHECK_STR(own[0].error, "no reply came for 400ms");
    CHECK_STR(own[1].error, "the reply stopped for 400ms");
    CHECK(strstr(own[2].error, "timed out"));
    CHECK_INT(own[1].status, 0);
    end();
}

TEST(a_reply_over_the_limit)
{
    begin(NULL);
    exchange own[2] = {0};
    submit(&own[0], "GET", "/big", (sl_http_call){.reply_limit = 1000});
    submit(&own[1], "GET", "/big", (sl_http_call){0});
    finish(own, 2);
    CHECK_INT(own[0].status, 0);
    CHECK_STR(own[0].error, "the reply's body is longer than the 1000 bytes allowed");
    CHECK_INT(own[1].status, 200);
    end();
}

TEST(a_reply_that_is_not_http)
{
    begin(NULL);
    exchange own = {0};
    submit(&own, "GET", "/garbage", (sl_http_call){0});
    finish(&own, 1);
    CHECK_INT(own.status, 0);
    CHECK(own.error[0]);
    end();
}

TEST(nobody_listens_and_bad_addresses)
{
    begin(NULL);
    const char *urls[] = {"http://127.0.0.1:1/", "ftp://127.0.0.1/", "http://127.0.0.1:notaport/"};
    for (int i = 0; i < 3; i++) {
        exchange own = {0};
        sl_http_call call = {.method = "GET", .url = urls[i], .body.fd = -1};
        CHECK_INT(sl_http_submit(http, &call, on_done, &own, NULL, NULL), 0);
        finish(&own, 1);
        CHECK_INT(own.status, 0);
        CHECK(own.error[0]);
        CHECK(!own.connected);
        CHECK_INT(own.configuration, i > 0);
    }
    end();
}

TEST(what_submit_refuses)
{
    begin(NULL);
    sl_error error;
    exchange own = {0};
    const char *evil[] = {"x-amz-meta-a: b\r\nx-evil: 1", NULL}, *plain[] = {"no colon", NULL};
    sl_http_call call = {.method = "PUT", .url = "http://127.0.0.1/", .headers = evil, .body.fd = -1};
    CHECK_INT(sl_http_submit(http, &call, on_done, &own, NULL, &error), -1);
    CHECK(strstr(error.text, "line break"));
    call.headers = plain;
    CHECK_INT(sl_http_submit(http, &call, on_done, &own, NULL, &error), -1);
    call.url = NULL;
    CHECK_INT(sl_http_submit(http, &call, on_done, &own, NULL, &error), -1);
    CHECK_INT(own.done, 0);
    end();
}

TEST(cancel_while_waiting_running_and_twice)
{
    sl_http_options options = {.connections = 1};
    begin(&options);
    exchange own[3] = {0};
    submit(&own[0], "PUT", "/hang", with_text("x"));
    submit(&own[1], "PUT", "/a", with_text("x"));
    submit(&own[2], "PUT", "/a", with_text("x"));
    while (!server.requests) uv_run(&loop, UV_RUN_NOWAIT);
    sl_http_cancel(own[1].request);
    sl_http_cancel(own[0].request);
    sl_http_cancel(own[0].request);
    CHECK_INT(own[0].done + own[1].done, 0); /* never inside the call */
    finish(own, 3);
    CHECK(own[0].cancelled && own[1].cancelled && !own[2].cancelled);
    CHECK(own[0].connected && !own[1].connected);
    CHECK_INT(own[0].status + own[1].status, 0);
    CHECK_STR(own[1].error, "the request was cancelled");
    CHECK_INT(own[2].status, 200);
    CHECK_INT(own[0].done, 1);
    CHECK_INT(server.requests, 2); /* the one that waited never went out */
    end();
}

static exchange second;
static void on_done_again(void *context, const sl_http_reply *found, sl_http_request *request)
{
    on_done(context, found, request);
    submit(&second, "PUT", "/from-done", with_text("2"));
}

TEST(a_request_from_done)
{
    begin(NULL);
    exchange own = {0};
    memset(&second, 0, sizeof second);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/first", server.port);
    sl_http_call call = {.method = "PUT", .url = url, .body = {.data = "1", .size = 1, .fd = -1}};
    CHECK_INT(sl_http_submit(http, &call, on_done_again, &own, NULL, NULL), 0);
    finish(&own, 1);
    finish(&second, 1);
    CHECK_STR(second.path, "/from-done");
    CHECK_INT(server.opened, 1);
    end();
}

TEST(close_with_requests_waiting_and_running)
{
    sl_http_options options = {.connections = 2};
    begin(&options);
    exchange own[6] = {0};
    for (int i = 0; i < 6; i++) submit(&own[i], "PUT", "/hang", with_text("x"));
    while (server.requests < 2) uv_run(&loop, UV_RUN_NOWAIT);
    end(); /* runs the loop until nothing is left of the client */
    for (int i = 0; i < 6; i++) {
        CHECK_INT(own[i].done, 1);
        CHECK(own[i].cancelled);
    }
}

TEST(close_at_once)
{
    begin(NULL);
    exchange own = {0};
    submit(&own, "PUT", "/a", with_text("x"));
    end();
    CHECK_INT(own.done, 1);
    CHECK(own.cancelled);
    CHECK_INT(server.requests, 0);
}

TEST(a_name_is_resolved_and_its_helper_sockets_are_let_go)
{
    begin(NULL);
    exchange own[8] = {0};
    char url[64];
    snprintf(url, sizeof url, "http://localhost:%d/named", server.port);
    sl_http_call call = {.method = "PUT", .url = url, .body = {.data = "1", .size = 1, .fd = -1}};
    for (int i = 0; i < 8; i++) CHECK_INT(sl_http_submit(http, &call, on_done, &own[i], NULL, NULL), 0);
    finish(own, 8);
    for (int i = 0; i < 8; i++) CHECK_INT(own[i].status, 200);
    end();
}
