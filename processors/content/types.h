/* Media types by what files are called, and the names that go with types. Tables only. Any thread. */
#ifndef CONTENT_TYPES_H
#define CONTENT_TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* libmagic's word for a type as the rest of the world says it: "audio/x-wav" is "audio/wav". */
const char *type_usual(const char *type);
/* The type of files whose name ends so ("json" of "a.b.JSON"); NULL: not known. `name` need not be terminated. */
const char *type_of_name(const char *name, size_t size);
/* ".png" for "image/png"; NULL: not known. */
const char *type_extension(const char *type);
/* True when the name's type says more exactly what the bytes' type leaves open (text of some kind, an archive that many
 * formats share, bytes without a signature). A name refines what was found, it never contradicts it. */
bool type_refines(const char *found, const char *named);

#endif
