#include "cli/arguments.h"

#include <errno.h>
#include <stdio.h>

/* ---- which command ---------------------------------------------------------------------------------- */

static bool first_word_is(const sl_command *command, const char *word)
{
    size_t size = strcspn(command->name, " ");
    return strlen(word) == size && memcmp(command->name, word, size) == 0;
}

/* "queue" alone, or with a word that is not of its second ones. */
static int wrong_second_word(const char *first, const char *second, sl_error *error)
{
    sl_buf names = SL_BUF(1024);
    for (const sl_command *c = sl_commands; c->name; c++)
        if (c->run && first_word_is(c, first)) sl_buf_printf(&names, "%s%s", names.size ? ", " : "", c->name);
    if (second) sl_error_set(error, 0, "there is no command `%s %s`; there are %s", first, second, names.data);
    else sl_error_set(error, 0, "`%s` needs one more word: %s", first, names.data);
    sl_buf_done(&names);
    return -1;
}

static int no_such_command(const char *word, sl_error *error)
{
    const char *names[64];
    size_t count = 0;
    for (const sl_command *c = sl_commands; c->name && count < SL_COUNT(names); c++)
        if (c->run) names[count++] = c->name;
    const char *near = sl_nearest(sl_str_of(word), names, count);
    if (near) return sl_error_set(error, 0, "there is no command `%s`; did you mean `%s`? `sluice --help` lists them", word, near);
    return sl_error_set(error, 0, "there is no command `%s`; `sluice --help` lists them", word);
}

const sl_command *sl_command_find(int argc, char **argv, int *ret_words, sl_error *error)
{
    bool first_known = false;
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!first_word_is(c, argv[0])) continue;
        first_known = true;
        const char *second = strchr(c->name, ' ');
        if (second && (argc < 2 || strcmp(argv[1], second + 1) != 0)) continue;
        *ret_words = second ? 2 : 1;
        return c;
    }
    if (first_known) wrong_second_word(argv[0], argc > 1 ? argv[1] : NULL, error);
    else no_such_command(argv[0], error);
    return NULL;
}

/* ---- options ------------------------------------------------------------------------------------------ */

static const sl_option *find_option(const sl_command *command, sl_str name)
{
    SL_OPTIONS_EACH(command, option)
    if (sl_str_is(name, option->name)) return option;
    return NULL;
}

static int no_such_option(const sl_command *command, sl_str name, sl_error *error)
{
    const char *names[64];
    size_t count = 0;
    SL_OPTIONS_EACH(command, option)
    if (count < SL_COUNT(names) && !(option->flags & SL_LATER)) names[count++] = option->name;
    const char *near = sl_nearest(name, names, count);
    if (near) return sl_error_set(error, 0, "there is no option --%.*s; did you mean --%s?", SL_STR_ARGS(name), near);
    return sl_error_set(error, 0, "there is no option --%.*s; --help lists them", SL_STR_ARGS(name));
}

static int check_choice(const sl_option *option, const char *value, sl_error *error)
{
    if (!option->choices) return 0;
    sl_buf list = SL_BUF(1024);
    for (const char *const *choice = option->choices; *choice; choice++) {
        if (strcmp(*choice, value) == 0) return sl_buf_done(&list), 0;
        sl_buf_printf(&list, "%s%s", list.size ? ", " : "", *choice);
    }
    sl_error_set(error, 0, "--%s is one of %s, not `%s`", option->name, list.data, value);
    sl_buf_done(&list);
    return -1;
}

static int add_option(sl_arguments *arguments, const sl_option *option, const char *value, sl_error *error)
{
    if (option->flags & SL_LATER) return sl_error_set(error, 0, "--%s: not in this version", option->name);
    if (!(option->flags & SL_REPEATS) && sl_given_option(arguments, option->name))
        return sl_error_set(error, 0, "--%s is given twice; it takes one value", option->name);
    if (check_choice(option, value, error) < 0) return -1;
    arguments->given = sl_grow(arguments->given, arguments->given_count, &arguments->given_capacity, sizeof *arguments->given);
    arguments->given[arguments->given_count++] = (sl_given){option, value};
    return 0;
}

