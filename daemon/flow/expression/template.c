/* A text as runs, parameters and `${...}`; the API's compile side.
 *
 * Dollars before `{` come in pairs, each pair one dollar: `$${` is `${`, `$$${x}` a dollar and the value. So with `#`.
 * A `${` or `#{` that nothing closes is text, as in NiFi.
 */
#include <stdio.h>

#include "flow/expression/private.h"

void compile_fail_with(compiler *c, size_t offset, const char *format, va_list arguments)
{
    char text[sizeof c->error->text];
    c->error_offset = offset;
    if (!c->error) return;
    vsnprintf(text, sizeof text, format, arguments);
    sl_error_set(c->error, 0, "%s", text);
}

void *compile_keep(compiler *c, void *data, void (*release)(void *data))
{
    struct prepared *kept = sl_arena_alloc(&c->expression->arena, sizeof *kept);
    *kept = (struct prepared){c->expression->prepared, data, release};
    c->expression->prepared = kept;
    return data;
}

node *node_new(compiler *c, node_type type, kind k, size_t offset)
{
    if (++c->nodes > EXPRESSION_NODES) {
        compile_fail(c, offset, "expected at most %d parts in one text: split it", EXPRESSION_NODES);
        return NULL;
    }
    node *n = sl_arena_alloc(&c->expression->arena, sizeof *n);
    *n = (node){.type = type, .kind = k, .offset = offset};
    return n;
}

int parameter_value(compiler *c, sl_str name, size_t offset, sl_str *ret)
{
    *ret = (sl_str){"", 0};
    if (c->parameters_disabled) return 0;
    sl_str found = {0};
    if (name.size && c->parameters && c->parameters->parameter) found = c->parameters->parameter(c->parameters->context, name);
    if (!found.data)
        return compile_fail(c, offset, "no parameter is named \"%.*s\": declare it under parameters, or write ##{ for the text itself",
                            SL_STR_ARGS(name));
    *ret = sl_arena_str(&c->expression->arena, found);
    return 0;
}

/* The offset after the string that begins at `at`, or the text's size when it does not end. */
static size_t skip_string(sl_str text, size_t at)
{
    char quote = text.data[at++];
    while (at < text.size && text.data[at] != quote) at += text.data[at] == '\\' ? 2 : 1;
    return at < text.size ? at + 1 : text.size;
}

/* The offset after the `}` that closes the brace at `at`, or 0. */
static size_t closing_brace(sl_str text, size_t at)
{
    size_t depth = 0;
    while (at < text.size) {
        char here = text.data[at];
        if (here == '\'' || here == '"') {
            at = skip_string(text, at);
            continue;
        }
        if (here == '{') depth++;
        if (here == '}' && --depth == 0) return at + 1;
        at++;
    }
    return 0;
}

/* ---- runs ------------------------------------------------------------------------------------------ */
typedef struct template
{
    compiler *c;
    const source *s;
    bool outer;
    sl_buf run; /* literal bytes not yet a part */
    size_t run_offset;
    node **parts;
    size_t count, capacity;
}
template;

static int add_part(template *t, node *part)
{
    if (!part) return -1;
    t->parts = sl_grow(t->parts, t->count, &t->capacity, sizeof *t->parts);
    t->parts[t->count++] = part;
    return 0;
}

static int end_run(template *t)
{
    if (!t->run.size) return 0;
    node *part = node_new(t->c, NODE_CONSTANT, KIND_TEXT, t->run_offset);
    if (!part) return -1;
    sl_arena *arena = &t->c->expression->arena;
    part->constant = VALUE_TEXT(t->outer ? sl_arena_str(arena, sl_buf_view(&t->run)) : unescape_run(arena, sl_buf_view(&t->run)));
    sl_buf_clear(&t->run);
    return add_part(t, part);
}

static void add_run(template *t, size_t at, sl_str text)
{
    if (!t->run.size) t->run_offset = source_offset(t->s, at);
    sl_buf_str(&t->run, text);
}

