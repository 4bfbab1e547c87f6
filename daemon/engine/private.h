/* engine/private: the structs that the files of this room share. Loop thread only unless said.
 *
 *   engine.c        open, start and close; things by name
 *   mailbox.c       what other threads tell the loop: messages, durability
 *   drain.c         the way to a stop
 *   recover.c       the fold of the journal becomes queues, state, pending effects
 *   flowfiles.c     FlowFiles that live: made, moved, ended; who is in flight
 *   bodies.c        which of them have their attributes and claim in memory
 *   holders.c, sweep.c, places.c   whose content may go
 *   clock.c         time that passes, whatever is done to the wall clock
 *   chain.c         a FlowFile's next event
 *   instance.c      a flow's boxes: made, attached to queues, freed
 *   pressure.c      what full queues do; loops; one stuck branch among others
 *   disk.c, reserve.c   what a disk does that is nearly full, or full
 *   compact.c       packs of which little is held any more
 *   services.c      a flow's services, and those that flows share
 *   reload.c        a running flow's new definition
 *   scheduler.c     who runs next; schedules, yields, pauses
 *   session.c       a trigger's transaction: begun, run, ended
 *   commit.c        what a session did becomes events and moves
 *   failure.c       classes, retries, error attributes, pausing
 *   host.c          the table that modules call; host-content.c, host-effects.c, host-calls.c its larger parts
 *   turns.c         deliveries to one target, one at a time
 *   gate.c          how many deliveries at once
 *   effects.c       effects that a commit covers (removing a source)
 *   releases.c      claims that nobody holds any more
 *   roll.c          a new segment and its checkpoint
 *   carry.c         what lives in segments that go is brought into the open one
 *   memory.c        what was freed goes back to the system
 *   operations.c    what is done to a whole queue, in slices
 *   queue-ops.c     what an operator does to queues and processors
 *   expiry.c        what is in a queue for too long
 *   listing.c       what is in a queue
 *   backup.c, backup-folder.c, backup-files.c   a copy as of one moment, and back
 *   stuck.c         processors that hold up the loop, that do not return, that do not end
 *   history.c, history-engine.c   a day of figures, kept over restarts
 *   summary.c       run --until-idle
 *   status.c, metrics.c   what the API shows
 */
#ifndef SL_ENGINE_PRIVATE_H
#define SL_ENGINE_PRIVATE_H

#include "content/content.h"
#include "engine/bulletins.h"
#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/figures.h"
#include "engine/history.h"
#include "engine/modules.h"
#include "engine/queue.h"
#include "engine/secrets.h"
#include "engine/workers.h"
#include "journal/journal.h"
#include "sluice/sluice.h"

typedef struct sl_running_flow sl_running_flow;
typedef struct sl_session sl_session;
struct sl_gated;
typedef struct sl_watch sl_watch;
struct sl_operation;

/* An effect that a commit covers and that is still to do (a source's removal). */
typedef struct sl_pending {
    uint64_t seq; /* of its PENDING event */
    char *text;
    int64_t due; /* ticks: not before */
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
    bool *input_loops;                              /* beside inputs: it comes from where the instance leads */
    bool loop_only;                                 /* the next session takes from those alone: pressure.c */
    bool loop_turns;                                /* ... and one FlowFile, though its loop is full */
    int64_t loop_debt;                              /* what it gave to its full loop beyond what it took */
    sl_session *sessions;                           /* open ones */
    unsigned active;                                /* their number */
    unsigned intending;                             /* of them, those whose intent is not durable yet: see gate.c */
    bool intends;                                   /* its sessions say intents */
    struct sl_gated *gate;                          /* durable, waiting for their place */
    size_t grant;                                   /* FlowFiles that the next session on a worker gets */
    bool initialised, ready_listed, waits_for_durable;
    atomic_bool stopped; /* by hand: stays so over restarts; workers ask */
    bool effects_running;
    bool recovered_effects;        /* pending effects of before the start must end first */
    int64_t yield_until, next_due; /* ticks */
    int64_t rest_until;            /* ticks: a retry whose policy is yield rests the processor */
    int64_t last_begun;            /* ticks of the last session's begin */
    /* paused by a failure of configuration */
    bool paused;
    int64_t paused_until, pause_backoff; /* ticks; us */
    int64_t secrets_seen;                /* newest change of a secret's folder when it paused */
    const char *error_class;
    char *error_message;
    int64_t error_at, last_success_at; /* us since 1970 */
    /* a source's scan */
    bool scanned; /* a complete scan with nothing new since the last FlowFile */
    uint64_t scan_waiting;
    uint64_t made_since_scan;
    /* stuck.c */
    size_t stuck;               /* sessions over their limit */
    int64_t stuck_since;        /* ticks of the oldest of them; 0: none */
    uint64_t slow_triggers;     /* on the loop */
    int64_t slowest, slow_told; /* us; ticks */
    sl_figures figures;
    uv_timer_t timer; /* schedule, yield, pause */
    bool timer_open;
    sl_map secrets; /* property -> text handed out; old ones stay in `secret_texts` */
    sl_arena secret_texts;
    uv_mutex_t lock;     /* secrets, named figures */
    void *turn_requests; /* of workers, not yet answered: see host-effects.c */
    struct sl_instance *next_ready;
} sl_instance;

