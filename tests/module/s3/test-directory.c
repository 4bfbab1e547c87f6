/* put-s3 to a file:// endpoint. */
#include "host.h"

#include <sys/stat.h>

#include "base/sys.h"

static host *bed(void)
{
    host *host = host_new("s3");
    char service[512];
    snprintf(service, sizeof service, "type: s3\nendpoint: file://%s/new/store\n", sl_test_folder());
    host_service(host, "store", service);
    return host;
}

static box *putter(host *host, const char *more)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, "type: put-s3\nservice: store\nbucket: media\nkey: \"${path}${filename}\"\n%s", more);
    return box_new(host, yaml);
}

static void check_file(const char *name, const char *expected)
{
    char *path = sl_asprintf("%s/new/store/%s", sl_test_folder(), name);
    sl_buf text = SL_BUF(1 << 20);
    sl_error error;
    if (sl_read_file(path, 1 << 20, &text, &error) != 0) sl_buf_text(&text, "(none)");
    char *found = sl_buf_take(&text);
    CHECK_STR(found, expected);
    free(found), free(path);
}

TEST(an_object_is_a_file)
{
    host *host = bed();
    box *box = putter(host, "");
    box_feed(box, "hello", "path", "in/here/", "filename", "a b.txt", "mime.type", "text/plain", NULL);
    box_feed(box, "", "path", "", "filename", "empty", NULL);
    box_run(box);
    check_file("media/in/here/a b.txt", "hello");
    check_file("media/empty", "");
    CHECK_INT(box_count(box, "success"), 2);
    item *out = box_item(box, "success", 0);
    char *url = sl_asprintf("file://%s/new/store/media/in/here/a%%20b.txt", sl_test_folder());
    CHECK_STR(item_attribute(out, "s3.url"), url);
    CHECK_STR(item_uri(out, 0), url);
    CHECK_STR(item_event(out, 0), "SEND");
    CHECK_STR(item_attribute(out, "s3.etag"), "5d41402abc4b2a76b9719d911017c592");
    CHECK_STR(item_md5(out), "5d41402abc4b2a76b9719d911017c592");
    CHECK_STR(item_sha256(out), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    free(url);
    host_free(host);
}

TEST(what_cannot_be_a_file_leaves_by_failure)
{
    host *host = bed();
    box *box = putter(host, "");
    box_feed(box, "x", "path", "../", "filename", "up", NULL);
    box_feed(box, "x", "path", "", "filename", "a", NULL);
    box_feed(box, "x", "path", "a/", "filename", "b", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(box_count(box, "failure"), 2);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "s3.errorCode"), "InvalidKey");
    CHECK_STR(item_attribute(box_item(box, "failure", 1), "s3.errorCode"), "ENOTDIR");
    CHECK(item_attribute(box_item(box, "failure", 1), "s3.statusCode") == NULL);
    host_free(host);
}

TEST(if_exists)
{
    static const struct {
        const char *yaml, *out, *content;
    } ways[] = {{"if_exists: replace\n", "success", "second"},
                {"if_exists: skip\n", "success", "first"},
                {"if_exists: fail\n", "failure", "first"}};
    for (size_t i = 0; i < SL_COUNT(ways); i++) {
        host *host = bed();
        char name[] = "k?";
        name[1] = (char)('0' + i);
        box *first = putter(host, ""), *second = putter(host, ways[i].yaml);
        box_feed(first, "first", "path", "", "filename", name, NULL);
        box_run(first);
        box_feed(second, "second", "path", "", "filename", name, NULL);
        box_run(second);
        CHECK_INT(box_count(second, ways[i].out), 1);
        char object[32];
        snprintf(object, sizeof object, "media/%s", name);
        check_file(object, ways[i].content);
        host_free(host);
    }
}

TEST(a_restart_after_the_delivery_does_not_collide_with_itself)
{
    host *host = bed();
    box *box = putter(host, "if_exists: fail\n");
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_feed(box, "hello", "path", "", "filename", "k", NULL);
    box_trigger(box);
    host_settle(host);
    check_file("media/k", "hello");
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

TEST(a_directory_that_cannot_be_pauses)
{
    host *host = host_new("s3");
    char service[512], *path = sl_asprintf("%s/file", sl_test_folder());
    sl_error error;
    CHECK_INT(sl_write_file_durably(path, SL_STR("x"), 0600, &error), 0);
    snprintf(service, sizeof service, "type: s3\nendpoint: file://%s\n", path);
    host_service(host, "store", service);
    box *box = putter(host, "");
    box_feed(box, "x", "path", "", "filename", "k", NULL);
    box_run(box);
    CHECK(box_paused(box));
    CHECK_INT(box_failure(box)->class_, SLUICE_CONFIGURATION);
    CHECK_INT(box_queued(box), 1);
    free(path);
    host_free(host);
}
