/* A compiled date pattern, for the two files that format and parse by it. */
#ifndef SL_EXPRESSION_PATTERN_H
#define SL_EXPRESSION_PATTERN_H

#include "flow/expression/date.h"

typedef struct element {
    char letter;     /* the pattern's; 0: literal; [ and ] around what may be absent */
    int count;       /* of the letter */
    sl_str literal;  /* in the pattern's own copy */
    int subsequent;  /* digits of the numbers right after it; -1: it stands right after one and has its width */
    size_t matching; /* of `[`: its `]` */
} element;

struct pattern {
    char *text;
    element *elements;
    size_t count, capacity;
};

extern const char *const month_names[12], *const weekday_names[7]; /* English; weekdays from Monday */
int iso_weekday(int64_t days);                                     /* 0: Monday */

/* A number's widths; NUMBER_NONE: the element is none. */
typedef enum sign { SIGN_NONE, SIGN_NORMAL, SIGN_EXCEEDS } sign;
typedef struct number_shape {
    int least, most;
    sign sign;
    bool fraction;
} number_shape;
bool number_shape_of(const element *at, number_shape *ret);

#endif
