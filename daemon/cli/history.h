/* cli/history: what happened to FlowFiles, asked of a running daemon or read from a state folder (--state without --url).
 * Functions return an exit code and have said why when it is not SL_EXIT_DONE.
 */
#ifndef SL_HISTORY_H
#define SL_HISTORY_H

#include <jansson.h>

#include "cli/arguments.h"

typedef struct sl_history sl_history;
int sl_history_open(const sl_arguments *arguments, sl_history **ret);
void sl_history_close(sl_history *history);

/* Whether --state without --url asks for a folder to be read instead of a daemon. */
bool sl_history_offline(const sl_arguments *arguments);

/* A page of the events that the options' filters select: {"events":[...],"cursor":...}. cursor NULL: from the newest.
 * A page may be short and still have a cursor: its time was over. */
int sl_history_events(sl_history *history, uint64_t limit, const char *cursor, json_t **ret);
int sl_history_event(sl_history *history, const char *seq, json_t **ret);
int sl_history_lineage(sl_history *history, const char *flowfile, json_t **ret);
int sl_history_content(sl_history *history, const char *seq, bool input, int fd);

#endif
