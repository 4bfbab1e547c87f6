#include "test.h"

TEST(buffers_refuse_whole_what_is_over_their_ceiling)
{
    sl_buf buf = SL_BUF(8);
    CHECK_INT(sl_buf_text(&buf, "12345678"), 0);
    CHECK_INT(sl_buf_text(&buf, "9"), -1);
    CHECK(buf.overflowed);
    CHECK_STR(buf.data, "12345678");
    sl_buf_clear(&buf);
    CHECK_INT(sl_buf_printf(&buf, "%d-%s", 42, "ab"), 0);
    CHECK_STR(buf.data, "42-ab");
    char *taken = sl_buf_take(&buf);
    CHECK_STR(taken, "42-ab");
    free(taken);
}

TEST(an_empty_buffer_can_be_taken)
{
    sl_buf buf = SL_BUF(8);
    char *taken = sl_buf_take(&buf);
    CHECK_STR(taken, "");
    free(taken);
}

TEST(map_keeps_order_over_removals_and_growth)
{
    sl_map map = {0};
    static int values[1000];
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        CHECK(sl_map_put(&map, sl_str_of(key), &values[i]) == NULL);
    }
    for (int i = 0; i < 1000; i += 2) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        CHECK(sl_map_remove(&map, sl_str_of(key)) == &values[i]);
        CHECK(sl_map_get(&map, sl_str_of(key)) == NULL);
    }
    CHECK(sl_map_put(&map, SL_STR("late"), &values[0]) == NULL);
    CHECK_INT(map.live, 501);
    int expected = 1;
    SL_MAP_EACH (&map, entry) {
        if (strcmp(entry->key, "late") != 0) CHECK(entry->value == &values[expected]);
        expected += 2;
    }
    CHECK(sl_map_put(&map, SL_STR("key1"), &values[5]) == &values[1]);
    sl_map_done(&map);
}

TEST(utf8_refuses_what_is_no_utf8)
{
    CHECK(sl_utf8_valid(SL_STR("gr\xC3\xBC\xC3\x9F \xF0\x9F\x8C\x8A")));
    CHECK(!sl_utf8_valid(SL_STR("\xC0\x80")));         /* overlong */
    CHECK(!sl_utf8_valid(SL_STR("\xED\xA0\x80")));     /* surrogate */
    CHECK(!sl_utf8_valid(SL_STR("\xF4\x90\x80\x80"))); /* above U+10FFFF */
    CHECK(!sl_utf8_valid(SL_STR("ab\xC3")));           /* cut */
}

TEST(nearest_name)
{
    static const char *const names[] = {"schedule", "directory", "source"};
    CHECK_STR(sl_nearest(SL_STR("shedule"), names, 3), "schedule");
    CHECK(sl_nearest(SL_STR("bucket"), names, 3) == NULL);
}

TEST(crc32c_of_published_vectors_both_ways)
{
    char zeros[32] = {0}, text[333];
    CHECK_INT(sl_crc32c(0, "123456789", 9), 0xE3069283); /* RFC 3720, B.4 */
    CHECK_INT(sl_crc32c(0, zeros, 32), 0x8A9136AA);
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7);
    for (size_t size = 0; size < sizeof text; size++) CHECK_INT(sl_crc32c(5, text, size), sl_crc32c_portable(5, text, size));
    CHECK_INT(sl_crc32c(sl_crc32c(0, text, 100), text + 100, 233), sl_crc32c(0, text, 333));
}

TEST(encodings)
{
    sl_buf buf = SL_BUF(1000);
    sl_percent_encode(&buf, SL_STR("a b/\xC3\xBC~+"), "/");
    CHECK_STR(buf.data, "a%20b/%C3%BC~%2B");
    sl_buf_clear(&buf);
    sl_base64(&buf, "any carnal pleas", 16);
    CHECK_STR(buf.data, "YW55IGNhcm5hbCBwbGVhcw==");
    char hex[9];
    unsigned char back[4];
    sl_hex("\x00\xFF\x10\xAb", 4, hex);
    CHECK_STR(hex, "00ff10ab");
    CHECK_INT(sl_unhex(sl_str_of(hex), back, 4), 0);
    CHECK(memcmp(back, "\x00\xFF\x10\xAb", 4) == 0);
    CHECK_INT(sl_unhex(SL_STR("0g"), back, 1), -1);
    sl_buf_done(&buf);
}

typedef struct members {
    sl_buf seen;
} members;

static int note(void *context, sl_str name, const sl_str *value)
{
    members *m = context;
    sl_buf_printf(&m->seen, "%.*s=%.*s;", SL_STR_ARGS(name), value ? (int)value->size : 1, value ? value->data : "-");
    return 0;
}

static int parse(members *m, const char *text, size_t size)
{
    sl_arena arena = {0};
    sl_error error = {0};
    sl_buf_clear(&m->seen);
    int result = sl_json_members((sl_str){text, size}, &arena, note, m, &error);
    CHECK(result == 0 || error.text[0]);
    sl_arena_done(&arena);
    return result;
}

TEST(json_members_read_what_json_string_wrote)
{
    members m = {SL_BUF(10000)};
    sl_buf text = SL_BUF(10000);
    sl_buf_text(&text, "{");
    sl_json_string(&text, SL_STR("na\"me\n"));
    sl_buf_text(&text, " : ");
    sl_json_string(&text, SL_STR("\x01\x1f\\ \xC3\xBC \xF0\x9F\x8C\x8A"));
    sl_buf_text(&text, ", \"gone\":null }");
    CHECK_INT(parse(&m, text.data, text.size), 0);
    CHECK_STR(m.seen.data, "na\"me\n=\x01\x1f\\ \xC3\xBC \xF0\x9F\x8C\x8A;gone=-;");
    for (size_t cut = 0; cut < text.size; cut++) CHECK_INT(parse(&m, text.data, cut), -1);
    sl_buf_clear(&text);
    sl_json_string(&text, SL_STR("a\xFFz"));
    CHECK_STR(text.data, "\"a\xEF\xBF\xBDz\"");
    sl_buf_done(&text);
    sl_buf_done(&m.seen);
}

TEST(json_members_are_strict)
{
    static const char *const wrong[] = {"",        "[]",           "{\"a\":1}",       "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00x\"}",
                                        "{\"a\"}", "{\"a\":\"b\"", "{\"a\":\"b\"} x", "{\"a\":\"\\q\"}",     "{\"a\":\"b\",}"};
    members m = {SL_BUF(10000)};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) CHECK_INT(parse(&m, wrong[i], strlen(wrong[i])), -1);
    CHECK_INT(parse(&m, "{\"a\":\"\\ud83c\\udf0a\"}", 20), 0);
    CHECK_STR(m.seen.data, "a=\xF0\x9F\x8C\x8A;");
    CHECK_INT(parse(&m, "{}", 2), 0);
    sl_buf_done(&m.seen);
}
