/* A session: what a trigger does to its FlowFiles, until commit.c ends it. */
#include "private.h"

#include <stdio.h>

session *session_open(box *box)
{
    session *session = SL_NEW(struct session);
    session->abi.host = &host_table;
    session->box = box;
    session->most = box->pause_backoff ? 1 : SIZE_MAX; /* a paused processor tries one */
    session->changes_last = &session->changes;
    session->planned_last = &session->planned;
    session->next = box->sessions;
    box->sessions = session;
    box->open++;
    return session;
}

static sluice_flowfile *add_file(session *session, uint64_t id)
{
    sluice_flowfile *file = sl_arena_alloc(&session->arena, sizeof *file);
    session->files = sl_grow(session->files, session->file_count, &session->file_capacity, sizeof *session->files);
    session->files[session->file_count++] = file;
    file->session = session;
    file->id = id;
    return file;
}

static sluice_flowfile *make_file(session *session)
{
    host *host = session->box->host;
    sluice_flowfile *file = add_file(session, ++host->next_id);
    sl_uuid_make(file->id, host->realtime / 1000, 1, file->uuid);
    return file;
}

static bool is_ready(const host *host, const item *item) { return !item->taken && !item->aside && item->not_before <= host->realtime; }

sluice_flowfile *call_get(sluice_session *abi)
{
    session *session = (struct session *)abi;
    host_check_session(session, "get");
    item *item = session->taken < session->most ? session->box->queue.first : NULL;
    while (item && !is_ready(session->box->host, item)) item = item->next;
    if (!item) return NULL;
    sluice_flowfile *file = add_file(session, item->id);
    session->taken++;
    item->taken = true;
    file->item = item;
    file->parent = item->parent;
    file->claim = sl_claim_ref(item->claim);
    memcpy(file->uuid, item->uuid, sizeof file->uuid);
    attributes_copy(&file->attributes, &item->attributes, &session->arena);
    return file;
}

sluice_flowfile *call_create(sluice_session *abi, sluice_flowfile *parent)
{
    session *session = (struct session *)abi;
    host_check_session(session, "create");
    sluice_flowfile *file = make_file(session);
    if (!parent) return file;
    file->parent = parent->id;
    attributes_copy(&file->attributes, &parent->attributes, &session->arena);
    return file;
}

sluice_flowfile *call_clone(sluice_session *abi, sluice_flowfile *flowfile)
{
    sluice_flowfile *file = call_create(abi, flowfile);
    file->cloned = true;
    file->claim = flowfile->claim ? sl_claim_ref(flowfile->claim) : NULL;
    return file;
}

/* ---- attributes ---------------------------------------------------------------------------------------- */

static sluice_text view(sl_str text) { return (sluice_text){text.data, text.size}; }

/* `uuid` and `sha256` belong to the FlowFile and its content, and read as attributes. */
sluice_text call_attribute(sluice_flowfile *flowfile, const char *name)
{
    sl_str value = attributes_get(&flowfile->attributes, sl_str_of(name));
    const char *sha256 = flowfile->claim ? atomic_load(&flowfile->claim->sha256) : NULL;
    if (value.data) return view(value);
    if (strcmp(name, "uuid") == 0) return (sluice_text){flowfile->uuid, strlen(flowfile->uuid)};
    if (strcmp(name, "sha256") == 0 && sha256) return (sluice_text){sha256, strlen(sha256)};
    return (sluice_text){0};
}

size_t call_attribute_count(sluice_flowfile *flowfile) { return flowfile->attributes.count; }

void call_attribute_at(sluice_flowfile *flowfile, size_t i, sluice_text *ret_name, sluice_text *ret_value)
{
    *ret_name = view(flowfile->attributes.items[i].name);
    *ret_value = view(flowfile->attributes.items[i].value);
}

void call_set(sluice_session *abi, sluice_flowfile *flowfile, const char *name, const char *value, size_t size)
{
    session *session = (struct session *)abi;
    host_check_session(session, "set");
    flowfile->attributes_changed = true;
    attributes_set(&flowfile->attributes, &session->arena, sl_str_of(name), (sl_str){value, size});
}

void call_unset(sluice_session *abi, sluice_flowfile *flowfile, const char *name)
{
    host_check_session((session *)abi, "unset");
    if (attributes_get(&flowfile->attributes, sl_str_of(name)).data) flowfile->attributes_changed = true;
    attributes_unset(&flowfile->attributes, sl_str_of(name));
}

/* ---- where it goes ---------------------------------------------------------------------------------------- */

