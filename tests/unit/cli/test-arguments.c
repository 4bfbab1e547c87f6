/* Command lines: what is taken, and what a wrong one is told. */
#include "test.h"

#include "cli/arguments.h"

static const sl_command *command(const char *name)
{
    for (const sl_command *c = sl_commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static int parse(const char *name, sl_arguments *ret, sl_error *error, int argc, const char *const *words)
{
    *error = (sl_error){0};
    return sl_arguments_parse(command(name), argc, (char **)words, ret, error);
}
#define PARSE(name, ret, error, ...) \
    parse(name, ret, error, (int)SL_COUNT(((const char *[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

static void refused(const char *name, const char *text, int argc, const char *const *words)
{
    sl_arguments arguments;
    sl_error error;
    CHECK_INT(parse(name, &arguments, &error, argc, words), -1);
    CHECK_STR(error.text, text);
}
#define REFUSED(name, text, ...) refused(name, text, (int)SL_COUNT(((const char *[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

TEST(options_and_arguments_in_any_order)
{
    sl_arguments a;
    sl_error error;
    CHECK_INT(PARSE("run", &a, &error, "--state", "/s", "flow.yaml", "--set=a=1", "--set", "b=x=y", "--until-idle"), 0);
    CHECK_INT(a.count, 1);
    CHECK_STR(a.positional[0], "flow.yaml");
    CHECK_STR(sl_option_value(&a, "state"), "/s");
    CHECK(sl_given_option(&a, "until-idle"));
    CHECK(!sl_given_option(&a, "json"));
    sl_arena arena = {0};
    sl_setting *settings;
    size_t count;
    CHECK_INT(sl_option_settings(&a, "set", &arena, &settings, &count, &error), 0);
    CHECK_INT(count, 2);
    CHECK_STR(settings[0].name, "a");
    CHECK_STR(settings[0].value, "1");
    CHECK_STR(settings[1].name, "b");
    CHECK_STR(settings[1].value, "x=y");
    sl_arena_done(&arena);
    sl_arguments_done(&a);
}

TEST(two_dashes_end_the_options)
{
    sl_arguments a;
    sl_error error;
    CHECK_INT(PARSE("expr", &a, &error, "--", "--attr"), 0);
    CHECK_INT(a.count, 1);
    CHECK_STR(a.positional[0], "--attr");
    sl_arguments_done(&a);
}

TEST(help_and_version_are_heard_whatever_else_is_wrong)
{
    sl_arguments a;
    sl_error error;
    CHECK_INT(PARSE("run", &a, &error, "--nonsense", "--help"), 0);
    CHECK(a.help);
    sl_arguments_done(&a);
    CHECK_INT(PARSE("run", &a, &error, "--version"), 0);
    CHECK(a.version);
    sl_arguments_done(&a);
}

TEST(wrong_command_lines_are_told_what_to_write)
{
    REFUSED("run", "there is no option --untill-idle; did you mean --until-idle?", "f", "--untill-idle");
    REFUSED("run", "there is no option --qqqqqqqqqq; --help lists them", "f", "--qqqqqqqqqq");
    REFUSED("run", "there is no option -x; options are words: --help lists them", "f", "-x");
    REFUSED("run", "--state needs a value: --state DIR", "f", "--state");
    REFUSED("run", "--until-idle takes no value", "f", "--until-idle=yes");
    REFUSED("run", "--state is given twice; it takes one value", "f", "--state", "a", "--state=b");
    REFUSED("run", "`g` is one argument too many: run FLOW", "f", "g");
    REFUSED("queue empty", "an argument is missing: queue empty CONNECTION", "--json");
    REFUSED("content", "--side is one of input, output, not `middle`", "1", "--side", "middle");
    REFUSED("validate", "--live: not in this version", "f", "--live");
}

TEST(values_of_options_are_checked)
{
    sl_arguments a;
    sl_error error;
    uint64_t number;
    sl_setting *settings;
    size_t count;
    sl_arena arena = {0};
    CHECK_INT(PARSE("run", &a, &error, "f", "--set", "novalue"), 0);
    CHECK_INT(sl_option_settings(&a, "set", &arena, &settings, &count, &error), -1);
    CHECK_STR(error.text, "--set takes NAME=VALUE, not `novalue`");
    sl_arguments_done(&a);
    static const char *const wrong[] = {"-1", "", "1x", "99999999999999999999", " 1"};
    for (size_t i = 0; i < SL_COUNT(wrong); i++) {
        CHECK_INT(PARSE("bulletins", &a, &error, "--limit", wrong[i]), 0);
        CHECK_INT(sl_option_number(&a, "limit", 7, &number, &error), -1);
        sl_arguments_done(&a);
    }
    CHECK_INT(PARSE("bulletins", &a, &error, "--limit", "12"), 0);
    CHECK_INT(sl_option_number(&a, "limit", 7, &number, &error), 0);
    CHECK_INT(number, 12);
    CHECK_INT(sl_option_number(&a, "after", 7, &number, &error), 0);
    CHECK_INT(number, 7);
    sl_arguments_done(&a);
    sl_arena_done(&arena);
}

static const sl_command *find(const char *first, const char *second, int *words, sl_error *error)
{
    char *argv[] = {(char *)first, (char *)second, NULL};
    *error = (sl_error){0};
    return sl_command_find(second ? 2 : 1, argv, words, error);
}

TEST(commands_are_found_by_one_word_or_two)
{
    int words = 0;
    sl_error error;
    CHECK_STR(find("run", "queue", &words, &error)->name, "run");
    CHECK_INT(words, 1);
    CHECK_STR(find("queue", "replay", &words, &error)->name, "queue replay");
    CHECK_INT(words, 2);
    CHECK(!find("queue", NULL, &words, &error));
    CHECK_STR(error.text, "`queue` needs one more word: queue list, queue replay, queue empty");
    CHECK(!find("queue", "drop", &words, &error));
    CHECK_STR(error.text, "there is no command `queue drop`; there are queue list, queue replay, queue empty");
    CHECK(!find("valdate", NULL, &words, &error));
    CHECK_STR(error.text, "there is no command `valdate`; did you mean `validate`? `sluice --help` lists them");
}

TEST(names_of_later_versions_are_known_and_not_run)
{
    static const char *const later[] = {"test", "graph", "top", "tap", "replay", "run-once", "queue move"};
    for (size_t i = 0; i < SL_COUNT(later); i++) {
        CHECK(command(later[i]) != NULL);
        CHECK(command(later[i]) && !command(later[i])->run);
    }
}
