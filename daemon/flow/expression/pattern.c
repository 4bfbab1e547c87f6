/* Java's DateTimeFormatter patterns, compiled. */
#include <stdio.h>

#include "flow/expression/pattern.h"

enum { MOST_PATTERN = 512, MOST_OPTIONAL = 16 };

/* Letters with the most of them that may stand together. */
static const struct {
    char letter;
    int most;
} letters[] = {{'G', 5}, {'u', 19}, {'y', 19}, {'D', 3},  {'M', 5},  {'L', 5}, {'d', 2}, {'Q', 5}, {'q', 5}, {'Y', 19}, {'w', 2},
               {'W', 1}, {'E', 5},  {'e', 5},  {'c', 5},  {'F', 1},  {'a', 1}, {'h', 2}, {'K', 2}, {'k', 2}, {'H', 2},  {'m', 2},
               {'s', 2}, {'S', 9},  {'A', 19}, {'n', 19}, {'N', 19}, {'V', 2}, {'z', 4}, {'O', 4}, {'X', 5}, {'x', 5},  {'Z', 5}};

bool number_shape_of(const element *at, number_shape *ret)
{
    int count = at->count;
    switch (at->letter) {
    case 'u':
    case 'y':
        if (count == 2) *ret = (number_shape){2, 2, SIGN_NONE, false};
        else *ret = (number_shape){count, 19, count < 4 ? SIGN_NORMAL : SIGN_EXCEEDS, false};
        return true;
    case 'M':
    case 'L':
        if (count > 2) return false;
        /* fall through */
    case 'd':
    case 'h':
    case 'K':
    case 'k':
    case 'H':
    case 'm':
    case 's': *ret = count == 1 ? (number_shape){1, 19, SIGN_NORMAL, false} : (number_shape){2, 2, SIGN_NONE, false}; return true;
    case 'D': *ret = count == 1 ? (number_shape){1, 19, SIGN_NORMAL, false} : (number_shape){count, 3, SIGN_NONE, false}; return true;
    case 'S': *ret = (number_shape){count, count, SIGN_NONE, true}; return true;
    case 'n': *ret = (number_shape){count, 19, SIGN_NORMAL, false}; return true;
    case 'A':
    case 'N': *ret = (number_shape){count, 19, SIGN_NONE, false}; return true;
    default: return false;
    }
}

static int refuse(sl_error *error, sl_str text, size_t at, const char *what)
{
    return sl_error_set(error, 0, "expected a date pattern, found \"%.*s\": %s at %zu", (int)SL_MIN(text.size, (size_t)120), text.data,
                        what, at);
}

static element *add_element(pattern *p, char letter, int count)
{
    p->elements = sl_grow(p->elements, p->count, &p->capacity, sizeof *p->elements);
    p->elements[p->count] = (element){.letter = letter, .count = count};
    return &p->elements[p->count++];
}

/* Literals beside one another are one. */
static void add_literal(pattern *p, char *at, size_t size)
{
    element *last = p->count ? &p->elements[p->count - 1] : NULL;
    if (last && !last->letter && last->literal.data + last->literal.size == at) {
        last->literal.size += size;
        return;
    }
    add_element(p, 0, 0)->literal = (sl_str){at, size};
}

/* 'quoted', with '' for a quote; '' alone is one. The copy's own bytes are closed up. */
static int compile_quoted(pattern *p, sl_str text, size_t *at, sl_error *error)
{
    size_t from = *at, i = from + 1, size = 0;
    char *out = p->text + from;
    if (i < text.size && text.data[i] == '\'') {
        out[0] = '\'';
        add_literal(p, out, 1);
        *at = i + 1;
        return 0;
    }
    for (; i < text.size; i++) {
        if (text.data[i] == '\'') {
            if (i + 1 >= text.size || text.data[i + 1] != '\'') break;
            i++;
        }
        out[size++] = text.data[i];
    }
    if (i >= text.size) return refuse(error, text, from, "a quote that nothing closes");
    add_literal(p, out, size);
    *at = i + 1;
    return 0;
}

