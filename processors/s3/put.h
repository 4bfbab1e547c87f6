/* put-s3: what its files share.
 *
 *   s3.c          the descriptor, init
 *   put.c         trigger, cancel; how a delivery ends
 *   target.c      where to: expressions, the journalled intent, the checks on keys; the object's headers
 *   look.c        is our object there already (HEAD); making the bucket
 *   single.c      one PUT
 *   multipart.c   an upload in parts; part.c one of them
 *   file-put.c    the same for a file:// endpoint, with file-store.c
 *   body.c        a body on its way, and its digests
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

#include "body.h"
#include "file-store.h"

#define S3_EFFECT_TEXT 37
#define S3_PARTS_MOST  10000
#define S3_ROUNDS_MOST 3 /* times that one session looks at the target and begins anew */

typedef enum s3_if_exists { S3_REPLACE, S3_SKIP, S3_FAIL } s3_if_exists; /* if_exists' order */

typedef struct s3_settings { /* an instance's */
    s3_service *service;
    s3_if_exists if_exists;
    bool create_bucket;
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

typedef enum s3_seen { /* at the target */
                       S3_ABSENT,
                       S3_OURS,    /* by effect, size and, where it tells, ETag */
                       S3_DAMAGED, /* ours, but the ETag is not that of our bytes */
                       S3_OTHER,
} s3_seen;

typedef struct s3_multipart s3_multipart;

typedef struct s3_put s3_put;
struct s3_put {
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
    sluice_call *call;  /* the journal's, a job's or a timer's */
    s3_request request; /* any but a body's */
    s3_text request_body;
    char request_payload[65];
    void (*then)(s3_put *put, s3_seen seen); /* after a look */
    void (*again)(s3_put *put);              /* after making the bucket */
    s3_reply head;
    s3_body body; /* the one PUT */
    unsigned rounds;
    bool made_bucket, overwrite /* what is there is ours */, cancelled, stopping;
    s3_multipart *multipart;
    s3_file_put *file;
    s3_text file_metadata;
    /* the end */
    s3_verdict verdict;
    sluice_failure failure;
    int status;
    char etag[128], version[256];
    char upload_id[2048];
};

/* put.c */
void s3_put_arrived(s3_put *put);
void s3_put_settle(s3_put *put);
void s3_put_upload(s3_put *put); /* from the beginning, or where an earlier try got to */
void s3_put_fail(s3_put *put, const sluice_failure *failure);
void s3_put_fail_reply(s3_put *put, const char *what, const s3_reply *reply);
/* etag NULL: reply's */
void s3_put_deliver(s3_put *put, const s3_reply *reply, const char *etag);
void s3_put_exists(s3_put *put); /* the target is taken by another object: as if_exists says */
sluice_outcome s3_put_trigger(sluice_instance *instance, sluice_session *session);
void s3_put_cancel(sluice_instance *instance, sluice_session *session);

/* target.c; false: `failure` is set */
bool s3_target_read(s3_put *put, sluice_failure *failure);
bool s3_target_headers(s3_put *put, sluice_failure *failure);
bool s3_target_check_bucket(const char *bucket, sluice_failure *failure); /* permanent */
void s3_target_intent(const s3_put *put, s3_text *ret);
void s3_target_plan(s3_put *put); /* single or parts, for content of this size */
void s3_target_turn(const s3_put *put, s3_text *ret);
void s3_effect_make(s3_put *put);

/* look.c */
/* Sends put->request with the target filled in; `done` gets the put. */
void s3_put_send(s3_put *put, const s3_request *request, void (*done)(void *put, const s3_reply *reply));
/* HEAD, then `then` in a completion; what cannot be seen is a failure. The reply is put->head. */
void s3_look(s3_put *put, void (*then)(s3_put *put, s3_seen seen));
/* The usual `then`: ours is delivered, another's as if_exists says, else s3_put_upload. */
void s3_look_done(s3_put *put, s3_seen seen);
bool s3_put_conditional(const s3_put *put); /* send If-None-Match? */
/* A refusal of what begins an upload. Makes the bucket where that is wanted and goes on with `again`; else fails. */
void s3_put_refused(s3_put *put, const char *what, const s3_reply *reply, void (*again)(s3_put *put));

/* single.c */
void s3_single_prepare(s3_put *put); /* put->body, before anything is sent */
void s3_single_start(s3_put *put);

/* multipart.c */
void s3_multipart_start(s3_put *put); /* or goes on */
void s3_multipart_stop(s3_put *put);  /* cancels what runs */
bool s3_multipart_abort(s3_put *put); /* true: an abort was started; settle again when it arrived */
void s3_multipart_free(s3_multipart *multipart);
/* The ETag that all parts give, "" while one is missing or has an ETag that is no MD5. */
void s3_multipart_etag(s3_put *put, char *ret, size_t size);

/* file-put.c */
void s3_file_start(s3_put *put);

#endif
