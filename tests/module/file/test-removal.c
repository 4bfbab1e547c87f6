/* The effect of get-file with source: delete: only the very file that was taken goes, whatever happens in between. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folders.h"
#include "host.h"

/* A box that has taken "in/a" ("taken") and has yet to remove it. */
static box *taken(host *host)
{
    make_file("in/a", "taken");
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\nsource: delete\n", at("in"));
    box *box = box_new(host, yaml);
    free(yaml);
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(box_effects(box), 1);
    return box;
}

/* The name for work in progress that its effect has got. */
static const char *aside(box *box)
{
    static char path[64];
    const char *found = strstr(box_effect(box, 0), "\"temporary\":\"");
    snprintf(path, sizeof path, "in/%.24s", found ? found + 13 : "?");
    return path;
}

static void again(host *host, box *box)
{
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
}

TEST(a_newer_file_over_it_stays_and_is_taken)
{
    host *host = host_new("file");
    box *box = taken(host);
    make_file("in/new", "newer");
    move_path("in/new", "in/a");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "newer");
    CHECK_INT(count_in("in"), 1);
    CHECK(box_bulletin(box, 0) && strstr(box_bulletin(box, 0), "in/a was changed after it was read"));
    again(host, box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(item_text(box_item(box, "success", 1)), "newer");
    CHECK(!exists("in/a"));
    host_free(host);
}

TEST(a_file_that_was_written_to_stays_and_is_taken)
{
    host *host = host_new("file");
    box *box = taken(host);
    make_fresh("in/a", "other");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "other");
    set_age("in/a", 60);
    again(host, box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(item_text(box_item(box, "success", 0)), "taken");
    host_free(host);
}

TEST(a_file_that_is_open_for_writing_is_removed_when_it_is_not)
{
    host *host = host_new("file");
    box *box = taken(host);
    int writer = open(at("in/a"), O_WRONLY);
    CHECK_INT(box_run_effects(box), 1);
    CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
    CHECK_STR(box_failure(box)->code, "EBUSY");
    CHECK_STR(text_of("in/a"), "taken");
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 1);
    close(writer);
    CHECK_INT(box_run_effects(box), 0);
    CHECK(!exists("in/a"));
    host_free(host);
}

TEST(one_that_is_gone_needs_nothing)
{
    host *host = host_new("file");
    box *box = taken(host);
    remove_path("in/a");
    CHECK_INT(box_run_effects(box), 0);
    host_free(host);
}

TEST(a_folder_that_is_gone_needs_nothing)
{
    host *host = host_new("file");
    box *box = taken(host);
    remove_path("in/a");
    remove_path("in");
    CHECK_INT(box_run_effects(box), 0);
    host_free(host);
}

TEST(an_effect_nobody_remembers_is_repeated)
{
    host *host = host_new("file");
    box *box = taken(host);
    host_fail(host, HOST_EFFECT_DONE, 0, SLUICE_TRANSIENT, "", "");
    CHECK_INT(box_run_effects(box), 1);
    CHECK(!exists("in/a"));
    box_restart(box);
    make_file("in/a", "a new one of that name");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "a new one of that name");
    host_free(host);
}

TEST(a_repeat_after_the_first_half_finishes)
{
    host *host = host_new("file");
    box *box = taken(host);
    move_path("in/a", aside(box));
    box_restart(box);
    CHECK_INT(box_run_effects(box), 0);
    CHECK_INT(count_in("in"), 0);
    host_free(host);
}

TEST(a_newer_file_beside_the_first_half_is_left)
{
    host *host = host_new("file");
    box *box = taken(host);
    move_path("in/a", aside(box));
    make_file("in/a", "newer");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "newer");
    CHECK_INT(count_in("in"), 1);
    host_free(host);
}

TEST(a_newer_file_that_was_set_aside_is_put_back)
{
    host *host = host_new("file");
    box *box = taken(host);
    remove_path("in/a");
    make_file(aside(box), "caught in the act");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "caught in the act");
    CHECK_INT(count_in("in"), 1);
    host_free(host);
}

TEST(two_newer_files_are_both_kept)
{
    host *host = host_new("file");
    box *box = taken(host);
    make_file(aside(box), "second");
    remove_path("in/a");
    make_file("in/a", "third");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "third");
    CHECK_STR(text_of("in/a-1"), "second");
    CHECK_INT(count_in("in"), 2);
    host_free(host);
}

TEST(a_writer_of_what_was_set_aside_gets_its_file_back)
{
    host *host = host_new("file");
    box *box = taken(host);
    int writer = open(at("in/a"), O_WRONLY | O_APPEND);
    move_path("in/a", aside(box));
    CHECK_INT(box_run_effects(box), 1);
    CHECK_STR(text_of("in/a"), "taken");
    CHECK_INT(write(writer, " and more", 9), 9);
    close(writer);
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("in/a"), "taken and more");
    set_age("in/a", 60);
    again(host, box);
    CHECK_STR(item_text(box_item(box, "success", 1)), "taken and more");
    host_free(host);
}

TEST(hard_links_are_taken_one_after_the_other)
{
    host *host = host_new("file");
    make_file("in/x", "same");
    make_link("in/x", "in/y");
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\nsource: delete\n", at("in"));
    box *box = box_new(host, yaml);
    free(yaml);
    uint64_t waiting = 0;
    box_trigger(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK(box_scanned(box, &waiting));
    CHECK_INT(waiting, 1);
    box_run_effects(box);
    CHECK_INT(count_in("in"), 1);
    again(host, box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_INT(count_in("in"), 0);
    host_free(host);
}

TEST(a_folder_that_became_a_link_is_not_followed)
{
    host *host = host_new("file");
    make_file("in/sub/a", "taken");
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\nsource: delete\n", at("in"));
    box *box = box_new(host, yaml);
    free(yaml);
    box_trigger(box);
    move_path("in/sub", "elsewhere");
    CHECK_INT(symlink(at("elsewhere"), at("in/sub")), 0);
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of("elsewhere/a"), "taken");
    host_free(host);
}

TEST(a_folder_that_became_read_only_is_waited_for)
{
    as_nobody();
    host *host = host_new("file");
    box *box = taken(host);
    change_mode("in", 0555);
    CHECK_INT(box_run_effects(box), 1);
    CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
    CHECK(strstr(box_failure(box)->message, at("in/a")));
    change_mode("in", 0755);
    CHECK_INT(box_run_effects(box), 0);
    CHECK(!exists("in/a"));
    host_free(host);
    as_before();
}

TEST(odd_names_are_removed_too)
{
    host *host = host_new("file");
    make_file("in/d\xe9 \"j\"\n/\xff%41\\", "x");
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\nsource: delete\n", at("in"));
    box *box = box_new(host, yaml);
    free(yaml);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(count_in("in/d\xe9 \"j\"\n"), 0);
    host_free(host);
}
