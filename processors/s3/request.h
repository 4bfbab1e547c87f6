/* One signed request to an S3 server. The owner embeds it, fills the first part, calls s3_request_send, and gets
 * `done` exactly once, later. Loop thread. A clock that differs is corrected, and credentials that were renewed are
 * used, by repeating the request once each, within. */
#ifndef S3_REQUEST_H
#define S3_REQUEST_H

#include "service.h"
#include "xml.h"

typedef struct s3_headers { /* owned texts */
    struct {
        char *name, *value;
    } * items;
    size_t count;
} s3_headers;
void s3_headers_add(s3_headers *headers, const char *name, const char *value);
void s3_headers_done(s3_headers *headers);

typedef struct s3_reply {
    s3_error error;
    bool ok; /* a status of success, and no error in the body */
    bool cancelled;
    bool lost;       /* no reply to a request that may have reached the server */
    bool plain_etag; /* the ETag of a single PUT is the body's MD5: no KMS, no customer's key */
    char etag[128], version[256], effect[64];
    uint64_t size; /* Content-Length of a HEAD */
    s3_xml xml;
} s3_reply;

typedef struct s3_request s3_request;
struct s3_request {
    /* the owner's; texts and data are kept until done */
    s3_service *service;
    const char *method, *bucket, *key;
    const char *query;              /* encoded, "" for none */
    const s3_headers *headers;      /* or NULL */
    const s3_headers *more_headers; /* or NULL */
    const void *data;               /* body: memory, or a range of a file */
    int fd;
    uint64_t offset, size;
    const char *payload; /* hex SHA-256 or S3_UNSIGNED */
    bool fresh_connection;
    int64_t timeout_us; /* 0: none but the service's */
    void (*done)(void *context, const s3_reply *reply);
    void *context;
    /* its own */
    sluice_call *call;
    bool corrected, renewed, cancelled;
    char refusal[256];
};

void s3_request_send(s3_request *request);
void s3_request_cancel(s3_request *request); /* nothing, if none is under way */

/* "Fri, 24 May 2013 00:00:00 GMT" in us since 1970; false: not that form. */
bool s3_http_date(sluice_text text, int64_t *ret_us);

#endif
