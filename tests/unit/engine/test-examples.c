/* The example that each processor's descriptor carries is what it must be: a piece of flow that its own tables accept,
 * with every relationship that has no setting connected. */
#include "test.h"

#include "engine/modules.h"

static bool skip(sl_str key)
{
    char *name = sl_strndup(key.data, key.size);
    bool reserved = sl_property_reserved(name);
    free(name);
    return reserved;
}

static sl_str parameter(void *context, sl_str name)
{
    (void)context, (void)name;
    return SL_STR("1");
}

static void check_connected(const sluice_processor *processor, const sl_node *body, sl_problems *problems)
{
    const sl_node *to = sl_node_get(body, "to");
    for (const sluice_named *named = processor->relationships; named->name; named++)
        if (!named->when && (!to || !sl_node_get(to, named->name)))
            sl_problem_error(problems, body->mark, "the relationship %s is not connected", named->name);
}

static void check_body(const sluice_processor *processor, const sl_node *body, sl_arena *arena, sl_problems *problems)
{
    sl_parameter_scope parameters = {.parameter = parameter};
    sl_properties properties = {0};
    const sl_node *type = body->kind == SL_MAPPING ? sl_node_get(body, "type") : NULL;
    if (!type || !sl_str_is(type->text, processor->type)) {
        sl_problem_error(problems, body->mark, "expected a name, and below it a processor of this type");
        return;
    }
    check_connected(processor, body, problems);
    sl_properties_decode(body, processor->properties, skip, &parameters, arena, &properties, problems);
    sl_properties_done(&properties);
}

static void check_example(const sluice_processor *processor)
{
    sl_problems problems = {.file = processor->type};
    sl_arena arena = {0};
    sl_buf said = SL_BUF(1 << 20);
    sl_node *tree = sl_tree_parse(sl_str_of(processor->example), &arena, &problems);
    for (size_t i = 0; tree && tree->kind == SL_MAPPING && i < tree->count; i++) check_body(processor, tree->items[i], &arena, &problems);
    sl_problems_print(&problems, &said);
    if (!tree || tree->kind != SL_MAPPING || problems.count)
        sl_test_failed(__FILE__, __LINE__, "%s: %s", processor->type, said.size ? said.data : "expected an example");
    sl_buf_done(&said);
    sl_problems_done(&problems);
    sl_arena_done(&arena);
}

TEST(every_processors_example_is_valid)
{
    sl_modules *modules = NULL;
    sl_error error = {0};
    char *folder = sl_modules_folder(NULL);
    size_t count = 0;
    CHECK_INT(sl_modules_load(folder, &modules, &error), 0);
    for (size_t i = 0; modules && sl_modules_at(modules, i); i++) {
        const sl_module *module = sl_modules_at(modules, i);
        CHECK_STR(module->refused ? module->refused : "", "");
        for (size_t j = 0; j < module->processor_count; j++, count++) {
            check_example(&module->processors[j]);
            if (!module->processors[j].manual[0]) sl_test_failed(__FILE__, __LINE__, "%s has no manual", module->processors[j].type);
        }
    }
    CHECK(count > 0);
    sl_modules_free(modules);
    free(folder);
}
