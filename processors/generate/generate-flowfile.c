/* generate-flowfile: a source of FlowFiles made here, for tests, measurements and clockwork. On a worker: content of
 * any size may be written. How many were made is state that commits with them. */
#include <inttypes.h>
#include <stdlib.h>

#include "sluice/calls.h"

enum { PIECE = 65536 };
enum { BINARY, TEXT };
static const char *const kinds[] = {"binary", "text", NULL};

static const sluice_property properties[] = {
    {.name = "count", .type = SLUICE_INT, .least = 1, .most = INT64_MAX, .help = "How many in all; absent: without end."},
    {.name = "batch", .type = SLUICE_INT, .fallback = "1", .least = 1, .most = 10000, .help = "How many at a time, in one session."},
    {.name = "size", .type = SLUICE_SIZE, .fallback = "0", .help = "Bytes of random content of each; 0: none."},
    {.name = "data",
     .type = SLUICE_ENUM,
     .fallback = "binary",
     .allowed = kinds,
     .help = "What `size` makes: random bytes, or random letters in lines."},
    {.name = "content", .type = SLUICE_STRING, .flags = SLUICE_EXPRESSION, .help = "The content, instead of `size`."},
    {.name = "attributes", .type = SLUICE_MAP, .flags = SLUICE_EXPRESSION, .help = "Attributes of each: name: value."},
    {0},
};
static const sluice_named relationships[] = {{.name = "success", .help = "Every FlowFile that is made."}, {0}};
static const sluice_named writes[] = {{.name = "*", .help = "Those named under `attributes`."}, {0}};

typedef struct generate {
    int64_t count; /* 0: without end */
    int64_t batch;
    uint64_t size;
    bool text, content;
    size_t attribute_count;
    const char **names;
    sluice_text *values;
    uint64_t seed[2]; /* of the random content */
} generate;

static void fini(sluice_instance *instance)
{
    generate *self = instance->data;
    if (!self) return;
    free(self->names);
    free(self->values);
    free(self);
    instance->data = NULL;
}

static int init(sluice_instance *instance, sluice_failure *failure)
{
    bool content = sluice_has(instance, "content");
    uint64_t size = (uint64_t)sluice_number(instance, "size");
    if (content && size)
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "content",
                             "content and size both say what the content is; expected one of them, found both");
    generate *self = calloc(1, sizeof *self);
    if (!self) abort();
    instance->data = self;
    self->count = sluice_has(instance, "count") ? sluice_number(instance, "count") : 0;
    self->batch = sluice_number(instance, "batch");
    self->size = size;
    self->content = content;
    self->text = sluice_number(instance, "data") == TEXT;
    self->attribute_count = sluice_count(instance, "attributes");
    self->names = calloc(self->attribute_count + 1, sizeof *self->names);
    self->values = calloc(self->attribute_count + 1, sizeof *self->values);
    if (!self->names || !self->values) abort();
    for (size_t i = 0; i < self->attribute_count; i++) self->names[i] = sluice_item_name(instance, "attributes", i).data;
    sluice_random(instance, self->seed, sizeof self->seed);
    self->seed[0] |= 1;
    return 0;
}

