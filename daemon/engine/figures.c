#include "engine/figures.h"

#include <stdio.h>

static void add(sl_counts *to, const sl_counts *from)
{
    to->in += from->in;
    to->in_bytes += from->in_bytes;
    to->out += from->out;
    to->out_bytes += from->out_bytes;
    to->read_bytes += from->read_bytes;
    to->written_bytes += from->written_bytes;
    to->tasks += from->tasks;
    to->task_us += from->task_us;
    to->failures += from->failures;
}

void sl_figures_add(sl_figures *figures, const sl_counts *counts, int64_t ticks_us)
{
    int64_t period = ticks_us / (SL_FIGURE_SECONDS * SL_SECOND);
    size_t at = (size_t)(period % SL_FIGURE_BUCKETS);
    if (figures->bucket_at[at] != period) {
        figures->buckets[at] = (sl_counts){0};
        figures->bucket_at[at] = period;
    }
    add(&figures->buckets[at], counts);
    add(&figures->total, counts);
}

void sl_figures_window(const sl_figures *figures, int64_t ticks_us, sl_counts *ret)
{
    int64_t period = ticks_us / (SL_FIGURE_SECONDS * SL_SECOND);
    *ret = (sl_counts){0};
    for (size_t i = 0; i < SL_FIGURE_BUCKETS; i++)
        if (figures->bucket_at[i] > period - SL_FIGURE_BUCKETS) add(ret, &figures->buckets[i]);
}

void sl_figures_name(sl_figures *figures, const char *name, int64_t value, bool is_delta)
{
    sl_named_figure *figure = NULL;
    for (size_t i = 0; i < figures->named_count; i++)
        if (strcmp(figures->named[i].name, name) == 0) figure = &figures->named[i];
    if (!figure) {
        if (figures->named_count >= 64) return; /* a module's figures are few; a runaway name must not grow us */
        figures->named = sl_grow(figures->named, figures->named_count, &figures->named_capacity, sizeof *figure);
        figure = &figures->named[figures->named_count++];
        memset(figure, 0, sizeof *figure);
        snprintf(figure->name, sizeof figure->name, "%s", name);
    }
    figure->value = is_delta ? figure->value + value : value;
}

void sl_figures_done(sl_figures *figures) { free(figures->named); }
