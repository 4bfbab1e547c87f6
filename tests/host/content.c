/* Content: the daemon's own store, in the test's folder. */
#include "private.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { SMALL_ON_LOOP = 64 << 10 };

static bool on_loop(const session *session) { return !(session->on_worker && session->in_trigger); }

/* What may pass by itself is transient; bytes that changed or are gone cannot succeed. */
static void fill(sluice_failure *failure, const sl_error *error)
{
    static const int passing[] = {EAGAIN, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EINTR, EIO};
    const char *code = error->code ? strerrorname_np(error->code) : NULL;
    *failure = (sluice_failure){.class_ = SLUICE_PERMANENT};
    for (size_t i = 0; i < SL_COUNT(passing); i++)
        if (passing[i] == error->code) failure->class_ = SLUICE_TRANSIENT;
    snprintf(failure->code, sizeof failure->code, "%s", error->code == ESTALE ? "ContentChanged" : code ? code : "Content");
    snprintf(failure->message, sizeof failure->message, "%s", error->text);
}

static bool open_view(sluice_flowfile *flowfile, sluice_failure *failure)
{
    sl_error error = {0};
    if (flowfile->viewed || !flowfile->claim) return true;
    if (sl_content_view_open(flowfile->session->box->host->content, flowfile->claim, &flowfile->view, &error) < 0) {
        fill(failure, &error);
        return false;
    }
    flowfile->viewed = true;
    return true;
}

static void close_view(sluice_flowfile *flowfile)
{
    if (flowfile->viewed) sl_content_view_done(&flowfile->view);
    flowfile->viewed = false;
}

bool call_content(sluice_session *abi, sluice_flowfile *flowfile, sluice_content *ret, sluice_failure *failure)
{
    session *session = (struct session *)abi;
    host_check_session(session, "content");
    if (host_injected(session->box->host, HOST_CONTENT, failure) || !open_view(flowfile, failure)) return false;
    *ret = (sluice_content){.data = "", .fd = -1};
    if (!flowfile->claim) return true;
    const sl_content_view *view = &flowfile->view;
    *ret = (sluice_content){view->data,
                            view->data ? -1 : view->fd,
                            view->offset,
                            view->size,
                            atomic_load(&flowfile->claim->sha256),
                            atomic_load(&flowfile->claim->md5)};
    return true;
}

int64_t call_read(sluice_session *abi, sluice_flowfile *flowfile, uint64_t offset, void *data, size_t size, sluice_failure *failure)
{
    session *session = (struct session *)abi;
    host_check_session(session, "read");
    if (host_injected(session->box->host, HOST_READ, failure) || !open_view(flowfile, failure)) return -1;
    if (!flowfile->claim) return 0;
    if (on_loop(session) && !flowfile->view.data)
        host_fault_found(session->box->host, "%s: content that is not in memory was read on the loop, which blocks", session->box->name);
    sl_error error = {0};
    int64_t got = sl_content_view_read(flowfile->claim, &flowfile->view, offset, data, size, &error);
    if (got < 0) fill(failure, &error);
    return got;
}

sluice_writer *call_write(sluice_session *abi, sluice_flowfile *flowfile)
{
    session *session = (struct session *)abi;
    host_check_session(session, "write");
    if (flowfile->writer) {
        host_fault_found(session->box->host, "%s: a second writer for one FlowFile", session->box->name);
        return flowfile->writer;
    }
    flowfile->writer = SL_NEW(sluice_writer);
    *flowfile->writer = (sluice_writer){flowfile, sl_content_write(session->box->host->content)};
    return flowfile->writer;
}

int call_append(sluice_writer *writer, const void *data, size_t size) { return sl_content_append(writer->content, data, size); }

static void replace(sluice_flowfile *flowfile, sl_claim *claim)
{
    close_view(flowfile);
    sl_claim_unref(flowfile->claim);
    flowfile->claim = claim;
    flowfile->content_changed = true;
}

int call_close(sluice_writer *writer, sluice_failure *failure)
{
    sluice_flowfile *flowfile = writer->flowfile;
    session *session = flowfile->session;
    sl_claim *claim = NULL;
    sl_error error = {0};
    host_check_session(session, "close");
    int failed = sl_content_close_writer(writer->content, &claim, &error);
    flowfile->writer = NULL;
    free(writer);
    if (failed) fill(failure, &error);
    if (!failed && host_injected(session->box->host, HOST_CLOSE, failure)) {
        sl_claim_unref(claim);
        failed = -1;
    }
    if (failed) return -1;
    if (on_loop(session) && claim->size > SMALL_ON_LOOP)
        host_fault_found(session->box->host, "%s: %llu bytes were written on the loop, which blocks", session->box->name,
                         (unsigned long long)claim->size);
    replace(flowfile, claim);
    return 0;
}

int call_import(sluice_session *abi, sluice_flowfile *flowfile, const sluice_source *source, sluice_failure *failure)
{
    session *session = (struct session *)abi;
    sl_claim *claim = NULL;
    sl_error error = {0};
    host_check_session(session, "import");
    if (on_loop(session)) host_fault_found(session->box->host, "%s: import is for workers", session->box->name);
    if (host_injected(session->box->host, HOST_IMPORT, failure)) return -1;
    if (sl_content_import(session->box->host->content, source->path, source->fd, source->adopt, &claim, &error) < 0) {
        fill(failure, &error);
        return -1;
    }
    replace(flowfile, claim);
    return 0;
}

void call_hashes(sluice_session *abi, sluice_flowfile *flowfile, const char *sha256, const char *md5)
{
    host_check_session((session *)abi, "hashes");
    if (flowfile->claim) sl_claim_learn(flowfile->claim, sha256, md5);
}
