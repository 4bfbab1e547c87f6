/* api/uri: a request's target, taken apart before anything is decoded, so that %2F in a name never makes a segment. */
#ifndef SL_URI_H
#define SL_URI_H

#include "base/base.h"

enum { SL_URI_LIMIT = 8192, SL_URI_SEGMENTS = 16, SL_URI_PARAMETERS = 64 };

typedef struct sl_uri {
    sl_arena arena;
    sl_str segments[SL_URI_SEGMENTS]; /* "/a/b" is two, "/" none, "/a/" has an empty second; terminated */
    size_t segment_count;
    struct {
        sl_str name, value; /* terminated */
    } parameters[SL_URI_PARAMETERS];
    size_t parameter_count;
} sl_uri;

/* "/path?query". -1: error->code is the HTTP status, 400 or 414. Done in both cases. */
int sl_uri_parse(sl_str text, sl_uri *ret, sl_error *error);
void sl_uri_done(sl_uri *uri);
sl_str sl_uri_get(const sl_uri *uri, const char *name); /* the first of that name; data NULL: absent */

#endif
