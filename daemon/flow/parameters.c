/* A flow's parameters: declared with a type, set from outside, checked once; their values are data. */
#include "flow/private.h"

enum { MOST_PARAMETERS = 1000, MOST_EXPANDED = 16 << 20 };

static const char *const type_names[] = {"string", "int", "bool", "duration", "size", "list", "secret"};

sl_parameter *sl_parameters_find(const sl_parameters *parameters, sl_str name)
{
    for (size_t i = 0; parameters && i < parameters->count; i++)
        if (sl_str_is(name, parameters->items[i].name)) return &parameters->items[i];
    return NULL;
}

sl_parameter *sl_parameters_whole(const sl_parameters *parameters, sl_str text)
{
    if (!sl_str_starts(text, "#{") || !sl_str_ends(text, "}")) return NULL;
    return sl_parameters_find(parameters, (sl_str){text.data + 2, text.size - 3});
}

/* Few bytes can name a long text many times. */
bool sl_parameters_expand(sl_parameters *parameters, size_t size)
{
    parameters->expanded += size;
    if (parameters->expanded > MOST_EXPANDED) parameters->too_large = true;
    return !parameters->too_large;
}

static sl_str lookup(void *context, sl_str name)
{
    sl_parameters *parameters = context;
    sl_parameter *parameter = sl_parameters_find(parameters, name);
    if (!parameter || parameter->type == SL_PARAMETER_SECRET) return (sl_str){0};
    parameter->used = true;
    if (!parameter->set || parameter->wrong) parameters->unset_seen = true;
    if (!parameter->text.data || !sl_parameters_expand(parameters, parameter->text.size)) return SL_STR("");
    return parameter->text;
}

/* ---- values ------------------------------------------------------------------------------------------ */

typedef struct job {
    sl_parameters *parameters;
    const sl_flow_options *options;
    sl_arena *arena;
    sl_problems *problems;
} job;

static bool fits(sl_parameter_type type, sl_str text)
{
    int64_t number;
    uint64_t size;
    bool flag;
    switch (type) {
    case SL_PARAMETER_INT: return sl_integer_parse(text, &number) == 0;
    case SL_PARAMETER_BOOL: return sl_text_true(text, &flag);
    case SL_PARAMETER_DURATION: return sl_duration_parse(text, &number) == 0;
    case SL_PARAMETER_SIZE: return sl_size_parse(text, &size) == 0;
    case SL_PARAMETER_SECRET: return sl_secret_name_valid(text);
    default: return true;
    }
}

static const char *form(sl_parameter_type type)
{
    static const char *const forms[] = {"a text",
                                        "a whole number, as 10",
                                        "true or false",
                                        "a duration, as 250ms, 5s, 10m, 1h or 7d",
                                        "a size, as 16KiB or 1GB",
                                        "a list, as [a, b]",
                                        "the name of a secret, as {secret: NAME}"};
    return forms[type];
}

static void split(job *j, sl_parameter *parameter)
{
    size_t count = 0;
    for (size_t i = 0; i < parameter->text.size; i++) count += parameter->text.data[i] == ',';
    parameter->items = sl_arena_alloc(j->arena, (count + 1) * sizeof *parameter->items);
    parameter->item_count = 0;
    sl_str rest = parameter->text;
    while (rest.size) {
        const char *comma = memchr(rest.data, ',', rest.size);
        size_t size = comma ? (size_t)(comma - rest.data) : rest.size;
        parameter->items[parameter->item_count++] = sl_str_trim((sl_str){rest.data, size});
        size += comma != NULL;
        rest = (sl_str){rest.data + size, rest.size - size};
    }
}

static void set_text(job *j, sl_parameter *parameter, sl_mark mark, sl_str text, const char *from)
{
    parameter->set = true;
    parameter->wrong = !fits(parameter->type, text);
    if (parameter->wrong) {
        /* What stands where a secret's name should be may be the secret. */
        if (parameter->type == SL_PARAMETER_SECRET)
            sl_problem_error(j->problems, mark, "%s `%s`: expected %s, which the text there is not", from, parameter->name,
                             form(parameter->type));
        else
            sl_problem_error(j->problems, mark, "%s `%s`: expected %s, found " SL_QUOTED, from, parameter->name, form(parameter->type),
                             SL_QUOTE_ARGS(text));
        return;
    }
    parameter->text = sl_arena_str(j->arena, text);
    if (parameter->type == SL_PARAMETER_LIST) split(j, parameter);
}

