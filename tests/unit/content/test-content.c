/* Claims: bytes go in and come out by every kind, survive a restart, and go when released. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "content/content.h"

static unsigned unused_calls;
static void on_unused(void *context, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    unused_calls++;
    if (context) sl_content_release(*(sl_content **)context, id, kind, pack, offset, size);
}

/* `swept`: with nothing held. */
static sl_content *open_store(sl_content **context, bool swept)
{
    sl_content *store = NULL;
    sl_error error = {0};
    char *folder = sl_asprintf("%s/content", sl_test_folder());
    sl_content_options options = {.folder = folder, .unused = on_unused, .context = context};
    CHECK_INT(sl_content_open(&options, &store, &error), 0);
    sl_live *none = sl_live_new();
    if (swept) CHECK_INT(sl_content_sweep(store, none, &error), 0);
    sl_live_free(none);
    free(folder);
    return store;
}

static sl_claim *write_claim(sl_content *store, size_t size)
{
    sl_content_writer *writer = sl_content_write(store);
    char piece[1000];
    memset(piece, 'x', sizeof piece);
    for (size_t at = 0; at < size; at += sizeof piece) CHECK_INT(sl_content_append(writer, piece, SL_MIN(sizeof piece, size - at)), 0);
    sl_claim *claim = NULL;
    sl_error error = {0};
    CHECK_INT(sl_content_close_writer(writer, &claim, &error), 0);
    return claim;
}

static void there_and_back(size_t size, sl_claim_kind kind)
{
    sl_content *store = open_store(NULL, true);
    sl_claim *claim = write_claim(store, size), *again = NULL;
    sl_error error = {0};
    CHECK_INT(claim->kind, kind);
    CHECK_INT(sl_content_sync(store, &error), 0);
    sl_buf text = SL_BUF(10000);
    sl_claim_format(claim, &text);
    sl_str data = {claim->data ? claim->data : "", claim->data ? size : 0};
    char *inline_copy = sl_strndup(data.data, data.size);
    sl_content_close(store);
    store = open_store(NULL, false);
    CHECK_INT(sl_claim_parse(store, sl_buf_view(&text), (sl_str){inline_copy, data.size}, &again, &error), 0);
    sl_live *live = sl_live_new();
    sl_live_add(live, again);
    CHECK_INT(sl_content_sweep(store, live, &error), 0);
    sl_live_free(live);
    CHECK_INT(again->size, size);
    CHECK_INT(sl_content_verify(store, again, &error), 0);
    CHECK(atomic_load(&again->sha256) != NULL);
    sl_claim_unref(again);
    claim->store = store;
    sl_claim_unref(claim);
    free(inline_copy);
    sl_buf_done(&text);
    sl_content_close(store);
}

TEST(inline_bytes) { there_and_back(100, SL_INLINE); }
TEST(no_bytes) { there_and_back(0, SL_INLINE); }
TEST(packed_bytes) { there_and_back(50000, SL_PACKED); }
TEST(a_file_of_its_own) { there_and_back(1000000, SL_OWN); }

static char *make_file(const char *name, size_t size)
{
    char *path = sl_asprintf("%s/%s", sl_test_folder(), name), *data = sl_alloc(size);
    memset(data, 'y', size);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK_INT(sl_write_all(fd, data, size, 0), 0);
    close(fd);
    free(data);
    return path;
}

TEST(a_large_source_is_adopted_without_copying)
{
    sl_content *store = NULL;
    store = open_store(&store, true);
    char *path = make_file("big", 1000000);
    struct stat before, after;
    stat(path, &before);
    int fd = open(path, O_RDONLY);
    sl_claim *claim = NULL;
    sl_error error = {0};
    CHECK_INT(sl_content_import(store, path, fd, true, &claim, &error), 0);
    close(fd);
    stat(path, &after);
    CHECK(claim->kind == SL_ADOPTED || claim->kind == SL_OWN); /* own: this file system has reflinks */
    if (claim->kind == SL_ADOPTED) CHECK_INT(after.st_nlink, 2);
    CHECK_INT(sl_content_verify(store, claim, &error), 0);
    sl_claim_unref(claim);
    free(path);
    sl_content_close(store);
}

