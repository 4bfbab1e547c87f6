/* Where a FlowFile came from and what came of it. Each generation is looked for as a whole: by the index of a segment
 * where there is one, else by one scan of it. */
#include <errno.h>

#include "journal/private.h"
#include "journal/reader.h"

enum { FLOWFILES = 1000, EVENTS = 10000, GENERATIONS = 64 };
static const int64_t budget = 20 * SL_SECOND;

typedef struct found_event {
    uint64_t seq, flowfile;
    char *json; /* the event's node */
} found_event;

typedef struct member { /* a FlowFile of the lineage */
    uint64_t id;
    int64_t entered;
    bool up, down;      /* its parents, its children belong to the lineage */
    bool scanned;       /* its events are here */
    size_t first, last; /* of its events, once sorted */
    uint64_t *parents;  /* of its first event */
    size_t parent_count, parent_capacity;
} member;

typedef struct lineage {
    sl_reader *reader;
    member *members;
    size_t count, capacity;
    found_event *events;
    size_t event_count, event_capacity;
    bool truncated;
    int64_t until;
} lineage;

/* ---- members ---------------------------------------------------------------------------------------------- */

static member *find(lineage *of, uint64_t id)
{
    for (size_t i = 0; i < of->count; i++)
        if (of->members[i].id == id) return &of->members[i];
    return NULL;
}

static void add(lineage *to, uint64_t id, bool up, bool down)
{
    member *known = find(to, id);
    if (!known && to->count == FLOWFILES) {
        to->truncated = true;
        return;
    }
    if (!known) {
        to->members = sl_grow(to->members, to->count, &to->capacity, sizeof *to->members);
        known = &to->members[to->count++];
        *known = (member){.id = id};
    }
    /* A new direction for one that was scanned already is looked at again. */
    if ((up && !known->up) || (down && !known->down)) known->scanned = false;
    known->up |= up;
    known->down |= down;
}

static void add_ids(const lineage *of, bool down_only, sl_buf *ret)
{
    sl_buf_char(ret, '(');
    bool any = false;
    for (size_t i = 0; i < of->count; i++) {
        const member *m = &of->members[i];
        if (m->scanned || (down_only && !m->down)) continue;
        sl_buf_printf(ret, "%s%llu", any ? "," : "", (unsigned long long)m->id);
        any = true;
    }
    sl_buf_char(ret, ')');
}

typedef struct lineage_keys { /* the same for the index */
    uint32_t *all, *down;
    size_t all_count, down_count;
} lineage_keys;

static lineage_keys keys_of(const lineage *of)
{
    lineage_keys keys = {.all = sl_alloc((of->count + 1) * sizeof(uint32_t)), .down = sl_alloc((of->count + 1) * sizeof(uint32_t))};
    for (size_t i = 0; i < of->count; i++) {
        const member *m = &of->members[i];
        if (m->scanned) continue;
        keys.all[keys.all_count++] = sl_index_flowfile(m->id);
        if (m->down) keys.down[keys.down_count++] = sl_index_flowfile(m->id);
    }
    return keys;
}

/* ---- one generation ------------------------------------------------------------------------------------------ */

typedef struct parents {
    lineage *lineage;
    uint64_t child;
} parents;

static void keep_parent(void *context, uint64_t id)
{
    parents *to = context;
    member *child = find(to->lineage, to->child);
    if (!child || child->parent_count >= FLOWFILES) return;
    for (size_t i = 0; i < child->parent_count; i++)
        if (child->parents[i] == id) return;
    child->parents = sl_grow(child->parents, child->parent_count, &child->parent_capacity, sizeof *child->parents);
    child->parents[child->parent_count++] = id;
}

static void keep_event(lineage *to, sl_reader_segment *segment, const sl_event *event)
{
    char time[SL_TIME_TEXT];
    for (size_t i = 0; i < to->event_count; i++)
        if (to->events[i].seq == event->seq) return;
    if (to->event_count == EVENTS) {
        to->truncated = true;
        return;
    }
    sl_buf node = SL_BUF(1 << 20);
    sl_buf_printf(&node, "\"id\":\"event:%llu\",\"kind\":\"event\",\"seq\":%llu,\"time\":\"%s\",\"type\":\"%s\",",
                  (unsigned long long)event->seq, (unsigned long long)event->seq, sl_time_format(event->time, time),
                  sl_event_type_name(event->type));
    sl_describe_place(to->reader, segment, event, &node);
    sl_describe_text("transit_uri", event->uri, &node);
    to->events = sl_grow(to->events, to->event_count, &to->event_capacity, sizeof *to->events);
    to->events[to->event_count++] = (found_event){event->seq, event->flowfile, sl_buf_take(&node)};
}

