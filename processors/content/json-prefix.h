/* Is this the beginning of a JSON document? libmagic knows JSON only when it sees all of it, and a file's head is
 * rarely all. Any thread. */
#ifndef CONTENT_JSON_PREFIX_H
#define CONTENT_JSON_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

/* True when `data` can be continued to (or, whole, is) an object or array of JSON. A number or a text alone is
 * JSON too, but says nothing about a file. */
bool json_prefix(const char *data, size_t size, bool whole);

#endif