/* 0: read to its end; else the error's code. In between the file is changed in place, and its time with it. */
static int read_while_it_changes(bool adopt, bool change)
{
    sl_content *store = open_store(NULL, true);
    char *path = make_file("read", 1000000), *other = sl_asprintf("%s/other-name", sl_test_folder()), piece[600000];
    unlink(other);
    CHECK_INT(link(path, other), 0);
    int fd = open(path, O_RDONLY), writer;
    sl_claim *claim = NULL;
    sl_content_view view;
    sl_error error = {0};
    CHECK_INT(sl_content_import(store, path, fd, adopt, &claim, &error), 0);
    close(fd);
    CHECK_INT(sl_content_view_open(store, claim, &view, &error), 0);
    CHECK_INT(sl_content_view_read(claim, &view, 0, piece, sizeof piece, &error), sizeof piece);
    if (change && (writer = open(other, O_WRONLY)) >= 0) {
        CHECK_INT(sl_write_all(writer, "changed", 7, 900000), 0);
        CHECK_INT(futimens(writer, (struct timespec[]){{.tv_sec = 1}, {.tv_sec = 1}}), 0);
        close(writer);
    }
    bool copied = claim->kind == SL_OWN; /* by a reflink: nobody else's bytes */
    int64_t got = sl_content_view_read(claim, &view, sizeof piece, piece, sizeof piece, &error);
    CHECK(got < 0 || got == 400000);
    CHECK_INT(got < 0 ? 0 : sl_content_view_read(claim, &view, 1000000, piece, 1, &error), 0);
    sl_content_view_done(&view);
    sl_claim_unref(claim);
    sl_content_close(store);
    free(path);
    free(other);
    return got < 0 ? error.code : copied && change ? ESTALE : 0;
}

TEST(what_changes_while_it_is_read_is_refused)
{
    CHECK_INT(read_while_it_changes(false, false), 0);
    CHECK_INT(read_while_it_changes(false, true), ESTALE);
    CHECK_INT(read_while_it_changes(true, false), 0);
    CHECK_INT(read_while_it_changes(true, true), ESTALE);
}

TEST(a_source_that_someone_writes_is_copied)
{
    sl_content *store = open_store(NULL, true);
    char *path = make_file("busy", 1000000);
    int writer = open(path, O_WRONLY), fd = open(path, O_RDONLY);
    sl_claim *claim = NULL;
    sl_error error = {0};
    CHECK_INT(sl_content_import(store, path, fd, true, &claim, &error), 0);
    CHECK_INT(claim->kind, SL_OWN);
    CHECK_INT(sl_write_all(writer, "changed", 7, 0), 0);
    CHECK_INT(sl_content_verify(store, claim, &error), 0);
    close(fd);
    close(writer);
    sl_claim_unref(claim);
    free(path);
    sl_content_close(store);
}

TEST(an_external_source_that_changed_is_told)
{
    sl_content *store = open_store(NULL, true);
    char *path = make_file("out there", 1000000);
    int fd = open(path, O_RDWR);
    sl_claim *claim = NULL;
    sl_error error = {0};
    CHECK_INT(sl_content_import(store, path, fd, false, &claim, &error), 0);
    CHECK_INT(claim->kind, SL_EXTERNAL);
    CHECK_INT(sl_content_verify(store, claim, &error), 0);
    CHECK_INT(ftruncate(fd, 10), 0);
    CHECK_INT(sl_content_verify(store, claim, &error), -1);
    CHECK_INT(error.code, ESTALE);
    close(fd);
    sl_claim_unref(claim);
    free(path);
    sl_content_close(store);
}

TEST(released_bytes_go)
{
    sl_content *store = NULL;
    store = open_store(&store, true);
    sl_claim *own = write_claim(store, 1000000), *packed = write_claim(store, 100000);
    char *path = sl_asprintf("%s/content/own/%x/%016llx", sl_test_folder(), (unsigned)(own->id % 16), (unsigned long long)own->id);
    CHECK_INT(access(path, F_OK), 0);
    CHECK_INT(sl_content_bytes(store), 1100000);
    unused_calls = 0;
    sl_claim_ref(own);
    sl_claim_unref(own);
    CHECK_INT(unused_calls, 0);
    sl_claim_unref(own);
    sl_claim_unref(packed);
    CHECK_INT(unused_calls, 2);
    CHECK_INT(access(path, F_OK), -1);
    CHECK_INT(sl_content_bytes(store), 0);
    free(path);
    sl_content_close(store);
}

