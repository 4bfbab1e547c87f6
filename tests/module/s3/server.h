/* An S3 server for tests: objects and uploads in memory, signatures checked, and faults at chosen requests. A thread a
 * connection. One at a time; the calls are for the test's thread.
 */
#ifndef S3_TEST_SERVER_H
#define S3_TEST_SERVER_H

#include "base/base.h"

#define SERVER_KEY    "AKIDTEST"
#define SERVER_SECRET "right/secret"

void server_start(void);
void server_stop(void);
const char *server_endpoint(void); /* "http://127.0.0.1:PORT" */
void server_bucket(const char *name);

typedef enum server_fault {
    FAULT_STATUS,  /* the status and code, and nothing is done */
    FAULT_LOST,    /* it is done, and the connection ends without a reply */
    FAULT_RESET,   /* half the body is read, then the connection is reset */
    FAULT_INSIDE,  /* 200 with an <Error> of `code` as its body, and nothing is done */
    FAULT_DONE,    /* it is done, and the status and code say otherwise */
    FAULT_DAMAGED, /* stored with a byte changed */
    FAULT_HOLD,    /* not answered until server_release */
} server_fault;
/* For requests whose method is `method` and whose target holds `part`: the first `after` pass, the next `times` fail. */
void server_fail(const char *method, const char *part, unsigned after, unsigned times, server_fault fault, int status, const char *code);
void server_header(const char *line); /* with every reply from now on: "Retry-After: 2\r\n"; "" for none */
void server_release(void);
void server_secret(const char *secret); /* the one that is right */
void server_skew(int64_t seconds);      /* its clock against ours */
void server_conditional(bool known);    /* 501 to If-None-Match when not */
void server_empty_etag(bool empty);     /* in the reply of a Complete */
void server_forget_uploads(void);

unsigned server_count(const char *method, const char *part); /* requests that came */
unsigned server_held(void);                                  /* requests that wait for server_release */
unsigned server_most_at_once(void);
size_t server_uploads(void); /* open ones */

typedef struct server_object {
    char key[1200], etag[80], effect[64], type[128], sha256[65], meta[256] /* x-amz-meta-note */;
    uint64_t size;
    unsigned puts, parts;
    struct server_object *next;
} server_object;
/* NULL: none. Of "bucket/key", percent-encoded as sent. */
const server_object *server_object_at(const char *name);
void server_sha256(const void *data, size_t size, char hex[65]);
void server_place(const char *name, const char *effect); /* another's object */

#endif