static int add_braces(template *t, size_t from, size_t to)
{
    source inner = {{t->s->text.data + from, to - from}, t->s->base + from, t->s->map ? t->s->map + from : NULL};
    node *part;
    if (end_run(t) < 0 || compile_braces(t->c, &inner, &part) < 0) return -1;
    return add_part(t, part);
}

static int add_parameter(template *t, size_t from, size_t to)
{
    sl_str name = sl_str_trim((sl_str){t->s->text.data + from + 2, to - from - 3});
    if (name.size >= 2 && (name.data[0] == '\'' || name.data[0] == '"') && name.data[name.size - 1] == name.data[0])
        name = (sl_str){name.data + 1, name.size - 2};
    sl_str value;
    if (parameter_value(t->c, name, source_offset(t->s, from), &value) < 0) return -1;
    add_run(t, from, value);
    return 0;
}

/* The marks (all `$` or all `#`) from `at`, before a `{`: what they begin. Returns the offset after it, 0 for failed. */
static size_t add_marked(template *t, size_t at, size_t brace)
{
    sl_str text = t->s->text;
    size_t marks = brace - at;
    if (marks % 2 == 0) { /* pairs: each is one mark, and the brace a brace */
        add_run(t, at, (sl_str){text.data + at, marks / 2});
        add_run(t, brace, (sl_str){text.data + brace, 1});
        return brace + 1;
    }
    size_t end = 0;
    if (text.data[at] == '$') end = closing_brace(text, brace);
    else {
        const char *found = memchr(text.data + brace, '}', text.size - brace);
        if (found) end = (size_t)(found - text.data) + 1;
    }
    if (!end) { /* nothing closes it, nor anything after it */
        if (text.data[at] == '$') {
            add_run(t, at, (sl_str){text.data + at, text.size - at});
            return text.size;
        }
        add_run(t, at, (sl_str){text.data + at, brace + 1 - at});
        return brace + 1;
    }
    add_run(t, at, (sl_str){text.data + at, marks / 2});
    int failed = text.data[at] == '$' ? add_braces(t, brace - 1, end) : add_parameter(t, brace - 1, end);
    return failed < 0 ? 0 : end;
}

static int split(template *t)
{
    sl_str text = t->s->text;
    size_t at = 0;
    while (at < text.size) {
        size_t from = at;
        while (at < text.size && text.data[at] != '$' && (text.data[at] != '#' || !t->outer)) at++;
        if (at > from) add_run(t, from, (sl_str){text.data + from, at - from});
        if (at == text.size) break;
        size_t after = at;
        while (after < text.size && text.data[after] == text.data[at]) after++;
        if (after == text.size || text.data[after] != '{') {
            add_run(t, at, (sl_str){text.data + at, after - at});
            at = after;
            continue;
        }
        at = add_marked(t, at, after);
        if (!at) return -1;
    }
    return end_run(t);
}

int compile_template(compiler *c, const source *s, bool outer, node ***ret, size_t *ret_count)
{
    template t = {.c = c, .s = s, .outer = outer, .run = SL_BUF((size_t)4 * EXPRESSION_TEXT)};
    int failed = split(&t);
    if (!failed && t.run.overflowed)
        failed = compile_fail(c, s->base, "expected at most %d bytes of text with its parameters", 4 * EXPRESSION_TEXT);
    if (!failed) {
        *ret = sl_arena_alloc(&c->expression->arena, (t.count + 1) * sizeof **ret);
        if (t.count) memcpy(*ret, t.parts, t.count * sizeof **ret);
        *ret_count = t.count;
    }
    free(t.parts);
    sl_buf_done(&t.run);
    return failed;
}

