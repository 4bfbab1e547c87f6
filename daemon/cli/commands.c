#include "cli/commands.h"

/* ---- options that several commands share ------------------------------------------------------------- */

static const sl_option common_options[] = {
    {"json", NULL, "Print JSON for machines.", 0, NULL},
    {"help", NULL, "Say what the command does and which options it has.", 0, NULL},
    {"version", NULL, "Print the version.", 0, NULL},
    {0},
};
static const sl_option daemon_common_options[] = {
    {"help", NULL, "Say what the program does and which options it has.", 0, NULL},
    {"version", NULL, "Print the version.", 0, NULL},
    {0},
};
static const sl_option client_options[] = {
    {"url", "URL", "Where the daemon listens: http://HOST:PORT or unix:PATH. Also SLUICE_URL.", 0, NULL},
    {"state", "DIR", "The daemon's state folder, for its token.", 0, NULL},
    {0},
};
static const sl_option modules_options[] = {
    {"modules", "DIR", "The folder with the processors' modules. Also SLUICE_MODULES.", 0, NULL},
    {0},
};

/* ---- each command's own -------------------------------------------------------------------------------- */

#define SET_OPTION                                                                        \
    {                                                                                     \
        "set", "NAME=VALUE", "Give a parameter of the flow this value.", SL_REPEATS, NULL \
    }
#define CONFIG_OPTION                                                                                                                  \
    {                                                                                                                                  \
        "config", "FILE", "Take parameters, services, the folder of secrets and the level of the log from this sluiced.yaml.", 0, NULL \
    }
#define OFFLINE_OPTION                                                                                           \
    {                                                                                                            \
        "state", "DIR", "Read this state folder itself; no daemon is asked. With --url: for its token.", 0, NULL \
    }
#define URL_OPTION                                                                                         \
    {                                                                                                      \
        "url", "URL", "Where the daemon listens: http://HOST:PORT or unix:PATH. Also SLUICE_URL.", 0, NULL \
    }

static const sl_option run_options[] = {
    {"state", "DIR", "Keep the state here; default $XDG_STATE_HOME/sluice/NAME.", 0, NULL},
    {"until-idle", NULL, "End when every source has been read whole and every queue but hold is empty.", 0, NULL},
    {"timeout", "DURATION", "With --until-idle: give up after this long, exit code 1.", 0, NULL},
    SET_OPTION,
    CONFIG_OPTION,
    {"secrets", "DIR", "The folder with a file for each secret.", 0, NULL},
    {"http", "ADDR:PORT|unix:PATH|off", "Serve the API and the dashboard here; default off.", 0, NULL},
    {0},
};
static const sl_option validate_options[] = {
    SET_OPTION,
    CONFIG_OPTION,
    {"complete", NULL, "Also check that every required parameter has a value and every secret is there.", 0, NULL},
    {"live", NULL, "Also try the services that the flow names.", SL_LATER, NULL},
    {0},
};
static const sl_option expr_options[] = {
    {"attr", "NAME=VALUE", "An attribute of the FlowFile.", SL_REPEATS, NULL},
    {"set", "NAME=VALUE", "A parameter, for #{NAME}.", SL_REPEATS, NULL},
    {"jsonl", NULL, "Read a JSON object a line from standard input, write one a line.", 0, NULL},
    {0},
};
static const sl_option provenance_options[] = {
    {"flow", "NAME", "Only events of this flow.", 0, NULL},
    {"component", "NAME", "Only events of this processor, PROCESSOR or FLOW/PROCESSOR.", 0, NULL},
    {"type", "TYPE", "Only events of this type: RECEIVE, SEND, ROUTE, DROP, ...", 0, NULL},
    {"flowfile", "UUID", "Only events of this FlowFile.", 0, NULL},
    {"filename", "NAME", "Only events of FlowFiles with this filename.", 0, NULL},
    {"sha256", "HEX", "Only events of FlowFiles with this content.", 0, NULL},
    {"attr", "NAME=VALUE", "Only events of FlowFiles with this attribute.", SL_REPEATS, NULL},
    {"from", "TIME", "Only events since then: RFC 3339, or a duration back from now (2h).", 0, NULL},
    {"to", "TIME", "Only events until then.", 0, NULL},
    {"limit", "N", "At most so many events; default 100.", 0, NULL},
    {"cursor", "CURSOR", "Go on where an earlier answer ended.", 0, NULL},
    URL_OPTION,
    OFFLINE_OPTION,
    {0},
};
static const sl_option offline_options[] = {URL_OPTION, OFFLINE_OPTION, {0}};
static const char *const sides[] = {"input", "output", NULL};
static const sl_option content_options[] = {
    {"side", "SIDE", "The content before (input) or after the event (output, the default).", 0, sides},
    {"output", "FILE", "Write it to this file, which must not exist yet; default standard output.", 0, NULL},
    URL_OPTION,
    OFFLINE_OPTION,
    {0},
};
static const sl_option bulletin_options[] = {
    {"after", "N", "Only bulletins with a number above this.", 0, NULL},
    {"limit", "N", "At most so many, the newest; default 100.", 0, NULL},
    {0},
};
static const sl_option queue_list_options[] = {
    {"limit", "N", "At most so many FlowFiles; default 100.", 0, NULL},
    URL_OPTION,
    OFFLINE_OPTION,
    {0},
};
#define SELECTION_OPTIONS                                                                                                     \
    {"flowfile", "UUID", "Only this FlowFile.", 0, NULL}, {"error", "CODE", "Only those whose error.code is this.", 0, NULL}, \
    {                                                                                                                         \
        "attr", "NAME=VALUE", "Only those with this attribute; several must all fit.", SL_REPEATS, NULL                       \
    }
