/* example: the smallest useful processor, whole. It counts the lines of a FlowFile's content.
 * Copy this file to begin one of your own; docs/writing-a-processor.md tells the rest.
 *
 * A module is a shared object that exports one descriptor (the last line). All it can do goes through the host's
 * calls, here as calls.h writes them; it links nothing of the daemon.
 */
#include "sluice/calls.h"

/* What an operator can set. From this table come the checks of a flow, `sluice describe`, the manual and the
 * editor's form. A table ends with an empty row. */
static const sluice_property properties[] = {
    {.name = "attribute", .type = SLUICE_STRING, .fallback = "line.count", .help = "Name of the attribute that gets the number."},
    {0},
};

/* The ways out. Each must be connected by the flow, or the flow is refused. */
static const sluice_named relationships[] = {
    {.name = "success", .help = "The lines are counted."},
    {.name = "failure", .help = "The content cannot be read."},
    {0},
};
static const sluice_named writes[] = {{.name = "line.count", .help = "How many lines the content has."}, {0}};

/* Reads the content piece by piece, so that its size does not matter. -1: `failure` says why. */
static int64_t count_lines(sluice_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    char piece[16384], last = '\n';
    int64_t lines = 0, got;
    for (uint64_t at = 0; (got = sluice_read(session, flowfile, at, piece, sizeof piece, failure)) > 0; at += (uint64_t)got) {
        for (int64_t i = 0; i < got; i++) lines += piece[i] == '\n';
        last = piece[got - 1];
    }
    if (got < 0) return -1;
    return lines + (last != '\n'); /* a last line without its newline is a line */
}

/* One FlowFile: take it, work, send it on. The session commits as a whole when SLUICE_DONE is returned; a process
 * that dies before leaves the FlowFile in its queue. */
static sluice_outcome trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_failure failure = {0};
    sluice_flowfile *flowfile = sluice_get(session);
    if (!flowfile) return SLUICE_DONE;
    int64_t lines = count_lines(session, flowfile, &failure);
    if (lines < 0) {
        /* The failure's class decides: retried, sent to "failure", or the processor pauses. */
        sluice_fail(session, flowfile, "failure", &failure);
        return SLUICE_DONE;
    }
    sluice_set_number(session, flowfile, sluice_property_text(instance, "attribute").data, lines);
    sluice_transfer(session, flowfile, "success");
    return SLUICE_DONE;
}

static const sluice_processor processors[] = {{
    .type = "example",
    .summary = "Counts the lines of the content.",
    .manual = "Counts the newlines of the content and sets an attribute. A last line without a newline counts as a line.\n"
              "It is the example that docs/writing-a-processor.md explains.",
    .example = "count:\n  type: example\n  attribute: line.count\n  to: {success: end, failure: hold}\n",
    .delivery = "Nothing outside is touched; a FlowFile whose session did not commit is counted again.",
    .properties = properties,
    .relationships = relationships,
    .writes = writes,
    .flags = SLUICE_ON_WORKER, /* reading may wait for the disk, which the loop thread must never do */
    .trigger = trigger,
}};

SLUICE_MODULE_PLAIN("example", "A page that shows how a processor is written", processors);
