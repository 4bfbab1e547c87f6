/* The fold of a state that is only looked at, and that it is the same from the newest checkpoint and from the beginning. */
#include "test.h"

#include <stdio.h>

#include "cli/state.h"

static sl_journal *open_journal(const char *state)
{
    char *folder = sl_asprintf("%s/journal", state);
    sl_journal_options options = {.folder = folder};
    sl_journal *journal = NULL;
    CHECK_INT(sl_journal_open(&options, &journal, NULL), 0);
    free(folder);
    return journal;
}

static uint64_t append(sl_journal *journal, unsigned type, uint64_t flowfile, uint64_t previous, uint32_t queue)
{
    sl_batch *batch = sl_batch_new();
    sl_event *event = sl_batch_add(batch);
    *event = (sl_event){.type = type, .time = (int64_t)flowfile * 1000, .flowfile = flowfile, .previous = previous, .queue = queue};
    event->whole = !previous;
    event->entered = 5;
    event->retries = type == SL_EVENT_RETRY ? 3 : 0;
    event->attributes = SL_STR("{}");
    return sl_journal_append(journal, batch);
}

TEST(flowfiles_are_where_their_events_say)
{
    const char *state = sl_test_folder();
    sl_fold fold;
    sl_journal *journal = open_journal(state);
    uint32_t a = sl_journal_name(journal, SL_STR("f/a")), b = sl_journal_name(journal, SL_STR("f/b"));
    uint64_t first = append(journal, SLUICE_CREATE, 1, 0, a);
    uint64_t second = append(journal, SLUICE_CREATE, 2, 0, a);
    append(journal, SLUICE_DROP, 2, second, 0);
    uint64_t moved = append(journal, SLUICE_TRANSFER, 1, first, b);
    uint64_t retried = append(journal, SL_EVENT_RETRY, 1, moved, SL_QUEUE_SAME);
    append(journal, SL_EVENT_PROGRESS, 9, 0, SL_QUEUE_SAME); /* of one that is gone */
    sl_journal_close(journal);
    CHECK_INT(sl_fold_read(state, false, &fold, NULL), 0);
    CHECK_INT(fold.count, 1);
    CHECK_INT(fold.events, 6);
    CHECK(!sl_fold_find(&fold, 2));
    CHECK(!sl_fold_find(&fold, 9));
    const sl_folded *one = sl_fold_find(&fold, 1);
    CHECK(one != NULL);
    if (one) {
        CHECK_STR(sl_fold_name(&fold, one->queue), "f/b");
        CHECK_INT(one->seq, retried);
        CHECK_INT(one->moved, moved);
        CHECK_INT(one->retries, 3);
        CHECK_INT(one->entered, 5);
    }
    CHECK_STR(sl_fold_name(&fold, 4711), "?");
    sl_fold_done(&fold);
}

/* Many come and go, so that the table grows and its gaps are closed. */
TEST(the_fold_is_the_same_from_a_checkpoint_and_from_the_beginning)
{
    enum { MANY = 5000 };
    const char *state = sl_test_folder();
    sl_fold now, whole;
    sl_error error = {0};
    sl_journal *journal = open_journal(state);
    uint32_t queue = sl_journal_name(journal, SL_STR("f/q"));
    uint64_t *seqs = sl_alloc((MANY + 1) * sizeof *seqs);
    for (uint64_t id = 1; id <= MANY; id++) seqs[id] = append(journal, SLUICE_CREATE, id, 0, queue);
    for (uint64_t id = 1; id <= MANY; id++)
        if (id % 3) append(journal, SLUICE_DROP, id, seqs[id], 0);
    CHECK_INT(sl_journal_roll(journal, &error), 0);
    for (uint64_t id = 3; id <= MANY; id += 3) {
        sl_checkpoint_entry entry = {.flowfile = id, .seq = seqs[id], .moved = seqs[id], .segment = 1, .queue = queue};
        sl_journal_checkpoint_add(journal, &entry, 1);
    }
    append(journal, SLUICE_CREATE, MANY + 1, 0, queue);
    sl_journal_checkpoint_end(journal);
    sl_journal_close(journal);
    free(seqs);
    CHECK_INT(sl_fold_read(state, false, &now, &error), 0);
    CHECK_INT(sl_fold_read(state, true, &whole, &error), 0);
    CHECK_INT(now.count, MANY / 3 + 1);
    CHECK_INT(now.entries, MANY / 3);
    CHECK_INT(now.events, 1);
    CHECK_INT(whole.entries, 0);
    CHECK_INT(whole.count, now.count);
    size_t same = 0;
    SL_FOLD_EACH(&now, folded)
    {
        const sl_folded *other = sl_fold_find(&whole, folded->flowfile);
        same += other && other->seq == folded->seq && other->queue == folded->queue;
    }
    CHECK_INT(same, now.count);
    sl_fold_done(&now);
    sl_fold_done(&whole);
}

TEST(whether_a_process_has_the_state)
{
    const char *state = sl_test_folder();
    sl_error error = {0};
    bool held = true;
    CHECK_INT(sl_state_held(state, &held, &error), -1);
    CHECK(strstr(error.text, "is no state folder") != NULL);
    sl_journal *journal = open_journal(state);
    CHECK_INT(sl_state_held(state, &held, &error), 0);
    CHECK(held);
    sl_journal_close(journal);
    CHECK_INT(sl_state_held(state, &held, &error), 0);
    CHECK(!held);
    uint32_t node;
    CHECK_INT(sl_state_node(state, &node, &error), -1);
    CHECK(strstr(error.text, "is no state folder") != NULL);
}
