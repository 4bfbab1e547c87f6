/* Services of a flow: one instance for each definition. A shared one (from the daemon's configuration) has one instance for
 * all flows that use it, as long as any does; a definition that changed is another one. */
#include <errno.h>
#include <inttypes.h>

#include "engine/private.h"

typedef struct shared {
    sl_instance *instance;
    unsigned users;
    sl_flow *definition; /* holds the properties; a reference of ours */
} shared;

/* ---- what makes two definitions the same ------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, sl_str text) { return (hash ^ sl_hash(text.data ? text.data : "", text.size)) * 0x9E3779B97F4A7C15u; }

static uint64_t fingerprint(uint64_t hash, const sl_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        const sl_value *value = &properties->values[i];
        if (!value->given) continue;
        hash = mix(mix(hash, sl_str_of(value->property->name)), value->text);
        hash = mix(hash, (sl_str){(const char *)&value->number, sizeof value->number});
        hash = mix(hash, (sl_str){(const char *)&value->real, sizeof value->real});
        for (size_t k = 0; k < value->item_count; k++) hash = mix(mix(hash, value->items[k].name), value->items[k].text);
        if (value->table) hash = fingerprint(hash, value->table);
    }
    return hash;
}

static char *key_of(const sl_flow_service *service)
{
    uint64_t hash = fingerprint(mix(1, sl_str_of(service->descriptor->type)), &service->properties);
    return sl_asprintf("%s %016" PRIx64, service->name, hash);
}

/* ---- made, shared, let go --------------------------------------------------------------------------------------------- */

static int make(sl_running_flow *flow, size_t at, sl_error *error)
{
    const sl_flow_service *service = &flow->definition->services[at];
    sl_instance *instance = flow->services[at] = sl_instance_new(flow, service->name);
    instance->service = &flow->definition->services[at];
    return sl_instance_init(instance, service->descriptor->init, error);
}

static int share(sl_running_flow *flow, size_t at, sl_error *error)
{
    sl_engine *engine = flow->engine;
    char *key = key_of(&flow->definition->services[at]);
    shared *one = sl_map_get(&engine->services, sl_str_of(key));
    int result = one ? 0 : make(flow, at, error);
    if (!one && result == 0) {
        one = SL_NEW(shared);
        *one = (shared){.instance = flow->services[at], .definition = sl_flow_ref(flow->definition)};
        one->instance->flow = NULL; /* of no flow in particular from now on */
        sl_map_put(&engine->services, sl_str_of(key), one);
    }
    if (result == 0) {
        flow->services[at] = one->instance;
        one->users++;
    }
    free(key);
    return result;
}

int sl_services_make(sl_running_flow *flow, sl_error *error)
{
    const sl_flow *definition = flow->definition;
    flow->services = sl_alloc((definition->service_count + 1) * sizeof *flow->services);
    for (size_t i = 0; i < definition->service_count; i++)
        if ((definition->services[i].shared ? share(flow, i, error) : make(flow, i, error)) < 0) return -1;
    return 0;
}

static shared *shared_of(const sl_engine *engine, const sl_instance *instance, const char **ret_key)
{
    SL_MAP_EACH (&engine->services, entry) {
        shared *one = entry->value;
        if (one->instance != instance) continue;
        *ret_key = entry->key;
        return one;
    }
    return NULL;
}

static void let_go(sl_engine *engine, sl_instance *instance)
{
    const char *key = NULL;
    shared *one = shared_of(engine, instance, &key);
    if (!one) sl_instance_free(instance);
    if (!one || --one->users) return;
    sl_map_remove(&engine->services, sl_str_of(key));
    sl_instance_free(instance);
    sl_flow_free(one->definition);
    free(one);
}

void sl_services_let_go(sl_running_flow *flow)
{
    for (size_t i = 0; flow->services && flow->services[i]; i++) let_go(flow->engine, flow->services[i]);
    free(flow->services);
    flow->services = NULL;
}
