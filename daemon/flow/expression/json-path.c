#include "flow/expression/json-path.h"

#include <math.h>

#include "flow/expression/text.h"

enum { MOST_STEPS = 64, MOST_MATCHES = 100000, MOST_VISITS = 1000000, MOST_CONDITIONS = 64 };

typedef enum step_type { STEP_NAME, STEP_ANY, STEP_INDEXES, STEP_SLICE, STEP_FILTER } step_type;
typedef enum compare { EXISTS, EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, NOT, AND, OR } compare;

typedef struct operand {
    json_path *path; /* from @ or $, or NULL: `literal` */
    bool from_root;
    json_t *literal;
} operand;

typedef struct condition { /* a tree over an array; children by index */
    compare compare;
    operand left, right;
    int first, second;
} condition;

typedef struct step {
    step_type type;
    bool descends; /* after `..`: of everything below */
    char *name;
    int64_t *indexes; /* of a slice: first and last, INT64_MIN: open */
    size_t index_count, index_capacity;
    condition *conditions;
    size_t condition_count, condition_capacity;
    int root;
} step;

struct json_path {
    step *steps;
    size_t count, capacity;
};

/* ---- freeing ------------------------------------------------------------------------------------------ */
static void operand_done(operand *o)
{
    json_path_free(o->path);
    json_decref(o->literal);
}

void json_path_free(void *data)
{
    json_path *p = data;
    if (!p) return;
    for (size_t i = 0; i < p->count; i++) {
        step *s = &p->steps[i];
        for (size_t j = 0; j < s->condition_count; j++) {
            operand_done(&s->conditions[j].left);
            operand_done(&s->conditions[j].right);
        }
        free(s->conditions);
        free(s->indexes);
        free(s->name);
    }
    free(p->steps);
    free(p);
}

/* ---- compiling ------------------------------------------------------------------------------------------ */
typedef struct reader {
    sl_str text;
    size_t at;
    unsigned depth;
    sl_error *error;
} reader;

static int refuse(const reader *r, const char *expected)
{
    return sl_error_set(r->error, 0, "expected %s at %zu of the JsonPath \"%.*s\"", expected, r->at, (int)SL_MIN(r->text.size, (size_t)120),
                        r->text.data);
}

static char peek(const reader *r) { return r->at < r->text.size ? r->text.data[r->at] : 0; }

static void skip_space(reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r') r->at++;
}

static bool take(reader *r, const char *what)
{
    size_t size = strlen(what);
    if (r->text.size - r->at < size || memcmp(r->text.data + r->at, what, size) != 0) return false;
    r->at += size;
    return true;
}

static step *add_step(json_path *p, step_type type, bool descends)
{
    p->steps = sl_grow(p->steps, p->count, &p->capacity, sizeof *p->steps);
    p->steps[p->count] = (step){.type = type, .descends = descends};
    return &p->steps[p->count++];
}

/* A quoted text, backslashes resolved. NULL: it does not end. */
static char *read_quoted(reader *r)
{
    char quote = r->text.data[r->at++];
    sl_buf out = SL_BUF(EXPRESSION_REGEX);
    while (peek(r) && peek(r) != quote) {
        if (peek(r) == '\\' && r->at + 1 < r->text.size) r->at++;
        sl_buf_char(&out, r->text.data[r->at++]);
    }
    if (peek(r) != quote) {
        sl_buf_done(&out);
        refuse(r, "a closing quote");
        return NULL;
    }
    r->at++;
    return sl_buf_take(&out);
}

static int read_integer(reader *r, int64_t *ret)
{
    size_t from = r->at;
    value v;
    bool overflow = false;
    if (peek(r) == '-') r->at++;
    while (peek(r) >= '0' && peek(r) <= '9') r->at++;
    if (number_of((sl_str){r->text.data + from, r->at - from}, &v, &overflow) != WHOLE_NUMBER || overflow) return refuse(r, "an index");
    *ret = v.whole;
    return 0;
}

static void add_index(step *s, int64_t index)
{
    s->indexes = sl_grow(s->indexes, s->index_count, &s->index_capacity, sizeof *s->indexes);
    s->indexes[s->index_count++] = index;
}

