/* The number of the last event that was acknowledged, mapped in the folder's lock file. SQLite takes a log with a damaged
 * page in it for one that ends there, and whatever followed would be gone without a word: what recovery finds must reach
 * as far as was acknowledged. The number outlives the process; after a power cut it may be older than the truth, never
 * newer, since it is written when the commit is on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"
#include "journal/private.h"

typedef struct sl_acknowledged {
    _Atomic uint64_t seq, inverse;         /* ~seq: else a write was cut short, and it says nothing */
    _Atomic uint64_t place, place_inverse; /* the segment's number << PLACE_BITS, and how much of its log is on disk */
} sl_acknowledged;

enum { PAIR = 2 * sizeof(uint64_t), PLACE_BITS = 40 };

/* The first or the second of the pairs; 0: unknown. */
static uint64_t read_pair(const char *folder, off_t at)
{
    uint64_t words[2] = {0, 0};
    char *path = sl_asprintf("%s/lock", folder);
    int fd = sl_sys_now->open(path, O_RDONLY, 0);
    free(path);
    if (fd < 0) return 0;
    bool whole = sl_read_full(fd, words, sizeof words, at) == (ssize_t)sizeof words && words[0] == ~words[1];
    sl_sys_now->close(fd);
    return whole ? words[0] : 0;
}

uint64_t sl_acknowledged_read(const char *folder) { return read_pair(folder, 0); }

uint32_t sl_acknowledged_log(const char *folder, uint64_t *ret_bytes)
{
    uint64_t place = read_pair(folder, PAIR);
    *ret_bytes = place & (((uint64_t)1 << PLACE_BITS) - 1);
    return (uint32_t)(place >> PLACE_BITS);
}

int sl_acknowledged_write(const char *folder, uint64_t seq, sl_error *error)
{
    uint64_t words[2] = {seq, ~seq};
    char *path = sl_asprintf("%s/lock", folder);
    int fd = sl_sys_now->open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    int result = fd < 0 || sl_write_all(fd, words, sizeof words, 0) < 0 || sl_sys_now->fsync(fd) < 0 ? -1 : 0;
    if (result < 0) sl_error_set(error, errno, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0) sl_sys_now->close(fd);
    free(path);
    return result;
}

int sl_acknowledged_check(const sl_journal *journal, uint64_t acknowledged, sl_error *error)
{
    if (acknowledged < journal->next) return 0;
    return sl_error_set(error, EIO,
                        "journal: events up to %llu were acknowledged, those in %s end with %llu: the disk lost or changed what "
                        "follows; restore the state from a backup, or remove the file `lock` there to go on without",
                        (unsigned long long)acknowledged, journal->folder, (unsigned long long)journal->next - 1);
}

/* Without it (a full disk) the journal works all the same. Written, not only made longer: a hole could not be filled then. */
void sl_acknowledged_open(sl_journal *journal)
{
    struct stat status;
    const uint64_t none[2] = {0, ~(uint64_t)0};
    if (sl_sys_now->fstat(journal->lock_fd, &status) < 0) return;
    for (off_t at = 0; at < (off_t)sizeof(sl_acknowledged); at += PAIR)
        if (status.st_size < at + PAIR && sl_write_all(journal->lock_fd, none, PAIR, at) < 0) return;
    journal->acknowledged = sl_sys_now->map(journal->lock_fd, sizeof(sl_acknowledged));
}

void sl_acknowledged_note(sl_journal *journal, uint64_t seq)
{
    sl_acknowledged *said = journal->acknowledged;
    if (!said) return;
    uint64_t place = (uint64_t)journal->segment->number << PLACE_BITS | (uint64_t)journal->segment->log_size;
    if (seq) {
        atomic_store(&said->seq, seq);
        atomic_store(&said->inverse, ~seq);
    }
    atomic_store(&said->place, place);
    atomic_store(&said->place_inverse, ~place);
}

void sl_acknowledged_close(sl_journal *journal)
{
    if (journal->acknowledged) sl_sys_now->unmap((void *)journal->acknowledged, sizeof *journal->acknowledged);
    journal->acknowledged = NULL;
}
