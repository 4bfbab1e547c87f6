/* sluice.h: the module ABI, version 1. The only daemon header a processor sees; calls.h beside it has the same calls as
 * functions (`sluice_get(session)` for `session->host->get(session)`), which is how this text names them.
 *
 * Words
 *   FlowFile      one item on its way: attributes (text by name) and content (bytes, immutable).
 *   processor     a step of a flow. Its descriptor (sluice_processor) is mostly data; an *instance*
 *                 is one box of an operator's flow with its property values.
 *   relationship  a named way out of a processor ("success"); the flow says where it leads.
 *   session       one transaction of one instance: FlowFiles taken, changed, transferred; it commits
 *                 as a whole, with its events, or leaves no trace.
 *   event         what the journal keeps of a FlowFile in a session (provenance).
 *   effect        something outside that a commit must cover: an upload, a removed source file.
 *   service       a shared definition of a flow (an S3 account); processors name it in a property.
 *
 * To write a processor start at processors/example/example.c: a page, complete. In short:
 *
 *   init(instance)              once, on the loop thread; check what the property table cannot;
 *   trigger(instance, session)  again and again: get FlowFiles, work, transfer, return SLUICE_DONE;
 *   effect(instance, text)      after the commit that covers it (only for sluice_after_commit);
 *   cancel(instance, session)   for asynchronous work that must end now;
 *   fini(instance)              once, after the last session ended.
 *
 * Threads. SLUICE_ON_LOOP (the default) runs trigger on the one loop thread: never block there.
 * SLUICE_ON_WORKER runs it on a worker: it may compute and block. A session belongs to its trigger
 * and that thread; everything it hands out (sluice_text, FlowFiles, views) lives until it ends.
 * `concurrency` sessions of an instance can be open at once, so instance data changed in trigger
 * needs care on workers and none on the loop.
 *
 * Sessions. Every FlowFile that a session has taken (sluice_get) or made (sluice_create, sluice_clone) needs one end
 * before it commits: sluice_transfer, sluice_drop or sluice_fail. A session that forgets one is undone whole and the
 * operator is told. After SLUICE_ROLLBACK the instance is triggered again at once; call sluice_yield too where that
 * would spin.
 *
 * Asynchronous work (loop only): trigger starts something (a timer, a job, HTTP, sluice_intend, sluice_progress) and
 * returns SLUICE_LATER; the session stays open until sluice_finish. Every asynchronous call completes exactly once, on
 * the loop thread, never inside the submitting call, also when cancelled; after that its sluice_call is gone.
 *
 * Failures have a class, which decides what happens (sluice_fail):
 *   transient      server down, 503, disk full: the FlowFile goes back to its queue, waits, retried;
 *   permanent      this FlowFile cannot succeed: it leaves by the relationship named;
 *   configuration  nobody's FlowFile is at fault (wrong credentials, no such bucket): the processor
 *                  pauses with its FlowFiles queued, says why, and tries one again with back-off.
 *
 * Every function below is safe to call with what it documents and nothing else; NULL only where said.
 * Text from the host is terminated as well as counted. A module has no undefined daemon symbols: all
 * calls go through the table at the head of every handle.
 *
 * Changes of the ABI
 *   1.0  first version.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_ABI_MAJOR     1
#define SLUICE_ABI_MINOR     0
#define SLUICE_MODULE_SYMBOL "sluice_module"
#define SLUICE_EXPORT        __attribute__((visibility("default")))

typedef struct sluice_text { /* a borrowed view */
    const char *data;        /* NULL: absent */
    size_t size;
} sluice_text;

/* ---- properties: declared once; validation, manual, `describe`, editor and completion come from here -- */
typedef enum sluice_property_type {
    SLUICE_STRING,
    SLUICE_BOOL,
    SLUICE_INT,
    SLUICE_NUMBER,
    SLUICE_DURATION /* us */,
    SLUICE_SIZE /* bytes */,
    SLUICE_ENUM,    /* one of `allowed` */
    SLUICE_LIST,    /* of text */
    SLUICE_MAP,     /* name: text, in the order written */
    SLUICE_TABLE,   /* a nested property table: `table` */
    SLUICE_SERVICE, /* names a service that has `interface` */
    SLUICE_SECRET,  /* text that nothing can print */
} sluice_property_type;

