/* A copy of the log has exactly the events up to its moment, whatever the log does meanwhile. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/copy.h"
#include "journal/journal.h"
#include "journal/vfs.h"

typedef struct folded {
    uint64_t events, first, last, gaps;
} folded;

static void on_event(void *context, const sl_event *event, uint32_t segment)
{
    folded *f = context;
    (void)segment;
    if (!f->events++) f->first = event->seq;
    else if (event->seq != f->last + 1) f->gaps++;
    f->last = event->seq;
}

static sl_journal *open_journal(const char *folder, uint64_t segment_events)
{
    sl_journal_options options = {.folder = folder, .segment_events = segment_events};
    sl_journal *journal = NULL;
    sl_error error = {0};
    CHECK_INT(sl_journal_open(&options, &journal, &error), 0);
    return journal;
}

static uint64_t append(sl_journal *journal, size_t weight)
{
    sl_batch *batch = sl_batch_new();
    sl_event *event = sl_batch_add(batch);
    char *text = sl_arena_alloc(&batch->arena, weight + 1);
    memset(text, 'x', weight);
    event->type = SLUICE_CREATE;
    event->flowfile = sl_journal_next(journal);
    event->whole = true;
    event->queue = sl_journal_name(journal, SL_STR("q"));
    event->details = (sl_str){text, weight};
    return sl_journal_append(journal, batch);
}

static void roll_if_full(sl_journal *journal)
{
    sl_error error = {0};
    if (!sl_journal_full(journal)) return;
    CHECK_INT(sl_journal_roll(journal, &error), 0);
    sl_journal_checkpoint_end(journal);
}

static void wait_for(sl_journal *journal, uint64_t seq)
{
    for (int i = 0; i < 60000 && sl_journal_durable(journal) < seq; i++) usleep(1000);
    CHECK(sl_journal_durable(journal) >= seq);
}

static char *copy(sl_journal *journal, const char *folder, const char *name, sl_journal_cut *ret)
{
    sl_copier copier = {.links = true};
    sl_error error = {0};
    char *to = sl_asprintf("%s/%s", sl_test_folder(), name);
    CHECK_INT(sl_journal_hold(journal, ret, &error), 0);
    CHECK_INT(sl_journal_copy(folder, ret, to, &copier, &error), 0);
    sl_journal_go_on(journal);
    if (error.text[0]) printf("# %s\n", error.text);
    return to;
}

/* All from the first event to the moment, and a journal that goes on from there. */
static void check_copy(const char *to, const sl_journal_cut *cut)
{
    folded f = {0};
    sl_error error = {0};
    CHECK_INT(sl_journal_inspect_whole(to, &(sl_journal_fold){.event = on_event, .context = &f}, &error), 0);
    if (error.text[0]) printf("# %s\n", error.text);
    CHECK_INT(f.first, 1);
    CHECK_INT(f.gaps, 0);
    CHECK_INT(f.last, cut->seq);
    sl_journal *journal = open_journal(to, 0);
    if (!journal) return;
    CHECK_INT(sl_journal_next(journal), cut->seq + 1);
    wait_for(journal, append(journal, 10));
    sl_journal_close(journal);
}

static char *journal_folder(void) { return sl_asprintf("%s/journal", sl_test_folder()); }

TEST(what_comes_after_the_moment_is_not_in_it)
{
    char *folder = journal_folder();
    sl_journal *journal = open_journal(folder, 0);
    sl_journal_cut cut;
    sl_error error = {0};
    sl_copier copier = {0};
    char *to = sl_asprintf("%s/copy", sl_test_folder());
    wait_for(journal, append(journal, 100));
    CHECK_INT(sl_journal_hold(journal, &cut, &error), 0);
    CHECK_INT(cut.seq, 1);
    for (int i = 0; i < 500; i++) append(journal, 100);
    wait_for(journal, append(journal, 100));
    CHECK_INT(sl_journal_copy(folder, &cut, to, &copier, &error), 0);
    sl_journal_go_on(journal);
    sl_journal_close(journal);
    check_copy(to, &cut);
    free(to);
    free(folder);
}

