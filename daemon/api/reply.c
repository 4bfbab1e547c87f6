#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "api/private.h"

#define CSP                                                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* ---- filling in ---------------------------------------------------------------------------------------------- */

void sl_answer_header(sl_request *request, const char *name, const char *format, ...)
{
    sl_answer *answer = &request->answer;
    char *value = NULL;
    va_list arguments;
    SL_ASSERT(answer->header_count < SL_COUNT(answer->headers));
    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) < 0) value = sl_strdup("");
    va_end(arguments);
    answer->headers[answer->header_count].name = name;
    answer->headers[answer->header_count++].value = value;
}

void sl_answer_done(sl_request *request, unsigned status, const char *type)
{
    if (request->answer.text.overflowed) {
        sl_answer_problem(request, 500, "the answer is larger than %d bytes; ask for less", SL_API_ANSWER);
        return;
    }
    request->answer.status = status;
    request->answer.type = type;
    request->answered = true;
}

void sl_answer_json(sl_request *request) { sl_answer_done(request, 200, "application/json"); }

const char *sl_status_text(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 202: return "Begun";
    case 204: return "Done";
    case 304: return "Not modified";
    case 400: return "Bad request";
    case 401: return "Not authorised";
    case 403: return "Forbidden";
    case 404: return "Not found";
    case 405: return "Method not allowed";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Too large";
    case 414: return "Address too long";
    case 422: return "Invalid";
    case 501: return "Not in this version";
    case 503: return "Not now";
    default: return "Failed";
    }
}

static void drop_body(sl_answer *answer)
{
    if (answer->fd >= 0) close(answer->fd);
    answer->fd = -1;
    answer->fixed = NULL;
    sl_buf_clear(&answer->text);
}

void sl_answer_problem(sl_request *request, unsigned status, const char *format, ...)
{
    char detail[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    sl_answer *answer = &request->answer;
    drop_body(answer);
    sl_buf_printf(&answer->text, "{\"title\":\"%s\",\"status\":%u,\"detail\":", sl_status_text(status), status);
    sl_json_string(&answer->text, sl_str_of(detail));
    sl_buf_char(&answer->text, '}');
    answer->status = status;
    answer->type = "application/problem+json";
    request->answered = true;
}

void sl_answer_error(sl_request *request, const sl_error *error)
{
    unsigned status = error->code == ENOENT || error->code == ENODATA  ? 404
                      : error->code == EBUSY || error->code == EINVAL  ? 409
                      : error->code == E2BIG || error->code == EFBIG   ? 413
                      : error->code == ESTALE                          ? 410
                      : error->code == EAGAIN || error->code == ENOSPC ? 503
                                                                       : 500;
    sl_answer_problem(request, status, "%s", error->text);
}

/* ---- sending -------------------------------------------------------------------------------------------------- */

static struct MHD_Response *body_of(sl_answer *answer)
{
    struct MHD_Response *response;
    if (answer->fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64(answer->size, answer->fd, answer->offset);
        if (response) answer->fd = -1; /* its own now */
        return response;
    }
    if (answer->fixed) return MHD_create_response_from_buffer(answer->size, (void *)answer->fixed, MHD_RESPMEM_PERSISTENT);
    size_t size = answer->text.size;
    char *text = sl_buf_take(&answer->text);
    response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
    if (!response) free(text);
    return response;
}

static void add_headers(const sl_request *request, struct MHD_Response *response)
{
    const sl_answer *answer = &request->answer;
    bool cached = false;
    for (size_t i = 0; i < answer->header_count; i++) {
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
        cached |= strcmp(answer->headers[i].name, "Cache-Control") == 0;
    }
    if (answer->type) MHD_add_response_header(response, "Content-Type", answer->type);
    if (!cached) MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->status == 401) MHD_add_response_header(response, "WWW-Authenticate", "Bearer realm=\"sluice\"");
    if (answer->status == 503) MHD_add_response_header(response, "Retry-After", "1");
    MHD_add_response_header(response, "Content-Security-Policy", CSP);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
}

enum MHD_Result sl_answer_send(sl_request *request)
{
    struct MHD_Response *response = body_of(&request->answer);
    if (!response) return MHD_NO;
    add_headers(request, response);
    enum MHD_Result result = MHD_queue_response(request->connection, request->answer.status, response);
    MHD_destroy_response(response);
    return result;
}
