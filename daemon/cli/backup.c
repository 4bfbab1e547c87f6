/* sluice backup: asks a running daemon for a copy of its state, or copies a state that nobody runs. Then looks whether the
 * copy is whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/client.h"
#include "cli/common.h"
#include "cli/doctor.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/state.h"
#include "engine/backup.h"

enum { ASK_EVERY = 200 /* ms */, PATH_LIMIT = 3 * PATH_MAX, OUT_LIMIT = 16 * 1024 * 1024 };
static const char route[] = "/api/v1/backup", lease[] = "30s";

static volatile sig_atomic_t interrupted;
static void on_signal(int number) { interrupted = number; }

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* ---- is it whole ---------------------------------------------------------------------------------------------------- */

/* What was made, with what an examination of it finds; takes `made`. */
static int report(const sl_arguments *arguments, json_t *made, const char *to, const sl_examination *found)
{
    if (sl_given_option(arguments, "json")) {
        if (found) json_object_set_new(made, "check", sl_examination_json(found, to));
        return sl_common_print_json(made);
    }
    char bytes[SL_HUMAN_TEXT];
    sl_buf out = SL_BUF(OUT_LIMIT);
    sl_add_printable(&out, sl_str_of(to));
    sl_buf_printf(&out, ": all up to event %lld, %lld files (%lld linked), %s copied\n", sl_member_number(made, "seq"),
                  sl_member_number(made, "files"), sl_member_number(made, "linked"),
                  sl_human_bytes((uint64_t)sl_member_number(made, "bytes"), bytes));
    if (found) sl_examination_print(found, to, &out);
    json_decref(made);
    return sl_print(&out);
}

static int check_and_report(const sl_arguments *arguments, json_t *made, const char *to)
{
    sl_error error = {0};
    sl_examination found;
    if (sl_given_option(arguments, "no-check")) return report(arguments, made, to, NULL);
    if (sl_examine(to, &found, &error) < 0) {
        int code = report(arguments, made, to, NULL);
        sl_complain(0, "backup: it is made but not checked: %s; run `sluice doctor --state %s` as the daemon's user", error.text, to);
        return code;
    }
    int code = report(arguments, made, to, &found);
    if (found.finding_count)
        code = sl_complain(SL_EXIT_FAILED, "backup: it is not whole: see the findings; so is the state that it is of, perhaps");
    sl_examination_done(&found);
    return code;
}

/* ---- of a running daemon ------------------------------------------------------------------------------------------------- */

static int begin(sl_client *client, const sl_arguments *arguments, const char *to)
{
    json_t *answer;
    const char *deadline = sl_option_value(arguments, "deadline");
    sl_buf path = SL_BUF(PATH_LIMIT);
    sl_buf_text(&path, route);
    sl_client_parameter(&path, "to", to);
    sl_client_parameter(&path, "lease", lease);
    if (deadline) sl_client_parameter(&path, "deadline", deadline);
    int code = sl_client_json(client, "POST", path.data, &answer);
    sl_buf_done(&path);
    if (code == SL_EXIT_DONE) json_decref(answer);
    return code;
}

static void wait_a_little(void)
{
    struct timespec time = {0, ASK_EVERY * 1000000L};
    nanosleep(&time, NULL);
}

static void show(sl_progress *progress, const json_t *answer)
{
    sl_copier copier = {.files = (uint64_t)sl_member_number(answer, "files"),
                        .bytes = (uint64_t)sl_member_number(answer, "bytes"),
                        .expected = (uint64_t)sl_member_number(answer, "bytes_total"),
                        .expected_files = (uint64_t)sl_member_number(answer, "files_total")};
    sl_progress_show(progress, sl_member_text(answer, "phase"), &copier);
}

/* *ret: the last answer, of one that runs no more. */
static int follow(sl_client *client, json_t **ret)
{
    bool cancelled = false;
    sl_progress progress;
    sl_progress_init(&progress);
    for (;;) {
        const char *method = interrupted && !cancelled ? "DELETE" : "GET";
        cancelled = interrupted;
        int code = sl_client_json(client, method, route, ret);
        if (code != SL_EXIT_DONE) {
            sl_progress_end(&progress);
            return code;
        }
        if (strcmp(sl_member_text(*ret, "state"), "running") != 0) break;
        show(&progress, *ret);
        json_decref(*ret);
        wait_a_little();
    }
    sl_progress_end(&progress);
    return SL_EXIT_DONE;
}