struct sl_running_flow {
    sl_engine *engine;
    sl_flow *definition;
    sl_instance **services;
    sl_instance **instances; /* by index of definition->processors */
    sl_queue **queues;       /* by index of definition->connections; NULL until attached */
    atomic_bool draining;    /* workers ask */
    size_t open_sessions;
};

typedef struct sl_waiter { /* wants to know when seq is durable */
    uint64_t seq;
    bool cancelled;
    void (*durable)(void *context, bool cancelled);
    void *context;
    struct sl_waiter *next;
} sl_waiter;

typedef struct sl_release { /* a claim whose last reference went */
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
    sl_flowfile **aside; /* not all of them are aside already: see turns.c */
    size_t count, capacity;
    char *key;
    bool told; /* that its holder does not come to its delivery */
} sl_turn;

typedef struct sl_carry { /* a pass of carry.c */
    bool running, walked, waits;
    uint32_t before;             /* segments below go when it ends; 0: none */
    uint32_t failed, failed_end; /* [failed, failed_end): their files failed */
    size_t at, end;              /* places of the slab: the next, the end */
    uint64_t last;               /* seq: durable when it ends */
    int64_t stuck_until;         /* ticks: a FlowFile there could not be read */
    uint64_t bytes;
} sl_carry;

struct sl_replacement;
typedef struct sl_backup sl_backup;

