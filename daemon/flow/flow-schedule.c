/* When a processor runs, and how often it tries again. */
#include "flow/private.h"

enum { MOST_RETRIES = 1000000, MOST_SPECS = 1000 };
static const int64_t year_us = 366 * 86400 * SL_SECOND;

/* ---- schedule -------------------------------------------------------------------------------------------- */

static void read_cron(sl_loader *loader, const sl_node *node, sl_schedule *ret)
{
    static const char *const keys[] = {"cron", "tz", NULL};
    const sl_node *cron = sl_node_get(node, "cron"), *tz = sl_node_get(node, "tz");
    sl_str text, zone = {0};
    sl_error error = {0};
    sl_check_keys(loader, node, "`schedule`", keys, NULL);
    if (!cron) {
        sl_problem_error(loader->problems, node->mark, "`schedule`: expected a duration or {cron: \"MINUTE HOUR DAY MONTH WEEKDAY\"}");
        return;
    }
    if (tz && !sl_text_of(loader, tz, "tz", &zone)) return;
    if (!sl_text_of(loader, cron, "cron", &text)) return;
    if (zone.data && sl_cron_zone_check(zone.data, &error) < 0) {
        sl_problem_error(loader->problems, tz->mark, "`tz`: %s", error.text);
        return;
    }
    if (sl_cron_parse(text, zone.data, &ret->cron, &error) < 0) sl_problem_error(loader->problems, cron->mark, "`cron`: %s", error.text);
    else ret->kind = SL_AT_CRON;
}

void sl_schedule_read(sl_loader *loader, const sl_node *node, sl_schedule *ret)
{
    const sluice_property property = {.name = "schedule", .type = SLUICE_DURATION, .least = 0, .most = year_us};
    if (node->kind == SL_MAPPING) {
        read_cron(loader, node, ret);
        return;
    }
    /* 0s is how to say "as soon as there is work" where the flow's defaults say otherwise. */
    ret->every_us = sl_number_of(loader, node, &property, 0);
    ret->kind = ret->every_us ? SL_EVERY : SL_AS_SOON;
}

/* ---- retry ----------------------------------------------------------------------------------------------- */

static bool read_limit(sl_loader *loader, const sl_node *node, const char *what, sl_limit *ret)
{
    sl_str text;
    int64_t number;
    if (!node || !sl_text_of(loader, node, what, &text)) return false;
    *ret = (sl_limit){.forever = sl_str_is(text, "forever")};
    if (ret->forever) return true;
    if (sl_integer_parse(text, &number) == 0 && number >= 0 && number <= MOST_RETRIES) ret->count = (uint32_t)number;
    else if (sl_integer_parse(text, &number) < 0 && sl_duration_parse(text, &number) == 0 && number <= year_us) ret->duration_us = number;
    else {
        sl_problem_error(loader->problems, node->mark, "`%s`: expected a count up to %d, a duration or forever, found " SL_QUOTED, what,
                         MOST_RETRIES, SL_QUOTE_ARGS(text));
        return false;
    }
    return true;
}

static bool read_backoff(sl_loader *loader, const sl_node *node, const char *what, int64_t *ret)
{
    const sluice_property property = {.name = what, .type = SLUICE_DURATION, .least = SL_MILLISECOND, .most = year_us};
    if (!node) return false;
    *ret = sl_number_of(loader, node, &property, 0);
    return *ret >= SL_MILLISECOND;
}

static bool read_policy(sl_loader *loader, const sl_node *node, sl_retry_policy *ret)
{
    sl_str text;
    if (!node || !sl_text_of(loader, node, "policy", &text)) return false;
    *ret = sl_str_is(text, "yield") ? SL_YIELD : SL_PENALIZE;
    if (*ret == SL_YIELD || sl_str_is(text, "penalize")) return true;
    sl_problem_error(loader->problems, node->mark,
                     "`policy`: expected penalize (the FlowFile waits, others pass it) or yield (the processor rests), found " SL_QUOTED,
                     SL_QUOTE_ARGS(text));
    return false;
}

