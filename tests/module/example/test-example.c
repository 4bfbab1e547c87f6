/* The example processor, tested as docs/writing-a-processor.md says. */
#include "host.h"

static const char *count_lines(const char *text)
{
    host *host = host_new("example");
    box *box = box_new(host, "type: example\n");
    static char found[32];
    box_feed(box, text, "filename", "a.txt", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    const char *lines = item_attribute(box_item(box, "success", 0), "line.count");
    snprintf(found, sizeof found, "%s", lines ? lines : "(none)");
    host_free(host);
    return found;
}

TEST(counts_lines)
{
    CHECK_STR(count_lines("one\ntwo\n"), "2");
    CHECK_STR(count_lines("one\ntwo"), "2");
    CHECK_STR(count_lines("\n\n"), "2");
    CHECK_STR(count_lines(""), "0");
}

TEST(reads_content_of_any_size_and_leaves_it_as_it_is)
{
    host *host = host_new("example");
    box *box = box_new(host, "type: example\nattribute: n\n");
    size_t size = 5000000;
    char *text = sl_alloc(size);
    for (size_t i = 0; i < size; i++) text[i] = i % 10 == 9 ? '\n' : 'x';
    box_feed_bytes(box, text, size, "filename", "large.txt", NULL);
    box_run(box);
    item *out = box_item(box, "success", 0);
    CHECK_STR(item_attribute(out, "n"), "500000");
    CHECK_STR(item_attribute(out, "filename"), "large.txt");
    CHECK_INT(item_size(out), size);
    CHECK_STR(item_event(out, 0), "ATTRIBUTES_MODIFIED");
    free(text);
    host_free(host);
}

TEST(a_failure_to_read_is_passed_on_with_its_class)
{
    host *host = host_new("example");
    box *box = box_new(host, "type: example\n");
    box_feed(box, "one\n", NULL);
    host_fail(host, HOST_READ, 0, SLUICE_TRANSIENT, "EIO", "the disk does not answer");
    box_run(box);
    CHECK_INT(box_queued(box), 1);
    CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
    host_advance(host, 2 * SL_SECOND);
    host_fail(host, HOST_READ, 0, SLUICE_PERMANENT, "ENOENT", "the file is gone");
    box_run(box);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.code"), "ENOENT");
    host_free(host);
}

TEST(a_lost_commit_leaves_the_flowfile_queued)
{
    host *host = host_new("example");
    box *box = box_new(host, "type: example\n");
    box_feed(box, "one\n", NULL);
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    box_restart(box);
    CHECK_INT(box_queued(box), 1);
    box_run(box);
    CHECK_STR(item_attribute(box_item(box, "success", 0), "line.count"), "1");
    host_free(host);
}

TEST(refuses_a_property_that_it_does_not_have)
{
    host *host = host_new("example");
    sl_buf said = SL_BUF(10000);
    CHECK(box_refused(host, "type: example\nattribut: x\n", &said));
    CHECK(said.data && strstr(said.data, "2:1") && strstr(said.data, "attribute"));
    sl_buf_done(&said);
    host_free(host);
}
