/* What the parts of the expression language share.
 *
 * template.c splits a text into runs, parameters and `${...}`; lex.c and parse.c make nodes of the
 * latter; table.c declares every function once; functions-*.c are the families; value.c converts;
 * evaluate.c walks. Nodes live in the expression's arena and never change after compilation.
 */
#ifndef SL_EXPRESSION_PRIVATE_H
#define SL_EXPRESSION_PRIVATE_H

#include "base/base.h"
#include "flow/expression.h"

enum {
    EXPRESSION_TEXT = 1024 * 1024,         /* bytes of a text that is compiled */
    EXPRESSION_RESULT = 1024 * 1024,       /* bytes of any one value */
    EXPRESSION_SCRATCH = 16 * 1024 * 1024, /* bytes of all values of one evaluation */
    EXPRESSION_STEPS = 100000,             /* calls of one evaluation */
    EXPRESSION_DEPTH = 64,                 /* expressions in expressions */
    EXPRESSION_NODES = 16384,              /* of one text */
    EXPRESSION_ARGUMENTS = 7,              /* of a function whose arguments are evaluated before it */
    EXPRESSION_NESTED_TEXTS = 8,           /* evaluateELString within evaluateELString */
    EXPRESSION_REGEX = 16 * 1024,          /* bytes of a regular expression */
};

/* ---- values ------------------------------------------------------------------------------------- */
typedef enum kind { KIND_TEXT, KIND_WHOLE, KIND_DECIMAL, KIND_NUMBER, KIND_TRUTH, KIND_DATE, KIND_INSTANT, KIND_ANY } kind;

typedef struct instant {
    int64_t seconds; /* since 1970 */
    int32_t nanos;   /* 0 to 999999999 */
} instant;

typedef struct value { /* text is borrowed: of the node, the attribute or the evaluation's scratch */
    kind kind;         /* never NUMBER or ANY: those are only declared */
    bool missing;      /* Java's null */
    union {
        sl_str text;
        int64_t whole; /* KIND_WHOLE; KIND_DATE: milliseconds since 1970 */
        double decimal;
        bool truth;
        instant instant;
    };
} value;

#define VALUE_TEXT(text_)       ((value){.kind = KIND_TEXT, .text = (text_)})
#define VALUE_WHOLE(whole_)     ((value){.kind = KIND_WHOLE, .whole = (whole_)})
#define VALUE_DECIMAL(decimal_) ((value){.kind = KIND_DECIMAL, .decimal = (decimal_)})
#define VALUE_TRUTH(truth_)     ((value){.kind = KIND_TRUTH, .truth = (truth_)})
#define VALUE_DATE(ms_)         ((value){.kind = KIND_DATE, .whole = (ms_)})
#define VALUE_INSTANT(instant_) ((value){.kind = KIND_INSTANT, .instant = (instant_)})
#define VALUE_MISSING(kind_)    ((value){.kind = (kind_), .missing = true})

/* ---- one evaluation -------------------------------------------------------------------------------- */
typedef struct evaluation {
    const sl_expression_scope *scope;
    sl_error *error; /* may be NULL */
    unsigned steps, nested_texts;
    size_t scratch_used;
    char *at, *end; /* free room of the newest block */
    struct scratch_block {
        struct scratch_block *next;
    } * blocks;
} evaluation;

/* Bytes that live as long as the evaluation; NULL: over its limit, and the error says so. */
char *scratch(evaluation *e, size_t size);
/* The buffer's bytes moved to the scratch, and the buffer freed. -1: it overflowed, or no room. */
int scratch_buf(evaluation *e, sl_buf *buf, value *ret);
void fail_with(evaluation *e, const char *format, va_list arguments);
/* Always -1, and here so that whoever checks a caller sees that. */
static inline SL_PRINTF(2, 3) int fail(evaluation *e, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_with(e, format, arguments);
    va_end(arguments);
    return -1;
}

