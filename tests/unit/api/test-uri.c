#include "test.h"

#include "api/uri.h"

static sl_error error;

static int parse(const char *text, sl_uri *ret)
{
    error = (sl_error){0};
    return sl_uri_parse(sl_str_of(text), ret, &error);
}

TEST(a_target_in_pieces)
{
    sl_uri uri;
    CHECK_INT(parse("/api/v1/flows/a%2Fb/x+y?filename=a+b%26c&empty&attr.mime.type=image%2Fpng&=odd&&last=1", &uri), 0);
    CHECK_INT(uri.segment_count, 5);
    CHECK_VIEW(uri.segments[0], "api");
    CHECK_VIEW(uri.segments[3], "a/b");
    CHECK_VIEW(uri.segments[4], "x+y");
    CHECK_INT(uri.parameter_count, 5);
    CHECK_VIEW(sl_uri_get(&uri, "filename"), "a b&c");
    CHECK_VIEW(sl_uri_get(&uri, "empty"), "");
    CHECK(sl_uri_get(&uri, "empty").data);
    CHECK_VIEW(sl_uri_get(&uri, "attr.mime.type"), "image/png");
    CHECK_VIEW(sl_uri_get(&uri, "last"), "1");
    CHECK(!sl_uri_get(&uri, "file").data);
    sl_uri_done(&uri);
}

TEST(the_root_and_empty_segments)
{
    sl_uri uri;
    CHECK_INT(parse("/", &uri), 0);
    CHECK_INT(uri.segment_count, 0);
    sl_uri_done(&uri);
    CHECK_INT(parse("/a/", &uri), 0);
    CHECK_INT(uri.segment_count, 2);
    CHECK_INT(uri.segments[1].size, 0);
    sl_uri_done(&uri);
    CHECK_INT(parse("//", &uri), 0);
    CHECK_INT(uri.segment_count, 2);
    sl_uri_done(&uri);
}

static void refused(const char *text, int status)
{
    sl_uri uri;
    CHECK_INT(parse(text, &uri), -1);
    CHECK_INT(error.code, status);
    sl_uri_done(&uri);
}

TEST(what_is_wrong_is_refused)
{
    refused("", 400);
    refused("a", 400);
    refused("http://host/a", 400);
    refused("/%", 400);
    refused("/%4", 400);
    refused("/%zz", 400);
    refused("/a%00b", 400);
    refused("/a?x=%0", 400);
    refused("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", 414);
    sl_buf text = SL_BUF(20000);
    sl_buf_text(&text, "/a?");
    for (int i = 0; i < 65; i++) sl_buf_text(&text, "a=1&");
    refused(text.data, 414);
    while (text.size <= SL_URI_LIMIT) sl_buf_char(&text, 'x');
    refused(text.data, 414);
    sl_buf_done(&text);
}
