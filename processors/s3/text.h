/* Growing text, flat JSON and encodings: what this module needs of the kind and the ABI does not give.
 * Memory that cannot be had ends the process, as it does in the daemon. Any thread. */
#ifndef S3_TEXT_H
#define S3_TEXT_H

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/calls.h"

#define S3_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define S3_MIN(a, b)                   ((a) < (b) ? (a) : (b))
#define S3_MAX(a, b)                   ((a) > (b) ? (a) : (b))

void *s3_alloc(size_t size); /* zeroed */
char *s3_copy(const char *text, size_t size);
static inline char *s3_copy_text(sluice_text text) { return s3_copy(text.data ? text.data : "", text.size); }

typedef struct s3_text {
    char *data; /* terminated after the first addition */
    size_t size, capacity;
} s3_text;
void s3_text_done(s3_text *text);
void s3_text_clear(s3_text *text);
void s3_text_bytes(s3_text *text, const void *data, size_t size);
void s3_text_add(s3_text *text, const char *more);
void s3_text_printf(s3_text *text, const char *format, ...) S3_PRINTF(2, 3);
/* Unreserved characters and those of `keep` stay, all others become %XX. */
void s3_text_percent(s3_text *text, const char *more, size_t size, const char *keep);
void s3_text_json(s3_text *text, const char *more); /* quoted */
void s3_text_xml(s3_text *text, const char *more);  /* escaped */
void s3_text_base64(s3_text *text, const void *data, size_t size);

/* Copies at most size - 1 bytes, always terminates; false: it was cut. */
bool s3_fits(char *to, size_t size, const char *from, size_t from_size);
void s3_hex(const unsigned char *data, size_t size, char *text /* 2 * size + 1 */);
bool s3_unhex(const char *text, size_t text_size, unsigned char *data, size_t size); /* false: not 2 * size digits */
bool s3_utf8(const char *text, size_t size);
/* Quotes of an ETag taken off, a leading W/ too. */
void s3_etag(char *to, size_t size, sluice_text value);

/* A member of a flat JSON object whose values are strings and whole numbers, as text into `to`.
 * False: absent, malformed, or longer than `to`. */
bool s3_json_member(sluice_text object, const char *name, char *to, size_t size);
bool s3_json_number(sluice_text object, const char *name, uint64_t *ret);

#endif
