/* Which segments there are, and which of them retention lets go. */
#include <stdio.h>

#include "journal/private.h"

sl_span *sl_span_get(sl_journal *journal, uint32_t number)
{
    for (size_t i = journal->span_count; i-- > 0;)
        if (journal->spans[i].number == number) return &journal->spans[i];
    return NULL;
}

sl_span *sl_span_add(sl_journal *journal, uint32_t number, uint64_t first)
{
    sl_span *known = sl_span_get(journal, number);
    if (known) return known;
    journal->spans = sl_grow(journal->spans, journal->span_count, &journal->span_capacity, sizeof *journal->spans);
    size_t at = journal->span_count++;
    for (; at > 0 && journal->spans[at - 1].number > number; at--) journal->spans[at] = journal->spans[at - 1];
    bool last = at == journal->span_count - 1;
    journal->spans[at] = (sl_span){.number = number, .first = first, .end = last ? 0 : journal->spans[at + 1].first};
    if (at > 0 && first) journal->spans[at - 1].end = first;
    return &journal->spans[at];
}

uint32_t sl_span_of(const sl_journal *journal, uint32_t segment, uint64_t seq)
{
    for (size_t i = journal->span_count; i-- > 0 && journal->spans[i].number > segment;)
        if (journal->spans[i].first && journal->spans[i].first <= seq) return journal->spans[i].number;
    return segment;
}

void sl_spans_done(sl_journal *journal)
{
    for (size_t i = 0; i < journal->span_count; i++) sl_marks_unref(journal->spans[i].marks);
    free(journal->spans);
    journal->spans = NULL;
    journal->span_count = journal->span_capacity = 0;
}

sl_marks *sl_journal_marks(sl_journal *journal, uint32_t segment)
{
    pthread_mutex_lock(&journal->lock);
    const sl_span *span = sl_span_get(journal, segment);
    sl_marks *marks = span && span->marks ? sl_marks_ref(span->marks) : NULL;
    pthread_mutex_unlock(&journal->lock);
    return marks;
}

uint64_t sl_segment_bytes(const char *folder, uint32_t number)
{
    static const char *const ends[] = {".db", ".db-wal", ".idx"};
    uint64_t bytes = 0;
    for (size_t i = 0; i < SL_COUNT(ends); i++) {
        struct stat status;
        char *path = sl_asprintf("%s/%06u%s", folder, number, ends[i]);
        if (sl_sys_now->stat(path, &status) == 0) bytes += (uint64_t)status.st_size;
        free(path);
    }
    return bytes;
}

/* ---- retention ---------------------------------------------------------------------------------------------- */

static uint64_t disk_of(const sl_journal *journal)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i + 1 < journal->span_count; i++) bytes += journal->spans[i].bytes;
    return bytes + atomic_load(&journal->open_bytes);
}

uint32_t sl_journal_keep_from(const sl_journal *journal)
{
    const sl_journal_options *options = &journal->options;
    pthread_mutex_t *lock = (pthread_mutex_t *)&journal->lock;
    uint32_t complete = atomic_load(&journal->complete), keep = 0;
    int64_t oldest = options->retain_us ? sl_now() - options->retain_us : INT64_MIN;
    pthread_mutex_lock(lock);
    uint64_t bytes = disk_of(journal);
    for (size_t i = 0; journal->surveyed && i < journal->span_count; i++) {
        const sl_span *span = &journal->spans[i];
        keep = span->number;
        if (span->number >= complete || i + 1 == journal->span_count) break;
        /* The next one's beginning is this one's newest event. */
        bool old = journal->spans[i + 1].created && journal->spans[i + 1].created < oldest;
        /* One segment's room is left for the log that the sealer takes in: for a moment it is there twice. */
        bool large = options->retain_bytes && bytes > options->retain_bytes - options->retain_bytes / SL_RETAINED;
        if (!old && !large) break;
        bytes -= SL_MIN(bytes, span->bytes);
    }
    pthread_mutex_unlock(lock);
    return keep;
}

void sl_journal_retain_bytes(sl_journal *journal, uint64_t bytes) { journal->options.retain_bytes = bytes; }

uint32_t sl_journal_oldest(const sl_journal *journal)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&journal->lock;
    pthread_mutex_lock(lock);
    uint32_t oldest = journal->span_count ? journal->spans[0].number : 0;
    pthread_mutex_unlock(lock);
    return oldest;
}

void sl_journal_let_go(sl_journal *journal, uint32_t before)
{
    size_t gone = 0;
    if (before > atomic_load(&journal->complete)) return;
    pthread_mutex_lock(&journal->lock);
    while (gone + 1 < journal->span_count && journal->spans[gone].number < before) sl_marks_unref(journal->spans[gone++].marks);
    memmove(journal->spans, journal->spans + gone, (journal->span_count - gone) * sizeof *journal->spans);
    journal->span_count -= gone;
    journal->let_go = SL_MAX(journal->let_go, before);
    pthread_cond_broadcast(&journal->to_seal);
    pthread_mutex_unlock(&journal->lock);
}

void sl_journal_measure(const sl_journal *journal, sl_journal_figures *ret)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&journal->lock;
    pthread_mutex_lock(lock);
    *ret = journal->figures;
    ret->disk = disk_of(journal);
    pthread_mutex_unlock(lock);
    ret->segments = journal->segment_number;
    ret->pending = atomic_load(&journal->pending);
}
