/* put-s3: what its files share.
 *
 *   put.c         descriptor, trigger, cancel; how a delivery ends
 *   target.c      where to: expressions, the journalled intent, the checks on keys; the object's headers
 *   single.c      is our object there already (HEAD); one PUT
 *   multipart.c   an upload in parts
 *   file-put.c    the same for a file:// endpoint, with file-store.c
 *   hash.c        digests on a worker
 *
 * The life of a delivery: target, turn, intent durable; then, if an earlier try or if_exists makes it
 * necessary, HEAD; then the upload; then a verdict. `open` counts asynchronous calls. Each completion is
 *
 *     s3_put_arrived(put); ... what it means, starting the next call or setting a verdict ...; s3_put_settle(put);
 *
 * and s3_put_settle ends the session once there is a verdict and nothing is open. Loop thread.
 */
#ifndef S3_PUT_H
#define S3_PUT_H

#include "file-store.h"
#include "hash.h"
#include "request.h"

#define S3_EFFECT_TEXT 37
#define S3_PARTS_MOST  10000

typedef enum s3_if_exists { S3_REPLACE, S3_SKIP, S3_FAIL } s3_if_exists; /* if_exists' order */

typedef struct s3_settings { /* an instance's */
    s3_service *service;
    s3_if_exists if_exists;
    uint64_t multipart_threshold, part_size;
    unsigned parts_in_parallel;
} s3_settings;

typedef enum s3_verdict {
    S3_UNDECIDED,
    S3_DELIVERED,
    S3_WAS_THERE, /* another object, and if_exists: skip */
    S3_FAILED,    /* `failure` says how */
    S3_AGAIN,     /* cancelled, or another's turn: back to the queue */
} s3_verdict;

typedef struct s3_multipart s3_multipart;

typedef struct s3_put {
    const sluice_host *host;
    sluice_instance *instance;
    sluice_session *session;
    sluice_flowfile *flowfile;
    const s3_settings *settings;
    s3_service *service;
    /* target.c */
    char *bucket, *key, effect[S3_EFFECT_TEXT];
    uint64_t part_size; /* 0: one PUT */
    bool tried;         /* the intent is of an earlier try, which may have delivered */
    s3_headers headers; /* the object's: type, metadata, effect */
    s3_text url;
    sluice_content content;
    /* what is under way */
    unsigned open;
    sluice_call *call; /* a journal's or a job's */
    s3_request request;
    s3_headers conditional; /* If-None-Match, when asked for */
    s3_hash hash;
    bool hashing, repeated, cancelled, stopping;
    s3_multipart *multipart;
    s3_file_put *file;
    /* the end */
    s3_verdict verdict;
    sluice_failure failure;
    int status;
    char etag[128], version[256], sha256[65], md5[33];
    char upload_id[2048];
} s3_put;

/* put.c */
void s3_put_arrived(s3_put *put);
void s3_put_settle(s3_put *put);
void s3_put_start(s3_put *put); /* the intent is durable */
void s3_put_fail(s3_put *put, const sluice_failure *failure);
void s3_put_fail_reply(s3_put *put, const char *what, const s3_reply *reply);
void s3_put_deliver(s3_put *put, const s3_reply *reply);
void s3_put_exists(s3_put *put); /* the target is taken by another object: as if_exists says */

/* target.c; false: `failure` is set */
bool s3_target_read(s3_put *put, sluice_failure *failure);
bool s3_target_headers(s3_put *put, sluice_failure *failure);
void s3_target_intent(const s3_put *put, s3_text *ret);
void s3_target_plan(s3_put *put); /* single or parts, for content of this size */
void s3_target_turn(const s3_put *put, s3_text *ret);
void s3_effect_make(s3_put *put);

/* single.c */
void s3_single_head(s3_put *put);
void s3_single_start(s3_put *put);
bool s3_single_conditional(const s3_put *put); /* send If-None-Match? */
bool s3_signs_payload(const s3_put *put);      /* the body's SHA-256 must be known first */

/* multipart.c */
void s3_multipart_start(s3_put *put);
/* Where an upload is, when the target was looked at: goes on with it. */
void s3_multipart_stop(s3_put *put);  /* cancels what runs */
bool s3_multipart_abort(s3_put *put); /* true: an abort was started; settle again when it arrived */
void s3_multipart_free(s3_multipart *multipart);

/* file-put.c */
void s3_file_start(s3_put *put);

extern const sluice_processor s3_put_descriptor;

#endif
