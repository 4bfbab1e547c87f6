/* `connections:` and the queues' defaults: limits and expiry. */
#include "flow/private.h"

enum { DEFAULT_OBJECTS = 10000, MOST_OBJECTS = 100000000 };
static const uint64_t default_bytes = 1000000000;

/* ---- settings ---------------------------------------------------------------------------------------------- */

static void read_expire(sl_loader *loader, const sl_node *node, sl_connection_settings *ret)
{
    static const char *const keys[] = {"after", "since", "to", NULL};
    static const char *const sinces[] = {"entry", "queued", NULL}, *const targets[] = {"end", "hold", NULL};
    const sluice_property after = {.name = "after", .type = SLUICE_DURATION, .least = SL_MILLISECOND, .most = 3660LL * 86400 * SL_SECOND};
    const sluice_property since = {.name = "since", .type = SLUICE_ENUM, .allowed = sinces};
    const sluice_property to = {.name = "to", .type = SLUICE_ENUM, .allowed = targets};
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", node->mark);
    if (!sl_expect_kind(&decoder, node, SL_MAPPING, "expire", "{after: 7d, since: queued, to: hold}")) return;
    sl_check_keys(loader, node, "`expire`", keys, NULL);
    if (!sl_node_get(node, "after")) sl_problem_error(loader->problems, node->mark, "`expire` needs `after`; write {after: 7d}");
    ret->has_expire = true;
    ret->expire_after_us = sl_number_of(loader, sl_node_get(node, "after"), &after, 0);
    ret->expire_since_queued = sl_number_of(loader, sl_node_get(node, "since"), &since, 0) == 1;
    ret->expire_to = sl_number_of(loader, sl_node_get(node, "to"), &to, 0) == 1 ? SL_TO_HOLD : SL_TO_END;
}

/* `priority`, as in NiFi, is the attribute of that name; another is {attribute: NAME}. */
static void read_priority(sl_loader *loader, const sl_node *node, sl_priority *ret)
{
    static const char *const kinds[] = {"first-in", "newest", "oldest", "smallest", "priority"}, *const keys[] = {"attribute", NULL};
    const sl_node *attribute = node->kind == SL_MAPPING ? sl_node_get(node, "attribute") : NULL;
    *ret = (sl_priority){.kind = SL_BY_ATTRIBUTE, .attribute = "priority"};
    if (node->kind == SL_MAPPING) sl_check_keys(loader, node, "a priority", keys, NULL);
    if (attribute && attribute->kind == SL_SCALAR && attribute->text.size) {
        ret->attribute = attribute->text.data;
        return;
    }
    for (size_t i = 0; node->kind == SL_SCALAR && i < SL_COUNT(kinds); i++)
        if (sl_str_is(node->text, kinds[i])) {
            ret->kind = (sl_priority_kind)i;
            return;
        }
    ret->kind = SL_FIRST_IN;
    sl_problem_error(loader->problems, node->mark,
                     "`prioritize`: expected first-in, newest, oldest, smallest, priority or {attribute: NAME}");
}

static void read_priorities(sl_loader *loader, const sl_node *node, sl_connection_settings *ret)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", node->mark);
    size_t by_attribute = 0;
    if (!sl_expect_kind(&decoder, node, SL_LIST, "prioritize", "[priority, oldest]")) return;
    sl_priority *priorities = sl_arena_alloc(&loader->flow->arena, (node->count + 1) * sizeof *priorities);
    for (size_t i = 0; i < node->count; i++) {
        read_priority(loader, node->items[i], &priorities[i]);
        if (priorities[i].kind == SL_BY_ATTRIBUTE && by_attribute++ == 1)
            sl_problem_error(
                loader->problems, node->items[i]->mark,
                "`prioritize`: more than one attribute for a queue: not in this version; let update-attribute make one of them");
    }
    ret->has_order = true;
    ret->priorities = priorities;
    ret->priority_count = node->count;
}

void sl_connection_settings_read(sl_loader *loader, const sl_node *mapping, const char *what, sl_connection_settings *ret)
{
    static const char *const keys[] = {"max_objects", "max_bytes", "expire", "prioritize", NULL}, *const later[] = {"shared", NULL};
    static const sluice_property objects = {.name = "max_objects", .type = SLUICE_INT, .least = 1, .most = MOST_OBJECTS};
    static const sluice_property bytes = {.name = "max_bytes", .type = SLUICE_SIZE, .least = 1, .most = INT64_MAX};
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", mapping->mark);
    if (!sl_expect_kind(&decoder, mapping, SL_MAPPING, what, "{max_objects: 10000, max_bytes: 1GB}")) return;
    sl_check_keys(loader, mapping, "a connection", keys, later);
    ret->has_objects = sl_node_get(mapping, "max_objects");
    ret->max_objects = (uint64_t)sl_number_of(loader, sl_node_get(mapping, "max_objects"), &objects, 0);
    ret->has_bytes = sl_node_get(mapping, "max_bytes");
    ret->max_bytes = (uint64_t)sl_number_of(loader, sl_node_get(mapping, "max_bytes"), &bytes, 0);
    if (sl_node_get(mapping, "prioritize")) read_priorities(loader, sl_node_get(mapping, "prioritize"), ret);
    if (sl_node_get(mapping, "expire")) read_expire(loader, sl_node_get(mapping, "expire"), ret);
}

static void apply(const sl_connection_settings *settings, sl_flow_connection *connection)
{
    if (connection->kind == SL_TO_HOLD) return;
    if (settings->has_objects) connection->max_objects = settings->max_objects;
    if (settings->has_bytes) connection->max_bytes = settings->max_bytes;
    if (settings->has_order) {
        connection->priorities = settings->priorities;
        connection->priority_count = settings->priority_count;
    }
    if (!settings->has_expire) return;
    connection->expire_after_us = settings->expire_after_us;
    connection->expire_since_queued = settings->expire_since_queued;
    connection->expire_to = settings->expire_to;
}

