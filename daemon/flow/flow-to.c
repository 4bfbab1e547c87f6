/* Where FlowFiles go: a processor's relationships, and what its `to:` says of each. */
#include <stdio.h>

#include "flow/private.h"

enum { MOST_RELATIONSHIPS = 1000 };

sl_flow_relationship *sl_relationship_find(const sl_flow_processor *processor, sl_str name)
{
    for (size_t i = 0; i < processor->relationship_count; i++)
        if (sl_str_is(name, processor->relationships[i].name)) return &processor->relationships[i];
    return NULL;
}

const char *sl_relationship_suggest(sl_loader *loader, const sl_flow_processor *processor, sl_str word)
{
    sl_arena *arena = &loader->flow->arena;
    size_t count = processor->relationship_count;
    const char **names = sl_arena_alloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) names[i] = processor->relationships[i].name;
    const char *near = sl_suggest(loader->problems, arena, word, names, count);
    if (*near) return near;
    return count ? sl_arena_printf(arena, "; it has %s", sl_join_names(loader->problems, arena, names, count)) : "; it has none";
}

/* ---- the relationships ------------------------------------------------------------------------------------- */

/* Whether an instance has what a row's `when` ("strategy=all|any") is about. UNKNOWN: the property's own value is wrong
 * or a parameter without value; nothing is asked of such a relationship then. */
typedef enum presence { ABSENT, PRESENT, UNKNOWN } presence;

static bool is_allowed(const sl_value *value)
{
    const char *const *allowed = value->property->allowed;
    for (; allowed && *allowed; allowed++)
        if (sl_str_is(value->text, *allowed)) return true;
    return false;
}

static presence presence_of(const sl_flow_processor *processor, const char *when)
{
    const char *equals = when ? strchr(when, '=') : NULL;
    if (!equals) return PRESENT;
    sl_str property = {when, (size_t)(equals - when)}, values = sl_str_of(equals + 1);
    for (size_t i = 0; i < processor->properties.count; i++) {
        const sl_value *value = &processor->properties.values[i];
        if (!sl_str_is(property, value->property->name)) continue;
        if (value->given && !is_allowed(value)) return UNKNOWN;
        while (values.data) {
            const char *bar = values.size ? memchr(values.data, '|', values.size) : NULL;
            sl_str one = {values.data, bar ? (size_t)(bar - values.data) : values.size};
            if (value->given && sl_str_equal(one, value->text)) return PRESENT;
            values = bar ? (sl_str){bar + 1, values.size - one.size - 1} : (sl_str){0};
        }
        return ABSENT;
    }
    return ABSENT;
}

static const sluice_named *fixed_of(const sluice_processor *descriptor, sl_str name)
{
    for (const sluice_named *row = descriptor->relationships; row && row->name; row++)
        if (sl_str_is(name, row->name)) return row;
    return NULL;
}

static bool names_relationships(const sl_value *value) { return value->property->flags & SLUICE_NAMES_RELATIONSHIPS; }

static size_t most_relationships(const sl_flow_processor *processor)
{
    size_t count = 0;
    for (const sluice_named *row = processor->descriptor->relationships; row && row->name; row++) count++;
    for (size_t i = 0; i < processor->properties.count; i++)
        if (names_relationships(&processor->properties.values[i])) count += processor->properties.values[i].item_count;
    return count;
}

static void add(sl_flow_processor *processor, bool *open, const char *name, bool fixed, presence presence)
{
    if (presence == ABSENT) return;
    open[processor->relationship_count] = presence == UNKNOWN;
    processor->relationships[processor->relationship_count++] = (sl_flow_relationship){.name = name, .fixed = fixed};
}

