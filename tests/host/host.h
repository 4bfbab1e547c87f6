/* host: runs a module's processors without a daemon, one step at a time, so that a test of a module is a page.
 *
 *   TEST(counts_lines)
 *   {
 *       host *host = host_new("example");                              the family's shared object, as built
 *       box *box = box_new(host, "type: example\nattribute: n\n");     properties as a flow writes them
 *       box_feed(box, "one\ntwo\n", "filename", "a.txt", NULL);        content, then attributes by name and value
 *       box_run(box);                                                  until nothing more can be done
 *       CHECK_INT(box_count(box, "success"), 1);
 *       CHECK_STR(item_attribute(box_item(box, "success", 0), "n"), "2");
 *       host_free(host);
 *   }
 *
 * What is real: the loader, the property decoder, expressions, the content store (in the test's folder), HTTP (on a
 * uv loop), threads (what a module wants on a worker runs on another thread). What is not: the journal, whose part
 * plain lists play, and the clock, which stands still until host_advance moves it. What both hosts must do alike is
 * in tests/conformance.
 *
 * A module that breaks the ABI's rules (a FlowFile forgotten, a relationship unknown, a loop-only call on a worker, a
 * call that never completed, a session left open) fails the test by itself: that is a *fault*. One host at a time.
 */
#ifndef HOST_H
#define HOST_H

#include "base/base.h"
#include "sluice/sluice.h"
#include "test.h"

typedef struct host host;
typedef struct box box;   /* an instance of a type, with its queue and all that it left behind */
typedef struct item item; /* a FlowFile outside a session: queued, or gone out */

/* ---- the host ----------------------------------------------------------------------------------------- */
/* `module`: a family ("s3": build/processors/s3), or a folder of shared objects when there is a slash in it. */
host *host_new(const char *module);
void host_free(host *host); /* ends boxes and services; what is still open is a fault */

/* Before the boxes that use them. Text as in a flow. */
void host_parameter(host *host, const char *name, const char *value);
void host_secret(host *host, const char *name, const char *value);
void host_service(host *host, const char *name, const char *yaml); /* "type: s3\nendpoint: ...\n" */

/* The clock begins at the real time and stands. Timers that become due fire in their order. */
int64_t host_now(host *host);
void host_set_now(host *host, int64_t realtime_us); /* jumps without firing */
void host_advance(host *host, int64_t us);
/* Runs the loop until only timers are left (jobs, HTTP, durability); 60 s of real time at most. */
void host_settle(host *host);
struct uv_loop_s *host_loop(host *host); /* for a server of the test's own */
size_t host_calls(host *host);           /* asynchronous calls that have not completed */
bool host_logged(host *host, const char *part);

/* The `after`-th next call there (0: the next) fails. */
typedef enum host_point {
    HOST_CONTENT,     /* sluice_content */
    HOST_READ,        /* sluice_read */
    HOST_CLOSE,       /* sluice_close of a writer */
    HOST_IMPORT,      /* sluice_import */
    HOST_COMMIT,      /* the commit is lost, as when the process dies; restart the box then */
    HOST_EFFECT_DONE, /* an effect was done, but nobody remembers */
    HOST_POINTS
} host_point;
void host_fail(host *host, host_point point, unsigned after, sluice_class class_, const char *code, const char *message);

/* From now on faults do not fail the test; the last one is returned and forgotten (NULL: none). */
const char *host_fault(host *host);

/* ---- boxes -------------------------------------------------------------------------------------------- */
/* Anything refused fails the test; the box is then still usable as one that does nothing. `concurrency` may be given. */
box *box_new(host *host, const char *yaml);
/* True when the properties or init refuse; `ret` gets what was said ("LINE:COL: ..." or the failure's message). */
bool box_refused(host *host, const char *yaml, sl_buf *ret);
/* The process dies and comes again: open sessions leave no trace (cancelled, their commits lost), then fini, init. Queue,
 * state, intents, progress, effects not yet done stay. */
void box_restart(box *box);
void box_stop(box *box, bool stopping); /* what sluice_stopping says */
sluice_instance *box_instance(box *box);

/* A FlowFile into the queue; attributes as name, value, ..., NULL. Its id is returned. */
uint64_t box_feed(box *box, const char *text, ...) __attribute__((sentinel));
uint64_t box_feed_bytes(box *box, const void *data, size_t size, ...) __attribute__((sentinel));
/* What `from` sent to `relationship` comes into this box's queue; returns how many. */
size_t box_pass(box *from, const char *relationship, box *to);

/* One session, if the box has work, is not paused or yielding, and may open one more; false: none was opened. Effects
 * that a restart left are done before. */
bool box_trigger(box *box);
/* Triggers, settles, does effects, until nothing changes. Timers, retries and pauses wait for host_advance. A source
 * is triggered until it yields or a session of it made nothing. */
void box_run(box *box);
size_t box_run_effects(box *box);           /* on a worker, one after the other; returns how many are still to do */
void box_cancel(box *box);                  /* calls the module's cancel for every open session */
size_t box_open(const box *box);            /* open sessions */
size_t box_effects(const box *box);         /* still to do */
const char *box_effect(box *box, size_t i); /* its text; NULL past the end */

/* ---- what came of it; texts live as long as the host ------------------------------------------------- */
size_t box_queued(const box *box);                                  /* in its queue, also taken or waiting ones */
size_t box_count(const box *box, const char *relationship);         /* left by it; NULL: dropped */
item *box_item(const box *box, const char *relationship, size_t i); /* fails the test when absent */
item *box_queue_item(const box *box, size_t i);                     /* NULL past the end */
void box_forget(box *box);                                          /* what left so far */
const sluice_failure *box_failure(const box *box);                  /* the last one reported, class_ 0: none */
bool box_paused(const box *box);
bool box_yielded(const box *box);                        /* the last session */
bool box_scanned(const box *box, uint64_t *ret_waiting); /* a scan ended since the last box_forget */
const char *box_state(const box *box, const char *key);  /* NULL: none */
int64_t box_figure(const box *box, const char *name);    /* 0: none */
const char *box_bulletin(const box *box, size_t i);      /* NULL past the end */

uint64_t item_id(const item *item);
const char *item_attribute(const item *item, const char *name); /* NULL: absent */
const char *item_text(item *item);                              /* its content, terminated */
uint64_t item_size(const item *item);
const char *item_sha256(const item *item), *item_md5(const item *item); /* NULL: not known */
uint64_t item_parent(const item *item);                                 /* 0: none */
/* Provenance of its last session: "SEND"; NULL past the end. */
const char *item_event(const item *item, size_t i), *item_uri(const item *item, size_t i), *item_details(const item *item, size_t i);
const char *item_intent(const item *item), *item_step(const item *item, size_t i); /* NULL: none */
unsigned item_retries(const item *item);

#endif
