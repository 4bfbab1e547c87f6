/* The HTTP server with a real engine behind it: the loop runs on this thread, a client asks on another. */
#include "test.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "api/private.h"
#include "base/sys.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define FLOW                                                                             \
    "sluice: 1\n"                                                                        \
    "name: small\n"                                                                      \
    "processors:\n"                                                                      \
    "  make: {type: generate-flowfile, count: 5, content: hello, to: {success: mark}}\n" \
    "  mark: {type: update-attribute, attributes: {seen: \"yes\"}, to: {success: hold, failure: hold}}\n"

typedef struct rig {
    uv_loop_t loop;
    uv_async_t done;
    sl_engine *engine;
    sl_api *api;
    pthread_t client;
    void (*scenario)(struct rig *rig);
    char *state, *socket;
    bool drained;
    /* reloads that are asked for */
    void (*reloaded)(void *context, const char *failure);
    void *reloads[8];
    size_t reload_count;
    const char *reload_failure;
    bool reload_never_ends, reload_stops;
} rig;

#define PATIENCE (30 * SL_SECOND) /* a busy machine's disk takes its time */

/* ---- asking --------------------------------------------------------------------------------------------------- */

typedef struct reply {
    long status;
    sl_buf body, headers;
} reply;

static size_t take(char *data, size_t one, size_t count, void *to) { return sl_buf_add(to, data, one * count) < 0 ? 0 : one * count; }

/* `headers`: NULL at the end. */
static reply ask(const char *method, const char *url, const char *body, const char *const *headers, const char *unix_socket)
{
    reply r = {.body = SL_BUF(4 << 20), .headers = SL_BUF(1 << 20)};
    CURL *curl = curl_easy_init();
    struct curl_slist *list = NULL;
    for (; headers && *headers; headers++) list = curl_slist_append(list, *headers);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    if (body) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (unix_socket) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_socket);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &r.body);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &r.headers);
    curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r.status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(list);
    return r;
}

static void reply_done(reply *r)
{
    sl_buf_done(&r->body);
    sl_buf_done(&r->headers);
}

#define BEARER "Authorization: Bearer " TOKEN
static const char *const with_token[] = {BEARER, "Expect:", NULL};

static reply ask_rig(rig *rig, const char *method, const char *path, const char *body, const char *const *headers)
{
    char *url = sl_asprintf("%s%s", sl_api_address(rig->api, 0), path);
    reply r = ask(method, url, body, headers, NULL);
    free(url);
    return r;
}

static long status_with(rig *rig, const char *method, const char *path, const char *const *headers)
{
    reply r = ask_rig(rig, method, path, NULL, headers);
    long status = r.status;
    reply_done(&r);
    return status;
}

static long status_of(rig *rig, const char *method, const char *path) { return status_with(rig, method, path, with_token); }

static json_t *json_of(rig *rig, const char *method, const char *path, const char *body)
{
    reply r = ask_rig(rig, method, path, body, with_token);
    json_error_t wrong;
    json_t *root = json_loads(sl_buf_view(&r.body).data, 0, &wrong);
    if (r.status != 200 || !root) sl_test_failed(__FILE__, __LINE__, "%s %s: %ld %s", method, path, r.status, sl_buf_view(&r.body).data);
    reply_done(&r);
    return root;
}

/* ---- the rig ------------------------------------------------------------------------------------------------------ */

static void on_done(uv_async_t *done) { uv_stop(done->loop); }

static void *run_client(void *context)
{
    rig *r = context;
    r->scenario(r);
    uv_async_send(&r->done);
    return NULL;
}

static void on_reload(void *context, const char *flow, void (*done)(void *done_context, const char *failure), void *done_context)
{
    rig *r = context;
    (void)flow;
    r->reloaded = done;
    if (!r->reload_never_ends) done(done_context, r->reload_failure);
    else r->reloads[r->reload_count++] = done_context;
    if (r->reload_stops) uv_async_send(&r->done);
}

