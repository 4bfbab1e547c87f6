/* Expression to value, as NiFi's documentation and its own tests state them. The default zone is UTC here. */
#include "scope.h"

typedef struct row {
    const char *text, *value;
} row;

__attribute__((constructor)) static void in_utc(void) { setenv("TZ", "UTC", 1); }

static void check_rows(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_buf value = SL_BUF(1 << 20);
        sl_error error;
        size_t offset;
        if (evaluate(rows[i].text, &value, &offset, &error) < 0)
            sl_test_failed(__FILE__, __LINE__, "%s: %s (at %zd), expected \"%s\"", rows[i].text, error.text, (ssize_t)offset,
                           rows[i].value);
        else if (!sl_str_is(sl_buf_view(&value), rows[i].value))
            sl_test_failed(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", rows[i].text, value.data ? value.data : "", rows[i].value);
        sl_buf_done(&value);
    }
}
#define ROWS(...)                            \
    static const row rows[] = {__VA_ARGS__}; \
    check_rows(rows, SL_COUNT(rows))

TEST(literals_and_escapes)
{
    ROWS({"", ""}, {"plain text", "plain text"}, {"I owe you $5", "I owe you $5"}, {"You owe me $$5 too", "You owe me $$5 too"},
         {"# not a parameter", "# not a parameter"}, {"{ ${n1} }", "{ 1 }"}, {"$${n1}", "${n1}"}, {"$$${n1}", "$1"}, {"$$$${n1}", "$${n1}"},
         {"$$$$${n1}", "$$1"}, {"${n1}$${n1}$$${n1}", "1${n1}$1"}, {"a$${n1}b$${n2}", "a${n1}b${n2}"}, {"$${", "${"},
         {"##{inbox}", "#{inbox}"}, {"##{", "#{"}, {"###{inbox}", "#/srv/inbox"}, {"#{inbox}/x", "/srv/inbox/x"},
         {"#{'p q'}", "spaced parameter"}, {"#{\"p q\"}", "spaced parameter"}, {"#{p q}", "spaced parameter"}, {"#{ inbox }", "/srv/inbox"},
         {"#{odd}", "${n1} #{inbox} 'x'"}, {"#{empty}", ""}, {"x ${5", "x ${5"}, {"${abc", "${abc"},
         {"Unescaped $$${5 because no closing brace", "Unescaped $$${5 because no closing brace"}, {"${n1} owes me ${5", "1 owes me ${5"},
         {"#{inbox", "#{inbox"}, {"'${n1}'", "'1'"}, {"'${n1}", "'1"}, {"\"${n1}", "\"1"}, {"${n1}${n2}${n10}", "1210"}, {"a}b", "a}b"},
         {"}${n1}{", "}1{"}, {"${'n1'} '", "1 '"}, {"\\${n1}", "\\1"});
}

TEST(references)
{
    ROWS({"${filename}", "a brand new filename.txt"}, {"${path}${filename}", "in/2024/a brand new filename.txt"}, {"${missing}", ""},
         {"[${missing}]", "[]"}, {"${empty}", ""}, {"${'a b'}", "spaced"}, {"${\"a b\"}", "spaced"}, {"${'123'}", "number"},
         {"${ n1 }", "1"}, {"${\tn1\n}", "1"}, {"${mime.type}", "image/png"}, {"${${pointer}}", "hello world"},
         {"${'a${missing}b${missing}c'}", "hello world"}, {"${${pointer}:length()}", "11"}, {"${'${pointer}'}", "hello world"},
         {"${n1:isNull()}${'n1':isNull()}", "falsefalse"}, {"${#{inbox}}", "/srv/inbox"}, {"${#{'p q'}:toUpper()}", "SPACED PARAMETER"},
         {"${#{inbox}:append(' - '):append(#{inbox})}", "/srv/inbox - /srv/inbox"}, {"${#{odd}}", "${n1} #{inbox} 'x'"},
         {"${literal('#{inbox}')}", "#{inbox}"}, {"${ # a comment\n n1 }", "1"}, {"${n1 # first\n :plus(1) # second\n }", "2"},
         {"${n1:append('# no comment')}", "1# no comment"}, {"${time:format(#{Format})}", "2014"});
}

TEST(strings_in_expressions)
{
    ROWS({"${literal('it\\'s')}", "it's"}, {"${literal(\"it's\")}", "it's"}, {"${literal('say \"x\"')}", "say \"x\""},
         {"${literal(\"say \\\"x\\\"\")}", "say \"x\""}, {"${literal('a\\nb')}", "a\nb"}, {"${literal('a\\tb')}", "a\tb"},
         {"${literal('a\\rb')}", "a\rb"}, {"${literal('a\\\\b')}", "a\\b"}, {"${literal('\\d+')}", "\\d+"}, {"${literal('\\\\d')}", "\\d"},
         {"${literal('\\\\\\\\')}", "\\\\"}, {"${literal('a ${n1} b')}", "a 1 b"}, {"${literal('$${n1}')}", "${n1}"},
         {"${literal('$$${n1}')}", "$1"}, {"${literal('SNAP$$')}", "SNAP$$"}, {"${literal('SNAP$$$$$$$$$')}", "SNAP$$$$$$$$$"},
         {"${literal('}')}", "}"}, {"${literal('{')}", "{"}, {"${literal('${')}", "${"}, {"${literal('')}", ""},
         {"${literal('${n1:append(\\'x\\')}')}", "1x"}, {"${literal(\"${n1:append('${n2}')}\")}", "12"},
         {"${windows:substringAfterLast('/'):substringAfterLast('\\\\')}", "1.txt"}, {"${literal('${missing}')}", ""},
         {"${n1:equals('${n1}')}", "true"}, {"${n1:equals(\"${n2}\")}", "false"});
}

