/* A module's property table against what a flow has written. */
#include "flow/properties.h"

#include "flow/private.h"

bool sl_property_reserved(const char *name)
{
    static const char *const reserved[] = {"type",  "description", "to",      "schedule",     "concurrency", "retry", "penalty",
                                           "yield", "enabled",     "timeout", "run_duration", "labels",      "log",   "was"};
    for (size_t i = 0; i < SL_COUNT(reserved); i++)
        if (strcmp(name, reserved[i]) == 0) return true;
    return false;
}

const char *sl_property_type_name(sluice_property_type type)
{
    static const char *const names[] = {"string", "bool", "int", "number", "duration", "size",
                                        "enum",   "list", "map", "table",  "service",  "secret"};
    return (size_t)type < SL_COUNT(names) ? names[type] : "unknown";
}

static size_t table_size(const sluice_property *table)
{
    size_t count = 0;
    while (table && table[count].name) count++;
    return count;
}

static const sluice_property *find_property(const sluice_property *table, sl_str name)
{
    for (; table && table->name; table++)
        if (sl_str_is(name, table->name)) return table;
    return NULL;
}

/* ---- names that are in no table ------------------------------------------------------------------------ */

static void unknown(sl_decoder *decoder, const sl_node *key, const sluice_property *table)
{
    if (decoder->problems->omitted) {
        sl_problem_error(decoder->problems, key->mark, "unknown property");
        return;
    }
    size_t own = table_size(table), count = 0, all = own;
    while (decoder->skipped && decoder->skipped[all - own]) all++;
    const char **names = sl_arena_alloc(decoder->arena, (all + 1) * sizeof *names);
    for (; count < own; count++) names[count] = table[count].name;
    for (; count < all; count++) names[count] = decoder->skipped[count - own];
    const char *near = sl_suggest(decoder->problems, decoder->arena, key->text, names, count);
    const char *has = own ? sl_join_names(decoder->problems, decoder->arena, names, own) : "no properties";
    if (*near)
        sl_problem_error(decoder->problems, key->mark, "unknown property " SL_QUOTED " of %s%s", SL_QUOTE_ARGS(key->text), decoder->owner,
                         near);
    else
        sl_problem_error(decoder->problems, key->mark, "unknown property " SL_QUOTED " of %s; it has %s", SL_QUOTE_ARGS(key->text),
                         decoder->owner, has);
}

/* ---- one property -------------------------------------------------------------------------------------- */

static const char *example(const sluice_property *property)
{
    switch (property->type) {
    case SLUICE_LIST: return "[a, b]";
    case SLUICE_MAP: return "{name: text}";
    case SLUICE_TABLE: return "{key: value}";
    case SLUICE_SECRET: return "{secret: NAME}";
    case SLUICE_SERVICE: return "the name of a service";
    case SLUICE_BOOL: return "true or false";
    case SLUICE_INT: return "a whole number, as 10";
    case SLUICE_NUMBER: return "a number, as 0.5";
    case SLUICE_DURATION: return "a duration, as 10s";
    case SLUICE_SIZE: return "a size, as 16KiB";
    default: return "one text";
    }
}

static void decode_table(sl_decoder *decoder, const sl_node *key, const sl_node *node, const sluice_property *property, sl_value *ret)
{
    sl_decoder inner = *decoder;
    inner.skip = NULL;
    inner.skipped = NULL;
    if (key) inner.mark = key->mark;
    inner.owner = sl_arena_printf(decoder->arena, "`%s`", property->name);
    ret->table = sl_arena_alloc(decoder->arena, sizeof *ret->table);
    if (node && !sl_expect_kind(decoder, node, SL_MAPPING, property->name, example(property))) node = NULL;
    /* Absent: only what its own defaults give. What it requires is required where it is written. */
    sl_problems own = {0};
    if (!node) inner.problems = &own;
    sl_decode_table(&inner, node, property->table, ret->table);
    sl_problems_done(&own);
}

static bool secret_in_plain(sl_decoder *decoder, const sl_node *node, const sluice_property *property)
{
    if (node->kind != SL_MAPPING || node->count != 1 || !sl_node_get(node, "secret")) return false;
    if (property->type == SLUICE_MAP || property->type == SLUICE_TABLE) return false;
    sl_problem_error(decoder->problems, node->mark,
                     "`%s` of %s is no secret: what it holds can be printed; {secret: NAME} is for properties of type secret",
                     property->name, decoder->owner);
    return true;
}

static void decode_value(sl_decoder *decoder, const sl_node *key, const sl_node *node, const sluice_property *property, sl_value *ret)
{
    const char *what = property->name;
    ret->given = true;
    ret->mark = node->mark;
    if (property->type == SLUICE_SECRET) sl_decode_secret(decoder, node, what, ret);
    else if (secret_in_plain(decoder, node, property)) return;
    else if (property->type == SLUICE_TABLE) decode_table(decoder, key, node, property, ret);
    else if (property->type == SLUICE_LIST) sl_decode_list(decoder, node, property, what, ret);
    else if (property->type == SLUICE_MAP) sl_decode_map(decoder, node, property, what, ret);
    else if (sl_expect_kind(decoder, node, SL_SCALAR, what, example(property))) sl_decode_scalar(decoder, node, property, what, ret);
}

static sl_str no_parameter(void *context, sl_str name)
{
    (void)context, (void)name;
    return (sl_str){0};
}

