/* The family s3: the service s3 (service.c) and put-s3, whose descriptor is here. */
#include "put.h"

#include <strings.h>

/* ---- init, fini ------------------------------------------------------------------------------------------ */

static bool plain_name(sluice_text name)
{
    static const char others[] = "-_.";
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !(c && strchr(others, c))) return false;
    }
    return name.size > 0;
}

static int check_metadata(sluice_instance *instance, sluice_failure *failure)
{
    size_t count = sluice_count(instance, "metadata");
    for (size_t i = 0; i < count; i++) {
        sluice_text name = sluice_item_name(instance, "metadata", i);
        bool reserved = name.size == 13 && strncasecmp(name.data, "sluice-effect", 13) == 0;
        if (plain_name(name) && !reserved) continue;
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "InvalidMetadata",
                             "metadata: expected a name of letters, digits, '-', '_' and '.' that "
                             "is not sluice-effect, found '%.*s'",
                             (int)S3_MIN(name.size, (size_t)100), name.data);
    }
    return 0;
}

/* A bucket that is not one is the flow's fault where the flow writes it out. */
static int check_bucket(sluice_instance *instance, sluice_failure *failure)
{
    sluice_text bucket = sluice_property_text(instance, "bucket");
    if (!bucket.data || strstr(bucket.data, "${") || s3_target_check_bucket(bucket.data, failure)) return 0;
    failure->class_ = SLUICE_CONFIGURATION;
    return -1;
}

static int init(sluice_instance *instance, sluice_failure *failure)
{
    if (check_bucket(instance, failure) != 0 || check_metadata(instance, failure) != 0) return -1;
    s3_settings *settings = s3_alloc(sizeof *settings);
    settings->service = instance->host->service(instance, "service");
    settings->if_exists = (s3_if_exists)sluice_number(instance, "if_exists");
    settings->create_bucket = sluice_number(instance, "create_bucket") != 0;
    settings->multipart_threshold = (uint64_t)sluice_number(instance, "multipart_threshold");
    settings->part_size = (uint64_t)sluice_number(instance, "part_size");
    settings->parts_in_parallel = (unsigned)sluice_number(instance, "parts_in_parallel");
    instance->data = settings;
    return 0;
}

static void fini(sluice_instance *instance)
{
    free(instance->data);
    instance->data = NULL;
}

/* ---- descriptor ------------------------------------------------------------------------------------------- */

static const char *const existing[] = {"replace", "skip", "fail", NULL};

static const sluice_property put_properties[] = {
    {.name = "service", .type = SLUICE_SERVICE, .flags = SLUICE_REQUIRED, .interface = S3_INTERFACE, .help = "The s3 service to put into"},
    {.name = "bucket", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION, .help = "Bucket of the object"},
    {.name = "key",
     .type = SLUICE_STRING,
     .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION,
     .help = "Key of the object, at most 1024 bytes; evaluated once, and the same on every retry"},
    {.name = "create_bucket",
     .type = SLUICE_BOOL,
     .fallback = "false",
     .help = "Create a bucket that is not there, instead of pausing; a file:// endpoint always does"},
    {.name = "if_exists",
     .type = SLUICE_ENUM,
     .fallback = "replace",
     .allowed = existing,
     .help = "What to do when another object has the key: replace it, skip (success without an upload), fail"},
    {.name = "content_type",
     .type = SLUICE_STRING,
     .flags = SLUICE_EXPRESSION,
     .fallback = "${mime.type}",
     .help = "Type of the object; application/octet-stream where it is empty"},
    {.name = "storage_class", .type = SLUICE_STRING, .help = "x-amz-storage-class, where the server has classes"},
    {.name = "cache_control", .type = SLUICE_STRING, .help = "Cache-Control that readers of the object get"},
    {.name = "metadata", .type = SLUICE_MAP, .flags = SLUICE_EXPRESSION, .help = "Name: value, kept with the object as x-amz-meta-NAME"},
    {.name = "multipart_threshold",
     .type = SLUICE_SIZE,
     .fallback = "64MiB",
     .least = 5 * 1024 * 1024,
     .most = 5LL << 30,
     .help = "Objects of this size and above go up in parts"},
    {.name = "part_size",
     .type = SLUICE_SIZE,
     .fallback = "16MiB",
     .least = 5 * 1024 * 1024,
     .most = 5LL << 30,
     .help = "Size of a part; larger where an object would need more than 10,000"},
    {.name = "parts_in_parallel",
     .type = SLUICE_INT,
     .fallback = "4",
     .least = 1,
     .most = 64,
     .help = "Parts of one object under way at once"},
    {0},
};

