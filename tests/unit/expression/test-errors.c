/* What is refused, where, and with which words; and that no bound can be passed. */
#include "scope.h"

typedef struct wrong {
    const char *text;
    size_t offset; /* SIZE_MAX: refused by the evaluation */
    const char *says;
} wrong;

static void check_wrong(const wrong *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_buf value = SL_BUF(1 << 20);
        sl_error error = {0};
        size_t offset = 0;
        if (evaluate(rows[i].text, &value, &offset, &error) == 0)
            sl_test_failed(__FILE__, __LINE__, "%s is \"%s\", expected an error", rows[i].text, value.data ? value.data : "");
        else if (offset != rows[i].offset || !strstr(error.text, rows[i].says))
            sl_test_failed(__FILE__, __LINE__, "%s: \"%s\" at %zd, expected \"%s\" at %zd", rows[i].text, error.text, (ssize_t)offset,
                           rows[i].says, (ssize_t)rows[i].offset);
        sl_buf_done(&value);
    }
}
#define WRONG(...)                             \
    static const wrong rows[] = {__VA_ARGS__}; \
    check_wrong(rows, SL_COUNT(rows))

TEST(grammar)
{
    WRONG({"${}", 2, "expected an attribute's name"}, {"a${}", 3, "found \"}\""}, {"${ }", 3, "expected an attribute's name"},
          {"${a b}", 4, "expected :, or }"}, {"${a:}", 4, "expected a function's name"}, {"${a:trim}", 8, "expected ( after"},
          {"${a:trim(}", 9, "expected an argument"}, {"${a:trim()x}", 10, "expected :"}, {"${a:append('x'}", 14, "expected , or )"},
          {"${a:append('x',)}", 15, "expected an argument"}, {"${a:append(b)}", 11, "write 'b' for the text, ${b} for the attribute"},
          {"${a:append(length())}", 11, "found the function length"}, {"${5}", 2, "expected an attribute's name"},
          {"${5a}", 2, "expected an attribute's name"}, {"${a/b}", 3, "expected :"}, {"${a*}", 3, "expected :"},
          {"${length}", 2, "write ${'length'}"}, {"${true}", 2, "write ${'true'}"},
          {"${n1 # no end of the comment }", 5, "expected a line's end"}, {"${a:append('a\tb')}", 13, "expected the string's closing '"},
          {"x ${n1} ${n2:nope()}", 13, "no function is named"}, {"${literal('${n1:nope()}')}", 16, "no function is named"},
          {"${literal('\\'${n1:nope()}')}", 18, "no function is named"},
          {"${literal(\"${literal('${nope()}')}\")}", 24, "no function is named"},
          {"${n1:append(99999999999999999999)}", 12, "expected a whole number between"}, {"${'a':}", 6, "expected a function's name"},
          {"${$n1}", 3, "expected { after $"});
}

TEST(functions)
{
    WRONG({"${n1:toUppr()}", 5, "did you mean toUpper?"}, {"${n1:zzzzzzzz()}", 5, "no function is named \"zzzzzzzz\""},
          {"${nwo()}", 2, "did you mean now?"}, {"${n1:nextInt()}", 5, "takes none: write ${nextInt(...)}"},
          {"${UUID():nextInt()}", 9, "takes none"}, {"${trim()}", 2, "expected a subject before trim"},
          {"${UUID3('94c09378-43a6-11ea-8bcc-acde48001122', n1)}", 2, "expected a subject before UUID3"},
          {"${n1:trim(1)}", 5, "trim: expected 0 arguments, found 1"}, {"${n1:append()}", 5, "append: expected 1 argument, found 0"},
          {"${n1:substring()}", 5, "expected 1 to 2 arguments, found 0"}, {"${n1:in()}", 5, "expected 1 or more arguments, found 0"},
          {"${n1:replace('a')}", 5, "expected 2 arguments, found 1"},
          {"${hostname(1)}", 11, "expected a condition as argument 1, found a whole number"},
          {"${getUri('a','b')}", 2, "expected 7 arguments, found 2"}, {"${n1:toInstant('yyyy')}", 5, "expected 0 or 2 arguments, found 1"},
          {"${n1:isNull():plus(1)}", 14, "plus: expected a number as its subject, found a condition"},
          {"${n1:plus(true)}", 10, "expected a number as argument 1, found a condition"},
          {"${n1:plus(1):not()}", 13, "not: expected a condition as its subject, found a number"},
          {"${n1:and(5)}", 9, "expected a condition as argument 1"},
          {"${n1:substring(${n2:isNull()})}", 17, "expected a whole number as argument 1, found a condition"},
          {"${now():toNanos()}", 8, "expected an instant as its subject, found a date"});
}

