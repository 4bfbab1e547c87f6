/* An upload in parts: begun, completed, found gone, aborted. */
#include "multipart.h"

#include <stdio.h>
#include <strings.h>

#define ABORT_TIMEOUT_US (15 * 1000000LL)

static void create(s3_put *put);
static void complete(s3_put *put);

/* ---- what is journalled -------------------------------------------------------------------------------- */

static void forget_parts(s3_multipart *multipart)
{
    for (unsigned i = 0; i < multipart->count; i++) {
        free(multipart->etags[i]);
        multipart->etags[i] = NULL;
    }
    multipart->next = multipart->done = 0;
    multipart->gone = multipart->looked = multipart->may_be_complete = multipart->recorded = false;
}

static void load_step(s3_put *put, sluice_text step)
{
    s3_multipart *multipart = put->multipart;
    char upload[sizeof put->upload_id], etag[sizeof put->etag];
    uint64_t part;
    if (s3_json_member(step, "upload", upload, sizeof upload)) {
        forget_parts(multipart);
        s3_fits(put->upload_id, sizeof put->upload_id, upload, strlen(upload));
        multipart->recorded = true;
    } else if (s3_json_number(step, "part", &part) && s3_json_member(step, "etag", etag, sizeof etag) && part >= 1 &&
               part <= multipart->count) {
        if (!multipart->etags[part - 1]) multipart->done++;
        free(multipart->etags[part - 1]);
        multipart->etags[part - 1] = s3_copy(etag, strlen(etag));
    }
}

static s3_multipart *load(s3_put *put)
{
    if (put->multipart) return put->multipart;
    s3_multipart *multipart = put->multipart = s3_alloc(sizeof *multipart);
    multipart->count = (unsigned)((put->content.size + put->part_size - 1) / put->part_size);
    multipart->etags = s3_alloc(multipart->count * sizeof *multipart->etags);
    multipart->parts = s3_alloc(put->settings->parts_in_parallel * sizeof *multipart->parts);
    for (unsigned i = 0; i < put->settings->parts_in_parallel; i++) multipart->parts[i].put = put;
    size_t steps = put->tried ? sluice_progress_count(put->session, put->flowfile) : 0;
    for (size_t i = 0; i < steps; i++) load_step(put, sluice_progress_at(put->session, put->flowfile, i));
    multipart->may_be_complete = multipart->recorded && multipart->done == multipart->count;
    return multipart;
}

void s3_multipart_free(s3_multipart *multipart)
{
    if (!multipart) return;
    unsigned parallel = multipart->parts[0].put->settings->parts_in_parallel;
    for (unsigned i = 0; i < parallel; i++) s3_part_free(&multipart->parts[i]);
    for (unsigned i = 0; i < multipart->count; i++) free(multipart->etags[i]);
    s3_whole_free(multipart->whole);
    s3_headers_done(&multipart->headers);
    s3_text_done(&multipart->query);
    s3_text_done(&multipart->body);
    free(multipart->parts);
    free(multipart->etags);
    free(multipart);
}

void s3_multipart_etag(s3_put *put, char *ret, size_t size)
{
    s3_multipart *multipart = load(put);
    unsigned char digest[16];
    char hex[33];
    *ret = 0;
    if (multipart->done != multipart->count) return;
    s3_digest *all = s3_digest_new("MD5");
    bool digests = true;
    for (unsigned i = 0; i < multipart->count && digests; i++) {
        digests = s3_unhex(multipart->etags[i], strlen(multipart->etags[i]), digest, sizeof digest);
        s3_digest_add(all, digest, sizeof digest);
    }
    s3_digest_end(all, hex);
    if (digests) snprintf(ret, size, "%s-%u", hex, multipart->count);
}

/* ---- begun ------------------------------------------------------------------------------------------------ */

static void on_upload_recorded(void *context, bool cancelled)
{
    s3_put *put = context;
    s3_put_arrived(put);
    put->call = NULL;
    put->multipart->recorded = !cancelled;
    if (!cancelled && !put->cancelled) s3_multipart_next(put);
    s3_put_settle(put);
}

