#include "journal/private.h"

#include <errno.h>
#include <fcntl.h>

enum { SEGMENT_EVENTS = 2000000, SEGMENT_BYTES = 512 << 20, PENDING_LIMIT = 64 << 20, CHECKPOINTS = 4 /* that a segment is worth */ };
#define SHORTEST (60 * SL_SECOND) /* a segment's life */

/* ---- open and close ------------------------------------------------------------------------------ */

static int lock_folder(sl_journal *journal, sl_error *error)
{
    char *path = sl_asprintf("%s/lock", journal->folder);
    int result = 0;
    journal->lock_fd = sl_sys_now->open(path, O_RDWR | O_CREAT, 0600);
    if (journal->lock_fd < 0) result = sl_error_set(error, errno, "cannot open %s: %s", path, strerror(errno));
    else if (sl_sys_now->lock(journal->lock_fd) < 0)
        result = sl_error_set(error, EBUSY, "another process holds the state in %s; stop it, or name another folder with --state",
                              journal->folder);
    free(path);
    return result;
}

void sl_journal_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec sl_journal_in(int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + us % SL_SECOND * 1000;
    until.tv_sec += us / SL_SECOND + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    return until;
}

static sl_journal *journal_new(const sl_journal_options *options)
{
    sl_journal *journal = SL_NEW(sl_journal);
    journal->options = *options;
    journal->folder = sl_strdup(options->folder);
    journal->options.folder = journal->folder;
    if (!journal->options.segment_events) journal->options.segment_events = SEGMENT_EVENTS;
    if (!journal->options.segment_bytes) journal->options.segment_bytes = SEGMENT_BYTES;
    if (!journal->options.pending_limit) journal->options.pending_limit = PENDING_LIMIT;
    journal->lock_fd = -1;
    journal->next = 1;
    pthread_mutex_init(&journal->lock, NULL);
    pthread_mutex_init(&journal->reader_lock, NULL);
    sl_journal_condition(&journal->arrived);
    sl_journal_condition(&journal->to_seal);
    sl_journal_remember_name(journal, 0, SL_STR(""));
    return journal;
}

static uint64_t bytes_of_checkpoint(sqlite3 *db)
{
    sqlite3_stmt *sum = NULL;
    uint64_t bytes = 0;
    if (sqlite3_prepare_v2(db, "SELECT sum(length(entries)) FROM checkpoint", -1, &sum, NULL) == SQLITE_OK &&
        sqlite3_step(sum) == SQLITE_ROW)
        bytes = (uint64_t)sqlite3_column_int64(sum, 0);
    sqlite3_finalize(sum);
    return bytes;
}

static void note_last_segment(sl_journal *journal)
{
    sl_segment_read_meta(journal->segment->db, "created", &journal->segment_created);
    sl_span *span = sl_span_add(journal, journal->segment_number, journal->segment_first);
    if (!span->marks) span->marks = sl_marks_new(journal->segment_first);
    span->created = journal->segment_created;
    if (!span->first) { /* a crash had cut its making short */
        span->first = journal->segment_first;
        if (span > journal->spans) span[-1].end = span->first;
    }
    journal->marks = sl_marks_ref(span->marks);
    journal->number_given = journal->segment_number;
    journal->segment_begun = journal->next;
    journal->proven = true;
    if (!journal->incomplete) atomic_store(&journal->complete, journal->segment_number);
    atomic_store(&journal->open_number, journal->segment_number);
    atomic_store(&journal->open_bytes, sl_segment_bytes(journal->folder, journal->segment_number));
    if (!journal->incomplete) atomic_store(&journal->checkpoint_bytes, bytes_of_checkpoint(journal->segment->db));
}

