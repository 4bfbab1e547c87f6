/* One signed request: pace, signature, reply. */
#include "request.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#define SKEW_US             (5 * 60 * 1000000LL) /* servers allow 15 minutes */
#define RETRY_AFTER_MOST_US (60 * 1000000LL)
#define QUIET_LEAST_US      (250 * 1000LL)
#define QUIET_MOST_US       (4 * 1000000LL)

void s3_headers_add(s3_headers *headers, const char *name, const char *value)
{
    void *grown = realloc(headers->items, (headers->count + 1) * sizeof *headers->items);
    if (!grown) abort();
    headers->items = grown;
    headers->items[headers->count].name = s3_copy(name, strlen(name));
    headers->items[headers->count++].value = s3_copy(value, strlen(value));
}

void s3_headers_done(s3_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) free(headers->items[i].name), free(headers->items[i].value);
    free(headers->items);
    *headers = (s3_headers){0};
}

/* ---- the reply -------------------------------------------------------------------------------------- */

bool s3_http_date(sluice_text text, int64_t *ret_us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[64], month[4] = "";
    struct tm utc = {0};
    if (!text.data || !s3_fits(copy, sizeof copy, text.data, text.size)) return false;
    if (sscanf(copy, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &utc.tm_mday, month, &utc.tm_year, &utc.tm_hour, &utc.tm_min, &utc.tm_sec) != 6)
        return false;
    const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!at || (at - months) % 3 || utc.tm_year < 1970) return false;
    utc.tm_mon = (int)(at - months) / 3, utc.tm_year -= 1900;
    *ret_us = (int64_t)timegm(&utc) * 1000000;
    return true;
}

static void take_header(const sluice_http_reply *http, const char *name, char *to, size_t size)
{
    sluice_text value = http->header(http, name);
    s3_fits(to, size, value.data ? value.data : "", value.data ? value.size : 0);
}

static void take_headers(const sluice_http_reply *http, s3_reply *reply)
{
    char encryption[64], number[32];
    s3_etag(reply->etag, sizeof reply->etag, http->header(http, "ETag"));
    take_header(http, "x-amz-version-id", reply->version, sizeof reply->version);
    take_header(http, "x-amz-meta-sluice-effect", reply->effect, sizeof reply->effect);
    take_header(http, "x-amz-server-side-encryption", encryption, sizeof encryption);
    take_header(http, "Content-Length", number, sizeof number);
    take_header(http, "x-amz-bucket-region", reply->error.region, sizeof reply->error.region);
    reply->size = strtoull(number, NULL, 10);
    reply->plain_etag =
        strncmp(encryption, "aws:kms", 7) != 0 && !http->header(http, "x-amz-server-side-encryption-customer-algorithm").data;
}

static void take_body(const sluice_http_reply *http, s3_reply *reply)
{
    if (!http->body.size || s3_xml_parse(http->body.data, http->body.size, &reply->xml) != 0) return;
    if (strcmp(reply->xml.root, "Error") != 0) return;
    s3_error *error = &reply->error;
    s3_fits(error->code, sizeof error->code, reply->xml.code, strlen(reply->xml.code));
    s3_fits(error->message, sizeof error->message, reply->xml.message, strlen(reply->xml.message));
    if (reply->xml.region[0]) s3_fits(error->region, sizeof error->region, reply->xml.region, strlen(reply->xml.region));
    reply->ok = false;
    if (!error->code[0]) snprintf(error->code, sizeof error->code, "Error");
}

static void read_reply(const sluice_http_reply *http, s3_reply *reply)
{
    reply->cancelled = http->cancelled;
    reply->error.status = http->status;
    reply->error.configuration = http->configuration;
    reply->lost = http->status == 0 && http->connected;
    reply->ok = http->status >= 200 && http->status < 300;
    if (http->error) s3_fits(reply->error.message, sizeof reply->error.message, http->error, strlen(http->error));
    if (!http->status) return;
    take_headers(http, reply);
    take_body(http, reply);
}

/* A HEAD has no body to say RequestTimeTooSkewed: there the clocks themselves are compared. */
static bool correct_clock(s3_request *request, const s3_reply *reply, const sluice_http_reply *http)
{
    int64_t server, offset;
    bool told = strcmp(reply->error.code, "RequestTimeTooSkewed") == 0;
    if (request->corrected || reply->error.status != 403 || !s3_http_date(http->header(http, "Date"), &server)) return false;
    offset = server - sluice_now(request->service->instance);
    int64_t change = offset - request->service->clock_offset_us;
    if (!told && (reply->error.code[0] || llabs(change) < SKEW_US)) return false;
    request->service->clock_offset_us = offset;
    request->corrected = true;
    sluice_log(request->service->instance, SLUICE_LOG_WARNING,
               "the server's clock differs from this machine's by %lld s; requests are "
               "dated by the server's; set this machine's clock right",
               (long long)(offset / 1000000));
    return true;
}

/* A server that is over its limit gets quiet for as long as it asks; where it does not say how long, for a time
 * that doubles with each answer of the kind. */
static void hold_back(s3_service *service, const sluice_http_reply *http)
{
    char value[32];
    if (http->status >= 200 && http->status < 300) service->quiet_us = 0;
    if (http->status != 503 && http->status != 429) return;
    int64_t now = sluice_ticks(service->instance), quiet = service->quiet_us;
    take_header(http, "Retry-After", value, sizeof value);
    int64_t seconds = S3_MIN(strtoll(value, NULL, 10), RETRY_AFTER_MOST_US / 1000000);
    if (seconds > 0) quiet = seconds * 1000000;
    else if (now < service->not_before) return; /* of the same burst */
    else service->quiet_us = quiet = S3_MIN(S3_MAX(quiet * 2, QUIET_LEAST_US), QUIET_MOST_US);
    service->not_before = S3_MAX(service->not_before, now + quiet);
}

