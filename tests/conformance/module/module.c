/* The module of the conformance suite: what a processor does in a session is written in the flow, a step a line, so
 * that one scenario can be played on any host. `get`, `set NAME VALUE`, `transfer success` ... : the table at the end.
 *
 *   step       runs in every session            once step    only in the instance's first session
 *   again step in all but the first
 *
 * Steps that are asynchronous return to the loop and go on from their completion. What came out is written by
 * conform-sink, the same way on every host: a file a FlowFile, OUT/LABEL/UUID.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "script.h"

static sluice_outcome trigger_worker(sluice_instance *instance, sluice_session *session)
{
    subject *subject = instance->data;
    run run = {.instance = instance, .session = session, .subject = subject, .on_worker = true, .try = ++subject->tries};
    script_run(&run);
    return run.outcome;
}

static sluice_outcome trigger_loop(sluice_instance *instance, sluice_session *session)
{
    subject *subject = instance->data;
    run *run = calloc(1, sizeof *run);
    *run = (struct run){.instance = instance, .session = session, .subject = subject, .try = ++subject->tries, .following = subject->runs};
    subject->runs = run;
    script_run(run);
    if (run->waiting) return SLUICE_LATER;
    sluice_outcome outcome = run->outcome;
    script_free(run);
    return outcome;
}

/* The session's call completes as cancelled, and the session then rolls back. */
static void cancel(sluice_instance *instance, sluice_session *session)
{
    subject *subject = instance->data;
    for (run *run = subject->runs; run; run = run->following)
        if (run->session == session && run->call) {
            run->outcome = SLUICE_ROLLBACK;
            sluice_cancel(instance, run->call);
        }
}

static int init(sluice_instance *instance, sluice_failure *failure)
{
    for (size_t i = 0; i < sluice_count(instance, "script"); i++) {
        char name[32];
        const char *rest = script_split(sluice_item(instance, "script", i).data, name, sizeof name);
        if (strcmp(name, "once") == 0 || strcmp(name, "again") == 0) script_split(rest, name, sizeof name);
        if (!script_step(name)) return sluice_refuse(failure, SLUICE_CONFIGURATION, "Script", "there is no step \"%s\"", name);
    }
    instance->data = calloc(1, sizeof(subject));
    return 0;
}

static void fini(sluice_instance *instance) { free(instance->data); }

static int append_line(const char *path, sluice_text text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return -1;
    dprintf(fd, "%.*s\n", SLUICE_TEXT_ARGS(text));
    close(fd);
    return 0;
}

/* Appends a line to OUT/effects; the first `effect_failures` times it fails before, with `effect_dies` it is done and
 * then the process dies, once. */
static int effect(sluice_instance *instance, sluice_text text, sluice_failure *failure)
{
    subject *subject = instance->data;
    char path[LONGEST];
    if (subject->failed_effects < sluice_number(instance, "effect_failures")) {
        subject->failed_effects++;
        return sluice_refuse(failure, SLUICE_TRANSIENT, "EBUSY", "as the scenario says");
    }
    script_path(instance, "effects", path);
    if (append_line(path, text) < 0) return sluice_refuse(failure, SLUICE_TRANSIENT, sluice_errno_name(errno), "cannot write %s", path);
    if (!sluice_number(instance, "effect_dies") || !script_die(instance)) return 0;
    return sluice_refuse(failure, SLUICE_TRANSIENT, "Died", "the process would have died here");
}

/* ---- descriptors ----------------------------------------------------------------------------------------------- */

static const sluice_property subject_properties[] = {
    {.name = "script", .type = SLUICE_LIST, .flags = SLUICE_REQUIRED, .help = "Steps of a session."},
    {.name = "out", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "Folder for effects."},
    {.name = "value", .type = SLUICE_STRING, .flags = SLUICE_EXPRESSION, .help = "For the step `evaluate`."},
    {.name = "values", .type = SLUICE_MAP, .flags = SLUICE_EXPRESSION, .help = "For the step `evaluate-items`."},
    {.name = "effect_failures", .type = SLUICE_INT, .fallback = "0", .help = "How often an effect fails first."},
    {.name = "effect_dies", .type = SLUICE_BOOL, .fallback = "false", .help = "The process dies after an effect, once."},
    {0},
};
static const sluice_property feed_properties[] = {
    {.name = "items", .type = SLUICE_LIST, .flags = SLUICE_REQUIRED, .help = "Contents of the FlowFiles to make."},
    {0},
};
static const sluice_property sink_properties[] = {
    {.name = "out", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "Folder."},
    {.name = "label", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "Folder in it."},
    {0},
};
static const sluice_named relationships[] = {{.name = "success", .help = "As the script says."},
                                             {.name = "other", .help = "As the script says."},
                                             {.name = "failure", .help = "As the script says."},
                                             {0}};
static const sluice_named feed_relationships[] = {{.name = "success", .help = "What was made."}, {0}};

#define SUBJECT(type_, trigger_, flags_)                                                                                             \
    {                                                                                                                                \
        .type = type_, .summary = "Does what its script says.", .delivery = "As its script says.", .properties = subject_properties, \
        .relationships = relationships, .flags = flags_, .init = init, .fini = fini, .trigger = trigger_, .cancel = cancel,          \
        .effect = effect                                                                                                             \
    }
static const sluice_processor processors[] = {
    SUBJECT("conform-loop", trigger_loop, SLUICE_ON_LOOP),
    SUBJECT("conform-loop-effects", trigger_loop, SLUICE_EFFECTS),
    SUBJECT("conform-worker", trigger_worker, SLUICE_ON_WORKER),
    SUBJECT("conform-worker-effects", trigger_worker, SLUICE_ON_WORKER | SLUICE_EFFECTS),
    {.type = "conform-feed",
     .summary = "Makes the FlowFiles of a scenario.",
     .delivery = "Made once: state says so, and commits with them.",
     .properties = feed_properties,
     .relationships = feed_relationships,
     .flags = SLUICE_SOURCE | SLUICE_SERIAL,
     .trigger = feed_trigger,
     .ends = feed_ends},
    {.type = "conform-sink",
     .summary = "Writes FlowFiles down.",
     .delivery = "A repeat writes the same file again.",
     .properties = sink_properties,
     .flags = SLUICE_ON_WORKER | SLUICE_EFFECTS,
     .trigger = sink_trigger},
};

SLUICE_MODULE_PLAIN("conformance", "Plays the scenarios of the conformance suite", processors);
