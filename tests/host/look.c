/* What a test looks at afterwards. */
#include "private.h"

#include <unistd.h>

size_t box_open(const box *box) { return box->open; }
size_t box_queued(const box *box) { return box->queue.count; }

static bool went(const item *item, const char *relationship)
{
    if (!relationship || !item->relationship) return relationship == item->relationship;
    return strcmp(relationship, item->relationship) == 0;
}

static item *find_out(const box *box, const char *relationship, size_t i)
{
    for (item *item = box->out.first; item; item = item->next)
        if (went(item, relationship) && i-- == 0) return item;
    return NULL;
}

size_t box_count(const box *box, const char *relationship)
{
    size_t count = 0;
    for (const item *item = box->out.first; item; item = item->next) count += went(item, relationship);
    return count;
}

item *box_item(const box *box, const char *relationship, size_t i)
{
    static item nothing;
    item *found = find_out(box, relationship, i);
    if (found) return found;
    sl_test_failed(box->name, 0, "no FlowFile number %zu at \"%s\"; the last failure: %s", i, relationship ? relationship : "(dropped)",
                   box->failure.message);
    return &nothing;
}

item *box_queue_item(const box *box, size_t i)
{
    item *item = box->queue.first;
    while (item && i--) item = item->next;
    return item;
}

void box_forget(box *box)
{
    for (item *item = box->out.first, *next; item; item = next) {
        next = item->next;
        item_free(item);
    }
    box->out = (item_list){0};
    box->failure = (sluice_failure){0};
    box->scanned = false;
}

const sluice_failure *box_failure(const box *box) { return &box->failure; }
bool box_paused(const box *box) { return box->paused_until > box->host->realtime; }
bool box_yielded(const box *box) { return box->yielded; }

bool box_scanned(const box *box, uint64_t *ret_waiting)
{
    if (ret_waiting) *ret_waiting = box->scan_waiting;
    return box->scanned;
}

const char *box_state(const box *box, const char *key) { return sl_map_get(&box->state, sl_str_of(key)); }

int64_t box_figure(const box *box, const char *name)
{
    const int64_t *value = sl_map_get(&box->figures, sl_str_of(name));
    return value ? *value : 0;
}

const char *box_bulletin(const box *box, size_t i) { return i < box->bulletin_count ? box->bulletins[i] : NULL; }

uint64_t item_id(const item *item) { return item->id; }
uint64_t item_parent(const item *item) { return item->parent; }
unsigned item_retries(const item *item) { return item->retries; }

const char *item_attribute(const item *item, const char *name)
{
    if (strcmp(name, "uuid") == 0) return item->uuid;
    return attributes_get(&item->attributes, sl_str_of(name)).data;
}

uint64_t item_size(const item *item) { return item->claim ? item->claim->size : 0; }
const char *item_sha256(const item *item) { return item->claim ? atomic_load(&item->claim->sha256) : NULL; }
const char *item_md5(const item *item) { return item->claim ? atomic_load(&item->claim->md5) : NULL; }

const char *item_text(item *item)
{
    sl_content_view view = {0};
    sl_error error = {0};
    free(item->text);
    item->text = sl_alloc(item_size(item) + 1);
    if (!item->claim) return item->text;
    if (sl_content_view_open(host_current->content, item->claim, &view, &error) < 0) {
        sl_test_failed("content", 0, "%s", error.text);
        return item->text;
    }
    if (view.data) memcpy(item->text, view.data, view.size);
    else if (sl_read_full(view.fd, item->text, view.size, (off_t)view.offset) != (ssize_t)view.size)
        sl_test_failed("content", 0, "shorter than its claim says");
    sl_content_view_done(&view);
    return item->text;
}

const char *item_event(const item *item, size_t i) { return i < item->event_count ? item->events[i].type : NULL; }
const char *item_uri(const item *item, size_t i) { return i < item->event_count ? item->events[i].uri : NULL; }
const char *item_details(const item *item, size_t i) { return i < item->event_count ? item->events[i].details : NULL; }
const char *item_intent(const item *item) { return item->intent; }
const char *item_step(const item *item, size_t i) { return i < item->step_count ? item->steps[i] : NULL; }