/* True: the credentials were mended in the meantime, and the request is worth repeating. */
static bool renew_credentials(s3_request *request, const s3_reply *reply)
{
    s3_service *service = request->service;
    if (reply->ok) service->doubted = false;
    if (!s3_error_of_credentials(&reply->error)) return false;
    service->doubted = true;
    if (request->renewed || !s3_service_renew(service)) return false;
    request->renewed = true;
    return true;
}

static void on_reply(void *context, const sluice_http_reply *http)
{
    s3_request *request = context;
    s3_reply reply = {0};
    request->call = NULL;
    read_reply(http, &reply);
    hold_back(request->service, http);
    bool again = correct_clock(request, &reply, http) || renew_credentials(request, &reply);
    if (again && !request->cancelled) s3_request_send(request);
    else request->done(request->context, &reply);
}

/* ---- sending ------------------------------------------------------------------------------------------ */

typedef struct sending {
    s3_text host, path, url, authorization, lines;
    char date[S3_AMZ_DATE];
    s3_signed_header *headers; /* borrowed texts */
    size_t count;
} sending;

static void add(sending *out, const char *name, const char *value) { out->headers[out->count++] = (s3_signed_header){name, value}; }

static void add_all(sending *out, const s3_headers *headers)
{
    for (size_t i = 0; headers && i < headers->count; i++) add(out, headers->items[i].name, headers->items[i].value);
}

static void sign(s3_request *request, sending *out)
{
    s3_service *service = request->service;
    size_t most = 5 + (request->headers ? request->headers->count : 0) + (request->more_headers ? request->more_headers->count : 0);
    out->headers = s3_alloc(most * sizeof *out->headers);
    s3_amz_date(sluice_now(service->instance) + service->clock_offset_us, out->date);
    s3_service_place(service, request->bucket, request->key, &out->host, &out->path);
    add(out, "Host", out->host.data);
    add(out, "x-amz-content-sha256", request->payload);
    add(out, "x-amz-date", out->date);
    if (service->session_token) add(out, "x-amz-security-token", service->session_token);
    add_all(out, request->headers);
    add_all(out, request->more_headers);
    s3_sign(&service->signer,
            &(s3_to_sign){request->method, out->path.data, request->query, out->headers, out->count, request->payload, out->date},
            &out->authorization);
    add(out, "Authorization", out->authorization.data);
    s3_text_printf(&out->url, "%s://%s%s%s%s", service->tls ? "https" : "http", out->host.data, out->path.data, *request->query ? "?" : "",
                   request->query);
}

static void sending_done(sending *out)
{
    s3_text_done(&out->host), s3_text_done(&out->path), s3_text_done(&out->url);
    s3_text_done(&out->authorization), s3_text_done(&out->lines);
    free(out->headers);
}

/* "Name: value" texts, one behind the other in out->lines; Host is the client's own to send. */
static const char **header_lines(sending *out)
{
    const char **lines = s3_alloc((out->count + 1) * sizeof *lines);
    for (size_t i = 1; i < out->count; i++) {
        s3_text_add(&out->lines, out->headers[i].name);
        s3_text_add(&out->lines, ": ");
        s3_text_bytes(&out->lines, out->headers[i].value, strlen(out->headers[i].value) + 1);
    }
    const char *at = out->lines.data;
    for (size_t i = 0; i + 1 < out->count; i++, at += strlen(at) + 1) lines[i] = at;
    return lines;
}

static void on_refused(void *context, bool cancelled)
{
    s3_request *request = context;
    s3_reply reply = {.cancelled = cancelled, .error.configuration = true};
    request->call = NULL;
    s3_fits(reply.error.message, sizeof reply.error.message, request->refusal, strlen(request->refusal));
    request->done(request->context, &reply);
}

static void send_now(s3_request *request)
{
    const sluice_host *host = request->service->instance->host;
    sending out = {0};
    sluice_failure failure = {0};
    if (request->service->doubted) s3_service_renew(request->service);
    sign(request, &out);
    const char **lines = header_lines(&out);
    sluice_http_call_options options = {.method = request->method,
                                        .url = out.url.data,
                                        .headers = lines,
                                        .data = request->data,
                                        .fd = request->data || !request->size ? -1 : request->fd,
                                        .offset = request->offset,
                                        .size = request->size,
                                        .fresh_connection = request->fresh_connection,
                                        .timeout_us = request->timeout_us};
    request->call = host->http(request->service->client, &options, on_reply, request, &failure);
    free(lines);
    sending_done(&out);
    if (request->call) return;
    s3_fits(request->refusal, sizeof request->refusal, failure.message, strlen(failure.message));
    request->call = sluice_timer(request->service->instance, 0, on_refused, request); /* done comes later, also here */
}

static void on_slot(void *context, bool cancelled)
{
    s3_request *request = context;
    request->call = NULL;
    if (!cancelled) send_now(request);
    else request->done(request->context, &(s3_reply){.cancelled = true});
}

void s3_request_send(s3_request *request)
{
    sluice_instance *instance = request->service->instance;
    int64_t delay = s3_service_delay(request->service);
    if (delay <= 0) send_now(request);
    else request->call = sluice_timer(instance, delay, on_slot, request);
}

void s3_request_cancel(s3_request *request)
{
    if (!request->call) return;
    request->cancelled = true;
    sluice_cancel(request->service->instance, request->call);
}