TEST(patterns)
{
    WRONG({"${n1:matches('[')}", 13, "expected a regular expression"}, {"${n1:find('(')}", 10, "expected a regular expression"},
          {"${n1:replaceAll('a{2,1}','')}", 16, "expected a regular expression"},
          {"${n1:matches('[a-z&&[^b]]')}", 13, "an intersection of classes"}, {"${n1:matches('[a[bc]]')}", 13, "a class within a class"},
          {"${allMatchingAttributes('['):count()}", 24, "expected a regular expression"}, {"${n1:jsonPath('$..')}", 14, "JsonPath"},
          {"${n1:jsonPath('$.a.length()')}", 14, "they are not in this version"},
          {"${n1:jsonPath(\"$['a','b']\")}", 14, "several are not in this version"},
          {"${n1:jsonPath('$.a[?(@.b =~ /x/)]')}", 14, "an operator of this version"},
          {"${n1:format('yyyy-bb')}", 12, "an unknown letter at 5"}, {"${n1:format(\"yyyy'T\")}", 12, "a quote that nothing closes"},
          {"${n1:format('HHH')}", 12, "too many or too few"}, {"${n1:format('B')}", 12, "not in this version"},
          {"${n1:toDate('ww')}", 12, "the letter w is not in this version"}, {"${n1:format('yyyy','Mars/Olympus')}", 19, "no time zone"},
          {"${n1:plusDuration('1 fortnight')}", 18, "expected a number, a space and"},
          {"${n1:plusDuration('1days')}", 18, "expected a number, a space and"},
          {"${n1:plusDuration('1 day','../etc')}", 26, "no time zone"});
}

TEST(several_values_wrong)
{
    WRONG({"${allAttributes('n1')}", 2, "expected a condition, join(...) or count()"},
          {"${allAttributes('n1'):plus(1)}", 2, "expected a condition"},
          {"${anyAttribute('n1'):count()}", 2, "expected a condition at the end"},
          {"${allAttributes('n1'):join(','):append('x')}", 32, "write ${literal("}, {"${allAttributes()}", 2, "expected 1 or more"},
          {"${anyDelineatedValue('a'):isNull()}", 2, "expected 2 arguments"});
}

TEST(parameters_wrong)
{
    WRONG({"#{none}", 0, "no parameter is named \"none\""}, {"a #{none} b", 2, "write ##{"}, {"#{}", 0, "no parameter"},
          {"${#{none}}", 2, "no parameter is named"}, {"${n1:append(#{none})}", 12, "no parameter is named"});
}

TEST(evaluations)
{
    WRONG({"${n1:divide(0)}", SIZE_MAX, "divide: expected a divisor other than 0"}, {"${n1:mod(0)}", SIZE_MAX, "mod: expected a divisor"},
          {"${over:toNumber()}", SIZE_MAX, "toNumber: expected a whole number between"},
          {"${missing:not()}", SIZE_MAX, "not: expected a condition"}, {"${n1:hash('NOPE')}", SIZE_MAX, "hash: expected MD5"},
          {"${text:format('yyyy')}", SIZE_MAX, "format: expected a date"},
          {"${text:formatInstant('yyyy','UTC')}", SIZE_MAX, "expected an instant"},
          {"${text:toDate('yyyy')}", SIZE_MAX, "expected a date as yyyy, found \"not a number\", which differs at 0"},
          {"${literal('2023-02-30'):toDate('MM-dd'):format('d')}", SIZE_MAX, "expected a date as MM-dd"},
          {"${literal('13'):toDate('MM')}", SIZE_MAX, "expected a month between 1 and 12, found 13"},
          {"${literal('10:00'):toInstant('HH:mm','UTC')}", SIZE_MAX, "expected a year, a month and a day"},
          {"${literal('Mon 2024-01-02'):toDate('EEE yyyy-MM-dd')}", SIZE_MAX, "expected a Tuesday for that date"},
          {"${text:base64Decode()}", SIZE_MAX, "expected Base64"},
          {"${literal('%zz'):urlDecode()}", SIZE_MAX, "expected two hexadecimal digits"}, {"${text:fromRadix(16)}", SIZE_MAX, "in base 16"},
          {"${n1:UUID5('x')}", SIZE_MAX, "expected a UUID as the namespace"},
          {"${broken:jsonPath('$.a')}", SIZE_MAX, "expected JSON as its subject"},
          {"${missing:jsonPath('$.a')}", SIZE_MAX, "expected JSON as its subject, found nothing"},
          {"${greetings:replaceAll('l','$1')}", SIZE_MAX, "expected a group up to $0"},
          {"${greetings:replaceAll('l','$')}", SIZE_MAX, "expected a character after $"}, {"${greetings:repeat(0)}", SIZE_MAX, "above 0"},
          {"${greetings:repeat(3,2)}", SIZE_MAX, "repeat:"}, {"${math('rand')}", SIZE_MAX, "expected a method of java.lang.Math"},
          {"${pi:math('pow',2)}", SIZE_MAX, "a decimal and a whole number"},
          {"${bad.template:evaluateELString()}", SIZE_MAX, "evaluateELString: in the text at 5"},
          {"${line:getDelimitedField(1,',,')}", SIZE_MAX, "expected one character as its delimiter"},
          {"${n1:plusDuration('999999999 years')}", SIZE_MAX, "within 999999999 years"},
          {"${getUri('http',null,'h','x','/',null,null)}", SIZE_MAX, "expected a number as its port"});
}

