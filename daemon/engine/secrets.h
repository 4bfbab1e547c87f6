/* engine/secrets: the one place that reads a secret. Any thread. */
#ifndef SL_SECRETS_H
#define SL_SECRETS_H

#include "base/base.h"

/* Appends the secret's bytes, without one trailing newline: from $CREDENTIALS_DIRECTORY/NAME, then FOLDER/NAME (the
 * config's, NULL: none), then SLUICE_SECRET_NAME (as written, then in capitals with _ for what is no letter or digit).
 * -1: nowhere, unreadable or empty; the error says where it looked. The caller wipes `ret`. */
int sl_secret_read(const char *folder, const char *name, sl_buf *ret, sl_error *error);

#endif