static int read_path(reader *r, json_path *p, bool in_filter);

/* ---- filters ------------------------------------------------------------------------------------------------ */
static int read_or(reader *r, step *s, int *ret);

static int add_condition(reader *r, step *s, condition c, int *ret)
{
    if (s->condition_count >= MOST_CONDITIONS) {
        operand_done(&c.left);
        operand_done(&c.right);
        return refuse(r, "fewer conditions");
    }
    s->conditions = sl_grow(s->conditions, s->condition_count, &s->condition_capacity, sizeof *s->conditions);
    *ret = (int)s->condition_count;
    s->conditions[s->condition_count++] = c;
    return 0;
}

static int read_literal(reader *r, operand *ret)
{
    if (peek(r) == '\'' || peek(r) == '"') {
        char *text = read_quoted(r);
        if (!text) return -1;
        ret->literal = json_string(text);
        free(text);
        return ret->literal ? 0 : refuse(r, "a text in UTF-8");
    }
    if (take(r, "true")) ret->literal = json_true();
    else if (take(r, "false")) ret->literal = json_false();
    else if (take(r, "null")) ret->literal = json_null();
    if (ret->literal) return 0;
    size_t from = r->at;
    value v;
    bool overflow;
    while (peek(r) && strchr("+-.eE0123456789", peek(r))) r->at++;
    if (number_of((sl_str){r->text.data + from, r->at - from}, &v, &overflow) == NOT_NUMBER || overflow)
        return refuse(r, "@, a text, a number, true, false or null");
    ret->literal = v.kind == KIND_WHOLE ? json_integer(v.whole) : json_real(isfinite(v.decimal) ? v.decimal : 0);
    return 0;
}

static int read_operand(reader *r, operand *ret)
{
    *ret = (operand){0};
    skip_space(r);
    if (peek(r) != '@' && peek(r) != '$') return read_literal(r, ret);
    ret->from_root = r->text.data[r->at++] == '$';
    ret->path = SL_NEW(json_path);
    return read_path(r, ret->path, true);
}

static compare read_operator(reader *r)
{
    static const struct {
        const char *text;
        compare compare;
    } operators[] = {{"==", EQUAL}, {"!=", UNEQUAL}, {"<=", LESS_EQUAL}, {">=", GREATER_EQUAL}, {"<", LESS}, {">", GREATER}};
    skip_space(r);
    for (size_t i = 0; i < SL_COUNT(operators); i++)
        if (take(r, operators[i].text)) return operators[i].compare;
    return EXISTS;
}

static int read_comparison(reader *r, step *s, int *ret)
{
    condition c = {0};
    int failed = read_operand(r, &c.left);
    if (!failed) c.compare = read_operator(r);
    if (!failed && c.compare == EXISTS && !c.left.path) failed = refuse(r, "== != < <= > or >=");
    if (!failed && c.compare != EXISTS) failed = read_operand(r, &c.right);
    if (!failed) return add_condition(r, s, c, ret);
    operand_done(&c.left);
    operand_done(&c.right);
    return -1;
}

static int read_primary(reader *r, step *s, int *ret)
{
    condition c = {.compare = NOT};
    skip_space(r);
    if (r->depth > 16) return refuse(r, "fewer conditions within one another");
    if (take(r, "!")) {
        r->depth++;
        int failed = read_primary(r, s, &c.first);
        r->depth--;
        return failed ? -1 : add_condition(r, s, c, ret);
    }
    if (!take(r, "(")) return read_comparison(r, s, ret);
    r->depth++;
    int failed = read_or(r, s, ret);
    r->depth--;
    skip_space(r);
    return failed ? -1 : take(r, ")") ? 0 : refuse(r, ")");
}

static int read_joined(reader *r, step *s, const char *word, compare compare, int (*inner)(reader *, step *, int *), int *ret)
{
    if (inner(r, s, ret) < 0) return -1;
    for (skip_space(r); take(r, word); skip_space(r)) {
        condition c = {.compare = compare, .first = *ret};
        if (inner(r, s, &c.second) < 0 || add_condition(r, s, c, ret) < 0) return -1;
    }
    return 0;
}

