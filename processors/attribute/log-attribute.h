/* log-attribute: writes a FlowFile's attributes, and on request the beginning of its content, to the log. On a worker:
 * the log and the content may have to wait for a disk. */
#ifndef LOG_ATTRIBUTE_H
#define LOG_ATTRIBUTE_H

#include "sluice/sluice.h"

extern const sluice_property log_properties[];
extern const sluice_named log_relationships[], log_reads[];

int log_init(sluice_instance *instance, sluice_failure *failure);
void log_fini(sluice_instance *instance);
sluice_outcome log_trigger(sluice_instance *instance, sluice_session *session);

#endif