static const sl_option queue_replay_options[] = {
    SELECTION_OPTIONS,
    {0},
};
static const sl_option queue_empty_options[] = {
    SELECTION_OPTIONS,
    {"through", "SEQ", "Only what was there by this event; default: by the newest when the command is given.", 0, NULL},
    {0},
};
static const sl_option backup_options[] = {
    URL_OPTION,
    {"state", "DIR", "The state folder: copied itself where no daemon has it, else for that daemon's token.", 0, NULL},
    {"deadline", "DURATION", "Give up after this long; default 6h.", 0, NULL},
    {"no-check", NULL, "Do not read the copy to see whether it is whole.", 0, NULL},
    {0},
};
static const sl_option restore_options[] = {
    {"state", "DIR", "Where the state will be: absent or empty; default $STATE_DIRECTORY, then /var/lib/sluice.", 0, NULL},
    {0},
};
static const sl_option doctor_options[] = {
    {"state", "DIR", "The state folder; default $STATE_DIRECTORY, then /var/lib/sluice.", 0, NULL},
    {0},
};
static const sl_option no_options[] = {{0}};

/* A name that surface.md gives to a later version. */
#define LATER(name_)                                   \
    {                                                  \
        name_, "", "", NULL, no_options, 0, 0, 0, NULL \
    }

