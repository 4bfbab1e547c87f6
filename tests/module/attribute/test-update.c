/* update-attribute. */
#include "host.h"

static item *update(host *host, const char *yaml, const char *relationship)
{
    box *box = box_new(host, yaml);
    box_feed(box, "x", "a", "1", "b", "2", "file.owner", "root", "filename", "A.TXT", "bad", "(", NULL);
    box_run(box);
    return box_item(box, relationship, 0);
}

TEST(sets_attributes_and_tells_it)
{
    host *host = host_new("attribute");
    item *out = update(host, "type: update-attribute\nattributes: {filename: '${filename:toLower()}', new: plain, empty: ''}\n", "success");
    CHECK_STR(item_attribute(out, "filename"), "a.txt");
    CHECK_STR(item_attribute(out, "new"), "plain");
    CHECK_STR(item_attribute(out, "empty"), "");
    CHECK_STR(item_attribute(out, "a"), "1");
    CHECK_STR(item_event(out, 0), "ATTRIBUTES_MODIFIED");
    CHECK(!item_event(out, 1));
    CHECK_STR(item_text(out), "x");
    host_free(host);
}

TEST(every_expression_sees_the_attributes_as_they_were)
{
    host *host = host_new("attribute");
    item *out = update(host, "type: update-attribute\nattributes: {a: '${b}', b: '${a}', c: '${c}'}\n", "success");
    CHECK_STR(item_attribute(out, "a"), "2");
    CHECK_STR(item_attribute(out, "b"), "1");
    CHECK_STR(item_attribute(out, "c"), "");
    host_free(host);
}

TEST(deletes_whole_names_but_not_what_it_sets)
{
    host *host = host_new("attribute");
    item *out = update(host, "type: update-attribute\nattributes: {file.group: staff}\ndelete: 'file\\..*|b|fil'\n", "success");
    CHECK(!item_attribute(out, "file.owner"));
    CHECK_STR(item_attribute(out, "file.group"), "staff");
    CHECK(!item_attribute(out, "b"));
    CHECK_STR(item_attribute(out, "filename"), "A.TXT");
    CHECK_STR(item_attribute(out, "a"), "1");
    host_free(host);
}

TEST(uuid_stays_whatever_delete_says)
{
    host *host = host_new("attribute");
    item *out = update(host, "type: update-attribute\ndelete: '.*'\n", "success");
    CHECK(!item_attribute(out, "a") && !item_attribute(out, "filename"));
    const char *uuid = item_attribute(out, "uuid");
    CHECK(!uuid || strlen(uuid) == 36);
    host_free(host);
}

TEST(an_expression_that_fails_changes_nothing)
{
    host *host = host_new("attribute");
    item *out =
        update(host, "type: update-attribute\nattributes: {a: changed, b: '${filename:matches(${bad})}'}\ndelete: file.owner\n", "failure");
    CHECK_STR(item_attribute(out, "a"), "1");
    CHECK_STR(item_attribute(out, "b"), "2");
    CHECK_STR(item_attribute(out, "file.owner"), "root");
    CHECK_STR(item_attribute(out, "error.class"), "permanent");
    CHECK(item_attribute(out, "error.message"));
    host_free(host);
}

TEST(takes_many_in_one_session)
{
    host *host = host_new("attribute");
    box *box = box_new(host, "type: update-attribute\nattributes: {n: '${i}0'}\n");
    char number[16];
    for (int i = 0; i < 100; i++) {
        snprintf(number, sizeof number, "%d", i);
        box_feed(box, "", "i", number, NULL);
    }
    CHECK(box_trigger(box));
    CHECK_INT(box_count(box, "success"), 100);
    CHECK_STR(item_attribute(box_item(box, "success", 99), "n"), "990");
    host_free(host);
}

TEST(refuses_what_cannot_be)
{
    host *host = host_new("attribute");
    sl_buf said = SL_BUF(10000);
    CHECK(box_refused(host, "type: update-attribute\nattributes: {uuid: x}\n", &said));
    CHECK(said.data && strstr(said.data, "uuid"));
    CHECK(box_refused(host, "type: update-attribute\ndelete: '('\n", &said));
    CHECK(box_refused(host, "type: update-attribute\nattributes: {a: '${a:nosuchfunction()}'}\n", &said));
    sl_buf_done(&said);
    host_free(host);
}
