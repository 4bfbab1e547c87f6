/* Is our object there already (HEAD), and the upload by one PUT. */
#include "put.h"

#include <stdio.h>

#define INLINE_HASH (64 * 1024) /* small content is hashed on the loop: less than a job costs */

bool s3_signs_payload(const s3_put *put)
{
    const s3_service *service = put->service;
    return service->signing == S3_SIGN_ALWAYS || (service->signing == S3_SIGN_AUTO && !service->tls);
}

bool s3_single_conditional(const s3_put *put) { return put->settings->if_exists != S3_REPLACE && !put->service->no_conditional; }

static void send(s3_put *put)
{
    put->open++;
    s3_request_send(&put->request);
}

static s3_request request_for(s3_put *put, const char *method, void (*done)(void *context, const s3_reply *reply))
{
    return (s3_request){.service = put->service,
                        .method = method,
                        .bucket = put->bucket,
                        .key = put->key,
                        .query = "",
                        .fd = -1,
                        .payload = S3_EMPTY_SHA256,
                        .done = done,
                        .context = put};
}

/* ---- HEAD ------------------------------------------------------------------------------------------ */

static void upload(s3_put *put)
{
    if (put->part_size) s3_multipart_start(put);
    else s3_single_start(put);
}

static void judge_head(s3_put *put, const s3_reply *reply)
{
    bool replace = put->settings->if_exists == S3_REPLACE;
    if (reply->ok && strcmp(reply->effect, put->effect) == 0 && reply->size == put->content.size) s3_put_deliver(put, reply);
    else if (reply->ok && !replace) {
        s3_fits(put->etag, sizeof put->etag, reply->etag, strlen(reply->etag));
        put->status = reply->error.status;
        s3_put_exists(put);
    } else if (reply->ok || reply->error.status == 404) upload(put);
    /* Who may not list gets 403 for what is not there: the PUT will tell. */
    else if (reply->error.status == 403 && replace) upload(put);
    else s3_put_fail_reply(put, "HEAD", reply);
}

static void on_head(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (!reply->cancelled && !put->cancelled) judge_head(put, reply);
    s3_put_settle(put);
}

void s3_single_head(s3_put *put)
{
    put->request = request_for(put, "HEAD", on_head);
    put->request.fresh_connection = put->repeated;
    send(put);
}

/* ---- PUT --------------------------------------------------------------------------------------------- */

static bool damaged(s3_put *put, const s3_reply *reply)
{
    sluice_failure failure;
    if (!put->md5[0] || !reply->plain_etag || strlen(reply->etag) != 32 || strcasecmp(reply->etag, put->md5) == 0) return false;
    s3_failure(&failure, SLUICE_TRANSIENT, "BadDigest",
               "PUT %.300s: expected the ETag %s, the MD5 of what was sent, found %s; it is sent "
               "again",
               put->url.data, put->md5, reply->etag);
    s3_put_fail(put, &failure);
    return true;
}

/* The server asks for what it did not need before, or does not know what we asked for: once more, its way. */
static bool adapt(s3_put *put, const s3_reply *reply)
{
    s3_service *service = put->service;
    if (reply->error.status == 501 && s3_single_conditional(put)) {
        service->no_conditional = true;
        return true;
    }
    if (reply->error.status == 400 && !service->wants_md5 && strstr(reply->error.message, "Content-MD5")) {
        service->wants_md5 = true;
        return true;
    }
    return false;
}

static void judge_put(s3_put *put, const s3_reply *reply)
{
    if (reply->ok) {
        if (!damaged(put, reply)) s3_put_deliver(put, reply);
    } else if (reply->error.status == 412 || (reply->lost && !put->repeated)) {
        put->repeated = true; /* what is there tells whether it was ours */
        s3_single_head(put);
    } else if (adapt(put, reply)) s3_single_start(put);
    else s3_put_fail_reply(put, "PUT", reply);
}

static void on_put(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (put->request.sent) {
        s3_running_md5_hex(put->running_md5, put->md5);
        s3_running_md5_free(put->running_md5);
        put->running_md5 = NULL;
    }
    if (!reply->ok) put->md5[0] = 0; /* perhaps not of all */
    if (!reply->cancelled && !put->cancelled) judge_put(put, reply);
    s3_put_settle(put);
}

static void set_conditions(s3_put *put)
{
    s3_headers_done(&put->conditional);
    if (s3_single_conditional(put)) s3_headers_add(&put->conditional, "If-None-Match", "*");
    if (put->service->wants_md5) s3_headers_add(&put->conditional, "Content-MD5", put->hash.md5_base64);
}

static const char *known_sha256(const s3_put *put)
{
    return put->content.sha256 ? put->content.sha256 : put->sha256[0] ? put->sha256 : NULL;
}

static void put_now(s3_put *put)
{
    const char *sha256 = put->service->signing == S3_SIGN_NEVER ? NULL : known_sha256(put);
    put->request = request_for(put, "PUT", on_put);
    put->request.headers = &put->headers, put->request.more_headers = &put->conditional;
    put->request.data = put->content.data, put->request.fd = put->content.fd;
    put->request.offset = put->content.offset, put->request.size = put->content.size;
    put->request.payload = sha256 ? sha256 : S3_UNSIGNED;
    put->request.fresh_connection = put->repeated;
    if (!sha256) {
        put->running_md5 = s3_running_md5_new();
        put->request.sent = s3_running_md5_add, put->request.sent_context = put->running_md5;
    }
    set_conditions(put);
    send(put);
}

/* ---- digests first ---------------------------------------------------------------------------------- */

static void hashed(s3_put *put)
{
    sluice_failure failure;
    if (put->hash.error[0]) {
        s3_failure(&failure, SLUICE_TRANSIENT, "ContentUnreadable", "hashing what goes to %.300s: %s", put->url.data, put->hash.error);
        s3_put_fail(put, &failure);
        return;
    }
    if (put->hash.sha256[0]) strcpy(put->sha256, put->hash.sha256);
    if (put->hash.md5[0]) strcpy(put->md5, put->hash.md5);
    put_now(put);
}

static void on_hashed(void *context, bool cancelled)
{
    s3_put *put = context;
    s3_put_arrived(put);
    put->call = NULL;
    if (!cancelled && !put->cancelled) hashed(put);
    s3_put_settle(put);
}

void s3_single_start(s3_put *put)
{
    s3_hash *hash = &put->hash;
    hash->data = put->content.data, hash->fd = put->content.fd;
    hash->offset = put->content.offset, hash->size = put->content.size;
    hash->wants_sha256 = !known_sha256(put) && s3_signs_payload(put);
    hash->wants_md5 = put->service->wants_md5;
    hash->sha256[0] = hash->md5[0] = hash->error[0] = 0;
    if (!hash->wants_sha256 && !hash->wants_md5) {
        put_now(put);
    } else if (!hash->size || (hash->data && hash->size <= INLINE_HASH)) {
        s3_hash_run(hash);
        hashed(put);
    } else {
        put->open++;
        put->call = put->host->job(put->instance, s3_hash_run, on_hashed, put);
    }
}
