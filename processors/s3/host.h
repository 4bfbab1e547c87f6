/* The host's calls as this module writes them. `handle` is anything that begins a line of calls: a session, an
 * instance; or a structure of ours with `host`. */
#ifndef S3_HOST_H
#define S3_HOST_H

#include <string.h>

#include "sluice/sluice.h"

static inline sluice_text s3_property(sluice_instance *instance, const char *name) { return instance->host->text(instance, name); }
static inline int64_t s3_number(sluice_instance *instance, const char *name) { return instance->host->number(instance, name); }
static inline bool s3_has(sluice_instance *instance, const char *name) { return instance->host->has(instance, name); }

static inline void s3_set(sluice_session *session, sluice_flowfile *flowfile, const char *name, const char *value)
{
    if (value && *value) session->host->set(session, flowfile, name, value, strlen(value));
}

#define s3_log(instance_, level, ...) ((instance_)->host->log(instance_, level, __VA_ARGS__))

#endif
