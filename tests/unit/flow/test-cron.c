#include "test.h"

#include "flow/cron.h"

/* The next `count` times after `from`, with a space between them, without their zeros. */
static void next(const char *text, const char *tz, const char *from, size_t count, const char *expected)
{
    sl_cron *cron = NULL;
    sl_error error = {0};
    int64_t at = 0;
    sl_buf found = SL_BUF(4096);
    CHECK_INT(sl_time_parse(sl_str_of(from), &at), 0);
    if (sl_cron_parse(sl_str_of(text), tz, &cron, &error) < 0) {
        sl_test_failed(__FILE__, __LINE__, "%s: %s", text, error.text);
        return;
    }
    for (size_t i = 0; i < count && (at = sl_cron_next(cron, at)) >= 0; i++) {
        char time[SL_TIME_TEXT];
        sl_buf_printf(&found, "%s%.16s", i ? " " : "", sl_time_format(at, time));
    }
    if (strcmp(sl_buf_view(&found).data, expected) != 0)
        sl_test_failed(__FILE__, __LINE__, "%s in %s after %s: \"%s\", expected \"%s\"", text, tz ? tz : "UTC", from,
                       sl_buf_view(&found).data, expected);
    sl_cron_free(cron);
    sl_buf_done(&found);
}

static void refuse(const char *text, const char *tz, const char *part)
{
    sl_cron *cron = NULL;
    sl_error error = {0};
    CHECK_INT(sl_cron_parse(sl_str_of(text), tz, &cron, &error), -1);
    CHECK(!cron);
    if (!strstr(error.text, part)) sl_test_failed(__FILE__, __LINE__, "%s: expected \"%s\", found \"%s\"", text, part, error.text);
}

TEST(fields)
{
    const char *from = "2026-11-25T10:15:30Z"; /* a Wednesday */
    next("* * * * *", NULL, from, 2, "2026-11-25T10:16 2026-11-25T10:17");
    next("*/20 * * * *", NULL, from, 3, "2026-11-25T10:20 2026-11-25T10:40 2026-11-25T11:00");
    next("5,10-12 9 * * *", NULL, from, 5, "2026-11-26T09:05 2026-11-26T09:10 2026-11-26T09:11 2026-11-26T09:12 2026-11-27T09:05");
    next("0 0 1 jan *", NULL, from, 2, "2027-01-01T00:00 2028-01-01T00:00");
    next("30 2 * * MON-Fri", NULL, from, 4, "2026-11-26T02:30 2026-11-27T02:30 2026-11-30T02:30 2026-12-01T02:30");
    next("0 12 * * 7", NULL, from, 2, "2026-11-29T12:00 2026-12-06T12:00");
    next("0 12 * * 5-7/2", NULL, from, 2, "2026-11-27T12:00 2026-11-29T12:00");
    next("15 10 25 11 *", NULL, from, 1, "2027-11-25T10:15");
    next("1-10/3 0 * * *", NULL, from, 5, "2026-11-26T00:01 2026-11-26T00:04 2026-11-26T00:07 2026-11-26T00:10 2026-11-27T00:01");
    next("  0\t0 * * *  ", NULL, from, 1, "2026-11-26T00:00");
    next("0 0 29 2 *", NULL, from, 2, "2028-02-29T00:00 2032-02-29T00:00");
    next("0 0 29 2 *", NULL, "2096-03-01T00:00:00Z", 1, "2104-02-29T00:00");
    next("0 0 31 * *", NULL, from, 3, "2026-12-31T00:00 2027-01-31T00:00 2027-03-31T00:00");
}

TEST(a_moment_that_is_due_is_not_its_own_next)
{
    next("0 * * * *", NULL, "2026-11-25T10:00:00Z", 1, "2026-11-25T11:00");
    next("0 * * * *", NULL, "2026-11-25T09:59:59.999999Z", 1, "2026-11-25T10:00");
    next("0 9 * * *", NULL, "2026-11-25T09:00:00Z", 1, "2026-11-26T09:00");
    next("* * * * *", NULL, "1970-01-01T00:00:00Z", 1, "1970-01-01T00:01");
}

TEST(day_and_weekday_both_mean_either)
{
    next("0 0 13 * fri", NULL, "2026-11-25T00:00:00Z", 4, "2026-11-27T00:00 2026-12-04T00:00 2026-12-11T00:00 2026-12-13T00:00");
    next("0 0 */2 * fri", NULL, "2026-11-25T00:00:00Z", 2, "2026-11-27T00:00 2026-12-11T00:00"); /* `*` does not restrict */
}

