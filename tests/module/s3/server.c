#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "s3/sigv4.h"

enum { MOST_CONNECTIONS = 512, MOST_FAULTS = 16, MOST_LOG = 4096, MOST_BUCKETS = 8, MOST_PARTS = 16 };

typedef struct fault {
    char method[16], part[256], code[64];
    unsigned after, times;
    server_fault kind;
    int status;
} fault;

typedef struct part {
    char *data;
    uint64_t size;
    char etag[80];
} part;

typedef struct upload {
    char id[32], name[1200], effect[64], type[128], meta[256];
    part parts[MOST_PARTS];
    struct upload *next;
} upload;

static struct server {
    int listener, stop[2];
    char endpoint[64], secret[128], header[256];
    pthread_t acceptor, threads[MOST_CONNECTIONS];
    int fds[MOST_CONNECTIONS];
    atomic_int opened;
    pthread_mutex_t lock;
    pthread_cond_t released;
    bool hold, no_conditional, empty_etag, ending;
    unsigned held, active, most_active, log_count, next_upload;
    int64_t skew;
    char buckets[MOST_BUCKETS][80];
    fault faults[MOST_FAULTS];
    unsigned fault_count, bucket_count;
    char *log[MOST_LOG];
    server_object *objects;
    upload *uploads;
} server;

typedef struct request {
    int fd;
    char head[32768];
    size_t head_size, early;
    char method[16], target[4096], name[2048], query[2048];
    char *body;
    uint64_t size;
} request;

/* ---- reading and answering ------------------------------------------------------------------------------ */

static bool ready(int fd)
{
    struct pollfd wait[2] = {{fd, POLLIN, 0}, {server.stop[0], POLLIN, 0}};
    while (poll(wait, 2, -1) < 0 && errno == EINTR) {}
    return !wait[1].revents;
}

static bool header(const request *in, const char *name, char *to, size_t size)
{
    size_t length = strlen(name);
    *to = 0;
    for (const char *line = in->head; (line = strstr(line, "\r\n"));) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
        line += length + 1 + strspn(line + length + 1, " ");
        snprintf(to, size, "%.*s", (int)strcspn(line, "\r"), line);
        return true;
    }
    return false;
}

static bool read_head(request *in)
{
    size_t size = 0;
    char *end = NULL, length[32];
    while (!end) {
        if (size + 1 >= sizeof in->head || !ready(in->fd)) return false;
        ssize_t got = recv(in->fd, in->head + size, sizeof in->head - 1 - size, 0);
        if (got <= 0) return false;
        size += (size_t)got;
        in->head[size] = 0;
        end = memmem(in->head, size, "\r\n\r\n", 4);
    }
    in->head_size = (size_t)(end - in->head) + 4;
    in->early = size - in->head_size;
    in->size = header(in, "Content-Length", length, sizeof length) ? strtoull(length, NULL, 10) : 0;
    in->body = sl_alloc(in->size + 1);
    memcpy(in->body, in->head + in->head_size, in->early);
    in->head[in->head_size] = 0;
    sscanf(in->head, "%15s %4095s", in->method, in->target);
    snprintf(in->name, sizeof in->name, "%.*s", (int)strcspn(in->target + 1, "?"), in->target + 1);
    snprintf(in->query, sizeof in->query, "%s", strchr(in->target, '?') ? strchr(in->target, '?') + 1 : "");
    return true;
}

