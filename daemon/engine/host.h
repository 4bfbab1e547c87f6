/* engine/host: the parts of the table that modules call, one file each. What each does is told in sluice/sluice.h. */
#ifndef SL_HOST_H
#define SL_HOST_H

#include "engine/session.h"

static inline sl_session *sl_session_of(sluice_session *session) { return (sl_session *)session; }
static inline sl_instance *sl_instance_of(sluice_instance *instance) { return (sl_instance *)instance; }
static inline sluice_text sl_text_of(sl_str text) { return (sluice_text){text.data, text.size}; }
/* -1. `what` NULL: the error's own text. */
int sl_failure_of_error(sluice_failure *failure, const sl_error *error);
const char *sl_session_keep(sl_session *session, const char *text); /* in its arena; NULL stays NULL */

/* host-properties.c */
bool sl_host_has(sluice_instance *instance, const char *name);
int64_t sl_host_number(sluice_instance *instance, const char *name);
double sl_host_real(sluice_instance *instance, const char *name);
sluice_text sl_host_text(sluice_instance *instance, const char *name);
size_t sl_host_count(sluice_instance *instance, const char *name);
sluice_text sl_host_item(sluice_instance *instance, const char *name, size_t i);
sluice_text sl_host_item_name(sluice_instance *instance, const char *name, size_t i);
void *sl_host_service(sluice_instance *instance, const char *name);
bool sl_host_evaluate(sluice_session *session, sluice_flowfile *flowfile, const char *name, sluice_text *ret, sluice_failure *failure);
bool sl_host_evaluate_item(sluice_session *session, sluice_flowfile *flowfile, const char *name, size_t i, sluice_text *ret,
                           sluice_failure *failure);

/* host-content.c */
bool sl_host_content(sluice_session *session, sluice_flowfile *flowfile, sluice_content *ret, sluice_failure *failure);
int64_t sl_host_read(sluice_session *session, sluice_flowfile *flowfile, uint64_t offset, void *data, size_t size, sluice_failure *failure);
sluice_writer *sl_host_write(sluice_session *session, sluice_flowfile *flowfile);
int sl_host_append(sluice_writer *writer, const void *data, size_t size);
int sl_host_close(sluice_writer *writer, sluice_failure *failure);
int sl_host_import(sluice_session *session, sluice_flowfile *flowfile, const sluice_source *source, sluice_failure *failure);
void sl_host_hashes(sluice_session *session, sluice_flowfile *flowfile, const char *sha256, const char *md5);

/* host-effects.c */
sluice_text sl_host_intent(sluice_session *session, sluice_flowfile *flowfile);
sluice_call *sl_host_intend(sluice_session *session, sluice_flowfile *flowfile, const char *intent,
                            void (*durable)(void *context, bool cancelled), void *context);
sluice_call *sl_host_progress(sluice_session *session, sluice_flowfile *flowfile, const char *step,
                              void (*durable)(void *context, bool cancelled), void *context);
size_t sl_host_progress_count(sluice_session *session, sluice_flowfile *flowfile);
sluice_text sl_host_progress_at(sluice_session *session, sluice_flowfile *flowfile, size_t i);
void sl_host_after_commit(sluice_session *session, sluice_flowfile *flowfile, const char *effect);
sluice_text sl_host_state(sluice_session *session, const char *key);
void sl_host_set_state(sluice_session *session, const char *key, const char *value);
bool sl_host_turn(sluice_session *session, sluice_flowfile *flowfile, const char *key);
void sl_host_turns_check(sl_instance *instance); /* a session ended or asked: others may be answered */

/* gate.c */
bool sl_gate_ahead(const sl_instance *instance, unsigned concurrency); /* one more session may begin with its intent */
struct sl_gated *sl_gate_enter(sl_session *session);
/* The intent is durable (or the call cancelled: at once): `pass` is called now or when there is a place. */
void sl_gate_durable(struct sl_gated *gated, bool at_once, void (*pass)(void *context), void *context);
void sl_gate_hurry(struct sl_gated *gated); /* cancelled: passes at the next opening */
void sl_gate_open(sl_instance *instance);   /* a session ended, or one was cancelled */
void sl_gate_session_gone(sl_session *session);

/* host-calls.c */
/* As sl_call_durable, for a session's first intent: completes when it is this delivery's turn. */
sluice_call *sl_call_intent(sl_session *session, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context);
sluice_call *sl_host_timer(sluice_instance *instance, int64_t after_us, void (*due)(void *context, bool cancelled), void *context);
sluice_call *sl_host_job(sluice_instance *instance, void (*work)(void *context), void (*done)(void *context, bool cancelled),
                         void *context);
sluice_call *sl_call_durable(sl_engine *engine, uint64_t seq, void (*durable)(void *context, bool cancelled), void *context);
void sl_host_cancel(sluice_call *call);
sluice_http_client *sl_host_http_open(sluice_instance *instance, const sluice_http_client_options *options, sluice_failure *failure);
void sl_host_http_close(sluice_http_client *client);
sluice_call *sl_host_http(sluice_http_client *client, const sluice_http_call_options *options,
                          void (*done)(void *context, const sluice_http_reply *reply), void *context, sluice_failure *failure);

#endif