static void record_upload(s3_put *put)
{
    s3_text step = {0};
    s3_text_add(&step, "{\"upload\":");
    s3_text_json(&step, put->upload_id);
    s3_text_add(&step, "}");
    put->open++;
    put->call = sluice_progress(put->session, put->flowfile, step.data, on_upload_recorded, put);
    s3_text_done(&step);
}

static void created(s3_put *put, const s3_reply *reply)
{
    sluice_failure failure;
    if (!reply->ok) s3_put_refused(put, "POST ?uploads for", reply, create);
    else if (!reply->xml.upload_id[0]) {
        sluice_refuse(&failure, SLUICE_TRANSIENT, "InvalidReply",
                      "POST %.300s?uploads: expected an XML document with an UploadId, found <%.40s>", put->url.data, reply->xml.root);
        s3_put_fail(put, &failure);
    } else {
        s3_fits(put->upload_id, sizeof put->upload_id, reply->xml.upload_id, strlen(reply->xml.upload_id));
        put->multipart->aborted = false;
        if (!reply->plain_etag) put->service->opaque_etag = true;
        if (!put->cancelled && !put->verdict) record_upload(put);
    }
}

static void on_created(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (!reply->cancelled) created(put, reply);
    s3_put_settle(put);
}

static void create(s3_put *put)
{
    s3_put_send(put, &(s3_request){.method = "POST", .query = "uploads", .headers = &put->headers}, on_created);
}

static void on_verified(void *context, const char *sha256, const char *error)
{
    s3_put *put = context;
    sluice_failure failure;
    s3_put_arrived(put);
    put->multipart->verifying = false;
    if (!*error && strcasecmp(sha256, put->content.sha256) != 0) {
        s3_body_changed(put->key, put->content.sha256, sha256, &failure);
        s3_put_fail(put, &failure);
    } else if (*error && !put->cancelled && !put->stopping) {
        sluice_refuse(&failure, SLUICE_TRANSIENT, "ContentUnreadable", "hashing what goes to %.300s: %s", put->url.data, error);
        s3_put_fail(put, &failure);
    }
    s3_multipart_next(put);
    s3_put_settle(put);
}

/* Completed is only what still is the content that was taken. */
static void verify(s3_put *put)
{
    s3_multipart *multipart = put->multipart;
    if (multipart->whole || !put->content.sha256 || put->content.data) return;
    multipart->verifying = true;
    put->open++;
    multipart->whole = s3_whole_start(put->instance, &put->content, on_verified, put);
}

void s3_multipart_start(s3_put *put)
{
    s3_multipart *multipart = load(put);
    verify(put);
    if (put->overwrite) { /* what these parts made is damaged */
        forget_parts(multipart);
        put->upload_id[0] = 0;
    }
    if (put->upload_id[0]) s3_multipart_next(put);
    else create(put);
}

/* ---- aborted ---------------------------------------------------------------------------------------------- */

static void set_query(s3_put *put)
{
    s3_text *query = &put->multipart->query;
    s3_text_clear(query);
    s3_text_add(query, "uploadId=");
    s3_text_percent(query, put->upload_id, strlen(put->upload_id), "");
}

static void abort_upload(s3_put *put, void (*done)(void *put, const s3_reply *reply))
{
    put->multipart->aborted = true;
    set_query(put);
    s3_put_send(put, &(s3_request){.method = "DELETE", .query = put->multipart->query.data, .timeout_us = ABORT_TIMEOUT_US}, done);
}

static void tell_aborted(s3_put *put, const s3_reply *reply)
{
    if (reply->ok || strcmp(reply->error.code, "NoSuchUpload") == 0) return;
    sluice_log(put->instance, SLUICE_LOG_WARNING, "upload %.100s of %s could not be aborted (status %d %s); its parts stay at the server",
               put->upload_id, put->url.data, reply->error.status, reply->error.code);
}

static void on_aborted(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    tell_aborted(put, reply);
    s3_put_settle(put);
}

