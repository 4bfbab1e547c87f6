#include "identify-mime-type.h"

#include <stdlib.h>

#include "json-prefix.h"
#include "magic-pool.h"
#include "sluice/calls.h"
#include "types.h"

/* Every signature but that of an ISO 9660 image (at 32 KiB, within too) is near the beginning. */
enum { HEAD = 64 << 10 };

const sluice_named identify_relationships[] = {
    {.name = "success", .help = "Every FlowFile; what cannot be told is application/octet-stream."},
    {0},
};
const sluice_named identify_reads[] = {{.name = "filename", .help = "Refines what the bytes leave open."}, {0}};
const sluice_named identify_writes[] = {
    {.name = "mime.type", .help = "What the content is: image/png."},
    {.name = "mime.extension", .help = "The ending of names that goes with it: .png; removed when there is none."},
    {0},
};

typedef struct head { /* the beginning of a content */
    const char *data;
    size_t size;
    bool whole;
} head;

int identify_init(sluice_instance *instance, sluice_failure *failure)
{
    (void)failure;
    magic_pool *pool = malloc(sizeof *pool);
    if (!pool) abort();
    magic_pool_init(pool);
    instance->data = pool;
    return 0;
}

void identify_fini(sluice_instance *instance)
{
    if (!instance->data) return;
    magic_pool_done(instance->data);
    free(instance->data);
    instance->data = NULL;
}

/* By `buffer` where the content is not in memory anyway. */
static int read_head(sluice_session *session, sluice_flowfile *flowfile, char *buffer, head *ret, sluice_failure *failure)
{
    sluice_content content;
    if (!sluice_content_of(session, flowfile, &content, failure)) return -1;
    *ret = (head){content.data, content.size < HEAD ? (size_t)content.size : HEAD, content.size <= HEAD};
    if (content.data || !content.size) return 0;
    size_t size = 0;
    while (size < ret->size) {
        int64_t got = sluice_read(session, flowfile, size, buffer + size, ret->size - size, failure);
        if (got < 0) return -1;
        if (got == 0) break;
        size += (size_t)got;
    }
    ret->data = buffer, ret->size = size;
    return 0;
}

/* libmagic joins two answers in some of its rules ("audio/mpegapplication/octet-stream"). */
static void cut_joined(char *type)
{
    char *second = strstr(type + 1, "application/octet-stream");
    if (second) *second = 0;
}

static int by_bytes(magic_pool *pool, const head *head, char *ret, size_t capacity, sluice_failure *failure)
{
    if (!head->size) {
        snprintf(ret, capacity, "application/x-empty");
        return 0;
    }
    magic_t cookie = magic_pool_take(pool, failure);
    if (!cookie) return -1;
    const char *found = magic_buffer(cookie, head->data, head->size);
    snprintf(ret, capacity, "%s", found ? type_usual(found) : "application/octet-stream");
    magic_pool_give(pool, cookie);
    cut_joined(ret);
    if (strcmp(ret, "text/plain") == 0 && json_prefix(head->data, head->size, head->whole)) snprintf(ret, capacity, "application/json");
    return 0;
}

static void refine(char *type, size_t capacity, sluice_text filename)
{
    const char *named = filename.data ? type_of_name(filename.data, filename.size) : NULL;
    if (named && type_refines(type, named)) snprintf(type, capacity, "%s", named);
}

static void set_type(sluice_session *session, sluice_flowfile *flowfile, const char *type)
{
    char extension[16];
    const char *known = type_extension(type);
    snprintf(extension, sizeof extension, ".%s", known ? known : "");
    sluice_set(session, flowfile, "mime.type", type);
    if (known) sluice_set(session, flowfile, "mime.extension", extension);
    else sluice_unset(session, flowfile, "mime.extension");
}

static void identify_one(magic_pool *pool, sluice_session *session, sluice_flowfile *flowfile, char *buffer)
{
    head head;
    char type[128];
    sluice_failure failure = {0};
    if (read_head(session, flowfile, buffer, &head, &failure) < 0 || by_bytes(pool, &head, type, sizeof type, &failure) < 0) {
        set_type(session, flowfile, "application/octet-stream");
        sluice_fail(session, flowfile, "success", &failure);
        return;
    }
    refine(type, sizeof type, sluice_attribute(session, flowfile, "filename"));
    set_type(session, flowfile, type);
    sluice_transfer(session, flowfile, "success");
}

sluice_outcome identify_trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    char *buffer = flowfile ? malloc(HEAD) : NULL;
    if (flowfile && !buffer) abort();
    for (; flowfile; flowfile = sluice_get(session)) identify_one(instance->data, session, flowfile, buffer);
    free(buffer);
    return SLUICE_DONE;
}
