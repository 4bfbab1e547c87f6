/* cli/notify: what a service manager is told (sd_notify's protocol: a datagram to $NOTIFY_SOCKET). Without one, nothing
 * happens. */
#ifndef SL_NOTIFY_H
#define SL_NOTIFY_H

#include <uv.h>

#include "base/base.h"

/* Lines like "READY=1\nSTATUS=...". */
void sl_notify(const char *text);
/* RELOADING=1 with the monotonic time that systemd wants beside it. */
void sl_notify_reloading(void);
/* Microseconds between two signs of life that the manager wants; 0: none. */
uint64_t sl_notify_watchdog(void);

#endif
