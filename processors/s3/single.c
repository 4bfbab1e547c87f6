/* The upload by one PUT. */
#include "put.h"

static void again_if_useful(s3_put *put, const sluice_failure *failure)
{
    if (failure->class_ == SLUICE_TRANSIENT && put->rounds++ < S3_ROUNDS_MOST) s3_single_start(put);
    else s3_put_fail(put, failure);
}

static void refused(s3_put *put, const s3_reply *reply)
{
    bool taken = reply->error.status == 412 && put->body.if_absent;
    if ((taken || reply->lost) && put->rounds++ < S3_ROUNDS_MOST) s3_look(put, s3_look_done); /* tells whether it was ours */
    else if (taken) s3_put_exists(put);
    else if (reply->error.status == 501 && put->body.if_absent) {
        put->service->no_conditional = true;
        s3_single_start(put);
    } else s3_put_refused(put, "PUT", reply, s3_single_start);
}

static void on_body(void *context, s3_body *body)
{
    s3_put *put = context;
    s3_put_arrived(put);
    if (!put->cancelled) {
        if (body->outcome == S3_STORED) s3_put_deliver(put, &body->reply, NULL);
        else if (body->outcome == S3_BROKEN) again_if_useful(put, &body->failure);
        else if (body->outcome == S3_REFUSED) refused(put, &body->reply);
    }
    s3_put_settle(put);
}

void s3_single_prepare(s3_put *put)
{
    const sluice_content *content = &put->content;
    put->body = (s3_body){.service = put->service,
                          .bucket = put->bucket,
                          .key = put->key,
                          .query = "",
                          .headers = &put->headers,
                          .data = content->data,
                          .fd = content->fd,
                          .offset = content->offset,
                          .size = content->size,
                          .known_sha256 = content->sha256,
                          .known_md5 = content->md5,
                          .context = put};
}

void s3_single_start(s3_put *put)
{
    bool after_trouble = put->tried || put->rounds;
    put->body.done = on_body;
    put->body.if_absent = s3_put_conditional(put);
    put->body.fresh_connection = after_trouble && put->content.size > 1024 * 1024;
    put->open++;
    s3_body_send(&put->body);
}
