/* Text as Java counts and folds it, over UTF-8. Bytes that are not UTF-8 count as one character each. */
#ifndef SL_EXPRESSION_TEXT_H
#define SL_EXPRESSION_TEXT_H

#include "flow/expression/private.h"

size_t utf16_length(sl_str text);
/* The byte where the unit with this index begins; SIZE_MAX: past the end. */
size_t utf16_offset(sl_str text, size_t units);
size_t character_size(sl_str text, size_t at); /* bytes, 1 at least */
uint32_t character_at(sl_str text, size_t at);
void add_character(sl_buf *buf, uint32_t c);
bool is_blank(sl_str text);                    /* Java's String.isBlank */
sl_str java_trim(sl_str text);                 /* up to U+0020 at both ends */
sl_str find_text(sl_str in, sl_str what);      /* the first place (with what's size), or data NULL */
sl_str find_last_text(sl_str in, sl_str what); /* the last one */
bool equal_ignoring_case(sl_str a, sl_str b);
int change_case(evaluation *e, sl_str text, bool upper, value *ret);
int concatenate(evaluation *e, value a, value b, value *ret); /* missing ones are empty */
/* The next piece of a text split by a literal separator; false after the last. Begin with *at 0. */
bool split_next(sl_str text, sl_str separator, size_t *at, sl_str *ret);

#endif
