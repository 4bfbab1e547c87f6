#ifndef SL_EXPRESSION_ENTITIES_H
#define SL_EXPRESSION_ENTITIES_H

#include <stddef.h>
#include <stdint.h>

typedef struct entity {
    uint16_t character;
    char name[9];
} entity;
extern const entity entities[]; /* without quot, amp, lt and gt; those below 0x100 are HTML 3's */
extern const size_t entity_count;

#endif
