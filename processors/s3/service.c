/* The service `s3`. */
#include "service.h"

#include <stdio.h>

/* ---- the endpoint ------------------------------------------------------------------------------- */

static bool ends(const char *text, size_t size, const char *tail)
{
    return size > strlen(tail) && memcmp(text + size - strlen(tail), tail, strlen(tail)) == 0;
}

bool s3_region_of_host(const char *authority, char *region, size_t size)
{
    static const char *const providers[] = {".backblazeb2.com", ".amazonaws.com", ".wasabisys.com"};
    size_t host = strcspn(authority, ":");
    if (strncmp(authority, "s3.", 3) != 0) return false;
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        size_t tail = strlen(providers[i]);
        if (host <= 3 + tail || !ends(authority, host, providers[i])) continue;
        size_t middle = host - 3 - tail;
        return !memchr(authority + 3, '.', middle) && s3_fits(region, size, authority + 3, middle);
    }
    return false;
}

static int bad_endpoint(const char *endpoint, const char *why, sluice_failure *failure)
{
    return sluice_refuse(failure, SLUICE_CONFIGURATION, "InvalidEndpoint",
                         "endpoint: expected http(s)://HOST[:PORT] or file:///DIRECTORY, "
                         "found '%.200s'%s",
                         endpoint, why);
}

static bool plain_authority(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    return *text && *text != ':' && !text[strspn(text, allowed)];
}

/* Servers sign the Host header that arrives, and clients leave the scheme's own port out of it. */
static void drop_port(char *authority, const char *port)
{
    size_t size = strlen(authority), tail = strlen(port);
    if (size > tail && strcmp(authority + size - tail, port) == 0) authority[size - tail] = 0;
}

static int take_endpoint(s3_service *service, sluice_failure *failure)
{
    char *endpoint = service->endpoint = s3_copy_text(sluice_property_text(service->instance, "endpoint"));
    size_t size = strlen(endpoint);
    if (strncmp(endpoint, "file://", 7) == 0) {
        if (endpoint[7] != '/') return bad_endpoint(endpoint, ": a directory's name begins with /", failure);
        while (size > 8 && endpoint[size - 1] == '/') endpoint[--size] = 0;
        service->folder = endpoint + 7;
        return 0;
    }
    service->tls = strncmp(endpoint, "https://", 8) == 0;
    if (!service->tls && strncmp(endpoint, "http://", 7) != 0) return bad_endpoint(endpoint, "", failure);
    if (endpoint[size - 1] == '/') endpoint[size - 1] = 0;
    char *authority = endpoint + (service->tls ? 8 : 7);
    if (!plain_authority(authority)) return bad_endpoint(endpoint, ": no path, user or query goes with it", failure);
    drop_port(authority, service->tls ? ":443" : ":80");
    service->authority = authority;
    return 0;
}

/* Amazon wants the bucket in the host's name; elsewhere that needs a wildcard in DNS and in the certificate, so that
 * it must be asked for. A bucket with dots would not fit the certificate, one in capitals no host's name. */
static bool in_host(const s3_service *service, const char *bucket)
{
    if (service->addressing != S3_AUTO_ADDRESS) return service->addressing == S3_VIRTUAL_ADDRESS;
    bool plain = !bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-")];
    return plain && ends(service->authority, strcspn(service->authority, ":"), ".amazonaws.com");
}

void s3_service_place(const s3_service *service, const char *bucket, const char *key, s3_text *ret_host, s3_text *ret_path)
{
    bool virtual_host = in_host(service, bucket);
    if (virtual_host) s3_text_printf(ret_host, "%s.", bucket);
    s3_text_add(ret_host, service->authority);
    s3_text_add(ret_path, "/");
    if (!virtual_host) {
        s3_text_percent(ret_path, bucket, strlen(bucket), "");
        s3_text_add(ret_path, "/");
    }
    s3_text_percent(ret_path, key, strlen(key), "/");
}

void s3_service_url(const s3_service *service, const char *bucket, const char *key, s3_text *ret)
{
    s3_text host = {0}, path = {0};
    if (service->folder) {
        s3_text_add(ret, "file://");
        s3_text_percent(ret, service->folder, strlen(service->folder), "/");
        s3_text_add(ret, "/");
        s3_text_percent(ret, bucket, strlen(bucket), "");
        s3_text_add(ret, "/");
        s3_text_percent(ret, key, strlen(key), "/");
        return;
    }
    s3_service_place(service, bucket, key, &host, &path);
    s3_text_printf(ret, "%s://%s%s", service->tls ? "https" : "http", host.data, path.data);
    s3_text_done(&host), s3_text_done(&path);
}

/* ---- credentials ----------------------------------------------------------------------------------- */

static bool same(const char *have, sluice_text now)
{
    return strlen(have ? have : "") == now.size && memcmp(have ? have : "", now.data ? now.data : "", now.size) == 0;
}

