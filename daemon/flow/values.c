/* Texts into values: what each property type reads, and what it says when it cannot. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "flow/private.h"

/* ---- texts ------------------------------------------------------------------------------------------- */

bool sl_text_true(sl_str text, bool *ret)
{
    *ret = sl_str_is(text, "true");
    return *ret || sl_str_is(text, "false");
}

int sl_integer_parse(sl_str text, int64_t *ret)
{
    bool negative = text.size && text.data[0] == '-';
    int64_t value = 0;
    if (text.size == (size_t)negative) return -1;
    for (size_t i = negative; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        int64_t digit = text.data[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value)) return -1;
    }
    /* Collected below zero, where there is one more. */
    if (!negative && value == INT64_MIN) return -1;
    *ret = negative ? value : -value;
    return 0;
}

static bool decimal(sl_str text)
{
    size_t at = text.size && text.data[0] == '-', digits = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++) digits++;
    if (at < text.size && text.data[at] == '.')
        for (at++; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++) digits++;
    if (!digits || at == text.size) return digits;
    if (text.data[at] != 'e' && text.data[at] != 'E') return false;
    at++;
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+')) at++;
    size_t exponent = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') at++;
    return at == text.size && at > exponent;
}

/* The text is terminated. */
static int real_parse(sl_str text, double *ret)
{
    if (text.size > 63 || !decimal(text)) return -1;
    char copy[64];
    snprintf(copy, sizeof copy, "%.*s", SL_STR_ARGS(text));
    *ret = strtod(copy, NULL);
    return isfinite(*ret) ? 0 : -1;
}

bool sl_secret_name_valid(sl_str name)
{
    if (!name.size || name.size > 128 || name.data[0] == '.') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '-' && c != '.') return false;
    }
    return true;
}

const char *sl_suggest(const sl_problems *problems, sl_arena *arena, sl_str word, const char *const *names, size_t count)
{
    if (problems->omitted) return "";
    const char *near = sl_nearest(word, names, SL_MIN(count, (size_t)1000));
    return near ? sl_arena_printf(arena, "; did you mean `%s`?", near) : "";
}

const char *sl_join_names(const sl_problems *problems, sl_arena *arena, const char *const *names, size_t count)
{
    sl_buf joined = SL_BUF(4096);
    if (problems->omitted) return "";
    for (size_t i = 0; i < count && i < 20; i++) sl_buf_printf(&joined, "%s%s", i ? ", " : "", names[i]);
    if (count > 20) sl_buf_text(&joined, ", ...");
    sl_str text = sl_arena_str(arena, sl_buf_view(&joined));
    sl_buf_done(&joined);
    return text.data;
}

/* ---- problems ---------------------------------------------------------------------------------------- */

bool sl_expect_kind(sl_decoder *decoder, const sl_node *node, sl_node_kind kind, const char *what, const char *example)
{
    if (node->kind == kind && !(kind == SL_SCALAR && sl_node_null(node))) return true;
    if (!sl_node_null(node))
        sl_problem_error(decoder->problems, node->mark, "`%s`: expected %s, found %s; write %s", what, sl_node_kind_name(kind),
                         sl_node_kind_name(node->kind), example);
    return false;
}

/* The name of the `#{name}` at or just before `offset`, data NULL: there is none. */
static sl_str parameter_at(sl_str text, size_t offset)
{
    size_t begin = offset;
    if (begin > text.size) return (sl_str){0};
    while (begin && !(begin + 1 < text.size && text.data[begin] == '#' && text.data[begin + 1] == '{') && offset - begin < 2) begin--;
    sl_str rest = {text.data + begin, text.size - begin};
    const char *end = rest.size ? memchr(rest.data, '}', rest.size) : NULL;
    if (!sl_str_starts(rest, "#{") || !end) return (sl_str){0};
    return sl_str_trim((sl_str){rest.data + 2, (size_t)(end - rest.data) - 2});
}

