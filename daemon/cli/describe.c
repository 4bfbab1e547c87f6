/* sluice describe: what the modules' tables say of the types there are. */
#include <stdio.h>

#include "cli/common.h"
#include "cli/output.h"
#include "engine/types.h"

enum { PAGE_LIMIT = 4 * 1024 * 1024, PAGE_WIDTH = 100 };

/* ---- a page for people ------------------------------------------------------------------------------------------ */

static void heading(sl_buf *page, const char *text)
{
    sl_buf_char(page, '\n');
    sl_add_styled(page, SL_BOLD, text);
    sl_buf_char(page, '\n');
}

static void property_head(const sluice_property *p, const char *prefix, sl_buf *page)
{
    sl_buf name = SL_BUF(512);
    sl_buf_printf(&name, "%s%s", prefix, p->name);
    sl_buf_text(page, "  ");
    sl_add_styled(page, SL_BOLD, name.data);
    sl_buf_done(&name);
    sl_buf_printf(page, "  %s", sl_property_type_name(p->type));
    for (const char *const *allowed = p->allowed; allowed && *allowed; allowed++)
        sl_buf_printf(page, "%s%s", allowed == p->allowed ? ": " : " | ", *allowed);
    if (p->interface) sl_buf_printf(page, " with %s", p->interface);
    if (p->flags & SLUICE_REQUIRED) sl_buf_text(page, ", required");
    if (p->fallback) sl_buf_printf(page, ", default %s", *p->fallback ? p->fallback : "\"\"");
    if (p->flags & SLUICE_EXPRESSION) sl_buf_text(page, ", takes expressions");
    if (p->flags & SLUICE_REGEX) sl_buf_text(page, ", a regular expression");
    sl_buf_char(page, '\n');
}

static void add_properties(const sluice_property *table, const char *prefix, sl_buf *page)
{
    for (const sluice_property *p = table; p && p->name; p++) {
        property_head(p, prefix, page);
        if (p->help) sl_add_wrapped(page, p->help, 6, PAGE_WIDTH);
        if (!p->table) continue;
        char *deeper = sl_asprintf("%s%s.", prefix, p->name);
        add_properties(p->table, deeper, page);
        free(deeper);
    }
}

static void add_named(const char *title, const sluice_named *named, sl_buf *page)
{
    if (!named || !named->name) return;
    heading(page, title);
    for (; named->name; named++) {
        sl_buf_text(page, "  ");
        sl_add_styled(page, SL_BOLD, named->name);
        if (named->when) sl_buf_printf(page, "  with %s", named->when);
        sl_buf_char(page, '\n');
        if (named->help) sl_add_wrapped(page, named->help, 6, PAGE_WIDTH);
    }
}

static void add_paragraph(const char *title, const char *text, sl_buf *page)
{
    if (!text || !*text) return;
    heading(page, title);
    sl_add_wrapped(page, text, 2, PAGE_WIDTH);
}

static void add_title(const char *type, const char *kind, const char *summary, sl_buf *page)
{
    sl_add_styled(page, SL_BOLD, type);
    sl_buf_printf(page, " (%s)  %s\n", kind, summary ? summary : "");
}

/* Kept as it is: it is YAML. */
static void add_example(const char *text, sl_buf *page)
{
    if (!text || !*text) return;
    heading(page, "example");
    while (*text) {
        size_t size = strcspn(text, "\n");
        sl_buf_printf(page, "%s%.*s\n", size ? "  " : "", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void processor_page(const sluice_processor *p, sl_buf *page)
{
    add_title(p->type, p->flags & SLUICE_SOURCE ? "source" : "processor", p->summary, page);
    add_paragraph("what it does", p->manual, page);
    if (p->properties && p->properties->name) heading(page, "properties");
    add_properties(p->properties, "", page);
    add_named("relationships", p->relationships, page);
    add_named("attributes read", p->reads, page);
    add_named("attributes written", p->writes, page);
    add_paragraph("delivery", p->delivery, page);
    add_example(p->example, page);
}

static void service_page(const sluice_service *s, sl_buf *page)
{
    add_title(s->type, "service", s->summary, page);
    if (s->interface) sl_buf_printf(page, "It has the interface %s, by which processors ask for it.\n", s->interface);
    add_paragraph("what it is", s->manual, page);
    if (s->properties && s->properties->name) heading(page, "properties");
    add_properties(s->properties, "", page);
}

/* ---- all types, or one ------------------------------------------------------------------------------------------- */

static void type_row(sl_table *table, const char *type, const char *kind, const char *module, const char *summary)
{
    sl_table_cell(table, SL_BOLD, "%s", type);
    sl_table_cell(table, SL_PLAIN, "%s", kind);
    sl_table_cell(table, SL_PLAIN, "%s", module);
    sl_table_cell(table, SL_PLAIN, "%s", summary);
}

static int list_types(const sl_modules *modules)
{
    static const char *const heads[] = {"TYPE", "KIND", "MODULE", "SUMMARY"};
    sl_table table = SL_TABLE(heads);
    const sl_module *module;
    for (size_t i = 0; (module = sl_modules_at(modules, i)); i++) {
        for (size_t k = 0; k < module->processor_count; k++) {
            const sluice_processor *p = &module->processors[k];
            type_row(&table, p->type, p->flags & SLUICE_SOURCE ? "source" : "processor", module->name, p->summary);
        }
        for (size_t k = 0; k < module->service_count; k++)
            type_row(&table, module->services[k].type, "service", module->name, module->services[k].summary);
    }
    sl_buf out = SL_BUF(PAGE_LIMIT);
    sl_table_print(&table, &out);
    sl_table_done(&table);
    return sl_print(&out);
}

static int no_such_type(const sl_registry *registry, const char *type)
{
    const char *names[512], *name;
    size_t count = 0;
    for (int service = 0; service < 2; service++)
        for (size_t i = 0; count < SL_COUNT(names) && (name = registry->name_at(registry->context, service, i)); i++) names[count++] = name;
    const char *near = sl_nearest(sl_str_of(type), names, count);
    return sl_complain(SL_EXIT_FAILED, "there is no type `%s`; %s%s%s`sluice describe` lists them", type, near ? "did you mean `" : "",
                       near ? near : "", near ? "`? " : "");
}

static int describe(const sl_modules *modules, const char *type, bool json)
{
    const sl_registry *registry = sl_modules_registry(modules);
    const sluice_processor *processor = registry->processor(registry->context, sl_str_of(type));
    const sluice_service *service = processor ? NULL : registry->service(registry->context, sl_str_of(type));
    if (!processor && !service) return no_such_type(registry, type);
    if (json) return sl_common_print_json(sl_type_json(modules, sl_str_of(type)));
    sl_buf page = SL_BUF(PAGE_LIMIT);
    if (processor) processor_page(processor, &page);
    else service_page(service, &page);
    return sl_print(&page);
}

int sl_command_describe(const sl_arguments *arguments)
{
    sl_modules *modules = NULL;
    bool json = sl_given_option(arguments, "json");
    int code = sl_common_modules(arguments, &modules);
    if (code == SL_EXIT_DONE) {
        if (arguments->count) code = describe(modules, arguments->positional[0], json);
        else code = json ? sl_common_print_json(sl_types_json(modules)) : list_types(modules);
    }
    sl_modules_free(modules);
    return code;
}
