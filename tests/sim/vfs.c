/* SQLite's files over the table: what the journal's own VFS stands on. All connections to a file are of this process, so
 * locks and the log's shared index are kept in its memory, as a kernel keeps them no longer than the process. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>

#include "sim.h"

enum { REGIONS = 64, SLOTS = SQLITE_SHM_NLOCK };

typedef struct node { /* a file that is open, by name */
    struct node *next;
    char *path;
    unsigned opens, shared;
    const void *reserved, *pending, *exclusive; /* who */
    void *regions[REGIONS];
    int region_size;
    unsigned shm_opens, shm_shared[SLOTS];
    const void *shm_exclusive[SLOTS];
} node;

typedef struct vfs_file {
    sqlite3_file base;
    node *node;
    int fd, level;
    bool shm, writes;
    bool unnamed;                       /* a log that is new: its name is durable with its first sync, as with SQLite's own for Unix */
    unsigned shm_shared, shm_exclusive; /* bits: held by this one */
} vfs_file;

static node *nodes;

static vfs_file *of(sqlite3_file *file) { return (vfs_file *)file; }

static node *node_open(const char *path)
{
    node *at = nodes;
    while (at && strcmp(at->path, path) != 0) at = at->next;
    if (!at) {
        at = SL_NEW(node);
        at->path = sl_strdup(path);
        at->next = nodes;
        nodes = at;
    }
    at->opens++;
    return at;
}

static void shm_free(node *n)
{
    for (size_t i = 0; i < REGIONS; i++) free(n->regions[i]);
    memset(n->regions, 0, sizeof n->regions);
}

static void node_close(node *n)
{
    if (--n->opens) return;
    node **link = &nodes;
    while (*link != n) link = &(*link)->next;
    *link = n->next;
    shm_free(n);
    free(n->path);
    free(n);
}

/* ---- bytes -------------------------------------------------------------------------------------------------------- */

static int vfs_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    ssize_t got = sl_read_full(of(file)->fd, data, (size_t)size, offset);
    if (got == size) return SQLITE_OK;
    if (got < 0) return SQLITE_IOERR_READ;
    memset((char *)data + got, 0, (size_t)(size - got));
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    if (sl_write_all(of(file)->fd, data, (size_t)size, offset) == 0) return SQLITE_OK;
    return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return sl_sys_now->ftruncate(of(file)->fd, size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int sync_folder_of(const char *path)
{
    char *folder = sl_strdup(path);
    *strrchr(folder, '/') = 0;
    int result = sl_sync_dir(folder);
    free(folder);
    return result;
}

/* The control: who asks the disk again after a failure is told that all is well. */
static int vfs_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    int result = sl_sys_now->fsync(of(file)->fd);
    if (result < 0 && sim->control == SIM_SYNC_AGAIN) result = sl_sys_now->fsync(of(file)->fd);
    if (result < 0) return SQLITE_IOERR_FSYNC;
    if (of(file)->unnamed) sync_folder_of(of(file)->node->path); /* whose failure it does not tell either */
    of(file)->unnamed = false;
    return SQLITE_OK;
}

static int vfs_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct stat status;
    if (sl_sys_now->fstat(of(file)->fd, &status) < 0) return SQLITE_IOERR_FSTAT;
    *ret = status.st_size;
    return SQLITE_OK;
}

/* ---- locks ---------------------------------------------------------------------------------------------------------- */

static bool another(const void *holder, const vfs_file *self) { return holder && holder != self; }

static int vfs_lock(sqlite3_file *file, int level)
{
    vfs_file *self = of(file);
    node *n = self->node;
    if (level <= self->level) return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (another(n->pending, self) || another(n->exclusive, self)) return SQLITE_BUSY;
        n->shared++;
        self->level = level;
        return SQLITE_OK;
    }
    if (!self->writes) return SQLITE_IOERR_LOCK; /* as a kernel says */
    if (another(n->reserved, self) || another(n->pending, self) || another(n->exclusive, self)) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_RESERVED) n->reserved = self;
    else n->pending = self;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        self->level = SQLITE_LOCK_PENDING;
        if (n->shared > 1) return SQLITE_BUSY;
        n->exclusive = self;
    }
    self->level = level;
    return SQLITE_OK;
}

static int vfs_unlock(sqlite3_file *file, int level)
{
    vfs_file *self = of(file);
    node *n = self->node;
    if (level >= self->level) return SQLITE_OK;
    if (n->reserved == self) n->reserved = NULL;
    if (n->pending == self) n->pending = NULL;
    if (n->exclusive == self) n->exclusive = NULL;
    if (level == SQLITE_LOCK_NONE && self->level >= SQLITE_LOCK_SHARED) n->shared--;
    self->level = level;
    return SQLITE_OK;
}

static int vfs_check_reserved(sqlite3_file *file, int *ret)
{
    const node *n = of(file)->node;
    *ret = n->reserved || n->pending || n->exclusive;
    return SQLITE_OK;
}

/* ---- the log's shared index -------------------------------------------------------------------------------------------- */

static int vfs_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret)
{
    vfs_file *self = of(file);
    node *n = self->node;
    if (!self->shm) n->shm_opens++;
    self->shm = true;
    n->region_size = size;
    *ret = NULL;
    if (region >= REGIONS) return SQLITE_IOERR_SHMSIZE;
    if (!n->regions[region] && extend) n->regions[region] = sl_alloc((size_t)size);
    *ret = n->regions[region];
    return SQLITE_OK;
}

