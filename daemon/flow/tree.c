#include "flow/tree.h"

#include <yaml.h>

enum { MOST_BYTES = 1 << 20, MOST_NODES = 100000, MOST_DEPTH = 64 };

typedef struct reader {
    yaml_parser_t parser;
    sl_str text;
    sl_arena *arena;
    sl_problems *problems;
    size_t nodes;
} reader;

static sl_mark mark_of(yaml_mark_t mark) { return (sl_mark){(unsigned)mark.line + 1, (unsigned)mark.column + 1}; }

static sl_mark mark_of_byte(sl_str text, size_t offset)
{
    sl_mark mark = {1, 1};
    for (size_t at = 0, step; at < offset && at < text.size; at += step) {
        step = SL_MAX(sl_utf8_sequence(text, at), (size_t)1);
        if (text.data[at] == '\n') mark.line++, mark.column = 1;
        else mark.column++;
    }
    return mark;
}

/* ---- what libyaml says, with what to write instead --------------------------------------------- */

static const char *advice(const char *problem)
{
    static const struct {
        const char *problem, *advice;
    } advices[] = {
        {"tab character", "indent with spaces, not with tabs"},
        {"cannot start any token", "indent with spaces, not with tabs, and put a text that begins with a special character in quotes"},
        {"mapping values are not allowed", "put a text that holds \": \" in quotes, and check the indentation"},
        {"could not find expected ':'", "write KEY: VALUE"},
        {"did not find expected key", "check the indentation, and that quotes and braces before it are closed"},
        {"did not find expected '-' indicator", "check the indentation of the list"},
        {"did not find expected ',' or", "close the list or mapping, or put a comma between its items"},
        {"unexpected end of stream", "close the quotes"},
        {"unknown escape character", "in double quotes \\ begins an escape: write \\\\ for one, or use single quotes"},
        {"control characters are not allowed", "remove it, or write it as an escape in double quotes"},
    };
    for (size_t i = 0; i < SL_COUNT(advices); i++)
        if (strstr(problem, advices[i].problem)) return advices[i].advice;
    return "see the example in sluice(1)";
}

static void syntax_error(reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    sl_mark mark = parser->error == YAML_READER_ERROR ? mark_of_byte(r->text, parser->problem_offset) : mark_of(parser->problem_mark);
    if (parser->context && parser->error != YAML_READER_ERROR)
        sl_problem_error(r->problems, mark, "not YAML: %s %s that begins in line %zu; %s", problem, parser->context,
                         parser->context_mark.line + 1, advice(problem));
    else sl_problem_error(r->problems, mark, "not YAML: %s; %s", problem, advice(problem));
}

static int next(reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event)) return 0;
    syntax_error(r);
    return -1;
}

/* ---- nodes --------------------------------------------------------------------------------------- */

static sl_node *new_node(reader *r, sl_node_kind kind, const yaml_event_t *event)
{
    sl_node *node = sl_arena_alloc(r->arena, sizeof *node);
    node->kind = kind;
    node->mark = mark_of(event->start_mark);
    return node;
}

static void refuse_decoration(reader *r, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    sl_mark mark = mark_of(event->start_mark);
    if (anchor) sl_problem_error(r->problems, mark, "the anchor &%.40s is not allowed; write the value where it is needed", anchor);
    if (tag) sl_problem_error(r->problems, mark, "the tag %.60s is not allowed; the property decides the type, leave the tag out", tag);
}

static size_t characters(sl_str text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; at += SL_MAX(sl_utf8_sequence(text, at), (size_t)1)) count++;
    return count;
}

/* Text and source are the same run when their lengths are: no escapes, no folded lines. */
static sl_mark text_mark(const sl_node *node, const yaml_event_t *event)
{
    size_t quotes = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 2;
    size_t width = event->end_mark.column - event->start_mark.column;
    bool same = event->start_mark.line == event->end_mark.line && width == characters(node->text) + quotes;
    return same ? (sl_mark){node->mark.line, node->mark.column + (unsigned)quotes / 2} : (sl_mark){0, 0};
}

static sl_node *scalar(reader *r, const yaml_event_t *event)
{
    sl_node *node = new_node(r, SL_SCALAR, event);
    refuse_decoration(r, event, event->data.scalar.anchor, event->data.scalar.tag);
    node->text = sl_arena_str(r->arena, (sl_str){(const char *)event->data.scalar.value, event->data.scalar.length});
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text_mark = text_mark(node, event);
    const char *nul = node->text.size ? memchr(node->text.data, 0, node->text.size) : NULL;
    if (nul) {
        sl_problem_error(r->problems, node->mark, "a text cannot hold the character NUL; leave \\0 out");
        node->text.size = (size_t)(nul - node->text.data);
    }
    return node;
}

static sl_node *read_node(reader *r, yaml_event_t *event, unsigned depth);

typedef struct pairs {
    sl_node **keys, **values;
    size_t count, key_capacity, value_capacity;
    sl_map seen;
} pairs;

