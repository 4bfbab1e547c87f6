/* net/http: an HTTP client on the event loop (libcurl multi + libuv). All calls on the loop's thread.
 *
 * The life of a request: sl_http_request copies what it is given, the transfer runs, and `done` is
 * called exactly once, later, never inside the submitting call; also after sl_http_cancel and when the
 * client is closed. After `done` the request is gone.
 *
 * Set up as measurements say (see http.c): HTTP/1.1 only, no Expect but on a large repeat, explicit
 * sizes, no silent repeats by libcurl (the second send of a transfer is aborted and reported as a broken
 * connection), CAINFO without CAPATH, a stall limit only while sending, connections younger than the
 * server's keep-alive, a fresh connection after 503, socket interest applied once a loop turn.
 */
#ifndef SL_HTTP_H
#define SL_HTTP_H

#include <uv.h>

#include "base/base.h"

typedef struct sl_http sl_http; /* a client: one connection pool */
typedef struct sl_http_request sl_http_request;

typedef struct sl_http_options {
    unsigned connections;          /* at most this many at once; further requests wait in order. 0: 64 */
    int64_t connect_timeout_us;    /* 0: 10 s */
    int64_t stall_timeout_us;      /* no byte sent for this long while sending a body. 0: 30 s */
    int64_t reply_timeout_us;      /* body sent, no reply begun for this long. 0: 300 s */
    int64_t max_connection_age_us; /* idle age after which a connection is not reused. 0: 4 s */
    const char *ca_file;           /* NULL: the system's bundle */
    bool insecure;                 /* no verification; said in the log */
} sl_http_options;

typedef struct sl_http_body { /* what is sent: memory, or a range of an open file read as it goes */
    const void *data;         /* memory, kept alive by the caller until done; else NULL */
    int fd;                   /* -1: none */
    uint64_t offset, size;
    /* Sees each byte exactly once in order as it is handed to libcurl, or NULL. On a rewind (never
     * silently: only before the first byte went out) it is called with data NULL to start anew. */
    void (*sent)(void *context, const void *data, size_t size);
    void *sent_context;
} sl_http_body;

typedef struct sl_http_call {
    const char *method, *url;   /* the path goes out as it is, no dot-segment removal */
    const char *const *headers; /* "Name: value", NULL at the end */
    sl_http_body body;          /* size 0 and data NULL and fd -1: none */
    size_t reply_limit;         /* bytes of reply body kept; more is an error. 0: 1 MiB */
    bool fresh_connection;      /* after 503 or a reset */
    int64_t timeout_us;         /* for the whole exchange, 0: none */
} sl_http_call;

typedef struct sl_http_reply {
    int status;         /* 0: no reply; see error */
    sl_str body;        /* valid during `done` */
    const char *error;  /* transport error in words, or NULL */
    bool connected;     /* the request may have reached the server */
    bool configuration; /* a transport error that only an operator mends: bad certificate, bad URL */
    bool cancelled;
    int64_t duration_us;
    uint64_t bytes_sent;
} sl_http_reply;

typedef void (*sl_http_done)(void *context, const sl_http_reply *reply, sl_http_request *request);

int sl_http_new(uv_loop_t *loop, const sl_http_options *options, sl_http **ret, sl_error *error);
/* Cancels what runs (each `done` is called), closes handles, then calls closed. */
void sl_http_close(sl_http *http, void (*closed)(void *context), void *context);
int sl_http_submit(sl_http *http, const sl_http_call *call, sl_http_done done, void *context, sl_http_request **ret, sl_error *error);
void sl_http_cancel(sl_http_request *request);
/* A reply header's value by name (any case) or data NULL; valid during `done`. */
sl_str sl_http_header(const sl_http_request *request, const char *name);

#endif
