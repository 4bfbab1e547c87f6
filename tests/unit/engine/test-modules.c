/* The module host: right modules are copied whole, each wrong one is refused alone, with what was expected and found. */
#include "test.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/modules.h"

/* The variants that meson.build makes are in a folder beside this program. */
static char *variant(const char *name)
{
    char binary[PATH_MAX] = "";
    CHECK(readlink("/proc/self/exe", binary, sizeof binary - 1) > 0);
    return sl_asprintf("%s/engine/variant-%s.so", dirname(binary), name);
}

/* Puts a variant into the test's folder under a name that fixes the order of loading. */
static void put(const char *name, const char *as)
{
    char *from = variant(name), *to = sl_asprintf("%s/%s", sl_test_folder(), as);
    CHECK_INT(access(from, R_OK), 0);
    CHECK_INT(symlink(from, to), 0);
    free(from);
    free(to);
}

static sl_modules *load(void)
{
    sl_modules *modules = NULL;
    sl_error error = {0};
    CHECK_INT(sl_modules_load(sl_test_folder(), &modules, &error), 0);
    return modules;
}

static const sluice_processor *processor(sl_modules *modules, const char *type)
{
    const sl_registry *registry = sl_modules_registry(modules);
    return registry->processor(registry->context, sl_str_of(type));
}

static void check_table(const sluice_processor *found)
{
    CHECK_STR(found->properties[0].name, "count");
    CHECK_STR(found->properties[1].name, "more");
    CHECK_STR(found->properties[1].table[0].name, "type");
    CHECK(found->properties[1].table[1].name == NULL);
    CHECK(found->properties[2].name == NULL);
    CHECK_STR(found->relationships[1].name, "failure");
    CHECK(found->relationships[2].name == NULL);
    CHECK(found->reads && found->reads[0].name == NULL);
    CHECK_STR(found->manual, "");
    CHECK(found->trigger && !found->effect);
}

TEST(copies_descriptors_by_the_modules_own_sizes)
{
    put("right", "a.so");
    put("larger-rows", "b.so");
    sl_modules *modules = load();
    CHECK(!sl_modules_at(modules, 0)->refused && !sl_modules_at(modules, 1)->refused && !sl_modules_at(modules, 2));
    check_table(processor(modules, "plain"));
    check_table(processor(modules, "larger"));
    CHECK(processor(modules, "plain-too")->properties[0].name == NULL);
    CHECK_STR(processor(modules, "larger-too")->type, "larger-too");
    CHECK(processor(modules, "absent") == NULL);
    const sl_registry *registry = sl_modules_registry(modules);
    CHECK_STR(registry->service(registry->context, SL_STR("plain-service"))->interface, "plain/1");
    CHECK_STR(registry->name_at(registry->context, false, 2), "larger");
    CHECK(!registry->name_at(registry->context, false, 4) && !registry->name_at(registry->context, true, 2));
    CHECK_STR(sl_modules_owner(modules, SL_STR("larger-service"))->name, "variant");
    sl_modules_free(modules);
}

TEST(looks_one_level_below_and_only_at_shared_objects)
{
    char *folder = sl_asprintf("%s/below/deeper", sl_test_folder());
    CHECK_INT(sl_make_dirs(folder, 0755, NULL), 0);
    free(folder);
    put("right", "below/x.so");
    put("other", "below/deeper/x.so");
    put("other", "below/x.so.old");
    put("other", ".hidden.so");
    sl_modules *modules = load();
    CHECK(processor(modules, "plain") && !processor(modules, "other"));
    CHECK(!sl_modules_at(modules, 1));
    sl_modules_free(modules);
}

/* The variant is refused with `expected` in the text, and a right module beside it works. */
static void refused(const char *name, const char *expected)
{
    sl_log_level(0);
    put(name, "a.so");
    put("other", "b.so");
    sl_modules *modules = load();
    const char *text = sl_modules_at(modules, 0)->refused;
    if (!text || !strstr(text, expected))
        sl_test_failed(__FILE__, __LINE__, "%s: \"%s\" does not say \"%s\"", name, text ? text : "accepted", expected);
    CHECK(!sl_modules_at(modules, 0)->processor_count && !processor(modules, "plain"));
    CHECK(processor(modules, "other") != NULL);
    sl_modules_free(modules);
    char *a = sl_asprintf("%s/a.so", sl_test_folder()), *b = sl_asprintf("%s/b.so", sl_test_folder());
    unlink(a), unlink(b);
    free(a), free(b);
    sl_log_level(SL_INFO);
}