/* ---- conversions, as Java and NiFi do them ------------------------------------------------------------ */
int value_to(evaluation *e, kind wanted, value *v);  /* missing stays missing */
int value_text(evaluation *e, value v, sl_str *ret); /* v is not missing */
bool kind_converts(kind from, kind to);              /* may it at compile time */
const char *kind_name(kind k);                       /* "a text", "a whole number" */
size_t decimal_text(double d, char text[32]);        /* Java's Double.toString */
size_t whole_text(int64_t whole, char text[24]);
typedef enum number_form { NOT_NUMBER, WHOLE_NUMBER, DECIMAL_NUMBER } number_form;
number_form number_of(sl_str text, value *ret, bool *ret_overflow); /* text is trimmed */
int64_t decimal_to_whole(double d);                                 /* Java's (long): saturates, NaN is 0 */
/* date.c's part */
int date_text(evaluation *e, int64_t ms, sl_str *ret);   /* java.util.Date.toString */
int instant_text(evaluation *e, instant i, sl_str *ret); /* java.time.Instant.toString */
int date_from_text(evaluation *e, sl_str text, value *ret);
int instant_from_text(evaluation *e, sl_str text, value *ret);

/* ---- the compiled form --------------------------------------------------------------------------------- */
struct node;
struct compiler;
typedef struct regex regex;
typedef struct call {
    const struct function *function;
    struct node **arguments;
    size_t count, offset; /* offset: the byte in the text */
    void *prepared;       /* what its function made of literal arguments at compile time */
} call;

typedef enum node_type {
    NODE_CONSTANT,
    NODE_ATTRIBUTE,       /* constant.text is its name */
    NODE_ATTRIBUTE_NAMED, /* by the value of `head` */
    NODE_CONCATENATION,   /* of `items` */
    NODE_STANDALONE,      /* calls[0], a function without subject */
    NODE_CHAIN,           /* calls upon `head` */
    NODE_SELECTION,       /* several values; only as the head of a chain */
} node_type;

typedef enum selection { SELECT_NAMED, SELECT_MATCHING, SELECT_DELINEATED } selection;

typedef struct node {
    node_type type;
    kind kind; /* of the value */
    size_t offset;
    value constant;
    struct node *head;
    call *calls;
    size_t call_count;
    struct node **items;
    size_t item_count;
    selection selection;
    bool all;         /* selection: all of them, not any */
    regex **patterns; /* SELECT_MATCHING: one an item, NULL where it is not a literal; may be NULL */
} node;

struct prepared {
    struct prepared *next;
    void *data;
    void (*free)(void *data);
};

struct sl_expression {
    sl_arena arena;
    node **parts; /* concatenated; a literal is one constant part or none */
    size_t part_count;
    bool is_literal;
    sl_str literal;
    struct prepared *prepared;
};

/* ---- compiling -------------------------------------------------------------------------------------- */
typedef struct compiler {
    sl_expression *expression;
    const sl_parameter_scope *parameters; /* NULL: parameters are empty texts (evaluateELString) */
    bool parameters_disabled;
    sl_error *error;
    size_t error_offset;
    size_t nodes;
    unsigned depth;
} compiler;

/* A piece of the text that is compiled. map: for a string literal with escapes, the offset of each of its bytes. */
typedef struct source {
    sl_str text;
    size_t base;
    const uint32_t *map;
} source;
static inline size_t source_offset(const source *s, size_t at) { return s->map ? s->map[at] : s->base + at; }

void compile_fail_with(compiler *c, size_t offset, const char *format, va_list arguments);
static inline SL_PRINTF(3, 4) int compile_fail(compiler *c, size_t offset, const char *format, ...) /* always -1 */
{
    va_list arguments;
    va_start(arguments, format);
    compile_fail_with(c, offset, format, arguments);
    va_end(arguments);
    return -1;
}
void *compile_keep(compiler *c, void *data, void (*release)(void *data)); /* freed with the expression */
node *node_new(compiler *c, node_type type, kind k, size_t offset);       /* NULL: too many */
/* Literal runs and `${...}` of a text into *ret (count of them). outer: `#{p}` outside of `${...}` are resolved too;
 * else it is a string literal whose backslashes are resolved in the runs. */
