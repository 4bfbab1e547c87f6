/* Packs: what is released gives its blocks back, what cannot be synced for want of room is written anew, and of a pack of
 * which little is held that can be moved out. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "content/content.h"

enum { SMALL = 5000, PACK = 4 << 20 };

static sl_content *store;
static sl_sys sys;

static void on_unused(void *context, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    (void)context;
    sl_content_release(store, id, kind, pack, offset, size);
}

static void open_store(void)
{
    sl_error error = {0};
    char *folder = sl_asprintf("%s/content", sl_test_folder());
    sl_content_options options = {.folder = folder, .pack_size = PACK, .unused = on_unused};
    CHECK_INT(sl_content_open(&options, &store, &error), 0);
    sys = sl_sys_real;
    sl_sys_now = &sys;
    free(folder);
}

static void close_store(void)
{
    sl_sys_now = &sl_sys_real;
    sl_content_close(store);
}

static sl_claim *write_claim(size_t size, unsigned seed)
{
    sl_content_writer *writer = sl_content_write(store);
    sl_claim *claim = NULL;
    sl_error error = {0};
    char *data = sl_alloc(size);
    for (size_t i = 0; i < size; i++) data[i] = (char)(seed * 131 + i * 7 + 1);
    CHECK_INT(sl_content_append(writer, data, size), 0);
    CHECK_INT(sl_content_close_writer(writer, &claim, &error), 0);
    free(data);
    return claim;
}

static char *path_of(uint64_t pack) { return sl_asprintf("%s/content/pack/%016llx.pack", sl_test_folder(), (unsigned long long)pack); }

/* Bytes on the disk; -1: there is no such file. */
static long long taken(uint64_t pack)
{
    struct stat status;
    char *path = path_of(pack);
    bool there = stat(path, &status) == 0;
    free(path);
    return there ? (long long)status.st_blocks * 512 : -1;
}

static bool whole(sl_claim *claim)
{
    sl_error error = {0};
    bool fine = sl_content_verify(store, claim, &error) == 0;
    if (!fine) printf("# %s\n", error.text);
    return fine;
}

static void drop(sl_claim *claim)
{
    claim->counted = false;
    sl_claim_unref(claim);
}

/* ---- what is released ------------------------------------------------------------------------------------------------ */

/* Whatever the order, neighbours share blocks, and none of them stays. */
static void release_in_order(unsigned step)
{
    enum { MANY = 300 };
    sl_claim *claims[MANY], *last;
    sl_error error = {0};
    open_store();
    for (unsigned i = 0; i < MANY; i++) claims[i] = write_claim(SMALL, i);
    last = write_claim(SMALL, MANY);
    CHECK_INT(sl_content_sync(store, &error), 0);
    CHECK(taken(last->pack) >= MANY * SMALL);
    for (unsigned i = 0; i < MANY; i++) sl_claim_unref(claims[i * step % MANY]);
    CHECK(taken(last->pack) <= 3 * 4096); /* its own, and what it shares with the end of the one before */
    CHECK(whole(last));
    CHECK_INT(sl_content_bytes(store), SMALL);
    drop(last);
    close_store();
}

TEST(what_neighbours_share_is_given_back) { release_in_order(1); }
TEST(what_neighbours_share_is_given_back_in_any_order) { release_in_order(7); }

/* More gaps than are remembered: nothing that is held is touched. */
TEST(every_second_one_stays_whole)
{
    enum { MANY = 400 };
    sl_claim *claims[MANY];
    open_store();
    for (unsigned i = 0; i < MANY; i++) claims[i] = write_claim(SMALL, i);
    for (unsigned i = 0; i < MANY; i += 2) sl_claim_unref(claims[i]);
    for (unsigned i = 1; i < MANY; i += 2) CHECK(whole(claims[i]));
    CHECK_INT(sl_content_bytes(store), MANY / 2 * SMALL);
    for (unsigned i = 1; i < MANY; i += 2) sl_claim_unref(claims[i]);
    CHECK_INT(sl_content_bytes(store), 0);
    close_store();
}

/* ---- no room ------------------------------------------------------------------------------------------------------------ */

static int refusals, refused_with, syncs_of_refused;
static ino_t refused_inode;

