#include <stdio.h>

#include "base/base.h"

void sl_buf_done(sl_buf *buf)
{
    free(buf->data);
    *buf = (sl_buf){.ceiling = buf->ceiling};
}

void sl_buf_clear(sl_buf *buf)
{
    buf->size = 0;
    buf->overflowed = false;
    if (buf->data) buf->data[0] = 0;
}

static int reserve(sl_buf *buf, size_t more)
{
    if (more > buf->ceiling || buf->size > buf->ceiling - more) {
        buf->overflowed = true;
        return -1;
    }
    size_t wanted = buf->size + more + 1;
    if (wanted <= buf->capacity) return 0;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < wanted) capacity *= 2;
    buf->data = sl_realloc(buf->data, capacity);
    buf->capacity = capacity;
    return 0;
}

int sl_buf_add(sl_buf *buf, const void *data, size_t size)
{
    if (reserve(buf, size) < 0) return -1;
    if (size) memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = 0;
    return 0;
}

int sl_buf_str(sl_buf *buf, sl_str text) { return sl_buf_add(buf, text.data, text.size); }

int sl_buf_text(sl_buf *buf, const char *text) { return sl_buf_add(buf, text, strlen(text)); }

int sl_buf_char(sl_buf *buf, char c) { return sl_buf_add(buf, &c, 1); }

int sl_buf_printf(sl_buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || reserve(buf, (size_t)size) < 0) return -1;
    va_start(arguments, format);
    vsnprintf(buf->data + buf->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buf->size += (size_t)size;
    return 0;
}

char *sl_buf_take(sl_buf *buf)
{
    char *text = buf->data ? buf->data : sl_alloc(1);
    *buf = (sl_buf){.ceiling = buf->ceiling};
    return text;
}