static void add_dynamic(sl_loader *loader, sl_flow_processor *processor, const sl_node *body, const sl_value *value, bool *open)
{
    const sl_node *mapping = sl_node_get(body, value->property->name);
    presence presence = presence_of(processor, value->property->when);
    for (size_t i = 0; i < value->item_count; i++) {
        sl_str name = value->items[i].name;
        const sl_node *key = mapping ? sl_node_key(mapping, name.data) : NULL;
        if (sl_str_is(name, "crashed") || sl_str_is(name, "expired"))
            sl_problem_error(loader->problems, key ? key->mark : value->mark,
                             "`%s`: `%s` is the name of a hold that every processor has; choose another name", value->property->name,
                             name.data);
        /* Whether or not the instance has it: the value that decides may change, the names stay. */
        if (fixed_of(processor->descriptor, name) || sl_relationship_find(processor, name))
            sl_problem_error(loader->problems, key ? key->mark : value->mark,
                             "`%s`: %s has a relationship `%s` of its own; choose another name", value->property->name,
                             processor->descriptor->type, name.data);
        else add(processor, open, name.data, false, presence);
    }
}

/* Returns an array beside the relationships: which of them need not be connected. */
static bool *collect(sl_loader *loader, sl_flow_processor *processor, const sl_node *body)
{
    size_t most = most_relationships(processor);
    bool *open = sl_arena_alloc(&loader->flow->arena, (most + 1) * sizeof *open);
    if (most > MOST_RELATIONSHIPS) {
        sl_problem_error(loader->problems, processor->mark, "more than %d relationships of one processor; use several", MOST_RELATIONSHIPS);
        return open;
    }
    processor->relationships = sl_arena_alloc(&loader->flow->arena, (most + 1) * sizeof *processor->relationships);
    for (const sluice_named *row = processor->descriptor->relationships; row && row->name; row++)
        add(processor, open, row->name, true, presence_of(processor, row->when));
    for (size_t i = 0; i < processor->properties.count; i++)
        if (names_relationships(&processor->properties.values[i]))
            add_dynamic(loader, processor, body, &processor->properties.values[i], open);
    return open;
}

/* ---- queues ------------------------------------------------------------------------------------------------ */

static size_t add_connection(sl_loader *loader, const sl_flow_connection *connection)
{
    sl_flow *flow = loader->flow;
    const sl_flow_processor *from = &flow->processors[connection->from];
    const char *target = connection->kind == SL_TO_HOLD ? "hold" : flow->processors[connection->to].name;
    flow->connections = sl_grow(flow->connections, flow->connection_count, &loader->connection_capacity, sizeof *flow->connections);
    flow->connections[flow->connection_count] = *connection;
    flow->connections[flow->connection_count].name =
        sl_arena_printf(&flow->arena, "%s.%s.%s", from->name, from->relationships[connection->relationship].name, target);
    return flow->connection_count++;
}

typedef struct route { /* one relationship's `to` being read */
    sl_loader *loader;
    size_t from, relationship;
    sl_flow_relationship *to;
} route;

static const char *name_of(const route *r) { return r->loader->flow->processors[r->from].name; }

static bool repeated(const route *r, sl_target_kind kind, size_t to)
{
    if (kind == SL_TO_END) return r->to->ends;
    for (size_t i = 0; i < r->to->connection_count; i++) {
        const sl_flow_connection *other = &r->loader->flow->connections[r->to->connections[i]];
        if (other->kind == kind && (kind == SL_TO_HOLD || other->to == to)) return true;
    }
    return false;
}

static bool parse_target(const route *r, const sl_node *node, sl_target_kind *ret_kind, size_t *ret_to)
{
    sl_loader *loader = r->loader;
    const sl_flow_processor *found = sl_flow_find(loader->flow, node->text);
    *ret_kind = sl_str_is(node->text, "end") ? SL_TO_END : sl_str_is(node->text, "hold") ? SL_TO_HOLD : SL_TO_PROCESSOR;
    if (*ret_kind != SL_TO_PROCESSOR) return true;
    if (found) {
        *ret_to = (size_t)(found - loader->flow->processors);
        if (!found->descriptor || !(found->descriptor->flags & SLUICE_SOURCE)) return true;
        sl_problem_error(loader->problems, node->mark, "`%s` is a source (%s): it takes no FlowFiles; name another processor, end or hold",
                         found->name, found->descriptor->type);
    } else if (memchr(node->text.data, '.', node->text.size))
        sl_problem_error(loader->problems, node->mark, "`to`: GROUP.INPUT: groups are not in this version; name a processor, end or hold");
    else
        sl_problem_error(
            loader->problems, node->mark, "`to`: no processor " SL_QUOTED "%s; name a processor, end or hold", SL_QUOTE_ARGS(node->text),
            sl_suggest(loader->problems, &loader->flow->arena, node->text, loader->processor_names, loader->processor_name_count));
    return false;
}

