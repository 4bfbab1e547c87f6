/* An event as the JSON object that surface.md describes. */
#include "journal/private.h"
#include "journal/reader.h"

enum { COMMIT_REACH = 1024 }; /* how far the events of one commit are from each other, where only that is looked at */

/* ---- small parts ------------------------------------------------------------------------------------------ */

void sl_describe_text(const char *name, sl_str text, sl_buf *ret)
{
    sl_buf_printf(ret, "\"%s\":", name);
    if (text.size) sl_json_string(ret, text);
    else sl_buf_text(ret, "null");
}

void sl_describe_uuid(const sl_reader *reader, uint64_t flowfile, int64_t entered, sl_buf *ret)
{
    char text[SL_UUID_TEXT];
    if (!flowfile) {
        sl_buf_text(ret, "null");
        return;
    }
    sl_uuid_make(flowfile, entered / SL_MILLISECOND, reader->node, text);
    sl_buf_printf(ret, "\"%s\"", text);
}

void sl_describe_ids(sl_str list, void (*each)(void *context, uint64_t id), void *context)
{
    for (size_t at = 0; at < list.size;) {
        uint64_t id = 0;
        size_t from = at;
        for (; at < list.size && list.data[at] >= '0' && list.data[at] <= '9'; at++) id = id * 10 + (uint64_t)(list.data[at] - '0');
        if (at > from) each(context, id);
        else at++;
    }
}

/* "flow/rest" in two; a name without a slash is all rest. */
static sl_str flow_of(sl_str name, sl_str *ret_rest)
{
    const char *slash = name.size ? memchr(name.data, '/', name.size) : NULL;
    size_t size = slash ? (size_t)(slash - name.data) : 0;
    *ret_rest = slash ? (sl_str){slash + 1, name.size - size - 1} : name;
    return (sl_str){name.data, size};
}

void sl_describe_place(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, sl_buf *ret)
{
    sl_str component, connection;
    sl_str flow = flow_of(sl_reader_name(reader, segment, event->component), &component);
    sl_str other = flow_of(sl_reader_name(reader, segment, event->queue), &connection);
    sl_describe_text("flow", flow.size ? flow : other, ret);
    sl_buf_char(ret, ',');
    sl_describe_text("component", component, ret);
    sl_buf_char(ret, ',');
    sl_describe_text("relationship", sl_reader_name(reader, segment, event->relationship), ret);
    sl_buf_char(ret, ',');
    sl_describe_text("connection", connection, ret);
    sl_buf_char(ret, ',');
}

static sl_str column_text(sqlite3_stmt *row, int at)
{
    const char *text = (const char *)sqlite3_column_text(row, at);
    return text ? (sl_str){text, (size_t)sqlite3_column_bytes(row, at)} : (sl_str){0};
}

static void describe_component(sl_reader_segment *segment, const sl_event *event, sl_buf *ret)
{
    sqlite3_stmt *row = segment->component;
    sqlite3_bind_int64(row, 1, event->component);
    sqlite3_bind_int64(row, 2, (int64_t)event->seq);
    bool found = sqlite3_step(row) == SQLITE_ROW;
    sl_describe_text("component_type", found ? column_text(row, 0) : SL_STR(""), ret);
    sl_buf_char(ret, ',');
    sl_describe_text("flow_revision", found ? column_text(row, 1) : SL_STR(""), ret);
    sl_buf_char(ret, ',');
    sqlite3_reset(row);
}

/* ---- what changed -------------------------------------------------------------------------------------------- */

typedef struct side {
    sl_map values; /* name -> sl_str * */
    sl_arena arena;
} side;

static int keep_member(void *context, sl_str name, const sl_str *value)
{
    side *to = context;
    if (!value) return 0;
    sl_str *kept = sl_arena_alloc(&to->arena, sizeof *kept);
    *kept = *value;
    sl_map_put(&to->values, name, kept);
    return 0;
}

static void side_done(side *side)
{
    sl_map_done(&side->values);
    sl_arena_done(&side->arena);
}

static void change(sl_buf *ret, bool *first, sl_str name, const sl_str *before, const sl_str *after)
{
    if (!*first) sl_buf_char(ret, ',');
    *first = false;
    sl_json_string(ret, name);
    sl_buf_text(ret, ":[");
    before ? sl_json_string(ret, *before) : sl_buf_text(ret, "null");
    sl_buf_char(ret, ',');
    after ? sl_json_string(ret, *after) : sl_buf_text(ret, "null");
    sl_buf_char(ret, ']');
}

