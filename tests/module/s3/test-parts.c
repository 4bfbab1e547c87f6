/* put-s3 by uploads in parts: what is journalled, gone on with, found gone, aborted. Parts have 5 MiB here. */
#include "host.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>
#include <uv.h>

#include "server.h"

enum { PART = 5 << 20, SIZE = 2 * PART + 1000 };

static char *bytes;
static char bytes_sha256[65];

static host *bed(const char *more)
{
    char service[512];
    server_start();
    server_bucket("bucket");
    host *host = host_new("s3");
    host_secret(host, "id", SERVER_KEY);
    host_secret(host, "key", SERVER_SECRET);
    snprintf(service, sizeof service, "type: s3\nendpoint: %s\naccess_key_id: {secret: id}\nsecret_access_key: {secret: key}\n%s",
             server_endpoint(), more);
    host_service(host, "store", service);
    bytes = sl_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (char)((i * 2654435761u) >> 13);
    server_sha256(bytes, SIZE, bytes_sha256);
    return host;
}

static box *putter(host *host, const char *more)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             "type: put-s3\nservice: store\nbucket: bucket\nkey: \"${filename}\"\nmultipart_threshold: 6MiB\npart_size: 5MiB\n%s", more);
    box *box = box_new(host, yaml);
    box_feed_bytes(box, bytes, SIZE, "filename", "big", "mime.type", "video/mp4", NULL);
    return box;
}

static void end(host *host)
{
    host_free(host);
    server_stop();
    free(bytes);
}

static void go_on(host *host, box *box, int turns)
{
    for (box_run(box); box_queued(box) && turns--; box_run(box)) host_advance(host, 20 * SL_SECOND);
}

/* What is there is what was fed, whole and in order, and nothing is left over. */
static void check_delivered(box *box, unsigned puts)
{
    const server_object *object = server_object_at("bucket/big");
    CHECK_INT(box_count(box, "success"), 1);
    CHECK(object != NULL);
    if (!object || box_count(box, "success") != 1) return;
    item *out = box_item(box, "success", 0);
    CHECK_INT(object->size, SIZE);
    CHECK_INT(object->parts, 3);
    CHECK_INT(object->puts, puts);
    CHECK_STR(object->sha256, bytes_sha256);
    CHECK_STR(object->type, "video/mp4");
    CHECK_STR(item_attribute(out, "s3.etag"), object->etag);
    CHECK_STR(item_attribute(out, "s3.apimethod"), "multipartupload");
    CHECK(item_attribute(out, "s3.uploadId") != NULL);
    CHECK_INT(server_uploads(), 0);
}

/* A try that ends in an unfinished upload, with what it has journalled. */
static void first_try(box *box)
{
    box_run(box);
    CHECK_INT(box_queued(box), 1);
    CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
}

/* Cancels from within the loop: settling would wait for the server. */
static void on_look(uv_timer_t *timer)
{
    if (!server_held()) return;
    uv_timer_stop(timer);
    box_cancel(timer->data);
    uv_close((uv_handle_t *)timer, NULL);
}

static void cancel_when_held(host *host, box *box)
{
    static uv_timer_t timer;
    uv_timer_init(host_loop(host), &timer);
    timer.data = box;
    uv_timer_start(&timer, on_look, 1, 1);
}

static void on_other(uv_timer_t *timer)
{
    if (!server_held() || !server_count("PUT", "partNumber=2")) return;
    uv_timer_stop(timer);
    server_release();
    uv_close((uv_handle_t *)timer, NULL);
}

/* Part 1 is not answered before part 2 has come. */
static void release_when_another_came(host *host)
{
    static uv_timer_t timer;
    uv_timer_init(host_loop(host), &timer);
    uv_timer_start(&timer, on_other, 1, 1);
}

TEST(parts_in_parallel)
{
    static const char *const signing[] = {"", "payload_signing: never\n"};
    for (size_t i = 0; i < SL_COUNT(signing); i++) {
        host *host = bed(signing[i]);
        box *box = putter(host, "parts_in_parallel: 2\n");
        server_fail("PUT", "partNumber=1", 0, 1, FAULT_HOLD, 0, "");
        release_when_another_came(host);
        box_run(box);
        check_delivered(box, 1);
        CHECK_INT(server_count("PUT", "partNumber"), 3);
        CHECK_INT(server_count("HEAD", ""), 0);
        end(host);
    }
}

TEST(what_is_journalled)
{
    host *host = bed("");
    box *box = putter(host, "parts_in_parallel: 1\n");
    server_fail("PUT", "partNumber=3", 0, 4, FAULT_STATUS, 500, "InternalError");
    box_run(box);
    for (int i = 0; i < 4; i++) host_advance(host, 5 * SL_SECOND), host_settle(host);
    item *queued = box_queue_item(box, 0);
    CHECK(strstr(item_intent(queued), "\"part_size\":5242880"));
    CHECK(strstr(item_step(queued, 0), "{\"upload\":\"up.1~x\"}"));
    CHECK(strstr(item_step(queued, 1), "{\"part\":1,\"etag\":\""));
    CHECK(strstr(item_step(queued, 2), "{\"part\":2,\"etag\":\""));
    CHECK(item_step(queued, 3) == NULL);
    end(host);
}

