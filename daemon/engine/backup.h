/* engine/backup: a state folder copied as of one moment, and put back. What runs in the daemon is sl_engine_backup
 * (engine/engine.h); this is what it shares with the commands that work on a stopped state. Any thread that may block.
 *
 * A backup is a state folder: journal, content, node, history, flows, and backup.json, which says of which moment. Not in
 * it: the token, what was in flight, what was in quarantine. It is made as TO.partial and gets its name when all of it is
 * on disk. A folder that is being filled has a file `incomplete`: nothing starts from it.
 */
#ifndef SL_BACKUP_H
#define SL_BACKUP_H

#include "base/copy.h"
#include "content/content.h"
#include "journal/journal.h"

typedef enum sl_backup_phase { SL_BACKUP_COUNTS, SL_BACKUP_JOURNAL, SL_BACKUP_CONTENT, SL_BACKUP_ENDS } sl_backup_phase;

typedef struct sl_backup_work {
    const char *state, *to; /* `to` is there, empty but for `incomplete` */
    sl_journal_cut journal;
    const sl_content_cut *content; /* NULL: nobody writes to `state` */
    sl_copier *copier;
    void (*phase)(void *context, sl_backup_phase phase); /* one begins; NULL: nobody asks */
    void *context;
} sl_backup_work;
/* Counts, looks whether there is room, copies and syncs. */
int sl_backup_fill(const sl_backup_work *work, sl_error *error);

/* Whether `to`, an absolute path, can be a backup of `state`. EEXIST, EINVAL: another place; EACCES; ENOENT. */
int sl_backup_check(const char *state, const char *to, sl_error *error);
/* Checks, removes what a backup that was cut short has left there (*ret_left), makes *ret_partial. */
int sl_backup_begin(const char *state, const char *to, char **ret_partial, bool *ret_left, sl_error *error);
typedef struct sl_backup_about { /* of which moment it is */
    uint64_t seq;                /* the last event that is in; 0: unknown */
    int64_t taken_at;            /* us since 1970 */
} sl_backup_about;
int sl_backup_end(const char *partial, const char *to, const sl_backup_about *about, sl_error *error);
int sl_backup_about_read(const char *backup, sl_backup_about *ret, sl_error *error); /* ENOENT: it is none */

/* `state`: absent or empty, or what a restore that was cut short has left. Makes it. */
int sl_restore_begin(const char *state, bool *ret_made, sl_error *error);
/* It is filled: FlowFiles that it makes get ids that the one it was copied from has not given to others meanwhile. */
int sl_restore_advance(const char *state, const sl_backup_about *about, uint64_t *ret_next_id, sl_error *error);
/* Only now a daemon starts from it. */
int sl_restore_end(const char *state, sl_error *error);

/* -1: the folder is being filled, or was left so. */
int sl_state_complete(const char *state, sl_error *error);

#endif
