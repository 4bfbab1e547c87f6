#include "text.h"

#include <stdio.h>

void *s3_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory) abort();
    return memory;
}

char *s3_copy(const char *text, size_t size)
{
    char *copy = s3_alloc(size + 1);
    if (size) memcpy(copy, text, size);
    return copy;
}

/* ---- growing text -------------------------------------------------------------------------------- */

static char *room(s3_text *text, size_t more)
{
    if (text->size + more + 1 > text->capacity) {
        text->capacity = S3_MAX(text->size + more + 1, text->capacity * 2 + 64);
        text->data = realloc(text->data, text->capacity);
        if (!text->data) abort();
    }
    return text->data + text->size;
}

void s3_text_done(s3_text *text)
{
    free(text->data);
    *text = (s3_text){0};
}

void s3_text_clear(s3_text *text)
{
    text->size = 0;
    if (text->data) text->data[0] = 0;
}

void s3_text_bytes(s3_text *text, const void *data, size_t size)
{
    char *at = room(text, size);
    if (size) memcpy(at, data, size);
    text->size += size;
    text->data[text->size] = 0;
}

void s3_text_add(s3_text *text, const char *more) { s3_text_bytes(text, more, strlen(more)); }

void s3_text_printf(s3_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0) return;
    char *at = room(text, (size_t)size);
    va_start(arguments, format);
    vsnprintf(at, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

void s3_text_percent(s3_text *text, const char *more, size_t size, const char *keep)
{
    for (size_t i = 0, plain = 0; i < size; i += plain) {
        for (plain = 0; i + plain < size && (unreserved(more[i + plain]) || (more[i + plain] && strchr(keep, more[i + plain])));) plain++;
        s3_text_bytes(text, more + i, plain);
        if (i + plain == size) return;
        s3_text_printf(text, "%%%02X", (unsigned char)more[i + plain++]);
    }
}

static bool json_plain(char c) { return c != '"' && c != '\\' && (unsigned char)c >= 0x20; }

void s3_text_json(s3_text *text, const char *more)
{
    s3_text_add(text, "\"");
    while (*more) {
        size_t plain = 0;
        while (json_plain(more[plain])) plain++;
        s3_text_bytes(text, more, plain);
        more += plain;
        if (*more == '"' || *more == '\\') s3_text_printf(text, "\\%c", *more++);
        else if (*more) s3_text_printf(text, "\\u%04x", *more++);
    }
    s3_text_add(text, "\"");
}

void s3_text_xml(s3_text *text, const char *more)
{
    for (; *more; more++) {
        if (*more == '&') s3_text_add(text, "&amp;");
        else if (*more == '<') s3_text_add(text, "&lt;");
        else if (*more == '>') s3_text_add(text, "&gt;");
        else if (*more == '"') s3_text_add(text, "&quot;");
        else s3_text_bytes(text, more, 1);
    }
}

void s3_text_base64(s3_text *text, const void *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63], left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};
        s3_text_bytes(text, four, 4);
    }
}

/* ---- small forms ---------------------------------------------------------------------------------- */

bool s3_fits(char *to, size_t size, const char *from, size_t from_size)
{
    size_t take = S3_MIN(from_size, size - 1);
    if (take) memcpy(to, from, take);
    to[take] = 0;
    return take == from_size;
}

void s3_hex(const unsigned char *data, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) text[2 * i] = digits[data[i] >> 4], text[2 * i + 1] = digits[data[i] & 15];
    text[2 * size] = 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool s3_unhex(const char *text, size_t text_size, unsigned char *data, size_t size)
{
    if (text_size != 2 * size) return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        data[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static size_t sequence(const unsigned char *at, size_t left)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;
    if (!size || size > left) return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if (at[0] == 0xe0 && at[1] < 0xa0) return 0; /* too long a form */
    if (at[0] == 0xed && at[1] > 0x9f) return 0; /* a surrogate */
    if (at[0] == 0xf0 && at[1] < 0x90) return 0;
    if (at[0] == 0xf4 && at[1] > 0x8f) return 0; /* beyond U+10FFFF */
    return size;
}

bool s3_utf8(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0, step; i < size; i += step)
        if (!(step = sequence(at + i, size - i))) return false;
    return true;
}

void s3_etag(char *to, size_t size, sluice_text value)
{
    if (value.size > 2 && value.data[0] == 'W' && value.data[1] == '/') value.data += 2, value.size -= 2;
    if (value.size > 1 && value.data[0] == '"' && value.data[value.size - 1] == '"') value.data++, value.size -= 2;
    s3_fits(to, size, value.data ? value.data : "", value.data ? value.size : 0);
}

/* ---- flat JSON: reads what this module wrote -------------------------------------------------------- */

typedef struct reader {
    const char *at, *end;
} reader;

static void blanks(reader *in)
{
    while (in->at < in->end && strchr(" \t\r\n", *in->at) && *in->at) in->at++;
}

static bool take(reader *in, char c)
{
    blanks(in);
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static bool unicode(reader *in, s3_text *to)
{
    unsigned code = 0;
    if (in->end - in->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*in->at++);
        if (digit < 0) return false;
        code = code << 4 | (unsigned)digit;
    }
    if (code == 0 || code >= 0x80) return false; /* the writer escapes control characters only */
    s3_text_bytes(to, &(char){(char)code}, 1);
    return true;
}

static bool escape(reader *in, s3_text *to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end) return false;
    char c = *in->at++;
    if (c == 'u') return unicode(in, to);
    const char *name = c ? strchr(names, c) : NULL;
    if (!name) return false;
    s3_text_bytes(to, &values[name - names], 1);
    return true;
}

static bool string(reader *in, s3_text *to)
{
    s3_text_clear(to);
    s3_text_bytes(to, "", 0);
    if (!take(in, '"')) return false;
    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if (c == '\\') {
            if (!escape(in, to)) return false;
        } else s3_text_bytes(to, &c, 1);
    }
    return take(in, '"');
}

static bool value(reader *in, s3_text *to)
{
    blanks(in);
    if (in->at < in->end && *in->at == '"') return string(in, to);
    s3_text_clear(to);
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') s3_text_bytes(to, in->at++, 1);
    return to->size > 0;
}

static bool find_member(reader *in, const char *name, s3_text *word)
{
    if (!take(in, '{')) return false;
    do {
        if (!string(in, word)) return false;
        bool wanted = strcmp(word->data, name) == 0;
        if (!take(in, ':') || !value(in, word)) return false;
        if (wanted) return true;
    } while (take(in, ','));
    return false;
}

bool s3_json_member(sluice_text object, const char *name, char *to, size_t size)
{
    s3_text word = {0};
    reader in = {object.data, object.data + object.size};
    bool found = object.data && find_member(&in, name, &word) && s3_fits(to, size, word.data, word.size);
    if (!found) to[0] = 0;
    s3_text_done(&word);
    return found;
}

bool s3_json_number(sluice_text object, const char *name, uint64_t *ret)
{
    char digits[24], *end;
    if (!s3_json_member(object, name, digits, sizeof digits)) return false;
    *ret = strtoull(digits, &end, 10);
    return !*end && end != digits;
}
