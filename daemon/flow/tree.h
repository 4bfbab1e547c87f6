/* flow/tree: a YAML document as a tree with marks, strict: no anchors, aliases, tags, duplicate keys, nulls,
 * at most 64 deep, 1 MiB and 100,000 nodes. A scalar keeps its exact text; what it means is the
 * property table's word, never YAML's. Also the list of problems that reading a flow collects. */
#ifndef SL_TREE_H
#define SL_TREE_H

#include "base/base.h"

typedef struct sl_mark {
    unsigned line, column;
} sl_mark; /* from 1; columns in characters */

typedef struct sl_problem {
    bool warning;
    sl_mark mark; /* line 0: the whole file */
    char *message;
} sl_problem;

typedef struct sl_problems {
    const char *file;
    sl_problem *items;
    size_t count, capacity, errors; /* errors: all there were, also those past the 100 that are kept */
    size_t omitted;
} sl_problems;

void sl_problem_error(sl_problems *problems, sl_mark mark, const char *format, ...) SL_PRINTF(3, 4);
void sl_problem_warning(sl_problems *problems, sl_mark mark, const char *format, ...) SL_PRINTF(3, 4);
/* Control characters in a message become spaces: a problem is always one line. */
/* "FILE:LINE:COL: error: MESSAGE" a line, in the order of the text. */
void sl_problems_print(const sl_problems *problems, sl_buf *ret);
void sl_problems_done(sl_problems *problems);

typedef enum sl_node_kind { SL_SCALAR, SL_LIST, SL_MAPPING } sl_node_kind;
typedef struct sl_node {
    sl_node_kind kind;
    sl_mark mark;
    sl_str text;            /* scalar */
    bool plain;             /* scalar written without quotes: a plain empty, ~ or null is null */
    struct sl_node **items; /* list, mapping: the values */
    struct sl_node **keys;  /* mapping: scalars */
    size_t count;
    sl_mark text_mark; /* scalar: of the text's first character; line 0 where text and source are not the same run */
} sl_node;

/* Nodes live in `arena`. NULL: problems has the reason (at least one error). */
sl_node *sl_tree_parse(sl_str text, sl_arena *arena, sl_problems *problems);
/* The same, but a tree also where problems has errors that leave a tree (a duplicate key, a null, an alias): so that
 * the reader's own checks add theirs to one list. A refused value is a null. */
sl_node *sl_tree_read(sl_str text, sl_arena *arena, sl_problems *problems);
sl_node *sl_node_get(const sl_node *mapping, const char *key); /* NULL: absent */
sl_node *sl_node_key(const sl_node *mapping, const char *key); /* the key's own node, for marks */
bool sl_node_null(const sl_node *node);
sl_mark sl_node_mark_at(const sl_node *scalar, size_t offset); /* of a byte of its text; its start where that is unknown */
const char *sl_node_kind_name(sl_node_kind kind);              /* "a text", "a list", "a mapping" */

#endif
