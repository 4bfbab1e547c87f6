/* put-file: delivers content as a file into a folder. On a worker; several sessions at once, each with one FlowFile.
 *
 * put-file.c      properties, init, trigger, how a delivery ends
 * put-target.c    where it goes: evaluated once, then in the intent
 * put-place.c     bytes under a temporary name, then the final one
 */
#ifndef PUT_FILE_H
#define PUT_FILE_H

#include "folder.h"

extern const sluice_property put_properties[];
extern const sluice_named put_relationships[], put_reads[], put_writes[];

int put_init(sluice_instance *instance, sluice_failure *failure);
void put_fini(sluice_instance *instance);
sluice_outcome put_trigger(sluice_instance *instance, sluice_session *session);

typedef enum put_conflict { PUT_FAIL, PUT_REPLACE, PUT_RENAME, PUT_IGNORE } put_conflict;

typedef struct put_settings {
    put_conflict conflict;
    bool create;
} put_settings;

typedef struct put_target {
    file_text root;   /* absolute: the part of `directory` that no FlowFile's data is in */
    file_text folder; /* "a/b/" below it */
    file_text name;
    char temporary[FILE_TEMPORARY];
} put_target;

void put_target_done(put_target *target);
/* From the intent of an earlier try, else from the FlowFile. -1: failure filled. */
int put_target_find(sluice_instance *instance, sluice_session *session, sluice_flowfile *flowfile, put_target *ret,
                    sluice_failure *failure);
void put_target_format(const put_target *target, file_text *ret); /* the intent: JSON */
/* "/root/folder/NAME"; name NULL: the folder. */
void put_target_path(const put_target *target, const char *name, file_text *ret);

typedef struct put_placed {
    file_text name; /* that it has got; empty with `existed` */
    bool existed;   /* ignore: something was there, nothing was written */
} put_placed;
/* Idempotent: whatever an earlier try has done is found and gone on with. -1: failure filled. */
int put_place(const put_settings *settings, sluice_session *session, sluice_flowfile *flowfile, const put_target *target, put_placed *ret,
              sluice_failure *failure);

#endif