struct sl_engine {
    uv_loop_t *loop;
    char *state_folder;
    char *secrets_folder;
    bool paused, running, drained, failed, closing;
    atomic_bool draining; /* workers ask */
    sl_journal *journal;
    sl_content *content;
    struct sl_disk *disk;
    struct sl_compact *compact; /* NULL until the first second has passed */
    sl_modules *modules;
    sl_workers *workers;
    sl_bulletins *bulletins;
    uint32_t node;
    _Atomic uint64_t next_id;
    int64_t last_time; /* of the last event: events never go back in time */
    sl_clock clock;
    sl_map components;                               /* name -> sl_component */
    sl_map queues;                                   /* key -> sl_queue */
    sl_map flows;                                    /* name -> sl_running_flow */
    sl_map services;                                 /* shared ones: see services.c */
    sl_map flow_problems;                            /* name -> char * */
    sl_map turns;                                    /* target -> sl_turn */
    sl_slab flowfiles;                               /* all that live */
    size_t checkpoint_at, checkpoint_end;            /* places of the slab: the next, the end */
    size_t window;                                   /* of each queue: see bodies.c */
    size_t fetches;                                  /* jobs that read bodies */
    struct sl_sweep *sweep;                          /* what it will look at, until it begins */
    bool sweeping;                                   /* see sweep.c */
    sl_map holders;                                  /* under `lock`: claims that more than one holds, see holders.c */
    sl_release *releases_held, **releases_held_last; /* under `lock`: of before the start, until the sweep knows the holders */
    bool swept;                                      /* under `lock` */
    bool checkpointing;
    sl_carry carry;
    struct sl_operation *operations; /* under way */
    uint64_t retain_bytes;           /* as configured; 0: no limit */
    sl_waiter *waiters, **waiters_last;
    sl_instance *ready_first, *ready_last;
    uv_idle_t idle;  /* runs while the ready list has instances */
    uv_async_t wake; /* committed, messages */
    uv_timer_t retry_timer, expiry_timer, drain_timer;
    int64_t retry_due; /* steady */
    uv_mutex_t lock;   /* messages, releases */
    sl_message *messages, **messages_last;
    sl_release *releases, **releases_last, *releases_logged, **releases_logged_last;
    size_t releases_waiting;
    bool releasing, congested;
    int slots_fd;
    _Atomic uint64_t *slots; /* mapped file: ids in flight, index from 1 */
    uint32_t *free_slots;
    size_t free_slot_count;
    size_t open_sessions, running_jobs, running_effects;
    size_t open_calls;   /* asynchronous calls of modules under way */
    size_t open_handles; /* the loop's handles that are being closed */
    struct sl_replacement *replacements;
    sl_backup *backup; /* the one that runs, or the last */
    uint64_t ended_delivered, ended_failed;
    sl_buf scratch; /* for one event's text at a time */
    void (*on_drained)(void *context);
    void *on_drained_context;
    void (*on_failure)(void *context, const char *message);
    void *on_failure_context;
    void (*on_stuck)(void *context, const char *message);
    void *on_stuck_context;
    sl_watch *watch;
    sl_history *history;
    int64_t history_minute, history_period; /* being counted: minutes since 1970, tens of seconds of ticks */
    bool history_new, history_writing;
    unsigned memory_rest; /* seconds since memory.c gave back, and the journal's next seq then */
    uint64_t memory_seen;
    bool memory_giving;
    int64_t stuck_worker, stuck_later, grace; /* us: limits of sessions; of a stop, after all were cancelled */
    int64_t started_at;                       /* us since 1970 */
    uv_thread_t loop_thread;
};

/* ---- engine.c, mailbox.c, drain.c ---- */
void sl_engine_on_wake(uv_async_t *wake);
void sl_engine_run_messages(sl_engine *engine);
void sl_engine_post(sl_engine *engine, void (*run)(void *context), void *context); /* any thread */
void sl_engine_wake(sl_engine *engine);                                            /* any thread */
sl_waiter *sl_engine_wait_durable(sl_engine *engine, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context);
uint64_t sl_engine_append(sl_engine *engine, sl_batch *batch); /* takes it; rolls when full; the last seq */
sl_component *sl_engine_component(sl_engine *engine, sl_str name);
sl_queue *sl_engine_queue(sl_engine *engine, sl_str key); /* made when new */
int64_t sl_engine_time(sl_engine *engine);                /* us since 1970, for events: never back */
/* The wall clock's, for what an age is reckoned from: events' times stay ahead for long where a clock once was. */
static inline int64_t sl_engine_wall(const sl_engine *engine) { return sl_clock_wall(&engine->clock, sl_clock_steady(&engine->clock)); }
/* What waits is compared with this one: sl_flowfile.not_before is steady, in the journal it is wall time. */
static inline int64_t sl_engine_steady(const sl_engine *engine) { return sl_clock_steady(&engine->clock); }
void sl_engine_check_drained(sl_engine *engine);
int sl_engine_prepare_state(sl_engine *engine, sl_error *error); /* once the journal's lock is ours */

/* ---- flowfiles.c ---- */
int sl_flight_open(sl_engine *engine, sl_error *error); /* maps STATE/in-flight */
void sl_flight_close(sl_engine *engine);
/* Ids in flight when the last process died, to be freed; ret_ran: it did run FlowFiles. Clears both. */
size_t sl_flight_landed(sl_engine *engine, uint64_t **ret, bool *ret_ran);
void sl_flight_begin(sl_engine *engine);                             /* this process runs FlowFiles */
void sl_flight_enter(sl_engine *engine, sl_flowfile *flowfile);      /* takes a slot; nothing is marked yet */
void sl_flight_mark(sl_engine *engine, const sl_flowfile *flowfile); /* any thread: from now on in flight */
void sl_flight_leave(sl_engine *engine, sl_flowfile *flowfile);
sl_flowfile *sl_engine_born(sl_engine *engine, uint64_t id, int64_t entered); /* with an empty body; in no queue yet */
void sl_engine_forget(sl_engine *engine, sl_flowfile *flowfile);              /* frees; it is in no queue */
/* Into a queue, out of one; wakes whom it concerns. */
void sl_engine_put(sl_engine *engine, sl_queue *queue, sl_flowfile *flowfile, int64_t now);
void sl_engine_take_out(sl_engine *engine, sl_flowfile *flowfile);
void sl_engine_give_back(sl_engine *engine, sl_flowfile *flowfile, int64_t now);

