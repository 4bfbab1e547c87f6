/* The source that feeds a scenario, and the sink that writes down what came out. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "script.h"

/* ---- the source that feeds, the sink that writes down --------------------------------------------------------- */

sluice_outcome feed_trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_failure failure = {0};
    bool fed = sluice_state(session, "fed").data != NULL;
    for (size_t i = 0; !fed && i < sluice_count(instance, "items"); i++) {
        sluice_text item = sluice_item(instance, "items", i);
        sluice_flowfile *flowfile = sluice_create(session, NULL);
        sluice_writer *writer = sluice_write(session, flowfile);
        sluice_append(session, writer, item.data, item.size);
        if (sluice_close(session, writer, &failure) < 0) return SLUICE_ROLLBACK;
        sluice_set_number(session, flowfile, "number", (int64_t)i);
        sluice_transfer(session, flowfile, "success");
    }
    if (!fed) sluice_set_state(session, "fed", "yes");
    sluice_scanned(session, 0);
    sluice_yield(session);
    return SLUICE_DONE;
}

bool feed_ends(sluice_instance *instance)
{
    (void)instance;
    return true;
}

static bool is_own(const char *name)
{
    static const char *const changing[] = {"filename", "path", "uuid", "sha256", "error.component", "error.message", NULL};
    for (const char *const *known = changing; *known; known++)
        if (strcmp(*known, name) == 0) return false;
    return true;
}

/* "CONTENT name=value ...": content to 32 bytes, attributes in their order, but those that differ from run to run. */
static void describe(sluice_session *session, sluice_flowfile *flowfile, char line[LONGEST])
{
    sluice_failure failure;
    int64_t got = sluice_read(session, flowfile, 0, line, 32, &failure);
    size_t used = got > 0 ? (size_t)got : 0;
    for (size_t i = 0; i < session->host->attribute_count(flowfile); i++) {
        sluice_text name, value;
        session->host->attribute_at(flowfile, i, &name, &value);
        if (is_own(name.data)) used += (size_t)snprintf(line + used, LONGEST - used, " %s=%s", name.data, value.data);
    }
    line[used] = 0;
}

sluice_outcome sink_trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    char path[LONGEST], line[LONGEST];
    if (!flowfile) return SLUICE_DONE;
    snprintf(path, sizeof path, "%s/%s", sluice_property_text(instance, "out").data, sluice_property_text(instance, "label").data);
    mkdir(path, 0755);
    size_t used = strlen(path);
    snprintf(path + used, sizeof path - used, "/%s", sluice_attribute(session, flowfile, "uuid").data);
    describe(session, flowfile, line);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return SLUICE_ROLLBACK;
    dprintf(fd, "%s\n", line);
    close(fd);
    sluice_drop(session, flowfile, "written down");
    return SLUICE_DONE;
}