static int describe_difference(sl_str before_text, sl_str after_text, sl_buf *ret, sl_error *error)
{
    side before = {0}, after = {0};
    bool first = true;
    int result = before_text.size ? sl_json_members(before_text, &before.arena, keep_member, &before, error) : 0;
    if (result == 0) result = sl_json_members(after_text, &after.arena, keep_member, &after, error);
    sl_buf_char(ret, '{');
    SL_MAP_EACH (&after.values, entry) {
        sl_str name = {entry->key, entry->key_size};
        const sl_str *was = sl_map_get(&before.values, name), *is = entry->value;
        if (!was || !sl_str_equal(*was, *is)) change(ret, &first, name, was, is);
    }
    SL_MAP_EACH (&before.values, entry) {
        sl_str name = {entry->key, entry->key_size};
        if (!sl_map_get(&after.values, name)) change(ret, &first, name, entry->value, NULL);
    }
    sl_buf_char(ret, '}');
    side_done(&before);
    side_done(&after);
    return result;
}

static int describe_changed(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, sl_str after, bool thorough, sl_buf *ret,
                            sl_error *error)
{
    sl_journal_state before = {0};
    sl_before known;
    if (!event->attributes.size) return sl_buf_text(ret, ",\"changed\":{}"), 0;
    if (sl_reader_before(reader, segment, event, thorough, &before, &known, error) < 0) return -1;
    sl_buf_text(ret, ",\"changed\":");
    int result = 0;
    if (known == SL_BEFORE_UNKNOWN) sl_buf_text(ret, "null");
    else result = describe_difference(before.attributes, after, ret, error);
    sl_journal_state_done(&before);
    return result;
}

/* ---- content, parents, children -------------------------------------------------------------------------------- */

typedef struct claim_parts {
    sl_str size, sha256;
} claim_parts;

static int keep_claim_part(void *context, sl_str name, const sl_str *value)
{
    claim_parts *parts = context;
    if (value && sl_str_is(name, "size")) parts->size = *value;
    if (value && sl_str_is(name, "sha256")) parts->sha256 = *value;
    return 0;
}

static int describe_content(const sl_journal_state *state, sl_buf *ret, sl_error *error)
{
    sl_arena arena = {0};
    claim_parts parts = {0};
    if (!state->claim.size || sl_str_is(state->claim, "null")) return sl_buf_text(ret, ",\"content\":null"), 0;
    int result = sl_json_members(state->claim, &arena, keep_claim_part, &parts, error);
    sl_buf_text(ret, ",\"content\":{");
    sl_describe_text("sha256", parts.sha256, ret);
    sl_buf_printf(ret, ",\"size\":%.*s}", parts.size.size ? (int)parts.size.size : 1, parts.size.size ? parts.size.data : "0");
    sl_arena_done(&arena);
    return result;
}

typedef struct relatives {
    sl_reader *reader;
    sl_reader_segment *segment;
    uint64_t seq;
    sl_buf *ret;
    bool any;
    int result;
    sl_error *error;
} relatives;

static void describe_parent(void *context, uint64_t id)
{
    relatives *to = context;
    uint64_t seq, before = SL_MIN(to->seq + COMMIT_REACH + 1, to->segment->end);
    int64_t entered = 0;
    /* A parent has an event in the commit that made the child, so the beginning of its chain is near, before it. */
    if (to->result == 0) to->result = sl_reader_last_of(to->reader, to->segment, id, before, true, &seq, &entered, to->error);
    if (to->result < 0) return;
    if (to->any) sl_buf_char(to->ret, ',');
    to->any = true;
    sl_describe_uuid(to->reader, id, entered, to->ret);
}

static int describe_parents(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, sl_buf *ret, sl_error *error)
{
    relatives to = {reader, segment, event->seq, ret, false, 0, error};
    sl_buf_text(ret, ",\"parents\":[");
    sl_describe_ids(event->parents, describe_parent, &to);
    sl_buf_char(ret, ']');
    return to.result;
}

/* Whether anything names the FlowFile as its parent between `from` and `end`; narrows both to what does. */
static bool has_children(sl_reader *reader, sl_reader_segment *segment, uint64_t flowfile, uint64_t *from, uint64_t *end)
{
    sl_seqs seqs = {0};
    uint32_t key = sl_index_flowfile(flowfile);
    sl_index *index = sl_reader_index(reader, segment);
    if (!index) return true;
    bool known = sl_index_find(index, SL_BY_PARENT, &key, 1, *from, *end, &seqs) == 0;
    if (!known) sl_reader_index_damaged(reader, segment);
    bool any = !known || seqs.count;
    if (known && any) {
        *from = seqs.items[0];
        *end = seqs.items[seqs.count - 1] + 1;
    }
    free(seqs.items);
    return any;
}