static int compile_letter(pattern *p, sl_str text, size_t *at, sl_error *error)
{
    char letter = text.data[*at];
    size_t end = *at;
    while (end < text.size && text.data[end] == letter) end++;
    int count = (int)(end - *at);
    for (size_t i = 0; i < SL_COUNT(letters); i++) {
        if (letters[i].letter != letter) continue;
        bool odd = (letter == 'V' && count != 2) || (letter == 'O' && count != 1 && count != 4) || (letter == 'c' && count == 2);
        if (count > letters[i].most || odd) return refuse(error, text, *at, "too many or too few of a letter");
        add_element(p, letter, count);
        *at = end;
        return 0;
    }
    return refuse(error, text, *at, strchr("Bgpv", letter) ? "a letter that is not in this version" : "an unknown letter");
}

static int compile_bracket(pattern *p, sl_str text, size_t at, size_t *open, size_t *depth, sl_error *error)
{
    if (text.data[at] == '[') {
        if (*depth == MOST_OPTIONAL) return refuse(error, text, at, "too many optional parts within one another");
        open[(*depth)++] = p->count;
        add_element(p, '[', 0);
        return 0;
    }
    if (!*depth) return refuse(error, text, at, "a ] without its [");
    p->elements[open[--*depth]].matching = p->count;
    add_element(p, ']', 0);
    return 0;
}

static int compile_elements(pattern *p, sl_str text, sl_error *error)
{
    size_t open[MOST_OPTIONAL], depth = 0;
    for (size_t at = 0; at < text.size;) {
        char here = text.data[at];
        int failed = 0;
        if (here == '\'') failed = compile_quoted(p, text, &at, error);
        else if ((here >= 'a' && here <= 'z') || (here >= 'A' && here <= 'Z')) failed = compile_letter(p, text, &at, error);
        else if (here == '[' || here == ']') failed = compile_bracket(p, text, at++, open, &depth, error);
        else if (here == '{' || here == '}' || here == '#') failed = refuse(error, text, at, "a character that must be quoted");
        else add_literal(p, p->text + at, 1), at++;
        if (failed < 0) return -1;
    }
    /* An optional part that nothing closes ends with the pattern. */
    while (depth) {
        p->elements[open[--depth]].matching = p->count;
        add_element(p, ']', 0);
    }
    return 0;
}

/* Numbers right after one another: the first takes what the widths of those behind it leave. */
static void link_numbers(pattern *p)
{
    element *first = NULL;
    for (size_t i = 0; i < p->count; i++) {
        number_shape shape;
        element *at = &p->elements[i];
        if (!number_shape_of(at, &shape)) {
            first = NULL;
            continue;
        }
        if (first && shape.least == shape.most && shape.sign == SIGN_NONE) {
            if (first->subsequent >= 0) first->subsequent += shape.most;
            at->subsequent = -1;
        } else {
            if (first) first->subsequent = first->subsequent ? first->subsequent : -1;
            first = at;
        }
    }
}

pattern *pattern_new(sl_str text, sl_error *error)
{
    if (!text.size || text.size > MOST_PATTERN) {
        sl_error_set(error, 0, "expected a date pattern of 1 to %d characters, found %zu", MOST_PATTERN, text.size);
        return NULL;
    }
    pattern *p = SL_NEW(pattern);
    p->text = sl_strndup(text.data, text.size);
    if (compile_elements(p, text, error) < 0) {
        pattern_free(p);
        return NULL;
    }
    link_numbers(p);
    return p;
}

char pattern_unreadable(const pattern *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->elements[i].letter && strchr("wWYFecQq", p->elements[i].letter)) return p->elements[i].letter;
    return 0;
}

void pattern_free(void *data)
{
    pattern *p = data;
    if (!p) return;
    free(p->elements);
    free(p->text);
    free(p);
}
