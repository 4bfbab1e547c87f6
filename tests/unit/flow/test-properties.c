#include "test.h"

#include "flow/registry.h"

#define HEAD "sluice: 1\nname: f\n"

typedef struct fixture {
    sl_flow *flow;
    sl_problems problems;
    sl_buf printed;
} fixture;

static fixture load(const char *parameters, const char *properties)
{
    fixture f = {.printed = SL_BUF(1 << 20)};
    sl_flow_options options = {.registry = &test_registry};
    char *text = sl_asprintf(HEAD "%s\nprocessors:\n  make: {type: generate-flowfile, to: {success: all}}\n"
                                  "  all:\n    type: every-type\n    to: {success: end}\n%s",
                             parameters, properties);
    f.flow = sl_flow_parse(sl_str_of(text), "f.yaml", &options, &f.problems);
    sl_problems_print(&f.problems, &f.printed);
    free(text);
    return f;
}

static void done(fixture *f)
{
    sl_flow_free(f->flow);
    sl_problems_done(&f->problems);
    sl_buf_done(&f->printed);
}

static const sl_value *value(const fixture *f, const char *name)
{
    static const sl_value none;
    const sl_value *found = f->flow ? sl_properties_find(&f->flow->processors[1].properties, name) : NULL;
    if (!found) sl_test_failed(__FILE__, __LINE__, "no %s: %s", name, sl_buf_view(&f->printed).data);
    return found ? found : &none;
}

/* One problem alone, in line 8 or later of the flow. */
static void refuse(const char *parameters, const char *properties, const char *expected)
{
    fixture f = load(parameters, properties);
    CHECK(!f.flow);
    if (f.problems.errors != 1 || !strstr(sl_buf_view(&f.printed).data, expected))
        sl_test_failed(__FILE__, __LINE__, "expected \"%s\", found \"%s\"", expected, sl_buf_view(&f.printed).data);
    done(&f);
}

TEST(each_type_reads_the_exact_text)
{
    fixture f = load("", "    text: 1.10\n    number: 0.5\n    whole: -9223372036854775808\n    size: 2MB\n    flag: true\n"
                         "    names: [no, 'x y']\n    patterns: ['a+', '']\n    after: 5s\n    password: {secret: db.pass}\n"
                         "    map: {a: '${b}', c: plain}\n    limits: {pause: 3s}\n");
    CHECK_VIEW(value(&f, "text")->text, "1.10");
    CHECK(value(&f, "number")->real == 0.5);
    CHECK_INT(value(&f, "whole")->number, INT64_MIN);
    CHECK_INT(value(&f, "size")->number, 2000000);
    CHECK_INT(value(&f, "flag")->number, 1);
    CHECK_INT(value(&f, "names")->item_count, 2);
    CHECK_VIEW(value(&f, "names")->items[0].text, "no");
    CHECK(!value(&f, "names")->items[0].name.data);
    CHECK_INT(value(&f, "after")->number, 5 * SL_SECOND);
    CHECK(value(&f, "password")->secret);
    CHECK_VIEW(value(&f, "password")->text, "db.pass");
    CHECK_VIEW(value(&f, "map")->items[0].name, "a");
    CHECK(!sl_expression_literal(value(&f, "map")->items[0].expression).data);
    CHECK_VIEW(sl_expression_literal(value(&f, "map")->items[1].expression), "plain");
    CHECK_INT(value(&f, "limits.pause")->number, 3 * SL_SECOND);
    CHECK_INT(value(&f, "limits.count")->number, 3);
    CHECK(!sl_properties_find(&f.flow->processors[1].properties, "limits.nothing"));
    CHECK(!sl_properties_find(&f.flow->processors[1].properties, "text.nothing"));
    done(&f);
}