/* ---- bodies.c ---- */
/* After a FlowFile came into a queue: it keeps its body only within the queue's window. */
void sl_bodies_keep_window(sl_engine *engine, sl_queue *queue, sl_flowfile *flowfile);
/* Reads the next ones ahead on a worker when few are left. */
void sl_bodies_fetch(sl_engine *engine, sl_queue *queue);
/* The body, read now when it is not there. NULL: it cannot be read, which was told. */
sl_body *sl_body_need(sl_engine *engine, sl_flowfile *flowfile);
/* The body to look at; *ret_lent is one to be discarded afterwards, or NULL. */
sl_body *sl_body_look(sl_engine *engine, const sl_flowfile *flowfile, sl_body **ret_lent);
void sl_body_discard(sl_body *body);                                                                 /* a copy goes: its claim lives on */
int sl_body_read(sl_engine *engine, uint32_t segment, uint64_t seq, sl_body **ret, sl_error *error); /* any thread */

void sl_body_unreadable(sl_engine *engine, const sl_flowfile *flowfile, const sl_error *error); /* tells it */

/* ---- holders.c: claims whose last reference here is not the last there is ---- */
void sl_holders_leave(sl_engine *engine, sl_claim *claim);          /* gives up the reference; a FlowFile in the journal holds it on */
bool sl_holders_last(sl_engine *engine, uint64_t id);               /* under engine->lock: an object went: was it the last holder? */
void sl_holders_add(sl_engine *engine, uint64_t id, uint32_t more); /* under engine->lock */

/* ---- sweep.c ---- */
void sl_sweep_note_places(sl_engine *engine); /* the FlowFiles' last events, as recovery found them */
void sl_sweep_begin(sl_engine *engine);       /* on a worker: which content of before the start nobody holds */
void sl_sweep_free(struct sl_sweep *sweep);

/* ---- chain.c ---- */
typedef struct sl_step { /* what an event says; the FlowFile already has its new attributes and claim */
    unsigned type;
    uint32_t component, relationship, queue;
    const sl_pair *changes; /* of attributes */
    size_t change_count;
    bool claim_said;              /* the claim is new or learned something */
    sl_str parents, uri, details; /* copied */
    uint64_t target;
    int64_t duration, not_before;
    uint32_t retries;
} sl_step;
/* Adds the FlowFile's next event to a batch that will be appended before anything else is; makes it whole when the
 * FlowFile's chain is elsewhere, and sets the FlowFile's seq and segment. */
void sl_chain_add(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile, const sl_step *step);
/* CARRY: the whole state in the open segment, and with it what was journalled about its delivery. */
void sl_chain_carry(sl_engine *engine, sl_batch *batch, sl_flowfile *flowfile);
size_t sl_batch_weight(const sl_batch *batch, size_t from); /* bytes, of the events from that one on */
/* An event of no FlowFile. */
void sl_batch_note(sl_engine *engine, sl_batch *batch, unsigned type, uint32_t component, uint64_t target, sl_str uri, sl_str details);
uint64_t sl_batch_next_seq(const sl_engine *engine, const sl_batch *batch); /* of the event added next */

/* ---- roll.c ---- */
void sl_engine_roll_if_full(sl_engine *engine);
void sl_engine_begin_checkpoint(sl_engine *engine); /* after a roll, or where a crash cut one short */
void sl_engine_checkpoint_step(sl_engine *engine);

