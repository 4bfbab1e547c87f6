/* engine/private: the structs that the files of this room share. Loop thread only unless said. */
#ifndef SL_ENGINE_PRIVATE_H
#define SL_ENGINE_PRIVATE_H

#include "content/content.h"
#include "engine/bulletins.h"
#include "engine/engine.h"
#include "engine/figures.h"
#include "engine/queue.h"
#include "engine/workers.h"
#include "journal/journal.h"
#include "sluice/sluice.h"

typedef struct sl_running_flow sl_running_flow;
typedef struct sl_session sl_session;

/* An effect that a commit covers and that is still to do (a source's removal). */
typedef struct sl_pending {
    uint64_t seq; /* of its PENDING event */
    uint32_t component;
    uint64_t flowfile;
    char *text;
    int64_t not_before;
    uint32_t tries;
    bool running, done;
    sluice_failure failure;
    struct sl_pending *next;
} sl_pending;

/* Everything the engine keeps of a component by its name, whether or not a flow runs it. */
typedef struct sl_component {
    uint32_t name;   /* the journal's id */
    sl_map state;    /* key -> char * */
    uv_mutex_t lock; /* state is read by workers */
    sl_pending *pending, **pending_last;
    size_t pending_count;
} sl_component;

/* One box of a flow. */
typedef struct sl_instance {
    sluice_instance abi; /* first: what the module sees */
    sl_engine *engine;
    sl_running_flow *flow;
    sl_flow_processor *definition; /* of a processor, or NULL */
    sl_flow_service *service;      /* of a service, or NULL */
    const sluice_processor *processor;
    sl_component *component;
    char *name; /* "flow/processor" */
    uint32_t name_id;
    uint32_t *relationship_ids;
    sl_queue **inputs;
    size_t input_count, input_capacity, input_next; /* round robin */
    sl_queue **outputs;                             /* of definition->relationships[].connections, flat, by connection index; see flow */
    unsigned active;                                /* open sessions */
    bool initialised, ready_listed, stopped, effects_running, waits_for_durable;
    bool recovered_effects; /* pending effects of before the start must end first */
    int64_t yield_until, next_due;
    /* paused by a failure of configuration */
    bool paused;
    int64_t paused_until, pause_backoff;
    char *error_class, *error_message;
    int64_t error_at, last_success_at;
    uint64_t retrying;
    /* a source's scan */
    bool scanned; /* a complete scan with nothing new since the last FlowFile */
    uint64_t scan_waiting;
    uint64_t made_since_scan;
    sl_figures figures;
    uv_timer_t timer; /* schedule, yield, pause */
    bool timer_open;
    sl_arena secrets; /* texts of secrets handed out */
    uv_mutex_t lock;  /* secrets, named figures */
    struct sl_instance *next_ready;
} sl_instance;

struct sl_running_flow {
    sl_engine *engine;
    sl_flow *definition;
    sl_instance **services;
    sl_instance **instances; /* by index of definition->processors */
    sl_queue **queues;       /* by index of definition->connections */
    bool draining;
    size_t open_sessions;
};

typedef struct sl_waiter { /* wants to know when seq is durable */
    uint64_t seq;
    void (*durable)(void *context, bool cancelled);
    void *context;
    struct sl_waiter *next;
} sl_waiter;

typedef struct sl_release {
    uint64_t id, pack, offset, size, seq;
    sl_claim_kind kind;
    struct sl_release *next;
} sl_release;

typedef struct sl_message { /* from another thread to the loop */
    void (*run)(void *context);
    void *context;
    struct sl_message *next;
} sl_message;

typedef struct sl_turn { /* who holds a target, who waits for it */
    sl_flowfile *holder;
    sl_flowfile **aside;
    size_t count, capacity;
} sl_turn;

struct sl_engine {
    uv_loop_t *loop;
    char *state_folder;
    char *secrets_folder;
    bool paused, running, draining, drained, failed, closing;
    sl_journal *journal;
    sl_content *content;
    struct sl_modules *modules;
    sl_workers *workers;
    sl_bulletins *bulletins;
    uint32_t node;
    _Atomic uint64_t next_id;
    sl_map components;    /* name -> sl_component */
    sl_map queues;        /* key -> sl_queue */
    sl_map flows;         /* name -> sl_running_flow */
    sl_map flow_problems; /* name -> char * */
    sl_map turns;         /* target -> sl_turn */
    sl_idmap flowfiles;
    sl_flowfile *all_first, *all_last, *checkpoint_at;
    bool checkpointing;
    sl_waiter *waiters, **waiters_last;
    sl_instance *ready_first, *ready_last;
    uv_idle_t idle;  /* runs while the ready list has instances */
    uv_async_t wake; /* committed, messages */
    uv_timer_t retry_timer, expiry_timer, drain_timer;
    int64_t retry_due;
    uv_mutex_t lock; /* messages, releases */
    sl_message *messages, **messages_last;
    sl_release *releases, *releases_logged, **releases_logged_last;
    uint64_t *slots; /* mapped file: ids in flight, index from 1 */
    uint32_t *free_slots;
    size_t free_slot_count;
    size_t open_sessions, running_jobs, running_effects;
    size_t open_handles; /* timers of instances being closed */
    uint64_t ended_delivered, ended_failed;
    void (*on_drained)(void *context);
    void *on_drained_context;
    void (*on_failure)(void *context, const char *message);
    void *on_failure_context;
    int64_t started_at;
    uv_thread_t loop_thread;
};

