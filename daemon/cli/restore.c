/* sluice restore: a backup becomes a state again, in a folder that is not there yet or is empty. It is copied, then the copy
 * is examined as `sluice doctor` does, and only when it is whole the folder is one that a daemon starts from. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/common.h"
#include "cli/doctor.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/state.h"
#include "engine/backup.h"

enum { OUT_LIMIT = 16 * 1024 * 1024 };

typedef struct restore {
    const char *backup, *state;
    bool json, made;
    sl_backup_about about;
    sl_copier copier;
    sl_progress progress;
    sl_examination found;
    uint64_t next_id;
} restore;

/* ---- whether it may ---------------------------------------------------------------------------------------------------- */

/* Files of root's are nothing that the daemon could use. */
static int check_user(const restore *r)
{
    struct stat status;
    if (geteuid() != 0 || sl_sys_now->stat(r->backup, &status) < 0 || status.st_uid == 0) return SL_EXIT_DONE;
    const struct passwd *owner = getpwuid(status.st_uid);
    return sl_complain(SL_EXIT_USAGE,
                       "restore: the backup is %s's, and what root restores would be root's: runuser -u %s -- sluice restore %s --state %s",
                       owner ? owner->pw_name : "another user", owner ? owner->pw_name : "USER", r->backup, r->state);
}

static int check_held(const char *folder)
{
    bool held;
    sl_error error = {0};
    if (sl_state_held(folder, &held, &error) < 0 || !held) return SL_EXIT_DONE; /* none there, or one that cannot be written to */
    return sl_complain(SL_EXIT_BUSY, "restore: a process has the state in %s; stop it first, and keep that folder elsewhere", folder);
}

static int check(restore *r)
{
    sl_error error = {0};
    if (sl_backup_about_read(r->backup, &r->about, &error) < 0 || sl_state_complete(r->backup, &error) < 0)
        return sl_complain(SL_EXIT_FAILED, "restore: %s", error.text);
    int code = check_user(r);
    if (code == SL_EXIT_DONE) code = check_held(r->backup);
    return code == SL_EXIT_DONE ? check_held(r->state) : code;
}

/* ---- the copy ------------------------------------------------------------------------------------------------------------- */

static bool on_pause(void *context)
{
    sl_progress_step(&((restore *)context)->progress);
    return false;
}

static void on_phase(void *context, sl_backup_phase phase) { sl_progress_phase(&((restore *)context)->progress, phase); }

static int fill(restore *r, sl_error *error)
{
    sl_backup_work work = {.state = r->backup, .to = r->state, .copier = &r->copier, .phase = on_phase, .context = r};
    char *journal = sl_asprintf("%s/journal", r->backup);
    r->copier = (sl_copier){.pause = on_pause, .context = r};
    sl_progress_init(&r->progress);
    r->progress.copier = &r->copier;
    int result = sl_journal_cut_stopped(journal, &work.journal, error);
    if (result == 0) result = sl_backup_fill(&work, error);
    sl_progress_end(&r->progress);
    free(journal);
    return result;
}

static int put_back(restore *r, sl_error *error)
{
    if (sl_restore_begin(r->state, &r->made, error) < 0 || fill(r, error) < 0 || sl_examine(r->state, &r->found, error) < 0) return -1;
    if (r->found.finding_count) return sl_error_set(error, EIO, "the backup is not whole: see the findings; nothing was restored");
    if (sl_restore_advance(r->state, &r->about, &r->next_id, error) < 0) return -1;
    return sl_restore_end(r->state, error);
}

/* ---- the report -------------------------------------------------------------------------------------------------------------- */

static int report_json(const restore *r)
{
    char time[SL_TIME_TEXT];
    json_t *object =
        json_pack("{s:o, s:o, s:I, s:s, s:I, s:I, s:I, s:I}", "state", sl_json_text(r->state), "backup", sl_json_text(r->backup), "seq",
                  (json_int_t)r->found.last, "taken_at", sl_time_format(r->about.taken_at, time), "next_id", (json_int_t)r->next_id,
                  "files", (json_int_t)r->copier.files, "linked", (json_int_t)r->copier.linked, "bytes", (json_int_t)r->copier.bytes);
    json_object_set_new(object, "check", sl_examination_json(&r->found, r->state));
    return sl_common_print_json(object);
}

static int report(const restore *r)
{
    char time[SL_TIME_TEXT], age[SL_HUMAN_TEXT];
    sl_buf out = SL_BUF(OUT_LIMIT);
    sl_examination_print(&r->found, r->state, &out);
    sl_buf_printf(&out, "It is the state of %s, %s ago. Before it is started:\n", sl_time_format(r->about.taken_at, time),
                  sl_human_duration(sl_now() - r->about.taken_at, age));
    sl_buf_text(&out,
                "- What was delivered since then is delivered again: where it overwrites what it delivered, nothing is wrong with that.\n"
                "- What sources gave since then and were relieved of is not in it: look for it in the state that it replaces.\n"
                "- The state that it is a copy of must not run beside it: both would deliver the same.\n");
    return sl_print(&out);
}

static int fail(const restore *r, const sl_error *error)
{
    if (r->found.finding_count) {
        sl_buf out = SL_BUF(OUT_LIMIT);
        sl_examination_print(&r->found, r->state, &out);
        if (out.data) fwrite(out.data, 1, out.size, stderr);
        sl_buf_done(&out);
    }
    if (r->made) sl_remove_tree(r->state, NULL);
    return sl_complain(SL_EXIT_FAILED, "restore: %s", error->text);
}

int sl_command_restore(const sl_arguments *arguments)
{
    sl_error error = {0};
    restore r = {.backup = arguments->positional[0], .state = sl_common_state(arguments), .json = sl_given_option(arguments, "json")};
    int code = check(&r);
    if (code != SL_EXIT_DONE) return code;
    if (put_back(&r, &error) < 0) code = fail(&r, &error);
    else code = r.json ? report_json(&r) : report(&r);
    if (r.found.findings) sl_examination_done(&r.found);
    return code;
}