static int open_last_segment(sl_journal *journal, sl_error *error)
{
    if (journal->segment_number == 0) {
        journal->segment_number = 1;
        journal->segment_first = journal->next;
    }
    if (sl_segment_open(journal->folder, journal->segment_number, journal->segment_first, &journal->segment, error) < 0) return -1;
    note_last_segment(journal);
    /* A first commit of this process: from it on it is known where the log's good part ends. */
    if (sl_segment_meta(journal->segment, "opened", sl_now(), error) < 0) return -1;
    /* What an interrupted roll has written is written again, by the engine's newer word. */
    if (journal->incomplete && sqlite3_exec(journal->segment->db, "DELETE FROM checkpoint", NULL, NULL, NULL) != SQLITE_OK)
        return sl_sqlite_failed(journal->segment->db, "clear the checkpoint of", journal->segment->path, error);
    sl_journal_note_cut(journal, journal->segment, journal->next - 1);
    return 0;
}

/* What is in the log beyond what was acknowledged may be in the page cache alone: a process that died after a sync had failed,
 * and before it could cut the refused tail out, leaves pages that look whole, that no sync writes, and that are gone after a
 * power cut with all that followed them in the log. Written again they go to the disk. */
static int make_sure_of_tail(const sl_journal *journal, sl_error *error)
{
    uint64_t bytes;
    uint32_t last = journal->segment_number, sure = sl_acknowledged_log(journal->folder, &bytes);
    if (!last) return 0;
    /* Nothing was acknowledged in the last one: what was read may end in the one before. */
    if (last > 1 && sure != last && sl_segment_write_log_again(journal->folder, last - 1, sure == last - 1 ? bytes : 0, error) < 0)
        return -1;
    return sl_segment_write_log_again(journal->folder, last, sure == last ? bytes : 0, error);
}

static int recover(sl_journal *journal, sl_error *error)
{
    if (sl_journal_recover(journal, error) < 0) return -1;
    if (sl_acknowledged_check(journal, sl_acknowledged_read(journal->folder), error) < 0) return -1;
    return make_sure_of_tail(journal, error);
}

static void repeat_names(sl_journal *journal);

int sl_journal_open(const sl_journal_options *options, sl_journal **ret, sl_error *error)
{
    if (sl_make_dirs(options->folder, 0700, error) < 0) return -1;
    sl_journal *journal = journal_new(options);
    int result = lock_folder(journal, error);
    if (result == 0 && options->locked) options->locked(options->locked_context);
    if (result < 0 || recover(journal, error) < 0 || open_last_segment(journal, error) < 0 || sl_journal_start_writer(journal, error) < 0) {
        sl_journal_close(journal);
        return -1;
    }
    /* A roll that a crash cut short may not have named everything in the new segment. */
    if (journal->incomplete) repeat_names(journal);
    atomic_store(&journal->durable, journal->next - 1);
    sl_acknowledged_open(journal);
    *ret = journal;
    return 0;
}

void sl_journal_forget_names(sl_journal *journal)
{
    for (size_t i = 0; i < journal->name_count; i++) {
        free(journal->names[i].text);
        free(journal->names[i].type);
        free(journal->names[i].revision);
    }
    free(journal->names);
    sl_map_done(&journal->name_ids);
}

void sl_journal_close(sl_journal *journal)
{
    if (!journal) return;
    sl_journal_stop_writer(journal);
    sl_segment_close(journal->segment, false, NULL);
    sl_journal_close_readers(journal);
    sl_marks_unref(journal->marks);
    sl_spans_done(journal);
    sl_acknowledged_close(journal);
    if (journal->lock_fd >= 0) sl_sys_now->close(journal->lock_fd);
    sl_journal_forget_names(journal);
    pthread_mutex_destroy(&journal->lock);
    pthread_mutex_destroy(&journal->reader_lock);
    pthread_cond_destroy(&journal->arrived);
    pthread_cond_destroy(&journal->to_seal);
    free(journal->folder);
    free(journal);
}

/* ---- names --------------------------------------------------------------------------------------- */

