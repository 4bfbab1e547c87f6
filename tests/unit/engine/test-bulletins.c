/* Bulletins: kept, counted, bounded. */
#include "test.h"

#include "base/sys.h"
#include "engine/bulletins.h"

static int64_t moved; /* of both clocks */
static int64_t now(void) { return sl_sys_real.realtime() + moved; }
static int64_t ticks(void) { return sl_sys_real.monotonic() + moved; }
static sl_sys sys;

static uint64_t first; /* the number before the first */

static sl_bulletins *begin(void)
{
    sys = sl_sys_real;
    sys.realtime = now;
    sys.monotonic = ticks;
    sl_sys_now = &sys;
    sl_log_level(0);
    sl_bulletins *bulletins = sl_bulletins_new();
    sl_buf none = SL_BUF(16);
    sl_bulletins_json(bulletins, 0, 1, &none, &first);
    sl_buf_done(&none);
    return bulletins;
}

static char *after(sl_bulletins *bulletins, uint64_t number, uint64_t *ret_last)
{
    sl_buf text = SL_BUF(1 << 20);
    sl_bulletins_json(bulletins, number, 1000, &text, ret_last);
    return sl_buf_take(&text);
}

/* *ret_last: how many there were. */
static char *all(sl_bulletins *bulletins, uint64_t *ret_last)
{
    char *text = after(bulletins, 0, ret_last);
    *ret_last -= first;
    return text;
}

TEST(the_same_text_is_counted)
{
    sl_bulletins *bulletins = begin();
    uint64_t last;
    for (int i = 0; i < 500; i++) sl_bulletin(bulletins, SL_WARNING, "f/a", "again");
    char *text = all(bulletins, &last);
    CHECK_INT(last, 2); /* one, and its count */
    CHECK(strstr(text, "\"count\":500") != NULL);
    free(text);
    sl_bulletins_free(bulletins);
}

TEST(a_storm_of_different_texts_is_bounded_and_its_rest_told)
{
    sl_bulletins *bulletins = begin();
    uint64_t last;
    for (int i = 0; i < 5000; i++) sl_bulletin(bulletins, i == 4000 ? SL_ERROR : SL_WARNING, "f/a", "text %d", i);
    sl_bulletin(bulletins, SL_INFO, "f/b", "another is heard all the same");
    free(all(bulletins, &last));
    CHECK_INT(last, 61);
    sl_bulletins_tick(bulletins);
    free(all(bulletins, &last));
    CHECK_INT(last, 61);
    moved += 61 * SL_SECOND;
    sl_bulletins_tick(bulletins);
    char *text = all(bulletins, &last);
    CHECK_INT(last, 62);
    CHECK(strstr(text, "\"level\":\"error\",\"count\":1,\"component\":\"f/a\",\"message\":\"and 4940 more within a minute") != NULL);
    free(text);
    sl_bulletin(bulletins, SL_WARNING, "f/a", "a new minute");
    sl_bulletins_tick(bulletins);
    free(all(bulletins, &last));
    CHECK_INT(last, 63);
    sl_bulletins_free(bulletins);
}

TEST(components_of_the_past_are_forgotten)
{
    sl_bulletins *bulletins = begin();
    uint64_t last;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 50; i++) {
            char name[32];
            snprintf(name, sizeof name, "f/%d-%d", round, i);
            sl_bulletin(bulletins, SL_INFO, name, "once");
        }
        moved += 61 * SL_SECOND;
        sl_bulletins_tick(bulletins);
    }
    free(all(bulletins, &last));
    CHECK_INT(last, 10000);
    sl_bulletins_free(bulletins);
}

TEST(a_repeated_one_is_news_again)
{
    sl_bulletins *bulletins = begin();
    uint64_t last, again, seq;
    sl_bulletin(bulletins, SL_WARNING, "f/a", "again");
    sl_bulletin(bulletins, SL_WARNING, "f/b", "once");
    free(after(bulletins, 0, &last));
    sl_bulletin(bulletins, SL_WARNING, "f/a", "again");
    char *text = after(bulletins, last, &again);
    CHECK(again > last && strstr(text, "\"count\":2") && strstr(text, "f/a") && !strstr(text, "f/b"));
    CHECK(sscanf(text, "[{\"seq\":%lu", &seq) == 1 && seq <= last); /* the same as before, so that it takes its place */
    free(text);
    text = after(bulletins, again, &again);
    CHECK_STR(text, "[]");
    free(text);
    sl_bulletins_free(bulletins);
}

TEST(a_later_process_has_greater_numbers)
{
    sl_bulletins *bulletins = begin();
    uint64_t last, later;
    for (int i = 0; i < 50; i++) sl_bulletin(bulletins, SL_WARNING, "f/a", "text %d", i);
    free(after(bulletins, 0, &last));
    sl_bulletins_free(bulletins);
    moved += SL_SECOND;
    bulletins = begin();
    sl_bulletin(bulletins, SL_WARNING, "f/a", "new");
    char *text = after(bulletins, last, &later);
    CHECK(later > last && strstr(text, "\"new\""));
    free(text);
    text = after(bulletins, later + SL_SECOND, &later); /* of a clock that was ahead */
    CHECK(strstr(text, "\"new\""));
    free(text);
    sl_bulletins_free(bulletins);
}
