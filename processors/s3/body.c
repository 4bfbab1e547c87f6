#include "body.h"

#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>

#define SMALL (64 * 1024) /* hashed on the loop: less than a job costs */

const char *s3_body_md5(const s3_body *body)
{
    if (body->known_md5) return body->known_md5;
    return body->digested && body->hash.md5[0] ? body->hash.md5 : NULL;
}

const char *s3_body_sha256(const s3_body *body)
{
    if (body->known_sha256) return body->known_sha256;
    return body->digested && body->hash.sha256[0] ? body->hash.sha256 : NULL;
}

static bool sending(const s3_body *body) { return body->request.call != NULL; }
static bool hashing(const s3_body *body) { return body->job != NULL; }

/* Whether the PUT has to wait for the digests. */
static bool digest_first(const s3_body *body)
{
    if (s3_service_signs(body->service) && !s3_body_sha256(body)) return true;
    return body->service->wants_md5 && !s3_body_md5(body);
}

static void broke(s3_body *body, const sluice_failure *failure)
{
    if (body->outcome == S3_BROKEN) return;
    body->outcome = S3_BROKEN;
    body->failure = *failure;
    body->to_send = false;
    s3_request_cancel(&body->request);
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static void compare_etag(s3_body *body)
{
    sluice_failure failure;
    const char *md5 = s3_body_md5(body), *etag = body->reply.etag;
    if (!md5 || !body->reply.plain_etag || strlen(etag) != 32 || strcasecmp(etag, md5) == 0) return;
    sluice_refuse(&failure, SLUICE_TRANSIENT, "BadDigest",
                  "PUT %.300s of bucket %.64s: expected the ETag %s, the MD5 of what was sent, found %s; it is sent again", body->key,
                  body->bucket, md5, etag);
    broke(body, &failure);
}

static void put_when_ready(s3_body *body);

static void advance(s3_body *body)
{
    put_when_ready(body);
    if (sending(body) || hashing(body)) return;
    s3_headers_done(&body->extra);
    if (body->outcome == S3_STORED && body->reply.ok) compare_etag(body);
    if (body->cancelled && body->outcome != S3_BROKEN) body->outcome = S3_CANCELLED;
    body->done(body->context, body);
}

/* ---- is it still what was taken ------------------------------------------------------------------------------ */

void s3_body_changed(const char *key, const char *taken, const char *found, sluice_failure *ret)
{
    sluice_refuse(
        ret, SLUICE_PERMANENT, "ContentChanged",
        "%.300s: the content was taken with SHA-256 %.64s, its file now has %.64s: it was changed or is damaged; what was sent is "
        "not taken as delivered",
        key, taken, found);
}

static void compare_sha256(s3_body *body)
{
    sluice_failure failure;
    if (!body->known_sha256 || !body->hash.sha256[0] || strcasecmp(body->known_sha256, body->hash.sha256) == 0) return;
    s3_body_changed(body->key, body->known_sha256, body->hash.sha256, &failure);
    broke(body, &failure);
}

/* The bytes that arrived were not those that were signed: perhaps ours are not what they were. */
static bool doubts_content(const s3_reply *reply)
{
    return strcmp(reply->error.code, "XAmzContentSHA256Mismatch") == 0 || strcmp(reply->error.code, "BadDigest") == 0;
}

static void verify_small(s3_body *body)
{
    if (!body->known_sha256 || body->size > SMALL || body->hash.sha256[0]) return;
    body->hash.wants_sha256 = true, body->hash.wants_md5 = false;
    s3_hash_run(&body->hash);
    compare_sha256(body);
}

/* ---- the PUT ------------------------------------------------------------------------------------------- */

/* A bucket with object lock asks for what others do not need. */
static bool asks_for_md5(const s3_body *body, const s3_reply *reply)
{
    return reply->error.status == 400 && !body->service->wants_md5 && strstr(reply->error.message, "Content-MD5");
}

static void on_reply(void *context, const s3_reply *reply)
{
    s3_body *body = context;
    body->reply = *reply;
    if (body->outcome == S3_BROKEN || body->cancelled) atomic_store(&body->hash.stop, true);
    else if (asks_for_md5(body, reply)) body->service->wants_md5 = body->to_send = true;
    else if (!reply->ok) {
        body->outcome = reply->cancelled ? S3_CANCELLED : S3_REFUSED;
        if (doubts_content(reply)) verify_small(body); /* a worker's verification goes on to its end */
        else atomic_store(&body->hash.stop, true);
    } else if (!reply->plain_etag) body->service->opaque_etag = true;
    advance(body);
}

static void add_content_md5(s3_body *body)
{
    unsigned char digest[16];
    const char *md5 = s3_body_md5(body);
    s3_text text = {0};
    if (!s3_unhex(md5, strlen(md5), digest, sizeof digest)) return;
    s3_text_base64(&text, digest, sizeof digest);
    s3_headers_add(&body->extra, "Content-MD5", text.data);
    s3_text_done(&text);
}

static void put_when_ready(s3_body *body)
{
    if (!body->to_send || body->cancelled || (hashing(body) && digest_first(body))) return;
    const char *sha256 = body->service->signing == S3_SIGN_NEVER ? NULL : s3_body_sha256(body);
    body->to_send = false;
    s3_headers_done(&body->extra);
    if (body->if_absent) s3_headers_add(&body->extra, "If-None-Match", "*");
    if (body->service->wants_md5) add_content_md5(body);
    body->request = (s3_request){.service = body->service,
                                 .method = "PUT",
                                 .bucket = body->bucket,
                                 .key = body->key,
                                 .query = body->query,
                                 .headers = body->headers,
                                 .more_headers = &body->extra,
                                 .data = body->small ? body->small : body->data,
                                 .fd = body->fd,
                                 .offset = body->offset,
                                 .size = body->size,
                                 .payload = sha256 ? sha256 : S3_UNSIGNED,
                                 .fresh_connection = body->fresh_connection,
                                 .done = on_reply,
                                 .context = body};
    s3_request_send(&body->request);
}

/* ---- digests --------------------------------------------------------------------------------------------- */

static void take_digests(s3_body *body)
{
    sluice_failure failure;
    bool stopped = atomic_load(&body->hash.stop);
    body->digested = !body->hash.error[0];
    if (body->digested) compare_sha256(body);
    else if (!stopped) {
        sluice_refuse(&failure, SLUICE_TRANSIENT, "ContentUnreadable", "hashing what goes to %.300s: %s", body->key, body->hash.error);
        broke(body, &failure);
    }
}

static void on_hashed(void *context, bool cancelled)
{
    s3_body *body = context;
    body->job = NULL;
    if (!cancelled) take_digests(body);
    else if (body->outcome == S3_STORED) body->cancelled = true; /* by the host */
    advance(body);
}

/* A small file is read by the loop in any case; read whole it is hashed and goes out together with its headers. A
 * failure is left to the worker, which can report it. */
static void read_small(s3_body *body)
{
    if (body->data || body->small || !body->size || body->size > SMALL) return;
    body->small = s3_alloc(body->size);
    if (s3_read_at(body->fd, body->small, body->size, body->offset) == (int64_t)body->size) return;
    free(body->small);
    body->small = NULL;
}

static void run_hash(void *context) { s3_hash_run(&((s3_body *)context)->hash); }

static void start_hash(s3_body *body, bool md5_only)
{
    s3_hash *hash = &body->hash;
    hash->data = body->small ? body->small : body->data, hash->fd = body->fd;
    hash->offset = body->offset, hash->size = body->size;
    bool at_once = !hash->size || (hash->data && hash->size <= SMALL);
    bool verify = body->known_sha256 && !at_once && !hash->data;
    hash->wants_sha256 = !md5_only && (body->known_sha256 ? verify : s3_service_signs(body->service));
    hash->wants_md5 = !body->known_md5;
    hash->sha256[0] = hash->md5[0] = hash->error[0] = 0;
    atomic_store(&hash->stop, false);
    if (!hash->wants_sha256 && !hash->wants_md5) return;
    if (!at_once) body->job = sluice_job(body->service->instance, run_hash, on_hashed, body);
    else {
        s3_hash_run(hash);
        body->digested = true;
    }
}

/* ---- the owner's calls ------------------------------------------------------------------------------------ */

static void begin(s3_body *body)
{
    body->outcome = S3_STORED;
    body->reply = (s3_reply){0};
    body->cancelled = false;
    read_small(body);
}

void s3_body_send(s3_body *body)
{
    begin(body);
    if (!body->digested || (s3_service_signs(body->service) && !s3_body_sha256(body))) start_hash(body, false);
    body->to_send = true;
    put_when_ready(body);
}

bool s3_body_digest(s3_body *body)
{
    if (s3_body_md5(body)) return false;
    begin(body);
    start_hash(body, true);
    return hashing(body);
}

void s3_body_cancel(s3_body *body)
{
    if (!sending(body) && !hashing(body)) return;
    body->cancelled = true;
    body->to_send = false;
    atomic_store(&body->hash.stop, true);
    sluice_cancel(body->service->instance, body->job);
    s3_request_cancel(&body->request);
}

void s3_body_release(s3_body *body)
{
    s3_headers_done(&body->extra);
    free(body->small);
    body->small = NULL;
}
