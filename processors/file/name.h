/* Names of files as text: growing text, percent-encoding, file: URIs, the small flat JSON of intents and effects.
 * Memory that cannot be had ends the process, as it does in the daemon. Any thread. */
#ifndef FILE_NAME_H
#define FILE_NAME_H

#include <stdint.h>

#include "sluice/sluice.h"

typedef struct file_text { /* zeroed to begin with */
    char *data;            /* terminated; NULL before the first addition */
    size_t size, capacity;
} file_text;
void file_text_done(file_text *text);
void file_text_cut(file_text *text, size_t size); /* back to its first `size` bytes */
void file_text_bytes(file_text *text, const void *data, size_t size);
void file_text_add(file_text *text, const char *more);
__attribute__((format(printf, 2, 3))) void file_text_printf(file_text *text, const char *format, ...);
char *file_copy(const char *text, size_t size);

bool file_name_is_utf8(const char *name);
/* A name that is not UTF-8 as text: its stray bytes and every '%' become %XX. */
void file_name_encode(file_text *ret, const char *name);
/* Makes a path fit for a message: one that is not UTF-8 becomes encoded. */
void file_show(file_text *path);
/* The way back. False: a malformed %XX. */
bool file_name_decode(file_text *ret, const char *text, size_t size);
/* Why `name` cannot be the name of a file in a given folder ("/", "..", NUL); NULL: it can. */
const char *file_name_problem(const char *name, size_t size);
/* "clip.mp4", 2: "clip-2.mp4"; 0: the name itself. */
void file_name_numbered(file_text *ret, const char *name, unsigned number);

/* "a%20b/c": only unreserved characters and '/' stay, so that the text may stand in a URI and in JSON. */
void file_path_encode(file_text *ret, const char *path);
/* "file:///srv/a%20b". */
void file_uri(file_text *ret, const char *absolute_path);
/* The path of such a URI. False: it is none. */
bool file_uri_path(file_text *ret, const char *uri);

/* Members of a flat JSON object that this module wrote: its strings hold nothing that needs an escape. */
bool file_json_text(sluice_text object, const char *name, file_text *ret);
/* A path that file_path_encode made fit. False: absent, malformed, or it holds a NUL. */
bool file_json_path(sluice_text object, const char *name, file_text *ret);
bool file_json_number(sluice_text object, const char *name, int64_t *ret);

#endif