enum { /* sluice_property.flags */
       SLUICE_REQUIRED = 1,
       SLUICE_EXPRESSION = 2,          /* `${...}` is evaluated for each FlowFile (of a map: its values) */
       SLUICE_NAMES_RELATIONSHIPS = 4, /* a map: each name is a relationship of the instance (routes) */
       SLUICE_REGEX = 8,               /* checked as a regular expression (PCRE2) when the flow is loaded */
};

typedef struct sluice_property {
    const char *name; /* NULL ends a table */
    sluice_property_type type;
    unsigned flags;
    const char *fallback;                /* the default, as it would be written; NULL: none */
    const char *help;                    /* one line */
    const char *const *allowed;          /* SLUICE_ENUM; NULL at the end */
    const struct sluice_property *table; /* SLUICE_TABLE */
    const char *interface;               /* SLUICE_SERVICE: "s3/1" */
    int64_t least, most;                 /* numbers, durations, sizes; both 0: no bounds */
    const char *when;                    /* SLUICE_NAMES_RELATIONSHIPS: as sluice_named.when; else the names are only names */
} sluice_property;

typedef struct sluice_named { /* a relationship or an attribute, with its line of help */
    const char *name;         /* NULL ends a table */
    const char *help;
    /* A relationship that an instance only has while a property of type ENUM has one of these values:
     * "strategy=all|any". NULL: always. */
    const char *when;
} sluice_named;

/* ---- handles; each begins with the table of calls ------------------------------------------- */
typedef struct sluice_host sluice_host;
typedef struct sluice_instance {
    const sluice_host *host;
    void *data; /* the module's own */
} sluice_instance;
typedef struct sluice_session {
    const sluice_host *host;
    void *data; /* the module's own */
} sluice_session;
typedef struct sluice_flowfile sluice_flowfile;
typedef struct sluice_writer sluice_writer;
typedef struct sluice_call sluice_call; /* an asynchronous call under way */

typedef enum sluice_class { SLUICE_TRANSIENT = 1, SLUICE_PERMANENT, SLUICE_CONFIGURATION } sluice_class;

typedef enum sluice_outcome {
    SLUICE_DONE,     /* commit the session */
    SLUICE_ROLLBACK, /* undo it; what was taken goes back to its queue */
    SLUICE_LATER,    /* asynchronous: sluice_finish will be called */
} sluice_outcome;

/* What an event can be; one X-macro for the enum, the names, the manual. Internal ones are not provenance. */
/* clang-format off */
#define SLUICE_EVENTS(X)                                                                    \
    X(CREATE) X(RECEIVE) X(FETCH) X(SEND) X(ROUTE) X(FORK) X(JOIN) X(CLONE)                 \
    X(CONTENT_MODIFIED) X(ATTRIBUTES_MODIFIED) X(DROP) X(EXPIRE) X(REPLAY) X(DOWNLOAD)      \
    X(ADDINFO) X(REMOTE_INVOCATION) X(TRANSFER)
/* clang-format on */
typedef enum sluice_event_type {
    SLUICE_NO_EVENT,
#define SLUICE_EVENT_ENUM(name) SLUICE_##name,
    SLUICE_EVENTS(SLUICE_EVENT_ENUM)
#undef SLUICE_EVENT_ENUM
} sluice_event_type;

/* ---- a failure that init or effect reports ---------------------------------------------------- */
typedef struct sluice_failure {
    sluice_class class_;
    char code[64];     /* short, for machines: "NoSuchBucket", "EACCES" */
    char message[960]; /* expected, found, where, what to do */
} sluice_failure;