TEST(conditions)
{
    ROWS({"${missing:isNull()}", "true"}, {"${n1:isNull()}", "false"}, {"${empty:isNull()}", "false"}, {"${empty:notNull()}", "true"},
         {"${missing:notNull():not()}", "true"}, {"${missing:isEmpty()}", "true"}, {"${empty:isEmpty()}", "true"},
         {"${blank:isEmpty()}", "true"}, {"${n1:isEmpty()}", "false"}, {"${n1:equals('1')}", "true"}, {"${n1:equals(1)}", "true"},
         {"${n1:toNumber():equals('1')}", "true"}, {"${n1:toDecimal():equals(1)}", "false"}, {"${n1:plus(1):equals(2)}", "true"},
         {"${n1:toDecimal():equals('1.0')}", "true"}, {"${missing:equals('')}", "false"}, {"${n1:equals(${missing})}", "false"},
         {"${n1:equals(null)}", "false"}, {"${time:toDate():equals(1420058163264)}", "true"},
         {"${time:toDate():equals(${time:toDate()})}", "true"}, {"${true.text:equals(true)}", "true"},
         {"${greetings:equalsIgnoreCase('HELLO')}", "true"}, {"${unicode:equalsIgnoreCase('\xC3\x84\xC3\x96\xC3\x9C\xC3\x9F')}", "true"},
         {"${missing:equalsIgnoreCase('x')}", "false"}, {"${n10:gt(9)}", "true"}, {"${n10:gt(10)}", "false"}, {"${n10:ge(10)}", "true"},
         {"${n10:ge('11')}", "false"}, {"${n10:lt(10.5)}", "true"}, {"${n10:lt(${n2})}", "false"}, {"${n10:le(10)}", "true"},
         {"${negative:lt(${n1})}", "true"}, {"${text:gt(1)}", "false"}, {"${text:lt(1)}", "false"}, {"${n1:lt(${text})}", "false"},
         {"${padded:equals(42)}", "false"}, {"${padded:toNumber():equals(42)}", "true"}, {"${literal('NaN'):toDecimal():gt(1)}", "false"},
         {"${literal('NaN'):toDecimal():le(1)}", "false"}, {"${literal('Infinity'):toDecimal():gt(1)}", "true"},
         {"${filename:startsWith('a'):and(true)}", "true"}, {"${filename:startsWith('a') : and( false )}", "false"},
         {"${filename:startsWith('x'):or(true)}", "true"}, {"${filename:startsWith('x'):or(${filename:startsWith('y')})}", "false"},
         {"${filename:startsWith('a'):and(${filename:endsWith('txt')})}", "true"}, {"${word:and(true)}", "true"},
         {"${text:or(false)}", "false"}, {"${filename:startsWith('a'):or(${n1:divide(0):gt(1)})}", "true"},
         {"${n1:equals(2):not()}", "true"}, {"${true.text:not()}", "false"}, {"${missing:and(true)}", "true"},
         {"${missing:or(false)}", "false"}, {"${true.text:ifElse('a','b')}", "a"}, {"${n1:ifElse('a','b')}", "b"},
         {"${missing:ifElse('a','b')}", "b"}, {"${missing:isNull():ifElse('a','b')}", "a"}, {"${literal(true):ifElse(false,'b')}", "false"},
         {"${n1:equals(1):ifElse(${n2},${n10})}", "2"}, {"${n1:equals(1):ifElse('${n2}!','x')}", "2!"},
         {"${filename:isNull():not():ifElse('found','not_found')}", "found"}, {"${n1:equals(1):toString():append('!')}", "true!"},
         {"${filename:startsWith('a')\n:or( ${filename:startsWith('b')} )\n:or( ${filename:startsWith('c')} )}", "true"});
}

TEST(search)
{
    ROWS({"${mime.type:startsWith('image/')}", "true"}, {"${mime.type:startsWith('video/')}", "false"},
         {"${mime.type:startsWith('')}", "true"}, {"${missing:startsWith('')}", "false"}, {"${n1:startsWith(${missing})}", "false"},
         {"${filename:endsWith('.txt')}", "true"}, {"${filename:endsWith('.TXT')}", "false"}, {"${filename:contains('new')}", "true"},
         {"${filename:contains('')}", "true"}, {"${filename:contains('old')}", "false"}, {"${missing:contains('x')}", "false"},
         {"${greetings:in('hi','hello')}", "true"}, {"${greetings:in('hi')}", "false"}, {"${n1:in(1,2)}", "true"},
         {"${missing:in('x',null)}", "false"}, {"${greetings:in('RED',${greetings:replace('BLUE','x')},'GREEN')}", "true"},
         {"${filename:find('a [Bb]rand [Nn]ew')}", "true"}, {"${filename:find('Brand.*')}", "false"}, {"${filename:find('brand')}", "true"},
         {"${filename:find('${n1}')}", "false"}, {"${filename:find(${missing})}", "false"}, {"${filename:matches('a.*txt')}", "true"},
         {"${filename:matches('brand')}", "false"}, {"${filename:matches('.+brand.+')}", "true"}, {"${n10:matches('\\d+')}", "true"},
         {"${n10:matches('1|10')}", "true"}, {"${missing:matches('.*')}", "false"},
         {"${abc:matches('hello (?:there|${missing}world)')}", "true"}, {"${greetings:matches('(?i)HELLO')}", "true"},
         {"${greetings:matches('\\p{Lower}+')}", "true"}, {"${greetings:matches('[\\p{Alpha}\\d]{5}')}", "true"},
         {"${greetings:matches('\\P{Upper}*')}", "true"}, {"${unicode:matches('\\u00e4.+')}", "true"},
         {"${unicode:matches('.{4}')}", "true"}, {"${greetings:matches('\\Qhello\\E')}", "true"}, {"${filename:indexOf('a.*txt')}", "-1"},
         {"${filename:indexOf('.')}", "20"}, {"${filename:indexOf('a')}", "0"}, {"${filename:indexOf(' ')}", "1"},
         {"${missing:indexOf('a')}", "-1"}, {"${filename:indexOf('')}", "0"}, {"${filename:lastIndexOf('a.*txt')}", "-1"},
         {"${filename:lastIndexOf('.')}", "20"}, {"${filename:lastIndexOf('a')}", "17"}, {"${filename:lastIndexOf(' ')}", "11"},
         {"${url:indexOf('/')}", "6"}, {"${greetings:lastIndexOf('')}", "5"}, {"${astral:indexOf('z')}", "3"});
}

