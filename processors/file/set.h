/* A set of texts, open addressing. One thread at a time; callers that share one bring a lock. */
#ifndef FILE_SET_H
#define FILE_SET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct file_set { /* zeroed to begin with */
    char **slots;         /* NULL: free; "" (our own) where one was removed */
    size_t count, used, capacity;
} file_set;

bool file_set_has(const file_set *set, const char *text);
bool file_set_add(file_set *set, const char *text); /* false: it was there */
void file_set_remove(file_set *set, const char *text);
void file_set_done(file_set *set); /* empty again */

#endif
