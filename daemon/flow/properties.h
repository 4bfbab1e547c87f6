/* flow/properties: the values of an instance, decoded through its module's property table.
 * The same tables give the manual, `sluice describe --json` and suggestions. */
#ifndef SL_PROPERTIES_H
#define SL_PROPERTIES_H

#include "base/base.h"
#include "flow/expression.h"
#include "flow/tree.h"
#include "sluice/sluice.h"

typedef struct sl_item {
    sl_str name; /* of a map; data NULL in a list */
    sl_str text;
    sl_expression *expression; /* when the property takes expressions */
    sl_mark mark;
} sl_item;

typedef struct sl_value {
    const sluice_property *property;
    bool given;     /* written in the flow or by a default: `has` */
    bool written;   /* in the flow itself */
    int64_t number; /* INT DURATION SIZE BOOL, index of ENUM */
    double real;
    sl_str text;               /* STRING, ENUM, SERVICE's name; of SECRET its *name* (see secret) */
    bool secret;               /* text names a secret: resolved by the engine, never stored here */
    sl_expression *expression; /* when the property takes expressions */
    sl_item *items;            /* LIST, MAP */
    size_t item_count;
    struct sl_properties *table;
    sl_mark mark;
} sl_value;

typedef struct sl_properties {
    sl_value *values;
    size_t count;
} sl_properties;

/* Names that no module may take (surface.md). */
bool sl_property_reserved(const char *name);

/* Decodes those members of `mapping` that `skip` does not claim. Values live in `arena`; expressions
 * are freed by sl_properties_done. Unknown names, wrong types, missing required ones, bad expressions
 * and bad regular expressions become problems with marks and suggestions. */
void sl_properties_decode(const sl_node *mapping, const sluice_property *table, bool (*skip)(sl_str key),
                          const sl_parameter_scope *parameters, sl_arena *arena, sl_properties *ret, sl_problems *problems);
/* name may be dotted into tables. NULL: no such property. */
sl_value *sl_properties_find(const sl_properties *properties, const char *name);
void sl_properties_done(sl_properties *properties);
const char *sl_property_type_name(sluice_property_type type);

#endif
