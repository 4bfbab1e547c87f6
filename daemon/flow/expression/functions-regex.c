/* Search and replacement by regular expressions. */
#include "flow/expression/functions.h"

enum { GROUPS = 100 }; /* pairs looked at in a replacement */

/* The pattern of argument 0: prepared, or the caller's to free in *own. */
static const regex *pattern_of(evaluation *e, const call *c, value text, bool whole, regex **own)
{
    *own = NULL;
    if (c->prepared) return c->prepared;
    if (text.missing) {
        fail(e, "expected a regular expression, found none");
        return NULL;
    }
    return *own = regex_new(text.text, whole, e->error);
}

static int test(evaluation *e, const call *c, value subject, value pattern, bool whole, value *ret)
{
    regex *own;
    *ret = VALUE_TRUTH(false);
    if (pattern.missing) return 0;
    const regex *r = pattern_of(e, c, pattern, whole, &own);
    if (!r) return -1;
    int found = regex_find(e, r, subject.text, NULL, 0);
    regex_free(own);
    ret->truth = found > 0;
    return found < 0 ? -1 : 0;
}

FUNCTION(regex_function_matches) { return test(e, c, subject, arguments[0], true, ret); }
FUNCTION(regex_function_find) { return test(e, c, subject, arguments[0], false, ret); }

/* ---- replacement: $1, ${name}, \x --------------------------------------------------------------------------- */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void add_group(sl_buf *out, sl_str subject, const size_t *found, size_t group)
{
    if (found[group * 2] != SIZE_MAX && found[group * 2 + 1] >= found[group * 2])
        sl_buf_add(out, subject.data + found[group * 2], found[group * 2 + 1] - found[group * 2]);
}

/* `$` with digits: as many as make a group that there is, one at least. */
static int numbered(evaluation *e, sl_str with, size_t *at, size_t groups, size_t *ret)
{
    size_t group = (size_t)(with.data[*at] - '0');
    if (group > groups) return fail(e, "expected a group up to $%zu in the replacement, found $%zu", groups, group);
    while (*at + 1 < with.size && is_digit(with.data[*at + 1]) && group * 10 + (size_t)(with.data[*at + 1] - '0') <= groups)
        group = group * 10 + (size_t)(with.data[++*at] - '0');
    ++*at;
    *ret = group;
    return 0;
}

static int named(evaluation *e, const regex *r, sl_str with, size_t *at, size_t *ret)
{
    char name[64];
    const char *end = memchr(with.data + *at, '}', with.size - *at);
    size_t size = end ? (size_t)(end - with.data) - *at - 1 : 0;
    if (!end || !size || size >= sizeof name)
        return fail(e, "expected ${GROUP} in the replacement, found \"%.*s\"", (int)SL_MIN(with.size, (size_t)80), with.data);
    memcpy(name, with.data + *at + 1, size);
    name[size] = 0;
    int group = regex_group_named(r, name);
    if (group < 0) return fail(e, "expected a group of the pattern in the replacement, found \"%s\"", name);
    *at = (size_t)(end - with.data) + 1;
    *ret = (size_t)group;
    return 0;
}

static int add_replacement(evaluation *e, const regex *r, sl_str with, sl_str subject, const size_t *found, sl_buf *out)
{
    size_t groups = SL_MIN(regex_groups(r), (size_t)GROUPS - 1), group = 0;
    for (size_t at = 0; at < with.size;) {
        char here = with.data[at];
        if (here != '$' && here != '\\') {
            sl_buf_char(out, here);
            at++;
            continue;
        }
        if (++at == with.size) return fail(e, "expected a character after %c in the replacement: write \\%c for it", here, here);
        if (here == '\\') {
            sl_buf_char(out, with.data[at++]);
            continue;
        }
        if (!is_digit(with.data[at]) && with.data[at] != '{')
            return fail(e, "expected a group's number after $ in the replacement: write \\$ for a dollar");
        if ((with.data[at] == '{' ? named(e, r, with, &at, &group) : numbered(e, with, &at, groups, &group)) < 0) return -1;
        add_group(out, subject, found, SL_MIN(group, (size_t)GROUPS - 1));
    }
    return 0;
}

static int replace_matches(evaluation *e, const regex *r, sl_str subject, sl_str with, bool all, sl_buf *out)
{
    size_t found[GROUPS * 2] = {0}, at = 0, done = 0;
    bool valid = sl_utf8_valid(subject);
    while (at <= subject.size && !out->overflowed) {
        int matched = ++e->steps > EXPRESSION_STEPS * 10 ? fail(e, "expected fewer matches")
                                                         : regex_find_from(e, r, subject, at, valid, found, GROUPS);
        if (matched < 0) return -1;
        if (!matched || found[1] < found[0]) break;
        sl_buf_add(out, subject.data + done, found[0] - done);
        if (add_replacement(e, r, with, subject, found, out) < 0) return -1;
        done = found[1];
        at = found[1];
        if (found[0] == found[1]) { /* an empty match: go on after the character here */
            size_t size = at < subject.size ? character_size(subject, at) : 1;
            if (at < subject.size) sl_buf_add(out, subject.data + at, size);
            at += size;
            done = SL_MIN(at, subject.size);
        }
        if (!all) break;
    }
    sl_buf_add(out, subject.data + done, subject.size - done);
    return 0;
}

