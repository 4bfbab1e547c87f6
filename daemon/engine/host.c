/* The table that modules call: FlowFiles and sessions here, the rest in host-*.c. */
#include "engine/host.h"

#include <errno.h>
#include <stdio.h>

#include "base/sys.h"

int sl_failure_of_error(sluice_failure *failure, const sl_error *error)
{
    const char *name = error->code ? strerrorname_np(error->code) : NULL;
    bool transient = error->code == EAGAIN || error->code == ENOSPC || error->code == EDQUOT || error->code == EMFILE ||
                     error->code == ENFILE || error->code == ENOMEM || error->code == EINTR;
    failure->class_ = transient ? SLUICE_TRANSIENT : SLUICE_PERMANENT;
    snprintf(failure->code, sizeof failure->code, "%s", name ? name : "Content");
    snprintf(failure->message, sizeof failure->message, "%s", error->text);
    return -1;
}

const char *sl_session_keep(sl_session *session, const char *text)
{
    return text ? sl_arena_strndup(&session->arena, text, strlen(text)) : NULL;
}

/* ---- FlowFiles ---------------------------------------------------------------------------------------------- */

static sluice_flowfile *make(sl_session *session, const sluice_flowfile *parent)
{
    sluice_flowfile *view = sl_view_new(session, atomic_fetch_add(&session->engine->next_id, 1));
    view->entered = parent ? parent->entered : sl_now();
    view->parent = parent ? parent->id : 0;
    if (parent) view->before = sl_attributes_ref(sl_view_merged((sluice_flowfile *)parent));
    return view;
}

static sluice_flowfile *create_one(sluice_session *session, sluice_flowfile *parent) { return make(sl_session_of(session), parent); }

static sluice_flowfile *clone_of(sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_flowfile *view = make(sl_session_of(session), flowfile);
    view->cloned = true;
    view->claim = sl_claim_ref(flowfile->claim);
    return view;
}

static sluice_text attribute(sluice_flowfile *flowfile, const char *name)
{
    return sl_text_of(sl_view_attribute(flowfile, sl_str_of(name)));
}

static size_t attribute_count(sluice_flowfile *flowfile)
{
    const sl_attributes *all = sl_view_merged(flowfile);
    return all ? all->count : 0;
}

static void attribute_at(sluice_flowfile *flowfile, size_t i, sluice_text *ret_name, sluice_text *ret_value)
{
    const sl_attributes *all = sl_view_merged(flowfile);
    bool there = all && i < all->count;
    *ret_name = there ? sl_text_of(all->pairs[i].name) : (sluice_text){0};
    *ret_value = there ? sl_text_of(all->pairs[i].value) : (sluice_text){0};
}

static void set(sluice_session *session, sluice_flowfile *flowfile, const char *name, const char *value, size_t size)
{
    (void)session;
    sl_view_set(flowfile, sl_str_of(name), (sl_str){value ? value : "", size});
}

static void unset(sluice_session *session, sluice_flowfile *flowfile, const char *name)
{
    (void)session;
    if (sl_attributes_get(sl_view_merged(flowfile), sl_str_of(name)).data) sl_view_set(flowfile, sl_str_of(name), (sl_str){0});
}

/* ---- fates ------------------------------------------------------------------------------------------------------ */

static bool find_relationship(const sl_instance *instance, const char *name, size_t *ret)
{
    const sl_flow_processor *definition = instance->definition;
    for (size_t i = 0; i < definition->relationship_count; i++)
        if (strcmp(definition->relationships[i].name, name) == 0) return *ret = i, true;
    return false;
}

static void transfer(sluice_session *abi, sluice_flowfile *flowfile, const char *relationship)
{
    sl_session *session = sl_session_of(abi);
    if (find_relationship(session->instance, relationship, &flowfile->relationship)) flowfile->fate = SL_FATE_TRANSFER;
    else
        sl_bulletin(session->engine->bulletins, SL_ERROR, session->instance->name,
                    "the processor sends a FlowFile to \"%s\", which is none of its "
                    "relationships",
                    relationship);
}

static void drop(sluice_session *session, sluice_flowfile *flowfile, const char *reason)
{
    flowfile->fate = SL_FATE_DROP;
    flowfile->reason = sl_session_keep(sl_session_of(session), reason);
}

static sluice_failure *keep_failure(sl_session *session, const sluice_failure *failure)
{
    sluice_failure *kept = sl_arena_alloc(&session->arena, sizeof *kept);
    *kept = *failure;
    if (!kept->class_) kept->class_ = SLUICE_PERMANENT;
    return kept;
}