TEST(cutting)
{
    ROWS({"${filename:substring(0,1)}", "a"}, {"${filename:substring(2)}", "brand new filename.txt"},
         {"${filename:substring(12)}", "filename.txt"}, {"${filename:substring( ${filename:length():minus(2)} )}", "xt"},
         {"${greetings:substring(10)}", ""}, {"${greetings:substring(-2)}", ""}, {"${greetings:substring(2,-2)}", ""},
         {"${greetings:substring(1,20)}", ""}, {"${greetings:substring(5)}", ""}, {"${greetings:substring(1,1)}", ""},
         {"${greetings:substring('1','3')}", "el"}, {"${missing:substring(1)}", ""}, {"${unicode:substring(1,3)}", "\xC3\xB6\xC3\xBC"},
         {"${astral:substring(3)}", "z"}, {"${filename:substringBefore('.')}", "a brand new filename"},
         {"${filename:substringBefore(' ')}", "a"}, {"${filename:substringBefore(' n')}", "a brand"},
         {"${filename:substringBefore('missing')}", "a brand new filename.txt"},
         {"${filename:substringBefore('')}", "a brand new filename.txt"}, {"${filename:substringBefore('a')}", ""},
         {"${missing:substringBefore('a')}", ""}, {"${filename:substringBeforeLast('.')}", "a brand new filename"},
         {"${filename:substringBeforeLast(' ')}", "a brand new"}, {"${filename:substringBeforeLast(' n')}", "a brand"},
         {"${filename:substringBeforeLast('missing')}", "a brand new filename.txt"},
         {"${filename:substringBeforeLast('')}", "a brand new filename.txt"}, {"${filename:substringAfter('.')}", "txt"},
         {"${filename:substringAfter(' ')}", "brand new filename.txt"}, {"${filename:substringAfter(' n')}", "ew filename.txt"},
         {"${filename:substringAfter('missing')}", "a brand new filename.txt"},
         {"${filename:substringAfter('')}", "a brand new filename.txt"}, {"${filename:substringAfterLast('.')}", "txt"},
         {"${filename:substringAfterLast(' ')}", "filename.txt"}, {"${filename:substringAfterLast('txt')}", ""},
         {"${filename:substringAfterLast('missing')}", "a brand new filename.txt"},
         {"${filename:substringAfterLast('')}", "a brand new filename.txt"}, {"${missing:substringAfterLast('x')}", ""},
         {"${line:getDelimitedField(2)}", " 32"}, {"${line:getDelimitedField(2):trim()}", "32"},
         {"${line:getDelimitedField(1)}", "\"Jacobson, John\""},
         {"${line:getDelimitedField(1, ',', '\"', '\\\\', true)}", "Jacobson, John"}, {"${line:getDelimitedField(12)}", ""},
         {"${line:getDelimitedField(0)}", ""}, {"${path:getDelimitedField(2, '/')}", "2024"}, {"${path:getDelimitedField(3, '/')}", ""},
         {"${literal('a_|b|c'):getDelimitedField(1, '|', '\"', '_')}", "a_|b"},
         {"${literal('a__|b'):getDelimitedField(1, '|', '\"', '_')}", "a__"}, {"${missing:getDelimitedField(1)}", ""},
         {"${padded:trim()}", "42"}, {"${blank:trim()}", ""}, {"${missing:trim():isNull()}", "true"});
}

TEST(changing_text)
{
    ROWS({"${greetings:toUpper()}", "HELLO"}, {"${word:toLower()}", "true"}, {"${unicode:toUpper()}", "\xC3\x84\xC3\x96\xC3\x9CSS"},
         {"${literal('\xC3\x84'):toLower()}", "\xC3\xA4"}, {"${greetings:append('!')}", "hello!"}, {"${missing:append('x')}", "x"},
         {"${greetings:append(${missing})}", "hello"}, {"${greetings:append(1)}", "hello1"}, {"${greetings:append(1.50)}", "hello1.5"},
         {"${greetings:append(true)}", "hellotrue"}, {"${greetings:prepend('oh ')}", "oh hello"}, {"${missing:prepend('x')}", "x"},
         {"${greetings:length()}", "5"}, {"${missing:length()}", "0"}, {"${unicode:length()}", "4"}, {"${astral:length()}", "4"},
         {"${filename:replace('.', '_')}", "a brand new filename_txt"}, {"${filename:replace(' ', '.')}", "a.brand.new.filename.txt"},
         {"${filename:replace('XYZ', 'ZZZ')}", "a brand new filename.txt"}, {"${greetings:replace('l', '')}", "heo"},
         {"${n10:replace('', '-')}", "-1-0-"}, {"${windows:replace('\\\\', '/')}", "C:/test/1.txt"},
         {"${greetings:replace('l', '$1')}", "he$1$1o"}, {"${missing:replace('a','b'):isNull()}", "true"},
         {"${filename:replaceFirst('a', 'the')}", "the brand new filename.txt"},
         {"${filename:replaceFirst('[br]', 'g')}", "a grand new filename.txt"},
         {"${filename:replaceFirst('XYZ', 'ZZZ')}", "a brand new filename.txt"},
         {"${filename:replaceFirst('\\w{8}', 'book')}", "a brand new book.txt"},
         {"${filename:replaceAll('\\..*', '')}", "a brand new filename"},
         {"${filename:replaceAll('a brand (new)', '$1')}", "new filename.txt"},
         {"${filename:replaceAll('brand (new)', 'somewhat $1')}", "a somewhat new filename.txt"},
         {"${greetings:replaceAll('l+', 'r')}", "hero"}, {"${greetings:replaceAll('(l)(l)', '$2$1$0')}", "hellllo"},
         {"${greetings:replaceAll('(?<x>l+)', '<${x}>')}", "he<>o"}, {"${greetings:replaceAll('(?<x>l+)', '<$${x}>')}", "he<ll>o"},
         {"${greetings:replaceAll('l', '\\$')}", "he$$o"}, {"${greetings:replaceAll('(l)', '$12')}", "hel2l2o"},
         {"${greetings:replaceAll('x*', '-')}", "-h-e-l-l-o-"}, {"${greetings:replaceAll('l*', '-')}", "-h-e--o-"},
         {"${greetings:replaceAll('(z)?e', '[$1]')}", "h[]llo"}, {"${windows:replaceAll('\\\\\\\\', '/')}", "C:/test/1.txt"},
         {"${greetings:replaceAll('.*?(l+).*', '$1')}", "ll"}, {"${greetings:replaceAll('(h)(e)(l)(l)(o)', '$5$4$3$2$1')}", "olleh"},
         {"${abc:replaceByPattern('abc:xyz,hello.*:poo')}", "poo"}, {"${abc:replaceByPattern('foo:poo')}", "hello world"},
         {"${abc:replaceByPattern('h.*:first, hello world:second')}", "first"}, {"${abc:replaceByPattern('')}", "hello world"},
         {"${abc:replaceByPattern(${missing})}", "hello world"}, {"${missing:replaceNull('x')}", "x"}, {"${empty:replaceNull('x')}", ""},
         {"${n1:replaceNull(${text:divide(0)})}", "1"}, {"${empty:replaceEmpty('x')}", "x"}, {"${blank:replaceEmpty('x')}", "x"},
         {"${missing:replaceEmpty('x')}", "x"}, {"${n1:replaceEmpty('x')}", "1"}, {"${greetings:padLeft(10)}", "_____hello"},
         {"${greetings:padLeft(10,'@')}", "@@@@@hello"}, {"${greetings:padLeft(10,'xy')}", "xyxyxhello"},
         {"${greetings:padLeft(10,'aVeryLongPaddingString')}", "aVeryhello"}, {"${greetings:padLeft(1,'a')}", "hello"},
         {"${greetings:padLeft(-10,'a')}", "hello"}, {"${greetings:padLeft(9999999999,'abc')}", "hello"},
         {"${greetings:padRight(10)}", "hello_____"}, {"${greetings:padRight(10,'xy')}", "helloxyxyx"}, {"${empty:padRight(3,'')}", "___"},
         {"${greetings:repeat(2)}", "hellohello"}, {"${greetings:repeat(1,1)}", "hello"}, {"${missing:repeat(3)}", ""},
         {"${template:evaluateELString()}", "<1>  ${n1}"}, {"${abc:evaluateELString():toUpper()}", "HELLO WORLD"},
         {"${missing:evaluateELString()}", ""});
}

