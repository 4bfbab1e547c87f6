/* Names as text. */
#include "file/name.h"

#include "test.h"

static const char *encoded(const char *name)
{
    static char kept[256];
    file_text text = {0};
    file_name_encode(&text, name);
    snprintf(kept, sizeof kept, "%s", text.data);
    file_text_done(&text);
    return kept;
}

TEST(only_what_is_utf8_is_text)
{
    CHECK(file_name_is_utf8("") && file_name_is_utf8("plain") && file_name_is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xac"));
    CHECK(!file_name_is_utf8("\xff") && !file_name_is_utf8("\x80") && !file_name_is_utf8("\xc3") && !file_name_is_utf8("\xe2\x82"));
    CHECK(!file_name_is_utf8("\xc0\x80") && !file_name_is_utf8("\xe0\x9f\xbf") && !file_name_is_utf8("\xed\xa0\x80"));
    CHECK(!file_name_is_utf8("\xf0\x8f\xbf\xbf") && !file_name_is_utf8("\xf4\x90\x80\x80") && !file_name_is_utf8("\xf5\x80\x80\x80"));
}

TEST(stray_bytes_and_percents_are_encoded)
{
    CHECK_STR(encoded("a\xff"
                      "b"),
              "a%FFb");
    CHECK_STR(encoded("100%"), "100%25");
    CHECK_STR(encoded("gr\xc3\xbc\xc3"), "gr\xc3\xbc%C3");
    CHECK_STR(encoded(""), "");
}

TEST(every_name_comes_back)
{
    char name[256];
    for (int i = 1; i < 256; i++) name[i - 1] = (char)i;
    name[255] = 0;
    file_text text = {0}, back = {0};
    file_name_encode(&text, name);
    CHECK(file_name_is_utf8(text.data));
    CHECK(file_name_decode(&back, text.data, text.size));
    CHECK_STR(back.data, name);
    file_text_cut(&text, 0), file_text_cut(&back, 0);
    file_path_encode(&text, name);
    CHECK(!strpbrk(text.data, "\"\\ \n"));
    CHECK(file_name_decode(&back, text.data, text.size));
    CHECK_STR(back.data, name);
    file_text_done(&text);
    file_text_done(&back);
}

TEST(malformed_encoding_is_refused)
{
    static const char *const wrong[] = {"%", "%4", "%zz", "a%4g", "%-1"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) {
        file_text text = {0};
        CHECK(!file_name_decode(&text, wrong[i], strlen(wrong[i])));
        file_text_done(&text);
    }
}

TEST(names_that_cannot_be)
{
    CHECK(file_name_problem("", 0) && file_name_problem(".", 1) && file_name_problem("..", 2) && file_name_problem("a/b", 3));
    CHECK(file_name_problem("a\0b", 3));
    CHECK(!file_name_problem("...", 3) && !file_name_problem("a b", 3) && !file_name_problem("\xff", 1) && !file_name_problem(".a", 2));
}

static const char *numbered(const char *name, unsigned number)
{
    static char kept[64];
    file_text text = {0};
    file_name_numbered(&text, name, number);
    snprintf(kept, sizeof kept, "%s", text.data);
    file_text_done(&text);
    return kept;
}

TEST(numbers_come_before_the_ending)
{
    CHECK_STR(numbered("clip.mp4", 2), "clip-2.mp4");
    CHECK_STR(numbered("clip.tar.gz", 1), "clip.tar-1.gz");
    CHECK_STR(numbered("clip", 1), "clip-1");
    CHECK_STR(numbered(".profile", 1), ".profile-1");
    CHECK_STR(numbered("clip.mp4", 0), "clip.mp4");
}

TEST(uris)
{
    file_text uri = {0}, path = {0};
    file_uri(&uri, "/srv/a b/%\xff?#");
    CHECK_STR(uri.data, "file:///srv/a%20b/%25%FF%3F%23");
    CHECK(file_uri_path(&path, uri.data));
    CHECK_STR(path.data, "/srv/a b/%\xff?#");
    CHECK(!file_uri_path(&path, "http://x/") && !file_uri_path(&path, "file://host/x") && !file_uri_path(&path, "file:///a%00b"));
    file_text_done(&uri);
    file_text_done(&path);
}

TEST(members_of_json)
{
    const char text[] = "{\"root\":\"%2Fsrv/a%22b\",\"empty\":\"\",\"size\":-12,\"nul\":\"a%00\"}";
    sluice_text json = {text, strlen(text)};
    file_text value = {0};
    int64_t number = 0;
    CHECK(file_json_path(json, "root", &value));
    CHECK_STR(value.data, "/srv/a\"b");
    file_text_cut(&value, 0);
    CHECK(file_json_path(json, "empty", &value));
    CHECK_STR(value.data, "");
    CHECK(file_json_number(json, "size", &number));
    CHECK_INT(number, -12);
    CHECK(!file_json_path(json, "nul", &value) && !file_json_path(json, "absent", &value) && !file_json_number(json, "root", &number));
    CHECK(!file_json_text((sluice_text){text, 12}, "root", &value));
    CHECK(!file_json_text((sluice_text){0}, "root", &value));
    file_text_done(&value);
}
