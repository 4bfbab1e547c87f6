#include "update-attribute.h"

#include <stdlib.h>

#include "regex.h"

const sluice_property update_properties[] = {
    {.name = "attributes",
     .type = SLUICE_MAP,
     .flags = SLUICE_EXPRESSION,
     .help = "Attributes to set: name: value. Every value sees the attributes as they were before."},
    {.name = "delete",
     .type = SLUICE_STRING,
     .flags = SLUICE_REGEX,
     .help = "Removes the attributes whose whole name matches; what `attributes` sets stays."},
    {0},
};

const sluice_named update_relationships[] = {
    {.name = "success", .help = "The attributes are updated."},
    {.name = "failure", .help = "An expression could not be evaluated; no attribute was changed."},
    {0},
};
const sluice_named update_writes[] = {{.name = "*", .help = "Those named under `attributes`."}, {0}};

typedef struct update {
    size_t count;
    const char **names;  /* of `attributes` */
    sluice_text *values; /* of the FlowFile at hand: trigger runs on the loop alone */
    regex delete;
} update;

void update_fini(sluice_instance *instance)
{
    update *self = instance->data;
    if (!self) return;
    regex_done(&self->delete);
    free(self->names);
    free(self->values);
    free(self);
    instance->data = NULL;
}

static int take_names(sluice_instance *instance, update *self, sluice_failure *failure)
{
    for (size_t i = 0; i < self->count; i++) {
        sluice_text name = sluice_item_name(instance, "attributes", i);
        if (!name.size) return sluice_refuse(failure, SLUICE_CONFIGURATION, "name", "attributes: expected a name, found an empty one");
        if (sluice_is(name, "uuid"))
            return sluice_refuse(failure, SLUICE_CONFIGURATION, "name", "attributes: uuid belongs to the FlowFile and cannot be set");
        self->names[i] = name.data;
    }
    return 0;
}

int update_init(sluice_instance *instance, sluice_failure *failure)
{
    update *self = calloc(1, sizeof *self);
    if (!self) abort();
    instance->data = self;
    self->count = sluice_count(instance, "attributes");
    self->names = calloc(self->count + 1, sizeof *self->names);
    self->values = calloc(self->count + 1, sizeof *self->values);
    if (!self->names || !self->values) abort();
    int result = take_names(instance, self, failure);
    if (result == 0) result = regex_of_property(instance, "delete", &self->delete, failure);
    if (result < 0) update_fini(instance);
    return result;
}

static void delete_matching(const update *self, sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_text name, value;
    for (size_t i = session->host->attribute_count(flowfile); i-- > 0;) {
        session->host->attribute_at(flowfile, i, &name, &value);
        if (!sluice_is(name, "uuid") && regex_matches(&self->delete, name.data, name.size)) sluice_unset(session, flowfile, name.data);
    }
}

static void update_one(update *self, sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_failure failure = {0};
    for (size_t i = 0; i < self->count; i++) {
        if (!sluice_evaluate_item(session, flowfile, "attributes", i, &self->values[i], &failure)) {
            sluice_fail(session, flowfile, "failure", &failure);
            return;
        }
    }
    if (regex_given(&self->delete)) delete_matching(self, session, flowfile);
    for (size_t i = 0; i < self->count; i++) sluice_set_view(session, flowfile, self->names[i], self->values[i]);
    sluice_transfer(session, flowfile, "success");
}

sluice_outcome update_trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile;
    while ((flowfile = sluice_get(session))) update_one(instance->data, session, flowfile);
    return SLUICE_DONE;
}
