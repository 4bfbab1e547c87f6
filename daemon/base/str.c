#include "base/base.h"

sl_str sl_str_of(const char *text) { return (sl_str){text ? text : "", text ? strlen(text) : 0}; }

bool sl_str_equal(sl_str a, sl_str b) { return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0); }

bool sl_str_is(sl_str a, const char *text) { return a.data && sl_str_equal(a, sl_str_of(text)); }

bool sl_str_starts(sl_str a, const char *prefix)
{
    size_t size = strlen(prefix);
    return a.size >= size && memcmp(a.data, prefix, size) == 0;
}

bool sl_str_ends(sl_str a, const char *suffix)
{
    size_t size = strlen(suffix);
    return a.size >= size && memcmp(a.data + a.size - size, suffix, size) == 0;
}

int sl_str_compare(sl_str a, sl_str b)
{
    size_t shared = SL_MIN(a.size, b.size);
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

sl_str sl_str_trim(sl_str a)
{
    while (a.size && blank(a.data[0])) a.data++, a.size--;
    while (a.size && blank(a.data[a.size - 1])) a.size--;
    return a;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Folded 128-bit multiplication over eight bytes a step. Never persisted, so it may change. */
uint64_t sl_hash(const void *data, size_t size)
{
    const unsigned char *at = data;
    uint64_t hash = 0x2D358DCCAA6C78A5u ^ size, word;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        hash = mix(hash ^ word, 0x8BB84B93962EACC9u);
    }
    word = 0;
    if (size) memcpy(&word, at, size);
    hash = mix(hash ^ word, 0x4B33A62ED433D4A3u);
    return mix(hash, 0x9E3779B97F4A7C15u);
}

/* Length of the valid sequence at `at`, 0: none (overlong, surrogate, out of range, cut). */
static size_t sequence(const unsigned char *at, size_t left)
{
    unsigned char c = at[0];
    if (c < 0x80) return 1;
    size_t size = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (!size || size > left) return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    if ((c == 0xE0 && at[1] < 0xA0) || (c == 0xED && at[1] > 0x9F) || (c == 0xF0 && at[1] < 0x90) || (c == 0xF4 && at[1] > 0x8F)) return 0;
    return size;
}

size_t sl_utf8_sequence(sl_str a, size_t at) { return sequence((const unsigned char *)a.data + at, a.size - at); }

bool sl_utf8_valid(sl_str a)
{
    for (size_t at = 0, size; at < a.size; at += size)
        if (!(size = sl_utf8_sequence(a, at))) return false;
    return true;
}

/* Levenshtein's distance with exchanged neighbours as one edit; words over 63 bytes are far from everything. */
static size_t distance(sl_str a, const char *b)
{
    size_t rows[3][65], b_size = strlen(b);
    if (a.size > 63 || b_size > 63) return SIZE_MAX;
    for (size_t j = 0; j <= b_size; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t substituted = above[j - 1] + (a.data[i - 1] != b[j - 1]);
            row[j] = SL_MIN(substituted, SL_MIN(above[j], row[j - 1]) + 1);
            bool exchanged = i > 1 && j > 1 && a.data[i - 1] == b[j - 2] && a.data[i - 2] == b[j - 1];
            if (exchanged) row[j] = SL_MIN(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a.size % 3][b_size];
}

const char *sl_nearest(sl_str word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t least = SL_MAX(word.size / 3, (size_t)1) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]);
        if (d < least) best = names[i], least = d;
    }
    return best;
}