static int of_running(const sl_arguments *arguments, const char *to)
{
    sl_client *client;
    json_t *answer;
    int code = sl_client_open(arguments, &client);
    if (code != SL_EXIT_DONE) return code;
    code = begin(client, arguments, to);
    if (code == SL_EXIT_DONE) code = follow(client, &answer);
    sl_client_close(client);
    if (code != SL_EXIT_DONE) return code;
    if (strcmp(sl_member_text(answer, "to"), to) == 0 && strcmp(sl_member_text(answer, "state"), "done") == 0)
        return check_and_report(arguments, answer, to);
    const char *why = sl_member_text(answer, "error");
    code = sl_complain(SL_EXIT_FAILED, "backup: %s is not made: %s", to, *why ? why : "the daemon knows nothing of it any more");
    json_decref(answer);
    return code;
}

/* ---- of a stopped state ------------------------------------------------------------------------------------------------------ */

static bool on_pause(void *context)
{
    sl_progress_step(context);
    return interrupted != 0;
}

static void on_phase(void *context, sl_backup_phase phase) { sl_progress_phase(context, phase); }

/* Nobody starts it meanwhile. */
static int lock(const char *state, int *ret, sl_error *error)
{
    char *path = sl_asprintf("%s/journal/lock", state);
    *ret = sl_sys_now->open(path, O_RDWR, 0);
    int result = *ret < 0 || sl_sys_now->lock(*ret) < 0 ? sl_error_set(error, errno, "cannot lock %s: %s", path, strerror(errno)) : 0;
    free(path);
    return result;
}

static int fill(const char *state, const char *partial, sl_copier *copier, sl_progress *progress, sl_backup_about *about, sl_error *error)
{
    sl_backup_work work = {.state = state, .to = partial, .copier = copier, .phase = on_phase, .context = progress};
    char *journal = sl_asprintf("%s/journal", state);
    int result = sl_journal_cut_stopped(journal, &work.journal, error);
    *about = (sl_backup_about){work.journal.seq, sl_now()};
    free(journal);
    return result == 0 ? sl_backup_fill(&work, error) : result;
}

static int make(const char *state, const char *to, sl_copier *copier, sl_progress *progress, sl_backup_about *about, sl_error *error)
{
    char *partial = NULL;
    bool left = false;
    int held = -1, result = lock(state, &held, error);
    if (result == 0) result = sl_backup_begin(state, to, &partial, &left, error);
    if (result == 0) result = fill(state, partial, copier, progress, about, error);
    if (result == 0) result = sl_backup_end(partial, to, about, error);
    if (result < 0 && partial) sl_remove_tree(partial, NULL);
    if (held >= 0) sl_sys_now->close(held);
    free(partial);
    return result;
}

static int of_stopped(const sl_arguments *arguments, const char *state, const char *to)
{
    sl_error error = {0};
    sl_backup_about about = {0};
    sl_progress progress;
    sl_copier copier = {.pause = on_pause, .context = &progress};
    sl_progress_init(&progress);
    progress.copier = &copier;
    int result = make(state, to, &copier, &progress, &about, &error);
    sl_progress_end(&progress);
    if (result < 0) return sl_complain(SL_EXIT_FAILED, "backup: %s is not made: %s", to, error.text);
    json_t *made = json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "state", "done", "to", sl_json_text(to), "seq", (json_int_t)about.seq,
                             "files", (json_int_t)copier.files, "linked", (json_int_t)copier.linked, "bytes", (json_int_t)copier.bytes);
    return check_and_report(arguments, made, to);
}

/* ---- which ---------------------------------------------------------------------------------------------------------------------- */

static char *absolute(const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/' || !realpath(".", here)) return sl_strdup(path);
    return sl_asprintf("%s/%s", here, path);
}

int sl_command_backup(const sl_arguments *arguments)
{
    sl_error error = {0};
    const char *state = sl_option_value(arguments, "state");
    bool held = true;
    if (state && !sl_given_option(arguments, "url") && sl_state_held(state, &held, &error) < 0)
        return sl_complain(SL_EXIT_FAILED, "backup: %s", error.text);
    char *to = absolute(arguments->positional[0]);
    catch_signals();
    int code = held ? of_running(arguments, to) : of_stopped(arguments, state, to);
    free(to);
    return code;
}
