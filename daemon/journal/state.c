/* One FlowFile's whole state, folded from the chain of its events inside one segment. */
#include "journal/private.h"

#include <errno.h>

enum { CHAIN_LIMIT = 100000 }; /* a chain longer than that is damage, not history */

typedef struct delta { /* attributes while they are folded */
    sl_arena *arena;
    struct {
        sl_str name, value;
    } * pairs;
    size_t count, capacity;
} delta;

static int fold_member(void *context, sl_str name, const sl_str *value)
{
    delta *to = context;
    size_t at = 0;
    while (at < to->count && !sl_str_equal(to->pairs[at].name, name)) at++;
    if (at == to->count) {
        if (!value) return 0;
        to->pairs = sl_grow(to->pairs, to->count, &to->capacity, sizeof *to->pairs);
        to->pairs[to->count++].name = sl_arena_str(to->arena, name);
    }
    if (value) to->pairs[at].value = sl_arena_str(to->arena, *value);
    else memmove(&to->pairs[at], &to->pairs[at + 1], (--to->count - at) * sizeof *to->pairs);
    return 0;
}

static sl_str format(delta *from)
{
    sl_buf text = SL_BUF(1 << 30);
    sl_buf_char(&text, '{');
    for (size_t i = 0; i < from->count; i++) {
        if (i) sl_buf_char(&text, ',');
        sl_json_string(&text, from->pairs[i].name);
        sl_buf_char(&text, ':');
        sl_json_string(&text, from->pairs[i].value);
    }
    sl_buf_char(&text, '}');
    sl_str kept = sl_arena_str(from->arena, sl_buf_view(&text));
    sl_buf_done(&text);
    return kept;
}

/* The event of `seq` with its views in `arena`. */
static int read_event(const sl_chain_door *door, uint64_t seq, sl_arena *arena, sl_event *ret, sl_error *error)
{
    sqlite3_stmt *by_seq = door->by_seq(door->context, seq, error);
    if (!by_seq) return -1;
    sqlite3_bind_int64(by_seq, 1, (int64_t)seq);
    int state = sqlite3_step(by_seq), result = 0;
    if (state != SQLITE_ROW)
        result =
            sl_error_set(error, state == SQLITE_DONE ? ENOENT : EIO, "journal: event %llu is not in its segment", (unsigned long long)seq);
    else result = sl_event_from_row(by_seq, ret, error);
    if (result == 0) {
        sl_str *views[] = {&ret->attributes, &ret->claim, &ret->content, &ret->uri, &ret->details};
        for (size_t i = 0; i < SL_COUNT(views); i++) *views[i] = sl_arena_str(arena, *views[i]);
    }
    sqlite3_reset(by_seq);
    return result;
}

static void fold_intent(const sl_event *event, sl_journal_state *ret, size_t *capacity)
{
    if (event->queue != SL_QUEUE_SAME) { /* an intent ends when the FlowFile leaves its queue */
        ret->intent = ret->turn = (sl_str){0};
        ret->progress_count = 0;
        ret->first_failure = 0;
    }
    if (event->type == SL_EVENT_RETRY || event->type == SL_EVENT_CARRY) ret->first_failure = (int64_t)event->target;
    if (event->type == SL_EVENT_INTENT) {
        ret->intent = event->details;
        ret->turn = event->uri;
        ret->progress_count = 0;
    } else if ((event->type == SL_EVENT_RETRY || event->type == SL_EVENT_CARRY) && event->uri.size) {
        ret->turn = event->uri;
    } else if (event->type == SL_EVENT_PROGRESS) {
        ret->progress = sl_grow(ret->progress, ret->progress_count, capacity, sizeof *ret->progress);
        ret->progress[ret->progress_count++] = event->details;
    }
}

static int fold_chain(const sl_event *events, size_t count, sl_journal_state *ret, sl_error *error)
{
    delta attributes = {.arena = &ret->arena};
    size_t capacity = 0;
    int result = 0;
    for (size_t i = count; result == 0 && i-- > 0;) {
        const sl_event *event = &events[i];
        if (event->whole) ret->entered = event->entered;
        if (event->attributes.size) result = sl_json_members(event->attributes, &ret->arena, fold_member, &attributes, error);
        if (event->claim.size) {
            ret->claim = event->claim;
            ret->content = event->content;
        }
        fold_intent(event, ret, &capacity);
    }
    ret->attributes = format(&attributes);
    free(attributes.pairs);
    return result;
}

