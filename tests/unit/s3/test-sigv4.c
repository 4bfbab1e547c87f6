/* Signature Version 4 against what AWS publishes: its test suite, and the examples of S3's documentation. */
#include "test.h"

#include "s3/sigv4.h"

typedef struct vector {
    const char *name, *method, *path, *query, *payload;
    s3_signed_header headers[6];
    const char *signed_headers, *signature;
} vector;

#define HOST                            \
    {                                   \
        "Host", "example.amazonaws.com" \
    }
#define DATE                             \
    {                                    \
        "X-Amz-Date", "20150830T123600Z" \
    }
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN                                                                                                                   \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuw"           \
    "thAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d" \
    "+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/* Paths and queries as S3 sends them: encoded, not normalised. */
static const vector suite[] = {
    {"get-vanilla",
     "GET",
     "/",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     "Param2=value2&Param1=value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-key",
     "GET",
     "/",
     "Param1=value2&Param1=Value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
    {"get-vanilla-query-order-value",
     "GET",
     "/",
     "Param1=value2&Param1=value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-query-order-encoded",
     "GET",
     "/",
     "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/",
     UNRESERVED "=" UNRESERVED,
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     "GET",
     "/",
     "%E1%88%B4=bar",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/",
     "Param1=value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-unreserved",
     "GET",
     "/" UNRESERVED,
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     "GET",
     "/%E1%88%B4",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-space",
     "GET",
     "/example%20space/",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     "",
     "",
     {HOST, {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}, DATE},
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-order",
     "GET",
     "/",
     "",
     "",
     {HOST, {"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}, DATE},
     "host;my-header1;x-amz-date",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim",
     "GET",
     "/",
     "",
     "",
     {HOST, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, DATE},
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"post-vanilla",
     "POST",
     "/",
     "",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-vanilla-query",
     "POST",
     "/",
     "Param1=value1",
     "",
     {HOST, DATE},
     "host;x-amz-date",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-header-key-sort",
     "POST",
     "/",
     "",
     "",
     {HOST, {"My-Header1", "value1"}, DATE},
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     "POST",
     "/",
     "",
     "",
     {HOST, {"My-Header1", "VALUE1"}, DATE},
     "host;my-header1;x-amz-date",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     "",
     "Param1=value1",
     {{"Content-Type", "application/x-www-form-urlencoded"}, HOST, DATE},
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters",
     "POST",
     "/",
     "",
     "Param1=value1",
     {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}, HOST, DATE},
     "content-type;host;x-amz-date",
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"post-sts-header-before",
     "POST",
     "/",
     "",
     "",
     {HOST, DATE, {"X-Amz-Security-Token", TOKEN}},
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
};

static size_t header_count(const vector *one)
{
    size_t count = 0;
    while (count < SL_COUNT(one->headers) && one->headers[count].name) count++;
    return count;
}

static void check(s3_signer *signer, const vector *one, const char *scope, const char *date)
{
    char payload[65];
    s3_text found = {0}, expected = {0};
    s3_sha256_hex(one->payload, strlen(one->payload), payload);
    s3_sign(signer, &(s3_to_sign){one->method, one->path, one->query, one->headers, header_count(one), payload, date}, &found);
    s3_text_printf(&expected, "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s", scope, one->signed_headers, one->signature);
    if (strcmp(found.data, expected.data) != 0) sl_test_failed(__FILE__, __LINE__, "%s: %s", one->name, found.data);
    s3_text_done(&found), s3_text_done(&expected);
}

TEST(the_suite_of_aws)
{
    s3_signer signer;
    s3_signer_init(&signer, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service");
    for (size_t i = 0; i < SL_COUNT(suite); i++)
        check(&signer, &suite[i], "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "20150830T123600Z");
    s3_signer_done(&signer);
}

#define BUCKET_HOST                              \
    {                                            \
        "Host", "examplebucket.s3.amazonaws.com" \
    }
#define EMPTY_BODY                              \
    {                                           \
        "x-amz-content-sha256", S3_EMPTY_SHA256 \
    }
#define EXAMPLE_DATE                     \
    {                                    \
        "x-amz-date", "20130524T000000Z" \
    }

static const vector documentation[] = {
    {"GET object",
     "GET",
     "/test.txt",
     "",
     "",
     {BUCKET_HOST, {"Range", "bytes=0-9"}, EMPTY_BODY, EXAMPLE_DATE},
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT object",
     "PUT",
     "/test%24file.text",
     "",
     "Welcome to Amazon S3.",
     {BUCKET_HOST,
      {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
      EXAMPLE_DATE,
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
      {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}},
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET lifecycle",
     "GET",
     "/",
     "lifecycle",
     "",
     {BUCKET_HOST, EMPTY_BODY, EXAMPLE_DATE},
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"list objects",
     "GET",
     "/",
     "max-keys=2&prefix=J",
     "",
     {BUCKET_HOST, EMPTY_BODY, EXAMPLE_DATE},
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

TEST(the_examples_of_the_s3_documentation)
{
    s3_signer signer;
    s3_signer_init(&signer, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3");
    for (size_t i = 0; i < SL_COUNT(documentation); i++)
        check(&signer, &documentation[i], "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request", "20130524T000000Z");
    s3_signer_done(&signer);
}

TEST(the_key_follows_the_day)
{
    s3_signer kept, fresh;
    s3_signer_init(&kept, "A", "secret", "r", "s3");
    s3_text first = {0}, second = {0};
    s3_to_sign what = {"GET", "/", "", documentation[0].headers, 1, S3_EMPTY_SHA256, "20130524T235959Z"};
    s3_sign(&kept, &what, &first);
    what.date = "20130525T000000Z";
    s3_text_clear(&first);
    s3_sign(&kept, &what, &first);
    s3_signer_init(&fresh, "A", "secret", "r", "s3");
    s3_sign(&fresh, &what, &second);
    CHECK_STR(first.data, second.data);
    s3_text_done(&first), s3_text_done(&second);
    s3_signer_done(&kept), s3_signer_done(&fresh);
}

TEST(dates)
{
    char date[S3_AMZ_DATE];
    s3_amz_date(1440938160123456, date);
    CHECK_STR(date, "20150830T123600Z");
    s3_amz_date(0, date);
    CHECK_STR(date, "19700101T000000Z");
}

TEST(percent_and_base64)
{
    s3_text text = {0};
    s3_text_percent(&text, "a/b c+~\xc3\xa4%\0x", 12, "/");
    CHECK_STR(text.data, "a/b%20c%2B~%C3%A4%25%00x");
    const char *plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    const char *encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (int i = 0; i < 7; i++) {
        s3_text_clear(&text);
        s3_text_base64(&text, plain[i], strlen(plain[i]));
        CHECK_STR(text.data, encoded[i]);
    }
    s3_text_done(&text);
}

static sluice_text view(const char *text) { return (sluice_text){text, strlen(text)}; }

TEST(json_goes_there_and_back)
{
    const char *values[] = {"", "plain", "quote\"back\\slash", "tab\tnew\nline\x01", "\xc3\xa4\xe2\x82\xac", "{\"a\":1}"};
    for (size_t i = 0; i < SL_COUNT(values); i++) {
        s3_text text = {0};
        char back[64];
        uint64_t number = 0;
        s3_text_add(&text, "{\"first\":17, \"name\" : ");
        s3_text_json(&text, values[i]);
        s3_text_add(&text, ",\"last\":\"x\"}");
        CHECK(s3_json_member((sluice_text){text.data, text.size}, "name", back, sizeof back));
        CHECK_STR(back, values[i]);
        CHECK(s3_json_number((sluice_text){text.data, text.size}, "first", &number));
        CHECK_INT(number, 17);
        CHECK(!s3_json_member((sluice_text){text.data, text.size}, "absent", back, sizeof back));
        CHECK(!s3_json_number((sluice_text){text.data, text.size}, "last", &number));
        for (size_t cut = 0; cut < text.size; cut++) s3_json_member((sluice_text){text.data, cut}, "last", back, sizeof back);
        s3_text_done(&text);
    }
    char small[4];
    CHECK(!s3_json_member(view("{\"a\":\"long\"}"), "a", small, sizeof small));
    CHECK(!s3_json_member(view("[]"), "a", small, sizeof small));
    CHECK(!s3_json_member(view("{\"a\":\"\\u00e4\"}"), "a", small, sizeof small));
    CHECK(!s3_json_member((sluice_text){NULL, 0}, "a", small, sizeof small));
}

TEST(etags_and_utf8)
{
    char etag[16];
    s3_etag(etag, sizeof etag, view("\"abc-2\""));
    CHECK_STR(etag, "abc-2");
    s3_etag(etag, sizeof etag, view("W/\"abc\""));
    CHECK_STR(etag, "abc");
    s3_etag(etag, sizeof etag, (sluice_text){NULL, 0});
    CHECK_STR(etag, "");
    CHECK(s3_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    CHECK(!s3_utf8("\xc0\xaf", 2) && !s3_utf8("\xed\xa0\x80", 3) && !s3_utf8("\xf4\x90\x80\x80", 4) && !s3_utf8("\xe2\x82", 2));
}
