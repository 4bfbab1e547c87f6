/* Services: defined in the flow, or shared by the daemon's configuration, and what refers to them. */
#include "flow/private.h"

enum { MOST_SERVICES = 1000 };

static bool skip_type(sl_str key) { return sl_str_is(key, "type"); }
static const char *const skipped[] = {"type", NULL};

static const char *suggest_type(sl_loader *loader, sl_str word)
{
    const sl_registry *registry = loader->options->registry;
    const char *names[256], *name;
    size_t count = 0;
    while (count < SL_COUNT(names) && (name = registry->name_at(registry->context, true, count))) names[count++] = name;
    const char *near = sl_suggest(loader->problems, &loader->flow->arena, word, names, count);
    return *near ? near
                 : sl_arena_printf(&loader->flow->arena, "; there are %s",
                                   sl_join_names(loader->problems, &loader->flow->arena, names, count));
}

static const sluice_service *type_of(sl_loader *loader, sl_decoder *decoder, const sl_node *key, const sl_node *body)
{
    const sl_node *type = sl_node_get(body, "type");
    if (!type) {
        sl_problem_error(decoder->problems, key->mark, "the service `%.*s` needs `type`%s", SL_STR_ARGS(key->text),
                         suggest_type(loader, SL_STR("")));
        return NULL;
    }
    if (!sl_expect_kind(decoder, type, SL_SCALAR, "type", "the type's name")) return NULL;
    const sl_registry *registry = loader->options->registry;
    const sluice_service *service = registry->service(registry->context, type->text);
    if (!service)
        sl_problem_error(decoder->problems, type->mark, "no service type " SL_QUOTED "%s", SL_QUOTE_ARGS(type->text),
                         suggest_type(loader, type->text));
    return service;
}

/* The new service's index, whether or not all of it is right: so that what names it is not told too. */
static size_t add(sl_loader *loader, const sl_node *key, bool shared)
{
    sl_flow *flow = loader->flow;
    flow->services = sl_grow(flow->services, flow->service_count, &loader->service_capacity, sizeof *flow->services);
    loader->service_used = sl_grow(loader->service_used, flow->service_count, &loader->service_used_capacity, sizeof(bool));
    loader->service_used[flow->service_count] = false;
    flow->services[flow->service_count] =
        (sl_flow_service){.name = sl_arena_strndup(&flow->arena, key->text.data, key->text.size), .mark = key->mark, .shared = shared};
    return flow->service_count++;
}

static void read_service(sl_loader *loader, sl_decoder *decoder, const sl_node *key, const sl_node *body, size_t at)
{
    decoder->mark = key->mark;
    if (!sl_expect_kind(decoder, body, SL_MAPPING, loader->flow->services[at].name, "{type: s3, ...}")) return;
    const sluice_service *type = type_of(loader, decoder, key, body);
    if (!type) return;
    loader->flow->services[at].descriptor = type;
    decoder->owner = sl_arena_printf(decoder->arena, "the service type %s", type->type);
    decoder->skip = skip_type;
    decoder->skipped = skipped;
    sl_decode_table(decoder, body, type->properties, &loader->flow->services[at].properties);
}

static const sl_node *shared_of(const sl_loader *loader)
{
    const sl_node *shared = loader->options->shared_services;
    return shared && shared->kind == SL_MAPPING ? shared : NULL;
}

static void check_name(sl_loader *loader, const sl_node *key)
{
    const sl_node *shared = shared_of(loader);
    if (!sl_flow_name_valid(key->text))
        sl_problem_error(loader->problems, key->mark, "the service's name " SL_QUOTED " is not [a-z][a-z0-9_-]{0,62}",
                         SL_QUOTE_ARGS(key->text));
    if (shared && sl_node_get(shared, key->text.data))
        sl_problem_error(loader->problems, key->mark,
                         "the service `%.*s` would shadow the one that the daemon's configuration shares; choose another name",
                         SL_STR_ARGS(key->text));
}

void sl_services_read(sl_loader *loader, const sl_node *mapping)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", loader->root->mark);
    if (!mapping || !sl_expect_kind(&decoder, mapping, SL_MAPPING, "services", "{b2: {type: s3, ...}}")) return;
    if (mapping->count > MOST_SERVICES) {
        sl_problem_error(loader->problems, mapping->keys[MOST_SERVICES]->mark, "more than %d services in one flow; split it",
                         MOST_SERVICES);
        return;
    }
    for (size_t i = 0; i < mapping->count; i++) {
        const sl_node *key = mapping->keys[i];
        check_name(loader, key);
        decoder = sl_loader_decoder(loader, "the flow", key->mark);
        read_service(loader, &decoder, key, mapping->items[i], add(loader, key, false));
    }
}

