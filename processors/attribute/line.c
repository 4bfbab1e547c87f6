#include "line.h"

#include <stdio.h>
#include <string.h>

enum { REST = 8 }; /* room for what line_end adds */

static bool add(line *ret, const char *data, size_t size)
{
    if (ret->full || ret->size + size > LINE_LIMIT - REST) {
        ret->full = true;
        return false;
    }
    memcpy(ret->text + ret->size, data, size);
    ret->size += size;
    return true;
}

void line_add(line *ret, const char *text) { add(ret, text, strlen(text)); }

/* How many bytes at `data` are one valid UTF-8 character; 0: none begins there. */
static size_t character(const unsigned char *data, size_t size)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = data[0] < 0x80 ? 1 : data[0] < 0xC0 ? 0 : data[0] < 0xE0 ? 2 : data[0] < 0xF0 ? 3 : data[0] < 0xF8 ? 4 : 0;
    if (!length || length > size) return 0;
    if (length == 1) return 1;
    unsigned code = data[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (data[i] & 0x3Fu);
    }
    return code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : length;
}

static bool escape(line *ret, unsigned char c)
{
    static const char from[] = "\n\r\t\"\\", to[] = "nrt\"\\";
    char text[8];
    const char *known = memchr(from, c, sizeof from - 1);
    if (known) snprintf(text, sizeof text, "\\%c", to[known - from]);
    else snprintf(text, sizeof text, "\\x%02x", c);
    return add(ret, text, strlen(text));
}

/* C1 controls (U+0080 to U+009F) steer terminals as the C0 ones do. */
static bool plain(const unsigned char *data, size_t length)
{
    if (length == 1) return data[0] >= 0x20 && data[0] != 0x7F && data[0] != '"' && data[0] != '\\';
    return length > 1 && !(data[0] == 0xC2 && data[1] < 0xA0);
}

void line_quote(line *ret, const char *data, size_t size)
{
    line_add(ret, "\"");
    const unsigned char *at = (const unsigned char *)data, *end = at + size;
    while (at < end) {
        size_t length = character(at, (size_t)(end - at));
        if (plain(at, length)) {
            if (!add(ret, (const char *)at, length)) return;
            at += length;
        } else if (!escape(ret, *at++)) return;
    }
    line_add(ret, "\"");
}

const char *line_end(line *ret)
{
    const char *rest = ret->full ? " ..." : "";
    memcpy(ret->text + ret->size, rest, strlen(rest) + 1);
    return ret->text;
}
