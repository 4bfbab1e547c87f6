/* sluice: the operator's command. */
#include <signal.h>

#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/output.h"

static int print_help(const sl_command *command)
{
    sl_buf text = SL_BUF(256 * 1024);
    if (command) sl_help_command(command, &text);
    else sl_help_program(&text);
    return sl_print(&text);
}

static int print_version(void)
{
    sl_buf text = SL_BUF(256);
    sl_version("sluice", &text);
    return sl_print(&text);
}

static int run(const sl_command *command, int argc, char **argv)
{
    sl_error error = {0};
    sl_arguments arguments;
    if (sl_arguments_parse(command, argc, argv, &arguments, &error) < 0)
        return sl_complain(SL_EXIT_USAGE, "%s: %s", command->name, error.text);
    int code = arguments.help ? print_help(command) : arguments.version ? print_version() : command->run(&arguments);
    sl_arguments_done(&arguments);
    return code;
}

int main(int argc, char **argv)
{
    sl_error error = {0};
    int words = 0;
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write */
    if (argc < 2) return print_help(NULL), SL_EXIT_USAGE;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) return print_help(NULL);
    if (strcmp(argv[1], "--version") == 0) return print_version();
    const sl_command *command = sl_command_find(argc - 1, argv + 1, &words, &error);
    if (!command) return sl_complain(SL_EXIT_USAGE, "%s", error.text);
    if (!command->run) return sl_complain(SL_EXIT_USAGE, "%s: not in this version", command->name);
    return run(command, argc - 1 - words, argv + 1 + words);
}
