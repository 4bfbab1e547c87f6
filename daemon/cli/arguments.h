/* cli/arguments: a command line, read by the tables of commands.h. */
#ifndef SL_ARGUMENTS_H
#define SL_ARGUMENTS_H

#include "cli/commands.h"
#include "flow/flow.h"

typedef struct sl_given {
    const sl_option *option;
    const char *value; /* "" of a switch */
} sl_given;

struct sl_arguments {
    const sl_command *command;
    const char **positional; /* borrowed from argv */
    size_t count;
    sl_given *given;
    size_t given_count, given_capacity;
    bool help, version; /* asked for: nothing else was checked */
};

/* argv[0] is not looked at. -1: error says what is wrong and what there is instead. */
int sl_arguments_parse(const sl_command *command, int argc, char **argv, sl_arguments *ret, sl_error *error);
void sl_arguments_done(sl_arguments *arguments);

bool sl_given_option(const sl_arguments *arguments, const char *name);
const char *sl_option_value(const sl_arguments *arguments, const char *name); /* the last; NULL: not given */
/* The next value of a repeated option; *at begins with 0. NULL: no more. */
const char *sl_option_next(const sl_arguments *arguments, const char *name, size_t *at);
/* Splits "name=value" of a repeated option; names and values live in `arena`. */
int sl_option_settings(const sl_arguments *arguments, const char *name, sl_arena *arena, sl_setting **ret, size_t *ret_count,
                       sl_error *error);
/* A whole number of the option, or `fallback`. */
int sl_option_number(const sl_arguments *arguments, const char *name, uint64_t fallback, uint64_t *ret, sl_error *error);

/* The command of the table that argv begins with ("queue list" takes two words, *ret_words). NULL: error set. */
const sl_command *sl_command_find(int argc, char **argv, int *ret_words, sl_error *error);

#endif
