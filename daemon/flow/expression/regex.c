/* Java's regular expressions on PCRE2. What PCRE2 has under another name is rewritten; what it would silently take for
 * something else (classes within classes, intersections) is refused. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "flow/expression/private.h"

struct regex {
    pcre2_code *code;
    pcre2_code *strict; /* for text that is known to be UTF-8: no look through all of it at each match; NULL when whole */
    pcre2_match_context *limits;
};

enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 100000, HEAP_LIMIT_KIB = 16 * 1024 };

/* ---- from Java's form ------------------------------------------------------------------------------- */
typedef struct rewriting {
    sl_str in;
    size_t at;
    bool in_class;
    sl_buf out;
    sl_error *error;
} rewriting;

static int refuse(rewriting *w, const char *what)
{
    return sl_error_set(w->error, 0, "expected a regular expression without %s, which is not in this version, found one at %zu of \"%.*s\"",
                        what, w->at, (int)SL_MIN(w->in.size, (size_t)120), w->in.data);
}

static bool is_hex(char c) { return strchr("0123456789abcdefABCDEF", c) && c; }

/* \p{Alpha} and its kin are POSIX's classes over ASCII. */
static size_t posix_class(sl_str rest, sl_buf *out, bool in_class)
{
    static const struct {
        const char *java, *posix;
    } names[] = {{"Lower", "a-z"},
                 {"Upper", "A-Z"},
                 {"ASCII", "\\x00-\\x7F"},
                 {"Alpha", "a-zA-Z"},
                 {"Digit", "0-9"},
                 {"Alnum", "a-zA-Z0-9"},
                 {"Punct", "!-\\/:-@\\[-`{-~"},
                 {"Graph", "!-~"},
                 {"Print", " -~"},
                 {"Blank", " \\t"},
                 {"Cntrl", "\\x00-\\x1F\\x7F"},
                 {"XDigit", "0-9a-fA-F"},
                 {"Space", " \\t\\n\\x0B\\f\\r"},
                 {"IsAlphabetic", "\\p{L}\\p{Nl}"},
                 {"IsDigit", "\\p{Nd}"},
                 {"IsLetter", "\\p{L}"},
                 {"IsUppercase", "\\p{Lu}"},
                 {"IsLowercase", "\\p{Ll}"}};
    for (size_t i = 0; i < SL_COUNT(names); i++) {
        size_t size = strlen(names[i].java);
        if (rest.size < size + 4 || memcmp(rest.data + 3, names[i].java, size) != 0 || rest.data[size + 3] != '}') continue;
        bool negated = rest.data[1] == 'P';
        if (negated && in_class) return 0;
        sl_buf_text(out, in_class ? "" : negated ? "[^" : "[");
        sl_buf_text(out, names[i].posix);
        sl_buf_text(out, in_class ? "" : "]");
        return size + 4;
    }
    return 0;
}

static size_t rewrite_escape(rewriting *w)
{
    sl_str rest = {w->in.data + w->at, w->in.size - w->at};
    if (rest.size > 3 && (rest.data[1] | 0x20) == 'p' && rest.data[2] == '{') {
        size_t taken = posix_class(rest, &w->out, w->in_class);
        if (taken) return taken;
    }
    if (rest.size >= 6 && rest.data[1] == 'u' && is_hex(rest.data[2]) && is_hex(rest.data[3]) && is_hex(rest.data[4]) &&
        is_hex(rest.data[5])) {
        sl_buf_printf(&w->out, "\\x{%.4s}", rest.data + 2);
        return 6;
    }
    if (rest.size >= 2 && rest.data[1] == 'Q') {
        const char *end = memmem(rest.data, rest.size, "\\E", 2);
        size_t size = end ? (size_t)(end - rest.data) + 2 : rest.size;
        sl_buf_add(&w->out, rest.data, size);
        return size;
    }
    size_t size = SL_MIN(rest.size, (size_t)2);
    sl_buf_add(&w->out, rest.data, size);
    return size;
}

/* `[`, `[^`, and a `]` right after them, which PCRE2 would take for a member as Java does not. */
static int rewrite_class_start(rewriting *w)
{
    if (w->in_class) return refuse(w, "a class within a class");
    w->in_class = true;
    sl_buf_char(&w->out, '[');
    w->at++;
    if (w->at < w->in.size && w->in.data[w->at] == '^') {
        sl_buf_char(&w->out, '^');
        w->at++;
    }
    if (w->at < w->in.size && w->in.data[w->at] == ']') return refuse(w, "an empty class");
    return 0;
}