/* Takes argv[*at], and the next one when it is the option's value. */
static int take_option(sl_arguments *arguments, int argc, char **argv, int *at, sl_error *error)
{
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    sl_str name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    const sl_option *option = find_option(arguments->command, name);
    if (!option) return no_such_option(arguments->command, name, error);
    if (!option->value) {
        if (equals) return sl_error_set(error, 0, "--%s takes no value", option->name);
        return add_option(arguments, option, "", error);
    }
    if (equals) return add_option(arguments, option, equals + 1, error);
    if (option->flags & SL_LATER) return add_option(arguments, option, "", error);
    if (*at + 1 >= argc) return sl_error_set(error, 0, "--%s needs a value: --%s %s", option->name, option->name, option->value);
    return add_option(arguments, option, argv[++*at], error);
}

static int check_count(const sl_arguments *arguments, sl_error *error)
{
    const sl_command *command = arguments->command;
    if (arguments->count < command->least)
        return sl_error_set(error, 0, "an argument is missing: %s %s", command->name, command->arguments);
    if (arguments->count > command->most)
        return sl_error_set(error, 0, "`%s` is one argument too many: %s%s%s", arguments->positional[command->most], command->name,
                            *command->arguments ? " " : "", command->arguments);
    return 0;
}

static bool asks(int argc, char **argv, const char *name)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], name) == 0) return true;
    return false;
}

int sl_arguments_parse(const sl_command *command, int argc, char **argv, sl_arguments *ret, sl_error *error)
{
    *ret = (sl_arguments){.command = command};
    ret->help = asks(argc, argv, "--help") || asks(argc, argv, "-h");
    ret->version = asks(argc, argv, "--version");
    if (ret->help || ret->version) return 0;
    ret->positional = sl_alloc(((size_t)argc + 1) * sizeof *ret->positional);
    bool options = true;
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1] == '-') {
            if (take_option(ret, argc, argv, &i, error) < 0) return sl_arguments_done(ret), -1;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            sl_error_set(error, 0, "there is no option %s; options are words: --help lists them", argv[i]);
            return sl_arguments_done(ret), -1;
        } else {
            ret->positional[ret->count++] = argv[i];
        }
    }
    if (check_count(ret, error) == 0) return 0;
    sl_arguments_done(ret);
    return -1;
}

void sl_arguments_done(sl_arguments *arguments)
{
    free(arguments->positional);
    free(arguments->given);
    *arguments = (sl_arguments){0};
}

/* ---- values ------------------------------------------------------------------------------------------- */

const char *sl_option_next(const sl_arguments *arguments, const char *name, size_t *at)
{
    while (*at < arguments->given_count) {
        const sl_given *given = &arguments->given[(*at)++];
        if (strcmp(given->option->name, name) == 0) return given->value;
    }
    return NULL;
}

const char *sl_option_value(const sl_arguments *arguments, const char *name)
{
    const char *value = NULL, *next;
    size_t at = 0;
    while ((next = sl_option_next(arguments, name, &at))) value = next;
    return value;
}

bool sl_given_option(const sl_arguments *arguments, const char *name) { return sl_option_value(arguments, name) != NULL; }

int sl_option_settings(const sl_arguments *arguments, const char *name, sl_arena *arena, sl_setting **ret, size_t *ret_count,
                       sl_error *error)
{
    size_t at = 0;
    *ret = sl_arena_alloc(arena, (arguments->given_count + 1) * sizeof **ret);
    *ret_count = 0;
    for (const char *text; (text = sl_option_next(arguments, name, &at));) {
        const char *equals = strchr(text, '=');
        if (!equals || equals == text) return sl_error_set(error, 0, "--%s takes NAME=VALUE, not `%s`", name, text);
        (*ret)[(*ret_count)++] = (sl_setting){sl_arena_strndup(arena, text, (size_t)(equals - text)), equals + 1};
    }
    return 0;
}

int sl_option_number(const sl_arguments *arguments, const char *name, uint64_t fallback, uint64_t *ret, sl_error *error)
{
    const char *text = sl_option_value(arguments, name);
    *ret = fallback;
    if (!text) return 0;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno) return sl_error_set(error, 0, "--%s takes a whole number, not `%s`", name, text);
    *ret = value;
    return 0;
}