static void null_value(reader *r, const sl_node *key, const sl_node *value)
{
    if (!sl_node_null(value)) return;
    if (key)
        sl_problem_error(r->problems, value->mark, "`%.*s` has no value; write one, \"\" for an empty text, or leave the key out",
                         SL_STR_ARGS(key->text));
    else sl_problem_error(r->problems, value->mark, "expected an item of the list, found none; write one, or \"\" for an empty text");
}

static void keep_pair(reader *r, pairs *p, sl_node *key, sl_node *value)
{
    if (key->kind != SL_SCALAR || sl_node_null(key)) {
        if (key->kind != SL_SCALAR || key->text_mark.line) /* else an alias, told */
            sl_problem_error(r->problems, key->mark, "expected a name as the key, found %s",
                             key->kind == SL_SCALAR ? "nothing" : sl_node_kind_name(key->kind));
        return;
    }
    const sl_node *first = sl_map_get(&p->seen, key->text);
    if (first) {
        sl_problem_error(r->problems, key->mark, "duplicate key `%.*s`, first written in line %u; remove one of them",
                         SL_STR_ARGS(key->text), first->mark.line);
        return;
    }
    sl_map_put(&p->seen, key->text, key);
    p->keys = sl_grow(p->keys, p->count, &p->key_capacity, sizeof *p->keys);
    p->values = sl_grow(p->values, p->count, &p->value_capacity, sizeof *p->values);
    p->keys[p->count] = key;
    p->values[p->count++] = value;
}

static sl_node **into_arena(reader *r, sl_node **nodes, size_t count)
{
    sl_node **copy = sl_arena_alloc(r->arena, (count + 1) * sizeof *copy);
    if (count) memcpy(copy, nodes, count * sizeof *copy);
    return copy;
}

/* -1: fatal, told. 1: the end. */
static int read_pair(reader *r, pairs *p, unsigned depth)
{
    yaml_event_t event;
    if (next(r, &event) < 0) return -1;
    if (event.type == YAML_MAPPING_END_EVENT) return yaml_event_delete(&event), 1;
    sl_node *key = read_node(r, &event, depth), *value = NULL;
    if (!key || next(r, &event) < 0 || !(value = read_node(r, &event, depth))) return -1;
    size_t errors = r->problems->errors;
    keep_pair(r, p, key, value);
    if (errors == r->problems->errors && value->text_mark.line) null_value(r, key, value);
    return 0;
}

