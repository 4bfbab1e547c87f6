/* Property values as modules read them, and expressions for a FlowFile. */
#include <stdio.h>

#include "engine/host.h"

static const sl_value *value_of(sluice_instance *abi, const char *name)
{
    const sl_instance *instance = sl_instance_of(abi);
    const sl_properties *properties = instance->definition ? &instance->definition->properties : &instance->service->properties;
    const sl_value *value = sl_properties_find(properties, name);
    if (!value) sl_panic(__FILE__, __LINE__, "%s asks for its property \"%s\", which its table does not declare", instance->name, name);
    return value;
}

bool sl_host_has(sluice_instance *instance, const char *name) { return value_of(instance, name)->given; }
int64_t sl_host_number(sluice_instance *instance, const char *name) { return value_of(instance, name)->number; }
double sl_host_real(sluice_instance *instance, const char *name) { return value_of(instance, name)->real; }
size_t sl_host_count(sluice_instance *instance, const char *name) { return value_of(instance, name)->item_count; }

/* Read anew at each call, since an operator may have mended it; a text handed out stays valid as long as the instance. */
static sluice_text secret(sl_instance *instance, const sl_value *value)
{
    sl_buf text = SL_BUF(64 << 10);
    sl_error error;
    char *name = sl_strndup(value->text.data, value->text.size);
    sluice_text ret = {0};
    if (sl_secret_read(instance->engine->secrets_folder, name, &text, &error) < 0)
        sl_bulletin(instance->engine->bulletins, SL_ERROR, instance->name, "%s: %s", value->property->name, error.text);
    else {
        uv_mutex_lock(&instance->lock);
        char *known = sl_map_get(&instance->secrets, sl_str_of(value->property->name));
        if (!known || !sl_str_is(sl_buf_view(&text), known)) {
            known = sl_arena_strndup(&instance->secret_texts, text.data, text.size);
            sl_map_put(&instance->secrets, sl_str_of(value->property->name), known);
        }
        uv_mutex_unlock(&instance->lock);
        ret = (sluice_text){known, strlen(known)};
    }
    if (text.data) explicit_bzero(text.data, text.capacity);
    sl_buf_done(&text);
    free(name);
    return ret;
}

sluice_text sl_host_text(sluice_instance *abi, const char *name)
{
    const sl_value *value = value_of(abi, name);
    if (!value->given) return (sluice_text){0};
    return value->secret ? secret(sl_instance_of(abi), value) : sl_text_of(value->text);
}

sluice_text sl_host_item(sluice_instance *instance, const char *name, size_t i)
{
    const sl_value *value = value_of(instance, name);
    return i < value->item_count ? sl_text_of(value->items[i].text) : (sluice_text){0};
}

sluice_text sl_host_item_name(sluice_instance *instance, const char *name, size_t i)
{
    const sl_value *value = value_of(instance, name);
    return i < value->item_count ? sl_text_of(value->items[i].name) : (sluice_text){0};
}

void *sl_host_service(sluice_instance *abi, const char *name)
{
    const sl_instance *instance = sl_instance_of(abi);
    const sl_value *value = value_of(abi, name);
    if (!value->given || !instance->flow) return NULL;
    for (size_t i = 0; i < instance->flow->definition->service_count; i++)
        if (sl_str_is(value->text, instance->flow->definition->services[i].name)) return instance->flow->services[i]->abi.data;
    return NULL;
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

typedef struct scope {
    sl_session *session;
    sluice_flowfile *flowfile;
} scope;

static sl_str scope_attribute(void *context, sl_str name)
{
    scope *s = context;
    return s->flowfile ? sl_view_attribute(s->flowfile, name) : (sl_str){0};
}

static sl_str scope_attribute_at(void *context, size_t i)
{
    scope *s = context;
    const sl_attributes *all = s->flowfile ? sl_view_merged(s->flowfile) : NULL;
    return all && i < all->count ? all->pairs[i].name : (sl_str){0};
}

static sl_str scope_state(void *context, sl_str key)
{
    scope *s = context;
    char *copy = sl_strndup(key.data, key.size);
    sluice_text text = sl_host_state(&s->session->abi, copy);
    free(copy);
    return (sl_str){text.data, text.size};
}

static bool evaluate(sl_session *session, sluice_flowfile *flowfile, const char *name, const sl_expression *expression, sl_str plain,
                     sluice_text *ret, sluice_failure *failure)
{
    sl_str literal = expression ? sl_expression_literal(expression) : plain;
    if (literal.data || !expression) {
        *ret = literal.data ? sl_text_of(literal) : (sluice_text){"", 0};
        return true;
    }
    scope s = {session, flowfile};
    sl_expression_scope callbacks = {scope_attribute, scope_attribute_at, scope_state, &s, session->instance->name};
    sl_error error;
    sl_buf_clear(&session->text);
    if (sl_expression_evaluate(expression, &callbacks, &session->text, &error) < 0) {
        *failure = (sluice_failure){.class_ = SLUICE_PERMANENT, .code = "Expression"};
        snprintf(failure->message, sizeof failure->message, "%s: %s", name, error.text);
        return false;
    }
    *ret = sl_text_of(sl_arena_str(&session->arena, sl_buf_view(&session->text)));
    return true;
}

bool sl_host_evaluate(sluice_session *abi, sluice_flowfile *flowfile, const char *name, sluice_text *ret, sluice_failure *failure)
{
    sl_session *session = sl_session_of(abi);
    const sl_value *value = value_of(&session->instance->abi, name);
    return evaluate(session, flowfile, name, value->expression, value->text, ret, failure);
}

bool sl_host_evaluate_item(sluice_session *abi, sluice_flowfile *flowfile, const char *name, size_t i, sluice_text *ret,
                           sluice_failure *failure)
{
    sl_session *session = sl_session_of(abi);
    const sl_value *value = value_of(&session->instance->abi, name);
    SL_ASSERT(i < value->item_count);
    return evaluate(session, flowfile, name, value->items[i].expression, value->items[i].text, ret, failure);
}
