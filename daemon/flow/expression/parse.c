/* From tokens to nodes: `${head:function(arguments):...}`. */
#include <stdio.h>

#include "flow/expression/private.h"

typedef struct parser {
    compiler *c;
    lexer lexer;
    token now;
} parser;

static size_t here(const parser *p) { return source_offset(p->lexer.source, p->now.at); }
static int advance(parser *p) { return lex(p->c, &p->lexer, &p->now); }

static const char *token_text(const token *t, char text[64])
{
    if (t->type == TOKEN_END) return "the end";
    if (t->type == TOKEN_STRING) return "a string";
    if (t->type == TOKEN_PARAMETER) return "a parameter";
    snprintf(text, 64, "\"%.*s\"", (int)SL_MIN(t->text.size, (size_t)48), t->text.data);
    return text;
}

static int unexpected(parser *p, const char *expected)
{
    char found[64];
    return compile_fail(p->c, here(p), "expected %s, found %s", expected, token_text(&p->now, found));
}

static int expect(parser *p, token_type type, const char *what)
{
    if (p->now.type != type) return unexpected(p, what);
    return advance(p);
}

/* ---- names of functions -------------------------------------------------------------------------------- */
static int unknown_function(parser *p, const token *name, place where)
{
    const function *elsewhere = function_any(name->text);
    size_t offset = source_offset(p->lexer.source, name->at);
    if (elsewhere && where == PLACE_CHAINED)
        return compile_fail(p->c, offset, "expected a function of a subject, found %s, which takes none: write ${%s(...)}", elsewhere->name,
                            elsewhere->name);
    if (elsewhere)
        return compile_fail(p->c, offset, "expected a subject before %s: write ${ATTRIBUTE:%s(...)}", elsewhere->name, elsewhere->name);
    const char *near = sl_nearest(name->text, sl_expression_functions(), function_names());
    if (near) return compile_fail(p->c, offset, "no function is named \"%.*s\": did you mean %s?", SL_STR_ARGS(name->text), near);
    return compile_fail(p->c, offset, "no function is named \"%.*s\"", SL_STR_ARGS(name->text));
}

static const function *named_function(parser *p, const token *name, place where)
{
    const function *f = function_find(name->text, where);
    if (!f) {
        unknown_function(p, name, where);
        return NULL;
    }
    if (!f->apply && f->place != PLACE_SELECTION) {
        compile_fail(p->c, source_offset(p->lexer.source, name->at), "%s is not in this version", f->name);
        return NULL;
    }
    return f;
}

/* ---- arguments ------------------------------------------------------------------------------------------ */
static int parse_expression(parser *p, node **ret);

static int string_node(parser *p, const token *string, node **ret)
{
    source s = string_source(p->c, p->lexer.source, string);
    node **parts;
    size_t count;
    if (compile_template(p->c, &s, false, &parts, &count) < 0) return -1;
    if (count == 1 && parts[0]->type == NODE_CONSTANT) {
        *ret = parts[0];
        (*ret)->offset = source_offset(p->lexer.source, string->at);
        return 0;
    }
    *ret = node_new(p->c, count ? NODE_CONCATENATION : NODE_CONSTANT, KIND_TEXT, source_offset(p->lexer.source, string->at));
    if (!*ret) return -1;
    (*ret)->constant = VALUE_TEXT(SL_STR(""));
    (*ret)->items = parts;
    (*ret)->item_count = count;
    return 0;
}

static int constant_node(parser *p, value constant, node **ret)
{
    *ret = node_new(p->c, NODE_CONSTANT, constant.kind, here(p));
    if (!*ret) return -1;
    (*ret)->constant = constant;
    return 0;
}

static int number_node(parser *p, node **ret)
{
    value number;
    bool overflow = false;
    char text[400];
    sl_str written = p->now.text;
    if (written.size + 2 > sizeof text) return unexpected(p, "a number of at most 398 digits");
    /* `5.` is a decimal here, which a text is not. */
    if (written.data[written.size - 1] == '.') {
        snprintf(text, sizeof text, "%.*s0", SL_STR_ARGS(written));
        written = sl_str_of(text);
    } else if (memmem(written.data, written.size, ".e", 2) || memmem(written.data, written.size, ".E", 2)) {
        size_t point = (size_t)((const char *)memchr(written.data, '.', written.size) - written.data);
        snprintf(text, sizeof text, "%.*s%.*s", (int)point, written.data, (int)(written.size - point - 1), written.data + point + 1);
        written = sl_str_of(text);
    }
    if (number_of(written, &number, &overflow) == NOT_NUMBER || overflow) return unexpected(p, "a whole number between -2^63 and 2^63-1");
    return constant_node(p, number, ret);
}

