#include <stdlib.h>

#include "put-file.h"
#include "sluice/calls.h"

void put_target_done(put_target *target)
{
    file_text_done(&target->root);
    file_text_done(&target->folder);
    file_text_done(&target->name);
}

void put_target_path(const put_target *target, const char *name, file_text *ret)
{
    file_text_printf(ret, "%s/%s%s", target->root.data, target->folder.data, name ? name : "");
}

/* ---- the intent --------------------------------------------------------------------------------------- */
void put_target_format(const put_target *target, file_text *ret)
{
    file_text_add(ret, "{\"root\":\"");
    file_path_encode(ret, target->root.data);
    file_text_add(ret, "\",\"folder\":\"");
    file_path_encode(ret, target->folder.data);
    file_text_add(ret, "\",\"name\":\"");
    file_path_encode(ret, target->name.data);
    file_text_printf(ret, "\",\"temporary\":\"%s\"}", target->temporary);
}

static bool parse(sluice_text intent, put_target *ret)
{
    file_text temporary = {0};
    bool whole = file_json_path(intent, "root", &ret->root) && file_json_path(intent, "folder", &ret->folder) &&
                 file_json_path(intent, "name", &ret->name) && file_json_text(intent, "temporary", &temporary) &&
                 file_temporary_valid(temporary.data);
    if (whole) snprintf(ret->temporary, sizeof ret->temporary, "%s", temporary.data);
    file_text_done(&temporary);
    return whole;
}

/* ---- the folder --------------------------------------------------------------------------------------- */
static int evaluate_folder(sluice_session *session, sluice_flowfile *flowfile, file_text *ret, sluice_failure *failure)
{
    sluice_text text;
    if (!sluice_evaluate(session, flowfile, "directory", &text, failure)) return -1;
    if (!text.size || memchr(text.data, 0, text.size))
        return sluice_refuse(failure, SLUICE_PERMANENT, "BadPath", "directory: expected the path of a folder, found \"%.*s\"",
                             SLUICE_TEXT_ARGS(text));
    file_absolute(ret, text.data, text.size);
    return 0;
}

/* How much of `folder` is the operator's own: what it has in common with its value for no FlowFile at all, up to a
 * '/'. Below it the names are data, which must not lead anywhere else. */
static size_t own_part(sluice_session *session, const file_text *folder)
{
    sluice_failure ignored = {0};
    file_text plain = {0};
    size_t same = 0;
    if (evaluate_folder(session, NULL, &plain, &ignored) == 0) {
        while (same < folder->size && same < plain.size && folder->data[same] == plain.data[same]) same++;
        if (same < folder->size || same < plain.size)
            while (same && folder->data[same - 1] != '/') same--;
    }
    file_text_done(&plain);
    return same;
}

/* Appends the names of `path` as "a/b/". -1: one that would lead elsewhere. */
static int add_names(file_text *ret, const char *path, sluice_failure *failure)
{
    file_text_bytes(ret, "", 0);
    for (size_t size; *path; path += size) {
        size = strcspn(path, "/");
        const char *problem = size ? file_name_problem(path, size) : NULL;
        if (problem)
            return sluice_refuse(failure, SLUICE_PERMANENT, "BadPath", "directory: \"%.*s\" cannot be the name of a folder: %s", (int)size,
                                 path, problem);
        file_text_bytes(ret, path, size);
        if (size) file_text_add(ret, "/");
        size += path[size] == '/';
    }
    return 0;
}

static int find_folder(sluice_session *session, sluice_flowfile *flowfile, put_target *ret, sluice_failure *failure)
{
    file_text folder = {0};
    int result = evaluate_folder(session, flowfile, &folder, failure);
    if (result == 0 && folder.data) {
        size_t own = own_part(session, &folder);
        file_text_bytes(&ret->root, folder.data, own);
        while (ret->root.size && ret->root.data[ret->root.size - 1] == '/') file_text_cut(&ret->root, ret->root.size - 1);
        result = add_names(&ret->folder, folder.data + own, failure);
    }
    file_text_done(&folder);
    return result;
}

/* ---- the name ----------------------------------------------------------------------------------------- */
static int find_name(sluice_session *session, sluice_flowfile *flowfile, put_target *ret, sluice_failure *failure)
{
    sluice_text name = sluice_attribute(session, flowfile, "filename");
    if (!name.data) name = sluice_attribute(session, flowfile, "uuid");
    bool encoded = sluice_is(sluice_attribute(session, flowfile, "filename.encoding"), "percent");
    bool readable = !encoded || file_name_decode(&ret->name, name.data, name.size);
    if (!encoded) file_text_bytes(&ret->name, name.data ? name.data : "", name.size);
    const char *problem = readable ? file_name_problem(ret->name.data, ret->name.size) : "its percent-encoding is malformed";
    if (!problem && file_temporary_valid(ret->name.data)) problem = "such names are for work in progress";
    if (!problem) return 0;
    return sluice_refuse(failure, SLUICE_PERMANENT, "BadName",
                         "\"%.*s\" cannot be the name of a file: %s; set filename by update-attribute", SLUICE_TEXT_ARGS(name), problem);
}

int put_target_find(sluice_instance *instance, sluice_session *session, sluice_flowfile *flowfile, put_target *ret, sluice_failure *failure)
{
    sluice_text intent = sluice_intent(session, flowfile);
    if (intent.data) {
        if (parse(intent, ret)) return 0;
        return sluice_refuse(failure, SLUICE_PERMANENT, "intent", "expected what put-file wrote of its target, found \"%.*s\"",
                             SLUICE_TEXT_ARGS(intent));
    }
    file_temporary(instance, ret->temporary);
    if (find_folder(session, flowfile, ret, failure) < 0) return -1;
    return find_name(session, flowfile, ret, failure);
}