static void start_engine(rig *r)
{
    sl_error error = {0};
    sl_engine_options options = {.loop = &r->loop, .state = r->state};
    if (sl_engine_open(&options, &r->engine, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text), exit(1);
    sl_problems problems = {.file = "small.yaml"};
    sl_flow_options flow_options = {.registry = sl_engine_registry(r->engine)};
    sl_flow *flow = sl_flow_parse(SL_STR(FLOW), "small.yaml", &flow_options, &problems);
    sl_problems_done(&problems);
    if (!flow || sl_engine_add_flow(r->engine, flow, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text), exit(1);
    sl_engine_start(r->engine);
    sl_api_engine(r->api, r->engine);
}

static rig *rig_open(bool engine)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    static const char *const open[] = {"healthz", "readyz"};
    r->state = sl_asprintf("%s/state", sl_test_folder());
    r->socket = sl_asprintf("%s/api.sock", sl_test_folder());
    char *unix_address = sl_asprintf("unix:%s", r->socket);
    const char *listen[] = {"127.0.0.1:0", unix_address};
    uv_loop_init(&r->loop);
    uv_async_init(&r->loop, &r->done, on_done);
    sl_api_options options = {.loop = &r->loop,
                              .state = r->state,
                              .token = TOKEN,
                              .listen = listen,
                              .listen_count = 2,
                              .open = open,
                              .open_count = 2,
                              .reload = on_reload,
                              .context = r};
    if (sl_api_start(&options, &r->api, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text), exit(1);
    free(unix_address);
    if (engine) start_engine(r);
    return r;
}

static void on_drained(void *context) { ((rig *)context)->drained = true; }

static void rig_run(rig *r, void (*scenario)(rig *rig))
{
    r->scenario = scenario;
    SL_ASSERT(pthread_create(&r->client, NULL, run_client, r) == 0);
    uv_run(&r->loop, UV_RUN_DEFAULT);
}

static void rig_close(rig *r)
{
    sl_api_stop(r->api);
    pthread_join(r->client, NULL);
    if (r->engine) {
        sl_engine_drain(r->engine, SL_SECOND, on_drained, r);
        while (!r->drained) uv_run(&r->loop, UV_RUN_ONCE);
        sl_engine_close(r->engine);
    }
    uv_close((uv_handle_t *)&r->done, NULL);
    while (uv_loop_close(&r->loop) != 0) uv_run(&r->loop, UV_RUN_ONCE);
    CHECK_INT(access(r->socket, F_OK), -1);
    free(r->state);
    free(r->socket);
    free(r);
}

/* ---- scenarios ------------------------------------------------------------------------------------------------------- */

static void before_recovery(rig *r)
{
    CHECK_INT(status_with(r, "GET", "/healthz", NULL), 200);
    CHECK_INT(status_with(r, "GET", "/readyz", NULL), 503);
    CHECK_INT(status_of(r, "GET", "/api/v1/status"), 503);
    CHECK_INT(status_of(r, "GET", "/api/v1/events"), 503);
    CHECK_INT(status_of(r, "GET", "/api/v1/openapi.json"), 200);
}

TEST(before_recovery_is_done)
{
    rig *r = rig_open(false);
    rig_run(r, before_recovery);
    rig_close(r);
}

static void who_may(rig *r)
{
    static const char *const wrong[] = {"Authorization: Bearer 0123456789abcdef0123456789abcdee", NULL};
    static const char *const rebound[] = {"Host: evil.example", NULL};
    static const char *const rebound_with_token[] = {"Host: sluice.example", BEARER, NULL};
    CHECK_INT(status_with(r, "GET", "/healthz", NULL), 200);
    CHECK_INT(status_with(r, "GET", "/readyz", NULL), 200);
    CHECK_INT(status_with(r, "GET", "/api/v1/status", NULL), 401);
    CHECK_INT(status_with(r, "GET", "/metrics", NULL), 401);
    CHECK_INT(status_with(r, "GET", "/api/v1/status", wrong), 401);
    CHECK_INT(status_of(r, "GET", "/api/v1/status"), 200);
    CHECK_INT(status_with(r, "GET", "/healthz", rebound), 403);
    CHECK_INT(status_with(r, "GET", "/api/v1/status", rebound_with_token), 200);
    reply unix_reply = ask("GET", "http://any.name/api/v1/flows", NULL, with_token, r->socket);
    CHECK_INT(unix_reply.status, 200);
    reply_done(&unix_reply);
    unix_reply = ask("GET", "http://any.name/api/v1/flows", NULL, NULL, r->socket);
    CHECK_INT(unix_reply.status, 401);
    reply_done(&unix_reply);
    struct stat status;
    CHECK_INT(stat(r->socket, &status), 0);
    CHECK_INT(status.st_mode & 0777, 0660);
}

static void a_browser(rig *r)
{
    reply session = ask_rig(r, "POST", "/api/v1/session", "", with_token);
    CHECK_INT(session.status, 204);
    const char *given = strcasestr(sl_buf_view(&session.headers).data, "set-cookie: ");
    CHECK(given != NULL);
    if (!given) return;
    char *cookie = sl_asprintf("Cookie: %.*s", (int)strcspn(given + 12, ";"), given + 12);
    char *origin = sl_asprintf("Origin: %s", sl_api_address(r->api, 0));
    const char *alone[] = {cookie, NULL}, *own[] = {cookie, origin, NULL}, *foreign[] = {cookie, "Origin: http://127.0.0.1:1", NULL};
    CHECK_INT(status_with(r, "POST", "/api/v1/session", own), 401);
    CHECK_INT(status_with(r, "GET", "/api/v1/status", alone), 200);
    CHECK_INT(status_with(r, "POST", "/api/v1/flows/small/processors/mark/stop", alone), 403);
    CHECK_INT(status_with(r, "POST", "/api/v1/flows/small/processors/mark/stop", foreign), 403);
    CHECK_INT(status_with(r, "POST", "/api/v1/flows/small/processors/mark/stop", own), 200);
    CHECK_INT(status_with(r, "DELETE", "/api/v1/session", own), 204);
    free(cookie);
    free(origin);
    reply_done(&session);
}

TEST(who_may_ask)
{
    rig *r = rig_open(true);
    rig_run(r, who_may);
    rig_close(r);
    r = rig_open(true);
    rig_run(r, a_browser);
    rig_close(r);
}

static void wrong_requests(rig *r)
{
    static const char *const long_body[] = {BEARER, "Expect:", "Content-Length: 2000000", NULL};
    CHECK_INT(status_of(r, "GET", "/nothing"), 404);
    CHECK_INT(status_of(r, "GET", "/api/v1/status/"), 404);
    CHECK_INT(status_of(r, "GET", "/../etc/passwd"), 404);
    CHECK_INT(status_of(r, "GET", "/ui/../../etc/passwd"), 404);
    CHECK_INT(status_of(r, "GET", "/api/v1/status?verbose=1"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/%zz"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/provenance?limit=many"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/provenance?type=LOST"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/provenance?from=yesterday"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/provenance/x"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/provenance/123456"), 404);
    CHECK_INT(status_of(r, "GET", "/api/v1/lineage/x"), 400);
    CHECK_INT(status_of(r, "GET", "/api/v1/flows/none"), 404);
    CHECK_INT(status_of(r, "GET", "/api/v1/processor-types/none"), 404);
    CHECK_INT(status_of(r, "POST", "/api/v1/flows/small/processors/none/stop"), 404);
    CHECK_INT(status_of(r, "GET", "/api/v1/flows/small/connections/none/flowfiles"), 404);
    CHECK_INT(status_with(r, "POST", "/api/v1/flows/small/validate", long_body), 413);
    reply refused = ask_rig(r, "PATCH", "/api/v1/flows/small", NULL, with_token);
    CHECK_INT(refused.status, 405);
    CHECK(strcasestr(refused.headers.data, "allow: GET, HEAD"));
    CHECK(strcasestr(refused.headers.data, "content-type: application/problem+json"));
    json_t *problem = json_loads(refused.body.data, 0, NULL);
    CHECK_INT(json_integer_value(json_object_get(problem, "status")), 405);
    CHECK(json_string_length(json_object_get(problem, "detail")) > 0);
    json_decref(problem);
    reply_done(&refused);
}

TEST(wrong_requests_are_told_what_is_wrong)
{
    rig *r = rig_open(true);
    rig_run(r, wrong_requests);
    rig_close(r);
}

static json_t *held(rig *r)
{
    for (int64_t until = sl_ticks() + PATIENCE; sl_ticks() < until;) {
        json_t *queue = json_of(r, "GET", "/api/v1/flows/small/connections/mark.success.hold/flowfiles?limit=3", NULL);
        if (json_integer_value(json_object_get(queue, "objects")) == 5) return queue;
        json_decref(queue);
    }
    sl_test_failed(__FILE__, __LINE__, "nothing is held");
    return NULL;
}

static json_t *named(json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) if (strcmp(json_string_value(json_object_get(one, key)), value) == 0) return one;
    return NULL;
}

static void what_runs(rig *r)
{
    json_t *queue = held(r);
    CHECK_INT(json_array_size(json_object_get(queue, "flowfiles")), 3);
    CHECK(json_is_true(json_object_get(queue, "truncated")));
    json_decref(queue);
    json_t *status = json_of(r, "GET", "/api/v1/status", NULL), *mark = named(json_object_get(status, "processors"), "id", "small/mark");
    CHECK_STR(json_string_value(json_object_get(mark, "state")), "running");
    CHECK_INT(json_integer_value(json_object_get(json_object_get(mark, "five_minutes"), "in")), 5);
    json_t *hold = named(json_object_get(status, "connections"), "id", "mark.success.hold");
    CHECK_INT(json_integer_value(json_object_get(hold, "held")), 5);
    CHECK(json_is_null(json_object_get(hold, "max_objects")));
    json_decref(status);
    reply text = ask_rig(r, "GET", "/api/v1/flows/small", NULL, with_token);
    CHECK_STR(text.body.data, FLOW);
    const char *etag = strcasestr(text.headers.data, "etag: ");
    char *match = sl_asprintf("If-None-Match: %.*s", etag ? (int)strcspn(etag + 6, "\r") : 0, etag ? etag + 6 : "");
    const char *conditional[] = {with_token[0], match, NULL};
    CHECK_INT(status_with(r, "GET", "/api/v1/flows/small", conditional), 304);
    free(match);
    reply_done(&text);
    json_t *types = json_of(r, "GET", "/api/v1/processor-types", NULL);
    CHECK(named(types, "type", "update-attribute") != NULL);
    json_decref(types);
    json_decref(json_of(r, "GET", "/api/v1/processor-types/update-attribute", NULL));
    json_decref(json_of(r, "GET", "/api/v1/bulletins?after=0&limit=5", NULL));
    json_t *checked = json_of(r, "POST", "/api/v1/flows/small/validate", FLOW);
    CHECK(json_is_true(json_object_get(checked, "valid")));
    json_decref(checked);
    checked = json_of(r, "POST", "/api/v1/flows/other/validate", FLOW);
    CHECK(json_is_false(json_object_get(checked, "valid")));
    json_decref(checked);
}

static void figures(rig *r)
{
    static const char *const open[] = {BEARER, "Accept: application/openmetrics-text", NULL};
    json_decref(held(r));
    reply plain = ask_rig(r, "GET", "/metrics", NULL, with_token);
    CHECK(strstr(plain.body.data, "\nsluice_processor_in_flowfiles_total{flow=\"small\",processor=\"mark\"} 5\n"));
    CHECK(strstr(plain.body.data, "\n# TYPE sluice_processor_in_flowfiles_total counter\n"));
    CHECK(strstr(plain.body.data, "\nsluice_connection_held{flow=\"small\",connection=\"mark.success.hold\"} 5\n"));
    reply_done(&plain);
    plain = ask_rig(r, "GET", "/metrics", NULL, open);
    CHECK(strstr(plain.body.data, "\n# TYPE sluice_processor_in_flowfiles counter\n"));
    CHECK(strstr(plain.body.data, "\nsluice_processor_in_flowfiles_total{flow=\"small\",processor=\"mark\"} 5\n"));
    CHECK(sl_str_ends(sl_buf_view(&plain.body), "\n# EOF\n"));
    reply_done(&plain);
}

TEST(what_runs_is_shown)
{
    rig *r = rig_open(true);
    rig_run(r, what_runs);
    rig_close(r);
}

TEST(figures_in_both_forms)
{
    rig *r = rig_open(true);
    rig_run(r, figures);
    rig_close(r);
}

static void history(rig *r)
{
    json_decref(held(r));
    json_t *page = NULL;
    for (int64_t until = sl_ticks() + PATIENCE; sl_ticks() < until;) { /* what is held may not be on disk yet */
        json_decref(page);
        page = json_of(r, "GET", "/api/v1/provenance?component=small/mark&attr.seen=yes&type=ATTRIBUTES_MODIFIED", NULL);
        if (json_array_size(json_object_get(page, "events")) == 5) break;
    }
    json_t *event = json_array_get(json_object_get(page, "events"), 0);
    CHECK_INT(json_array_size(json_object_get(page, "events")), 5);
    CHECK(json_is_null(json_object_get(page, "cursor")));
    char *path = sl_asprintf("/api/v1/provenance/%lld", (long long)json_integer_value(json_object_get(event, "seq")));
    json_t *one = json_of(r, "GET", path, NULL);
    CHECK(json_equal(one, event));
    json_decref(one);
    char *content = sl_asprintf("%s/content?side=input", path);
    reply bytes = ask_rig(r, "GET", content, NULL, with_token);
    CHECK_INT(bytes.status, 200);
    CHECK_STR(bytes.body.data, "hello");
    CHECK(strcasestr(bytes.headers.data, "content-disposition: attachment"));
    reply_done(&bytes);
    free(content);
    free(path);
    path = sl_asprintf("/api/v1/lineage/%s", json_string_value(json_object_get(event, "flowfile")));
    json_t *lineage = json_of(r, "GET", path, NULL);
    CHECK_INT(json_array_size(json_object_get(lineage, "nodes")), 3);
    CHECK_INT(json_array_size(json_object_get(lineage, "edges")), 2);
    json_decref(lineage);
    free(path);
    json_decref(page);
}

TEST(history_is_shown)
{
    rig *r = rig_open(true);
    rig_run(r, history);
    rig_close(r);
}

static void queue_operations(rig *r)
{
    json_t *queue = held(r), *first = json_array_get(json_object_get(queue, "flowfiles"), 0);
    CHECK_INT(status_of(r, "POST", "/api/v1/flows/small/connections/make.success.mark/replay"), 409);
    char *path = sl_asprintf("/api/v1/flows/small/connections/mark.success.hold/replay?flowfile=%s",
                             json_string_value(json_object_get(first, "flowfile")));
    json_t *answer = json_of(r, "POST", path, NULL);
    CHECK_INT(json_integer_value(json_object_get(answer, "replayed")), 1);
    json_decref(answer);
    free(path);
    path = sl_asprintf("/api/v1/flows/small/connections/mark.success.hold/flowfiles?through=%lld",
                       (long long)json_integer_value(json_object_get(queue, "seq")));
    answer = json_of(r, "DELETE", path, NULL);
    CHECK_INT(json_integer_value(json_object_get(answer, "dropped")), 4);
    json_decref(answer);
    free(path);
    json_decref(queue);
}

TEST(queues_are_replayed_and_emptied)
{
    rig *r = rig_open(true);
    rig_run(r, queue_operations);
    rig_close(r);
}

/* ---- reloads ------------------------------------------------------------------------------------------------------------- */

static void reload_well(rig *r) { CHECK_INT(status_of(r, "POST", "/api/v1/flows/small/reload"), 200); }

static void reload_badly(rig *r)
{
    reply refused = ask_rig(r, "POST", "/api/v1/reload", NULL, with_token);
    CHECK_INT(refused.status, 422);
    CHECK(strstr(refused.body.data, "small.yaml:1:1"));
    reply_done(&refused);
}

static void reload_for_ever(rig *r)
{
    /* The daemon ends meanwhile: the answer is 503, or the connection is gone before it could be read. */
    long status = status_of(r, "POST", "/api/v1/flows/small/reload");
    CHECK(status == 503 || status == 0);
}

TEST(reloads_are_waited_for)
{
    rig *r = rig_open(true);
    rig_run(r, reload_well);
    rig_close(r);
    r = rig_open(true);
    r->reload_failure = "small.yaml:1:1: error: wrong";
    rig_run(r, reload_badly);
    rig_close(r);
}

/* Their words come when the server is gone. */
static void end_reloads(rig *r, void (*reloaded)(void *context, const char *failure), size_t expected)
{
    void *reloads[8];
    size_t count = r->reload_count;
    memcpy(reloads, r->reloads, sizeof reloads);
    rig_close(r);
    CHECK_INT(count, expected);
    for (size_t i = 0; i < count; i++) reloaded(reloads[i], NULL);
}

TEST(a_stop_does_not_wait_for_a_reload)
{
    rig *r = rig_open(true);
    r->reload_never_ends = r->reload_stops = true;
    rig_run(r, reload_for_ever); /* until the reload is asked for */
    end_reloads(r, r->reloaded, 1);
}

/* ---- events ---------------------------------------------------------------------------------------------------------------- */

static int send_to(const rig *r, const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    address.sin_port = htons((uint16_t)atoi(strrchr(sl_api_address(r->api, 0), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) sl_test_failed(__FILE__, __LINE__, "%s", strerror(errno));
    CHECK_INT(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

static int connect_to(const rig *r) { return send_to(r, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n" BEARER "\r\n\r\n"); }

static bool hears(int fd, const char *word)
{
    sl_buf heard = SL_BUF(4 << 20);
    char piece[4096];
    ssize_t got;
    bool found = false;
    while (!found && (got = recv(fd, piece, sizeof piece, 0)) > 0) {
        sl_buf_add(&heard, piece, (size_t)got);
        found = strstr(heard.data, word) != NULL;
    }
    sl_buf_done(&heard);
    return found;
}

static void listeners(rig *r)
{
    int fds[SL_API_CLIENTS + 1];
    for (size_t i = 0; i < SL_API_CLIENTS; i++) fds[i] = connect_to(r);
    for (size_t i = 0; i < SL_API_CLIENTS; i++) CHECK(hears(fds[i], "event: status\ndata: {\"flows\":"));
    fds[SL_API_CLIENTS] = connect_to(r);
    CHECK(hears(fds[SL_API_CLIENTS], "HTTP/1.1 503"));
    /* A change reaches those who listen. */
    CHECK_INT(status_of(r, "POST", "/api/v1/flows/small/processors/mark/stop"), 200);
    CHECK(hears(fds[0], "\"state\":\"stopped\""));
    CHECK(hears(fds[1], "\"state\":\"stopped\""));
    for (size_t i = 0; i <= SL_API_CLIENTS; i++) close(fds[i]);
}

static void one_listener_stays(rig *r)
{
    int fd = connect_to(r);
    CHECK(hears(fd, "event: status"));
}

TEST(events_reach_those_who_listen)
{
    rig *r = rig_open(true);
    rig_run(r, listeners);
    rig_close(r);
    r = rig_open(true);
    rig_run(r, one_listener_stays); /* the stop ends it */
    rig_close(r);
}

/* ---- what takes long -------------------------------------------------------------------------------------------------- */

static void many_reloads(rig *r)
{
    int fds[6];
    for (size_t i = 0; i < SL_COUNT(fds); i++)
        fds[i] = send_to(r, "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n" BEARER "\r\nContent-Length: 0\r\n\r\n");
    for (int i = 0; i < 20; i++) CHECK_INT(status_of(r, "GET", "/api/v1/status"), 200);
    for (size_t i = 0; i < SL_COUNT(fds); i++) close(fds[i]);
}

TEST(what_takes_long_leaves_a_worker_free)
{
    rig *r = rig_open(true);
    r->reload_never_ends = true;
    rig_run(r, many_reloads);
    end_reloads(r, r->reloaded, SL_API_WORKERS - 1);
}

/* ---- listening ---------------------------------------------------------------------------------------------------------------- */

static int start(const char *where, const char *open, sl_api **ret, uv_loop_t *loop, sl_error *error)
{
    *error = (sl_error){0};
    sl_api_options options = {
        .loop = loop, .state = sl_test_folder(), .token = TOKEN, .listen = &where, .listen_count = 1, .open = &open, .open_count = 1};
    return sl_api_start(&options, ret, error);
}

TEST(addresses_that_cannot_be)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    sl_error error;
    sl_api *api = NULL, *other;
    static const char *const wrong[] = {"8470",  "127.0.0.1", "127.0.0.1:",    "127.0.0.1:x",
                                        ":8470", "::1:8470",  "unix:relative", "127.0.0.1:123456"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) {
        CHECK_INT(start(wrong[i], "healthz", &api, &loop, &error), -1);
        CHECK_INT(error.code, EINVAL);
        CHECK(strstr(error.text, "expected"));
    }
    CHECK_INT(start("127.0.0.1:0", "healthy", &api, &loop, &error), -1);
    CHECK(strstr(error.text, "did you mean `healthz`?"));
    CHECK_INT(start("127.0.0.1:0", "healthz", &api, &loop, &error), 0);
    CHECK_INT(start(sl_api_address(api, 0) + strlen("http://"), "healthz", &other, &loop, &error), -1);
    CHECK_INT(error.code, EADDRINUSE);
    sl_api_stop(api);
    while (uv_loop_close(&loop) != 0) uv_run(&loop, UV_RUN_ONCE);
}

TEST(a_socket_left_behind_is_replaced_a_used_one_is_not)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    sl_error error;
    sl_api *api = NULL, *other;
    char *where = sl_asprintf("unix:%s/left.sock", sl_test_folder());
    CHECK_INT(start(where, "healthz", &api, &loop, &error), 0);
    CHECK_INT(start(where, "healthz", &other, &loop, &error), -1);
    CHECK_INT(error.code, EADDRINUSE);
    CHECK_INT(access(where + 5, F_OK), 0);
    char *kept = sl_asprintf("%s.kept", where + 5);
    CHECK_INT(rename(where + 5, kept), 0);
    sl_api_stop(api);
    CHECK_INT(rename(kept, where + 5), 0); /* as a killed process leaves it */
    CHECK_INT(start(where, "healthz", &api, &loop, &error), 0);
    sl_api_stop(api);
    CHECK_INT(access(where + 5, F_OK), -1);
    CHECK_INT(sl_write_file_durably(where + 5, SL_STR("a file"), 0600, &error), 0);
    CHECK_INT(start(where, "healthz", &api, &loop, &error), -1);
    CHECK_INT(error.code, EEXIST);
    CHECK_INT(access(where + 5, F_OK), 0);
    free(kept);
    free(where);
    while (uv_loop_close(&loop) != 0) uv_run(&loop, UV_RUN_ONCE);
}
