/* The fold of a stopped state's journal: which FlowFiles live, and in which queue. */
#include "base/sys.h"
#include "cli/state.h"

static size_t slot_of(const sl_fold *fold, uint64_t flowfile)
{
    size_t at = (size_t)(flowfile * 0x9E3779B97F4A7C15ULL) & (fold->capacity - 1);
    while (fold->slots[at].flowfile && fold->slots[at].flowfile != flowfile) at = (at + 1) & (fold->capacity - 1);
    return at;
}

static void grow(sl_fold *fold)
{
    sl_fold bigger = {.capacity = fold->capacity ? fold->capacity * 2 : 1024};
    bigger.slots = sl_alloc(bigger.capacity * sizeof *bigger.slots);
    SL_FOLD_EACH(fold, folded) bigger.slots[slot_of(&bigger, folded->flowfile)] = *folded;
    free(fold->slots);
    fold->slots = bigger.slots;
    fold->capacity = bigger.capacity;
}

static sl_folded *put(sl_fold *fold, uint64_t flowfile)
{
    if ((fold->count + 1) * 4 > fold->capacity * 3) grow(fold);
    sl_folded *folded = &fold->slots[slot_of(fold, flowfile)];
    if (!folded->flowfile) fold->count++;
    folded->flowfile = flowfile;
    return folded;
}

/* Those behind it in the same run move up, so that no search ends at the gap. */
static void drop(sl_fold *fold, sl_folded *folded)
{
    size_t gap = (size_t)(folded - fold->slots), mask = fold->capacity - 1;
    fold->count--;
    fold->slots[gap] = (sl_folded){0};
    for (size_t at = (gap + 1) & mask; fold->slots[at].flowfile; at = (at + 1) & mask) {
        sl_folded moved = fold->slots[at];
        fold->slots[at] = (sl_folded){0};
        fold->slots[slot_of(fold, moved.flowfile)] = moved;
    }
}

const sl_folded *sl_fold_find(const sl_fold *fold, uint64_t flowfile)
{
    if (!fold->capacity || !flowfile) return NULL;
    const sl_folded *folded = &fold->slots[slot_of(fold, flowfile)];
    return folded->flowfile ? folded : NULL;
}

/* ---- what the journal tells ----------------------------------------------------------------------------------- */

static void on_name(void *context, uint32_t id, sl_str name)
{
    sl_fold *fold = context;
    while (fold->name_count <= id) {
        fold->names = sl_grow(fold->names, fold->name_count, &fold->name_capacity, sizeof *fold->names);
        fold->names[fold->name_count++] = NULL;
    }
    free(fold->names[id]);
    fold->names[id] = sl_strndup(name.data, name.size);
}

static void on_entry(void *context, const sl_checkpoint_entry *entry)
{
    sl_fold *fold = context;
    sl_folded *folded = put(fold, entry->flowfile);
    fold->entries++;
    *folded = (sl_folded){.flowfile = entry->flowfile,
                          .seq = entry->seq,
                          .moved = entry->moved,
                          .segment = entry->segment,
                          .queue = entry->queue,
                          .retries = entry->retries,
                          .entered = entry->entered,
                          .queued = entry->queued,
                          .not_before = entry->not_before};
}

static void move(sl_folded *folded, const sl_event *event)
{
    folded->queue = event->queue;
    folded->moved = event->seq;
    folded->queued = event->time;
    folded->retries = 0;
    folded->not_before = event->not_before;
}

static void on_event(void *context, const sl_event *event, uint32_t segment)
{
    sl_fold *fold = context;
    fold->events++;
    fold->last = event->seq;
    if (!event->flowfile) return;
    sl_folded *folded = (sl_folded *)sl_fold_find(fold, event->flowfile);
    /* The checkpoint includes it. */
    if (folded && folded->seq >= event->seq) return;
    if (event->queue == 0) {
        if (folded) drop(fold, folded);
        return;
    }
    /* An effect that is still to do may outlive its FlowFile. */
    if (!folded && event->queue == SL_QUEUE_SAME) return;
    if (!folded) folded = put(fold, event->flowfile);
    folded->seq = event->seq;
    folded->segment = segment;
    if (event->whole) folded->entered = event->entered;
    if (event->queue != SL_QUEUE_SAME) move(folded, event);
    if (event->type == SL_EVENT_RETRY) {
        folded->retries = event->retries;
        folded->not_before = event->not_before;
    }
}

int sl_fold_read(const char *state, bool whole, sl_fold *ret, sl_error *error)
{
    *ret = (sl_fold){0};
    char *folder = sl_asprintf("%s/journal", state);
    sl_journal_fold calls = {.name = on_name, .entry = on_entry, .event = on_event, .context = ret};
    int result = whole ? sl_journal_inspect_whole(folder, &calls, error) : sl_journal_inspect(folder, &calls, error);
    free(folder);
    if (result < 0) sl_fold_done(ret);
    return result;
}

void sl_fold_done(sl_fold *fold)
{
    for (size_t i = 0; i < fold->name_count; i++) free(fold->names[i]);
    free(fold->names);
    free(fold->slots);
    *fold = (sl_fold){0};
}

const char *sl_fold_name(const sl_fold *fold, uint32_t id) { return id < fold->name_count && fold->names[id] ? fold->names[id] : "?"; }