void sl_problem_in_text(sl_decoder *decoder, const sl_node *node, size_t offset, const char *what, const sl_error *error)
{
    sl_str name = parameter_at(node->text, offset);
    sl_mark mark = sl_node_mark_at(node, offset);
    sl_parameter *parameter = name.data ? sl_parameters_find(decoder->parameters, name) : NULL;
    if (parameter && parameter->type == SL_PARAMETER_SECRET) {
        parameter->used = true;
        sl_problem_error(decoder->problems, mark,
                         "`%s`: the parameter `%s` is a secret; it can only be the whole value of a property that takes a secret", what,
                         parameter->name);
    } else if (name.data && name.size && !parameter && sl_flow_name_valid(name) && decoder->parameters)
        sl_problem_error(decoder->problems, mark, "`%s`: no parameter `%.*s`%s; declare it under `parameters:`, or write ##{ for the text",
                         what, SL_STR_ARGS(name),
                         sl_suggest(decoder->problems, decoder->arena, name, decoder->parameters->names, decoder->parameters->count));
    else sl_problem_error(decoder->problems, mark, "`%s`: %s", what, error->text);
}

/* ---- one scalar -------------------------------------------------------------------------------------- */

typedef struct reading { /* of one text */
    sl_decoder *decoder;
    const sl_node *node;
    const sluice_property *property;
    const char *what;
    sl_value *value;
} reading;

static bool wrong(const reading *r, sl_str text, const char *expected)
{
    sl_problem_error(r->decoder->problems, r->node->mark, "`%s`: expected %s, found " SL_QUOTED, r->what, expected, SL_QUOTE_ARGS(text));
    return false;
}

static const char *bound_text(sl_arena *arena, const sluice_property *property, int64_t bound)
{
    char text[SL_TIME_TEXT];
    if (property->type != SLUICE_DURATION) return sl_arena_printf(arena, "%lld", (long long)bound);
    return sl_arena_printf(arena, "%s", sl_duration_format(bound, text));
}

/* A `most` below `least` is no bound. */
static bool within(const reading *r, sl_str text)
{
    const sluice_property *p = r->property;
    const sl_value *value = r->value;
    bool real = p->type == SLUICE_NUMBER;
    if (!p->least && !p->most) return true;
    bool enough = real ? value->real >= (double)p->least : value->number >= p->least;
    bool little = real ? value->real <= (double)p->most : value->number <= p->most;
    if (enough && (p->most < p->least || little)) return true;
    sl_arena *arena = r->decoder->arena;
    const char *least = bound_text(arena, p, p->least), *most = bound_text(arena, p, p->most);
    return wrong(r, text,
                 p->most < p->least ? sl_arena_printf(arena, "at least %s", least) : sl_arena_printf(arena, "%s to %s", least, most));
}

static bool read_enum(const reading *r, sl_str text)
{
    size_t count = 0;
    const char *const *allowed = r->property->allowed;
    for (; allowed && allowed[count]; count++)
        if (sl_str_is(text, allowed[count])) {
            r->value->number = (int64_t)count;
            return true;
        }
    sl_arena *arena = r->decoder->arena;
    sl_problem_error(r->decoder->problems, r->node->mark, "`%s`: expected one of %s, found " SL_QUOTED "%s", r->what,
                     sl_join_names(r->decoder->problems, arena, allowed, count), SL_QUOTE_ARGS(text),
                     sl_suggest(r->decoder->problems, arena, text, allowed, count));
    return false;
}

static bool read_regex(const reading *r, sl_str text)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR)text.data, text.size, PCRE2_UTF, &code, &at, NULL);
    if (regex) return pcre2_code_free(regex), true;
    PCRE2_UCHAR reason[128] = "";
    pcre2_get_error_message(code, reason, sizeof reason);
    bool as_written = sl_str_equal(text, r->node->text);
    sl_problem_error(r->decoder->problems, as_written ? sl_node_mark_at(r->node, at) : r->node->mark,
                     "`%s`: expected a regular expression, found " SL_QUOTED ": %s at character %zu", r->what, SL_QUOTE_ARGS(text),
                     (char *)reason, (size_t)at + 1);
    return false;
}

static bool read_number(const reading *r, sl_str text)
{
    sl_value *value = r->value;
    uint64_t size;
    bool flag;
    switch (r->property->type) {
    case SLUICE_BOOL:
        if (!sl_text_true(text, &flag)) return wrong(r, text, "true or false");
        value->number = flag;
        return true;
    case SLUICE_INT:
        if (sl_integer_parse(text, &value->number) < 0) return wrong(r, text, "a whole number, as 10");
        break;
    case SLUICE_DURATION:
        if (sl_duration_parse(text, &value->number) < 0) return wrong(r, text, "a duration, as 250ms, 5s, 10m, 1h or 7d");
        break;
    case SLUICE_SIZE:
        if (sl_size_parse(text, &size) < 0) return wrong(r, text, "a size, as 512, 16KiB or 1GB");
        value->number = (int64_t)size;
        break;
    default:
        if (real_parse(text, &value->real) < 0) return wrong(r, text, "a number, as 10 or 0.5");
        return within(r, text);
    }
    value->real = (double)value->number;
    return within(r, text);
}