static void set_list(job *j, sl_parameter *parameter, const sl_node *node)
{
    sl_buf joined = SL_BUF(2 << 20);
    parameter->wrong = false;
    parameter->items = sl_arena_alloc(j->arena, (node->count + 1) * sizeof *parameter->items);
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind != SL_SCALAR) {
            sl_problem_error(j->problems, node->items[i]->mark, "default of `%s`: expected a text in the list, found %s", parameter->name,
                             sl_node_kind_name(node->items[i]->kind));
            continue;
        }
        if (parameter->item_count) sl_buf_char(&joined, ',');
        sl_buf_str(&joined, node->items[i]->text);
        parameter->items[parameter->item_count++] = node->items[i]->text;
    }
    parameter->text = sl_arena_str(j->arena, sl_buf_view(&joined));
    sl_buf_done(&joined);
}

static void set_default(job *j, sl_parameter *parameter, const sl_node *node)
{
    bool list = parameter->type == SL_PARAMETER_LIST, secret = parameter->type == SL_PARAMETER_SECRET;
    const sl_node *name = secret && node->kind == SL_MAPPING && node->count == 1 ? sl_node_get(node, "secret") : NULL;
    parameter->set = parameter->wrong = true;
    if (sl_node_null(node)) return; /* told by the tree */
    if (list && node->kind == SL_LIST) set_list(j, parameter, node);
    else if (name && name->kind == SL_SCALAR) set_text(j, parameter, name->mark, name->text, "default of");
    else if (list || secret || node->kind != SL_SCALAR)
        sl_problem_error(j->problems, node->mark, "default of `%s`: expected %s, found %s", parameter->name, form(parameter->type),
                         sl_node_kind_name(node->kind));
    else set_text(j, parameter, node->mark, node->text, "default of");
}

/* ---- declarations ------------------------------------------------------------------------------------ */

static void read_type(job *j, sl_parameter *parameter, const sl_node *node)
{
    if (!node || sl_node_null(node)) return;
    for (size_t i = 0; node->kind == SL_SCALAR && i < SL_COUNT(type_names); i++)
        if (sl_str_is(node->text, type_names[i])) {
            parameter->type = (sl_parameter_type)i;
            return;
        }
    sl_str found = node->kind == SL_SCALAR ? node->text : sl_str_of(sl_node_kind_name(node->kind));
    sl_problem_error(j->problems, node->mark, "type of `%s`: expected one of %s, found " SL_QUOTED "%s", parameter->name,
                     sl_join_names(j->problems, j->arena, type_names, SL_COUNT(type_names)), SL_QUOTE_ARGS(found),
                     sl_suggest(j->problems, j->arena, found, type_names, SL_COUNT(type_names)));
}

static void check_member(job *j, const sl_node *key, const sl_node *value)
{
    static const char *const keys[] = {"type", "required", "default", "description"};
    bool known = false;
    for (size_t i = 0; i < SL_COUNT(keys); i++) known = known || sl_str_is(key->text, keys[i]);
    if (!known)
        sl_problem_error(j->problems, key->mark, "unknown key `%.*s` of a parameter; it has type, required, default and description%s",
                         SL_STR_ARGS(key->text), sl_suggest(j->problems, j->arena, key->text, keys, SL_COUNT(keys)));
    else if (sl_str_is(key->text, "description") && value->kind != SL_SCALAR)
        sl_problem_error(j->problems, value->mark, "`description`: expected a text, found %s", sl_node_kind_name(value->kind));
}

