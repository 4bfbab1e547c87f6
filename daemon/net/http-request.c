/* One request: libcurl's options, its callbacks, its end. */
#include "net/private.h"

#include <errno.h>
#include <strings.h>

static bool has_body(const sl_http_body *body) { return body->size > 0; }

static bool is_small(const sl_http_body *body) { return !has_body(body) || (body->data && body->size <= SMALL_BODY); }

static bool has_header(const sl_http_call *call, const char *name)
{
    size_t size = strlen(name);
    for (const char *const *header = call->headers; header && *header; header++)
        if (strncasecmp(*header, name, size) == 0 && (*header)[size] == ':') return true;
    return false;
}

/* libcurl waits a second for a server that does not know Expect, so it is only sent where a refusal
 * is likely and the body is worth the wait: a large one after a refusal or a reset. */
static bool wants_expect(const sl_http_call *call) { return call->fresh_connection && call->body.size > 1024 * 1024; }

static struct curl_slist *copy_headers(const sl_http_call *call)
{
    struct curl_slist *list = NULL;
    for (const char *const *header = call->headers; header && *header; header++) {
        const char *value = strchr(*header, ':') + 1;
        /* "Name:" would tell libcurl to drop its own header; "Name;" sends it empty. */
        if (value[strspn(value, " \t")]) list = curl_slist_append(list, *header);
        else {
            char *empty = sl_strdup(*header);
            empty[strcspn(empty, ":")] = ';', empty[strcspn(empty, ";") + 1] = 0;
            list = curl_slist_append(list, empty);
            free(empty);
        }
    }
    if (!has_header(call, "Content-Type")) list = curl_slist_append(list, "Content-Type:");
    return curl_slist_append(list, wants_expect(call) ? "Expect: 100-continue" : "Expect:");
}

sl_http_request *sl_http_request_new(sl_http *http, const sl_http_call *call)
{
    sl_http_request *request = SL_NEW(sl_http_request);
    request->http = http;
    request->state = SL_HTTP_PENDING;
    request->method = sl_strdup(call->method);
    request->url = sl_strdup(call->url);
    request->headers = copy_headers(call);
    request->body = call->body;
    request->fresh = call->fresh_connection;
    request->timeout_us = call->timeout_us;
    request->reply_limit = call->reply_limit ? call->reply_limit : 1024 * 1024;
    request->reply_headers = SL_BUF(HEADERS_LIMIT);
    request->reply_body = SL_BUF(request->reply_limit);
    return request;
}

static void request_free(sl_http_request *request)
{
    sl_http *http = request->http;
    if (request->easy && http->idle_count < http->options.connections) http->idle[http->idle_count++] = request->easy;
    else curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    sl_buf_done(&request->reply_headers);
    sl_buf_done(&request->reply_body);
    free(request->method);
    free(request->url);
    free(request->failure);
    free(request);
}

/* ---- libcurl's callbacks --------------------------------------------------------------------------- */

/* libcurl repeats a request by itself when a kept connection turns out closed. Whether the server acted on
 * the first one nobody knows, so the second is refused here and the caller decides. */
static int before_send(void *context, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    sl_http_request *request = context;
    if (request->sends) return CURL_PREREQFUNC_ABORT;
    request->sends++;
    request->progressed = sl_ticks();
    sl_http_warm(request->http);
    if (is_small(&request->body) && has_body(&request->body) && request->body.sent)
        request->body.sent(request->body.sent_context, request->body.data, request->body.size);
    return CURL_PREREQFUNC_OK;
}

static ssize_t read_body(sl_http_request *request, void *data, size_t size)
{
    const sl_http_body *body = &request->body;
    if (body->data) {
        memcpy(data, (const char *)body->data + request->position, size);
        return (ssize_t)size;
    }
    return sl_read_full(body->fd, data, size, (off_t)(body->offset + request->position));
}

static size_t on_read(char *data, size_t one, size_t count, void *context)
{
    sl_http_request *request = context;
    const sl_http_body *body = &request->body;
    size_t want = (size_t)SL_MIN((uint64_t)(one * count), body->size - request->position);
    if (!want) return 0;
    ssize_t got = read_body(request, data, want);
    if (got != (ssize_t)want) {
        unsigned long long end = request->position + (got > 0 ? (size_t)got : 0);
        if (!request->failure)
            request->failure = sl_asprintf("the body's file ends or fails at byte %llu of %llu: %s", end, (unsigned long long)body->size,
                                           got < 0 ? strerror(errno) : "it was cut short");
        return CURL_READFUNC_ABORT;
    }
    if (body->sent) body->sent(body->sent_context, data, want);
    request->position += want;
    return want;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    sl_http_request *request = context;
    if (origin != SEEK_SET || offset != 0) return CURL_SEEKFUNC_FAIL;
    if (request->position && request->body.sent) request->body.sent(request->body.sent_context, NULL, 0);
    request->position = 0;
    return CURL_SEEKFUNC_OK;
}

static size_t on_write(char *data, size_t one, size_t count, void *context)
{
    sl_http_request *request = context;
    request->progressed = sl_ticks();
    if (sl_buf_add(&request->reply_body, data, one * count) == 0) return one * count;
    if (!request->failure) request->failure = sl_asprintf("the reply's body is longer than the %zu bytes allowed", request->reply_limit);
    return 0;
}

static void take_status(sl_http_request *request, sl_str line)
{
    sl_buf_clear(&request->reply_headers); /* a header block after 100 Continue replaces it */
    const char *space = memchr(line.data, ' ', line.size);
    request->status = space && line.size - (size_t)(space - line.data) > 3 ? atoi(space + 1) : 0;
    request->reply_begun = request->status >= 200;
    if (request->status == 503) curl_easy_setopt(request->easy, CURLOPT_FORBID_REUSE, 1L);
}