static bool read_body(request *in, uint64_t most)
{
    char expect[32];
    if (header(in, "Expect", expect, sizeof expect)) send(in->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
    for (uint64_t have = in->early; have < most;) {
        if (!ready(in->fd)) return false;
        ssize_t got = recv(in->fd, in->body + have, most - have, 0);
        if (got <= 0) return false;
        have += (uint64_t)got;
    }
    return true;
}

static void answer(const request *in, int status, const char *headers, const char *body)
{
    sl_buf text = SL_BUF(1 << 20);
    char date[64];
    time_t now = time(NULL) + (time_t)server.skew;
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    bool head = strcmp(in->method, "HEAD") == 0;
    sl_buf_printf(&text, "HTTP/1.1 %d Answer\r\nDate: %s\r\n%s%s", status, date, headers, server.header);
    if (!strstr(headers, "Content-Length")) sl_buf_printf(&text, "Content-Length: %zu\r\n", head ? 0 : strlen(body));
    sl_buf_printf(&text, "\r\n%s", head ? "" : body);
    for (size_t at = 0; at < text.size;) {
        ssize_t wrote = send(in->fd, text.data + at, text.size - at, MSG_NOSIGNAL);
        if (wrote <= 0) break;
        at += (size_t)wrote;
    }
    sl_buf_done(&text);
}

static void refuse(const request *in, int status, const char *code)
{
    char body[512];
    snprintf(body, sizeof body, "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>%s by the test</Message></Error>", code, code);
    answer(in, status, "Content-Type: application/xml\r\n", *code ? body : "");
}

/* ---- digests and signatures ------------------------------------------------------------------------------- */

static void digest(const EVP_MD *kind, const void *data, size_t size, char *hex)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(data, size, bytes, &length, kind, NULL);
    sl_hex(bytes, length, hex);
}

/* Signs what came as the client should have. */
static bool signature_right(const request *in)
{
    char given[2048], names[1024], values[32][1024], date[64], payload[80], region[64] = "";
    s3_signed_header headers[32];
    size_t count = 0;
    if (!header(in, "Authorization", given, sizeof given) || !strstr(given, "Credential=" SERVER_KEY "/")) return false;
    sscanf(strstr(given, "Credential=") + strlen("Credential=" SERVER_KEY "/00000000/"), "%63[^/]", region);
    sscanf(strstr(given, "SignedHeaders=") + 14, "%1023[^,]", names);
    for (char *save, *name = strtok_r(names, ";", &save); name && count < 32; name = strtok_r(NULL, ";", &save)) {
        header(in, name, values[count], sizeof values[count]);
        headers[count] = (s3_signed_header){name, values[count]};
        count++;
    }
    header(in, "x-amz-date", date, sizeof date);
    header(in, "x-amz-content-sha256", payload, sizeof payload);
    char path[2100];
    snprintf(path, sizeof path, "/%s", in->name);
    s3_signer signer;
    s3_text expected = {0};
    s3_signer_init(&signer, SERVER_KEY, server.secret, region, "s3");
    s3_sign(&signer, &(s3_to_sign){in->method, path, in->query, headers, count, payload, date}, &expected);
    bool right = strcmp(expected.data, given) == 0;
    s3_text_done(&expected);
    s3_signer_done(&signer);
    return right;
}

static bool skewed(const request *in)
{
    char date[64], ours[S3_AMZ_DATE];
    header(in, "x-amz-date", date, sizeof date);
    for (int64_t minute = -15; minute <= 15; minute++) {
        s3_amz_date(((int64_t)time(NULL) + server.skew + minute * 60) * 1000000, ours);
        if (strncmp(ours, date, 11) == 0) return false; /* the same hour is near enough for a test */
    }
    return true;
}

static bool payload_right(const request *in)
{
    char given[80], own[65];
    header(in, "x-amz-content-sha256", given, sizeof given);
    digest(EVP_sha256(), in->body, in->size, own);
    return strcmp(given, S3_UNSIGNED) == 0 || strcmp(given, own) == 0;
}

/* ---- objects ------------------------------------------------------------------------------------------------ */

static server_object *find(const char *name)
{
    for (server_object *at = server.objects; at; at = at->next)
        if (strcmp(at->key, name) == 0) return at;
    return NULL;
}

static server_object *make(const char *name)
{
    server_object *object = find(name);
    if (!object) {
        object = SL_NEW(server_object);
        object->next = server.objects;
        server.objects = object;
        snprintf(object->key, sizeof object->key, "%s", name);
    }
    object->puts++;
    return object;
}

