/* The processors of a simulated flow. What they take from and deliver to is the simulation's (outside.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outside.h"
#include "sluice/calls.h"

static unsigned number_of(sluice_session *session, sluice_flowfile *flowfile, const char *name)
{
    sluice_text text = sluice_attribute(session, flowfile, name);
    return text.data ? (unsigned)strtoul(text.data, NULL, 10) : 0;
}

/* ---- sim-source ------------------------------------------------------------------------------------------------------- */

static int source_init(sluice_instance *instance, sluice_failure *failure)
{
    (void)failure;
    instance->data = calloc(SIM_ITEMS, 1); /* items that this instance has taken */
    return instance->data ? 0 : -1;
}

static void source_fini(sluice_instance *instance) { free(instance->data); }

static int import_file(sluice_session *session, sluice_flowfile *flowfile, const char *path, sluice_failure *failure)
{
    int fd = sim_item_open(path);
    if (fd < 0) return sluice_refuse(failure, SLUICE_TRANSIENT, sluice_errno_name(errno), "cannot open %s", path), -1;
    sluice_source source = {.path = path, .fd = fd, .adopt = true};
    int result = sluice_import(session, flowfile, &source, failure);
    sim_item_close(fd);
    return result;
}

static int write_content(sluice_session *session, sluice_flowfile *flowfile, unsigned item, unsigned version, sluice_failure *failure)
{
    char *data = malloc(SIM_CONTENT_MOST);
    size_t size = sim_item_content(item, version, data), first = (size_t)sim_outside_below(size + 1);
    sluice_writer *writer = sluice_write(session, flowfile);
    sluice_append(session, writer, data, first);
    sluice_append(session, writer, data + first, size - first);
    free(data);
    return sluice_close(session, writer, failure);
}

static bool make(sluice_session *session, unsigned item)
{
    char path[64], text[16];
    sluice_failure failure = {0};
    sluice_flowfile *flowfile = sluice_create(session, NULL);
    bool is_file = sim_item_is_file(item, path);
    int result = is_file ? import_file(session, flowfile, path, &failure) : write_content(session, flowfile, item, 0, &failure);
    if (result < 0) {
        sluice_drop(session, flowfile, "its content could not be taken");
        return false;
    }
    sluice_set_number(session, flowfile, "number", item);
    sluice_set_number(session, flowfile, "priority", (int64_t)sim_outside_below(5));
    sluice_event(session, flowfile, SLUICE_RECEIVE, path, NULL);
    snprintf(text, sizeof text, "%u", item);
    sluice_after_commit(session, flowfile, text);
    sluice_transfer(session, flowfile, "success");
    return true;
}

static sluice_outcome source(sluice_instance *instance, sluice_session *session)
{
    char *taken = instance->data;
    unsigned made = 0, failed = 0, waiting = 0, most = 1 + (unsigned)sim_outside_below(8);
    for (unsigned item = 0; item < sim_item_count() && made < most; item++) {
        waiting += sim_item_is_coming(item);
        if (taken[item] || !sim_item_is_there(item)) continue;
        if (make(session, item)) taken[item] = 1, made++;
        else failed++;
    }
    if (failed) sluice_yield(session);
    if (!made && !failed) sluice_scanned(session, waiting);
    return SLUICE_DONE;
}

static int remove_item(sluice_instance *instance, sluice_text effect, sluice_failure *failure)
{
    (void)instance;
    if (sim_item_remove((unsigned)strtoul(effect.data, NULL, 10)) == 0) return 0;
    return sluice_refuse(failure, SLUICE_TRANSIENT, sluice_errno_name(errno), "item %s cannot be removed", effect.data), -1;
}

/* ---- sim-step ----------------------------------------------------------------------------------------------------------- */

static bool fails(sluice_instance *instance, sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_failure failure = {0};
    int how = sim_step_fails((unsigned)sluice_number(instance, "fails"));
    if (!how) return false;
    sluice_refuse(&failure, how == 1 ? SLUICE_TRANSIENT : SLUICE_PERMANENT, "Chance", "it failed by chance");
    sluice_fail(session, flowfile, "failure", &failure);
    return true;
}

static void rewrite(sluice_session *session, sluice_flowfile *flowfile, unsigned item)
{
    sluice_failure failure = {0};
    unsigned version = number_of(session, flowfile, "version") + 1;
    if (write_content(session, flowfile, item, version, &failure) < 0) {
        failure.class_ = SLUICE_TRANSIENT;
        sluice_fail(session, flowfile, "failure", &failure);
        return;
    }
    sluice_set_number(session, flowfile, "version", version);
    sluice_transfer(session, flowfile, "success");
}

static void go_round(sluice_instance *instance, sluice_session *session, sluice_flowfile *flowfile)
{
    unsigned rounds = number_of(session, flowfile, "rounds") + 1;
    bool again = rounds <= (unsigned)sluice_number(instance, "rounds");
    sluice_set_number(session, flowfile, "rounds", again ? rounds : 0);
    sluice_transfer(session, flowfile, again ? "again" : "success");
}

