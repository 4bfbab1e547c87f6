/* put-file after a crash: at each step the repeat finishes the same delivery, and never takes a stranger's file for it. */
#include <unistd.h>

#include "folders.h"
#include "host.h"

typedef struct tried { /* a first try that ended before anything was written */
    host *host;
    box *box;
    char temporary[64]; /* "out/.sluice-..." */
} tried;

static tried try_once(const char *conflict)
{
    tried t = {.host = host_new("file")};
    char *yaml = sl_asprintf("type: put-file\ndirectory: '%s'\nconflict: %s\n", at("out"), conflict);
    t.box = box_new(t.host, yaml);
    free(yaml);
    box_feed(t.box, "content", "filename", "a.txt", NULL);
    host_fail(t.host, HOST_READ, 0, SLUICE_TRANSIENT, "EIO", "the disk does not answer");
    box_run(t.box);
    const char *intent = item_intent(box_queue_item(t.box, 0)), *found = intent ? strstr(intent, ".sluice-") : NULL;
    CHECK(found);
    snprintf(t.temporary, sizeof t.temporary, "out/%.24s", found ? found : "?");
    return t;
}

static item *finish(tried *t)
{
    box_restart(t->box);
    host_advance(t->host, 60 * SL_SECOND);
    box_run(t->box);
    CHECK(!exists(t->temporary));
    return box_item(t->box, "success", 0);
}

static const char *const conflicts[] = {"fail", "replace", "rename", "ignore"};

TEST(a_half_written_file_is_written_anew)
{
    for (size_t i = 0; i < SL_COUNT(conflicts); i++) {
        tried t = try_once(conflicts[i]);
        make_file(t.temporary, "half of something longer");
        CHECK_STR(item_event(finish(&t), 0), "SEND");
        CHECK_STR(text_of("out/a.txt"), "content");
        CHECK_INT(count_in("out"), 1);
        remove_path("out/a.txt");
        host_free(t.host);
    }
}

TEST(a_file_in_place_is_known_by_its_second_name)
{
    for (size_t i = 0; i < SL_COUNT(conflicts); i++) {
        tried t = try_once(conflicts[i]);
        make_file(t.temporary, "content");
        make_link(t.temporary, "out/a.txt");
        item *out = finish(&t);
        CHECK_STR(item_event(out, 0), "SEND");
        CHECK_STR(item_attribute(out, "filename"), "a.txt");
        CHECK_STR(text_of("out/a.txt"), "content");
        CHECK_INT(count_in("out"), 1);
        remove_path("out/a.txt");
        host_free(t.host);
    }
}

TEST(a_renamed_file_in_place_is_found_under_its_number)
{
    tried t = try_once("rename");
    make_file("out/a.txt", "a stranger's");
    make_file(t.temporary, "content");
    make_link(t.temporary, "out/a-1.txt");
    item *out = finish(&t);
    CHECK_STR(item_attribute(out, "filename"), "a-1.txt");
    CHECK_INT(count_in("out"), 2);
    host_free(t.host);
}

TEST(one_that_somebody_renamed_since_was_delivered)
{
    tried t = try_once("fail");
    make_file(t.temporary, "content");
    make_link(t.temporary, "out/renamed by its reader");
    item *out = finish(&t);
    CHECK_STR(item_event(out, 0), "SEND");
    CHECK(strstr(item_uri(out, 0), "out/a.txt"));
    CHECK_INT(count_in("out"), 1);
    host_free(t.host);
}

TEST(a_strangers_file_is_not_taken_for_ours)
{
    tried t = try_once("fail");
    make_file("out/a.txt", "content");
    box_restart(t.box);
    host_advance(t.host, 60 * SL_SECOND);
    box_run(t.box);
    CHECK_STR(item_attribute(box_item(t.box, "failure", 0), "error.code"), "EEXIST");
    CHECK_INT(count_in("out"), 1);
    host_free(t.host);
}

/* The process dies after all was done and before the session is committed. */
static void lose_commit(const char *conflict, bool read_away)
{
    host *host = host_new("file");
    char *yaml = sl_asprintf("type: put-file\ndirectory: '%s'\nconflict: %s\n", at("out"), conflict);
    box *box = box_new(host, yaml);
    free(yaml);
    box_feed(box, "content", "filename", "a.txt", NULL);
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    CHECK_STR(text_of("out/a.txt"), "content");
    if (read_away) remove_path("out/a.txt");
    box_restart(box);
    box_run(box);
    CHECK_STR(item_event(box_item(box, "success", 0), 0), "SEND");
    CHECK_INT(count_in("out"), read_away ? 0 : 1);
    if (!read_away) remove_path("out/a.txt");
    host_free(host);
}

TEST(a_lost_commit_delivers_once)
{
    for (size_t i = 0; i < SL_COUNT(conflicts); i++) lose_commit(conflicts[i], false);
}

TEST(what_a_reader_took_meanwhile_is_not_delivered_again)
{
    lose_commit("fail", true);
    lose_commit("rename", true);
    lose_commit("ignore", true);
}

TEST(the_temporary_name_that_a_crash_left_goes)
{
    host *host = host_new("file");
    char *yaml = sl_asprintf("type: put-file\ndirectory: '%s'\n", at("out"));
    box *box = box_new(host, yaml);
    free(yaml);
    box_feed(box, "content", "filename", "a.txt", NULL);
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    char temporary[64];
    snprintf(temporary, sizeof temporary, "out/%.24s", strstr(item_intent(box_queue_item(box, 0)), ".sluice-"));
    make_link("out/a.txt", temporary);
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(count_in("out"), 1);
    host_free(host);
}

TEST(an_intent_that_is_not_ours_fails_and_touches_nothing)
{
    host *host = host_new("file");
    char *yaml = sl_asprintf("type: put-file\ndirectory: '%s'\n", at("out"));
    box *box = box_new(host, yaml);
    free(yaml);
    box_feed(box, "content", "filename", "../../etc/passwd", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 1);
    CHECK(!item_intent(box_item(box, "failure", 0)));
    CHECK(!exists("out"));
    host_free(host);
}
