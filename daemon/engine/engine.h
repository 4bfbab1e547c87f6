/* engine: runs flows. The one header of this room that api and cli use.
 *
 * Everything happens on the loop thread (the thread that calls sl_engine_start and then runs the uv loop) but what
 * says otherwise.
 *
 *   sl_engine_open       opens journal and content, recovers, loads modules
 *   sl_engine_add_flow   instances of a checked definition; queues found in the state are theirs by name
 *   sl_engine_start      begins to schedule
 *   sl_engine_drain      stops scheduling; `drained` when no session is open and all is durable
 *   sl_engine_close
 */
#ifndef SL_ENGINE_H
#define SL_ENGINE_H

#include <uv.h>

#include "base/base.h"
#include "flow/flow.h"

typedef struct sl_engine sl_engine;

typedef struct sl_engine_options {
    uv_loop_t *loop;
    const char *state;             /* folder */
    const char *modules;           /* folder of *.so, also one level below */
    const char *secrets;           /* folder of the config, or NULL */
    unsigned workers;              /* 0: one a core, at least 2 */
    uint64_t segment_events;       /* 0: the journal's default */
    int64_t retain_us;             /* provenance's age, 0: for ever */
    uint64_t retain_bytes;         /* provenance's size, 0: no limit */
    unsigned content_disk_percent; /* how full the state's file system may be; 0: content_disk_bytes says */
    uint64_t content_disk_bytes;   /* what content may take; 0 as well: see sl_disk_marks_of */
    size_t window;                 /* FlowFiles of a queue whose attributes are kept in memory; 0: 10,000 */
    bool paused;                   /* schedules nothing */
} sl_engine_options;

/* error->code EBUSY: another process holds the state. */
int sl_engine_open(const sl_engine_options *options, sl_engine **ret, sl_error *error);
const sl_registry *sl_engine_registry(sl_engine *engine);
const char *sl_engine_state(const sl_engine *engine);

/* Takes `flow`. -1: a service or processor refused (init), or state holds FlowFiles for queues that the flow no
 * longer has; nothing was changed then and the caller keeps the flow. Replaces a flow of the same name: see
 * sl_engine_replace_flow for a running one. */
int sl_engine_add_flow(sl_engine *engine, sl_flow *flow, sl_error *error);
/* A running flow's new definition: drains its sessions, swaps, goes on. On any failure the old one goes on.
 * done(context, NULL) or done(context, message) is called later, once; the flow belongs to the engine then, or
 * was freed. While one is under way the newest waits for its end; one that waited and is no longer the newest is told
 * sl_engine_superseded. */
extern const char sl_engine_superseded[];
void sl_engine_replace_flow(sl_engine *engine, sl_flow *flow, void (*done)(void *context, const char *failure), void *context);
const sl_flow *sl_engine_flow(const sl_engine *engine, sl_str name); /* NULL: not running */
/* A flow that could not be loaded, for status; text is copied. NULL text: mended. */
void sl_engine_flow_problem(sl_engine *engine, const char *name, const char *text);
/* Something an operator should read; it is logged too. component: "flow", "flow/processor" or a room. Any thread. */
void sl_engine_bulletin(sl_engine *engine, sl_level level, const char *component, const char *text);

void sl_engine_start(sl_engine *engine);
/* Stops scheduling, waits for open sessions, cancels them after `deadline_us`. Again: stop now. What does not end within three
 * seconds of that is named by on_stuck; the process must end then, without sl_engine_close. */
void sl_engine_drain(sl_engine *engine, int64_t deadline_us, void (*drained)(void *context), void *context);
void sl_engine_on_stuck(sl_engine *engine, void (*stuck)(void *context, const char *message), void *context);
void sl_engine_close(sl_engine *engine);
/* Commits fail for good (disk): the process must end, restart and recover. */
void sl_engine_on_failure(sl_engine *engine, void (*failed)(void *context, const char *message), void *context);