void sl_journal_remember_name(sl_journal *journal, uint32_t id, sl_str text)
{
    while (journal->name_count <= id) {
        journal->names = sl_grow(journal->names, journal->name_count, &journal->name_capacity, sizeof *journal->names);
        journal->names[journal->name_count++] = (sl_named){0};
    }
    if (journal->names[id].text) return;
    journal->names[id].text = sl_strndup(text.data, text.size);
    if (id) sl_map_put(&journal->name_ids, text, (void *)(uintptr_t)id);
}

static void push_name(sl_journal *journal, uint32_t id)
{
    sl_command *command = SL_NEW(sl_command);
    *command = (sl_command){.kind = SL_DO_NAME, .id = id, .text = sl_strdup(journal->names[id].text)};
    sl_journal_push(journal, command);
}

static void push_component(sl_journal *journal, uint32_t id)
{
    const sl_named *named = &journal->names[id];
    sl_command *command = SL_NEW(sl_command);
    *command = (sl_command){
        .kind = SL_DO_COMPONENT, .id = id, .seq = journal->next, .text = sl_strdup(named->type), .other = sl_strdup(named->revision)};
    sl_journal_push(journal, command);
}

static void repeat_names(sl_journal *journal)
{
    for (uint32_t id = 1; id < journal->name_count; id++) {
        if (journal->names[id].text) push_name(journal, id);
        if (journal->names[id].type) push_component(journal, id);
    }
}

uint32_t sl_journal_name(sl_journal *journal, sl_str name)
{
    uint32_t id = (uint32_t)(uintptr_t)sl_map_get(&journal->name_ids, name);
    if (id) return id;
    id = (uint32_t)journal->name_count;
    sl_journal_remember_name(journal, id, name);
    push_name(journal, id);
    return id;
}

void sl_journal_component(sl_journal *journal, uint32_t name, sl_str type, sl_str revision)
{
    sl_named *named = &journal->names[name];
    free(named->type);
    free(named->revision);
    named->type = sl_strndup(type.data, type.size);
    named->revision = sl_strndup(revision.data, revision.size);
    push_component(journal, name);
}

sl_str sl_journal_name_text(sl_journal *journal, uint32_t id)
{
    return id < journal->name_count ? sl_str_of(journal->names[id].text) : (sl_str){0};
}

/* ---- append -------------------------------------------------------------------------------------- */

static size_t weight(const sl_batch *batch)
{
    size_t size = sizeof *batch;
    for (size_t i = 0; i < batch->count; i++) {
        const sl_event *e = &batch->events[i];
        size += sizeof *e + e->attributes.size + e->claim.size + e->content.size + e->uri.size + e->details.size;
    }
    return size;
}

uint64_t sl_journal_append(sl_journal *journal, sl_batch *batch)
{
    if (!batch->count) {
        sl_batch_free(batch);
        return journal->next - 1;
    }
    for (size_t i = 0; i < batch->count; i++) batch->events[i].seq = journal->next++;
    sl_command *command = SL_NEW(sl_command);
    *command = (sl_command){.kind = SL_DO_BATCH, .batch = batch, .seq = journal->next - 1, .size = weight(batch)};
    sl_journal_push(journal, command);
    return journal->next - 1;
}

uint64_t sl_journal_next(const sl_journal *journal) { return journal->next; }
uint32_t sl_journal_segment(const sl_journal *journal) { return journal->segment_number; }
uint64_t sl_journal_durable(const sl_journal *journal) { return atomic_load(&journal->durable); }
bool sl_journal_incomplete(const sl_journal *journal) { return journal->incomplete; }

bool sl_journal_congested(const sl_journal *journal) { return atomic_load(&journal->pending) >= journal->options.pending_limit; }

bool sl_journal_failure(const sl_journal *journal, sl_error *ret)
{
    if (!atomic_load(&journal->failed)) return false;
    pthread_mutex_t *lock = (pthread_mutex_t *)&journal->lock;
    pthread_mutex_lock(lock);
    if (ret) *ret = journal->failure;
    pthread_mutex_unlock(lock);
    return true;
}