TEST(lists)
{
    ROWS({"${list:unique(',')}", "red,blue,green,yellow"}, {"${list:unique(';')}", "red,blue,red,green,blue,yellow"},
         {"${list:unique('')}", "red,blue,red,green,blue,yellow"}, {"${missing:unique(',')}", ""},
         {"${holes:compactDelimitedList(',')}", "a,b,c"}, {"${holes:compactDelimitedList('')}", ",a,,b,,,c,"},
         {"${literal(',,'):compactDelimitedList(',')}", ""}, {"${holes:trimDelimitedList(',')}", "a,,b,,,c"},
         {"${literal(',,'):trimDelimitedList(',')}", ""}, {"${greetings:trimDelimitedList(',')}", "hello"},
         {"${holes:unique(',')}", ",a,b,c"});
}

TEST(numbers)
{
    ROWS({"${n1:plus(1)}", "2"}, {"${n1:plus(0.5)}", "1.5"}, {"${n1:plus(${half})}", "1.5"}, {"${huge:plus(1)}", "-9223372036854775808"},
         {"${n10:minus(11)}", "-1"}, {"${n10:multiply(1024)}", "10240"}, {"${huge:multiply(2)}", "-2"}, {"${n10:divide(3)}", "3"},
         {"${negative:divide(10)}", "-6"}, {"${n10:divide(4.0)}", "2.5"}, {"${n1:divide(0.0)}", "Infinity"},
         {"${negative:divide(0.0)}", "-Infinity"}, {"${literal(0):toDecimal():divide(0)}", "NaN"}, {"${n10:mod(3)}", "1"},
         {"${negative:mod(10)}", "-4"}, {"${pi:mod(2)}", "1.1415899999999999"},
         {"${literal('-9223372036854775808'):divide(-1)}", "-9223372036854775808"}, {"${literal('-9223372036854775808'):mod(-1)}", "0"},
         {"${text:plus(1)}", ""}, {"${missing:plus(1)}", ""}, {"${n1:plus(${text})}", ""}, {"${hex:plus(1)}", "32"},
         {"${padded:plus(1)}", "43"}, {"${pi:toNumber()}", "3"}, {"${negative:toDecimal()}", "-64.0"}, {"${n1:toDecimal()}", "1.0"},
         {"${text:toNumber()}", ""}, {"${hex:toNumber()}", "31"}, {"${literal('-0x1F'):toNumber()}", "-31"},
         {"${literal('1e3'):toNumber()}", "1000"}, {"${literal('1e30'):toNumber()}", "9223372036854775807"},
         {"${literal('NaN'):toNumber()}", "0"}, {"${literal('010'):toNumber()}", "10"}, {"${literal('+5'):toNumber()}", "5"},
         {"${literal('5.'):toNumber()}", ""}, {"${literal('.5'):toDecimal()}", "0.5"}, {"${literal('0xF.Fp10'):toDecimal()}", "16320.0"},
         {"${literal('0x1p-1'):toDecimal()}", "0.5"}, {"${literal('1 2'):toNumber()}", ""}, {"${literal(5)}", "5"},
         {"${literal(-5.5):toNumber()}", "-5"}, {"${literal(+5.5)}", "5.5"}, {"${literal(5.)}", "5.0"}, {"${literal(.5E1)}", "5.0"},
         {"${literal(12.5E-2)}", "0.125"}, {"${literal(1e7)}", "1.0E7"}, {"${literal(9999999.0)}", "9999999.0"},
         {"${literal(12345678.9)}", "1.23456789E7"}, {"${literal(0.001)}", "0.001"}, {"${literal(0.0001)}", "1.0E-4"},
         {"${literal(-0.0)}", "-0.0"}, {"${literal(1e300)}", "1.0E300"}, {"${literal(4.9E-324)}", "4.9E-324"},
         {"${literal(1.7976931348623157E308)}", "1.7976931348623157E308"}, {"${literal(0.1):plus(0.2)}", "0.30000000000000004"},
         {"${literal(100.0)}", "100.0"}, {"${literal(2e-3)}", "0.002"}, {"${literal(true)}", "true"}, {"${literal(null)}", "null"},
         {"${literal(${missing})}", "null"}, {"${literal('x${missing}')}", "x"}, {"${size:toRadix(10)}", "1024"},
         {"${size:toRadix(10,8)}", "00001024"}, {"${size:toRadix(16)}", "400"}, {"${size:toRadix(16,8)}", "00000400"},
         {"${size:toRadix(2,16)}", "0000010000000000"}, {"${negative:toRadix(16)}", "-40"}, {"${size:toRadix(99)}", "1024"},
         {"${literal('-9223372036854775808'):toRadix(36)}", "-1y2p0ij32e8e8"}, {"${literal('ABCDEF'):fromRadix(16)}", "11259375"},
         {"${literal('123'):fromRadix(4)}", "27"}, {"${literal('-zz'):fromRadix(36)}", "-1295"},
         {"${n10:multiply(${n2}):divide(3):plus(${n1}):mod(5)}", "2"}, {"${literal(2):gt(1)}", "true"},
         {"${filename:length():minus(2):toString():length()}", "2"});
}

