/* /api/v1/events: server-sent events. One thread asks the loop once a second, as long as anybody listens, and gives
 * each client what is new: `status` (the whole object, when anything in it changed) and `bulletins` (a list). A client
 * that does not read is suspended with at most 1 MiB unsent, then cut. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "api/private.h"
#include "base/sys.h"

enum { PERIOD = 1 /* s */, KEEPALIVE = 15 /* s without a word */, BULLETINS = 100 };

typedef struct client {
    struct sl_events *events;
    struct MHD_Connection *connection;
    sl_buf unsent;
    size_t sent;        /* of unsent */
    uint64_t bulletins; /* seq of the last given */
    bool fresh;         /* has no status yet */
    bool suspended, cut;
    unsigned silent; /* s */
    struct client *next;
} client;

struct sl_events {
    sl_api *api;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool runs, closing;
    client *clients;
    size_t count;
    uint64_t status_hash;
};

/* ---- clients: the connection's thread -------------------------------------------------------------------------------- */

static void resume(client *client)
{
    if (!client->suspended) return;
    client->suspended = false;
    MHD_resume_connection(client->connection);
}

static ssize_t read_client(void *context, uint64_t position, char *buffer, size_t most)
{
    (void)position;
    client *client = context;
    struct sl_events *events = client->events;
    ssize_t result = 0;
    pthread_mutex_lock(&events->lock);
    size_t left = client->unsent.size - client->sent;
    if (client->cut || events->closing) result = MHD_CONTENT_READER_END_OF_STREAM;
    else if (left) {
        size_t size = SL_MIN(left, most);
        memcpy(buffer, client->unsent.data + client->sent, size);
        client->sent += size;
        if (client->sent == client->unsent.size) client->sent = 0, sl_buf_clear(&client->unsent);
        result = (ssize_t)size;
    } else {
        client->suspended = true;
        MHD_suspend_connection(client->connection);
    }
    pthread_mutex_unlock(&events->lock);
    return result;
}

static void free_client(void *context)
{
    client *gone = context;
    struct sl_events *events = gone->events;
    pthread_mutex_lock(&events->lock);
    client **at = &events->clients;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
    events->count--;
    pthread_mutex_unlock(&events->lock);
    sl_buf_done(&gone->unsent);
    free(gone);
}

static client *client_new(sl_request *request)
{
    const char *last = sl_request_header(request, "Last-Event-ID");
    client *made = SL_NEW(client);
    *made = (client){.events = request->api->events, .connection = request->connection, .unsent = SL_BUF(SL_API_UNSENT), .fresh = true};
    made->bulletins = last ? strtoull(last, NULL, 10) : 0;
    sl_buf_text(&made->unsent, "retry: 2000\n\n");
    return made;
}

static int begin_thread(struct sl_events *events);

