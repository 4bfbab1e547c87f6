#include "journal/query.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "journal/private.h"
#include "journal/reader.h"

enum { WINDOW = 65536, LIMIT = 100, TAIL = 64 /* room for the end of the answer */ };

typedef struct search {
    sl_reader *reader;
    const sl_query *query;
    size_t left;
    int64_t until;   /* ticks */
    uint64_t cursor; /* how far it came; 0: through */
    bool any, stop;
    sl_buf *ret;
} search;

/* ---- the state before an event ------------------------------------------------------------------------------ */

static int before_elsewhere(sl_reader *reader, sl_reader_segment *segment, uint64_t flowfile, sl_journal_state *ret, sl_before *ret_known,
                            sl_error *error)
{
    *ret_known = SL_BEFORE_NOTHING;
    for (sl_reader_segment *older = segment; older-- > reader->segments;) {
        if (!older->first) continue;
        if (sl_reader_use(reader, older, error) < 0) return -1;
        uint64_t seq;
        if (sl_reader_last_of(reader, older, flowfile, older->end, false, &seq, NULL, error) < 0) return -1;
        if (!seq) continue;
        *ret_known = SL_BEFORE_KNOWN;
        return sl_reader_chain(reader, seq, ret, error);
    }
    return 0;
}

int sl_reader_before(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, bool thorough, sl_journal_state *ret,
                     sl_before *ret_known, sl_error *error)
{
    *ret_known = SL_BEFORE_KNOWN;
    if (event->previous) return sl_reader_chain(reader, event->previous, ret, error);
    bool born = event->parents.size || event->type == SLUICE_CREATE || event->type == SLUICE_RECEIVE || segment == reader->segments;
    *ret_known = born ? SL_BEFORE_NOTHING : SL_BEFORE_UNKNOWN;
    if (born || !thorough) return 0;
    return before_elsewhere(reader, segment, event->flowfile, ret, ret_known, error);
}

/* ---- filters on FlowFiles ------------------------------------------------------------------------------------- */

/* Deltas and claims are written in one canonical form, in which a quote inside a text is escaped: so this piece of
 * text is in the row exactly when the member is. */
static void add_member(sl_buf *sql, const char *column, sl_str name, sl_str value, bool *any)
{
    sl_buf piece = SL_BUF(4 << 20);
    sl_json_string(&piece, name);
    sl_buf_char(&piece, ':');
    sl_json_string(&piece, value);
    char *quoted = sqlite3_mprintf("%Q", sl_buf_view(&piece).data);
    sl_buf_printf(sql, "%sSELECT flowfile FROM event WHERE seq>=?1 AND seq<?2 AND flowfile>0 AND instr(%s,%s)", *any ? " INTERSECT " : "",
                  column, quoted ? quoted : "''");
    sqlite3_free(quoted);
    sl_buf_done(&piece);
    *any = true;
}

/* The question for the FlowFiles that the filters want; "" when none of them asks for particular ones. */
static void wanted_sql(const sl_query *query, sl_buf *ret)
{
    bool any = false;
    if (query->filename.size) add_member(ret, "attributes", SL_STR("filename"), query->filename, &any);
    for (size_t i = 0; i < query->attribute_count; i++)
        add_member(ret, "attributes", query->attribute_names[i], query->attribute_values[i], &any);
    if (query->sha256.size) add_member(ret, "claim", SL_STR("sha256"), query->sha256, &any);
}

