/* Processors: their type, the keys that every processor has, their properties. */
#include "flow/private.h"

enum { MOST_PROCESSORS = 1000, MOST_CONCURRENCY = 1000 };

static const char *const common[] = {"type",    "description", "to",           "schedule", "concurrency", "retry", "yield",
                                     "enabled", "timeout",     "run_duration", "labels",   "log",         NULL};
/* `was` waits for queues that move between flows; a failed FlowFile's first wait is `retry: {backoff: ...}`. */
static const char *const later[] = {"was", "penalty", NULL};

static bool is_one_of(sl_str key, const char *const *names)
{
    for (; *names; names++)
        if (sl_str_is(key, *names)) return true;
    return false;
}

static bool skip_common(sl_str key) { return is_one_of(key, common) || is_one_of(key, later); }

static void refuse_later(sl_loader *loader, const sl_node *body)
{
    for (size_t i = 0; i < body->count; i++)
        if (is_one_of(body->keys[i]->text, later))
            sl_problem_error(loader->problems, body->keys[i]->mark, "`%.*s` of a processor: not in this version; remove it",
                             SL_STR_ARGS(body->keys[i]->text));
}

/* ---- the type ------------------------------------------------------------------------------------------ */

static const char *suggest_type(sl_loader *loader, sl_str word)
{
    const sl_registry *registry = loader->options->registry;
    const char *names[1000], *name;
    size_t count = 0;
    while (count < SL_COUNT(names) && (name = registry->name_at(registry->context, false, count))) names[count++] = name;
    const char *near = sl_suggest(loader->problems, &loader->flow->arena, word, names, count);
    return *near ? near
                 : sl_arena_printf(&loader->flow->arena, "; there are %s",
                                   sl_join_names(loader->problems, &loader->flow->arena, names, count));
}

static const sluice_processor *type_of(sl_loader *loader, const sl_node *key, const sl_node *body)
{
    const sl_node *type = sl_node_get(body, "type");
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", key->mark);
    if (!type) {
        sl_problem_error(loader->problems, key->mark, "the processor `%.*s` needs `type`%s", SL_STR_ARGS(key->text),
                         suggest_type(loader, SL_STR("")));
        return NULL;
    }
    if (!sl_expect_kind(&decoder, type, SL_SCALAR, "type", "the type's name")) return NULL;
    const sl_registry *registry = loader->options->registry;
    const sluice_processor *processor = registry->processor(registry->context, type->text);
    if (!processor)
        sl_problem_error(loader->problems, type->mark, "no processor type " SL_QUOTED "%s", SL_QUOTE_ARGS(type->text),
                         suggest_type(loader, type->text));
    return processor;
}

/* ---- keys of every processor ----------------------------------------------------------------------------- */

static void read_concurrency(sl_loader *loader, const sl_node *body, sl_flow_processor *processor)
{
    static const sluice_property property = {.name = "concurrency", .type = SLUICE_INT, .least = 1, .most = MOST_CONCURRENCY};
    const sl_node *node = sl_node_get(body, "concurrency");
    processor->concurrency = (unsigned)sl_number_of(loader, node, &property, 1);
    if (processor->concurrency < 1 || processor->concurrency > MOST_CONCURRENCY) processor->concurrency = 1; /* told */
    if (processor->concurrency > 1 && processor->descriptor && (processor->descriptor->flags & SLUICE_SERIAL))
        sl_problem_error(loader->problems, node->mark, "`concurrency`: %s runs one at a time; expected 1, found %u",
                         processor->descriptor->type, processor->concurrency);
}

static int64_t duration(sl_loader *loader, const sl_node *body, const char *key, int64_t least, int64_t most, int64_t fallback)
{
    const sluice_property property = {.name = key, .type = SLUICE_DURATION, .least = least, .most = most};
    return sl_number_of(loader, sl_node_get(body, key), &property, fallback);
}

static void read_times(sl_loader *loader, const sl_node *body, sl_flow_processor *processor)
{
    const int64_t year = 366 * 86400 * SL_SECOND;
    processor->yield_us = duration(loader, body, "yield", 0, year, SL_SECOND);
    processor->timeout_us = duration(loader, body, "timeout", 0, year, 0);
    processor->run_duration_us = duration(loader, body, "run_duration", 0, 2 * SL_SECOND, 0);
}

static void read_log(sl_loader *loader, const sl_node *node, sl_flow_processor *processor)
{
    sl_str text;
    processor->log = SL_INFO;
    if (!node || !sl_text_of(loader, node, "log", &text)) return;
    if (sl_log_level_parse(text.data, &processor->log) < 0)
        sl_problem_error(loader->problems, node->mark, "`log`: expected one of error, warning, info, debug, found " SL_QUOTED,
                         SL_QUOTE_ARGS(text));
}

