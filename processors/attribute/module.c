/* attribute: the descriptors of what sets and shows attributes. */
#include "log-attribute.h"
#include "update-attribute.h"

static const sluice_processor processors[] = {
    {
        .type = "update-attribute",
        .summary = "Sets and removes attributes.",
        .manual = "Sets each attribute named under `attributes` to the value of its expression, and removes those whose name matches\n"
                  "`delete`. All expressions see the attributes as they were before, so two attributes can change places. What\n"
                  "`attributes` sets stays, also where `delete` matches its name. uuid belongs to the FlowFile and cannot be set.\n"
                  "\n"
                  "When an expression fails (a division by zero, text where a number was expected) nothing is changed and the\n"
                  "FlowFile leaves by failure: it never goes on half updated.\n",
        .example = "name-it:\n"
                   "  type: update-attribute\n"
                   "  attributes:\n"
                   "    filename: \"${filename:toLower()}\"\n"
                   "    kind: \"${mime.type:substringBefore('/')}\"\n"
                   "  delete: \"file\\\\..*\"\n"
                   "  to: {success: end, failure: hold}\n",
        .delivery = "Nothing outside is touched. A FlowFile whose session did not commit has its old attributes and is updated again.",
        .properties = update_properties,
        .relationships = update_relationships,
        .writes = update_writes,
        .flags = SLUICE_ON_LOOP,
        .init = update_init,
        .fini = update_fini,
        .trigger = update_trigger,
    },
    {
        .type = "log-attribute",
        .summary = "Logs attributes, and the beginning of the content where asked.",
        .manual = "Writes one line for each FlowFile: the prefix, its uuid, then name=\"value\" for each attribute that `include` and\n"
                  "`exclude` leave. Quotes, control characters and bytes that are not UTF-8 are escaped, so that no value can forge\n"
                  "a line of the log or steer a terminal; a line ends with \" ...\" after 8 KiB. With `payload: true` the first\n"
                  "`payload_limit` bytes of the content follow. An expression in `prefix` that fails shows its error instead.\n",
        .example = "look:\n"
                   "  type: log-attribute\n"
                   "  prefix: \"after routing\"\n"
                   "  include: \"filename|mime\\\\..*\"\n"
                   "  to: {success: end}\n",
        .delivery = "Changes nothing. A FlowFile whose session did not commit may be logged twice.",
        .properties = log_properties,
        .relationships = log_relationships,
        .reads = log_reads,
        .flags = SLUICE_ON_WORKER,
        .init = log_init,
        .fini = log_fini,
        .trigger = log_trigger,
    },
};

SLUICE_MODULE_PLAIN("attribute", "Sets, removes and logs attributes", processors);