const sl_command sl_commands[] = {
    {"run", "FLOW", "Run one flow in this process.",
     "State is kept in $XDG_STATE_HOME/sluice/NAME (~/.local/state where that is not set), so that a run goes on where the last one "
     "was. Without --until-idle it runs until SIGTERM or SIGINT, which drain and stop; a second one stops at once.\n\n"
     "With --until-idle the exit code is 1 if anything is held or was ended by a relationship named failure, if only paused processors "
     "have work left, or if --timeout passes, and 2 at once for a flow with a source that never ends.",
     run_options, SL_MODULES, 1, 1, sl_command_run},
    {"validate", "FLOW...", "Check flows without running them.",
     "Problems go to standard error as FILE:LINE:COL: error: MESSAGE, and the exit code is then 78.", validate_options, SL_MODULES, 1, 1000,
     sl_command_validate},
    {"expr", "[EXPR]", "Evaluate an expression.",
     "EXPR is text as a property has it, with ${...} in it.\n\n"
     "With --jsonl each line of standard input is an object {\"expr\":\"...\", \"attributes\":{...}, \"parameters\":{...}, "
     "\"state\":{...}} and each line of output {\"value\":\"...\"} or {\"error\":\"...\"}.",
     expr_options, 0, 0, 1, sl_command_expr},
    {"describe", "[TYPE]", "List the processors and services there are, or tell all about one.",
     "Everything comes from the modules' own tables, the same that flows are checked by.", no_options, SL_MODULES, 0, 1,
     sl_command_describe},
    {"status", "[FLOW]", "Show what a running daemon does: processors, queues, what is held or paused and why.", NULL, no_options,
     SL_CLIENT, 0, 1, sl_command_status},
    {"provenance", "[SEQ]", "Search what happened to FlowFiles, or show one event whole.",
     "Newest first. Filters add up. With --state DIR it reads a state folder itself, whether or not a daemon runs.", provenance_options, 0,
     0, 1, sl_command_provenance},
    {"lineage", "FLOWFILE", "Show a FlowFile's events with those of its parents and children.",
     "FLOWFILE is its uuid, as status, queue list and provenance show it.", offline_options, 0, 1, 1, sl_command_lineage},
    {"content", "SEQ", "Print the content that a FlowFile had before or after an event.", "SEQ is the event's number in provenance.",
     content_options, 0, 1, 1, sl_command_content},
    {"bulletins", "", "Show the newest messages that an operator should read.", NULL, bulletin_options, SL_CLIENT, 0, 0,
     sl_command_bulletins},
    {"queue list", "[CONNECTION]", "List the queues, or the FlowFiles of one.",
     "CONNECTION is FLOW/PROCESSOR.RELATIONSHIP.TARGET; FLOW/ may be left out where the rest is unique. What failed for good is in "
     "PROCESSOR.failure.hold.",
     queue_list_options, 0, 0, 1, sl_command_queue_list},
    {"queue replay", "CONNECTION", "Give what a hold keeps back to its processor, retries counted anew.", NULL, queue_replay_options,
     SL_CLIENT, 1, 1, sl_command_queue_replay},
    {"queue empty", "CONNECTION", "Drop what is in a queue. It cannot be undone.",
     "What a processor has taken at that moment stays. Each drop is an event in provenance. A long queue is emptied in slices "
     "beside what else runs; a stop of the daemon in the middle leaves the rest, and the exit code is then 1.",
     queue_empty_options, SL_CLIENT, 1, 1, sl_command_queue_empty},
    {"reload", "[FLOW]", "Read the flows' files anew, as SIGHUP does.",
     "A flow is checked whole, drained and swapped; on any failure the old one goes on and the exit code is 1 (78 where the new text is "
     "wrong).",
     no_options, SL_CLIENT, 0, 1, sl_command_reload},
    {"start", "PROCESSOR", "Start a processor that was stopped by hand.", "PROCESSOR is FLOW/PROCESSOR, or PROCESSOR where unique.",
     no_options, SL_CLIENT, 1, 1, sl_command_start},
    {"stop", "PROCESSOR", "Stop a processor; it stays stopped over restarts.", "Its queues keep what they have.", no_options, SL_CLIENT, 1,
     1, sl_command_stop},
    {"doctor", "", "Check a state folder: the journal's rows, the queues they add up to, the bytes they name.",
     "Every row and checkpoint block is read and its CRC checked; the fold of all segments from the first must give the same queues as the "
     "newest checkpoint and what follows it; every claim that a queued FlowFile holds must have its bytes, with the right length and "
     "SHA-256. Nothing is changed. Findings are listed and the exit code is then 1.",
     doctor_options, 0, 0, 0, sl_command_doctor},
    {"backup", "DIR", "Copy a running daemon's state as of one moment, or a stopped one's.",
     "DIR is not there yet, or is empty; the daemon makes it, as its own user, and names it so when all of it is on disk: until then it is "
     "DIR.partial. Work goes on meanwhile; the space of what is done with comes back at the end. Full segments and content files are hard "
     "links where DIR is on the state's file system: such a backup does not outlive that disk. The token and secrets are not in it.\n\n"
     "Then the copy is read as `sluice doctor` does, where it can be; exit code 1 if it is not whole. SIGINT cancels it.",
     backup_options, 0, 1, 1, sl_command_backup},
    {"restore", "BACKUP", "Make a backup a state again.",
     "It is copied (or linked), the copy is checked as `sluice doctor` does, and only then a daemon starts from it; on any finding "
     "nothing is restored and the exit code is 1. What was delivered after the backup was taken will be delivered again.",
     restore_options, 0, 1, 1, sl_command_restore},
    {"completion", "SHELL", "Print the completion of bash, zsh or fish.",
     "For example: sluice completion bash > /etc/bash_completion.d/sluice", no_options, 0, 1, 1, sl_command_completion},
    LATER("test"),
    LATER("graph"),
    LATER("top"),
    LATER("tap"),
    LATER("replay"),
    LATER("run-once"),
    LATER("queue move"),
    {0},
};

static const sl_option daemon_options[] = {
    {"config", "FILE", "The configuration; default /etc/sluice/sluiced.yaml where it exists.", 0, NULL},
    {"flow", "FILE", "Run this flow instead of those in /etc/sluice/flows.", SL_REPEATS, NULL},
    {"state", "DIR", "Keep the state here; default $STATE_DIRECTORY, then /var/lib/sluice.", 0, NULL},
    {"http", "ADDR:PORT|unix:PATH|off", "Listen here instead of where the configuration says.", SL_REPEATS, NULL},
    {"strict", NULL, "Exit with 78 when a flow is wrong, instead of running the others.", 0, NULL},
    {"paused", NULL, "Recover and serve HTTP, but schedule nothing.", 0, NULL},
    {0},
};
const sl_command sl_daemon_command = {
    "sluiced",
    "",
    "Run the flows of this machine.",
    "Flows are the files /etc/sluice/flows/*.yaml but *.test.yaml and *.layout.yaml. One that is wrong does not keep the others from "
    "starting: its last good text from the state folder runs instead, or it is shown as invalid.\n\n"
    "SIGTERM and SIGINT drain and stop (a second one: stop now), SIGHUP reads the flows anew.",
    daemon_options,
    SL_MODULES,
    0,
    0,
    NULL};

void sl_command_options(const sl_command *command, const sl_option *ret_tables[SL_OPTION_TABLES])
{
    size_t count = 0;
    ret_tables[count++] = command->options;
    if (command->flags & SL_CLIENT) ret_tables[count++] = client_options;
    if (command->flags & SL_MODULES) ret_tables[count++] = modules_options;
    ret_tables[count++] = command == &sl_daemon_command ? daemon_common_options : common_options;
    ret_tables[count] = NULL;
}
