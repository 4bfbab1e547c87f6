/* Content as of one moment, copied while the store goes on: what is released meanwhile waits, what is new is left out. Own
 * files are never written again: a hard link will do. Adopted ones may still have another name or a writer: each is copied,
 * and is an own file there. Packs are written to and punched: they are copied as far as they had been written to. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/copy.h"
#include "content/private.h"

/* ---- what waits ------------------------------------------------------------------------------------------------------ */

typedef struct waiting {
    uint64_t id, pack, offset, size;
    sl_claim_kind kind;
} waiting;

struct sl_content_held {
    waiting *first;
    size_t count, capacity;
    uint64_t bytes;
};

void sl_content_hold(sl_content *store)
{
    pthread_mutex_lock(&store->lock);
    if (!store->held) store->held = SL_NEW(sl_content_held);
    pthread_mutex_unlock(&store->lock);
}

bool sl_content_wait(sl_content *store, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    pthread_mutex_lock(&store->lock);
    sl_content_held *held = store->held;
    if (held) {
        held->first = sl_grow(held->first, held->count, &held->capacity, sizeof *held->first);
        held->first[held->count++] = (waiting){.id = id, .kind = kind, .pack = pack, .offset = offset, .size = size};
        held->bytes += size;
    }
    pthread_mutex_unlock(&store->lock);
    return held != NULL;
}

size_t sl_content_waits(sl_content *store, uint64_t *ret_bytes)
{
    pthread_mutex_lock(&store->lock);
    size_t count = store->held ? store->held->count : 0;
    *ret_bytes = store->held ? store->held->bytes : 0;
    pthread_mutex_unlock(&store->lock);
    return count;
}

void sl_content_held_free(sl_content_held *held)
{
    if (held) free(held->first);
    free(held);
}

void sl_content_go_on(sl_content *store)
{
    pthread_mutex_lock(&store->lock);
    sl_content_held *held = store->held;
    store->held = NULL;
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; held && i < held->count; i++) {
        const waiting *at = &held->first[i];
        sl_content_release(store, at->id, at->kind, at->pack, at->offset, at->size);
    }
    sl_content_held_free(held);
}

/* ---- the moment --------------------------------------------------------------------------------------------------------- */

typedef struct written { /* a pack that is written to */
    uint64_t id, size;
} written;

struct sl_content_cut {
    uint64_t next; /* claims and packs with a smaller id are in */
    written *packs;
    size_t count, capacity;
};

sl_content_cut *sl_content_cut_new(sl_content *store)
{
    sl_content_cut *cut = SL_NEW(sl_content_cut);
    pthread_mutex_lock(&store->lock);
    cut->next = atomic_load(&store->next_id);
    for (const sl_pack *pack = store->packs; pack; pack = pack->next) {
        cut->packs = sl_grow(cut->packs, cut->count, &cut->capacity, sizeof *cut->packs);
        cut->packs[cut->count++] = (written){pack->id, pack->size};
    }
    pthread_mutex_unlock(&store->lock);
    return cut;
}

void sl_content_cut_free(sl_content_cut *cut)
{
    if (cut) free(cut->packs);
    free(cut);
}

static uint64_t size_in(const sl_content_cut *cut, uint64_t pack)
{
    for (size_t i = 0; cut && i < cut->count; i++)
        if (cut->packs[i].id == pack) return cut->packs[i].size;
    return UINT64_MAX;
}

/* ---- the files ------------------------------------------------------------------------------------------------------------ */

typedef struct copying {
    const sl_content_cut *cut;
    const char *from, *to; /* the folders that are listed and filled */
    sl_copier *copier;
    int result;
    sl_error *error;
} copying;

/* A file that goes meanwhile was released before the moment: nothing that lives at it is let go. */
static int unless_gone(const copying *c, const char *from, int result)
{
    struct stat status;
    if (result == 0 || c->error->code != ENOENT) return result;
    return sl_sys_now->lstat(from, &status) < 0 && errno == ENOENT ? 0 : -1;
}

static bool is_in(const copying *c, const char *name, const char *ending, uint64_t *ret_id)
{
    char *end;
    *ret_id = strtoull(name, &end, 16);
    return end - name == 16 && strcmp(end, ending) == 0 && (!c->cut || *ret_id < c->cut->next);
}

static void copy_own(void *context, const char *name)
{
    copying *c = context;
    uint64_t id;
    bool adopted = is_in(c, name, ".a", &id);
    if (c->result < 0 || (!adopted && !is_in(c, name, "", &id))) return;
    char *from = sl_asprintf("%s/%s", c->from, name), *to = sl_asprintf("%s/%.16s", c->to, name);
    c->result = adopted ? sl_copy_file(c->copier, from, to, UINT64_MAX, c->error) : sl_copy_link(c->copier, from, to, c->error);
    c->result = unless_gone(c, from, c->result);
    free(from);
    free(to);
}

static void copy_pack(void *context, const char *name)
{
    copying *c = context;
    uint64_t id;
    if (c->result < 0 || !is_in(c, name, ".pack", &id)) return;
    char *from = sl_asprintf("%s/%s", c->from, name), *to = sl_asprintf("%s/%s", c->to, name);
    c->result = unless_gone(c, from, sl_copy_file(c->copier, from, to, size_in(c->cut, id), c->error));
    free(from);
    free(to);
}

static int copy_folder(copying *c, const char *folder, const char *to, const char *name, void (*each)(void *context, const char *name))
{
    char *source = sl_asprintf("%s/%s", folder, name), *target = sl_asprintf("%s/%s", to, name);
    c->from = source;
    c->to = target;
    c->result = sl_copy_folder(c->copier, target, c->error);
    if (c->result == 0 && sl_sys_now->list(source, each, c) < 0)
        c->result = sl_error_set(c->error, errno, "content: cannot list %s: %s", source, strerror(errno));
    if (c->result == 0) c->result = sl_copy_synced(c->copier, target, c->error);
    free(source);
    free(target);
    return c->result;
}

static int copy_owns(copying *c, const char *folder, const char *to, sl_error *error)
{
    char *target = sl_asprintf("%s/own", to);
    int result = sl_copy_folder(c->copier, target, error);
    for (unsigned i = 0; result == 0 && i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        result = copy_folder(c, folder, to, name, copy_own);
    }
    if (result == 0) result = sl_copy_synced(c->copier, target, error);
    free(target);
    return result;
}

/* Packs first: what waits for them is what there is most of. */
int sl_content_copy(const char *folder, const sl_content_cut *cut, const char *to, sl_copier *copier, sl_error *error)
{
    sl_error unasked = {0};
    copying c = {.cut = cut, .copier = copier, .error = error ? error : &unasked};
    if (sl_copy_folder(copier, to, c.error) < 0 || copy_folder(&c, folder, to, "pack", copy_pack) < 0 ||
        copy_owns(&c, folder, to, c.error) < 0)
        return -1;
    return sl_copy_synced(copier, to, c.error);
}
