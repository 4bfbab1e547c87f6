/* Where a request goes: regions, hosts, paths; and when, by the server's clock. */
#include "test.h"

#include "s3/request.h"

TEST(regions_of_hosts)
{
    static const struct {
        const char *host, *region;
    } cases[] = {
        {"s3.us-west-004.backblazeb2.com", "us-west-004"},
        {"s3.eu-central-1.amazonaws.com:8443", "eu-central-1"},
        {"s3.ap-northeast-1.wasabisys.com", "ap-northeast-1"},
        {"s3.amazonaws.com", NULL},
        {"s3.dualstack.eu-west-1.amazonaws.com", NULL},
        {"b.s3.us-west-004.backblazeb2.com", NULL},
        {"s3.us-west-004.backblazeb2.com.example.org", NULL},
        {"localhost:9000", NULL},
        {"s3.", NULL},
        {"s3..amazonaws.com", NULL},
    };
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        char region[64] = "";
        CHECK_INT(s3_region_of_host(cases[i].host, region, sizeof region), cases[i].region != NULL);
        if (cases[i].region) CHECK_STR(region, cases[i].region);
    }
}

TEST(hosts_and_paths)
{
    static const struct {
        s3_addressing addressing;
        const char *authority, *bucket, *key, *url;
    } cases[] = {
        {S3_AUTO_ADDRESS, "s3.us-west-004.backblazeb2.com", "b", "k", "https://s3.us-west-004.backblazeb2.com/b/k"},
        {S3_AUTO_ADDRESS, "s3.eu-west-1.amazonaws.com", "my-bucket", "a/b", "https://my-bucket.s3.eu-west-1.amazonaws.com/a/b"},
        {S3_AUTO_ADDRESS, "s3.eu-west-1.amazonaws.com", "my.bucket", "k", "https://s3.eu-west-1.amazonaws.com/my.bucket/k"},
        {S3_AUTO_ADDRESS, "s3.eu-west-1.amazonaws.com", "My_Bucket", "k", "https://s3.eu-west-1.amazonaws.com/My_Bucket/k"},
        {S3_PATH_ADDRESS, "s3.eu-west-1.amazonaws.com", "b", "k", "https://s3.eu-west-1.amazonaws.com/b/k"},
        {S3_VIRTUAL_ADDRESS, "store.example:9000", "b", "k", "https://b.store.example:9000/k"},
        {S3_PATH_ADDRESS, "h", "b", "/a//b/../c d+\xc3\xa4?&=%", "https://h/b//a//b/../c%20d%2B%C3%A4%3F%26%3D%25"},
        {S3_VIRTUAL_ADDRESS, "h", "b", "", "https://b.h/"},
    };
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        s3_service service = {.tls = true, .addressing = cases[i].addressing, .authority = cases[i].authority};
        s3_text url = {0};
        s3_service_url(&service, cases[i].bucket, cases[i].key, &url);
        CHECK_STR(url.data, cases[i].url);
        s3_text_done(&url);
    }
    s3_service folder = {.folder = "/srv/my store"};
    s3_text url = {0};
    s3_service_url(&folder, "b", "a/\xc3\xa4 b", &url);
    CHECK_STR(url.data, "file:///srv/my%20store/b/a/%C3%A4%20b");
    s3_text_done(&url);
}

TEST(which_bodies_are_signed)
{
    static const struct {
        s3_signing signing;
        bool tls, opaque, signs;
    } cases[] = {{S3_SIGN_AUTO, true, false, false},
                 {S3_SIGN_AUTO, false, false, true},
                 {S3_SIGN_AUTO, true, true, true},
                 {S3_SIGN_ALWAYS, true, false, true},
                 {S3_SIGN_NEVER, false, false, false}};
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        s3_service service = {.signing = cases[i].signing, .tls = cases[i].tls, .opaque_etag = cases[i].opaque};
        CHECK_INT(s3_service_signs(&service), cases[i].signs);
    }
}

static sluice_text view(const char *text) { return (sluice_text){text, strlen(text)}; }

TEST(dates_of_servers)
{
    int64_t time = 0;
    CHECK(s3_http_date(view("Fri, 24 May 2013 00:00:00 GMT"), &time));
    CHECK_INT(time, 1369353600000000);
    CHECK(s3_http_date(view("Thu, 29 Feb 2024 23:59:59 GMT"), &time));
    CHECK_INT(time, 1709251199000000);
    static const char *const wrong[] = {"", "Friday, 24-May-13 00:00:00 GMT", "Fri, 24 Foo 2013 00:00:00 GMT", "2013-05-24",
                                        "Fri, 24 anF 2013 00:00:00 GMT"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) CHECK(!s3_http_date(view(wrong[i]), &time));
    CHECK(!s3_http_date((sluice_text){NULL, 0}, &time));
}
