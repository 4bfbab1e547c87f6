/* The journal thread writes what has arrived as one transaction and starts the next when that one ends: the disk's
 * own pace makes the groups, nobody lingers. What a group holds stays in memory until its commit has succeeded: after a
 * failure it is written again, elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "journal/private.h"
#include "journal/vfs.h"

void sl_journal_push(sl_journal *journal, sl_command *command)
{
    atomic_fetch_add(&journal->pending, command->size);
    pthread_mutex_lock(&journal->lock);
    *(journal->last ? &journal->last->next : &journal->first) = command;
    journal->last = command;
    pthread_cond_signal(&journal->arrived);
    pthread_mutex_unlock(&journal->lock);
}

static void command_free(sl_command *command)
{
    sl_batch_free(command->batch);
    free(command->text);
    free(command->other);
    free(command);
}

void sl_journal_notice(sl_journal *journal, sl_level level, const char *format, ...)
{
    va_list arguments;
    char text[1024];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (journal->options.notice) journal->options.notice(journal->options.context, level, text);
    else sl_log(level, "journal", "%s", text);
}

/* ---- one transaction ------------------------------------------------------------------------------------- */

typedef struct group {
    uint64_t last_seq, events;
    size_t size;
    bool completes;     /* has the complete-mark */
    bool content_fails; /* what its claims point to cannot be synced */
} group;

static int write_batch(sl_journal *journal, const sl_batch *batch, sl_error *error)
{
    for (size_t i = 0; i < batch->count; i++)
        if (sl_segment_event(journal->segment, &batch->events[i], error) < 0) return -1;
    return 0;
}

static int perform(sl_journal *journal, group *group, const sl_command *command, sl_error *error)
{
    switch (command->kind) {
    case SL_DO_BATCH:
        group->last_seq = command->seq;
        group->events += command->batch->count;
        return write_batch(journal, command->batch, error);
    case SL_DO_NAME: return sl_segment_name(journal->segment, command->id, sl_str_of(command->text), error);
    case SL_DO_COMPONENT:
        return sl_segment_component(journal->segment, command->id, command->seq, sl_str_of(command->text), sl_str_of(command->other),
                                    error);
    case SL_DO_BLOCK: return journal->skips_blocks ? 0 : sl_segment_block(journal->segment, command->text, command->size, error);
    case SL_DO_COMPLETE:
        if (journal->skips_blocks) return 0;
        group->completes = true;
        return sl_segment_meta(journal->segment, "complete", 1, error);
    case SL_DO_ADOPT: /* of a segment that has failed in its turn: its checkpoint is not this one's */
        if (command->id == journal->segment->number) journal->skips_blocks = false;
        return 0;
    case SL_DO_ROLL: break;
    }
    return 0;
}

static int attempt(sl_journal *journal, const sl_command *first, group *group, sl_error *error)
{
    bool skips = journal->skips_blocks;
    *group = (struct group){0};
    int result = sl_segment_begin(journal->segment, error);
    for (const sl_command *command = first; result == 0 && command; command = command->next) {
        group->size += command->size;
        result = perform(journal, group, command, error);
    }
    if (result == 0 && journal->options.before_commit) {
        result = journal->options.before_commit(journal->options.context, error);
        group->content_fails = result < 0;
    }
    if (result == 0) result = sl_segment_commit(journal->segment, error);
    if (result < 0) journal->skips_blocks = skips;
    return result;
}

/* After each commit: a fast disk takes many times a small limit in the time between two looks at a clock. */
static void look_at_bytes(sl_journal *journal)
{
    atomic_store(&journal->open_bytes, sl_segment_bytes(journal->folder, journal->segment->number));
}

static void acknowledge(sl_journal *journal, const sl_command *first, const group *group, int64_t took)
{
    for (const sl_command *command = first; command; command = command->next)
        for (size_t i = 0; command->batch && i < command->batch->count; i++) sl_marks_add(journal->marks, &command->batch->events[i]);
    sl_marks_publish(journal->marks);
    look_at_bytes(journal);
    journal->proven = true;
    if (group->completes) {
        atomic_store(&journal->complete, journal->segment->number);
        atomic_store(&journal->checkpoint_bytes, atomic_load(&journal->open_bytes));
    }
    pthread_mutex_lock(&journal->lock);
    sl_journal_note_cut(journal, journal->segment, group->last_seq);
    journal->figures.commits++;
    journal->figures.events += group->events;
    journal->figures.bytes += group->size;
    journal->figures.commit_us_sum += took;
    journal->figures.commit_us_max = SL_MAX(journal->figures.commit_us_max, took);
    pthread_mutex_unlock(&journal->lock);
    sl_acknowledged_note(journal, group->last_seq);
    if (group->last_seq) atomic_store(&journal->durable, group->last_seq);
}

