#include "test.h"

static int64_t duration(const char *text)
{
    int64_t us;
    return sl_duration_parse(sl_str_of(text), &us) < 0 ? -1 : us;
}

TEST(durations)
{
    CHECK_INT(duration("250ms"), 250000);
    CHECK_INT(duration("7d"), 7LL * 86400 * SL_SECOND);
    CHECK_INT(duration("0"), 0);
    CHECK_INT(duration("0s"), 0);
    static const char *const wrong[] = {"", "5", "s", "-1s", "1.5s", "1 s", "5S", "99999999999999999999s", "9999999999999w"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) CHECK_INT(duration(wrong[i]), -1);
    char text[SL_TIME_TEXT];
    CHECK_STR(sl_duration_format(90 * SL_SECOND, text), "90s");
    CHECK_STR(sl_duration_format(7200 * SL_SECOND, text), "2h");
    CHECK_STR(sl_duration_format(1500, text), "1500us");
}

TEST(sizes)
{
    uint64_t size;
    CHECK(sl_size_parse(SL_STR("16KiB"), &size) == 0 && size == 16384);
    CHECK(sl_size_parse(SL_STR("1GB"), &size) == 0 && size == 1000000000);
    CHECK(sl_size_parse(SL_STR("512"), &size) == 0 && size == 512);
    CHECK_INT(sl_size_parse(SL_STR("1.5GB"), &size), -1);
    CHECK_INT(sl_size_parse(SL_STR("1gb"), &size), -1);
    CHECK_INT(sl_size_parse(SL_STR("99999999TiB"), &size), -1);
}

TEST(times_there_and_back)
{
    char text[SL_TIME_TEXT];
    int64_t us;
    CHECK_STR(sl_time_format(0, text), "1970-01-01T00:00:00.000000Z");
    CHECK_INT(sl_time_parse(SL_STR("2026-11-24T09:23:00.123456Z"), &us), 0);
    CHECK_STR(sl_time_format(us, text), "2026-11-24T09:23:00.123456Z");
    CHECK_INT(sl_time_parse(SL_STR("2026-11-24T10:23:00.123456+01:00"), &us), 0);
    CHECK_STR(sl_time_format(us, text), "2026-11-24T09:23:00.123456Z");
    CHECK_INT(sl_time_parse(SL_STR("2024-02-29"), &us), 0);
    CHECK_STR(sl_time_format(us, text), "2024-02-29T00:00:00.000000Z");
    CHECK_STR(sl_time_format(-1, text), "1969-12-31T23:59:59.999999Z");
    static const char *const wrong[] = {"2026-02-29",          "2026-13-01", "2026-11-24T",
                                        "2026-11-24T10:00:00", "24.11.2026", "2026-11-24T25:00:00Z"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) CHECK_INT(sl_time_parse(sl_str_of(wrong[i]), &us), -1);
}

TEST(a_uuid_carries_its_id)
{
    char text[SL_UUID_TEXT];
    uint64_t id;
    sl_uuid_make(123456789, 1795512180123, 0x2AAAAAAA, text);
    CHECK_INT(strlen(text), 36);
    CHECK_INT(text[14], '7');
    CHECK_INT(sl_uuid_id(sl_str_of(text), &id), 0);
    CHECK_INT(id, 123456789);
    sl_uuid_random(text);
    CHECK_INT(text[14], '4');
    CHECK_INT(sl_uuid_id(sl_str_of(text), &id), -1);
    CHECK_INT(sl_uuid_id(SL_STR("not a uuid"), &id), -1);
}
