#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "content/private.h"

enum { INLINE_LIMIT = 2 << 10, PACKED_LIMIT = 256 << 10, PACK_SIZE = 64 << 20 };

uint64_t sl_content_new_id(sl_content *store) { return atomic_fetch_add(&store->next_id, 1); }

char *sl_own_path(const sl_content *store, uint64_t id, bool adopted)
{
    return sl_asprintf("%s/own/%x/%016" PRIx64 "%s", store->folder, (unsigned)(id % SL_OWN_FOLDERS), id, adopted ? ".a" : "");
}

char *sl_pack_path(const sl_content *store, uint64_t id) { return sl_asprintf("%s/pack/%016" PRIx64 ".pack", store->folder, id); }

void sl_mark_own_folder(sl_content *store, uint64_t id)
{
    pthread_mutex_lock(&store->lock);
    store->dirty_folders |= 1u << (id % SL_OWN_FOLDERS);
    pthread_mutex_unlock(&store->lock);
}

static int make_folder(const sl_content *store, const char *name, bool *ret_made, sl_error *error)
{
    char *path = sl_asprintf("%s/%s", store->folder, name);
    int result = 0;
    if (sl_sys_now->mkdir(path, 0700) == 0) *ret_made = true;
    else if (errno != EEXIST) result = sl_error_set(error, errno, "content: cannot make the folder %s: %s", path, strerror(errno));
    free(path);
    return result;
}

static int sync_folder(sl_content *store, const char *name, sl_error *error);

/* All are made, then synced once: a sync for each would be most of a first start. */
static int make_folders(sl_content *store, sl_error *error)
{
    bool made = false;
    if (sl_make_dirs(store->folder, 0700, error) < 0 || make_folder(store, "own", &made, error) < 0 ||
        make_folder(store, "pack", &made, error) < 0 || make_folder(store, "quarantine", &made, error) < 0)
        return -1;
    for (unsigned i = 0; i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        if (make_folder(store, name, &made, error) < 0) return -1;
    }
    if (!made) return 0;
    return sync_folder(store, "own", error) < 0 || sync_folder(store, ".", error) < 0 ? -1 : 0;
}

int sl_content_open(const sl_content_options *options, sl_content **ret, sl_error *error)
{
    sl_content *store = SL_NEW(sl_content);
    store->options = *options;
    store->options.folder = store->folder = sl_strdup(options->folder);
    if (!store->options.inline_limit) store->options.inline_limit = INLINE_LIMIT;
    if (!store->options.packed_limit) store->options.packed_limit = PACKED_LIMIT;
    if (!store->options.pack_size) store->options.pack_size = PACK_SIZE;
    /* Never the same twice, without reading what is there: the start's time, and 256 ids a microsecond. */
    atomic_init(&store->next_id, (uint64_t)sl_now() << 8);
    store->recovering = !options->look_only;
    pthread_mutex_init(&store->lock, NULL);
    /* A broken read lease is told by SIGIO, whose default ends the process. */
    signal(SIGIO, SIG_IGN);
    if (!options->look_only && make_folders(store, error) < 0) {
        sl_content_close(store);
        return -1;
    }
    *ret = store;
    return 0;
}

static void forget_mentioned(sl_content *store)
{
    free(store->mentioned);
    store->mentioned = NULL;
    store->mentioned_count = store->mentioned_capacity = 0;
}

void sl_content_close(sl_content *store)
{
    if (!store) return;
    SL_MAP_EACH (&store->known, entry) sl_claim_unref(entry->value);
    for (sl_pack *pack = store->packs, *next; pack; pack = next) {
        next = pack->next;
        close(pack->fd);
        free(pack);
    }
    sl_map_done(&store->known);
    sl_map_done(&store->packs_live);
    forget_mentioned(store);
    pthread_mutex_destroy(&store->lock);
    free(store->folder);
    free(store);
}

uint64_t sl_content_bytes(const sl_content *store) { return atomic_load(&store->bytes); }

/* ---- recovery -------------------------------------------------------------------------------------- */

