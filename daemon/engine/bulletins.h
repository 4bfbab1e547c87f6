/* engine/bulletins: what an operator should read, the newest 1,000; also logged. Any thread. The same text of the
 * same component within 10 s is counted, not repeated. */
#ifndef SL_BULLETINS_H
#define SL_BULLETINS_H

#include "base/base.h"

typedef struct sl_bulletins sl_bulletins;
sl_bulletins *sl_bulletins_new(void);
void sl_bulletins_free(sl_bulletins *bulletins);
void sl_bulletin(sl_bulletins *bulletins, sl_level level, const char *component, const char *format, ...) SL_PRINTF(4, 5);
void sl_bulletins_json(sl_bulletins *bulletins, uint64_t after, size_t limit, sl_buf *ret, uint64_t *ret_last);

#endif