static void take_credentials(s3_service *service, const char *region)
{
    char *key = s3_copy_text(sluice_property_text(service->instance, "access_key_id"));
    char *secret = s3_copy_text(sluice_property_text(service->instance, "secret_access_key"));
    char *token = s3_copy_text(sluice_property_text(service->instance, "session_token"));
    char *kept_region = s3_copy(region, strlen(region)); /* may be the old signer's */
    s3_signer_done(&service->signer);
    s3_signer_init(&service->signer, key, secret, kept_region, "s3");
    free(service->session_token);
    service->session_token = *token ? token : NULL;
    if (!*token) free(token);
    explicit_bzero(secret, strlen(secret));
    free(key), free(secret), free(kept_region);
}

static bool printable(sluice_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~') return false;
    return text.size > 0;
}

static bool has_credentials(const s3_service *service)
{
    return printable(sluice_property_text(service->instance, "access_key_id")) &&
           printable(sluice_property_text(service->instance, "secret_access_key"));
}

bool s3_service_renew(s3_service *service)
{
    if (same(service->signer.access_key, sluice_property_text(service->instance, "access_key_id")) &&
        same(service->signer.secret, sluice_property_text(service->instance, "secret_access_key")) &&
        same(service->session_token, sluice_property_text(service->instance, "session_token")))
        return false;
    if (!has_credentials(service)) return false; /* a file that is just being replaced */
    take_credentials(service, service->signer.region);
    return true;
}

static const char *wrong_with(const s3_service *service, const char *name)
{
    sluice_text text = sluice_property_text(service->instance, name);
    if (!sluice_has(service->instance, name)) return "none";
    if (!text.data) return "that its secret cannot be read";
    return text.size ? "other characters" : "an empty text";
}

static int check_credentials(s3_service *service, sluice_failure *failure)
{
    static const char *const names[] = {"access_key_id", "secret_access_key"};
    for (int i = 0; i < 2; i++) {
        if (printable(sluice_property_text(service->instance, names[i]))) continue;
        return sluice_refuse(failure, SLUICE_CONFIGURATION, "NoCredentials",
                             "%s: the endpoint %s needs one of printable characters, found %s; write `%s: {secret: NAME}` and store the "
                             "secret NAME",
                             names[i], service->endpoint, wrong_with(service, names[i]), names[i]);
    }
    return 0;
}

bool s3_service_signs(const s3_service *service)
{
    return service->signing == S3_SIGN_ALWAYS || (service->signing == S3_SIGN_AUTO && (!service->tls || service->opaque_etag));
}

/* ---- pace -------------------------------------------------------------------------------------------- */

int64_t s3_service_delay(s3_service *service)
{
    int64_t now = sluice_ticks(service->instance), at = S3_MAX(now, service->not_before);
    if (service->interval_us) {
        at = S3_MAX(at, service->next_slot);
        service->next_slot = at + service->interval_us;
    }
    return at - now;
}

/* ---- init, fini ---------------------------------------------------------------------------------------- */

static int open_client(s3_service *service, sluice_failure *failure)
{
    sluice_instance *instance = service->instance;
    sluice_text ca_file = sluice_property_text(instance, "ca_file");
    sluice_http_client_options options = {.connections = (unsigned)sluice_number(instance, "connections"),
                                          .connect_timeout_us = sluice_number(instance, "connect_timeout"),
                                          .stall_timeout_us = sluice_number(instance, "stall_timeout"),
                                          .reply_timeout_us = sluice_number(instance, "reply_timeout"),
                                          .ca_file = ca_file.size ? ca_file.data : NULL,
                                          .insecure = sluice_number(instance, "insecure") != 0};
    service->client = instance->host->http_open(instance, &options, failure);
    return service->client ? 0 : -1;
}

static void service_free(s3_service *service)
{
    if (service->client) service->instance->host->http_close(service->client);
    s3_signer_done(&service->signer);
    if (service->session_token) explicit_bzero(service->session_token, strlen(service->session_token));
    free(service->session_token);
    free(service->endpoint);
    free(service);
}

static void take_region(s3_service *service)
{
    char region[64];
    sluice_text given = sluice_property_text(service->instance, "region");
    if (given.size) s3_fits(region, sizeof region, given.data, given.size);
    else if (!s3_region_of_host(service->authority, region, sizeof region)) strcpy(region, "us-east-1");
    take_credentials(service, region);
}

static int take_all(s3_service *service, sluice_failure *failure)
{
    sluice_instance *instance = service->instance;
    if (take_endpoint(service, failure) != 0) return -1;
    if (service->folder) return 0;
    if (check_credentials(service, failure) != 0) return -1;
    int64_t rate = sluice_number(instance, "requests_per_second");
    service->addressing = (s3_addressing)sluice_number(instance, "addressing");
    service->signing = (s3_signing)sluice_number(instance, "payload_signing");
    service->interval_us = rate > 0 ? S3_MAX(1000000 / rate, 1) : 0;
    take_region(service);
    return open_client(service, failure);
}