TEST(a_segment_that_becomes_full_meanwhile_is_not_sealed_before_it_is_copied)
{
    char *folder = journal_folder(), *to = sl_asprintf("%s/copy", sl_test_folder());
    sl_journal *journal = open_journal(folder, 50);
    sl_journal_cut cut;
    sl_error error = {0};
    sl_copier copier = {.links = true};
    for (int i = 0; i < 20; i++) wait_for(journal, append(journal, 1000));
    CHECK_INT(sl_journal_hold(journal, &cut, &error), 0);
    for (int i = 0; i < 400; i++) {
        wait_for(journal, append(journal, 1000));
        roll_if_full(journal);
    }
    CHECK(sl_journal_segment(journal) > 5);
    CHECK_INT(sl_journal_copy(folder, &cut, to, &copier, &error), 0);
    CHECK_INT(copier.linked, 0);
    sl_journal_go_on(journal);
    sl_journal_close(journal);
    check_copy(to, &cut);
    free(to);
    free(folder);
}

static bool is_sealed(const char *folder, unsigned number)
{
    char *log = sl_asprintf("%s/%06u.db-wal", folder, number), *idx = sl_asprintf("%s/%06u.idx", folder, number);
    struct stat status;
    bool sealed = (stat(log, &status) < 0 || status.st_size == 0) && stat(idx, &status) == 0;
    free(log);
    free(idx);
    return sealed;
}

TEST(sealed_segments_are_linked)
{
    char *folder = journal_folder();
    sl_journal *journal = open_journal(folder, 50);
    sl_journal_cut cut;
    for (int i = 0; i < 120; i++) {
        wait_for(journal, append(journal, 1000));
        roll_if_full(journal);
    }
    for (int i = 0; i < 60000 && !(is_sealed(folder, 1) && is_sealed(folder, 2)); i++) usleep(1000);
    char *to = copy(journal, folder, "copy", &cut), *linked = sl_asprintf("%s/000001.db", to), *open = sl_asprintf("%s/000003.db", to);
    struct stat status;
    CHECK(stat(linked, &status) == 0 && status.st_nlink == 2);
    CHECK(stat(open, &status) == 0 && status.st_nlink == 1);
    for (int i = 0; i < 10; i++) wait_for(journal, append(journal, 1000));
    sl_journal_close(journal);
    check_copy(to, &cut);
    free(to);
    free(linked);
    free(open);
    free(folder);
}

TEST(what_retention_lets_go_meanwhile_stays_until_the_end)
{
    char *folder = journal_folder(), *first = sl_asprintf("%s/000001.db", folder), *to = sl_asprintf("%s/copy", sl_test_folder());
    sl_journal *journal = open_journal(folder, 50);
    sl_journal_cut cut;
    sl_error error = {0};
    sl_copier copier = {0};
    for (int i = 0; i < 200; i++) {
        wait_for(journal, append(journal, 100));
        roll_if_full(journal);
    }
    CHECK_INT(sl_journal_hold(journal, &cut, &error), 0);
    sl_journal_let_go(journal, 3);
    for (int i = 0; i < 200; i++) {
        wait_for(journal, append(journal, 100));
        roll_if_full(journal);
    }
    CHECK_INT(access(first, F_OK), 0);
    CHECK_INT(sl_journal_copy(folder, &cut, to, &copier, &error), 0);
    sl_journal_go_on(journal);
    for (int i = 0; i < 60000 && access(first, F_OK) == 0; i++) usleep(1000);
    CHECK_INT(access(first, F_OK), -1);
    sl_journal_close(journal);
    check_copy(to, &cut);
    free(to);
    free(first);
    free(folder);
}

TEST(a_segment_that_failed_is_in_it_as_far_as_it_was_acknowledged)
{
    char *folder = journal_folder();
    sl_journal *journal = open_journal(folder, 0);
    sl_journal_cut cut;
    wait_for(journal, append(journal, 1000));
    sl_vfs_fail_sync(1);
    for (int i = 0; i < 10; i++) wait_for(journal, append(journal, 1000)); /* it goes on in a fresh one */
    char *to = copy(journal, folder, "copy", &cut);
    CHECK_INT(cut.open, 2);
    sl_journal_renewal renewal;
    CHECK(sl_journal_renewed(journal, &renewal));
    sl_journal_checkpoint_end(journal);
    sl_journal_close(journal);
    folded f = {0};
    sl_error error = {0};
    CHECK_INT(sl_journal_inspect(to, &(sl_journal_fold){.event = on_event, .context = &f}, &error), 0);
    CHECK_INT(f.last, cut.seq);
    CHECK_INT(f.events, 11);
    CHECK_INT(f.gaps, 0);
    free(to);
    free(folder);
}