static int read_and(reader *r, step *s, int *ret) { return read_joined(r, s, "&&", AND, read_primary, ret); }
static int read_or(reader *r, step *s, int *ret) { return read_joined(r, s, "||", OR, read_and, ret); }

/* ---- steps ---------------------------------------------------------------------------------------------------- */
static int read_filter(reader *r, step *s)
{
    s->type = STEP_FILTER;
    if (!take(r, "?(")) return refuse(r, "?(");
    if (read_or(r, s, &s->root) < 0) return -1;
    skip_space(r);
    return take(r, ")") ? 0 : refuse(r, ") or an operator of this version: == != < <= > >= && ||");
}

static int read_numbers(reader *r, step *s)
{
    int64_t index = INT64_MIN;
    if (peek(r) != ':' && read_integer(r, &index) < 0) return -1;
    add_index(s, index);
    skip_space(r);
    if (take(r, ":")) {
        s->type = STEP_SLICE;
        index = INT64_MIN;
        skip_space(r);
        if (peek(r) != ']' && read_integer(r, &index) < 0) return -1;
        add_index(s, index);
        return 0;
    }
    s->type = STEP_INDEXES;
    while (take(r, ",")) {
        skip_space(r);
        if (read_integer(r, &index) < 0) return -1;
        add_index(s, index);
        skip_space(r);
    }
    return 0;
}

static int read_bracket(reader *r, json_path *p, bool descends)
{
    int failed = 0;
    step *s = add_step(p, STEP_ANY, descends);
    r->at++;
    skip_space(r);
    if (take(r, "*")) s->type = STEP_ANY;
    else if (peek(r) == '?') failed = read_filter(r, s);
    else if (peek(r) == '\'' || peek(r) == '"') {
        s->type = STEP_NAME;
        s->name = read_quoted(r);
        failed = s->name ? 0 : -1;
    } else failed = read_numbers(r, s);
    if (failed) return -1;
    skip_space(r);
    if (peek(r) == ',') return refuse(r, "one name (several are not in this version)");
    return take(r, "]") ? 0 : refuse(r, "]");
}

static int read_name(reader *r, json_path *p, bool descends, bool in_filter)
{
    const char *ends = in_filter ? ".[()]<>=!&| \t\n" : ".[( \t\n";
    size_t from = r->at;
    if (take(r, "*")) {
        add_step(p, STEP_ANY, descends);
        return 0;
    }
    while (peek(r) && !strchr(ends, peek(r))) r->at++;
    if (r->at == from) return refuse(r, "a name, * or [ after the dot");
    if (peek(r) == '(') return refuse(r, "no function (they are not in this version)");
    add_step(p, STEP_NAME, descends)->name = sl_strndup(r->text.data + from, r->at - from);
    return 0;
}

static int read_path(reader *r, json_path *p, bool in_filter)
{
    for (;;) {
        if (p->count >= MOST_STEPS) return refuse(r, "fewer steps");
        bool descends = false;
        if (take(r, ".")) {
            descends = take(r, ".");
            if (peek(r) != '[') {
                if (read_name(r, p, descends, in_filter) < 0) return -1;
                continue;
            }
            if (!descends) return refuse(r, "a name after the dot");
        }
        if (peek(r) != '[') return 0;
        if (r->depth > 16) return refuse(r, "fewer filters within one another");
        r->depth++;
        int failed = read_bracket(r, p, descends);
        r->depth--;
        if (failed) return -1;
    }
}

json_path *json_path_new(sl_str text, sl_error *error)
{
    reader r = {.text = sl_str_trim(text), .error = error};
    json_path *p = SL_NEW(json_path);
    int failed = text.size > EXPRESSION_REGEX || !r.text.size ? refuse(&r, "a path of reasonable size") : 0;
    if (!failed && !take(&r, "$") && peek(&r) != '[') failed = read_name(&r, p, false, false);
    if (!failed) failed = read_path(&r, p, false);
    if (!failed && r.at < r.text.size) failed = refuse(&r, ". or [");
    if (!failed) return p;
    json_path_free(p);
    return NULL;
}

