/* api/auth: who may ask. Pure functions on headers' texts; any thread. */
#ifndef SL_AUTH_H
#define SL_AUTH_H

#include "base/base.h"

typedef struct sl_auth {
    char *token;
    char cookie_name[24];  /* "sluice_1a2b3c4d": cookies know no ports, so each state has a name of its own */
    char cookie_value[65]; /* HMAC-SHA256 of the token: good over restarts, and not the token itself */
    const char *const *hosts;
    size_t host_count;
} sl_auth;

typedef enum sl_identity { SL_NOBODY, SL_BY_BEARER, SL_BY_COOKIE } sl_identity;

void sl_auth_init(sl_auth *auth, const char *token, const char *const *hosts, size_t host_count);
void sl_auth_done(sl_auth *auth); /* wipes */
/* Headers may be NULL. Comparisons take the same time whatever differs. */
sl_identity sl_auth_identify(const sl_auth *auth, const char *authorization, const char *cookie);
/* The Host is an address, localhost or one of `hosts`. */
bool sl_auth_host(const sl_auth *auth, const char *host);
/* The page that asks is of the origin it asks. */
bool sl_auth_origin(const char *host, const char *origin, const char *fetch_site);
/* Set-Cookie's value: for a session, or to end it. */
void sl_auth_cookie(const sl_auth *auth, bool end, sl_buf *ret);

#endif