static bool has_bucket(const char *name)
{
    size_t size = strcspn(name, "/");
    for (unsigned i = 0; i < server.bucket_count; i++)
        if (strlen(server.buckets[i]) == size && strncmp(server.buckets[i], name, size) == 0) return true;
    return false;
}

/* Answers itself when the condition does not hold. */
static bool condition_holds(const request *in)
{
    char condition[64];
    if (!header(in, "If-None-Match", condition, sizeof condition)) return true;
    if (server.no_conditional) refuse(in, 501, "NotImplemented");
    else if (find(in->name)) refuse(in, 412, "PreconditionFailed");
    else return true;
    return false;
}

static void put_object(const request *in)
{
    char headers[256];
    if (!condition_holds(in)) return;
    server_object *object = make(in->name);
    object->size = in->size, object->parts = 0;
    digest(EVP_md5(), in->body, in->size, object->etag);
    digest(EVP_sha256(), in->body, in->size, object->sha256);
    header(in, "x-amz-meta-sluice-effect", object->effect, sizeof object->effect);
    header(in, "x-amz-meta-note", object->meta, sizeof object->meta);
    header(in, "Content-Type", object->type, sizeof object->type);
    snprintf(headers, sizeof headers, "ETag: \"%s\"\r\nx-amz-version-id: v%u\r\n", object->etag, object->puts);
    answer(in, 200, headers, "");
}

static void head_object(const request *in)
{
    char headers[512];
    const server_object *object = find(in->name);
    if (!object) {
        refuse(in, 404, "");
        return;
    }
    snprintf(headers, sizeof headers, "ETag: \"%s\"\r\nx-amz-meta-sluice-effect: %s\r\nContent-Length: %llu\r\n", object->etag,
             object->effect, (unsigned long long)object->size);
    answer(in, 200, headers, "");
}

static void put_bucket(const request *in)
{
    size_t size = strcspn(in->name, "/");
    if (has_bucket(in->name)) {
        refuse(in, 409, "BucketAlreadyOwnedByYou");
        return;
    }
    snprintf(server.buckets[server.bucket_count++], sizeof server.buckets[0], "%.*s", (int)size, in->name);
    answer(in, 200, "", "");
}

/* ---- uploads --------------------------------------------------------------------------------------------------- */

static upload *find_upload(const request *in)
{
    const char *id = strstr(in->query, "uploadId=");
    for (upload *at = server.uploads; id && at; at = at->next)
        if (strcmp(at->id, id + 9) == 0 && strcmp(at->name, in->name) == 0) return at;
    return NULL;
}

static void end_upload(upload *gone)
{
    upload **at = &server.uploads;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
    for (int i = 0; i < MOST_PARTS; i++) free(gone->parts[i].data);
    free(gone);
}

static void create_upload(const request *in)
{
    char body[512];
    upload *made = SL_NEW(upload);
    snprintf(made->id, sizeof made->id, "up.%u~x", ++server.next_upload);
    snprintf(made->name, sizeof made->name, "%s", in->name);
    header(in, "x-amz-meta-sluice-effect", made->effect, sizeof made->effect);
    header(in, "x-amz-meta-note", made->meta, sizeof made->meta);
    header(in, "Content-Type", made->type, sizeof made->type);
    made->next = server.uploads;
    server.uploads = made;
    snprintf(body, sizeof body,
             "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><UploadId>%s</UploadId>"
             "</InitiateMultipartUploadResult>",
             made->id);
    answer(in, 200, "", body);
}

static void put_part(const request *in)
{
    char headers[256];
    upload *to = find_upload(in);
    unsigned number = (unsigned)strtoul(in->query + strlen("partNumber="), NULL, 10);
    if (!to || number < 1 || number > MOST_PARTS) {
        refuse(in, 404, "NoSuchUpload");
        return;
    }
    part *into = &to->parts[number - 1];
    free(into->data);
    into->data = sl_alloc(in->size + 1), into->size = in->size;
    memcpy(into->data, in->body, in->size);
    digest(EVP_md5(), in->body, in->size, into->etag);
    snprintf(headers, sizeof headers, "ETag: \"%s\"\r\n", into->etag);
    answer(in, 200, headers, "");
}

