#include <stdio.h>

#include "base/base.h"

struct sl_arena_block {
    struct sl_arena_block *next;
    size_t used, size;
    _Alignas(16) char data[];
};

enum { FIRST_BLOCK = 1024, LARGEST_BLOCK = 256 * 1024 };

static struct sl_arena_block *add_block(sl_arena *arena, size_t least)
{
    size_t size = arena->head ? SL_MIN(arena->head->size * 2, (size_t)LARGEST_BLOCK) : FIRST_BLOCK;
    size = SL_MAX(size, least);
    struct sl_arena_block *block = sl_realloc(NULL, sizeof *block + size);
    *block = (struct sl_arena_block){.next = arena->head, .size = size};
    arena->head = block;
    return block;
}

void *sl_arena_alloc(sl_arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct sl_arena_block *block = arena->head;
    if (!block || block->size - block->used < size) block = add_block(arena, size);
    void *memory = block->data + block->used;
    block->used += size;
    return memset(memory, 0, size);
}

char *sl_arena_strndup(sl_arena *arena, const char *text, size_t size)
{
    char *copy = sl_arena_alloc(arena, size + 1);
    if (size) memcpy(copy, text, size);
    return copy;
}

sl_str sl_arena_str(sl_arena *arena, sl_str text) { return (sl_str){sl_arena_strndup(arena, text.data, text.size), text.size}; }

char *sl_arena_printf(sl_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    SL_ASSERT(size >= 0);
    char *text = sl_arena_alloc(arena, (size_t)size + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}

void sl_arena_done(sl_arena *arena)
{
    for (struct sl_arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->head = NULL;
}
