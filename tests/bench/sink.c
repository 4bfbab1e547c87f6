/* sink: an S3 server that keeps nothing, to be faster than whoever is measured against it: it reads a PUT's body, answers
 * with its MD5 as the ETag (which honest clients compare), lists nothing and has nothing. A thread a connection.
 *
 *   sink serve PORT [LOG]                         LOG gets "NANOSECONDS PATH" of each PUT's head (CLOCK_MONOTONIC)
 *   sink load PORT CONNECTIONS REQUESTS SIZE      its own limit: so many PUTs, and what they took
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 * 1024 };

static FILE *log_file;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static struct sockaddr_in loopback(const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) return -1;
        data += sent, size -= (size_t)sent;
    }
    return 0;
}

/* ---- the server ------------------------------------------------------------------------------------- */

typedef struct connection {
    int fd;
    size_t held; /* bytes of `data` that are read and not used */
    EVP_MD_CTX *md5;
    char data[ROOM + 1];
} connection;

/* Bytes of the head with its blank line; 0: the client has gone. */
static size_t read_head(connection *c)
{
    for (;;) {
        c->data[c->held] = 0;
        char *end = strstr(c->data, "\r\n\r\n");
        if (end) return (size_t)(end - c->data) + 4;
        if (c->held == ROOM) return 0;
        ssize_t got = recv(c->fd, c->data + c->held, ROOM - c->held, 0);
        if (got <= 0) return 0;
        c->held += (size_t)got;
    }
}

static const char *header(const char *head, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':') return line + 3 + size;
    return NULL;
}

static void use(connection *c, size_t size)
{
    memmove(c->data, c->data + size, c->held - size);
    c->held -= size;
}

static int read_body(connection *c, unsigned long long left, char etag[33])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestInit_ex(c->md5, EVP_md5(), NULL);
    while (left) {
        if (!c->held) {
            ssize_t got = recv(c->fd, c->data, ROOM, 0);
            if (got <= 0) return -1;
            c->held = (size_t)got;
        }
        size_t size = c->held < left ? c->held : (size_t)left;
        EVP_DigestUpdate(c->md5, c->data, size);
        left -= size;
        use(c, size);
    }
    EVP_DigestFinal_ex(c->md5, digest, NULL);
    for (int i = 0; i < 16; i++) snprintf(etag + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int answer(connection *c, const char *status, const char *more, const char *body, bool with_body)
{
    char text[1024];
    int size =
        snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, more, strlen(body), with_body ? body : "");
    return send_all(c->fd, text, (size_t)size);
}

/* The body of CompleteMultipartUpload names the parts' ETags; the whole's is the MD5 of their MD5s. */
static int complete(connection *c, unsigned long long size, char etag[64])
{
    unsigned char digest[EVP_MAX_MD_SIZE], part[16];
    int parts = 0;
    while (c->held < size) {
        ssize_t got = size < ROOM ? recv(c->fd, c->data + c->held, ROOM - c->held, 0) : 0;
        if (got <= 0) return -1;
        c->held += (size_t)got;
    }
    c->data[c->held] = 0;
    EVP_DigestInit_ex(c->md5, EVP_md5(), NULL);
    for (const char *at = c->data; (at = strstr(at, "<ETag>")) && at < c->data + size; parts++) {
        at += 6;
        at += strcspn(at, "0123456789abcdef"); /* the quote, as itself or as &quot; */
        for (int i = 0; i < 16; i++) sscanf(at + 2 * i, "%2hhx", &part[i]);
        EVP_DigestUpdate(c->md5, part, sizeof part);
    }
    EVP_DigestFinal_ex(c->md5, digest, NULL);
    for (int i = 0; i < 16; i++) snprintf(etag + 2 * i, 3, "%02x", digest[i]);
    snprintf(etag + 32, 16, "-%d", parts);
    use(c, (size_t)size);
    return 0;
}

static const char nothing[] =
    "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>";

static const char begun[] = "<?xml version=\"1.0\"?><InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";

/* Of a multipart upload: its beginning, or its end. */
static int serve_post(connection *c, bool end, unsigned long long size)
{
    char etag[64] = "", body[256];
    if (!end) return read_body(c, size, etag) < 0 ? -1 : answer(c, "200 OK", "Content-Type: application/xml\r\n", begun, true);
    if (complete(c, size, etag) < 0) return -1;
    snprintf(body, sizeof body, "<?xml version=\"1.0\"?><CompleteMultipartUploadResult><ETag>\"%s\"</ETag></CompleteMultipartUploadResult>",
             etag);
    return answer(c, "200 OK", "Content-Type: application/xml\r\n", body, true);
}

