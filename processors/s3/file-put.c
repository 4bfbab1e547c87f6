/* A delivery to a file:// endpoint: one job on a worker. */
#include "put.h"

static void describe(s3_put *put)
{
    s3_text *text = &put->file_metadata;
    for (size_t i = 0; i < put->headers.count; i++) {
        if (strcmp(put->headers.items[i].name, "x-amz-meta-sluice-effect") == 0) continue; /* kept by the store */
        if (text->size) s3_text_add(text, ",");
        s3_text_json(text, put->headers.items[i].name);
        s3_text_add(text, ":");
        s3_text_json(text, put->headers.items[i].value);
    }
    s3_text_add(text, "");
}

static void judge(s3_put *put)
{
    static const s3_reply stored = {.ok = true};
    switch (put->file->outcome) {
    case S3_FILE_WRITTEN: s3_put_deliver(put, &stored, put->file->md5); break;
    case S3_FILE_EXISTS: s3_put_exists(put); break;
    case S3_FILE_FAILED: s3_put_fail(put, &put->file->failure); break;
    case S3_FILE_STOPPED: break;
    }
}

static void on_done(void *context, bool cancelled)
{
    s3_put *put = context;
    s3_put_arrived(put);
    put->call = NULL;
    if (!cancelled) judge(put);
    s3_put_settle(put);
}

static void run(void *context) { s3_file_store_put(((s3_put *)context)->file); }

void s3_file_start(s3_put *put)
{
    const sluice_content *content = &put->content;
    describe(put);
    put->file = s3_alloc(sizeof *put->file);
    *put->file = (s3_file_put){.folder = put->service->folder,
                               .bucket = put->bucket,
                               .key = put->key,
                               .effect = put->effect,
                               .metadata = put->file_metadata.data,
                               .data = content->data,
                               .fd = content->fd,
                               .offset = content->offset,
                               .size = content->size,
                               .expected_sha256 = content->sha256,
                               .replace = put->settings->if_exists == S3_REPLACE};
    put->open++;
    put->call = sluice_job(put->instance, run, on_done, put);
}
