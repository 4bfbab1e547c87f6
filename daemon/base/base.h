/* base: what every room of the daemon stands on. Knows nothing of flows.
 *
 * Conventions of the whole tree
 *   - A function that can fail returns 0 for done and -1 for failed, and then fills `sl_error`.
 *     The error's text says what was expected, what was found, where, and what to do.
 *   - `init/done` for storage of the caller's, `new/free` for storage of ours, `ref/unref` where
 *     shared. Destructors take NULL. `sl_str` is a borrowed view, `sl_buf` owns its bytes.
 *   - Memory that cannot be had ends the process with a message: everything durable is in the
 *     journal, so a restart goes on, and no half-applied state is ever carried along.
 */
#ifndef SL_BASE_H
#define SL_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SL_PRINTF(format_at, first_at)      __attribute__((format(printf, format_at, first_at)))
#define SL_COUNT(array)                     (sizeof(array) / sizeof((array)[0]))
#define SL_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#define SL_MIN(a, b)                        ((a) < (b) ? (a) : (b))
#define SL_MAX(a, b)                        ((a) > (b) ? (a) : (b))

/* ---- memory: never NULL ------------------------------------------------------------------ */
void *sl_alloc(size_t size);                                                     /* zeroed */
void *sl_realloc(void *old, size_t size);                                        /* grown bytes are not zeroed */
void *sl_grow(void *array, size_t count, size_t *capacity, size_t element_size); /* room for one more */
char *sl_strdup(const char *text);
char *sl_strndup(const char *text, size_t size);
char *sl_asprintf(const char *format, ...) SL_PRINTF(1, 2);
#define SL_NEW(type) ((type *)sl_alloc(sizeof(type)))
/* First thing in a process that lives for long: what is large goes back to the system as soon as it is freed. */
void sl_memory_begin(void);
/* What was freed in small pieces goes back too. Any thread; some milliseconds a gigabyte. */
void sl_memory_give_back(void);

/* ---- errors --------------------------------------------------------------------------------- */
typedef struct sl_error {
    int code;        /* an errno value, or 0 where none fits */
    char text[1024]; /* one line, no trailing newline */
} sl_error;

