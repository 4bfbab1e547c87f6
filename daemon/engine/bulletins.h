/* engine/bulletins: what an operator should read, the newest 1,000; also logged. Any thread. The same text of the
 * same component within 10 s is counted, not repeated; of different texts a component has 60 a minute, and what is more is
 * told as one: "and 4711 more within a minute". Numbers begin with the time, so that those of a later process are greater. */
#ifndef SL_BULLETINS_H
#define SL_BULLETINS_H

#include "base/base.h"

typedef struct sl_bulletins sl_bulletins;
sl_bulletins *sl_bulletins_new(void);
void sl_bulletins_free(sl_bulletins *bulletins);
void sl_bulletin(sl_bulletins *bulletins, sl_level level, const char *component, const char *format, ...) SL_PRINTF(4, 5);
/* Once a second or so: tells of the storms whose minute is over. */
void sl_bulletins_tick(sl_bulletins *bulletins);
/* Those that are new, or were repeated, after the number `after`, oldest first; *ret_last: what to ask after the next time. */
void sl_bulletins_json(sl_bulletins *bulletins, uint64_t after, size_t limit, sl_buf *ret, uint64_t *ret_last);

#endif
