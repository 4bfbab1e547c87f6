/* The journal as the one truth: what was appended is what a later opening folds. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal.h"
#include "journal/vfs.h"

typedef struct folded {
    unsigned events, entries, names;
    uint64_t last_seq;
    uint32_t last_segment;
    sl_checkpoint_entry entry;
    char last_attributes[200], last_name[100];
} folded;

static void on_name(void *context, uint32_t id, sl_str name)
{
    (void)id;
    folded *f = context;
    f->names++;
    snprintf(f->last_name, sizeof f->last_name, "%.*s", SL_STR_ARGS(name));
}
static void on_entry(void *context, const sl_checkpoint_entry *entry)
{
    folded *f = context;
    f->entries++;
    f->entry = *entry;
}
static void on_event(void *context, const sl_event *event, uint32_t segment)
{
    folded *f = context;
    f->events++;
    f->last_seq = event->seq;
    f->last_segment = segment;
    snprintf(f->last_attributes, sizeof f->last_attributes, "%.*s", SL_STR_ARGS(event->attributes));
}

static sl_journal *open_journal(const char *folder, folded *f, uint64_t segment_events)
{
    sl_journal_options options = {.folder = folder, .segment_events = segment_events, .fold = {on_name, on_entry, on_event, f}};
    sl_journal *journal = NULL;
    sl_error error = {0};
    *f = (folded){0};
    CHECK_INT(sl_journal_open(&options, &journal, &error), 0);
    if (!journal) printf("# %s\n", error.text);
    return journal;
}

static uint64_t append(sl_journal *journal, unsigned type, uint64_t flowfile, uint64_t previous, uint32_t queue, const char *attributes)
{
    sl_batch *batch = sl_batch_new();
    sl_event *event = sl_batch_add(batch);
    event->type = type;
    event->flowfile = flowfile;
    event->previous = previous;
    event->whole = !previous;
    event->queue = queue;
    event->attributes = sl_arena_str(&batch->arena, sl_str_of(attributes));
    return sl_journal_append(journal, batch);
}

TEST(what_was_appended_is_folded)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 0);
    uint32_t queue = sl_journal_name(journal, SL_STR("flow/a.success.b"));
    CHECK_INT(sl_journal_name(journal, SL_STR("flow/a.success.b")), queue);
    for (int i = 0; i < 1000; i++) append(journal, SLUICE_CREATE, (uint64_t)i + 1, 0, queue, "{\"filename\":\"x\"}");
    CHECK_INT(sl_journal_next(journal), 1001);
    sl_journal_close(journal);
    journal = open_journal(folder, &f, 0);
    CHECK_INT(f.events, 1000);
    CHECK_INT(f.last_seq, 1000);
    CHECK_INT(f.last_segment, 1);
    CHECK_STR(f.last_name, "flow/a.success.b");
    CHECK_STR(f.last_attributes, "{\"filename\":\"x\"}");
    CHECK_INT(sl_journal_durable(journal), 1000);
    CHECK_INT(sl_journal_name(journal, SL_STR("flow/a.success.b")), queue);
    sl_journal_close(journal);
}

TEST(a_second_process_is_refused)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 0), *second = NULL;
    sl_journal_options options = {.folder = folder};
    sl_error error = {0};
    CHECK_INT(sl_journal_open(&options, &second, &error), -1);
    CHECK_INT(error.code, EBUSY);
    CHECK(strstr(error.text, "another process holds"));
    sl_journal_close(journal);
}

TEST(a_chain_gives_the_whole_state)
{
    folded f;
    sl_journal *journal = open_journal(sl_test_folder(), &f, 0);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    uint64_t seq = append(journal, SLUICE_CREATE, 1, 0, queue, "{\"a\":\"1\",\"b\":\"2\"}");
    seq = append(journal, SLUICE_ATTRIBUTES_MODIFIED, 1, seq, queue, "{\"b\":null,\"c\":\"\\u00e9\"}");
    sl_batch *batch = sl_batch_new();
    sl_event *intent = sl_batch_add(batch);
    intent->type = SL_EVENT_INTENT;
    intent->flowfile = 1;
    intent->previous = seq;
    intent->details = SL_STR("{\"key\":\"k\"}");
    intent->uri = SL_STR("b/k");
    seq = sl_journal_append(journal, batch);
    while (sl_journal_durable(journal) < seq) usleep(1000);
    sl_journal_state state;
    sl_error error = {0};
    CHECK_INT(sl_journal_state_read(journal, 1, seq, &state, &error), 0);
    CHECK_VIEW(state.attributes, "{\"a\":\"1\",\"c\":\"\xc3\xa9\"}");
    CHECK_VIEW(state.intent, "{\"key\":\"k\"}");
    CHECK_VIEW(state.turn, "b/k");
    sl_journal_state_done(&state);
    CHECK_INT(sl_journal_state_read(journal, 1, 99, &state, &error), -1);
    sl_journal_close(journal);
}

TEST(a_roll_goes_on_in_a_new_segment_with_a_checkpoint)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 10);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    for (int i = 0; i < 10; i++) append(journal, SLUICE_CREATE, (uint64_t)i + 1, 0, queue, "{}");
    CHECK(sl_journal_full(journal));
    sl_error error = {0};
    CHECK_INT(sl_journal_roll(journal, &error), 0);
    CHECK_INT(sl_journal_segment(journal), 2);
    append(journal, SLUICE_DROP, 1, 0, 0, "{}");
    sl_journal_close(journal);
    /* The checkpoint was not complete: both segments are folded. */
    journal = open_journal(folder, &f, 10);
    CHECK_INT(f.events, 11);
    CHECK_INT(f.entries, 0);
    CHECK(sl_journal_incomplete(journal));
    sl_checkpoint_entry entry = {.flowfile = 2, .seq = 2, .segment = 1, .queue = queue, .size = 77};
    sl_journal_checkpoint_add(journal, &entry, 1);
    sl_journal_checkpoint_end(journal);
    sl_journal_close(journal);
    journal = open_journal(folder, &f, 10);
    CHECK_INT(f.events, 1);
    CHECK_INT(f.entries, 1);
    CHECK_INT(f.entry.size, 77);
    CHECK_STR(f.last_name, "q");
    CHECK_INT(sl_journal_next(journal), 12);
    CHECK_INT(sl_journal_name(journal, SL_STR("q")), queue);
    sl_journal_close(journal);
}