TEST(what_is_not_written_has_its_default)
{
    fixture f = load("", "");
    CHECK(!value(&f, "text")->given && !value(&f, "text")->written);
    CHECK(value(&f, "size")->given && !value(&f, "size")->written);
    CHECK_INT(value(&f, "size")->number, 16384);
    CHECK_INT(value(&f, "names")->item_count, 2);
    CHECK_VIEW(value(&f, "names")->items[1].text, "b c");
    CHECK_VIEW(value(&f, "map")->items[0].name, "x");
    CHECK(!value(&f, "limits")->given);
    CHECK_INT(value(&f, "limits.count")->number, 3);
    CHECK(!value(&f, "limits.pause")->given);
    done(&f);
}

TEST(wrong_values)
{
    refuse("", "    number: 1.5\n", "f.yaml:9:13: error: `number`: expected 0 to 1, found \"1.5\"");
    refuse("", "    number: nan\n", "expected a number");
    refuse("", "    whole: 9223372036854775808\n", "expected a whole number");
    refuse("", "    whole: 1_000\n", "expected a whole number");
    refuse("", "    whole: ''\n", "expected a whole number");
    refuse("", "    size: 1gb\n", "expected a size");
    refuse("", "    flag: yes\n", "expected true or false, found \"yes\"");
    refuse("", "    after: 10us\n", "expected at least 1ms, found \"10us\"");
    refuse("", "    names: a\n", "9:12: error: `names`: expected a list, found a text; write [a, b]");
    refuse("", "    names: [[a]]\n", "9:13: error: `names`: expected a text, found a list");
    refuse("", "    patterns: [a, '(b']\n", "expected a regular expression, found \"(b\"");
    refuse("", "    map: [a]\n", "expected a mapping, found a list");
    refuse("", "    map: {a: {b: c}}\n", "`map.a`: expected a text, found a mapping");
    refuse("", "    text: {a: b}\n", "`text`: expected a text, found a mapping");
    refuse("", "    text: {secret: x}\n", "`text` of every-type is no secret");
    refuse("", "    password: abc\n", "`password`: secrets are never in a flow; write {secret: NAME}");
    refuse("", "    password: {secret: a, more: b}\n", "secrets are never in a flow");
    refuse("", "    password: {secret: ../x}\n", "9:24: error: `password`: expected the name of a secret");
    refuse("", "    limits: {}\n", "9:5: error: `limits` needs `pause` (duration)");
    refuse("", "    limits: {pause: 1s, count: 10}\n", "9:32: error: `count`: expected 1 to 9, found \"10\"");
    refuse("", "    limits: {pause: 1s, type: x}\n", "unknown property \"type\" of `limits`; it has count, pause");
    refuse("", "    limits: 5\n", "expected a mapping, found a text");
    refuse("", "    pasword: {secret: a}\n", "9:5: error: unknown property \"pasword\" of every-type; did you mean `password`?");
    refuse("", "    scedule: 5s\n", "did you mean `schedule`?");
}

TEST(an_expression_where_one_is_taken)
{
    fixture f = load("", "    flag: '${a:equals(1)}'\n    text: '${plain}'\n    values: ['${x}', y]\n");
    CHECK(value(&f, "flag")->expression && !sl_expression_literal(value(&f, "flag")->expression).data);
    CHECK_VIEW(value(&f, "flag")->text, "${a:equals(1)}");
    CHECK_VIEW(value(&f, "text")->text, "${plain}");
    CHECK(!value(&f, "text")->expression);
    CHECK(!sl_expression_literal(value(&f, "values")->items[0].expression).data);
    done(&f);
    refuse("", "    flag: '${a:nosuch()}'\n", "f.yaml:9:");
}

TEST(parameters_are_data_of_a_type)
{
    fixture f =
        load("parameters: {t: '${x} #{y} $${', n: {type: int, default: 5}, l: [a, '${b}'], k: {type: secret, default: {secret: s1}},"
             " e: '${x}', d: {type: duration, default: 1h}}",
             "    text: 'a#{t}b'\n    whole: '#{n}'\n    names: '#{l}'\n    values: '#{l}'\n    password: '#{k}'\n"
             "    map: {z: '#{e}'}\n    after: '#{d}'\n");
    CHECK_VIEW(value(&f, "text")->text, "a${x} #{y} $${b");
    CHECK_INT(value(&f, "whole")->number, 5);
    CHECK_INT(value(&f, "names")->item_count, 2);
    CHECK_VIEW(value(&f, "names")->items[1].text, "${b}");
    CHECK_VIEW(sl_expression_literal(value(&f, "values")->items[1].expression), "${b}");
    CHECK_VIEW(value(&f, "password")->text, "s1");
    CHECK_VIEW(sl_expression_literal(value(&f, "map")->items[0].expression), "${x}");
    CHECK_INT(value(&f, "after")->number, 3600 * SL_SECOND);
    done(&f);
}

