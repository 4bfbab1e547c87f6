/* /api/v1/openapi.json, made from the table of routes: so it is true to every one of them. */
#include "api/private.h"

static void text(sl_buf *ret, const char *name, const char *value)
{
    sl_json_string(ret, sl_str_of(name));
    sl_buf_char(ret, ':');
    sl_json_string(ret, sl_str_of(value));
}

static void parameter(sl_buf *ret, bool *any, const char *where, bool required, sl_str name, const char *help)
{
    sl_buf_text(ret, *any ? ",{\"name\":" : "{\"name\":");
    *any = true;
    sl_json_string(ret, name);
    sl_buf_printf(ret, ",\"in\":\"%s\",\"required\":%s,\"schema\":{\"type\":\"string\"}", where, required ? "true" : "false");
    if (help) {
        sl_buf_char(ret, ',');
        text(ret, "description", help);
    }
    sl_buf_char(ret, '}');
}

/* A prefix, as `attr.`, is an object whose members are written with their names. */
static void prefix_parameter(sl_buf *ret, bool *any, const sl_parameter *p)
{
    sl_buf_text(ret, *any ? ",{\"name\":" : "{\"name\":");
    *any = true;
    sl_json_string(ret, sl_str_of(p->name));
    sl_buf_text(ret, ",\"in\":\"query\",\"required\":false,\"style\":\"form\",\"explode\":true,\"schema\":{\"type\":\"object\","
                     "\"patternProperties\":{\"^attr\\\\..+\":{\"type\":\"string\"}}},");
    text(ret, "description", p->help);
    sl_buf_char(ret, '}');
}

static void parameters(sl_buf *ret, const sl_route *route)
{
    bool any = false;
    sl_buf_text(ret, ",\"parameters\":[");
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'))
        parameter(ret, &any, "path", true, (sl_str){at + 1, strcspn(at + 1, "}")}, NULL);
    for (const sl_parameter *p = route->query; p && p->name; p++) {
        if (p->name[strlen(p->name) - 1] == '.') prefix_parameter(ret, &any, p);
        else {
            bool required = p->name[0] == '!';
            parameter(ret, &any, "query", required, sl_str_of(p->name + required), p->help);
        }
    }
    sl_buf_char(ret, ']');
}

static void responses(sl_buf *ret, const sl_route *route)
{
    sl_buf_printf(ret, ",\"responses\":{\"%u\":{", route->status);
    text(ret, "description", sl_status_text(route->status));
    if (route->produces) {
        sl_buf_text(ret, ",\"content\":{");
        sl_json_string(ret, sl_str_of(route->produces));
        sl_buf_text(ret, ":{}}");
    }
    sl_buf_text(ret, "},\"default\":{\"$ref\":\"#/components/responses/problem\"}}");
}

static void operation(sl_buf *ret, const sl_route *route)
{
    sl_buf_char(ret, '"');
    for (const char *c = route->method; *c; c++) sl_buf_char(ret, (char)(*c | 32));
    sl_buf_text(ret, "\":{");
    text(ret, "operationId", route->name);
    sl_buf_char(ret, ',');
    text(ret, "summary", route->summary);
    parameters(ret, route);
    if (route->flags & SL_ROUTE_BODY) sl_buf_text(ret, ",\"requestBody\":{\"required\":true,\"content\":{\"application/yaml\":{}}}");
    responses(ret, route);
    if (route->flags & SL_ROUTE_PUBLIC) sl_buf_text(ret, ",\"security\":[]");
    else if (route->flags & SL_ROUTE_BEARER) sl_buf_text(ret, ",\"security\":[{\"bearer\":[]}]");
    sl_buf_char(ret, '}');
}

static bool described(size_t route)
{
    for (size_t i = 0; i < route; i++)
        if (strcmp(sl_routes[i].path, sl_routes[route].path) == 0) return true;
    return false;
}

static void paths(sl_buf *ret)
{
    for (size_t i = 0; i < sl_route_count; i++) {
        bool any = false;
        if (described(i)) continue;
        if (i) sl_buf_char(ret, ',');
        sl_json_string(ret, sl_str_of(sl_routes[i].path));
        sl_buf_text(ret, ":{");
        for (size_t k = i; k < sl_route_count; k++) {
            if (strcmp(sl_routes[k].path, sl_routes[i].path) != 0) continue;
            if (any) sl_buf_char(ret, ',');
            any = true;
            operation(ret, &sl_routes[k]);
        }
        sl_buf_char(ret, '}');
    }
}

void sl_openapi(sl_buf *ret)
{
    sl_buf_printf(ret, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"sluice\",\"version\":\"%s\"},", SL_VERSION);
    sl_buf_text(ret, "\"security\":[{\"bearer\":[]},{\"cookie\":[]}],\"paths\":{");
    paths(ret);
    sl_buf_text(
        ret, "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
             "\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"sluice_*\",\"description\":"
             "\"given by POST /api/v1/session\"}},\"responses\":{\"problem\":{\"description\":\"What is wrong and what to do\","
             "\"content\":{\"application/problem+json\":{\"schema\":{\"type\":\"object\",\"required\":[\"title\",\"status\",\"detail\"],"
             "\"properties\":{\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"}}}}}}}}}");
}
