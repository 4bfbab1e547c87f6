/* api/private: what the files of this room share.
 *
 *   server.c      start and stop; the questions to the loop; the workers
 *   connection.c  a request's way: read, checked, handed to a worker, answered (libmicrohttpd's callbacks)
 *   listen.c      sockets
 *   routes.c      the table of routes; openapi.c its description
 *   uri.c, auth.c, token.c   pieces without threads
 *   reply.c       answers and problems
 *   see-*.c       what the routes do: see-daemon.c status, types, sessions, files; see-flows.c, see-queues.c;
 *                 see-history.c provenance; see-backup.c
 *   events.c      /api/v1/events
 *   ui.c          the dashboard's files, generated from web-ui/
 */
#ifndef SL_API_PRIVATE_H
#define SL_API_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "api/auth.h"
#include "api/uri.h"
#include "journal/query.h"

enum {
    SL_API_WORKERS = 3,
    SL_API_CONNECTIONS = 64,
    SL_API_QUEUE = 64,
    SL_API_TIMEOUT = 30, /* s */
    SL_API_HEAD = 32 << 10,
    SL_API_BODY = 1 << 20,
    SL_API_ANSWER = 16 << 20,
    SL_API_CLIENTS = 16, /* of /api/v1/events */
    SL_API_UNSENT = 1 << 20,
};

struct sl_request;

/* ---- routes ------------------------------------------------------------------------------------------------- */

enum {                       /* sl_route.flags */
       SL_ROUTE_DIRECT = 1,  /* answered on the connection's thread: never waits */
       SL_ROUTE_STREAM = 2,  /* server-sent events */
       SL_ROUTE_PUBLIC = 4,  /* never wants a token: the dashboard's files */
       SL_ROUTE_BODY = 8,    /* takes one */
       SL_ROUTE_EARLY = 16,  /* also before the engine is there */
       SL_ROUTE_REST = 32,   /* the last parameter takes all that follows */
       SL_ROUTE_BEARER = 64, /* a cookie does not do */
       SL_ROUTE_SLOW = 128,  /* searches, waits: one worker at least is kept free of these */
};

typedef struct sl_parameter {
    const char *name, *help; /* a name that ends with . is a prefix, one after ! is required; NULL ends a table */
} sl_parameter;

typedef struct sl_route {
    const char *method, *path; /* "/api/v1/flows/{flow}" */
    const char *name;          /* for `open`, and OpenAPI's operationId */
    const char *summary;
    const char *produces; /* the type of the good answer; NULL: none */
    unsigned status;      /* of the good answer */
    unsigned flags;
    const sl_parameter *query;
    void (*see)(struct sl_request *request);
} sl_route;

extern const sl_route sl_routes[];
extern const size_t sl_route_count;
enum { SL_ROUTE_PARAMETERS = 4 };
/* The route of a method (HEAD counts as GET) and path, with the path's parameters. NULL: none; then *ret_allowed has
 * the methods that the path does know, as Allow wants them ("" : the path is unknown). */
const sl_route *sl_route_find(const char *method, const sl_uri *uri, sl_str parameters[SL_ROUTE_PARAMETERS], char ret_allowed[64]);
/* A query parameter that the route does not know, data NULL: none. */
sl_str sl_route_unknown(const sl_route *route, const sl_uri *uri);
void sl_openapi(sl_buf *ret);

/* ---- requests ------------------------------------------------------------------------------------------------ */

typedef struct sl_answer {
    unsigned status;
    const char *type; /* literal */
    sl_buf text;
    int fd; /* -1, or the body: [offset, offset + size) */
    uint64_t offset, size;
    const void *fixed; /* a body that lives for ever, with `size` */
    struct {
        const char *name; /* literal */
        char *value;
    } headers[6];
    size_t header_count;
} sl_answer;

typedef struct sl_worker {
    struct sl_api *api;
    pthread_t thread;
    bool runs;
    sl_reader *reader; /* NULL: not open */
    bool deferred;     /* what it was working on is answered by the loop */
} sl_worker;

typedef struct sl_deferral { /* loop thread */
    struct sl_api *api;
    struct sl_request *request; /* NULL: it was answered meanwhile, since the server ends */
    struct sl_deferral *next;
} sl_deferral;

typedef struct sl_request { /* one thread at a time has it: the connection's, then a worker, then the connection's */
    struct sl_listener *listener;
    struct sl_api *api;
    struct MHD_Connection *connection;
    sl_uri uri;
    sl_error wrong; /* of the URI: the code is the status */
    const sl_route *route;
    sl_str parameters[SL_ROUTE_PARAMETERS]; /* of the path */
    sl_buf body;
    sl_answer answer;
    sl_worker *worker;
    bool begun, answered;
    struct sl_request *next;
} sl_request;

/* Header of the request, NULL: absent. */
const char *sl_request_header(const sl_request *request, const char *name);
/* Query parameters as numbers: the fallback when absent; false: answered with a problem. */
bool sl_request_number(sl_request *request, const char *name, uint64_t fallback, uint64_t most, uint64_t *ret);
bool sl_request_time(sl_request *request, const char *name, int64_t *ret); /* RFC 3339; as it was when absent */
bool sl_request_flowfile(sl_request *request, sl_str text, uint64_t *ret); /* UUID or number */