static sl_node *read_mapping(reader *r, const yaml_event_t *event, unsigned depth)
{
    sl_node *node = new_node(r, SL_MAPPING, event);
    refuse_decoration(r, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    pairs p = {0};
    int state;
    while ((state = read_pair(r, &p, depth)) == 0) {}
    if (state > 0) {
        node->keys = into_arena(r, p.keys, p.count);
        node->items = into_arena(r, p.values, p.count);
        node->count = p.count;
    }
    free(p.keys);
    free(p.values);
    sl_map_done(&p.seen);
    return state > 0 ? node : NULL;
}

static sl_node *read_list(reader *r, const yaml_event_t *start, unsigned depth)
{
    sl_node *node = new_node(r, SL_LIST, start), *item, **items = NULL;
    refuse_decoration(r, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
    size_t count = 0, capacity = 0;
    yaml_event_t event;
    bool ended = false;
    while (!ended && next(r, &event) == 0) {
        ended = event.type == YAML_SEQUENCE_END_EVENT;
        if (ended) yaml_event_delete(&event);
        else {
            if (!(item = read_node(r, &event, depth))) break;
            if (item->text_mark.line) null_value(r, NULL, item);
            items = sl_grow(items, count, &capacity, sizeof *items);
            items[count++] = item;
        }
    }
    node->items = into_arena(r, items, count);
    node->count = count;
    free(items);
    return ended ? node : NULL;
}

/* A null without a text_mark: whoever sees it knows that it was told. */
static sl_node *refuse_alias(reader *r, const yaml_event_t *event)
{
    sl_node *node = new_node(r, SL_SCALAR, event);
    node->text = SL_STR("");
    node->plain = true;
    sl_problem_error(r->problems, node->mark, "the alias *%.40s is not allowed; write the value out", event->data.alias.anchor);
    return node;
}

/* Takes over the event. */
static sl_node *read_node(reader *r, yaml_event_t *event, unsigned depth)
{
    sl_node *node = NULL;
    sl_mark mark = mark_of(event->start_mark);
    if (++r->nodes > MOST_NODES) sl_problem_error(r->problems, mark, "more than %d values in one file; split it", MOST_NODES);
    else if (event->type == YAML_SCALAR_EVENT) node = scalar(r, event);
    else if (event->type == YAML_ALIAS_EVENT) node = refuse_alias(r, event);
    else if (depth >= MOST_DEPTH) sl_problem_error(r->problems, mark, "more than %d levels deep; flows need less than ten", MOST_DEPTH);
    else if (event->type == YAML_MAPPING_START_EVENT) node = read_mapping(r, event, depth + 1);
    else node = read_list(r, event, depth + 1);
    yaml_event_delete(event);
    return node;
}

/* ---- the document -------------------------------------------------------------------------------- */

static int document_start(reader *r)
{
    yaml_event_t event;
    if (next(r, &event) < 0) return -1;
    yaml_event_delete(&event); /* the stream's start */
    if (next(r, &event) < 0) return -1;
    int result = 0;
    if (event.type != YAML_DOCUMENT_START_EVENT) {
        sl_problem_error(r->problems, (sl_mark){1, 1}, "the file is empty; expected a mapping, as `sluice: 1`");
        result = -1;
    } else if (event.data.document_start.version_directive ||
               event.data.document_start.tag_directives.start != event.data.document_start.tag_directives.end)
        sl_problem_error(r->problems, mark_of(event.start_mark), "directives (%%YAML, %%TAG) are not allowed; remove the line");
    yaml_event_delete(&event);
    return result;
}

static int document_end(reader *r)
{
    yaml_event_t event;
    if (next(r, &event) < 0) return -1;
    yaml_event_delete(&event);
    if (next(r, &event) < 0) return -1;
    bool ended = event.type == YAML_STREAM_END_EVENT;
    if (!ended) sl_problem_error(r->problems, mark_of(event.start_mark), "a second document; expected one a file, remove the `---`");
    yaml_event_delete(&event);
    return ended ? 0 : -1;
}

static bool readable(sl_str text, sl_problems *problems)
{
    if (text.size > MOST_BYTES) {
        sl_problem_error(problems, (sl_mark){0, 0}, "the file has %zu bytes; at most %d (1 MiB) are read", text.size, MOST_BYTES);
        return false;
    }
    for (size_t at = 0, step; at < text.size; at += step) {
        step = sl_utf8_sequence(text, at);
        if (step) continue;
        sl_problem_error(problems, mark_of_byte(text, at), "expected UTF-8, found the byte 0x%02X; save the file as UTF-8",
                         (unsigned char)text.data[at]);
        return false;
    }
    return true;
}

sl_node *sl_tree_read(sl_str text, sl_arena *arena, sl_problems *problems)
{
    if (sl_str_starts(text, "\xEF\xBB\xBF")) text = (sl_str){text.data + 3, text.size - 3};
    if (!readable(text, problems)) return NULL;
    reader r = {.text = text, .arena = arena, .problems = problems};
    if (!yaml_parser_initialize(&r.parser)) sl_panic(__FILE__, __LINE__, "out of memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.data, text.size);
    sl_node *root = NULL;
    yaml_event_t event;
    if (document_start(&r) == 0 && next(&r, &event) == 0) root = read_node(&r, &event, 0);
    if (root && document_end(&r) < 0) root = NULL;
    yaml_parser_delete(&r.parser);
    return root;
}

sl_node *sl_tree_parse(sl_str text, sl_arena *arena, sl_problems *problems)
{
    size_t errors = problems->errors;
    sl_node *root = sl_tree_read(text, arena, problems);
    if (root && sl_node_null(root) && problems->errors == errors)
        sl_problem_error(problems, root->mark, "the file is empty; expected a mapping");
    return problems->errors == errors ? root : NULL;
}

/* ---- looking into a tree -------------------------------------------------------------------------- */

static size_t index_of(const sl_node *mapping, const char *key)
{
    if (!mapping || mapping->kind != SL_MAPPING) return SIZE_MAX;
    for (size_t i = 0; i < mapping->count; i++)
        if (sl_str_is(mapping->keys[i]->text, key)) return i;
    return SIZE_MAX;
}

sl_node *sl_node_get(const sl_node *mapping, const char *key)
{
    size_t i = index_of(mapping, key);
    return i == SIZE_MAX ? NULL : mapping->items[i];
}

sl_node *sl_node_key(const sl_node *mapping, const char *key)
{
    size_t i = index_of(mapping, key);
    return i == SIZE_MAX ? NULL : mapping->keys[i];
}

bool sl_node_null(const sl_node *node)
{
    if (!node || node->kind != SL_SCALAR || !node->plain) return false;
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < SL_COUNT(nulls); i++)
        if (sl_str_is(node->text, nulls[i])) return true;
    return false;
}

sl_mark sl_node_mark_at(const sl_node *scalar_node, size_t offset)
{
    if (!scalar_node->text_mark.line) return scalar_node->mark;
    sl_mark mark = scalar_node->text_mark;
    mark.column += (unsigned)characters((sl_str){scalar_node->text.data, SL_MIN(offset, scalar_node->text.size)});
    return mark;
}

const char *sl_node_kind_name(sl_node_kind kind) { return kind == SL_SCALAR ? "a text" : kind == SL_LIST ? "a list" : "a mapping"; }
