#include "journal/event.h"

static const char *const provenance_names[] = {"?",
#define NAME(name) #name,
                                               SLUICE_EVENTS(NAME)
#undef NAME
};
static const char *const internal_names[] = {"INTENT", "PROGRESS", "PENDING", "DONE", "STATE", "RELEASE", "RETRY", "CRASHED", "CARRY"};

const char *sl_event_type_name(unsigned type)
{
    if (type < SL_COUNT(provenance_names)) return provenance_names[type];
    if (type >= SL_EVENT_INTENT && type - SL_EVENT_INTENT < SL_COUNT(internal_names)) return internal_names[type - SL_EVENT_INTENT];
    return "?";
}

unsigned sl_event_type_parse(sl_str name)
{
    for (unsigned i = 1; i < SL_COUNT(provenance_names); i++)
        if (sl_str_is(name, provenance_names[i])) return i;
    for (unsigned i = 0; i < SL_COUNT(internal_names); i++)
        if (sl_str_is(name, internal_names[i])) return SL_EVENT_INTENT + i;
    return 0;
}

sl_batch *sl_batch_new(void) { return SL_NEW(sl_batch); }

sl_event *sl_batch_add(sl_batch *batch)
{
    batch->events = sl_grow(batch->events, batch->count, &batch->capacity, sizeof *batch->events);
    sl_event *event = &batch->events[batch->count++];
    *event = (sl_event){.queue = SL_QUEUE_SAME};
    return event;
}

void sl_batch_free(sl_batch *batch)
{
    if (!batch) return;
    sl_arena_done(&batch->arena);
    free(batch->events);
    free(batch);
}
