/* A queue's FlowFiles, as the API lists them: what is in memory is noted on the loop; where some are not, they are read, and the
 * text made, on a worker. */
#include <errno.h>
#include <inttypes.h>

#include "engine/private.h"

enum { LISTED = 100, TAIL = 64 };

typedef struct row {
    sl_flowfile flowfile; /* as it was */
    int64_t not_before;   /* wall time */
    sl_attributes *attributes;
    char *sha256;
    bool cold, durable;
} row;

typedef struct listing {
    sl_job job;
    sl_engine *engine;
    sl_buf text;
    bool truncated;
    void (*done)(void *context, sl_buf *text);
    void *context;
    size_t count;
    row rows[];
} listing;

/* ---- on the worker ------------------------------------------------------------------------------------------------- */

static const char *const places[] = {[SL_READY] = "ready", [SL_TAKEN] = "taken", [SL_WAITING] = "waiting", [SL_ASIDE] = "aside"};

static void member_time(sl_buf *ret, const char *name, int64_t time)
{
    char text[SL_TIME_TEXT];
    if (time) sl_buf_printf(ret, ",\"%s\":\"%s\"", name, sl_time_format(time, text));
    else sl_buf_printf(ret, ",\"%s\":null", name);
}

static void member_text(sl_buf *ret, const char *name, const char *text)
{
    sl_buf_printf(ret, ",\"%s\":", name);
    text ? sl_json_string(ret, sl_str_of(text)) : sl_buf_text(ret, "null");
}

/* error->text stays empty when it could be read. */
static void read_row(const listing *to, row *r, sl_error *error)
{
    sl_body *body;
    if (!r->cold) return;
    if (!r->durable) sl_error_set(error, EAGAIN, "its newest event is not on the disk yet");
    else if (sl_body_read(to->engine, r->flowfile.segment, r->flowfile.seq, &body, error) == 0) {
        const char *sha256 = body->claim ? atomic_load(&body->claim->sha256) : NULL;
        r->attributes = sl_attributes_ref(body->attributes);
        r->sha256 = sha256 ? sl_strdup(sha256) : NULL;
        sl_body_discard(body);
    }
}

static void row_json(listing *to, size_t position, row *r)
{
    char uuid[SL_UUID_TEXT];
    sl_error error = {0};
    sl_buf *ret = &to->text;
    const sl_flowfile *flowfile = &r->flowfile;
    read_row(to, r, &error);
    sl_uuid_make(flowfile->id, flowfile->entered / SL_MILLISECOND, to->engine->node, uuid);
    sl_buf_printf(ret,
                  "%s{\"position\":%zu,\"flowfile\":\"%s\",\"seq\":%" PRIu64 ",\"size\":%" PRIu64 ",\"state\":\"%s\",\"retries\":%" PRIu32,
                  position ? "," : "", position, uuid, flowfile->seq, sl_flowfile_size(flowfile), places[flowfile->place],
                  (uint32_t)flowfile->retries);
    member_text(ret, "sha256", r->sha256);
    member_time(ret, "entered_at", flowfile->entered);
    member_time(ret, "queued_at", flowfile->queued);
    member_time(ret, "not_before", r->not_before);
    if (error.text[0]) member_text(ret, "unreadable", error.text);
    sl_buf_text(ret, ",\"attributes\":");
    if (r->attributes) sl_pairs_format(r->attributes->pairs, r->attributes->count, ret);
    else sl_buf_text(ret, "{}");
    sl_buf_char(ret, '}');
}

static void list(sl_job *job)
{
    listing *to = SL_CONTAINER(job, listing, job);
    sl_buf *text = &to->text;
    for (size_t i = 0; i < to->count; i++) {
        size_t mark = text->size;
        row_json(to, i, &to->rows[i]);
        if (!text->overflowed && text->ceiling - text->size >= TAIL) continue;
        text->size = mark;
        text->data[mark] = 0;
        text->overflowed = false;
        to->truncated = true;
        break;
    }
    sl_buf_printf(text, "],\"truncated\":%s}", to->truncated ? "true" : "false");
}

/* ---- on the loop --------------------------------------------------------------------------------------------------------- */

static void listed(sl_job *job, bool cancelled)
{
    listing *to = SL_CONTAINER(job, listing, job);
    sl_engine *engine = to->engine;
    (void)cancelled; /* never by us */
    to->done(to->context, &to->text);
    for (size_t i = 0; i < to->count; i++) {
        sl_attributes_unref(to->rows[i].attributes);
        free(to->rows[i].sha256);
    }
    sl_buf_done(&to->text);
    free(to);
    engine->fetches--;
    sl_engine_check_drained(engine);
}

static void list_here(void *context)
{
    listing *to = context;
    list(&to->job);
    listed(&to->job, false);
}

static bool reads(const listing *to)
{
    for (size_t i = 0; i < to->count; i++)
        if (to->rows[i].cold && to->rows[i].durable) return true;
    return false;
}

static void note(listing *to, const sl_flowfile *flowfile)
{
    const sl_body *body = flowfile->body;
    const char *sha256 = body && body->claim ? atomic_load(&body->claim->sha256) : NULL;
    to->rows[to->count++] = (row){.flowfile = *flowfile,
                                  .not_before = sl_clock_wall(&to->engine->clock, flowfile->not_before),
                                  .attributes = body ? sl_attributes_ref(body->attributes) : NULL,
                                  .sha256 = sha256 ? sl_strdup(sha256) : NULL,
                                  .cold = !body,
                                  .durable = flowfile->seq <= sl_journal_durable(to->engine->journal)};
}

static void note_front(listing *to, const sl_queue *queue, size_t limit)
{
    sl_flowfile **front = sl_alloc(limit * sizeof *front);
    size_t count = sl_queue_front(queue, limit, front);
    for (size_t i = 0; i < count; i++) note(to, front[i]);
    to->truncated = queue->objects > count;
    free(front);
}

int sl_engine_queue_list(sl_engine *engine, const char *key, size_t limit, size_t ceiling, void (*done)(void *context, sl_buf *text),
                         void *context, sl_error *error)
{
    const sl_queue *queue = sl_map_get(&engine->queues, sl_str_of(key));
    if (!queue) return sl_error_set(error, ENOENT, "there is no connection %s; `sluice status` lists them", key);
    if (!limit) limit = LISTED;
    listing *to = sl_alloc(sizeof *to + limit * sizeof *to->rows);
    *to = (listing){.job = {.work = list, .done = listed}, .engine = engine, .text = SL_BUF(ceiling), .done = done, .context = context};
    sl_buf_text(&to->text, "{\"connection\":");
    sl_engine_connection_json(engine, queue, &to->text);
    sl_buf_printf(&to->text, ",\"objects\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"seq\":%" PRIu64 ",\"flowfiles\":[", queue->objects,
                  queue->bytes, sl_journal_next(engine->journal) - 1);
    note_front(to, queue, limit);
    engine->fetches++;
    /* Where all is in memory no worker is asked: they may all be busy, which a listing is to show. */
    if (reads(to)) sl_workers_submit(engine->workers, &to->job, true);
    else sl_engine_post(engine, list_here, to);
    return 0;
}
