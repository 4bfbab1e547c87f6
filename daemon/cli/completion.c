/* Completion of three shells from the command tables. */
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/output.h"

static const char *const shells[] = {"bash", "zsh", "fish"};

static bool seen_first_word(const sl_command *command)
{
    size_t size = strcspn(command->name, " ");
    for (const sl_command *c = sl_commands; c != command; c++)
        if (c->run && strcspn(c->name, " ") == size && memcmp(c->name, command->name, size) == 0) return true;
    return false;
}

static void add_first_words(sl_buf *ret)
{
    bool more = false;
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run || seen_first_word(c)) continue;
        sl_buf_printf(ret, "%s%.*s", more ? " " : "", (int)strcspn(c->name, " "), c->name);
        more = true;
    }
}

static void add_option_words(const sl_command *command, sl_buf *ret)
{
    bool more = false;
    SL_OPTIONS_EACH(command, option)
    {
        if (option->flags & SL_LATER) continue;
        sl_buf_printf(ret, "%s--%s", more ? " " : "", option->name);
        more = true;
    }
}

/* The second words of "queue". */
static void add_second_words(const char *first, sl_buf *ret)
{
    size_t size = strlen(first);
    bool more = false;
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run || strncmp(c->name, first, size) != 0 || c->name[size] != ' ') continue;
        sl_buf_printf(ret, "%s%s", more ? " " : "", c->name + size + 1);
        more = true;
    }
}

/* The branches of a `case` over the first two words: each sets `candidates` to what may follow. */
static void add_cases(sl_buf *ret)
{
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run || !strchr(c->name, ' ')) continue;
        sl_buf_printf(ret, "    '%s') candidates=\"", c->name);
        add_option_words(c, ret);
        sl_buf_text(ret, "\" ;;\n");
    }
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run || seen_first_word(c)) continue;
        char first[64];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(c->name, " "), c->name);
        sl_buf_printf(ret, "    '%s '*) candidates=\"", first);
        if (strchr(c->name, ' ')) add_second_words(first, ret);
        else add_option_words(c, ret);
        sl_buf_text(ret, "\" ;;\n");
    }
}

static void complete_bash(sl_buf *ret)
{
    sl_buf_text(ret, "_sluice() {\n  local cur=${COMP_WORDS[COMP_CWORD]} candidates=\n"
                     "  if [ \"$COMP_CWORD\" -eq 1 ]; then candidates=\"");
    add_first_words(ret);
    sl_buf_text(ret, " --help --version\"\n  else case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    add_cases(ret);
    sl_buf_text(ret, "  esac; fi\n  COMPREPLY=($(compgen -W \"$candidates\" -- \"$cur\"))\n}\n"
                     "complete -o default -F _sluice sluice\n");
}

/* Works from a folder of $fpath, whose function it is then, and when it is sourced. */
static void complete_zsh(sl_buf *ret)
{
    sl_buf_text(ret, "#compdef sluice\n_sluice() {\n  local typed=\"${words[2]} ${words[3]}\" position=$CURRENT\n  local candidates=\n"
                     "  if (( position == 2 )); then candidates=\"");
    add_first_words(ret);
    sl_buf_text(ret, " --help --version\"\n  else case \"$typed\" in\n");
    add_cases(ret);
    sl_buf_text(ret, "  esac; fi\n  compadd -- ${=candidates}\n  (( position == 2 )) || _files\n}\n"
                     "if [ \"$funcstack[1]\" = _sluice ]; then _sluice \"$@\"; else compdef _sluice sluice; fi\n");
}

static void fish_quoted(sl_buf *ret, const char *text)
{
    sl_buf_char(ret, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') sl_buf_char(ret, '\\');
        sl_buf_char(ret, *text);
    }
    sl_buf_char(ret, '\'');
}

static void fish_command(const sl_command *command, sl_buf *ret)
{
    const char *second = strchr(command->name, ' ');
    int size = (int)strcspn(command->name, " ");
    char when[128];
    if (second) {
        sl_buf_printf(ret, "complete -c sluice -n '__fish_seen_subcommand_from %.*s' -a %s -d ", size, command->name, second + 1);
        snprintf(when, sizeof when, "__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s", size, command->name,
                 second + 1);
    } else {
        sl_buf_printf(ret, "complete -c sluice -n __fish_use_subcommand -a %s -d ", command->name);
        snprintf(when, sizeof when, "__fish_seen_subcommand_from %s", command->name);
    }
    fish_quoted(ret, command->summary);
    sl_buf_char(ret, '\n');
    SL_OPTIONS_EACH(command, option)
    {
        if (option->flags & SL_LATER) continue;
        sl_buf_printf(ret, "complete -c sluice -n '%s' -l %s%s -d ", when, option->name, option->value ? " -r" : "");
        fish_quoted(ret, option->help);
        sl_buf_char(ret, '\n');
    }
}

static void complete_fish(sl_buf *ret)
{
    sl_buf_text(ret, "complete -c sluice -n __fish_use_subcommand -a queue -d 'What is in the queues.'\n");
    for (const sl_command *c = sl_commands; c->name; c++)
        if (c->run) fish_command(c, ret);
}

int sl_completion(const char *shell, sl_buf *ret)
{
    if (strcmp(shell, "bash") == 0) complete_bash(ret);
    else if (strcmp(shell, "zsh") == 0) complete_zsh(ret);
    else if (strcmp(shell, "fish") == 0) complete_fish(ret);
    else return -1;
    return 0;
}

int sl_command_completion(const sl_arguments *arguments)
{
    sl_buf text = SL_BUF(256 * 1024);
    if (sl_given_option(arguments, "json"))
        return sl_complain(SL_EXIT_USAGE, "completion: a shell's text has no form in JSON; leave --json out");
    if (sl_completion(arguments->positional[0], &text) == 0) return sl_print(&text);
    sl_buf_done(&text);
    return sl_complain(SL_EXIT_USAGE, "completion is for %s, %s or %s, not `%s`", shells[0], shells[1], shells[2],
                       arguments->positional[0]);
}
