/* Searches by an index against searches by scanning: the same question must have the same answer, whether the segment
 * is open (marks), full (a file), or its file is damaged. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/index.h"
#include "journal/journal.h"
#include "journal/reader.h"

enum { NODE = 7, SEGMENT = 1000, FLOWFILES = 100, COMPONENTS = 5 };

typedef struct rig {
    sl_journal *journal;
    sl_reader *indexed, *scanning;
    uint32_t components[COMPONENTS], queue;
    uint64_t last[FLOWFILES]; /* seq of the FlowFile's last event */
    uint32_t segment[FLOWFILES];
    uint64_t next_flowfile;
    unsigned seed;
} rig;

static unsigned dice(rig *r, unsigned sides)
{
    r->seed = r->seed * 1103515245u + 12345u;
    return (r->seed >> 12) % sides;
}

static void open_rig(rig *r, uint64_t segment_events)
{
    sl_error error = {0};
    sl_journal_options options = {.folder = sl_test_folder(), .segment_events = segment_events};
    if (sl_journal_open(&options, &r->journal, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text), exit(1);
    for (int i = 0; i < COMPONENTS; i++) {
        char name[32];
        snprintf(name, sizeof name, i < 3 ? "one/c%d" : "two/c%d", i % 3);
        r->components[i] = sl_journal_name(r->journal, sl_str_of(name));
    }
    r->queue = sl_journal_name(r->journal, SL_STR("one/c0.success.c1"));
    CHECK_INT(sl_reader_open(sl_test_folder(), NODE, &r->indexed, &error), 0);
    CHECK_INT(sl_reader_open(sl_test_folder(), NODE, &r->scanning, &error), 0);
    r->scanning->scans = true;
    sl_reader_follow(r->indexed, r->journal);
}

static void close_rig(rig *r)
{
    sl_reader_close(r->indexed);
    sl_reader_close(r->scanning);
    sl_journal_close(r->journal);
}

static void add_event(rig *r, sl_batch *batch, unsigned at, uint64_t seq)
{
    sl_event *event = sl_batch_add(batch);
    bool here = r->last[at] && r->segment[at] == sl_journal_segment(r->journal);
    event->flowfile = at + 1;
    event->time = (int64_t)seq * 1000;
    event->type = here ? SLUICE_ATTRIBUTES_MODIFIED : SLUICE_CREATE;
    event->whole = !here;
    event->entered = event->whole ? (int64_t)(at + 1) * 1000 : 0;
    event->previous = here ? r->last[at] : 0;
    event->component = r->components[dice(r, COMPONENTS)];
    if (dice(r, 50) == 0) event->component = 0, event->queue = r->queue;
    if (!here || dice(r, 4) == 0)
        event->attributes = sl_arena_str(
            &batch->arena, sl_str_of(sl_arena_printf(&batch->arena, "{\"filename\":\"f\\\"%u\",\"n\":\"%u\"}", dice(r, 40), dice(r, 5))));
    if (!here && dice(r, 3) == 0)
        event->parents = sl_arena_str(&batch->arena, sl_str_of(sl_arena_printf(&batch->arena, "[%u]", at / 2 + 1)));
    r->last[at] = seq;
    r->segment[at] = sl_journal_segment(r->journal);
}

static void write_events(rig *r, unsigned count)
{
    while (count) {
        sl_batch *batch = sl_batch_new();
        for (unsigned i = 0; i < 50 && count; i++, count--)
            add_event(r, batch, dice(r, FLOWFILES), sl_journal_next(r->journal) + batch->count);
        sl_journal_append(r->journal, batch);
        if (!sl_journal_full(r->journal)) continue;
        CHECK_INT(sl_journal_roll(r->journal, NULL), 0);
        sl_journal_checkpoint_end(r->journal);
    }
    while (sl_journal_durable(r->journal) + 1 < sl_journal_next(r->journal)) usleep(500);
}

static char *ask(sl_reader *reader, const sl_query *query)
{
    sl_buf text = SL_BUF(64 << 20);
    sl_error error = {0};
    if (sl_query_events(reader, query, &text, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text);
    return sl_buf_take(&text);
}

/* Page after page until the end; pages may end elsewhere, events may not differ. */
static char *ask_all(sl_reader *reader, sl_query query)
{
    sl_buf all = SL_BUF(256 << 20);
    for (bool more = true; more;) {
        char *text = ask(reader, &query), *cursor = strstr(text, "],\"cursor\":\"");
        char *end = strstr(text, "],\"cursor\"");
        sl_buf_add(&all, text + 11, (size_t)(end - text - 11));
        if (end > text + 11) sl_buf_char(&all, ',');
        more = cursor != NULL;
        if (more) query.cursor = strtoull(cursor + 12, NULL, 10);
        free(text);
    }
    return sl_buf_take(&all);
}

static sl_query make_query(rig *r, char *filename)
{
    static const char *const components[] = {"one/c1", "c2", "two/c0", "none"};
    sl_query query = {.limit = 1 + dice(r, 300), .ascending = dice(r, 2), .internal = dice(r, 2)};
    snprintf(filename, 32, "f\"%u", dice(r, 42));
    unsigned kind = dice(r, 5);
    if (kind == 0 || kind == 4) query.flowfile = 1 + dice(r, FLOWFILES + 3);
    if (kind == 1 || kind == 4) query.component = sl_str_of(components[dice(r, 4)]);
    if (kind == 2) query.flow = dice(r, 2) ? SL_STR("one") : SL_STR("two");
    if (kind == 3) query.filename = sl_str_of(filename);
    if (dice(r, 4) == 0) query.type = SLUICE_CREATE;
    if (dice(r, 5) == 0) query.from = (int64_t)dice(r, 8000) * 1000;
    return query;
}

static void compare(rig *r, unsigned questions)
{
    static const sl_str names[] = {{"n", 1}}, values[] = {{"3", 1}};
    for (unsigned i = 0; i < questions; i++) {
        char filename[32];
        sl_query query = make_query(r, filename);
        if (dice(r, 6) == 0) query.attribute_names = names, query.attribute_values = values, query.attribute_count = 1;
        char *expected = ask_all(r->scanning, query), *found = ask_all(r->indexed, query);
        if (strcmp(expected, found) != 0)
            sl_test_failed(__FILE__, __LINE__, "question %u: by scanning %.300s\n by the index %.300s", i, expected, found);
        free(expected);
        free(found);
    }
}

static char *index_path(uint32_t segment) { return sl_asprintf("%s/%06u.idx", sl_test_folder(), segment); }

static void wait_for_index(uint32_t segment)
{
    char *path = index_path(segment);
    struct stat status;
    for (int i = 0; i < 60000 && stat(path, &status) < 0; i++) usleep(1000);
    CHECK_INT(stat(path, &status), 0);
    free(path);
}

TEST(marks_answer_as_a_scan_does)
{
    rig r = {.seed = 1};
    open_rig(&r, 0);
    write_events(&r, 2000);
    compare(&r, 40);
    write_events(&r, 500);
    compare(&r, 25);
    CHECK(r.indexed->segments[0].marked);
    close_rig(&r);
}

TEST(files_and_marks_answer_as_a_scan_does)
{
    rig r = {.seed = 2};
    open_rig(&r, SEGMENT);
    write_events(&r, SEGMENT * 3);
    for (uint32_t segment = 1; segment < sl_journal_segment(r.journal); segment++) wait_for_index(segment);
    compare(&r, 40);
    CHECK(r.indexed->segments[0].index && !r.indexed->segments[0].marked);
    close_rig(&r);
    /* A later process: files where they are, marks from the recovery's fold. */
    rig again = {.seed = 3};
    open_rig(&again, SEGMENT);
    compare(&again, 30);
    write_events(&again, 100);
    compare(&again, 15);
    close_rig(&again);
}

TEST(lineage_by_the_index_is_that_of_a_scan)
{
    rig r = {.seed = 4};
    open_rig(&r, SEGMENT);
    write_events(&r, SEGMENT * 2);
    for (uint64_t id = 1; id < 20; id++) {
        sl_buf expected = SL_BUF(64 << 20), found = SL_BUF(64 << 20);
        CHECK_INT(sl_query_lineage(r.scanning, id, &expected, NULL), 0);
        CHECK_INT(sl_query_lineage(r.indexed, id, &found, NULL), 0);
        CHECK_STR(found.data, expected.data);
        sl_buf_done(&expected);
        sl_buf_done(&found);
    }
    close_rig(&r);
}

TEST(a_missing_index_is_made_at_the_next_start)
{
    rig r = {.seed = 5};
    open_rig(&r, SEGMENT);
    write_events(&r, SEGMENT + 300);
    wait_for_index(1);
    close_rig(&r);
    char *path = index_path(1);
    CHECK_INT(unlink(path), 0);
    free(path);
    rig again = {.seed = 6};
    open_rig(&again, SEGMENT);
    wait_for_index(1);
    compare(&again, 15);
    close_rig(&again);
}

static void flip(const char *path, long at)
{
    unsigned char byte = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK_INT(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    CHECK_INT(pwrite(fd, &byte, 1, at), 1);
    CHECK_INT(close(fd), 0);
}

TEST(a_damaged_index_costs_time_not_answers)
{
    rig r = {.seed = 7};
    open_rig(&r, SEGMENT);
    write_events(&r, SEGMENT + 300);
    wait_for_index(1);
    close_rig(&r);
    char *path = index_path(1);
    struct stat status;
    CHECK_INT(stat(path, &status), 0);
    for (long at = 4096 + 100; at < status.st_size; at += 4096) flip(path, at); /* every block but the head */
    rig again = {.seed = 8};
    open_rig(&again, SEGMENT);
    compare(&again, 15);
    wait_for_index(1); /* asked for by who found it */
    compare(&again, 15);
    close_rig(&again);
    flip(path, 20); /* the head: the next start sees it by itself */
    rig third = {.seed = 9};
    open_rig(&third, SEGMENT);
    compare(&third, 15);
    close_rig(&third);
    free(path);
}