static int replace(evaluation *e, const call *c, value subject, const value *arguments, bool all, value *ret)
{
    regex *own;
    if (arguments[1].missing) return fail(e, "expected a text as its replacement, found none");
    const regex *r = pattern_of(e, c, arguments[0], false, &own);
    if (!r) return -1;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    int failed = replace_matches(e, r, subject.text, arguments[1].text, all, &out);
    regex_free(own);
    if (!failed) return scratch_buf(e, &out, ret);
    sl_buf_done(&out);
    return -1;
}

FUNCTION(regex_function_replace_all) { return replace(e, c, subject, arguments, true, ret); }
FUNCTION(regex_function_replace_first) { return replace(e, c, subject, arguments, false, ret); }

/* ---- replaceByPattern: "pattern:value,pattern:value" ----------------------------------------------------------- */
typedef struct mappings {
    struct mapping {
        regex *pattern;
        char *value;
        size_t size;
    } * items;
    size_t count, capacity;
} mappings;

static void mappings_free(void *data)
{
    mappings *m = data;
    for (size_t i = 0; i < m->count; i++) {
        regex_free(m->items[i].pattern);
        free(m->items[i].value);
    }
    free(m->items);
    free(m);
}

/* Pairs that are not a pattern and a value are left out, as in NiFi. */
static mappings *mappings_new(sl_str text)
{
    mappings *m = SL_NEW(mappings);
    size_t at = 0;
    for (sl_str pair; split_next(text, SL_STR(","), &at, &pair);) {
        sl_error ignored;
        pair = java_trim(pair);
        sl_str colon = find_text(pair, SL_STR(":"));
        if (!colon.data) continue;
        sl_str pattern = {pair.data, (size_t)(colon.data - pair.data)};
        sl_str with = {colon.data + 1, pair.size - pattern.size - 1};
        const char *more = memchr(with.data, ':', with.size);
        if (more) with.size = (size_t)(more - with.data);
        regex *r = is_blank(pattern) || is_blank(with) ? NULL : regex_new(pattern, true, &ignored);
        if (!r) continue;
        m->items = sl_grow(m->items, m->count, &m->capacity, sizeof *m->items);
        m->items[m->count++] = (struct mapping){r, sl_strndup(with.data, with.size), with.size};
    }
    return m;
}

int prepare_mappings(compiler *c, call *call)
{
    const value *text = constant_argument(call, 0);
    if (text && text->kind == KIND_TEXT) call->prepared = compile_keep(c, mappings_new(text->text), mappings_free);
    return 0;
}

static int map_value(evaluation *e, const mappings *m, value subject, value *ret)
{
    for (size_t i = 0; i < m->count; i++) {
        int found = regex_find(e, m->items[i].pattern, subject.text, NULL, 0);
        if (found < 0) return -1;
        if (!found) continue;
        char *copy = scratch(e, m->items[i].size);
        if (!copy) return -1;
        memcpy(copy, m->items[i].value, m->items[i].size);
        *ret = VALUE_TEXT(((sl_str){copy, m->items[i].size}));
        break;
    }
    return 0;
}

FUNCTION(regex_function_replace_by_pattern)
{
    *ret = subject;
    if (arguments[0].missing) return 0;
    mappings *m = c->prepared ? c->prepared : mappings_new(arguments[0].text);
    int failed = map_value(e, m, subject, ret);
    if (!c->prepared) mappings_free(m);
    return failed;
}

/* ---- several attributes ------------------------------------------------------------------------------------------ */
int prepare_selection(compiler *c, call *call)
{
    bool delineated = strstr(call->function->name, "Delineated") != NULL;
    regex **patterns = sl_arena_alloc(&c->expression->arena, (call->count + 1) * sizeof(regex *));
    for (size_t i = delineated ? 1 : 0; i < call->count; i++) {
        const value *text = constant_argument(call, i);
        sl_error error;
        if (!text || text->kind != KIND_TEXT) continue;
        patterns[i] = regex_new(text->text, !delineated, &error);
        if (!patterns[i]) return compile_fail(c, call->arguments[i]->offset, "%s: %s", call->function->name, error.text);
        compile_keep(c, patterns[i], regex_free);
    }
    call->prepared = patterns;
    return 0;
}

FUNCTION(reduce_join)
{
    (void)e, (void)c, (void)arguments;
    *ret = subject.missing ? VALUE_TEXT(SL_STR("")) : subject;
    return 0;
}

FUNCTION(reduce_count)
{
    (void)e, (void)c, (void)arguments;
    *ret = VALUE_WHOLE(!subject.missing && !(subject.kind == KIND_TRUTH && !subject.truth));
    return 0;
}
