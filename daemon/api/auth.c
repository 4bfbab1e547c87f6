#include "api/auth.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <strings.h>

static void keyed(const char *token, const char *purpose, char ret[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    SL_ASSERT(HMAC(EVP_sha256(), token, (int)strlen(token), (const unsigned char *)purpose, strlen(purpose), digest, &size) && size == 32);
    sl_hex(digest, 32, ret);
    OPENSSL_cleanse(digest, sizeof digest);
}

void sl_auth_init(sl_auth *auth, const char *token, const char *const *hosts, size_t host_count)
{
    char name[65];
    *auth = (sl_auth){.token = sl_strdup(token), .hosts = hosts, .host_count = host_count};
    keyed(token, "sluice session 1", auth->cookie_value);
    keyed(token, "sluice cookie's name 1", name);
    snprintf(auth->cookie_name, sizeof auth->cookie_name, "sluice_%.8s", name);
}

void sl_auth_done(sl_auth *auth)
{
    if (auth->token) OPENSSL_cleanse(auth->token, strlen(auth->token));
    free(auth->token);
    OPENSSL_cleanse(auth, sizeof *auth);
}

/* The length of a token is no secret; its bytes are. */
static bool same(sl_str given, const char *expected)
{
    size_t size = strlen(expected);
    return size && given.size == size && CRYPTO_memcmp(given.data, expected, size) == 0;
}

static bool bearer_fits(const sl_auth *auth, const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "bearer ", 7) != 0) return false;
    return same(sl_str_trim(sl_str_of(authorization + 7)), auth->token);
}

/* "a=b; name=value; ..." */
static bool cookie_fits(const sl_auth *auth, const char *cookie)
{
    size_t name_size = strlen(auth->cookie_name);
    for (const char *at = cookie; at && *at;) {
        at += strspn(at, "; \t");
        size_t size = strcspn(at, ";");
        if (size > name_size && memcmp(at, auth->cookie_name, name_size) == 0 && at[name_size] == '=' &&
            same(sl_str_trim((sl_str){at + name_size + 1, size - name_size - 1}), auth->cookie_value))
            return true;
        at += size;
    }
    return false;
}

sl_identity sl_auth_identify(const sl_auth *auth, const char *authorization, const char *cookie)
{
    if (bearer_fits(auth, authorization)) return SL_BY_BEARER;
    return cookie_fits(auth, cookie) ? SL_BY_COOKIE : SL_NOBODY;
}

/* ---- where the question comes from --------------------------------------------------------------------------- */

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* "name", "name:port", "[v6]:port" without the port and brackets; -1: none of these. */
static int bare_host(const char *host, char ret[256])
{
    const char *begin = host[0] == '[' ? host + 1 : host, *end;
    if (host[0] == '[') {
        end = strchr(begin, ']');
        if (!end || (end[1] && end[1] != ':')) return -1;
    } else end = begin + strcspn(begin, ":");
    if (end == begin || end - begin > 255) return -1;
    memcpy(ret, begin, (size_t)(end - begin));
    ret[end - begin] = 0;
    return 0;
}

bool sl_auth_host(const sl_auth *auth, const char *host)
{
    char name[256];
    if (!host || bare_host(host, name) < 0) return false;
    if (is_address(name) || strcasecmp(name, "localhost") == 0) return true;
    for (size_t i = 0; i < auth->host_count; i++)
        if (strcasecmp(name, auth->hosts[i]) == 0) return true;
    return false;
}

bool sl_auth_origin(const char *host, const char *origin, const char *fetch_site)
{
    if (!host) return false;
    if (!origin) return fetch_site && strcmp(fetch_site, "same-origin") == 0;
    const char *rest = strncmp(origin, "http://", 7) == 0 ? origin + 7 : strncmp(origin, "https://", 8) == 0 ? origin + 8 : NULL;
    return rest && strcasecmp(rest, host) == 0;
}

void sl_auth_cookie(const sl_auth *auth, bool end, sl_buf *ret)
{
    sl_buf_printf(ret, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s", auth->cookie_name, end ? "" : auth->cookie_value,
                  end ? "; Max-Age=0" : "");
}
