/* Start and stop, the questions to the loop, the workers. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "api/private.h"
#include "base/sys.h"

enum { READER_IDLE = 30 /* s: then its connections and their caches are closed */ };

/* ---- questions to the loop ----------------------------------------------------------------------------------------- */

static void answer_asks(sl_api *api)
{
    pthread_mutex_lock(&api->lock);
    while (api->asks) {
        sl_ask *ask = api->asks;
        api->asks = ask->next;
        if (!api->asks) api->asks_last = NULL;
        pthread_mutex_unlock(&api->lock);
        if (atomic_load(&api->engine)) ask->call(ask->context);
        else ask->failed = true;
        pthread_mutex_lock(&api->lock);
        ask->done = true;
        pthread_cond_broadcast(&api->changed);
    }
    pthread_mutex_unlock(&api->lock);
}

static void on_wake(uv_async_t *wake) { answer_asks(wake->data); }

int sl_api_ask(sl_api *api, void (*call)(void *context), void *context)
{
    sl_ask ask = {.call = call, .context = context};
    pthread_mutex_lock(&api->lock);
    *(api->asks_last ? &api->asks_last->next : &api->asks) = &ask;
    /* cppcheck-suppress autoVariables ; this function does not return before the loop has answered */
    api->asks_last = &ask;
    uv_async_send(&api->wake);
    pthread_cond_broadcast(&api->changed); /* sl_api_stop waits there */
    while (!ask.done) pthread_cond_wait(&api->changed, &api->lock);
    pthread_mutex_unlock(&api->lock);
    return ask.failed ? -1 : 0;
}

/* ---- answers by the loop -------------------------------------------------------------------------------------------- */

sl_deferral *sl_api_defer(sl_request *request)
{
    sl_deferral *deferral = SL_NEW(sl_deferral);
    *deferral = (sl_deferral){.api = request->api, .request = request, .next = request->api->deferrals};
    request->api->deferrals = deferral;
    request->worker->deferred = true; /* it sees it: sl_api_ask has a lock in between */
    return deferral;
}

static void send_deferred(sl_api *api, sl_request *request)
{
    if (!request->answered) sl_answer_problem(request, 503, "the daemon ends; ask again when it is back");
    MHD_resume_connection(request->connection);
    pthread_mutex_lock(&api->lock);
    api->busy--;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
}

void sl_api_answer(sl_deferral *deferral)
{
    if (deferral->request) {
        sl_deferral **link = &deferral->api->deferrals;
        while (*link != deferral) link = &(*link)->next;
        *link = deferral->next;
        send_deferred(deferral->api, deferral->request);
    }
    free(deferral);
}

static void end_deferrals(sl_api *api)
{
    for (sl_deferral *deferral; (deferral = api->deferrals);) {
        api->deferrals = deferral->next;
        send_deferred(api, deferral->request);
        deferral->request = NULL;
    }
}

/* ---- workers ------------------------------------------------------------------------------------------------------------ */

int sl_api_hand_over(sl_request *request)
{
    sl_api *api = request->api;
    int result = -1;
    pthread_mutex_lock(&api->lock);
    if (!api->stopping && api->queued < SL_API_QUEUE) {
        MHD_suspend_connection(request->connection);
        *(api->last ? &api->last->next : &api->first) = request;
        api->last = request;
        api->queued++;
        api->busy++;
        pthread_cond_signal(&api->work);
        result = 0;
    }
    pthread_mutex_unlock(&api->lock);
    return result;
}

/* Under the lock. The first that may be worked on now, taken out; NULL: none. */
static sl_request *take_request(sl_api *api)
{
    sl_request *previous = NULL, *request = api->first;
    while (request && (request->route->flags & SL_ROUTE_SLOW) && api->slow + 1 >= SL_API_WORKERS && !api->stopping) {
        previous = request;
        request = request->next;
    }
    if (!request) return NULL;
    *(previous ? &previous->next : &api->first) = request->next;
    if (api->last == request) api->last = previous;
    api->queued--;
    api->slow += request->route->flags & SL_ROUTE_SLOW ? 1 : 0;
    request->next = NULL;
    return request;
}