bool sl_journal_stalled(const sl_journal *journal) { return atomic_load(&journal->stalled); }

void sl_journal_give_up(sl_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->given_up = true;
    pthread_cond_broadcast(&journal->arrived);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- roll and checkpoint -------------------------------------------------------------------------- */

/* Retention goes by whole segments: so none may span much of what is kept. And a log of small commits is many times what
 * its events need, since each writes whole pages, until the segment is sealed; but each roll writes all queues anew. */
static bool outlived(const sl_journal *journal)
{
    const sl_journal_options *options = &journal->options;
    if (journal->next <= journal->segment_begun) return false;
    uint64_t bytes = atomic_load(&journal->open_number) == journal->segment_number ? atomic_load(&journal->open_bytes) : 0;
    if (options->retain_bytes && bytes > options->retain_bytes / SL_RETAINED) return true;
    if (bytes > SL_MAX(options->segment_bytes, CHECKPOINTS * atomic_load(&journal->checkpoint_bytes))) return true;
    int64_t longest = SL_MAX(options->retain_us / SL_RETAINED, SHORTEST);
    return options->retain_us && sl_now() - journal->segment_created > longest;
}

bool sl_journal_full(const sl_journal *journal)
{
    if (journal->incomplete) return false;
    return journal->next - journal->segment_first >= journal->options.segment_events || outlived(journal);
}

static void go_on_in(sl_journal *journal, uint32_t number, uint64_t first)
{
    journal->segment_number = number;
    journal->segment_first = first;
    journal->segment_created = sl_now();
    journal->incomplete = true;
}

int sl_journal_roll(sl_journal *journal, sl_error *error)
{
    if (journal->incomplete)
        return sl_error_set(error, EBUSY, "journal: segment %u still waits for its checkpoint", journal->segment_number);
    sl_command *command = SL_NEW(sl_command);
    *command = (sl_command){.kind = SL_DO_ROLL, .seq = journal->next};
    pthread_mutex_lock(&journal->lock);
    bool renewed = journal->renewal_untold;
    if (!renewed) command->id = ++journal->number_given;
    if (!renewed) {
        *(journal->last ? &journal->last->next : &journal->first) = command;
        journal->last = command;
        pthread_cond_signal(&journal->arrived);
    }
    pthread_mutex_unlock(&journal->lock);
    if (renewed) {
        free(command);
        return sl_error_set(error, EAGAIN, "journal: it has just gone on in a fresh segment by itself");
    }
    go_on_in(journal, command->id, journal->next);
    repeat_names(journal);
    return 0;
}

bool sl_journal_renewed(sl_journal *journal, sl_journal_renewal *ret)
{
    pthread_mutex_lock(&journal->lock);
    bool told = journal->renewal_untold;
    *ret = journal->renewal;
    journal->renewal_untold = false;
    pthread_mutex_unlock(&journal->lock);
    if (!told) return false;
    if (ret->checkpoint) {
        sl_command *command = SL_NEW(sl_command);
        command->kind = SL_DO_ADOPT;
        command->id = ret->number;
        sl_journal_push(journal, command);
        go_on_in(journal, ret->number, sl_journal_durable(journal) + 1);
        repeat_names(journal);
    }
    return true;
}

void sl_journal_checkpoint_add(sl_journal *journal, const sl_checkpoint_entry *entries, size_t count)
{
    size_t size = count * sizeof *entries;
    sl_command *command = SL_NEW(sl_command);
    *command = (sl_command){.kind = SL_DO_BLOCK, .text = sl_alloc(size), .size = size};
    memcpy(command->text, entries, size);
    sl_journal_push(journal, command);
}

void sl_journal_checkpoint_end(sl_journal *journal)
{
    sl_command *command = SL_NEW(sl_command);
    command->kind = SL_DO_COMPLETE;
    sl_journal_push(journal, command);
    journal->incomplete = false;
    journal->segment_begun = journal->next;
}
