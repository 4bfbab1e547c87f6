/* Content is copied as of one moment: what is released meanwhile is in it, and goes afterwards. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/sys.h"
#include "content/content.h"

static void on_unused(void *context, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size)
{
    sl_content_release(*(sl_content **)context, id, kind, pack, offset, size);
}

static char *folder_of(const char *name) { return sl_asprintf("%s/%s", sl_test_folder(), name); }

static sl_content *open_store(const char *name, sl_content **context, bool look_only)
{
    sl_content *store = NULL;
    sl_error error = {0};
    char *folder = folder_of(name);
    sl_content_options options = {.folder = folder, .unused = context ? on_unused : NULL, .context = context, .look_only = look_only};
    CHECK_INT(sl_content_open(&options, &store, &error), 0);
    free(folder);
    return store;
}

static sl_claim *write_claim(sl_content *store, size_t size, char filling)
{
    sl_content_writer *writer = sl_content_write(store);
    char *data = sl_alloc(size + 1);
    sl_claim *claim = NULL;
    sl_error error = {0};
    memset(data, filling, size);
    CHECK_INT(sl_content_append(writer, data, size), 0);
    CHECK_INT(sl_content_close_writer(writer, &claim, &error), 0);
    free(data);
    return claim;
}

static sl_claim *take(sl_content *store, const char *path, bool hashed)
{
    sl_claim *claim = NULL;
    sl_error error = {0};
    int fd = open(path, O_RDONLY);
    CHECK_INT(sl_content_import(store, path, fd, true, &claim, &error), 0);
    close(fd);
    if (!hashed) CHECK(!atomic_load(&claim->sha256));
    return claim;
}

static char *make_file(const char *name, size_t size)
{
    char *path = folder_of(name), *data = sl_alloc(size + 1);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    memset(data, 'y', size);
    CHECK_INT(sl_write_all(fd, data, size, 0), 0);
    close(fd);
    free(data);
    return path;
}

/* What the claim's text says, in the copy: its bytes are right. */
static int verify_in(const char *name, const sl_claim *claim, sl_error *error)
{
    sl_content *store = open_store(name, NULL, true);
    sl_claim *there = NULL;
    sl_buf text = SL_BUF(10000);
    sl_claim_format(claim, &text);
    CHECK_INT(sl_claim_parse(store, sl_buf_view(&text), (sl_str){claim->data, claim->data ? claim->size : 0}, &there, error), 0);
    int result = sl_content_verify(store, there, error);
    sl_claim_unref(there);
    sl_buf_done(&text);
    sl_content_close(store);
    return result;
}

static int copy(const sl_content_cut *cut, const char *to, sl_copier *copier)
{
    sl_error error = {0};
    char *source = folder_of("content"), *target = folder_of(to);
    int result = sl_content_copy(source, cut, target, copier, &error);
    if (result < 0) printf("# %s\n", error.text);
    free(source);
    free(target);
    return result;
}

static void forget(sl_claim *claim)
{
    claim->counted = false;
    sl_claim_unref(claim);
}

TEST(all_kinds_are_in_it_and_what_is_released_meanwhile)
{
    sl_content *store = NULL;
    sl_error error = {0};
    sl_copier copier = {.links = true};
    uint64_t bytes;
    store = open_store("content", &store, false);
    sl_claim *packed = write_claim(store, 50000, 'p'), *own = write_claim(store, 600000, 'o');
    sl_buf packed_text = SL_BUF(1000);
    sl_claim_format(packed, &packed_text);
    sl_content_hold(store);
    sl_content_cut *cut = sl_content_cut_new(store);
    sl_claim *later = write_claim(store, 600000, 'l'), *later_packed = write_claim(store, 50000, 'q');
    sl_claim_ref(packed)->counted = true;
    sl_content_release(store, packed->id, packed->kind, packed->pack, packed->offset, packed->size);
    sl_content_release(store, own->id, own->kind, 0, 0, own->size);
    CHECK_INT(sl_content_waits(store, &bytes), 2);
    CHECK_INT(bytes, 650000);
    CHECK_INT(sl_content_verify(store, packed, &error), 0);
    CHECK_INT(copy(cut, "copy", &copier), 0);
    sl_content_go_on(store);
    CHECK_INT(sl_content_waits(store, &bytes), 0);
    CHECK_INT(verify_in("copy", packed, &error), 0);
    CHECK_INT(verify_in("copy", own, &error), 0);
    CHECK_INT(sl_content_verify(store, packed, &error), -1);
    CHECK_INT(error.code, ESTALE);
    CHECK_INT(sl_content_verify(store, own, &error), -1);
    CHECK_INT(error.code, ENOENT);
    CHECK_INT(verify_in("copy", later, &error), -1);
    CHECK_INT(verify_in("copy", later_packed, &error), -1);
    CHECK_INT(copier.linked, 1);
    sl_claim_unref(packed);
    forget(packed);
    forget(own);
    forget(later);
    forget(later_packed);
    sl_buf_done(&packed_text);
    sl_content_cut_free(cut);
    sl_content_close(store);
}