static const sluice_named put_relationships[] = {
    {.name = "success", .help = "Objects that are in the bucket"},
    {.name = "failure", .help = "FlowFiles that cannot become objects: a key too long, an argument that the server refuses"},
    {0},
};

static const sluice_named put_reads[] = {{.name = "mime.type", .help = "Type of the object, by the default of content_type"}, {0}};

static const sluice_named put_writes[] = {
    {.name = "s3.bucket", .help = "Bucket of the object"},
    {.name = "s3.key", .help = "Key of the object"},
    {.name = "s3.url", .help = "URL of the object, percent-encoded"},
    {.name = "s3.etag", .help = "ETag that the server gave it, without quotes"},
    {.name = "s3.version", .help = "Version id, where the bucket keeps versions"},
    {.name = "s3.apimethod", .help = "putobject or multipartupload"},
    {.name = "s3.uploadId", .help = "Id of the upload in parts"},
    {.name = "s3.statusCode", .help = "On failure: HTTP status of the refusal"},
    {.name = "s3.errorCode", .help = "On failure: the server's code, such as KeyTooLongError"},
    {.name = "s3.errorMessage", .help = "On failure: what was expected and found"},
    {0},
};

static const sluice_processor processors[] = {{
    .type = "put-s3",
    .summary = "Puts a FlowFile's content into an S3-compatible object store",
    .manual = "Bucket and key are evaluated once for a FlowFile and written to the journal before anything is sent; every retry and every "
              "restart uses them. Deliveries to one key run one at a time, in the order of the queue.\n\n"
              "Content of multipart_threshold and above goes up in parts, several at once. The upload's id and each finished part are "
              "journalled, so that after a restart only the missing parts are sent. A part that the server answers with a passing error is "
              "repeated a few times before the FlowFile goes back to its queue.\n\n"
              "What arrives is verified: the ETag is compared with the MD5 of what was sent, that of an upload in parts with the parts', "
              "and where the SHA-256 is signed the server checks it too. Content in a file whose SHA-256 is known is compared with it on "
              "the way; content that was changed since it was taken is a permanent failure (ContentChanged). Metadata that is not ASCII "
              "goes as RFC 2047 has it.\n\n"
              "Wrong or expired credentials, a bucket that is not there or may not be written, and a wrong region pause the processor; so "
              "does a full quota. A key or an argument that the server refuses is this FlowFile's failure. All else is tried again.\n\n"
              "With if_exists: skip or fail the key is looked at first, and the upload itself is conditional where the server knows that.",
    .example = "upload:\n"
               "  type: put-s3\n"
               "  service: b2\n"
               "  bucket: media\n"
               "  key: \"${path}${filename}\"\n"
               "  concurrency: 8\n"
               "  to: {success: end, failure: hold}\n",
    .delivery =
        "At least once, and a repeat is an overwrite with the same bytes. The object carries the delivery's id as "
        "x-amz-meta-sluice-effect; after a lost reply or a restart the object is looked at first, and one with our id and size is taken "
        "as delivered.",
    .properties = put_properties,
    .relationships = put_relationships,
    .reads = put_reads,
    .writes = put_writes,
    .flags = SLUICE_ON_LOOP | SLUICE_EFFECTS,
    .init = init,
    .fini = fini,
    .trigger = s3_put_trigger,
    .cancel = s3_put_cancel,
}};

SLUICE_MODULE("s3", "S3-compatible object storage, and a directory that stands for it", processors, s3_services);
