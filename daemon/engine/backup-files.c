/* What a state folder consists of, copied; and what a restored one has to know of the time since. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/sys.h"
#include "engine/backup.h"
#include "engine/private.h"

/* A FlowFile's id has 44 bits. Nobody makes as many in a second for as long as a backup is old. */
#define IDS        ((uint64_t)1 << 44)
#define IDS_AT_ALL 1000000000ULL
enum { IDS_A_SECOND = 50000 };

/* ---- files ----------------------------------------------------------------------------------------------------------- */

typedef struct copying {
    const char *from, *to;
    sl_copier *copier;
    int result;
    sl_error *error;
} copying;

static void copy_named(void *context, const char *name)
{
    copying *c = context;
    if (c->result < 0 || sl_str_ends(sl_str_of(name), ".new")) return;
    char *from = sl_asprintf("%s/%s", c->from, name), *to = sl_asprintf("%s/%s", c->to, name);
    c->result = sl_copy_file(c->copier, from, to, UINT64_MAX, c->error);
    free(from);
    free(to);
}

/* The last good texts of the flows. */
static int copy_flows(const sl_backup_work *work, sl_error *error)
{
    struct stat status;
    char *from = sl_asprintf("%s/flows", work->state), *to = sl_asprintf("%s/flows", work->to);
    copying c = {from, to, work->copier, 0, error};
    if (sl_sys_now->stat(from, &status) == 0) {
        c.result = sl_copy_folder(c.copier, to, error);
        if (c.result == 0 && sl_sys_now->list(from, copy_named, &c) < 0)
            c.result = sl_error_set(error, errno, "cannot list %s: %s", from, strerror(errno));
        if (c.result == 0) c.result = sl_copy_synced(c.copier, to, error);
    }
    free(from);
    free(to);
    return c.result;
}

static int copy_rest(const sl_backup_work *work, sl_error *error)
{
    struct stat status;
    char *history = sl_asprintf("%s/history", work->state);
    copying c = {work->state, work->to, work->copier, 0, error};
    copy_named(&c, "node");
    if (sl_sys_now->stat(history, &status) == 0) copy_named(&c, "history");
    free(history);
    if (c.result == 0) c.result = copy_flows(work, error);
    return c.result == 0 ? sl_copy_synced(c.copier, work->to, error) : c.result;
}

static int copy_journal(const sl_backup_work *work, sl_error *error)
{
    char *from = sl_asprintf("%s/journal", work->state), *to = sl_asprintf("%s/journal", work->to);
    int result = sl_journal_copy(from, &work->journal, to, work->copier, error);
    free(from);
    free(to);
    return result;
}

static int copy_content(const sl_backup_work *work, sl_error *error)
{
    char *from = sl_asprintf("%s/content", work->state), *to = sl_asprintf("%s/content", work->to);
    int result = sl_content_copy(from, work->content, to, work->copier, error);
    free(from);
    free(to);
    return result;
}

static void begins(const sl_backup_work *work, sl_backup_phase phase)
{
    if (work->phase) work->phase(work->context, phase);
}

int sl_backup_fill(const sl_backup_work *work, sl_error *error)
{
    sl_copier *copier = work->copier;
    sl_error unasked = {0};
    if (!error) error = &unasked;
    sl_copier_begin(copier, work->state, work->to);
    copier->counting = true;
    begins(work, SL_BACKUP_COUNTS);
    if (copy_journal(work, error) < 0 || copy_content(work, error) < 0 || copy_rest(work, error) < 0) return -1;
    copier->counting = false;
    if (sl_copier_room(copier, work->to, error) < 0) return -1;
    begins(work, SL_BACKUP_JOURNAL);
    if (copy_journal(work, error) < 0) return -1;
    begins(work, SL_BACKUP_CONTENT);
    if (copy_content(work, error) < 0) return -1;
    begins(work, SL_BACKUP_ENDS);
    return copy_rest(work, error);
}

/* ---- ids --------------------------------------------------------------------------------------------------------------- */

typedef struct ids {
    uint64_t next;
    int64_t last_time;
} ids;

static void note(ids *found, uint64_t id) { found->next = SL_MAX(found->next, id + 1); }

static void on_entry(void *context, const sl_checkpoint_entry *entry) { note(context, entry->flowfile); }

static void on_event(void *context, const sl_event *event, uint32_t segment)
{
    ids *found = context;
    char text[24];
    (void)segment;
    note(found, event->flowfile);
    found->last_time = SL_MAX(found->last_time, event->time);
    if (event->type != SL_EVENT_STATE || !sl_str_is(event->uri, SL_STATE_NEXT_ID)) return;
    snprintf(text, sizeof text, "%.*s", SL_STR_ARGS(event->details));
    note(found, strtoull(text, NULL, 10) - 1);
}

static uint64_t advanced(uint64_t next, int64_t taken_at)
{
    uint64_t seconds = (uint64_t)(SL_MAX(sl_now() - taken_at, (int64_t)0) / SL_SECOND);
    uint64_t room = next < IDS ? (IDS - next) / 2 : 0;
    return next + SL_MIN(IDS_AT_ALL + seconds * IDS_A_SECOND, room);
}

static void on_committed(void *context) { uv_sem_post(context); }

/* Waits until it is on disk. */
static int append(sl_journal *journal, const ids *found, uv_sem_t *committed, sl_error *error)
{
    sl_batch *batch = sl_batch_new();
    sl_event *event = sl_batch_add(batch);
    event->type = SL_EVENT_STATE;
    event->time = SL_MAX(found->last_time, sl_now());
    event->component = sl_journal_name(journal, SL_STR("sluice"));
    event->uri = SL_STR(SL_STATE_NEXT_ID);
    event->details = sl_str_of(sl_arena_printf(&batch->arena, "%" PRIu64, found->next));
    uint64_t seq = sl_journal_append(journal, batch);
    while (sl_journal_durable(journal) < seq && !sl_journal_failure(journal, error)) uv_sem_wait(committed);
    return sl_journal_durable(journal) >= seq ? 0 : -1;
}

int sl_restore_advance(const char *state, const sl_backup_about *about, uint64_t *ret_next_id, sl_error *error)
{
    ids found = {.next = 1};
    sl_journal *journal = NULL;
    uv_sem_t committed;
    char *folder = sl_asprintf("%s/journal", state);
    sl_journal_options options = {.folder = folder,
                                  .fold = {.entry = on_entry, .event = on_event, .context = &found},
                                  .committed = on_committed,
                                  .context = &committed};
    uv_sem_init(&committed, 0);
    int result = sl_journal_open(&options, &journal, error);
    *ret_next_id = found.next = advanced(found.next, about->taken_at);
    if (result == 0) {
        result = append(journal, &found, &committed, error);
        sl_journal_close(journal);
    }
    uv_sem_destroy(&committed);
    free(folder);
    return result;
}
