/* api: the HTTP server: status, metrics, provenance, queues, events, the dashboard's files.
 *
 * It has threads of its own: one for each address, which only reads requests, checks who asks and sends answers; three
 * workers, which search the journal and ask the loop; one that tells browsers what changed. Nothing it does holds up the
 * loop longer than one question, and a slow search or a slow client holds up nobody.
 *
 *   sl_api_start     listens; /healthz answers, /readyz and all else say 503
 *   sl_api_engine    recovery is done: from now on everything answers
 *   sl_api_stop      before sl_engine_close, on the loop thread, which answers what workers still ask
 *
 * Bounds: 64 connections an address, 30 s without progress, 32 KiB of request head, 1 MiB of body, 64 requests waiting
 * for a worker, 16 MiB of answer (searches stop with a cursor), 16 clients of /api/v1/events with 1 MiB unsent each.
 *
 * Who may: every route but the open ones and the dashboard's files wants `Authorization: Bearer TOKEN`, or the cookie
 * that POST /api/v1/session gives for it. Without the bearer the Host must be an address, localhost or one of `hosts`
 * (DNS rebinding), and with the cookie a write must come from the page's own origin (CSRF).
 */
#ifndef SL_API_H
#define SL_API_H

#include <uv.h>

#include "engine/engine.h"

typedef struct sl_api sl_api;

typedef struct sl_api_options {
    uv_loop_t *loop;
    const char *state;         /* folder; searches read STATE/journal, with the number in STATE/node */
    const char *token;         /* of sl_api_token */
    const char *const *listen; /* "127.0.0.1:8470", "[::1]:8470", "unix:/run/sluice/api.sock" (mode 0660); port 0: any */
    size_t listen_count;
    const char *const *open; /* routes without token, by their names: healthz, readyz, metrics, ...; GET only */
    size_t open_count;
    const char *const *hosts; /* names beside addresses and localhost that a Host may be */
    size_t host_count;
    /* Loop thread: loads the flow's file again (NULL: everything, as SIGHUP does). done(done_context, NULL or what is
     * wrong) is called later or at once, exactly once, on the loop thread. NULL: reloads are refused. */
    void (*reload)(void *context, const char *flow, void (*done)(void *done_context, const char *failure), void *done_context);
    /* Any thread: what the configuration sets of the flow's parameters, for validation. NULL: nothing. */
    const sl_setting *(*settings)(void *context, sl_str flow, size_t *ret_count);
    void *context;
} sl_api_options;

/* Loop thread; strings are copied. error->code EADDRINUSE: somebody listens there already. */
int sl_api_start(const sl_api_options *options, sl_api **ret, sl_error *error);
void sl_api_engine(sl_api *api, sl_engine *engine); /* loop thread */
/* Where it listens: "http://127.0.0.1:8470", "unix:/run/sluice/api.sock"; NULL past the end. */
const char *sl_api_address(const sl_api *api, size_t i);
/* Loop thread. Ends all connections; the memory goes in the loop's next turn, so run the loop once more. */
void sl_api_stop(sl_api *api);

/* The token in STATE/token, made at the first call (32 random bytes as hex, mode 0600). The caller wipes `ret`. */
int sl_api_token(const char *state, sl_buf *ret, sl_error *error);

#endif
