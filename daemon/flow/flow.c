/* A flow's text as a whole: its head, the order of reading, its revision. */
#include "flow/flow.h"

#include <openssl/evp.h>

#include "base/sys.h"
#include "flow/private.h"

enum { MOST_TEXT = 1 << 20 };

bool sl_flow_name_valid(sl_str name)
{
    if (!name.size || name.size > 63 || name.data[0] < 'a' || name.data[0] > 'z') return false;
    for (size_t i = 1; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
    }
    return true;
}

sl_flow_processor *sl_flow_find(const sl_flow *flow, sl_str processor)
{
    for (size_t i = 0; i < flow->processor_count; i++)
        if (sl_str_is(processor, flow->processors[i].name)) return &flow->processors[i];
    return NULL;
}

/* ---- small values ---------------------------------------------------------------------------------- */

sl_decoder sl_loader_decoder(sl_loader *loader, const char *owner, sl_mark mark)
{
    return (sl_decoder){.owner = owner,
                        .mark = mark,
                        .parameters = &loader->parameters,
                        .scope = &loader->parameters.scope,
                        .arena = &loader->flow->arena,
                        .problems = loader->problems};
}

static bool scalar_of(sl_loader *loader, const sl_node *node, const sluice_property *property, sl_value *ret)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", node->mark);
    return sl_expect_kind(&decoder, node, SL_SCALAR, property->name, "one text") &&
           sl_decode_scalar(&decoder, node, property, property->name, ret);
}

bool sl_text_of(sl_loader *loader, const sl_node *node, const char *what, sl_str *ret)
{
    sl_value value = {0};
    sluice_property property = {.name = what, .type = SLUICE_STRING};
    if (!scalar_of(loader, node, &property, &value)) return false;
    *ret = value.text;
    return true;
}

bool sl_bool_of(sl_loader *loader, const sl_node *node, const char *what, bool fallback)
{
    sl_value value = {0};
    sluice_property property = {.name = what, .type = SLUICE_BOOL};
    return node && scalar_of(loader, node, &property, &value) ? value.number : fallback;
}

int64_t sl_number_of(sl_loader *loader, const sl_node *node, const sluice_property *property, int64_t fallback)
{
    sl_value value = {0};
    return node && scalar_of(loader, node, property, &value) ? value.number : fallback;
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static size_t count_names(const char *const *names)
{
    size_t count = 0;
    while (names && names[count]) count++;
    return count;
}

static bool is_one_of(sl_str word, const char *const *names)
{
    for (; names && *names; names++)
        if (sl_str_is(word, *names)) return true;
    return false;
}

void sl_check_keys(sl_loader *loader, const sl_node *mapping, const char *where, const char *const *keys, const char *const *later)
{
    size_t count = count_names(keys);
    for (size_t i = 0; i < mapping->count; i++) {
        const sl_node *key = mapping->keys[i];
        if (is_one_of(key->text, keys)) continue;
        if (is_one_of(key->text, later)) {
            sl_problem_error(loader->problems, key->mark, "`%.*s` of %s: not in this version; remove it", SL_STR_ARGS(key->text), where);
            continue;
        }
        sl_problem_error(loader->problems, key->mark, "unknown key " SL_QUOTED " of %s; it has %s%s", SL_QUOTE_ARGS(key->text), where,
                         sl_join_names(loader->problems, &loader->flow->arena, keys, count),
                         sl_suggest(loader->problems, &loader->flow->arena, key->text, keys, count));
    }
}

/* ---- the head ------------------------------------------------------------------------------------------ */

static sl_str stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    sl_str name = sl_str_of(slash ? slash + 1 : path);
    if (sl_str_ends(name, ".yaml")) name.size -= 5;
    else if (sl_str_ends(name, ".yml")) name.size -= 4;
    return name;
}