/* engine.c */
void sl_engine_post(sl_engine *engine, void (*run)(void *context), void *context); /* any thread */
void sl_engine_wait_durable(sl_engine *engine, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context);
uint64_t sl_engine_append(sl_engine *engine, sl_batch *batch); /* and rolls when full */
sl_component *sl_engine_component(sl_engine *engine, sl_str name);
sl_queue *sl_engine_queue(sl_engine *engine, sl_str key);
void sl_engine_check_drained(sl_engine *engine);

/* roll.c */
void sl_engine_roll_if_full(sl_engine *engine);
void sl_engine_checkpoint_step(sl_engine *engine);

/* flowfiles.c: the list of all, places and ends */
void sl_engine_list_flowfile(sl_engine *engine, sl_flowfile *flowfile);
void sl_engine_forget_flowfile(sl_engine *engine, sl_flowfile *flowfile); /* frees; it is in no queue */
void sl_engine_mark_in_flight(sl_engine *engine, sl_flowfile *flowfile);
void sl_engine_unmark_in_flight(sl_engine *engine, sl_flowfile *flowfile);
/* Numbers `count` events from `events` as the next of this FlowFile: makes the first whole when its chain is
 * elsewhere (with its intent, which adds events), and sets `previous`. Called once the batch is complete but
 * for this FlowFile's events. */
void sl_engine_put(sl_engine *engine, sl_queue *queue, sl_flowfile *flowfile);
void sl_engine_left_queue(sl_engine *engine, sl_queue *queue, bool was_full); /* wakes who was held back */

/* turns.c */
bool sl_turn_ask(sl_engine *engine, sl_flowfile *flowfile, const char *key);
void sl_turn_release(sl_engine *engine, sl_flowfile *flowfile);
void sl_turn_restore(sl_engine *engine, sl_flowfile *flowfile); /* recovery: its intent says so */

/* effects.c */
void sl_effects_run(sl_engine *engine, sl_instance *instance);
sl_pending *sl_pending_add(sl_component *component, uint64_t seq, uint64_t flowfile, const char *text);
void sl_pending_remove(sl_component *component, uint64_t seq);

/* recover.c */
typedef struct sl_recovery sl_recovery;
sl_recovery *sl_recovery_new(sl_engine *engine);
void sl_recovery_fold(sl_recovery *recovery, sl_journal_fold *ret);
int sl_recovery_finish(sl_recovery *recovery, sl_error *error); /* frees it */

/* scheduler.c */
void sl_schedule(sl_instance *instance); /* look at it soon */
void sl_schedule_flow(sl_running_flow *flow);
void sl_schedule_start(sl_engine *engine);
void sl_schedule_session_ended(sl_instance *instance);
void sl_schedule_at(sl_instance *instance, int64_t when);
void sl_schedule_retry_at(sl_engine *engine, int64_t when);
void sl_instance_pause(sl_instance *instance, const sluice_failure *failure);
void sl_instance_succeeded(sl_instance *instance);

/* instance.c */
int sl_running_flow_new(sl_engine *engine, sl_flow *flow, sl_running_flow **ret, sl_error *error);
void sl_running_flow_attach(sl_running_flow *flow); /* queues, inputs */
void sl_running_flow_free(sl_running_flow *flow);   /* fini; not the queues */

/* modules.c */
int sl_modules_load(const char *folder, struct sl_modules **ret, sl_error *error);
void sl_modules_free(struct sl_modules *modules);
const sl_registry *sl_modules_registry(struct sl_modules *modules);

/* secrets.c: credentials directory, then the config's folder, then SLUICE_SECRET_NAME; one trailing newline dropped */
int sl_secret_read(const sl_engine *engine, const char *name, sl_buf *ret, sl_error *error);

/* host.c */
extern const sluice_host sl_host;

#endif
