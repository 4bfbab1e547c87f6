/* An upload in parts: what multipart.c and part.c share. Loop thread.
 *
 * The journalled steps are {"upload":"ID"}, then {"part":N,"etag":"..."} for each part that is up; a later "upload"
 * makes the parts before it worthless. An upload whose id was not journalled is never gone on with.
 */
#ifndef S3_MULTIPART_H
#define S3_MULTIPART_H

#include "put.h"
#include "whole.h"

typedef struct s3_part { /* one that is under way; reused for the next */
    s3_put *put;
    unsigned number; /* from 1; 0: idle */
    unsigned tries;
    sluice_call *call; /* the journal's or a timer's */
    s3_body body;
    s3_text query;
} s3_part;

struct s3_multipart {
    unsigned count; /* of parts, with `next` and `done` of them started and up */
    unsigned next, done;
    char **etags;         /* of those that are up, else NULL */
    s3_part *parts;       /* settings->parts_in_parallel */
    bool recorded;        /* the upload's id is in the journal */
    bool gone;            /* the server does not know it any more */
    bool looked;          /* for what became of it then */
    bool may_be_complete; /* a Complete may have reached the server in an earlier try */
    bool aborted;
    s3_whole *whole; /* of a file whose SHA-256 is known */
    bool verifying;
    unsigned completes;
    s3_headers headers; /* of Complete */
    s3_text query, body;
    char payload[65];
    s3_error refusal; /* of Complete */
};

/* multipart.c */
void s3_multipart_next(s3_put *put); /* starts what can be started; after each part's end */

/* part.c */
void s3_part_start(s3_part *part, unsigned number);
void s3_part_cancel(s3_part *part);
void s3_part_free(s3_part *part); /* idle */

#endif
