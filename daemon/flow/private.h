/* flow/private: what the room's own files share while a flow is being read. */
#ifndef SL_FLOW_PRIVATE_H
#define SL_FLOW_PRIVATE_H

#include "flow/flow.h"

/* "`%.*s`" of a text in a message, cut where it is long. */
#define SL_QUOTED         "\"%.*s%s\""
#define SL_QUOTE_ARGS(s_) (int)SL_MIN((s_).size, (size_t)60), (s_).data ? (s_).data : "", (s_).size > 60 ? "..." : ""

/* "; did you mean `x`?" for the end of a message, "" where nothing is near; lives in the arena. Never NULL. Once the
 * problems are as many as are kept, nothing is searched any more: a hostile flow must not cost time. */
const char *sl_suggest(const sl_problems *problems, sl_arena *arena, sl_str word, const char *const *names, size_t count);
/* "a, b, c", cut after twenty. */
const char *sl_join_names(const sl_problems *problems, sl_arena *arena, const char *const *names, size_t count);
bool sl_text_true(sl_str text, bool *ret); /* false: neither `true` nor `false` */
int sl_integer_parse(sl_str text, int64_t *ret);
bool sl_secret_name_valid(sl_str name);

/* ---- parameters ------------------------------------------------------------------------------------ */
typedef enum sl_parameter_type {
    SL_PARAMETER_STRING,
    SL_PARAMETER_INT,
    SL_PARAMETER_BOOL,
    SL_PARAMETER_DURATION,
    SL_PARAMETER_SIZE,
    SL_PARAMETER_LIST,
    SL_PARAMETER_SECRET,
} sl_parameter_type;

typedef struct sl_parameter {
    const char *name;
    sl_parameter_type type;
    sl_str text; /* of a list: its items with commas; of a secret: the secret's name */
    sl_str *items;
    size_t item_count;
    bool set, required, used;
    bool wrong; /* told: what it would give is unknown */
    sl_mark mark;
} sl_parameter;

typedef struct sl_parameters {
    sl_parameter *items;
    size_t count;
    const char **names; /* for suggestions */
    bool unset_seen;    /* a required one that has no value was looked up: what it would give is unknown */
    size_t expanded;    /* bytes that references gave so far */
    bool too_large;     /* they are more than a flow may become: told once */
    sl_parameter_scope scope;
} sl_parameters;

void sl_parameters_read(sl_parameters *parameters, const sl_node *mapping, const sl_flow_options *options, sl_arena *arena,
                        sl_problems *problems);
/* NULL: none of that name. */
sl_parameter *sl_parameters_find(const sl_parameters *parameters, sl_str name);
/* The parameter when the whole text is `#{name}`, else NULL. */
sl_parameter *sl_parameters_whole(const sl_parameters *parameters, sl_str text);
/* Counts what a reference gives; false: too much. */
bool sl_parameters_expand(sl_parameters *parameters, size_t size);
void sl_parameters_unused(const sl_parameters *parameters, sl_problems *problems);

/* ---- values ---------------------------------------------------------------------------------------- */
typedef struct sl_decoder {
    const char *owner; /* "get-file", "service s3": for messages */
    sl_mark mark;      /* of the owner's name: what is missing is reported there */
    bool (*skip)(sl_str key);
    const char *const *skipped; /* the same as names, for suggestions; NULL at the end; may be NULL */
    sl_parameters *parameters;  /* NULL: `scope` alone */
    const sl_parameter_scope *scope;
    sl_arena *arena;
    sl_problems *problems;
} sl_decoder;