TEST(a_flipped_bit_is_seen)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 0);
    append(journal, SLUICE_CREATE, 1, 0, sl_journal_name(journal, SL_STR("q")), "{\"a\":\"1\"}");
    sl_journal_close(journal);
    char *path = sl_asprintf("%s/000001.db", folder);
    sqlite3 *db;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "UPDATE event SET attributes='{\"a\":\"3\"}'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    free(path);
    sl_journal_options options = {.folder = folder};
    sl_error error = {0};
    CHECK_INT(sl_journal_open(&options, &journal, &error), -1);
    CHECK(strstr(error.text, "CRC"));
}

static void wait_for(sl_journal *journal, uint64_t seq)
{
    for (int i = 0; i < 60000 && sl_journal_durable(journal) < seq && !sl_journal_failure(journal, NULL); i++) usleep(1000);
    CHECK(sl_journal_durable(journal) >= seq);
}

static uint64_t create(sl_journal *journal, uint64_t flowfile, uint32_t queue)
{
    return append(journal, SLUICE_CREATE, flowfile, 0, queue, "{\"filename\":\"x\"}");
}

/* ---- small commits ------------------------------------------------------------------------------------------------ */

enum { SMALL = 1 << 20 };

static sl_journal *open_small(folded *f)
{
    sl_journal_options options = {.folder = sl_test_folder(), .segment_bytes = SMALL, .fold = {on_name, on_entry, on_event, f}};
    sl_journal *journal = NULL;
    sl_error error = {0};
    *f = (folded){0};
    if (sl_journal_open(&options, &journal, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    return journal;
}

static uint64_t log_bytes(uint32_t segment)
{
    struct stat status;
    char *path = sl_asprintf("%s/%06u.db-wal", sl_test_folder(), segment);
    uint64_t bytes = stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
    free(path);
    return bytes;
}

TEST(a_segment_of_small_commits_is_full_by_its_log)
{
    folded f;
    sl_error error = {0};
    sl_journal *journal = open_small(&f);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    uint64_t largest = 0, commits = 0;
    for (; sl_journal_segment(journal) < 4 && commits < 2000; commits++) {
        wait_for(journal, create(journal, commits + 1, queue));
        largest = SL_MAX(largest, log_bytes(sl_journal_segment(journal)));
        if (!sl_journal_full(journal)) continue;
        CHECK_INT(sl_journal_roll(journal, &error), 0);
        sl_journal_checkpoint_end(journal);
    }
    printf("# %llu commits of one event fill three logs of at most %llu kB\n", (unsigned long long)commits,
           (unsigned long long)(largest >> 10));
    CHECK_INT(sl_journal_segment(journal), 4);
    CHECK(largest < 2 * SMALL);
    sl_journal_close(journal);
}

/* Else each event after the roll would be worth another checkpoint. */
TEST(a_large_checkpoint_is_worth_a_large_segment)
{
    enum { LIVE = 30000 };
    folded f;
    sl_error error = {0};
    sl_journal *journal = open_small(&f);
    static sl_checkpoint_entry entries[LIVE];
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    for (uint64_t i = 0; i < LIVE; i++) entries[i] = (sl_checkpoint_entry){.flowfile = i + 1, .seq = 1, .segment = 1, .queue = queue};
    create(journal, LIVE + 1, queue);
    CHECK_INT(sl_journal_roll(journal, &error), 0);
    sl_journal_checkpoint_add(journal, entries, LIVE);
    sl_journal_checkpoint_end(journal);
    wait_for(journal, create(journal, LIVE + 2, queue));
    CHECK(log_bytes(2) > SMALL);
    CHECK(!sl_journal_full(journal));
    sl_journal_close(journal);
    journal = open_small(&f);
    wait_for(journal, create(journal, LIVE + 3, queue));
    CHECK(!sl_journal_full(journal));
    for (uint64_t i = 4; !sl_journal_full(journal) && log_bytes(2) < 20 * SMALL; i++) wait_for(journal, create(journal, LIVE + i, queue));
    CHECK(sl_journal_full(journal));
    sl_journal_close(journal);
}

TEST(after_a_failed_sync_a_fresh_segment_has_what_was_not_acknowledged)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 0);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    uint64_t first = create(journal, 1, queue);
    wait_for(journal, first);
    sl_vfs_fail_sync(1);
    uint64_t chained = append(journal, SLUICE_ATTRIBUTES_MODIFIED, 1, first, SL_QUEUE_SAME, "{\"a\":\"1\"}");
    wait_for(journal, create(journal, 2, queue));
    CHECK(!sl_journal_failure(journal, NULL));
    sl_journal_renewal renewal;
    CHECK(sl_journal_renewed(journal, &renewal));
    CHECK_INT(renewal.failed, 1);
    CHECK_INT(renewal.number, 2);
    CHECK(renewal.checkpoint);
    CHECK(!sl_journal_renewed(journal, &renewal));
    CHECK(sl_journal_incomplete(journal));
    CHECK_INT(sl_journal_segment(journal), 2);
    /* A chain that began in the segment that failed is still read whole. */
    sl_journal_state state;
    sl_error error = {0};
    CHECK_INT(sl_journal_state_read(journal, 1, chained, &state, &error), 0);
    CHECK_VIEW(state.attributes, "{\"filename\":\"x\",\"a\":\"1\"}");
    sl_journal_state_done(&state);
    sl_journal_close(journal);
    journal = open_journal(folder, &f, 0);
    CHECK_INT(f.events, 3);
    CHECK_INT(f.last_seq, 3);
    CHECK_INT(f.last_segment, 2);
    CHECK_INT(sl_journal_state_read(journal, 1, chained, &state, &error), 0);
    sl_journal_state_done(&state);
    sl_journal_close(journal);
}

