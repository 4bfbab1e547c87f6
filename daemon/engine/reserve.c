#include "engine/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/sys.h"

enum { STEP = 8 << 20, PIECE = 1 << 20, PIECES = 8, BLOCK = 512 /* of st_blocks */ };

struct sl_reserve {
    char *path;
    uint64_t wanted;
    _Atomic uint64_t size;
    uv_mutex_t lock; /* the file, but not for as long as making it takes */
    int fd;
    unsigned given; /* how often */
};

static int open_file(sl_reserve *reserve)
{
    if (reserve->fd < 0) reserve->fd = sl_sys_now->open(reserve->path, O_RDWR | O_CREAT, 0600);
    return reserve->fd;
}

/* What a crash left half made counts as far as it has blocks. */
static void look(sl_reserve *reserve)
{
    struct stat status;
    if (open_file(reserve) < 0 || sl_sys_now->fstat(reserve->fd, &status) < 0) return;
    uint64_t size = (uint64_t)status.st_size;
    if (size > reserve->wanted && sl_sys_now->ftruncate(reserve->fd, (off_t)reserve->wanted) == 0) size = reserve->wanted;
    reserve->size = SL_MIN(size, (uint64_t)status.st_blocks * BLOCK);
}

sl_reserve *sl_reserve_open(const char *path, uint64_t wanted)
{
    sl_reserve *reserve = SL_NEW(sl_reserve);
    *reserve = (sl_reserve){.path = sl_strdup(path), .wanted = wanted, .fd = -1};
    uv_mutex_init(&reserve->lock);
    look(reserve);
    return reserve;
}

uint64_t sl_reserve_size(const sl_reserve *reserve) { return atomic_load(&reserve->size); }
uint64_t sl_reserve_wanted(const sl_reserve *reserve) { return reserve->wanted; }

/* Synced, since some file systems have freed blocks only then. */
static bool cut(sl_reserve *reserve, uint64_t size)
{
    if (sl_sys_now->ftruncate(reserve->fd, (off_t)size) < 0) return false;
    atomic_store(&reserve->size, size);
    sl_sys_now->fsync(reserve->fd);
    return true;
}

bool sl_reserve_give(sl_reserve *reserve)
{
    uv_mutex_lock(&reserve->lock);
    uint64_t size = atomic_load(&reserve->size), piece = SL_MAX(reserve->wanted / PIECES, (uint64_t)PIECE);
    bool some = size > 0 && cut(reserve, size > piece ? size - piece : 0);
    reserve->given++;
    uv_mutex_unlock(&reserve->lock);
    return some;
}

static int make_step(sl_reserve *reserve, uint64_t to, unsigned given, sl_error *error)
{
    int result = 0;
    uv_mutex_lock(&reserve->lock);
    if (reserve->given != given) result = sl_error_set(error, ECANCELED, "%s is needed now", reserve->path);
    else if (open_file(reserve) < 0 || sl_sys_now->allocate(reserve->fd, 0, (off_t)to) < 0)
        result = sl_error_set(error, errno, "cannot make %s of %llu bytes: %s", reserve->path, (unsigned long long)reserve->wanted,
                              strerror(errno));
    else atomic_store(&reserve->size, to);
    uv_mutex_unlock(&reserve->lock);
    return result;
}

int sl_reserve_make(sl_reserve *reserve, sl_error *error)
{
    uv_mutex_lock(&reserve->lock);
    unsigned given = reserve->given;
    uint64_t before = atomic_load(&reserve->size);
    uv_mutex_unlock(&reserve->lock);
    int result = 0;
    for (uint64_t at = before; result == 0 && at < reserve->wanted;) {
        at = SL_MIN(at + STEP, reserve->wanted);
        result = make_step(reserve, at, given, error);
    }
    if (result == 0 || !sl_no_space(error->code)) return result;
    uv_mutex_lock(&reserve->lock);
    if (reserve->given == given) cut(reserve, before); /* it does not take the last there is */
    uv_mutex_unlock(&reserve->lock);
    return result;
}

void sl_reserve_close(sl_reserve *reserve, uint64_t keep)
{
    if (!reserve) return;
    if (sl_reserve_size(reserve) > keep) cut(reserve, keep);
    if (reserve->fd >= 0) sl_sys_now->close(reserve->fd);
    uv_mutex_destroy(&reserve->lock);
    free(reserve->path);
    free(reserve);
}
