/* Content as a session reads and makes it. A new claim belongs to the session until its commit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/sys.h"
#include "engine/host.h"

void sl_view_close_content(sluice_flowfile *flowfile)
{
    if (!flowfile->viewed) return;
    sl_content_view_done(&flowfile->view);
    flowfile->viewed = false;
}

/* An object whose bytes changed or are gone cannot succeed; a disk that fails for a while can. */
static int unreadable(sluice_failure *failure, const sl_error *error)
{
    sl_failure_of_error(failure, error);
    if (error->code == EIO) failure->class_ = SLUICE_TRANSIENT;
    if (error->code == ESTALE)
        snprintf(failure->code, sizeof failure->code, "ContentChanged"); /* as modules call it that see it by its hash */
    return -1;
}

static int open_view(sl_session *session, sluice_flowfile *flowfile, sluice_failure *failure)
{
    sl_error error;
    if (flowfile->viewed) return 0;
    if (sl_content_view_open(session->engine->content, flowfile->claim, &flowfile->view, &error) < 0) return unreadable(failure, &error);
    flowfile->viewed = true;
    return 0;
}

bool sl_host_content(sluice_session *abi, sluice_flowfile *flowfile, sluice_content *ret, sluice_failure *failure)
{
    if (open_view(sl_session_of(abi), flowfile, failure) < 0) return false;
    const sl_content_view *view = &flowfile->view;
    *ret = (sluice_content){.data = view->data, .fd = view->fd, .offset = view->offset, .size = view->size};
    if (!flowfile->claim) return true;
    ret->sha256 = atomic_load(&flowfile->claim->sha256);
    ret->md5 = atomic_load(&flowfile->claim->md5);
    return true;
}

int64_t sl_host_read(sluice_session *abi, sluice_flowfile *flowfile, uint64_t offset, void *data, size_t size, sluice_failure *failure)
{
    sl_session *session = sl_session_of(abi);
    if (open_view(session, flowfile, failure) < 0) return -1;
    sl_error error = {0};
    int64_t got = sl_content_view_read(flowfile->claim, &flowfile->view, offset, data, size, &error);
    if (got < 0) return unreadable(failure, &error);
    session->read_bytes += (uint64_t)got;
    return got;
}

static void replace_claim(sluice_flowfile *flowfile, sl_claim *claim)
{
    sl_view_close_content(flowfile);
    sl_claim_unref(flowfile->claim);
    flowfile->claim = claim;
    flowfile->claim_changed = true;
}

sluice_writer *sl_host_write(sluice_session *abi, sluice_flowfile *flowfile)
{
    sl_session *session = sl_session_of(abi);
    sluice_writer *writer = SL_NEW(sluice_writer);
    writer->session = session;
    writer->flowfile = flowfile;
    writer->writer = sl_content_write(session->engine->content);
    writer->next = session->writers;
    if (writer->next) writer->next->previous = writer;
    session->writers = writer;
    return writer;
}

int sl_host_append(sluice_writer *writer, const void *data, size_t size) { return sl_content_append(writer->writer, data, size); }

int sl_host_close(sluice_writer *writer, sluice_failure *failure)
{
    sl_claim *claim;
    sl_error error;
    int result = sl_content_close_writer(writer->writer, &claim, &error);
    if (result == 0) replace_claim(writer->flowfile, claim);
    else unreadable(failure, &error);
    *(writer->previous ? &writer->previous->next : &writer->session->writers) = writer->next;
    if (writer->next) writer->next->previous = writer->previous;
    free(writer);
    return result;
}

int sl_host_import(sluice_session *abi, sluice_flowfile *flowfile, const sluice_source *source, sluice_failure *failure)
{
    sl_claim *claim;
    sl_error error;
    if (sl_content_import(sl_session_of(abi)->engine->content, source->path, source->fd, source->adopt, &claim, &error) < 0)
        return unreadable(failure, &error);
    replace_claim(flowfile, claim);
    return 0;
}

void sl_host_hashes(sluice_session *session, sluice_flowfile *flowfile, const char *sha256, const char *md5)
{
    (void)session;
    if (!flowfile->claim) return;
    bool knew_sha256 = atomic_load(&flowfile->claim->sha256), knew_md5 = atomic_load(&flowfile->claim->md5);
    sl_claim_learn(flowfile->claim, sha256, md5);
    if ((sha256 && !knew_sha256) || (md5 && !knew_md5)) flowfile->claim_learned = true;
}
