/* put-s3 by single PUTs: what arrives, what each refusal does, and what a lost reply or a restart leaves. */
#include "host.h"

#include <uv.h>

#include "server.h"

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
    return host;
}

static box *putter(host *host, const char *more)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "type: put-s3\nservice: store\nbucket: bucket\nkey: \"${filename}\"\n%s", more);
    return box_new(host, yaml);
}

static void end(host *host)
{
    host_free(host);
    server_stop();
}

/* Until nothing is queued any more, at most `turns` waits. */
static void go_on(host *host, box *box, int turns)
{
    for (box_run(box); box_queued(box) && turns--; box_run(box)) host_advance(host, 20 * SL_SECOND);
}

TEST(an_object_arrives_with_type_metadata_and_effect)
{
    host *host = bed("");
    box *box = putter(host, "metadata: {note: \"of ${filename}\"}\n");
    box_feed(box, "hello", "filename", "a b/\xc3\xa4+.txt", "mime.type", "text/plain", NULL);
    box_run(box);
    const server_object *object = server_object_at("bucket/a%20b/%C3%A4%2B.txt");
    CHECK_INT(box_count(box, "success"), 1);
    CHECK(object != NULL);
    if (object) {
        item *out = box_item(box, "success", 0);
        CHECK_STR(object->sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        CHECK_STR(object->type, "text/plain");
        CHECK_STR(object->meta, "=?UTF-8?B?b2YgYSBiL8OkKy50eHQ=?=");
        CHECK_INT(strlen(object->effect), 36);
        CHECK_STR(item_attribute(out, "s3.etag"), object->etag);
        CHECK_STR(item_attribute(out, "s3.bucket"), "bucket");
        CHECK_STR(item_attribute(out, "s3.key"), "a b/\xc3\xa4+.txt");
        CHECK_STR(item_attribute(out, "s3.version"), "v1");
        CHECK_STR(item_attribute(out, "s3.apimethod"), "putobject");
        CHECK_STR(item_event(out, 0), "SEND");
        CHECK(strstr(item_uri(out, 0), "/bucket/a%20b/%C3%A4%2B.txt"));
        CHECK(strstr(item_details(out, 0), object->etag));
        CHECK_INT(server_count("HEAD", ""), 0);
    }
    end(host);
}

TEST(bodies_of_every_size_and_way_of_signing)
{
    static const char *const signing[] = {"", "payload_signing: always\n", "payload_signing: never\n"};
    static const size_t sizes[] = {0, 1, 2048, 4096, 65536, 65537, 3000000};
    for (size_t way = 0; way < SL_COUNT(signing); way++) {
        host *host = bed(signing[way]);
        box *box = putter(host, "concurrency: 3\n");
        char *data = sl_alloc(sizes[SL_COUNT(sizes) - 1]);
        for (size_t i = 0; i < sizes[SL_COUNT(sizes) - 1]; i++) data[i] = (char)(i * 31 >> 3);
        for (size_t i = 0; i < SL_COUNT(sizes); i++) box_feed_bytes(box, data, sizes[i], "filename", (char[]){(char)('a' + i), 0}, NULL);
        box_run(box);
        CHECK_INT(box_count(box, "success"), SL_COUNT(sizes));
        for (size_t i = 0; i < SL_COUNT(sizes); i++) {
            char name[] = "bucket/?";
            name[7] = (char)('a' + i);
            const server_object *object = server_object_at(name);
            CHECK(object && object->size == sizes[i] && object->puts == 1);
        }
        CHECK(server_most_at_once() <= 3);
        free(data);
        end(host);
    }
}

TEST(a_passing_error_is_retried_and_looks_first)
{
    static const struct {
        server_fault fault;
        int status;
        const char *code;
    } errors[] = {{FAULT_STATUS, 503, "SlowDown"},       {FAULT_STATUS, 500, "InternalError"}, {FAULT_STATUS, 429, ""},
                  {FAULT_STATUS, 408, "RequestTimeout"}, {FAULT_INSIDE, 200, "InternalError"}, {FAULT_STATUS, 400, "RequestTimeout"}};
    for (size_t i = 0; i < SL_COUNT(errors); i++) {
        host *host = bed("");
        box *box = putter(host, "");
        server_fail("PUT", "/f", 0, 2, errors[i].fault, errors[i].status, errors[i].code);
        box_feed(box, "x", "filename", "f", NULL);
        box_run(box);
        CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
        CHECK_INT(box_queued(box), 1);
        go_on(host, box, 4);
        CHECK_INT(box_count(box, "success"), 1);
        CHECK_INT(server_count("PUT", "/f"), 3);
        CHECK_INT(server_count("HEAD", "/f"), 2);
        CHECK_INT(server_object_at("bucket/f")->puts, 1);
        end(host);
    }
}

TEST(a_lost_reply_is_not_a_second_object)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_LOST, 0, "");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_count("PUT", "/f"), 1);
    CHECK_INT(server_count("HEAD", "/f"), 1);
    CHECK_STR(item_attribute(box_item(box, "success", 0), "s3.etag"), server_object_at("bucket/f")->etag);
    end(host);
}

