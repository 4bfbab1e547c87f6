/* A request's way. The connection's thread reads it, checks who asks, and hands it to a worker; meanwhile the
 * connection is suspended. When the worker is done the thread goes on and sends the answer. */
#include <errno.h>
#include <stdio.h>

#include "api/private.h"
#include "base/sys.h"

const char *sl_request_header(const sl_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ---- checks, in this order --------------------------------------------------------------------------------------- */

static bool find_route(sl_request *r, const char *method)
{
    char allowed[64];
    if (r->wrong.text[0]) return sl_answer_problem(r, (unsigned)r->wrong.code, "%s", r->wrong.text), false;
    r->route = sl_route_find(method, &r->uri, r->parameters, allowed);
    if (r->route) return true;
    if (allowed[0]) {
        sl_answer_problem(r, 405, "expected %s here, found %s", allowed, method);
        sl_answer_header(r, "Allow", "%s", allowed);
    } else sl_answer_problem(r, 404, "there is nothing at this address; /api/v1/openapi.json lists what there is");
    return false;
}

static bool is_write(const sl_request *r) { return strcmp(r->route->method, "GET") != 0; }

static bool may(sl_request *r)
{
    const sl_api *api = r->api;
    const char *host = sl_request_header(r, "Host");
    sl_identity identity = sl_auth_identify(&api->auth, sl_request_header(r, "Authorization"), sl_request_header(r, "Cookie"));
    if (identity == SL_BY_BEARER) return true;
    if (!r->listener->path && !sl_auth_host(&api->auth, host))
        return sl_answer_problem(r, 403, "the Host `%s` is none of this daemon's; ask by its address or localhost", host ? host : ""),
               false;
    if ((r->route->flags & SL_ROUTE_PUBLIC) || api->route_open[r->route - sl_routes]) return true;
    if (identity == SL_NOBODY || (r->route->flags & SL_ROUTE_BEARER))
        return sl_answer_problem(r, 401, "expected `Authorization: Bearer TOKEN` with the token in the daemon's STATE/token"), false;
    if (is_write(r) && !sl_auth_origin(host, sl_request_header(r, "Origin"), sl_request_header(r, "Sec-Fetch-Site")))
        return sl_answer_problem(r, 403, "a browser's request that changes something must come from the daemon's own page"), false;
    return true;
}

static bool parameters_known(sl_request *r)
{
    sl_str unknown = sl_route_unknown(r->route, &r->uri);
    if (!unknown.data) return true;
    sl_answer_problem(r, 400, "there is no parameter `%.*s` here; /api/v1/openapi.json lists them", SL_STR_ARGS(unknown));
    return false;
}

static bool body_fits(sl_request *r)
{
    const char *length = sl_request_header(r, "Content-Length");
    unsigned long long size = length ? strtoull(length, NULL, 10) : 0;
    if (size <= SL_API_BODY) return true;
    sl_answer_problem(r, 413, "the request's body has %llu bytes, at most %d are taken", size, SL_API_BODY);
    return false;
}

static void check(sl_request *r, const char *method)
{
    if (!find_route(r, method) || !may(r) || !parameters_known(r) || !body_fits(r)) return;
    if (!(r->route->flags & SL_ROUTE_EARLY) && !atomic_load(&r->api->engine))
        sl_answer_problem(r, 503, "the daemon is starting: recovery is not done yet; ask again");
}

/* ---- libmicrohttpd's callbacks -------------------------------------------------------------------------------------- */

static enum MHD_Result proceed(sl_request *r)
{
    if (r->body.overflowed) sl_answer_problem(r, 413, "the request's body has more than %d bytes", SL_API_BODY);
    else if (r->route->flags & SL_ROUTE_STREAM) return sl_events_open(r);
    else if (r->route->flags & SL_ROUTE_DIRECT) r->route->see(r);
    else if (sl_api_hand_over(r) == 0) return MHD_YES;
    else sl_answer_problem(r, 503, "too many requests wait already, or the daemon ends; ask again");
    return sl_answer_send(r);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **request)
{
    (void)context, (void)url, (void)version;
    sl_request *r = *request;
    r->connection = connection;
    if (!r->begun) {
        r->begun = true;
        check(r, method);
        return r->answered ? sl_answer_send(r) : MHD_YES;
    }
    if (*upload_size) {
        if (r->route->flags & SL_ROUTE_BODY) sl_buf_add(&r->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return r->answered ? sl_answer_send(r) : proceed(r);
}

/* The target as it was sent, before libmicrohttpd decodes it. What it returns is on_request's `*request`. */
static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    sl_listener *listener = context;
    sl_request *r = SL_NEW(sl_request);
    r->listener = listener;
    r->api = listener->api;
    r->connection = connection;
    r->body = SL_BUF(SL_API_BODY);
    r->answer = (sl_answer){.fd = -1, .text = SL_BUF(SL_API_ANSWER)};
    if (sl_uri_parse(sl_str_of(uri), &r->uri, &r->wrong) < 0 && !r->wrong.code) r->wrong.code = 400;
    return r;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how)
{
    (void)context, (void)connection, (void)how;
    sl_request *r = *request;
    if (!r) return;
    *request = NULL;
    if (r->answer.fd >= 0) sl_sys_now->close(r->answer.fd);
    for (size_t i = 0; i < r->answer.header_count; i++) free(r->answer.headers[i].value);
    sl_buf_done(&r->answer.text);
    sl_buf_done(&r->body);
    sl_uri_done(&r->uri);
    free(r);
}

static void on_log(void *context, const char *format, va_list arguments)
{
    (void)context;
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    sl_log(SL_DEBUG, "api", "%.*s", SL_STR_ARGS(sl_str_trim(sl_str_of(text))));
}

int sl_listener_start(sl_listener *listener, sl_error *error)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    listener->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, listener, MHD_OPTION_LISTEN_SOCKET,
                         listener->fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)SL_API_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SL_API_TIMEOUT,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SL_API_HEAD, MHD_OPTION_END);
    if (!listener->daemon) return sl_error_set(error, errno, "cannot start the HTTP server on %s: %s", listener->address, strerror(errno));
    listener->fd = -1; /* libmicrohttpd's now */
    return 0;
}