static void read_version(sl_loader *loader)
{
    const sl_node *version = sl_node_get(loader->root, "sluice");
    if (!version) sl_problem_error(loader->problems, loader->root->mark, "the key `sluice` is missing; write `sluice: 1` first");
    else if (sl_node_null(version)) return;
    else if (version->kind != SL_SCALAR || !sl_str_is(version->text, "1"))
        sl_problem_error(loader->problems, version->mark, "this version reads flows of `sluice: 1`; found " SL_QUOTED,
                         SL_QUOTE_ARGS(version->kind == SL_SCALAR ? version->text : sl_str_of(sl_node_kind_name(version->kind))));
}

/* Plain text, no parameters: a flow's name and what describes it are the same for every setting. */
static const char *plain_text(sl_loader *loader, const char *key)
{
    const sl_node *node = sl_node_get(loader->root, key);
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", loader->root->mark);
    return node && sl_expect_kind(&decoder, node, SL_SCALAR, key, "one text") ? node->text.data : NULL;
}

static void read_name(sl_loader *loader)
{
    const sl_node *node = sl_node_get(loader->root, "name");
    const char *name = plain_text(loader, "name");
    sl_str file = stem(loader->flow->file);
    loader->flow->name = name ? name : "";
    if (!node) sl_problem_error(loader->problems, loader->root->mark, "the key `name` is missing; write `name: %.*s`", SL_STR_ARGS(file));
    if (!node || !name) return;
    if (!sl_flow_name_valid(node->text))
        sl_problem_error(loader->problems, node->mark, "the flow's name " SL_QUOTED " is not [a-z][a-z0-9_-]{0,62}",
                         SL_QUOTE_ARGS(node->text));
    else if (loader->options->stem_must_match && !sl_str_equal(node->text, file))
        sl_problem_error(loader->problems, node->mark, "the name `%s` is not the file's, `%.*s`; change one of them", name,
                         SL_STR_ARGS(file));
}

static void read_defaults(sl_loader *loader)
{
    static const char *const keys[] = {"schedule", "retry", "connection", NULL};
    const sl_node *node = sl_node_get(loader->root, "defaults");
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", loader->root->mark);
    if (!node || !sl_expect_kind(&decoder, node, SL_MAPPING, "defaults", "{schedule: 5s}")) return;
    sl_check_keys(loader, node, "`defaults`", keys, NULL);
    loader->default_schedule = sl_node_get(node, "schedule");
    const sl_node *retry = sl_node_get(node, "retry"), *connection = sl_node_get(node, "connection");
    if (loader->default_schedule) {
        sl_schedule once = {0}; /* told here also when no processor takes it */
        sl_schedule_read(loader, loader->default_schedule, &once);
        sl_cron_free(once.cron);
    }
    if (retry) sl_retry_read(loader, retry, &loader->default_retry);
    if (connection) sl_connection_settings_read(loader, connection, "connection", &loader->default_connection);
}

static void unused_defaults(sl_loader *loader)
{
    for (size_t i = 0; i < loader->default_retry.count; i++) {
        const sl_retry_spec *spec = &loader->default_retry.items[i];
        if (!spec->used)
            sl_problem_error(loader->problems, spec->mark, "no processor of this flow has a relationship `%.*s`; remove it",
                             SL_STR_ARGS(spec->relationship));
    }
}

static void read_root(sl_loader *loader)
{
    static const char *const keys[] = {"sluice",     "name",     "description", "parameters", "services",
                                       "processors", "defaults", "connections", "enabled",    NULL};
    static const char *const later[] = {"groups", "include", "labels", "was", NULL};
    const sl_node *root = loader->root;
    sl_flow *flow = loader->flow;
    read_version(loader);
    sl_check_keys(loader, root, "a flow", keys, later);
    read_name(loader);
    flow->description = plain_text(loader, "description");
    sl_parameters_read(&loader->parameters, sl_node_get(root, "parameters"), loader->options, &flow->arena, loader->problems);
    flow->enabled = sl_bool_of(loader, sl_node_get(root, "enabled"), "enabled", true);
    read_defaults(loader);
    sl_services_read(loader, sl_node_get(root, "services"));
    sl_processors_read(loader, sl_node_get(root, "processors"));
    sl_connections_read(loader, sl_node_get(root, "connections"));
    unused_defaults(loader);
    if (loader->problems->errors) return; /* what is unused for an error's sake needs no telling */
    sl_services_unused(loader);
    sl_graph_check(loader);
    sl_loops_find(loader->flow);
    sl_parameters_unused(&loader->parameters, loader->problems);
}