/* Ours ends with the delivery: given up, not needed, or of an id that nobody will know. */
bool s3_multipart_abort(s3_put *put)
{
    if (!put->part_size || put->verdict == S3_DELIVERED) return false;
    bool over = put->verdict == S3_WAS_THERE || (put->verdict == S3_FAILED && put->failure.class_ == SLUICE_PERMANENT);
    if (!over && !put->multipart) return false;
    s3_multipart *multipart = load(put);
    if (!put->upload_id[0] || multipart->aborted || multipart->gone || !(over || !multipart->recorded)) return false;
    abort_upload(put, on_aborted);
    return true;
}

/* ---- from the beginning ------------------------------------------------------------------------------------- */

static void begin_anew(s3_put *put)
{
    forget_parts(put->multipart);
    put->upload_id[0] = 0;
    create(put);
}

static void on_replaced(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    tell_aborted(put, reply);
    if (!reply->cancelled && !put->cancelled) begin_anew(put);
    s3_put_settle(put);
}

static void restart(s3_put *put)
{
    sluice_failure failure;
    if (put->rounds++ >= S3_ROUNDS_MOST) {
        sluice_refuse(&failure, SLUICE_TRANSIENT, "UploadLost", "%.300s: an upload in parts was begun %d times and could not be completed",
                      put->url.data, S3_ROUNDS_MOST + 1);
        s3_put_fail(put, &failure);
    } else if (put->multipart->gone) begin_anew(put);
    else abort_upload(put, on_replaced);
}

/* The server does not know the upload. Completed and then replaced by somebody, it must not be sent over that. */
static void after_gone(s3_put *put, s3_seen seen)
{
    sluice_failure failure;
    if (seen == S3_OURS) s3_put_deliver(put, &put->head, NULL);
    else if (seen == S3_OTHER && put->settings->if_exists != S3_REPLACE) s3_put_exists(put);
    else if (seen == S3_OTHER && put->multipart->may_be_complete) {
        sluice_refuse(&failure, SLUICE_PERMANENT, "UploadReplaced",
                      "%.300s: the upload may have been completed before its reply was lost, and another's object is there now; it is not "
                      "replaced. Compare the two, then replay this one or drop it",
                      put->url.data);
        s3_put_fail(put, &failure);
    } else restart(put);
}

static void look_for_gone(s3_put *put)
{
    if (put->multipart->looked) return;
    put->multipart->looked = true;
    s3_look(put, after_gone);
}

/* ---- completed ------------------------------------------------------------------------------------------------ */

static bool refusal_is(const s3_error *error, const char *code) { return strcmp(error->code, code) == 0; }

static void fail_complete(s3_put *put, const s3_reply *reply)
{
    sluice_failure failure;
    if (!reply->ok) s3_put_fail_reply(put, "completing the upload of", reply);
    else {
        sluice_refuse(&failure, SLUICE_TRANSIENT, "InvalidReply",
                      "completing the upload of %.300s: expected <CompleteMultipartUploadResult> or our object to be there, found neither",
                      put->url.data);
        s3_put_fail(put, &failure);
    }
}

static void after_complete(s3_put *put, s3_seen seen)
{
    s3_multipart *multipart = put->multipart;
    if (seen == S3_OURS) s3_put_deliver(put, &put->head, NULL);
    else if (seen == S3_DAMAGED) restart(put);
    else if (seen == S3_OTHER && multipart->refusal.status == 412) s3_put_exists(put);
    else {
        multipart->may_be_complete = true; /* it is repeated, and may find the first one done */
        complete(put);
    }
}

static bool is_result(const s3_reply *reply) { return reply->ok && strcmp(reply->xml.root, "CompleteMultipartUploadResult") == 0; }

static void take_etag(s3_put *put, const s3_reply *reply)
{
    char etag[sizeof put->etag], expected[64];
    sluice_failure failure;
    s3_etag(etag, sizeof etag, sluice_view(reply->xml.etag));
    s3_multipart_etag(put, expected, sizeof expected);
    bool tells = reply->plain_etag && !put->service->opaque_etag && *expected && strlen(etag) == strlen(expected);
    if (!tells || strcasecmp(etag, expected) == 0) {
        s3_put_deliver(put, reply, etag);
        return;
    }
    sluice_refuse(&failure, SLUICE_TRANSIENT, "BadDigest",
                  "completing the upload of %.300s: expected the ETag %s of the parts that were sent, found %s; it is sent again",
                  put->url.data, expected, etag);
    s3_put_fail(put, &failure);
}