static int parse_word(parser *p, node **ret)
{
    if (sl_str_is(p->now.text, "true")) return constant_node(p, VALUE_TRUTH(true), ret);
    if (sl_str_is(p->now.text, "false")) return constant_node(p, VALUE_TRUTH(false), ret);
    if (sl_str_is(p->now.text, "null")) return constant_node(p, VALUE_MISSING(KIND_TEXT), ret);
    sl_str word = {p->now.text.data, SL_MIN(p->now.text.size, (size_t)48)};
    if (function_any(p->now.text))
        return compile_fail(p->c, here(p), "expected an argument, found the function %.*s: write ${...:%.*s(...)}", SL_STR_ARGS(word),
                            SL_STR_ARGS(word));
    return compile_fail(p->c, here(p), "expected an argument, found \"%.*s\": write '%.*s' for the text, ${%.*s} for the attribute",
                        SL_STR_ARGS(word), SL_STR_ARGS(word), SL_STR_ARGS(word));
}

static int parameter_node(parser *p, node **ret)
{
    sl_str text;
    if (parameter_value(p->c, p->now.text, here(p), &text) < 0) return -1;
    value v = VALUE_TEXT(text);
    v.missing = p->c->parameters_disabled;
    return constant_node(p, v, ret);
}

static int parse_argument(parser *p, node **ret)
{
    int failed;
    switch (p->now.type) {
    case TOKEN_DOLLAR: return parse_expression(p, ret);
    case TOKEN_WHOLE:
    case TOKEN_DECIMAL: failed = number_node(p, ret); break;
    case TOKEN_STRING: failed = string_node(p, &p->now, ret); break;
    case TOKEN_PARAMETER: failed = parameter_node(p, ret); break;
    case TOKEN_NAME: failed = parse_word(p, ret); break;
    default: return unexpected(p, "an argument: a 'text', a number, true, false or ${...}");
    }
    return failed < 0 ? -1 : advance(p);
}

static int argument_count_wrong(parser *p, const function *f, size_t offset, size_t count)
{
    size_t least, most;
    function_counts(f, &least, &most);
    if (count >= least && count <= most) return 0;
    char expected[64];
    if (most == SIZE_MAX) snprintf(expected, sizeof expected, "%zu or more", least);
    else if (least == most) snprintf(expected, sizeof expected, "%zu", least);
    else snprintf(expected, sizeof expected, "%zu to %zu", least, most);
    bool one = most == 1 && (least == 1 || least == 0);
    return compile_fail(p->c, offset, "%s: expected %s argument%s, found %zu", f->name, expected, one ? "" : "s", count);
}

static int add_argument(parser *p, call *into, node ***arguments, size_t *capacity)
{
    node *argument = NULL;
    if (parse_argument(p, &argument) < 0) return -1;
    *arguments = sl_grow(*arguments, into->count, capacity, sizeof **arguments);
    (*arguments)[into->count++] = argument;
    return 0;
}

static int list_arguments(parser *p, call *into, node ***arguments)
{
    size_t capacity = 0;
    if (expect(p, TOKEN_LEFT_PAREN, "( after the function's name") < 0) return -1;
    if (p->now.type == TOKEN_RIGHT_PAREN) return advance(p);
    for (;;) {
        if (add_argument(p, into, arguments, &capacity) < 0) return -1;
        if (p->now.type == TOKEN_RIGHT_PAREN) return advance(p);
        if (expect(p, TOKEN_COMMA, ", or )") < 0) return -1;
    }
}