TEST(a_part_is_repeated_within)
{
    static const struct {
        server_fault fault;
        int status;
        const char *code;
    } errors[] = {{FAULT_STATUS, 503, "SlowDown"}, {FAULT_LOST, 0, ""}, {FAULT_RESET, 0, ""}, {FAULT_DAMAGED, 0, ""}};
    for (size_t i = 0; i < SL_COUNT(errors); i++) {
        host *host = bed("payload_signing: never\n");
        box *box = putter(host, "");
        server_fail("PUT", "partNumber=2", 0, 1, errors[i].fault, errors[i].status, errors[i].code);
        box_run(box);
        CHECK_INT(box_open(box), 1);
        host_advance(host, 10 * SL_SECOND);
        host_settle(host);
        check_delivered(box, 1);
        CHECK_INT(server_count("POST", "uploads"), 1);
        CHECK_INT(server_count("PUT", "partNumber=2"), 2);
        CHECK_INT(server_count("PUT", "partNumber=1"), 1);
        end(host);
    }
}

TEST(a_restart_sends_only_what_is_missing)
{
    host *host = bed("");
    box *box = putter(host, "parts_in_parallel: 1\n");
    server_fail("PUT", "partNumber=3", 0, 1, FAULT_HOLD, 0, "");
    box_trigger(box);
    cancel_when_held(host, box);
    host_settle(host);
    box_restart(box);
    server_release();
    go_on(host, box, 3);
    check_delivered(box, 1);
    CHECK_INT(server_count("POST", "uploads"), 1);
    CHECK_INT(server_count("PUT", "partNumber=1"), 1);
    CHECK_INT(server_count("PUT", "partNumber=2"), 1);
    CHECK_INT(server_count("PUT", "partNumber=3"), 2);
    end(host);
}

TEST(a_lost_complete_is_looked_for)
{
    static const server_fault faults[] = {FAULT_LOST, FAULT_DONE};
    for (size_t i = 0; i < SL_COUNT(faults); i++) {
        host *host = bed("");
        box *box = putter(host, "");
        server_fail("POST", "uploadId", 0, 1, faults[i], 500, "InternalError");
        box_run(box);
        check_delivered(box, 1);
        CHECK_INT(server_count("HEAD", ""), 1);
        CHECK_INT(server_count("POST", "uploadId"), 1);
        end(host);
    }
}

TEST(a_complete_that_fails_is_repeated)
{
    static const struct {
        server_fault fault;
        int status;
        const char *code;
    } errors[] = {{FAULT_INSIDE, 200, "InternalError"}, {FAULT_STATUS, 500, "InternalError"}, {FAULT_STATUS, 200, ""}};
    for (size_t i = 0; i < SL_COUNT(errors); i++) {
        host *host = bed("");
        box *box = putter(host, "");
        server_place("bucket/big", "an older version");
        server_fail("POST", "uploadId", 0, 1, errors[i].fault, errors[i].status, errors[i].code);
        box_run(box);
        check_delivered(box, 2);
        CHECK_INT(server_count("POST", "uploadId"), 2);
        CHECK_INT(server_count("PUT", "partNumber"), 3);
        end(host);
    }
}

TEST(an_empty_etag_is_asked_for)
{
    host *host = bed("");
    server_empty_etag(true);
    box *box = putter(host, "");
    box_run(box);
    check_delivered(box, 1);
    CHECK_INT(server_count("HEAD", ""), 1);
    end(host);
}

TEST(a_restart_after_complete_finds_it_there)
{
    host *host = bed("");
    box *box = putter(host, "");
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    host_settle(host);
    box_restart(box);
    box_run(box);
    check_delivered(box, 1);
    CHECK_INT(server_count("POST", "uploadId"), 1);
    end(host);
}

TEST(a_stranger_replaced_it_after_complete)
{
    host *host = bed("");
    box *box = putter(host, "");
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    host_settle(host);
    server_place("bucket/big", "somebody");
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 1);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.code"), "UploadReplaced");
    CHECK_INT(server_object_at("bucket/big")->puts, 2);
    end(host);
}

TEST(an_upload_that_is_gone_is_begun_anew)
{
    host *host = bed("");
    box *box = putter(host, "parts_in_parallel: 1\n");
    server_fail("PUT", "partNumber=3", 0, 4, FAULT_STATUS, 500, "InternalError");
    box_trigger(box);
    host_settle(host);
    for (int i = 0; i < 4; i++) host_advance(host, 5 * SL_SECOND), host_settle(host);
    CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
    server_forget_uploads();
    go_on(host, box, 4);
    check_delivered(box, 1);
    CHECK_INT(server_count("POST", "uploads"), 2);
    CHECK_INT(server_count("PUT", "partNumber=1"), 2);
    end(host);
}