static void fail(sluice_session *abi, sluice_flowfile *flowfile, const char *relationship, const sluice_failure *failure)
{
    sl_session *session = sl_session_of(abi);
    sluice_failure *kept = keep_failure(session, failure);
    if (!flowfile) {
        session->failure = kept;
        return;
    }
    bool known = find_relationship(session->instance, relationship ? relationship : "failure", &flowfile->relationship);
    /* A processor without the relationship cannot let the FlowFile go: it waits, and the operator is told. */
    if (!known) kept->class_ = SLUICE_CONFIGURATION;
    if (!known && !flowfile->base) { /* one that was made here has no queue to wait in: it was never there */
        session->failure = kept;
        flowfile->fate = SL_FATE_DROP;
        return;
    }
    flowfile->fate = SL_FATE_FAIL;
    flowfile->failure = kept;
}

static void event(sluice_session *abi, sluice_flowfile *flowfile, sluice_event_type type, const char *uri, const char *details)
{
    sl_session *session = sl_session_of(abi);
    flowfile->event = type;
    flowfile->uri = sl_session_keep(session, uri);
    flowfile->details = sl_session_keep(session, details);
}

static void finish(sluice_session *abi, sluice_outcome outcome)
{
    sl_session *session = sl_session_of(abi);
    SL_ASSERT(!session->finished && !session->on_worker);
    session->finished = true;
    session->outcome = outcome;
    if (session->later) sl_session_end(session, outcome);
}

static void yield(sluice_session *session) { sl_session_of(session)->yielded = true; }

static bool stopping(sluice_instance *abi)
{
    const sl_instance *instance = sl_instance_of(abi);
    if (sl_session_of_worker && sl_session_of_worker->cancelled) return true;
    return instance->engine->draining || instance->stopped || (instance->flow && instance->flow->draining);
}

static void scanned(sluice_session *abi, uint64_t waiting)
{
    sl_session *session = sl_session_of(abi);
    session->scanned = true;
    session->scan_waiting = waiting;
}

/* ---- logs, figures, time ------------------------------------------------------------------------------------------- */

static const char *name(sluice_instance *instance) { return sl_instance_of(instance)->name; }

static void log_line(sluice_instance *abi, sluice_level level, const char *format, ...)
{
    sl_instance *instance = sl_instance_of(abi);
    char text[2048];
    if (instance->definition && (int)level > (int)instance->definition->log) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_log((sl_level)level, instance->name, "%s", text);
}

static void bulletin(sluice_instance *abi, sluice_level level, const char *format, ...)
{
    sl_instance *instance = sl_instance_of(abi);
    char text[1100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_bulletin(instance->engine->bulletins, (sl_level)level, instance->name, "%s", text);
}

static void figure(sluice_instance *abi, const char *figure_name, int64_t value, bool add)
{
    sl_instance *instance = sl_instance_of(abi);
    uv_mutex_lock(&instance->lock);
    sl_figures_name(&instance->figures, figure_name, value, add);
    uv_mutex_unlock(&instance->lock);
}

static int64_t now(void) { return sl_now(); }
static int64_t ticks(void) { return sl_ticks(); }
static void random_bytes(void *data, size_t size) { sl_sys_now->random(data, size); }

const sluice_host sl_host = {
    .size = sizeof(sluice_host),
    .has = sl_host_has,
    .number = sl_host_number,
    .real = sl_host_real,
    .text = sl_host_text,
    .count = sl_host_count,
    .item = sl_host_item,
    .item_name = sl_host_item_name,
    .service = sl_host_service,
    .name = name,
    .evaluate = sl_host_evaluate,
    .evaluate_item = sl_host_evaluate_item,
    .get = sl_host_get,
    .create = create_one,
    .clone = clone_of,
    .attribute = attribute,
    .attribute_count = attribute_count,
    .attribute_at = attribute_at,
    .set = set,
    .unset = unset,
    .transfer = transfer,
    .drop = drop,
    .fail = fail,
    .event = event,
    .finish = finish,
    .yield = yield,
    .stopping = stopping,
    .content = sl_host_content,
    .read = sl_host_read,
    .write = sl_host_write,
    .append = sl_host_append,
    .close = sl_host_close,
    .import = sl_host_import,
    .hashes = sl_host_hashes,
    .intent = sl_host_intent,
    .intend = sl_host_intend,
    .progress = sl_host_progress,
    .progress_count = sl_host_progress_count,
    .progress_at = sl_host_progress_at,
    .after_commit = sl_host_after_commit,
    .state = sl_host_state,
    .set_state = sl_host_set_state,
    .log = log_line,
    .bulletin = bulletin,
    .now = now,
    .ticks = ticks,
    .random = random_bytes,
    .timer = sl_host_timer,
    .job = sl_host_job,
    .cancel = sl_host_cancel,
    .http_open = sl_host_http_open,
    .http_close = sl_host_http_close,
    .http = sl_host_http,
    .figure = figure,
    .turn = sl_host_turn,
    .scanned = scanned,
};
