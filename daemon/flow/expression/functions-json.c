/* JSON: isJson and the jsonPath family. */
#include <math.h>
#include <stdio.h>

#include "flow/expression/functions.h"
#include "flow/expression/json-path.h"

FUNCTION(json_is_json)
{
    (void)e, (void)c, (void)arguments;
    sl_str text = java_trim(subject.text);
    *ret = VALUE_TRUTH(false);
    if (text.size < 2) return 0;
    char first = text.data[0], last = text.data[text.size - 1];
    if (!(first == '[' && last == ']') && !(first == '{' && last == '}')) return 0;
    /* As in NiFi the first value decides, whatever follows it. */
    json_t *parsed = json_loadb(text.data, text.size, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
    ret->truth = parsed != NULL;
    json_decref(parsed);
    return 0;
}

/* ---- writing: as Jackson, with Java's decimals ------------------------------------------------------------ */
static void write_string(sl_buf *out, const char *text, size_t size)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    sl_buf_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        const char *found = text[i] ? strchr(special, text[i]) : NULL;
        if (found) sl_buf_printf(out, "\\%c", letters[found - special]);
        else if ((unsigned char)text[i] < 0x20) sl_buf_printf(out, "\\u%04X", (unsigned char)text[i]);
        else sl_buf_char(out, text[i]);
    }
    sl_buf_char(out, '"');
}

