/* A line for the log: one line whatever the text holds, and never longer than its limit. */
#ifndef ATTRIBUTE_LINE_H
#define ATTRIBUTE_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_LIMIT = 8192 };

typedef struct line { /* zeroed to begin with */
    char text[LINE_LIMIT + 1];
    size_t size;
    bool full; /* something did not fit; line_end says so */
} line;

void line_add(line *ret, const char *text);
/* In quotes; control characters, quotes and bytes that are not UTF-8 as escapes. */
void line_quote(line *ret, const char *data, size_t size);
const char *line_end(line *ret);

#endif
