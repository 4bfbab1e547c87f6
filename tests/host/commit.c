/* The end of a session: all that it did takes effect at once, or none of it. */
#include "private.h"

#include <stdio.h>

enum { FIRST_BACKOFF = SL_SECOND, LONGEST_BACKOFF = 600 * SL_SECOND, LONGEST_PAUSE = 30 * SL_SECOND, YIELD = SL_SECOND };

static int64_t backoff(unsigned tries)
{
    int64_t wait = FIRST_BACKOFF;
    for (; tries && wait < LONGEST_BACKOFF; tries--) wait *= 2;
    return SL_MIN(wait, (int64_t)LONGEST_BACKOFF);
}

/* ---- faults that a commit would make --------------------------------------------------------------------- */

static bool is_whole(session *session)
{
    box *box = session->box;
    bool whole = true;
    for (size_t i = 0; i < session->file_count; i++) {
        const sluice_flowfile *file = session->files[i];
        if (file->fate == NO_FATE) host_fault_found(box->host, "%s: a FlowFile was neither transferred, dropped nor failed", box->name);
        if (file->writer) host_fault_found(box->host, "%s: a writer was left open", box->name);
        whole = whole && file->fate != NO_FATE && !file->writer;
    }
    if (session->denied) {
        host_fault_found(box->host, "%s: a session that was denied a turn must end with SLUICE_ROLLBACK", box->name);
        whole = false;
    }
    return whole;
}

/* ---- one FlowFile -------------------------------------------------------------------------------------------- */

static const char *default_event(const sluice_flowfile *file)
{
    if (file->cloned) return "CLONE";
    if (!file->item) return file->parent ? "FORK" : "CREATE";
    if (file->content_changed) return "CONTENT_MODIFIED";
    return file->attributes_changed ? "ATTRIBUTES_MODIFIED" : "TRANSFER";
}

static const char *keep(item *item, const char *text) { return text ? sl_arena_printf(&item->arena, "%s", text) : NULL; }

static void add_event(item *item, const char *type, const char *uri, const char *details)
{
    item->events[item->event_count++] = (event){type, keep(item, uri), keep(item, details)};
}

static void record_events(item *item, const sluice_flowfile *file)
{
    bool dropped = file->fate == DROPPED;
    item->event_count = 0;
    if (file->event.type) add_event(item, file->event.type, file->event.uri, file->event.details);
    else if (!dropped) add_event(item, default_event(file), NULL, NULL);
    /* What was made and dropped in one session, without a word about it, was never there. */
    if (dropped && (file->item || file->event.type)) add_event(item, "DROP", NULL, NULL);
}

static void leave(sluice_flowfile *file)
{
    box *box = file->session->box;
    item *item = file->item;
    if (item) {
        items_remove(&box->queue, item);
        turn_release(box->host, item);
    } else {
        item = sl_alloc(sizeof *item);
        item->id = file->id;
        memcpy(item->uuid, file->uuid, sizeof item->uuid);
    }
    item->parent = file->parent;
    attributes_copy(&item->attributes, &file->attributes, &item->arena);
    sl_claim_unref(item->claim);
    item->claim = file->claim ? sl_claim_ref(file->claim) : NULL;
    item->intent = NULL;
    item->step_count = 0;
    item->taken = false;
    item->left = true;
    item->relationship = keep(item, file->relationship);
    record_events(item, file);
    items_add(&box->out, item);
}

static void set_error(sluice_flowfile *file, const char *name, const char *value)
{
    attributes_set(&file->attributes, &file->session->arena, sl_str_of(name), sl_str_of(value));
    file->attributes_changed = true;
}

static void leave_failed(sluice_flowfile *file)
{
    static const char *const classes[] = {"", "transient", "permanent", "configuration"};
    set_error(file, "error.component", file->session->box->name);
    set_error(file, "error.relationship", file->relationship);
    set_error(file, "error.class", classes[file->failure.class_]);
    set_error(file, "error.code", file->failure.code);
    set_error(file, "error.message", file->failure.message);
    leave(file);
}

