/* put-s3: descriptor, trigger, cancel; how a delivery ends. */
#include "put.h"

#include <stdio.h>

/* ---- the end of a delivery ------------------------------------------------------------------------- */

void s3_put_arrived(s3_put *put) { put->open--; }

void s3_put_fail(s3_put *put, const sluice_failure *failure)
{
    if (put->verdict) return; /* the first reason counts */
    put->verdict = S3_FAILED;
    put->failure = *failure;
}

void s3_put_fail_reply(s3_put *put, const char *what, const s3_reply *reply)
{
    sluice_failure failure;
    if (reply->cancelled) return;
    s3_error_failure(&reply->error, what, put->url.data, &failure);
    if (!put->verdict) put->status = reply->error.status;
    s3_put_fail(put, &failure);
}

void s3_put_deliver(s3_put *put, const s3_reply *reply)
{
    if (put->verdict) return;
    put->verdict = S3_DELIVERED;
    put->status = reply->error.status;
    if (reply->etag[0]) s3_fits(put->etag, sizeof put->etag, reply->etag, strlen(reply->etag));
    if (reply->version[0]) s3_fits(put->version, sizeof put->version, reply->version, strlen(reply->version));
}

void s3_put_exists(s3_put *put)
{
    sluice_failure failure;
    if (put->verdict) return;
    if (put->settings->if_exists == S3_SKIP) {
        put->verdict = S3_WAS_THERE;
        return;
    }
    s3_failure(&failure, SLUICE_PERMANENT, "ObjectExists",
               "%.300s exists already and is not of this FlowFile; if_exists: fail refuses to "
               "replace it; write `if_exists: replace` or another key",
               put->url.data);
    s3_put_fail(put, &failure);
}

static void set_attributes(s3_put *put)
{
    s3_set(put->session, put->flowfile, "s3.bucket", put->bucket);
    s3_set(put->session, put->flowfile, "s3.key", put->key);
    s3_set(put->session, put->flowfile, "s3.url", put->url.data);
    s3_set(put->session, put->flowfile, "s3.etag", put->etag);
    s3_set(put->session, put->flowfile, "s3.version", put->version);
    if (put->verdict != S3_DELIVERED) return;
    s3_set(put->session, put->flowfile, "s3.apimethod", put->part_size ? "multipartupload" : "putobject");
    s3_set(put->session, put->flowfile, "s3.uploadId", put->upload_id);
}

static void report(s3_put *put)
{
    s3_text details = {0};
    s3_text_add(&details, "{\"etag\":");
    s3_text_json(&details, put->etag);
    s3_text_printf(&details, ",\"status\":%d,\"effect\":\"%s\"", put->status, put->effect);
    if (put->verdict == S3_WAS_THERE) s3_text_add(&details, ",\"skipped\":\"exists\"");
    s3_text_add(&details, "}");
    put->host->event(put->session, put->flowfile, put->verdict == S3_DELIVERED ? SLUICE_SEND : SLUICE_ADDINFO, put->url.data, details.data);
    s3_text_done(&details);
}

static void conclude_success(s3_put *put)
{
    set_attributes(put);
    if (put->sha256[0] || put->md5[0])
        put->host->hashes(put->session, put->flowfile, put->sha256[0] ? put->sha256 : NULL, put->md5[0] ? put->md5 : NULL);
    report(put);
    put->host->transfer(put->session, put->flowfile, "success");
}

static void conclude_failure(s3_put *put)
{
    char status[16];
    if (put->failure.class_ == SLUICE_PERMANENT) {
        snprintf(status, sizeof status, "%d", put->status);
        s3_set(put->session, put->flowfile, "s3.bucket", put->bucket);
        s3_set(put->session, put->flowfile, "s3.key", put->key);
        s3_set(put->session, put->flowfile, "s3.statusCode", put->status ? status : "");
        s3_set(put->session, put->flowfile, "s3.errorCode", put->failure.code);
        s3_set(put->session, put->flowfile, "s3.errorMessage", put->failure.message);
    }
    put->host->fail(put->session, put->flowfile, NULL, &put->failure);
}

static void put_free(s3_put *put)
{
    s3_multipart_free(put->multipart);
    s3_headers_done(&put->headers);
    s3_headers_done(&put->conditional);
    s3_text_done(&put->url);
    free(put->file);
    free(put->bucket);
    free(put->key);
    free(put);
}

