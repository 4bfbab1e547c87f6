/* conformance/script: what the files of the module share. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "sluice/calls.h"

enum { LONGEST = 4096 };

typedef struct subject { /* an instance */
    unsigned tries;      /* sessions so far */
    int64_t failed_effects;
    struct run *runs;
} subject;

typedef struct run { /* a session on its way through the steps */
    sluice_instance *instance;
    sluice_session *session;
    subject *subject;
    sluice_flowfile *flowfile, *other;
    size_t next;
    unsigned try, completions;
    bool on_worker, submitting, waiting, cancelled;
    sluice_call *call;
    sluice_outcome outcome;
    struct run *following;
} run;

typedef enum then { NEXT, WAIT, END } then;
typedef struct step {
    const char *name;
    then (*act)(run *run, const char *argument);
} step;

/* The first word of `text` into `word`; returns what follows it. */
const char *script_split(const char *text, char *word, size_t capacity);
void script_path(sluice_instance *instance, const char *name, char path[LONGEST]); /* OUT/NAME */
const step *script_step(const char *name);                                         /* NULL: there is none */
then script_end(run *run, sluice_outcome outcome);
void script_run(run *run);   /* until the script ends or something is waited for */
void script_go_on(run *run); /* from a completion */
void script_free(run *run);
/* A completion of any asynchronous call. */
void script_completed(void *context, bool cancelled);

/* The process dies here, once; later false. Where it cannot (a host in the test's own process) CONFORMANCE_DEATH says so:
 * then true, and whoever asked fails. */
bool script_die(sluice_instance *instance);

extern const step flowfile_steps[], effect_steps[]; /* a row without a name ends each */

sluice_outcome feed_trigger(sluice_instance *instance, sluice_session *session);
bool feed_ends(sluice_instance *instance);
sluice_outcome sink_trigger(sluice_instance *instance, sluice_session *session);

#endif