int compile_template(compiler *c, const source *s, bool outer, node ***ret, size_t *ret_count);
/* `${...}` at the whole of `s`. */
int compile_braces(compiler *c, const source *s, node **ret);
/* For evaluateELString: parameters are empty texts. */
int expression_compile_inner(sl_str text, sl_expression **ret, size_t *ret_offset, sl_error *error);
int parameter_value(compiler *c, sl_str name, size_t offset, sl_str *ret);

/* ---- tokens ------------------------------------------------------------------------------------------ */
typedef enum token_type {
    TOKEN_END,
    TOKEN_DOLLAR,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_COLON,
    TOKEN_COMMA,
    TOKEN_WHOLE,
    TOKEN_DECIMAL,
    TOKEN_STRING,
    TOKEN_PARAMETER,
    TOKEN_NAME,
    TOKEN_OTHER, /* a character that begins nothing */
} token_type;

typedef struct token {
    token_type type;
    size_t at;   /* in the source */
    sl_str text; /* STRING: between the quotes, unresolved; PARAMETER: the name; NAME: the name; else as written */
} token;

typedef struct lexer {
    const source *source;
    size_t at;
} lexer;
int lex(compiler *c, lexer *l, token *ret);
/* A string literal's text with quotes and control escapes resolved; its other backslashes stay for the runs. */
source string_source(compiler *c, const source *s, const token *string);
sl_str unescape_run(sl_arena *arena, sl_str text);

/* ---- functions ------------------------------------------------------------------------------------------ */
typedef enum place { PLACE_CHAINED, PLACE_STANDALONE, PLACE_SELECTION } place;
typedef enum when_missing { MISSING_SEEN, MISSING_STAYS, MISSING_FALSE, MISSING_EMPTY } when_missing;

typedef struct function {
    const char *name;
    place place;
    kind subject;
    /* one letter an argument: t text, w whole, n number, b boolean, a any; after `?` optional ones, after `*` more of the last */
    const char *arguments;
    kind result;
    when_missing missing; /* what becomes of a subject that is missing */
    bool lazy;            /* evaluates its arguments itself */
    int (*apply)(evaluation *e, const call *c, value subject, const value *arguments, value *ret); /* NULL: not in this version */
    int (*prepare)(compiler *c, call *call);                                                       /* may be NULL */
    const char *help;
} function;

const function *function_find(sl_str name, place where);
const function *function_any(sl_str name); /* wherever it stands */
void function_counts(const function *f, size_t *ret_least, size_t *ret_most);
kind function_argument(const function *f, size_t i);
size_t function_names(void); /* how many sl_expression_functions gives */
/* The i-th argument, evaluated and converted; for lazy functions. */
int argument(evaluation *e, const call *c, size_t i, value *ret);
const value *constant_argument(const call *c, size_t i); /* NULL: not a literal, or absent */

/* ---- regular expressions: Java's, as far as PCRE2 has them -------------------------------------------- */
/* NULL: refused, as it is wrong or uses what differs in Java. whole: must match all of the text. */
regex *regex_new(sl_str pattern, bool whole, sl_error *error);
void regex_free(void *r);
/* 1 found, 0 not, -1 failed (a limit). ovector, when not NULL, gets `pairs` offsets: start and end of each group, SIZE_MAX: unset. */
int regex_find(evaluation *e, const regex *r, sl_str text, size_t *ovector, size_t pairs);
/* From the character at `from` on. valid: `text` is UTF-8; otherwise each call looks through the whole text for what is
 * not, and all matches of a long text would take the square of its length. */
int regex_find_from(evaluation *e, const regex *r, sl_str text, size_t from, bool valid, size_t *ovector, size_t pairs);
size_t regex_groups(const regex *r);                     /* without the whole match */
int regex_group_named(const regex *r, const char *name); /* its number, or -1 */
int prepare_regex(compiler *c, call *call);              /* of argument 0, found anywhere */
int prepare_regex_whole(compiler *c, call *call);        /* matching all */

int evaluate_node(evaluation *e, const node *n, value *ret);
int evaluate_parts(evaluation *e, const sl_expression *expression, sl_buf *ret);

#define FUNCTION(name_) int name_(evaluation *e, const call *c, value subject, const value *arguments, value *ret)

#endif