/* ---- content ------------------------------------------------------------------------------------------ */
/* xorshift128+: the system's randomness is too slow for gigabytes, and nothing here is secret. */
static uint64_t next_random(uint64_t seed[2])
{
    uint64_t a = seed[0], b = seed[1];
    seed[0] = b;
    a ^= a << 23;
    seed[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return seed[1] + b;
}

static void fill(generate *self, char *piece, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789  ";
    for (size_t i = 0; i < size; i += 8) {
        uint64_t value = next_random(self->seed);
        memcpy(piece + i, &value, size - i < 8 ? size - i : 8);
    }
    if (!self->text) return;
    for (size_t i = 0; i < size; i++) piece[i] = i % 80 == 79 ? '\n' : letters[(unsigned char)piece[i] % (sizeof letters - 1)];
}

static int write_random(generate *self, sluice_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    char piece[PIECE];
    sluice_writer *writer = sluice_write(session, flowfile);
    for (uint64_t left = self->size; left;) {
        size_t size = left < PIECE ? (size_t)left : PIECE;
        fill(self, piece, size);
        if (sluice_append(session, writer, piece, size) < 0) break; /* close says why */
        left -= size;
    }
    return sluice_close(session, writer, failure);
}

static int write_content(sluice_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    sluice_text text;
    if (!sluice_evaluate(session, flowfile, "content", &text, failure)) return -1;
    sluice_writer *writer = sluice_write(session, flowfile);
    if (text.size) sluice_append(session, writer, text.data, text.size);
    return sluice_close(session, writer, failure);
}

/* ---- one FlowFile ------------------------------------------------------------------------------------- */
static int set_attributes(generate *self, sluice_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    for (size_t i = 0; i < self->attribute_count; i++)
        if (!sluice_evaluate_item(session, flowfile, "attributes", i, &self->values[i], failure)) return -1;
    for (size_t i = 0; i < self->attribute_count; i++) sluice_set_view(session, flowfile, self->names[i], self->values[i]);
    return 0;
}

static int make_one(generate *self, sluice_session *session, sluice_failure *failure)
{
    sluice_flowfile *flowfile = sluice_create(session, NULL);
    int result = set_attributes(self, session, flowfile, failure);
    if (result == 0 && self->content) result = write_content(session, flowfile, failure);
    if (result == 0 && self->size) result = write_random(self, session, flowfile, failure);
    if (result == 0) sluice_transfer(session, flowfile, "success");
    else sluice_drop(session, flowfile, failure->message);
    return result;
}

/* An expression of a source that fails would fail for every FlowFile: nobody but the configuration is at fault. */
static void report(sluice_session *session, sluice_failure *failure)
{
    if (failure->class_ == SLUICE_PERMANENT) failure->class_ = SLUICE_CONFIGURATION;
    sluice_fail(session, NULL, NULL, failure);
}

static int64_t made_so_far(sluice_session *session)
{
    sluice_text made = sluice_state(session, "made");
    return made.data ? strtoll(made.data, NULL, 10) : 0;
}

static void remember(sluice_session *session, int64_t made)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, made);
    sluice_set_state(session, "made", text);
}

static sluice_outcome trigger(sluice_instance *instance, sluice_session *session)
{
    generate *self = instance->data;
    sluice_failure failure = {0};
    int64_t before = self->count ? made_so_far(session) : 0, made = 0, most = self->batch;
    if (self->count && most > self->count - before) most = self->count - before;
    while (made < most && !sluice_stopping(instance)) {
        if (make_one(self, session, &failure) < 0) {
            report(session, &failure);
            break;
        }
        made++;
    }
    if (self->count && made) remember(session, before + made);
    if (self->count && before + made >= self->count) {
        sluice_scanned(session, 0);
        if (!made) sluice_yield(session);
    }
    return SLUICE_DONE;
}

static bool ends(sluice_instance *instance) { return ((generate *)instance->data)->count > 0; }

static const sluice_processor processors[] = {{
    .type = "generate-flowfile",
    .summary = "Makes FlowFiles, with attributes and content as asked.",
    .manual = "Makes `batch` FlowFiles at a time, as often as its schedule says (`schedule: 5s`; without one as fast as they are\n"
              "taken), until there were `count` of them in all. Each gets the attributes under `attributes`, and as content the\n"
              "value of `content`, or `size` bytes of random data (`data: text` for letters in lines), or none. Expressions are\n"
              "evaluated for each FlowFile; an attribute's does not see the others, `content` sees them all.\n"
              "\n"
              "How many were made is remembered over restarts, so `count: 100` is a hundred, whenever the daemon was restarted.\n"
              "To begin anew give the processor another name.\n",
    .example = "tick:\n"
               "  type: generate-flowfile\n"
               "  schedule: 5s\n"
               "  count: 100\n"
               "  attributes: {filename: \"${now():toNumber()}.txt\"}\n"
               "  content: \"it is ${now()}\"\n"
               "  to: {success: end}\n",
    .delivery = "Nothing outside is touched. The number made commits with the FlowFiles: after a crash it goes on with the one after\n"
                "the last that was kept.",
    .properties = properties,
    .relationships = relationships,
    .writes = writes,
    .flags = SLUICE_ON_WORKER | SLUICE_SOURCE | SLUICE_ENDLESS | SLUICE_SERIAL,
    .init = init,
    .fini = fini,
    .trigger = trigger,
    .ends = ends,
}};

SLUICE_MODULE_PLAIN("generate", "Makes FlowFiles", processors);