/* The parts listed are those there are, in order, with their ETags. */
static unsigned listed(const request *in, const upload *from)
{
    unsigned count = 0;
    char expected[256];
    for (const char *at = in->body; (at = strstr(at, "<Part>")); at += 6, count++) {
        snprintf(expected, sizeof expected, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag></Part>", count + 1,
                 from->parts[count].etag);
        if (!from->parts[count].data || strncmp(at, expected, strlen(expected)) != 0) return 0;
    }
    return count;
}

static void join_parts(const upload *from, unsigned count, server_object *object)
{
    sl_buf whole = SL_BUF(1 << 30), digests = SL_BUF(4096);
    char hex[65];
    unsigned char bytes[16];
    for (unsigned i = 0; i < count; i++) {
        sl_buf_add(&whole, from->parts[i].data, from->parts[i].size);
        sl_unhex(sl_str_of(from->parts[i].etag), bytes, sizeof bytes);
        sl_buf_add(&digests, bytes, sizeof bytes);
    }
    digest(EVP_md5(), digests.data, digests.size, hex);
    snprintf(object->etag, sizeof object->etag, "%.32s-%u", hex, count);
    digest(EVP_sha256(), whole.data, whole.size, object->sha256);
    object->size = whole.size, object->parts = count;
    sl_buf_done(&whole), sl_buf_done(&digests);
}

static void complete_upload(const request *in)
{
    char body[512];
    upload *from = find_upload(in);
    unsigned count = from ? listed(in, from) : 0;
    if (!from) refuse(in, 404, "NoSuchUpload");
    else if (!count) refuse(in, 400, "InvalidPart");
    else if (condition_holds(in)) {
        server_object *object = make(in->name);
        join_parts(from, count, object);
        snprintf(object->effect, sizeof object->effect, "%s", from->effect);
        snprintf(object->type, sizeof object->type, "%s", from->type);
        snprintf(object->meta, sizeof object->meta, "%s", from->meta);
        const char *quote = server.empty_etag ? "" : "&quot;";
        snprintf(body, sizeof body,
                 "  \n<?xml version=\"1.0\"?><CompleteMultipartUploadResult><ETag>%s%s%s</ETag></CompleteMultipartUploadResult>", quote,
                 server.empty_etag ? "" : object->etag, quote);
        end_upload(from);
        answer(in, 200, "", body);
    }
}

static void abort_upload(const request *in)
{
    upload *gone = find_upload(in);
    if (!gone) refuse(in, 404, "NoSuchUpload");
    else {
        end_upload(gone);
        answer(in, 204, "", "");
    }
}

/* ---- one request ------------------------------------------------------------------------------------------------- */

static void act(const request *in)
{
    bool put = strcmp(in->method, "PUT") == 0, post = strcmp(in->method, "POST") == 0;
    bool bucket = !strchr(in->name, '/') || in->name[strlen(in->name) - 1] == '/';
    if (skewed(in)) refuse(in, 403, "RequestTimeTooSkewed");
    else if (!signature_right(in)) refuse(in, 403, "SignatureDoesNotMatch");
    else if (!payload_right(in)) refuse(in, 400, "XAmzContentSHA256Mismatch");
    else if (put && bucket) put_bucket(in);
    else if (!has_bucket(in->name)) refuse(in, 404, strcmp(in->method, "HEAD") == 0 ? "" : "NoSuchBucket");
    else if (post && strcmp(in->query, "uploads") == 0) create_upload(in);
    else if (put && strncmp(in->query, "partNumber=", 11) == 0) put_part(in);
    else if (post && strncmp(in->query, "uploadId=", 9) == 0) complete_upload(in);
    else if (strcmp(in->method, "DELETE") == 0) abort_upload(in);
    else if (put) put_object(in);
    else if (strcmp(in->method, "HEAD") == 0) head_object(in);
    else refuse(in, 400, "InvalidRequest");
}

