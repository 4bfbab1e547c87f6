/* The journal thread writes what has arrived as one transaction and starts the next when that one ends: the disk's
 * own pace makes the groups, nobody lingers. */
#include "journal/private.h"

#include <errno.h>
#include <stdio.h>

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

/* ---- the sealer -------------------------------------------------------------------------------------- */

static void seal(sl_segment *segment)
{
    sl_error error = {0};
    char *path = sl_strdup(segment->path);
    int result = sl_segment_meta(segment, "sealed", 1, &error);
    if (sl_segment_close(segment, true, result < 0 ? NULL : &error) < 0 || result < 0)
        /* Nothing is lost: the WAL holds it, and readers read it there. */
        sl_log(SL_WARNING, "journal", "%s stays unsealed: %s", path, error.text);
    free(path);
}

static void *run_sealer(void *argument)
{
    sl_journal *journal = argument;
    pthread_mutex_lock(&journal->lock);
    while (!journal->ending || journal->sealing_count) {
        if (!journal->sealing_count) {
            pthread_cond_wait(&journal->to_seal, &journal->lock);
            continue;
        }
        sl_segment *segment = journal->sealing[--journal->sealing_count];
        pthread_mutex_unlock(&journal->lock);
        seal(segment);
        pthread_mutex_lock(&journal->lock);
    }
    pthread_mutex_unlock(&journal->lock);
    return NULL;
}

static void hand_to_sealer(sl_journal *journal, sl_segment *segment)
{
    pthread_mutex_lock(&journal->lock);
    bool room = journal->sealing_count < SL_COUNT(journal->sealing);
    if (room) journal->sealing[journal->sealing_count++] = segment;
    pthread_cond_signal(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
    if (!room) seal(segment); /* the disk is far behind: then the writer waits for it */
}

/* ---- the writer ---------------------------------------------------------------------------------------- */

typedef struct group { /* one transaction */
    uint64_t last_seq, events;
    size_t size;
    bool open;
} group;

static int begin(sl_journal *journal, group *group, sl_error *error)
{
    if (group->open) return 0;
    group->open = true;
    return sl_segment_begin(journal->segment, error);
}

static int commit(sl_journal *journal, group *group, sl_error *error)
{
    if (!group->open) return 0;
    int64_t started = sl_ticks();
    group->open = false;
    if (journal->options.before_commit && journal->options.before_commit(journal->options.context, error) < 0) return -1;
    if (sl_segment_commit(journal->segment, error) < 0) return -1;
    int64_t took = sl_ticks() - started;
    pthread_mutex_lock(&journal->lock);
    journal->figures.commits++;
    journal->figures.events += group->events;
    journal->figures.bytes += group->size;
    journal->figures.commit_us_sum += took;
    journal->figures.commit_us_max = SL_MAX(journal->figures.commit_us_max, took);
    pthread_mutex_unlock(&journal->lock);
    if (group->last_seq) atomic_store(&journal->durable, group->last_seq);
    return 0;
}

static int roll(sl_journal *journal, group *group, const sl_command *command, sl_error *error)
{
    sl_segment *fresh;
    if (commit(journal, group, error) < 0 || sl_segment_open(journal->folder, command->id, command->seq, &fresh, error) < 0) return -1;
    hand_to_sealer(journal, journal->segment);
    journal->segment = fresh;
    return 0;
}

static int write_batch(sl_journal *journal, const sl_batch *batch, sl_error *error)
{
    for (size_t i = 0; i < batch->count; i++)
        if (sl_segment_event(journal->segment, &batch->events[i], error) < 0) return -1;
    return 0;
}

static int perform(sl_journal *journal, group *group, const sl_command *command, sl_error *error)
{
    if (command->kind == SL_DO_ROLL) return roll(journal, group, command, error);
    if (begin(journal, group, error) < 0) return -1;
    switch (command->kind) {
    case SL_DO_BATCH:
        group->last_seq = command->seq;
        group->events += command->batch->count;
        return write_batch(journal, command->batch, error);
    case SL_DO_NAME: return sl_segment_name(journal->segment, command->id, sl_str_of(command->text), error);
    case SL_DO_COMPONENT:
        return sl_segment_component(journal->segment, command->id, command->seq, sl_str_of(command->text), sl_str_of(command->other),
                                    error);
    case SL_DO_BLOCK: return sl_segment_block(journal->segment, command->text, command->size, error);
    case SL_DO_COMPLETE: return sl_segment_meta(journal->segment, "complete", 1, error);
    case SL_DO_ROLL: break;
    }
    return 0;
}

/* From now on every commit fails: the kernel may call clean what it could not write, so a retry would lie. */
static void fail(sl_journal *journal, const sl_error *error)
{
    pthread_mutex_lock(&journal->lock);
    journal->failure = *error;
    pthread_mutex_unlock(&journal->lock);
    atomic_store(&journal->failed, true);
    sl_log(SL_ERROR, "journal", "%s; nothing more is written", error->text);
}

static void write_group(sl_journal *journal, sl_command *first)
{
    group group = {0};
    sl_error error = {0};
    bool good = !atomic_load(&journal->failed);
    for (sl_command *command = first; good && command; command = command->next) {
        group.size += command->size;
        good = perform(journal, &group, command, &error) == 0;
    }
    if (good) good = commit(journal, &group, &error) == 0;
    if (!good && !atomic_load(&journal->failed)) fail(journal, &error);
    for (sl_command *command = first, *next; command; command = next) {
        next = command->next;
        atomic_fetch_sub(&journal->pending, command->size);
        command_free(command);
    }
    if (journal->options.committed) journal->options.committed(journal->options.context);
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
        write_group(journal, first);
    }
}

int sl_journal_start_writer(sl_journal *journal, sl_error *error)
{
    int failed = pthread_create(&journal->writer, NULL, run_writer, journal);
    journal->writer_runs = !failed;
    if (!failed) failed = pthread_create(&journal->sealer, NULL, run_sealer, journal);
    journal->sealer_runs = journal->writer_runs && !failed;
    return failed ? sl_error_set(error, failed, "journal: cannot start its threads: %s", strerror(failed)) : 0;
}

void sl_journal_stop_writer(sl_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->ending = true;
    pthread_cond_signal(&journal->arrived);
    pthread_mutex_unlock(&journal->lock);
    if (journal->writer_runs) pthread_join(journal->writer, NULL);
    pthread_mutex_lock(&journal->lock);
    pthread_cond_signal(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
    if (journal->sealer_runs) pthread_join(journal->sealer, NULL);
}