/* As a disk without room does it: the sync fails, and what it should have written is gone. */
static int no_room(int fd)
{
    struct stat status;
    fstat(fd, &status);
    if (status.st_ino == refused_inode) syncs_of_refused++;
    if (refusals > 0) {
        refusals--;
        if (!refused_inode) refused_inode = status.st_ino; /* others are files that were made for this sync alone */
        return errno = refused_with, -1;
    }
    return sl_sys_real.fdatasync(fd);
}

static void refuse(int times, int code)
{
    refusals = times;
    refused_with = code;
    refused_inode = 0;
    syncs_of_refused = 0;
    sys.fdatasync = no_room;
}

static void written_anew(int code)
{
    sl_error error = {0};
    open_store();
    sl_claim *before = write_claim(SMALL, 1), *gone = write_claim(SMALL, 2);
    CHECK_INT(sl_content_sync(store, &error), 0);
    sl_claim_unref(gone);
    sl_claim *after = write_claim(SMALL, 3), *never = write_claim(SMALL, 4);
    refuse(3, code);
    CHECK_INT(sl_content_sync(store, &error), -1);
    CHECK_INT(error.code, code);
    sl_claim_unref(never); /* while it waits for room */
    sl_claim *meanwhile = write_claim(SMALL, 5);
    CHECK(meanwhile->pack != after->pack);
    CHECK_INT(sl_content_sync(store, &error), -1);
    CHECK_INT(error.code, code);
    while (refusals) CHECK_INT(sl_content_sync(store, &error), -1);
    CHECK_INT(sl_content_sync(store, &error), 0);
    CHECK_INT(syncs_of_refused, 0);
    CHECK(whole(before));
    CHECK(whole(after));
    CHECK(whole(meanwhile));
    char *path = path_of(after->pack), *left = sl_asprintf("%s.new", path);
    CHECK_INT(access(left, F_OK), -1);
    CHECK_INT(sl_content_bytes(store), 3 * SMALL);
    sl_claim_unref(before);
    sl_claim_unref(after);
    CHECK_INT(access(path, F_OK), -1);
    drop(meanwhile);
    free(path);
    free(left);
    close_store();
}

TEST(a_pack_without_room_is_written_anew) { written_anew(ENOSPC); }
TEST(a_quota_is_no_room_either) { written_anew(EDQUOT); }

TEST(what_the_disk_lost_is_told_and_not_taken_for_written)
{
    sl_error error = {0};
    open_store();
    sl_claim *claim = write_claim(SMALL, 1);
    refuse(1, ENOSPC);
    CHECK_INT(sl_content_sync(store, &error), -1);
    char *path = path_of(claim->pack), zeros[SMALL] = "";
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pwrite(fd, zeros, sizeof zeros, (off_t)claim->offset) == SMALL);
    close(fd);
    CHECK_INT(sl_content_sync(store, &error), -1);
    CHECK_INT(error.code, EIO);
    CHECK(strstr(error.text, "not yet on the disk") != NULL);
    drop(claim);
    free(path);
    close_store();
}

static int folders_refused;
static int no_room_for_names(int fd)
{
    if (folders_refused > 0) return folders_refused--, errno = ENOSPC, -1;
    return sl_sys_real.fsync(fd);
}

TEST(a_folder_that_was_not_synced_is_synced_the_next_time)
{
    sl_error error = {0};
    open_store();
    sl_claim *claim = write_claim(SMALL, 1);
    folders_refused = 2;
    sys.fsync = no_room_for_names;
    CHECK_INT(sl_content_sync(store, &error), -1);
    CHECK_INT(sl_content_sync(store, &error), -1);
    CHECK_INT(folders_refused, 0);
    CHECK_INT(sl_content_sync(store, &error), 0);
    drop(claim);
    close_store();
}

static int writes_refused;
static ssize_t half_a_write(int fd, const void *data, size_t size, off_t offset)
{
    if (writes_refused <= 0) return sl_sys_real.pwrite(fd, data, size, offset);
    if (writes_refused-- == 2) return sl_sys_real.pwrite(fd, data, size / 2, offset);
    return errno = ENOSPC, -1;
}

