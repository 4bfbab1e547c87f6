/* content: where bytes live. A claim says where: inline (in the event's own row), packed (a range of an
 * append-only pack), own (a file of ours), adopted (a source file made ours by a hard link, without copying),
 * external (left in place by reference, checked at every read). Claims are immutable but for hashes learned later;
 * they are counted references, shared by FlowFiles; when the last goes, the store tells the engine, which
 * journals a RELEASE and then lets the bytes go: the journal's word, never the counter's alone.
 *
 * Order on disk: write, fsync, link, fsync the folder, commit the row, then touch the source. Own files are synced
 * by the writing thread; packs and folders that got new names are synced by sl_content_sync before a group's commit.
 *
 * Folder: own/X/ID (adopted: own/X/ID.a; in a backup own/X/ID), pack/ID.pack, quarantine/. IDs are 16 hex digits, X the last of them.
 * A released range of a pack is punched out of the file. A pack of which little is held any more is emptied by moving that
 * (sl_content_sparse, sl_content_move); one of which nothing is held is removed.
 */
#ifndef SL_CONTENT_H
#define SL_CONTENT_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/sys.h"

typedef struct sl_content sl_content;

typedef enum sl_claim_kind { SL_INLINE, SL_PACKED, SL_OWN, SL_ADOPTED, SL_EXTERNAL } sl_claim_kind;

typedef struct sl_claim {
    atomic_uint references;
    sl_claim_kind kind;
    uint64_t id;           /* of the claim; own file's name */
    uint64_t pack, offset; /* packed */
    uint64_t size;
    char *data;             /* inline bytes */
    char *path;             /* external */
    uint64_t device, inode; /* external, adopted */
    int64_t mtime_ns;
    _Atomic(char *) sha256; /* hex, set once */
    _Atomic(char *) md5;
    bool counted; /* the last unref tells the store's `unused`; not for claims that only look */
    sl_content *store;
} sl_claim;

sl_claim *sl_claim_ref(sl_claim *claim);
void sl_claim_unref(sl_claim *claim); /* any thread; NULL is fine */
/* A claim learns its hashes (hex; NULL: unknown). The first word stands; any thread. */
void sl_claim_learn(sl_claim *claim, const char *sha256, const char *md5);
/* {"id":..,"kind":"own","size":..,"sha256":".."} */
void sl_claim_format(const sl_claim *claim, sl_buf *ret);
/* A claim of that text that only looks (not `counted`). inline_data: the row's bytes. */
int sl_claim_parse(sl_content *store, sl_str text, sl_str inline_data, sl_claim **ret, sl_error *error);

typedef struct sl_content_options {
    const char *folder;  /* STATE/content, made when absent */
    size_t inline_limit; /* 0: 2 KiB */
    size_t packed_limit; /* 0: 256 KiB */
    uint64_t pack_size;  /* 0: 64 MiB */
    bool look_only;      /* nothing is made or removed: claims are parsed and read, and that is all */
    /* A claim's last reference went (any thread): journal RELEASE, then sl_content_release. Never for inline or
     * external ones. */
    void (*unused)(void *context, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size);
    void *context;
} sl_content_options;

int sl_content_open(const sl_content_options *options, sl_content **ret, sl_error *error);
/* During recovery: an event has this claim's text, or releases it. When nobody holds it, its adopted file has done its
 * work and a crash kept it from being removed. */
void sl_content_mention(sl_content *store, sl_str claim);
void sl_content_mention_id(sl_content *store, uint64_t id);
/* Before anything is made: what the journal tells of is from no later than this time (us since 1970), whatever the clock
 * says now. Ids that are given from now on are greater. */
void sl_content_begin_after(sl_content *store, int64_t time);
/* us since 1970: who tells of a claim says no earlier time, else the next opening would give its id again. Any thread. */
int64_t sl_content_time(const sl_content *store);
/* Claims with a smaller id are of before this opening. */
uint64_t sl_content_first(const sl_content *store);
/* What of before this opening somebody holds; then: own files and packs of before that nobody holds are removed, adopted ones
 * without another link that were never mentioned put in quarantine (logged). Any thread, once, before anything of before is released. */
