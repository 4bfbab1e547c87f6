/* cli/commands: what can be typed, as tables: the commands of `sluice` and the options of both programs. Parsing, help,
 * the manual pages and completion come from these tables and know nothing besides them.
 *
 * To add a command: a row in commands.c, a function here, a file for it.
 */
#ifndef SL_COMMANDS_H
#define SL_COMMANDS_H

#include "base/base.h"

enum { /* surface.md's exit codes */
       SL_EXIT_DONE = 0,
       SL_EXIT_FAILED = 1,
       SL_EXIT_USAGE = 2,
       SL_EXIT_UNREACHABLE = 69, /* the daemon does not answer */
       SL_EXIT_BUSY = 75,        /* another process holds the state */
       SL_EXIT_INVALID = 78,     /* the configuration is wrong */
};

enum { /* sl_option.flags */
       SL_REPEATS = 1,
       SL_LATER = 2, /* a name that is taken but refused: not in this version */
};

typedef struct sl_option {
    const char *name;  /* without the dashes; NULL ends a table */
    const char *value; /* what follows it ("DIR"); NULL: a switch */
    const char *help;  /* one line */
    unsigned flags;
    const char *const *choices; /* the only values there are, NULL at the end; or NULL */
} sl_option;

typedef struct sl_arguments sl_arguments;

enum {                 /* sl_command.flags: options that several commands share */
       SL_CLIENT = 1,  /* asks a daemon: --url, --state */
       SL_MODULES = 2, /* needs the modules: --modules */
};

typedef struct sl_command {
    const char *name;      /* "run", "queue list" */
    const char *arguments; /* "FLOW..."; "" for none */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs, or NULL */
    const sl_option *options;
    unsigned flags, least, most;               /* positional arguments: at least, at most */
    int (*run)(const sl_arguments *arguments); /* returns the exit code; NULL: not in this version */
} sl_command;

extern const sl_command sl_commands[]; /* of `sluice`; name NULL at the end */
extern const sl_command sl_daemon_command;

/* The option tables of a command, its own first, then the shared ones; NULL at the end. */
enum { SL_OPTION_TABLES = 5 };
void sl_command_options(const sl_command *command, const sl_option *ret_tables[SL_OPTION_TABLES]);
#define SL_OPTIONS_EACH(command, option)                                                                                            \
    for (const sl_option *tables_[SL_OPTION_TABLES], **table_ = (sl_command_options(command, tables_), tables_); *table_; table_++) \
        for (const sl_option *option = *table_; option->name; option++)

int sl_command_run(const sl_arguments *arguments);
int sl_command_validate(const sl_arguments *arguments);
int sl_command_expr(const sl_arguments *arguments);
int sl_command_describe(const sl_arguments *arguments);
int sl_command_status(const sl_arguments *arguments);
int sl_command_provenance(const sl_arguments *arguments);
int sl_command_lineage(const sl_arguments *arguments);
int sl_command_content(const sl_arguments *arguments);
int sl_command_bulletins(const sl_arguments *arguments);
int sl_command_queue_list(const sl_arguments *arguments);
int sl_command_queue_empty(const sl_arguments *arguments);
int sl_command_queue_replay(const sl_arguments *arguments);
int sl_command_reload(const sl_arguments *arguments);
int sl_command_start(const sl_arguments *arguments);
int sl_command_stop(const sl_arguments *arguments);
int sl_command_doctor(const sl_arguments *arguments);
int sl_command_backup(const sl_arguments *arguments);
int sl_command_restore(const sl_arguments *arguments);
int sl_command_completion(const sl_arguments *arguments);

#endif
