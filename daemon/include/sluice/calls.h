/* calls.h: the host's calls as a processor writes them, `sluice_get(session)` for `session->host->get(session)`.
 * Thin wrappers with the meaning that sluice.h gives; nothing is kept here. Besides them a few helpers for text
 * and failures that nearly every processor needs.
 */
#ifndef SLUICE_CALLS_H
#define SLUICE_CALLS_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sluice/sluice.h"

/* ---- text ------------------------------------------------------------------------------------------- */
static inline sluice_text sluice_view(const char *text) { return (sluice_text){text, text ? strlen(text) : 0}; }
static inline bool sluice_is(sluice_text text, const char *other)
{
    return text.data && text.size == strlen(other) && memcmp(text.data, other, text.size) == 0;
}
#define SLUICE_TEXT_ARGS(text_) (int)(text_).size, (text_).data ? (text_).data : "" /* for "%.*s" */

/* ---- failures --------------------------------------------------------------------------------------- */
/* Returns -1, so that init and effect can `return sluice_refuse(...)`. */
__attribute__((format(printf, 4, 5))) static inline int sluice_refuse(sluice_failure *failure, sluice_class class_, const char *code,
                                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    failure->class_ = class_;
    snprintf(failure->code, sizeof failure->code, "%s", code);
    vsnprintf(failure->message, sizeof failure->message, format, arguments);
    va_end(arguments);
    return -1;
}
/* "ENOENT" for an errno value. */
static inline const char *sluice_errno_name(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : "errno";
}

/* ---- properties ------------------------------------------------------------------------------------- */
static inline bool sluice_has(sluice_instance *instance, const char *name) { return instance->host->has(instance, name); }
static inline int64_t sluice_number(sluice_instance *instance, const char *name) { return instance->host->number(instance, name); }
static inline double sluice_real(sluice_instance *instance, const char *name) { return instance->host->real(instance, name); }
static inline sluice_text sluice_property_text(sluice_instance *instance, const char *name) { return instance->host->text(instance, name); }
static inline size_t sluice_count(sluice_instance *instance, const char *name) { return instance->host->count(instance, name); }
static inline sluice_text sluice_item(sluice_instance *instance, const char *name, size_t i)
{
    return instance->host->item(instance, name, i);
}
static inline sluice_text sluice_item_name(sluice_instance *instance, const char *name, size_t i)
{
    return instance->host->item_name(instance, name, i);
}
static inline bool sluice_evaluate(sluice_session *session, sluice_flowfile *flowfile, const char *name, sluice_text *ret,
                                   sluice_failure *failure)
{
    return session->host->evaluate(session, flowfile, name, ret, failure);
}
static inline bool sluice_evaluate_item(sluice_session *session, sluice_flowfile *flowfile, const char *name, size_t i, sluice_text *ret,
                                        sluice_failure *failure)
{
    return session->host->evaluate_item(session, flowfile, name, i, ret, failure);
}