static void read_target(route *r, const sl_node *node)
{
    sl_loader *loader = r->loader;
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", node->mark);
    sl_target_kind kind;
    size_t to = 0;
    if (!sl_expect_kind(&decoder, node, SL_SCALAR, "to", "a processor, end, hold, or a list of them")) return;
    if (!parse_target(r, node, &kind, &to)) return;
    if (repeated(r, kind, to)) {
        sl_problem_error(loader->problems, node->mark, "`to`: `%.*s` is there twice; remove one", SL_STR_ARGS(node->text));
        return;
    }
    if (kind == SL_TO_END) {
        r->to->ends = true;
        if (strcmp(r->to->name, "failure") == 0)
            sl_problem_warning(loader->problems, node->mark,
                               "`failure` of `%s` goes to `end`: what fails is dropped; write hold to keep it", name_of(r));
        return;
    }
    sl_flow_connection connection = {.from = r->from, .relationship = r->relationship, .kind = kind, .to = to};
    r->to->connections[r->to->connection_count++] = add_connection(loader, &connection);
}

static void read_targets(route *r, const sl_node *node)
{
    bool list = node->kind == SL_LIST;
    r->to->connections = sl_arena_alloc(&r->loader->flow->arena, ((list ? node->count : 1) + 1) * sizeof *r->to->connections);
    if (list && !node->count)
        sl_problem_error(r->loader->problems, node->mark, "`to`: expected a processor, end or hold for `%s`, found an empty list",
                         r->to->name);
    for (size_t i = 0; list && i < node->count; i++) read_target(r, node->items[i]);
    if (!list) read_target(r, node);
}

static const char *help_of(const sl_flow_processor *processor, const char *relationship)
{
    const sluice_named *fixed = fixed_of(processor->descriptor, sl_str_of(relationship));
    if (!fixed) return "a route of this processor";
    return fixed->help ? fixed->help : "no help";
}

static void left_out(const route *r, sl_mark mark)
{
    const sl_flow_processor *processor = &r->loader->flow->processors[r->from];
    sl_problem_error(r->loader->problems, mark,
                     "the relationship `%s` of `%s` leads nowhere (%s); write `to: {%s: TARGET}`: a processor, end or hold", r->to->name,
                     processor->name, help_of(processor, r->to->name), r->to->name);
}

void sl_connect(sl_loader *loader, size_t at, const sl_node *key, const sl_node *body)
{
    sl_flow_processor *processor = &loader->flow->processors[at];
    const sl_node *to = sl_node_get(body, "to"), *to_key = sl_node_key(body, "to");
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", key->mark);
    if (!processor->descriptor) return; /* told; its relationships are unknown */
    const bool *open = collect(loader, processor, body);
    if (!processor->relationship_count && most_relationships(processor)) return; /* too many, told */
    if (to && !sl_expect_kind(&decoder, to, SL_MAPPING, "to", "{success: TARGET}")) return;
    for (size_t i = 0; i < processor->relationship_count; i++) {
        route r = {loader, at, i, &processor->relationships[i]};
        const sl_node *target = sl_node_get(to, r.to->name);
        if (target) read_targets(&r, target);
        else if (!open[i]) left_out(&r, to_key ? to_key->mark : key->mark);
    }
    for (size_t i = 0; to && i < to->count; i++)
        if (!sl_relationship_find(processor, to->keys[i]->text))
            sl_problem_error(loader->problems, to->keys[i]->mark, "`%s` has no relationship " SL_QUOTED "%s", processor->name,
                             SL_QUOTE_ARGS(to->keys[i]->text), sl_relationship_suggest(loader, processor, to->keys[i]->text));
}