TEST(a_reply_that_says_otherwise_is_not_a_second_object)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_DONE, 500, "InternalError");
    box_feed(box, "x", "filename", "f", NULL);
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_object_at("bucket/f")->puts, 1);
    end(host);
}

TEST(a_reset_in_the_middle_of_the_body)
{
    host *host = bed("");
    box *box = putter(host, "");
    size_t size = 4000000;
    char *data = sl_alloc(size);
    server_fail("PUT", "/f", 0, 1, FAULT_RESET, 0, "");
    box_feed_bytes(box, data, size, "filename", "f", NULL);
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_object_at("bucket/f")->size, size);
    free(data);
    end(host);
}

TEST(a_restart_after_the_delivery_finds_it_there)
{
    host *host = bed("");
    box *box = putter(host, "");
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_feed(box, "x", "filename", "f-${UUID()}", NULL);
    box_trigger(box);
    host_settle(host);
    CHECK_INT(server_count("PUT", "/bucket/f-"), 1);
    box_restart(box);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_count("PUT", "/bucket/f-"), 1);
    end(host);
}

TEST(the_target_is_evaluated_once)
{
    host *host = bed("");
    box *box = box_new(host, "type: put-s3\nservice: store\nbucket: bucket\nkey: \"${UUID()}\"\n");
    server_fail("PUT", "/bucket/", 0, 3, FAULT_STATUS, 503, "");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    const char *intent = item_intent(box_queue_item(box, 0));
    char *first = sl_strdup(intent ? intent : "");
    box_restart(box);
    go_on(host, box, 5);
    CHECK_INT(box_count(box, "success"), 1);
    const char *key = item_attribute(box_item(box, "success", 0), "s3.key");
    CHECK(key && strstr(first, key));
    free(first);
    end(host);
}

TEST(a_damaged_body_is_sent_again)
{
    host *host = bed("payload_signing: never\n");
    box *box = putter(host, "");
    char *data = sl_alloc(200000);
    server_fail("PUT", "/f", 0, 1, FAULT_DAMAGED, 0, "");
    server_fail("PUT", "/g", 0, 1, FAULT_DAMAGED, 0, "");
    box_feed(box, "hello", "filename", "f", NULL);
    box_feed_bytes(box, data, 200000, "filename", "g", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_STR(server_object_at("bucket/f")->sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    CHECK_INT(server_object_at("bucket/g")->puts, 2);
    free(data);
    end(host);
}

TEST(a_damaged_object_of_ours_is_not_taken_as_delivered)
{
    host *host = bed("payload_signing: never\n");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_DAMAGED, 0, "");
    server_fail("PUT", "/f", 0, 1, FAULT_LOST, 0, ""); /* not reached by the first one */
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_feed(box, "hello", "filename", "f", NULL);
    box_trigger(box);
    box_restart(box); /* while it is on its way */
    box_run(box);
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_STR(server_object_at("bucket/f")->sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    end(host);
}

TEST(a_wrong_secret_pauses_and_goes_on_when_mended)
{
    host *host = bed("");
    box *box = putter(host, "");
    host_secret(host, "key", "wrong");
    server_secret("newer");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK(box_paused(box));
    CHECK_INT(box_failure(box)->class_, SLUICE_CONFIGURATION);
    CHECK_STR(box_failure(box)->code, "SignatureDoesNotMatch");
    CHECK(strstr(box_failure(box)->message, "secret_access_key"));
    CHECK(!strstr(box_failure(box)->message, "wrong"));
    CHECK_INT(box_queued(box), 1);
    host_secret(host, "key", "newer");
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    end(host);
}

TEST(a_secret_that_was_renewed_is_used_without_a_pause)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_secret("rotated");
    host_secret(host, "key", "rotated");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(box_failure(box)->class_, 0);
    end(host);
}

TEST(no_such_bucket_pauses_and_goes_on_when_it_is_there)
{
    host *host = bed("");
    box *box = box_new(host, "type: put-s3\nservice: store\nbucket: other\nkey: \"${filename}\"\n");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK(box_paused(box));
    CHECK_STR(box_failure(box)->code, "NoSuchBucket");
    server_bucket("other");
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    end(host);
}

TEST(a_bucket_is_created_when_asked_for)
{
    host *host = bed("region: eu-west-1\n");
    box *box = box_new(host, "type: put-s3\nservice: store\nbucket: other\nkey: \"${filename}\"\ncreate_bucket: true\nconcurrency: 3\n");
    for (int i = 0; i < 3; i++) box_feed(box, "x", "filename", (char[]){(char)('a' + i), 0}, NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 3);
    CHECK(server_object_at("other/a") && server_object_at("other/b") && server_object_at("other/c"));
    end(host);
}

TEST(what_configuration_is_at_fault_for)
{
    static const struct {
        int status;
        const char *code;
    } errors[] = {
        {403, "InvalidAccessKeyId"}, {403, "AccessDenied"}, {400, "ExpiredToken"}, {403, "AccountProblem"}, {301, "PermanentRedirect"}};
    for (size_t i = 0; i < SL_COUNT(errors); i++) {
        host *host = bed("");
        box *box = putter(host, "");
        server_fail("PUT", "/f", 0, 1, FAULT_STATUS, errors[i].status, errors[i].code);
        box_feed(box, "x", "filename", "f", NULL);
        box_run(box);
        CHECK(box_paused(box));
        CHECK_STR(box_failure(box)->code, errors[i].code);
        go_on(host, box, 3);
        CHECK_INT(box_count(box, "success"), 1);
        end(host);
    }
}

TEST(a_key_that_is_refused_leaves_by_failure)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_STATUS, 400, "KeyTooLongError");
    box_feed(box, "x", "filename", "f", NULL);
    box_feed(box, "x", "filename", "g", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 1);
    CHECK_INT(box_count(box, "success"), 1);
    item *out = box_item(box, "failure", 0);
    CHECK_STR(item_attribute(out, "s3.statusCode"), "400");
    CHECK_STR(item_attribute(out, "s3.errorCode"), "KeyTooLongError");
    CHECK(strstr(item_attribute(out, "s3.errorMessage"), "KeyTooLongError"));
    CHECK_STR(item_attribute(out, "s3.key"), "f");
    box_pass(box, "failure", box); /* what an operator gives back goes, and carries no failure */
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK(!item_attribute(box_item(box, "success", 1), "s3.errorCode"));
    end(host);
}