static bool read_text(const reading *r, sl_str text)
{
    switch (r->property->type) {
    case SLUICE_BOOL:
    case SLUICE_INT:
    case SLUICE_NUMBER:
    case SLUICE_DURATION:
    case SLUICE_SIZE: return read_number(r, text);
    case SLUICE_ENUM: return read_enum(r, text);
    case SLUICE_STRING:
        if ((r->property->flags & SLUICE_REQUIRED) && !text.size) return wrong(r, text, "a text that is not empty");
        break;
    default: break;
    }
    return !(r->property->flags & SLUICE_REGEX) || read_regex(r, text);
}

/* False: told. */
static bool compile(const reading *r)
{
    sl_error error = {0};
    size_t offset = 0;
    if (sl_expression_compile(r->node->text, r->decoder->scope, &r->value->expression, &offset, &error) == 0) {
        sl_str literal = sl_expression_literal(r->value->expression);
        r->value->text = literal.data ? sl_arena_str(r->decoder->arena, literal) : (sl_str){0};
        return true;
    }
    r->value->expression = NULL;
    sl_problem_in_text(r->decoder, r->node, offset, r->what, &error);
    return false;
}

static bool resolve(const reading *r)
{
    sl_error error = {0};
    size_t offset = 0;
    sl_buf text = SL_BUF(16 << 20);
    int result = sl_parameters_resolve(r->node->text, r->decoder->scope, &text, &offset, &error);
    if (result < 0) sl_problem_in_text(r->decoder, r->node, offset, r->what, &error);
    else r->value->text = sl_arena_str(r->decoder->arena, sl_buf_view(&text));
    sl_buf_done(&text);
    return result == 0;
}

/* Told at the text that went over the bound, and at no other. */
static void tell_too_large(sl_decoder *decoder, const sl_node *node, const char *what, bool before)
{
    if (decoder->parameters && decoder->parameters->too_large && !before)
        sl_problem_error(decoder->problems, node->mark,
                         "`%s`: the parameters' values make the flow larger than 16 MiB; use them less often", what);
}

bool sl_decode_scalar(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_value *ret)
{
    reading r = {decoder, node, property, what, ret};
    sl_parameters *parameters = decoder->parameters;
    bool large = parameters && parameters->too_large;
    if (parameters) parameters->unset_seen = false;
    bool done = property->flags & SLUICE_EXPRESSION ? compile(&r) : resolve(&r);
    tell_too_large(decoder, node, what, large);
    if (!done || (parameters && (parameters->unset_seen || parameters->too_large))) return false;
    if (ret->text.data) return read_text(&r, ret->text);
    ret->text = node->text; /* an expression: as written */
    return true;
}

/* ---- several, and secrets ------------------------------------------------------------------------------ */

/* A parameter's value is data: it must not be read as an expression. So the text is the value of a parameter once
 * more, under a name that no flow can give. */
static sl_str whole_text(void *context, sl_str name)
{
    (void)name;
    return *(sl_str *)context;
}

static void decode_item(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_item *ret)
{
    sluice_property scalar = *property;
    scalar.type = SLUICE_STRING;
    scalar.flags &= ~(unsigned)SLUICE_REQUIRED;
    sl_value value = {0};
    ret->mark = node->mark;
    sl_decode_scalar(decoder, node, &scalar, what, &value);
    ret->text = value.text.data ? value.text : node->text;
    ret->expression = value.expression;
}

static void items_of_parameter(sl_decoder *decoder, sl_parameter *parameter, const sl_node *node, const sluice_property *property,
                               const char *what, sl_value *ret)
{
    bool large = decoder->parameters->too_large;
    parameter->used = true;
    /* An item costs its record too. */
    if (!sl_parameters_expand(decoder->parameters, parameter->text.size + parameter->item_count * 128)) {
        tell_too_large(decoder, node, what, large);
        return;
    }
    ret->items = sl_arena_alloc(decoder->arena, (parameter->item_count + 1) * sizeof *ret->items);
    for (; ret->item_count < parameter->item_count; ret->item_count++) {
        sl_parameter_scope scope = {.parameter = whole_text, .context = &parameter->items[ret->item_count]};
        sl_decoder data = *decoder;
        data.scope = &scope;
        data.parameters = NULL;
        sl_node whole = {.kind = SL_SCALAR, .mark = node->mark, .text = SL_STR("#{item}")};
        decode_item(&data, &whole, property, what, &ret->items[ret->item_count]);
    }
}