static void take_event(lineage *to, sl_reader_segment *segment, const sl_event *event)
{
    member *m = find(to, event->flowfile);
    if (!m) { /* not one of this generation: it names one as its parent */
        add(to, event->flowfile, false, true);
        return;
    }
    if (event->whole && (!m->entered || event->entered < m->entered)) m->entered = event->entered;
    if (event->type < SL_EVENT_INTENT) keep_event(to, segment, event);
    if (!event->parents.size) return;
    parents context = {to, event->flowfile};
    sl_describe_ids(event->parents, keep_parent, &context);
}

static int take_rows(lineage *to, sl_reader_segment *segment, sqlite3_stmt *rows, sl_error *error)
{
    int state = SQLITE_DONE, result = 0;
    while (result == 0 && (state = sqlite3_step(rows)) == SQLITE_ROW) {
        sl_event event;
        result = sl_event_from_row(rows, &event, error);
        if (result == 0) take_event(to, segment, &event);
    }
    if (result == 0 && state != SQLITE_DONE) result = sl_reader_failed(segment, error);
    sqlite3_reset(rows);
    return result;
}

/* Where the generation's events are, by the index; false: there is none, scan. */
static bool find_rows(lineage *to, sl_reader_segment *segment, const lineage_keys *keys, sl_seqs *ret)
{
    sl_index *index = sl_reader_index(to->reader, segment);
    if (!index) return false;
    if (sl_index_find(index, SL_BY_FLOWFILE, keys->all, keys->all_count, segment->first, segment->end, ret) == 0 &&
        sl_index_find(index, SL_BY_PARENT, keys->down, keys->down_count, segment->first, segment->end, ret) == 0) {
        sl_seqs_settle(ret);
        return true;
    }
    sl_reader_index_damaged(to->reader, segment);
    return false;
}

static int scan_segment(lineage *to, sl_reader_segment *segment, const sl_buf *ids, const sl_buf *down_ids, const lineage_keys *keys,
                        sl_error *error)
{
    sl_buf sql = SL_BUF(1 << 20);
    sl_seqs seqs = {0};
    sqlite3_stmt *rows = NULL;
    sl_buf_printf(&sql,
                  "SELECT " SL_EVENT_COLUMNS " FROM event WHERE seq>=?1 AND seq<?2 AND ((+flowfile IN %s AND (type<%d OR whole)) OR"
                  " (parents IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(parents) WHERE value IN %s))) ORDER BY seq",
                  ids->data, SL_EVENT_INTENT, down_ids->data);
    int result = sl_reader_use(to->reader, segment, error);
    if (result == 0) result = sl_reader_prepare(segment, sql.data, &rows, error);
    sl_buf_done(&sql);
    if (result < 0) return -1;
    bool found = find_rows(to, segment, keys, &seqs);
    for (size_t i = 0; found && result == 0 && i < seqs.count; i++) {
        sqlite3_bind_int64(rows, 1, (int64_t)seqs.items[i]);
        sqlite3_bind_int64(rows, 2, (int64_t)seqs.items[i] + 1);
        result = take_rows(to, segment, rows, error);
    }
    if (!found) {
        sqlite3_bind_int64(rows, 1, (int64_t)segment->first);
        sqlite3_bind_int64(rows, 2, (int64_t)segment->end);
        result = take_rows(to, segment, rows, error);
    }
    free(seqs.items);
    sqlite3_finalize(rows);
    return result;
}

static int scan_generation(lineage *to, sl_error *error)
{
    sl_buf ids = SL_BUF(1 << 18), down_ids = SL_BUF(1 << 18);
    add_ids(to, false, &ids);
    add_ids(to, true, &down_ids);
    size_t count = to->count;
    int result = 0;
    lineage_keys keys = keys_of(to);
    for (size_t i = 0; i < count; i++) to->members[i].scanned = true;
    for (size_t i = 0; result == 0 && i < to->reader->count; i++)
        if (to->reader->segments[i].first) result = scan_segment(to, &to->reader->segments[i], &ids, &down_ids, &keys, error);
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; to->members[i].up && p < to->members[i].parent_count; p++) add(to, to->members[i].parents[p], true, false);
    sl_buf_done(&ids);
    sl_buf_done(&down_ids);
    free(keys.all);
    free(keys.down);
    return result;
}

static bool open_ends(const lineage *of)
{
    for (size_t i = 0; i < of->count; i++)
        if (!of->members[i].scanned) return true;
    return false;
}

