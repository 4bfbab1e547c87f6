/* engine/modules: the module host: loads the shared objects of a folder and says which types they bring.
 * A module that is wrong is refused alone: it is logged as an error and remembered (sl_modules_at), its types stay
 * unknown. What the registry hands out is a copy made with the sizes that the module was built with, so a module
 * of an older minor version of the ABI shows zeros where it knew nothing yet. Load on one thread; afterwards all is
 * read-only and any thread may look.
 */
#ifndef SL_MODULES_H
#define SL_MODULES_H

#include "base/base.h"
#include "flow/flow.h"

typedef struct sl_modules sl_modules;

typedef struct sl_module { /* one shared object of the folder */
    const char *path;
    const char *name, *version, *summary; /* NULL when refused */
    const char *refused;                  /* what was expected and found, NULL: loaded */
    const sluice_processor *processors;
    size_t processor_count;
    const sluice_service *services;
    size_t service_count;
} sl_module;

/* Which folder: `given` (an option), else SLUICE_MODULES, else the build's when the running binary is in a build
 * folder, else the one installed beside it. The caller frees it; it need not exist. */
char *sl_modules_folder(const char *given);

/* Loads *.so of `folder` and of the folders in it, in the order of their names. -1: the folder cannot be read. */
int sl_modules_load(const char *folder, sl_modules **ret, sl_error *error);
void sl_modules_free(sl_modules *modules); /* no instance of its types may be left; NULL is fine */
const sl_registry *sl_modules_registry(const sl_modules *modules);
const sl_module *sl_modules_at(const sl_modules *modules, size_t i); /* NULL past the end; refused ones too */
/* The module that has this type, NULL: none. */
const sl_module *sl_modules_owner(const sl_modules *modules, sl_str type);

#endif
