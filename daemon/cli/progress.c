#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/output.h"

enum { SHOW_EVERY = 200 /* ms */ };

void sl_progress_init(sl_progress *progress) { *progress = (sl_progress){.terminal = isatty(STDERR_FILENO), .phase = ""}; }

void sl_progress_show(sl_progress *progress, const char *phase, const sl_copier *copier)
{
    char done[SL_HUMAN_TEXT], all[SL_HUMAN_TEXT];
    if (!progress->terminal) return;
    progress->shown = true;
    fprintf(stderr, "\r\033[K%s: %llu of %llu files, %s of %s", phase, (unsigned long long)copier->files,
            (unsigned long long)copier->expected_files, sl_human_bytes(copier->bytes, done), sl_human_bytes(copier->expected, all));
}

void sl_progress_phase(sl_progress *progress, sl_backup_phase phase)
{
    static const char *const names[] = {"counting", "journal", "content", "ending"};
    progress->phase = names[phase];
}

void sl_progress_step(sl_progress *progress)
{
    if (sl_ticks() < progress->next) return;
    progress->next = sl_ticks() + SHOW_EVERY * SL_MILLISECOND;
    sl_progress_show(progress, progress->phase, progress->copier);
}

void sl_progress_end(sl_progress *progress)
{
    if (progress->shown) fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