TEST(released_bytes_are_told_from_damaged_ones)
{
    sl_content *store = NULL;
    store = open_store(&store, false);
    sl_claim *kept = write_claim(store, 100000), *goes = write_claim(store, 100000);
    sl_content_view view;
    sl_error error = {0};
    sl_content_release(store, goes->id, SL_PACKED, goes->pack, goes->offset, goes->size);
    CHECK_INT(sl_content_view_kept(store, kept, &view, &error), 0);
    sl_content_view_done(&view);
    CHECK_INT(sl_content_view_kept(store, goes, &view, &error), -1);
    CHECK_INT(error.code, ESTALE);
    CHECK(strstr(error.text, "was released"));
    char *path = sl_asprintf("%s/content/pack/%016llx.pack", sl_test_folder(), (unsigned long long)kept->pack);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pwrite(fd, "\377", 1, (off_t)kept->offset + 5) == 1);
    close(fd);
    CHECK_INT(sl_content_view_kept(store, kept, &view, &error), -1);
    CHECK_INT(error.code, EIO);
    free(path);
    kept->counted = goes->counted = false;
    sl_claim_unref(kept);
    sl_claim_unref(goes);
    sl_content_close(store);
}

/* ---- packs ------------------------------------------------------------------------------------------------------------- */

static sl_content *small_packs(sl_content **context)
{
    sl_content *store = NULL;
    sl_error error = {0};
    char *folder = sl_asprintf("%s/content", sl_test_folder());
    sl_content_options options = {.folder = folder, .pack_size = 300000, .unused = on_unused, .context = context};
    CHECK_INT(sl_content_open(&options, &store, &error), 0);
    free(folder);
    return store;
}

static bool is_there(uint64_t pack)
{
    char *path = sl_asprintf("%s/content/pack/%016llx.pack", sl_test_folder(), (unsigned long long)pack);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* While one writes its bytes another fills the pack up and what was in it is released. */
static sl_content *shared_store;
static sl_claim *first_in_pack;
static ssize_t write_among_others(int fd, const void *data, size_t size, off_t offset)
{
    sl_sys_now = &sl_sys_real;
    sl_claim_unref(write_claim(shared_store, 200000));
    sl_claim_unref(first_in_pack);
    return sl_sys_real.pwrite(fd, data, size, offset);
}

TEST(a_pack_that_somebody_writes_to_stays)
{
    sl_sys sys = sl_sys_real;
    sl_error error = {0};
    shared_store = small_packs(&shared_store);
    first_in_pack = write_claim(shared_store, 100000);
    uint64_t pack = first_in_pack->pack;
    sys.pwrite = write_among_others;
    sl_sys_now = &sys;
    sl_claim *claim = write_claim(shared_store, 100000);
    CHECK_INT(claim->pack, pack);
    CHECK_INT(sl_content_verify(shared_store, claim, &error), 0);
    CHECK_INT(sl_content_sync(shared_store, &error), 0);
    CHECK(is_there(pack));
    sl_claim_unref(claim);
    CHECK(!is_there(pack));
    sl_content_close(shared_store);
}

TEST(a_pack_whose_bytes_are_all_released_before_it_is_full_goes_when_it_is)
{
    sl_content *store = NULL;
    sl_error error = {0};
    store = small_packs(&store);
    sl_claim *claim = write_claim(store, 200000);
    uint64_t pack = claim->pack;
    sl_claim_unref(claim);
    CHECK(is_there(pack));
    claim = write_claim(store, 200000);
    CHECK(claim->pack != pack);
    CHECK_INT(sl_content_sync(store, &error), 0);
    CHECK(!is_there(pack));
    sl_claim_unref(claim);
    sl_content_close(store);
}

TEST(what_no_record_knows_is_removed_but_an_adopted_original_is_kept)
{
    sl_content *store = open_store(NULL, true);
    char *path = make_file("only copy", 1000000);
    int fd = open(path, O_RDONLY);
    sl_claim *claim = NULL, *own = write_claim(store, 1000000);
    sl_error error = {0};
    CHECK_INT(sl_content_import(store, path, fd, true, &claim, &error), 0);
    close(fd);
    unlink(path);
    bool adopted = claim->kind == SL_ADOPTED;
    char *kept = sl_asprintf("%s/content/quarantine/%016llx.a", sl_test_folder(), (unsigned long long)claim->id);
    char *gone = sl_asprintf("%s/content/own/%x/%016llx", sl_test_folder(), (unsigned)(own->id % 16), (unsigned long long)own->id);
    sl_content_close(store);
    store = open_store(NULL, true);
    if (adopted) CHECK_INT(access(kept, F_OK), 0);
    CHECK_INT(access(gone, F_OK), -1);
    claim->store = own->store = store;
    claim->counted = own->counted = false;
    sl_claim_unref(claim);
    sl_claim_unref(own);
    free(path);
    free(kept);
    free(gone);
    sl_content_close(store);
}
