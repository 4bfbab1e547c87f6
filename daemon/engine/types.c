/* The tables of a module's types as JSON. */
#include "engine/types.h"

static json_t *table_json(const sluice_property *table);

static json_t *texts_json(const char *const *texts)
{
    if (!texts) return json_null();
    json_t *list = json_array();
    for (; *texts; texts++) json_array_append_new(list, json_string(*texts));
    return list;
}

static json_t *property_json(const sluice_property *p)
{
    json_t *made = json_pack("{s:s, s:s, s:b, s:b, s:s?, s:s?, s:o}", "name", p->name, "type", sl_property_type_name(p->type), "required",
                             (p->flags & SLUICE_REQUIRED) != 0, "expressions", (p->flags & SLUICE_EXPRESSION) != 0, "default", p->fallback,
                             "help", p->help, "allowed", texts_json(p->allowed));
    if (p->interface) json_object_set_new(made, "interface", json_string(p->interface));
    if (p->least || p->most) {
        json_object_set_new(made, "least", json_integer(p->least));
        json_object_set_new(made, "most", json_integer(p->most));
    }
    if (p->flags & SLUICE_REGEX) json_object_set_new(made, "regex", json_true());
    if (p->flags & SLUICE_NAMES_RELATIONSHIPS) json_object_set_new(made, "names_relationships", json_true());
    if (p->when) json_object_set_new(made, "when", json_string(p->when));
    if (p->table) json_object_set_new(made, "table", table_json(p->table));
    return made;
}

static json_t *table_json(const sluice_property *table)
{
    json_t *list = json_array();
    for (; table && table->name; table++) json_array_append_new(list, property_json(table));
    return list;
}

static json_t *named_json(const sluice_named *named)
{
    json_t *list = json_array();
    for (; named && named->name; named++)
        json_array_append_new(list, json_pack("{s:s, s:s?, s:s*}", "name", named->name, "help", named->help, "when", named->when));
    return list;
}

static json_t *processor_json(const sl_module *module, const sluice_processor *p, bool whole)
{
    json_t *made = json_pack("{s:s, s:s, s:s, s:s?, s:b}", "type", p->type, "kind", "processor", "module", module->name, "summary",
                             p->summary, "source", (p->flags & SLUICE_SOURCE) != 0);
    if (!whole) return made;
    json_t *more =
        json_pack("{s:s?, s:s?, s:s?, s:b, s:b, s:s, s:o, s:o, s:o, s:o}", "manual", p->manual, "example", p->example, "delivery",
                  p->delivery, "effects", (p->flags & SLUICE_EFFECTS) != 0, "serial", (p->flags & SLUICE_SERIAL) != 0, "runs_on",
                  p->flags & SLUICE_ON_WORKER ? "worker" : "loop", "properties", table_json(p->properties), "relationships",
                  named_json(p->relationships), "reads", named_json(p->reads), "writes", named_json(p->writes));
    json_object_update(made, more);
    json_decref(more);
    return made;
}

static json_t *service_json(const sl_module *module, const sluice_service *s, bool whole)
{
    json_t *made = json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "type", s->type, "kind", "service", "module", module->name, "summary",
                             s->summary, "interface", s->interface);
    if (!whole) return made;
    json_object_set_new(made, "manual", s->manual ? json_string(s->manual) : json_null());
    json_object_set_new(made, "properties", table_json(s->properties));
    return made;
}

json_t *sl_types_json(const sl_modules *modules)
{
    json_t *list = json_array();
    const sl_module *module;
    for (size_t i = 0; (module = sl_modules_at(modules, i)); i++) {
        for (size_t p = 0; p < module->processor_count; p++)
            json_array_append_new(list, processor_json(module, &module->processors[p], false));
        for (size_t s = 0; s < module->service_count; s++) json_array_append_new(list, service_json(module, &module->services[s], false));
    }
    return list;
}

json_t *sl_type_json(const sl_modules *modules, sl_str type)
{
    const sl_registry *registry = sl_modules_registry(modules);
    const sl_module *owner = sl_modules_owner(modules, type);
    const sluice_processor *processor = registry->processor(registry->context, type);
    const sluice_service *service = processor ? NULL : registry->service(registry->context, type);
    if (!owner || (!processor && !service)) return NULL;
    return processor ? processor_json(owner, processor, true) : service_json(owner, service, true);
}
