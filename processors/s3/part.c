/* One part of an upload: sent, verified, journalled; repeated a few times where the server fails in passing. */
#include "multipart.h"

#include <stdio.h>

#define TRIES_MOST 4
#define REPEAT_US  (500 * 1000LL) /* doubles with each */

static void idle(s3_part *part) { part->number = 0; }

static void go_on(s3_put *put)
{
    s3_multipart_next(put);
    s3_put_settle(put);
}

/* ---- in the journal ------------------------------------------------------------------------------------- */

static void on_recorded(void *context, bool cancelled)
{
    s3_part *part = context;
    s3_put *put = part->put;
    s3_multipart *multipart = put->multipart;
    s3_put_arrived(put);
    part->call = NULL;
    if (!cancelled) {
        const char *etag = part->body.reply.etag[0] ? part->body.reply.etag : s3_body_md5(&part->body);
        multipart->etags[part->number - 1] = s3_copy(etag ? etag : "", etag ? strlen(etag) : 0);
        multipart->done++;
    }
    idle(part);
    go_on(put);
}

static void record(s3_part *part)
{
    s3_text step = {0};
    const char *etag = part->body.reply.etag[0] ? part->body.reply.etag : s3_body_md5(&part->body);
    s3_text_printf(&step, "{\"part\":%u,\"etag\":", part->number);
    s3_text_json(&step, etag ? etag : "");
    s3_text_add(&step, "}");
    part->put->open++;
    part->call = sluice_progress(part->put->session, part->put->flowfile, step.data, on_recorded, part);
    s3_text_done(&step);
}

/* ---- on its way ----------------------------------------------------------------------------------------- */

static void send(s3_part *part)
{
    part->body.fresh_connection = part->tries > 0;
    part->tries++;
    part->put->open++;
    s3_body_send(&part->body);
}

static void on_due(void *context, bool cancelled)
{
    s3_part *part = context;
    s3_put *put = part->put;
    s3_put_arrived(put);
    part->call = NULL;
    if (cancelled || put->verdict || put->cancelled || put->multipart->gone) idle(part);
    else send(part);
    go_on(put);
}

static void repeat(s3_part *part)
{
    part->put->open++;
    part->call = sluice_timer(part->put->instance, REPEAT_US << (part->tries - 1), on_due, part);
}

static void refused(s3_part *part, const s3_reply *reply)
{
    sluice_class class_ = s3_error_class(reply->error.status, reply->error.code);
    bool passing = class_ == SLUICE_TRANSIENT && !reply->error.configuration;
    if (strcmp(reply->error.code, "NoSuchUpload") == 0) {
        part->put->multipart->gone = true;
        idle(part);
    } else if (passing && part->tries < TRIES_MOST && !part->put->verdict) repeat(part);
    else {
        s3_put_fail_reply(part->put, "PUT of a part of", reply);
        idle(part);
    }
}

static void broken(s3_part *part, const sluice_failure *failure)
{
    if (failure->class_ == SLUICE_TRANSIENT && part->tries < TRIES_MOST && !part->put->verdict) repeat(part);
    else {
        s3_put_fail(part->put, failure);
        idle(part);
    }
}

static void on_body(void *context, s3_body *body)
{
    s3_part *part = context;
    s3_put *put = part->put;
    s3_put_arrived(put);
    if (put->cancelled || body->outcome == S3_CANCELLED) idle(part);
    else if (body->outcome == S3_STORED) record(part);
    else if (body->outcome == S3_BROKEN) broken(part, &body->failure);
    else refused(part, &body->reply);
    go_on(put);
}

void s3_part_start(s3_part *part, unsigned number)
{
    s3_put *put = part->put;
    const sluice_content *content = &put->content;
    uint64_t start = (number - 1) * put->part_size;
    s3_text_clear(&part->query);
    s3_text_printf(&part->query, "partNumber=%u&uploadId=", number);
    s3_text_percent(&part->query, put->upload_id, strlen(put->upload_id), "");
    s3_body_release(&part->body);
    part->number = number, part->tries = 0;
    part->body = (s3_body){.service = put->service,
                           .bucket = put->bucket,
                           .key = put->key,
                           .query = part->query.data,
                           .data = content->data ? (const char *)content->data + start : NULL,
                           .fd = content->fd,
                           .offset = content->offset + start,
                           .size = S3_MIN(put->part_size, content->size - start),
                           .done = on_body,
                           .context = part};
    send(part);
}

void s3_part_cancel(s3_part *part)
{
    if (!part->number) return;
    sluice_cancel(part->put->instance, part->call);
    s3_body_cancel(&part->body);
}

void s3_part_free(s3_part *part)
{
    s3_body_release(&part->body);
    s3_text_done(&part->query);
}
