/* put-s3: trigger, cancel; how a delivery ends. */
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

void s3_put_deliver(s3_put *put, const s3_reply *reply, const char *etag)
{
    if (put->verdict) return;
    put->verdict = S3_DELIVERED;
    put->status = reply->error.status;
    if (!etag) etag = reply->etag;
    s3_fits(put->etag, sizeof put->etag, etag, strlen(etag));
    s3_fits(put->version, sizeof put->version, reply->version, strlen(reply->version));
}

void s3_put_exists(s3_put *put)
{
    sluice_failure failure;
    if (put->verdict) return;
    if (put->settings->if_exists == S3_SKIP) {
        put->verdict = S3_WAS_THERE;
        return;
    }
    sluice_refuse(&failure, SLUICE_PERMANENT, "ObjectExists",
                  "%.300s exists already and is not of this FlowFile; if_exists: fail refuses to "
                  "replace it; write `if_exists: replace` or another key",
                  put->url.data);
    s3_put_fail(put, &failure);
}

static void set(s3_put *put, const char *name, const char *value)
{
    if (*value) sluice_set(put->session, put->flowfile, name, value);
}

/* Of an earlier failure, when this one was given back. */
static void forget_failure(s3_put *put)
{
    static const char *const names[] = {"s3.statusCode", "s3.errorCode", "s3.errorMessage"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sluice_attribute(put->session, put->flowfile, names[i]).data) sluice_unset(put->session, put->flowfile, names[i]);
}

static void set_attributes(s3_put *put)
{
    forget_failure(put);
    set(put, "s3.bucket", put->bucket);
    set(put, "s3.key", put->key);
    set(put, "s3.url", put->url.data);
    set(put, "s3.etag", put->etag);
    set(put, "s3.version", put->version);
    if (put->verdict != S3_DELIVERED) return;
    set(put, "s3.apimethod", put->part_size ? "multipartupload" : "putobject");
    set(put, "s3.uploadId", put->upload_id);
}

static void report(s3_put *put)
{
    s3_text details = {0};
    s3_text_add(&details, "{\"etag\":");
    s3_text_json(&details, put->etag);
    s3_text_printf(&details, ",\"status\":%d,\"effect\":\"%s\"", put->status, put->effect);
    if (put->verdict == S3_WAS_THERE) s3_text_add(&details, ",\"skipped\":\"exists\"");
    s3_text_add(&details, "}");
    sluice_event(put->session, put->flowfile, put->verdict == S3_DELIVERED ? SLUICE_SEND : SLUICE_ADDINFO, put->url.data, details.data);
    s3_text_done(&details);
}

static void tell_hashes(s3_put *put)
{
    const char *sha256 = put->file ? put->file->sha256 : s3_body_sha256(&put->body);
    const char *md5 = put->file ? put->file->md5 : s3_body_md5(&put->body);
    if ((sha256 && *sha256) || (md5 && *md5))
        sluice_hashes(put->session, put->flowfile, sha256 && *sha256 ? sha256 : NULL, md5 && *md5 ? md5 : NULL);
}

static void conclude_success(s3_put *put)
{
    set_attributes(put);
    tell_hashes(put);
    report(put);
    sluice_transfer(put->session, put->flowfile, "success");
}

static void conclude_failure(s3_put *put)
{
    char status[16];
    if (put->failure.class_ == SLUICE_PERMANENT) {
        snprintf(status, sizeof status, "%d", put->status);
        set(put, "s3.bucket", put->bucket);
        set(put, "s3.key", put->key);
        set(put, "s3.statusCode", put->status ? status : "");
        set(put, "s3.errorCode", put->failure.code);
        set(put, "s3.errorMessage", put->failure.message);
    }
    sluice_fail(put->session, put->flowfile, NULL, &put->failure);
}