static void pause_box(box *box)
{
    box->pause_backoff = box->pause_backoff ? SL_MIN(2 * box->pause_backoff, (int64_t)LONGEST_PAUSE) : FIRST_BACKOFF;
    box->paused_until = box->host->realtime + box->pause_backoff;
}

/* Back into its queue as it was, to be tried again. */
static void stay(sluice_flowfile *file)
{
    box *box = file->session->box;
    item *item = file->item;
    item->taken = false;
    if (file->failure.class_ == SLUICE_CONFIGURATION) pause_box(box);
    if (file->failure.class_ == SLUICE_TRANSIENT) item->not_before = box->host->realtime + backoff(item->retries++);
}

static void commit_file(sluice_flowfile *file)
{
    if (file->fate == FAILED) file->session->box->failure = file->failure;
    if (file->fate != FAILED) leave(file);
    else if (file->failure.class_ == SLUICE_PERMANENT || !file->item) leave_failed(file);
    else stay(file);
}

/* ---- the session ------------------------------------------------------------------------------------------------- */

static void commit_state(session *session)
{
    box *box = session->box;
    for (change *change = session->changes; change; change = change->next)
        free(change->value ? sl_map_put(&box->state, sl_str_of(change->key), sl_strdup(change->value))
                           : sl_map_remove(&box->state, sl_str_of(change->key)));
    for (planned *planned = session->planned; planned; planned = planned->next) {
        if (planned->flowfile->fate == FAILED) continue;
        box->effects = sl_grow(box->effects, box->effect_count, &box->effect_capacity, sizeof *box->effects);
        box->effects[box->effect_count++] = (effect){.text = sl_strdup(planned->text)};
    }
}

static void fail_instance(session *session)
{
    box *box = session->box;
    box->failure = session->failure;
    if (session->failure.class_ == SLUICE_CONFIGURATION) pause_box(box);
    else box->yield_until = box->host->realtime + YIELD;
}

static bool commit(session *session)
{
    box *box = session->box;
    if (!is_whole(session) || box->losing || host_injected(box->host, HOST_COMMIT, NULL)) return false;
    bool succeeded = session->file_count > 0;
    for (size_t i = 0; i < session->file_count; i++) {
        succeeded = succeeded && session->files[i]->fate != FAILED;
        commit_file(session->files[i]);
    }
    if (succeeded) box->pause_backoff = box->paused_until = 0;
    commit_state(session);
    if (session->failed) fail_instance(session);
    if (session->yielded) box->yield_until = box->host->realtime + YIELD;
    if (session->scanned) {
        box->scanned = true;
        box->scan_waiting = session->scan_waiting;
    }
    box->yielded = session->yielded;
    return true;
}

static void roll_back(session *session)
{
    for (size_t i = 0; i < session->file_count; i++)
        if (session->files[i]->item) session->files[i]->item->taken = false;
    if (session->failed) fail_instance(session);
    session->box->rolled_back = !session->denied;
    session->box->yielded = session->yielded;
    if (session->yielded) session->box->yield_until = session->box->host->realtime + YIELD;
}

static void free_file(sluice_flowfile *file)
{
    if (file->writer) {
        sl_content_abandon(file->writer->content);
        free(file->writer);
    }
    if (file->viewed) sl_content_view_done(&file->view);
    sl_claim_unref(file->claim);
}

void session_end(session *session, sluice_outcome outcome)
{
    box *box = session->box;
    struct session **link = &box->sessions;
    while (*link != session) link = &(*link)->next;
    *link = session->next;
    box->open--;
    if (outcome != SLUICE_DONE || !commit(session)) roll_back(session);
    for (size_t i = 0; i < session->file_count; i++) free_file(session->files[i]);
    free(session->files);
    sl_arena_done(&session->arena);
    free(session);
}