/* `(arguments)` of the call whose function is known. */
static int parse_arguments(parser *p, call *into)
{
    node **arguments = NULL;
    int failed = list_arguments(p, into, &arguments);
    into->arguments = sl_arena_alloc(&p->c->expression->arena, (into->count + 1) * sizeof *arguments);
    if (into->count) memcpy(into->arguments, arguments, into->count * sizeof *arguments);
    free(arguments);
    if (failed < 0 || argument_count_wrong(p, into->function, into->offset, into->count) < 0) return -1;
    for (size_t i = 0; i < into->count; i++)
        if (!kind_converts(into->arguments[i]->kind, function_argument(into->function, i)))
            return compile_fail(p->c, into->arguments[i]->offset, "%s: expected %s as argument %zu, found %s", into->function->name,
                                kind_name(function_argument(into->function, i)), i + 1, kind_name(into->arguments[i]->kind));
    if (into->function->prepare && into->function->prepare(p->c, into) < 0) return -1;
    return 0;
}

/* ---- heads -------------------------------------------------------------------------------------------------- */
static int standalone(parser *p, const token *name, node **ret)
{
    const function *f = named_function(p, name, PLACE_STANDALONE);
    if (!f) return -1;
    *ret = node_new(p->c, NODE_STANDALONE, f->result, source_offset(p->lexer.source, name->at));
    if (!*ret) return -1;
    (*ret)->calls = sl_arena_alloc(&p->c->expression->arena, sizeof(call));
    (*ret)->call_count = 1;
    (*ret)->calls[0] = (call){.function = f, .offset = (*ret)->offset};
    return parse_arguments(p, (*ret)->calls);
}

static int selection_node(parser *p, const token *name, const function *f, node **ret)
{
    call list = {.function = f, .offset = source_offset(p->lexer.source, name->at)};
    if (parse_arguments(p, &list) < 0) return -1;
    *ret = node_new(p->c, NODE_SELECTION, KIND_TEXT, list.offset);
    if (!*ret) return -1;
    (*ret)->items = list.arguments;
    (*ret)->item_count = list.count;
    (*ret)->all = strncmp(f->name, "all", 3) == 0;
    (*ret)->selection = strstr(f->name, "Delineated") ? SELECT_DELINEATED : strstr(f->name, "Matching") ? SELECT_MATCHING : SELECT_NAMED;
    (*ret)->patterns = list.prepared;
    return 0;
}

static int attribute_node(parser *p, const token *name, node **ret)
{
    bool word = sl_str_is(name->text, "true") || sl_str_is(name->text, "false") || sl_str_is(name->text, "null");
    if (word || function_any(name->text))
        return compile_fail(p->c, source_offset(p->lexer.source, name->at),
                            "expected an attribute, found %s %.*s: write ${'%.*s'} for an attribute of that name",
                            word ? "the word" : "the function", SL_STR_ARGS(name->text), SL_STR_ARGS(name->text));
    *ret = node_new(p->c, NODE_ATTRIBUTE, KIND_TEXT, source_offset(p->lexer.source, name->at));
    if (!*ret) return -1;
    (*ret)->constant = VALUE_TEXT(unescape_run(&p->c->expression->arena, name->text));
    return 0;
}

/* The attribute whose name is the value of a node. */
static int named_by(parser *p, node *name, node **ret)
{
    if (!name) return -1;
    bool constant = name->type == NODE_CONSTANT;
    *ret = node_new(p->c, constant ? NODE_ATTRIBUTE : NODE_ATTRIBUTE_NAMED, KIND_TEXT, name->offset);
    if (!*ret) return -1;
    (*ret)->constant = name->constant;
    (*ret)->head = name;
    return 0;
}

static int word_head(parser *p, node **ret)
{
    token name = p->now;
    if (advance(p) < 0) return -1;
    if (p->now.type != TOKEN_LEFT_PAREN) return attribute_node(p, &name, ret);
    const function *f = function_find(name.text, PLACE_SELECTION);
    return f ? selection_node(p, &name, f, ret) : standalone(p, &name, ret);
}

static int parse_head(parser *p, node **ret)
{
    node *inner = NULL;
    switch (p->now.type) {
    case TOKEN_NAME: return word_head(p, ret);
    case TOKEN_STRING:
        if (string_node(p, &p->now, &inner) < 0 || advance(p) < 0) return -1;
        return named_by(p, inner, ret);
    case TOKEN_DOLLAR: return parse_expression(p, &inner) < 0 ? -1 : named_by(p, inner, ret);
    case TOKEN_PARAMETER: return parameter_node(p, ret) < 0 ? -1 : advance(p);
    default: return unexpected(p, "an attribute's name, a function, '...', #{...} or ${...}");
    }
}

