/* libFuzzer: any bytes as a request's target, routed; and as the headers that say who asks. */
#include <stdint.h>

#include "api/auth.h"
#include "api/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void route(sl_str text)
{
    sl_uri uri;
    sl_error error = {0};
    sl_str parameters[SL_ROUTE_PARAMETERS];
    char allowed[64];
    if (sl_uri_parse(text, &uri, &error) == 0) {
        const sl_route *found = sl_route_find("GET", &uri, parameters, allowed);
        if (found) sl_route_unknown(found, &uri);
        for (size_t i = 0; i < uri.segment_count; i++)
            if (strlen(uri.segments[i].data) != uri.segments[i].size) abort();
    } else if (error.code != 400 && error.code != 414) abort();
    sl_uri_done(&uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sl_auth auth;
    if (!auth.token) sl_auth_init(&auth, "a token that nobody guesses", NULL, 0);
    char *text = sl_strndup((const char *)data, size);
    route((sl_str){(const char *)data, size});
    if (sl_auth_identify(&auth, text, text) != SL_NOBODY) abort();
    sl_auth_host(&auth, text);
    sl_auth_origin(text, text, NULL);
    free(text);
    return 0;
}