TEST(keys_that_cannot_be)
{
    host *host = bed("");
    box *box = putter(host, "");
    char long_name[1100];
    memset(long_name, 'k', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    box_feed(box, "x", "filename", "", NULL);
    box_feed(box, "x", "filename", long_name, NULL);
    box_feed(box, "x", "filename", "\xff\xfe", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 3);
    CHECK_INT(server_count("PUT", ""), 0);
    CHECK_STR(item_attribute(box_item(box, "failure", 1), "s3.errorCode"), "KeyTooLongError");
    CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.class"), "permanent");
    end(host);
}

TEST(if_exists)
{
    static const struct {
        const char *yaml;
        const char *out;
        unsigned puts;
    } ways[] = {{"if_exists: replace\n", "success", 2}, {"if_exists: skip\n", "success", 1}, {"if_exists: fail\n", "failure", 1}};
    for (size_t i = 0; i < SL_COUNT(ways); i++)
        for (int conditional = 0; conditional < 2; conditional++) {
            host *host = bed("");
            server_conditional(conditional);
            box *box = putter(host, ways[i].yaml);
            server_place("bucket/f", "somebody");
            box_feed(box, "x", "filename", "f", NULL);
            box_feed(box, "x", "filename", "new", NULL);
            box_run(box);
            CHECK_INT(box_count(box, ways[i].out), i == 2 ? 1 : 2);
            CHECK_INT(server_object_at("bucket/f")->puts, ways[i].puts);
            CHECK(server_object_at("bucket/new") != NULL);
            if (i == 1) CHECK_STR(item_event(box_item(box, "success", 0), 0), "ADDINFO");
            if (i == 2) CHECK_STR(item_attribute(box_item(box, "failure", 0), "error.code"), "ObjectExists");
            end(host);
        }
}

TEST(somebody_is_faster)
{
    host *host = bed("");
    box *box = putter(host, "if_exists: fail\n");
    server_fail("HEAD", "/f", 0, 1, FAULT_STATUS, 404, ""); /* it came between the HEAD and the PUT */
    server_place("bucket/f", "somebody");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "failure"), 1);
    CHECK_INT(server_object_at("bucket/f")->puts, 1);
    end(host);
}

TEST(the_servers_clock_is_used)
{
    host *host = bed("");
    server_skew(5 * 3600);
    box *box = putter(host, "");
    box_feed(box, "x", "filename", "f", NULL);
    box_feed(box, "x", "filename", "g", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 2);
    CHECK_INT(server_count("PUT", ""), 3);
    CHECK(host_logged(host, "clock"));
    end(host);
}

