#include "taken.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "sluice/calls.h"

enum { PAGE = 64 };

typedef struct entry {
    uint64_t device, inode, size;
    int64_t mtime_ns;
    uint32_t seen; /* the scan that saw it last */
} entry;

struct file_taken {
    entry *entries; /* page k is entries [k * PAGE, k * PAGE + PAGE) */
    size_t count, capacity;
    bool *dirty; /* by page */
    size_t page_capacity, saved_pages;
    uint32_t *slots; /* index of entries + 1, by device and inode; 0: free */
    size_t slot_count;
    uint32_t scan;
};

static void *resized(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (!memory) abort();
    return memory;
}

/* ---- the index ------------------------------------------------------------------------------------ */
static uint32_t *slot_of(const file_taken *taken, uint64_t device, uint64_t inode)
{
    uint64_t hash = (inode * 0x9E3779B97F4A7C15u) ^ (device * 0xC2B2AE3D27D4EB4Fu);
    size_t at = (hash ^ (hash >> 32)) & (taken->slot_count - 1);
    while (taken->slots[at]) {
        const entry *found = &taken->entries[taken->slots[at] - 1];
        if (found->inode == inode && found->device == device) break;
        at = (at + 1) & (taken->slot_count - 1);
    }
    return &taken->slots[at];
}

static void index_again(file_taken *taken)
{
    while (taken->slot_count < taken->count * 2 + 64) taken->slot_count = taken->slot_count ? taken->slot_count * 2 : 64;
    free(taken->slots);
    taken->slots = calloc(taken->slot_count, sizeof *taken->slots);
    if (!taken->slots) abort();
    for (size_t i = 0; i < taken->count; i++) *slot_of(taken, taken->entries[i].device, taken->entries[i].inode) = (uint32_t)i + 1;
}

static void mark(file_taken *taken, size_t index)
{
    size_t page = index / PAGE;
    if (page >= taken->page_capacity) {
        size_t more = page * 2 + 8;
        taken->dirty = resized(taken->dirty, more);
        memset(taken->dirty + taken->page_capacity, 0, more - taken->page_capacity);
        taken->page_capacity = more;
    }
    taken->dirty[page] = true;
}

static void append(file_taken *taken, const entry *added)
{
    if (taken->count == taken->capacity) {
        taken->capacity = taken->capacity * 2 + PAGE;
        taken->entries = resized(taken->entries, taken->capacity * sizeof *taken->entries);
    }
    taken->entries[taken->count++] = *added;
    if (taken->slot_count < taken->count * 2) index_again(taken);
    else *slot_of(taken, added->device, added->inode) = (uint32_t)taken->count;
}

/* ---- files ---------------------------------------------------------------------------------------- */
static int64_t mtime_of(const struct stat *status) { return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec; }

bool file_taken_has(file_taken *taken, const struct stat *status)
{
    uint32_t at = *slot_of(taken, status->st_dev, status->st_ino);
    if (!at) return false;
    entry *found = &taken->entries[at - 1];
    found->seen = taken->scan;
    return found->size == (uint64_t)status->st_size && found->mtime_ns == mtime_of(status);
}

void file_taken_add(file_taken *taken, const struct stat *status)
{
    entry added = {status->st_dev, status->st_ino, (uint64_t)status->st_size, mtime_of(status), taken->scan};
    uint32_t at = *slot_of(taken, status->st_dev, status->st_ino);
    if (at) taken->entries[at - 1] = added;
    else append(taken, &added);
    mark(taken, (at ? at : taken->count) - 1);
}

void file_taken_forget_gone(file_taken *taken)
{
    size_t before = taken->count;
    for (size_t i = 0; i < taken->count;) {
        if (taken->entries[i].seen == taken->scan) {
            i++;
            continue;
        }
        /* The last one takes its place: two pages change, not all that follow. */
        mark(taken, i);
        mark(taken, --taken->count);
        taken->entries[i] = taken->entries[taken->count];
    }
    if (taken->count != before) index_again(taken);
    taken->scan++;
}

void file_taken_keep_all(file_taken *taken) { taken->scan++; }

/* ---- state ---------------------------------------------------------------------------------------- */
static void save_page(const file_taken *taken, sluice_session *session, size_t page)
{
    char key[32];
    file_text text = {0};
    snprintf(key, sizeof key, "taken.%zu", page);
    for (size_t i = page * PAGE; i < taken->count && i < (page + 1) * PAGE; i++) {
        const entry *e = &taken->entries[i];
        file_text_printf(&text, "%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRId64 "\n", e->device, e->inode, e->size, e->mtime_ns);
    }
    sluice_set_state(session, key, text.data); /* NULL: the page is empty, its key goes */
    file_text_done(&text);
}

void file_taken_save(file_taken *taken, sluice_session *session)
{
    size_t pages = (taken->count + PAGE - 1) / PAGE;
    for (size_t page = 0; page < taken->page_capacity; page++) {
        if (taken->dirty[page]) save_page(taken, session, page);
        taken->dirty[page] = false;
    }
    if (pages == taken->saved_pages) return;
    char count[24];
    snprintf(count, sizeof count, "%zu", pages);
    sluice_set_state(session, "taken", pages ? count : NULL);
    taken->saved_pages = pages;
}

static void load_page(file_taken *taken, sluice_text text)
{
    entry e = {0};
    const char *at = text.data;
    int used;
    while (at && sscanf(at, "%" SCNu64 ":%" SCNu64 ":%" SCNu64 ":%" SCNd64 "\n%n", &e.device, &e.inode, &e.size, &e.mtime_ns, &used) == 4) {
        append(taken, &e);
        at += used;
    }
}

file_taken *file_taken_load(sluice_session *session)
{
    file_taken *taken = resized(NULL, sizeof *taken);
    *taken = (file_taken){.scan = 1};
    index_again(taken);
    sluice_text pages = sluice_state(session, "taken");
    taken->saved_pages = pages.data ? strtoul(pages.data, NULL, 10) : 0;
    for (size_t page = 0; page < taken->saved_pages; page++) {
        char key[32];
        snprintf(key, sizeof key, "taken.%zu", page);
        load_page(taken, sluice_state(session, key));
    }
    return taken;
}

void file_taken_free(file_taken *taken)
{
    if (!taken) return;
    free(taken->entries);
    free(taken->dirty);
    free(taken->slots);
    free(taken);
}