/* Under the lock. NULL: it is time to end. Closes a reader that nobody has used for a while. */
static sl_request *next_request(sl_worker *worker)
{
    sl_api *api = worker->api;
    sl_request *request;
    while (!(request = take_request(api)) && !api->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += READER_IDLE;
        if (!worker->reader) pthread_cond_wait(&api->work, &api->lock);
        else if (pthread_cond_timedwait(&api->work, &api->lock, &until) == ETIMEDOUT) {
            sl_reader_close(worker->reader);
            worker->reader = NULL;
        }
    }
    return request;
}

/* False: the loop has it. */
static bool work_on(sl_worker *worker, sl_request *request, bool stopping)
{
    request->worker = worker;
    worker->deferred = false;
    if (stopping) sl_answer_problem(request, 503, "the daemon ends; ask again when it is back");
    else request->route->see(request);
    if (worker->deferred) return false;
    if (!request->answered) sl_answer_problem(request, 503, "the daemon ends; ask again when it is back");
    MHD_resume_connection(request->connection); /* from here on the request is the connection's */
    return true;
}

static void *run_worker(void *argument)
{
    sl_worker *worker = argument;
    sl_api *api = worker->api;
    pthread_mutex_lock(&api->lock);
    for (sl_request *request; (request = next_request(worker));) {
        bool stopping = api->stopping, slow = request->route->flags & SL_ROUTE_SLOW;
        pthread_mutex_unlock(&api->lock);
        bool ended = work_on(worker, request, stopping);
        pthread_mutex_lock(&api->lock);
        if (ended) api->busy--;
        if (slow) {
            api->slow--;
            pthread_cond_signal(&api->work); /* one that had to wait may be next */
        }
        pthread_cond_broadcast(&api->changed);
    }
    pthread_mutex_unlock(&api->lock);
    sl_reader_close(worker->reader);
    return NULL;
}

static int open_reader(const sl_api *api, sl_reader **ret, sl_error *error)
{
    sl_buf node = SL_BUF(64);
    char *path = sl_asprintf("%s/node", api->state), *folder = sl_asprintf("%s/journal", api->state);
    int result = sl_read_file(path, 63, &node, error);
    if (result == 0) result = sl_reader_open(folder, (uint32_t)strtoul(sl_buf_view(&node).data, NULL, 10), ret, error);
    sl_buf_done(&node);
    free(path);
    free(folder);
    return result;
}

sl_reader *sl_api_reader(sl_request *request)
{
    sl_error error = {0};
    sl_worker *worker = request->worker;
    if (!worker->reader && open_reader(worker->api, &worker->reader, &error) < 0) {
        worker->reader = NULL;
        sl_answer_problem(request, 500, "%s", error.text);
    }
    sl_engine *engine = atomic_load(&worker->api->engine);
    if (worker->reader && engine) sl_reader_follow(worker->reader, sl_engine_journal(engine));
    return worker->reader;
}

/* ---- start ---------------------------------------------------------------------------------------------------------------- */

static char **copy_list(const char *const *list, size_t count)
{
    char **made = sl_alloc((count + 1) * sizeof *made);
    for (size_t i = 0; i < count; i++) made[i] = sl_strdup(list[i]);
    return made;
}

static void free_list(char **list)
{
    for (char **at = list; at && *at; at++) free(*at);
    free(list);
}

