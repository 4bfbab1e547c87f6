/* log-attribute. */
#include "host.h"

TEST(writes_one_line_that_no_value_can_forge)
{
    host *host = host_new("attribute");
    box *box = box_new(host, "type: log-attribute\nprefix: 'seen ${filename}'\n");
    box_feed(box, "x", "filename", "a.txt", "evil", "1\n2 \"3\" \x1b[31m \xff \xc2\x9b end", NULL);
    box_run(box);
    CHECK(host_logged(host, "seen a.txt uuid=\""));
    CHECK(host_logged(host, "filename=\"a.txt\""));
    CHECK(host_logged(host, "evil=\"1\\n2 \\\"3\\\" \\x1b[31m \\xff \\xc2\\x9b end\""));
    item *out = box_item(box, "success", 0);
    CHECK_STR(item_event(out, 0), "TRANSFER");
    host_free(host);
}

TEST(shows_only_what_is_asked_for)
{
    host *host = host_new("attribute");
    box *box = box_new(host, "type: log-attribute\ninclude: 'file.*'\nexclude: 'file\\..*'\n");
    box_feed(box, "x", "filename", "a.txt", "file.owner", "root", "other", "hidden-value", NULL);
    box_run(box);
    CHECK(host_logged(host, "filename="));
    CHECK(!host_logged(host, "root"));
    CHECK(!host_logged(host, "hidden-value"));
    CHECK(!host_logged(host, "payload"));
    host_free(host);
}

TEST(shows_the_beginning_of_the_content)
{
    host *host = host_new("attribute");
    box *box = box_new(host, "type: log-attribute\npayload: true\npayload_limit: 5\n");
    box_feed(box, "ab\ncdefgh", "filename", "a.txt", NULL);
    box_run(box);
    CHECK(host_logged(host, "payload=\"ab\\ncd\""));
    host_free(host);
}

TEST(content_that_cannot_be_read_is_told_and_goes_on)
{
    host *host = host_new("attribute");
    box *box = box_new(host, "type: log-attribute\npayload: true\n");
    box_feed(box, "x", NULL);
    host_fail(host, HOST_READ, 0, SLUICE_PERMANENT, "ENOENT", "the bytes are gone");
    box_run(box);
    CHECK(host_logged(host, "payload unreadable: \"the bytes are gone\""));
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

TEST(a_line_has_an_end)
{
    host *host = host_new("attribute");
    box *box = box_new(host, "type: log-attribute\n");
    char *huge = sl_alloc(100001);
    memset(huge, 'h', 100000);
    huge[100000] = 0;
    box_feed(box, "x", "filename", "a.txt", "huge", huge, NULL);
    box_run(box);
    CHECK(host_logged(host, " ..."));
    CHECK(!host_logged(host, "hhhhh\""));
    CHECK_INT(box_count(box, "success"), 1);
    free(huge);
    host_free(host);
}
