/* Steps: FlowFiles, their ends, content. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "script.h"

/* ---- FlowFiles ----------------------------------------------------------------------------------------- */

static then do_get(run *run, const char *argument)
{
    (void)argument;
    run->flowfile = sluice_get(run->session);
    return run->flowfile ? NEXT : script_end(run, SLUICE_DONE);
}

static then do_create(run *run, const char *argument)
{
    (void)argument;
    run->other = run->flowfile;
    run->flowfile = sluice_create(run->session, NULL);
    return NEXT;
}

static then do_child(run *run, const char *argument)
{
    (void)argument;
    run->other = run->flowfile;
    run->flowfile = sluice_create(run->session, run->flowfile);
    return NEXT;
}

static then do_clone(run *run, const char *argument)
{
    (void)argument;
    run->other = run->flowfile;
    run->flowfile = sluice_clone(run->session, run->flowfile);
    return NEXT;
}

static then do_other(run *run, const char *argument)
{
    sluice_flowfile *flowfile = run->flowfile;
    (void)argument;
    run->flowfile = run->other;
    run->other = flowfile;
    return NEXT;
}

static then do_set(run *run, const char *argument)
{
    char name[64];
    const char *value = script_split(argument, name, sizeof name);
    sluice_set(run->session, run->flowfile, name, value);
    return NEXT;
}

static then do_unset(run *run, const char *argument)
{
    sluice_unset(run->session, run->flowfile, argument);
    return NEXT;
}

/* The attribute's value as this session sees it, into `seen`. */
static then do_see(run *run, const char *argument)
{
    sluice_text value = sluice_attribute(run->session, run->flowfile, argument);
    sluice_set(run->session, run->flowfile, "seen", value.data ? value.data : "(absent)");
    return NEXT;
}

/* Whether it has this length; for values that differ from run to run. */
static then do_length(run *run, const char *argument)
{
    sluice_set_number(run->session, run->flowfile, "length", (int64_t)sluice_attribute(run->session, run->flowfile, argument).size);
    return NEXT;
}

static then do_evaluate(run *run, const char *argument)
{
    sluice_failure failure = {0};
    sluice_text value;
    (void)argument;
    if (sluice_evaluate(run->session, run->flowfile, "value", &value, &failure)) {
        sluice_set_view(run->session, run->flowfile, "value", value);
        return NEXT;
    }
    sluice_fail(run->session, run->flowfile, "failure", &failure);
    return script_end(run, SLUICE_DONE);
}

static then do_evaluate_items(run *run, const char *argument)
{
    sluice_failure failure = {0};
    sluice_text value;
    (void)argument;
    for (size_t i = 0; i < sluice_count(run->instance, "values"); i++)
        if (sluice_evaluate_item(run->session, run->flowfile, "values", i, &value, &failure))
            sluice_set_view(run->session, run->flowfile, sluice_item_name(run->instance, "values", i).data, value);
    return NEXT;
}

static then do_tries(run *run, const char *argument)
{
    (void)argument;
    sluice_set_number(run->session, run->flowfile, "tries", run->try);
    return NEXT;
}

/* ---- ends ------------------------------------------------------------------------------------------------ */

static then do_transfer(run *run, const char *argument)
{
    sluice_transfer(run->session, run->flowfile, argument);
    return NEXT;
}

static then do_drop(run *run, const char *argument)
{
    sluice_drop(run->session, run->flowfile, argument);
    return NEXT;
}

static sluice_class class_named(const char *name)
{
    if (strcmp(name, "transient") == 0) return SLUICE_TRANSIENT;
    return strcmp(name, "permanent") == 0 ? SLUICE_PERMANENT : SLUICE_CONFIGURATION;
}

/* fail CLASS CODE [RELATIONSHIP] */
static void fail_with(run *run, sluice_flowfile *flowfile, const char *argument)
{
    char name[32], code[64];
    sluice_failure failure;
    const char *relationship = script_split(script_split(argument, name, sizeof name), code, sizeof code);
    sluice_refuse(&failure, class_named(name), code, "as the scenario says");
    sluice_fail(run->session, flowfile, *relationship ? relationship : NULL, &failure);
}

static then do_fail(run *run, const char *argument)
{
    fail_with(run, run->flowfile, argument);
    return NEXT;
}

