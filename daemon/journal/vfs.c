#include "journal/vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "base/sys.h"

typedef struct shim_file {
    sqlite3_file base;
    atomic_bool latched;
    bool is_main;       /* a database, not its log */
    sqlite3_file *real; /* behind this struct */
} shim_file;

static sqlite3_vfs shim;
static sqlite3_io_methods methods;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int fail_sync_after;
static atomic_bool all_syncs_fail, checkpoints_fail, disk_full;

static sqlite3_file *real_of(sqlite3_file *file) { return ((shim_file *)file)->real; }

static int latch(sqlite3_file *file, int result)
{
    if (result != SQLITE_OK) atomic_store(&((shim_file *)file)->latched, true);
    return result;
}

static bool latched(sqlite3_file *file) { return atomic_load(&((shim_file *)file)->latched); }

static _Thread_local struct {
    void (*pause)(void *context);
    void *context;
    int written;
} pace;

static bool fault_due(const sqlite3_file *file)
{
    if (atomic_load(&all_syncs_fail)) return true;
    if (atomic_load(&checkpoints_fail) && pace.pause && ((const shim_file *)file)->is_main) return true;
    int left = atomic_load(&fail_sync_after);
    return left > 0 && atomic_fetch_sub(&fail_sync_after, 1) == 1;
}

static int shim_sync(sqlite3_file *file, int flags)
{
    if (latched(file)) return SQLITE_IOERR_FSYNC;
    if (fault_due(file)) return latch(file, SQLITE_IOERR_FSYNC);
    return latch(file, real_of(file)->pMethods->xSync(real_of(file), flags));
}

static int paced(sqlite3_file *file, int size)
{
    enum { PIECE = 1 << 20 };
    pace.written += size;
    if (pace.written < PIECE) return SQLITE_OK;
    pace.written = 0;
    int result = shim_sync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    pace.pause(pace.context);
    return result;
}

/* SQLite knows ENOSPC alone as a full disk. */
static int told_full(sqlite3_file *file, int result)
{
    int code = 0;
    if (result != SQLITE_IOERR_WRITE) return result;
    real_of(file)->pMethods->xFileControl(real_of(file), SQLITE_FCNTL_LAST_ERRNO, &code);
    return sl_no_space(code) ? SQLITE_FULL : result;
}

static int shim_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    if (latched(file)) return SQLITE_IOERR_WRITE;
    if (atomic_load(&disk_full)) return SQLITE_FULL;
    int result = told_full(file, real_of(file)->pMethods->xWrite(real_of(file), data, size, offset));
    /* A full disk refuses a write but keeps what was synced: the transaction rolls back, nothing is unknown. */
    if (result == SQLITE_OK && pace.pause) return paced(file, size);
    return result == SQLITE_FULL ? result : latch(file, result);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (latched(file)) return SQLITE_IOERR_TRUNCATE;
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

#define FORWARD(name, parameters, arguments) \
    static int shim_##name parameters { return real_of(file)->pMethods->x##name arguments; }
FORWARD(Read, (sqlite3_file * file, void *data, int size, sqlite3_int64 offset), (real_of(file), data, size, offset))
FORWARD(FileSize, (sqlite3_file * file, sqlite3_int64 *size), (real_of(file), size))
FORWARD(Lock, (sqlite3_file * file, int level), (real_of(file), level))
FORWARD(Unlock, (sqlite3_file * file, int level), (real_of(file), level))
FORWARD(CheckReservedLock, (sqlite3_file * file, int *result), (real_of(file), result))
FORWARD(FileControl, (sqlite3_file * file, int operation, void *argument), (real_of(file), operation, argument))
FORWARD(SectorSize, (sqlite3_file * file), (real_of(file)))
FORWARD(DeviceCharacteristics, (sqlite3_file * file), (real_of(file)))
FORWARD(ShmLock, (sqlite3_file * file, int offset, int count, int flags), (real_of(file), offset, count, flags))
FORWARD(ShmUnmap, (sqlite3_file * file, int remove), (real_of(file), remove))

/* The index of a log is a mapped file beside it, which grows with it: no room there is a full disk too. */
static int shim_ShmMap(sqlite3_file *file, int page, int size, int extend, void volatile **map)
{
    errno = 0;
    int result = real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, map);
    return result == SQLITE_IOERR_SHMSIZE && sl_no_space(errno) ? SQLITE_FULL : result;
}

static void shim_barrier(sqlite3_file *file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }

static int shim_close(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }

static int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    sqlite3_vfs *real = vfs->pAppData;
    shim_file *made = (shim_file *)file;
    memset(made, 0, sizeof *made);
    made->real = (sqlite3_file *)(made + 1);
    made->is_main = flags & SQLITE_OPEN_MAIN_DB;
    int result = real->xOpen(real, name, made->real, flags, out_flags);
    made->base.pMethods = made->real->pMethods ? &methods : NULL;
    return result;
}

static void set_up(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    SL_ASSERT(real);
    methods = (sqlite3_io_methods){2,
                                   shim_close,
                                   shim_Read,
                                   shim_write,
                                   shim_truncate,
                                   shim_sync,
                                   shim_FileSize,
                                   shim_Lock,
                                   shim_Unlock,
                                   shim_CheckReservedLock,
                                   shim_FileControl,
                                   shim_SectorSize,
                                   shim_DeviceCharacteristics,
                                   shim_ShmMap,
                                   shim_ShmLock,
                                   shim_barrier,
                                   shim_ShmUnmap,
                                   NULL,
                                   NULL};
    shim = *real; /* folders, names, time and randomness stay the real one's */
    shim.zName = "sluice";
    shim.pNext = NULL;
    shim.pAppData = real;
    shim.szOsFile = (int)sizeof(shim_file) + real->szOsFile;
    shim.xOpen = shim_open;
    SL_ASSERT(sqlite3_vfs_register(&shim, 0) == SQLITE_OK);
}

const char *sl_vfs_name(void)
{
    pthread_once(&once, set_up);
    return "sluice";
}

void sl_vfs_pace(void (*pause)(void *context), void *context)
{
    pace.pause = pause;
    pace.context = context;
    pace.written = 0;
}

static sqlite3_file *log_of(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    /* In WAL mode the "journal" is the log. */
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || !log || log->pMethods != &methods) return NULL;
    return log;
}

bool sl_vfs_latched(sqlite3 *db)
{
    sqlite3_file *log = log_of(db);
    return !log || latched(log);
}

void sl_vfs_cut_log(sqlite3 *db, int64_t size)
{
    sqlite3_file *log = log_of(db);
    sqlite3_int64 now;
    if (!log || real_of(log)->pMethods->xFileSize(real_of(log), &now) != SQLITE_OK || now <= size) return;
    atomic_store(&((shim_file *)log)->latched, true);
    real_of(log)->pMethods->xTruncate(real_of(log), size);
    real_of(log)->pMethods->xSync(real_of(log), SQLITE_SYNC_NORMAL);
}

void sl_vfs_fail_sync(int after) { atomic_store(&fail_sync_after, after); }
void sl_vfs_fail_syncs(bool all) { atomic_store(&all_syncs_fail, all); }
void sl_vfs_full(bool full) { atomic_store(&disk_full, full); }
void sl_vfs_fail_checkpoints(bool all) { atomic_store(&checkpoints_fail, all); }
