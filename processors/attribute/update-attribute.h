/* update-attribute: sets attributes to the values of expressions and removes attributes by name. On the loop. */
#ifndef UPDATE_ATTRIBUTE_H
#define UPDATE_ATTRIBUTE_H

#include "sluice/sluice.h"

extern const sluice_property update_properties[];
extern const sluice_named update_relationships[], update_writes[];

int update_init(sluice_instance *instance, sluice_failure *failure);
void update_fini(sluice_instance *instance);
sluice_outcome update_trigger(sluice_instance *instance, sluice_session *session);

#endif