static void read_spec(sl_loader *loader, const sl_node *key, const sl_node *node, sl_retry_spec *ret)
{
    static const char *const keys[] = {"transient", "permanent", "backoff", "max_backoff", "policy", NULL};
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", key->mark);
    ret->relationship = key->text;
    ret->mark = key->mark;
    if (!sl_expect_kind(&decoder, node, SL_MAPPING, "retry", "{failure: {transient: forever, permanent: 0}}")) return;
    sl_check_keys(loader, node, "a relationship's retry", keys, NULL);
    ret->has_transient = read_limit(loader, sl_node_get(node, "transient"), "transient", &ret->retry.transient);
    ret->has_permanent = read_limit(loader, sl_node_get(node, "permanent"), "permanent", &ret->retry.permanent);
    ret->has_backoff = read_backoff(loader, sl_node_get(node, "backoff"), "backoff", &ret->retry.backoff_us);
    ret->has_max_backoff = read_backoff(loader, sl_node_get(node, "max_backoff"), "max_backoff", &ret->retry.max_backoff_us);
    ret->has_policy = read_policy(loader, sl_node_get(node, "policy"), &ret->retry.policy);
}

void sl_retry_read(sl_loader *loader, const sl_node *mapping, sl_retry_specs *ret)
{
    sl_decoder decoder = sl_loader_decoder(loader, "the flow", mapping->mark);
    if (!sl_expect_kind(&decoder, mapping, SL_MAPPING, "retry", "{failure: {transient: forever, permanent: 0}}")) return;
    if (mapping->count > MOST_SPECS) {
        sl_problem_error(loader->problems, mapping->keys[MOST_SPECS]->mark, "`retry`: more than %d relationships", MOST_SPECS);
        return;
    }
    ret->items = sl_arena_alloc(&loader->flow->arena, (mapping->count + 1) * sizeof *ret->items);
    ret->count = mapping->count;
    for (size_t i = 0; i < mapping->count; i++) read_spec(loader, mapping->keys[i], mapping->items[i], &ret->items[i]);
}

static void merge(sl_loader *loader, const sl_retry_specs *specs, sl_flow_relationship *relationship)
{
    sl_retry *retry = &relationship->retry;
    for (size_t i = 0; i < specs->count; i++) {
        sl_retry_spec *spec = &specs->items[i];
        if (!sl_str_is(spec->relationship, relationship->name)) continue;
        spec->used = true;
        if (spec->has_transient) retry->transient = spec->retry.transient;
        if (spec->has_permanent) retry->permanent = spec->retry.permanent;
        if (spec->has_backoff) retry->backoff_us = spec->retry.backoff_us;
        if (spec->has_policy) retry->policy = spec->retry.policy;
        if (spec->has_max_backoff) retry->max_backoff_us = spec->retry.max_backoff_us;
        /* One that was not written follows the other; two that were must fit. */
        if (retry->backoff_us <= retry->max_backoff_us) continue;
        if (!spec->has_max_backoff) retry->max_backoff_us = retry->backoff_us;
        else if (!spec->has_backoff) retry->backoff_us = retry->max_backoff_us;
        else sl_problem_error(loader->problems, spec->mark, "`retry`: `max_backoff` is less than `backoff`; exchange them");
    }
}

void sl_retry_apply(sl_loader *loader, sl_retry_specs *own, sl_flow_processor *processor)
{
    for (size_t i = 0; i < processor->relationship_count; i++) {
        sl_flow_relationship *relationship = &processor->relationships[i];
        relationship->retry = (sl_retry){.transient = {.forever = true}, .backoff_us = SL_SECOND, .max_backoff_us = 600 * SL_SECOND};
        merge(loader, &loader->default_retry, relationship);
        merge(loader, own, relationship);
    }
    for (size_t i = 0; processor->descriptor && i < own->count; i++)
        if (!own->items[i].used)
            sl_problem_error(loader->problems, own->items[i].mark, "`retry`: %s has no relationship " SL_QUOTED "%s", processor->name,
                             SL_QUOTE_ARGS(own->items[i].relationship),
                             sl_relationship_suggest(loader, processor, own->items[i].relationship));
}
