/* Tokens of what stands inside `${...}`. */
#include "flow/expression/private.h"

static bool ends_name(char c) { return c == 0 || strchr("${}()[],:;/*' \t\r\n", c) != NULL; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A comment runs from `#` to the end of its line. */
static int skip_space(compiler *c, lexer *l)
{
    sl_str text = l->source->text;
    for (;;) {
        while (l->at < text.size && memchr(" \t\r\n", text.data[l->at], 4)) l->at++;
        if (l->at >= text.size || text.data[l->at] != '#') return 0;
        if (l->at + 1 < text.size && text.data[l->at + 1] == '{') return 0;
        const char *end = memchr(text.data + l->at, '\n', text.size - l->at);
        if (!end) return compile_fail(c, source_offset(l->source, l->at), "expected a line's end after the comment that begins here");
        l->at = (size_t)(end - text.data) + 1;
    }
}

static size_t digits(sl_str text, size_t at)
{
    while (at < text.size && is_digit(text.data[at])) at++;
    return at;
}

static size_t exponent(sl_str text, size_t at)
{
    if (at >= text.size || (text.data[at] | 0x20) != 'e') return at;
    size_t first = at + 1;
    if (first < text.size && (text.data[first] == '+' || text.data[first] == '-')) first++;
    size_t end = digits(text, first);
    return end > first ? end : at;
}

/* The end of the number at `at`, or `at` when there is none. */
static size_t number_end(sl_str text, size_t at, token_type *type)
{
    size_t first = at;
    if (first < text.size && (text.data[first] == '+' || text.data[first] == '-')) first++;
    size_t end = digits(text, first);
    *type = TOKEN_WHOLE;
    if (end < text.size && text.data[end] == '.' && (end > first || (end + 1 < text.size && is_digit(text.data[end + 1])))) {
        end = digits(text, end + 1);
        *type = TOKEN_DECIMAL;
    }
    if (end == first) return at;
    size_t after = exponent(text, end);
    if (after > end) *type = TOKEN_DECIMAL;
    return after;
}

static size_t name_end(sl_str text, size_t at)
{
    while (at < text.size && !ends_name(text.data[at])) at++;
    return at;
}

static int lex_string(compiler *c, lexer *l, token *ret)
{
    sl_str text = l->source->text;
    char quote = text.data[l->at];
    size_t at = l->at + 1;
    while (at < text.size && text.data[at] != quote) {
        if (memchr("\r\n\t", text.data[at], 3))
            return compile_fail(c, source_offset(l->source, at),
                                "expected the string's closing %c, found a line's end or a tab: write \\n, \\r or \\t", quote);
        at += text.data[at] == '\\' ? 2 : 1;
    }
    if (at >= text.size)
        return compile_fail(c, source_offset(l->source, l->at), "expected a closing %c for the string that begins here", quote);
    *ret = (token){TOKEN_STRING, l->at, {text.data + l->at + 1, at - l->at - 1}};
    l->at = at + 1;
    return 0;
}

static int lex_parameter(compiler *c, lexer *l, token *ret)
{
    sl_str text = l->source->text;
    const char *end = memchr(text.data + l->at, '}', text.size - l->at);
    if (!end) return compile_fail(c, source_offset(l->source, l->at), "expected } after the parameter's name");
    sl_str name = sl_str_trim((sl_str){text.data + l->at + 2, (size_t)(end - text.data) - l->at - 2});
    if (name.size >= 2 && (name.data[0] == '\'' || name.data[0] == '"') && name.data[name.size - 1] == name.data[0])
        name = (sl_str){name.data + 1, name.size - 2};
    *ret = (token){TOKEN_PARAMETER, l->at, name};
    l->at = (size_t)(end - text.data) + 1;
    return 0;
}

static token_type punctuation(char c)
{
    switch (c) {
    case '$': return TOKEN_DOLLAR;
    case '{': return TOKEN_LEFT_BRACE;
    case '}': return TOKEN_RIGHT_BRACE;
    case '(': return TOKEN_LEFT_PAREN;
    case ')': return TOKEN_RIGHT_PAREN;
    case ':': return TOKEN_COLON;
    case ',': return TOKEN_COMMA;
    default: return TOKEN_OTHER;
    }
}

/* What begins with + - or . is a number when all of it is one, else a name. */
static size_t lex_word(sl_str text, size_t at, token_type *type)
{
    size_t number = number_end(text, at, type);
    if (is_digit(text.data[at])) return number;
    size_t name = name_end(text, at);
    if (number > at && number >= name) return number;
    *type = TOKEN_NAME;
    return name;
}

int lex(compiler *c, lexer *l, token *ret)
{
    if (skip_space(c, l) < 0) return -1;
    sl_str text = l->source->text;
    *ret = (token){TOKEN_END, l->at, {text.data + l->at, 0}};
    if (l->at >= text.size) return 0;
    char first = text.data[l->at];
    if (first == '\'' || first == '"') return lex_string(c, l, ret);
    if (first == '#') return lex_parameter(c, l, ret);
    if (ends_name(first)) {
        *ret = (token){punctuation(first), l->at, {text.data + l->at, 1}};
        l->at++;
        return 0;
    }
    size_t end = lex_word(text, l->at, &ret->type);
    ret->text.size = end - l->at;
    l->at = end;
    return 0;
}

source string_source(compiler *c, const source *s, const token *string)
{
    sl_str raw = string->text;
    size_t start = (size_t)(raw.data - s->text.data);
    if (!memchr(raw.data, '\\', raw.size) && !s->map) return (source){raw, s->base + start, NULL};
    char *text = sl_arena_alloc(&c->expression->arena, raw.size + 1);
    uint32_t *map = sl_arena_alloc(&c->expression->arena, (raw.size + 1) * sizeof *map);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        map[size] = (uint32_t)source_offset(s, start + i);
        if (raw.data[i] != '\\' || i + 1 == raw.size) {
            text[size++] = raw.data[i];
            continue;
        }
        const char *known = memchr("\"'rnt", raw.data[i + 1], 5);
        if (!known) { /* stays for the runs, both bytes */
            text[size++] = '\\';
            map[size] = (uint32_t)source_offset(s, start + i + 1);
            text[size++] = raw.data[i + 1];
        } else text[size++] = "\"'\r\n\t"[known - "\"'rnt"];
        i++;
    }
    map[size] = (uint32_t)source_offset(s, start + raw.size);
    return (source){{text, size}, 0, map};
}

sl_str unescape_run(sl_arena *arena, sl_str run)
{
    if (!memchr(run.data, '\\', run.size)) return sl_arena_str(arena, run);
    char *text = sl_arena_alloc(arena, run.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < run.size; i++) {
        if (run.data[i] != '\\') {
            text[size++] = run.data[i];
            continue;
        }
        if (++i == run.size) break;
        if (run.data[i] == 'n') text[size++] = '\n';
        else if (run.data[i] == 'r') text[size++] = '\r';
        else {
            if (run.data[i] != '\\') text[size++] = '\\';
            text[size++] = run.data[i];
        }
    }
    return (sl_str){text, size};
}