/* ---- shared ones --------------------------------------------------------------------------------------- */

static sl_str no_parameter(void *context, sl_str name)
{
    (void)context, (void)name;
    return (sl_str){0};
}

/* Its problems have marks of another file: they come as one text, at the property that uses the service. */
static size_t add_shared(sl_loader *loader, size_t at, sl_mark mark)
{
    static const sl_parameter_scope none = {.parameter = no_parameter};
    const sl_node *key = loader->options->shared_services->keys[at], *body = loader->options->shared_services->items[at];
    const char *file = loader->options->shared_services_file;
    sl_problems own = {.file = file ? file : "the daemon's configuration"};
    sl_decoder decoder = {.scope = &none, .arena = &loader->flow->arena, .problems = &own};
    size_t service = add(loader, key, true);
    read_service(loader, &decoder, key, body, service);
    for (size_t i = 0; i < own.count; i++)
        sl_problem_error(loader->problems, mark, "the shared service `%.*s`: %s:%u:%u: %s", SL_STR_ARGS(key->text), own.file,
                         own.items[i].mark.line, own.items[i].mark.column, own.items[i].message);
    sl_problems_done(&own);
    return service;
}

static size_t find(sl_loader *loader, sl_str name, sl_mark mark)
{
    for (size_t i = 0; i < loader->flow->service_count; i++)
        if (sl_str_is(name, loader->flow->services[i].name)) return i;
    const sl_node *shared = shared_of(loader);
    for (size_t i = 0; shared && i < shared->count; i++)
        if (sl_str_equal(shared->keys[i]->text, name)) return add_shared(loader, i, mark);
    return SIZE_MAX;
}

/* ---- references ---------------------------------------------------------------------------------------- */

static const char *suggest_service(sl_loader *loader, sl_str word)
{
    const sl_node *shared = shared_of(loader);
    size_t count = 0, most = loader->flow->service_count + (shared ? shared->count : 0);
    const char **names = sl_arena_alloc(&loader->flow->arena, (most + 1) * sizeof *names);
    for (size_t i = 0; i < loader->flow->service_count; i++) names[count++] = loader->flow->services[i].name;
    for (size_t i = 0; shared && i < shared->count; i++) names[count++] = shared->keys[i]->text.data;
    const char *near = sl_suggest(loader->problems, &loader->flow->arena, word, names, count);
    if (*near || !count) return near;
    return sl_arena_printf(&loader->flow->arena, "; there are %s", sl_join_names(loader->problems, &loader->flow->arena, names, count));
}

static void check_reference(sl_loader *loader, const sl_value *value)
{
    const char *property = value->property->name, *interface = value->property->interface;
    size_t at = find(loader, value->text, value->mark);
    if (at == SIZE_MAX) {
        sl_problem_error(loader->problems, value->mark, "`%s`: no service " SL_QUOTED "%s; define it under `services:`", property,
                         SL_QUOTE_ARGS(value->text), suggest_service(loader, value->text));
        return;
    }
    loader->service_used[at] = true;
    const sluice_service *type = loader->flow->services[at].descriptor;
    if (type && interface && strcmp(type->interface, interface) != 0)
        sl_problem_error(loader->problems, value->mark, "`%s`: expected a service with the interface %s; `%s` is of type %s, which has %s",
                         property, interface, loader->flow->services[at].name, type->type, type->interface);
}

void sl_services_check(sl_loader *loader, const sl_properties *properties)
{
    for (size_t i = 0; properties && i < properties->count; i++) {
        const sl_value *value = &properties->values[i];
        if (!value->property) continue;
        if (value->table) sl_services_check(loader, value->table);
        else if (value->property->type == SLUICE_SERVICE && value->given && value->text.data) check_reference(loader, value);
    }
}

void sl_services_unused(sl_loader *loader)
{
    for (size_t i = 0; i < loader->flow->service_count; i++)
        if (!loader->service_used[i])
            sl_problem_warning(loader->problems, loader->flow->services[i].mark,
                               "the service `%s` is used by no processor; remove it, or name it in one", loader->flow->services[i].name);
}