/* ---- carry.c ---- */
void sl_engine_retain(sl_engine *engine);        /* now and then: whether retention has something to let go */
void sl_engine_check_renewal(sl_engine *engine); /* whether the journal went on by itself after a failure */
void sl_engine_carry_step(sl_engine *engine);

/* ---- operations.c (engine/operations.h), expiry.c ---- */
void sl_operations_step(sl_engine *engine);
void sl_operations_end(sl_engine *engine);
void sl_expiry_look(sl_engine *engine); /* each second */
void sl_expiry_anew(sl_engine *engine); /* the clock was set: ages are others */

/* ---- status.c ---- */
void sl_engine_connection_json(const sl_engine *engine, const sl_queue *queue, sl_buf *ret);

/* ---- turns.c ---- */
bool sl_turn_ask(sl_engine *engine, sl_flowfile *flowfile, const char *key);
void sl_turn_release(sl_engine *engine, sl_flowfile *flowfile);
void sl_turn_restore(sl_engine *engine, sl_flowfile *flowfile); /* recovery: its intent says so */
/* For what is like a turn that nobody has: the FlowFile, aside already, waits by `key` in the order of its queue; the first
 * `count` go back to their places. */
void sl_turn_wait(sl_engine *engine, sl_flowfile *flowfile, const char *key);
void sl_turn_wake(sl_engine *engine, sl_turn *turn, size_t count);
void sl_turns_look(sl_engine *engine); /* each second: holders that nobody delivers */
void sl_turns_done(sl_engine *engine);

/* ---- effects.c ---- */
void sl_effects_run(sl_engine *engine, sl_instance *instance);
bool sl_effects_recovered(const sl_instance *instance); /* there are some, of before it was made, that it can do */
sl_pending *sl_pending_add(sl_component *component, uint64_t seq, sl_str text);
void sl_pending_remove(sl_component *component, uint64_t seq);

/* ---- releases.c ---- */
void sl_releases_note(void *engine, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size); /* any thread */
void sl_releases_log(sl_engine *engine);    /* RELEASE events for what was noted */
void sl_releases_apply(sl_engine *engine);  /* lets go what is durable, on a worker */
void sl_releases_resume(sl_engine *engine); /* the sweep knows: what was held back goes on */
bool sl_releases_left(sl_engine *engine);   /* some are still to be logged or applied */
void sl_releases_done(sl_engine *engine);

/* ---- recover.c ---- */
typedef struct sl_recovery sl_recovery;
sl_recovery *sl_recovery_new(sl_engine *engine);
void sl_recovery_fold(sl_recovery *recovery, sl_journal_fold *ret);
int sl_recovery_finish(sl_recovery *recovery, sl_error *error);
void sl_recovery_free(sl_recovery *recovery);
#define SL_STATE_STOPPED "sluice:stopped" /* a component's state: stopped by hand */
#define SL_STATE_NEXT_ID "sluice:next_id" /* the component "sluice": at a roll, the next FlowFile's id */
#define SL_CRASHES_HELD  3                /* in flight at so many crashes in a row: held */

/* ---- scheduler.c ---- */
void sl_wake_instance(sl_instance *instance);   /* look at it soon */
void sl_schedule_remove(sl_instance *instance); /* it goes */
void sl_schedule_flow(sl_running_flow *flow);
void sl_schedule_all(sl_engine *engine);
void sl_schedule_durable(sl_engine *engine); /* those that wait for the disk */
void sl_schedule_start(sl_engine *engine);
void sl_schedule_session_ended(sl_session *session);
void sl_schedule_retry_at(sl_engine *engine, int64_t when); /* steady */
/* The next FlowFile of its queues that is ready and, where it must be, durable; now taken. NULL: none. */
sl_flowfile *sl_instance_take(sl_instance *instance, bool loop_only);

/* ---- pressure.c ---- */
bool sl_instance_back_pressure(const sl_instance *instance); /* any way out is full */
bool sl_pressure_lets_run(sl_instance *instance);            /* sets loop_only, loop_turns */
void sl_pressure_room(sl_instance *from);                    /* a queue that it fills has room again: wakes whom it concerns */
void sl_pressure_begin(sl_session *session);                 /* at its commit */
/* A FlowFile that wants into a full queue and can wait alone now waits for room; false: it goes. */
bool sl_pressure_sets_aside(sl_session *session, sluice_flowfile *view);
void sl_pressure_count(sl_instance *instance, uint64_t taken, uint64_t given); /* by a session of loop_turns */
void sl_pressure_eased(sl_instance *instance);                                 /* gives those back that now have room */
void sl_pressure_forget(sl_engine *engine);                                    /* gives all back: queues changed */