static int run(sl_reader_segment *segment, const char *sql, uint64_t from, uint64_t end, sl_error *error)
{
    sqlite3_stmt *statement;
    if (sl_reader_prepare(segment, sql, &statement, error) < 0) return -1;
    if (sqlite3_bind_parameter_count(statement)) {
        sqlite3_bind_int64(statement, 1, (int64_t)from);
        sqlite3_bind_int64(statement, 2, (int64_t)end);
    }
    int result = sqlite3_step(statement);
    if (result != SQLITE_DONE) sl_reader_failed(segment, error);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

static int empty_wanted(sl_reader_segment *segment, sl_error *error)
{
    free(segment->wanted);
    segment->wanted = NULL;
    if (run(segment, "CREATE TEMP TABLE IF NOT EXISTS wanted(flowfile INTEGER PRIMARY KEY)", 0, 0, error) < 0) return -1;
    return run(segment, "DELETE FROM temp.wanted", 0, 0, error);
}

/* One scan of the segment, kept in the connection for the following pages of the same search; what came since is
 * scanned anew only where a single filter asks (an intersection must see both sides). */
static int fill_wanted(sl_reader_segment *segment, const char *question, bool single, uint64_t end, sl_error *error)
{
    bool same = segment->wanted && strcmp(segment->wanted, question) == 0;
    if (same && segment->wanted_end >= end) return 0;
    uint64_t from = same && single ? segment->wanted_end : segment->first;
    sl_buf sql = SL_BUF(16 << 20);
    sl_buf_printf(&sql, "INSERT OR IGNORE INTO temp.wanted %s", question);
    int result = same ? 0 : empty_wanted(segment, error);
    free(segment->wanted);
    segment->wanted = NULL;
    if (result == 0) result = run(segment, sl_buf_view(&sql).data, from, end, error);
    sl_buf_done(&sql);
    if (result < 0) return -1;
    segment->wanted = sl_strdup(question);
    segment->wanted_end = end;
    return 0;
}

/* ---- filters on events ------------------------------------------------------------------------------------------ */

static bool name_fits(const sl_query *query, sl_str name)
{
    const char *slash = memchr(name.data, '/', name.size);
    if (!slash) return false;
    sl_str flow = {name.data, (size_t)(slash - name.data)}, rest = {slash + 1, name.size - flow.size - 1};
    if (query->flow.size && !sl_str_equal(query->flow, flow)) return false;
    return !query->component.size || sl_str_equal(query->component, name) || sl_str_equal(query->component, rest);
}

/* Ids of the names that fit, as a list for SQL; -1, which nothing has, when there is none. */
static int add_names(sl_reader_segment *segment, const sl_query *query, sl_buf *sql, sl_error *error)
{
    sqlite3_stmt *rows;
    if (!query->flow.size && !query->component.size) return 0;
    if (sl_reader_prepare(segment, "SELECT id, text FROM name", &rows, error) < 0) return -1;
    sl_buf ids = SL_BUF(1 << 20);
    sl_buf_text(&ids, "(-1");
    int state;
    while ((state = sqlite3_step(rows)) == SQLITE_ROW) {
        sl_str name = {(const char *)sqlite3_column_text(rows, 1), (size_t)sqlite3_column_bytes(rows, 1)};
        if (name.data && name_fits(query, name)) sl_buf_printf(&ids, ",%d", sqlite3_column_int(rows, 0));
    }
    if (state != SQLITE_DONE) sl_reader_failed(segment, error);
    sqlite3_finalize(rows);
    sl_buf_char(&ids, ')');
    sl_buf_printf(sql, " AND (component IN %s", ids.data);
    /* What an operator did to a queue has no component: the flow is known by the queue. */
    if (!query->component.size) sl_buf_printf(sql, " OR (component IS NULL AND queue IN %s)", ids.data);
    sl_buf_char(sql, ')');
    sl_buf_done(&ids);
    return state == SQLITE_DONE ? 0 : -1;
}

static int events_sql(sl_reader_segment *segment, const sl_query *query, bool wanted, bool one, sl_buf *sql, sl_error *error)
{
    sl_buf_printf(sql, "SELECT " SL_DESCRIBE_COLUMNS " FROM event WHERE %s", one ? "seq=?1" : "seq>=?1 AND seq<?2");
    if (query->type) sl_buf_printf(sql, " AND type=%u", query->type);
    else if (!query->internal) sl_buf_printf(sql, " AND type<%d", SL_EVENT_INTENT);
    if (query->flowfile) sl_buf_printf(sql, " AND +flowfile=%llu", (unsigned long long)query->flowfile);
    if (query->from) sl_buf_printf(sql, " AND time>=%lld", (long long)query->from);
    if (query->to) sl_buf_printf(sql, " AND time<=%lld", (long long)query->to);
    if (add_names(segment, query, sql, error) < 0) return -1;
    if (wanted) sl_buf_text(sql, " AND +flowfile IN (SELECT flowfile FROM temp.wanted)");
    if (!one) sl_buf_text(sql, query->ascending ? " ORDER BY seq" : " ORDER BY seq DESC");
    return 0;
}

/* ---- the search ---------------------------------------------------------------------------------------------------- */

static int add_event(search *s, sl_reader_segment *segment, sqlite3_stmt *row, sl_error *error)
{
    sl_buf *ret = s->ret;
    size_t mark = ret->size;
    if (s->any) sl_buf_char(ret, ',');
    if (sl_describe_event(s->reader, segment, row, false, ret, error) < 0) return -1;
    if (ret->overflowed || ret->ceiling - ret->size < TAIL) {
        if (!s->any)
            return sl_error_set(error, E2BIG, "event %lld alone does not fit in the answer; ask for it by its number",
                                (long long)sqlite3_column_int64(row, 0));
        ret->size = mark;
        ret->data[mark] = 0;
        ret->overflowed = false;
        s->stop = true;
        return 0;
    }
    s->any = true;
    s->cursor = (uint64_t)sqlite3_column_int64(row, 0);
    s->stop = --s->left == 0;
    return 0;
}

static int search_window(search *s, sl_reader_segment *segment, sqlite3_stmt *rows, uint64_t from, uint64_t end, sl_error *error)
{
    int state = SQLITE_DONE, result = 0;
    sqlite3_bind_int64(rows, 1, (int64_t)from);
    sqlite3_bind_int64(rows, 2, (int64_t)end);
    while (result == 0 && !s->stop && (state = sqlite3_step(rows)) == SQLITE_ROW) result = add_event(s, segment, rows, error);
    if (result == 0 && state != SQLITE_DONE && state != SQLITE_ROW) result = sl_reader_failed(segment, error);
    sqlite3_reset(rows);
    if (!s->stop) s->cursor = s->query->ascending ? end - 1 : from;
    if (sl_ticks() >= s->until) s->stop = true;
    return result;
}

static int search_windows(search *s, sl_reader_segment *segment, sqlite3_stmt *rows, uint64_t from, uint64_t end, sl_error *error)
{
    int result = 0;
    while (result == 0 && !s->stop && from < end) {
        uint64_t size = SL_MIN(end - from, (uint64_t)WINDOW);
        if (s->query->ascending) {
            result = search_window(s, segment, rows, from, from + size, error);
            from += size;
        } else {
            result = search_window(s, segment, rows, end - size, end, error);
            end -= size;
        }
    }
    return result;
}

/* ---- by the index -------------------------------------------------------------------------------------------------- */

typedef struct plan { /* which events of a segment an index is asked for */
    sl_index_kind kind;
    uint32_t *keys; /* NULL: none, scan */
    size_t count, capacity;
} plan;

static void add_key(plan *to, uint32_t key)
{
    to->keys = sl_grow(to->keys, to->count, &to->capacity, sizeof *to->keys);
    to->keys[to->count++] = key;
}

static int plan_components(sl_reader_segment *segment, const sl_query *query, plan *ret, sl_error *error)
{
    sqlite3_stmt *rows;
    if (sl_reader_prepare(segment, "SELECT id, text FROM name", &rows, error) < 0) return -1;
    int state;
    ret->kind = SL_BY_COMPONENT;
    /* What an operator did to a queue has no component. */
    if (query->component.size) ret->keys = SL_NEW(uint32_t), ret->capacity = 1;
    else add_key(ret, 0);
    while ((state = sqlite3_step(rows)) == SQLITE_ROW) {
        sl_str name = {(const char *)sqlite3_column_text(rows, 1), (size_t)sqlite3_column_bytes(rows, 1)};
        if (name.data && name_fits(query, name)) add_key(ret, (uint32_t)sqlite3_column_int64(rows, 0));
    }
    if (state != SQLITE_DONE) sl_reader_failed(segment, error);
    sqlite3_finalize(rows);
    return state == SQLITE_DONE ? 0 : -1;
}

/* The filename's FlowFiles, as the rows themselves say. */
static int named_flowfiles(sl_reader_segment *segment, const sl_query *query, const sl_seqs *seqs, sl_seqs *ret, sl_error *error)
{
    sl_buf sql = SL_BUF(8 << 20);
    bool any = false;
    sqlite3_stmt *row = NULL;
    add_member(&sql, "attributes", SL_STR("filename"), query->filename, &any);
    int result = sl_reader_prepare(segment, sl_buf_view(&sql).data, &row, error);
    sl_buf_done(&sql);
    for (size_t i = 0; result == 0 && i < seqs->count; i++) {
        sqlite3_bind_int64(row, 1, (int64_t)seqs->items[i]);
        sqlite3_bind_int64(row, 2, (int64_t)seqs->items[i] + 1);
        int state = sqlite3_step(row);
        if (state == SQLITE_ROW) sl_seqs_add(ret, (uint64_t)sqlite3_column_int64(row, 0));
        else if (state != SQLITE_DONE) result = sl_reader_failed(segment, error);
        sqlite3_reset(row);
    }
    sqlite3_finalize(row);
    return result;
}

/* What fill_wanted would find by a scan, where the filename is all that is asked of FlowFiles. */
static int want(sl_reader_segment *segment, const sl_query *query, const sl_seqs *flowfiles, uint64_t end, sl_error *error)
{
    sl_buf question = SL_BUF(8 << 20), sql = SL_BUF(1 << 20);
    wanted_sql(query, &question);
    bool single = !strstr(sl_buf_view(&question).data, " INTERSECT ");
    int result = single ? empty_wanted(segment, error) : 0;
    if (single && flowfiles->count) {
        sl_buf_text(&sql, "INSERT OR IGNORE INTO temp.wanted VALUES");
        for (size_t i = 0; i < flowfiles->count; i++)
            sl_buf_printf(&sql, "%s(%llu)", i ? "," : "", (unsigned long long)flowfiles->items[i]);
        if (result == 0) result = run(segment, sl_buf_view(&sql).data, 0, 0, error);
    }
    if (single && result == 0) {
        segment->wanted = sl_buf_take(&question);
        segment->wanted_end = end;
    }
    sl_buf_done(&question);
    sl_buf_done(&sql);
    return result;
}

static int plan_filename(sl_reader *reader, sl_reader_segment *segment, const sl_query *query, uint64_t end, plan *ret, sl_error *error)
{
    enum { MOST = 4096 }; /* a name that so many had is looked for by scanning */
    sl_buf text = SL_BUF(4 << 20);
    sl_seqs seqs = {0}, flowfiles = {0};
    sl_json_string(&text, query->filename);
    uint32_t key = sl_index_filename((sl_str){text.data + 1, text.size - 2});
    sl_buf_done(&text);
    int result = 0, found = sl_index_find(segment->index, SL_BY_FILENAME, &key, 1, segment->first, end, &seqs);
    if (found < 0) sl_reader_index_damaged(reader, segment);
    if (found == 0 && seqs.count <= MOST) {
        result = named_flowfiles(segment, query, &seqs, &flowfiles, error);
        if (result == 0) result = want(segment, query, &flowfiles, end, error);
        ret->kind = SL_BY_FLOWFILE;
        ret->keys = sl_alloc((flowfiles.count + 1) * sizeof *ret->keys);
        for (size_t i = 0; i < flowfiles.count; i++) ret->keys[ret->count++] = sl_index_flowfile(flowfiles.items[i]);
    }
    free(seqs.items);
    free(flowfiles.items);
    return result;
}

static int make_plan(sl_reader *reader, sl_reader_segment *segment, const sl_query *query, uint64_t end, plan *ret, sl_error *error)
{
    *ret = (plan){0};
    if (!segment->index || sl_index_end(segment->index) < end) return 0;
    if (query->flowfile) {
        ret->kind = SL_BY_FLOWFILE;
        add_key(ret, sl_index_flowfile(query->flowfile));
    } else if (query->filename.size) return plan_filename(reader, segment, query, end, ret, error);
    else if (query->component.size || query->flow.size) return plan_components(segment, query, ret, error);
    return 0;
}

static int search_seqs(search *s, sl_reader_segment *segment, sqlite3_stmt *row, const sl_seqs *seqs, sl_error *error)
{
    enum { LOOK = 256 }; /* at the clock */
    int result = 0;
    for (size_t i = 0; result == 0 && !s->stop && i < seqs->count; i++) {
        uint64_t seq = seqs->items[s->query->ascending ? i : seqs->count - 1 - i];
        sqlite3_bind_int64(row, 1, (int64_t)seq);
        int state = sqlite3_step(row);
        if (state == SQLITE_ROW) result = add_event(s, segment, row, error);
        else if (state != SQLITE_DONE) result = sl_reader_failed(segment, error);
        sqlite3_reset(row);
        if (!s->stop) s->cursor = seq;
        if (i % LOOK == LOOK - 1 && sl_ticks() >= s->until) s->stop = true;
    }
    return result;
}

/* In windows that grow, since a component may have hundreds of thousands of events and a page wants a hundred; *ret_end
 * says how far it came when the index turned out to be of no use. */
static int search_planned(search *s, sl_reader_segment *segment, const plan *plan, sqlite3_stmt *row, uint64_t *from, uint64_t *end,
                          sl_error *error)
{
    uint64_t size = plan->kind == SL_BY_FLOWFILE ? UINT64_MAX : WINDOW / 16;
    int result = 0;
    while (result == 0 && !s->stop && *from < *end) {
        sl_seqs seqs = {0};
        uint64_t here = SL_MIN(*end - *from, size), low = s->query->ascending ? *from : *end - here;
        if (sl_index_find(segment->index, plan->kind, plan->keys, plan->count, low, low + here, &seqs) < 0) {
            free(seqs.items);
            sl_reader_index_damaged(s->reader, segment);
            return 0;
        }
        result = search_seqs(s, segment, row, &seqs, error);
        free(seqs.items);
        if (s->query->ascending) *from += here;
        else *end -= here;
        if (!s->stop) s->cursor = s->query->ascending ? *from - 1 : *end;
        if (sl_ticks() >= s->until) s->stop = true;
        size = size < UINT64_MAX / 4 ? size * 4 : size;
    }
    return result;
}

/* ---- a segment -------------------------------------------------------------------------------------------------- */

static int prepare(sl_reader_segment *segment, const sl_query *query, bool wanted, bool one, sqlite3_stmt **ret, sl_error *error)
{
    sl_buf sql = SL_BUF(4 << 20);
    int result = events_sql(segment, query, wanted, one, &sql, error);
    if (result == 0) result = sl_reader_prepare(segment, sl_buf_view(&sql).data, ret, error);
    sl_buf_done(&sql);
    return result;
}

static int search_range(search *s, sl_reader_segment *segment, const plan *plan, uint64_t all_end, uint64_t from, uint64_t end,
                        sl_error *error)
{
    sl_buf question = SL_BUF(8 << 20);
    sqlite3_stmt *rows = NULL;
    wanted_sql(s->query, &question);
    bool wanted = question.size > 0;
    int result = wanted ? fill_wanted(segment, question.data, !strstr(question.data, " INTERSECT "), all_end, error) : 0;
    sl_buf_done(&question);
    if (result == 0 && plan->keys) {
        result = prepare(segment, s->query, wanted, true, &rows, error);
        if (result == 0) result = search_planned(s, segment, plan, rows, &from, &end, error);
        sqlite3_finalize(rows);
        rows = NULL;
    }
    if (result < 0 || s->stop || from >= end) return result;
    result = prepare(segment, s->query, wanted, false, &rows, error);
    if (result == 0) result = search_windows(s, segment, rows, from, end, error);
    sqlite3_finalize(rows);
    return result;
}

static int search_segment(search *s, sl_reader_segment *segment, sl_error *error)
{
    const sl_query *query = s->query;
    plan plan;
    if (sl_reader_use(s->reader, segment, error) < 0) return -1;
    uint64_t from = segment->first, end;
    if (sl_reader_number(segment, "SELECT max(seq) + 1 FROM event", 0, 0, &end, error) < 0) return -1;
    end = SL_MIN(end, segment->end);
    if (query->durable) end = SL_MIN(end, query->durable + 1);
    /* What the marks do not have yet was committed this moment: the next search has it. */
    if (sl_reader_index(s->reader, segment) && segment->marked) end = SL_MIN(end, sl_index_end(segment->index));
    uint64_t all_end = end;
    int result = make_plan(s->reader, segment, query, all_end, &plan, error);
    if (query->cursor && query->ascending) from = SL_MAX(from, query->cursor + 1);
    if (query->cursor && !query->ascending) end = SL_MIN(end, query->cursor);
    if (result == 0) result = search_range(s, segment, &plan, all_end, from, end, error);
    free(plan.keys);
    return result;
}

static bool beyond(const sl_query *query, const sl_reader_segment *segment)
{
    if (!segment->first) return true;
    if (!query->cursor) return false;
    return query->ascending ? segment->end <= query->cursor + 1 : segment->first >= query->cursor;
}

int sl_query_events(sl_reader *reader, const sl_query *query, sl_buf *ret, sl_error *error)
{
    search s = {.reader = reader, .query = query, .left = query->limit ? query->limit : LIMIT, .ret = ret};
    s.until = sl_ticks() + (query->budget_us ? query->budget_us : 2 * SL_SECOND);
    if (sl_reader_refresh(reader, error) < 0) return -1;
    sl_buf_text(ret, "{\"events\":[");
    int result = 0;
    for (size_t i = 0; result == 0 && !s.stop && i < reader->count; i++) {
        sl_reader_segment *segment = &reader->segments[query->ascending ? i : reader->count - 1 - i];
        if (!beyond(query, segment)) result = search_segment(&s, segment, error);
    }
    if (s.stop) sl_buf_printf(ret, "],\"cursor\":\"%llu\"}", (unsigned long long)s.cursor);
    else sl_buf_text(ret, "],\"cursor\":null}");
    return result;
}

/* ---- one event ------------------------------------------------------------------------------------------------------- */

static int no_event(uint64_t seq, sl_error *error)
{
    return sl_error_set(error, ENOENT, "there is no event %llu; `sluice provenance` lists those there are", (unsigned long long)seq);
}

/* The row of `seq`, to be given to `end_event`; its segment is pinned until then. */
static int find_event(sl_reader *reader, uint64_t seq, sl_reader_segment **ret_segment, sqlite3_stmt **ret, sl_error *error)
{
    *ret = NULL;
    if (sl_reader_refresh(reader, error) < 0) return -1;
    sl_reader_segment *segment = *ret_segment = sl_reader_find(reader, seq);
    if (!segment) return no_event(seq, error);
    if (sl_reader_use(reader, segment, error) < 0) return -1;
    if (sl_reader_prepare(segment, "SELECT " SL_DESCRIBE_COLUMNS " FROM event WHERE seq=?", ret, error) < 0) return -1;
    sqlite3_bind_int64(*ret, 1, (int64_t)seq);
    int state = sqlite3_step(*ret);
    if (state == SQLITE_ROW) {
        segment->pins++;
        return 0;
    }
    if (state == SQLITE_DONE) no_event(seq, error);
    else sl_reader_failed(segment, error);
    sqlite3_finalize(*ret);
    *ret = NULL;
    return -1;
}

static void end_event(sl_reader_segment *segment, sqlite3_stmt *row)
{
    sqlite3_finalize(row);
    segment->pins--;
}

int sl_query_event(sl_reader *reader, uint64_t seq, sl_buf *ret, sl_error *error)
{
    sl_reader_segment *segment;
    sqlite3_stmt *row;
    if (find_event(reader, seq, &segment, &row, error) < 0) return -1;
    int result = sl_describe_event(reader, segment, row, true, ret, error);
    end_event(segment, row);
    return result;
}

int sl_query_claim(sl_reader *reader, uint64_t seq, bool input, sl_buf *ret_claim, sl_buf *ret_content, sl_error *error)
{
    sl_reader_segment *segment;
    sqlite3_stmt *row;
    sl_event event;
    sl_journal_state state = {0};
    sl_before known = SL_BEFORE_KNOWN;
    if (find_event(reader, seq, &segment, &row, error) < 0) return -1;
    int result = sl_event_from_row(row, &event, error);
    if (result == 0 && event.flowfile)
        result =
            input ? sl_reader_before(reader, segment, &event, true, &state, &known, error) : sl_reader_chain(reader, seq, &state, error);
    if (result == 0 && (!state.claim.size || sl_str_is(state.claim, "null")))
        result = sl_error_set(error, ENODATA, "event %llu has no %s content", (unsigned long long)seq, input ? "input" : "output");
    if (result == 0 && (sl_buf_str(ret_claim, state.claim) < 0 || sl_buf_str(ret_content, state.content) < 0))
        result = sl_error_set(error, E2BIG, "the claim of event %llu does not fit", (unsigned long long)seq);
    sl_journal_state_done(&state);
    end_event(segment, row);
    return result;
}