/* ---- chains --------------------------------------------------------------------------------------------------- */
static bool reduces(const function *f) { return strcmp(f->name, "join") == 0 || strcmp(f->name, "count") == 0; }

static int parse_call(parser *p, kind subject, const call *before, call *ret)
{
    if (p->now.type != TOKEN_NAME) return unexpected(p, "a function's name");
    token name = p->now;
    const function *f = named_function(p, &name, PLACE_CHAINED);
    if (!f || advance(p) < 0) return -1;
    *ret = (call){.function = f, .offset = source_offset(p->lexer.source, name.at)};
    if (!kind_converts(subject, f->subject))
        return compile_fail(p->c, ret->offset, "%s: expected %s as its subject, found %s", f->name, kind_name(f->subject),
                            kind_name(subject));
    if (before && reduces(before->function))
        return compile_fail(p->c, ret->offset, "expected nothing after %s, found %s: write ${literal(${...:%s(...)}):%s(...)}",
                            before->function->name, f->name, before->function->name, f->name);
    return parse_arguments(p, ret);
}

/* What a chain upon several values may come to. */
static int check_selection(parser *p, const node *head, const call *last)
{
    if (last && last->function->result == KIND_TRUTH) return 0;
    if (head->all && last && reduces(last->function)) return 0;
    return compile_fail(p->c, head->offset, "expected a condition%s at the end, as several values are selected here",
                        head->all ? ", join(...) or count()" : "");
}

static int list_calls(parser *p, node *head, node *chain, size_t *capacity, call **calls)
{
    while (p->now.type == TOKEN_COLON) {
        call *before = chain->call_count ? &(*calls)[chain->call_count - 1] : NULL;
        call next = {0};
        if (++p->c->nodes > EXPRESSION_NODES) return compile_fail(p->c, here(p), "expected at most %d parts in one text", EXPRESSION_NODES);
        if (advance(p) < 0 || parse_call(p, chain->kind, before, &next) < 0 || !next.function) return -1;
        *calls = sl_grow(*calls, chain->call_count, capacity, sizeof **calls);
        (*calls)[chain->call_count++] = next;
        chain->kind = next.function->result;
    }
    if (head->type == NODE_SELECTION) return check_selection(p, head, chain->call_count ? &(*calls)[chain->call_count - 1] : NULL);
    return 0;
}

static int parse_chain(parser *p, node **ret)
{
    node *head = NULL;
    if (parse_head(p, &head) < 0 || !head) return -1;
    node *chain = node_new(p->c, NODE_CHAIN, head->kind, head->offset);
    if (!chain) return -1;
    call *calls = NULL;
    size_t capacity = 0;
    int failed = list_calls(p, head, chain, &capacity, &calls);
    chain->head = head;
    chain->calls = sl_arena_alloc(&p->c->expression->arena, (chain->call_count + 1) * sizeof *calls);
    if (calls) memcpy(chain->calls, calls, chain->call_count * sizeof *calls);
    free(calls);
    /* A constant head stays in a chain: what it is said to be decides whether its function may prepare upon it. */
    *ret = chain->call_count || head->type == NODE_CONSTANT ? chain : head;
    return failed;
}

static int parse_expression(parser *p, node **ret)
{
    if (expect(p, TOKEN_DOLLAR, "${") < 0) return -1;
    if (p->c->depth >= EXPRESSION_DEPTH)
        return compile_fail(p->c, here(p), "expected at most %d expressions within one another", EXPRESSION_DEPTH);
    p->c->depth++;
    int failed = expect(p, TOKEN_LEFT_BRACE, "{ after $") < 0 || parse_chain(p, ret) < 0 ||
                 expect(p, TOKEN_RIGHT_BRACE, ":, or } at the end of ${...") < 0;
    p->c->depth--;
    return failed ? -1 : 0;
}

int compile_braces(compiler *c, const source *s, node **ret)
{
    parser p = {.c = c, .lexer = {.source = s}};
    if (advance(&p) < 0 || parse_expression(&p, ret) < 0) return -1;
    return p.now.type == TOKEN_END ? 0 : unexpected(&p, "nothing after }");
}
