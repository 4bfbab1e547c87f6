#include "name.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- growing text --------------------------------------------------------------------------------- */
static void *must(void *memory)
{
    if (!memory) abort();
    return memory;
}

void file_text_done(file_text *text)
{
    free(text->data);
    *text = (file_text){0};
}

void file_text_cut(file_text *text, size_t size)
{
    text->size = size;
    if (text->data) text->data[size] = 0;
}

void file_text_bytes(file_text *text, const void *data, size_t size)
{
    if (!text->data || text->size + size + 1 > text->capacity) {
        text->capacity = (text->size + size + 1) * 2;
        text->data = must(realloc(text->data, text->capacity));
    }
    if (size) memcpy(text->data + text->size, data, size);
    file_text_cut(text, text->size + size);
}

void file_text_add(file_text *text, const char *more) { file_text_bytes(text, more, strlen(more)); }

void file_text_printf(file_text *text, const char *format, ...)
{
    char *formatted;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&formatted, format, arguments);
    va_end(arguments);
    if (size < 0) abort();
    file_text_bytes(text, formatted, (size_t)size);
    free(formatted);
}

char *file_copy(const char *text, size_t size)
{
    char *copy = must(malloc(size + 1));
    if (size) memcpy(copy, text, size);
    copy[size] = 0;
    return copy;
}

/* ---- UTF-8 ---------------------------------------------------------------------------------------- */
static bool continues(unsigned char c) { return (c & 0xC0) == 0x80; }

/* The bytes of the valid sequence at `text`, which is terminated; 0: none begins there. */
static size_t sequence(const char *text)
{
    const unsigned char *t = (const unsigned char *)text;
    if (t[0] < 0x80) return 1;
    if (t[0] >= 0xC2 && t[0] <= 0xDF) return continues(t[1]) ? 2 : 0;
    if ((t[0] & 0xF0) == 0xE0) {
        if (!continues(t[1]) || !continues(t[2])) return 0;
        bool overlong = t[0] == 0xE0 && t[1] < 0xA0, surrogate = t[0] == 0xED && t[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    if (t[0] >= 0xF0 && t[0] <= 0xF4) {
        if (!continues(t[1]) || !continues(t[2]) || !continues(t[3])) return 0;
        return (t[0] == 0xF0 && t[1] < 0x90) || (t[0] == 0xF4 && t[1] > 0x8F) ? 0 : 4;
    }
    return 0;
}

bool file_name_is_utf8(const char *name)
{
    for (size_t size; *name; name += size)
        if (!(size = sequence(name))) return false;
    return true;
}

/* ---- percent-encoding ----------------------------------------------------------------------------- */
static void add_percent(file_text *ret, char c) { file_text_printf(ret, "%%%02X", (unsigned char)c); }

void file_name_encode(file_text *ret, const char *name)
{
    file_text_bytes(ret, "", 0);
    while (*name) {
        size_t size = sequence(name);
        if (size && *name != '%') file_text_bytes(ret, name, size);
        else add_percent(ret, *name), size = 1;
        name += size;
    }
}

void file_show(file_text *path)
{
    if (file_name_is_utf8(path->data)) return;
    file_text encoded = {0};
    file_name_encode(&encoded, path->data);
    file_text_done(path);
    *path = encoded;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool file_name_decode(file_text *ret, const char *text, size_t size)
{
    file_text_bytes(ret, "", 0);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= size || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return false;
            c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        }
        file_text_bytes(ret, &c, 1);
    }
    return true;
}

const char *file_name_problem(const char *name, size_t size)
{
    if (!size) return "it is empty";
    if (memchr(name, 0, size)) return "it holds a NUL byte";
    if (memchr(name, '/', size)) return "it holds a \"/\"";
    if (size == 1 && name[0] == '.') return "it names the folder itself";
    if (size == 2 && name[0] == '.' && name[1] == '.') return "it names the folder above";
    return NULL;
}

void file_name_numbered(file_text *ret, const char *name, unsigned number)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name) dot = name + strlen(name);
    file_text_bytes(ret, name, (size_t)(dot - name));
    if (number) file_text_printf(ret, "-%u", number);
    file_text_add(ret, dot);
}

/* ---- file: URIs ----------------------------------------------------------------------------------- */
static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~/", c));
}

void file_path_encode(file_text *ret, const char *path)
{
    file_text_bytes(ret, "", 0);
    for (; *path; path++) {
        if (unreserved(*path)) file_text_bytes(ret, path, 1);
        else add_percent(ret, *path);
    }
}

void file_uri(file_text *ret, const char *absolute_path)
{
    file_text_add(ret, "file://");
    file_path_encode(ret, absolute_path);
}

bool file_uri_path(file_text *ret, const char *uri)
{
    const char prefix[] = "file://";
    if (strncmp(uri, prefix, sizeof prefix - 1) != 0) return false;
    const char *path = uri + sizeof prefix - 1;
    return path[0] == '/' && file_name_decode(ret, path, strlen(path)) && strlen(ret->data) == ret->size;
}

/* ---- JSON of our own ------------------------------------------------------------------------------ */
/* Where the value of `name` begins. */
static const char *member(sluice_text object, const char *name)
{
    char quoted[64];
    size_t size = (size_t)snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *found = object.data ? memmem(object.data, object.size, quoted, size) : NULL;
    return found ? found + size : NULL;
}

bool file_json_path(sluice_text object, const char *name, file_text *ret)
{
    file_text encoded = {0};
    bool found = file_json_text(object, name, &encoded) && file_name_decode(ret, encoded.data, encoded.size);
    file_text_done(&encoded);
    return found && strlen(ret->data) == ret->size;
}

bool file_json_text(sluice_text object, const char *name, file_text *ret)
{
    const char *value = member(object, name), *end = object.data + object.size;
    if (!value || value >= end || *value != '"') return false;
    const char *quote = memchr(value + 1, '"', (size_t)(end - value - 1));
    if (!quote) return false;
    file_text_bytes(ret, value + 1, (size_t)(quote - value - 1));
    return true;
}

bool file_json_number(sluice_text object, const char *name, int64_t *ret)
{
    const char *value = member(object, name), *end = object.data + object.size;
    char digits[24];
    size_t size = 0;
    while (value && value < end && size < sizeof digits - 1 && (*value == '-' || (*value >= '0' && *value <= '9')))
        digits[size++] = *value++;
    digits[size] = 0;
    if (size) *ret = strtoll(digits, NULL, 10);
    return size > 0;
}