TEST(a_write_that_found_no_room_leaves_nothing)
{
    sl_error error = {0};
    open_store();
    sl_claim *claim = write_claim(100000, 1), *none = NULL;
    long long before = taken(claim->pack);
    sl_content_writer *writer = sl_content_write(store);
    char data[100000] = "x";
    CHECK_INT(sl_content_append(writer, data, sizeof data), 0);
    writes_refused = 2;
    sys.pwrite = half_a_write;
    CHECK_INT(sl_content_close_writer(writer, &none, &error), -1);
    CHECK_INT(error.code, ENOSPC);
    CHECK_INT(sl_content_sync(store, &error), 0);
    CHECK(taken(claim->pack) <= before + 4096);
    CHECK(whole(claim));
    CHECK_INT(sl_content_bytes(store), 100000);
    drop(claim);
    close_store();
}

/* ---- little is held ---------------------------------------------------------------------------------------------------------- */

static int cannot_punch(int fd, off_t offset, off_t size)
{
    (void)fd, (void)offset, (void)size;
    return errno = EOPNOTSUPP, -1;
}

/* Two packs' worth, of which `kept` of the first stays, on a file system without holes. */
static sl_claim *mostly_dead(unsigned count)
{
    sl_claim *kept = write_claim(100000, 0), *claim;
    sys.punch_hole = cannot_punch;
    for (unsigned i = 1; i < count; i++) {
        claim = write_claim(100000, i);
        sl_claim_unref(claim);
    }
    return kept;
}

TEST(a_pack_of_which_little_is_held_is_found_and_emptied)
{
    sl_sparse found[4];
    sl_error error = {0};
    open_store();
    sl_claim *kept = mostly_dead(60), *moved = NULL;
    uint64_t old = kept->pack;
    CHECK_INT(sl_content_sync(store, &error), 0);
    CHECK_INT(sl_content_sparse(store, found, SL_COUNT(found)), 1);
    CHECK_INT(found[0].pack, old);
    CHECK_INT(found[0].held, 100000);
    CHECK(found[0].taken > 3 << 20);
    CHECK(sl_content_disk(store) >= sl_content_bytes(store) + (3 << 20));
    CHECK_INT(sl_content_move(store, kept, &moved, &error), 0);
    CHECK(moved->pack != old && moved->id != kept->id);
    CHECK_STR(atomic_load(&moved->sha256), atomic_load(&kept->sha256));
    CHECK(whole(moved));
    CHECK(whole(kept));
    sl_claim_unref(kept);
    CHECK_INT(taken(old), -1);
    CHECK(whole(moved));
    CHECK_INT(sl_content_sparse(store, found, SL_COUNT(found)), 0);
    CHECK_INT(sl_content_disk(store), 100000);
    drop(moved);
    close_store();
}

TEST(a_pack_that_is_appended_to_or_mostly_held_is_left_alone)
{
    sl_sparse found[4];
    open_store();
    sl_claim *kept = mostly_dead(10); /* not full yet */
    CHECK_INT(sl_content_sparse(store, found, SL_COUNT(found)), 0);
    drop(kept);
    close_store();
    open_store();
    sl_claim *held[30];
    for (unsigned i = 0; i < SL_COUNT(held); i++) held[i] = write_claim(100000, i);
    drop(mostly_dead(40));
    for (unsigned i = 0; i < SL_COUNT(held); i++) CHECK(held[i]->pack == held[0]->pack);
    CHECK_INT(sl_content_sparse(store, found, SL_COUNT(found)), 0);
    for (unsigned i = 0; i < SL_COUNT(held); i++) drop(held[i]);
    close_store();
}

TEST(what_is_damaged_is_not_moved)
{
    sl_error error = {0};
    open_store();
    sl_claim *kept = mostly_dead(60), *moved = NULL;
    char *path = path_of(kept->pack);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pwrite(fd, "\377\1", 2, (off_t)kept->offset + 5) == 2);
    close(fd);
    CHECK_INT(sl_content_move(store, kept, &moved, &error), -1);
    CHECK_INT(error.code, EIO);
    CHECK(strstr(error.text, "expected") != NULL);
    free(path);
    drop(kept);
    close_store();
}