static sluice_outcome conclude(s3_put *put)
{
    sluice_outcome outcome = put->verdict == S3_AGAIN ? SLUICE_ROLLBACK : SLUICE_DONE;
    if (put->verdict == S3_FAILED) conclude_failure(put);
    else if (put->verdict != S3_AGAIN) conclude_success(put);
    put->session->data = NULL;
    put_free(put);
    return outcome;
}

/* Ends what is under way: after cancel, or when one part's failure has made the others useless. */
static void stop(s3_put *put)
{
    put->stopping = true;
    atomic_store(&put->hash.stop, true);
    if (put->file) atomic_store(&put->file->stop, true);
    if (put->call) put->host->cancel(put->call);
    s3_request_cancel(&put->request);
    s3_multipart_stop(put);
}

/* Parts under way are worth their bytes when the upload will be gone on with. */
static bool useless(const s3_put *put) { return put->verdict == S3_FAILED && put->failure.class_ != SLUICE_TRANSIENT; }

void s3_put_settle(s3_put *put)
{
    if (put->cancelled && !put->open && !put->verdict) put->verdict = S3_AGAIN;
    if (!put->verdict) return;
    if (put->open && useless(put) && !put->stopping) stop(put);
    if (put->open || s3_multipart_abort(put)) return;
    sluice_session *session = put->session;
    const sluice_host *host = put->host;
    host->finish(session, conclude(put));
}

/* ---- the way to the upload --------------------------------------------------------------------------- */

void s3_put_start(s3_put *put)
{
    if (put->service->folder) s3_file_start(put);
    else if (put->tried || put->settings->if_exists != S3_REPLACE) s3_single_head(put);
    else if (put->part_size) s3_multipart_start(put);
    else s3_single_start(put);
}

static void on_durable(void *context, bool cancelled)
{
    s3_put *put = context;
    s3_put_arrived(put);
    put->call = NULL;
    if (!cancelled && !put->cancelled) s3_put_start(put);
    s3_put_settle(put);
}

static void intend(s3_put *put)
{
    s3_text intent = {0};
    s3_target_plan(put);
    s3_target_intent(put, &intent);
    put->open++;
    put->call = put->host->intend(put->session, put->flowfile, intent.data, on_durable, put);
    s3_text_done(&intent);
}

static bool has_turn(s3_put *put)
{
    s3_text key = {0};
    s3_target_turn(put, &key);
    bool ours = put->host->turn(put->session, put->flowfile, key.data);
    s3_text_done(&key);
    if (!ours) put->verdict = S3_AGAIN;
    return ours;
}

/* The content of an intent is the FlowFile's, which does not change while it is taken; should it have, the
 * parts of then are worth nothing. */
static bool intent_fits(const s3_put *put)
{
    uint64_t size = 0;
    return s3_json_number(put->host->intent(put->session, put->flowfile), "size", &size) && size == put->content.size;
}

static void begin(s3_put *put)
{
    sluice_failure failure = {0};
    if (!s3_target_read(put, &failure)) s3_put_fail(put, &failure);
    else if (!has_turn(put)) return;
    else if (!put->host->content(put->session, put->flowfile, &put->content, &failure)) s3_put_fail(put, &failure);
    else {
        if (put->tried && !intent_fits(put)) put->tried = false, s3_effect_make(put);
        if (!s3_target_headers(put, &failure)) s3_put_fail(put, &failure);
        else if (put->tried) s3_put_start(put);
        else intend(put);
    }
}

static sluice_outcome trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    if (!flowfile) return SLUICE_DONE;
    s3_put *put = s3_alloc(sizeof *put);
    const s3_settings *settings = instance->data;
    put->host = session->host, put->instance = instance, put->session = session, put->flowfile = flowfile;
    put->settings = settings, put->service = settings->service;
    session->data = put;
    begin(put);
    if (put->verdict && !put->open) return conclude(put);
    return SLUICE_LATER;
}