/* ---- a fresh segment ---------------------------------------------------------------------------------------- */

static int make_segment(sl_journal *journal, uint32_t number, uint64_t first, uint32_t overrules, sl_segment **ret, sl_error *error)
{
    int result = sl_segment_open(journal->folder, number, first, ret, error);
    if (result == 0 && overrules && (result = sl_segment_meta(*ret, "overrules", overrules, error)) < 0)
        sl_segment_close(*ret, false, NULL);
    if (result < 0) sl_segment_remove(journal->folder, number); /* a file that failed is not written again */
    return result;
}

static int begin_segment(sl_journal *journal, uint32_t number, uint64_t first, uint32_t overrules, sl_segment **ret, sl_error *error)
{
    if (make_segment(journal, number, first, overrules, ret, error) == 0) return 0;
    if (sl_no_space(error->code)) return -1;
    sl_log(SL_WARNING, "journal", "%s; tried once more", error->text);
    return make_segment(journal, number, first, overrules, ret, error);
}

/* From now on events go there. */
static void go_on_in(sl_journal *journal, sl_segment *fresh, uint64_t first, bool failed)
{
    sl_marks_unref(journal->marks);
    journal->marks = sl_marks_new(first);
    pthread_mutex_lock(&journal->lock);
    sl_span *old = sl_span_get(journal, journal->segment->number);
    if (old) {
        old->bytes = atomic_load(&journal->open_bytes);
        old->failed = failed;
        old->to_index = true;
    }
    sl_span *span = sl_span_add(journal, fresh->number, first);
    span->created = sl_now();
    span->marks = sl_marks_ref(journal->marks);
    sl_journal_note_cut(journal, fresh, 0);
    pthread_cond_broadcast(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
    atomic_store(&journal->open_bytes, 0);
    atomic_store(&journal->checkpoint_bytes, 0);
    atomic_store(&journal->open_number, fresh->number);
    journal->segment = fresh;
    journal->proven = !failed;
}

/* A full disk is waited for, a second at a time, once nobody makes room. false: nobody waits any more. */
static bool wait_for_space(sl_journal *journal, const sl_error *error)
{
    if (journal->options.make_room && journal->options.make_room(journal->options.context, error)) return true;
    if (!atomic_exchange(&journal->stalled, true))
        sl_journal_notice(journal, SL_ERROR, "%s; commits wait until there is space", error->text);
    struct timespec until = sl_journal_in(SL_SECOND);
    pthread_mutex_lock(&journal->lock);
    while (!journal->ending && !journal->given_up)
        if (pthread_cond_timedwait(&journal->arrived, &journal->lock, &until) == ETIMEDOUT) break;
    bool goes_on = !journal->ending && !journal->given_up;
    pthread_mutex_unlock(&journal->lock);
    return goes_on;
}

static void space_is_back(sl_journal *journal)
{
    if (atomic_exchange(&journal->stalled, false)) sl_journal_notice(journal, SL_WARNING, "the disk has space again; commits go on");
}

static int roll(sl_journal *journal, const sl_command *command, sl_error *error)
{
    sl_segment *fresh, *old = journal->segment;
    while (begin_segment(journal, command->id, command->seq, 0, &fresh, error) < 0)
        if (!sl_no_space(error->code) || !wait_for_space(journal, error)) return -1;
    space_is_back(journal);
    go_on_in(journal, fresh, command->seq, false);
    sl_journal_seal(journal, old);
    return 0;
}

/* ---- after a failure ------------------------------------------------------------------------------------------ */

static sl_command *find_roll(sl_command *first)
{
    while (first && first->kind != SL_DO_ROLL) first = first->next;
    return first;
}

/* The number of the segment that takes over. A roll that the loop has asked for already is done by this one. */
static uint32_t take_number(sl_journal *journal, sl_command *rest)
{
    pthread_mutex_lock(&journal->lock);
    sl_command *asked = find_roll(rest);
    if (!asked) asked = find_roll(journal->first);
    uint32_t number = asked ? asked->id : ++journal->number_given;
    if (asked) asked->kind = SL_DO_ADOPT;
    uint32_t failed = journal->renewal_untold ? journal->renewal.failed : journal->segment->number;
    journal->renewal = (sl_journal_renewal){.failed = failed, .number = number, .checkpoint = !asked || journal->renewal.checkpoint};
    journal->renewal_untold = true;
    pthread_mutex_unlock(&journal->lock);
    return number;
}

/* What was not acknowledged goes to a fresh segment; the file that failed is only read from now on, up to the fresh
 * one's first number. */
static int renew(sl_journal *journal, sl_command *rest, sl_error *error)
{
    sl_segment *fresh, *old = journal->segment;
    uint64_t first = atomic_load(&journal->durable) + 1;
    uint32_t number = take_number(journal, rest);
    sl_error again = {0};
    while (begin_segment(journal, number, first, old->number, &fresh, &again) < 0)
        if (!sl_no_space(again.code) || !wait_for_space(journal, &again))
            return sl_error_set(error, again.code, "%s; and then: %.400s", error->text, again.text);
    space_is_back(journal);
    sl_journal_notice(journal, SL_ERROR,
                      "%s. Nothing is lost: what was not acknowledged is written to a fresh segment, %06u, and what lives in "
                      "%06u is brought there; look at the disk",
                      error->text, number, old->number);
    journal->skips_blocks = true;
    go_on_in(journal, fresh, first, true);
    sl_segment_close(old, false, NULL);
    return 0;
}

static bool mend(sl_journal *journal, const group *group, sl_command *rest, sl_error *error)
{
    bool full = sl_no_space(error->code);
    sl_segment_undo(journal->segment);
    if (group->content_fails) return full && wait_for_space(journal, error); /* a fresh segment does not make the bytes durable */
    if (full && !sl_vfs_latched(journal->segment->db)) return wait_for_space(journal, error);
    return journal->proven && renew(journal, rest, error) == 0;
}

/* From now on every commit fails: the kernel may call clean what it could not write, so a retry would lie. */
static void fail(sl_journal *journal, const sl_error *error)
{
    sl_segment_cut(journal->segment);
    pthread_mutex_lock(&journal->lock);
    journal->failure = *error;
    pthread_mutex_unlock(&journal->lock);
    atomic_store(&journal->failed, true);
    atomic_store(&journal->stalled, false);
    sl_log(SL_ERROR, "journal", "%s; nothing more is written", error->text);
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

static void write_group(sl_journal *journal, sl_command *first, sl_command *rest)
{
    group group;
    sl_error error = {0};
    bool done = atomic_load(&journal->failed);
    if (!done && first->kind == SL_DO_ROLL) {
        done = true;
        if (roll(journal, first, &error) < 0) fail(journal, &error);
    }
    while (!done) {
        int64_t started = sl_ticks();
        done = attempt(journal, first, &group, &error) == 0;
        if (done) {
            acknowledge(journal, first, &group, sl_ticks() - started);
            space_is_back(journal);
        } else if (!mend(journal, &group, rest, &error)) {
            fail(journal, &error);
            done = true;
        }
    }
    for (sl_command *command = first, *next; command; command = next) {
        next = command->next;
        atomic_fetch_sub(&journal->pending, command->size);
        command_free(command);
    }
    if (journal->options.committed) journal->options.committed(journal->options.context);
}

/* A roll stands alone; what is before and behind it belongs to two files. */
static sl_command *cut(sl_command *first)
{
    sl_command *last = first;
    while (first->kind != SL_DO_ROLL && last->next && last->next->kind != SL_DO_ROLL) last = last->next;
    sl_command *rest = last->next;
    last->next = NULL;
    return rest;
}

static void *run_writer(void *argument)
{
    sl_journal *journal = argument;
    for (;;) {
        pthread_mutex_lock(&journal->lock);
        while (!journal->first && !journal->ending) pthread_cond_wait(&journal->arrived, &journal->lock);
        sl_command *first = journal->first;
        journal->first = journal->last = NULL;
        pthread_mutex_unlock(&journal->lock);
        if (!first) return NULL;
        for (sl_command *rest; first; first = rest) {
            rest = cut(first);
            write_group(journal, first, rest);
        }
    }
}

int sl_journal_start_writer(sl_journal *journal, sl_error *error)
{
    int failed = pthread_create(&journal->writer, NULL, run_writer, journal);
    journal->writer_runs = !failed;
    if (!failed) failed = pthread_create(&journal->sealer, NULL, sl_journal_run_sealer, journal);
    journal->sealer_runs = journal->writer_runs && !failed;
    return failed ? sl_error_set(error, failed, "journal: cannot start its threads: %s", strerror(failed)) : 0;
}

void sl_journal_stop_writer(sl_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->ending = true;
    pthread_cond_broadcast(&journal->arrived);
    pthread_mutex_unlock(&journal->lock);
    if (journal->writer_runs) pthread_join(journal->writer, NULL);
    pthread_mutex_lock(&journal->lock);
    journal->written = true;
    pthread_cond_broadcast(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
    if (journal->sealer_runs) pthread_join(journal->sealer, NULL);
}
