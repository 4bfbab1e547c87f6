/* The table of routes: what it finds, what it refuses, and that OpenAPI's document says the same. */
#include "test.h"

#include <jansson.h>

#include "api/private.h"

static char allowed[64];
static sl_str parameters[SL_ROUTE_PARAMETERS];
static sl_uri uri;

static const char *route(const char *method, const char *target)
{
    sl_error error = {0};
    sl_uri_done(&uri);
    CHECK_INT(sl_uri_parse(sl_str_of(target), &uri, &error), 0);
    const sl_route *found = sl_route_find(method, &uri, parameters, allowed);
    return found ? found->name : "none";
}

TEST(paths_lead_to_routes)
{
    CHECK_STR(route("GET", "/"), "ui");
    CHECK_STR(route("GET", "/ui/app/a.js"), "ui-file");
    CHECK_VIEW(parameters[0], "app/a.js");
    CHECK_STR(route("HEAD", "/healthz"), "healthz");
    CHECK_STR(route("POST", "/api/v1/flows/media/processors/put/stop"), "stop");
    CHECK_VIEW(parameters[0], "media");
    CHECK_VIEW(parameters[1], "put");
    CHECK_STR(route("DELETE", "/api/v1/flows/media/connections/a.b.c/flowfiles"), "queue-empty");
    CHECK_VIEW(parameters[1], "a.b.c");
    CHECK_STR(route("GET", "/api/v1/provenance/7/content"), "content");
    sl_uri_done(&uri);
}

TEST(what_leads_nowhere)
{
    static const char *const nowhere[] = {"/healthz/", "/healthz/x", "/api", "/api/v1/flows/", "/api/v1//status", "/ui", "/ui/"};
    for (size_t i = 0; i < SL_COUNT(nowhere); i++) {
        CHECK_STR(route("GET", nowhere[i]), "none");
        CHECK_STR(allowed, "");
    }
    CHECK_STR(route("PUT", "/api/v1/flows/media"), "none");
    CHECK_STR(allowed, "GET, HEAD");
    CHECK_STR(route("POST", "/api/v1/flows/media/connections/c/flowfiles"), "none");
    CHECK_STR(allowed, "GET, HEAD, DELETE");
    sl_uri_done(&uri);
}

TEST(parameters_that_a_route_does_not_know)
{
    sl_error error = {0};
    sl_uri asked;
    CHECK_INT(sl_uri_parse(SL_STR("/api/v1/provenance?flow=a&attr.x=1&attr.=2"), &asked, &error), 0);
    const sl_route *found = sl_route_find("GET", &asked, parameters, allowed);
    CHECK_VIEW(sl_route_unknown(found, &asked), "attr.");
    sl_uri_done(&asked);
    CHECK_INT(sl_uri_parse(SL_STR("/api/v1/status?flow=a"), &asked, &error), 0);
    found = sl_route_find("GET", &asked, parameters, allowed);
    CHECK_VIEW(sl_route_unknown(found, &asked), "flow");
    sl_uri_done(&asked);
}

static json_t *operation_of(json_t *document, const sl_route *described)
{
    char method[16] = "";
    for (size_t i = 0; described->method[i]; i++) method[i] = (char)(described->method[i] | 32);
    return json_object_get(json_object_get(json_object_get(document, "paths"), described->path), method);
}

static size_t braces(const char *path)
{
    size_t count = 0;
    for (; *path; path++) count += *path == '{';
    return count;
}

TEST(openapi_is_true_to_every_route)
{
    sl_buf text = SL_BUF(1 << 20);
    sl_openapi(&text);
    json_error_t wrong;
    json_t *document = json_loads(text.data, JSON_REJECT_DUPLICATES, &wrong), *path;
    if (!document) sl_test_failed(__FILE__, __LINE__, "%s", wrong.text);
    size_t operations = 0;
    const char *name;
    json_object_foreach(json_object_get(document, "paths"), name, path) operations += json_object_size(path);
    CHECK_INT(operations, sl_route_count);
    for (size_t i = 0; i < sl_route_count; i++) {
        json_t *operation = operation_of(document, &sl_routes[i]);
        char status[8];
        snprintf(status, sizeof status, "%u", sl_routes[i].status);
        CHECK_STR(json_string_value(json_object_get(operation, "operationId")), sl_routes[i].name);
        CHECK(json_object_get(json_object_get(operation, "responses"), status));
        size_t count = braces(sl_routes[i].path);
        for (const sl_parameter *p = sl_routes[i].query; p && p->name; p++) count++;
        CHECK_INT(json_array_size(json_object_get(operation, "parameters")), count);
    }
    json_decref(document);
    sl_buf_done(&text);
}
