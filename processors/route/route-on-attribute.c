/* route-on-attribute: sends a FlowFile by the relationships whose expressions are true for it. On the loop. */
#include <stdlib.h>
#include <strings.h>

#include "sluice/calls.h"

enum { BY_NAME, ALL, ANY };
static const char *const strategies[] = {"by-name", "all", "any", NULL};

static const sluice_property properties[] = {
    {.name = "routes",
     .type = SLUICE_MAP,
     .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION | SLUICE_NAMES_RELATIONSHIPS,
     .when = "strategy=by-name",
     .help = "Each route's name and its condition, an expression that is true or false."},
    {.name = "strategy",
     .type = SLUICE_ENUM,
     .fallback = "by-name",
     .allowed = strategies,
     .help = "by-name: to each route that is true; all, any: to `matched` when all (any) of them are."},
    {0},
};
static const sluice_named relationships[] = {
    {.name = "matched", .when = "strategy=all|any", .help = "All, or any, of the conditions are true."},
    {.name = "unmatched", .help = "No route is true, or an expression failed (error.message says why)."},
    {0},
};
static const sluice_named writes[] = {
    {.name = "RouteOnAttribute.Route", .help = "The route that was taken, or unmatched."},
    {0},
};

typedef struct route {
    int64_t strategy;
    size_t count;
    const char **names;
    bool *matches; /* of the FlowFile at hand: trigger runs on the loop alone */
} route;

static void fini(sluice_instance *instance)
{
    route *self = instance->data;
    if (!self) return;
    free(self->names);
    free(self->matches);
    free(self);
    instance->data = NULL;
}

static int init(sluice_instance *instance, sluice_failure *failure)
{
    size_t count = sluice_count(instance, "routes");
    if (!count) return sluice_refuse(failure, SLUICE_CONFIGURATION, "routes", "routes: expected at least one route, found none");
    route *self = calloc(1, sizeof *self);
    if (!self) abort();
    instance->data = self;
    self->count = count;
    self->strategy = sluice_number(instance, "strategy");
    self->names = calloc(count, sizeof *self->names);
    self->matches = calloc(count, sizeof *self->matches);
    if (!self->names || !self->matches) abort();
    for (size_t i = 0; i < count; i++) self->names[i] = sluice_item_name(instance, "routes", i).data;
    return 0;
}

static bool is_true(sluice_text text) { return text.size == 4 && strncasecmp(text.data, "true", 4) == 0; }

/* How many routes are true; -1: an expression failed. */
static int64_t match(route *self, sluice_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    int64_t found = 0;
    for (size_t i = 0; i < self->count; i++) {
        sluice_text value;
        if (!sluice_evaluate_item(session, flowfile, "routes", i, &value, failure)) return -1;
        found += self->matches[i] = is_true(value);
    }
    return found;
}

static void send(sluice_session *session, sluice_flowfile *flowfile, const char *relationship)
{
    sluice_set(session, flowfile, "RouteOnAttribute.Route", relationship);
    sluice_event(session, flowfile, SLUICE_ROUTE, NULL, NULL);
    sluice_transfer(session, flowfile, relationship);
}

/* A clone to each further match, then the original to the first: a clone must be made before its original leaves. */
static void send_by_name(const route *self, sluice_session *session, sluice_flowfile *flowfile)
{
    const char *first = NULL;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->matches[i]) continue;
        if (first) send(session, sluice_clone(session, flowfile), self->names[i]);
        else first = self->names[i];
    }
    send(session, flowfile, first ? first : "unmatched");
}

static void route_one(route *self, sluice_session *session, sluice_flowfile *flowfile)
{
    sluice_failure failure = {0};
    int64_t found = match(self, session, flowfile, &failure);
    if (found < 0) sluice_fail(session, flowfile, "unmatched", &failure);
    else if (self->strategy == BY_NAME) send_by_name(self, session, flowfile);
    else send(session, flowfile, found >= (self->strategy == ALL ? (int64_t)self->count : 1) ? "matched" : "unmatched");
}

static sluice_outcome trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile;
    while ((flowfile = sluice_get(session))) route_one(instance->data, session, flowfile);
    return SLUICE_DONE;
}

static const sluice_processor processors[] = {{
    .type = "route-on-attribute",
    .summary = "Sends FlowFiles by relationships whose conditions are true.",
    .manual = "Evaluates the condition of each route, an expression that gives true or false (anything but \"true\", in any case of\n"
              "letters, counts as false).\n"
              "\n"
              "strategy: by-name: each route is a relationship of its name. The FlowFile leaves by the first one that is true, in the\n"
              "order written, and a clone of it by each further one; by unmatched when none is true.\n"
              "strategy: all or any: the names only tell the conditions apart. The relationships are matched, when all or any of them\n"
              "are true, and unmatched.\n"
              "\n"
              "RouteOnAttribute.Route holds the name of the relationship. When an expression fails, the FlowFile leaves by unmatched\n"
              "whatever other routes say, with error.class, error.code and error.message.\n",
    .example = "by-kind:\n"
               "  type: route-on-attribute\n"
               "  routes:\n"
               "    image: \"${mime.type:startsWith('image/')}\"\n"
               "    video: \"${mime.type:startsWith('video/')}\"\n"
               "  to: {image: end, video: end, unmatched: hold}\n",
    .delivery = "Nothing outside is touched. A FlowFile whose session did not commit is routed again; its clones left no trace.",
    .properties = properties,
    .relationships = relationships,
    .writes = writes,
    .flags = SLUICE_ON_LOOP | SLUICE_ALONE,
    .init = init,
    .fini = fini,
    .trigger = trigger,
}};

SLUICE_MODULE_PLAIN("route", "Sends FlowFiles where they belong", processors);
