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
        static const char sql[] = "SELECT max(seq) FROM event WHERE +flowfile=? AND seq<?";
        if (sl_reader_number(older, sql, flowfile, older->end, &seq, error) < 0) return -1;
        if (!seq) continue;
        *ret_known = SL_BEFORE_KNOWN;
        return sl_chain_read(older->by_seq, seq, ret, error);
    }
    return 0;
}

int sl_reader_before(sl_reader *reader, sl_reader_segment *segment, const sl_event *event, bool thorough, sl_journal_state *ret,
                     sl_before *ret_known, sl_error *error)
{
    *ret_known = SL_BEFORE_KNOWN;
    if (event->previous) return sl_chain_read(segment->by_seq, event->previous, ret, error);
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

/* One scan of the segment, kept in the connection for the following pages of the same search; what came since is
 * scanned anew only where a single filter asks (an intersection must see both sides). */
static int fill_wanted(sl_reader_segment *segment, const char *question, bool single, uint64_t end, sl_error *error)
{
    bool same = segment->wanted && strcmp(segment->wanted, question) == 0;
    if (same && segment->wanted_end >= end) return 0;
    uint64_t from = same && single ? segment->wanted_end : segment->first;
    sl_buf sql = SL_BUF(16 << 20);
    sl_buf_printf(&sql, "INSERT OR IGNORE INTO temp.wanted %s", question);
    int result = run(segment, "CREATE TEMP TABLE IF NOT EXISTS wanted(flowfile INTEGER PRIMARY KEY)", 0, 0, error);
    if (result == 0 && !same) result = run(segment, "DELETE FROM temp.wanted", 0, 0, error);
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

static int events_sql(sl_reader_segment *segment, const sl_query *query, bool wanted, sl_buf *sql, sl_error *error)
{
    sl_buf_text(sql, "SELECT " SL_DESCRIBE_COLUMNS " FROM event WHERE seq>=?1 AND seq<?2");
    if (query->type) sl_buf_printf(sql, " AND type=%u", query->type);
    else if (!query->internal) sl_buf_printf(sql, " AND type<%d", SL_EVENT_INTENT);
    if (query->flowfile) sl_buf_printf(sql, " AND +flowfile=%llu", (unsigned long long)query->flowfile);
    if (query->from) sl_buf_printf(sql, " AND time>=%lld", (long long)query->from);
    if (query->to) sl_buf_printf(sql, " AND time<=%lld", (long long)query->to);
    if (add_names(segment, query, sql, error) < 0) return -1;
    if (wanted) sl_buf_text(sql, " AND +flowfile IN (SELECT flowfile FROM temp.wanted)");
    sl_buf_text(sql, query->ascending ? " ORDER BY seq" : " ORDER BY seq DESC");
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

static int search_segment(search *s, sl_reader_segment *segment, sl_error *error)
{
    const sl_query *query = s->query;
    if (sl_reader_use(s->reader, segment, error) < 0) return -1;
    uint64_t from = segment->first, end;
    if (sl_reader_number(segment, "SELECT max(seq) + 1 FROM event", 0, 0, &end, error) < 0) return -1;
    end = SL_MIN(end, segment->end);
    sl_buf question = SL_BUF(8 << 20), sql = SL_BUF(4 << 20);
    sqlite3_stmt *rows = NULL;
    if (query->durable) end = SL_MIN(end, query->durable + 1);
    wanted_sql(query, &question);
    int result = 0;
    if (question.size) result = fill_wanted(segment, question.data, !strstr(question.data, " INTERSECT "), end, error);
    if (query->cursor && query->ascending) from = SL_MAX(from, query->cursor + 1);
    if (query->cursor && !query->ascending) end = SL_MIN(end, query->cursor);
    if (result == 0) result = events_sql(segment, query, question.size > 0, &sql, error);
    if (result == 0) result = sl_reader_prepare(segment, sl_buf_view(&sql).data, &rows, error);
    if (result == 0) result = search_windows(s, segment, rows, from, end, error);
    sqlite3_finalize(rows);
    sl_buf_done(&question);
    sl_buf_done(&sql);
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
        result = input ? sl_reader_before(reader, segment, &event, true, &state, &known, error)
                       : sl_chain_read(segment->by_seq, seq, &state, error);
    if (result == 0 && (!state.claim.size || sl_str_is(state.claim, "null")))
        result = sl_error_set(error, ENOENT, "event %llu has no %s content", (unsigned long long)seq, input ? "input" : "output");
    if (result == 0 && (sl_buf_str(ret_claim, state.claim) < 0 || sl_buf_str(ret_content, state.content) < 0))
        result = sl_error_set(error, E2BIG, "the claim of event %llu does not fit", (unsigned long long)seq);
    sl_journal_state_done(&state);
    end_event(segment, row);
    return result;
}
