/* What an S3 server's refusal means: whose fault it is, and what to do. Any thread. */
#ifndef S3_ERROR_H
#define S3_ERROR_H

#include "sluice/calls.h"

typedef struct s3_error {
    int status;         /* 0: no reply */
    char code[128];     /* S3's, or "" */
    char message[512];  /* S3's, or the transport's words */
    char region[64];    /* the right one, where the server says it */
    bool configuration; /* of a transport error: only an operator mends it */
} s3_error;

sluice_class s3_error_class(int status, const char *code);
/* Wrong, unknown or expired keys, or perhaps so: a HEAD's 403 does not say. */
bool s3_error_of_credentials(const s3_error *error);
/* `what` and `url` name the request: "PUT", "https://host/bucket/key". */
void s3_error_failure(const s3_error *error, const char *what, const char *url, sluice_failure *ret);

#endif
