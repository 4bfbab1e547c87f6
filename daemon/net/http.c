/* The HTTP client: its queue, the turn of the loop, closing.
 *
 * libcurl's settings here and in http-request.c come from measurements: HTTP/1.1, since parts of an upload
 * would share one HTTP/2 connection; a bundle file without a folder of certificates, which would disable
 * libcurl's cache of them and cost 28 ms a connection; names resolved once before many requests start, or
 * each would start a resolver thread of its own.
 */
#include "net/private.h"

#include <errno.h>

#define WARM_US          (50 * SL_SECOND) /* below libcurl's own cache of names, 60 s */
#define AFTER_FAILURE_US SL_SECOND        /* a server that cannot be reached is told to all who wait at once */
#define WATCH_MS         250

static uv_once_t once = UV_ONCE_INIT;
static CURLcode global_result;

static void global_init(void) { global_result = curl_global_init(CURL_GLOBAL_DEFAULT); }

static void on_wake(uv_timer_t *timer) { (void)timer; }

void sl_http_wake(sl_http *http)
{
    if (!uv_is_active((uv_handle_t *)&http->wake)) uv_timer_start(&http->wake, on_wake, 0, 0);
}

void sl_http_warm(sl_http *http) { http->warm_until = sl_ticks() + WARM_US; }

/* ---- requests ------------------------------------------------------------------------------- */

static bool has_requests(const sl_http *http)
{
    return !TAILQ_EMPTY(&http->pending) || !TAILQ_EMPTY(&http->running) || !TAILQ_EMPTY(&http->ended);
}

static void leave_running(sl_http_request *request)
{
    sl_http *http = request->http;
    curl_multi_remove_handle(http->multi, request->easy);
    TAILQ_REMOVE(&http->running, request, link);
    http->running_count--;
    if (!http->running_count) uv_timer_stop(&http->watch);
    if (!TAILQ_EMPTY(&http->pending)) sl_http_wake(http);
}

void sl_http_collect(sl_http *http)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode result = message->data.result;
        sl_http_request *request = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        if (!request->sends) http->warm_until = sl_ticks() + AFTER_FAILURE_US;
        leave_running(request);
        sl_http_request_end(request, result);
    }
}

static void stop_marked(sl_http *http)
{
    sl_http_request *request, *next;
    http->stopping = false;
    for (request = TAILQ_FIRST(&http->running); request; request = next) {
        next = TAILQ_NEXT(request, link);
        if (!request->cancelled && !request->failure) continue;
        leave_running(request);
        request->state = SL_HTTP_ENDED;
        TAILQ_INSERT_TAIL(&http->ended, request, link);
    }
}

