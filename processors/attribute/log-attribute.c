#include "log-attribute.h"

#include <stdlib.h>

#include "line.h"
#include "regex.h"

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const sluice_level level_values[] = {SLUICE_LOG_DEBUG, SLUICE_LOG_INFO, SLUICE_LOG_WARNING, SLUICE_LOG_ERROR};

const sluice_property log_properties[] = {
    {.name = "level", .type = SLUICE_ENUM, .fallback = "info", .allowed = levels, .help = "Level of the log lines."},
    {.name = "prefix", .type = SLUICE_STRING, .flags = SLUICE_EXPRESSION, .help = "Text at the head of each line."},
    {.name = "include",
     .type = SLUICE_STRING,
     .flags = SLUICE_REGEX,
     .help = "Only attributes whose whole name matches; absent: all of them."},
    {.name = "exclude", .type = SLUICE_STRING, .flags = SLUICE_REGEX, .help = "Not the attributes whose whole name matches."},
    {.name = "payload", .type = SLUICE_BOOL, .fallback = "false", .help = "Logs the beginning of the content too."},
    {.name = "payload_limit",
     .type = SLUICE_SIZE,
     .fallback = "1KiB",
     .least = 1,
     .most = 4096,
     .help = "How much of the content `payload` logs."},
    {0},
};
const sluice_named log_relationships[] = {{.name = "success", .help = "Every FlowFile, unchanged."}, {0}};
const sluice_named log_reads[] = {{.name = "*", .help = "Those that `include` and `exclude` leave."}, {0}};

typedef struct log_settings {
    sluice_level level;
    regex include, exclude;
    size_t payload; /* 0: none */
} log_settings;

void log_fini(sluice_instance *instance)
{
    log_settings *self = instance->data;
    if (!self) return;
    regex_done(&self->include);
    regex_done(&self->exclude);
    free(self);
    instance->data = NULL;
}

int log_init(sluice_instance *instance, sluice_failure *failure)
{
    log_settings *self = calloc(1, sizeof *self);
    if (!self) abort();
    instance->data = self;
    self->level = level_values[sluice_number(instance, "level")];
    if (sluice_number(instance, "payload")) self->payload = (size_t)sluice_number(instance, "payload_limit");
    int result = regex_of_property(instance, "include", &self->include, failure);
    if (result == 0) result = regex_of_property(instance, "exclude", &self->exclude, failure);
    if (result < 0) log_fini(instance);
    return result;
}

static bool shown(const log_settings *self, sluice_text name)
{
    if (regex_given(&self->exclude) && regex_matches(&self->exclude, name.data, name.size)) return false;
    return !regex_given(&self->include) || regex_matches(&self->include, name.data, name.size);
}

static void add_prefix(line *ret, sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_text prefix;
    sluice_failure failure = {0};
    if (sluice_evaluate(session, flowfile, "prefix", &prefix, &failure)) line_add(ret, prefix.data ? prefix.data : "");
    else line_quote(ret, failure.message, strlen(failure.message));
    if (ret->size && ret->text[ret->size - 1] != ' ') line_add(ret, " ");
}

static void add_attributes(const log_settings *self, line *ret, sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_text name, value, uuid = sluice_attribute(session, flowfile, "uuid");
    line_add(ret, "uuid=");
    line_quote(ret, uuid.data ? uuid.data : "", uuid.size);
    size_t count = session->host->attribute_count(flowfile);
    for (size_t i = 0; i < count; i++) {
        session->host->attribute_at(flowfile, i, &name, &value);
        if (sluice_is(name, "uuid") || !shown(self, name)) continue;
        line_add(ret, " ");
        line_add(ret, name.data);
        line_add(ret, "=");
        line_quote(ret, value.data, value.size);
    }
}

static void add_payload(const log_settings *self, line *ret, sluice_session *session, sluice_flowfile *flowfile)
{
    char head[4096];
    sluice_failure failure = {0};
    int64_t got = sluice_read(session, flowfile, 0, head, self->payload, &failure);
    line_add(ret, got < 0 ? " payload unreadable: " : " payload=");
    if (got < 0) line_quote(ret, failure.message, strlen(failure.message));
    else line_quote(ret, head, (size_t)got);
}

sluice_outcome log_trigger(sluice_instance *instance, sluice_session *session)
{
    const log_settings *self = instance->data;
    sluice_flowfile *flowfile;
    while ((flowfile = sluice_get(session))) {
        line text = {0};
        add_prefix(&text, session, flowfile);
        add_attributes(self, &text, session, flowfile);
        if (self->payload) add_payload(self, &text, session, flowfile);
        sluice_log(instance, self->level, "%s", line_end(&text));
        sluice_transfer(session, flowfile, "success");
    }
    return SLUICE_DONE;
}
