/* cli/doctor: whether a stopped state is whole: the journal's rows, the queues they add up to, the bytes they name. */
#ifndef SL_DOCTOR_H
#define SL_DOCTOR_H

#include <jansson.h>

#include "base/base.h"

typedef struct sl_examination {
    json_t *findings; /* texts, the first thousand */
    uint64_t finding_count;
    uint64_t events, last, flowfiles, claims, bytes; /* last: the newest event's number */
    uint64_t external;                               /* claims that are files elsewhere */
} sl_examination;

/* Changes nothing. -1: there is no state; else what was found, to be done with. */
int sl_examine(const char *state, sl_examination *ret, sl_error *error);
void sl_examination_done(sl_examination *examination);
void sl_examination_print(const sl_examination *examination, const char *state, sl_buf *ret); /* a line each, and a sum */
json_t *sl_examination_json(const sl_examination *examination, const char *state);

#endif