/* ---- bounds ---------------------------------------------------------------------------------------------- */
static void check_refused(sl_buf *text, const char *says)
{
    sl_buf value = SL_BUF(4 << 20);
    sl_error error = {0};
    size_t offset;
    CHECK(evaluate(text->data, &value, &offset, &error) == -1);
    if (!strstr(error.text, says)) sl_test_failed(__FILE__, __LINE__, "\"%s\", expected \"%s\"", error.text, says);
    sl_buf_done(&value);
    sl_buf_done(text);
}

static void repeat(sl_buf *text, const char *what, size_t times)
{
    for (size_t i = 0; i < times; i++) sl_buf_text(text, what);
}

TEST(depth_is_bounded)
{
    sl_buf text = SL_BUF(4 << 20);
    repeat(&text, "${", 100);
    sl_buf_text(&text, "n1");
    repeat(&text, "}", 100);
    check_refused(&text, "at most 64 expressions within one another");
}

TEST(parts_are_bounded)
{
    sl_buf text = SL_BUF(4 << 20);
    repeat(&text, "${n1}", 20000);
    check_refused(&text, "at most 16384 parts");
    text = SL_BUF(4 << 20);
    sl_buf_text(&text, "${n1");
    repeat(&text, ":trim()", 20000);
    sl_buf_text(&text, "}");
    check_refused(&text, "at most 16384 parts");
    text = SL_BUF(4 << 20);
    repeat(&text, "x", (1 << 20) + 1);
    check_refused(&text, "at most 1048576 bytes");
}

TEST(long_chains_are_fine)
{
    sl_buf text = SL_BUF(4 << 20), value = SL_BUF(100);
    sl_error error;
    size_t offset;
    sl_buf_text(&text, "${n1");
    repeat(&text, ":plus(1)", 8000);
    sl_buf_text(&text, "}");
    CHECK_INT(evaluate(text.data, &value, &offset, &error), 0);
    CHECK_STR(value.data, "8001");
    sl_buf_done(&text);
    sl_buf_done(&value);
}

TEST(results_are_bounded)
{
    WRONG({"${filename:repeat(100000)}", SIZE_MAX, "at most 1048576 bytes"},
          {"${filename:padLeft(2000000000)}", SIZE_MAX, "at most 1048576"},
          {"${n1:toRadix(2, 2000000000)}", SIZE_MAX, "at most 1048576 bytes"},
          {"${filename:repeat(40000):replaceAll('.','$0$0')}", SIZE_MAX, "expected"},
          {"${filename:repeat(30000):replace('a','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')}", SIZE_MAX, "at most 1048576 bytes"},
          {"${filename:repeat(40000):urlEncode():urlEncode()}${filename:repeat(40000):append(${filename:repeat(40000)})}", SIZE_MAX,
           "at most 1048576 bytes"});
}

TEST(regexes_are_bounded)
{
    WRONG({"${literal('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'):matches('(a|aa)+[bc]')}", SIZE_MAX, "within its limits"});
}
