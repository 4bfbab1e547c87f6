/* What S3 servers say in XML, and what becomes of their errors. */
#include "test.h"

#include "s3/error.h"
#include "s3/xml.h"

static s3_xml found;
static int parse(const char *text) { return s3_xml_parse(text, strlen(text), &found); }

TEST(an_error)
{
    CHECK_INT(parse("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>The &lt;bucket&gt; "
                    "does not exist</Message><RequestId>7A62</RequestId><Extra><Code>inner</Code></Extra></Error>"),
              0);
    CHECK_STR(found.root, "Error");
    CHECK_STR(found.code, "NoSuchBucket");
    CHECK_STR(found.message, "The <bucket> does not exist");
    CHECK_STR(found.request_id, "7A62");
    CHECK_STR(found.upload_id, "");
}

TEST(an_upload_begun)
{
    CHECK_INT(parse("<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket>"
                    "<Key>k</Key><UploadId>2~abc&amp;def</UploadId></InitiateMultipartUploadResult>"),
              0);
    CHECK_STR(found.root, "InitiateMultipartUploadResult");
    CHECK_STR(found.upload_id, "2~abc&def");
}

TEST(an_upload_completed_after_blanks)
{
    CHECK_INT(parse("   \r\n\n <?xml version=\"1.0\"?><s3:CompleteMultipartUploadResult xmlns:s3=\"x\"><s3:ETag>&quot;9b2c-3&quot;"
                    "</s3:ETag></s3:CompleteMultipartUploadResult>"),
              0);
    CHECK_STR(found.root, "CompleteMultipartUploadResult");
    CHECK_STR(found.etag, "\"9b2c-3\"");
    CHECK_INT(parse("<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>"), 0);
    CHECK_STR(found.etag, "");
}

TEST(what_is_refused)
{
    const char *bad[] = {
        "", "   ", "not xml", "<Error><Code>cut", "<a></b>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "{\"json\":1}", "<a/><b/>"};
    for (size_t i = 0; i < SL_COUNT(bad); i++) {
        CHECK_INT(parse(bad[i]), -1);
        CHECK_STR(found.root, "");
    }
}

TEST(long_values)
{
    sl_buf text = SL_BUF(100000);
    sl_buf_text(&text, "<Error><Message>");
    for (int i = 0; i < 2000; i++) sl_buf_char(&text, 'm');
    sl_buf_text(&text, "</Message></Error>");
    CHECK_INT(s3_xml_parse(text.data, text.size, &found), 0); /* a message may be cut */
    CHECK_INT(strlen(found.message), sizeof found.message - 1);
    sl_buf_clear(&text);
    sl_buf_text(&text, "<R><UploadId>");
    for (int i = 0; i < 3000; i++) sl_buf_char(&text, 'u');
    sl_buf_text(&text, "</UploadId></R>");
    CHECK_INT(s3_xml_parse(text.data, text.size, &found), -1); /* an id may not */
    sl_buf_clear(&text);
    for (int i = 0; i < 40; i++) sl_buf_text(&text, "<a>");
    for (int i = 0; i < 40; i++) sl_buf_text(&text, "</a>");
    CHECK_INT(s3_xml_parse(text.data, text.size, &found), -1); /* deeper than any server's */
    sl_buf_done(&text);
}

TEST(every_cut_is_survived)
{
    static const char whole[] = "<?xml version=\"1.0\"?><Error><Code>A&amp;B</Code><Message>m</Message></Error>";
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        char *copy = sl_strndup(whole, size); /* its end is known to a sanitizer */
        CHECK_INT(s3_xml_parse(copy, size, &found), -1);
        free(copy);
    }
}

TEST(classes)
{
    static const struct {
        int status;
        const char *code;
        sluice_class expected;
    } cases[] = {
        {0, "", SLUICE_TRANSIENT},
        {408, "", SLUICE_TRANSIENT},
        {429, "", SLUICE_TRANSIENT},
        {500, "InternalError", SLUICE_TRANSIENT},
        {503, "SlowDown", SLUICE_TRANSIENT},
        {503, "", SLUICE_TRANSIENT},
        {400, "RequestTimeout", SLUICE_TRANSIENT},
        {400, "BadDigest", SLUICE_TRANSIENT},
        {400, "IncompleteBody", SLUICE_TRANSIENT},
        {409, "OperationAborted", SLUICE_TRANSIENT},
        {403, "InvalidAccessKeyId", SLUICE_CONFIGURATION},
        {403, "SignatureDoesNotMatch", SLUICE_CONFIGURATION},
        {403, "AccessDenied", SLUICE_CONFIGURATION},
        {400, "ExpiredToken", SLUICE_CONFIGURATION},
        {403, "", SLUICE_CONFIGURATION},
        {401, "", SLUICE_CONFIGURATION},
        {404, "NoSuchBucket", SLUICE_CONFIGURATION},
        {404, "", SLUICE_CONFIGURATION},
        {301, "PermanentRedirect", SLUICE_CONFIGURATION},
        {400, "AuthorizationHeaderMalformed", SLUICE_CONFIGURATION},
        {403, "RequestTimeTooSkewed", SLUICE_CONFIGURATION},
        {400, "KeyTooLongError", SLUICE_PERMANENT},
        {400, "InvalidArgument", SLUICE_PERMANENT},
        {400, "EntityTooLarge", SLUICE_PERMANENT},
        {413, "", SLUICE_PERMANENT},
        {400, "", SLUICE_PERMANENT},
        {412, "PreconditionFailed", SLUICE_PERMANENT},
        /* an error inside a 200 */
        {200, "InternalError", SLUICE_TRANSIENT},
        {200, "SlowDown", SLUICE_TRANSIENT},
        {200, "InvalidPart", SLUICE_PERMANENT},
        {200, "AccessDenied", SLUICE_CONFIGURATION},
    };
    for (size_t i = 0; i < SL_COUNT(cases); i++)
        if (s3_error_class(cases[i].status, cases[i].code) != cases[i].expected)
            sl_test_failed(__FILE__, __LINE__, "%d %s is of class %d", cases[i].status, cases[i].code,
                           s3_error_class(cases[i].status, cases[i].code));
}

TEST(a_failure_says_what_to_do)
{
    sluice_failure failure;
    s3_error error = {.status = 400, .code = "AuthorizationHeaderMalformed", .message = "wrong", .region = "eu-central-1"};
    s3_error_failure(&error, "PUT", "https://h/b/k", &failure);
    CHECK_INT(failure.class_, SLUICE_CONFIGURATION);
    CHECK_STR(failure.code, "AuthorizationHeaderMalformed");
    CHECK(strstr(failure.message, "region: eu-central-1"));
    CHECK(strstr(failure.message, "PUT https://h/b/k"));
    error = (s3_error){.status = 0, .message = "Connection refused"};
    s3_error_failure(&error, "PUT", "https://h/b/k", &failure);
    CHECK_INT(failure.class_, SLUICE_TRANSIENT);
    CHECK(strstr(failure.message, "Connection refused"));
    error = (s3_error){.status = 503};
    s3_error_failure(&error, "PUT", "https://h/b/k", &failure);
    CHECK_STR(failure.code, "503");
    error = (s3_error){.status = 0, .configuration = true, .message = "certificate has expired"};
    s3_error_failure(&error, "PUT", "https://h/b/k", &failure);
    CHECK_INT(failure.class_, SLUICE_CONFIGURATION);
}
