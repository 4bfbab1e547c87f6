/* Is our object there already (HEAD)? And making the bucket that is not. */
#include "put.h"

#include <stdio.h>

bool s3_put_conditional(const s3_put *put)
{
    return put->settings->if_exists != S3_REPLACE && !put->overwrite && !put->service->no_conditional;
}

void s3_put_send(s3_put *put, const s3_request *request, void (*done)(void *put, const s3_reply *reply))
{
    put->request = *request;
    put->request.service = put->service;
    put->request.bucket = put->bucket;
    if (!put->request.key) put->request.key = put->key;
    if (!put->request.query) put->request.query = "";
    put->request.fd = -1;
    if (!put->request.payload) put->request.payload = S3_EMPTY_SHA256;
    put->request.done = done, put->request.context = put;
    put->open++;
    s3_request_send(&put->request);
}

/* ---- HEAD ------------------------------------------------------------------------------------------ */

/* The ETag of our object must be that of our bytes, where it is a digest at all: a server that stored a damaged body
 * under our effect id may have been cut off before it could be told. */
static s3_seen compare(s3_put *put)
{
    char parts[64];
    const s3_reply *head = &put->head;
    const char *expected = s3_body_md5(&put->body);
    if (put->part_size) {
        s3_multipart_etag(put, parts, sizeof parts);
        expected = parts;
    }
    if (!expected || !*expected || !head->plain_etag || strlen(head->etag) != strlen(expected)) return S3_OURS;
    return strcasecmp(head->etag, expected) == 0 ? S3_OURS : S3_DAMAGED;
}

static void on_digest(void *context, s3_body *body)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (body->outcome == S3_BROKEN) s3_put_fail(put, &body->failure);
    else if (body->outcome == S3_STORED && !put->cancelled) put->then(put, compare(put));
    s3_put_settle(put);
}

static void found_ours(s3_put *put)
{
    bool digest_tells = !put->part_size && put->head.plain_etag && strlen(put->head.etag) == 32;
    put->body.done = on_digest;
    if (digest_tells && s3_body_digest(&put->body)) put->open++;
    else put->then(put, compare(put));
}

static void judge(s3_put *put, const s3_reply *reply)
{
    put->head = *reply;
    if (reply->ok && strcmp(reply->effect, put->effect) == 0 && reply->size == put->content.size) found_ours(put);
    else if (reply->ok) put->then(put, S3_OTHER);
    else if (reply->error.status == 404) put->then(put, S3_ABSENT);
    /* Who may not list gets 403 for what is not there: the upload will tell. */
    else if (reply->error.status == 403 && put->settings->if_exists == S3_REPLACE) put->then(put, S3_ABSENT);
    else s3_put_fail_reply(put, "HEAD", reply);
}

static void on_head(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (!reply->cancelled && !put->cancelled) judge(put, reply);
    s3_put_settle(put);
}

void s3_look(s3_put *put, void (*then)(s3_put *put, s3_seen seen))
{
    bool after_trouble = put->tried || put->rounds;
    put->then = then;
    s3_put_send(put, &(s3_request){.method = "HEAD", .fresh_connection = after_trouble}, on_head);
}

void s3_look_done(s3_put *put, s3_seen seen)
{
    const s3_reply *head = &put->head;
    put->overwrite = seen == S3_DAMAGED;
    if (seen == S3_OURS) s3_put_deliver(put, head, NULL);
    else if (seen == S3_OTHER && put->settings->if_exists != S3_REPLACE) {
        s3_fits(put->etag, sizeof put->etag, head->etag, strlen(head->etag));
        put->status = head->error.status;
        s3_put_exists(put);
    } else s3_put_upload(put);
}

/* ---- the bucket ---------------------------------------------------------------------------------------- */

static bool stands(const s3_reply *reply) { return reply->ok || strcmp(reply->error.code, "BucketAlreadyOwnedByYou") == 0; }

static void on_bucket(void *context, const s3_reply *reply)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (reply->ok) sluice_log(put->instance, SLUICE_LOG_INFO, "created bucket %s at %s", put->bucket, put->service->endpoint);
    if (!stands(reply)) s3_put_fail_reply(put, "creating the bucket for PUT", reply);
    else if (!put->cancelled) put->again(put);
    s3_put_settle(put);
}

/* us-east-1 is the region of a bucket without a constraint, and no constraint's value. */
static void create_bucket(s3_put *put)
{
    const char *region = put->service->signer.region;
    s3_request request = {.method = "PUT", .key = ""};
    s3_text_clear(&put->request_body);
    if (strcmp(region, "us-east-1") != 0) {
        s3_text_add(&put->request_body,
                    "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>");
        s3_text_xml(&put->request_body, region);
        s3_text_add(&put->request_body, "</LocationConstraint></CreateBucketConfiguration>");
        s3_sha256_hex(put->request_body.data, put->request_body.size, put->request_payload);
        request.data = put->request_body.data, request.size = put->request_body.size, request.payload = put->request_payload;
    }
    s3_put_send(put, &request, on_bucket);
}

void s3_put_refused(s3_put *put, const char *what, const s3_reply *reply, void (*again)(s3_put *put))
{
    bool no_bucket = strcmp(reply->error.code, "NoSuchBucket") == 0;
    if (!no_bucket || !put->settings->create_bucket || put->made_bucket) {
        s3_put_fail_reply(put, what, reply);
        return;
    }
    put->made_bucket = true;
    put->again = again;
    create_bucket(put);
}
