/* get-file: what is taken, when, and what a FlowFile knows of it. Removal is in test-removal.c. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folders.h"
#include "host.h"

static box *get(host *host, const char *more)
{
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\n%s", at("in"), more);
    box *box = box_new(host, yaml);
    free(yaml);
    return box;
}

/* The FlowFile of that name; fails the test when there is none. */
static item *named(box *box, const char *filename)
{
    for (size_t i = 0; i < box_count(box, "success"); i++) {
        const char *name = item_attribute(box_item(box, "success", i), "filename");
        if (name && strcmp(name, filename) == 0) return box_item(box, "success", i);
    }
    return box_item(box, "success", box_count(box, "success"));
}

static uint64_t waiting(box *box)
{
    uint64_t count = 999;
    CHECK(box_scanned(box, &count));
    return count;
}

TEST(takes_files_and_knows_where_from)
{
    host *host = host_new("file");
    make_file("in/a.txt", "at the root");
    make_file("in/x/y/b c.txt", "below");
    change_mode("in/a.txt", 0640);
    box *box = get(host, "source: delete\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    item *a = named(box, "a.txt"), *b = named(box, "b c.txt");
    CHECK_STR(item_text(a), "at the root");
    CHECK_STR(item_attribute(a, "path"), "");
    CHECK_STR(item_attribute(a, "absolute.path"), at("in/"));
    CHECK_STR(item_attribute(b, "path"), "x/y/");
    CHECK_STR(item_attribute(b, "absolute.path"), at("in/x/y/"));
    CHECK_STR(item_attribute(a, "file.permissions"), "rw-r-----");
    CHECK(!item_attribute(a, "filename.encoding"));
    CHECK_INT(strlen(item_attribute(a, "file.lastModifiedTime")), strlen("2024-05-01T12:00:00+0000"));
    CHECK(item_attribute(a, "file.owner") && item_attribute(a, "file.group") && item_attribute(a, "file.lastAccessTime"));
    char *uri = sl_asprintf("file://%s/in/x/y/b%%20c.txt", sl_test_folder());
    CHECK_STR(item_event(b, 0), "RECEIVE");
    CHECK(!item_event(b, 1));
    CHECK_STR(item_uri(b, 0), uri);
    free(uri);
    CHECK_INT(box_effects(box), 0);
    CHECK(!exists("in/a.txt") && exists("in/x/y") && count_in("in/x/y") == 0);
    host_free(host);
}

TEST(a_batch_is_a_session_and_a_scan_goes_on)
{
    host *host = host_new("file");
    char name[32];
    for (int i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "in/%d/f%d", i % 3, i);
        make_file(name, "x");
    }
    box *box = get(host, "source: delete\nbatch: 10\n");
    uint64_t count;
    CHECK(box_trigger(box));
    CHECK_INT(box_count(box, "success"), 10);
    CHECK(!box_scanned(box, &count));
    CHECK(box_trigger(box));
    CHECK(box_trigger(box));
    CHECK_INT(box_count(box, "success"), 25);
    CHECK_INT(waiting(box), 0);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 25);
    CHECK(box_yielded(box));
    host_free(host);
}

TEST(what_is_in_flight_is_not_taken_twice)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = get(host, "source: delete\n");
    box_trigger(box);
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(waiting(box), 0);
    CHECK(exists("in/a"));
    CHECK_INT(box_run_effects(box), 0);
    CHECK(!exists("in/a"));
    make_file("in/a", "y");
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    host_free(host);
}

TEST(a_commit_that_is_lost_leaves_the_file)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = get(host, "source: delete\n");
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    box_restart(box);
    CHECK(exists("in/a"));
    CHECK_INT(box_effects(box), 0);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK(!exists("in/a"));
    host_free(host);
}

/* ---- its time ------------------------------------------------------------------------------------------- */