/* ---- descriptors -------------------------------------------------------------------------------- */
enum { /* sluice_processor.flags */
       SLUICE_ON_LOOP = 0,
       SLUICE_ON_WORKER = 1,
       SLUICE_SOURCE = 2,  /* takes nothing; makes FlowFiles */
       SLUICE_ENDLESS = 4, /* a source that never has a complete scan unless told (run --until-idle asks `ends`) */
       SLUICE_EFFECTS = 8, /* has effects outside: is only given FlowFiles whose events and bytes are durable */
       SLUICE_SERIAL = 16, /* concurrency is 1 */
       /* Each FlowFile is judged alone: what becomes of it depends on nothing that the instance keeps or that others in the
        * session are. Then one way out that is full stalls no other: the host undoes the single FlowFile that wants
        * into it, and gives it again when there is room. Not with effects outside. */
       SLUICE_ALONE = 32,
};

typedef struct sluice_processor {
    const char *type;     /* kebab-case: "put-s3" */
    const char *summary;  /* one line */
    const char *manual;   /* paragraphs of text */
    const char *example;  /* a piece of flow YAML that is valid */
    const char *delivery; /* what happens if the process dies in the middle, and why a repeat is harmless */
    const sluice_property *properties;
    const sluice_named *relationships;
    const sluice_named *reads, *writes; /* attributes */
    unsigned flags;
    /* 0: done; -1: failure filled. May be NULL. */
    int (*init)(sluice_instance *instance, sluice_failure *failure);
    void (*fini)(sluice_instance *instance);
    sluice_outcome (*trigger)(sluice_instance *instance, sluice_session *session);
    /* Ends what `session` waits for soon; its completion still comes, then sluice_finish. May be NULL. */
    void (*cancel)(sluice_instance *instance, sluice_session *session);
    /* Does the effect that sluice_after_commit named; on a worker; called again after a crash until it
     * returned 0, so a repeat must be harmless. -1: failure filled; transient ones are repeated. */
    int (*effect)(sluice_instance *instance, sluice_text effect, sluice_failure *failure);
    /* A source: true when this instance will end by itself (`count` of generate-flowfile). NULL: by flags. */
    bool (*ends)(sluice_instance *instance);
} sluice_processor;

typedef struct sluice_service {
    const char *type, *summary, *manual;
    const char *interface; /* name and version: "s3/1" */
    const sluice_property *properties;
    unsigned flags; /* none yet: 0 */
    /* Made once for each definition before the processors that use it; loop thread.
     * `instance->data` or what it points to is what users of the interface agreed on. */
    int (*init)(sluice_instance *instance, sluice_failure *failure);
    void (*fini)(sluice_instance *instance);
} sluice_service;

typedef struct sluice_module {
    uint16_t abi_major, abi_minor;
    uint32_t size; /* sizeof(sluice_module) */
    const char *name, *version, *summary;
    const sluice_processor *processors;
    uint32_t processor_count, processor_size; /* sizeof(sluice_processor) */
    const sluice_service *services;
    uint32_t service_count, service_size;
    uint32_t property_size, named_size; /* rows of the tables above: they may grow with a minor version too */
} sluice_module;

#ifndef SLUICE_MODULE_VERSION
#define SLUICE_MODULE_VERSION "1.0" /* the module's own; define it before the #include to say another */
#endif

/* Defines the one symbol a module exports, with the sizes that it was built with. */
#define SLUICE_MODULE_DEFINE(name_, summary_, processors_, processor_count_, services_, service_count_) \
    SLUICE_EXPORT extern const sluice_module sluice_module_definition __asm__(SLUICE_MODULE_SYMBOL);    \
    const sluice_module sluice_module_definition = {                                                    \
        .abi_major = SLUICE_ABI_MAJOR,                                                                  \
        .abi_minor = SLUICE_ABI_MINOR,                                                                  \
        .size = sizeof(sluice_module),                                                                  \
        .name = name_,                                                                                  \
        .version = SLUICE_MODULE_VERSION,                                                               \
        .summary = summary_,                                                                            \
        .processors = processors_,                                                                      \
        .processor_count = processor_count_,                                                            \
        .processor_size = sizeof(sluice_processor),                                                     \
        .services = services_,                                                                          \
        .service_count = service_count_,                                                                \
        .service_size = sizeof(sluice_service),                                                         \
        .property_size = sizeof(sluice_property),                                                       \
        .named_size = sizeof(sluice_named),                                                             \
    }