/* Always returns -1, so that `return sl_error_set(...)` reads as what it is. error may be NULL. */
int sl_error_set(sl_error *error, int code, const char *format, ...) SL_PRINTF(3, 4);
/* Adds "TEXT: " in front of what is there. Returns -1. */
int sl_error_prefix(sl_error *error, const char *format, ...) SL_PRINTF(2, 3);
#ifdef __clang_analyzer__ /* which sees one file at a time, and would take each for a possible 0 */
#define sl_error_set(...)    (sl_error_set(__VA_ARGS__), -1)
#define sl_error_prefix(...) (sl_error_prefix(__VA_ARGS__), -1)
#endif
/* For assertions whose breach means our own state is wrong: prints and aborts. */
void sl_panic(const char *file, int line, const char *format, ...) SL_PRINTF(3, 4) __attribute__((noreturn));
#define SL_ASSERT(condition)                                                                \
    do {                                                                                    \
        if (!(condition)) sl_panic(__FILE__, __LINE__, "assertion failed: %s", #condition); \
    } while (0)

/* ---- strings: borrowed views --------------------------------------------------------------- */
typedef struct sl_str {
    const char *data; /* not terminated */
    size_t size;
} sl_str;
#define SL_STR(literal) ((sl_str){"" literal, sizeof(literal) - 1})
#define SL_STR_ARGS(s)  (int)(s).size, (s).data /* for "%.*s" */

sl_str sl_str_of(const char *text); /* NULL gives the empty view */
bool sl_str_equal(sl_str a, sl_str b);
bool sl_str_is(sl_str a, const char *text);
bool sl_str_starts(sl_str a, const char *prefix);
bool sl_str_ends(sl_str a, const char *suffix);
int sl_str_compare(sl_str a, sl_str b);
sl_str sl_str_trim(sl_str a);
uint64_t sl_hash(const void *data, size_t size);
bool sl_utf8_valid(sl_str a);
size_t sl_utf8_sequence(sl_str a, size_t at); /* bytes of the valid sequence at `at`; 0: none */
/* The best of `names` (count of them) by edit distance for a "did you mean", or NULL when none is near. */
const char *sl_nearest(sl_str word, const char *const *names, size_t count);

/* ---- buffers: own their bytes, with a ceiling from birth ---------------------------------- */
typedef struct sl_buf {
    char *data; /* always terminated after the first append; NULL before */
    size_t size, capacity, ceiling;
    bool overflowed; /* an append went over the ceiling and was refused whole */
} sl_buf;
#define SL_BUF(ceiling_) ((sl_buf){.ceiling = (ceiling_)})
void sl_buf_done(sl_buf *buf);
void sl_buf_clear(sl_buf *buf);                             /* size 0, keeps the memory */
int sl_buf_add(sl_buf *buf, const void *data, size_t size); /* -1: over the ceiling */
int sl_buf_str(sl_buf *buf, sl_str text);
int sl_buf_text(sl_buf *buf, const char *text);
int sl_buf_char(sl_buf *buf, char c);
int sl_buf_printf(sl_buf *buf, const char *format, ...) SL_PRINTF(2, 3);
char *sl_buf_take(sl_buf *buf); /* the terminated text, now the caller's; never NULL */
static inline sl_str sl_buf_view(const sl_buf *buf) { return (sl_str){buf->data ? buf->data : "", buf->size}; }

/* ---- arenas: many small things freed at once ------------------------------------------------ */
typedef struct sl_arena {
    struct sl_arena_block *head;
} sl_arena;
void *sl_arena_alloc(sl_arena *arena, size_t size); /* zeroed, aligned to 16 */
char *sl_arena_strndup(sl_arena *arena, const char *text, size_t size);
sl_str sl_arena_str(sl_arena *arena, sl_str text); /* the copy is terminated */
char *sl_arena_printf(sl_arena *arena, const char *format, ...) SL_PRINTF(2, 3);
void sl_arena_done(sl_arena *arena);

/* ---- a hash map from text to pointers, iterated in insertion order ------------------------ */
typedef struct sl_map {
    struct sl_map_entry {
        char *key;
        size_t key_size;
        uint64_t hash;
        void *value;
    } * entries;
    size_t count, capacity; /* entries [0, count); a removed one has key NULL */
    uint32_t *slots;
    size_t slot_count, live;
} sl_map;
void sl_map_done(sl_map *map);                          /* frees keys and table, not the values */
void *sl_map_get(const sl_map *map, sl_str key);        /* NULL: absent */
void *sl_map_put(sl_map *map, sl_str key, void *value); /* returns the value replaced, or NULL */
void *sl_map_remove(sl_map *map, sl_str key);
#define SL_MAP_EACH(map, entry)                                                                       \
    for (struct sl_map_entry *entry = (map)->entries; entry < (map)->entries + (map)->count; entry++) \
        if (entry->key)

/* ---- log: one line an event to stderr ------------------------------------------------------ */
typedef enum sl_level { SL_ERROR = 3, SL_WARNING = 4, SL_INFO = 6, SL_DEBUG = 7 } sl_level; /* syslog's numbers */
void sl_log_level(sl_level least);
int sl_log_level_parse(const char *text, sl_level *ret); /* error warning info debug */
/* `where` names the component ("media-to-b2/upload") or the room ("journal"). */
void sl_log(sl_level level, const char *where, const char *format, ...) SL_PRINTF(3, 4);

/* ---- time: microseconds since 1970, UTC ---------------------------------------------------- */
#define SL_SECOND      1000000LL
#define SL_MILLISECOND 1000LL
#define SL_TIME_TEXT   32
/* "2026-11-24T09:23:00.123456Z" into `text`, which it returns. */
char *sl_time_format(int64_t time_us, char text[SL_TIME_TEXT]);
int sl_time_parse(sl_str text, int64_t *ret_us); /* RFC 3339; a date alone is its midnight UTC */
/* "250ms 5s 10m 1h 7d" in microseconds; "0" is allowed; fractions are not. */
int sl_duration_parse(sl_str text, int64_t *ret_us);
char *sl_duration_format(int64_t us, char text[SL_TIME_TEXT]); /* the shortest exact form: 90s, 2h, 250ms */
/* "512 16KiB 1GB": k M G T with B are powers of 1000, KiB MiB GiB TiB of 1024, "B" or nothing bytes. */
int sl_size_parse(sl_str text, uint64_t *ret);

/* ---- ids ----------------------------------------------------------------------------------------
 * A FlowFile's id is a number below 2^44, unique in one state folder; its UUIDv7 carries it:
 * 48 bits of milliseconds, 12 + 18 bits of the state folder's node number, 44 bits of id. So either
 * leads to the other without an index. */
#define SL_UUID_TEXT 37
void sl_uuid_make(uint64_t id, int64_t born_ms, uint32_t node /* 30 bits */, char text[SL_UUID_TEXT]);
int sl_uuid_id(sl_str text, uint64_t *ret_id); /* -1: not a UUID of this form */
void sl_uuid_random(char text[SL_UUID_TEXT]);  /* version 4 */

/* ---- checks and text forms --------------------------------------------------------------------- */
uint32_t sl_crc32c(uint32_t seed, const void *data, size_t size); /* RFC 3720's; hardware where there is */
uint32_t sl_crc32c_portable(uint32_t seed, const void *data, size_t size);
void sl_hex(const void *data, size_t size, char *text /* 2 * size + 1 */);
int sl_unhex(sl_str text, void *data, size_t size);                /* -1 unless exactly 2 * size digits */
int sl_percent_encode(sl_buf *buf, sl_str text, const char *keep); /* unreserved and `keep` stay */
int sl_base64(sl_buf *buf, const void *data, size_t size);

/* ---- small JSON for the hot path: flat objects of text (attribute deltas) ------------------ */
int sl_json_string(sl_buf *buf, sl_str text); /* quoted; bytes that are not UTF-8 become U+FFFD */
typedef int (*sl_json_member)(void *context, sl_str name, const sl_str *value /* NULL for null */);
/* Calls back for each member of a flat object whose values are strings or null. Escapes are
 * resolved in an arena. Returns -1 on anything else. */
int sl_json_members(sl_str text, sl_arena *arena, sl_json_member member, void *context, sl_error *error);

#endif
