/* cli/config: sluiced.yaml, read as strictly as a flow: unknown keys, wrong values and what this version does not do
 * are problems with line and column. */
#ifndef SL_CONFIG_H
#define SL_CONFIG_H

#include "flow/flow.h"

#define SL_CONFIG_FILE     "/etc/sluice/sluiced.yaml"
#define SL_PROVENANCE_AGE  (30LL * 24 * 3600 * SL_SECOND)
#define SL_PROVENANCE_SIZE 10000000000ULL
#define SL_FLOWS_FOLDER    "/etc/sluice/flows"

typedef struct sl_config {
    sl_arena arena;      /* everything below lives in it */
    const char **listen; /* as written: "127.0.0.1:8470", "unix:/run/sluice/api.sock" */
    size_t listen_count;
    bool listen_given; /* else the two defaults, of which the socket may be missing */
    const char **open; /* routes that need no token: "healthz" */
    size_t open_count;
    const char *secrets;           /* folder; NULL: none */
    const char *flows;             /* folder */
    int64_t provenance_age;        /* us; 0: for ever */
    uint64_t provenance_size;      /* bytes; 0: no limit */
    unsigned content_disk_percent; /* how full the file system may be; 0: content_disk_bytes says */
    uint64_t content_disk_bytes;   /* what content may take; 0 as well: nothing was said */
    sl_level log;
    struct sl_config_flow {
        const char *name;
        sl_setting *settings;
        size_t count;
    } * parameters;
    size_t parameter_count;
    const sl_node *services; /* shared by flows; NULL: none */
    const char *file;        /* for messages */
    sl_properties properties;
} sl_config;

/* path NULL: the default file, which need not exist. -1: problems has at least one error. Done is needed in both
 * cases. */
int sl_config_load(const char *path, sl_config *ret, sl_problems *problems);
int sl_config_parse(sl_str text, sl_config *ret, sl_problems *problems);
void sl_config_done(sl_config *config);
/* The parameters of this flow; *ret_count 0 when there are none. */
const sl_setting *sl_config_settings(const sl_config *config, sl_str flow, size_t *ret_count);

#endif
