/* cli/help: the texts that come from the command tables. */
#ifndef SL_HELP_H
#define SL_HELP_H

#include "cli/commands.h"

void sl_help_program(sl_buf *ret); /* of `sluice` as a whole */
void sl_help_command(const sl_command *command, sl_buf *ret);
void sl_version(const char *program, sl_buf *ret);
/* The parts of the manual pages that the tables know, in man(7)'s language. */
void sl_manual_commands(sl_buf *ret);
void sl_manual_options(const sl_command *command, sl_buf *ret);
/* "bash", "zsh" or "fish"; -1: no such shell. */
int sl_completion(const char *shell, sl_buf *ret);

#endif