enum MHD_Result sl_events_open(sl_request *request)
{
    struct sl_events *events = request->api->events;
    pthread_mutex_lock(&events->lock);
    bool refused = events->closing || events->count == SL_API_CLIENTS || begin_thread(events) < 0;
    client *made = refused ? NULL : client_new(request);
    if (made) {
        made->next = events->clients;
        events->clients = made;
        events->count++;
        pthread_cond_signal(&events->wake);
    }
    pthread_mutex_unlock(&events->lock);
    if (refused) {
        sl_answer_problem(request, 503, "%d clients listen to the events already; close one", SL_API_CLIENTS);
        return sl_answer_send(request);
    }
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 << 10, read_client, made, free_client);
    SL_ASSERT(response);
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(request->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- what is new: the thread ------------------------------------------------------------------------------------------- */

typedef struct news {
    sl_api *api;
    uint64_t after; /* bulletins */
    sl_buf status, bulletins;
    uint64_t last;
} news;

static void look(void *context)
{
    news *to = context;
    sl_engine *engine = atomic_load(&to->api->engine);
    sl_engine_status_json(engine, &to->status);
    sl_engine_bulletins_json(engine, to->after, BULLETINS, &to->bulletins, &to->last);
}

/* Counts as a request, so that a stop waits for it and answers it. */
static int ask(news *news)
{
    sl_api *api = news->api;
    pthread_mutex_lock(&api->lock);
    bool stopping = api->stopping;
    if (!stopping) api->busy++;
    pthread_mutex_unlock(&api->lock);
    if (stopping) return -1;
    int result = sl_api_ask(api, look, news);
    pthread_mutex_lock(&api->lock);
    api->busy--;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
    return result;
}

/* The daemon's own part, the last, has the time in it. */
static uint64_t hash_of(sl_str status)
{
    static const char tail[] = ",\"daemon\":{";
    for (size_t size = status.size; size >= sizeof tail; size--)
        if (memcmp(status.data + size - (sizeof tail - 1), tail, sizeof tail - 1) == 0) return sl_hash(status.data, size);
    return sl_hash(status.data, status.size);
}

static void say(client *client, const char *event, sl_str data, const char *id)
{
    sl_buf *to = &client->unsent;
    if (id) sl_buf_printf(to, "id: %s\n", id);
    sl_buf_printf(to, "event: %s\ndata: ", event);
    sl_buf_str(to, data);
    sl_buf_text(to, "\n\n");
    client->silent = 0;
}

static void tell(client *client, const news *news, bool changed)
{
    char id[24];
    if ((changed || client->fresh) && news->status.size) say(client, "status", sl_buf_view(&news->status), NULL);
    client->fresh = false;
    if (client->bulletins > news->last) client->bulletins = 0; /* of an earlier process, under another clock: told anew */
    else if (news->last > client->bulletins) {
        snprintf(id, sizeof id, "%llu", (unsigned long long)news->last);
        say(client, "bulletins", sl_buf_view(&news->bulletins), id);
        client->bulletins = news->last;
    }
    if (++client->silent > KEEPALIVE) {
        sl_buf_text(&client->unsent, ": still here\n\n");
        client->silent = 0;
    }
    if (client->unsent.overflowed) client->cut = true;
    if (client->unsent.size || client->cut) resume(client);
}

/* The least that any client has: those that have more get a bulletin twice at most once, and know it by its seq. */
static uint64_t bulletins_after(const struct sl_events *events)
{
    uint64_t least = UINT64_MAX;
    for (const client *c = events->clients; c; c = c->next) least = SL_MIN(least, c->bulletins);
    return least;
}

static void tell_all(struct sl_events *events, const news *news)
{
    uint64_t hash = hash_of(sl_buf_view(&news->status));
    bool changed = hash != events->status_hash;
    events->status_hash = hash;
    for (client *c = events->clients; c; c = c->next) tell(c, news, changed);
}

/* Under the lock. */
static void pause_until_due(struct sl_events *events)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PERIOD;
    while (!events->closing && !events->clients) pthread_cond_wait(&events->wake, &events->lock);
    while (!events->closing && pthread_cond_timedwait(&events->wake, &events->lock, &until) != ETIMEDOUT) continue;
}

static void *run_events(void *argument)
{
    struct sl_events *events = argument;
    pthread_mutex_lock(&events->lock);
    while (!events->closing) {
        news news = {
            .api = events->api, .after = bulletins_after(events), .status = SL_BUF(SL_API_UNSENT), .bulletins = SL_BUF(SL_API_UNSENT)};
        pthread_mutex_unlock(&events->lock);
        int result = ask(&news);
        pthread_mutex_lock(&events->lock);
        if (result == 0) tell_all(events, &news);
        sl_buf_done(&news.status);
        sl_buf_done(&news.bulletins);
        pause_until_due(events);
    }
    pthread_mutex_unlock(&events->lock);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

/* Under the lock; the thread begins with the first client. */
static int begin_thread(struct sl_events *events)
{
    if (events->runs) return 0;
    if (pthread_create(&events->thread, NULL, run_events, events) != 0) return -1;
    events->runs = true;
    return 0;
}

struct sl_events *sl_events_new(sl_api *api)
{
    struct sl_events *events = SL_NEW(struct sl_events);
    events->api = api;
    pthread_mutex_init(&events->lock, NULL);
    pthread_cond_init(&events->wake, NULL);
    return events;
}

void sl_events_close(struct sl_events *events)
{
    pthread_mutex_lock(&events->lock);
    events->closing = true;
    pthread_cond_broadcast(&events->wake);
    for (client *c = events->clients; c; c = c->next) resume(c);
    pthread_mutex_unlock(&events->lock);
    if (events->runs) pthread_join(events->thread, NULL);
}

void sl_events_free(struct sl_events *events)
{
    pthread_mutex_destroy(&events->lock);
    pthread_cond_destroy(&events->wake);
    free(events);
}
