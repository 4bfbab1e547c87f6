#include <malloc.h>
#include <stdio.h>

#include "base/base.h"

enum { LARGE = 2 << 20 };

static void *checked(void *memory, size_t size)
{
    if (!memory) sl_panic(__FILE__, __LINE__, "out of memory: %zu bytes could not be had", size);
    return memory;
}

void *sl_alloc(size_t size) { return checked(calloc(1, size ? size : 1), size); }

void *sl_realloc(void *old, size_t size) { return checked(realloc(old, size ? size : 1), size); }

void *sl_grow(void *array, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity) return array;
    size_t wider = *capacity ? *capacity * 2 : 8;
    SL_ASSERT(wider < SIZE_MAX / element_size);
    *capacity = wider;
    return sl_realloc(array, wider * element_size);
}

char *sl_strndup(const char *text, size_t size)
{
    char *copy = sl_alloc(size + 1);
    if (size) memcpy(copy, text, size);
    return copy;
}

char *sl_strdup(const char *text) { return sl_strndup(text, strlen(text)); }

char *sl_asprintf(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    return checked(size < 0 ? NULL : text, 0);
}

/* Else glibc raises the bound to the largest piece that was ever freed, and from then on large ones lie among small ones
 * that hold them. */
void sl_memory_begin(void) { mallopt(M_MMAP_THRESHOLD, LARGE); }

void sl_memory_give_back(void) { malloc_trim(0); }