static int init(sluice_instance *instance, sluice_failure *failure)
{
    s3_service *service = s3_alloc(sizeof *service);
    service->instance = instance;
    if (take_all(service, failure) != 0) {
        service_free(service);
        return -1;
    }
    instance->data = service;
    return 0;
}

static void fini(sluice_instance *instance)
{
    if (instance->data) service_free(instance->data);
    instance->data = NULL;
}

/* ---- descriptor ------------------------------------------------------------------------------------------- */

static const char *const addressings[] = {"auto", "path", "virtual", NULL};
static const char *const signings[] = {"auto", "always", "never", NULL};

static const sluice_property properties[] = {
    {.name = "endpoint",
     .type = SLUICE_STRING,
     .flags = SLUICE_REQUIRED,
     .help = "https://HOST[:PORT] of an S3 server, or file:///DIRECTORY to keep objects as files"},
    {.name = "region", .type = SLUICE_STRING, .help = "The bucket's region; by default what the endpoint's name says, else us-east-1"},
    {.name = "access_key_id", .type = SLUICE_SECRET, .help = "Key id; a file:// endpoint needs none"},
    {.name = "secret_access_key", .type = SLUICE_SECRET, .help = "Secret that belongs to access_key_id"},
    {.name = "session_token", .type = SLUICE_SECRET, .help = "Token of temporary credentials"},
    {.name = "addressing",
     .type = SLUICE_ENUM,
     .fallback = "auto",
     .allowed = addressings,
     .help = "path: HOST/BUCKET/KEY; virtual: BUCKET.HOST/KEY; auto: virtual at Amazon, else path"},
    {.name = "connections",
     .type = SLUICE_INT,
     .fallback = "64",
     .least = 1,
     .most = 1024,
     .help = "Connections at once; further requests wait in order"},
    {.name = "requests_per_second",
     .type = SLUICE_INT,
     .fallback = "0",
     .least = 0,
     .most = 100000,
     .help = "Requests started in a second at most; 0: no limit of ours"},
    {.name = "connect_timeout",
     .type = SLUICE_DURATION,
     .fallback = "10s",
     .least = 100000,
     .most = 3600000000,
     .help = "Until a connection stands"},
    {.name = "stall_timeout",
     .type = SLUICE_DURATION,
     .fallback = "30s",
     .least = 100000,
     .most = 3600000000,
     .help = "While sending, without a byte going out"},
    {.name = "reply_timeout",
     .type = SLUICE_DURATION,
     .fallback = "5m",
     .least = 100000,
     .most = 86400000000,
     .help = "From the end of sending to the reply; completing an upload in parts may take minutes"},
    {.name = "payload_signing",
     .type = SLUICE_ENUM,
     .fallback = "auto",
     .allowed = signings,
     .help = "Sign the body's SHA-256. auto: when it is known, or the connection is not encrypted"},
    {.name = "ca_file", .type = SLUICE_STRING, .help = "File of certificates to trust instead of the system's"},
    {.name = "insecure", .type = SLUICE_BOOL, .fallback = "false", .help = "Do not verify the server's certificate"},
    {0},
};

const sluice_service s3_services[1] = {{
    .type = "s3",
    .summary = "An account at an S3-compatible object store, or a directory that stands for one",
    .manual =
        "Requests are signed with Signature Version 4 and go over HTTP/1.1. Over https a body whose SHA-256 is not yet known "
        "is sent unsigned while a worker computes its MD5, with which the server's ETag is compared; over plain http the SHA-256 "
        "is computed first and signed. `payload_signing` overrides this. Where a server says that its ETags are no MD5 (SSE-KMS, "
        "SSE-C), bodies are signed from then on.\n\n"
        "No x-amz-checksum headers are sent, which Backblaze B2 refuses. If a bucket with object lock asks for Content-MD5, it is "
        "sent from then on. If the server says that the clock differs, its own clock is used.\n\n"
        "503 and 429 hold back all requests of the account: for as long as Retry-After says (a minute at most), else for a time that "
        "grows from 250 ms to 4 s.\n\n"
        "When the server refuses the credentials, they are read again before each further request, so that a secret that was "
        "mended or renewed is used at once.\n\n"
        "With `endpoint: file:///DIR` an object is the file DIR/BUCKET/KEY, and its type, metadata and digests are kept under DIR/.sluice. "
        "Region and keys are not needed; DIR and buckets are created. The properties of the connection do not matter there.",
    .interface = S3_INTERFACE,
    .properties = properties,
    .init = init,
    .fini = fini,
}};