static void cancel(sluice_instance *instance, sluice_session *session)
{
    (void)instance;
    s3_put *put = session->data;
    if (!put || put->cancelled) return;
    put->cancelled = true;
    stop(put);
}

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
    size_t count = instance->host->count(instance, "metadata");
    for (size_t i = 0; i < count; i++) {
        sluice_text name = instance->host->item_name(instance, "metadata", i);
        bool reserved = name.size == 13 && strncasecmp(name.data, "sluice-effect", 13) == 0;
        if (plain_name(name) && !reserved) continue;
        s3_failure(failure, SLUICE_CONFIGURATION, "InvalidMetadata",
                   "metadata: expected a name of letters, digits, '-', '_' and '.' that "
                   "is not sluice-effect, found '%.*s'",
                   (int)S3_MIN(name.size, (size_t)100), name.data);
        return -1;
    }
    return 0;
}

static int init(sluice_instance *instance, sluice_failure *failure)
{
    if (check_metadata(instance, failure) != 0) return -1;
    s3_settings *settings = s3_alloc(sizeof *settings);
    settings->service = instance->host->service(instance, "service");
    settings->if_exists = (s3_if_exists)s3_number(instance, "if_exists");
    settings->multipart_threshold = (uint64_t)s3_number(instance, "multipart_threshold");
    settings->part_size = (uint64_t)s3_number(instance, "part_size");
    settings->parts_in_parallel = (unsigned)s3_number(instance, "parts_in_parallel");
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

static const sluice_property properties[] = {
    {.name = "service", .type = SLUICE_SERVICE, .flags = SLUICE_REQUIRED, .interface = S3_INTERFACE, .help = "The s3 service to put into"},
    {.name = "bucket", .type = SLUICE_STRING, .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION, .help = "Bucket of the object"},
    {.name = "key",
     .type = SLUICE_STRING,
     .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION,
     .help = "Key of the object, at most 1024 bytes; evaluated once, and the same on every retry"},
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

static const sluice_named relationships[] = {
    {"success", "Objects that are in the bucket"},
    {"failure", "FlowFiles that cannot become objects: a key too long, an argument that the server refuses"},
    {0},
};

static const sluice_named reads[] = {{"mime.type", "Type of the object, by the default of content_type"}, {0}};

static const sluice_named writes[] = {
    {"s3.bucket", "Bucket of the object"},
    {"s3.key", "Key of the object"},
    {"s3.url", "URL of the object, percent-encoded"},
    {"s3.etag", "ETag that the server gave it, without quotes"},
    {"s3.version", "Version id, where the bucket keeps versions"},
    {"s3.apimethod", "putobject or multipartupload"},
    {"s3.uploadId", "Id of the upload in parts"},
    {"s3.statusCode", "On failure: HTTP status of the refusal"},
    {"s3.errorCode", "On failure: the server's code, such as KeyTooLongError"},
    {"s3.errorMessage", "On failure: what was expected and found"},
    {0},
};

const sluice_processor s3_put_descriptor = {
    .type = "put-s3",
    .summary = "Puts a FlowFile's content into an S3-compatible object store",
    .manual = "Bucket and key are evaluated once for a FlowFile and written to the journal before anything is sent; every retry and every "
              "restart uses them. Deliveries to one key run one at a time, in the order of the queue.\n\n"
              "Content of multipart_threshold and above goes up in parts, several at once. The upload's id and each finished part are "
              "journalled, so that after a restart only the missing parts are sent. A part that the server answers with a passing error is "
              "repeated a few times before the FlowFile goes back to its queue.\n\n"
              "What arrives is verified: either the server checks the signed SHA-256, or the ETag it returns is compared with the MD5 of "
              "what was sent. Metadata that is not ASCII goes as RFC 2047 has it.\n\n"
              "With if_exists: skip or fail the key is looked at first, and the upload itself is conditional where the server knows that.",
    .example = "type: put-s3\nservice: b2\nbucket: media\nkey: \"${path}${filename}\"\nconcurrency: 8\nto: {success: end, failure: hold}\n",
    .delivery =
        "At least once, and a repeat is an overwrite with the same bytes. The object carries the delivery's id as "
        "x-amz-meta-sluice-effect; after a lost reply or a restart the object is looked at first, and one with our id and size is taken "
        "as delivered.",
    .properties = properties,
    .relationships = relationships,
    .reads = reads,
    .writes = writes,
    .flags = SLUICE_ON_LOOP | SLUICE_EFFECTS,
    .init = init,
    .fini = fini,
    .trigger = trigger,
    .cancel = cancel,
};