/* ---- run --until-idle ---------------------------------------------------------------------------- */
typedef struct sl_engine_summary {
    bool idle;        /* every source scanned whole with nothing new, nothing waits, queues but hold are empty */
    bool endless;     /* a source that never ends */
    bool only_paused; /* only paused processors have work left */
    uint64_t queued, held, retrying, in_flight, delivered /* left by end */, failed_ended /* ended by failure */;
    uint64_t waiting_files; /* files that wait for their age */
    char why[256];          /* what it still waits for */
} sl_engine_summary;
void sl_engine_summarise(sl_engine *engine, sl_engine_summary *ret);
/* Nothing is left but to see that the sources have nothing new: they look now, without their rest. */
void sl_engine_hurry(sl_engine *engine);

/* ---- for the API (loop thread) -------------------------------------------------------------------- */
void sl_engine_status_json(sl_engine *engine, sl_buf *ret); /* the object of /api/v1/status */
void sl_engine_flows_json(sl_engine *engine, sl_buf *ret);  /* {"flows":[...]}, as in the status */
/* A processor's or connection's figures, a point a step (whole minutes), of the last day at most. `to` 0: until now. ENOENT,
 * EINVAL. */
int sl_engine_history_json(sl_engine *engine, sl_str component, int64_t from, int64_t to, int64_t step, sl_buf *ret, sl_error *error);
void sl_engine_metrics(sl_engine *engine, bool openmetrics, sl_buf *ret);
const struct sl_modules *sl_engine_modules(const sl_engine *engine); /* any thread */
/* Bulletins that are new, or were repeated, after the number `after`, oldest first: a JSON list; *ret_last: what to ask after the
 * next time. */
void sl_engine_bulletins_json(sl_engine *engine, uint64_t after, size_t limit, sl_buf *ret, uint64_t *ret_last);
/* A queue's FlowFiles, the first `limit`: {"connection":..,"objects":..,"seq":..,"flowfiles":[{flowfile, seq, queued_at, ...}],
 * "truncated":..}, at most `ceiling` bytes. `done` is called later, once, and may take the text. ENOENT. */
int sl_engine_queue_list(sl_engine *engine, const char *key, size_t limit, size_t ceiling, void (*done)(void *context, sl_buf *text),
                         void *context, sl_error *error);
typedef struct sl_selection {     /* of a queue's FlowFiles; all that is given must fit */
    uint64_t flowfile;            /* 0: any */
    uint64_t through;             /* what was there by this seq; 0: any */
    const sl_str *names, *values; /* attributes; a value without data: it is absent */
    size_t attribute_count;
} sl_selection;
typedef struct sl_operated {
    uint64_t count;  /* FlowFiles that it was done to */
    uint64_t unread; /* that stay, since they cannot be read */
    const char *why; /* it ended before its end; the rest stays as it was. NULL: it went through */
    int64_t worked;  /* us of the loop */
} sl_operated;
/* What is done to a queue goes on in slices and concerns what was there when it was asked; `done` is called later, once, when all
 * of it is durable. -1: it did not begin; EBUSY: another goes on over this queue, or too many do.
 * A hold's go back to the processor. `which` NULL: all. */
int sl_engine_queue_replay(sl_engine *engine, const char *key, const sl_selection *which,
                           void (*done)(void *context, const sl_operated *result), void *context, sl_error *error);
/* Drops them; those that sessions have stay. */
int sl_engine_queue_empty(sl_engine *engine, const char *key, const sl_selection *which,
                          void (*done)(void *context, const sl_operated *result), void *context, sl_error *error);
int sl_engine_processor_set(sl_engine *engine, const char *name /* flow/processor */, const char *verb /* start stop */, sl_error *error);
/* A copy of the state as of one moment, in a thread of its own, at `to` (absolute; see sl_backup_check in engine/backup.h). It
 * is given up at the deadline (us), and where nobody asks sl_engine_backup_json for so long as the lease (us; 0: for ever). -1:
 * EBUSY, there is one; EAGAIN, it stops. */
int sl_engine_backup(sl_engine *engine, const char *to, int64_t deadline, int64_t lease, sl_error *error);
void sl_engine_backup_json(sl_engine *engine, sl_buf *ret); /* of the one that runs, else of the last */
void sl_engine_backup_cancel(sl_engine *engine, const char *why);
uint64_t sl_engine_durable(const sl_engine *engine); /* any thread */
/* The bytes of a claim's text: opens for the API thread. Any thread. */
struct sl_content *sl_engine_content(sl_engine *engine);
/* For sl_reader_follow. Any thread. */
struct sl_journal *sl_engine_journal(sl_engine *engine);

#endif
