/* Escapes of JSON, XML, CSV and HTML, as Apache Commons Text has them. */
#include <stdio.h>

#include "flow/expression/entities.h"
#include "flow/expression/functions.h"

static void add_bytes(sl_buf *out, sl_str text, size_t at) { sl_buf_add(out, text.data + at, character_size(text, at)); }

/* ---- JSON ------------------------------------------------------------------------------------------------ */
static void add_json_unicode(sl_buf *out, uint32_t c)
{
    if (c < 0x10000) sl_buf_printf(out, "\\u%04X", c);
    else sl_buf_printf(out, "\\u%04X\\u%04X", 0xD7C0 + (c >> 10), 0xDC00 + (c & 0x3FF));
}

FUNCTION(escape_json)
{
    (void)c, (void)arguments;
    static const char special[] = "\"\\/\b\n\t\f\r", letters[] = "\"\\/bntfr";
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t at = 0; at < subject.text.size && !out.overflowed; at += character_size(subject.text, at)) {
        uint32_t here = character_at(subject.text, at);
        const char *found = here && here < 0x80 ? strchr(special, (int)here) : NULL;
        if (found) sl_buf_printf(&out, "\\%c", letters[found - special]);
        else if (here < 32 || here > 0x7F) add_json_unicode(&out, here);
        else sl_buf_char(&out, (char)here);
    }
    return scratch_buf(e, &out, ret);
}

static int hex_value(sl_str text, size_t at, size_t size, uint32_t *ret)
{
    *ret = 0;
    if (text.size - SL_MIN(at, text.size) < size || !size) return -1;
    for (size_t i = at; i < at + size; i++) {
        char c = text.data[i];
        uint32_t digit = c >= '0' && c <= '9'                     ? (uint32_t)(c - '0')
                         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (uint32_t)((c | 0x20) - 'a' + 10)
                                                                  : 99;
        if (digit == 99) return -1;
        *ret = *ret << 4 | digit;
    }
    return 0;
}

/* \uXXXX at `at`, with more u's and a + as Java has them; a low surrogate after a high one is taken too. */
static size_t unescape_unicode(sl_str text, size_t at, uint32_t *ret)
{
    size_t digits = at + 1;
    while (digits < text.size && text.data[digits] == 'u') digits++;
    if (digits < text.size && text.data[digits] == '+') digits++;
    if (hex_value(text, digits, 4, ret) < 0) return 0;
    uint32_t low;
    size_t end = digits + 4;
    bool high = *ret >= 0xD800 && *ret < 0xDC00;
    if (high && end + 6 <= text.size && text.data[end] == '\\' && text.data[end + 1] == 'u' && hex_value(text, end + 2, 4, &low) == 0 &&
        low >= 0xDC00 && low < 0xE000) {
        *ret = 0x10000 + ((*ret - 0xD800) << 10) + (low - 0xDC00);
        return end + 6;
    }
    if (*ret >= 0xD800 && *ret < 0xE000) *ret = '?'; /* alone it is no character: Java writes ? */
    return end;
}

static size_t unescape_octal(sl_str text, size_t at, uint32_t *ret)
{
    size_t most = text.data[at + 1] <= '3' ? 3 : 2, end = at + 1;
    for (*ret = 0; end < text.size && end - at <= most && text.data[end] >= '0' && text.data[end] <= '7'; end++)
        *ret = *ret * 8 + (uint32_t)(text.data[end] - '0');
    return end;
}

/* What the backslash at `at` begins; the offset after it, 0: wrong. */
static size_t unescape_one(sl_str text, size_t at, sl_buf *out)
{
    static const char letters[] = "bntfr", bytes[] = "\b\n\t\f\r";
    char next = at + 1 < text.size ? text.data[at + 1] : 0;
    uint32_t c;
    size_t end;
    if (next == 'u') {
        if (!(end = unescape_unicode(text, at, &c))) return 0;
        add_character(out, c);
        return end;
    }
    if (next >= '0' && next <= '7') {
        end = unescape_octal(text, at, &c);
        add_character(out, c);
        return end;
    }
    const char *found = next ? strchr(letters, next) : NULL;
    if (found) sl_buf_char(out, bytes[found - letters]);
    else if (next && strchr("\\\"'", next)) sl_buf_char(out, next);
    else return at + 1; /* a backslash before anything else is dropped */
    return at + 2;
}

FUNCTION(unescape_json)
{
    (void)c, (void)arguments;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t at = 0; at < subject.text.size;) {
        if (subject.text.data[at] != '\\') {
            sl_buf_char(&out, subject.text.data[at++]);
            continue;
        }
        size_t end = unescape_one(subject.text, at, &out);
        if (!end) {
            sl_buf_done(&out);
            return fail(e, "expected four hexadecimal digits after \\u at %zu", at);
        }
        at = end;
    }
    return scratch_buf(e, &out, ret);
}

/* ---- CSV ---------------------------------------------------------------------------------------------------- */
static bool has_any(sl_str text, const char *of)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] && strchr(of, text.data[i])) return true;
    return false;
}