/* With services, and without. */
#define SLUICE_MODULE(name_, summary_, processors_, services_)                                                    \
    SLUICE_MODULE_DEFINE(name_, summary_, processors_, sizeof(processors_) / sizeof(sluice_processor), services_, \
                         sizeof(services_) / sizeof(sluice_service))
#define SLUICE_MODULE_PLAIN(name_, summary_, processors_) \
    SLUICE_MODULE_DEFINE(name_, summary_, processors_, sizeof(processors_) / sizeof(sluice_processor), NULL, 0)

/* ---- shapes for the calls ------------------------------------------------------------------------ */
typedef struct sluice_content { /* where a FlowFile's bytes are; valid until the session ends */
    const void *data;           /* in memory, or NULL: then read from fd */
    int fd;                     /* borrowed: pread only; -1 with `data` */
    uint64_t offset, size;
    const char *sha256, *md5; /* hex when known, else NULL */
} sluice_content;

typedef struct sluice_source { /* a file to become a FlowFile's content */
    const char *path;
    int fd;     /* open for reading; borrowed; its device, inode, size, mtime are what is taken */
    bool adopt; /* the source will be removed: it may be taken over without copying */
} sluice_source;

typedef struct sluice_http_call_options {
    const char *method, *url;   /* the path is sent as it is */
    const char *const *headers; /* "Name: value", NULL at the end */
    const void *data;           /* body in memory, kept by the caller until done; or NULL */
    int fd;                     /* body from a file; -1: none */
    uint64_t offset, size;
    void (*sent)(void *context, const void *data, size_t size); /* sees the body go by; may be NULL. data NULL: anew */
    size_t reply_limit;                                         /* 0: 1 MiB */
    bool fresh_connection;
    int64_t timeout_us; /* 0: none */
} sluice_http_call_options;

typedef struct sluice_http_reply {
    int status; /* 0: no reply, see error */
    sluice_text body;
    const char *error;
    bool connected, configuration, cancelled;
    int64_t duration_us;
    uint64_t bytes_sent;
    /* A reply header by name, any case; data NULL when absent. Valid during the callback. */
    sluice_text (*header)(const struct sluice_http_reply *reply, const char *name);
    const void *internal;
} sluice_http_reply;

typedef struct sluice_http_client_options {
    unsigned connections;                                                                  /* 0: 64 */
    int64_t connect_timeout_us, stall_timeout_us, reply_timeout_us, max_connection_age_us; /* 0: the host's */
    const char *ca_file;
    bool insecure;
} sluice_http_client_options;
typedef struct sluice_http_client sluice_http_client;

typedef enum sluice_level { SLUICE_LOG_ERROR = 3, SLUICE_LOG_WARNING = 4, SLUICE_LOG_INFO = 6, SLUICE_LOG_DEBUG = 7 } sluice_level;

/* ---- the host's calls; the table grows only at its end ------------------------------------------ */
struct sluice_host {
    uint32_t size; /* of this table: test before using a call that came later than ABI 1.0 */

    /* properties of an instance; `name` may be dotted into tables: "retry.count" */
    bool (*has)(sluice_instance *instance, const char *name);
    int64_t (*number)(sluice_instance *instance, const char *name); /* INT, DURATION, SIZE, BOOL, ENUM's index */
    double (*real)(sluice_instance *instance, const char *name);
    sluice_text (*text)(sluice_instance *instance, const char *name); /* as written; secrets too, for use only */
    size_t (*count)(sluice_instance *instance, const char *name);     /* of a list or map */
    sluice_text (*item)(sluice_instance *instance, const char *name, size_t i);
    sluice_text (*item_name)(sluice_instance *instance, const char *name, size_t i);
    void *(*service)(sluice_instance *instance, const char *name); /* the service instance's `data`; init and later */
    const char *(*name)(sluice_instance *instance);                /* "media-to-b2/upload" */

