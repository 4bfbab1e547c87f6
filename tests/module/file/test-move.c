/* The effect of get-file with source: move: never over what is there, on one file system and between two. */
#include <sys/stat.h>
#include <unistd.h>

#include "folders.h"
#include "host.h"

static box *mover(host *host, const char *to)
{
    char *yaml = sl_asprintf("type: get-file\ndirectory: '%s'\nsource: move\nmove_to: '%s'\n", at("in"), to);
    box *box = box_new(host, yaml);
    free(yaml);
    return box;
}

static const char *temporary(box *box)
{
    static char name[32];
    const char *found = strstr(box_effect(box, 0), "\"temporary\":\"");
    snprintf(name, sizeof name, "%.24s", found ? found + 13 : "?");
    return name;
}

static const char *in(const char *folder, const char *name)
{
    static char paths[8][700];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

TEST(moves_into_the_same_subfolders)
{
    host *host = host_new("file");
    make_file("in/a", "one");
    make_file("in/x/y/b", "two");
    box *box = mover(host, at("done"));
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(text_of("done/a"), "one");
    CHECK_STR(text_of("done/x/y/b"), "two");
    CHECK(!exists("in/a") && !exists("in/x/y/b"));
    CHECK_INT(count_in("done"), 2);
    host_free(host);
}

TEST(replaces_nothing)
{
    host *host = host_new("file");
    make_file("in/clip.mp4", "new");
    make_file("done/clip.mp4", "old");
    make_file("done/clip-1.mp4", "older");
    box *box = mover(host, at("done"));
    box_run(box);
    CHECK_STR(text_of("done/clip.mp4"), "old");
    CHECK_STR(text_of("done/clip-1.mp4"), "older");
    CHECK_STR(text_of("done/clip-2.mp4"), "new");
    host_free(host);
}

TEST(a_folder_for_moved_files_below_the_source_is_no_source)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = mover(host, at("in/done"));
    box_run(box);
    host_advance(host, 2 * SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_STR(text_of("in/done/a"), "x");
    host_free(host);
}

TEST(the_source_itself_is_refused)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = mover(host, at("in/../in"));
    box_trigger(box);
    CHECK(box_paused(box));
    CHECK_STR(box_failure(box)->code, "move_to");
    host_free(host);
}

TEST(a_repeat_of_a_finished_move_does_nothing)
{
    host *host = host_new("file");
    make_file("in/a", "x");
    box *box = mover(host, at("done"));
    host_fail(host, HOST_EFFECT_DONE, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    CHECK_INT(box_run_effects(box), 1);
    make_file("in/a", "newer");
    box_restart(box);
    CHECK_INT(box_run_effects(box), 0);
    CHECK_INT(count_in("done"), 1);
    CHECK_STR(text_of("in/a"), "newer");
    host_free(host);
}

TEST(a_target_that_cannot_be_written_pauses_it)
{
    as_nobody();
    host *host = host_new("file");
    make_file("in/a", "x");
    make_folder("done");
    change_mode("done", 0555);
    box *box = mover(host, at("done"));
    box_trigger(box);
    CHECK(box_paused(box));
    CHECK_INT(box_failure(box)->class_, SLUICE_CONFIGURATION);
    change_mode("done", 0755);
    host_free(host);
    as_before();
}

/* ---- another file system ------------------------------------------------------------------------------------ */

static box *taken(host *host, const char *other)
{
    make_file("in/a", "x");
    change_mode("in/a", 0640);
    box *box = mover(host, other);
    box_trigger(box);
    CHECK_INT(box_effects(box), 1);
    return box;
}

static void check_moved(box *box, const char *other)
{
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of(in(other, "a")), "x");
    CHECK_INT(count_in(other), 1);
    CHECK_INT(count_in("in"), 0);
}

TEST(another_file_system_gets_a_copy_with_its_times_and_mode)
{
    const char *other = elsewhere();
    if (!other) return; /* a machine of one file system has nothing to show */
    host *host = host_new("file");
    box *box = taken(host, other);
    struct stat before, after;
    CHECK_INT(stat(at("in/a"), &before), 0);
    check_moved(box, other);
    CHECK_INT(stat(in(other, "a"), &after), 0);
    CHECK_INT(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    CHECK_INT(after.st_mode & 07777, 0640);
    remove_elsewhere();
    host_free(host);
}

TEST(a_half_copy_is_copied_anew)
{
    const char *other = elsewhere();
    if (!other) return;
    host *host = host_new("file");
    box *box = taken(host, other);
    move_path("in/a", in("in", temporary(box)));
    make_file(in(other, temporary(box)), "a longer half");
    check_moved(box, other);
    remove_elsewhere();
    host_free(host);
}

TEST(a_copy_in_place_is_not_copied_again)
{
    const char *other = elsewhere();
    if (!other) return;
    host *host = host_new("file");
    box *box = taken(host, other);
    move_path("in/a", in("in", temporary(box)));
    make_file(in(other, temporary(box)), "x");
    make_link(in(other, temporary(box)), in(other, "a"));
    check_moved(box, other);
    remove_elsewhere();
    host_free(host);
}

TEST(only_the_cleaning_up_was_missing)
{
    const char *other = elsewhere();
    if (!other) return;
    host *host = host_new("file");
    box *box = taken(host, other);
    remove_path("in/a");
    make_file(in(other, temporary(box)), "x");
    make_link(in(other, temporary(box)), in(other, "a"));
    check_moved(box, other);
    remove_elsewhere();
    host_free(host);
}

TEST(a_copy_replaces_nothing)
{
    const char *other = elsewhere();
    if (!other) return;
    host *host = host_new("file");
    box *box = taken(host, other);
    make_file(in(other, "a"), "old");
    CHECK_INT(box_run_effects(box), 0);
    CHECK_STR(text_of(in(other, "a")), "old");
    CHECK_STR(text_of(in(other, "a-1")), "x");
    CHECK_INT(count_in(other), 2);
    remove_elsewhere();
    host_free(host);
}
