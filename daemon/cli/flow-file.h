/* cli/flow-file: a flow's file with the parameters that the configuration and the command line give it. */
#ifndef SL_FLOW_FILE_H
#define SL_FLOW_FILE_H

#include "cli/config.h"
#include "flow/flow.h"

typedef struct sl_flow_reading { /* all borrowed */
    const sl_registry *registry;
    const sl_config *config;    /* or NULL */
    const sl_setting *settings; /* of the command line: they win over the configuration's */
    size_t setting_count;
    bool stem_must_match, unset_allowed; /* as in sl_flow_options */
} sl_flow_reading;

/* NULL: problems has at least one error. problems->file becomes `path`. */
sl_flow *sl_flow_file_load(const char *path, const sl_flow_reading *reading, sl_problems *problems);
/* The same for a text that was read before; `path` is what messages name. */
sl_flow *sl_flow_file_parse(sl_str text, const char *path, const sl_flow_reading *reading, sl_problems *problems);

/* The flows of a folder: *.yaml but *.test.yaml and *.layout.yaml, in the order of their names. A folder that is not
 * there has none. */
typedef struct sl_flow_paths {
    char **items;
    size_t count, capacity;
} sl_flow_paths;
int sl_flow_paths_list(const char *folder, sl_flow_paths *ret, sl_error *error);
void sl_flow_paths_add(sl_flow_paths *paths, const char *path);
void sl_flow_paths_done(sl_flow_paths *paths);
/* "/etc/sluice/flows/a.yaml" gives "a"; the caller frees it. */
char *sl_flow_path_stem(const char *path);
/* The `name:` that the file gives, its stem when it gives none that can be read; the caller frees it. */
char *sl_flow_file_name(const char *path);

#endif