static void read_labels(sl_loader *loader, const sl_node *node, sl_flow_processor *processor)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", processor->mark);
    if (!node || !sl_expect_kind(&decoder, node, SL_MAPPING, "labels", "{team: media}")) return;
    processor->labels = node;
    for (size_t i = 0; i < node->count; i++) sl_expect_kind(&decoder, node->items[i], SL_SCALAR, "labels", "texts, as {team: media}");
}

static void read_common(sl_loader *loader, const sl_node *body, sl_flow_processor *processor)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", processor->mark);
    const sl_node *description = sl_node_get(body, "description");
    const sl_node *schedule = sl_node_get(body, "schedule");
    if (description && sl_expect_kind(&decoder, description, SL_SCALAR, "description", "one text"))
        processor->description = description->text.data;
    refuse_later(loader, body);
    if (!schedule) schedule = loader->default_schedule;
    if (schedule) sl_schedule_read(loader, schedule, &processor->schedule);
    read_concurrency(loader, body, processor);
    read_times(loader, body, processor);
    processor->enabled = sl_bool_of(loader, sl_node_get(body, "enabled"), "enabled", true);
    read_log(loader, sl_node_get(body, "log"), processor);
    read_labels(loader, sl_node_get(body, "labels"), processor);
}

/* ---- all of them ----------------------------------------------------------------------------------------- */

static void read_name(sl_loader *loader, const sl_node *key, sl_flow_processor *processor)
{
    processor->name = key->text.data;
    processor->mark = key->mark;
    if (sl_str_is(key->text, "end") || sl_str_is(key->text, "hold"))
        sl_problem_error(loader->problems, key->mark, "`%.*s` is what `to:` has built in; choose another name for the processor",
                         SL_STR_ARGS(key->text));
    else if (!sl_flow_name_valid(key->text))
        sl_problem_error(loader->problems, key->mark, "the processor's name " SL_QUOTED " is not [a-z][a-z0-9_-]{0,62}",
                         SL_QUOTE_ARGS(key->text));
}

static void read_processor(sl_loader *loader, const sl_node *key, const sl_node *body, sl_flow_processor *processor)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", key->mark);
    read_name(loader, key, processor);
    if (!sl_expect_kind(&decoder, body, SL_MAPPING, processor->name, "{type: get-file, ...}")) return;
    processor->descriptor = type_of(loader, key, body);
    read_common(loader, body, processor);
    if (!processor->descriptor) return;
    decoder.owner = processor->descriptor->type;
    decoder.skip = skip_common;
    decoder.skipped = common;
    sl_decode_table(&decoder, body, processor->descriptor->properties, &processor->properties);
    sl_services_check(loader, &processor->properties);
}

static void connect(sl_loader *loader, const sl_node *key, const sl_node *body, size_t at)
{
    sl_retry_specs own = {0};
    if (body->kind != SL_MAPPING) return; /* told */
    const sl_node *retry = sl_node_get(body, "retry");
    sl_connect(loader, at, key, body);
    if (retry) sl_retry_read(loader, retry, &own);
    sl_retry_apply(loader, &own, &loader->flow->processors[at]);
}

static void collect_names(sl_loader *loader)
{
    const sl_flow *flow = loader->flow;
    loader->processor_names = sl_arena_alloc(&loader->flow->arena, (flow->processor_count + 2) * sizeof *loader->processor_names);
    for (size_t i = 0; i < flow->processor_count; i++) loader->processor_names[i] = flow->processors[i].name;
    loader->processor_names[flow->processor_count] = "end";
    loader->processor_names[flow->processor_count + 1] = "hold";
    loader->processor_name_count = flow->processor_count + 2;
}

void sl_processors_read(sl_loader *loader, const sl_node *mapping)
{
    sl_flow *flow = loader->flow;
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", loader->root->mark);
    if (!mapping) {
        sl_problem_error(loader->problems, loader->root->mark, "the key `processors` is missing; write `processors:` and one at least");
        return;
    }
    if (!sl_expect_kind(&decoder, mapping, SL_MAPPING, "processors", "{pickup: {type: get-file, ...}}")) return;
    if (!mapping->count) sl_problem_error(loader->problems, mapping->mark, "`processors`: expected one at least, found none");
    if (mapping->count > MOST_PROCESSORS) {
        sl_problem_error(loader->problems, mapping->keys[MOST_PROCESSORS]->mark, "more than %d processors in one flow; split it",
                         MOST_PROCESSORS);
        return;
    }
    flow->processor_count = mapping->count;
    flow->processors = sl_alloc((mapping->count + 1) * sizeof *flow->processors);
    for (size_t i = 0; i < mapping->count; i++) read_processor(loader, mapping->keys[i], mapping->items[i], &flow->processors[i]);
    collect_names(loader);
    for (size_t i = 0; i < mapping->count; i++) connect(loader, mapping->keys[i], mapping->items[i], i);
}