static int open_routes(sl_api *api, sl_error *error)
{
    api->route_open = sl_alloc(sl_route_count * sizeof *api->route_open);
    for (size_t i = 0; i < api->options.open_count; i++) {
        const char *names[64];
        size_t count = 0;
        bool found = false;
        for (size_t r = 0; r < sl_route_count && !found; r++) {
            if (strcmp(sl_routes[r].method, "GET") != 0) continue;
            names[count++] = sl_routes[r].name;
            if (strcmp(api->open[i], sl_routes[r].name) == 0) found = api->route_open[r] = true;
        }
        if (found) continue;
        const char *near = sl_nearest(sl_str_of(api->open[i]), names, count);
        return sl_error_set(error, EINVAL,
                            "http.open: there is no route `%s` that could be open%s%s%s; healthz, readyz and metrics are the usual ones",
                            api->open[i], near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    }
    return 0;
}

static sl_api *api_new(const sl_api_options *options)
{
    sl_api *api = SL_NEW(sl_api);
    sl_buf openapi = SL_BUF(1 << 20);
    api->options = *options;
    api->options.listen = api->options.open = api->options.hosts = NULL;
    api->options.token = NULL;
    api->options.state = api->state = sl_strdup(options->state);
    api->hosts = copy_list(options->hosts, options->host_count);
    api->open = copy_list(options->open, options->open_count);
    sl_auth_init(&api->auth, options->token, (const char *const *)api->hosts, options->host_count);
    sl_openapi(&openapi);
    api->openapi = sl_buf_take(&openapi);
    api->listeners = sl_alloc((options->listen_count + 1) * sizeof *api->listeners);
    pthread_mutex_init(&api->lock, NULL);
    pthread_cond_init(&api->work, NULL);
    pthread_cond_init(&api->changed, NULL);
    return api;
}

static int listen_on(sl_api *api, const sl_api_options *options, sl_error *error)
{
    for (size_t i = 0; i < options->listen_count; i++) {
        sl_listener *listener = &api->listeners[api->listener_count++];
        listener->api = api;
        if (sl_listen(options->listen[i], listener, error) < 0) return -1;
    }
    return 0;
}

static int start_threads(sl_api *api, sl_error *error)
{
    int failed = 0;
    for (size_t i = 0; i < SL_API_WORKERS && !failed; i++) {
        api->workers[i].api = api;
        failed = pthread_create(&api->workers[i].thread, NULL, run_worker, &api->workers[i]);
        api->workers[i].runs = !failed;
    }
    if (failed) return sl_error_set(error, failed, "cannot start the HTTP server's threads: %s", strerror(failed));
    for (size_t i = 0; i < api->listener_count; i++)
        if (sl_listener_start(&api->listeners[i], error) < 0) return -1;
    return 0;
}

int sl_api_start(const sl_api_options *options, sl_api **ret, sl_error *error)
{
    sl_api *api = api_new(options);
    SL_ASSERT(uv_async_init(options->loop, &api->wake, on_wake) == 0);
    api->wake.data = api;
    uv_unref((uv_handle_t *)&api->wake); /* serving alone is no reason for the loop to go on */
    api->events = sl_events_new(api);
    if (open_routes(api, error) < 0 || listen_on(api, options, error) < 0 || start_threads(api, error) < 0) {
        sl_api_stop(api);
        return -1;
    }
    for (size_t i = 0; i < api->listener_count; i++) sl_log(SL_INFO, "api", "listens on %s", api->listeners[i].address);
    *ret = api;
    return 0;
}

void sl_api_engine(sl_api *api, sl_engine *engine) { atomic_store(&api->engine, engine); }

const char *sl_api_address(const sl_api *api, size_t i) { return i < api->listener_count ? api->listeners[i].address : NULL; }

/* ---- stop ----------------------------------------------------------------------------------------------------------------- */

static void close_listener(sl_listener *listener)
{
    if (listener->daemon) MHD_stop_daemon(listener->daemon);
    else if (listener->fd >= 0) close(listener->fd);
    if (listener->path) unlink(listener->path);
    free(listener->path);
    free(listener->address);
}

static void on_closed(uv_handle_t *wake)
{
    sl_api *api = wake->data;
    pthread_mutex_destroy(&api->lock);
    pthread_cond_destroy(&api->work);
    pthread_cond_destroy(&api->changed);
    free(api);
}

/* Workers may be waiting for this very thread: it answers them while it waits for their end. */
static void end_workers(sl_api *api)
{
    pthread_mutex_lock(&api->lock);
    api->stopping = true;
    pthread_cond_broadcast(&api->work);
    while (api->busy) {
        while (api->busy && !api->asks && !api->deferrals) pthread_cond_wait(&api->changed, &api->lock);
        pthread_mutex_unlock(&api->lock);
        answer_asks(api);
        end_deferrals(api);
        pthread_mutex_lock(&api->lock);
    }
    pthread_mutex_unlock(&api->lock);
    for (size_t i = 0; i < SL_API_WORKERS; i++)
        if (api->workers[i].runs) pthread_join(api->workers[i].thread, NULL);
}

void sl_api_stop(sl_api *api)
{
    if (!api) return;
    end_workers(api);
    sl_events_close(api->events);
    for (size_t i = 0; i < api->listener_count; i++) close_listener(&api->listeners[i]);
    sl_events_free(api->events);
    free(api->listeners);
    free(api->route_open);
    free(api->openapi);
    free_list(api->hosts);
    free_list(api->open);
    free(api->state);
    sl_auth_done(&api->auth);
    uv_close((uv_handle_t *)&api->wake, on_closed);
}
