#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/common.h"
#include "cli/output.h"

#define DEFAULT_SOCKET "unix:/run/sluice/api.sock"
#define DEFAULT_URL    "http://127.0.0.1:8470"

enum { REPLY_LIMIT = 256 * 1024 * 1024, TOKEN_LIMIT = 4096, ENDPOINTS = 2 };

struct sl_client {
    CURL *curl;
    const char *endpoints[ENDPOINTS]; /* in the order to try; borrowed */
    size_t endpoint_count;
    size_t at;                  /* the one that answered */
    struct curl_slist *headers; /* Authorization */
    char *token_from;           /* for messages */
    char failure[CURL_ERROR_SIZE];
    void (*look)(void *context); /* while an answer may take its time */
    void *look_context;
    int64_t looked; /* ticks */
};

/* ---- the token ------------------------------------------------------------------------------------------------ */

static void use_token(sl_client *client, sl_str token, char *from)
{
    token = sl_str_trim(token);
    char *header = sl_asprintf("Authorization: Bearer %.*s", SL_STR_ARGS(token));
    client->headers = curl_slist_append(client->headers, header);
    SL_ASSERT(client->headers);
    explicit_bzero(header, strlen(header));
    free(header);
    client->token_from = from;
}

static int token_from_file(sl_client *client, const char *path, bool required)
{
    sl_error error = {0};
    sl_buf text = SL_BUF(TOKEN_LIMIT);
    int code = SL_EXIT_DONE;
    if (sl_read_file(path, TOKEN_LIMIT, &text, &error) == 0) use_token(client, sl_buf_view(&text), sl_strdup(path));
    else if (required) code = sl_complain(SL_EXIT_FAILED, "the token: %s", error.text);
    /* Without a token the daemon's own answer says best what is missing. */
    else client->token_from = sl_asprintf("nowhere (%s)", error.text);
    if (text.data) explicit_bzero(text.data, text.capacity);
    sl_buf_done(&text);
    return code;
}

static int find_token(sl_client *client, const sl_arguments *arguments)
{
    const char *token = getenv("SLUICE_TOKEN"), *file = getenv("SLUICE_TOKEN_FILE");
    bool state_given = sl_given_option(arguments, "state");
    if (!state_given && token && *token) return use_token(client, sl_str_of(token), sl_strdup("SLUICE_TOKEN")), SL_EXIT_DONE;
    if (!state_given && file && *file) return token_from_file(client, file, true);
    char *path = sl_asprintf("%s/token", sl_common_state(arguments));
    int code = token_from_file(client, path, state_given);
    free(path);
    return code;
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

static int find_endpoints(sl_client *client, const sl_arguments *arguments)
{
    const char *url = sl_option_value(arguments, "url");
    if (!url) url = getenv("SLUICE_URL");
    if (!url || !*url) {
        client->endpoints[client->endpoint_count++] = DEFAULT_SOCKET;
        client->endpoints[client->endpoint_count++] = DEFAULT_URL;
        return SL_EXIT_DONE;
    }
    if (strncmp(url, "unix:/", 6) != 0 && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return sl_complain(SL_EXIT_USAGE, "expected a URL like http://127.0.0.1:8470 or unix:/run/sluice/api.sock, found `%s`", url);
    client->endpoints[client->endpoint_count++] = url;
    return SL_EXIT_DONE;
}

int sl_client_open(const sl_arguments *arguments, sl_client **ret)
{
    static bool started;
    if (!started) curl_global_init(CURL_GLOBAL_DEFAULT);
    started = true;
    sl_client *client = SL_NEW(sl_client);
    client->curl = curl_easy_init();
    SL_ASSERT(client->curl);
    int code = find_endpoints(client, arguments);
    if (code == SL_EXIT_DONE) code = find_token(client, arguments);
    if (code != SL_EXIT_DONE) sl_client_close(client);
    else *ret = client;
    return code;
}

void sl_client_close(sl_client *client)
{
    if (!client) return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    free(client->token_from);
    free(client);
}

/* ---- one exchange --------------------------------------------------------------------------------------------------- */

typedef struct exchange {
    CURL *curl;
    sl_buf *body; /* of a good reply, or NULL: `fd` */
    sl_buf problem;
    int fd, write_error;
} exchange;

static size_t write_out(exchange *x, const char *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t written = write(x->fd, data + at, size - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return x->write_error = errno, 0;
        at += (size_t)written;
    }
    return size;
}

static size_t take(char *data, size_t one, size_t count, void *context)
{
    exchange *x = context;
    size_t size = one * count;
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299) return sl_buf_add(&x->problem, data, size) < 0 ? 0 : size;
    if (x->body) return sl_buf_add(x->body, data, size) < 0 ? 0 : size;
    return write_out(x, data, size);
}

/* A proxy of the environment has no business between us and this machine. */
static bool is_local(const char *endpoint)
{
    return strncmp(endpoint, "unix:", 5) == 0 || strncmp(endpoint, "http://127.", 11) == 0 ||
           strncmp(endpoint, "http://localhost", 16) == 0 || strncmp(endpoint, "http://[::1]", 12) == 0;
}

static int on_progress(void *context, curl_off_t expected, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    sl_client *client = context;
    (void)expected, (void)got, (void)to_send, (void)sent;
    if (sl_ticks() - client->looked < SL_SECOND) return 0;
    client->look(client->look_context);
    client->looked = sl_ticks();
    return 0;
}

static void have_patience(sl_client *client)
{
    client->looked = sl_ticks();
    curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, 0L);
    curl_easy_setopt(client->curl, CURLOPT_TCP_KEEPALIVE, 1L); /* a daemon's machine may go away meanwhile */
    curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, client);
}

