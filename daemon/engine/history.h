/* engine/history: a day of figures, a point a minute, of every processor, queue and figure of a module's own; and the last
 * five minutes of them over a restart. Compact: hours of varints, minutes in which nothing happened take none. Loop
 * thread only; knows nothing of the engine, which samples (history-engine.c). */
#ifndef SL_HISTORY_H
#define SL_HISTORY_H

#include "base/base.h"

typedef enum sl_series_kind { SL_SERIES_PROCESSOR = 1, SL_SERIES_QUEUE, SL_SERIES_FIGURE } sl_series_kind;
enum { SL_SERIES_VALUES = 9, SL_HISTORY_MINUTES = 1440, SL_HISTORY_RECENT = 30 };

/* What the values are. Processor: sl_counts in its order. Queue: in, out, objects, bytes. Figure: its value. The first are
 * counted within the minute, the rest is as it was at its end. */
size_t sl_series_values(sl_series_kind kind);
size_t sl_series_counters(sl_series_kind kind);

typedef struct sl_hour {
    int64_t start; /* minutes since 1970, a multiple of 60 */
    uint8_t *points;
    uint32_t size, capacity;
} sl_hour;

typedef struct sl_series {
    sl_series_kind kind;
    char *key;      /* "flow/processor", "flow/a.success.b", "flow/processor#figure" */
    sl_hour *hours; /* oldest first, 25 at most */
    size_t hour_count, hour_capacity;
    uint64_t seen[SL_SERIES_VALUES]; /* the counters' totals at the last point: the sampler's */
    /* Ten seconds each, by age: what a restart brought or will bring; NULL: none. */
    uint64_t (*recent)[SL_SERIES_VALUES];
} sl_series;

typedef struct sl_history sl_history;
sl_history *sl_history_new(void);
void sl_history_free(sl_history *history);
/* Made when new; NULL: there are too many (4,096). */
sl_series *sl_history_series(sl_history *history, sl_series_kind kind, const char *key);
sl_series *sl_history_find(const sl_history *history, sl_series_kind kind, sl_str key); /* NULL: none */
/* Calls back for each. */
void sl_history_each(const sl_history *history, void (*visit)(void *context, sl_series *series), void *context);
/* A minute's values, added to what it has already. A minute before the last one: the clock was set back, and that hour begins anew. */
bool sl_series_add(sl_series *series, int64_t minute, const int64_t *values); /* false: silence, nothing was kept */
/* Values of `count` minutes from `first` into ret[count * sl_series_values]. */
void sl_series_read(const sl_series *series, int64_t first, size_t count, int64_t *ret);
int64_t sl_series_first(const sl_series *series); /* the first minute with an hour; 0: none */

/* As a file's text, and back: -1: damaged, nothing is taken. */
void sl_history_save(const sl_history *history, int64_t now_us, sl_buf *ret);
int sl_history_load(sl_history *history, sl_str text, int64_t now_us, sl_error *error);

#endif