TEST(an_adopted_file_is_copied_and_found_by_its_time)
{
    sl_content *store = NULL;
    sl_error error = {0};
    sl_copier copier = {.links = true};
    store = open_store("content", &store, false);
    char *path = make_file("source", 300000);
    sl_claim *claim = take(store, path, false);
    CHECK_INT(copy(NULL, "copy", &copier), 0);
    if (claim->kind == SL_ADOPTED) CHECK_INT(copier.linked, 0);
    CHECK_INT(verify_in("copy", claim, &error), 0);
    /* Whoever writes to the source now does not change the copy; a copy made of what was changed is told. */
    int fd = open(path, O_WRONLY);
    CHECK(pwrite(fd, "changed", 7, 0) == 7);
    struct timespec times[2] = {{5, 0}, {5, 0}};
    CHECK_INT(futimens(fd, times), 0);
    close(fd);
    CHECK_INT(verify_in("copy", claim, &error), 0);
    CHECK_INT(copy(NULL, "second", &copier), 0);
    if (claim->kind == SL_ADOPTED) {
        CHECK_INT(verify_in("second", claim, &error), -1);
        CHECK_INT(error.code, ESTALE);
    }
    forget(claim);
    free(path);
    sl_content_close(store);
}

TEST(a_copied_adopted_file_goes_when_it_is_released)
{
    sl_content *store = NULL, *again;
    sl_copier copier = {0};
    store = open_store("content", &store, false);
    char *path = make_file("source", 300000);
    sl_claim *claim = take(store, path, false);
    CHECK_INT(copy(NULL, "copy", &copier), 0);
    sl_content_close(store);
    again = open_store("copy", NULL, false);
    char *own = sl_asprintf("%s/copy/own/%x/%016llx", sl_test_folder(), (unsigned)(claim->id % 16), (unsigned long long)claim->id);
    CHECK_INT(access(own, F_OK), 0);
    sl_content_release(again, claim->id, claim->kind, 0, 0, claim->size);
    CHECK_INT(access(own, F_OK), -1);
    forget(claim);
    free(own);
    free(path);
    sl_content_close(again);
}

TEST(a_closed_store_leaves_what_waited_to_the_next_start)
{
    sl_content *store = NULL;
    sl_error error = {0};
    store = open_store("content", &store, false);
    sl_claim *own = write_claim(store, 600000, 'o');
    sl_content_hold(store);
    sl_content_release(store, own->id, own->kind, 0, 0, own->size);
    CHECK_INT(sl_content_verify(store, own, &error), 0);
    sl_content_close(store);
    store = open_store("content", &store, false);
    sl_live *none = sl_live_new();
    CHECK_INT(sl_content_sweep(store, none, &error), 0);
    sl_live_free(none);
    own->store = store;
    CHECK_INT(sl_content_verify(store, own, &error), -1);
    forget(own);
    sl_content_close(store);
}

static ssize_t no_space(int fd, const void *data, size_t size, off_t offset)
{
    (void)fd, (void)data, (void)size, (void)offset;
    errno = ENOSPC;
    return -1;
}

TEST(no_room_is_told)
{
    sl_content *store = NULL;
    sl_sys sys = sl_sys_real;
    sl_copier copier = {.no_clones = true};
    store = open_store("content", &store, false);
    sl_claim *packed = write_claim(store, 50000, 'p');
    sys.pwrite = no_space;
    sl_sys_now = &sys;
    CHECK_INT(copy(NULL, "copy", &copier), -1);
    sl_sys_now = &sl_sys_real;
    forget(packed);
    sl_content_close(store);
}
