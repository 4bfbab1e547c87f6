/* sluice expr: evaluates expressions, one from the command line or many from JSON lines. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/output.h"
#include "flow/expression.h"

enum { VALUE_LIMIT = 64 * 1024 * 1024, LINE_LIMIT = 16 * 1024 * 1024 };

/* ---- what an evaluation sees: three objects of text ----------------------------------------------------- */

typedef struct world {
    json_t *attributes, *parameters, *state; /* objects, or NULL */
} world;

static sl_str member(json_t *object, sl_str name)
{
    json_t *value = object ? json_object_getn(object, name.data, name.size) : NULL;
    if (!json_is_string(value)) return (sl_str){0};
    return (sl_str){json_string_value(value), json_string_length(value)};
}

static sl_str world_attribute(void *context, sl_str name) { return member(((world *)context)->attributes, name); }
static sl_str world_state(void *context, sl_str key) { return member(((world *)context)->state, key); }
static sl_str world_parameter(void *context, sl_str name) { return member(((world *)context)->parameters, name); }

static sl_str world_attribute_at(void *context, size_t i)
{
    const char *name;
    json_t *value;
    json_object_foreach(((world *)context)->attributes, name, value)
    {
        if (json_is_string(value) && i-- == 0) return sl_str_of(name);
    }
    return (sl_str){0};
}

static int evaluate(sl_str text, world *world, sl_buf *ret, size_t *ret_offset, sl_error *error)
{
    sl_expression *expression;
    sl_parameter_scope parameters = {world_parameter, world};
    sl_expression_scope scope = {world_attribute, world_attribute_at, world_state, world, "expr"};
    if (sl_expression_compile(text, &parameters, &expression, ret_offset, error) < 0) return -1;
    *ret_offset = SIZE_MAX; /* what fails from here on has no place in the text */
    int result = sl_expression_evaluate(expression, &scope, ret, error);
    sl_expression_free(expression);
    return result;
}

/* ---- JSON lines ------------------------------------------------------------------------------------------- */

static void answer_error(sl_buf *line, const char *message)
{
    sl_buf_text(line, "{\"error\":");
    sl_json_string(line, sl_str_of(message));
    sl_buf_text(line, "}\n");
}

static int check_texts(json_t *root, const char *key, json_t **ret, sl_error *error)
{
    const char *name;
    json_t *value;
    *ret = json_object_get(root, key);
    if (json_is_null(*ret)) *ret = NULL;
    if (*ret && !json_is_object(*ret)) return sl_error_set(error, 0, "expected an object in \"%s\"", key);
    json_object_foreach(*ret, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value)) return sl_error_set(error, 0, "expected text in \"%s\".\"%s\"", key, name);
    }
    return 0;
}

static int answer_object(json_t *root, sl_buf *value, sl_error *error)
{
    world world = {0};
    size_t offset;
    json_t *text = json_object_get(root, "expr");
    if (!json_is_string(text)) return sl_error_set(error, 0, "expected an object with text in \"expr\"");
    if (check_texts(root, "attributes", &world.attributes, error) < 0 || check_texts(root, "parameters", &world.parameters, error) < 0 ||
        check_texts(root, "state", &world.state, error) < 0)
        return -1;
    return evaluate((sl_str){json_string_value(text), json_string_length(text)}, &world, value, &offset, error);
}

static void answer_line(sl_str line, sl_buf *ret)
{
    json_error_t wrong;
    sl_error error = {0};
    sl_buf value = SL_BUF(VALUE_LIMIT);
    json_t *root = json_loadb(line.data, line.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &wrong);
    if (!root) {
        sl_error_set(&error, 0, "not JSON: %s", wrong.text);
        answer_error(ret, error.text);
    } else if (answer_object(root, &value, &error) < 0) {
        answer_error(ret, error.text);
    } else {
        sl_buf_text(ret, "{\"value\":");
        sl_json_string(ret, sl_buf_view(&value));
        sl_buf_text(ret, "}\n");
    }
    sl_buf_done(&value);
    json_decref(root);
}