static CURLcode perform(sl_client *client, const char *endpoint, const char *method, const char *path, exchange *x)
{
    CURL *curl = client->curl;
    bool is_unix = strncmp(endpoint, "unix:", 5) == 0;
    size_t size = strlen(endpoint);
    while (!is_unix && size && endpoint[size - 1] == '/') size--;
    char *url = is_unix ? sl_asprintf("http://localhost%s", path) : sl_asprintf("%.*s%s", (int)size, endpoint, path);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (is_unix) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, endpoint + 5);
    if (is_local(endpoint)) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L); /* no byte for two minutes: nobody is there any more */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 120L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->failure);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    if (strcmp(method, "POST") == 0) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (client->look) have_patience(client);
    client->failure[0] = 0;
    CURLcode result = curl_easy_perform(curl);
    free(url);
    return result;
}

static bool nobody_there(CURLcode result)
{
    return result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_OPERATION_TIMEDOUT;
}

/* In the system's words where there are any: curl's speak of a port even of a socket's path. */
static const char *reason_of(const sl_client *client, CURLcode result)
{
    long number = 0;
    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &number);
    if (number && result == CURLE_COULDNT_CONNECT) return strerror((int)number);
    return client->failure[0] ? client->failure : curl_easy_strerror(result);
}

/* ---- what went wrong ---------------------------------------------------------------------------------------------------- */

static int tell_unreachable(const sl_client *client, const char *reasons)
{
    return sl_complain(SL_EXIT_UNREACHABLE, "the daemon is not reachable; tried %s%s", reasons,
                       client->endpoint_count > 1 ? ". --url or SLUICE_URL say where it listens" : "");
}

static int tell_status(const sl_client *client, long status, sl_str body)
{
    int code = status == 422 ? SL_EXIT_INVALID : SL_EXIT_FAILED;
    if (status == 401)
        return sl_complain(code, "the daemon at %s refuses the token from %s; SLUICE_TOKEN, SLUICE_TOKEN_FILE or --state DIR give another",
                           client->endpoints[client->at], client->token_from);
    json_t *problem = json_loadb(body.data, body.size, 0, NULL);
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    if (detail || title) sl_complain(0, "%s", detail ? detail : title);
    else sl_complain(0, "the daemon at %s answers with HTTP %ld", client->endpoints[client->at], status);
    json_decref(problem);
    return code;
}

static int tell_transport(const sl_client *client, const exchange *x, CURLcode result)
{
    if (x->write_error) return sl_complain(SL_EXIT_FAILED, "cannot write the content: %s", strerror(x->write_error));
    if (result == CURLE_WRITE_ERROR) return sl_complain(SL_EXIT_FAILED, "the daemon's answer is larger than 256 MiB: ask for less");
    return sl_complain(SL_EXIT_UNREACHABLE, "the exchange with the daemon at %s broke: %s", client->endpoints[client->at],
                       client->failure[0] ? client->failure : curl_easy_strerror(result));
}

static int exchange_with(sl_client *client, const char *method, const char *path, exchange *x)
{
    sl_buf reasons = SL_BUF(4096);
    CURLcode result = CURLE_OK;
    x->curl = client->curl;
    for (; client->at < client->endpoint_count; client->at++) {
        result = perform(client, client->endpoints[client->at], method, path, x);
        if (!nobody_there(result)) break;
        sl_buf_printf(&reasons, "%s%s (%s)", reasons.size ? " and " : "", client->endpoints[client->at], reason_of(client, result));
    }
    int code = SL_EXIT_DONE;
    long status = 0;
    if (client->at == client->endpoint_count) {
        client->at = 0;
        code = tell_unreachable(client, reasons.data);
    } else if (result != CURLE_OK) {
        code = tell_transport(client, x, result);
    } else {
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status < 200 || status > 299) code = tell_status(client, status, sl_buf_view(&x->problem));
    }
    sl_buf_done(&x->problem);
    sl_buf_done(&reasons);
    return code;
}

int sl_client_text(sl_client *client, const char *method, const char *path, sl_buf *ret)
{
    exchange x = {.body = ret, .problem = SL_BUF(1024 * 1024), .fd = -1};
    return exchange_with(client, method, path, &x);
}

int sl_client_download(sl_client *client, const char *path, int fd)
{
    exchange x = {.problem = SL_BUF(1024 * 1024), .fd = fd};
    return exchange_with(client, "GET", path, &x);
}

int sl_client_json(sl_client *client, const char *method, const char *path, json_t **ret)
{
    sl_buf body = SL_BUF(REPLY_LIMIT);
    json_error_t wrong;
    int code = sl_client_text(client, method, path, &body);
    if (code == SL_EXIT_DONE && !(*ret = json_loadb(body.data ? body.data : "", body.size, JSON_ALLOW_NUL, &wrong)))
        code = sl_complain(SL_EXIT_FAILED, "the answer of %s is not JSON: %s", client->endpoints[client->at], wrong.text);
    sl_buf_done(&body);
    return code;
}

int sl_client_wait(sl_client *client, const char *method, const char *path, void (*look)(void *context), void *context, json_t **ret)
{
    client->look = look;
    client->look_context = context;
    int code = sl_client_json(client, method, path, ret);
    client->look = NULL;
    return code;
}

void sl_client_parameter(sl_buf *path, const char *name, const char *value)
{
    sl_buf_char(path, path->data && strchr(path->data, '?') ? '&' : '?');
    sl_percent_encode(path, sl_str_of(name), ".");
    sl_buf_char(path, '=');
    sl_percent_encode(path, sl_str_of(value), "");
}