static int scan(lineage *to, sl_error *error)
{
    for (int generation = 0; open_ends(to); generation++) {
        if (generation == GENERATIONS || sl_ticks() > to->until) {
            to->truncated = true;
            return 0;
        }
        if (scan_generation(to, error) < 0) return -1;
    }
    return 0;
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static int by_flowfile(const void *a, const void *b)
{
    const found_event *x = a, *y = b;
    if (x->flowfile != y->flowfile) return x->flowfile < y->flowfile ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static void sort_events(lineage *of)
{
    if (of->event_count) qsort(of->events, of->event_count, sizeof *of->events, by_flowfile);
    for (size_t i = 0; i < of->count; i++) {
        member *m = &of->members[i];
        while (m->first < of->event_count && of->events[m->first].flowfile != m->id) m->first++;
        m->last = m->first;
        while (m->last < of->event_count && of->events[m->last].flowfile == m->id) m->last++;
    }
}

static void format_nodes(const lineage *of, sl_buf *ret)
{
    sl_buf_text(ret, "\"nodes\":[");
    for (size_t i = 0; i < of->count; i++) {
        char uuid[SL_UUID_TEXT];
        const member *m = &of->members[i];
        sl_uuid_make(m->id, m->entered / SL_MILLISECOND, of->reader->node, uuid);
        sl_buf_printf(ret, "%s{\"id\":\"flowfile:%s\",\"kind\":\"flowfile\",\"flowfile\":\"%s\"}", i ? "," : "", uuid, uuid);
        for (size_t e = m->first; e < m->last; e++) sl_buf_printf(ret, ",{%s,\"flowfile\":\"%s\"}", of->events[e].json, uuid);
    }
    sl_buf_char(ret, ']');
}

static void edge(sl_buf *ret, bool *any)
{
    sl_buf_text(ret, *any ? ",{\"from\":" : "{\"from\":");
    *any = true;
}

static void flowfile_id(const lineage *of, const member *m, sl_buf *ret)
{
    char uuid[SL_UUID_TEXT];
    sl_uuid_make(m->id, m->entered / SL_MILLISECOND, of->reader->node, uuid);
    sl_buf_printf(ret, "\"flowfile:%s\"", uuid);
}

static void format_chain(const lineage *of, const member *m, sl_buf *ret, bool *any)
{
    for (size_t e = m->first; e < m->last; e++) {
        edge(ret, any);
        if (e == m->first) flowfile_id(of, m, ret);
        else sl_buf_printf(ret, "\"event:%llu\"", (unsigned long long)of->events[e - 1].seq);
        sl_buf_printf(ret, ",\"to\":\"event:%llu\"}", (unsigned long long)of->events[e].seq);
    }
}

/* From the parent's last event before the child began; one commit may number the child first. */
static void format_birth(lineage *of, const member *child, const member *parent, sl_buf *ret, bool *any)
{
    uint64_t born = child->first < child->last ? of->events[child->first].seq : 0;
    size_t from = parent->last;
    for (size_t e = parent->first; e < parent->last && (of->events[e].seq <= born || from == parent->last); e++) from = e;
    edge(ret, any);
    if (from < parent->last) sl_buf_printf(ret, "\"event:%llu\"", (unsigned long long)of->events[from].seq);
    else flowfile_id(of, parent, ret);
    sl_buf_text(ret, ",\"to\":");
    flowfile_id(of, child, ret);
    sl_buf_char(ret, '}');
}

static void format_edges(lineage *of, sl_buf *ret)
{
    bool any = false;
    sl_buf_text(ret, ",\"edges\":[");
    for (size_t i = 0; i < of->count; i++) {
        const member *m = &of->members[i];
        format_chain(of, m, ret, &any);
        for (size_t p = 0; p < m->parent_count; p++) {
            const member *parent = find(of, m->parents[p]);
            if (parent) format_birth(of, m, parent, ret, &any);
        }
    }
    sl_buf_char(ret, ']');
}

static void done(lineage *lineage)
{
    for (size_t i = 0; i < lineage->count; i++) free(lineage->members[i].parents);
    for (size_t i = 0; i < lineage->event_count; i++) free(lineage->events[i].json);
    free(lineage->members);
    free(lineage->events);
}

int sl_query_lineage(sl_reader *reader, uint64_t flowfile, sl_buf *ret, sl_error *error)
{
    lineage lineage = {.reader = reader, .until = sl_ticks() + budget};
    if (sl_reader_refresh(reader, error) < 0) return -1;
    add(&lineage, flowfile, true, true);
    int result = scan(&lineage, error);
    if (result == 0 && !lineage.event_count)
        result = sl_error_set(error, ENOENT, "there is no event of that FlowFile; `sluice provenance` lists those there are");
    if (result == 0) {
        sort_events(&lineage);
        sl_buf_text(ret, "{\"flowfile\":");
        sl_describe_uuid(reader, flowfile, lineage.members[0].entered, ret);
        sl_buf_char(ret, ',');
        format_nodes(&lineage, ret);
        format_edges(&lineage, ret);
        sl_buf_printf(ret, ",\"truncated\":%s}", lineage.truncated ? "true" : "false");
        if (ret->overflowed) result = sl_error_set(error, E2BIG, "the lineage does not fit in %zu bytes", ret->ceiling);
    }
    done(&lineage);
    return result;
}