static int answer_lines(void)
{
    char *line = NULL;
    size_t capacity = 0;
    int code = SL_EXIT_DONE;
    ssize_t size;
    while (code == SL_EXIT_DONE && (size = getline(&line, &capacity, stdin)) >= 0) {
        /* Six bytes of JSON for a byte of text, at worst. */
        sl_buf answer = SL_BUF((size_t)VALUE_LIMIT * 6 + 64);
        if (size > LINE_LIMIT) answer_error(&answer, "the line is longer than 16 MiB");
        else answer_line((sl_str){line, (size_t)size}, &answer);
        code = sl_print(&answer);
    }
    free(line);
    return code;
}

/* ---- one from the command line ------------------------------------------------------------------------------ */

static int options_object(const sl_arguments *arguments, const char *option, json_t **ret)
{
    sl_arena arena = {0};
    sl_setting *settings;
    size_t count;
    sl_error error = {0};
    int code = SL_EXIT_DONE;
    *ret = json_object();
    if (sl_option_settings(arguments, option, &arena, &settings, &count, &error) < 0) {
        code = sl_complain(SL_EXIT_USAGE, "expr: %s", error.text);
        count = 0;
    }
    for (size_t i = 0; i < count; i++)
        if (json_object_set_new(*ret, settings[i].name, json_string(settings[i].value)) < 0)
            code = sl_complain(SL_EXIT_USAGE, "expr: --%s %s=...: not UTF-8", option, settings[i].name);
    sl_arena_done(&arena);
    return code;
}

/* Columns are characters, from 1. */
static size_t column_of(const char *text, size_t offset)
{
    size_t column = 1;
    for (size_t i = 0; i < offset && text[i]; i++) column += ((unsigned char)text[i] & 0xC0) != 0x80;
    return column;
}

static int answer_one(const sl_arguments *arguments, world *world)
{
    const char *text = arguments->positional[0];
    sl_buf value = SL_BUF(VALUE_LIMIT), out = SL_BUF((size_t)VALUE_LIMIT * 6 + 64);
    sl_error error = {0};
    size_t offset = 0;
    bool json = sl_given_option(arguments, "json");
    int failed = evaluate(sl_str_of(text), world, &value, &offset, &error);
    if (failed && json) answer_error(&out, error.text);
    else if (failed && offset == SIZE_MAX) sl_complain(0, "expr: %s", error.text);
    else if (failed) fprintf(stderr, "EXPR:1:%zu: error: %s\n", column_of(text, offset), error.text);
    else if (json) sl_buf_text(&out, "{\"value\":"), sl_json_string(&out, sl_buf_view(&value)), sl_buf_text(&out, "}\n");
    else sl_buf_str(&out, sl_buf_view(&value)), sl_buf_char(&out, '\n');
    sl_buf_done(&value);
    int code = sl_print(&out);
    return failed ? SL_EXIT_FAILED : code;
}

int sl_command_expr(const sl_arguments *arguments)
{
    bool lines = sl_given_option(arguments, "jsonl");
    if (lines && (arguments->count || sl_given_option(arguments, "attr") || sl_given_option(arguments, "set")))
        return sl_complain(SL_EXIT_USAGE, "expr: with --jsonl everything comes from standard input");
    if (lines) return answer_lines();
    if (!arguments->count) return sl_complain(SL_EXIT_USAGE, "expr: an argument is missing: expr EXPR, or expr --jsonl");
    world world = {0};
    int code = options_object(arguments, "attr", &world.attributes);
    if (code == SL_EXIT_DONE) code = options_object(arguments, "set", &world.parameters);
    if (code == SL_EXIT_DONE) code = answer_one(arguments, &world);
    json_decref(world.attributes);
    json_decref(world.parameters);
    return code;
}
