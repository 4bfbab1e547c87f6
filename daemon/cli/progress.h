/* cli/progress: how far a copy is, on a terminal; else nothing is shown. */
#ifndef SL_PROGRESS_H
#define SL_PROGRESS_H

#include "engine/backup.h"

typedef struct sl_progress {
    bool terminal, shown;
    int64_t next; /* ticks */
    const char *phase;
    const sl_copier *copier; /* whose pauses sl_progress_step is called in */
} sl_progress;

void sl_progress_init(sl_progress *progress);
void sl_progress_show(sl_progress *progress, const char *phase, const sl_copier *copier);
void sl_progress_phase(sl_progress *progress, sl_backup_phase phase);
void sl_progress_step(sl_progress *progress); /* now and then: not each call writes */
void sl_progress_end(sl_progress *progress);  /* the line is empty again */

#endif
