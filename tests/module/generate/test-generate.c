/* generate-flowfile. */
#include "host.h"

TEST(makes_as_many_as_asked_and_then_no_more)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\ncount: 25\nbatch: 10\n");
    uint64_t waiting = 9;
    box_run(box);
    CHECK_INT(box_count(box, "success"), 25);
    CHECK(box_scanned(box, &waiting));
    CHECK_INT(waiting, 0);
    host_advance(host, 10 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 25);
    CHECK(box_yielded(box));
    CHECK_STR(item_event(box_item(box, "success", 0), 0), "CREATE");
    CHECK_INT(item_size(box_item(box, "success", 0)), 0);
    host_free(host);
}

TEST(goes_on_where_it_was_after_a_restart_and_a_lost_commit)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\ncount: 25\nbatch: 10\n");
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 10);
    box_restart(box);
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    box_restart(box);
    CHECK_INT(box_count(box, "success"), 10);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 25);
    host_free(host);
}

TEST(content_and_attributes_come_from_expressions)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\ncount: 2\nattributes: {filename: '${uuid}.txt', fixed: x}\n"
                             "content: 'for ${filename} (${fixed})'\n");
    box_run(box);
    item *first = box_item(box, "success", 0), *second = box_item(box, "success", 1);
    char expected[128];
    snprintf(expected, sizeof expected, "for %s (x)", item_attribute(first, "filename"));
    CHECK_STR(item_text(first), expected);
    CHECK_INT(strlen(item_attribute(first, "filename")), 40);
    CHECK(strcmp(item_attribute(first, "filename"), item_attribute(second, "filename")) != 0);
    host_free(host);
}

TEST(random_data_has_its_size_and_differs)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\ncount: 2\nsize: 300001\n");
    box_run(box);
    item *first = box_item(box, "success", 0), *second = box_item(box, "success", 1);
    CHECK_INT(item_size(first), 300001);
    CHECK_INT(item_size(second), 300001);
    CHECK(memcmp(item_text(first), item_text(second), 300001) != 0);
    host_free(host);
}

TEST(text_is_lines_of_letters)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\ncount: 1\nsize: 1000\ndata: text\n");
    box_run(box);
    const char *text = item_text(box_item(box, "success", 0));
    int lines = 0, others = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n', others += *c != '\n' && (*c < ' ' || *c > '~');
    CHECK_INT(strlen(text), 1000);
    CHECK_INT(lines, 12);
    CHECK_INT(others, 0);
    host_free(host);
}

TEST(without_a_count_it_never_ends)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\nbatch: 1000\n");
    uint64_t waiting;
    for (int i = 0; i < 3; i++) CHECK(box_trigger(box));
    CHECK_INT(box_count(box, "success"), 3000);
    CHECK(!box_scanned(box, &waiting));
    CHECK(!box_yielded(box));
    host_free(host);
}

TEST(an_expression_that_fails_pauses_it_and_makes_nothing)
{
    host *host = host_new("generate");
    box *box =
        box_new(host, "type: generate-flowfile\ncount: 3\nattributes: {a: \"${uuid:matches(${uuid:substring(0, 0):append('(')})}\"}\n");
    box_trigger(box);
    CHECK(box_paused(box));
    CHECK_INT(box_failure(box)->class_, SLUICE_CONFIGURATION);
    CHECK_INT(box_count(box, "success"), 0);
    CHECK(!box_state(box, "made"));
    host_free(host);
}

TEST(a_full_disk_is_waited_for_and_the_count_stays_right)
{
    host *host = host_new("generate");
    box *box = box_new(host, "type: generate-flowfile\ncount: 3\nbatch: 3\ncontent: x\n");
    host_fail(host, HOST_CLOSE, 1, SLUICE_TRANSIENT, "ENOSPC", "the disk is full");
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_STR(box_failure(box)->code, "ENOSPC");
    host_advance(host, 10 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 3);
    host_free(host);
}

TEST(content_is_said_once)
{
    host *host = host_new("generate");
    sl_buf said = SL_BUF(10000);
    CHECK(box_refused(host, "type: generate-flowfile\ncontent: x\nsize: 5\n", &said));
    CHECK(box_refused(host, "type: generate-flowfile\ncount: 0\n", &said));
    sl_buf_done(&said);
    host_free(host);
}
