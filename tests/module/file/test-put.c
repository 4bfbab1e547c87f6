/* put-file: where files go, what is in the way, and what can never be. */
#include <sys/stat.h>
#include <unistd.h>

#include "folders.h"
#include "host.h"

static box *put(host *host, const char *directory, const char *more)
{
    char *yaml = sl_asprintf("type: put-file\ndirectory: '%s'\n%s", at(directory), more);
    box *box = box_new(host, yaml);
    free(yaml);
    return box;
}

static void check_failed(box *box, const char *code)
{
    CHECK_INT(box_count(box, "success"), 0);
    item *out = box_item(box, "failure", 0);
    CHECK_STR(item_attribute(out, "error.class"), "permanent");
    CHECK_STR(item_attribute(out, "error.code"), code);
}

TEST(writes_a_file_into_folders_that_it_makes)
{
    host *host = host_new("file");
    box *box = put(host, "out/${path}", "");
    box_feed(box, "hello", "filename", "a b.txt", "path", "x/y/", NULL);
    box_run(box);
    item *out = box_item(box, "success", 0);
    char *uri = sl_asprintf("file://%s/out/x/y/a%%20b.txt", sl_test_folder());
    CHECK_STR(text_of("out/x/y/a b.txt"), "hello");
    CHECK_INT(count_in("out/x/y"), 1);
    CHECK_STR(item_event(out, 0), "SEND");
    CHECK_STR(item_uri(out, 0), uri);
    CHECK_STR(item_sha256(out), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    CHECK_STR(item_attribute(out, "filename"), "a b.txt");
    free(uri);
    host_free(host);
}

TEST(content_of_any_size)
{
    host *host = host_new("file");
    box *box = put(host, "out", "");
    char *large = sl_alloc(3000000);
    memset(large, 'L', 3000000);
    box_feed_bytes(box, large, 3000000, "filename", "large", NULL);
    box_feed(box, "", "filename", "empty", NULL);
    box_run(box);
    struct stat status;
    CHECK_INT(box_count(box, "success"), 2);
    CHECK(stat(at("out/large"), &status) == 0 && status.st_size == 3000000);
    CHECK(stat(at("out/empty"), &status) == 0 && status.st_size == 0);
    free(large);
    host_free(host);
}

TEST(without_a_filename_it_is_the_uuid)
{
    host *host = host_new("file");
    box *box = put(host, "out", "");
    box_feed(box, "x", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(count_in("out"), 1);
    host_free(host);
}

/* ---- a file in the way ---------------------------------------------------------------------------------------- */

TEST(fail_keeps_the_old_one)
{
    host *host = host_new("file");
    make_file("out/a", "old");
    box *box = put(host, "out", "");
    box_feed(box, "new", "filename", "a", NULL);
    box_run(box);
    check_failed(box, "EEXIST");
    CHECK_STR(text_of("out/a"), "old");
    CHECK_INT(count_in("out"), 1);
    host_free(host);
}

TEST(replace_replaces)
{
    host *host = host_new("file");
    make_file("out/a", "old");
    box *box = put(host, "out", "conflict: replace\n");
    box_feed(box, "new", "filename", "a", NULL);
    box_feed(box, "newer", "filename", "a", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(text_of("out/a"), "newer");
    CHECK_INT(count_in("out"), 1);
    host_free(host);
}

TEST(rename_finds_a_free_name_and_tells_it)
{
    host *host = host_new("file");
    make_file("out/clip.mp4", "old");
    make_file("out/clip-1.mp4", "older");
    box *box = put(host, "out", "conflict: rename\n");
    box_feed(box, "new", "filename", "clip.mp4", NULL);
    box_run(box);
    item *out = box_item(box, "success", 0);
    CHECK_STR(text_of("out/clip-2.mp4"), "new");
    CHECK_STR(item_attribute(out, "filename"), "clip-2.mp4");
    CHECK(strstr(item_uri(out, 0), "out/clip-2.mp4"));
    CHECK_INT(count_in("out"), 3);
    host_free(host);
}

TEST(ignore_lets_the_old_one_stand)
{
    host *host = host_new("file");
    make_file("out/a", "old");
    box *box = put(host, "out", "conflict: ignore\n");
    box_feed(box, "new", "filename", "a", NULL);
    box_feed(box, "other", "filename", "b", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(text_of("out/a"), "old");
    CHECK_STR(item_event(box_item(box, "success", 0), 0), "ADDINFO");
    CHECK_STR(item_details(box_item(box, "success", 0), 0), "{\"skipped\":\"exists\"}");
    CHECK_STR(item_event(box_item(box, "success", 1), 0), "SEND");
    CHECK_INT(count_in("out"), 2);
    host_free(host);
}

TEST(a_folder_in_the_way_is_not_replaced)
{
    host *host = host_new("file");
    make_file("out/a/inside", "old");
    box *box = put(host, "out", "conflict: replace\n");
    box_feed(box, "new", "filename", "a", NULL);
    box_run(box);
    check_failed(box, "EISDIR");
    CHECK_STR(text_of("out/a/inside"), "old");
    CHECK_INT(count_in("out"), 1);
    host_free(host);
}

TEST(a_link_in_the_way_is_replaced_itself_not_what_it_names)
{
    host *host = host_new("file");
    make_file("target", "outside");
    make_folder("out");
    CHECK_INT(symlink(at("target"), at("out/a")), 0);
    box *box = put(host, "out", "conflict: replace\n");
    box_feed(box, "new", "filename", "a", NULL);
    box_run(box);
    CHECK_STR(text_of("target"), "outside");
    CHECK_STR(text_of("out/a"), "new");
    host_free(host);
}

/* ---- names that lead elsewhere ---------------------------------------------------------------------------------- */

static void check_refused(const char *path, const char *filename, const char *code)
{
    host *host = host_new("file");
    make_folder("out");
    box *box = put(host, "out/${path}", "conflict: replace\n");
    box_feed(box, "evil", "filename", filename, "path", path, NULL);
    box_run(box);
    check_failed(box, code);
    CHECK_INT(count_in("out"), 0);
    CHECK(!exists("evil"));
    host_free(host);
}

TEST(no_name_leads_out_of_the_folder)
{
    check_refused("../", "evil", "BadPath");
    check_refused("a/../../", "evil", "BadPath");
    check_refused("./", "evil", "BadPath");
    check_refused("", "../evil", "BadName");
    check_refused("", "..", "BadName");
    check_refused("", ".", "BadName");
    check_refused("", "", "BadName");
    check_refused("", "a/b", "BadName");
    check_refused("", ".sluice-0123456789abcdef", "BadName");
}

TEST(no_link_below_the_operators_part_is_followed)
{
    host *host = host_new("file");
    make_folder("secret");
    make_folder("out");
    CHECK_INT(symlink(at("secret"), at("out/x")), 0);
    box *box = put(host, "out/${path}", "");
    box_feed(box, "evil", "filename", "a", "path", "x/", NULL);
    box_feed(box, "evil", "filename", "a", "path", "x/y/", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 2);
    CHECK_INT(count_in("secret"), 0);
    host_free(host);
}

TEST(links_of_the_operator_are_followed)
{
    host *host = host_new("file");
    make_folder("large-disk");
    CHECK_INT(symlink(at("large-disk"), at("out")), 0);
    box *box = put(host, "out/${path}", "");
    box_feed(box, "x", "filename", "a", "path", "y/", NULL);
    box_run(box);
    CHECK_STR(text_of("large-disk/y/a"), "x");
    host_free(host);
}

TEST(a_directory_that_is_all_data_follows_no_link)
{
    host *host = host_new("file");
    make_folder("real");
    CHECK_INT(symlink(at("real"), at("link")), 0);
    box *box = box_new(host, "type: put-file\ndirectory: '${where}'\n");
    box_feed(box, "x", "filename", "a", "where", at("real"), NULL);
    box_feed(box, "x", "filename", "a", "where", at("link"), NULL);
    box_feed(box, "x", "filename", "a", "where", "", NULL);
    box_run(box);
    CHECK_STR(text_of("real/a"), "x");
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(box_count(box, "failure"), 2);
    host_free(host);
}

TEST(a_name_that_is_too_long_fails_alone)
{
    host *host = host_new("file");
    char name[257];
    memset(name, 'n', 256);
    name[256] = 0;
    box *box = put(host, "out", "");
    box_feed(box, "x", "filename", name, NULL);
    box_feed(box, "y", "filename", "b", NULL);
    box_run(box);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.code"), "ENAMETOOLONG");
    CHECK_STR(text_of("out/b"), "y");
    host_free(host);
}

TEST(encoded_names_become_bytes_again)
{
    host *host = host_new("file");
    box *box = put(host, "out", "conflict: rename\n");
    box_feed(box, "x", "filename", "%FF%25.bin", "filename.encoding", "percent", NULL);
    box_feed(box, "y", "filename", "%FF%25.bin", "filename.encoding", "percent", NULL);
    box_feed(box, "z", "filename", "%zz", "filename.encoding", "percent", NULL);
    box_feed(box, "z", "filename", "a%2Fb", "filename.encoding", "percent", NULL);
    box_feed(box, "z", "filename", "a%00b", "filename.encoding", "percent", NULL);
    box_feed(box, "w", "filename", "100%25", NULL);
    box_run(box);
    CHECK_STR(text_of("out/\xff%.bin"), "x");
    CHECK_STR(text_of("out/\xff%-1.bin"), "y");
    CHECK_STR(item_attribute(box_item(box, "success", 1), "filename"), "%FF%25-1.bin");
    CHECK_STR(text_of("out/100%25"), "w");
    CHECK_INT(box_count(box, "failure"), 3);
    host_free(host);
}

TEST(what_get_file_takes_put_file_gives_back)
{
    host *host = host_new("file");
    make_file("in/\xff \"q\"\n\\", "bytes");
    make_file("in/a/b", "below");
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\nsource: delete\n", at("in"));
    box *from = box_new(host, yaml), *to = put(host, "out/${path}", "");
    free(yaml);
    box_run(from);
    CHECK_INT(box_pass(from, "success", to), 2);
    box_run(to);
    CHECK_STR(text_of("out/\xff \"q\"\n\\"), "bytes");
    CHECK_STR(text_of("out/a/b"), "below");
    host_free(host);
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

TEST(a_root_that_is_not_there_pauses_it_where_it_may_not_make_one)
{
    host *host = host_new("file");
    box *box = put(host, "out/${path}", "create: false\n");
    box_feed(box, "x", "filename", "a", "path", "", NULL);
    box_run(box);
    CHECK(box_paused(box));
    CHECK_INT(box_queued(box), 1);
    CHECK_STR(box_failure(box)->code, "ENOENT");
    make_folder("out");
    host_advance(host, 60 * SL_SECOND);
    box_run(box);
    CHECK_STR(text_of("out/a"), "x");
    host_free(host);
}

TEST(a_root_that_denies_pauses_a_subfolder_that_denies_fails)
{
    as_nobody();
    host *host = host_new("file");
    make_folder("closed");
    change_mode("closed", 0555);
    make_folder("out/closed");
    change_mode("out/closed", 0555);
    box *root = put(host, "closed", ""), *below = put(host, "out/${path}", "");
    box_feed(root, "x", "filename", "a", NULL);
    box_feed(below, "x", "filename", "a", "path", "closed/", NULL);
    box_feed(below, "x", "filename", "a", "path", "open/", NULL);
    box_run(root);
    box_run(below);
    CHECK(box_paused(root));
    CHECK_INT(box_failure(root)->class_, SLUICE_CONFIGURATION);
    CHECK_INT(box_count(below, "failure"), 1);
    CHECK_INT(box_count(below, "success"), 1);
    change_mode("closed", 0755);
    change_mode("out/closed", 0755);
    host_free(host);
    as_before();
}

TEST(an_expression_that_fails_is_permanent)
{
    host *host = host_new("file");
    box *box = put(host, "out/${filename:matches(${bad})}", "");
    box_feed(box, "x", "filename", "a", "bad", "(", NULL);
    box_run(box);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.class"), "permanent");
    CHECK(!exists("out"));
    host_free(host);
}

TEST(content_that_fails_leaves_nothing_behind)
{
    host *host = host_new("file");
    box *box = put(host, "out", "");
    box_feed(box, "x", "filename", "a", NULL);
    host_fail(host, HOST_READ, 0, SLUICE_TRANSIENT, "EIO", "the disk does not answer");
    box_run(box);
    CHECK_INT(box_queued(box), 1);
    CHECK_INT(count_in("out"), 0);
    host_advance(host, 2 * SL_SECOND);
    host_fail(host, HOST_READ, 0, SLUICE_PERMANENT, "ESTALE", "the bytes are others now");
    box_run(box);
    check_failed(box, "ESTALE");
    CHECK_INT(count_in("out"), 0);
    host_free(host);
}

TEST(the_target_is_evaluated_once)
{
    host *host = host_new("file");
    box *box = put(host, "out/${now():toNumber()}", "");
    box_feed(box, "x", "filename", "a", NULL);
    host_fail(host, HOST_READ, 0, SLUICE_TRANSIENT, "EIO", "the disk does not answer");
    box_run(box);
    char *intent = sl_strdup(item_intent(box_queue_item(box, 0)));
    host_advance(host, 100 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(count_in("out"), 1);
    CHECK(strstr(intent, "\"temporary\":\".sluice-"));
    free(intent);
    host_free(host);
}
