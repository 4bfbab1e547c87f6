/* hash-content: an attribute with a hash of the content. On a worker. */
#ifndef HASH_CONTENT_H
#define HASH_CONTENT_H

#include "sluice/sluice.h"

extern const sluice_property hash_properties[];
extern const sluice_named hash_relationships[], hash_writes[];

int hash_init(sluice_instance *instance, sluice_failure *failure);
void hash_fini(sluice_instance *instance);
sluice_outcome hash_trigger(sluice_instance *instance, sluice_session *session);

#endif
