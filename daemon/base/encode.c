#include "base/base.h"

void sl_hex(const void *data, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = data;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    text[2 * size] = 0;
}

static int value_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sl_unhex(sl_str text, void *data, size_t size)
{
    if (text.size != 2 * size) return -1;
    for (size_t i = 0; i < size; i++) {
        int high = value_of(text.data[2 * i]), low = value_of(text.data[2 * i + 1]);
        if (high < 0 || low < 0) return -1;
        ((unsigned char *)data)[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

int sl_percent_encode(sl_buf *buf, sl_str text, const char *keep)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = unreserved(c) || (c && strchr(keep, c));
        if ((plain ? sl_buf_char(buf, c) : sl_buf_printf(buf, "%%%02X", (unsigned char)c)) < 0) return -1;
    }
    return 0;
}

int sl_base64(sl_buf *buf, const void *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = data;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = SL_MIN(size - i, (size_t)3);
        uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63], left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};
        if (sl_buf_add(buf, text, 4) < 0) return -1;
    }
    return 0;
}
