/* A module that is right but for what meson.build defines; see there. */
#include "sluice/calls.h"

#ifndef TYPE
#define TYPE "plain"
#endif
#ifndef SUMMARY
#define SUMMARY "Does nothing."
#endif
#ifndef DELIVERY
#define DELIVERY "Nothing outside is touched."
#endif
#ifndef RELATIONSHIP
#define RELATIONSHIP "success"
#endif
#ifndef PROPERTY
#define PROPERTY .name = "count", .type = SLUICE_INT, .help = "A number."
#endif
#ifndef TRIGGER
#define TRIGGER trigger
#endif
#ifndef FLAGS
#define FLAGS SLUICE_ON_LOOP
#endif
#ifndef MAJOR
#define MAJOR SLUICE_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR SLUICE_ABI_MINOR
#endif
#ifndef SMALLER
#define SMALLER 0
#endif
#ifndef SMALLER_ROWS
#define SMALLER_ROWS 0
#endif
#ifndef TAIL
#define TAIL 0
#endif
#ifndef PROCESSORS
#define PROCESSORS processors
#endif
#ifndef SYMBOL
#define SYMBOL SLUICE_MODULE_SYMBOL
#endif

#ifdef NEEDS
int NEEDS(void);
#endif

static sluice_outcome __attribute__((unused)) trigger(sluice_instance *instance, sluice_session *session)
{
    (void)instance, (void)session;
#ifdef NEEDS
    NEEDS();
#endif
    return SLUICE_DONE;
}

static int service_init(sluice_instance *instance, sluice_failure *failure)
{
    (void)instance, (void)failure;
    return 0;
}
static void service_fini(sluice_instance *instance) { (void)instance; }

/* Rows with a tail, as a later version of the header could have them. */
typedef struct property_row {
    sluice_property row;
    void *tail[TAIL + 1];
} property_row;
typedef struct named_row {
    sluice_named row;
    void *tail[TAIL + 1];
} named_row;
typedef struct processor_row {
    sluice_processor row;
    void *tail[TAIL + 1];
} processor_row;

static const property_row nested[] = {{{.name = "type", .type = SLUICE_STRING, .help = "Free here."}, {0}}, {{0}, {0}}};
static const property_row properties[] = {
    {{PROPERTY}, {0}},
    {{.name = "more", .type = SLUICE_TABLE, .help = "A nested table.", .table = &nested[0].row}, {0}},
    {{0}, {0}},
};
static const named_row relationships[] = {
    {{.name = RELATIONSHIP, .help = "Done."}, {0}}, {{.name = "failure", .help = "Not."}, {0}}, {{0}, {0}}};
static const processor_row processors[] = {
    {{.type = TYPE,
      .summary = SUMMARY,
      .delivery = DELIVERY,
      .properties = &properties[0].row,
      .relationships = &relationships[0].row,
      .flags = FLAGS,
      .trigger = TRIGGER},
     {0}},
    {{.type = TYPE "-too", .summary = SUMMARY, .delivery = DELIVERY, .flags = FLAGS, .trigger = TRIGGER}, {0}},
};
static const sluice_service services[] = {
    {.type = TYPE "-service", .summary = "A service.", .interface = "plain/1", .init = service_init, .fini = service_fini}};

SLUICE_EXPORT extern const sluice_module definition __asm__(SYMBOL);
const sluice_module definition = {
    .abi_major = MAJOR,
    .abi_minor = MINOR,
    .size = sizeof(sluice_module) - SMALLER,
    .name = "variant",
    .version = "1.0",
    .summary = "For the loader's tests",
    .processors = (const sluice_processor *)(const void *)PROCESSORS,
    .processor_count = sizeof(processors) / sizeof(processors[0]),
    .processor_size = sizeof(processor_row) - SMALLER_ROWS,
    .services = services,
    .service_count = 1,
    .service_size = sizeof(sluice_service),
    .property_size = sizeof(property_row),
    .named_size = sizeof(named_row),
};