int sl_chain_read(const sl_chain_door *door, uint64_t seq, sl_journal_state *ret, sl_error *error)
{
    sl_event *events = NULL;
    size_t count = 0, capacity = 0;
    int result = 0;
    for (bool whole = false; result == 0 && !whole;) {
        events = sl_grow(events, count, &capacity, sizeof *events);
        result = read_event(door, seq, &ret->arena, &events[count], error);
        if (result < 0) break;
        whole = events[count].whole;
        seq = events[count++].previous;
        if (!whole && (!seq || count > CHAIN_LIMIT))
            result = sl_error_set(error, EIO, "journal: the chain of FlowFile %llu has no beginning",
                                  (unsigned long long)events[count - 1].flowfile);
    }
    if (result == 0) result = fold_chain(events, count, ret, error);
    free(events);
    return result;
}

static void close_reader(sl_state_reader *reader)
{
    sqlite3_finalize(reader->by_seq);
    sqlite3_close(reader->db);
    *reader = (sl_state_reader){0};
}

void sl_journal_close_readers(sl_journal *journal)
{
    for (size_t i = 0; i < SL_STATE_READERS; i++) close_reader(&journal->readers[i]);
}

static int open_reader(sl_journal *journal, uint32_t segment, sl_state_reader *ret, sl_error *error)
{
    char *path = sl_segment_path(journal->folder, segment);
    int64_t first = 0;
    int result = sl_segment_open_reader(path, &ret->db, error);
    if (result < 0) ret->db = NULL;
    else if (sqlite3_prepare_v3(ret->db, "SELECT " SL_EVENT_COLUMNS " FROM event WHERE seq=?", -1, SQLITE_PREPARE_PERSISTENT, &ret->by_seq,
                                NULL) != SQLITE_OK)
        result = sl_sqlite_failed(ret->db, "read", path, error);
    if (result == 0) sl_segment_read_meta(ret->db, "first", &first);
    ret->first = (uint64_t)first;
    ret->segment = segment;
    if (result < 0) close_reader(ret);
    free(path);
    return result;
}

static int use_reader(sl_journal *journal, uint32_t segment, sl_state_reader **ret, sl_error *error)
{
    sl_state_reader *oldest = &journal->readers[0];
    *ret = NULL;
    for (size_t i = 0; i < SL_STATE_READERS; i++) {
        sl_state_reader *reader = &journal->readers[i];
        if (reader->segment == segment) *ret = reader;
        if (reader->used < oldest->used) oldest = reader;
    }
    if (!*ret) {
        close_reader(oldest);
        if (open_reader(journal, segment, oldest, error) < 0) return -1;
        *ret = oldest;
    }
    (*ret)->used = ++journal->reads;
    return 0;
}

typedef struct corridor { /* where the rows of a chain are that begins in a segment which failed */
    sl_journal *journal;
    uint32_t segment;
} corridor;

static sqlite3_stmt *journal_by_seq(void *context, uint64_t seq, sl_error *error)
{
    corridor *at = context;
    for (; at->segment > 0; at->segment--) {
        sl_state_reader *reader;
        if (use_reader(at->journal, at->segment, &reader, error) < 0) return NULL;
        if (reader->first && reader->first <= seq) return reader->by_seq;
    }
    sl_error_set(error, ENOENT, "journal: event %llu is in no segment", (unsigned long long)seq);
    return NULL;
}

int sl_journal_state_read(sl_journal *journal, uint32_t segment, uint64_t seq, sl_journal_state *ret, sl_error *error)
{
    *ret = (sl_journal_state){0};
    pthread_mutex_lock(&journal->lock);
    corridor from = {journal, sl_span_of(journal, segment, seq)};
    pthread_mutex_unlock(&journal->lock);
    pthread_mutex_lock(&journal->reader_lock);
    int result = sl_chain_read(&(sl_chain_door){journal_by_seq, &from}, seq, ret, error);
    pthread_mutex_unlock(&journal->reader_lock);
    if (result < 0) sl_journal_state_done(ret);
    return result;
}

void sl_journal_state_done(sl_journal_state *state)
{
    free(state->progress);
    sl_arena_done(&state->arena);
    *state = (sl_journal_state){0};
}
