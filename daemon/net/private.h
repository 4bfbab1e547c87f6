/* net/private: what the files of this room share.
 *
 *   http.c          the client: its queue, the turn of the loop, closing
 *   http-request.c  one request: libcurl's options, its callbacks, its end
 *   http-socket.c   libcurl's sockets and timer on the loop
 *
 * A request is PENDING (in order, above `connections`), RUNNING (libcurl has it) or ENDED (its result stands
 * and is delivered in the next turn). Deliveries, starts and everything that removes a handle from libcurl
 * happen in the loop's prepare phase or after curl_multi_socket_action, never inside a callback of libcurl.
 */
#ifndef SL_NET_PRIVATE_H
#define SL_NET_PRIVATE_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "base/sys.h"
#include "net/http.h"

/* libcurl sends a body of up to this size together with the headers when it is given as POSTFIELDS. */
#define SMALL_BODY    (64 * 1024)
#define HEADERS_LIMIT (64 * 1024)

typedef struct sl_http_socket {
    uv_poll_t poll;
    sl_http *http;
    curl_socket_t fd;
    int wanted, applied; /* UV_READABLE | UV_WRITABLE */
    bool ours;           /* opened by our callback, so closed by it too; others are the resolver's */
} sl_http_socket;

typedef enum sl_http_state { SL_HTTP_PENDING, SL_HTTP_RUNNING, SL_HTTP_ENDED } sl_http_state;

struct sl_http_request {
    TAILQ_ENTRY(sl_http_request) link;
    sl_http *http;
    sl_http_state state;
    CURL *easy;
    char *method, *url;
    struct curl_slist *headers;
    sl_http_body body;
    uint64_t position; /* of the body, handed to libcurl */
    uint64_t uploaded; /* seen by the watch */
    unsigned sends;    /* times libcurl began to send it */
    bool fresh, cancelled, reply_begun;
    int64_t timeout_us, started, progressed; /* progressed: a byte went out or came in */
    size_t reply_limit;
    int status;
    sl_buf reply_headers, reply_body;
    char *failure; /* our own reason, goes before libcurl's */
    char curl_error[CURL_ERROR_SIZE];
    sl_http_done done;
    void *context;
};
TAILQ_HEAD(sl_http_list, sl_http_request);

struct sl_http {
    uv_loop_t *loop;
    CURLM *multi;
    sl_http_options options; /* no zeros; ca_file is ours */
    uv_prepare_t prepare;
    uv_timer_t timer; /* libcurl's */
    uv_timer_t wake;  /* due at once: keeps the loop from waiting when there is something to do */
    uv_timer_t watch; /* looks for stalls while requests run */
    unsigned open_handles;
    sl_http_socket **sockets; /* by descriptor */
    size_t socket_capacity;
    int *changed; /* descriptors whose interest may differ from what the loop has */
    size_t changed_count, changed_capacity;
    struct sl_http_list pending, running, ended;
    unsigned running_count;
    CURL **idle; /* easy handles for reuse */
    unsigned idle_count;
    bool due;      /* libcurl's timer is due now */
    bool stopping; /* some of `running` are to be ended by us */
    bool closing, shut;
    int64_t warm_until; /* until then the names are known, and requests start side by side */
    void (*closed)(void *context);
    void *closed_context;
};

/* http.c */
void sl_http_wake(sl_http *http);
void sl_http_collect(sl_http *http);       /* delivers what libcurl has finished */
void sl_http_warm(sl_http *http);          /* a connection stands */
void sl_http_handle_closed(sl_http *http); /* one of the loop's handles is gone; the last one ends the client */

/* http-request.c */
sl_http_request *sl_http_request_new(sl_http *http, const sl_http_call *call);
int sl_http_request_start(sl_http_request *request); /* -1: `failure` is set */
/* Calls `done` and frees; the request is in no list and not with libcurl. */
void sl_http_request_end(sl_http_request *request, CURLcode result);
/* Why the request must end now (a limit was passed), or NULL; to be freed. */
char *sl_http_request_overdue(sl_http_request *request, int64_t now);

/* http-socket.c */
void sl_http_socket_options(sl_http *http, CURL *easy);
void sl_http_apply_interest(sl_http *http);
int sl_http_on_interest(CURL *easy, curl_socket_t fd, int what, void *context, void *socket);
int sl_http_on_timer(CURLM *multi, long milliseconds, void *context);

#endif