TEST(parts_that_the_server_does_not_know_any_more)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("POST", "uploadId", 0, 1, FAULT_STATUS, 400, "InvalidPart");
    box_run(box);
    check_delivered(box, 1);
    CHECK_INT(server_count("POST", "uploads"), 2);
    CHECK_INT(server_count("DELETE", "uploadId"), 1);
    end(host);
}

TEST(an_upload_without_its_reply_is_never_adopted)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("POST", "uploads", 0, 1, FAULT_LOST, 0, "");
    first_try(box);
    CHECK(item_step(box_queue_item(box, 0), 0) == NULL);
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_count("POST", "uploads"), 2);
    end(host);
}

TEST(a_permanent_failure_aborts_the_upload)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "partNumber=2", 0, 1, FAULT_STATUS, 400, "InvalidArgument");
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 1);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "s3.errorCode"), "InvalidArgument");
    CHECK_INT(server_count("DELETE", "uploadId"), 1);
    CHECK_INT(server_uploads(), 0);
    end(host);
}

TEST(a_failure_of_configuration_keeps_the_upload)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("POST", "uploadId", 0, 1, FAULT_STATUS, 403, "AccessDenied");
    box_run(box);
    CHECK(box_paused(box));
    CHECK_INT(server_uploads(), 1);
    go_on(host, box, 3);
    check_delivered(box, 1);
    CHECK_INT(server_count("POST", "uploads"), 1);
    CHECK_INT(server_count("PUT", "partNumber"), 3);
    end(host);
}

TEST(conditional_uploads)
{
    for (int conditional = 0; conditional < 2; conditional++) {
        host *host = bed("");
        server_conditional(conditional);
        box *box = putter(host, "if_exists: skip\n");
        box_run(box);
        check_delivered(box, 1);
        end(host);
    }
    host *host = bed("");
    box *box = putter(host, "if_exists: skip\n");
    server_fail("HEAD", "big", 0, 1, FAULT_STATUS, 404, "");
    server_place("bucket/big", "somebody");
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_STR(item_event(box_item(box, "success", 0), 0), "ADDINFO");
    CHECK_INT(server_object_at("bucket/big")->puts, 1);
    CHECK_INT(server_uploads(), 0);
    end(host);
}

TEST(the_bucket_is_created_for_an_upload)
{
    host *host = bed("");
    box *box = box_new(host, "type: put-s3\nservice: store\nbucket: fresh\nkey: k\nmultipart_threshold: 6MiB\npart_size: 5MiB\n"
                             "create_bucket: true\n");
    box_feed_bytes(box, bytes, SIZE, "filename", "big", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_object_at("fresh/k")->parts, 3);
    end(host);
}

TEST(cancelled_in_the_middle)
{
    host *host = bed("");
    box *box = putter(host, "parts_in_parallel: 3\n");
    server_fail("PUT", "partNumber=2", 0, 1, FAULT_HOLD, 0, "");
    box_trigger(box);
    cancel_when_held(host, box);
    host_settle(host);
    CHECK_INT(box_open(box), 0);
    CHECK_INT(box_queued(box), 1);
    server_release();
    go_on(host, box, 3);
    check_delivered(box, 1);
    CHECK_INT(server_count("POST", "uploads"), 1);
    end(host);
}

static int damage_if_large(const char *path, const struct stat *found, int type, struct FTW *walk)
{
    (void)walk;
    if (type != FTW_F || found->st_size < SIZE) return 0;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, "X", 1, SIZE - 1) == 1);
    close(fd);
    return 1;
}

/* The file that holds what was fed gets another byte at its end. */
static void damage_content(void) { CHECK_INT(nftw(sl_test_folder(), damage_if_large, 8, FTW_PHYS), 1); }

TEST(content_that_is_not_what_was_taken)
{
    host *host = bed("");
    box *box = putter(host, "");
    damage_content();
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 1);
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.code"), "ContentChanged");
    CHECK(server_object_at("bucket/big") == NULL);
    CHECK_INT(server_uploads(), 0);
    end(host);
}

TEST(content_of_one_put_that_is_not_what_was_taken)
{
    host *host = bed("");
    box *box = box_new(host, "type: put-s3\nservice: store\nbucket: bucket\nkey: k\n");
    box_feed_bytes(box, bytes, SIZE, "filename", "big", NULL);
    damage_content();
    box_run(box);
    CHECK_INT(box_count(box, "success"), 0);
    CHECK(server_object_at("bucket/k") == NULL);
    CHECK_INT(box_count(box, "failure"), 1);
    end(host);
}
