#include "registry.h"

static const char *const sources[] = {"delete", "keep", "move", NULL};
static const char *const conflicts[] = {"fail", "replace", "rename", "ignore", NULL};
static const char *const strategies[] = {"by-name", "all", "any", NULL};

static const sluice_property get_file[] = {
    {.name = "directory", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "The folder to take files from."},
    {.name = "source", .type = SLUICE_ENUM, .flags = SLUICE_REQUIRED, .allowed = sources, .help = "What becomes of a file that was taken."},
    {.name = "move_to", .type = SLUICE_STRING, .help = "Where files go with source: move."},
    {.name = "recurse", .type = SLUICE_BOOL, .fallback = "true", .help = "Also folders inside."},
    {.name = "file_filter", .type = SLUICE_STRING, .flags = SLUICE_REGEX, .fallback = "[^.].*", .help = "Names to take."},
    {.name = "min_age", .type = SLUICE_DURATION, .fallback = "10s", .most = 366LL * 86400 * 1000000, .help = "Younger files wait."},
    {.name = "batch", .type = SLUICE_INT, .fallback = "100", .least = 1, .most = 10000, .help = "Files a trigger."},
    {0},
};
static const sluice_property generate[] = {
    {.name = "count", .type = SLUICE_INT, .least = 0, .most = 1000000000, .help = "How many in all."},
    {.name = "batch", .type = SLUICE_INT, .fallback = "1", .least = 1, .most = 10000, .help = "How many a trigger."},
    {.name = "size", .type = SLUICE_SIZE, .fallback = "0", .help = "Bytes of each."},
    {.name = "content", .type = SLUICE_STRING, .flags = SLUICE_EXPRESSION, .help = "The text of each."},
    {.name = "attributes", .type = SLUICE_MAP, .flags = SLUICE_EXPRESSION, .help = "Attributes of each."},
    {0},
};
static const sluice_property route[] = {
    {.name = "routes",
     .type = SLUICE_MAP,
     .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION | SLUICE_NAMES_RELATIONSHIPS,
     .when = "strategy=by-name",
     .help = "A condition for each route."},
    {.name = "strategy", .type = SLUICE_ENUM, .allowed = strategies, .fallback = "by-name", .help = "How the routes decide."},
    {0},
};
static const sluice_property update[] = {
    {.name = "attributes", .type = SLUICE_MAP, .flags = SLUICE_EXPRESSION, .help = "Attributes to set."},
    {.name = "delete", .type = SLUICE_STRING, .flags = SLUICE_REGEX, .help = "Attributes to remove."},
    {0},
};
static const sluice_property put_file[] = {
    {.name = "directory", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION, .help = "The folder to write to."},
    {.name = "conflict", .type = SLUICE_ENUM, .allowed = conflicts, .fallback = "fail", .help = "When the name is taken."},
    {0},
};
static const sluice_property put_s3[] = {
    {.name = "service", .type = SLUICE_SERVICE, .flags = SLUICE_REQUIRED, .interface = "s3/1", .help = "The account."},
    {.name = "bucket", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION, .help = "The bucket."},
    {.name = "key", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION, .help = "The object's key."},
    {0},
};
static const sluice_property s3[] = {
    {.name = "endpoint", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "The server's URL."},
    {.name = "region", .type = SLUICE_STRING, .help = "The region."},
    {.name = "access_key_id", .type = SLUICE_SECRET, .help = "The key's id."},
    {.name = "secret_access_key", .type = SLUICE_SECRET, .help = "The key."},
    {0},
};
static const sluice_property database[] = {{.name = "url", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED, .help = "Where it is."}, {0}};
static const sluice_property none[] = {{0}};

/* Every type once. */
static const sluice_property limits[] = {
    {.name = "count", .type = SLUICE_INT, .fallback = "3", .least = 1, .most = 9, .help = "How many."},
    {.name = "pause", .type = SLUICE_DURATION, .flags = SLUICE_REQUIRED, .help = "How long."},
    {0},
};
static const sluice_property all[] = {
    {.name = "text", .type = SLUICE_STRING, .help = "A text."},
    {.name = "number", .type = SLUICE_NUMBER, .least = 0, .most = 1, .help = "A number."},
    {.name = "whole", .type = SLUICE_INT, .help = "A whole number."},
    {.name = "size", .type = SLUICE_SIZE, .fallback = "16KiB", .help = "A size."},
    {.name = "flag", .type = SLUICE_BOOL, .flags = SLUICE_EXPRESSION, .help = "A flag, perhaps an expression."},
    {.name = "names", .type = SLUICE_LIST, .fallback = "[a, \"b c\"]", .help = "Names."},
    {.name = "patterns", .type = SLUICE_LIST, .flags = SLUICE_REGEX, .help = "Patterns."},
    {.name = "values", .type = SLUICE_LIST, .flags = SLUICE_EXPRESSION, .help = "Values."},
    {.name = "map", .type = SLUICE_MAP, .flags = SLUICE_EXPRESSION, .fallback = "{x: \"${y}\"}", .help = "A map."},
    {.name = "limits", .type = SLUICE_TABLE, .table = limits, .help = "Limits."},
    {.name = "password", .type = SLUICE_SECRET, .help = "A secret."},
    {.name = "after", .type = SLUICE_DURATION, .least = 1000, .most = -1, .help = "At least a millisecond."},
    {0},
};

static const sluice_named success[] = {{.name = "success", .help = "It is done."}, {0}};
static const sluice_named success_failure[] = {
    {.name = "success", .help = "It is done."}, {.name = "failure", .help = "It cannot be done."}, {0}};
static const sluice_named routes[] = {{.name = "matched", .when = "strategy=all|any", .help = "All or any conditions hold."},
                                      {.name = "unmatched", .help = "No route's condition holds."},
                                      {0}};

static const sluice_processor processors[] = {
    {.type = "get-file", .properties = get_file, .relationships = success, .flags = SLUICE_SOURCE | SLUICE_SERIAL},
    {.type = "generate-flowfile", .properties = generate, .relationships = success, .flags = SLUICE_SOURCE},
    {.type = "identify-mime-type", .properties = none, .relationships = success},
    {.type = "route-on-attribute", .properties = route, .relationships = routes},
    {.type = "update-attribute", .properties = update, .relationships = success},
    {.type = "put-file", .properties = put_file, .relationships = success_failure},
    {.type = "put-s3", .properties = put_s3, .relationships = success_failure, .flags = SLUICE_EFFECTS},
    {.type = "every-type", .properties = all, .relationships = success},
};
static const sluice_service services[] = {
    {.type = "s3", .interface = "s3/1", .properties = s3},
    {.type = "database", .interface = "sql/1", .properties = database},
};

static const sluice_processor *find_processor(void *context, sl_str type)
{
    (void)context;
    for (size_t i = 0; i < SL_COUNT(processors); i++)
        if (sl_str_is(type, processors[i].type)) return &processors[i];
    return NULL;
}

static const sluice_service *find_service(void *context, sl_str type)
{
    (void)context;
    for (size_t i = 0; i < SL_COUNT(services); i++)
        if (sl_str_is(type, services[i].type)) return &services[i];
    return NULL;
}

static const char *name_at(void *context, bool service, size_t i)
{
    (void)context;
    if (service) return i < SL_COUNT(services) ? services[i].type : NULL;
    return i < SL_COUNT(processors) ? processors[i].type : NULL;
}

const sl_registry test_registry = {find_processor, find_service, name_at, NULL};