static void judge_complete(s3_put *put, const s3_reply *reply)
{
    s3_multipart *multipart = put->multipart;
    const s3_error *error = &reply->error;
    bool conditional = multipart->headers.count > 1;
    bool taken = conditional && error->status == 412;
    bool unclear = reply->ok || reply->lost || taken || s3_error_class(error->status, error->code) == SLUICE_TRANSIENT;
    multipart->refusal = *error;
    if (is_result(reply) && reply->xml.etag[0]) take_etag(put, reply);
    else if (conditional && error->status == 501) {
        put->service->no_conditional = true;
        complete(put);
    } else if ((conditional && error->status == 409) || refusal_is(error, "InvalidPart") || refusal_is(error, "InvalidPartOrder"))
        restart(put);
    else if (refusal_is(error, "NoSuchUpload")) {
        multipart->gone = true;
        look_for_gone(put);
    } else if (unclear && put->rounds++ < S3_ROUNDS_MOST) s3_look(put, after_complete);
    else fail_complete(put, reply);
}

static void on_completed(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (!reply->cancelled && !put->cancelled) judge_complete(put, reply);
    s3_put_settle(put);
}

static void list_parts(s3_multipart *multipart)
{
    s3_text *body = &multipart->body;
    s3_text_clear(body);
    s3_text_add(body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (unsigned i = 0; i < multipart->count; i++) {
        s3_text_printf(body, "<Part><PartNumber>%u</PartNumber><ETag>&quot;", i + 1);
        s3_text_xml(body, multipart->etags[i]);
        s3_text_add(body, "&quot;</ETag></Part>");
    }
    s3_text_add(body, "</CompleteMultipartUpload>");
    s3_sha256_hex(body->data, body->size, multipart->payload);
}

static void complete(s3_put *put)
{
    s3_multipart *multipart = put->multipart;
    list_parts(multipart);
    set_query(put);
    s3_headers_done(&multipart->headers);
    s3_headers_add(&multipart->headers, "Content-Type", "application/xml");
    if (s3_put_conditional(put)) s3_headers_add(&multipart->headers, "If-None-Match", "*");
    s3_put_send(put,
                &(s3_request){.method = "POST",
                              .query = multipart->query.data,
                              .headers = &multipart->headers,
                              .data = multipart->body.data,
                              .size = multipart->body.size,
                              .payload = multipart->payload,
                              .fresh_connection = put->rounds > 0},
                on_completed);
}

/* ---- part by part ------------------------------------------------------------------------------------------- */

static s3_part *idle_part(s3_put *put)
{
    for (unsigned i = 0; i < put->settings->parts_in_parallel; i++)
        if (!put->multipart->parts[i].number) return &put->multipart->parts[i];
    return NULL;
}

static bool busy(const s3_put *put)
{
    for (unsigned i = 0; i < put->settings->parts_in_parallel; i++)
        if (put->multipart->parts[i].number) return true;
    return false;
}

void s3_multipart_next(s3_put *put)
{
    s3_multipart *multipart = put->multipart;
    s3_part *part;
    if ((put->verdict || put->cancelled) && multipart->verifying) s3_whole_cancel(multipart->whole);
    if (put->verdict || put->cancelled || !multipart->recorded) return;
    while (!multipart->gone && (part = idle_part(put))) {
        while (multipart->next < multipart->count && multipart->etags[multipart->next]) multipart->next++;
        if (multipart->next == multipart->count) break;
        s3_part_start(part, ++multipart->next);
    }
    if (busy(put)) return;
    if (multipart->gone) look_for_gone(put);
    else if (multipart->done == multipart->count && !multipart->verifying) complete(put);
}

void s3_multipart_stop(s3_put *put)
{
    s3_multipart *multipart = put->multipart;
    if (!multipart) return;
    if (multipart->verifying) s3_whole_cancel(multipart->whole);
    for (unsigned i = 0; i < put->settings->parts_in_parallel; i++) s3_part_cancel(&multipart->parts[i]);
}
