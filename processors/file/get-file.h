/* get-file: a source that takes files from a folder. On a worker, one session at a time.
 *
 * get-file.c      properties, init, trigger
 * get-take.c      one file: is it to be taken, and the taking
 * get-attributes.c
 * removal.c       the effect
 */
#ifndef GET_FILE_H
#define GET_FILE_H

#include <pthread.h>
#include <sys/stat.h>

#include "name.h"
#include "regex.h"
#include "scan.h"
#include "set.h"
#include "taken.h"

extern const sluice_property get_properties[];
extern const sluice_named get_relationships[], get_writes[];

int get_init(sluice_instance *instance, sluice_failure *failure);
void get_fini(sluice_instance *instance);
sluice_outcome get_trigger(sluice_instance *instance, sluice_session *session);
int get_effect(sluice_instance *instance, sluice_text effect, sluice_failure *failure);

typedef enum get_source { GET_DELETE, GET_KEEP, GET_MOVE } get_source;

typedef struct get_owner { /* the last user or group that was looked up */
    unsigned id;
    bool known;
    char name[64];
} get_owner;

typedef struct get_file {
    sluice_instance *instance;
    /* as configured */
    file_text directory, move_to; /* absolute, no '/' at the end */
    get_source source;
    regex file_filter, path_filter;
    bool recurse, ignore_hidden;
    int64_t min_age, max_age;   /* us; max 0: none */
    int64_t min_size, max_size; /* max 0: none */
    int64_t batch;
    /* the scan under way: trigger's */
    file_scan *scan;
    uint64_t waiting; /* files whose time has not come */
    bool incomplete;  /* a part of the tree could not be read */
    bool made;        /* anything since the scan began */
    file_taken *taken;
    get_owner owner, group;
    /* problems told: in the scan before, in this one */
    file_set told_before, told;
    uint64_t untold;
    /* what was taken and is not removed yet: trigger and effect */
    pthread_mutex_t lock;
    file_set in_flight;       /* versions */
    file_set in_flight_paths; /* "VERSION PATH" */
} get_file;

/* get-take.c */
typedef enum get_result { GET_LEFT, GET_TAKEN, GET_STOP } get_result;
/* GET_STOP: the session's failure was told, the batch ends. */
get_result get_take(get_file *self, sluice_session *session, const file_found *found);
void get_released(get_file *self, const char *version, const char *path);
/* A bulletin, once as long as it lasts. `path` is relative to the directory. */
void get_tell(get_file *self, const char *path, const char *what, int error);

/* get-attributes.c; folder_path and name raw */
void get_set_attributes(get_file *self, sluice_session *session, sluice_flowfile *flowfile, const file_found *found, int fd,
                        const struct stat *status);

#endif