TEST(math)
{
    ROWS({"${negative:math('abs')}", "64"}, {"${literal(-64.1):toDecimal():math('abs')}", "64.1"}, {"${negative:math('max', ${n2})}", "2"},
         {"${negative:math('min', 3)}", "-64"}, {"${half:math('pow', 2.0)}", "0.25"}, {"${half:math('scalb', 2)}", "2.0"},
         {"${literal(9.0):toDecimal():math('sqrt')}", "3.0"}, {"${pi:math('ceil')}", "4.0"}, {"${pi:math('floor')}", "3.0"},
         {"${pi:math('round')}", "3"}, {"${literal(2.5):toDecimal():math('round')}", "3"},
         {"${literal(-2.5):toDecimal():math('round')}", "-2"}, {"${literal(2.5):toDecimal():math('rint')}", "2.0"},
         {"${literal(8.0):toDecimal():math('cbrt')}", "2.0"}, {"${negative:math('floorMod', 10)}", "6"},
         {"${negative:math('floorDiv', 10)}", "-7"}, {"${n10:math('addExact', 5)}", "15"},
         {"${literal(-3.7):toDecimal():math('signum')}", "-1.0"}, {"${literal(1024.0):toDecimal():math('getExponent')}", "10"},
         {"${text:math('abs')}", ""}, {"${literal(3.0):toDecimal():math('hypot', 4.0)}", "5.0"}, {"${math('random'):lt(1)}", "true"},
         {"${math('random'):ge(0)}", "true"}, {"${random():ge(0)}", "true"});
}

TEST(encodings)
{
    ROWS({"${filename:urlEncode()}", "a+brand+new+filename.txt"}, {"${special:urlEncode()}", "%3Ca+href%3D%22x%22%3EM+%26+M%27s%3C%2Fa%3E"},
         {"${unicode:urlEncode()}", "%C3%A4%C3%B6%C3%BC%C3%9F"}, {"${literal('a%20b+c%2F'):urlDecode()}", "a b c/"},
         {"${literal('.-*_~'):urlEncode()}", ".-*_%7E"}, {"${literal('admin:admin'):base64Encode()}", "YWRtaW46YWRtaW4="},
         {"${literal('YWRtaW46YWRtaW4='):base64Decode()}", "admin:admin"}, {"${literal('YQ'):base64Decode()}", "a"},
         {"${empty:base64Encode()}", ""}, {"${literal('/w=='):base64Decode()}", "\xEF\xBF\xBD"},
         {"${special:escapeXml()}", "&lt;a href=&quot;x&quot;&gt;M &amp; M&apos;s&lt;/a&gt;"},
         {"${special:escapeHtml4()}", "&lt;a href=&quot;x&quot;&gt;M &amp; M's&lt;/a&gt;"},
         {"${unicode:escapeHtml3()}", "&auml;&ouml;&uuml;&szlig;"}, {"${literal('special \xE2\x99\xA3'):escapeHtml4()}", "special &clubs;"},
         {"${literal('special \xE2\x99\xA3'):escapeHtml3()}", "special \xE2\x99\xA3"},
         {"${literal('&lt;&#65;&#x42;&apos;&nope;&amp;'):unescapeXml()}", "<AB'&nope;&"},
         {"${literal('&auml;&clubs;&apos;'):unescapeHtml4()}", "\xC3\xA4\xE2\x99\xA3&apos;"},
         {"${literal('&auml;&clubs;'):unescapeHtml3()}", "\xC3\xA4&clubs;"},
         {"${literal('a\"b\\\\c/d\\ne'):escapeJson()}", "a\\\"b\\\\c\\/d\\ne"}, {"${unicode:escapeJson()}", "\\u00E4\\u00F6\\u00FC\\u00DF"},
         {"${astral:escapeJson()}", "a\\uD83D\\uDE00z"}, {"${literal('\\\\\"\\\\u00e4\\\\n\\\\/x'):unescapeJson()}", "\"\xC3\xA4\n/x"},
         {"${literal('\\\\uD83D\\\\uDE00'):unescapeJson()}", "\xF0\x9F\x98\x80"}, {"${literal('a,b'):escapeCsv()}", "\"a,b\""},
         {"${literal('say \"x\"'):escapeCsv()}", "\"say \"\"x\"\"\""}, {"${greetings:escapeCsv()}", "hello"},
         {"${literal('\"a,\"\"b\"\"\"'):unescapeCsv()}", "a,\"b\""}, {"${literal('\"ab\"'):unescapeCsv()}", "\"ab\""},
         {"${missing:escapeJson()}", ""}, {"${literal('john'):hash('MD5')}", "527bd5b5d689e2c32ae974c6229ff785"},
         {"${literal('string value'):hash('SHA-1')}", "34990db823e7bb2b47278a7fbf08c62d9e8e4307"},
         {"${literal('string value'):hash('sha-256')}", "9b6a1a9167a5caf3f5948413faa89e0ec0de89e12bef55327442e60dcc0e8c9b"},
         {"${empty:hash('SHA-512/256')}", "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"},
         {"${n10:toNumber():hash('MD5')}", "d3d9446802a44259755d38e6d163e820"},
         {"${literal('u5IkOYFFvYioYBJSNI2XNjPaVoRjXYnr'):UUID3('b9e81de3-7047-4b5e-a822-8fff5b49f808')}",
          "7ab88cc4-7748-3214-812a-1bc4500a911a"},
         {"${literal('www.example.com'):UUID5('6ba7b810-9dad-11d1-80b4-00c04fd430c8')}", "2ed6657d-e927-568b-95e1-2665a8aea6a2"},
         {"${literal('www.example.com'):UUID3('6ba7b810-9dad-11d1-80b4-00c04fd430c8')}", "5df41881-3aed-3515-88a7-2f4a814cf09e"},
         {"${UUID():matches('[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')}", "true"});
}