static size_t on_header(char *data, size_t one, size_t count, void *context)
{
    sl_http_request *request = context;
    sl_str line = {data, one * count};
    request->progressed = sl_ticks();
    if (sl_str_starts(line, "HTTP/")) take_status(request, line);
    else if (sl_buf_str(&request->reply_headers, line) != 0) {
        if (!request->failure) request->failure = sl_asprintf("the reply's headers are longer than %d bytes", HEADERS_LIMIT);
        return 0;
    }
    return line.size;
}

/* ---- start ------------------------------------------------------------------------------------------ */

static void set_connection(sl_http_request *request, CURL *easy)
{
    const sl_http_options *options = &request->http->options;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)SL_MAX(options->connect_timeout_us / 1000, 1));
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)SL_MAX(options->max_connection_age_us / SL_SECOND, 1));
    curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, options->connections < 16 ? 512 * 1024L : 64 * 1024L);
    curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_us ? (long)SL_MAX(request->timeout_us / 1000, 1) : 0L);
    sl_http_socket_options(request->http, easy);
}

static void set_body(sl_http_request *request, CURL *easy)
{
    const sl_http_body *body = &request->body;
    bool reading = strcmp(request->method, "GET") == 0 || strcmp(request->method, "DELETE") == 0;
    if (!has_body(body) && strcmp(request->method, "HEAD") == 0) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (!has_body(body) && reading) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    else if (is_small(body)) { /* with the headers, in one write */
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, has_body(body) ? body->data : "");
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    } else {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body->size);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void set_callbacks(sl_http_request *request, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->curl_error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, request);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
}

int sl_http_request_start(sl_http_request *request)
{
    sl_http *http = request->http;
    CURL *easy = http->idle_count ? http->idle[--http->idle_count] : curl_easy_init();
    request->started = request->progressed = sl_ticks();
    request->easy = easy;
    if (easy) {
        curl_easy_reset(easy);
        curl_easy_setopt(easy, CURLOPT_URL, request->url);
        curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice");
        set_connection(request, easy);
        set_callbacks(request, easy);
        set_body(request, easy);
        if (curl_multi_add_handle(http->multi, easy) == CURLM_OK) return 0;
    }
    request->failure = sl_strdup("libcurl could not start the transfer");
    return -1;
}

/* ---- limits ----------------------------------------------------------------------------------------- */

static uint64_t uploaded(sl_http_request *request)
{
    curl_off_t bytes = 0;
    if (request->easy) curl_easy_getinfo(request->easy, CURLINFO_SIZE_UPLOAD_T, &bytes);
    return bytes > 0 ? (uint64_t)bytes : 0;
}

char *sl_http_request_overdue(sl_http_request *request, int64_t now)
{
    const sl_http_options *options = &request->http->options;
    if (!request->sends) return NULL; /* connecting has libcurl's own limit */
    uint64_t bytes = uploaded(request);
    if (bytes != request->uploaded) request->uploaded = bytes, request->progressed = now;
    bool sending = bytes < request->body.size && !request->reply_begun;
    int64_t limit = sending ? options->stall_timeout_us : options->reply_timeout_us;
    if (now - request->progressed < limit) return NULL;
    char text[SL_TIME_TEXT];
    sl_duration_format(limit, text);
    if (sending)
        return sl_asprintf("the server took no byte for %s (%llu of %llu bytes were sent)", text, (unsigned long long)bytes,
                           (unsigned long long)request->body.size);
    return sl_asprintf(request->reply_begun ? "the reply stopped for %s" : "no reply came for %s", text);
}

/* ---- end -------------------------------------------------------------------------------------------- */

static bool only_operator_mends(CURLcode result)
{
    switch (result) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS: return true;
    default: return false;
    }
}

static const char *error_text(const sl_http_request *request, CURLcode result)
{
    if (request->cancelled) return "the request was cancelled";
    if (request->failure) return request->failure;
    if (result == CURLE_OK) return NULL;
    if (result == CURLE_ABORTED_BY_CALLBACK) return "the connection broke after the request was sent";
    return request->curl_error[0] ? request->curl_error : curl_easy_strerror(result);
}

void sl_http_request_end(sl_http_request *request, CURLcode result)
{
    sl_http_reply reply = {0};
    request->state = SL_HTTP_ENDED;
    reply.cancelled = request->cancelled;
    reply.error = error_text(request, result);
    reply.connected = request->sends > 0;
    if (!reply.error) reply.status = request->status;
    if (!reply.error) reply.body = sl_buf_view(&request->reply_body);
    reply.configuration = !request->cancelled && !request->failure && only_operator_mends(result);
    reply.duration_us = request->started ? sl_ticks() - request->started : 0;
    reply.bytes_sent = uploaded(request);
    request->done(request->context, &reply, request);
    request_free(request);
}

sl_str sl_http_header(const sl_http_request *request, const char *name)
{
    sl_str rest = sl_buf_view(&request->reply_headers);
    size_t size = strlen(name);
    while (rest.size) {
        const char *end = memchr(rest.data, '\n', rest.size);
        sl_str line = {rest.data, end ? (size_t)(end - rest.data) : rest.size};
        if (line.size > size && line.data[size] == ':' && strncasecmp(line.data, name, size) == 0)
            return sl_str_trim((sl_str){line.data + size + 1, line.size - size - 1});
        rest.data += line.size + (end ? 1 : 0), rest.size -= line.size + (end ? 1 : 0);
    }
    return (sl_str){NULL, 0};
}
