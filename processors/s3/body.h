/* One body on its way to the server: its digests, the PUT, and whether what arrived is what was sent.
 *
 * Small bodies are hashed at once. Others are hashed on a worker: before the PUT where the signature or Content-MD5
 * needs it, else at the same time, so that neither the loop waits for the digest nor the server. The ETag is compared
 * with the MD5 wherever it is one; a file whose SHA-256 is known is compared with that too.
 *
 * The owner embeds it, fills the first part, calls s3_body_send (again after done, if it likes: digests are kept),
 * and gets `done` exactly once for each, later. Loop thread.
 */
#ifndef S3_BODY_H
#define S3_BODY_H

#include "hash.h"
#include "request.h"

typedef enum s3_outcome {
    S3_STORED,
    S3_REFUSED,   /* `reply` says how */
    S3_BROKEN,    /* `failure` says what is wrong, with what arrived or with what we have */
    S3_CANCELLED, /* nobody knows how far it came */
} s3_outcome;

typedef struct s3_body s3_body;
struct s3_body {
    /* the owner's; texts and data are kept until done */
    s3_service *service;
    const char *bucket, *key, *query;
    const s3_headers *headers; /* or NULL */
    bool if_absent;            /* If-None-Match: * */
    bool fresh_connection;     /* after a refusal or a reset */
    const void *data;          /* memory, or a range of a file */
    int fd;                    /* borrowed */
    uint64_t offset, size;
    const char *known_sha256, *known_md5; /* hex, or NULL */
    void (*done)(void *context, s3_body *body);
    void *context;
    /* results; digests are "" where not computed */
    s3_outcome outcome;
    s3_reply reply;
    sluice_failure failure;
    s3_hash hash;
    /* its own */
    s3_request request;
    s3_headers extra;
    sluice_call *job;
    void *small; /* a small range of a file, read */
    bool to_send, digested, cancelled;
};

void s3_body_send(s3_body *body);
/* Computes the MD5 alone, then `done`, with S3_STORED or S3_BROKEN. False: it is there already, and nothing was
 * started. */
bool s3_body_digest(s3_body *body);
const char *s3_body_md5(const s3_body *body);    /* hex, NULL: not known yet */
const char *s3_body_sha256(const s3_body *body); /* the same */
void s3_body_cancel(s3_body *body);              /* nothing, if nothing is under way */
void s3_body_release(s3_body *body);             /* when nothing is under way */
/* The failure of content that is not what was taken any more. */
void s3_body_changed(const char *key, const char *taken, const char *found, sluice_failure *ret);

#endif