TEST(json)
{
    ROWS({"${json:jsonPath('$.firstName')}", "John"}, {"${json:jsonPath('firstName')}", "John"},
         {"${json:jsonPath('$.address.postalCode')}", "10021-3100"}, {"${json:jsonPath(\"$['address']['city']\")}", "New York"},
         {"${json:jsonPath('$.phoneNumbers[?(@.type==\"home\")].number')}", "212 555-1234"},
         {"${json:jsonPath('$.phoneNumbers[1].number')}", "646 555-4567"}, {"${json:jsonPath('$.phoneNumbers[-1].type')}", "office"},
         {"${json:jsonPath('$.phoneNumbers')}",
          "[{\"type\":\"home\",\"number\":\"212 555-1234\"},{\"type\":\"office\",\"number\":\"646 555-4567\"}]"},
         {"${json:jsonPath('$.phoneNumbers[*].type')}", "[\"home\",\"office\"]"},
         {"${json:jsonPath('$..number')}", "[\"212 555-1234\",\"646 555-4567\"]"}, {"${json:jsonPath('$.missing')}", ""},
         {"${json:jsonPath('$.phoneNumbers[7]')}", ""}, {"${json:jsonPath('$..nope')}", "[]"}, {"${json:jsonPath('$.age')}", "25"},
         {"${json:jsonPath('$.voter')}", "true"}, {"${json:jsonPath('$.height')}", "6.1"}, {"${json:jsonPath('$.gone')}", ""},
         {"${json:jsonPath('$.age'):plus(1)}", "26"}, {"${json:jsonPath('$.phoneNumbers[0:1].type')}", "home"},
         {"${json:jsonPath('$.phoneNumbers[0,1].type')}", "[\"home\",\"office\"]"},
         {"${json:jsonPath('$.phoneNumbers[?(@.type != \"home\" && @.number)].type')}", "office"},
         {"${json:jsonPath('$.phoneNumbers[?(!(@.type == \"home\") || @.none > 1)].type')}", "office"},
         {"${json:jsonPath('$.phoneNumbers[?(@.number > \"5\")].type')}", "office"},
         {"${json:jsonPath('${literal(\"$.lastName\")}')}", "Smith"}, {"${json:jsonPath('$.nicknames')}", "[]"},
         {"${json:jsonPathDelete('$.phoneNumbers'):jsonPathDelete('$.address'):jsonPathDelete('$.nicknames')}",
          "{\"firstName\":\"John\",\"lastName\":\"Smith\",\"age\":25,\"voter\":true,\"height\":6.1,\"gone\":null}"},
         {"${json:jsonPathDelete('$.none'):equals(${json})}", "true"},
         {"${json:jsonPathDelete(\"$.phoneNumbers[?(@.type=='home')]\"):jsonPath('$.phoneNumbers[*].type')}", "office"},
         {"${json:jsonPathDelete('$..number'):jsonPath('$.phoneNumbers')}", "[{\"type\":\"home\"},{\"type\":\"office\"}]"},
         {"${json:jsonPathDelete('$.phoneNumbers[*]'):jsonPath('$.phoneNumbers')}", "[]"},
         {"${json:jsonPathSet('$.firstName','James'):jsonPath('$.firstName')}", "James"},
         {"${json:jsonPathSet('$.voter',false):jsonPath('$.voter')}", "false"},
         {"${json:jsonPathSet('$.height',5.9):jsonPath('$.height')}", "5.9"}, {"${json:jsonPathSet('$.none',5.9):equals(${json})}", "true"},
         {"${json:jsonPathAdd('$.nicknames','Jimmy'):jsonPath('$.nicknames')}", "Jimmy"},
         {"${json:jsonPathAdd('$.nicknames','a'):jsonPathAdd('$.nicknames',2):jsonPath('$.nicknames')}", "[\"a\",2]"},
         {"${json:jsonPathAdd('$.firstName','x')}", ""}, {"${json:jsonPathAdd('$.none','x'):equals(${json})}", "true"},
         {"${json:jsonPathPut('$','middlename','Turon'):jsonPath('$.middlename')}", "Turon"},
         {"${json:jsonPathPut('$.address','country','US'):jsonPath('$.address.country')}", "US"},
         {"${json:jsonPathPut('$.phoneNumbers[1]','backup','212'):jsonPath('$.phoneNumbers[1].backup')}", "212"},
         {"${json:jsonPathPut('$.phoneNumbers','x',1)}", ""}, {"${json:jsonPathPut('$.none','x',1)}", ""},
         {"${literal('[1,2.50,1e10,\"\xC3\xA4\\\\u0001/\"]'):jsonPath('$')}", "[1,2.5,1.0E10,\"\xC3\xA4\\u0001/\"]"},
         {"${json:isJson()}", "true"}, {"${broken:isJson()}", "false"}, {"${literal(' [1] '):isJson()}", "true"},
         {"${literal('[1'):isJson()}", "false"}, {"${literal('\"x\"'):isJson()}", "false"}, {"${missing:isJson()}", "false"},
         {"${n1:isJson()}", "false"});
}

