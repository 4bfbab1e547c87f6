/* cli/queues: what the commands for queues share. */
#ifndef SL_QUEUES_H
#define SL_QUEUES_H

#include <jansson.h>

#include "cli/client.h"

/* The connections of a status as a table. */
void sl_queues_table(const json_t *connections, sl_buf *out);

/* Finds the thing of a status's list ("connections" by "id", "processors" by "name") that NAME means: FLOW/REST, or REST
 * where only one flow has it. *ret is borrowed. */
int sl_queues_find(const json_t *status, const char *list, const char *key, const char *name, const json_t **ret);

#endif
