/* libFuzzer: any bytes as a flow's text, as a tree, and as a schedule. */
#include <stdint.h>

#include "flow/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_flow(sl_str text, bool unset_allowed)
{
    sl_setting settings[] = {{"bucket", "${x} #{y}"}};
    sl_flow_options options = {
        .registry = &test_registry, .settings = settings, .setting_count = unset_allowed, .unset_allowed = unset_allowed};
    sl_problems problems = {0};
    sl_buf printed = SL_BUF(1 << 20);
    sl_flow *flow = sl_flow_parse(text, "fuzz.yaml", &options, &problems);
    sl_problems_print(&problems, &printed);
    if (!flow != (problems.errors > 0) || problems.count > 100) abort();
    if (!sl_utf8_valid(sl_buf_view(&printed))) abort();
    sl_flow_free(flow);
    sl_problems_done(&problems);
    sl_buf_done(&printed);
}

static void as_tree(sl_str text)
{
    sl_arena arena = {0};
    sl_problems problems = {0};
    sl_node *root = sl_tree_parse(text, &arena, &problems);
    if (!root != (problems.errors > 0)) abort();
    sl_problems_done(&problems);
    sl_arena_done(&arena);
}

static void as_schedule(sl_str text)
{
    sl_cron *cron = NULL;
    if (text.size > 200 || sl_cron_parse(text, "Europe/Berlin", &cron, NULL) < 0) return;
    int64_t at = 1795512180 * SL_SECOND, next = sl_cron_next(cron, at);
    if (next >= 0 && next <= at) abort();
    sl_cron_free(cron);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_str text = {(const char *)data, size};
    as_flow(text, false);
    as_flow(text, true);
    as_tree(text);
    as_schedule(text);
    return 0;
}