TEST(dates)
{
    ROWS(
        {"${time:format(\"yyyy/MM/dd HH:mm:ss.SSS\\'Z'\", \"GMT\")}", "2014/12/31 20:36:03.264Z"},
        {"${time:format(\"yyyy/MM/dd HH:mm:ss.SSS'Z'\", \"America/Los_Angeles\")}", "2014/12/31 12:36:03.264Z"},
        {"${time:format(\"yyyy/MM/dd HH:mm:ss.SSS'Z'\", \"Asia/Tokyo\")}", "2015/01/01 05:36:03.264Z"}, {"${time:format('yyyy')}", "2014"},
        {"${time:toNumber():format('yyyy')}", "2014"}, {"${time:toDate()}", "Wed Dec 31 20:36:03 UTC 2014"},
        {"${time:toDate():toNumber()}", "1420058163264"}, {"${missing:toDate()}", ""}, {"${missing:format('yyyy')}", ""},
        {"${time:format('E EEEE MMM MMMM d')}", "Wed Wednesday Dec December 31"}, {"${time:format('h:mm a')}", "8:36 PM"},
        {"${time:format('D w W F e Q QQQ u')}", "365 1 5 3 4 4 Q4 2014"}, {"${time:format('YYYY')}", "2015"},
        {"${time:format('yy M L k K n A')}", "14 12 12 20 8 264000000 74163264"}, {"${time:format('G S SS SSSSSS')}", "AD 2 26 264000"},
        {"${time:format(\"''yyyy'' 'o''clock'\")}", "'2014' o'clock"},
        {"${time:format('X XX XXX x xxx Z ZZZZ ZZZZZ O z VV','Asia/Kolkata')}",
         "+0530 +0530 +05:30 +0530 +05:30 +0530 GMT+05:30 +05:30 GMT+5:30 IST Asia/Kolkata"},
        {"${time:format('X XXX x Z O z','UTC')}", "Z Z +00 +0000 GMT UTC"}, {"${time:format('HH:mm XXX','+02:00')}", "22:36 +02:00"},
        {"${time:format('HH:mm','UTC-3')}", "17:36"}, {"${time:format('z','Europe/Berlin')}", "CET"},
        {"${stamp:toDate('yyyy/MM/dd HH:mm:ss.SSS','America/New_York'):toNumber()}", "1384788147678"},
        {"${stamp:toInstant('yyyy/MM/dd HH:mm:ss.SSS','America/New_York'):toNumber()}", "1384788147678"},
        {"${stamp:toDate('yyyy/MM/dd HH:mm:ss.SSS'):plus(86400000):format('yyyy/MM/dd HH:mm:ss.SSS')}", "2013/11/19 10:22:27.678"},
        {"${stamp:format('SSS')}", "678"}, {"${literal('2014/04/04 00:00:00'):format('D')}", "94"},
        {"${compact:toDate('yyyyMMddHHmmss','GMT'):format(\"yyyy/MM/dd HH:mm:ss.SSS'Z'\",'Europe/Paris')}", "2013/09/17 18:26:43.000Z"},
        {"${may:toDate('ddMMMyyyy'):format('yyyy/MM/dd')}", "2004/05/10"},
        {"${literal('2013/3/4'):toDate('yyyy/MM/dd'):format('D')}", "63"},
        {"${literal('120101120000'):toDate('yyMMddHHmmss'):format(\"yy-MM-dd'T'HH:mm:ss\")}", "12-01-01T12:00:00"},
        {"${literal('2024'):toDate('yyyy'):toNumber()}", "1704067200000"},
        {"${literal('2023-02-30'):toDate('yyyy-MM-dd'):format('MM-dd')}", "02-28"},
        {"${literal('2024-060'):toDate('yyyy-DDD'):format('MM-dd')}", "02-29"},
        {"${literal('3:05 pm'):toDate('h:mm a'):format('HH:mm')}", "15:05"},
        {"${literal('2024-01-01T00:00:00+0200'):toDate(\"yyyy-MM-dd'T'HH:mm:ssZ\"):toNumber()}", "1704060000000"},
        {"${literal('2024-01-01 24:00'):toDate('yyyy-MM-dd HH:mm'):format('MM-dd HH')}", "01-02 00"},
        {"${literal('2024-03-31 02:30'):toDate('yyyy-MM-dd HH:mm','Europe/Paris'):format('HH:mm','Europe/Paris')}", "03:30"},
        {"${literal('2024-10-27 02:30'):toDate('yyyy-MM-dd HH:mm','Europe/Paris'):toNumber()}", "1729989000000"},
        {"${literal('2024'):toDate('yyyy[-MM[-dd]]'):format('MM')}", "01"},
        {"${literal('2024-05'):toDate('yyyy[-MM[-dd]]'):format('MM')}", "05"},
        {"${literal('2022/03/18 10:22:27.678234567'):toInstant('yyyy/MM/dd HH:mm:ss.SSSSSSSSS','America/New_York'):toNanos()}",
         "1647613347678234567"},
        {"${literal('2022/03/18 10:22:27.678234567'):toInstant('yyyy/MM/dd HH:mm:ss.SSSSSSSSS','America/New_York'):toMicros()}",
         "1647613347678234"},
        {"${time:toInstant()}", "2014-12-31T20:36:03.264Z"},
        {"${isoz:formatInstant('yyyy/MM/dd HH:mm:ss.SSSSSSSSS','GMT')}", "2022/12/03 10:15:30.123456789"},
        {"${iso:formatInstant('yyyy/MM/dd HH:mm:ss.SSS','Asia/Tokyo')}", "2022/12/03 18:15:30.000"},
        {"${rfc:formatInstant('yyyy/MM/dd HH:mm:ss','GMT')}", "2022/12/01 16:00:00"},
        {"${isoz:plusInstantDuration('1 nanosecond'):formatInstant('n','UTC')}", "123456790"}, {"${missing:toInstant()}", ""},
        {"${date:toDate('dd-MM-yyyy'):plusDuration('1 week'):format('dd-MM-yyyy')}", "11-08-2026"},
        {"${date:toDate('dd-MM-yyyy'):plusDuration('2 years'):format('dd-MM-yyyy')}", "04-08-2028"},
        {"${date:toDate('dd-MM-yyyy'):plusDuration('3 months'):format('dd-MM-yyyy')}", "04-11-2026"},
        {"${date:toDate('dd-MM-yyyy'):plusDuration('2 hours'):format('dd-MM-yyyy HH:mm:ss')}", "04-08-2026 02:00:00"},
        {"${date:toDate('dd-MM-yyyy'):minusDuration('1 second'):format('dd-MM-yyyy HH:mm:ss')}", "03-08-2026 23:59:59"},
        {"${literal('2026-03-29 00:00:00'):toDate('yyyy-MM-dd HH:mm:ss','Europe/Vienna'):plusDuration('1 day','Europe/Vienna'):format('yyyy-MM-dd HH:mm:ssXXX','Europe/Vienna')}",
         "2026-03-30 00:00:00+02:00"},
        {"${literal('2026-11-02 00:00:00'):toDate('yyyy-MM-dd HH:mm:ss','America/New_York'):minusDuration('1 day','America/New_York'):format('yyyy-MM-dd HH:mm:ssXXX','America/New_York')}",
         "2026-11-01 00:00:00-04:00"},
        {"${leap:toInstant('dd-MM-yyyy HH:mm:ss','UTC'):plusInstantDuration('1 year'):formatInstant('dd-MM-yyyy','UTC')}", "28-02-2025"},
        {"${leap:toInstant('dd-MM-yyyy HH:mm:ss','UTC'):minusInstantDuration('1 Month'):formatInstant('dd-MM-yyyy','UTC')}", "29-01-2024"},
        {"${date:toDate('dd-MM-yyyy'):plusDuration('0 days'):toNumber()}", "1785801600000"}, {"${date:isValidDate('dd-MM-yyyy')}", "true"},
        {"${literal('31-02-2026'):isValidDate('dd-MM-yyyy')}", "false"}, {"${text:isValidDate('dd-MM-yyyy')}", "false"},
        {"${literal('2026-08-04 10:15:30'):isValidDate('yyyy-MM-dd HH:mm:ss','UTC')}", "true"},
        {"${literal('2024-03-31 02:30:00'):isValidDate('yyyy-MM-dd HH:mm:ss','Europe/Paris')}", "false"},
        {"${missing:isValidDate('yyyy')}", "false"}, {"${isoz:isValidInstant()}", "true"}, {"${rfc:isValidInstant()}", "true"},
        {"${iso:isValidInstant()}", "true"}, {"${text:isValidInstant()}", "false"}, {"${now():toNumber():gt(1700000000000)}", "true"},
        {"${now():format('yyyy'):ge(2024)}", "true"});
}

