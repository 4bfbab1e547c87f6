/* A process with journal and content alone: batches of events with contents are appended until it ends; what was
 * acknowledged must be there in the next one, event by event and byte by byte. */
#include <stdio.h>

#include "content/content.h"
#include "journal/journal.h"
#include "sim.h"

enum { MOST = SIM_NUMBERS, SLOWEST = 500000 };

typedef struct place {
    uint64_t seq;
    uint32_t segment, queue;
} place;

typedef struct rooms {
    sl_content *content;
    sl_journal *journal;
    place *places; /* by seq of the first event: FlowFiles that live */
    char **claims; /* as recovery found them */
    uint64_t last;
    int64_t time; /* of the last event */
} rooms;

static rooms r;

/* ---- recovery -------------------------------------------------------------------------------------------------------- */

static void on_entry(void *context, const sl_checkpoint_entry *entry)
{
    (void)context;
    if (entry->flowfile < MOST) r.places[entry->flowfile] = (place){entry->seq, entry->segment, entry->queue};
}

static void on_event(void *context, const sl_event *event, uint32_t segment)
{
    (void)context;
    if (event->flowfile >= MOST) sim_found("rooms: an event of FlowFile %llu", (unsigned long long)event->flowfile);
    if (event->seq <= r.last) sim_found("rooms: event %llu came after %llu", (unsigned long long)event->seq, (unsigned long long)r.last);
    r.last = event->seq;
    r.time = SL_MAX(r.time, event->time);
    if (event->queue != SL_QUEUE_SAME) r.places[event->flowfile].queue = event->queue;
    r.places[event->flowfile].seq = event->seq;
    r.places[event->flowfile].segment = segment;
}

static int64_t event_time(void) { return r.time = SL_MAX(r.time, SL_MAX(sl_now(), sl_content_time(r.content))); }

static int before_commit(void *context, sl_error *error) { return (void)context, sl_content_sync(r.content, error); }
static void committed(void *context) { sim_wake(context, true); }

static int open_all(sl_error *error)
{
    sl_content_options content = {.folder = "/sim/state/content", .packed_limit = 64 << 10};
    sl_journal_options journal = {.folder = "/sim/state/journal",
                                  .segment_events = sim->plan.segment_events,
                                  .fold = {.entry = on_entry, .event = on_event},
                                  .before_commit = before_commit,
                                  .committed = committed,
                                  .context = &r};
    r.places = sl_alloc(MOST * sizeof *r.places);
    if (sl_content_open(&content, &r.content, error) < 0) return -1;
    if (sl_journal_open(&journal, &r.journal, error) < 0) return -1;
    sl_content_begin_after(r.content, event_time());
    return 0;
}

/* ---- what must be there ------------------------------------------------------------------------------------------------ */

static void attributes_of(uint64_t flowfile, char text[64]) { snprintf(text, 64, "{\"number\":\"%llu\"}", (unsigned long long)flowfile); }

static void check_content(uint64_t flowfile, const sl_journal_state *state)
{
    sl_claim *claim;
    sl_error error = {0};
    char *data = sl_alloc(SIM_CONTENT_MOST);
    size_t size = sim_item_content((unsigned)flowfile % SIM_ITEMS, (unsigned)flowfile, data);
    if (sl_claim_parse(r.content, state->claim, state->content, &claim, &error) < 0) sim_found("rooms: %s", error.text);
    sl_content_view view;
    if (sl_content_view_open(r.content, claim, &view, &error) < 0) sim_found("rooms: %s", error.text);
    char *found = sl_alloc(size + 1);
    if (view.size != size) sim_found("rooms: FlowFile %llu has %llu bytes", (unsigned long long)flowfile, (unsigned long long)view.size);
    if (view.data) memcpy(found, view.data, size);
    else if (sl_read_full(view.fd, found, size, (off_t)view.offset) != (ssize_t)size) sim_found("rooms: content is cut short");
    if (memcmp(found, data, size) != 0) {
        sim->totals.wrong++;
        sim_found("rooms: FlowFile %llu has other bytes than were acknowledged", (unsigned long long)flowfile);
    }
    sl_content_view_done(&view);
    sl_claim_unref(claim);
    free(found);
    free(data);
}

static void check_flowfile(uint64_t flowfile)
{
    char text[64];
    sl_error error = {0};
    sl_journal_state state;
    const place *at = &r.places[flowfile];
    if (!at->seq) {
        sim->totals.lost++;
        sim_found("rooms: FlowFile %llu was acknowledged and is gone", (unsigned long long)flowfile);
    }
    if (sl_journal_state_read(r.journal, at->segment, at->seq, &state, &error) < 0) sim_found("rooms: %s", error.text);
    attributes_of(flowfile, text);
    if (!sl_str_is(state.attributes, text))
        sim_found("rooms: FlowFile %llu has the attributes %.*s", (unsigned long long)flowfile, SL_STR_ARGS(state.attributes));
    check_content(flowfile, &state);
    sl_journal_state_done(&state);
}

/* Everything acknowledged; what was under way may be there too. */
static void check_all(void)
{
    uint64_t next = sl_journal_next(r.journal), acknowledged = sim->outside.acknowledged;
    if (next <= acknowledged)
        sim_found("rooms: the log ends before %llu, %llu was acknowledged", (unsigned long long)next, (unsigned long long)acknowledged);
    for (uint64_t flowfile = 1; flowfile < MOST; flowfile++)
        if (flowfile <= acknowledged && sim->outside.made[flowfile]) check_flowfile(flowfile);
}