void sl_decode_list(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_value *ret)
{
    sl_parameter *parameter = node->kind == SL_SCALAR ? sl_parameters_whole(decoder->parameters, node->text) : NULL;
    if (parameter && parameter->type == SL_PARAMETER_LIST) {
        items_of_parameter(decoder, parameter, node, property, what, ret);
        return;
    }
    if (!sl_expect_kind(decoder, node, SL_LIST, what, "[a, b]")) return;
    ret->items = sl_arena_alloc(decoder->arena, (node->count + 1) * sizeof *ret->items);
    for (size_t i = 0; i < node->count; i++) {
        if (!sl_expect_kind(decoder, node->items[i], SL_SCALAR, what, "a list of texts")) continue;
        decode_item(decoder, node->items[i], property, what, &ret->items[ret->item_count++]);
    }
}

void sl_decode_map(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_value *ret)
{
    if (!sl_expect_kind(decoder, node, SL_MAPPING, what, "{name: text}")) return;
    ret->items = sl_arena_alloc(decoder->arena, (node->count + 1) * sizeof *ret->items);
    for (size_t i = 0; i < node->count; i++) {
        const sl_node *key = node->keys[i];
        const char *path = sl_arena_printf(decoder->arena, "%s.%.*s", what, SL_STR_ARGS(key->text));
        /* With its name also where it is wrong: who names it elsewhere is right. */
        sl_item *item = &ret->items[ret->item_count++];
        *item = (sl_item){.name = key->text, .text = SL_STR(""), .mark = node->items[i]->mark};
        if ((property->flags & SLUICE_NAMES_RELATIONSHIPS) && !sl_flow_name_valid(key->text))
            sl_problem_error(decoder->problems, key->mark, "`%s`: the name " SL_QUOTED " is not [a-z][a-z0-9_-]{0,62}", what,
                             SL_QUOTE_ARGS(key->text));
        else if (sl_expect_kind(decoder, node->items[i], SL_SCALAR, path, "a text"))
            decode_item(decoder, node->items[i], property, path, item);
    }
}

static void secret_of_parameter(sl_decoder *decoder, sl_parameter *parameter, const sl_node *node, const char *what, sl_value *ret)
{
    parameter->used = true;
    ret->secret = true;
    ret->text = parameter->text;
    if (parameter->type != SL_PARAMETER_SECRET)
        sl_problem_error(decoder->problems, node->mark,
                         "`%s`: expected a secret, found the parameter `%s`, which is none; declare it with `type: secret`", what,
                         parameter->name);
}

/* The text that was found may be the secret itself: never in the message. */
void sl_decode_secret(sl_decoder *decoder, const sl_node *node, const char *what, sl_value *ret)
{
    sl_parameter *parameter = node->kind == SL_SCALAR ? sl_parameters_whole(decoder->parameters, node->text) : NULL;
    if (parameter) {
        secret_of_parameter(decoder, parameter, node, what, ret);
        return;
    }
    if (sl_node_null(node)) return;
    const sl_node *name = node->kind == SL_MAPPING && node->count == 1 ? sl_node_get(node, "secret") : NULL;
    if (!name) {
        sl_problem_error(decoder->problems, node->mark,
                         "`%s`: secrets are never in a flow; write {secret: NAME} and put the value in a file of that name in the secrets "
                         "folder, or in SLUICE_SECRET_NAME",
                         what);
        return;
    }
    static const sluice_property text = {.name = "secret", .type = SLUICE_STRING};
    if (!sl_expect_kind(decoder, name, SL_SCALAR, what, "{secret: NAME}")) return;
    if (!sl_decode_scalar(decoder, name, &text, what, ret)) return;
    ret->secret = true;
    if (!sl_secret_name_valid(ret->text))
        sl_problem_error(decoder->problems, name->mark,
                         "`%s`: expected the name of a secret (letters, digits, `_`, `-`, `.`; not the secret itself) in {secret: NAME}",
                         what);
}