TEST(several_values)
{
    ROWS({"${anyAttribute('abc','xyz'):contains('bye')}", "true"}, {"${anyAttribute('abc','missing'):isNull()}", "true"},
         {"${anyAttribute('missing'):substring(1,2):equals('b')}", "false"},
         {"${anyAttribute('filename','xyz'):toUpper():contains('e')}", "false"},
         {"${allAttributes('abc','xyz'):contains('world')}", "true"}, {"${allAttributes('abc','n1'):contains('world')}", "false"},
         {"${allAttributes('n1','n2'):toNumber():lt(3)}", "true"}, {"${allAttributes('abc','missing'):isNull()}", "false"},
         {"${anyMatchingAttribute('[ax].*'):contains('bye')}", "true"}, {"${anyMatchingAttribute('nope.*'):notNull()}", "false"},
         {"${anyMatchingAttribute('.*'):isNull()}", "false"}, {"${allMatchingAttributes('abc|xyz'):contains('world')}", "true"},
         {"${allMatchingAttributes('n\\d+'):toNumber():gt(0)}", "true"}, {"${allMatchingAttributes('n\\d+'):count()}", "3"},
         {"${allMatchingAttributes('nope.*'):count()}", "0"}, {"${anyDelineatedValue('${numbers}',','):contains('5')}", "true"},
         {"${anyDelineatedValue('this that and',','):equals('${abc}')}", "false"},
         {"${anyDelineatedValue(${numbers},','):equals('6')}", "false"},
         {"${allDelineatedValues('${numbers}',','):matches('[0-9]+')}", "true"},
         {"${allDelineatedValues('${list}',','):contains('o')}", "false"}, {"${allDelineatedValues(${numbers},','):count()}", "5"},
         {"${allDelineatedValues('a,b,,',','):count()}", "2"}, {"${allDelineatedValues('/my/path','/'):count()}", "3"},
         {"${allDelineatedValues(',,',','):count()}", "0"}, {"${allDelineatedValues('a|b|c','\\|'):join('-')}", "a-b-c"},
         {"${allDelineatedValues('a1b22c','\\d+'):join('-')}", "a-b-c"},
         {"${allAttributes('abc','xyz'):substringBefore(' '):join('-')}", "hello-good-bye"},
         {"${allAttributes('abc','xyz'):join(' now ')}", "hello world now good-bye world"},
         {"${allAttributes('missing','gone'):join(',')}", ","}, {"${allMatchingAttributes('n\\d+'):plus(1):join(',')}", "2,3,11"},
         {"${allAttributes('abc','xyz'):contains('world'):count()}", "2"}, {"${allAttributes('abc','missing','xyz'):count()}", "2"},
         {"${allMatchingAttributes('n\\d+'):length():gt(1):count()}", "1"}, {"${allAttributes('n1','n2'):contains('2'):not()}", "false"},
         {"${allMatchingAttributes('n1|n10'):contains('1'):toUpper():equals('TRUE')}", "true"},
         {"${literal( ${allAttributes('n1','n2'):join(',')} ):append('!')}", "1,2!"}, {"${abc:join(',')}", "hello world"},
         {"${missing:join(',')}", ""}, {"${abc:count()}", "1"}, {"${missing:count()}", "0"},
         {"${allAttributes('${pointer}','xyz'):contains('world')}", "true"},
         {"${anyMatchingAttribute('filename.*'):contains('new'):and( ${n1:equals('1')} )}", "true"});
}

TEST(without_subject)
{
    ROWS({"${getStateValue('count')}", "17"}, {"${getStateValue('none')}", ""}, {"${getStateValue('count'):plus(1)}", "18"},
         {"${getStateValue(123)}", "number"}, {"${thread()}", "flow/processor"}, {"${hostname():isEmpty()}", "false"},
         {"${hostname(true):isEmpty()}", "false"}, {"${hostname(false):equals(${hostname()})}", "true"}, {"${ip():find('[.:]')}", "true"},
         {"${nextInt():plus(1):equals(${nextInt()})}", "true"},
         {"${getUri('https','admin:admin','nifi.apache.org','1234','/path/data ','key=value &key2=value2','frag1')}",
          "https://admin:admin@nifi.apache.org:1234/path/data%20?key=value%20&key2=value2#frag1"},
         {"${getUri('https',null,'nifi.apache.org',8443,'/docs.html',null,null)}", "https://nifi.apache.org:8443/docs.html"},
         {"${getUri('http',null,'nifi.apache.org',-1,'/docs.html',null,null)}", "http://nifi.apache.org/docs.html"},
         {"${getUri('http',null,'::1',-1,'/a%b',null,null)}", "http://[::1]/a%25b"});
}