/* "strategy=all|any": the property has one of these values. */
static bool holds(const box *box, const char *when)
{
    const char *equals = when ? strchr(when, '=') : NULL;
    if (!equals) return true;
    char *name = sl_strndup(when, (size_t)(equals - when));
    const sl_value *value = sl_properties_find(&box->properties, name);
    bool found = false;
    for (const char *at = equals; value && *at; at += 1 + strcspn(at + 1, "|"))
        if (sl_str_equal(value->text, (sl_str){at + 1, strcspn(at + 1, "|")})) found = true;
    free(name);
    return found;
}

static bool is_route(const box *box, const sl_value *value, const char *name)
{
    if (!(value->property->flags & SLUICE_NAMES_RELATIONSHIPS) || !holds(box, value->property->when)) return false;
    for (size_t i = 0; i < value->item_count; i++)
        if (sl_str_is(value->items[i].name, name)) return true;
    return false;
}

static bool has_relationship(const box *box, const char *name)
{
    for (const sluice_named *known = box->processor->relationships; known->name; known++)
        if (strcmp(known->name, name) == 0 && holds(box, known->when)) return true;
    for (size_t i = 0; i < box->properties.count; i++)
        if (is_route(box, &box->properties.values[i], name)) return true;
    return false;
}

static void decide(sluice_flowfile *flowfile, fate fate, const char *relationship)
{
    session *session = flowfile->session;
    if (flowfile->fate != NO_FATE) host_fault_found(session->box->host, "%s: a FlowFile was given a second end", session->box->name);
    if (relationship && !has_relationship(session->box, relationship))
        host_fault_found(session->box->host, "%s: \"%s\" is no relationship of it", session->box->name, relationship);
    flowfile->fate = fate;
    flowfile->relationship = relationship ? sl_arena_printf(&session->arena, "%s", relationship) : NULL;
}

void call_transfer(sluice_session *abi, sluice_flowfile *flowfile, const char *relationship)
{
    host_check_session((session *)abi, "transfer");
    decide(flowfile, TRANSFERRED, relationship);
}

void call_drop(sluice_session *abi, sluice_flowfile *flowfile, const char *reason)
{
    host_check_session((session *)abi, "drop");
    (void)reason;
    decide(flowfile, DROPPED, NULL);
}

static void check_failure(box *box, const sluice_failure *failure)
{
    if (failure->class_ < SLUICE_TRANSIENT || failure->class_ > SLUICE_CONFIGURATION)
        host_fault_found(box->host, "%s: a failure needs a class, found %d", box->name, (int)failure->class_);
    if (!failure->code[0] || !failure->message[0]) host_fault_found(box->host, "%s: a failure needs a code and a message", box->name);
}

void call_fail(sluice_session *abi, sluice_flowfile *flowfile, const char *relationship, const sluice_failure *failure)
{
    session *session = (struct session *)abi;
    host_check_session(session, "fail");
    check_failure(session->box, failure);
    if (flowfile) {
        decide(flowfile, FAILED, relationship ? relationship : "failure");
        flowfile->failure = *failure;
    } else {
        session->failed = true;
        session->failure = *failure;
    }
}

static const char *const event_names[] = {NULL,
#define EVENT_NAME(name) #name,
                                          SLUICE_EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

void call_event(sluice_session *abi, sluice_flowfile *flowfile, sluice_event_type type, const char *uri, const char *details)
{
    session *session = (struct session *)abi;
    host_check_session(session, "event");
    size_t index = (size_t)type;
    if (index == SLUICE_NO_EVENT || index >= SL_COUNT(event_names)) {
        host_fault_found(session->box->host, "%s: there is no event type %d", session->box->name, (int)type);
        return;
    }
    flowfile->event = (event){event_names[index], uri ? sl_arena_printf(&session->arena, "%s", uri) : NULL,
                              details ? sl_arena_printf(&session->arena, "%s", details) : NULL};
}

/* ---- the session itself ------------------------------------------------------------------------------------ */

/* May come before the trigger has returned SLUICE_LATER; the session then ends with its return. */
void call_finish(sluice_session *abi, sluice_outcome outcome)
{
    session *session = (struct session *)abi;
    host_check_loop(session->box->host, "finish");
    if (session->finished || outcome == SLUICE_LATER || session->on_worker)
        host_fault_found(session->box->host, "%s: finish is called once, on the loop, with SLUICE_DONE or SLUICE_ROLLBACK",
                         session->box->name);
    session->finished = true;
    session->outcome = outcome;
    if (session->later) session_end(session, outcome);
}

void call_yield(sluice_session *abi) { ((session *)abi)->yielded = true; }

bool call_stopping(sluice_instance *instance) { return ((box *)instance)->stopping; }

void call_scanned(sluice_session *abi, uint64_t waiting)
{
    session *session = (struct session *)abi;
    session->scanned = true;
    session->scan_waiting = waiting;
}