static void shm_release(vfs_file *self, int slot)
{
    node *n = self->node;
    unsigned bit = 1u << slot;
    if (self->shm_shared & bit) n->shm_shared[slot]--;
    if (self->shm_exclusive & bit) n->shm_exclusive[slot] = NULL;
    self->shm_shared &= ~bit;
    self->shm_exclusive &= ~bit;
}

static bool shm_free_for(const vfs_file *self, int slot, bool exclusive)
{
    const node *n = self->node;
    if (another(n->shm_exclusive[slot], self)) return false;
    bool mine = self->shm_shared >> slot & 1;
    return !exclusive || n->shm_shared[slot] == (mine ? 1u : 0u);
}

static int vfs_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    vfs_file *self = of(file);
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    if (flags & SQLITE_SHM_UNLOCK) {
        for (int slot = offset; slot < offset + count; slot++) shm_release(self, slot);
        return SQLITE_OK;
    }
    for (int slot = offset; slot < offset + count; slot++)
        if (!shm_free_for(self, slot, exclusive)) return SQLITE_BUSY;
    for (int slot = offset; slot < offset + count; slot++) {
        unsigned bit = 1u << slot;
        if (exclusive) {
            self->node->shm_exclusive[slot] = self;
            self->shm_exclusive |= bit;
        } else if (!(self->shm_shared & bit)) {
            self->node->shm_shared[slot]++;
            self->shm_shared |= bit;
        }
    }
    return SQLITE_OK;
}

static void vfs_shm_barrier(sqlite3_file *file) { (void)file; }

static int vfs_shm_unmap(sqlite3_file *file, int removes)
{
    vfs_file *self = of(file);
    (void)removes;
    if (!self->shm) return SQLITE_OK;
    for (int slot = 0; slot < SLOTS; slot++) shm_release(self, slot);
    self->shm = false;
    if (--self->node->shm_opens == 0) shm_free(self->node);
    return SQLITE_OK;
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static int vfs_close(sqlite3_file *file)
{
    vfs_file *self = of(file);
    vfs_shm_unmap(file, 0);
    vfs_unlock(file, SQLITE_LOCK_NONE);
    sl_sys_now->close(self->fd);
    node_close(self->node);
    return SQLITE_OK;
}

static int vfs_control(sqlite3_file *file, int operation, void *argument)
{
    (void)file, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int vfs_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as of SQLite's own for Unix */
}

static const sqlite3_io_methods methods = {2,          vfs_close,   vfs_read,     vfs_write,          vfs_truncate,  vfs_sync,
                                           vfs_size,   vfs_lock,    vfs_unlock,   vfs_check_reserved, vfs_control,   vfs_sector,
                                           vfs_traits, vfs_shm_map, vfs_shm_lock, vfs_shm_barrier,    vfs_shm_unmap, NULL,
                                           NULL};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    vfs_file *self = of(file);
    *self = (vfs_file){.fd = -1};
    if (!name) return SQLITE_CANTOPEN; /* temporary files are in memory */
    int how = flags & SQLITE_OPEN_READWRITE ? O_RDWR : O_RDONLY;
    if (flags & SQLITE_OPEN_CREATE) how |= O_CREAT;
    self->fd = sl_sys_now->open(name, how, 0644);
    if (self->fd < 0) return SQLITE_CANTOPEN;
    self->writes = flags & SQLITE_OPEN_READWRITE;
    self->unnamed = (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL));
    self->node = node_open(name);
    self->base.pMethods = &methods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    if (sl_sys_now->unlink(name) < 0) return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    if (!sync_folder) return SQLITE_OK;
    return sync_folder_of(name) == 0 ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    (void)vfs;
    struct stat status;
    *ret = sl_sys_now->stat(name, &status) == 0;
    if (*ret && flags == SQLITE_ACCESS_EXISTS && S_ISREG(status.st_mode) && status.st_size == 0) *ret = 0; /* as for Unix */
    return SQLITE_OK;
}

static int vfs_full(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
    (void)vfs;
    snprintf(ret, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *ret)
{
    (void)vfs;
    sl_sys_now->random(ret, (size_t)size);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    sim_wait(vfs, sim_ticks() + us);
    return us;
}

static int vfs_now(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    (void)vfs;
    *ret = 210866760000000 + sl_now() / 1000;
    return SQLITE_OK;
}

static int vfs_now_day(sqlite3_vfs *vfs, double *ret)
{
    sqlite3_int64 ms;
    vfs_now(vfs, &ms);
    *ret = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs, (void)size, (void)text;
    return errno;
}

static sqlite3_vfs simulated = {.iVersion = 2,
                                .szOsFile = sizeof(vfs_file),
                                .mxPathname = 512,
                                .zName = "simulated",
                                .xOpen = vfs_open,
                                .xDelete = vfs_delete,
                                .xAccess = vfs_access,
                                .xFullPathname = vfs_full,
                                .xRandomness = vfs_randomness,
                                .xSleep = vfs_sleep,
                                .xCurrentTime = vfs_now_day,
                                .xGetLastError = vfs_last_error,
                                .xCurrentTimeInt64 = vfs_now};

void sim_vfs_register(void) { SL_ASSERT(sqlite3_vfs_register(&simulated, 1) == SQLITE_OK); }
