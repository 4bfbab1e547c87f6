/* A module whose processors do what a test needs to see handled: fail, stay, block. A path in `while` is a gate: as long as
 * the file is there, the processor misbehaves. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sluice/calls.h"

static bool gate_closed(sluice_instance *instance)
{
    return sluice_has(instance, "while") && access(sluice_property_text(instance, "while").data, F_OK) == 0;
}

/* ---- misbehave-source: `count` FlowFiles, numbered ---------------------------------------------------------------- */

static sluice_outcome make(sluice_instance *instance, sluice_session *session)
{
    sluice_text made = sluice_state(session, "made");
    int64_t from = made.data ? strtoll(made.data, NULL, 10) : 0, to = from;
    int64_t count = sluice_number(instance, "count"), batch = sluice_number(instance, "batch");
    char text[24];
    for (; to < count && to < from + batch; to++) {
        sluice_flowfile *flowfile = sluice_create(session, NULL);
        sluice_set_number(session, flowfile, "number", to);
        sluice_set(session, flowfile, "kind", to % 2 ? "odd" : "even");
        sluice_transfer(session, flowfile, "success");
    }
    snprintf(text, sizeof text, "%lld", (long long)to);
    if (to > from) sluice_set_state(session, "made", text);
    if (to == count) sluice_scanned(session, 0);
    return SLUICE_DONE;
}

static bool ends(sluice_instance *instance) { return sluice_number(instance, "count") > 0; }

/* ---- misbehave: fails, or passes on ---------------------------------------------------------------------------------- */

static void stand_still(int64_t us)
{
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&time, &time) < 0) {}
}

static sluice_class class_of(sluice_instance *instance)
{
    return sluice_is(sluice_property_text(instance, "class"), "permanent") ? SLUICE_PERMANENT : SLUICE_TRANSIENT;
}

static void pass(sluice_instance *instance, sluice_session *session, sluice_flowfile *flowfile)
{
    for (int64_t i = sluice_number(instance, "children"); i > 0; i--) {
        sluice_flowfile *child = sluice_create(session, flowfile);
        sluice_transfer(session, child, "success");
    }
    sluice_transfer(session, flowfile, sluice_property_text(instance, "to_relationship").data);
}

static sluice_outcome misbehave(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile;
    sluice_failure failure = {0};
    if (sluice_number(instance, "block")) stand_still(sluice_number(instance, "block"));
    while ((flowfile = sluice_get(session))) {
        sluice_figure(instance, "tries", 1, true);
        if (!gate_closed(instance)) {
            pass(instance, session, flowfile);
            continue;
        }
        sluice_refuse(&failure, class_of(instance), "Gate", "the gate is closed for %s",
                      sluice_attribute(session, flowfile, "number").data);
        sluice_fail(session, flowfile, "failure", &failure);
    }
    return SLUICE_DONE;
}

/* ---- misbehave-worker: blocks; misbehave-later: never completes by itself ----------------------------------------------- */

static sluice_outcome block(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    if (!flowfile) return SLUICE_DONE;
    bool obeys = sluice_is(sluice_property_text(instance, "obeys"), "true");
    while (gate_closed(instance) && !(obeys && sluice_stopping(instance))) stand_still(1000);
    if (gate_closed(instance)) return SLUICE_ROLLBACK;
    sluice_transfer(session, flowfile, "success");
    return SLUICE_DONE;
}

static sluice_outcome stay(sluice_instance *instance, sluice_session *session)
{
    (void)instance;
    return sluice_get(session) ? SLUICE_LATER : SLUICE_DONE;
}

/* The host allows it inside: what was waited for is nothing. */
static void leave(sluice_instance *instance, sluice_session *session);
static void left(void *context, bool cancelled)
{
    (void)cancelled;
    sluice_finish(context, SLUICE_ROLLBACK);
}
static void leave(sluice_instance *instance, sluice_session *session) { sluice_timer(instance, 0, left, session); }

/* ---- descriptors ----------------------------------------------------------------------------------------------------------- */

static const char *const classes[] = {"transient", "permanent", NULL};
static const sluice_property source_properties[] = {
    {.name = "count", .type = SLUICE_INT, .fallback = "1", .help = "How many."},
    {.name = "batch", .type = SLUICE_INT, .fallback = "1000", .help = "How many in a session."},
    {0},
};
static const sluice_property properties[] = {
    {.name = "while", .type = SLUICE_STRING, .help = "Misbehaves as long as this file is there."},
    {.name = "class", .type = SLUICE_ENUM, .allowed = classes, .fallback = "transient", .help = "Of the failures."},
    {.name = "block", .type = SLUICE_DURATION, .fallback = "0", .help = "Stands still in each trigger."},
    {.name = "children", .type = SLUICE_INT, .fallback = "0", .help = "Made of each FlowFile."},
    {.name = "to_relationship", .type = SLUICE_STRING, .fallback = "success", .help = "Where it passes on."},
    {.name = "obeys", .type = SLUICE_BOOL, .fallback = "true", .help = "Ends when it is told to stop."},
    {0},
};
static const sluice_named source_relationships[] = {{.name = "success", .help = "What was made."}, {0}};
static const sluice_named relationships[] = {
    {.name = "success", .help = "Passed on."}, {.name = "other", .help = "Passed on."}, {.name = "failure", .help = "Failed."}, {0}};

#define MISBEHAVES(type_, trigger_, flags_, cancel_)                                                                            \
    {                                                                                                                           \
        .type = type_, .summary = "Misbehaves.", .delivery = "None.", .properties = properties, .relationships = relationships, \
        .flags = flags_, .trigger = trigger_, .cancel = cancel_                                                                 \
    }
static const sluice_processor processors[] = {
    {.type = "misbehave-source",
     .summary = "Makes numbered FlowFiles.",
     .delivery = "Made once: the number is state.",
     .properties = source_properties,
     .relationships = source_relationships,
     .flags = SLUICE_SOURCE | SLUICE_SERIAL,
     .trigger = make,
     .ends = ends},
    MISBEHAVES("misbehave", misbehave, SLUICE_ON_LOOP, NULL),
    MISBEHAVES("misbehave-worker", block, SLUICE_ON_WORKER, NULL),
    MISBEHAVES("misbehave-later", stay, SLUICE_ON_LOOP, leave),
};

SLUICE_MODULE_PLAIN("misbehave", "What tests of the engine need to see handled", processors);
