/* engine/descriptor: what a module says of itself, checked and copied. Used by modules.c only.
 *
 * A module built with an older minor version has smaller rows than this host knows, one built with a later patch of
 * the same minor may have larger ones: each row is copied by the module's own size into one of ours, the rest zero.
 */
#ifndef SL_DESCRIPTOR_H
#define SL_DESCRIPTOR_H

#include "engine/modules.h"

/* Fills ret's name, version, summary, processors and services with copies in `arena`. Tables that are NULL become
 * empty ones, absent texts "". -1: refused; the error says what was expected and what was found. */
int sl_descriptor_read(const sluice_module *module, sl_arena *arena, sl_module *ret, sl_error *error);

#endif
