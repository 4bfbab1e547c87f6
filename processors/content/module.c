/* content: the descriptors of what looks at a FlowFile's bytes. */
#include "hash-content.h"
#include "identify-mime-type.h"

static const sluice_property none[] = {{0}};

static const sluice_processor processors[] = {
    {
        .type = "identify-mime-type",
        .summary = "Says what content is: image/png, application/pdf, ...",
        .manual = "Looks at the first 64 KiB of the content with libmagic and sets mime.type, and mime.extension where the type has a\n"
                  "usual ending. The name refines what the bytes leave open: text may be CSV or Markdown, a ZIP archive a .docx, bytes\n"
                  "without a signature an MP3. It never contradicts them: a PNG called a.txt is image/png. JSON is recognised by its\n"
                  "beginning, whatever its size. Where libmagic has an odd name the usual one is given (audio/wav, not audio/x-wav).\n"
                  "\n"
                  "Empty content is application/x-empty, whatever its name. What nothing is known of is application/octet-stream;\n"
                  "content that cannot be read for good (a file that was left in place and is gone) too, with error.message, and\n"
                  "whoever needs the bytes next will fail with it.\n",
        .example = "identify:\n"
                   "  type: identify-mime-type\n"
                   "  to: {success: end}\n",
        .delivery = "Nothing outside is touched; a FlowFile whose session did not commit is looked at again.",
        .properties = none,
        .relationships = identify_relationships,
        .reads = identify_reads,
        .writes = identify_writes,
        .flags = SLUICE_ON_WORKER,
        .init = identify_init,
        .fini = identify_fini,
        .trigger = identify_trigger,
    },
    {
        .type = "hash-content",
        .summary = "Sets an attribute to a hash of the content.",
        .manual = "Hashes the content by `algorithm` and sets `attribute` to the hash in lower-case hex. A SHA-256 or MD5 that is known\n"
                  "already is taken as it is, without reading; one that is computed here is known from then on, and provenance can be\n"
                  "searched by the SHA-256.\n",
        .example = "fingerprint:\n"
                   "  type: hash-content\n"
                   "  algorithm: sha256\n"
                   "  attribute: checksum\n"
                   "  to: {success: end, failure: hold}\n",
        .delivery = "Nothing outside is touched; a FlowFile whose session did not commit is hashed again, to the same value.",
        .properties = hash_properties,
        .relationships = hash_relationships,
        .writes = hash_writes,
        .flags = SLUICE_ON_WORKER,
        .init = hash_init,
        .fini = hash_fini,
        .trigger = hash_trigger,
    },
};

SLUICE_MODULE_PLAIN("content", "Looks at what FlowFiles hold", processors);