TEST(refuses_another_abi)
{
    refused("no-symbol", "expected the symbol `sluice_module`, found none");
    refused("undefined", "nobody_has_this");
    refused("other-major", "expected ABI 1, found ABI 2.");
    refused("newer-minor", "expected ABI 1.0 or older, found 1.9");
    refused("small-module", "expected a module descriptor of at least");
    refused("small-rows", "expected processor descriptors of at least");
    refused("no-descriptors", "expected descriptors where a count is given");
}

TEST(refuses_incomplete_processors)
{
    refused("bad-type", "kebab-case");
    refused("no-type", "expected `type` to be set");
    refused("no-summary", "processor 0 \"plain\": expected `summary`");
    refused("no-delivery", "expected `delivery`");
    refused("no-trigger", "expected `trigger`");
    refused("bad-flags", "found 0x1000 besides");
    refused("bad-relationship", "relationship \"not.this\": expected kebab-case");
    refused("bad-when", "relationship \"success\": expected `when` to be like");
    refused("twice-relationship", "relationship \"failure\": expected one row of this name, found two");
}

TEST(refuses_wrong_properties)
{
    refused("reserved", "property \"schedule\": expected a name of the module's own");
    refused("bad-property", "property \"Max-Age\": expected a name like");
    refused("twice-property", "property \"more\": expected one row of this name, found two");
    refused("no-help", "expected `help`");
    refused("bad-property-type", "found number 77");
    refused("empty-enum", "expected `allowed`");
    refused("empty-table", "expected `table`");
    refused("no-interface", "expected `interface`");
    refused("secret-default", "expected no default for a secret");
    refused("required-default", "expected a required property to have no default, found \"1\"");
}

TEST(refuses_a_type_that_another_module_has)
{
    sl_log_level(0);
    put("right", "a.so");
    put("right", "b.so");
    put("other", "c.so");
    sl_modules *modules = load();
    const char *text = sl_modules_at(modules, 1)->refused;
    CHECK(text && strstr(text, "found \"plain\", which is in ") && strstr(text, "/a.so"));
    CHECK(processor(modules, "plain") && processor(modules, "other"));
    sl_modules_free(modules);
    sl_log_level(SL_INFO);
}

TEST(refuses_what_is_no_shared_object)
{
    sl_log_level(0);
    char *path = sl_asprintf("%s/text.so", sl_test_folder());
    CHECK_INT(sl_write_file_durably(path, SL_STR("not a shared object"), 0644, NULL), 0);
    sl_modules *modules = load();
    CHECK(strstr(sl_modules_at(modules, 0)->refused, "expected a shared object that can be loaded, found: ") != NULL);
    CHECK_STR(sl_modules_at(modules, 0)->path, path);
    free(path);
    sl_modules_free(modules);
    sl_log_level(SL_INFO);
}

TEST(a_folder_that_cannot_be_read_is_an_error)
{
    sl_modules *modules = NULL;
    sl_error error = {0};
    char *path = sl_asprintf("%s/absent", sl_test_folder());
    CHECK_INT(sl_modules_load(path, &modules, &error), -1);
    CHECK_INT(error.code, ENOENT);
    CHECK(strstr(error.text, path) && strstr(error.text, "No such file"));
    free(path);
}

TEST(decides_which_folder)
{
    unsetenv("SLUICE_MODULES");
    char *folder = sl_modules_folder(NULL), *example = sl_asprintf("%s/example/example.so", folder);
    CHECK(sl_str_ends(sl_str_of(folder), "/processors"));
    CHECK_INT(access(example, R_OK), 0);
    free(folder);
    free(example);
    setenv("SLUICE_MODULES", "/from/variable", 1);
    CHECK_STR(folder = sl_modules_folder(NULL), "/from/variable");
    free(folder);
    CHECK_STR(folder = sl_modules_folder("/given"), "/given");
    free(folder);
    unsetenv("SLUICE_MODULES");
}
