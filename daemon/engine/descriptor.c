#include "engine/descriptor.h"

#include <errno.h>

enum { MOST_ROWS = 512, MOST_TYPES = 1024, DEEPEST_TABLE = 8, LONGEST_NAME = 63 };
#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* The sizes of ABI 1.0: nothing smaller was ever built. */
#define LEAST_MODULE    END_OF(sluice_module, named_size)
#define LEAST_PROCESSOR END_OF(sluice_processor, ends)
#define LEAST_SERVICE   END_OF(sluice_service, fini)
#define LEAST_PROPERTY  END_OF(sluice_property, when)
#define LEAST_NAMED     END_OF(sluice_named, when)

enum { KNOWN_PROPERTY_FLAGS = SLUICE_REQUIRED | SLUICE_EXPRESSION | SLUICE_NAMES_RELATIONSHIPS | SLUICE_REGEX };
enum { KNOWN_PROCESSOR_FLAGS = SLUICE_ON_WORKER | SLUICE_SOURCE | SLUICE_ENDLESS | SLUICE_EFFECTS | SLUICE_SERIAL | SLUICE_ALONE };

/* Words of letters and digits joined by `joint`, the first a letter. */
static bool name_is(const char *name, char joint)
{
    size_t size = strlen(name);
    if (size == 0 || size > LONGEST_NAME || name[0] < 'a' || name[0] > 'z' || name[size - 1] == joint) return false;
    for (const char *at = name; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        if (!letter && (*at != joint || at[1] == joint)) return false;
    }
    return true;
}

/* ---- copying ---------------------------------------------------------------------------------------- */

/* `rows` rows of the module's, each `size` bytes, as ours of `known` bytes; one zero row more. */
static void *copy_rows(sl_arena *arena, const void *rows, size_t count, size_t size, size_t known)
{
    char *copy = sl_arena_alloc(arena, (count + 1) * known);
    for (size_t i = 0; i < count; i++) memcpy(copy + i * known, (const char *)rows + i * size, SL_MIN(size, known));
    return copy;
}

/* Both kinds of rows begin with their name; NULL ends the table. */
static int count_rows(const void *rows, size_t size, const char *what, size_t *ret, sl_error *error)
{
    size_t count = 0;
    for (; rows && *(const char *const *)(const void *)((const char *)rows + count * size); count++)
        if (count == MOST_ROWS)
            return sl_error_set(error, EINVAL, "%s: expected a row without a name at the table's end, found none within %d rows", what,
                                MOST_ROWS);
    *ret = count;
    return 0;
}

static int copy_named(const sluice_module *module, const char *what, sl_arena *arena, const sluice_named **table, sl_error *error)
{
    size_t count = 0;
    if (count_rows(*table, module->named_size, what, &count, error) < 0) return -1;
    *table = copy_rows(arena, *table, count, module->named_size, sizeof(sluice_named));
    return 0;
}

