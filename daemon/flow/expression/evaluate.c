/* Walks the nodes. One evaluation is one thread's; its values live in the stack's first block, then in blocks of their own. */
#include <stdio.h>

#include "flow/expression/private.h"

void fail_with(evaluation *e, const char *format, va_list arguments)
{
    char text[sizeof e->error->text];
    if (!e->error) return;
    vsnprintf(text, sizeof text, format, arguments);
    sl_error_set(e->error, 0, "%s", text);
}

/* ---- scratch ----------------------------------------------------------------------------------------- */
char *scratch(evaluation *e, size_t size)
{
    if (size > EXPRESSION_RESULT) {
        fail(e, "expected a value of at most %d bytes, found %zu", EXPRESSION_RESULT, size);
        return NULL;
    }
    size = (size + 7) & ~(size_t)7;
    if (size > (size_t)(e->end - e->at)) {
        size_t room = SL_MAX(size, (size_t)4096);
        if ((e->scratch_used += room) > EXPRESSION_SCRATCH) {
            fail(e, "expected values of at most %d bytes in all", EXPRESSION_SCRATCH);
            return NULL;
        }
        struct scratch_block *block = sl_realloc(NULL, sizeof *block + room);
        block->next = e->blocks;
        e->blocks = block;
        e->at = (char *)(block + 1);
        e->end = e->at + room;
    }
    char *start = e->at;
    e->at += size;
    return start;
}

int scratch_buf(evaluation *e, sl_buf *buf, value *ret)
{
    char *copy = NULL;
    if (buf->overflowed) fail(e, "expected a value of at most %d bytes, found more", EXPRESSION_RESULT);
    else if ((copy = scratch(e, buf->size))) {
        if (buf->size) memcpy(copy, buf->data, buf->size);
        *ret = VALUE_TEXT(((sl_str){copy, buf->size}));
    }
    sl_buf_done(buf);
    return copy ? 0 : -1;
}

static void evaluation_done(evaluation *e)
{
    while (e->blocks) {
        struct scratch_block *next = e->blocks->next;
        free(e->blocks);
        e->blocks = next;
    }
}

/* ---- calls -------------------------------------------------------------------------------------------- */
const value *constant_argument(const call *c, size_t i)
{
    if (i >= c->count || c->arguments[i]->type != NODE_CONSTANT || c->arguments[i]->constant.missing) return NULL;
    return &c->arguments[i]->constant;
}

int argument(evaluation *e, const call *c, size_t i, value *ret)
{
    if (evaluate_node(e, c->arguments[i], ret) < 0) return -1;
    return value_to(e, function_argument(c->function, i), ret);
}

static int step(evaluation *e)
{
    if (++e->steps > EXPRESSION_STEPS) return fail(e, "expected at most %d steps of evaluation", EXPRESSION_STEPS);
    return 0;
}

static bool missing_settles(const function *f, value subject, value *ret)
{
    if (!subject.missing || f->missing == MISSING_SEEN) return false;
    if (f->missing == MISSING_FALSE) *ret = VALUE_TRUTH(false);
    else if (f->missing == MISSING_EMPTY) *ret = VALUE_TEXT(SL_STR(""));
    else *ret = VALUE_MISSING(f->result == KIND_NUMBER || f->result == KIND_ANY ? KIND_WHOLE : f->result);
    return true;
}

static int apply(evaluation *e, const call *c, value subject, value *ret)
{
    const function *f = c->function;
    value arguments[EXPRESSION_ARGUMENTS] __attribute__((uninitialized));
    if (step(e) < 0 || value_to(e, f->subject, &subject) < 0) return sl_error_prefix(e->error, "%s", f->name);
    if (missing_settles(f, subject, ret)) return 0;
    for (size_t i = 0; !f->lazy && i < c->count; i++)
        if (argument(e, c, i, &arguments[i]) < 0) return -1;
    if (f->apply(e, c, subject, arguments, ret) < 0) return sl_error_prefix(e->error, "%s", f->name);
    return 0;
}

static int run_calls(evaluation *e, const node *n, size_t count, value *v)
{
    for (size_t i = 0; i < count; i++)
        if (apply(e, &n->calls[i], *v, v) < 0) return -1;
    return 0;
}

/* ---- several values -------------------------------------------------------------------------------------- */
typedef struct gathering { /* what a chain upon several values comes to */
    const node *chain;
    bool any_seen, settled, reduces, joins;
    bool truth;
    int64_t count;
    sl_buf joined;
    value delimiter;
} gathering;

static sl_str attribute_value(evaluation *e, sl_str name)
{
    if (!e->scope || !e->scope->attribute) return (sl_str){NULL, 0};
    return e->scope->attribute(e->scope->context, name);
}

static value attribute_of(evaluation *e, sl_str name)
{
    sl_str found = attribute_value(e, name);
    return found.data ? VALUE_TEXT(found) : VALUE_MISSING(KIND_TEXT);
}