static int rewrite(rewriting *w)
{
    while (w->at < w->in.size) {
        char here = w->in.data[w->at];
        if (here == '\\') {
            w->at += rewrite_escape(w);
            continue;
        }
        if (here == '[') {
            if (rewrite_class_start(w) < 0) return -1;
            continue;
        }
        if (w->in_class && here == '&' && w->at + 1 < w->in.size && w->in.data[w->at + 1] == '&')
            return refuse(w, "an intersection of classes");
        if (here == ']') w->in_class = false;
        if (here == '(' && w->at + 1 < w->in.size && w->in.data[w->at + 1] == '*') return refuse(w, "(*");
        sl_buf_char(&w->out, here);
        w->at++;
    }
    return 0;
}

/* ---- compiled ------------------------------------------------------------------------------------------ */
static pcre2_code *compile_code(sl_str pattern, uint32_t more, sl_error *error)
{
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) abort();
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, 100);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern.data, pattern.size, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | more, &code, &at, context);
    pcre2_compile_context_free(context);
    if (compiled) return compiled;
    PCRE2_UCHAR reason[128] = "";
    pcre2_get_error_message(code, reason, sizeof reason);
    sl_error_set(error, 0, "expected a regular expression, found \"%.*s\": %s at %zu", (int)SL_MIN(pattern.size, (size_t)120), pattern.data,
                 (char *)reason, (size_t)at);
    return NULL;
}

regex *regex_new(sl_str pattern, bool whole, sl_error *error)
{
    if (pattern.size > EXPRESSION_REGEX) {
        sl_error_set(error, 0, "expected a regular expression of at most %d bytes, found %zu", EXPRESSION_REGEX, pattern.size);
        return NULL;
    }
    rewriting w = {.in = pattern, .out = SL_BUF((size_t)EXPRESSION_REGEX * 8), .error = error};
    uint32_t more = PCRE2_MATCH_INVALID_UTF | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0);
    pcre2_code *code = rewrite(&w) < 0 ? NULL : compile_code(sl_buf_view(&w.out), more, error);
    pcre2_code *strict = code && !whole ? compile_code(sl_buf_view(&w.out), 0, error) : NULL;
    sl_buf_done(&w.out);
    if (!code) return NULL;
    regex *r = SL_NEW(regex);
    r->code = code;
    r->strict = strict;
    r->limits = pcre2_match_context_create(NULL);
    if (!r->limits) abort();
    pcre2_set_match_limit(r->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
    return r;
}

void regex_free(void *data)
{
    regex *r = data;
    if (!r) return;
    pcre2_match_context_free(r->limits);
    pcre2_code_free(r->code);
    pcre2_code_free(r->strict);
    free(r);
}

size_t regex_groups(const regex *r)
{
    uint32_t count = 0;
    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

int regex_group_named(const regex *r, const char *name)
{
    int number = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)name);
    return number > 0 ? number : -1;
}

int regex_find(evaluation *e, const regex *r, sl_str text, size_t *ovector, size_t pairs)
{
    return regex_find_from(e, r, text, 0, false, ovector, pairs);
}

int regex_find_from(evaluation *e, const regex *r, sl_str text, size_t from, bool valid, size_t *ovector, size_t pairs)
{
    pcre2_match_data *data = pcre2_match_data_create((uint32_t)(pairs ? pairs : 1), NULL);
    if (!data) abort();
    bool strict = valid && r->strict;
    int found =
        pcre2_match(strict ? r->strict : r->code, (PCRE2_SPTR)text.data, text.size, from, strict ? PCRE2_NO_UTF_CHECK : 0, data, r->limits);
    if (found >= 0 && ovector)
        for (size_t i = 0; i < pairs * 2; i++)
            ovector[i] = found == 0 || i < (size_t)found * 2 ? pcre2_get_ovector_pointer(data)[i] : SIZE_MAX;
    pcre2_match_data_free(data);
    if (found == PCRE2_ERROR_NOMATCH) return 0;
    if (found >= 0) return 1;
    PCRE2_UCHAR reason[128] = "";
    pcre2_get_error_message(found, reason, sizeof reason);
    return fail(e, "expected a regular expression that ends within its limits, found one that does not: %s", (char *)reason);
}

static int prepare(compiler *c, call *call, bool whole)
{
    const value *pattern = constant_argument(call, 0);
    if (!pattern || pattern->kind != KIND_TEXT) return 0;
    sl_error error;
    call->prepared = regex_new(pattern->text, whole, &error);
    if (!call->prepared) return compile_fail(c, call->arguments[0]->offset, "%s: %s", call->function->name, error.text);
    compile_keep(c, call->prepared, regex_free);
    return 0;
}

int prepare_regex(compiler *c, call *call) { return prepare(c, call, false); }
int prepare_regex_whole(compiler *c, call *call) { return prepare(c, call, true); }