static void step_one(sluice_instance *instance, sluice_session *session, sluice_flowfile *flowfile)
{
    unsigned item = number_of(session, flowfile, "number");
    sluice_text mode = sluice_property_text(instance, "mode");
    sim_step_saw(item);
    if (fails(instance, session, flowfile)) return;
    if (sluice_is(mode, "rewrite")) rewrite(session, flowfile, item);
    else if (sluice_is(mode, "rounds")) go_round(instance, session, flowfile);
    else if (sluice_is(mode, "route")) sluice_transfer(session, flowfile, item % 2 ? "left" : "right");
    else if (sluice_is(mode, "split")) {
        sluice_transfer(session, sluice_clone(session, flowfile), "right");
        sluice_transfer(session, flowfile, "left");
    } else sluice_transfer(session, flowfile, "success");
}

static sluice_outcome step(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile;
    while ((flowfile = sluice_get(session))) step_one(instance, session, flowfile);
    return SLUICE_DONE;
}

/* ---- sim-sink: an upload in parts, with an intent -------------------------------------------------------------------------- */

typedef struct upload {
    sluice_instance *instance;
    sluice_session *session;
    sluice_flowfile *flowfile;
    sluice_call *call;
    unsigned sink, item, part;
    char uuid[SIM_UUID];
} upload;

/* The content is what it must be; -1: it cannot be read now. */
static int check_content(sluice_session *session, sluice_flowfile *flowfile, unsigned item, sluice_failure *failure)
{
    sluice_content content;
    if (!sluice_content_of(session, flowfile, &content, failure)) return -1;
    char *data = malloc(SIM_CONTENT_MOST);
    size_t size = content.size < SIM_CONTENT_MOST ? (size_t)content.size : SIM_CONTENT_MOST;
    int64_t got = size ? sluice_read(session, flowfile, 0, data, size, failure) : 0;
    if (got >= 0) sim_content_is(item, number_of(session, flowfile, "version"), data, (size_t)got, content.size);
    free(data);
    return got < 0 ? -1 : 0;
}

/* 0: it may begin; 1: another has the turn; -1: it failed. */
static int begin(upload *u)
{
    sluice_session *session = u->session;
    sluice_failure failure = {0};
    char target[24];
    bool intended = sluice_intent(session, u->flowfile).data;
    u->sink = (unsigned)sluice_number(u->instance, "sink");
    u->item = number_of(session, u->flowfile, "number");
    sim_step_saw(u->item);
    snprintf(u->uuid, sizeof u->uuid, "%s", sluice_attribute(session, u->flowfile, "uuid").data);
    unsigned parts = (unsigned)sluice_progress_count(session, u->flowfile);
    u->part = parts < SIM_PARTS ? parts : SIM_PARTS;
    sim_server_resumed(u->sink, u->item, u->uuid, intended, parts);
    if (sluice_number(u->instance, "turns")) {
        snprintf(target, sizeof target, "%u/%u", u->sink, u->item % 3);
        if (!sluice_turn(session, u->flowfile, target)) return 1;
    }
    if (check_content(session, u->flowfile, u->item, &failure) == 0) return 0;
    failure.class_ = SLUICE_TRANSIENT;
    sluice_fail(session, u->flowfile, "failure", &failure);
    return -1;
}

/* True: the part is there; else it has failed. */
static bool put(upload *u)
{
    sluice_failure failure = {0};
    switch (sim_server_put(u->sink, u->item, u->part, u->uuid)) {
    case SIM_TAKEN: return true;
    case SIM_LOST: sluice_refuse(&failure, SLUICE_TRANSIENT, "Lost", "the answer was lost"); break;
    case SIM_BUSY: sluice_refuse(&failure, SLUICE_TRANSIENT, "503", "the server is busy"); break;
    case SIM_DENIED: sluice_refuse(&failure, SLUICE_CONFIGURATION, "403", "the server lets nobody in"); break;
    }
    sluice_fail(u->session, u->flowfile, "failure", &failure);
    return false;
}

static void end(upload *u, sluice_outcome outcome)
{
    sluice_session *session = u->session;
    free(u);
    sluice_finish(session, outcome);
}

static void next_part(void *context, bool cancelled);

static void answered(void *context, bool cancelled)
{
    upload *u = context;
    char text[16];
    if (cancelled) {
        end(u, SLUICE_ROLLBACK);
        return;
    }
    if (!put(u)) {
        end(u, SLUICE_DONE);
        return;
    }
    if (u->part == SIM_PARTS) {
        sluice_event(u->session, u->flowfile, SLUICE_SEND, "sim:", NULL);
        sluice_transfer(u->session, u->flowfile, "success");
        end(u, SLUICE_DONE);
        return;
    }
    snprintf(text, sizeof text, "%u", u->part++);
    u->call = sluice_progress(u->session, u->flowfile, text, next_part, u);
}