static int join_one(evaluation *e, gathering *g, value v)
{
    const call *last = &g->chain->calls[g->chain->call_count - 1];
    value delimiter;
    if (value_to(e, KIND_TEXT, &v) < 0 || argument(e, last, 0, &delimiter) < 0) return -1;
    if (g->any_seen) sl_buf_str(&g->joined, delimiter.missing ? SL_STR("null") : delimiter.text);
    if (!v.missing) sl_buf_str(&g->joined, v.text);
    if (g->joined.overflowed) return fail(e, "join: expected a value of at most %d bytes, found more", EXPRESSION_RESULT);
    return 0;
}

/* One of the values through the chain. The first decides also when it is missing, as in NiFi. */
static int gather(evaluation *e, gathering *g, value v)
{
    const node *n = g->chain;
    if (step(e) < 0 || run_calls(e, n, n->call_count - g->reduces, &v) < 0) return -1;
    if (g->joins) {
        if (join_one(e, g, v) < 0) return -1;
    } else if (g->reduces) g->count += !v.missing && !(v.kind == KIND_TRUTH && !v.truth);
    else if (v.missing) {
        if (!g->any_seen) g->settled = true, g->truth = false;
    } else if (v.truth != n->head->all) g->settled = true, g->truth = v.truth;
    g->any_seen = true;
    return 0;
}

static int gather_named(evaluation *e, gathering *g)
{
    const node *head = g->chain->head;
    for (size_t i = 0; i < head->item_count && !g->settled; i++) {
        value name;
        if (evaluate_node(e, head->items[i], &name) < 0 || value_to(e, KIND_TEXT, &name) < 0) return -1;
        if (gather(e, g, name.missing ? name : attribute_of(e, name.text)) < 0) return -1;
    }
    return 0;
}

/* A pattern that is a literal was compiled before; another is the caller's to free. */
static regex *pattern_of(evaluation *e, const node *pattern, bool whole)
{
    value text;
    if (evaluate_node(e, pattern, &text) < 0 || value_to(e, KIND_TEXT, &text) < 0) return NULL;
    return regex_new(text.missing ? SL_STR("") : text.text, whole, e->error);
}

static int gather_names(evaluation *e, gathering *g, const regex *pattern)
{
    for (size_t at = 0; !g->settled && e->scope && e->scope->attribute_at; at++) {
        sl_str name = e->scope->attribute_at(e->scope->context, at);
        if (!name.data) return 0;
        int found = step(e) < 0 ? -1 : regex_find(e, pattern, name, NULL, 0);
        if (found < 0 || (found && gather(e, g, attribute_of(e, name)) < 0)) return -1;
    }
    return 0;
}

static int gather_matching(evaluation *e, gathering *g)
{
    const node *head = g->chain->head;
    for (size_t i = 0; i < head->item_count && !g->settled; i++) {
        regex *prepared = head->patterns ? head->patterns[i] : NULL;
        regex *pattern = prepared ? prepared : pattern_of(e, head->items[i], true);
        int failed = pattern ? gather_names(e, g, pattern) : -1;
        if (!prepared) regex_free(pattern);
        if (failed) return -1;
    }
    return 0;
}

/* One piece up to the separator after `from`; -1 failed, 0 it was the last. */
static int next_piece(evaluation *e, const regex *separator, sl_str text, size_t *from, sl_str *ret)
{
    size_t found[2], search = *from;
    for (;;) {
        int matched = search > text.size ? 0 : regex_find_from(e, separator, text, search, false, found, 1);
        if (matched < 0) return -1;
        if (!matched) {
            *ret = (sl_str){text.data + *from, text.size - *from};
            return 0;
        }
        if (found[1] > *from && found[1] > 0 && !(found[0] == found[1] && found[1] == text.size)) break;
        search = found[1] + (found[0] == found[1]);
    }
    *ret = (sl_str){text.data + *from, found[0] - *from};
    *from = found[1];
    return 1;
}

/* Java's split: by a pattern; empty texts at the end are dropped, so they wait in `empty` for one that is not. */
static int gather_pieces(evaluation *e, gathering *g, const regex *separator, sl_str text)
{
    size_t from = 0, empty = 0;
    for (int more = 1; more && !g->settled;) {
        sl_str piece;
        more = next_piece(e, separator, text, &from, &piece);
        if (more < 0 || step(e) < 0) return -1;
        if (!piece.size && text.size) {
            empty++;
            continue;
        }
        for (; empty && !g->settled; empty--)
            if (gather(e, g, VALUE_TEXT(SL_STR(""))) < 0) return -1;
        if (!g->settled && gather(e, g, VALUE_TEXT(piece)) < 0) return -1;
    }
    return 0;
}

static int gather_delineated(evaluation *e, gathering *g)
{
    const node *head = g->chain->head;
    value text;
    if (evaluate_node(e, head->items[0], &text) < 0 || value_to(e, KIND_TEXT, &text) < 0) return -1;
    if (text.missing) return 0;
    regex *prepared = head->patterns ? head->patterns[1] : NULL;
    regex *separator = prepared ? prepared : pattern_of(e, head->items[1], false);
    int failed = separator ? gather_pieces(e, g, separator, text.text) : -1;
    if (!prepared) regex_free(separator);
    return failed;
}