/* ---- FlowFiles -------------------------------------------------------------------------------------- */
static inline sluice_flowfile *sluice_get(sluice_session *session) { return session->host->get(session); }
static inline sluice_flowfile *sluice_create(sluice_session *session, sluice_flowfile *parent)
{
    return session->host->create(session, parent);
}
static inline sluice_flowfile *sluice_clone(sluice_session *session, sluice_flowfile *flowfile)
{
    return session->host->clone(session, flowfile);
}
static inline sluice_text sluice_attribute(sluice_session *session, sluice_flowfile *flowfile, const char *name)
{
    return session->host->attribute(flowfile, name);
}
static inline void sluice_set(sluice_session *session, sluice_flowfile *flowfile, const char *name, const char *value)
{
    session->host->set(session, flowfile, name, value, strlen(value));
}
static inline void sluice_set_view(sluice_session *session, sluice_flowfile *flowfile, const char *name, sluice_text value)
{
    session->host->set(session, flowfile, name, value.data ? value.data : "", value.size);
}
static inline void sluice_set_number(sluice_session *session, sluice_flowfile *flowfile, const char *name, int64_t value)
{
    char text[24];
    session->host->set(session, flowfile, name, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
}
static inline void sluice_unset(sluice_session *session, sluice_flowfile *flowfile, const char *name)
{
    session->host->unset(session, flowfile, name);
}
static inline void sluice_transfer(sluice_session *session, sluice_flowfile *flowfile, const char *relationship)
{
    session->host->transfer(session, flowfile, relationship);
}
static inline void sluice_drop(sluice_session *session, sluice_flowfile *flowfile, const char *reason)
{
    session->host->drop(session, flowfile, reason);
}
static inline void sluice_fail(sluice_session *session, sluice_flowfile *flowfile, const char *relationship, const sluice_failure *failure)
{
    session->host->fail(session, flowfile, relationship, failure);
}
static inline void sluice_event(sluice_session *session, sluice_flowfile *flowfile, sluice_event_type type, const char *uri,
                                const char *details)
{
    session->host->event(session, flowfile, type, uri, details);
}
static inline void sluice_finish(sluice_session *session, sluice_outcome outcome) { session->host->finish(session, outcome); }
static inline void sluice_yield(sluice_session *session) { session->host->yield(session); }
static inline bool sluice_stopping(sluice_instance *instance) { return instance->host->stopping(instance); }
static inline void sluice_scanned(sluice_session *session, uint64_t waiting) { session->host->scanned(session, waiting); }

/* ---- content ---------------------------------------------------------------------------------------- */
static inline bool sluice_content_of(sluice_session *session, sluice_flowfile *flowfile, sluice_content *ret, sluice_failure *failure)
{
    return session->host->content(session, flowfile, ret, failure);
}
static inline int64_t sluice_read(sluice_session *session, sluice_flowfile *flowfile, uint64_t offset, void *data, size_t size,
                                  sluice_failure *failure)
{
    return session->host->read(session, flowfile, offset, data, size, failure);
}
static inline sluice_writer *sluice_write(sluice_session *session, sluice_flowfile *flowfile)
{
    return session->host->write(session, flowfile);
}
static inline int sluice_append(sluice_session *session, sluice_writer *writer, const void *data, size_t size)
{
    return session->host->append(writer, data, size);
}
static inline int sluice_close(sluice_session *session, sluice_writer *writer, sluice_failure *failure)
{
    return session->host->close(writer, failure);
}
static inline int sluice_import(sluice_session *session, sluice_flowfile *flowfile, const sluice_source *source, sluice_failure *failure)
{
    return session->host->import(session, flowfile, source, failure);
}
static inline void sluice_hashes(sluice_session *session, sluice_flowfile *flowfile, const char *sha256, const char *md5)
{
    session->host->hashes(session, flowfile, sha256, md5);
}

/* ---- effects and state ------------------------------------------------------------------------------ */
static inline sluice_text sluice_intent(sluice_session *session, sluice_flowfile *flowfile)
{
    return session->host->intent(session, flowfile);
}
/* On a worker: returns when the intent is on disk. */
static inline void sluice_intend_now(sluice_session *session, sluice_flowfile *flowfile, const char *intent)
{
    session->host->intend(session, flowfile, intent, NULL, NULL);
}
/* On the loop: `durable` is called when the intent, or the step of it, is on disk. */
static inline sluice_call *sluice_intend(sluice_session *session, sluice_flowfile *flowfile, const char *intent,
                                         void (*durable)(void *context, bool cancelled), void *context)
{
    return session->host->intend(session, flowfile, intent, durable, context);
}
static inline sluice_call *sluice_progress(sluice_session *session, sluice_flowfile *flowfile, const char *step,
                                           void (*durable)(void *context, bool cancelled), void *context)
{
    return session->host->progress(session, flowfile, step, durable, context);
}
static inline size_t sluice_progress_count(sluice_session *session, sluice_flowfile *flowfile)
{
    return session->host->progress_count(session, flowfile);
}
static inline sluice_text sluice_progress_at(sluice_session *session, sluice_flowfile *flowfile, size_t i)
{
    return session->host->progress_at(session, flowfile, i);
}
static inline bool sluice_turn(sluice_session *session, sluice_flowfile *flowfile, const char *key)
{
    return session->host->turn(session, flowfile, key);
}
static inline void sluice_after_commit(sluice_session *session, sluice_flowfile *flowfile, const char *effect)
{
    session->host->after_commit(session, flowfile, effect);
}
static inline sluice_text sluice_state(sluice_session *session, const char *key) { return session->host->state(session, key); }
static inline void sluice_set_state(sluice_session *session, const char *key, const char *value)
{
    session->host->set_state(session, key, value);
}

/* ---- logs, figures, time ---------------------------------------------------------------------------- */
#define sluice_log(instance_, level_, ...)      ((instance_)->host->log(instance_, level_, __VA_ARGS__))
#define sluice_bulletin(instance_, level_, ...) ((instance_)->host->bulletin(instance_, level_, __VA_ARGS__))
static inline void sluice_figure(sluice_instance *instance, const char *name, int64_t value, bool add)
{
    instance->host->figure(instance, name, value, add);
}
static inline int64_t sluice_now(sluice_instance *instance) { return instance->host->now(); }
static inline int64_t sluice_ticks(sluice_instance *instance) { return instance->host->ticks(); }
static inline void sluice_random(sluice_instance *instance, void *data, size_t size) { instance->host->random(data, size); }

/* ---- asynchronous calls: loop thread ---------------------------------------------------------------- */
static inline sluice_call *sluice_timer(sluice_instance *instance, int64_t after_us, void (*due)(void *context, bool cancelled),
                                        void *context)
{
    return instance->host->timer(instance, after_us, due, context);
}
static inline sluice_call *sluice_job(sluice_instance *instance, void (*work)(void *context), void (*done)(void *context, bool cancelled),
                                      void *context)
{
    return instance->host->job(instance, work, done, context);
}
/* NULL is fine: nothing is under way. */
static inline void sluice_cancel(sluice_instance *instance, sluice_call *call)
{
    if (call) instance->host->cancel(call);
}

#endif
