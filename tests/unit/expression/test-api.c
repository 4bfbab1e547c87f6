/* The calls themselves: literals, conditions, what scopes may leave out, ceilings. */
#include <pthread.h>

#include "scope.h"

static sl_expression *compiled(const char *text)
{
    sl_expression *expression;
    size_t offset;
    sl_error error;
    if (sl_expression_compile(sl_str_of(text), &parameter_scope, &expression, &offset, &error) == 0) return expression;
    sl_test_failed(__FILE__, __LINE__, "%s: %s at %zu", text, error.text, offset);
    return NULL;
}

TEST(literals_are_known)
{
    static const char *const rows[][2] = {{"", ""},        {"x", "x"},       {"#{inbox}/a", "/srv/inbox/a"}, {"$${x} ##{y}", "${x} #{y}"},
                                          {"${n1}", NULL}, {"a${n1}", NULL}, {"${literal('x')}", NULL},      {"${#{inbox}}", NULL}};
    for (size_t i = 0; i < SL_COUNT(rows); i++) {
        sl_expression *expression = compiled(rows[i][0]);
        sl_str literal = sl_expression_literal(expression);
        if (rows[i][1]) CHECK_VIEW(literal, rows[i][1]);
        else CHECK(literal.data == NULL);
        sl_expression_free(expression);
    }
    sl_expression_free(NULL);
}

TEST(conditions_for_routes)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {{"${n1:equals(1)}", true},
                {"${n1:equals(2)}", false},
                {"${word}", true},
                {"true", true},
                {"TRUE", true},
                {"", false},
                {"${missing}", false},
                {"${n1}", false},
                {" true", false},
                {"${true.text}x", false},
                {"tr${literal('ue')}", true},
                {"${missing:isNull()}", true}};
    for (size_t i = 0; i < SL_COUNT(rows); i++) {
        sl_expression *expression = compiled(rows[i].text);
        sl_error error;
        bool is = !rows[i].is;
        CHECK_INT(sl_expression_test(expression, &scope, &is, &error), 0);
        if (is != rows[i].is) sl_test_failed(__FILE__, __LINE__, "%s is %d", rows[i].text, is);
        sl_expression_free(expression);
    }
    sl_expression *expression = compiled("${n1:divide(0):gt(1)}");
    sl_error error;
    bool is = true;
    CHECK_INT(sl_expression_test(expression, &scope, &is, &error), -1);
    CHECK(!is);
    CHECK(strstr(error.text, "divisor"));
    CHECK_INT(sl_expression_test(expression, &scope, &is, NULL), -1);
    sl_expression_free(expression);
}

TEST(scopes_may_be_empty)
{
    static const sl_expression_scope nothing = {0};
    sl_expression *expression = compiled("${n1}${getStateValue('x')}${allMatchingAttributes('.*'):count()}${anyAttribute('x'):isNull()}");
    for (int i = 0; i < 2; i++) {
        sl_buf value = SL_BUF(100);
        CHECK_INT(sl_expression_evaluate(expression, i ? &nothing : NULL, &value, NULL), 0);
        CHECK_STR(value.data, "0true");
        sl_buf_done(&value);
    }
    sl_expression_free(expression);
    sl_error error;
    size_t offset;
    CHECK_INT(sl_expression_compile(SL_STR("#{x}"), NULL, &expression, &offset, &error), -1);
    CHECK(expression == NULL);
    CHECK_INT(sl_expression_compile(SL_STR("#{x}"), NULL, &expression, NULL, NULL), -1);
}

TEST(the_callers_ceiling_holds)
{
    sl_expression *expression = compiled("${filename}");
    sl_buf value = SL_BUF(10);
    sl_error error;
    CHECK_INT(sl_expression_evaluate(expression, &scope, &value, &error), -1);
    CHECK(strstr(error.text, "at most 10 bytes"));
    sl_buf_done(&value);
    value = SL_BUF(100);
    sl_buf_text(&value, "before ");
    CHECK_INT(sl_expression_evaluate(expression, &scope, &value, &error), 0);
    CHECK_STR(value.data, "before a brand new filename.txt");
    sl_buf_done(&value);
    sl_expression_free(expression);
}

TEST(parameters_alone)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"plain", "plain"},
                                          {"#{inbox}/${x}", "/srv/inbox/${x}"},
                                          {"##{inbox}", "#{inbox}"},
                                          {"###{inbox}", "#/srv/inbox"},
                                          {"$${x}", "${x}"},
                                          {"$$${x}", "$${x}"},
                                          {"$ # {", "$ # {"},
                                          {"#{'p q'}", "spaced parameter"},
                                          {"#{odd}", "${n1} #{inbox} 'x'"},
                                          {"#{inbox", "#{inbox"},
                                          {"${n1:nope()}", "${n1:nope()}"},
                                          {"$$", "$$"},
                                          {"a#{empty}b", "ab"}};
    for (size_t i = 0; i < SL_COUNT(rows); i++) {
        sl_buf value = SL_BUF(1000);
        sl_error error;
        size_t offset;
        CHECK_INT(sl_parameters_resolve(sl_str_of(rows[i][0]), &parameter_scope, &value, &offset, &error), 0);
        CHECK_STR(value.data ? value.data : "", rows[i][1]);
        sl_buf_done(&value);
    }
    sl_buf value = SL_BUF(8);
    sl_error error;
    size_t offset = 0;
    CHECK_INT(sl_parameters_resolve(SL_STR("ab #{none}"), &parameter_scope, &value, &offset, &error), -1);
    CHECK_INT(offset, 3);
    CHECK(strstr(error.text, "no parameter is named \"none\""));
    sl_buf_clear(&value);
    CHECK_INT(sl_parameters_resolve(SL_STR("#{inbox}"), &parameter_scope, &value, &offset, &error), -1);
    CHECK(strstr(error.text, "at most 8 bytes"));
    sl_buf_done(&value);
}

TEST(names_are_listed)
{
    const char *const *names = sl_expression_functions();
    size_t count = 0;
    bool has_join = false, has_now = false;
    for (; names[count]; count++) {
        has_join |= strcmp(names[count], "join") == 0;
        has_now |= strcmp(names[count], "now") == 0;
        for (size_t i = 0; i < count; i++) CHECK(strcmp(names[i], names[count]) != 0);
    }
    CHECK_INT(count, 110);
    CHECK(has_join && has_now);
}

/* ---- any thread ------------------------------------------------------------------------------------------ */
static void *evaluate_often(void *data)
{
    for (int i = 0; i < 500; i++) {
        sl_buf value = SL_BUF(1000);
        sl_error error;
        if (sl_expression_evaluate(data, &scope, &value, &error) < 0 || strcmp(value.data, "31 A Brand NEW filename.txt hello") != 0)
            sl_test_failed(__FILE__, __LINE__, "%s", value.data ? value.data : error.text);
        sl_buf_done(&value);
    }
    return NULL;
}

TEST(threads_share_an_expression)
{
    sl_expression *expression = compiled(
        "${time:format('dd','UTC')} ${filename:replaceAll('^a','A'):replaceAll('b(rand)','B$1'):replace('new','NEW')} ${literal(${anyMatchingAttribute('greet.*'):notNull()}):ifElse('hello','')}");
    pthread_t threads[4];
    for (size_t i = 0; i < SL_COUNT(threads); i++) pthread_create(&threads[i], NULL, evaluate_often, expression);
    for (size_t i = 0; i < SL_COUNT(threads); i++) pthread_join(threads[i], NULL);
    sl_expression_free(expression);
}
