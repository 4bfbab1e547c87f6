/* flow/flow: the definition of a flow, read from its YAML text and checked whole. Immutable once loaded;
 * the engine builds its running instances from it and keeps it as long as they run. */
#ifndef SL_FLOW_H
#define SL_FLOW_H

#include "flow/cron.h"
#include "flow/properties.h"
#include "flow/tree.h"

/* Where types come from: the module host has them, tests bring their own. */
typedef struct sl_registry {
    const sluice_processor *(*processor)(void *context, sl_str type);
    const sluice_service *(*service)(void *context, sl_str type);
    /* Names for suggestions: of processors (service false) or services; NULL past the end. */
    const char *(*name_at)(void *context, bool service, size_t i);
    void *context;
} sl_registry;

typedef enum sl_schedule_kind { SL_AS_SOON, SL_EVERY, SL_AT_CRON } sl_schedule_kind;
typedef struct sl_schedule {
    sl_schedule_kind kind;
    int64_t every_us;
    sl_cron *cron;
} sl_schedule;

typedef struct sl_limit { /* of retries */
    bool forever;
    int64_t duration_us; /* when > 0: since the first failure */
    uint32_t count;      /* else */
} sl_limit;
typedef enum sl_retry_policy { SL_PENALIZE, SL_YIELD } sl_retry_policy; /* the FlowFile waits; the processor rests */
typedef struct sl_retry { /* of one relationship; the default is {failure: {transient: forever, permanent: 0}} */
    sl_limit transient, permanent;
    int64_t backoff_us, max_backoff_us; /* a wait is between the half and the whole of what they say */
    sl_retry_policy policy;
} sl_retry;

typedef enum sl_target_kind { SL_TO_PROCESSOR, SL_TO_END, SL_TO_HOLD } sl_target_kind;

typedef enum sl_priority_kind { SL_FIRST_IN, SL_NEWEST, SL_OLDEST, SL_SMALLEST, SL_BY_ATTRIBUTE } sl_priority_kind;
typedef struct sl_priority {
    sl_priority_kind kind;
    const char *attribute; /* SL_BY_ATTRIBUTE: its name; one in a queue at most */
} sl_priority;

typedef struct sl_flow_connection { /* one queue */
    const char *name;               /* "by-kind.image.upload", "upload.failure.hold" */
    size_t from, relationship;      /* indexes: processors[from].relationships[relationship] */
    sl_target_kind kind;
    size_t to;                       /* index of the processor, SL_TO_PROCESSOR only */
    uint64_t max_objects, max_bytes; /* 0 in a hold: without limit */
    int64_t expire_after_us;         /* 0: never */
    bool expire_since_queued;        /* else since the FlowFile's entry */
    unsigned loop;                   /* its target leads back to where it comes from: the loop's number; else 0 */
    sl_target_kind expire_to;        /* SL_TO_END or SL_TO_HOLD: a hold of the engine's, PROCESSOR.expired.hold */
    const sl_priority *priorities;   /* none: first in, first out */
    size_t priority_count;
} sl_flow_connection;

typedef struct sl_flow_relationship {
    const char *name;
    size_t *connections; /* indexes into sl_flow.connections: one for each target but `end` */
    size_t connection_count;
    bool ends;  /* `end` is (one of) its target(s) */
    bool fixed; /* from the descriptor, else a route */
    sl_retry retry;
} sl_flow_relationship;

typedef struct sl_flow_processor {
    const char *name, *description;
    const sluice_processor *descriptor;
    sl_properties properties;
    sl_flow_relationship *relationships;
    size_t relationship_count;
    sl_schedule schedule;
    unsigned concurrency;
    int64_t yield_us, timeout_us /* 0: none */, run_duration_us;
    bool enabled;
    unsigned loop; /* that it is in; 0: none */
    sl_level log;  /* least level */
    const sl_node *labels;
    sl_mark mark;
} sl_flow_processor;

typedef struct sl_flow_service {
    const char *name;
    const sluice_service *descriptor;
    sl_properties properties;
    sl_mark mark;
    bool shared; /* from sl_flow_options.shared_services; only those that the flow uses are here */
} sl_flow_service;

typedef struct sl_flow {
    const char *name, *description, *file;
    char revision[17]; /* the first 16 hex digits of the text's SHA-256 (parameters included) */
    sl_str text;
    bool enabled;
    sl_flow_service *services;
    size_t service_count;
    sl_flow_processor *processors;
    size_t processor_count;
    sl_flow_connection *connections;
    size_t connection_count;
    unsigned references;
    sl_arena arena;
} sl_flow;

typedef struct sl_setting {
    const char *name, *value; /* of a list: its items with commas; of a secret: the secret's name */
} sl_setting;                 /* of a parameter */

typedef struct sl_flow_options {
    const sl_registry *registry;
    const sl_setting *settings; /* --set or the daemon's config; override the flow's defaults */
    size_t setting_count;
    bool stem_must_match; /* `name:` equals the file's stem (the daemon's flows folder) */
    /* Required parameters may be without value: what depends on them is not checked. To validate, never to run. */
    bool unset_allowed;
    const sl_node *shared_services;   /* of the daemon's config: NAME: {type: ..., ...}; a flow may not shadow one; NULL */
    const char *shared_services_file; /* its file, for messages */
} sl_flow_options;

/* Reads, checks all of it, collects problems. NULL when there is an error. */
sl_flow *sl_flow_load(const char *path, const sl_flow_options *options, sl_problems *problems);
sl_flow *sl_flow_parse(sl_str text, const char *path, const sl_flow_options *options, sl_problems *problems);
/* Counted on one thread: what outlives the running flow keeps a reference. `free` gives up one. */
sl_flow *sl_flow_ref(sl_flow *flow);
void sl_flow_free(sl_flow *flow);
sl_flow_processor *sl_flow_find(const sl_flow *flow, sl_str processor);
bool sl_flow_name_valid(sl_str name); /* [a-z][a-z0-9_-]{0,62} */

#endif
