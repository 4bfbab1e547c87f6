/* host/private: what the files of the test host share. */
#ifndef HOST_PRIVATE_H
#define HOST_PRIVATE_H

#include <uv.h>

#include "base/sys.h"
#include "content/content.h"
#include "engine/modules.h"
#include "host.h"
#include "net/http.h"

typedef struct pair {
    sl_str name, value;
} pair;
typedef struct attributes { /* in order of first appearance; memory of an arena */
    pair *items;
    size_t count, capacity;
} attributes;

typedef struct event {
    const char *type, *uri, *details; /* uri, details: NULL: none */
} event;
enum { MOST_EVENTS = 2 };

struct item {
    uint64_t id, parent;
    char uuid[SL_UUID_TEXT];
    sl_arena arena;
    attributes attributes;
    sl_claim *claim; /* NULL: no content */
    char *text;      /* what item_text read */
    unsigned retries;
    int64_t not_before;
    bool taken;
    const char *aside; /* the turn it waits for */
    const char *turn;  /* the turn it holds */
    const char *intent, **steps;
    size_t step_count;
    bool left;
    const char *relationship; /* left by it; NULL: dropped */
    event events[MOST_EVENTS];
    size_t event_count;
    struct item *next;
};

typedef struct item_list {
    item *first, **last;
    size_t count;
} item_list;

typedef enum fate { NO_FATE, TRANSFERRED, DROPPED, FAILED } fate;

struct sluice_flowfile { /* a session's own copy */
    struct session *session;
    item *item; /* NULL: made in this session */
    uint64_t id, parent;
    char uuid[SL_UUID_TEXT];
    attributes attributes;
    bool attributes_changed, content_changed, cloned;
    sl_claim *claim;
    sl_content_view view;
    bool viewed;
    fate fate;
    const char *relationship;
    sluice_failure failure;
    event event;
    sluice_writer *writer; /* open */
};

struct sluice_writer {
    sluice_flowfile *flowfile;
    sl_content_writer *content;
};

typedef struct effect {
    char *text;
    bool done;
} effect;

typedef struct change { /* of the box's state */
    const char *key, *value;
    struct change *next;
} change;
typedef struct planned {                    /* an effect of this session */
    const struct sluice_flowfile *flowfile; /* it goes with it */
    const char *text;
    struct planned *next;
} planned;

typedef struct session {
    sluice_session abi; /* first */
    box *box;
    sl_arena arena;
    sluice_flowfile **files;
    size_t file_count, file_capacity;
    change *changes, **changes_last;
    planned *planned, **planned_last;
    size_t taken, most;
    sluice_outcome outcome;
    bool in_trigger, on_worker, later, finished, yielded, scanned, failed, denied /* a turn */;
    uint64_t scan_waiting;
    sluice_failure failure; /* of the instance itself */
    uv_thread_t thread;
    struct session *next;
} session;

struct box {
    sluice_instance abi; /* first */
    host *host;
    char *name, *yaml;
    const sluice_processor *processor; /* one of these two; both NULL: refused */
    const sluice_service *service;
    sl_arena arena;
    sl_properties properties;
    unsigned concurrency;
    bool initialised, stopping, losing /* the process is dying */, rolled_back, yielded, scanned, recovered;
    uint64_t scan_waiting;
    int64_t yield_until, paused_until, pause_backoff;
    sluice_failure failure;
    item_list queue, out;
    session *sessions;
    size_t open;
    effect *effects;
    size_t effect_count, effect_capacity;
    char **bulletins;
    size_t bulletin_count, bulletin_capacity;
    sl_map state, figures; /* char *, int64_t * */
    struct box *next;
};

typedef enum call_kind { CALL_TIMER, CALL_SOON, CALL_JOB, CALL_HTTP } call_kind;
struct sluice_call {
    call_kind kind;
    bool completed, cancelled;
    host *host;
    int64_t due;
    uint64_t order;
    void (*done)(void *context, bool cancelled);
    void (*work)(void *context);
    void (*replied)(void *context, const sluice_http_reply *reply);
    void *context;
    uv_work_t job;
    sl_http_request *request;
    struct sluice_call *next;
};

struct sluice_http_client {
    host *host;
    sl_http *http;
};

typedef struct injection {
    bool armed;
    unsigned after;
    sluice_failure failure;
} injection;

struct host {
    char *module;
    sl_modules *modules;
    uv_loop_t loop;
    uv_thread_t loop_thread;
    sl_content *content;
    sl_map parameters, secrets, services, turns; /* char *, char *, box *, item * */
    int64_t realtime, monotonic;
    uint64_t next_id, next_order;
    box *boxes, **boxes_last;
    sluice_call *calls, **calls_last;
    size_t calls_open, loop_calls /* of them, those that the loop completes */, clients_open;
    injection injections[HOST_POINTS];
    bool expects_faults;
    char *fault;
    sl_arena arena; /* texts handed to the test */
    sl_buf log;
    uv_mutex_t lock; /* log, figures, state, injections: workers come too */
};

extern host *host_current;
extern const sluice_host host_table;

/* host.c */
void host_fault_found(host *host, const char *format, ...) SL_PRINTF(2, 3);
bool host_injected(host *host, host_point point, sluice_failure *ret);
void host_say(host *host, const char *format, va_list arguments, char **ret);
/* Checks that the caller is on the session's (or the loop's) thread. */
void host_check_session(session *session, const char *call);
void host_check_loop(host *host, const char *call);
sl_parameter_scope host_parameters(host *host);

