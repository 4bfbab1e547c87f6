/* AWS Signature Version 4. A signer keeps the day's key, so one signer belongs to one thread. */
#ifndef S3_SIGV4_H
#define S3_SIGV4_H

#include "text.h"

#define S3_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_UNSIGNED     "UNSIGNED-PAYLOAD"
#define S3_AMZ_DATE     17 /* "20150830T123600Z" and its end */

typedef struct s3_signer {
    char *access_key, *secret, *region;
    const char *service; /* "s3" */
    char day[9];         /* that `key` is for */
    unsigned char key[32];
} s3_signer;

void s3_signer_init(s3_signer *signer, const char *access_key, const char *secret, const char *region, const char *service);
void s3_signer_done(s3_signer *signer); /* wipes the secret */

typedef struct s3_signed_header {
    const char *name, *value; /* any case; all of those given are signed */
} s3_signed_header;

typedef struct s3_to_sign {
    const char *method;
    const char *path;  /* percent-encoded, as it is sent */
    const char *query; /* percent-encoded "a=b&c", any order, or "" */
    const s3_signed_header *headers;
    size_t header_count;
    const char *payload; /* hex SHA-256 of the body, or S3_UNSIGNED */
    const char *date;    /* x-amz-date's value */
} s3_to_sign;

void s3_amz_date(int64_t now_us, char date[S3_AMZ_DATE]);
/* The Authorization header's value is appended to `ret`. */
void s3_sign(s3_signer *signer, const s3_to_sign *what, s3_text *ret);

void s3_sha256_hex(const void *data, size_t size, char hex[65]);

#endif
