#include "base/base.h"

/* ---- writing --------------------------------------------------------------------------------------- */

static int escaped(sl_buf *buf, unsigned char c)
{
    switch (c) {
    case '"': return sl_buf_text(buf, "\\\"");
    case '\\': return sl_buf_text(buf, "\\\\");
    case '\n': return sl_buf_text(buf, "\\n");
    case '\r': return sl_buf_text(buf, "\\r");
    case '\t': return sl_buf_text(buf, "\\t");
    default: return sl_buf_printf(buf, "\\u%04x", c);
    }
}

int sl_json_string(sl_buf *buf, sl_str text)
{
    size_t plain = 0;
    int failed = sl_buf_char(buf, '"');
    for (size_t at = 0; at < text.size && !failed;) {
        unsigned char c = (unsigned char)text.data[at];
        size_t size = c < 0x80 ? 1 : sl_utf8_sequence(text, at);
        if (size && c >= 0x20 && c != '"' && c != '\\') {
            at += size;
            continue;
        }
        failed = sl_buf_add(buf, text.data + plain, at - plain);
        if (!failed) failed = size ? escaped(buf, c) : sl_buf_text(buf, "\xEF\xBF\xBD");
        plain = ++at;
    }
    if (!failed) failed = sl_buf_add(buf, text.data + plain, text.size - plain);
    return failed ? failed : sl_buf_char(buf, '"');
}

/* ---- reading a flat object ---------------------------------------------------------------------------- */

typedef struct reader {
    const char *at, *end, *start;
    sl_arena *arena;
    sl_error *error;
} reader;

static int wrong(const reader *r, const char *expected)
{
    return sl_error_set(r->error, 0, "JSON: expected %s at byte %zu", expected, (size_t)(r->at - r->start));
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

static int expect(reader *r, char c, const char *name)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c) return wrong(r, name);
    r->at++;
    return 0;
}

static int unit16(reader *r, uint32_t *ret)
{
    unsigned char bytes[2];
    if (r->end - r->at < 4 || sl_unhex((sl_str){r->at, 4}, bytes, 2) < 0) return wrong(r, "four hex digits");
    r->at += 4;
    *ret = (uint32_t)bytes[0] << 8 | bytes[1];
    return 0;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

static int unicode_escape(reader *r, char **to)
{
    uint32_t c = 0, low = 0;
    if (unit16(r, &c) < 0) return -1;
    if (c >= 0xDC00 && c <= 0xDFFF) return wrong(r, "no lone surrogate");
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') return wrong(r, "a low surrogate");
        r->at += 2;
        if (unit16(r, &low) < 0) return -1;
        if (low < 0xDC00 || low > 0xDFFF) return wrong(r, "a low surrogate");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_utf8(*to, c);
    return 0;
}

static int escape(reader *r, char **to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end) return wrong(r, "an escape");
    char c = *r->at++;
    if (c == 'u') return unicode_escape(r, to);
    const char *found = c ? strchr(names, c) : NULL;
    if (!found) return wrong(r, "an escape");
    *(*to)++ = values[found - names];
    return 0;
}

/* After the opening quote; a string with escapes is rewritten in the arena (it only shrinks). */
static int string_slow(reader *r, const char *begin, sl_str *ret)
{
    const char *stop = r->at;
    while (stop < r->end && *stop != '"') stop += *stop == '\\' && stop + 1 < r->end ? 2 : 1;
    size_t kept = (size_t)(r->at - begin);
    char *made = sl_arena_alloc(r->arena, (size_t)(stop - begin) + 1), *to = made + kept;
    memcpy(made, begin, kept);
    for (;;) {
        if (r->at >= r->end || (unsigned char)*r->at < 0x20) return wrong(r, "the end of a string");
        char c = *r->at++;
        if (c == '"') break;
        if (c != '\\') *to++ = c;
        else if (escape(r, &to) < 0) return -1;
    }
    *ret = (sl_str){made, (size_t)(to - made)};
    return 0;
}

static int string(reader *r, sl_str *ret)
{
    if (expect(r, '"', "a string") < 0) return -1;
    const char *begin = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) r->at++;
    if (r->at < r->end && *r->at == '"') {
        *ret = (sl_str){begin, (size_t)(r->at - begin)};
        r->at++;
        return 0;
    }
    return string_slow(r, begin, ret);
}

static int member(reader *r, sl_json_member callback, void *context)
{
    sl_str name, value;
    if (string(r, &name) < 0 || expect(r, ':', "':'") < 0) return -1;
    skip_blanks(r);
    if (r->end - r->at >= 4 && memcmp(r->at, "null", 4) == 0) {
        r->at += 4;
        return callback(context, name, NULL);
    }
    if (string(r, &value) < 0) return -1;
    return callback(context, name, &value);
}

int sl_json_members(sl_str text, sl_arena *arena, sl_json_member callback, void *context, sl_error *error)
{
    reader r = {text.data, text.data + text.size, text.data, arena, error};
    if (expect(&r, '{', "'{'") < 0) return -1;
    skip_blanks(&r);
    bool more = r.at < r.end && *r.at != '}';
    while (more) {
        if (member(&r, callback, context) < 0) return error && !error->text[0] ? wrong(&r, "each name once") : -1;
        skip_blanks(&r);
        more = r.at < r.end && *r.at == ',';
        if (more) r.at++;
    }
    if (expect(&r, '}', "',' or '}'") < 0) return -1;
    skip_blanks(&r);
    return r.at == r.end ? 0 : wrong(&r, "the end");
}