static int copy_properties(const sluice_module *module, unsigned depth, sl_arena *arena, const sluice_property **table, sl_error *error)
{
    size_t count = 0;
    if (depth > DEEPEST_TABLE)
        return sl_error_set(error, EINVAL, "properties: expected tables at most %d deep, found deeper ones", DEEPEST_TABLE);
    if (count_rows(*table, module->property_size, "properties", &count, error) < 0) return -1;
    sluice_property *copy = copy_rows(arena, *table, count, module->property_size, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (copy[i].table && copy_properties(module, depth + 1, arena, &copy[i].table, error) < 0) return -1;
    *table = copy;
    return 0;
}

/* ---- checking --------------------------------------------------------------------------------------- */

static int check_text(const char *text, const char *what, sl_error *error)
{
    return text && *text ? 0 : sl_error_set(error, EINVAL, "expected `%s` to be set, found none", what);
}

static bool is_allowed(const sluice_property *property, const char *value)
{
    for (const char *const *allowed = property->allowed; *allowed; allowed++)
        if (strcmp(*allowed, value) == 0) return true;
    return false;
}

static int check_enum(const sluice_property *property, sl_error *error)
{
    if (!property->allowed || !property->allowed[0])
        return sl_error_set(error, EINVAL, "expected `allowed` to list the values of an enum, found none");
    if (property->fallback && !is_allowed(property, property->fallback))
        return sl_error_set(error, EINVAL, "expected its default to be one of `allowed`, found \"%s\"", property->fallback);
    return 0;
}

static int check_kind(const sluice_property *property, sl_error *error)
{
    if (property->type < SLUICE_STRING || property->type > SLUICE_SECRET)
        return sl_error_set(error, EINVAL, "expected a property type of ABI %d.%d, found number %d", SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                            (int)property->type);
    if (property->flags & ~(unsigned)KNOWN_PROPERTY_FLAGS)
        return sl_error_set(error, EINVAL, "expected flags of ABI %d.%d, found 0x%x besides", SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                            property->flags & ~(unsigned)KNOWN_PROPERTY_FLAGS);
    if (property->type == SLUICE_ENUM) return check_enum(property, error);
    if (property->type == SLUICE_TABLE && !property->table) return sl_error_set(error, EINVAL, "expected `table` to be set, found none");
    if (property->type == SLUICE_SERVICE) return check_text(property->interface, "interface", error);
    if ((property->flags & SLUICE_NAMES_RELATIONSHIPS) && property->type != SLUICE_MAP)
        return sl_error_set(error, EINVAL, "expected a map where names are relationships, found another type");
    if (property->type == SLUICE_SECRET && property->fallback)
        return sl_error_set(error, EINVAL, "expected no default for a secret, found one");
    return 0;
}

static int check_property(const sluice_property *table, size_t i, bool outermost, sl_error *error)
{
    const sluice_property *property = &table[i];
    if (!name_is(property->name, '_')) return sl_error_set(error, EINVAL, "expected a name like \"max_age\" (a-z, 0-9, single _)");
    if (outermost && sl_property_reserved(property->name))
        return sl_error_set(error, EINVAL, "expected a name of the module's own, found one that is reserved for every processor");
    for (size_t j = 0; j < i; j++)
        if (strcmp(table[j].name, property->name) == 0) return sl_error_set(error, EINVAL, "expected one row of this name, found two");
    if (check_text(property->help, "help", error) < 0 || check_kind(property, error) < 0) return -1;
    if ((property->flags & SLUICE_REQUIRED) && property->fallback)
        return sl_error_set(error, EINVAL, "expected a required property to have no default, found \"%s\"", property->fallback);
    if (property->least > property->most)
        return sl_error_set(error, EINVAL, "expected least <= most, found %lld > %lld", (long long)property->least,
                            (long long)property->most);
    return 0;
}

static int check_properties(const sluice_property *table, bool outermost, sl_error *error)
{
    for (size_t i = 0; table[i].name; i++) {
        int failed = check_property(table, i, outermost, error);
        if (!failed && table[i].table) failed = check_properties(table[i].table, false, error);
        if (failed) return sl_error_prefix(error, "property \"%.80s\"", table[i].name);
    }
    return 0;
}

/* "strategy=all|any" must name an ENUM of the type and values of it. */
static int check_when(const sluice_property *table, const char *when, sl_error *error)
{
    const char *equals = when ? strchr(when, '=') : NULL;
    if (!when) return 0;
    for (; equals && table->name; table++)
        if (table->type == SLUICE_ENUM && sl_str_is((sl_str){when, (size_t)(equals - when)}, table->name)) break;
    if (!equals || !table->name)
        return sl_error_set(error, EINVAL, "expected `when` to be like \"strategy=all|any\", with an enum of the type, found \"%.80s\"",
                            when);
    for (const char *at = equals; *at; at += 1 + strcspn(at + 1, "|")) {
        sl_str value = {at + 1, strcspn(at + 1, "|")};
        size_t i = 0;
        while (table->allowed[i] && !sl_str_is(value, table->allowed[i])) i++;
        if (!table->allowed[i])
            return sl_error_set(error, EINVAL, "when \"%.80s\": %s has no value \"%.*s\"", when, table->name, SL_STR_ARGS(value));
    }
    return 0;
}

static int check_conditions(const sluice_processor *processor, sl_error *error)
{
    for (const sluice_property *p = processor->properties; p->name; p++)
        if (check_when(processor->properties, p->when, error) < 0) return sl_error_prefix(error, "property \"%.80s\"", p->name);
    for (const sluice_named *r = processor->relationships; r->name; r++)
        if (check_when(processor->properties, r->when, error) < 0) return sl_error_prefix(error, "relationship \"%.80s\"", r->name);
    return 0;
}

static int check_relationships(const sluice_named *table, sl_error *error)
{
    for (size_t i = 0; table[i].name; i++) {
        if (!name_is(table[i].name, '-'))
            return sl_error_set(error, EINVAL, "relationship \"%.80s\": expected kebab-case (a-z, 0-9, single -)", table[i].name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(table[j].name, table[i].name) == 0)
                return sl_error_set(error, EINVAL, "relationship \"%s\": expected one row of this name, found two", table[i].name);
    }
    return 0;
}

static int check_type(const char *type, sl_error *error)
{
    if (check_text(type, "type", error) < 0) return -1;
    return name_is(type, '-') ? 0 : sl_error_set(error, EINVAL, "expected its type in kebab-case, like \"put-s3\"");
}

static int check_processor(const sluice_processor *processor, sl_error *error)
{
    if (check_text(processor->summary, "summary", error) < 0 || check_text(processor->delivery, "delivery", error) < 0) return -1;
    if (!processor->trigger) return sl_error_set(error, EINVAL, "expected `trigger` to be set, found none");
    if ((processor->flags & SLUICE_ALONE) && (processor->flags & (SLUICE_EFFECTS | SLUICE_SOURCE)))
        return sl_error_set(error, EINVAL,
                            "expected SLUICE_ALONE without SLUICE_EFFECTS and SLUICE_SOURCE: what has effects is not undone");
    if (processor->flags & ~(unsigned)KNOWN_PROCESSOR_FLAGS)
        return sl_error_set(error, EINVAL, "expected flags of ABI %d.%d, found 0x%x besides", SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                            processor->flags & ~(unsigned)KNOWN_PROCESSOR_FLAGS);
    if (check_relationships(processor->relationships, error) < 0 || check_properties(processor->properties, true, error) < 0) return -1;
    return check_conditions(processor, error);
}

static int check_service(const sluice_service *service, sl_error *error)
{
    if (check_text(service->summary, "summary", error) < 0 || check_text(service->interface, "interface", error) < 0) return -1;
    if (!service->init || !service->fini) return sl_error_set(error, EINVAL, "expected `init` and `fini` to be set, found none");
    if (service->flags) return sl_error_set(error, EINVAL, "expected flags 0, found 0x%x", service->flags);
    return check_properties(service->properties, true, error);
}

/* ---- a module --------------------------------------------------------------------------------------- */

static int read_processor(const sluice_module *module, sl_arena *arena, sluice_processor *processor, sl_error *error)
{
    if (check_type(processor->type, error) < 0 || copy_properties(module, 1, arena, &processor->properties, error) < 0 ||
        copy_named(module, "relationships", arena, &processor->relationships, error) < 0 ||
        copy_named(module, "reads", arena, &processor->reads, error) < 0 ||
        copy_named(module, "writes", arena, &processor->writes, error) < 0)
        return -1;
    if (!processor->manual) processor->manual = "";
    if (!processor->example) processor->example = "";
    return check_processor(processor, error);
}

static int read_processors(const sluice_module *module, sl_arena *arena, sl_module *ret, sl_error *error)
{
    size_t count = module->processor_count;
    sluice_processor *copy = copy_rows(arena, module->processors, count, module->processor_size, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (read_processor(module, arena, &copy[i], error) < 0)
            return sl_error_prefix(error, "processor %zu \"%.80s\"", i, copy[i].type ? copy[i].type : "");
    ret->processors = copy;
    ret->processor_count = count;
    return 0;
}

static int read_services(const sluice_module *module, sl_arena *arena, sl_module *ret, sl_error *error)
{
    size_t count = module->service_count;
    sluice_service *copy = copy_rows(arena, module->services, count, module->service_size, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        if (!copy[i].manual) copy[i].manual = "";
        if (check_type(copy[i].type, error) < 0 || copy_properties(module, 1, arena, &copy[i].properties, error) < 0 ||
            check_service(&copy[i], error) < 0)
            return sl_error_prefix(error, "service %zu \"%.80s\"", i, copy[i].type ? copy[i].type : "");
    }
    ret->services = copy;
    ret->service_count = count;
    return 0;
}

static int check_size(const char *what, size_t found, size_t least, sl_error *error)
{
    if (found >= least && found % sizeof(void *) == 0) return 0;
    return sl_error_set(error, EINVAL,
                        "expected %s of at least %zu bytes in steps of %zu, found %zu; build it with this version's sluice.h", what, least,
                        sizeof(void *), found);
}

/* Nothing but the first 8 bytes is read before they are known to be right. */
static int check_sizes(const sluice_module *module, sl_error *error)
{
    if (module->abi_major != SLUICE_ABI_MAJOR)
        return sl_error_set(error, EINVAL, "expected ABI %d, found ABI %u.%u; build it with this version's sluice.h", SLUICE_ABI_MAJOR,
                            module->abi_major, module->abi_minor);
    if (module->abi_minor > SLUICE_ABI_MINOR)
        return sl_error_set(error, EINVAL, "expected ABI %d.%d or older, found %u.%u; it needs a newer sluice", SLUICE_ABI_MAJOR,
                            SLUICE_ABI_MINOR, module->abi_major, module->abi_minor);
    if (check_size("a module descriptor", module->size, LEAST_MODULE, error) < 0) return -1;
    if (module->processor_count && check_size("processor descriptors", module->processor_size, LEAST_PROCESSOR, error) < 0) return -1;
    if (module->service_count && check_size("service descriptors", module->service_size, LEAST_SERVICE, error) < 0) return -1;
    if (check_size("property rows", module->property_size, LEAST_PROPERTY, error) < 0) return -1;
    return check_size("rows of names", module->named_size, LEAST_NAMED, error);
}

int sl_descriptor_read(const sluice_module *module, sl_arena *arena, sl_module *ret, sl_error *error)
{
    if (check_sizes(module, error) < 0 || check_text(module->name, "name", error) < 0 ||
        check_text(module->version, "version", error) < 0 || check_text(module->summary, "summary", error) < 0)
        return -1;
    if ((module->processor_count && !module->processors) || (module->service_count && !module->services))
        return sl_error_set(error, EINVAL, "expected descriptors where a count is given, found none");
    if (module->processor_count + module->service_count == 0 || module->processor_count > MOST_TYPES || module->service_count > MOST_TYPES)
        return sl_error_set(error, EINVAL, "expected 1 to %d processors or services, found %u and %u", MOST_TYPES, module->processor_count,
                            module->service_count);
    if (read_processors(module, arena, ret, error) < 0 || read_services(module, arena, ret, error) < 0) return -1;
    ret->name = module->name;
    ret->version = module->version;
    ret->summary = module->summary;
    return 0;
}
