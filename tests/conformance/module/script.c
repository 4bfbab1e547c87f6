/* A session on its way through the steps of its script. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "script.h"

void script_path(sluice_instance *instance, const char *name, char path[LONGEST])
{
    snprintf(path, LONGEST, "%s/%s", sluice_property_text(instance, "out").data, name);
}

/* The first word of `text` into `word`; returns what follows it. */
const char *script_split(const char *text, char *word, size_t capacity)
{
    size_t size = strcspn(text, " ");
    snprintf(word, capacity, "%.*s", (int)size, text);
    return text + size + (text[size] == ' ');
}

then script_end(run *run, sluice_outcome outcome)
{
    run->outcome = outcome;
    return END;
}

bool script_die(sluice_instance *instance)
{
    char path[LONGEST];
    script_path(instance, "died", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    close(fd);
    if (!getenv("CONFORMANCE_DEATH")) _exit(9);
    return true;
}

/* ---- running the steps ------------------------------------------------------------------------------------------ */

static const step *find_in(const step *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0) return table;
    return NULL;
}

const step *script_step(const char *name)
{
    const step *found = find_in(flowfile_steps, name);
    return found ? found : find_in(effect_steps, name);
}

static then act(run *run, const char *text)
{
    char name[32];
    const char *argument = script_split(text, name, sizeof name);
    bool once = strcmp(name, "once") == 0, again = strcmp(name, "again") == 0;
    if (once || again) {
        if (once != (run->try == 1)) return NEXT;
        argument = script_split(argument, name, sizeof name);
    }
    run->submitting = true;
    then then = script_step(name)->act(run, argument);
    run->submitting = false;
    return then;
}

/* Until the script ends or something is waited for. */
void script_run(run *run)
{
    size_t count = sluice_count(run->instance, "script");
    while (run->next < count) {
        then then = act(run, sluice_item(run->instance, "script", run->next++).data);
        if (then == WAIT) return;
        if (then == END) break;
    }
    run->waiting = false;
}

void script_free(run *run)
{
    struct run **link = &run->subject->runs;
    while (*link != run) link = &(*link)->following;
    *link = run->following;
    free(run);
}

void script_go_on(run *run)
{
    if (run->cancelled && run->outcome == SLUICE_ROLLBACK) run->next = SIZE_MAX; /* the session is being cancelled */
    script_run(run);
    if (run->waiting) return;
    sluice_session *session = run->session;
    sluice_outcome outcome = run->outcome;
    script_free(run);
    sluice_finish(session, outcome);
}