static void read_declaration(job *j, sl_parameter *parameter, const sl_node *node)
{
    for (size_t i = 0; i < node->count; i++) check_member(j, node->keys[i], node->items[i]);
    read_type(j, parameter, sl_node_get(node, "type"));
    const sl_node *required = sl_node_get(node, "required"), *fallback = sl_node_get(node, "default");
    if (required && !sl_node_null(required) && !(required->kind == SL_SCALAR && sl_text_true(required->text, &parameter->required)))
        sl_problem_error(j->problems, required->mark, "`required`: expected true or false");
    if (fallback) set_default(j, parameter, fallback);
    if (parameter->required && fallback)
        sl_problem_error(j->problems, sl_node_key(node, "required")->mark, "`%s` has a default and is required; remove one of the two",
                         parameter->name);
    if (!parameter->required && !fallback)
        sl_problem_error(j->problems, parameter->mark, "`%s` has no value: give it a default, or write `required: true`", parameter->name);
}

static void read_one(job *j, sl_parameter *parameter, const sl_node *key, const sl_node *value)
{
    parameter->name = sl_arena_strndup(j->arena, key->text.data, key->text.size);
    parameter->mark = key->mark;
    if (!sl_flow_name_valid(key->text))
        sl_problem_error(j->problems, key->mark, "the parameter's name " SL_QUOTED " is not [a-z][a-z0-9_-]{0,62}",
                         SL_QUOTE_ARGS(key->text));
    if (value->kind == SL_MAPPING) read_declaration(j, parameter, value);
    else {
        if (value->kind == SL_LIST) parameter->type = SL_PARAMETER_LIST;
        set_default(j, parameter, value);
    }
}

static void apply_settings(job *j)
{
    static const sl_mark whole = {0, 0};
    for (size_t i = 0; i < j->options->setting_count; i++) {
        const sl_setting *setting = &j->options->settings[i];
        sl_parameter *parameter = sl_parameters_find(j->parameters, sl_str_of(setting->name));
        if (parameter) {
            parameter->item_count = 0;
            set_text(j, parameter, whole, sl_str_of(setting->value), "the value set for");
        } else
            sl_problem_error(j->problems, whole, "a value is set for `%.80s`, which is no parameter of this flow%s", setting->name,
                             sl_suggest(j->problems, j->arena, sl_str_of(setting->name), j->parameters->names, j->parameters->count));
    }
}

void sl_parameters_read(sl_parameters *parameters, const sl_node *mapping, const sl_flow_options *options, sl_arena *arena,
                        sl_problems *problems)
{
    job j = {parameters, options, arena, problems};
    *parameters = (sl_parameters){.scope = {.parameter = lookup, .context = parameters}};
    if (mapping && mapping->kind == SL_MAPPING && mapping->count > MOST_PARAMETERS)
        sl_problem_error(problems, mapping->keys[MOST_PARAMETERS]->mark, "more than %d parameters in one flow; split it", MOST_PARAMETERS);
    else if (mapping && mapping->kind == SL_MAPPING) {
        parameters->count = mapping->count;
        parameters->items = sl_arena_alloc(arena, (mapping->count + 1) * sizeof *parameters->items);
        parameters->names = sl_arena_alloc(arena, (mapping->count + 1) * sizeof *parameters->names);
        for (size_t i = 0; i < mapping->count; i++) {
            read_one(&j, &parameters->items[i], mapping->keys[i], mapping->items[i]);
            parameters->names[i] = parameters->items[i].name;
        }
    } else if (mapping && !sl_node_null(mapping))
        sl_problem_error(problems, mapping->mark, "`parameters`: expected a mapping of names, found %s; write `parameters: {inbox: /srv}`",
                         sl_node_kind_name(mapping->kind));
    apply_settings(&j);
    for (size_t i = 0; i < parameters->count; i++) {
        const sl_parameter *parameter = &parameters->items[i];
        if (parameter->required && !parameter->set && !options->unset_allowed)
            sl_problem_error(problems, parameter->mark, "the parameter `%s` is required and has no value; set it with --set %s=VALUE",
                             parameter->name, parameter->name);
    }
}

void sl_parameters_unused(const sl_parameters *parameters, sl_problems *problems)
{
    for (size_t i = 0; i < parameters->count; i++)
        if (!parameters->items[i].used)
            sl_problem_warning(problems, parameters->items[i].mark, "the parameter `%s` is not used; write #{%s} where it belongs",
                               parameters->items[i].name, parameters->items[i].name);
}