static then do_fail_instance(run *run, const char *argument)
{
    fail_with(run, NULL, argument);
    return script_end(run, SLUICE_ROLLBACK);
}

static then do_event(run *run, const char *argument)
{
    bool send = strncmp(argument, "SEND ", 5) == 0;
    sluice_event(run->session, run->flowfile, send ? SLUICE_SEND : SLUICE_ROUTE, send ? argument + 5 : NULL, NULL);
    return NEXT;
}

static then do_rollback(run *run, const char *argument)
{
    (void)argument;
    return script_end(run, SLUICE_ROLLBACK);
}

static then do_repeat(run *run, const char *argument)
{
    (void)argument;
    run->next = 0;
    return NEXT;
}

static then do_die(run *run, const char *argument)
{
    (void)argument;
    return script_die(run->instance) ? script_end(run, SLUICE_ROLLBACK) : NEXT;
}

/* ---- content --------------------------------------------------------------------------------------------- */

static then do_write(run *run, const char *argument)
{
    sluice_failure failure = {0};
    size_t half = strlen(argument) / 2;
    sluice_writer *writer = sluice_write(run->session, run->flowfile);
    sluice_append(run->session, writer, argument, half);
    sluice_append(run->session, writer, argument + half, strlen(argument) - half);
    if (sluice_close(run->session, writer, &failure) < 0) sluice_fail(run->session, run->flowfile, "failure", &failure);
    return NEXT;
}

/* SIZE bytes, and their hash is what it must be. */
static then do_fill(run *run, const char *argument)
{
    sluice_failure failure = {0};
    char piece[1000];
    long left = atol(argument);
    sluice_writer *writer = sluice_write(run->session, run->flowfile);
    memset(piece, 'x', sizeof piece);
    for (; left > 0; left -= (long)sizeof piece)
        sluice_append(run->session, writer, piece, left < (long)sizeof piece ? (size_t)left : sizeof piece);
    if (sluice_close(run->session, writer, &failure) < 0) sluice_fail(run->session, run->flowfile, "failure", &failure);
    return NEXT;
}

/* TEXT, from a file of that content. */
static then do_import(run *run, const char *argument)
{
    sluice_failure failure = {0};
    char path[LONGEST];
    script_path(run->instance, "outside", path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, argument, strlen(argument)) < 0) abort();
    sluice_source source = {.path = path, .fd = fd};
    if (sluice_import(run->session, run->flowfile, &source, &failure) < 0) sluice_fail(run->session, run->flowfile, "failure", &failure);
    close(fd);
    return NEXT;
}

static then do_read(run *run, const char *argument)
{
    sluice_failure failure = {0};
    sluice_content content;
    char text[64];
    (void)argument;
    int64_t got = sluice_read(run->session, run->flowfile, 0, text, sizeof text, &failure);
    if (got < 0 || !sluice_content_of(run->session, run->flowfile, &content, &failure)) {
        sluice_fail(run->session, run->flowfile, "failure", &failure);
        return script_end(run, SLUICE_DONE);
    }
    sluice_set_view(run->session, run->flowfile, "read", (sluice_text){text, (size_t)got});
    sluice_set_number(run->session, run->flowfile, "size", (int64_t)content.size);
    sluice_set_number(run->session, run->flowfile, "past.end",
                      sluice_read(run->session, run->flowfile, content.size, text, sizeof text, &failure));
    return NEXT;
}

const step flowfile_steps[] = {
    {"get", do_get},
    {"create", do_create},
    {"child", do_child},
    {"clone", do_clone},
    {"other", do_other},
    {"set", do_set},
    {"unset", do_unset},
    {"see", do_see},
    {"length", do_length},
    {"evaluate", do_evaluate},
    {"evaluate-items", do_evaluate_items},
    {"tries", do_tries},
    {"transfer", do_transfer},
    {"drop", do_drop},
    {"fail", do_fail},
    {"fail-instance", do_fail_instance},
    {"event", do_event},
    {"rollback", do_rollback},
    {"repeat", do_repeat},
    {"die", do_die},
    {"write", do_write},
    {"fill", do_fill},
    {"import", do_import},
    {"read", do_read},
    {0},
};