static void put_free(s3_put *put)
{
    s3_multipart_free(put->multipart);
    s3_body_release(&put->body);
    s3_headers_done(&put->headers);
    s3_text_done(&put->url);
    s3_text_done(&put->request_body);
    s3_text_done(&put->file_metadata);
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
    if (put->file) atomic_store(&put->file->stop, true);
    sluice_cancel(put->instance, put->call);
    if (put->cancelled) s3_request_cancel(&put->request); /* else it is short, and may begin an upload that is to be aborted */
    s3_body_cancel(&put->body);
    s3_multipart_stop(put);
}

/* Parts under way are worth their bytes when the upload will be gone on with. */
static bool useless(const s3_put *put) { return put->verdict == S3_FAILED && put->failure.class_ != SLUICE_TRANSIENT; }

void s3_put_settle(s3_put *put)
{
    if (!put->open && !put->verdict) put->verdict = S3_AGAIN; /* what was under way has been cancelled */
    if (!put->verdict) return;
    if (put->open && useless(put) && !put->stopping) stop(put);
    if (put->open || s3_multipart_abort(put)) return;
    sluice_session *session = put->session;
    sluice_finish(session, conclude(put));
}

/* ---- the way to the upload --------------------------------------------------------------------------- */

void s3_put_upload(s3_put *put)
{
    if (put->part_size) s3_multipart_start(put);
    else s3_single_start(put);
}

static void start(s3_put *put)
{
    if (put->service->folder) s3_file_start(put);
    else if (put->tried || put->settings->if_exists != S3_REPLACE) s3_look(put, s3_look_done);
    else s3_put_upload(put);
}

static void on_durable(void *context, bool cancelled)
{
    s3_put *put = context;
    s3_put_arrived(put);
    put->call = NULL;
    if (!cancelled && !put->cancelled) start(put);
    s3_put_settle(put);
}

static void intend(s3_put *put)
{
    s3_text intent = {0};
    s3_target_plan(put);
    s3_target_intent(put, &intent);
    put->open++;
    put->call = sluice_intend(put->session, put->flowfile, intent.data, on_durable, put);
    s3_text_done(&intent);
}

static bool has_turn(s3_put *put)
{
    s3_text key = {0};
    s3_target_turn(put, &key);
    bool ours = sluice_turn(put->session, put->flowfile, key.data);
    s3_text_done(&key);
    if (!ours) put->verdict = S3_AGAIN;
    return ours;
}

/* The content of an intent is the FlowFile's, which does not change while it is taken; should it have, the
 * parts of then are worth nothing. */
static bool intent_fits(const s3_put *put)
{
    uint64_t size = 0;
    return s3_json_number(sluice_intent(put->session, put->flowfile), "size", &size) && size == put->content.size;
}

static void begin(s3_put *put)
{
    sluice_failure failure = {0};
    if (!s3_target_read(put, &failure)) s3_put_fail(put, &failure);
    else if (!has_turn(put)) return;
    else if (!sluice_content_of(put->session, put->flowfile, &put->content, &failure)) s3_put_fail(put, &failure);
    else {
        s3_single_prepare(put);
        if (put->tried && !intent_fits(put)) put->tried = false, s3_effect_make(put);
        if (!s3_target_headers(put, &failure)) s3_put_fail(put, &failure);
        else if (put->tried) start(put);
        else intend(put);
    }
}

sluice_outcome s3_put_trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    if (!flowfile) return SLUICE_DONE;
    s3_put *put = s3_alloc(sizeof *put);
    const s3_settings *settings = instance->data;
    put->instance = instance, put->session = session, put->flowfile = flowfile;
    put->settings = settings, put->service = settings->service;
    session->data = put;
    begin(put);
    if (put->verdict && !put->open) return conclude(put);
    return SLUICE_LATER;
}

void s3_put_cancel(sluice_instance *instance, sluice_session *session)
{
    (void)instance;
    s3_put *put = session->data;
    if (!put || put->cancelled) return;
    put->cancelled = true;
    stop(put);
}