typedef struct sl_live sl_live;
sl_live *sl_live_new(void);
void sl_live_add(sl_live *live, const sl_claim *claim);
void sl_live_free(sl_live *live);
int sl_content_sweep(sl_content *store, const sl_live *live, sl_error *error);
void sl_content_close(sl_content *store);
/* Journal thread, before a commit: packs and folders. -1 with ENOSPC or EDQUOT: may be called again, as soon as there is room. */
int sl_content_sync(sl_content *store, sl_error *error);
/* Any thread, after the RELEASE is durable: lets the bytes go. */
void sl_content_release(sl_content *store, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size);
uint64_t sl_content_bytes(const sl_content *store); /* on disk now, packs and own files */
uint64_t sl_content_disk(const sl_content *store);  /* the same with what packs take besides, as last looked at by sl_content_sparse */

/* ---- packs of which little is held any more ------------------------------------------------------------------
 * Worker. Those that nobody appends to, with less than a quarter held and more than 1 MiB of the rest on the disk; at most
 * `most` of them, those with the least to move first. Only once the sweep has counted what is held. */
typedef struct sl_sparse {
    uint64_t pack, held, taken; /* bytes that claims hold; that its file has on the disk */
} sl_sparse;
size_t sl_content_sparse(sl_content *store, sl_sparse *ret, size_t most);
size_t sl_content_packed_limit(const sl_content *store); /* bytes of the largest content that a pack takes */
/* Worker. The bytes of a packed claim, once they have proved to be what they were, once more in a pack that is appended to: a
 * claim of its own with the same hashes. The old one stays until it is released. */
int sl_content_move(sl_content *store, sl_claim *old, sl_claim **ret, sl_error *error);

/* ---- backup.c: content as of one moment (any thread that may block) ---------------------------------------------------- */
struct sl_copier;
typedef struct sl_content_cut sl_content_cut;
/* Until sl_content_go_on, which does it then, sl_content_release only notes what to let go. */
void sl_content_hold(sl_content *store);
void sl_content_go_on(sl_content *store);
size_t sl_content_waits(sl_content *store, uint64_t *ret_bytes); /* how many releases wait, and their bytes */
/* What there is now; held before the moment whose claims are wanted, taken after it. */
sl_content_cut *sl_content_cut_new(sl_content *store);
void sl_content_cut_free(sl_content_cut *cut);
/* Into `to`, which is made. cut NULL: all that is in `folder`, which nobody writes to. An adopted file is an own one there. */
int sl_content_copy(const char *folder, const sl_content_cut *cut, const char *to, struct sl_copier *copier, sl_error *error);

/* ---- writing (worker, or loop when small) ------------------------------------------------------ */
typedef struct sl_content_writer sl_content_writer;
sl_content_writer *sl_content_write(sl_content *store);
int sl_content_append(sl_content_writer *writer, const void *data, size_t size); /* -1: failed; close says why */
/* Always frees the writer. SHA-256 was computed on the way. */
int sl_content_close_writer(sl_content_writer *writer, sl_claim **ret, sl_error *error);
void sl_content_abandon(sl_content_writer *writer);

/* ---- taking a source file (worker) ----------------------------------------------------------------
 * adopt: the source will be removed after the commit: reflink, else hard link under a read lease, else copy. Small
 * files (64 KiB) are read into inline or packed claims. Not adopt: external when large, else inline or packed. The file
 * must be the one `fd` has open and must not change while read: error->code EAGAIN when it did. */
int sl_content_import(sl_content *store, const char *path, int fd, bool adopt, sl_claim **ret, sl_error *error);

/* ---- reading ----------------------------------------------------------------------------------------- */
/* Any thread. Memory, or a descriptor kept open until sl_content_view_done. An external claim that changed, or bytes
 * that are gone: error->code ESTALE or ENOENT. */
typedef struct sl_content_view {
    const void *data;
    int fd;
    uint64_t offset, size;
} sl_content_view;
int sl_content_view_open(sl_content *store, sl_claim *claim, sl_content_view *ret, sl_error *error);
/* The same for a claim of history, whose bytes may have been released: a packed range that was reads as zeros, so it is
 * verified first. Code ESTALE or ENOENT then. */
int sl_content_view_kept(sl_content *store, sl_claim *claim, sl_content_view *ret, sl_error *error);
void sl_content_view_done(sl_content_view *view);
/* Blocking. Bytes read, all of `size` but at the end; 0 at the end. With the last byte an external or adopted claim is
 * looked at once more: what changed while it was read is refused, code ESTALE. */
int64_t sl_content_view_read(const sl_claim *claim, const sl_content_view *view, uint64_t offset, void *data, size_t size, sl_error *error);
/* Reads all and compares length and SHA-256 where known. For doctor. */
int sl_content_verify(sl_content *store, sl_claim *claim, sl_error *error);

#endif