static const fault *fault_for(const request *in)
{
    for (unsigned i = 0; i < server.fault_count; i++) {
        fault *at = &server.faults[i];
        if (strcmp(at->method, in->method) != 0 || !strstr(in->target, at->part) || !at->times) continue;
        if (at->after) {
            at->after--;
            continue;
        }
        at->times--;
        return at;
    }
    return NULL;
}

/* Acts with replies going nowhere. */
static void act_silently(request *in)
{
    int fd = in->fd;
    in->fd = -1;
    act(in);
    in->fd = fd;
}

/* False: the connection ends. */
static bool act_or_fail(request *in, const fault *wrong)
{
    struct linger hard = {1, 0};
    if (!wrong) act(in);
    else if (wrong->kind == FAULT_STATUS) refuse(in, wrong->status, wrong->code);
    else if (wrong->kind == FAULT_INSIDE) refuse(in, 200, wrong->code);
    else if (wrong->kind == FAULT_DAMAGED) {
        in->body[in->size / 2] ^= 1;
        act(in);
    } else if (wrong->kind == FAULT_DONE) {
        act_silently(in);
        refuse(in, wrong->status, wrong->code);
    } else if (wrong->kind == FAULT_LOST) {
        act_silently(in);
        return false;
    } else if (wrong->kind == FAULT_RESET) {
        setsockopt(in->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        return false;
    } else { /* held */
        server.held++;
        while (server.hold && !server.ending) pthread_cond_wait(&server.released, &server.lock);
        server.held--;
        act(in);
    }
    return true;
}

static bool serve_one(request *in)
{
    if (!read_head(in)) return false;
    pthread_mutex_lock(&server.lock);
    if (server.log_count < MOST_LOG) server.log[server.log_count++] = sl_asprintf("%s %s", in->method, in->target);
    if (++server.active > server.most_active) server.most_active = server.active;
    const fault *wrong = fault_for(in);
    pthread_mutex_unlock(&server.lock);
    bool whole = read_body(in, wrong && wrong->kind == FAULT_RESET ? in->size / 2 : in->size);
    pthread_mutex_lock(&server.lock);
    bool more = whole && act_or_fail(in, wrong);
    server.active--;
    pthread_mutex_unlock(&server.lock);
    return more;
}

static void *serve(void *argument)
{
    request *in = SL_NEW(request);
    bool more = true;
    while (more) {
        memset(in, 0, sizeof *in);
        in->fd = *(int *)argument;
        more = serve_one(in);
        free(in->body);
    }
    close(in->fd);
    free(in);
    return NULL;
}

static void *accept_all(void *unused)
{
    (void)unused;
    while (ready(server.listener)) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC), at = server.opened;
        if (fd < 0) continue;
        SL_ASSERT(at < MOST_CONNECTIONS);
        server.fds[at] = fd;
        server.opened++;
        pthread_create(&server.threads[at], NULL, serve, &server.fds[at]);
    }
    return NULL;
}

/* ---- the test's side ----------------------------------------------------------------------------------------------- */

