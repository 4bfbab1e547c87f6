#include "cli/help.h"

#include <stdio.h>

#include "cli/arguments.h"
#include "cli/output.h"

enum { TEXT_WIDTH = 100 };

void sl_version(const char *program, sl_buf *ret) { sl_buf_printf(ret, "%s %s\n", program, SL_VERSION); }

static const char *program_of(const sl_command *command) { return command == &sl_daemon_command ? "" : "sluice "; }

static void usage(const sl_command *command, sl_buf *ret)
{
    sl_buf_printf(ret, "usage: %s%s [options]%s%s\n", program_of(command), command->name, *command->arguments ? " " : "",
                  command->arguments);
}

static void option_head(const sl_option *option, sl_buf *ret)
{
    sl_buf_printf(ret, "--%s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "");
}

static void option_line(const sl_option *option, sl_buf *ret)
{
    sl_buf head = SL_BUF(256);
    option_head(option, &head);
    if (head.size <= 24) sl_buf_printf(ret, "  %-24s  ", head.data);
    else sl_buf_printf(ret, "  %s\n%28s", head.data, "");
    sl_buf_done(&head);
    sl_buf_printf(ret, "%s%s\n", option->help, option->flags & SL_REPEATS ? " (may be repeated)" : "");
}

void sl_help_command(const sl_command *command, sl_buf *ret)
{
    usage(command, ret);
    sl_buf_char(ret, '\n');
    sl_add_wrapped(ret, command->summary, 0, TEXT_WIDTH);
    if (command->details) {
        sl_buf_char(ret, '\n');
        sl_add_wrapped(ret, command->details, 0, TEXT_WIDTH);
    }
    sl_buf_text(ret, "\noptions:\n");
    SL_OPTIONS_EACH(command, option)
    if (!(option->flags & SL_LATER)) option_line(option, ret);
}

void sl_help_program(sl_buf *ret)
{
    sl_buf_text(ret, "usage: sluice COMMAND [options]\n\nMove files through flows, and know what happened to each.\n\n");
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run) continue;
        char head[64];
        snprintf(head, sizeof head, "%s%s%s", c->name, *c->arguments ? " " : "", c->arguments);
        sl_buf_printf(ret, "  %-24s  %s\n", head, c->summary);
    }
    sl_buf_text(ret, "\n`sluice COMMAND --help` tells a command's options. Exit codes: 0 done, 1 failed, 2 usage, 69 the daemon\n"
                     "is not reachable, 75 another process holds the state, 78 the configuration is invalid.\n");
}

/* ---- manual pages ------------------------------------------------------------------------------------------ */

/* In man(7) a minus is a hyphen unless escaped, and a line that begins with a dot or quote is a request. */
static void add_roff(sl_buf *ret, const char *text)
{
    for (bool start = true; *text; start = *text == '\n', text++) {
        if (start && (*text == '.' || *text == '\'')) sl_buf_text(ret, "\\&");
        if (*text == '\\') sl_buf_text(ret, "\\e");
        else if (*text == '-') sl_buf_text(ret, "\\-");
        else if (*text == '\n' && text[1] == '\n') sl_buf_text(ret, "\n.PP");
        else sl_buf_char(ret, *text);
    }
    sl_buf_char(ret, '\n');
}

void sl_manual_options(const sl_command *command, sl_buf *ret)
{
    SL_OPTIONS_EACH(command, option)
    {
        if (option->flags & SL_LATER) continue;
        sl_buf_text(ret, ".TP\n\\fB");
        sl_buf head = SL_BUF(64);
        sl_buf_printf(&head, "--%s", option->name);
        for (const char *c = head.data; *c; c++) sl_buf_printf(ret, *c == '-' ? "\\-" : "%c", *c);
        sl_buf_done(&head);
        sl_buf_printf(ret, "\\fR%s%s%s\n", option->value ? " \\fI" : "", option->value ? option->value : "", option->value ? "\\fR" : "");
        add_roff(ret, option->help);
        if (option->flags & SL_REPEATS) sl_buf_text(ret, "May be repeated.\n");
    }
}

void sl_manual_commands(sl_buf *ret)
{
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run) continue;
        sl_buf_printf(ret, ".SS sluice %s %s\n", c->name, c->arguments);
        add_roff(ret, c->summary);
        if (c->details) {
            sl_buf_text(ret, ".PP\n");
            add_roff(ret, c->details);
        }
        sl_manual_options(c, ret);
    }
}