/* Calls back for each plain file of a folder below the store's. */
static int each_file(sl_content *store, const char *folder, void (*visit)(sl_content *store, const char *path, const char *name),
                     sl_error *error)
{
    char *path = sl_asprintf("%s/%s", store->folder, folder);
    DIR *dir = opendir(path);
    if (!dir) sl_error_set(error, errno, "content: cannot list %s: %s", path, strerror(errno));
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        char *file = sl_asprintf("%s/%s", path, entry->d_name);
        visit(store, file, entry->d_name);
        free(file);
    }
    if (dir) closedir(dir);
    free(path);
    return dir ? 0 : -1;
}

static void quarantine(sl_content *store, const char *path, const char *name)
{
    char *to = sl_asprintf("%s/quarantine/%s", store->folder, name);
    bool moved = sl_sys_now->rename_noreplace(path, to) == 0;
    sl_log(SL_WARNING, "content", "%s was taken from its source but is in no record: %s %s; look at it and remove it by hand", path,
           moved ? "kept as" : "it stays, it could not be moved to", to);
    free(to);
}

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

static void check_own(sl_content *store, const char *path, const char *name)
{
    struct stat status;
    sl_str id = {name, SL_MIN(strlen(name), (size_t)16)};
    if (sl_sys_now->lstat(path, &status) < 0) return;
    if (sl_map_get(&store->known, id)) {
        atomic_fetch_add(&store->bytes, (uint64_t)status.st_size);
        return;
    }
    bool told = id.size == 16 && mentioned(store, name);
    if (sl_str_ends(sl_str_of(name), ".a") && status.st_nlink < 2 && !told) quarantine(store, path, name);
    else sl_sys_now->unlink(path);
}

static void check_pack(sl_content *store, const char *path, const char *name)
{
    sl_str id = {name, SL_MIN(strlen(name), (size_t)16)};
    intptr_t live = (intptr_t)sl_map_get(&store->packs_live, id);
    if (live > 0) atomic_fetch_add(&store->bytes, (uint64_t)live);
    else sl_sys_now->unlink(path);
}

int sl_content_recovered(sl_content *store, sl_error *error)
{
    if (store->mentioned_count) qsort(store->mentioned, store->mentioned_count, sizeof *store->mentioned, compare_ids);
    int result = each_file(store, "pack", check_pack, error);
    for (unsigned i = 0; result == 0 && i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        result = each_file(store, name, check_own, error);
    }
    pthread_mutex_lock(&store->lock);
    store->recovering = false;
    sl_map known = store->known;
    store->known = (sl_map){0};
    pthread_mutex_unlock(&store->lock);
    SL_MAP_EACH (&known, entry) sl_claim_unref(entry->value);
    sl_map_done(&known);
    forget_mentioned(store);
    return result;
}

/* ---- sync and release -------------------------------------------------------------------------------- */

static int sync_folder(sl_content *store, const char *name, sl_error *error)
{
    char *path = sl_asprintf("%s/%s", store->folder, name);
    int result = sl_sync_dir(path);
    if (result < 0) sl_error_set(error, errno, "content: cannot sync %s: %s", path, strerror(errno));
    free(path);
    return result;
}

int sl_content_sync(sl_content *store, sl_error *error)
{
    pthread_mutex_lock(&store->lock);
    uint32_t folders = store->dirty_folders;
    bool packs = store->dirty_packs;
    store->dirty_folders = 0;
    store->dirty_packs = false;
    pthread_mutex_unlock(&store->lock);
    if (packs && sync_folder(store, "pack", error) < 0) return -1;
    for (unsigned i = 0; i < SL_OWN_FOLDERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "own/%x", i);
        if ((folders & 1u << i) && sync_folder(store, name, error) < 0) return -1;
    }
    return sl_pack_sync(store, error);
}

void sl_content_release(sl_content *store, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    if (kind == SL_PACKED) sl_pack_release(store, pack, offset, size);
    if (kind != SL_OWN && kind != SL_ADOPTED) return;
    char *path = sl_own_path(store, id, kind == SL_ADOPTED);
    if (sl_sys_now->unlink(path) == 0) atomic_fetch_sub(&store->bytes, size);
    else if (errno != ENOENT) sl_log(SL_WARNING, "content", "cannot remove %s: %s", path, strerror(errno));
    free(path);
}
