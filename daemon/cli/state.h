/* cli/state: a state folder, looked at without a daemon and without changing anything in it. */
#ifndef SL_STATE_H
#define SL_STATE_H

#include "content/content.h"
#include "journal/journal.h"

/* The folder's node number, part of every FlowFile's UUID. */
int sl_state_node(const char *state, uint32_t *ret, sl_error *error);
/* Its content, for looking only. */
int sl_state_content(const char *state, sl_content **ret, sl_error *error);
/* Whether another process has the state. -1: there is no state in that folder. */
int sl_state_held(const char *state, bool *ret, sl_error *error);

typedef struct sl_folded { /* a FlowFile that lives */
    uint64_t flowfile;     /* 0: a free slot */
    uint64_t seq, moved;   /* its last event; the one that brought it into its queue */
    uint32_t segment;      /* of seq */
    uint32_t queue;        /* the journal's id */
    uint32_t retries;
    int64_t entered, queued, not_before;
} sl_folded;

typedef struct sl_fold {
    sl_folded *slots; /* open addressing */
    size_t capacity, count;
    char **names; /* by id, or NULL */
    size_t name_count, name_capacity;
    uint64_t events, entries, last; /* what was read; the newest seq */
} sl_fold;

/* whole: from the oldest segment that is a beginning, else from the newest complete checkpoint as recovery does. Every
 * row read has its CRC checked. */
int sl_fold_read(const char *state, bool whole, sl_fold *ret, sl_error *error);
void sl_fold_done(sl_fold *fold);
const sl_folded *sl_fold_find(const sl_fold *fold, uint64_t flowfile); /* NULL: ended, or never was */
const char *sl_fold_name(const sl_fold *fold, uint32_t id);            /* "?" when no segment names it */
#define SL_FOLD_EACH(fold, folded)                                                                     \
    for (const sl_folded *folded = (fold)->slots; folded < (fold)->slots + (fold)->capacity; folded++) \
        if (folded->flowfile)

#endif
