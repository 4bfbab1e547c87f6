/* hash-content. */
#include "host.h"

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *hash(host *host, const char *yaml, const char *attribute)
{
    box *box = box_new(host, yaml);
    box_feed(box, "abc", NULL);
    box_run(box);
    return item_attribute(box_item(box, "success", 0), attribute);
}

TEST(knows_its_algorithms)
{
    host *host = host_new("content");
    CHECK_STR(hash(host, "type: hash-content\n", "hash.value"), ABC_SHA256);
    CHECK_STR(hash(host, "type: hash-content\nalgorithm: md5\nattribute: m\n", "m"), "900150983cd24fb0d6963f7d28e17f72");
    CHECK_STR(hash(host, "type: hash-content\nalgorithm: sha1\n", "hash.value"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK_STR(
        hash(host, "type: hash-content\nalgorithm: sha512\n", "hash.value"),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    CHECK_STR(hash(host, "type: hash-content\nalgorithm: sha384\n", "hash.value"),
              "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    CHECK_STR(hash(host, "type: hash-content\nalgorithm: sha3-256\n", "hash.value"),
              "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    CHECK_STR(
        hash(host, "type: hash-content\nalgorithm: blake2b\n", "hash.value"),
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    host_free(host);
}

TEST(tells_the_host_what_it_computed)
{
    host *host = host_new("content");
    box *box = box_new(host, "type: hash-content\nalgorithm: md5\n");
    box_feed(box, "abc", NULL);
    box_run(box);
    CHECK_STR(item_md5(box_item(box, "success", 0)), "900150983cd24fb0d6963f7d28e17f72");
    host_free(host);
}

TEST(a_hash_that_is_known_is_not_computed_again)
{
    host *host = host_new("content");
    box *first = box_new(host, "type: hash-content\n"), *second = box_new(host, "type: hash-content\nattribute: again\n");
    box_feed(first, "abc", NULL);
    box_run(first);
    CHECK_INT(box_pass(first, "success", second), 1);
    host_fail(host, HOST_READ, 0, SLUICE_PERMANENT, "EIO", "it was read again");
    box_run(second);
    CHECK_STR(item_attribute(box_item(second, "success", 0), "again"), ABC_SHA256);
    host_free(host);
}

TEST(hashes_content_of_any_size)
{
    host *host = host_new("content");
    box *box = box_new(host, "type: hash-content\nalgorithm: md5\n");
    char *zeros = sl_alloc(1000000);
    memset(zeros, 'a', 1000000);
    box_feed_bytes(box, zeros, 1000000, NULL);
    box_feed(box, "", NULL);
    box_run(box);
    CHECK_STR(item_attribute(box_item(box, "success", 0), "hash.value"), "7707d6ae4e027c70eea2a935c2296f21");
    CHECK_STR(item_attribute(box_item(box, "success", 1), "hash.value"), "d41d8cd98f00b204e9800998ecf8427e");
    free(zeros);
    host_free(host);
}

TEST(failures_are_passed_on_with_their_class)
{
    host *host = host_new("content");
    box *box = box_new(host, "type: hash-content\nalgorithm: sha1\n");
    box_feed(box, "abc", NULL);
    host_fail(host, HOST_READ, 0, SLUICE_TRANSIENT, "EIO", "the disk does not answer");
    box_run(box);
    CHECK_INT(box_queued(box), 1);
    host_advance(host, 5 * SL_SECOND);
    host_fail(host, HOST_CONTENT, 0, SLUICE_PERMANENT, "ENOENT", "it is gone");
    box_run(box);
    item *out = box_item(box, "failure", 0);
    CHECK_STR(item_attribute(out, "error.code"), "ENOENT");
    CHECK(!item_attribute(out, "hash.value"));
    host_free(host);
}

TEST(refuses_what_cannot_be)
{
    host *host = host_new("content");
    sl_buf said = SL_BUF(10000);
    CHECK(box_refused(host, "type: hash-content\nalgorithm: crc32\n", &said));
    CHECK(box_refused(host, "type: hash-content\nattribute: ''\n", &said));
    CHECK(box_refused(host, "type: hash-content\nattribute: uuid\n", &said));
    sl_buf_done(&said);
    host_free(host);
}