static int gather_all(evaluation *e, gathering *g)
{
    int failed;
    switch (g->chain->head->selection) {
    case SELECT_NAMED: failed = gather_named(e, g); break;
    case SELECT_MATCHING: failed = gather_matching(e, g); break;
    default: failed = gather_delineated(e, g); break;
    }
    if (failed < 0) return -1;
    return g->any_seen ? 0 : gather(e, g, VALUE_MISSING(KIND_TEXT));
}

static int evaluate_selection(evaluation *e, const node *n, value *ret)
{
    const function *last = n->calls[n->call_count - 1].function;
    gathering g = {.chain = n, .joined = SL_BUF(EXPRESSION_RESULT), .truth = n->head->all};
    g.reduces = last->result != KIND_TRUTH;
    g.joins = g.reduces && last->result == KIND_TEXT;
    int failed = gather_all(e, &g);
    if (failed < 0) sl_buf_done(&g.joined);
    else if (g.joins) return scratch_buf(e, &g.joined, ret);
    *ret = g.reduces ? VALUE_WHOLE(g.count) : VALUE_TRUTH(g.truth);
    return failed;
}

/* ---- nodes ----------------------------------------------------------------------------------------------- */
static int evaluate_named(evaluation *e, const node *n, value *ret)
{
    value name;
    if (evaluate_node(e, n->head, &name) < 0 || value_to(e, KIND_TEXT, &name) < 0) return -1;
    *ret = name.missing ? VALUE_MISSING(KIND_TEXT) : attribute_of(e, name.text);
    return 0;
}

static int evaluate_concatenation(evaluation *e, const node *n, value *ret)
{
    sl_buf joined = SL_BUF(EXPRESSION_RESULT);
    for (size_t i = 0; i < n->item_count; i++) {
        value v;
        if (evaluate_node(e, n->items[i], &v) < 0 || value_to(e, KIND_TEXT, &v) < 0) {
            sl_buf_done(&joined);
            return -1;
        }
        if (!v.missing) sl_buf_str(&joined, v.text);
    }
    return scratch_buf(e, &joined, ret);
}

int evaluate_node(evaluation *e, const node *n, value *ret)
{
    switch (n->type) {
    case NODE_CONSTANT: *ret = n->constant; return 0;
    case NODE_ATTRIBUTE: *ret = attribute_of(e, n->constant.text); return 0;
    case NODE_ATTRIBUTE_NAMED: return evaluate_named(e, n, ret);
    case NODE_CONCATENATION: return evaluate_concatenation(e, n, ret);
    case NODE_STANDALONE: return apply(e, n->calls, VALUE_MISSING(KIND_TEXT), ret);
    default: break;
    }
    if (n->head->type == NODE_SELECTION) return evaluate_selection(e, n, ret);
    if (evaluate_node(e, n->head, ret) < 0) return -1;
    return run_calls(e, n, n->call_count, ret);
}

/* ---- API ---------------------------------------------------------------------------------------------------- */
int evaluate_parts(evaluation *e, const sl_expression *expression, sl_buf *ret)
{
    for (size_t i = 0; i < expression->part_count; i++) {
        value v;
        sl_str text;
        if (evaluate_node(e, expression->parts[i], &v) < 0) return -1;
        if (v.missing) continue;
        if (value_text(e, v, &text) < 0) return -1;
        if (sl_buf_str(ret, text) < 0) return fail(e, "expected a value of at most %zu bytes, found more", ret->ceiling);
    }
    return 0;
}

#define EVALUATION(name_, scope_, error_)                                \
    char name_##_block[1024] __attribute__((uninitialized, aligned(8))); \
    evaluation name_ = {.scope = (scope_), .error = (error_), .at = name_##_block, .end = name_##_block + sizeof name_##_block}

int sl_expression_evaluate(const sl_expression *expression, const sl_expression_scope *scope, sl_buf *ret, sl_error *error)
{
    EVALUATION(e, scope, error);
    int failed = evaluate_parts(&e, expression, ret);
    evaluation_done(&e);
    return failed;
}

static int test_parts(evaluation *e, const sl_expression *expression, bool *ret)
{
    value v = VALUE_MISSING(KIND_TEXT);
    if (expression->part_count == 1) {
        if (evaluate_node(e, expression->parts[0], &v) < 0) return -1;
    } else {
        sl_buf joined = SL_BUF(EXPRESSION_RESULT);
        if (evaluate_parts(e, expression, &joined) < 0) {
            sl_buf_done(&joined);
            return -1;
        }
        if (scratch_buf(e, &joined, &v) < 0) return -1;
    }
    if (v.missing) *ret = false;
    else if (v.kind == KIND_TRUTH) *ret = v.truth;
    else *ret = v.kind == KIND_TEXT && v.text.size == 4 && strncasecmp(v.text.data, "true", 4) == 0;
    return 0;
}

int sl_expression_test(const sl_expression *expression, const sl_expression_scope *scope, bool *ret, sl_error *error)
{
    EVALUATION(e, scope, error);
    *ret = false;
    int failed = test_parts(&e, expression, ret);
    evaluation_done(&e);
    return failed;
}