/* A default is written as in a flow, but knows no parameters. */
static void decode_fallback(sl_decoder *decoder, const sluice_property *property, sl_value *ret)
{
    static const sl_parameter_scope none = {.parameter = no_parameter};
    sl_decoder plain = *decoder;
    plain.parameters = NULL;
    plain.scope = &none;
    sl_node text = {.kind = SL_SCALAR, .mark = decoder->mark, .text = sl_str_of(property->fallback)}, *node = &text;
    if (property->type == SLUICE_LIST || property->type == SLUICE_MAP) {
        sl_problems own = {0};
        node = sl_tree_parse(text.text, decoder->arena, &own);
        sl_problems_done(&own);
    }
    if (node) decode_value(&plain, NULL, node, property, ret);
    else
        sl_problem_error(decoder->problems, decoder->mark, "the module's default of `%s` of %s cannot be read: %s", property->name,
                         decoder->owner, property->fallback);
    ret->given = true;
    ret->mark = decoder->mark;
}

/* A name that was misspelt was told with this one as what was meant. */
static bool misspelt(sl_decoder *decoder, const sl_node *mapping, const sluice_property *table, const char *name)
{
    size_t count = table_size(table);
    const char **names = sl_arena_alloc(decoder->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) names[i] = table[i].name;
    for (size_t i = 0; mapping && i < mapping->count && i < 100; i++) {
        sl_str key = mapping->keys[i]->text;
        if (find_property(table, key) || (decoder->skip && decoder->skip(key))) continue;
        if (sl_nearest(key, names, count) == name) return true;
    }
    return false;
}

static void missing(sl_decoder *decoder, const sluice_property *property)
{
    const char *values = "";
    size_t count = 0;
    while (property->type == SLUICE_ENUM && property->allowed && property->allowed[count]) count++;
    if (count)
        values = sl_arena_printf(decoder->arena, "; one of %s", sl_join_names(decoder->problems, decoder->arena, property->allowed, count));
    sl_problem_error(decoder->problems, decoder->mark, "%s needs `%s` (%s%s): %s", decoder->owner, property->name,
                     sl_property_type_name(property->type), values, property->help ? property->help : "no help");
}

static void decode_property(sl_decoder *decoder, const sl_node *mapping, const sluice_property *table, size_t at, sl_value *ret)
{
    const sluice_property *property = &table[at];
    const sl_node *node = sl_node_get(mapping, property->name);
    ret->property = property;
    if (node) {
        ret->written = true;
        decode_value(decoder, sl_node_key(mapping, property->name), node, property, ret);
    } else if (property->flags & SLUICE_REQUIRED) {
        if (!misspelt(decoder, mapping, table, property->name)) missing(decoder, property);
    } else if (property->fallback) decode_fallback(decoder, property, ret);
    else if (property->type == SLUICE_TABLE) decode_table(decoder, NULL, NULL, property, ret);
}

void sl_decode_table(sl_decoder *decoder, const sl_node *mapping, const sluice_property *table, sl_properties *ret)
{
    ret->count = table_size(table);
    ret->values = sl_arena_alloc(decoder->arena, (ret->count + 1) * sizeof *ret->values);
    for (size_t i = 0; mapping && i < mapping->count; i++) {
        sl_str key = mapping->keys[i]->text;
        if (!find_property(table, key) && !(decoder->skip && decoder->skip(key))) unknown(decoder, mapping->keys[i], table);
    }
    for (size_t i = 0; i < ret->count; i++) decode_property(decoder, mapping, table, i, &ret->values[i]);
}

void sl_properties_decode(const sl_node *mapping, const sluice_property *table, bool (*skip)(sl_str key),
                          const sl_parameter_scope *parameters, sl_arena *arena, sl_properties *ret, sl_problems *problems)
{
    static const sl_parameter_scope none = {.parameter = no_parameter};
    sl_decoder decoder = {
        .owner = "this part", .skip = skip, .scope = parameters ? parameters : &none, .arena = arena, .problems = problems};
    *ret = (sl_properties){0};
    if (mapping) decoder.mark = mapping->mark;
    if (mapping && !sl_expect_kind(&decoder, mapping, SL_MAPPING, "properties", "{name: value}")) return;
    sl_decode_table(&decoder, mapping, table, ret);
}

/* ---- use ------------------------------------------------------------------------------------------------ */

sl_value *sl_properties_find(const sl_properties *properties, const char *name)
{
    const char *dot = strchr(name, '.');
    sl_str first = dot ? (sl_str){name, (size_t)(dot - name)} : sl_str_of(name);
    for (size_t i = 0; properties && i < properties->count; i++) {
        sl_value *value = &properties->values[i];
        if (!value->property || !sl_str_is(first, value->property->name)) continue;
        if (!dot) return value;
        return value->table ? sl_properties_find(value->table, dot + 1) : NULL;
    }
    return NULL;
}

void sl_properties_done(sl_properties *properties)
{
    for (size_t i = 0; properties && i < properties->count; i++) {
        sl_value *value = &properties->values[i];
        sl_expression_free(value->expression);
        value->expression = NULL;
        for (size_t k = 0; k < value->item_count; k++) {
            sl_expression_free(value->items[k].expression);
            value->items[k].expression = NULL;
        }
        sl_properties_done(value->table);
    }
}