TEST(parameters_that_are_wrong)
{
    refuse("parameters: {a: {type: strng, default: x}}", "    text: '#{a}'\n", "3:24: error: type of `a`: expected one of string, int");
    refuse("parameters: {a: {type: int, default: x}}", "    whole: '#{a}'\n", "3:38: error: default of `a`: expected a whole number");
    refuse("parameters: {a: {default: 1, required: true}}", "    text: '#{a}'\n", "3:30: error: `a` has a default and is required");
    refuse("parameters: {a: {type: int}}", "    whole: '#{a}'\n", "3:14: error: `a` has no value: give it a default");
    refuse("parameters: {a: {default: 1, requird: true}}", "    text: '#{a}'\n", "unknown key `requird` of a parameter");
    refuse("parameters: {A: 1}", "    text: x\n", "3:14: error: the parameter's name \"A\"");
    refuse("parameters: [a]", "    text: x\n", "3:13: error: `parameters`: expected a mapping");
    refuse("parameters: {k: {type: secret, default: {secret: s}}}", "    text: 'a#{k}'\n",
           "9:13: error: `text`: the parameter `k` is a secret");
    refuse("parameters: {k: s}", "    password: '#{k}'\n", "expected a secret, found the parameter `k`");
    refuse("parameters: {abc: s}", "    text: '#{abc} and #{acb}'\n", "9:23: error: `text`: no parameter `acb`; did you mean `abc`?");
    refuse("parameters: {a: x}", "    whole: '#{a}'\n", "9:12: error: `whole`: expected a whole number, as 10, found \"x\"");
}

TEST(what_parameters_make_of_a_flow_is_bounded)
{
    sl_buf parameters = SL_BUF(1 << 20), properties = SL_BUF(1 << 20);
    sl_buf_text(&parameters, "parameters: {a: ");
    for (int i = 0; i < 500000; i++) sl_buf_char(&parameters, 'x');
    sl_buf_text(&parameters, "}");
    sl_buf_text(&properties, "    values: [");
    for (int i = 0; i < 40; i++) sl_buf_text(&properties, "'#{a}', ");
    sl_buf_text(&properties, "]\n");
    refuse(parameters.data, properties.data, "9:278: error: `values`: the parameters' values make the flow larger than 16 MiB");
    sl_buf_done(&parameters);
    sl_buf_done(&properties);
}

TEST(a_table_without_parameters)
{
    static const sluice_property table[] = {{.name = "a", .type = SLUICE_INT}, {.name = "b", .type = SLUICE_STRING, .fallback = "x"}, {0}};
    sl_arena arena = {0};
    sl_problems problems = {.file = "t"};
    sl_properties properties;
    sl_node *root = sl_tree_parse(SL_STR("a: 7\nc: 1\n"), &arena, &problems);
    sl_properties_decode(root, table, NULL, NULL, &arena, &properties, &problems);
    CHECK_INT(problems.errors, 1);
    CHECK_INT(sl_properties_find(&properties, "a")->number, 7);
    CHECK_VIEW(sl_properties_find(&properties, "b")->text, "x");
    sl_properties_done(&properties);
    sl_problems_done(&problems);
    sl_arena_done(&arena);
}

TEST(reserved_names)
{
    CHECK(sl_property_reserved("to") && sl_property_reserved("was") && sl_property_reserved("run_duration"));
    CHECK(!sl_property_reserved("directory"));
    CHECK_STR(sl_property_type_name(SLUICE_SECRET), "secret");
    CHECK_STR(sl_property_type_name((sluice_property_type)99), "unknown");
}