TEST(time_zones)
{
    next("0 9 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", 1, "2026-07-01T07:00");
    next("0 9 * * *", "Europe/Berlin", "2026-12-01T00:00:00Z", 1, "2026-12-01T08:00");
    next("0 9 * * *", "America/New_York", "2026-12-01T00:00:00Z", 1, "2026-12-01T14:00");
    next("0 0 * * *", "Asia/Kolkata", "2026-12-01T00:00:00Z", 1, "2026-12-01T18:30");
    next("0 0 1 * *", "Pacific/Kiritimati", "2026-11-25T00:00:00Z", 1, "2026-11-30T10:00");
    next("0 9 * * *", "Europe/Berlin", "2060-07-01T00:00:00Z", 1, "2060-07-01T07:00"); /* by the rule of the years to come */
    next("0 9 * * *", "Europe/Berlin", "2060-12-01T00:00:00Z", 1, "2060-12-01T08:00");
    next("0 9 * * *", "Australia/Sydney", "2060-01-01T00:00:00Z", 1, "2060-01-01T22:00"); /* summer in January */
    next("0 9 * * *", "Australia/Sydney", "2060-07-01T00:00:00Z", 1, "2060-07-01T23:00");
    next("0 9 * * *", "Etc/GMT+3", "2060-07-01T00:00:00Z", 1, "2060-07-01T12:00");
}

/* Berlin, 28 March 2027: 02:00 becomes 03:00, which is 01:00 UTC. */
TEST(a_time_that_a_change_skips_runs_at_the_change)
{
    next("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2, "2027-03-28T01:00 2027-03-29T00:30");
    next("0,30 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 3, "2027-03-28T01:00 2027-03-28T01:30 2027-03-29T00:00");
    next("*/30 * * * *", "Europe/Berlin", "2027-03-28T00:15:00Z", 3, "2027-03-28T00:30 2027-03-28T01:00 2027-03-28T01:30");
}

/* Berlin, 25 October 2026: 03:00 becomes 02:00, which is 01:00 UTC. */
TEST(a_time_that_comes_twice_runs_once)
{
    next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2, "2026-10-25T00:30 2026-10-26T01:30");
    next("30 2,3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 3, "2026-10-25T00:30 2026-10-25T02:30 2026-10-26T01:30");
    /* From within the second pass. */
    next("45 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1, "2026-10-26T01:45");
    /* A pace goes on through both. */
    next("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 4, "2026-10-25T00:30 2026-10-25T01:00 2026-10-25T01:30 2026-10-25T02:00");
}

/* Half an hour, and a whole day that never was. */
TEST(unusual_changes)
{
    next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2, "2026-10-03T15:30 2026-10-04T15:15");
    next("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3, "2011-12-29T22:00 2011-12-30T10:00 2011-12-30T22:00");
    next("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2, "2018-11-04T03:00 2018-11-05T02:00");
}

TEST(what_is_refused)
{
    refuse("* * * *", NULL, "expected five fields, MINUTE HOUR DAY MONTH WEEKDAY");
    refuse("* * * * * *", NULL, "found 6");
    refuse("", NULL, "found 0");
    refuse("@daily", NULL, "found 1");
    refuse("60 * * * *", NULL, "minute: expected 0 to 59");
    refuse("* 24 * * *", NULL, "hour: expected 0 to 23");
    refuse("* * 0 * *", NULL, "day: expected 1 to 31");
    refuse("* * * 13 *", NULL, "month: expected 1 to 12 or names");
    refuse("* * * foo *", NULL, "found \"foo\"");
    refuse("* * * * 8", NULL, "weekday: expected 0 to 7");
    refuse("mon * * * *", NULL, "minute");
    refuse("1, * * * *", NULL, "minute");
    refuse(",1 * * * *", NULL, "minute");
    refuse("*/0 * * * *", NULL, "minute");
    refuse("*/x * * * *", NULL, "minute");
    refuse("1- * * * *", NULL, "minute");
    refuse("1-2-3 * * * *", NULL, "minute");
    refuse("-1 * * * *", NULL, "minute");
    refuse("99999999999 * * * *", NULL, "minute");
    refuse("5/10 * * * *", NULL, "write 5-59/10");
    refuse("* 22-2 * * *", NULL, "write 22-23,0-2");
    refuse("0 0 30 2 *", NULL, "never run");
    refuse("0 0 31 4,6,9,11 *", NULL, "never run");
    refuse("* * * * *", "Europe/Nowhere", "no time zone \"Europe/Nowhere\"");
    refuse("* * * * *", "../../../etc/passwd", "no time zone");
    refuse("* * * * *", "", "no time zone");
    refuse("* * * * *", "Europe", "no time zone");
    refuse("* * * * *", "tzdata.zi", "no time zone");
}
