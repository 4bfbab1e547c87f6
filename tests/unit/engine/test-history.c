/* A day of figures. */
#include "test.h"

#include "engine/history.h"

enum { NOW = 29000000 }; /* a minute, at 20 past */

static void count(sl_series *series, int64_t minute, int64_t in)
{
    int64_t values[SL_SERIES_VALUES] = {in, in * 1000};
    sl_series_add(series, minute, values);
}

static int64_t at(const sl_series *series, int64_t minute)
{
    int64_t values[SL_SERIES_VALUES];
    sl_series_read(series, minute, 1, values);
    return values[0];
}

TEST(a_day_is_kept_and_no_more)
{
    sl_history *history = sl_history_new();
    sl_series *series = sl_history_series(history, SL_SERIES_PROCESSOR, "f/a");
    for (int64_t m = 0; m < 3 * 1440; m++) count(series, NOW + m, m + 1);
    int64_t last = 3 * 1440 - 1, *all = sl_alloc(1440 * 9 * sizeof *all);
    sl_series_read(series, NOW + last - 1439, 1440, all);
    for (int64_t m = 0; m < 1440; m++) {
        CHECK_INT(all[m * 9], last - 1439 + m + 1);
        CHECK_INT(all[m * 9 + 1], (last - 1439 + m + 1) * 1000);
        CHECK_INT(all[m * 9 + 8], 0);
    }
    CHECK(series->hour_count <= 25);
    CHECK_INT(at(series, NOW + 5), 0);
    free(all);
    sl_history_free(history);
}

TEST(silence_takes_no_room_and_levels_stay)
{
    sl_history *history = sl_history_new();
    sl_series *queue = sl_history_series(history, SL_SERIES_QUEUE, "f/a.success.b");
    int64_t full[4] = {5, 0, 7, 700}, same[4] = {0, 0, 7, 700}, less[4] = {0, 1, 6, 600}, read[4];
    sl_series_add(queue, NOW, full);
    uint32_t size = queue->hours[0].size;
    for (int i = 1; i < 30; i++) sl_series_add(queue, NOW + i, same);
    CHECK_INT(queue->hours[0].size, size);
    sl_series_add(queue, NOW + 30, less);
    sl_series_read(queue, NOW + 29, 1, read);
    CHECK(read[0] == 0 && read[2] == 7 && read[3] == 700);
    sl_series_read(queue, NOW + 30, 1, read);
    CHECK(read[1] == 1 && read[2] == 6);
    sl_history_free(history);
}

TEST(a_minute_that_a_restart_divides_is_one)
{
    sl_history *history = sl_history_new();
    sl_series *series = sl_history_series(history, SL_SERIES_PROCESSOR, "f/a");
    count(series, NOW, 1);
    count(series, NOW + 1, 10);
    count(series, NOW + 1, 5);
    CHECK_INT(at(series, NOW), 1);
    CHECK_INT(at(series, NOW + 1), 15);
    sl_history_free(history);
}

TEST(a_clock_set_back_begins_the_hour_anew)
{
    sl_history *history = sl_history_new();
    sl_series *series = sl_history_series(history, SL_SERIES_PROCESSOR, "f/a");
    for (int64_t m = 0; m < 300; m++) count(series, NOW + m, 1);
    count(series, NOW + 100, 7);
    CHECK_INT(at(series, NOW + 100), 7);
    CHECK_INT(at(series, NOW + 10), 1);
    CHECK_INT(at(series, NOW + 250), 0);
    sl_history_free(history);
}

static char *saved(size_t *ret_size)
{
    sl_buf text = SL_BUF(1 << 24);
    sl_history *history = sl_history_new();
    for (int i = 0; i < 20; i++) {
        char key[32];
        snprintf(key, sizeof key, "f/p%d", i);
        sl_series *series = sl_history_series(history, SL_SERIES_PROCESSOR, key);
        for (int64_t m = 0; m < 1440; m++) count(series, NOW + m, m % 7);
        series->recent = sl_alloc(SL_HISTORY_RECENT * sizeof *series->recent);
        series->recent[3][0] = 33;
    }
    int64_t gauge = -12;
    sl_series_add(sl_history_series(history, SL_SERIES_FIGURE, "f/p0#x"), NOW + 1439, &gauge);
    sl_history_save(history, (NOW + 1439) * 60 * SL_SECOND, &text);
    sl_history_free(history);
    *ret_size = text.size;
    return sl_buf_take(&text);
}

TEST(it_comes_back_from_its_file)
{
    size_t size;
    sl_error error = {0};
    char *text = saved(&size);
    sl_history *history = sl_history_new();
    CHECK_INT(sl_history_load(history, (sl_str){text, size}, (NOW + 1439) * 60 * SL_SECOND + 20 * SL_SECOND, &error), 0);
    sl_series *series = sl_history_find(history, SL_SERIES_PROCESSOR, SL_STR("f/p7"));
    if (!series) sl_test_failed(__FILE__, __LINE__, "f/p7 did not come back"), exit(1);
    for (int64_t m = 0; m < 1440; m++) CHECK_INT(at(series, NOW + m), m % 7);
    CHECK_INT(series->recent[5][0], 33);
    CHECK_INT(at(sl_history_find(history, SL_SERIES_FIGURE, SL_STR("f/p0#x")), NOW + 1439), -12);
    sl_history_free(history);
    history = sl_history_new(); /* two days later nothing is left of it */
    CHECK_INT(sl_history_load(history, (sl_str){text, size}, (NOW + 3 * 1440) * 60 * SL_SECOND, &error), 0);
    CHECK(!sl_history_find(history, SL_SERIES_PROCESSOR, SL_STR("f/p7")));
    sl_history_free(history);
    free(text);
}

TEST(damage_is_seen_and_nothing_taken)
{
    size_t size;
    sl_error error = {0};
    char *text = saved(&size);
    for (size_t i = 0; i < size; i += size / 97 + 1) {
        sl_history *history = sl_history_new();
        text[i] ^= 4;
        CHECK_INT(sl_history_load(history, (sl_str){text, size}, NOW * 60 * SL_SECOND, &error), -1);
        CHECK(!sl_history_find(history, SL_SERIES_PROCESSOR, SL_STR("f/p0")));
        text[i] ^= 4;
        sl_history_free(history);
    }
    for (size_t cut = 0; cut < size; cut += size / 31 + 1) {
        sl_history *history = sl_history_new();
        CHECK_INT(sl_history_load(history, (sl_str){text, cut}, NOW * 60 * SL_SECOND, &error), -1);
        sl_history_free(history);
    }
    free(text);
}
