#include <stdio.h>

#include "base/base.h"

/* Does not end a text in the middle of a UTF-8 sequence. */
static void cut_cleanly(char *text, size_t capacity)
{
    size_t size = strlen(text);
    if (size + 1 < capacity) return;
    while (size && ((unsigned char)text[size - 1] & 0xC0) == 0x80) size--;
    if (size && (unsigned char)text[size - 1] >= 0xC0) size--;
    text[size] = 0;
}

int(sl_error_set)(sl_error *error, int code, const char *format, ...)
{
    if (!error) return -1;
    char text[sizeof error->text]; /* the arguments may point into the error itself */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cut_cleanly(text, sizeof text);
    memcpy(error->text, text, sizeof text);
    error->code = code;
    return -1;
}

int(sl_error_prefix)(sl_error *error, const char *format, ...)
{
    if (!error) return -1;
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (used >= 0 && (size_t)used < sizeof text) snprintf(text + used, sizeof text - (size_t)used, ": %s", error->text);
    cut_cleanly(text, sizeof text);
    memcpy(error->text, text, sizeof text);
    return -1;
}

void sl_panic(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "sluice: %s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}
