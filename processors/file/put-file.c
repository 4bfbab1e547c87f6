#include "put-file.h"

#include <stdlib.h>

#include "sluice/calls.h"

static const char *const conflicts[] = {"fail", "replace", "rename", "ignore", NULL};

const sluice_property put_properties[] = {
    {.name = "directory",
     .type = SLUICE_STRING,
     .flags = SLUICE_REQUIRED | SLUICE_EXPRESSION,
     .help = "The folder to write to: /srv/out/${path}. Names from expressions never lead out of the part before them."},
    {.name = "conflict",
     .type = SLUICE_ENUM,
     .fallback = "fail",
     .allowed = conflicts,
     .help = "When a file of that name is there: fail, replace it, rename (clip-1.mp4), or ignore (the old one stays)."},
    {.name = "create", .type = SLUICE_BOOL, .fallback = "true", .help = "Makes folders that are missing."},
    {0},
};
const sluice_named put_relationships[] = {
    {.name = "success", .help = "The file is in its folder, on disk."},
    {.name = "failure", .help = "It can never be written there: a name that cannot be one, a file in the way, content that is gone."},
    {0},
};
const sluice_named put_reads[] = {
    {.name = "filename", .help = "The file's name; uuid where there is none."},
    {.name = "filename.encoding", .help = "\"percent\": filename is decoded to the bytes it stands for."},
    {0},
};
const sluice_named put_writes[] = {{.name = "filename", .help = "The name it has got, where `conflict: rename` gave another."}, {0}};

int put_init(sluice_instance *instance, sluice_failure *failure)
{
    (void)failure;
    put_settings *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->conflict = (put_conflict)sluice_number(instance, "conflict");
    self->create = sluice_number(instance, "create");
    instance->data = self;
    return 0;
}

void put_fini(sluice_instance *instance)
{
    free(instance->data);
    instance->data = NULL;
}

/* ---- the end of a delivery ------------------------------------------------------------------------------ */
static void set_filename(sluice_session *session, sluice_flowfile *flowfile, const char *name)
{
    file_text encoded = {0};
    bool percent = sluice_is(sluice_attribute(session, flowfile, "filename.encoding"), "percent");
    if (percent) file_name_encode(&encoded, name);
    sluice_set(session, flowfile, "filename", percent ? encoded.data : name);
    file_text_done(&encoded);
}

static void conclude(sluice_session *session, sluice_flowfile *flowfile, const put_target *target, const put_placed *placed)
{
    file_text path = {0}, uri = {0};
    put_target_path(target, placed->existed ? target->name.data : placed->name.data, &path);
    file_uri(&uri, path.data);
    if (placed->existed) sluice_event(session, flowfile, SLUICE_ADDINFO, uri.data, "{\"skipped\":\"exists\"}");
    else sluice_event(session, flowfile, SLUICE_SEND, uri.data, NULL);
    if (!placed->existed && strcmp(placed->name.data, target->name.data) != 0) set_filename(session, flowfile, placed->name.data);
    sluice_transfer(session, flowfile, "success");
    file_text_done(&uri);
    file_text_done(&path);
}

/* ---- trigger -------------------------------------------------------------------------------------------- */
/* False: another delivery to the same file is under way. */
static bool ask_turn(sluice_session *session, sluice_flowfile *flowfile, const put_target *target)
{
    file_text uri = {0}, path = {0};
    put_target_path(target, target->name.data, &path);
    file_uri(&uri, path.data);
    bool turn = sluice_turn(session, flowfile, uri.data);
    file_text_done(&uri);
    file_text_done(&path);
    return turn;
}

static void intend(sluice_session *session, sluice_flowfile *flowfile, const put_target *target)
{
    file_text intent = {0};
    if (sluice_intent(session, flowfile).data) return;
    put_target_format(target, &intent);
    sluice_intend_now(session, flowfile, intent.data);
    file_text_done(&intent);
}

static void deliver(const put_settings *self, sluice_session *session, sluice_flowfile *flowfile, const put_target *target)
{
    sluice_failure failure = {0};
    put_placed placed = {0};
    intend(session, flowfile, target);
    if (put_place(self, session, flowfile, target, &placed, &failure) == 0) conclude(session, flowfile, target, &placed);
    else sluice_fail(session, flowfile, "failure", &failure);
    file_text_done(&placed.name);
}

sluice_outcome put_trigger(sluice_instance *instance, sluice_session *session)
{
    sluice_flowfile *flowfile = sluice_get(session);
    if (!flowfile) return SLUICE_DONE;
    sluice_failure failure = {0};
    sluice_outcome outcome = SLUICE_DONE;
    put_target target = {0};
    if (put_target_find(instance, session, flowfile, &target, &failure) < 0) sluice_fail(session, flowfile, "failure", &failure);
    else if (!ask_turn(session, flowfile, &target)) outcome = SLUICE_ROLLBACK;
    else deliver(instance->data, session, flowfile, &target);
    put_target_done(&target);
    return outcome;
}
