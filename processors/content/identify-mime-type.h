/* identify-mime-type: says what content is, by libmagic and the name. On a worker. */
#ifndef IDENTIFY_MIME_TYPE_H
#define IDENTIFY_MIME_TYPE_H

#include "sluice/sluice.h"

extern const sluice_named identify_relationships[], identify_reads[], identify_writes[];

int identify_init(sluice_instance *instance, sluice_failure *failure);
void identify_fini(sluice_instance *instance);
sluice_outcome identify_trigger(sluice_instance *instance, sluice_session *session);

#endif
