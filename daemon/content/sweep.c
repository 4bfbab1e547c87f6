/* What nobody holds, of before this opening: ids tell, since they grow with time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "content/private.h"

struct sl_live {
    sl_map claims; /* ids in hex: one that several hold counts once */
    sl_map packs;  /* id in hex -> bytes that claims hold */
};

static sl_str hex_of(uint64_t id, char text[17])
{
    snprintf(text, 17, "%016" PRIx64, id);
    return (sl_str){text, 16};
}

sl_live *sl_live_new(void) { return SL_NEW(sl_live); }

void sl_live_add(sl_live *live, const sl_claim *claim)
{
    char text[17];
    if (claim->kind == SL_INLINE || claim->kind == SL_EXTERNAL) return;
    if (sl_map_put(&live->claims, hex_of(claim->id, text), live) || claim->kind != SL_PACKED) return;
    sl_str pack = hex_of(claim->pack, text);
    intptr_t bytes = (intptr_t)sl_map_get(&live->packs, pack);
    sl_map_put(&live->packs, pack, (void *)(bytes + (intptr_t)claim->size));
}

void sl_live_free(sl_live *live)
{
    if (!live) return;
    sl_map_done(&live->claims);
    sl_map_done(&live->packs);
    free(live);
}

typedef struct visit {
    sl_content *store;
    const sl_live *live;
    const char *folder;
    void (*file)(sl_content *store, const sl_live *live, const char *path, const char *name);
} visit;

static void visit_file(void *context, const char *name)
{
    const visit *v = context;
    if (name[0] == '.') return;
    char *path = sl_asprintf("%s/%s", v->folder, name);
    v->file(v->store, v->live, path, name);
    free(path);
}

/* Calls back for each plain file of a folder below the store's. */
static int each_file(sl_content *store, const char *folder, const sl_live *live,
                     void (*file)(sl_content *store, const sl_live *live, const char *path, const char *name), sl_error *error)
{
    char *path = sl_asprintf("%s/%s", store->folder, folder);
    visit v = {.store = store, .live = live, .folder = path, .file = file};
    int result = sl_sys_now->list(path, visit_file, &v);
    if (result < 0) sl_error_set(error, errno, "content: cannot list %s: %s", path, strerror(errno));
    free(path);
    return result;
}

static void quarantine(sl_content *store, const char *path, const char *name)
{
    char *to = sl_asprintf("%s/quarantine/%s", store->folder, name);
    bool moved = sl_sys_now->rename_noreplace(path, to) == 0;
    sl_log(SL_WARNING, "content", "%s was taken from its source but is in no record: %s %s; look at it and remove it by hand", path,
           moved ? "kept as" : "it stays, it could not be moved to", to);
    free(to);
}

/* ---- what the journal tells of ------------------------------------------------------------------------ */

static uint64_t id_of(const char *hex)
{
    char text[17] = "";
    memcpy(text, hex, 16);
    return strtoull(text, NULL, 16);
}

void sl_content_mention_id(sl_content *store, uint64_t id)
{
    store->mentioned = sl_grow(store->mentioned, store->mentioned_count, &store->mentioned_capacity, sizeof *store->mentioned);
    store->mentioned[store->mentioned_count++] = id;
}

/* Not parsed, since recovery meets millions of them: sl_claim_format writes the id and the kind first. */
void sl_content_mention(sl_content *store, sl_str claim)
{
    enum { ID = sizeof "{\"id\":\"" - 1, KIND = ID + 16 };
    static const char adopted[] = "\",\"kind\":\"adopted\"";
    if (claim.size >= KIND + sizeof adopted && memcmp(claim.data + KIND, adopted, sizeof adopted - 1) == 0)
        sl_content_mention_id(store, id_of(claim.data + ID));
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool mentioned(const sl_content *store, const char *name)
{
    uint64_t id = id_of(name);
    return store->mentioned_count && bsearch(&id, store->mentioned, store->mentioned_count, sizeof id, compare_ids);
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* Names of ours begin with 16 hex digits. */
static bool is_older(const sl_content *store, const char *name)
{
    char *end;
    uint64_t id = strtoull(name, &end, 16);
    return end - name == 16 && id < store->first_id;
}

static void check_own(sl_content *store, const sl_live *live, const char *path, const char *name)
{
    struct stat status;
    if (!is_older(store, name) || sl_sys_now->lstat(path, &status) < 0) return;
    if (sl_map_get(&live->claims, (sl_str){name, 16})) {
        atomic_fetch_add(&store->bytes, (uint64_t)status.st_size);
        return;
    }
    if (sl_str_ends(sl_str_of(name), ".a") && status.st_nlink < 2 && !mentioned(store, name)) quarantine(store, path, name);
    else sl_sys_now->unlink(path);
}

static void check_pack(sl_content *store, const sl_live *live, const char *path, const char *name)
{
    if (!is_older(store, name)) return;
    if (!sl_str_ends(sl_str_of(name), ".pack")) { /* one that was being written anew */
        sl_sys_now->unlink(path);
        return;
    }
    intptr_t bytes = (intptr_t)sl_map_get(&live->packs, (sl_str){name, 16});
    if (bytes > 0) {
        atomic_fetch_add(&store->bytes, (uint64_t)bytes);
        pthread_mutex_lock(&store->lock);
        sl_pack_count(store, strtoull(name, NULL, 16), bytes);
        pthread_mutex_unlock(&store->lock);
    } else sl_sys_now->unlink(path);
}

int sl_content_sweep(sl_content *store, const sl_live *live, sl_error *error)
{
    if (store->mentioned_count) qsort(store->mentioned, store->mentioned_count, sizeof *store->mentioned, compare_ids);
    int result = each_file(store, "pack", live, check_pack, error);
    for (unsigned i = 0; result == 0 && i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        result = each_file(store, name, live, check_own, error);
    }
    free(store->mentioned); /* 8 bytes for each RELEASE that recovery met */
    store->mentioned = NULL;
    store->mentioned_count = store->mentioned_capacity = 0;
    return result;
}