bool json_path_definite(const json_path *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const step *s = &p->steps[i];
        if (s->descends || (s->type != STEP_NAME && !(s->type == STEP_INDEXES && s->index_count == 1))) return false;
    }
    return true;
}

/* ---- finding --------------------------------------------------------------------------------------------------- */
typedef struct search {
    evaluation *e;
    json_t *document;
    size_t visits;
    unsigned filters;
} search;

static int find(search *s, const json_path *p, json_t *from, json_matches *ret);

static int visit(search *s)
{
    if (++s->visits > MOST_VISITS) return fail(s->e, "expected a JsonPath that visits at most %d places", MOST_VISITS);
    return 0;
}

static int add_match(search *s, json_matches *into, json_match m)
{
    if (!m.value) return 0;
    if (into->count >= MOST_MATCHES) return fail(s->e, "expected a JsonPath that finds at most %d places", MOST_MATCHES);
    into->items = sl_grow(into->items, into->count, &into->capacity, sizeof *into->items);
    into->items[into->count++] = m;
    return 0;
}

static json_match in_array(json_t *array, int64_t index)
{
    int64_t size = (int64_t)json_array_size(array);
    if (index < 0) index += size;
    if (index < 0 || index >= size) return (json_match){0};
    return (json_match){json_array_get(array, (size_t)index), array, NULL, (size_t)index};
}

/* ---- conditions --------------------------------------------------------------------------------------------------- */
/* The operand's value, NULL: there is none. */
static int operand_value(search *s, const operand *o, json_t *here, json_t **ret)
{
    json_matches found = {0};
    *ret = o->literal;
    if (!o->path) return 0;
    int failed = find(s, o->path, o->from_root ? s->document : here, &found);
    *ret = !failed && found.count ? found.items[0].value : NULL;
    free(found.items);
    return failed;
}

static bool as_number(json_t *v, double *ret)
{
    value number;
    bool overflow;
    if (json_is_number(v)) return *ret = json_number_value(v), true;
    if (!json_is_string(v) || number_of((sl_str){json_string_value(v), json_string_length(v)}, &number, &overflow) == NOT_NUMBER)
        return false;
    *ret = number.kind == KIND_DECIMAL ? number.decimal : (double)number.whole;
    return true;
}

static bool equal_values(json_t *a, json_t *b)
{
    double left, right;
    if (!a || !b) return false;
    if (json_is_integer(a) && json_is_integer(b)) return json_integer_value(a) == json_integer_value(b);
    if ((json_is_number(a) || json_is_number(b)) && as_number(a, &left) && as_number(b, &right)) return left == right;
    return json_equal(a, b) != 0;
}

/* -1, 0, 1; 2: they have no order */
static int order_values(json_t *a, json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        double left = json_number_value(a), right = json_number_value(b);
        return (left > right) - (left < right);
    }
    if (!json_is_string(a) || !json_is_string(b)) return 2;
    int order =
        sl_str_compare((sl_str){json_string_value(a), json_string_length(a)}, (sl_str){json_string_value(b), json_string_length(b)});
    return (order > 0) - (order < 0);
}

static bool compares(compare c, json_t *a, json_t *b)
{
    if (c == EQUAL) return equal_values(a, b);
    if (c == UNEQUAL) return !equal_values(a, b);
    int order = a && b ? order_values(a, b) : 2;
    if (c == LESS) return order == -1;
    if (c == LESS_EQUAL) return order == -1 || order == 0;
    if (c == GREATER) return order == 1;
    return order == 1 || order == 0;
}

static int holds(search *s, const step *filter, int at, json_t *here, bool *ret)
{
    const condition *c = &filter->conditions[at];
    json_t *left, *right = NULL;
    if (visit(s) < 0) return -1;
    if (c->compare == NOT || c->compare == AND || c->compare == OR) {
        if (holds(s, filter, c->first, here, ret) < 0) return -1;
        if (c->compare == NOT) *ret = !*ret;
        else if (*ret == (c->compare == AND)) return holds(s, filter, c->second, here, ret);
        return 0;
    }
    if (operand_value(s, &c->left, here, &left) < 0) return -1;
    if (c->compare != EXISTS && operand_value(s, &c->right, here, &right) < 0) return -1;
    *ret = c->compare == EXISTS ? left != NULL : compares(c->compare, left, right);
    return 0;
}

