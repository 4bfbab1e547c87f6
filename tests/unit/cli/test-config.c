/* sluiced.yaml: what is honoured, and what is refused with its place. */
#include "test.h"

#include "cli/config.h"

static void load(const char *text, sl_config *config, sl_problems *problems)
{
    *problems = (sl_problems){.file = "c.yaml"};
    sl_config_parse(sl_str_of(text), config, problems);
}

TEST(nothing_said_gives_the_defaults)
{
    sl_config config;
    sl_problems problems;
    load("", &config, &problems);
    CHECK_INT(problems.count, 0);
    CHECK_INT(config.listen_count, 2);
    CHECK_STR(config.listen[0], "127.0.0.1:8470");
    CHECK_STR(config.listen[1], "unix:/run/sluice/api.sock");
    CHECK(!config.listen_given);
    CHECK_INT(config.open_count, 2);
    CHECK_STR(config.flows, "/etc/sluice/flows");
    CHECK(!config.secrets);
    CHECK_INT(config.log, SL_INFO);
    CHECK_INT(config.content_disk_percent, 0);
    CHECK_INT(config.content_disk_bytes, 0);
    sl_config_done(&config);
    sl_problems_done(&problems);
}

TEST(every_key_is_taken)
{
    sl_config config;
    sl_problems problems;
    size_t count;
    load("http: {listen: ['0.0.0.0:80', 'unix:/x/y'], open: [metrics]}\n"
         "parameters:\n  one: {bucket: prod, n: 1.10}\n  two: {}\n"
         "services: {b2: {type: s3}}\n"
         "secrets: {dir: /etc/s}\n"
         "flows: {dir: /f, writable: false}\n"
         "log: {level: debug}\n"
         "retention: {provenance: {age: 7d, size: 2MB}, content: {age: 0, disk: 50GB}}\n",
         &config, &problems);
    for (size_t i = 0; i < problems.count; i++) printf("# %s\n", problems.items[i].message);
    CHECK_INT(problems.count, 0);
    CHECK(config.listen_given);
    CHECK_STR(config.listen[0], "0.0.0.0:80");
    CHECK_STR(config.open[0], "metrics");
    CHECK_STR(config.secrets, "/etc/s");
    CHECK_STR(config.flows, "/f");
    CHECK_INT(config.log, SL_DEBUG);
    CHECK_INT(config.provenance_age, 7LL * 24 * 3600 * SL_SECOND);
    CHECK_INT(config.provenance_size, 2000000);
    CHECK_INT(config.content_disk_percent, 0);
    CHECK_INT(config.content_disk_bytes, 50000000000);
    CHECK(config.services != NULL);
    const sl_setting *settings = sl_config_settings(&config, SL_STR("one"), &count);
    CHECK_INT(count, 2);
    CHECK_STR(settings[0].name, "bucket");
    CHECK_STR(settings[0].value, "prod");
    CHECK_STR(settings[1].value, "1.10");
    sl_config_settings(&config, SL_STR("two"), &count);
    CHECK_INT(count, 0);
    sl_config_settings(&config, SL_STR("three"), &count);
    CHECK_INT(count, 0);
    sl_config_done(&config);
    sl_problems_done(&problems);
}

TEST(content_may_take_a_part_of_the_disk)
{
    sl_config config;
    sl_problems problems;
    load("retention: {content: {age: 0, disk: 65%}}\n", &config, &problems);
    CHECK_INT(problems.count, 0);
    CHECK_INT(config.content_disk_percent, 65);
    CHECK_INT(config.content_disk_bytes, 0);
    sl_config_done(&config);
    sl_problems_done(&problems);
}

TEST(an_empty_list_listens_nowhere)
{
    sl_config config;
    sl_problems problems;
    load("http: {listen: []}\n", &config, &problems);
    CHECK_INT(problems.count, 0);
    CHECK_INT(config.listen_count, 0);
    CHECK(config.listen_given);
    sl_config_done(&config);
    sl_problems_done(&problems);
}

static void refused(const char *text, unsigned line, unsigned column, const char *part)
{
    sl_config config;
    sl_problems problems;
    load(text, &config, &problems);
    CHECK(problems.errors > 0);
    if (problems.count) {
        CHECK_INT(problems.items[0].mark.line, line);
        CHECK_INT(problems.items[0].mark.column, column);
        if (!strstr(problems.items[0].message, part))
            sl_test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", problems.items[0].message, part);
    }
    sl_config_done(&config);
    sl_problems_done(&problems);
}

TEST(what_is_wrong_or_later_is_refused_with_its_place)
{
    refused("htpp: {}\n", 1, 1, "http");
    refused("log: {level: loud}\n", 1, 14, "error, warning, info, debug");
    refused("log: info\n", 1, 6, "log");
    refused("http:\n  listen: ['8470']\n", 2, 12, "ADDR:PORT");
    refused("http:\n  listen: ['unix:relative']\n", 2, 12, "unix:/PATH");
    refused("http: {open: [status]}\n", 1, 15, "healthz");
    refused("retention: {content: {age: for ever}}\n", 1, 28, "age");
    refused("retention: {content: {age: 3h}}\n", 1, 28, "not in this version");
    refused("retention: {content: {disk: 0%}}\n", 1, 29, "1% to 100%");
    refused("retention: {content: {disk: 101%}}\n", 1, 29, "1% to 100%");
    refused("retention: {content: {disk: -5%}}\n", 1, 29, "1% to 100%");
    refused("retention: {content: {disk: much}}\n", 1, 29, "50GB");
    refused("retention: {provenance: {age: soon}}\n", 1, 31, "age");
    refused("flows: {writable: true}\n", 1, 19, "not in this version");
    refused("secrets: {}\n", 1, 1, "dir");
    refused("services: [a]\n", 1, 11, "mapping");
    refused("parameters: {one: 1}\n", 1, 19, "mapping");
    refused("parameters:\n  one: {list: [1]}\n", 2, 15, "a value");
    refused("parameters: {one: {a: null}}\n", 1, 23, "no value");
    refused("log: {level: info}\nlog: {level: info}\n", 2, 1, "duplicate");
    refused("- a\n", 1, 1, "keys");
}
