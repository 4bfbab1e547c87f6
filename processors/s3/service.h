/* The service `s3` (interface "s3/1"): an account at an endpoint. One is made for each definition; its
 * instance->data is an s3_service. Loop thread, but for what is constant after init. */
#ifndef S3_SERVICE_H
#define S3_SERVICE_H

#include "error.h"
#include "sigv4.h"

#define S3_INTERFACE "s3/1"

typedef enum s3_signing { S3_SIGN_AUTO, S3_SIGN_ALWAYS, S3_SIGN_NEVER } s3_signing; /* payload_signing's order */

typedef enum s3_addressing { S3_AUTO_ADDRESS, S3_PATH_ADDRESS, S3_VIRTUAL_ADDRESS } s3_addressing; /* addressing's order */

typedef struct s3_service {
    sluice_instance *instance;
    char *endpoint;        /* "https://host:port" or "file:///dir", without a slash at the end */
    const char *folder;    /* of a file:// endpoint, within `endpoint`; else NULL */
    const char *authority; /* "host:port", the scheme's own port left out; within `endpoint` */
    bool tls;
    s3_addressing addressing;
    s3_signing signing;
    s3_signer signer;
    char *session_token; /* or NULL */
    sluice_http_client *client;
    int64_t clock_offset_us;        /* the server's clock minus ours, once it complained */
    int64_t not_before;             /* ticks; the server asked for quiet until then */
    int64_t quiet_us;               /* how long the last quiet was that it did not ask for */
    int64_t interval_us, next_slot; /* requests_per_second */
    bool doubted;                   /* the credentials were refused: read again before each use */
    bool opaque_etag;               /* its ETags are no MD5 (SSE-KMS, SSE-C): bodies are signed instead */
    bool no_conditional;            /* it answered 501 to If-None-Match on a PUT */
    bool wants_md5;                 /* a bucket with object lock asks for Content-MD5 */
} s3_service;

extern const sluice_service s3_services[1];

/* "scheme://host/bucket/key" as it is sent; of a file:// endpoint the file's name. */
void s3_service_url(const s3_service *service, const char *bucket, const char *key, s3_text *ret);
/* The Host header, and the encoded path. */
void s3_service_place(const s3_service *service, const char *bucket, const char *key, s3_text *ret_host, s3_text *ret_path);
/* The body's SHA-256 must be known before it is sent. */
bool s3_service_signs(const s3_service *service);
/* How long the next request must wait, us; takes its slot. */
int64_t s3_service_delay(s3_service *service);
/* Reads the credentials again: their files may have changed. True: they have. */
bool s3_service_renew(s3_service *service);

/* "s3.us-west-004.backblazeb2.com" has its region in its name; false: this one does not. */
bool s3_region_of_host(const char *authority, char *region, size_t size);

#endif