static void write_json(sl_buf *out, json_t *v)
{
    char text[32];
    const char *key;
    json_t *child;
    size_t i, n = 0;
    if (out->overflowed) return;
    switch (json_typeof(v)) {
    case JSON_STRING: write_string(out, json_string_value(v), json_string_length(v)); break;
    case JSON_INTEGER: sl_buf_add(out, text, whole_text(json_integer_value(v), text)); break;
    case JSON_REAL: sl_buf_add(out, text, decimal_text(json_real_value(v), text)); break;
    case JSON_TRUE: sl_buf_text(out, "true"); break;
    case JSON_FALSE: sl_buf_text(out, "false"); break;
    case JSON_NULL: sl_buf_text(out, "null"); break;
    case JSON_ARRAY:
        sl_buf_char(out, '[');
        json_array_foreach(v, i, child)
        {
            if (i) sl_buf_char(out, ',');
            write_json(out, child);
        }
        sl_buf_char(out, ']');
        break;
    default:
        sl_buf_char(out, '{');
        json_object_foreach(v, key, child)
        {
            if (n++) sl_buf_char(out, ',');
            write_string(out, key, strlen(key));
            sl_buf_char(out, ':');
            write_json(out, child);
        }
        sl_buf_char(out, '}');
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------- */
int prepare_json_path(compiler *c, call *call)
{
    const value *text = constant_argument(call, 0);
    sl_error error;
    if (!text || text->kind != KIND_TEXT) return 0;
    call->prepared = json_path_new(text->text, &error);
    if (!call->prepared) return compile_fail(c, call->arguments[0]->offset, "%s: %s", call->function->name, error.text);
    compile_keep(c, call->prepared, json_path_free);
    return 0;
}

typedef struct work {
    json_t *document;
    const json_path *path;
    json_path *own;
    json_matches found;
} work;

static void work_done(work *w)
{
    free(w->found.items);
    json_path_free(w->own);
    json_decref(w->document);
}

static int work_begin(evaluation *e, const call *c, value subject, value path, work *ret)
{
    json_error_t problem;
    *ret = (work){.path = c->prepared};
    if (subject.missing || !subject.text.size) return fail(e, "expected JSON as its subject, found nothing");
    ret->document = json_loadb(subject.text.data, subject.text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    if (!ret->document) return fail(e, "expected JSON as its subject, found something else: %s", problem.text);
    if (!ret->path) ret->path = ret->own = json_path_new(path.missing ? SL_STR("") : path.text, e->error);
    if (ret->path && json_path_find(e, ret->path, ret->document, &ret->found) == 0) return 0;
    work_done(ret);
    return -1;
}

/* A text as it is, a list of one as its item, null as nothing, else JSON. */
static int represent(evaluation *e, json_t *v, value *ret)
{
    while (json_is_array(v) && json_array_size(v) == 1) v = json_array_get(v, 0);
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    if (json_is_string(v)) sl_buf_add(&out, json_string_value(v), json_string_length(v));
    else if (!json_is_null(v)) write_json(&out, v);
    return scratch_buf(e, &out, ret);
}

FUNCTION(json_path_read)
{
    work w;
    *ret = VALUE_TEXT(SL_STR(""));
    if (work_begin(e, c, subject, arguments[0], &w) < 0) return -1;
    int failed = 0;
    if (!json_path_definite(w.path)) {
        json_t *list = json_array();
        for (size_t i = 0; i < w.found.count; i++) json_array_append(list, w.found.items[i].value);
        failed = represent(e, list, ret);
        json_decref(list);
    } else if (w.found.count) failed = represent(e, w.found.items[0].value, ret);
    work_done(&w);
    return failed;
}

/* ---- changing ------------------------------------------------------------------------------------------------- */
static json_t *json_of(value v)
{
    if (v.missing) return json_null();
    switch (v.kind) {
    case KIND_TEXT: return json_stringn(v.text.data, v.text.size);
    case KIND_WHOLE: return json_integer(v.whole);
    case KIND_DECIMAL: return isfinite(v.decimal) ? json_real(v.decimal) : NULL;
    case KIND_TRUTH: return json_boolean(v.truth);
    default: return NULL;
    }
}

typedef enum change { SET, ADD, PUT, DELETE } change;

static bool is_key(sl_str key) { return sl_utf8_valid(key) && !memchr(key.data, 0, key.size); }

/* False: this place cannot take it, so all comes to nothing. */
static bool change_one(change what, const json_match *m, json_t *v, sl_str key)
{
    if (what == ADD) return json_is_array(m->value) && json_array_append(m->value, v) == 0;
    if (what == PUT) {
        char *name = sl_strndup(key.data, key.size);
        bool done = is_key(key) && json_is_object(m->value) && json_object_set(m->value, name, v) == 0;
        free(name);
        return done;
    }
    if (!m->parent) return false;
    if (what == DELETE) return (m->key ? json_object_del(m->parent, m->key) : json_array_remove(m->parent, m->index)) == 0;
    return (m->key ? json_object_set(m->parent, m->key, v) : json_array_set(m->parent, m->index, v)) == 0;
}

static int by_place(const void *left, const void *right)
{
    const json_match *a = left, *b = right;
    if (a->parent != b->parent) return (uintptr_t)a->parent < (uintptr_t)b->parent ? -1 : 1;
    if (a->key != b->key) return (uintptr_t)a->key < (uintptr_t)b->key ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* A place can be found twice (`..`); it is deleted once. */
static void unite(json_matches *found)
{
    size_t kept = 0;
    if (found->count) qsort(found->items, found->count, sizeof *found->items, by_place);
    for (size_t i = 0; i < found->count; i++)
        if (!kept || by_place(&found->items[kept - 1], &found->items[i]) != 0) found->items[kept++] = found->items[i];
    found->count = kept;
}

/* From the last, so that the indexes before it stay. What a change releases may hold places still to be changed, so
 * each has references of its own until all are done. */
static bool change_places(const json_matches *found, change what, json_t *v, sl_str key)
{
    bool done = true;
    for (size_t i = 0; i < found->count; i++) {
        json_incref(found->items[i].parent);
        json_incref(found->items[i].value);
    }
    for (size_t i = found->count; i-- && done;) done = change_one(what, &found->items[i], v, key);
    for (size_t i = 0; i < found->count; i++) {
        json_decref(found->items[i].parent);
        json_decref(found->items[i].value);
    }
    return done;
}

static int change_all(evaluation *e, work *w, change what, value v, sl_str key, value *ret)
{
    json_t *new = what == DELETE ? json_null() : json_of(v);
    if (!new) return fail(e, "expected a text, a number or a condition as the value");
    *ret = VALUE_TEXT(SL_STR(""));
    if (what == DELETE) unite(&w->found);
    bool done = !(what == PUT && !w->found.count) && change_places(&w->found, what, new, key);
    json_decref(new);
    if (!done) return 0;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    write_json(&out, w->document);
    return scratch_buf(e, &out, ret);
}

static int change_document(evaluation *e, const call *c, value subject, const value *arguments, change what, value *ret)
{
    work w;
    sl_str key = SL_STR("");
    if (what == PUT && arguments[1].missing) return fail(e, "expected a text as the key, found none");
    if (what == PUT) key = arguments[1].text;
    if (work_begin(e, c, subject, arguments[0], &w) < 0) return -1;
    int failed = change_all(e, &w, what, what == DELETE ? VALUE_MISSING(KIND_TEXT) : arguments[what == PUT ? 2 : 1], key, ret);
    work_done(&w);
    return failed;
}

FUNCTION(json_path_set) { return change_document(e, c, subject, arguments, SET, ret); }
FUNCTION(json_path_add) { return change_document(e, c, subject, arguments, ADD, ret); }
FUNCTION(json_path_put) { return change_document(e, c, subject, arguments, PUT, ret); }
FUNCTION(json_path_delete) { return change_document(e, c, subject, arguments, DELETE, ret); }