/* ---- revision ------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    const sl_setting *x = *(const sl_setting *const *)a, *y = *(const sl_setting *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

static void hash_settings(EVP_MD_CTX *hash, const sl_flow_options *options)
{
    const sl_setting **order = sl_alloc((options->setting_count + 1) * sizeof *order);
    for (size_t i = 0; i < options->setting_count; i++) order[i] = &options->settings[i];
    if (options->setting_count) qsort(order, options->setting_count, sizeof *order, by_name);
    for (size_t i = 0; i < options->setting_count; i++) {
        /* With their ends, so that no two settings run into the same bytes. */
        EVP_DigestUpdate(hash, order[i]->name, strlen(order[i]->name) + 1);
        EVP_DigestUpdate(hash, order[i]->value, strlen(order[i]->value) + 1);
    }
    free(order);
}

static void set_revision(sl_flow *flow, const sl_flow_options *options)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    SL_ASSERT(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL));
    EVP_DigestUpdate(hash, flow->text.data, flow->text.size);
    hash_settings(hash, options);
    EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    sl_hex(digest, 8, flow->revision);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void sl_loader_done(sl_loader *loader) { free(loader->service_used); }

static sl_flow *new_flow(sl_str text, const char *path)
{
    sl_flow *flow = SL_NEW(sl_flow);
    flow->references = 1;
    flow->text = sl_arena_str(&flow->arena, text);
    flow->file = sl_arena_strndup(&flow->arena, path, strlen(path));
    return flow;
}

sl_flow *sl_flow_parse(sl_str text, const char *path, const sl_flow_options *options, sl_problems *problems)
{
    size_t errors = problems->errors;
    sl_loader loader = {.flow = new_flow(text, path), .options = options, .problems = problems};
    sl_flow *flow = loader.flow;
    if (!problems->file) problems->file = path;
    loader.root = sl_tree_read(flow->text, &flow->arena, problems);
    if (loader.root && loader.root->kind != SL_MAPPING)
        sl_problem_error(problems, loader.root->mark, "expected a flow, as `sluice: 1` and `processors:`, found %s",
                         sl_node_null(loader.root) ? "nothing" : sl_node_kind_name(loader.root->kind));
    else if (loader.root) read_root(&loader);
    set_revision(flow, options);
    sl_loader_done(&loader);
    if (problems->errors == errors) return flow;
    sl_flow_free(flow);
    return NULL;
}

sl_flow *sl_flow_load(const char *path, const sl_flow_options *options, sl_problems *problems)
{
    sl_buf text = SL_BUF(MOST_TEXT + 4096);
    sl_error error = {0};
    sl_flow *flow = NULL;
    if (!problems->file) problems->file = path;
    if (sl_read_file(path, MOST_TEXT, &text, &error) < 0) sl_problem_error(problems, (sl_mark){0, 0}, "%s", error.text);
    else flow = sl_flow_parse(sl_buf_view(&text), path, options, problems);
    sl_buf_done(&text);
    return flow;
}

sl_flow *sl_flow_ref(sl_flow *flow)
{
    flow->references++;
    return flow;
}

void sl_flow_free(sl_flow *flow)
{
    if (!flow || --flow->references) return;
    for (size_t i = 0; i < flow->processor_count; i++) {
        sl_properties_done(&flow->processors[i].properties);
        sl_cron_free(flow->processors[i].schedule.cron);
    }
    for (size_t i = 0; i < flow->service_count; i++) sl_properties_done(&flow->services[i].properties);
    free(flow->processors);
    free(flow->services);
    free(flow->connections);
    sl_arena_done(&flow->arena);
    free(flow);
}