static int list_children(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, uint64_t from, uint64_t end, sl_buf *ret,
                         sl_error *error)
{
    static const char sql[] = "SELECT flowfile, entered FROM event WHERE seq>=?1 AND seq<?2 AND parents IS NOT NULL"
                              " AND component IS ?3 AND ?4 IN (SELECT value FROM json_each(parents)) ORDER BY seq LIMIT ?5";
    sqlite3_stmt *rows = NULL;
    bool any = false;
    if (sl_reader_prepare(segment, sql, &rows, error) < 0) return -1;
    sqlite3_bind_int64(rows, 1, (int64_t)from);
    sqlite3_bind_int64(rows, 2, (int64_t)end);
    if (event->component) sqlite3_bind_int64(rows, 3, event->component);
    sqlite3_bind_int64(rows, 4, (int64_t)event->flowfile);
    sqlite3_bind_int64(rows, 5, SL_CHILDREN);
    int state;
    for (; (state = sqlite3_step(rows)) == SQLITE_ROW; any = true) {
        if (any) sl_buf_char(ret, ',');
        sl_describe_uuid(reader, (uint64_t)sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1), ret);
    }
    if (state != SQLITE_DONE) sl_reader_failed(segment, error);
    sqlite3_finalize(rows);
    return state == SQLITE_DONE ? 0 : -1;
}

/* Children made in the same commit: their first events are beside this one. */
static int describe_children(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, bool thorough, sl_buf *ret,
                             sl_error *error)
{
    uint64_t reach = thorough ? 100000 : COMMIT_REACH;
    uint64_t from = event->seq > reach ? event->seq - reach : 1, end = SL_MIN(event->seq + reach + 1, segment->end);
    int result = 0;
    sl_buf_text(ret, ",\"children\":[");
    if (event->flowfile && event->type < SL_EVENT_INTENT && has_children(reader, segment, event->flowfile, &from, &end))
        result = list_children(reader, segment, event, from, end, ret, error);
    sl_buf_char(ret, ']');
    return result;
}

/* ---- the event -------------------------------------------------------------------------------------------------- */

static void describe_details(const sl_event *event, bool valid, sl_buf *ret)
{
    sl_buf_text(ret, ",\"details\":");
    if (!event->details.size) sl_buf_text(ret, "null");
    else if (valid) sl_buf_str(ret, event->details);
    else sl_json_string(ret, event->details);
}

static void describe_head(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, int64_t entered, sl_buf *ret)
{
    char time[SL_TIME_TEXT];
    sl_buf_printf(ret, "{\"seq\":%llu,\"time\":\"%s\",\"type\":\"%s\",\"flowfile\":", (unsigned long long)event->seq,
                  sl_time_format(event->time, time), sl_event_type_name(event->type));
    sl_describe_uuid(reader, event->flowfile, entered, ret);
    sl_buf_char(ret, ',');
    sl_describe_place(reader, segment, event, ret);
    describe_component(segment, event, ret);
}

static int describe_state(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, const sl_journal_state *state,
                          bool thorough, sl_buf *ret, sl_error *error)
{
    sl_buf_text(ret, "\"attributes\":");
    sl_buf_str(ret, state->attributes.size ? state->attributes : SL_STR("{}"));
    if (describe_changed(reader, segment, event, state->attributes, thorough, ret, error) < 0 || describe_content(state, ret, error) < 0)
        return -1;
    if (describe_parents(reader, segment, event, ret, error) < 0) return -1;
    return describe_children(reader, segment, event, thorough, ret, error);
}

int sl_describe_event(sl_reader *reader, sl_reader_segment *segment, sqlite3_stmt *row, bool thorough, sl_buf *ret, sl_error *error)
{
    enum { DETAILS_VALID = 21 };
    sl_event event;
    sl_journal_state state = {0};
    if (sl_event_from_row(row, &event, error) < 0) return -1;
    int result = event.flowfile ? sl_reader_chain(reader, event.seq, &state, error) : 0;
    if (result == 0) {
        describe_head(reader, segment, &event, state.entered, ret);
        result = describe_state(reader, segment, &event, &state, thorough, ret, error);
    }
    sl_buf_char(ret, ',');
    sl_describe_text(event.type < SL_EVENT_INTENT ? "transit_uri" : "key", event.uri, ret);
    sl_buf_printf(ret, ",\"duration_us\":%lld", (long long)event.duration);
    describe_details(&event, sqlite3_column_int(row, DETAILS_VALID), ret);
    sl_buf_char(ret, '}');
    sl_journal_state_done(&state);
    return result;
}
