/* cli/client: the daemon's REST API, asked synchronously. Finds the daemon (--url, SLUICE_URL, the Unix socket, then
 * the loopback port) and the token (SLUICE_TOKEN, SLUICE_TOKEN_FILE, STATE/token). Functions return an exit code and
 * have said why when it is not SL_EXIT_DONE.
 */
#ifndef SL_CLIENT_H
#define SL_CLIENT_H

#include <jansson.h>

#include "cli/arguments.h"

typedef struct sl_client sl_client;
int sl_client_open(const sl_arguments *arguments, sl_client **ret);
void sl_client_close(sl_client *client);

/* Exchanges; `path` begins with a slash and is encoded already. A 2xx reply's body is appended to `ret`. Any other is
 * told as the problem it carries: SL_EXIT_FAILED, for 422 (a flow that is wrong) SL_EXIT_INVALID. SL_EXIT_UNREACHABLE:
 * nobody answers. */
int sl_client_text(sl_client *client, const char *method, const char *path, sl_buf *ret);
/* The same with a reply that is JSON. */
int sl_client_json(sl_client *client, const char *method, const char *path, json_t **ret);
/* The same for what may take as long as it likes: `look` is called about once a second meanwhile. */
int sl_client_wait(sl_client *client, const char *method, const char *path, void (*look)(void *context), void *context, json_t **ret);
/* The body goes to `fd` as it comes, whatever its size. */
int sl_client_download(sl_client *client, const char *path, int fd);

/* Appends "NAME=VALUE", percent-encoded, after '?' or '&'. */
void sl_client_parameter(sl_buf *path, const char *name, const char *value);

#endif