/* ---- API -------------------------------------------------------------------------------------------- */
static int compile_whole(compiler *c, sl_str text)
{
    sl_expression *expression = c->expression;
    if (text.size > EXPRESSION_TEXT)
        return compile_fail(c, EXPRESSION_TEXT, "expected at most %d bytes of text, found %zu", EXPRESSION_TEXT, text.size);
    sl_str own = sl_arena_str(&expression->arena, text);
    source s = {own, 0, NULL};
    if (compile_template(c, &s, true, &expression->parts, &expression->part_count) < 0) return -1;
    if (expression->part_count == 0) expression->literal = (sl_str){"", 0};
    else expression->literal = expression->parts[0]->constant.text;
    expression->is_literal = expression->part_count == 0 || (expression->part_count == 1 && expression->parts[0]->type == NODE_CONSTANT);
    return 0;
}

static int compile_new(compiler *c, sl_str text, sl_expression **ret, size_t *ret_offset)
{
    *ret = NULL;
    if (!text.data) text = (sl_str){"", 0};
    c->expression = SL_NEW(sl_expression);
    if (compile_whole(c, text) < 0) {
        sl_expression_free(c->expression);
        if (ret_offset) *ret_offset = SL_MIN(c->error_offset, text.size);
        return -1;
    }
    *ret = c->expression;
    return 0;
}

int sl_expression_compile(sl_str text, const sl_parameter_scope *parameters, sl_expression **ret, size_t *ret_offset, sl_error *error)
{
    compiler c = {.parameters = parameters, .error = error};
    return compile_new(&c, text, ret, ret_offset);
}

int expression_compile_inner(sl_str text, sl_expression **ret, size_t *ret_offset, sl_error *error)
{
    compiler c = {.parameters_disabled = true, .error = error};
    return compile_new(&c, text, ret, ret_offset);
}

void sl_expression_free(sl_expression *expression)
{
    if (!expression) return;
    for (struct prepared *p = expression->prepared; p; p = p->next) p->free(p->data);
    sl_arena_done(&expression->arena);
    free(expression);
}

sl_str sl_expression_literal(const sl_expression *expression) { return expression->is_literal ? expression->literal : (sl_str){NULL, 0}; }

/* ---- texts without expressions ------------------------------------------------------------------------ */
static size_t resolve_marked(compiler *c, sl_str text, size_t at, size_t brace, sl_buf *ret)
{
    size_t marks = brace - at;
    const char *end = memchr(text.data + brace, '}', text.size - brace);
    if (text.data[at] == '#' && marks % 2 && end) {
        source s = {text, 0, NULL};
        template t = {.c = c, .s = &s, .outer = true, .run = *ret};
        sl_buf_add(&t.run, text.data + at, marks / 2);
        int failed = add_parameter(&t, brace - 1, (size_t)(end - text.data) + 1);
        *ret = t.run;
        return failed < 0 ? 0 : (size_t)(end - text.data) + 1;
    }
    sl_buf_add(ret, text.data + at, text.data[at] == '#' && marks % 2 ? marks : (marks + 1) / 2);
    sl_buf_char(ret, '{');
    return brace + 1;
}

int sl_parameters_resolve(sl_str text, const sl_parameter_scope *parameters, sl_buf *ret, size_t *ret_offset, sl_error *error)
{
    sl_expression holder = {0};
    compiler c = {.expression = &holder, .parameters = parameters, .error = error};
    size_t at = 0;
    int failed = 0;
    while (at < text.size && !failed) {
        size_t after = at;
        char mark = text.data[at];
        while (after < text.size && text.data[after] == mark) after++;
        if ((mark == '$' || mark == '#') && after < text.size && text.data[after] == '{') {
            at = resolve_marked(&c, text, at, after, ret);
            if (!at) failed = -1;
            continue;
        }
        sl_buf_add(ret, text.data + at, after - at);
        at = after;
    }
    if (!failed && ret->overflowed)
        failed = compile_fail(&c, text.size, "expected at most %zu bytes of text with its parameters", ret->ceiling);
    if (failed && ret_offset) *ret_offset = SL_MIN(c.error_offset, text.size);
    sl_arena_done(&holder.arena);
    return failed;
}