void server_start(void)
{
    memset(&server, 0, sizeof server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_mutex_init(&server.lock, NULL);
    pthread_cond_init(&server.released, NULL);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SL_ASSERT(bind(server.listener, (struct sockaddr *)&address, size) == 0 && listen(server.listener, 128) == 0);
    getsockname(server.listener, (struct sockaddr *)&address, &size);
    snprintf(server.endpoint, sizeof server.endpoint, "http://127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(server.secret, sizeof server.secret, "%s", SERVER_SECRET);
    server.hold = true;
    SL_ASSERT(pipe(server.stop) == 0);
    pthread_create(&server.acceptor, NULL, accept_all, NULL);
}

void server_stop(void)
{
    pthread_mutex_lock(&server.lock);
    server.ending = true;
    pthread_cond_broadcast(&server.released);
    pthread_mutex_unlock(&server.lock);
    SL_ASSERT(write(server.stop[1], "", 1) == 1);
    pthread_join(server.acceptor, NULL);
    for (int i = 0; i < server.opened; i++) pthread_join(server.threads[i], NULL);
    close(server.listener), close(server.stop[0]), close(server.stop[1]);
    while (server.uploads) end_upload(server.uploads);
    for (server_object *at = server.objects, *next; at; at = next) next = at->next, free(at);
    for (unsigned i = 0; i < server.log_count; i++) free(server.log[i]);
    pthread_cond_destroy(&server.released);
    pthread_mutex_destroy(&server.lock);
}

const char *server_endpoint(void) { return server.endpoint; }

void server_fail(const char *method, const char *part_, unsigned after, unsigned times, server_fault kind, int status, const char *code)
{
    pthread_mutex_lock(&server.lock);
    SL_ASSERT(server.fault_count < MOST_FAULTS);
    fault *made = &server.faults[server.fault_count++];
    *made = (fault){.after = after, .times = times, .kind = kind, .status = status};
    snprintf(made->method, sizeof made->method, "%s", method);
    snprintf(made->part, sizeof made->part, "%s", part_);
    snprintf(made->code, sizeof made->code, "%s", code);
    pthread_mutex_unlock(&server.lock);
}

#define LOCKED(statement)                   \
    do {                                    \
        pthread_mutex_lock(&server.lock);   \
        statement;                          \
        pthread_mutex_unlock(&server.lock); \
    } while (0)

void server_bucket(const char *name) { LOCKED(snprintf(server.buckets[server.bucket_count++], sizeof server.buckets[0], "%s", name)); }

void server_header(const char *line) { LOCKED(snprintf(server.header, sizeof server.header, "%s", line)); }
void server_secret(const char *secret) { LOCKED(snprintf(server.secret, sizeof server.secret, "%s", secret)); }
void server_skew(int64_t seconds) { LOCKED(server.skew = seconds); }
void server_conditional(bool known) { LOCKED(server.no_conditional = !known); }
void server_empty_etag(bool empty) { LOCKED(server.empty_etag = empty); }
void server_release(void) { LOCKED(server.hold = false; pthread_cond_broadcast(&server.released)); }
void server_forget_uploads(void) { LOCKED(while (server.uploads) end_upload(server.uploads)); }

unsigned server_count(const char *method, const char *part_)
{
    unsigned count = 0;
    size_t size = strlen(method);
    pthread_mutex_lock(&server.lock);
    for (unsigned i = 0; i < server.log_count; i++)
        count += strncmp(server.log[i], method, size) == 0 && server.log[i][size] == ' ' && strstr(server.log[i] + size, part_);
    pthread_mutex_unlock(&server.lock);
    return count;
}

unsigned server_held(void)
{
    unsigned held;
    LOCKED(held = server.held);
    return held;
}

unsigned server_most_at_once(void)
{
    unsigned most;
    LOCKED(most = server.most_active);
    return most;
}

size_t server_uploads(void)
{
    size_t count = 0;
    LOCKED(for (upload *at = server.uploads; at; at = at->next) count++);
    return count;
}

void server_sha256(const void *data, size_t size, char hex[65]) { digest(EVP_sha256(), data, size, hex); }

const server_object *server_object_at(const char *name)
{
    const server_object *object;
    LOCKED(object = find(name));
    return object;
}

void server_place(const char *name, const char *effect)
{
    pthread_mutex_lock(&server.lock);
    server_object *object = make(name);
    snprintf(object->effect, sizeof object->effect, "%s", effect);
    snprintf(object->etag, sizeof object->etag, "%s", "0123456789abcdef0123456789abcdef");
    object->size = 17;
    pthread_mutex_unlock(&server.lock);
}