static void deliver_ended(sl_http *http)
{
    sl_http_request *request;
    while ((request = TAILQ_FIRST(&http->ended))) {
        TAILQ_REMOVE(&http->ended, request, link);
        sl_http_request_end(request, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void on_watch(uv_timer_t *timer)
{
    sl_http *http = timer->data;
    sl_http_request *request;
    int64_t now = sl_ticks();
    TAILQ_FOREACH(request, &http->running, link)
    {
        if (request->failure) continue;
        request->failure = sl_http_request_overdue(request, now);
        if (request->failure) http->stopping = true;
    }
}

static void start(sl_http *http, sl_http_request *request)
{
    TAILQ_REMOVE(&http->pending, request, link);
    request->state = SL_HTTP_RUNNING;
    if (sl_http_request_start(request) != 0) {
        request->state = SL_HTTP_ENDED;
        TAILQ_INSERT_TAIL(&http->ended, request, link);
        sl_http_wake(http);
        return;
    }
    TAILQ_INSERT_TAIL(&http->running, request, link);
    http->running_count++;
    if (!uv_is_active((uv_handle_t *)&http->watch)) uv_timer_start(&http->watch, on_watch, WATCH_MS, WATCH_MS);
}

static void start_pending(sl_http *http)
{
    sl_http_request *request;
    while ((request = TAILQ_FIRST(&http->pending)) && http->running_count < http->options.connections) {
        if (http->running_count && sl_ticks() >= http->warm_until) return; /* the first one resolves the name */
        start(http, request);
    }
}

/* ---- the turn ------------------------------------------------------------------------------------ */

void sl_http_handle_closed(sl_http *http)
{
    if (--http->open_handles || !http->shut) return;
    void (*closed)(void *) = http->closed;
    void *context = http->closed_context;
    free((char *)http->options.ca_file);
    free(http->sockets);
    free(http->changed);
    free(http->idle);
    free(http);
    if (closed) closed(context);
}

static void on_closed(uv_handle_t *handle) { sl_http_handle_closed(handle->data); }

static void shut(sl_http *http)
{
    http->shut = true;
    for (unsigned i = 0; i < http->idle_count; i++) curl_easy_cleanup(http->idle[i]);
    curl_multi_cleanup(http->multi); /* closes connections, and with them their uv_poll */
    for (size_t fd = 0; fd < http->socket_capacity; fd++) SL_ASSERT(!http->sockets[fd]);
    uv_close((uv_handle_t *)&http->prepare, on_closed);
    uv_close((uv_handle_t *)&http->timer, on_closed);
    uv_close((uv_handle_t *)&http->wake, on_closed);
    uv_close((uv_handle_t *)&http->watch, on_closed);
}

static void on_prepare(uv_prepare_t *prepare)
{
    sl_http *http = prepare->data;
    if (http->stopping) stop_marked(http);
    deliver_ended(http);
    start_pending(http);
    for (int i = 0; http->due && i < 8; i++) { /* a start is often followed by another step at once */
        int running;
        http->due = false;
        curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        sl_http_collect(http);
    }
    if (http->due || http->stopping || !TAILQ_EMPTY(&http->ended)) sl_http_wake(http);
    sl_http_apply_interest(http);
    if (!has_requests(http)) uv_unref((uv_handle_t *)&http->prepare);
    if (http->closing && !has_requests(http)) shut(http);
}

/* ---- the client ------------------------------------------------------------------------------- */

static const char *system_bundle(void)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    return version->cainfo ? version->cainfo : "/etc/ssl/certs/ca-certificates.crt";
}

static void take_options(sl_http *http, const sl_http_options *options)
{
    sl_http_options *own = &http->options;
    if (options) *own = *options;
    if (!own->connections) own->connections = 64;
    if (own->connect_timeout_us <= 0) own->connect_timeout_us = 10 * SL_SECOND;
    if (own->stall_timeout_us <= 0) own->stall_timeout_us = 30 * SL_SECOND;
    if (own->reply_timeout_us <= 0) own->reply_timeout_us = 300 * SL_SECOND;
    if (own->max_connection_age_us <= 0) own->max_connection_age_us = 4 * SL_SECOND;
    own->ca_file = sl_strdup(own->ca_file ? own->ca_file : system_bundle());
    if (own->insecure) sl_log(SL_WARNING, "net", "certificates of servers are not verified (insecure: true)");
}

static void open_handles(sl_http *http)
{
    uv_prepare_init(http->loop, &http->prepare);
    uv_timer_init(http->loop, &http->timer);
    uv_timer_init(http->loop, &http->wake);
    uv_timer_init(http->loop, &http->watch);
    http->prepare.data = http->timer.data = http->wake.data = http->watch.data = http;
    http->open_handles = 4;
    uv_prepare_start(&http->prepare, on_prepare);
    uv_unref((uv_handle_t *)&http->prepare);
}

int sl_http_new(uv_loop_t *loop, const sl_http_options *options, sl_http **ret, sl_error *error)
{
    uv_once(&once, global_init);
    CURLM *multi = global_result == CURLE_OK ? curl_multi_init() : NULL;
    if (!multi) return sl_error_set(error, ENOMEM, "libcurl could not be initialised: %s", curl_easy_strerror(global_result));
    sl_http *http = SL_NEW(sl_http);
    http->loop = loop, http->multi = multi;
    TAILQ_INIT(&http->pending);
    TAILQ_INIT(&http->running);
    TAILQ_INIT(&http->ended);
    take_options(http, options);
    http->idle = sl_alloc(http->options.connections * sizeof *http->idle);
    open_handles(http);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, sl_http_on_interest);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, sl_http_on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)http->options.connections);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    *ret = http;
    return 0;
}

void sl_http_close(sl_http *http, void (*closed)(void *context), void *context)
{
    if (!http) return;
    SL_ASSERT(!http->closing);
    http->closing = true, http->closed = closed, http->closed_context = context;
    sl_http_request *request, *next;
    for (request = TAILQ_FIRST(&http->pending); request; request = next) {
        next = TAILQ_NEXT(request, link);
        sl_http_cancel(request);
    }
    TAILQ_FOREACH(request, &http->running, link) sl_http_cancel(request);
    uv_ref((uv_handle_t *)&http->prepare);
    sl_http_wake(http);
}

static int check_call(const sl_http *http, const sl_http_call *call, sl_error *error)
{
    if (http->closing) return sl_error_set(error, ECANCELED, "the HTTP client is being closed and takes no request");
    if (!call->method || !call->url) return sl_error_set(error, EINVAL, "a request needs a method and a URL");
    for (const char *const *header = call->headers; header && *header; header++) {
        if (strpbrk(*header, "\r\n"))
            return sl_error_set(error, EINVAL,
                                "the header '%.40s' of a request to %s holds a line break: a header "
                                "is one line; remove it from the value",
                                *header, call->url);
        if (!strchr(*header, ':')) return sl_error_set(error, EINVAL, "a header is \"Name: value\", found '%.40s'", *header);
    }
    return 0;
}

int sl_http_submit(sl_http *http, const sl_http_call *call, sl_http_done done, void *context, sl_http_request **ret, sl_error *error)
{
    if (check_call(http, call, error) != 0) return -1;
    sl_http_request *request = sl_http_request_new(http, call);
    request->done = done, request->context = context;
    TAILQ_INSERT_TAIL(&http->pending, request, link);
    uv_ref((uv_handle_t *)&http->prepare);
    sl_http_wake(http);
    if (ret) *ret = request;
    return 0;
}

void sl_http_cancel(sl_http_request *request)
{
    sl_http *http = request->http;
    if (request->cancelled || request->state == SL_HTTP_ENDED) return;
    request->cancelled = true;
    if (request->state == SL_HTTP_PENDING) {
        TAILQ_REMOVE(&http->pending, request, link);
        request->state = SL_HTTP_ENDED;
        TAILQ_INSERT_TAIL(&http->ended, request, link);
    } else http->stopping = true;
    sl_http_wake(http);
}