/* ---- failure.c ---- */
int64_t sl_jittered(int64_t wait); /* somewhere between the half and the whole of it */
/* What waits in the queue longer than its processor makes anything wait now, does so no longer. */
void sl_retries_cut(sl_queue *queue);
void sl_instance_pause(sl_instance *instance, const sluice_failure *failure);
void sl_instance_failed(sl_instance *instance, const sluice_failure *failure); /* told, nothing else */
void sl_instance_succeeded(sl_instance *instance);
bool sl_instance_probing(const sl_instance *instance); /* paused, and its time to try one has come */
const char *sl_class_name(sluice_class class_);
uint64_t sl_instance_retrying(const sl_instance *instance); /* FlowFiles that wait for their retry */
int64_t sl_secrets_changed(const sl_engine *engine);        /* newest change of a secret's folder, ns */

/* ---- backup.c ---- */
bool sl_backup_runs(const sl_engine *engine);
void sl_backup_join(sl_engine *engine); /* cancels it and waits; what it posts to the loop is still to be run */
void sl_backup_done(sl_engine *engine);

/* ---- stuck.c ---- */
int sl_watch_new(sl_bulletins *bulletins, sl_watch **ret, sl_error *error);
void sl_watch_free(sl_watch *watch);
void sl_watch_begin(sl_watch *watch, const sl_instance *instance); /* around each trigger on the loop */
void sl_watch_end(sl_watch *watch, sl_instance *instance);
void sl_stuck_look(sl_instance *instance); /* each second */
void sl_stuck_ended(const sl_session *session);
void sl_stuck_names(const sl_running_flow *flow, sl_buf *ret); /* "flow/a, flow/b": those that have not ended */
void sl_stuck_leave(sl_engine *engine);                        /* a stop's last deadline has passed */

/* ---- history-engine.c ---- */
int sl_engine_history_open(sl_engine *engine, sl_error *error);
void sl_engine_history_tick(sl_engine *engine);                           /* each second */
void sl_engine_history_restore(sl_engine *engine, sl_instance *instance); /* its last five minutes, of before the start */
void sl_engine_history_window(const sl_engine *engine, const sl_queue *queue, uint64_t *ret_in, uint64_t *ret_out);
void sl_engine_history_close(sl_engine *engine); /* writes; the flows are still there */

/* ---- memory.c ---- */
void sl_engine_memory_tick(sl_engine *engine); /* each second */

/* ---- services.c ---- */
int sl_services_make(sl_running_flow *flow, sl_error *error);
void sl_services_let_go(sl_running_flow *flow);

/* ---- instance.c ---- */
sl_instance *sl_instance_new(sl_running_flow *flow, const char *name);
int sl_instance_init(sl_instance *instance, int (*init)(sluice_instance *instance, sluice_failure *failure), sl_error *error);
void sl_instance_free(sl_instance *instance); /* fini; its memory goes when the loop has closed its timer */
int sl_running_flow_new(sl_engine *engine, sl_flow *flow, sl_running_flow **ret, sl_error *error);
int sl_running_flow_check(sl_running_flow *flow, sl_error *error); /* -1: state has FlowFiles that it has no place for */
void sl_running_flow_attach(sl_running_flow *flow);                /* queues, inputs */
void sl_running_flow_detach(sl_running_flow *flow);
void sl_running_flow_free(sl_running_flow *flow);                     /* fini; not the queues; keeps no session */
void sl_running_flow_cancel(sl_running_flow *flow);                   /* its open sessions */
sl_instance *sl_engine_instance(sl_engine *engine, const char *name); /* "flow/processor"; NULL */

/* ---- reload.c ---- */
void sl_replacements_check(sl_engine *engine); /* a session or an effect ended */

/* ---- host.c ---- */
extern const sluice_host sl_host;

#endif