/* ---- answers -------------------------------------------------------------------------------------------------- */
void sl_answer_header(sl_request *request, const char *name, const char *format, ...) SL_PRINTF(3, 4);
/* What is in answer.text is the body. */
void sl_answer_done(sl_request *request, unsigned status, const char *type);
void sl_answer_json(sl_request *request);
/* Replaces whatever was there by a problem (RFC 9457). */
void sl_answer_problem(sl_request *request, unsigned status, const char *format, ...) SL_PRINTF(3, 4);
void sl_answer_error(sl_request *request, const sl_error *error); /* its code chooses the status */
const char *sl_status_text(unsigned status);
enum MHD_Result sl_answer_send(sl_request *request);

/* ---- the server ------------------------------------------------------------------------------------------------- */

typedef struct sl_listener {
    struct sl_api *api;
    struct MHD_Daemon *daemon;
    char *address;
    char *path; /* of a Unix socket, NULL: TCP */
    int fd;     /* until the daemon has it */
} sl_listener;

typedef struct sl_ask { /* on its worker's stack */
    void (*call)(void *context);
    void *context;
    bool done, failed;
    struct sl_ask *next;
} sl_ask;

struct sl_api {
    sl_api_options options;
    char *state;
    char **hosts, **open;
    sl_auth auth;
    bool *route_open;
    char *openapi;
    uv_async_t wake;
    sl_listener *listeners;
    size_t listener_count;
    _Atomic(sl_engine *) engine; /* set by the loop thread; used there, and for what any thread may ask */
    sl_worker workers[SL_API_WORKERS];
    struct sl_events *events;
    sl_deferral *deferrals; /* loop thread */

    pthread_mutex_t lock;
    pthread_cond_t work;    /* a request for the workers, or stopping */
    pthread_cond_t changed; /* an ask, an ask's end, a request's end, a reload's end */
    sl_request *first, *last;
    size_t queued, busy; /* waiting; waiting or being worked on */
    size_t slow;         /* of SL_ROUTE_SLOW being worked on */
    sl_ask *asks, *asks_last;
    bool stopping;
};

/* Any thread but the loop's: runs `call` on the loop and waits. -1: there is no engine (any more). */
int sl_api_ask(sl_api *api, void (*call)(void *context), void *context);
/* Loop thread, within what sl_api_ask runs: the request is answered later, by the loop, and its worker is free for others. It
 * must not touch the request any more once sl_api_ask has returned. A client that goes away changes nothing. */
sl_deferral *sl_api_defer(sl_request *request);
/* Loop thread: sends what the request has as its answer (it may be gone: request NULL); frees the deferral. */
void sl_api_answer(sl_deferral *deferral);
/* The connection's thread: suspends it and hands it to the workers. -1: too many wait, or it stops. */
int sl_api_hand_over(sl_request *request);
/* The reader of the worker's; NULL: answered with a problem. */
sl_reader *sl_api_reader(sl_request *request);

/* ---- listen.c ---------------------------------------------------------------------------------------------------- */
/* Fills fd, address and path. */
int sl_listen(const char *where, sl_listener *ret, sl_error *error);

/* ---- connection.c -------------------------------------------------------------------------------------------------- */
int sl_listener_start(sl_listener *listener, sl_error *error);

/* ---- events.c ------------------------------------------------------------------------------------------------------ */
struct sl_events *sl_events_new(sl_api *api);
enum MHD_Result sl_events_open(sl_request *request); /* sends the answer that never ends */
void sl_events_close(struct sl_events *events);      /* wakes all clients to their end; joins its thread */
void sl_events_free(struct sl_events *events);       /* after the last connection */

/* ---- what the routes do ---------------------------------------------------------------------------------------------- */
void sl_see_healthz(sl_request *request);
void sl_see_readyz(sl_request *request);
void sl_see_metrics(sl_request *request);
void sl_see_openapi(sl_request *request);
void sl_see_status(sl_request *request);
void sl_see_status_history(sl_request *request);
void sl_see_bulletins(sl_request *request);
void sl_see_types(sl_request *request);
void sl_see_type(sl_request *request);
void sl_see_session(sl_request *request);
void sl_see_session_end(sl_request *request);
void sl_see_flows(sl_request *request);
void sl_see_flow(sl_request *request);
void sl_see_validate(sl_request *request);
void sl_see_reload(sl_request *request);
void sl_see_processor_start(sl_request *request);
void sl_see_processor_stop(sl_request *request);
void sl_see_queue(sl_request *request);
void sl_see_queue_empty(sl_request *request);
void sl_see_queue_replay(sl_request *request);
void sl_see_provenance(sl_request *request);
void sl_see_event(sl_request *request);
void sl_see_content(sl_request *request);
void sl_see_lineage(sl_request *request);
void sl_see_backup_begin(sl_request *request);
void sl_see_backup(sl_request *request);
void sl_see_backup_cancel(sl_request *request);
void sl_see_ui(sl_request *request);

/* ---- ui.c (generated) -------------------------------------------------------------------------------------------------- */
typedef struct sl_ui_file {
    const char *path; /* "index.html", "app/queue.js" */
    const char *type, *etag;
    const unsigned char *data;
    size_t size;
} sl_ui_file;
extern const sl_ui_file sl_ui_files[]; /* path NULL at the end */

#endif