static void next_part(void *context, bool cancelled)
{
    upload *u = context;
    if (cancelled) end(u, SLUICE_ROLLBACK);
    else u->call = sluice_timer(u->instance, sim_server_delay(), answered, u);
}

static sluice_outcome sink(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    if (!flowfile) return SLUICE_DONE;
    upload *u = calloc(1, sizeof *u);
    *u = (upload){.instance = instance, .session = session, .flowfile = flowfile};
    int result = begin(u);
    if (result != 0) {
        free(u);
        return result > 0 ? SLUICE_ROLLBACK : SLUICE_DONE;
    }
    session->data = u;
    if (sluice_intent(session, flowfile).data) next_part(u, false);
    else u->call = sluice_intend(session, flowfile, "{\"upload\":\"parts\"}", next_part, u);
    return SLUICE_LATER;
}

static void sink_cancel(sluice_instance *instance, sluice_session *session) { sluice_cancel(instance, ((upload *)session->data)->call); }

static sluice_outcome sink_on_worker(sluice_instance *instance, sluice_session *session)
{
    char text[16];
    upload u = {.instance = instance, .session = session, .flowfile = sluice_get(session)};
    if (!u.flowfile) return SLUICE_DONE;
    int result = begin(&u);
    if (result != 0) return result > 0 ? SLUICE_ROLLBACK : SLUICE_DONE;
    if (!sluice_intent(session, u.flowfile).data) sluice_intend_now(session, u.flowfile, "{\"upload\":\"parts\"}");
    for (; put(&u); u.part++) {
        if (u.part == SIM_PARTS) {
            sluice_transfer(session, u.flowfile, "success");
            break;
        }
        snprintf(text, sizeof text, "%u", u.part);
        sluice_progress(session, u.flowfile, text, NULL, NULL);
    }
    return SLUICE_DONE;
}

/* ---- descriptors ---------------------------------------------------------------------------------------------------------------- */

static const char *const modes[] = {"pass", "rewrite", "rounds", "split", "route", NULL};
static const sluice_property none[] = {{0}};
static const sluice_property step_properties[] = {
    {.name = "mode", .type = SLUICE_ENUM, .allowed = modes, .fallback = "pass", .help = "What it does."},
    {.name = "rounds", .type = SLUICE_INT, .fallback = "0", .help = "How often each goes round."},
    {.name = "fails", .type = SLUICE_INT, .fallback = "0", .help = "Per mille of tries."},
    {0},
};
static const sluice_property sink_properties[] = {
    {.name = "sink", .type = SLUICE_INT, .fallback = "0", .help = "Which server."},
    {.name = "turns", .type = SLUICE_BOOL, .fallback = "false", .help = "One at a time to a target."},
    {0},
};
static const sluice_named source_ways[] = {{.name = "success", .help = "What was taken."}, {0}};
static const sluice_named step_ways[] = {{.name = "success", .help = "Passed on."}, {.name = "again", .help = "Once more."},
                                         {.name = "left", .help = "One half."},     {.name = "right", .help = "The other."},
                                         {.name = "failure", .help = "Failed."},    {0}};
static const sluice_named sink_ways[] = {{.name = "success", .help = "Delivered."}, {.name = "failure", .help = "Failed."}, {0}};

#define SOURCE(type_, flags_)                                                                                                      \
    {                                                                                                                              \
        .type = type_, .summary = "Takes items.", .delivery = "Removed after the commit.", .properties = none,                     \
        .relationships = source_ways, .flags = SLUICE_SOURCE | SLUICE_SERIAL | (flags_), .init = source_init, .fini = source_fini, \
        .trigger = source, .effect = remove_item                                                                                   \
    }
#define STEP(type_, flags_)                                                                                                          \
    {                                                                                                                                \
        .type = type_, .summary = "Does something.", .delivery = "None.", .properties = step_properties, .relationships = step_ways, \
        .flags = flags_, .trigger = step                                                                                             \
    }
#define SINK(type_, flags_, trigger_, cancel_)                                                                                        \
    {                                                                                                                                 \
        .type = type_, .summary = "Delivers.", .delivery = "Overwritten.", .properties = sink_properties, .relationships = sink_ways, \
        .flags = SLUICE_EFFECTS | (flags_), .trigger = trigger_, .cancel = cancel_                                                    \
    }
static const sluice_processor processors[] = {
    SOURCE("sim-source-worker", SLUICE_ON_WORKER),
    STEP("sim-step", SLUICE_ON_LOOP),
    STEP("sim-step-alone", SLUICE_ALONE),
    STEP("sim-step-worker", SLUICE_ON_WORKER),
    SINK("sim-sink", SLUICE_ON_LOOP, sink, sink_cancel),
    SINK("sim-sink-worker", SLUICE_ON_WORKER, sink_on_worker, NULL),
};

SLUICE_MODULE_PLAIN("sim-module", "The processors of a simulated flow", processors);