TEST(files_wait_for_their_age)
{
    host *host = host_new("file");
    make_fresh("in/a", "x");
    set_age("in/a", 5);
    box *box = get(host, "source: delete\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 0);
    CHECK_INT(waiting(box), 1);
    host_advance(host, 6 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

TEST(a_time_in_the_future_does_not_keep_a_file_for_ever)
{
    host *host = host_new("file");
    make_fresh("in/a", "x");
    set_age("in/a", -100000);
    box *box = get(host, "source: delete\n");
    box_run(box);
    CHECK_INT(waiting(box), 1);
    host_advance(host, 20 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

TEST(a_file_open_for_writing_waits)
{
    host *host = host_new("file");
    make_file("in/a", "half");
    make_file("in/b", "whole");
    int writer = open(at("in/a"), O_WRONLY | O_APPEND);
    box *box = get(host, "source: delete\nmin_age: 0s\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(waiting(box), 1);
    CHECK_INT(write(writer, " and half", 9), 9);
    close(writer);
    host_advance(host, 5 * SL_SECOND);
    box_run(box);
    CHECK_STR(item_text(named(box, "a")), "half and half");
    host_free(host);
}

TEST(a_file_that_changes_while_it_is_read_waits)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = get(host, "source: delete\n");
    host_fail(host, HOST_IMPORT, 0, SLUICE_TRANSIENT, "EAGAIN", "it changed while it was read");
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 0);
    CHECK_INT(waiting(box), 1);
    CHECK_INT(box_failure(box)->class_, 0);
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

TEST(a_full_store_ends_the_batch_and_loses_nothing)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    make_file("in/b", "y");
    box *box = get(host, "source: delete\n");
    host_fail(host, HOST_IMPORT, 1, SLUICE_TRANSIENT, "ENOSPC", "the disk is full");
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_STR(box_failure(box)->code, "ENOSPC");
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_INT(count_in("in"), 0);
    host_free(host);
}

/* ---- keep -------------------------------------------------------------------------------------------------- */

TEST(keep_takes_each_version_once_also_over_a_restart)
{
    host *host = host_new("file");
    make_file("in/a", "one");
    make_file("in/b", "two");
    box *box = get(host, "source: keep\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(text_of("in/a"), "one");
    make_fresh("in/a", "changed");
    set_age("in/a", 60);
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 3);
    CHECK_STR(item_text(box_item(box, "success", 2)), "changed");
    host_free(host);
}

TEST(keep_remembers_many_and_forgets_what_is_gone)
{
    host *host = host_new("file");
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "in/f%d", i);
        make_file(name, "x");
    }
    box *box = get(host, "source: keep\nbatch: 50\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 300);
    CHECK_STR(box_state(box, "taken"), "5");
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 300);
    for (int i = 0; i < 299; i++) {
        snprintf(name, sizeof name, "in/f%d", i);
        remove_path(name);
    }
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_STR(box_state(box, "taken"), "1");
    CHECK(!box_state(box, "taken.1"));
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 300);
    host_free(host);
}

TEST(keep_needs_no_permission_to_write)
{
    as_nobody();
    host *host = host_new("file");
    make_file("in/x/a", "read only");
    change_mode("in/x/a", 0444);
    change_mode("in/x", 0555);
    change_mode("in", 0555);
    box *box = get(host, "source: keep\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK(!box_bulletin(box, 0));
    change_mode("in", 0755);
    change_mode("in/x", 0755);
    host_free(host);
    as_before();
}

TEST(keep_does_not_remember_what_a_lost_commit_took)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = get(host, "source: keep\n");
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

/* ---- what cannot be read ------------------------------------------------------------------------------------ */

TEST(says_once_what_it_cannot_read_and_takes_the_rest)
{
    as_nobody();
    host *host = host_new("file");
    make_file("in/good", "x");
    make_file("in/secret", "y");
    make_file("in/closed/inside", "z");
    change_mode("in/secret", 0);
    change_mode("in/closed", 0);
    box *box = get(host, "source: keep\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    bool file = false, folder = false;
    for (size_t i = 0; box_bulletin(box, i); i++) {
        file = file || strstr(box_bulletin(box, i), "in/secret: Permission denied");
        folder = folder || strstr(box_bulletin(box, i), "in/closed: Permission denied");
    }
    CHECK(file && folder);
    for (int i = 0; i < 3; i++) {
        host_advance(host, 2 * SL_SECOND);
        box_run(box);
    }
    CHECK(!box_bulletin(box, 2));
    change_mode("in/secret", 0644);
    change_mode("in/closed", 0755);
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 3);
    change_mode("in/secret", 0);
    make_file("in/secret2", "new");
    change_mode("in/secret2", 0);
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK(box_bulletin(box, 2) && strstr(box_bulletin(box, 2), "in/secret2"));
    host_free(host);
    as_before();
}

TEST(a_folder_that_cannot_be_emptied_is_not_emptied)
{
    as_nobody();
    host *host = host_new("file");
    make_file("in/a", "x");
    make_file("in/fixed/b", "y");
    change_mode("in/fixed", 0555);
    box *box = get(host, "source: delete\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK(box_bulletin(box, 0) && strstr(box_bulletin(box, 0), "in/fixed"));
    CHECK_STR(text_of("in/fixed/b"), "y");
    change_mode("in/fixed", 0755);
    host_free(host);
    as_before();
}

TEST(a_folder_that_is_not_there_pauses_it_until_it_is)
{
    host *host = host_new("file");
    box *box = get(host, "source: delete\n");
    box_trigger(box);
    CHECK(box_paused(box));
    CHECK_INT(box_failure(box)->class_, SLUICE_CONFIGURATION);
    CHECK_STR(box_failure(box)->code, "ENOENT");
    CHECK(strstr(box_failure(box)->message, at("in")));
    make_file("in/a", "x");
    host_advance(host, 60 * SL_SECOND);
    box_run(box);
    CHECK(!box_paused(box));
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}

TEST(a_root_that_cannot_be_written_pauses_delete_but_not_keep)
{
    as_nobody();
    host *host = host_new("file");
    make_file("in/a", "x");
    change_mode("in", 0555);
    box *box = get(host, "source: delete\n");
    box_trigger(box);
    CHECK(box_paused(box));
    CHECK(strstr(box_failure(box)->message, "source: keep"));
    change_mode("in", 0755);
    host_free(host);
    as_before();
}

/* ---- names and filters ---------------------------------------------------------------------------------------- */

TEST(names_are_bytes)
{
    host *host = host_new("file");
    make_file("in/\xff\xfe.bin", "a");
    make_file("in/100%.txt", "b");
    make_file("in/new\nline \"q\" \\", "c");
    make_file("in/d\xe9j\xe0/100%", "d");
    make_file("in/gr\xc3\xbc\xc3\x9f", "e");
    box *box = get(host, "source: delete\n");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 5);
    item *bytes = named(box, "%FF%FE.bin"), *inside = named(box, "100%25");
    CHECK_STR(item_attribute(bytes, "filename.encoding"), "percent");
    CHECK_STR(item_attribute(bytes, "path"), "");
    CHECK_STR(item_attribute(inside, "filename.encoding"), "percent");
    CHECK_STR(item_attribute(inside, "path"), "d%E9j%E0/");
    CHECK(!item_attribute(named(box, "100%.txt"), "filename.encoding"));
    CHECK(!item_attribute(named(box, "new\nline \"q\" \\"), "filename.encoding"));
    CHECK(!item_attribute(named(box, "gr\xc3\xbc\xc3\x9f"), "filename.encoding"));
    CHECK_INT(count_in("in"), 1);
    CHECK_INT(count_in("in/d\xe9j\xe0"), 0);
    host_free(host);
}

static size_t taken(const char *more)
{
    host *host = host_new("file");
    box *box = get(host, more);
    box_run(box);
    size_t count = box_count(box, "success");
    host_free(host);
    return count;
}

TEST(filters)
{
    make_file("in/a.txt", "12345");
    make_file("in/b.jpg", "123");
    make_file("in/.hidden.txt", "1");
    make_file("in/.folder/c.txt", "1");
    make_file("in/sub/d.txt", "1234567890");
    make_file("in/sub/deep/e.txt", "");
    set_age("in/b.jpg", 100000);
    CHECK_INT(taken("source: keep\n"), 4);
    CHECK_INT(taken("source: keep\nfile_filter: '.*\\.txt'\n"), 3);
    CHECK_INT(taken("source: keep\nfile_filter: 'txt'\n"), 0);
    CHECK_INT(taken("source: keep\nrecurse: false\n"), 2);
    CHECK_INT(taken("source: keep\npath_filter: 'sub'\n"), 3);
    CHECK_INT(taken("source: keep\npath_filter: 'sub/.*'\n"), 3);
    CHECK_INT(taken("source: keep\nignore_hidden: false\nfile_filter: '.*'\n"), 6);
    CHECK_INT(taken("source: keep\nignore_hidden: false\n"), 5);
    CHECK_INT(taken("source: keep\nmin_size: 4\n"), 2);
    CHECK_INT(taken("source: keep\nmax_size: 4\n"), 2);
    CHECK_INT(taken("source: keep\nmax_age: 2h\n"), 3);
}

TEST(work_in_progress_links_and_devices_are_no_files)
{
    make_file("in/.sluice-0123456789abcdef", "x");
    make_file("target", "outside");
    make_folder("other");
    make_file("other/file", "outside");
    CHECK_INT(symlink(at("target"), at("in/link")), 0);
    CHECK_INT(symlink(at("other"), at("in/folder")), 0);
    CHECK_INT(mkfifo(at("in/fifo"), 0644), 0);
    CHECK_INT(taken("source: delete\nignore_hidden: false\nfile_filter: '.*'\n"), 0);
    CHECK_INT(count_in("in"), 4);
    CHECK_STR(text_of("target"), "outside");
}

TEST(refuses_settings_that_cannot_be)
{
    host *host = host_new("file");
    sl_buf said = SL_BUF(10000);
    CHECK(box_refused(host, "type: get-file\ndirectory: /x\n", &said));
    CHECK(box_refused(host, "type: get-file\ndirectory: /x\nsource: move\n", &said));
    CHECK(strstr(said.data, "move_to"));
    CHECK(box_refused(host, "type: get-file\ndirectory: /x\nsource: keep\nmove_to: /y\n", &said));
    CHECK(box_refused(host, "type: get-file\ndirectory: /x\nsource: keep\nfile_filter: '('\n", &said));
    CHECK(box_refused(host, "type: get-file\ndirectory: /x\nsource: keep\nbatch: 0\n", &said));
    CHECK(box_refused(host, "type: get-file\ndirectory: ''\nsource: keep\n", &said));
    sl_buf_done(&said);
    host_free(host);
}

TEST(stops_when_told)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = get(host, "source: delete\n");
    box_stop(box, true);
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 0);
    box_stop(box, false);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    host_free(host);
}