void sl_decode_table(sl_decoder *decoder, const sl_node *mapping, const sluice_property *table, sl_properties *ret);
/* One scalar by its property; `what` names it in messages. False: told, or unknown because a parameter is unset. */
bool sl_decode_scalar(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_value *ret);
/* The texts of a mapping, list or secret. */
void sl_decode_list(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_value *ret);
void sl_decode_map(sl_decoder *decoder, const sl_node *node, const sluice_property *property, const char *what, sl_value *ret);
void sl_decode_secret(sl_decoder *decoder, const sl_node *node, const char *what, sl_value *ret);
/* True when the node is of the kind; else told (a null was told by the tree). */
bool sl_expect_kind(sl_decoder *decoder, const sl_node *node, sl_node_kind kind, const char *what, const char *example);
void sl_problem_in_text(sl_decoder *decoder, const sl_node *node, size_t offset, const char *what, const sl_error *error);

/* ---- the flow -------------------------------------------------------------------------------------- */
typedef struct sl_connection_settings {
    bool has_objects, has_bytes, has_expire, has_order;
    const sl_priority *priorities;
    size_t priority_count;
    uint64_t max_objects, max_bytes;
    int64_t expire_after_us;
    bool expire_since_queued;
    sl_target_kind expire_to;
} sl_connection_settings;

typedef struct sl_retry_spec { /* what was written; the rest is inherited */
    sl_str relationship;
    sl_mark mark;
    bool used;
    bool has_transient, has_permanent, has_backoff, has_max_backoff, has_policy;
    sl_retry retry;
} sl_retry_spec;

typedef struct sl_retry_specs {
    sl_retry_spec *items;
    size_t count;
} sl_retry_specs;

typedef struct sl_loader {
    sl_flow *flow;
    const sl_flow_options *options;
    sl_problems *problems;
    const sl_node *root;
    sl_parameters parameters;
    size_t service_capacity, service_used_capacity, connection_capacity;
    bool *service_used;           /* beside flow->services */
    const char **processor_names; /* and end, hold: what `to` can name */
    size_t processor_name_count;
    const sl_node *default_schedule;
    sl_retry_specs default_retry;
    sl_connection_settings default_connection;
} sl_loader;
void sl_loader_done(sl_loader *loader);

sl_decoder sl_loader_decoder(sl_loader *loader, const char *owner, sl_mark mark);
/* Tells every key of `mapping` that is in neither list; those of `later` are refused as not in this version. */
void sl_check_keys(sl_loader *loader, const sl_node *mapping, const char *where, const char *const *keys, const char *const *later);
/* Scalars outside of property tables, parameters resolved. What cannot be read is told. */
bool sl_text_of(sl_loader *loader, const sl_node *node, const char *what, sl_str *ret);
bool sl_bool_of(sl_loader *loader, const sl_node *node, const char *what, bool fallback); /* node NULL: fallback */
int64_t sl_number_of(sl_loader *loader, const sl_node *node, const sluice_property *property, int64_t fallback);

void sl_services_read(sl_loader *loader, const sl_node *mapping);
void sl_services_check(sl_loader *loader, const sl_properties *properties); /* references */
void sl_services_unused(sl_loader *loader);
void sl_processors_read(sl_loader *loader, const sl_node *mapping);
void sl_schedule_read(sl_loader *loader, const sl_node *node, sl_schedule *ret);
void sl_retry_read(sl_loader *loader, const sl_node *mapping, sl_retry_specs *ret);
/* What the flow's defaults and the processor itself say, for each of its relationships. */
void sl_retry_apply(sl_loader *loader, sl_retry_specs *own, sl_flow_processor *processor);
/* The relationships of a processor, and the queues that its `to:` makes of them. */
void sl_connect(sl_loader *loader, size_t processor, const sl_node *key, const sl_node *body);
sl_flow_relationship *sl_relationship_find(const sl_flow_processor *processor, sl_str name);
const char *sl_relationship_suggest(sl_loader *loader, const sl_flow_processor *processor, sl_str word);
void sl_connection_settings_read(sl_loader *loader, const sl_node *mapping, const char *what, sl_connection_settings *ret);
void sl_connections_read(sl_loader *loader, const sl_node *mapping); /* `connections:` */
void sl_graph_check(sl_loader *loader);
void sl_loops_find(sl_flow *flow); /* fills `loop` of all processors and connections */

#endif