TEST(a_journal_that_just_opened_knows_its_moment)
{
    char *folder = journal_folder();
    sl_journal *journal = open_journal(folder, 0);
    sl_journal_cut cut;
    wait_for(journal, append(journal, 1000));
    sl_journal_close(journal);
    journal = open_journal(folder, 0);
    char *to = copy(journal, folder, "copy", &cut);
    CHECK_INT(cut.seq, 1);
    sl_journal_close(journal);
    check_copy(to, &cut);
    free(to);
    free(folder);
}

TEST(a_stopped_folder_is_copied_whole)
{
    char *folder = journal_folder(), *to = sl_asprintf("%s/copy", sl_test_folder());
    sl_journal *journal = open_journal(folder, 50);
    sl_journal_cut cut;
    sl_error error = {0};
    sl_copier copier = {0};
    for (int i = 0; i < 120; i++) {
        wait_for(journal, append(journal, 100));
        roll_if_full(journal);
    }
    sl_journal_close(journal);
    CHECK_INT(sl_journal_cut_stopped(folder, &cut, &error), 0);
    CHECK_INT(cut.seq, 120);
    CHECK_INT(sl_journal_copy(folder, &cut, to, &copier, &error), 0);
    check_copy(to, &cut);
    free(to);
    free(folder);
}

/* Whether this process has any lock on the file, as another one sees it. */
static bool is_locked(const char *path)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR);
        _exit(fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK ? 1 : 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

TEST(sqlite_keeps_its_locks)
{
    char *folder = journal_folder(), *open = sl_asprintf("%s/000001.db", folder);
    sl_journal *journal = open_journal(folder, 0);
    sl_journal_cut cut;
    wait_for(journal, append(journal, 100));
    CHECK(is_locked(open));
    char *to = copy(journal, folder, "copy", &cut);
    CHECK(is_locked(open));
    sl_journal_close(journal);
    CHECK(!is_locked(open));
    check_copy(to, &cut);
    free(to);
    free(open);
    free(folder);
}

/* ---- under load ----------------------------------------------------------------------------------------------------- */

enum { COPIES = 12 };
static struct {
    sl_journal *journal;
    const char *folder;
    char *copies[COPIES];
    sl_journal_cut cuts[COPIES];
    atomic_int done;
} load;

static void *copy_again_and_again(void *unused)
{
    char name[16];
    for (int i = 0; i < COPIES; i++) {
        snprintf(name, sizeof name, "copy-%d", i);
        load.copies[i] = copy(load.journal, load.folder, name, &load.cuts[i]);
        atomic_store(&load.done, i + 1);
    }
    return unused;
}

TEST(each_copy_made_while_the_log_grows_is_a_prefix_of_it)
{
    pthread_t thread;
    char *folder = journal_folder();
    load.folder = folder;
    load.journal = open_journal(folder, 700);
    atomic_store(&load.done, 0);
    wait_for(load.journal, append(load.journal, 10));
    pthread_create(&thread, NULL, copy_again_and_again, NULL);
    for (int i = 0; atomic_load(&load.done) < COPIES; i++) {
        uint64_t seq = append(load.journal, (size_t)(i % 37) * 40);
        roll_if_full(load.journal);
        if (i % 64 == 0) wait_for(load.journal, seq); /* bounded */
    }
    pthread_join(thread, NULL);
    sl_journal_close(load.journal);
    for (int i = 0; i < COPIES; i++) {
        CHECK(i == 0 || load.cuts[i].seq >= load.cuts[i - 1].seq);
        check_copy(load.copies[i], &load.cuts[i]);
        free(load.copies[i]);
    }
    CHECK(load.cuts[COPIES - 1].seq > load.cuts[0].seq);
    free(folder);
}