    /* expressions: property (or item i of a map or list) for a FlowFile (NULL: none); one that is not given is the
     * empty text. On failure false, and the failure is a permanent one of this FlowFile. */
    bool (*evaluate)(sluice_session *session, sluice_flowfile *flowfile, const char *name, sluice_text *ret, sluice_failure *failure);
    bool (*evaluate_item)(sluice_session *session, sluice_flowfile *flowfile, const char *name, size_t i, sluice_text *ret,
                          sluice_failure *failure);

    /* sessions */
    sluice_flowfile *(*get)(sluice_session *session); /* the next of the queue, NULL: none (now), or enough for one session */
    /* A new one without content; of a parent (may be NULL) it has the attributes, and the event says so. */
    sluice_flowfile *(*create)(sluice_session *session, sluice_flowfile *parent);
    sluice_flowfile *(*clone)(sluice_session *session, sluice_flowfile *flowfile); /* its attributes and its content */
    /* As this session has set it; data NULL: absent. `uuid`, and `sha256` once known, can be asked for too. */
    sluice_text (*attribute)(sluice_flowfile *flowfile, const char *name);
    size_t (*attribute_count)(sluice_flowfile *flowfile); /* without those two */
    void (*attribute_at)(sluice_flowfile *flowfile, size_t i, sluice_text *ret_name, sluice_text *ret_value);
    void (*set)(sluice_session *session, sluice_flowfile *flowfile, const char *name, const char *value, size_t size);
    void (*unset)(sluice_session *session, sluice_flowfile *flowfile, const char *name);
    void (*transfer)(sluice_session *session, sluice_flowfile *flowfile, const char *relationship);
    void (*drop)(sluice_session *session, sluice_flowfile *flowfile, const char *reason);
    /* relationship: where it leaves, and whose retry settings count; NULL means "failure". One that was made in this
     * session has no queue to go back to: it leaves whatever the class. flowfile NULL: the instance itself failed (a
     * source): transient and permanent yield, configuration pauses. */
    void (*fail)(sluice_session *session, sluice_flowfile *flowfile, const char *relationship, const sluice_failure *failure);
    /* What this session's event for the FlowFile is, where the host would not say it by itself: made, changed, passed
     * on, dropped. uri and details (a JSON object's text) may be NULL. The last call counts. */
    void (*event)(sluice_session *session, sluice_flowfile *flowfile, sluice_event_type type, const char *uri, const char *details);
    /* Ends a session whose trigger returned SLUICE_LATER: once, loop thread. The session and all that it handed out are
     * gone then. (Called before the trigger returned, it ends with that.) */
    void (*finish)(sluice_session *session, sluice_outcome outcome);
    void (*yield)(sluice_session *session);      /* nothing to do: trigger again after `yield` */
    bool (*stopping)(sluice_instance *instance); /* a long trigger asks and ends early */

    /* content */
    bool (*content)(sluice_session *session, sluice_flowfile *flowfile, sluice_content *ret, sluice_failure *failure);
    /* Blocking: workers, or content with `data`. Bytes read (all of `size` but at the end), 0 at the end, -1: failure
     * filled. */
    int64_t (*read)(sluice_session *session, sluice_flowfile *flowfile, uint64_t offset, void *data, size_t size, sluice_failure *failure);
    sluice_writer *(*write)(sluice_session *session, sluice_flowfile *flowfile); /* worker, or small on the loop */
    int (*append)(sluice_writer *writer, const void *data, size_t size);         /* -1: full disk, told at close */
    int (*close)(sluice_writer *writer, sluice_failure *failure); /* frees it; 0: the FlowFile has the new content, -1: its old */
    int (*import)(sluice_session *session, sluice_flowfile *flowfile, const sluice_source *source, sluice_failure *failure); /* worker */
    void (*hashes)(sluice_session *session, sluice_flowfile *flowfile, const char *sha256, const char *md5); /* NULL: unknown */