/* ---- events -------------------------------------------------------------------------------------------------------------- */

static sl_claim *write_content(uint64_t flowfile, sl_error *error)
{
    sl_claim *claim = NULL;
    char *data = sl_alloc(SIM_CONTENT_MOST);
    size_t size = sim_item_content((unsigned)flowfile % SIM_ITEMS, (unsigned)flowfile, data);
    sl_content_writer *writer = sl_content_write(r.content);
    sl_content_append(writer, data, size / 2);
    sl_content_append(writer, data + size / 2, size - size / 2);
    if (sl_content_close_writer(writer, &claim, error) < 0) claim = NULL;
    free(data);
    return claim;
}

static bool add_event(sl_batch *batch, sl_error *error)
{
    char text[64];
    uint64_t flowfile = sl_journal_next(r.journal) + batch->count;
    sl_claim *claim = flowfile < MOST ? write_content(flowfile, error) : NULL;
    if (!claim) return false;
    sl_event *event = sl_batch_add(batch);
    sl_buf said = SL_BUF(4096);
    sl_claim_format(claim, &said);
    attributes_of(flowfile, text);
    event->type = SLUICE_CREATE;
    event->time = event_time();
    event->flowfile = flowfile;
    event->whole = true;
    event->queue = sl_journal_name(r.journal, SL_STR("queue"));
    event->attributes = sl_arena_str(&batch->arena, sl_str_of(text));
    event->claim = sl_arena_str(&batch->arena, sl_buf_view(&said));
    if (claim->kind == SL_INLINE) event->content = sl_arena_str(&batch->arena, (sl_str){claim->data, claim->size});
    r.places[flowfile] = (place){flowfile, sl_journal_segment(r.journal), event->queue};
    sim->outside.made[flowfile] = true;
    sl_buf_done(&said);
    claim->counted = false;
    sl_claim_unref(claim);
    return true;
}

static void checkpoint(void)
{
    for (uint64_t flowfile = 1; flowfile < MOST; flowfile++) {
        const place *at = &r.places[flowfile];
        if (!at->seq) continue;
        sl_checkpoint_entry entry = {.flowfile = flowfile, .seq = at->seq, .moved = at->seq, .segment = at->segment, .queue = at->queue};
        sl_journal_checkpoint_add(r.journal, &entry, 1);
    }
    sl_journal_checkpoint_end(r.journal);
}

/* What lies in a segment that failed is brought into the fresh one. */
static void carry(uint64_t flowfile)
{
    sl_error error = {0};
    sl_journal_state state;
    place *at = &r.places[flowfile];
    if (sl_journal_state_read(r.journal, at->segment, at->seq, &state, &error) < 0) return; /* the fault may last */
    sl_batch *batch = sl_batch_new();
    sl_event *event = sl_batch_add(batch);
    event->type = SL_EVENT_CARRY;
    event->time = event_time();
    event->flowfile = flowfile;
    event->whole = true;
    event->attributes = sl_arena_str(&batch->arena, state.attributes);
    event->claim = sl_arena_str(&batch->arena, state.claim);
    if (state.content.size) event->content = sl_arena_str(&batch->arena, state.content);
    *at = (place){sl_journal_next(r.journal), sl_journal_segment(r.journal), at->queue};
    if (at->seq < MOST) sim->outside.made[at->seq] = false;
    sl_journal_append(r.journal, batch);
    sl_journal_state_done(&state);
}

static void look_after_segments(void)
{
    sl_error error;
    sl_journal_renewal renewal;
    if (sl_journal_renewed(r.journal, &renewal)) {
        if (renewal.checkpoint) checkpoint();
        for (uint64_t flowfile = 1; flowfile < MOST; flowfile++)
            if (r.places[flowfile].seq && r.places[flowfile].segment >= renewal.failed && r.places[flowfile].segment < renewal.number)
                carry(flowfile);
    }
    if (sl_journal_full(r.journal) && sl_journal_roll(r.journal, &error) == 0) checkpoint();
}

static void append(void)
{
    sl_error error = {0};
    sl_batch *batch = sl_batch_new();
    for (int64_t count = sim_between(SIM_BY_OUTSIDE, 1, 4); count > 0; count--)
        if (!add_event(batch, &error)) break;
    sl_journal_append(r.journal, batch);
    look_after_segments();
}

/* What is durable is acknowledged: from here on it may not be lost. */
static void acknowledge(void)
{
    sl_error error;
    sim->outside.acknowledged = SL_MAX(sim->outside.acknowledged, sl_journal_durable(r.journal));
    if (sl_journal_failure(r.journal, &error)) {
        sim_trace("the journal fails: %s", error.text);
        sim_end_life(SIM_FAILED);
    }
}

void sim_rooms_run(void)
{
    sl_error error = {0};
    const sim_life *life = &sim->plan.life[sim->life];
    if (open_all(&error) < 0) {
        sim_trace("refused: %s", error.text);
        if (sim->calm) sim_found("rooms: nothing fails and the state is refused: %s", error.text);
        sim_end_life(SIM_REFUSED);
    }
    if (sim->calm) check_all();
    int64_t end = sim_ticks() + life->length;
    while (sim_ticks() < end && sl_journal_next(r.journal) < MOST - 8) {
        append();
        acknowledge();
        sim_wait(&r.last, sim_ticks() + sim_between(SIM_BY_OUTSIDE, 1, SLOWEST));
        acknowledge();
    }
    sl_journal_close(r.journal);
    sl_content_close(r.content);
    sim_end_life(SIM_STOPPED);
}
