/* content/private: what the files of this room share.
 *
 *   store.c    open, sync, release
 *   sweep.c    what nobody holds
 *   claim.c    counted claims and their text
 *   pack.c     append-only packs
 *   writer.c   new content
 *   import.c   a source file becomes content
 *   view.c     reading
 */
#ifndef SL_CONTENT_PRIVATE_H
#define SL_CONTENT_PRIVATE_H

#include <openssl/evp.h>
#include <pthread.h>

#include "content/content.h"

enum { SL_OWN_FOLDERS = 16 };

typedef struct sl_pack { /* one that is open for appending or not yet synced */
    struct sl_pack *next;
    uint64_t id, size;
    int fd;
    unsigned writers; /* ranges reserved and not yet written */
    bool dirty, retired;
} sl_pack;

struct sl_content {
    sl_content_options options;
    char *folder;
    uint64_t first_id; /* of this opening */
    _Atomic uint64_t next_id;
    _Atomic uint64_t bytes;
    _Atomic uint64_t no_reflinks_from; /* the device that refused one last, plus 1 */
    uint64_t *mentioned;               /* adopted ones that the journal tells of; until the sweep */
    size_t mentioned_count, mentioned_capacity;
    pthread_mutex_t lock;   /* all below */
    sl_map packs_live;      /* pack's id in hex -> bytes that claims hold */
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
void sl_pack_count(sl_content *store, uint64_t pack, int64_t bytes); /* under lock; removes one that is dead */
void sl_pack_release(sl_content *store, uint64_t pack, uint64_t offset, uint64_t size);

void sl_sha256(const void *data, size_t size, char hex[65]);
EVP_MD_CTX *sl_sha256_begin(void);
void sl_sha256_end(EVP_MD_CTX *hash, char hex[65]); /* frees */

#endif