TEST(retry_after_is_kept)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_STATUS, 503, "SlowDown");
    server_header("Retry-After: 30\r\n");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    server_header("");
    box_feed(box, "x", "filename", "g", NULL);
    box_run(box);
    host_advance(host, 5 * SL_SECOND);
    box_run(box);
    CHECK_INT(server_count("PUT", "/g"), 0); /* the account is quiet, not the object */
    CHECK_INT(box_open(box), 1);
    go_on(host, box, 4);
    CHECK_INT(box_count(box, "success"), 2);
    end(host);
}

TEST(requests_are_paced)
{
    host *host = bed("requests_per_second: 10\n");
    box *box = putter(host, "concurrency: 5\n");
    for (int i = 0; i < 5; i++) box_feed(box, "x", "filename", (char[]){(char)('a' + i), 0}, NULL);
    box_run(box);
    CHECK_INT(server_count("PUT", ""), 1);
    host_advance(host, 250 * SL_MILLISECOND);
    box_run(box);
    CHECK_INT(server_count("PUT", ""), 3);
    host_advance(host, SL_SECOND);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 5);
    end(host);
}

TEST(a_bucket_with_object_lock_gets_content_md5)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_STATUS, 400, "Content-MD5 OR x-amz-checksum-");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK_INT(box_count(box, "success"), 1);
    CHECK_INT(server_count("PUT", "/f"), 2);
    end(host);
}

TEST(deliveries_to_one_key_keep_their_order)
{
    host *host = bed("");
    box *box = putter(host, "concurrency: 4\n");
    server_fail("PUT", "/f", 0, 1, FAULT_STATUS, 503, "SlowDown");
    for (int i = 0; i < 4; i++) box_feed(box, (char[]){(char)('0' + i), 0}, "filename", "f", NULL);
    box_feed(box, "x", "filename", "g", NULL);
    box_run(box);
    host_advance(host, 300 * SL_MILLISECOND); /* the server's quiet, not yet the retry */
    box_run(box);
    CHECK(server_object_at("bucket/g") != NULL);
    CHECK(server_object_at("bucket/f") == NULL);
    go_on(host, box, 10);
    CHECK_INT(box_count(box, "success"), 5);
    CHECK_STR(server_object_at("bucket/f")->sha256, "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"); /* "3" */
    end(host);
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

TEST(cancelled_while_the_server_is_silent)
{
    host *host = bed("");
    box *box = putter(host, "");
    server_fail("PUT", "/f", 0, 1, FAULT_HOLD, 0, "");
    box_feed(box, "x", "filename", "f", NULL);
    box_trigger(box);
    cancel_when_held(host, box);
    host_settle(host);
    CHECK_INT(box_open(box), 0);
    CHECK_INT(box_queued(box), 1);
    server_release();
    go_on(host, box, 3);
    CHECK_INT(box_count(box, "success"), 1);
    end(host);
}

TEST(a_server_that_is_not_there)
{
    host *host = host_new("s3");
    host_secret(host, "id", "A");
    host_secret(host, "key", "B");
    host_service(host, "store", "type: s3\nendpoint: http://127.0.0.1:1\naccess_key_id: {secret: id}\nsecret_access_key: {secret: key}\n");
    box *box = putter(host, "");
    box_feed(box, "x", "filename", "f", NULL);
    box_run(box);
    CHECK_INT(box_queued(box), 1);
    CHECK_INT(box_failure(box)->class_, SLUICE_TRANSIENT);
    CHECK(strstr(box_failure(box)->message, "127.0.0.1"));
    host_free(host);
}

TEST(what_init_refuses)
{
    static const struct {
        const char *yaml, *says;
    } wrong[] = {
        {"bucket: UP/per\nkey: k\n", "bucket"},
        {"bucket: b\nkey: k\nmetadata: {\"a b\": x}\n", "a b"},
        {"bucket: b\nkey: k\nmetadata: {Sluice-Effect: x}\n", "Sluice-Effect"},
        {"bucket: b\nkey: k\npart_size: 1MB\n", "part_size"},
        {"bucket: b\nkey: k\nif_exists: maybe\n", "if_exists"},
    };
    for (size_t i = 0; i < SL_COUNT(wrong); i++) {
        host *host = bed("");
        sl_buf said = SL_BUF(10000);
        char yaml[512];
        snprintf(yaml, sizeof yaml, "type: put-s3\nservice: store\n%s", wrong[i].yaml);
        CHECK(box_refused(host, yaml, &said));
        CHECK(said.data && strstr(said.data, wrong[i].says));
        sl_buf_done(&said);
        end(host);
    }
}