TEST(what_a_segment_has_overruled_does_not_come_back)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 0);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    wait_for(journal, create(journal, 1, queue));
    sl_vfs_fail_sync(1);
    wait_for(journal, create(journal, 2, queue));
    sl_journal_close(journal);
    /* As a disk may show it later: the row that was refused is in the old file after all, and it says something else. */
    char *path = sl_asprintf("%s/000001.db", folder);
    sqlite3 *db;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "INSERT OR REPLACE INTO event(seq,flowfile,attributes,crc) VALUES(2,77,'{}',0)", NULL, NULL, NULL),
              SQLITE_OK);
    sqlite3_close(db);
    free(path);
    journal = open_journal(folder, &f, 0);
    CHECK_INT(f.events, 2);
    CHECK_INT(f.last_segment, 2);
    CHECK_STR(f.last_attributes, "{\"filename\":\"x\"}");
    sl_journal_close(journal);
}

TEST(a_disk_that_fails_again_ends_it)
{
    folded f;
    sl_journal *journal = open_journal(sl_test_folder(), &f, 0);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    uint64_t seq = create(journal, 1, queue);
    wait_for(journal, seq);
    sl_vfs_fail_syncs(true);
    create(journal, 2, queue);
    sl_error error = {0};
    for (int i = 0; i < 60000 && !sl_journal_failure(journal, &error); i++) usleep(1000);
    CHECK(sl_journal_failure(journal, &error));
    sl_vfs_fail_syncs(false);
    uint64_t refused = create(journal, 3, queue);
    sl_journal_close(journal);
    CHECK(refused > seq);
    journal = open_journal(sl_test_folder(), &f, 0);
    CHECK_INT(f.events, 1);
    sl_journal_close(journal);
}