/* ---- steps --------------------------------------------------------------------------------------------------------- */
static int each_child(search *s, json_t *of, int (*with)(search *s, const step *st, json_match child, json_matches *into), const step *st,
                      json_matches *into)
{
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_object(of)) {
        json_object_foreach(of, key, child) if (visit(s) < 0 || with(s, st, (json_match){child, of, key, 0}, into) < 0) return -1;
    } else {
        json_array_foreach(of, i, child) if (visit(s) < 0 || with(s, st, (json_match){child, of, NULL, i}, into) < 0) return -1;
    }
    return 0;
}

static int take_child(search *s, const step *st, json_match child, json_matches *into)
{
    (void)st;
    return add_match(s, into, child);
}

static int filter_child(search *s, const step *st, json_match child, json_matches *into)
{
    bool is;
    if (holds(s, st, st->root, child.value, &is) < 0) return -1;
    return is ? add_match(s, into, child) : 0;
}

static int slice(search *s, const step *st, json_t *array, json_matches *into)
{
    int64_t size = (int64_t)json_array_size(array), first = st->indexes[0], last = st->indexes[1];
    if (first == INT64_MIN) first = 0;
    if (last == INT64_MIN) last = size;
    if (first < 0) first = SL_MAX(first + size, (int64_t)0);
    if (last < 0) last += size;
    for (int64_t i = first; i < SL_MIN(last, size); i++)
        if (visit(s) < 0 || add_match(s, into, in_array(array, i)) < 0) return -1;
    return 0;
}

static int apply_step(search *s, const step *st, json_match at, json_matches *into)
{
    bool array = json_is_array(at.value), object = json_is_object(at.value), is;
    if (visit(s) < 0) return -1;
    switch (st->type) {
    case STEP_NAME:
        if (!object) return 0;
        return add_match(s, into, (json_match){json_object_get(at.value, st->name), at.value, st->name, 0});
    case STEP_ANY: return array || object ? each_child(s, at.value, take_child, st, into) : 0;
    case STEP_SLICE: return array ? slice(s, st, at.value, into) : 0;
    case STEP_INDEXES:
        for (size_t i = 0; array && i < st->index_count; i++)
            if (add_match(s, into, in_array(at.value, st->indexes[i])) < 0) return -1;
        return 0;
    default: break;
    }
    if (array) return each_child(s, at.value, filter_child, st, into);
    if (!object || holds(s, st, st->root, at.value, &is) < 0) return object ? -1 : 0;
    return is ? add_match(s, into, at) : 0;
}

/* The step at the place itself and at everything below. */
static int descend(search *s, const step *st, json_match at, json_matches *into)
{
    if (apply_step(s, st, at, into) < 0) return -1;
    return json_is_array(at.value) || json_is_object(at.value) ? each_child(s, at.value, descend, st, into) : 0;
}

static int descend_each(search *s, const step *st, json_match at, json_matches *into)
{
    return st->descends ? descend(s, st, at, into) : apply_step(s, st, at, into);
}

static int find(search *s, const json_path *p, json_t *from, json_matches *ret)
{
    *ret = (json_matches){0};
    if (add_match(s, ret, (json_match){from, NULL, NULL, 0}) < 0) return -1;
    for (size_t i = 0; i < p->count; i++) {
        json_matches next = {0};
        int failed = 0;
        for (size_t j = 0; j < ret->count && !failed; j++) failed = descend_each(s, &p->steps[i], ret->items[j], &next);
        free(ret->items);
        *ret = next;
        if (failed) return -1;
    }
    return 0;
}

int json_path_find(evaluation *e, const json_path *p, json_t *document, json_matches *ret)
{
    search s = {.e = e, .document = document};
    return find(&s, p, document, ret);
}