/* ---- which queues a key means ------------------------------------------------------------------------------ */

typedef struct key_parts {
    sl_str processor, relationship, target; /* target.data NULL: all queues of the relationship */
} key_parts;

static sl_str until_dot(sl_str *rest)
{
    const char *dot = rest->size ? memchr(rest->data, '.', rest->size) : NULL;
    sl_str part = {rest->data, dot ? (size_t)(dot - rest->data) : rest->size};
    *rest = dot ? (sl_str){dot + 1, rest->size - part.size - 1} : (sl_str){0};
    return part;
}

static bool split(sl_str key, key_parts *ret)
{
    ret->processor = until_dot(&key);
    ret->relationship = until_dot(&key);
    ret->target = until_dot(&key);
    return ret->relationship.data && !key.data;
}

/* NULL: told. */
static const sl_flow_relationship *find(sl_loader *loader, const sl_node *key, const key_parts *parts)
{
    const sl_flow_processor *processor = sl_flow_find(loader->flow, parts->processor);
    if (!processor) {
        sl_problem_error(
            loader->problems, key->mark, "`connections`: no processor " SL_QUOTED "%s", SL_QUOTE_ARGS(parts->processor),
            sl_suggest(loader->problems, &loader->flow->arena, parts->processor, loader->processor_names, loader->flow->processor_count));
        return NULL;
    }
    const sl_flow_relationship *relationship = sl_relationship_find(processor, parts->relationship);
    if (!relationship && processor->descriptor)
        sl_problem_error(loader->problems, key->mark, "`connections`: `%s` has no relationship " SL_QUOTED "%s", processor->name,
                         SL_QUOTE_ARGS(parts->relationship), sl_relationship_suggest(loader, processor, parts->relationship));
    return relationship;
}

static void wrong_target(sl_loader *loader, const sl_node *key, const sl_flow_relationship *relationship, sl_str target)
{
    sl_arena *arena = &loader->flow->arena;
    const char **names = sl_arena_alloc(arena, (relationship->connection_count + 1) * sizeof *names);
    for (size_t i = 0; i < relationship->connection_count; i++) names[i] = loader->flow->connections[relationship->connections[i]].name;
    if (sl_str_is(target, "hold") || sl_str_is(target, "end"))
        sl_problem_error(loader->problems, key->mark, "`connections`: `%.*s` has no limits and no expiry; remove the key",
                         SL_STR_ARGS(target));
    else
        sl_problem_error(loader->problems, key->mark, "`connections`: no queue " SL_QUOTED "; there are %s", SL_QUOTE_ARGS(key->text),
                         sl_join_names(loader->problems, arena, names, relationship->connection_count));
}

static void apply_key(sl_loader *loader, const sl_node *key, const key_parts *parts, const sl_connection_settings *settings)
{
    const sl_flow_relationship *relationship = find(loader, key, parts);
    size_t applied = 0;
    if (!relationship) return;
    for (size_t i = 0; i < relationship->connection_count; i++) {
        sl_flow_connection *connection = &loader->flow->connections[relationship->connections[i]];
        if (connection->kind == SL_TO_HOLD) continue;
        if (parts->target.data && !sl_str_is(parts->target, loader->flow->processors[connection->to].name)) continue;
        apply(settings, connection);
        applied++;
    }
    if (applied) return;
    if (parts->target.data && relationship->connection_count) wrong_target(loader, key, relationship, parts->target);
    else if (relationship->ends || relationship->connection_count)
        sl_problem_error(loader->problems, key->mark,
                         "`connections`: `%.*s` leads to end or hold only, which have no limits and no expiry; remove the key",
                         SL_STR_ARGS(key->text));
}

/* ---- all --------------------------------------------------------------------------------------------------- */

static void set_defaults(sl_loader *loader)
{
    for (size_t i = 0; i < loader->flow->connection_count; i++) {
        sl_flow_connection *connection = &loader->flow->connections[i];
        if (connection->kind == SL_TO_HOLD) continue;
        connection->max_objects = DEFAULT_OBJECTS;
        connection->max_bytes = default_bytes;
        connection->expire_to = SL_TO_END;
        apply(&loader->default_connection, connection);
    }
}

static void read_keys(sl_loader *loader, const sl_node *mapping, bool full)
{
    for (size_t i = 0; i < mapping->count; i++) {
        const sl_node *key = mapping->keys[i];
        key_parts parts;
        bool readable = split(key->text, &parts);
        if (readable && full != (parts.target.data != NULL)) continue;
        if (!readable) {
            sl_problem_error(loader->problems, key->mark,
                             "`connections`: expected PROCESSOR.RELATIONSHIP or PROCESSOR.RELATIONSHIP.TARGET, found " SL_QUOTED,
                             SL_QUOTE_ARGS(key->text));
            continue;
        }
        sl_connection_settings settings = {0};
        sl_connection_settings_read(loader, mapping->items[i], key->text.data, &settings);
        apply_key(loader, key, &parts, &settings);
    }
}

void sl_connections_read(sl_loader *loader, const sl_node *mapping)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", loader->root->mark);
    set_defaults(loader);
    if (mapping && sl_expect_kind(&decoder, mapping, SL_MAPPING, "connections", "{by-kind.image: {max_objects: 50000}}")) {
        read_keys(loader, mapping, false); /* the full name has the last word */
        read_keys(loader, mapping, true);
    }
}