static int serve_one(connection *c)
{
    char etag[33] = "", more[64];
    size_t size = read_head(c);
    if (!size) return -1;
    c->data[size - 1] = 0;
    bool post = strncmp(c->data, "POST ", 5) == 0, end = strstr(c->data, "uploadId=") != NULL;
    const char *length = header(c->data, "content-length");
    unsigned long long body = length ? strtoull(length, NULL, 10) : 0;
    bool put = strncmp(c->data, "PUT ", 4) == 0, get = strncmp(c->data, "GET ", 4) == 0, expect = header(c->data, "expect") != NULL;
    if (put && log_file) {
        flockfile(log_file);
        fprintf(log_file, "%lld %.*s\n", nanoseconds(), (int)strcspn(c->data + 4, " "), c->data + 4);
        fflush(log_file);
        funlockfile(log_file);
    }
    use(c, size);
    if (expect && send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0) return -1;
    if (post) return serve_post(c, end, body);
    if (read_body(c, body, etag) < 0) return -1;
    if (get) return answer(c, "200 OK", "Content-Type: application/xml\r\n", nothing, true);
    if (!put) return answer(c, "404 Not Found", "", "", false);
    snprintf(more, sizeof more, "ETag: \"%s\"\r\n", etag);
    return answer(c, "200 OK", more, "", true);
}

static void *serve_connection(void *argument)
{
    connection *c = argument;
    while (serve_one(c) == 0) {}
    close(c->fd);
    EVP_MD_CTX_free(c->md5);
    free(c);
    return NULL;
}

static void start(int fd)
{
    pthread_t thread;
    connection *c = malloc(sizeof *c);
    if (!c) fail("sink: memory");
    c->fd = fd, c->held = 0, c->md5 = EVP_MD_CTX_new();
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (pthread_create(&thread, NULL, serve_connection, c)) fail("sink: thread");
    pthread_detach(thread);
}

static int serve(const char *port, const char *log)
{
    struct sockaddr_in address = loopback(port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (log && !(log_file = fopen(log, "w"))) fail("sink: log");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 256) < 0) fail("sink: listen");
    puts("ready");
    fflush(stdout);
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) start(fd);
    return 1;
}

/* ---- its own limit ------------------------------------------------------------------------------------ */

static struct {
    struct sockaddr_in address;
    atomic_long left;
    size_t size;
} load;

static int put_one(int fd, const char *body, long number)
{
    char text[1024];
    int size = snprintf(text, sizeof text, "PUT /b/%ld HTTP/1.1\r\nHost: sink\r\nContent-Length: %zu\r\n\r\n", number, load.size);
    if (send_all(fd, text, (size_t)size) < 0 || send_all(fd, body, load.size) < 0) return -1;
    for (size_t held = 0; held < sizeof text - 1;) {
        ssize_t got = recv(fd, text + held, sizeof text - 1 - held, 0);
        if (got <= 0) return -1;
        text[held += (size_t)got] = 0;
        if (strstr(text, "\r\n\r\n")) return strncmp(text, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
    }
    return -1;
}

static void *load_one(void *unused)
{
    (void)unused;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *body = calloc(1, load.size + 1);
    if (!body || connect(fd, (struct sockaddr *)&load.address, sizeof load.address) < 0) fail("sink: connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    for (long number; (number = atomic_fetch_sub(&load.left, 1)) > 0;)
        if (put_one(fd, body, number) < 0) fail("sink: put");
    close(fd);
    free(body);
    return NULL;
}

static int run_load(char **argv)
{
    enum { MOST = 256 };
    pthread_t threads[MOST];
    long connections = strtol(argv[1], NULL, 10), requests = strtol(argv[2], NULL, 10);
    if (connections < 1 || connections > MOST || requests < 1) return 2;
    load.address = loopback(argv[0]);
    load.left = requests;
    load.size = strtoull(argv[3], NULL, 10);
    long long began = nanoseconds();
    for (long i = 0; i < connections; i++)
        if (pthread_create(&threads[i], NULL, load_one, NULL)) fail("sink: thread");
    for (long i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    printf("%.6f\n", (double)(nanoseconds() - began) / 1e9);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc >= 3 && strcmp(argv[1], "serve") == 0) return serve(argv[2], argc > 3 ? argv[3] : NULL);
    if (argc == 6 && strcmp(argv[1], "load") == 0) return run_load(argv + 2);
    fputs("sink: expected `serve PORT [LOG]` or `load PORT CONNECTIONS REQUESTS SIZE`\n", stderr);
    return 2;
}
