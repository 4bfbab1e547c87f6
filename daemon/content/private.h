/* content/private: what the files of this room share.
 *
 *   store.c    open, sync, release
 *   sweep.c    what nobody holds
 *   claim.c    counted claims and their text
 *   pack.c     append-only packs
 *   replace.c  a pack that could not be synced for want of room
 *   ranges.c   what was released of a pack
 *   compact.c  packs of which little is held any more
 *   writer.c   new content
 *   import.c   a source file becomes content
 *   view.c     reading
 *   backup.c   a copy as of one moment
 */
#ifndef SL_CONTENT_PRIVATE_H
#define SL_CONTENT_PRIVATE_H

#include <openssl/evp.h>
#include <pthread.h>

#include "content/content.h"

enum { SL_OWN_FOLDERS = 16 };

typedef struct sl_piece {  /* appended since the last good sync */
    uint64_t offset, size; /* size 0: released since */
    uint32_t crc;
} sl_piece;

typedef struct sl_pack { /* one that is open for appending or not yet synced */
    struct sl_pack *next;
    uint64_t id, size;
    int fd;
    unsigned writers; /* ranges reserved and not yet written; and a sync */
    bool dirty, retired;
    bool refused;    /* a sync failed: its file is not synced again, see replace.c */
    sl_piece *fresh; /* no more than fit into one */
    size_t fresh_count, fresh_capacity;
} sl_pack;

typedef struct sl_range {
    uint64_t offset, end;
} sl_range;
typedef struct sl_ranges { /* ascending, none touches the next; a bounded number */
    sl_range *items;
    size_t count, capacity;
} sl_ranges;
/* The range with all that it touches; which is remembered, where there is room for it. */
sl_range sl_ranges_add(sl_ranges *ranges, uint64_t offset, uint64_t end);
void sl_ranges_done(sl_ranges *ranges);

typedef struct sl_pack_use { /* what is known of a pack's file, in use or not */
    int64_t live;            /* bytes that claims hold */
    sl_ranges released;      /* since this opening */
} sl_pack_use;

typedef struct sl_content_held sl_content_held;

struct sl_content {
    sl_content_options options;
    char *folder;
    uint64_t first_id; /* of this opening */
    _Atomic uint64_t next_id;
    _Atomic uint64_t bytes;
    _Atomic uint64_t waste;            /* what packs take beyond what is held of them, as last looked at */
    _Atomic uint64_t no_reflinks_from; /* the device that refused one last, plus 1 */
    uint64_t *mentioned;               /* adopted ones that the journal tells of; until the sweep */
    size_t mentioned_count, mentioned_capacity;
    pthread_mutex_t lock;   /* all below */
    sl_content_held *held;  /* releases that wait for a backup; NULL: there is none */
    pthread_cond_t written; /* a pack has no writers any more */
    sl_map pack_uses;       /* pack's id in hex -> sl_pack_use */
    sl_pack *packs;         /* first: the one appended to, unless retired */
    uint32_t dirty_folders; /* bit X: own/X has names not yet synced */
    bool dirty_packs;       /* pack/ has */
};

uint64_t sl_content_new_id(sl_content *store);
char *sl_own_path(const sl_content *store, uint64_t id, bool adopted);
char *sl_pack_path(const sl_content *store, uint64_t id);
void sl_mark_own_folder(sl_content *store, uint64_t id);

sl_claim *sl_claim_new(sl_content *store, sl_claim_kind kind, uint64_t size);
/* Small bytes become an inline or a packed claim. */
int sl_claim_small(sl_content *store, const void *data, size_t size, sl_claim **ret, sl_error *error);
/* A file without a name (O_TMPFILE) with all its bytes becomes an own claim; closes fd. */
int sl_claim_own(sl_content *store, int fd, uint64_t size, sl_claim **ret, sl_error *error);
int sl_temporary_open(sl_content *store, sl_error *error); /* fd or -1 */

int sl_pack_append(sl_content *store, const void *data, size_t size, uint64_t *ret_pack, uint64_t *ret_offset, sl_error *error);
int sl_pack_sync(sl_content *store, sl_error *error);
int sl_pack_replace(sl_content *store, sl_pack *pack, sl_error *error);
void sl_pack_count(sl_content *store, uint64_t pack, int64_t bytes); /* under lock; removes one that is dead */
bool sl_pack_in_use(const sl_content *store, uint64_t pack);         /* under lock */
void sl_packs_done(sl_content *store);
void sl_pack_release(sl_content *store, uint64_t pack, uint64_t offset, uint64_t size);

/* Whether it waits now, see sl_content_hold. */
bool sl_content_wait(sl_content *store, uint64_t id, sl_claim_kind kind, uint64_t pack, uint64_t offset, uint64_t size);
void sl_content_held_free(sl_content_held *held);

void sl_sha256(const void *data, size_t size, char hex[65]);
EVP_MD_CTX *sl_sha256_begin(void);
void sl_sha256_end(EVP_MD_CTX *hash, char hex[65]); /* frees */

#endif