/* items.c */
item *item_new(host *host);
void item_free(item *item);
void items_add(item_list *list, item *item);
void items_remove(item_list *list, item *item);
sl_str attributes_get(const attributes *attributes, sl_str name);
void attributes_set(attributes *attributes, sl_arena *arena, sl_str name, sl_str value);
void attributes_unset(attributes *attributes, sl_str name);
void attributes_copy(attributes *to, const attributes *from, sl_arena *arena);

/* session.c, commit.c */
session *session_open(box *box);
void session_end(session *session, sluice_outcome outcome);

/* box.c */
box *box_make(host *host, const char *name, const char *yaml, bool service, sl_buf *problems);
void box_free(box *box);

/* the parts of host_table */
bool call_has(sluice_instance *instance, const char *name);
int64_t call_number(sluice_instance *instance, const char *name);
double call_real(sluice_instance *instance, const char *name);
sluice_text call_text(sluice_instance *instance, const char *name);
size_t call_count(sluice_instance *instance, const char *name);
sluice_text call_item(sluice_instance *instance, const char *name, size_t i);
sluice_text call_item_name(sluice_instance *instance, const char *name, size_t i);
void *call_service(sluice_instance *instance, const char *name);
const char *call_name(sluice_instance *instance);
bool call_evaluate(sluice_session *session, sluice_flowfile *flowfile, const char *name, sluice_text *ret, sluice_failure *failure);
bool call_evaluate_item(sluice_session *session, sluice_flowfile *flowfile, const char *name, size_t i, sluice_text *ret,
                        sluice_failure *failure);
sluice_flowfile *call_get(sluice_session *session);
sluice_flowfile *call_create(sluice_session *session, sluice_flowfile *parent);
sluice_flowfile *call_clone(sluice_session *session, sluice_flowfile *flowfile);
sluice_text call_attribute(sluice_flowfile *flowfile, const char *name);
size_t call_attribute_count(sluice_flowfile *flowfile);
void call_attribute_at(sluice_flowfile *flowfile, size_t i, sluice_text *ret_name, sluice_text *ret_value);
void call_set(sluice_session *session, sluice_flowfile *flowfile, const char *name, const char *value, size_t size);
void call_unset(sluice_session *session, sluice_flowfile *flowfile, const char *name);
void call_transfer(sluice_session *session, sluice_flowfile *flowfile, const char *relationship);
void call_drop(sluice_session *session, sluice_flowfile *flowfile, const char *reason);
void call_fail(sluice_session *session, sluice_flowfile *flowfile, const char *relationship, const sluice_failure *failure);
void call_event(sluice_session *session, sluice_flowfile *flowfile, sluice_event_type type, const char *uri, const char *details);
void call_finish(sluice_session *session, sluice_outcome outcome);
void call_yield(sluice_session *session);
bool call_stopping(sluice_instance *instance);
void call_scanned(sluice_session *session, uint64_t waiting);
bool call_content(sluice_session *session, sluice_flowfile *flowfile, sluice_content *ret, sluice_failure *failure);
int64_t call_read(sluice_session *session, sluice_flowfile *flowfile, uint64_t offset, void *data, size_t size, sluice_failure *failure);
sluice_writer *call_write(sluice_session *session, sluice_flowfile *flowfile);
int call_append(sluice_writer *writer, const void *data, size_t size);
int call_close(sluice_writer *writer, sluice_failure *failure);
int call_import(sluice_session *session, sluice_flowfile *flowfile, const sluice_source *source, sluice_failure *failure);
void call_hashes(sluice_session *session, sluice_flowfile *flowfile, const char *sha256, const char *md5);
sluice_text call_intent(sluice_session *session, sluice_flowfile *flowfile);
sluice_call *call_intend(sluice_session *session, sluice_flowfile *flowfile, const char *intent,
                         void (*durable)(void *context, bool cancelled), void *context);
sluice_call *call_progress(sluice_session *session, sluice_flowfile *flowfile, const char *step,
                           void (*durable)(void *context, bool cancelled), void *context);
size_t call_progress_count(sluice_session *session, sluice_flowfile *flowfile);
sluice_text call_progress_at(sluice_session *session, sluice_flowfile *flowfile, size_t i);
void call_after_commit(sluice_session *session, sluice_flowfile *flowfile, const char *effect);
sluice_text call_state(sluice_session *session, const char *key);
void call_set_state(sluice_session *session, const char *key, const char *value);
bool call_turn(sluice_session *session, sluice_flowfile *flowfile, const char *key);
void turn_release(host *host, item *item);
sluice_call *call_soon(host *host, void (*done)(void *context, bool cancelled), void *context);
sluice_call *call_timer(sluice_instance *instance, int64_t after_us, void (*due)(void *context, bool cancelled), void *context);
sluice_call *call_job(sluice_instance *instance, void (*work)(void *context), void (*done)(void *context, bool cancelled), void *context);
void call_cancel(sluice_call *call);
sluice_http_client *call_http_open(sluice_instance *instance, const sluice_http_client_options *options, sluice_failure *failure);
void call_http_close(sluice_http_client *client);
sluice_call *call_http(sluice_http_client *client, const sluice_http_call_options *options,
                       void (*done)(void *context, const sluice_http_reply *reply), void *context, sluice_failure *failure);

#endif