    /* effects and state; intents and turns are for processors with SLUICE_EFFECTS, and FlowFiles that came by `get` */
    /* The intent journalled for this FlowFile by this instance in an earlier try, data NULL: none. */
    sluice_text (*intent)(sluice_session *session, sluice_flowfile *flowfile);
    /* Journals `intent` (JSON text; it replaces an earlier one and its progress) and calls `durable` when it is
     * on disk; loop thread. On a worker `durable` is NULL and the call returns when it is durable, with NULL. */
    sluice_call *(*intend)(sluice_session *session, sluice_flowfile *flowfile, const char *intent,
                           void (*durable)(void *context, bool cancelled), void *context);
    /* The same for a step of the intent that need not be done again (a part, an upload's id); steps add up. */
    sluice_call *(*progress)(sluice_session *session, sluice_flowfile *flowfile, const char *step,
                             void (*durable)(void *context, bool cancelled), void *context);
    size_t (*progress_count)(sluice_session *session, sluice_flowfile *flowfile);
    sluice_text (*progress_at)(sluice_session *session, sluice_flowfile *flowfile, size_t i);
    /* With the commit of this session, and after it is durable, the instance's `effect` gets this text: when the FlowFile is
     * transferred or dropped. One that fails in this session, or goes back, takes its effects with it. */
    void (*after_commit)(sluice_session *session, sluice_flowfile *flowfile, const char *effect);
    /* The instance's own small memory: what this session set, else what the last commit left; data NULL: none. */
    sluice_text (*state)(sluice_session *session, const char *key);
    void (*set_state)(sluice_session *session, const char *key, const char *value /* NULL removes */);

    /* logs, bulletins, time */
    void (*log)(sluice_instance *instance, sluice_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
    void (*bulletin)(sluice_instance *instance, sluice_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
    int64_t (*now)(void);   /* us since 1970 */
    int64_t (*ticks)(void); /* us, monotonic */
    void (*random)(void *data, size_t size);
    sluice_call *(*timer)(sluice_instance *instance, int64_t after_us, void (*due)(void *context, bool cancelled), void *context);
    /* `work` on a worker, then `done` on the loop. */
    sluice_call *(*job)(sluice_instance *instance, void (*work)(void *context), void (*done)(void *context, bool cancelled), void *context);
    /* Its completion still comes, with cancelled true unless it was done. Not after it has come. */
    void (*cancel)(sluice_call *call);

    /* HTTP, loop thread */
    sluice_http_client *(*http_open)(sluice_instance *instance, const sluice_http_client_options *options, sluice_failure *failure);
    void (*http_close)(sluice_http_client *client);
    sluice_call *(*http)(sluice_http_client *client, const sluice_http_call_options *options,
                         void (*done)(void *context, const sluice_http_reply *reply), void *context, sluice_failure *failure);

    /* figures: a counter or gauge of the instance, shown in status and /metrics */
    void (*figure)(sluice_instance *instance, const char *name, int64_t value, bool add);

    /* Deliveries to one target run one at a time, in queue order, over all instances. True: the turn for `key`
     * is this FlowFile's until it leaves the processor (also over retries and restarts). False: another has it;
     * end the session with SLUICE_ROLLBACK at once: the host sets the FlowFile aside and gives it again when it
     * is its turn. Loop or worker; ask before sluice_intend. */
    bool (*turn)(sluice_session *session, sluice_flowfile *flowfile, const char *key);
    /* ends the scan of a source: everything there was has been seen (run --until-idle). waiting: how many
     * items wait for their time (min_age). */
    void (*scanned)(sluice_session *session, uint64_t waiting);
};

#endif
