#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "content/private.h"

static const char *const kind_names[] = {"inline", "packed", "own", "adopted", "external"};

sl_claim *sl_claim_new(sl_content *store, sl_claim_kind kind, uint64_t size)
{
    sl_claim *claim = SL_NEW(sl_claim);
    atomic_init(&claim->references, 1);
    claim->kind = kind;
    claim->size = size;
    claim->store = store;
    claim->id = sl_content_new_id(store);
    claim->counted = true;
    return claim;
}

sl_claim *sl_claim_ref(sl_claim *claim)
{
    if (claim) atomic_fetch_add(&claim->references, 1);
    return claim;
}

void sl_claim_unref(sl_claim *claim)
{
    if (!claim || atomic_fetch_sub(&claim->references, 1) != 1) return;
    sl_content *store = claim->store;
    bool on_disk = claim->kind != SL_INLINE && claim->kind != SL_EXTERNAL;
    if (claim->counted && on_disk && store->options.unused)
        store->options.unused(store->options.context, claim->id, claim->kind, claim->pack, claim->offset, claim->size);
    free(claim->data);
    free(claim->path);
    free(atomic_load(&claim->sha256));
    free(atomic_load(&claim->md5));
    free(claim);
}

static void learn(_Atomic(char *) *place, const char *hex, size_t digits)
{
    char *none = NULL;
    if (!hex || strlen(hex) != digits || atomic_load(place)) return;
    char *copy = sl_strdup(hex);
    if (!atomic_compare_exchange_strong(place, &none, copy)) free(copy);
}

void sl_claim_learn(sl_claim *claim, const char *sha256, const char *md5)
{
    learn(&claim->sha256, sha256, 64);
    learn(&claim->md5, md5, 32);
}

/* Flat, all text: the journal's small parser reads it, and so does json_extract. */
void sl_claim_format(const sl_claim *claim, sl_buf *ret)
{
    const char *sha256 = atomic_load(&claim->sha256), *md5 = atomic_load(&claim->md5);
    sl_buf_printf(ret, "{\"id\":\"%016" PRIx64 "\",\"kind\":\"%s\",\"size\":\"%" PRIu64 "\"", claim->id, kind_names[claim->kind],
                  claim->size);
    if (sha256) sl_buf_printf(ret, ",\"sha256\":\"%s\"", sha256);
    if (md5) sl_buf_printf(ret, ",\"md5\":\"%s\"", md5);
    if (claim->kind == SL_PACKED) sl_buf_printf(ret, ",\"pack\":\"%016" PRIx64 "\",\"offset\":\"%" PRIu64 "\"", claim->pack, claim->offset);
    if (claim->kind == SL_EXTERNAL || claim->kind == SL_ADOPTED)
        sl_buf_printf(ret, ",\"device\":\"%" PRIu64 "\",\"inode\":\"%" PRIu64 "\",\"mtime\":\"%" PRId64 "\"", claim->device, claim->inode,
                      claim->mtime_ns);
    if (claim->kind == SL_EXTERNAL) {
        /* Bytes of a path need not be UTF-8: percent-encoded, they stay what they are. */
        sl_buf path = SL_BUF(1 << 16);
        sl_percent_encode(&path, sl_str_of(claim->path), "/ ");
        sl_buf_text(ret, ",\"path\":");
        sl_json_string(ret, sl_buf_view(&path));
        sl_buf_done(&path);
    }
    sl_buf_char(ret, '}');
}

static char *percent_decode(sl_str text)
{
    char *out = sl_alloc(text.size + 1);
    size_t at = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte;
        if (text.data[i] == '%' && i + 2 < text.size && sl_unhex((sl_str){text.data + i + 1, 2}, &byte, 1) == 0) {
            out[at++] = (char)byte;
            i += 2;
        } else out[at++] = text.data[i];
    }
    return out;
}

static uint64_t number(sl_str text, int base)
{
    char copy[32] = "";
    memcpy(copy, text.data, SL_MIN(text.size, sizeof copy - 1));
    return strtoull(copy, NULL, base);
}

static int read_member(void *context, sl_str name, const sl_str *value)
{
    sl_claim *claim = context;
    if (!value) return 0;
    if (sl_str_is(name, "id")) claim->id = number(*value, 16);
    else if (sl_str_is(name, "size")) claim->size = number(*value, 10);
    else if (sl_str_is(name, "pack")) claim->pack = number(*value, 16);
    else if (sl_str_is(name, "offset")) claim->offset = number(*value, 10);
    else if (sl_str_is(name, "device")) claim->device = number(*value, 10);
    else if (sl_str_is(name, "inode")) claim->inode = number(*value, 10);
    else if (sl_str_is(name, "mtime")) claim->mtime_ns = (int64_t)number(*value, 10);
    else if (sl_str_is(name, "path")) free(claim->path), claim->path = percent_decode(*value);
    else if (sl_str_is(name, "kind")) {
        for (size_t i = 0; i < SL_COUNT(kind_names); i++)
            if (sl_str_is(*value, kind_names[i])) return claim->kind = (sl_claim_kind)i, 0;
        return -1;
    } else if (sl_str_is(name, "sha256") || sl_str_is(name, "md5")) {
        char *hex = sl_strndup(value->data, value->size);
        sl_str_is(name, "md5") ? sl_claim_learn(claim, NULL, hex) : sl_claim_learn(claim, hex, NULL);
        free(hex);
    }
    return 0;
}

int sl_claim_parse(sl_content *store, sl_str text, sl_str inline_data, sl_claim **ret, sl_error *error)
{
    sl_arena arena = {0};
    sl_claim *claim = sl_claim_new(store, SL_INLINE, 0);
    claim->counted = false;
    int result = sl_json_members(text, &arena, read_member, claim, error);
    sl_arena_done(&arena);
    if (result == 0 && claim->kind == SL_INLINE && inline_data.size != claim->size)
        result = sl_error_set(error, EINVAL, "content: the inline claim %016" PRIx64 " has %zu bytes, expected %" PRIu64, claim->id,
                              inline_data.size, claim->size);
    if (result < 0) {
        sl_claim_unref(claim);
        return -1;
    }
    if (claim->kind == SL_INLINE) claim->data = sl_strndup(inline_data.data, inline_data.size);
    *ret = claim;
    return 0;
}