TEST(a_full_disk_is_waited_for)
{
    folded f;
    sl_journal *journal = open_journal(sl_test_folder(), &f, 5);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    uint64_t seq = create(journal, 1, queue);
    wait_for(journal, seq);
    sl_vfs_full(true);
    for (uint64_t id = 2; id <= 5; id++) create(journal, id, queue);
    for (int i = 0; i < 60000 && !sl_journal_stalled(journal); i++) usleep(1000);
    CHECK(sl_journal_stalled(journal));
    CHECK(!sl_journal_failure(journal, NULL));
    CHECK_INT(sl_journal_durable(journal), seq);
    sl_error error = {0};
    CHECK_INT(sl_journal_roll(journal, &error), 0); /* the next segment waits as well */
    sl_journal_checkpoint_end(journal);
    uint64_t last = create(journal, 6, queue);
    sl_vfs_full(false);
    wait_for(journal, last);
    CHECK(!sl_journal_stalled(journal));
    sl_vfs_full(true);
    create(journal, 7, queue);
    for (int i = 0; i < 60000 && !sl_journal_stalled(journal); i++) usleep(1000);
    sl_journal_give_up(journal);
    for (int i = 0; i < 60000 && !sl_journal_failure(journal, NULL); i++) usleep(1000);
    CHECK(sl_journal_failure(journal, &error));
    CHECK_INT(error.code, ENOSPC);
    sl_vfs_full(false);
    sl_journal_close(journal);
    CHECK_INT(sl_journal_inspect_whole(sl_test_folder(), &(sl_journal_fold){on_name, on_entry, on_event, (f = (folded){0}, &f)}, &error),
              0);
    CHECK_INT(f.events, 6);
}

TEST(a_checkpoint_that_fails_loses_nothing)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 10);
    uint32_t queue = sl_journal_name(journal, SL_STR("q"));
    uint64_t last = 0;
    for (int i = 0; i < 10; i++) last = create(journal, (uint64_t)i + 1, queue);
    wait_for(journal, last);
    sl_error error = {0};
    sl_vfs_fail_checkpoints(true);
    CHECK_INT(sl_journal_roll(journal, &error), 0);
    sl_journal_checkpoint_end(journal);
    wait_for(journal, create(journal, 11, queue));
    sl_journal_close(journal); /* waits for the sealer */
    sl_vfs_fail_checkpoints(false);
    CHECK_INT(sl_journal_inspect_whole(folder, &(sl_journal_fold){on_name, on_entry, on_event, (f = (folded){0}, &f)}, &error), 0);
    CHECK_INT(f.events, 11);
    /* The next start seals it. */
    journal = open_journal(folder, &f, 10);
    char *log = sl_asprintf("%s/000001.db-wal", folder);
    struct stat status = {.st_size = 1};
    for (int i = 0; i < 60000 && (stat(log, &status) == 0 && status.st_size); i++) usleep(1000);
    CHECK_INT(status.st_size, 0);
    free(log);
    sl_journal_close(journal);
    CHECK_INT(sl_journal_inspect_whole(folder, &(sl_journal_fold){on_name, on_entry, on_event, (f = (folded){0}, &f)}, &error), 0);
    CHECK_INT(f.events, 11);
}

TEST(sqlite3_can_read_a_segment)
{
    folded f;
    const char *folder = sl_test_folder();
    sl_journal *journal = open_journal(folder, &f, 0);
    uint32_t queue = sl_journal_name(journal, SL_STR("flow/a.success.b"));
    uint64_t seq = append(journal, SLUICE_CREATE, 1, 0, queue, "{}");
    append(journal, SLUICE_CREATE, 2, 0, queue, "{}");
    append(journal, SLUICE_DROP, 1, seq, 0, "");
    sl_journal_close(journal);
    char *path = sl_asprintf("%s/000001.db", folder);
    sqlite3 *db;
    sqlite3_stmt *rows;
    sqlite3_open(path, &db);
    CHECK_INT(sqlite3_prepare_v2(db, "SELECT flowfile, queue FROM fold", -1, &rows, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(rows), SQLITE_ROW);
    CHECK_INT(sqlite3_column_int(rows, 0), 2);
    CHECK_STR((const char *)sqlite3_column_text(rows, 1), "flow/a.success.b");
    CHECK_INT(sqlite3_step(rows), SQLITE_DONE);
    sqlite3_finalize(rows);
    CHECK_INT(sqlite3_prepare_v2(db, "SELECT type FROM provenance WHERE seq=3", -1, &rows, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(rows), SQLITE_ROW);
    CHECK_STR((const char *)sqlite3_column_text(rows, 0), "DROP");
    sqlite3_finalize(rows);
    sqlite3_close(db);
    free(path);
}
