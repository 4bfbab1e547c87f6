/* Property values and expressions, as the flow's own decoder made them. */
#include "private.h"

#include <stdio.h>

#include "engine/secrets.h"

static const sl_value *find(sluice_instance *instance, const char *name)
{
    box *box = (struct box *)instance;
    const sl_value *value = sl_properties_find(&box->properties, name);
    if (!value) host_fault_found(box->host, "%s: the property \"%s\" is asked for, but not in the table", box->name, name);
    return value;
}

static sluice_text view(sl_str text) { return (sluice_text){text.data, text.size}; }

bool call_has(sluice_instance *instance, const char *name)
{
    const sl_value *value = find(instance, name);
    return value && value->given;
}

int64_t call_number(sluice_instance *instance, const char *name)
{
    const sl_value *value = find(instance, name);
    return value ? value->number : 0;
}

double call_real(sluice_instance *instance, const char *name)
{
    const sl_value *value = find(instance, name);
    return value ? value->real : 0;
}

static sluice_text secret(box *box, sl_str name)
{
    const char *known = sl_map_get(&box->host->secrets, name);
    if (known) return (sluice_text){known, strlen(known)};
    host_fault_found(box->host, "%s: the secret \"%.*s\" is not there; say it with host_secret", box->name, SL_STR_ARGS(name));
    return (sluice_text){0};
}

sluice_text call_text(sluice_instance *instance, const char *name)
{
    const sl_value *value = find(instance, name);
    if (!value || !value->given) return (sluice_text){0};
    if (value->secret) return secret((box *)instance, value->text);
    return view(value->text);
}

size_t call_count(sluice_instance *instance, const char *name)
{
    const sl_value *value = find(instance, name);
    return value ? value->item_count : 0;
}

static const sl_item *find_item(sluice_instance *instance, const char *name, size_t i)
{
    const sl_value *value = find(instance, name);
    if (value && i < value->item_count) return &value->items[i];
    if (value)
        host_fault_found(((box *)instance)->host, "the property \"%s\" has %zu items, number %zu is asked for", name, value->item_count, i);
    return NULL;
}

sluice_text call_item(sluice_instance *instance, const char *name, size_t i)
{
    const sl_item *item = find_item(instance, name, i);
    return item ? view(item->text) : (sluice_text){0};
}

sluice_text call_item_name(sluice_instance *instance, const char *name, size_t i)
{
    const sl_item *item = find_item(instance, name, i);
    return item ? view(item->name) : (sluice_text){0};
}

void *call_service(sluice_instance *instance, const char *name)
{
    const sl_value *value = find(instance, name);
    box *service = value ? sl_map_get(&((box *)instance)->host->services, value->text) : NULL;
    return service ? service->abi.data : NULL;
}

const char *call_name(sluice_instance *instance) { return ((box *)instance)->name; }

/* ---- expressions ------------------------------------------------------------------------------------- */

typedef struct sight { /* what an evaluation sees */
    sluice_session *session;
    sluice_flowfile *flowfile;
} sight;

static sl_str see_attribute(void *context, sl_str name)
{
    const sight *sight = context;
    char *terminated = sl_strndup(name.data, name.size);
    sluice_text text = sight->flowfile ? call_attribute(sight->flowfile, terminated) : (sluice_text){0};
    free(terminated);
    return (sl_str){text.data, text.size};
}

static sl_str see_attribute_at(void *context, size_t i)
{
    const sight *sight = context;
    sluice_text name = {0}, value;
    if (sight->flowfile && i < call_attribute_count(sight->flowfile)) call_attribute_at(sight->flowfile, i, &name, &value);
    return (sl_str){name.data, name.size};
}

static sl_str see_state(void *context, sl_str key)
{
    const sight *sight = context;
    char *terminated = sl_strndup(key.data, key.size);
    sluice_text text = call_state(sight->session, terminated);
    free(terminated);
    return (sl_str){text.data, text.size};
}

static bool evaluate(session *session, sluice_flowfile *flowfile, const char *name, const sl_expression *expression, sl_str literal,
                     sluice_text *ret, sluice_failure *failure)
{
    sight sight = {&session->abi, flowfile};
    sl_expression_scope scope = {see_attribute, see_attribute_at, see_state, &sight, session->box->name};
    sl_buf value = SL_BUF(1 << 20);
    sl_error error = {0};
    int failed = 0;
    if (expression) failed = sl_expression_evaluate(expression, &scope, &value, &error);
    else sl_buf_str(&value, literal);
    if (failed) {
        *failure = (sluice_failure){.class_ = SLUICE_PERMANENT, .code = "Expression"};
        snprintf(failure->message, sizeof failure->message, "%s: %s", name, error.text);
    } else {
        *ret = view(sl_arena_str(&session->arena, sl_buf_view(&value)));
    }
    sl_buf_done(&value);
    return !failed;
}

bool call_evaluate(sluice_session *abi, sluice_flowfile *flowfile, const char *name, sluice_text *ret, sluice_failure *failure)
{
    session *session = (struct session *)abi;
    host_check_session(session, "evaluate");
    const sl_value *value = find(&session->box->abi, name);
    *ret = (sluice_text){"", 0};
    if (!value || !value->given) return true;
    return evaluate(session, flowfile, name, value->expression, value->text, ret, failure);
}

bool call_evaluate_item(sluice_session *abi, sluice_flowfile *flowfile, const char *name, size_t i, sluice_text *ret,
                        sluice_failure *failure)
{
    session *session = (struct session *)abi;
    host_check_session(session, "evaluate_item");
    const sl_item *item = find_item(&session->box->abi, name, i);
    *ret = (sluice_text){"", 0};
    return item ? evaluate(session, flowfile, name, item->expression, item->text, ret, failure) : true;
}
