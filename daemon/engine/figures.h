/* engine/figures: what a processor did in the last five minutes, in buckets of ten seconds. Loop thread; named
 * figures of modules under a lock of their own (any thread). */
#ifndef SL_FIGURES_H
#define SL_FIGURES_H

#include "base/base.h"

enum { SL_FIGURE_BUCKETS = 30, SL_FIGURE_SECONDS = 10 };

typedef struct sl_counts {
    uint64_t in, in_bytes, out, out_bytes, read_bytes, written_bytes, tasks;
    int64_t task_us;
    uint64_t failures;
} sl_counts;

typedef struct sl_named_figure {
    char name[48];
    int64_t value;
} sl_named_figure;

typedef struct sl_figures {
    sl_counts total, buckets[SL_FIGURE_BUCKETS];
    int64_t bucket_at[SL_FIGURE_BUCKETS]; /* which ten seconds the bucket is of */
    sl_named_figure *named;               /* see sl_figures_named */
    size_t named_count, named_capacity;
} sl_figures;

void sl_figures_add(sl_figures *figures, const sl_counts *counts, int64_t ticks_us);
void sl_figures_window(const sl_figures *figures, int64_t ticks_us, sl_counts *ret);
void sl_figures_name(sl_figures *figures, const char *name, int64_t value, bool add); /* caller locks */
void sl_figures_done(sl_figures *figures);

#endif