FUNCTION(escape_csv)
{
    (void)c, (void)arguments;
    *ret = subject;
    if (!has_any(subject.text, ",\"\r\n")) return 0;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    sl_buf_char(&out, '"');
    for (size_t i = 0; i < subject.text.size; i++) {
        if (subject.text.data[i] == '"') sl_buf_char(&out, '"');
        sl_buf_char(&out, subject.text.data[i]);
    }
    sl_buf_char(&out, '"');
    return scratch_buf(e, &out, ret);
}

FUNCTION(unescape_csv)
{
    (void)c, (void)arguments;
    sl_str text = subject.text;
    *ret = subject;
    if (text.size < 2 || text.data[0] != '"' || text.data[text.size - 1] != '"') return 0;
    text = (sl_str){text.data + 1, text.size - 2};
    if (!has_any(text, ",\"\r\n")) return 0;
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t i = 0; i < text.size; i++) {
        sl_buf_char(&out, text.data[i]);
        if (text.data[i] == '"' && i + 1 < text.size && text.data[i + 1] == '"') i++;
    }
    return scratch_buf(e, &out, ret);
}

/* ---- XML and HTML ---------------------------------------------------------------------------------------------- */
typedef enum markup { XML, HTML3, HTML4 } markup;

static const entity basic[] = {{'"', "quot"}, {'&', "amp"}, {'<', "lt"}, {'>', "gt"}, {'\'', "apos"}};

static const char *entity_of(uint32_t c, markup m)
{
    for (size_t i = 0; i < SL_COUNT(basic) - (m != XML); i++)
        if (basic[i].character == c) return basic[i].name;
    if (m == XML || c < 0xA0 || (m == HTML3 && c > 0xFF)) return NULL;
    for (size_t i = 0; i < entity_count; i++)
        if (entities[i].character == c) return entities[i].name;
    return NULL;
}

static bool not_in_xml(uint32_t c) { return c < 9 || c == 0x0B || c == 0x0C || (c >= 0x0E && c < 0x20) || c == 0xFFFE || c == 0xFFFF; }

static int escape_markup(evaluation *e, sl_str text, markup m, value *ret)
{
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t at = 0; at < text.size && !out.overflowed; at += character_size(text, at)) {
        uint32_t here = character_at(text, at);
        const char *name = here < 0x80 || m != XML ? entity_of(here, m) : NULL;
        if (name) sl_buf_printf(&out, "&%s;", name);
        else if (m == XML && not_in_xml(here)) continue;
        else if (m == XML && here >= 0x7F && here <= 0x9F && here != 0x85) sl_buf_printf(&out, "&#%u;", here);
        else add_bytes(&out, text, at);
    }
    return scratch_buf(e, &out, ret);
}

FUNCTION(escape_xml) { return (void)c, (void)arguments, escape_markup(e, subject.text, XML, ret); }
FUNCTION(escape_html3) { return (void)c, (void)arguments, escape_markup(e, subject.text, HTML3, ret); }
FUNCTION(escape_html4) { return (void)c, (void)arguments, escape_markup(e, subject.text, HTML4, ret); }

/* "#65" or "#x41" */
static bool numeric_entity(sl_str name, uint32_t *ret)
{
    bool hex = name.size > 2 && (name.data[1] | 0x20) == 'x';
    if (name.size < 2 || name.data[0] != '#') return false;
    if (hex) return name.size <= 8 && hex_value(name, 2, name.size - 2, ret) == 0 && *ret <= 0x10FFFF;
    *ret = 0;
    for (size_t i = 1; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9' || *ret > 0x10FFFF) return false;
        *ret = *ret * 10 + (uint32_t)(name.data[i] - '0');
    }
    return *ret <= 0x10FFFF;
}

static bool character_of(sl_str name, markup m, uint32_t *ret)
{
    if (numeric_entity(name, ret)) return true;
    for (size_t i = 0; i < SL_COUNT(basic) - (m != XML); i++)
        if (sl_str_is(name, basic[i].name)) return *ret = basic[i].character, true;
    for (size_t i = 0; m != XML && i < entity_count; i++)
        if (sl_str_is(name, entities[i].name) && (m == HTML4 || entities[i].character < 0x100)) return *ret = entities[i].character, true;
    return false;
}

static int unescape_markup(evaluation *e, sl_str text, markup m, value *ret)
{
    sl_buf out = SL_BUF(EXPRESSION_RESULT);
    for (size_t at = 0; at < text.size;) {
        uint32_t c;
        size_t most = SL_MIN(text.size - at, (size_t)12);
        const char *end = text.data[at] == '&' ? memchr(text.data + at, ';', most) : NULL;
        sl_str name = {text.data + at + 1, end ? (size_t)(end - text.data) - at - 1 : 0};
        if (end && character_of(name, m, &c)) {
            add_character(&out, c >= 0xD800 && c < 0xE000 ? '?' : c);
            at += name.size + 2;
        } else sl_buf_char(&out, text.data[at++]);
    }
    return scratch_buf(e, &out, ret);
}

FUNCTION(unescape_xml) { return (void)c, (void)arguments, unescape_markup(e, subject.text, XML, ret); }
FUNCTION(unescape_html3) { return (void)c, (void)arguments, unescape_markup(e, subject.text, HTML3, ret); }
FUNCTION(unescape_html4) { return (void)c, (void)arguments, unescape_markup(e, subject.text, HTML4, ret); }
