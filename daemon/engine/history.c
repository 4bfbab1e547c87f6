#include "engine/history.h"

enum { MOST_SERIES = 4096, HOURS = 25, MOST_KEY = 1024 };

struct sl_history {
    sl_map series; /* kind and key -> sl_series */
};

static const struct {
    size_t values, counters;
} kinds[] = {[SL_SERIES_PROCESSOR] = {9, 9}, [SL_SERIES_QUEUE] = {4, 2}, [SL_SERIES_FIGURE] = {1, 0}};

size_t sl_series_values(sl_series_kind kind) { return kinds[kind].values; }
size_t sl_series_counters(sl_series_kind kind) { return kinds[kind].counters; }

/* ---- varints ----------------------------------------------------------------------------------------------------- */

static size_t put(uint8_t *to, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) to[size++] = (uint8_t)(value | 0x80);
    to[size++] = (uint8_t)value;
    return size;
}

static bool get(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        *ret |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

static uint64_t zigzag(int64_t value) { return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0); }
static int64_t unzigzag(uint64_t value) { return (int64_t)(value >> 1) ^ -(int64_t)(value & 1); }

/* ---- an hour -------------------------------------------------------------------------------------------------------- */

typedef struct point {
    const uint8_t *begins;
    uint64_t offset; /* minute of the hour */
    int64_t values[SL_SERIES_VALUES];
} point;

static bool next_point(sl_series_kind kind, const uint8_t **at, const uint8_t *end, point *ret)
{
    uint64_t value;
    ret->begins = *at;
    if (*at == end || !get(at, end, &ret->offset) || ret->offset >= 60) return false;
    for (size_t i = 0; i < kinds[kind].values; i++) {
        if (!get(at, end, &value)) return false;
        ret->values[i] = unzigzag(value);
    }
    return true;
}

/* False: it has none. */
static bool last_point(sl_series_kind kind, const sl_hour *hour, point *ret)
{
    const uint8_t *at = hour->points, *end = at + hour->size;
    bool any = false;
    for (point p; at && next_point(kind, &at, end, &p);) *ret = p, any = true;
    return any;
}

static void append(sl_hour *hour, sl_series_kind kind, const point *p)
{
    uint8_t text[10 * (SL_SERIES_VALUES + 1)];
    size_t size = put(text, p->offset);
    for (size_t i = 0; i < kinds[kind].values; i++) size += put(text + size, zigzag(p->values[i]));
    if (!hour->points || hour->size + size > hour->capacity) {
        hour->capacity = (uint32_t)(hour->capacity * 2 + size + 16);
        hour->points = sl_realloc(hour->points, hour->capacity);
    }
    memcpy(hour->points + hour->size, text, size);
    hour->size += (uint32_t)size;
}

/* Nothing was counted, and the rest is as it was. */
static bool is_silent(sl_series_kind kind, const int64_t *values, const point *before)
{
    for (size_t i = 0; i < kinds[kind].values; i++)
        if (values[i] != (i < kinds[kind].counters ? 0 : before->values[i])) return false;
    return true;
}

/* ---- a series --------------------------------------------------------------------------------------------------------- */

static void drop_hours(sl_series *series, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++) free(series->hours[i].points);
    series->hour_count -= count;
    memmove(series->hours + from, series->hours + from + count, (series->hour_count - from) * sizeof *series->hours);
}

static sl_hour *hour_of(sl_series *series, int64_t minute)
{
    int64_t start = minute - minute % 60;
    size_t later = 0, old = 0;
    while (later < series->hour_count && series->hours[series->hour_count - 1 - later].start > start) later++;
    if (later) drop_hours(series, series->hour_count - later, later);
    while (old < series->hour_count && series->hours[old].start <= start - HOURS * 60) old++;
    if (old) drop_hours(series, 0, old);
    if (series->hour_count && series->hours[series->hour_count - 1].start == start) return &series->hours[series->hour_count - 1];
    series->hours = sl_grow(series->hours, series->hour_count, &series->hour_capacity, sizeof *series->hours);
    series->hours[series->hour_count] = (sl_hour){.start = start};
    return &series->hours[series->hour_count++];
}

bool sl_series_add(sl_series *series, int64_t minute, const int64_t *values)
{
    sl_hour *hour = hour_of(series, minute);
    point before = {0}, p = {.offset = (uint64_t)(minute - hour->start)};
    memcpy(p.values, values, kinds[series->kind].values * sizeof *values);
    bool any = last_point(series->kind, hour, &before);
    if (any && before.offset > p.offset) { /* the clock was set back within the hour */
        hour->size = 0;
        before = (point){0};
    } else if (any && before.offset == p.offset) {
        for (size_t i = 0; i < kinds[series->kind].counters; i++) p.values[i] += before.values[i];
        hour->size = (uint32_t)(before.begins - hour->points);
    } else if (is_silent(series->kind, values, &before)) return false;
    append(hour, series->kind, &p);
    return true;
}

int64_t sl_series_first(const sl_series *series) { return series->hour_count ? series->hours[0].start : 0; }

static void read_hour(sl_series_kind kind, const sl_hour *hour, int64_t first, size_t count, int64_t *ret)
{
    size_t width = kinds[kind].values, counters = kinds[kind].counters;
    const uint8_t *at = hour->points, *end = at + hour->size;
    point p = {0}, next;
    bool more = at && next_point(kind, &at, end, &next);
    for (int64_t minute = hour->start; minute < hour->start + 60; minute++) {
        bool here = more && minute == hour->start + (int64_t)next.offset;
        if (here) {
            p = next;
            more = next_point(kind, &at, end, &next);
        }
        if (minute < first || minute >= first + (int64_t)count) continue;
        int64_t *to = ret + (size_t)(minute - first) * width;
        for (size_t i = 0; i < width; i++) to[i] = i < counters && !here ? 0 : p.values[i];
    }
}

void sl_series_read(const sl_series *series, int64_t first, size_t count, int64_t *ret)
{
    memset(ret, 0, count * kinds[series->kind].values * sizeof *ret);
    for (size_t i = 0; i < series->hour_count; i++) read_hour(series->kind, &series->hours[i], first, count, ret);
}

/* ---- all of them --------------------------------------------------------------------------------------------------------- */

sl_history *sl_history_new(void) { return SL_NEW(sl_history); }

static void series_free(sl_series *series)
{
    drop_hours(series, 0, series->hour_count);
    free(series->hours);
    free(series->recent);
    free(series->key);
    free(series);
}

void sl_history_free(sl_history *history)
{
    if (!history) return;
    SL_MAP_EACH (&history->series, entry) series_free(entry->value);
    sl_map_done(&history->series);
    free(history);
}

static char *name_of(sl_series_kind kind, sl_str key) { return sl_asprintf("%d%.*s", (int)kind, SL_STR_ARGS(key)); }

sl_series *sl_history_find(const sl_history *history, sl_series_kind kind, sl_str key)
{
    char *name = name_of(kind, key);
    sl_series *series = sl_map_get(&history->series, sl_str_of(name));
    free(name);
    return series;
}

sl_series *sl_history_series(sl_history *history, sl_series_kind kind, const char *key)
{
    sl_series *series = sl_history_find(history, kind, sl_str_of(key));
    if (series || history->series.live >= MOST_SERIES) return series;
    char *name = name_of(kind, sl_str_of(key));
    series = SL_NEW(sl_series);
    series->kind = kind;
    series->key = sl_strdup(key);
    sl_map_put(&history->series, sl_str_of(name), series);
    free(name);
    return series;
}

void sl_history_each(const sl_history *history, void (*visit)(void *context, sl_series *series), void *context)
{
    SL_MAP_EACH (&history->series, entry) visit(context, entry->value);
}

/* ---- the file: a head, series, a CRC ---------------------------------------------------------------------------------------- */

static const char head[8] = "sluhist1";

static void add_number(sl_buf *ret, uint64_t value)
{
    uint8_t text[10];
    sl_buf_add(ret, text, put(text, value));
}

static void add_series(sl_buf *ret, const sl_series *series)
{
    size_t width = kinds[series->kind].values;
    add_number(ret, series->kind);
    add_number(ret, strlen(series->key));
    sl_buf_text(ret, series->key);
    add_number(ret, series->hour_count);
    for (size_t i = 0; i < series->hour_count; i++) {
        add_number(ret, (uint64_t)series->hours[i].start);
        add_number(ret, series->hours[i].size);
        if (series->hours[i].size) sl_buf_add(ret, series->hours[i].points, series->hours[i].size);
    }
    add_number(ret, series->recent != NULL);
    for (size_t age = 0; series->recent && age < SL_HISTORY_RECENT; age++)
        for (size_t i = 0; i < width; i++) add_number(ret, series->recent[age][i]);
}

void sl_history_save(const sl_history *history, int64_t now_us, sl_buf *ret)
{
    sl_buf_add(ret, head, sizeof head);
    add_number(ret, (uint64_t)now_us);
    add_number(ret, history->series.live);
    SL_MAP_EACH (&history->series, entry) add_series(ret, entry->value);
    uint32_t crc = sl_crc32c(0, ret->data, ret->size);
    sl_buf_add(ret, &crc, sizeof crc);
}

typedef struct reading {
    const uint8_t *at, *end;
    int64_t age; /* of the file, in tens of seconds */
    int64_t minute;
} reading;

static bool read_hours(reading *r, sl_series *series)
{
    uint64_t count, start, size;
    if (!get(&r->at, r->end, &count) || count > HOURS + 1) return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!get(&r->at, r->end, &start) || !get(&r->at, r->end, &size) || size > (uint64_t)(r->end - r->at)) return false;
        series->hours = sl_grow(series->hours, series->hour_count, &series->hour_capacity, sizeof *series->hours);
        sl_hour *hour = &series->hours[series->hour_count++];
        *hour = (sl_hour){.start = (int64_t)start, .size = (uint32_t)size, .capacity = (uint32_t)size};
        hour->points = sl_alloc(size + 1);
        memcpy(hour->points, r->at, size);
        r->at += size;
    }
    return true;
}

static bool read_recent(reading *r, sl_series *series)
{
    uint64_t there, value;
    if (!get(&r->at, r->end, &there)) return false;
    if (!there) return true;
    series->recent = sl_alloc(SL_HISTORY_RECENT * sizeof *series->recent);
    for (int64_t age = 0; age < SL_HISTORY_RECENT; age++)
        for (size_t i = 0; i < kinds[series->kind].values; i++) {
            if (!get(&r->at, r->end, &value)) return false;
            int64_t now = age + r->age;
            if (now >= 0 && now < SL_HISTORY_RECENT) series->recent[now][i] = value;
        }
    return true;
}

/* What is older than a day, or later than now, is left out. */
static void trim(reading *r, sl_series *series)
{
    size_t old = 0, late = 0;
    while (old < series->hour_count && series->hours[old].start <= r->minute - HOURS * 60) old++;
    if (old) drop_hours(series, 0, old);
    while (late < series->hour_count && series->hours[series->hour_count - 1 - late].start > r->minute) late++;
    if (late) drop_hours(series, series->hour_count - late, late);
}

static bool read_series(sl_history *history, reading *r)
{
    uint64_t kind, size;
    if (!get(&r->at, r->end, &kind) || kind < SL_SERIES_PROCESSOR || kind > SL_SERIES_FIGURE) return false;
    if (!get(&r->at, r->end, &size) || size > MOST_KEY || size > (uint64_t)(r->end - r->at)) return false;
    char *key = sl_strndup((const char *)r->at, size);
    r->at += size;
    sl_series *series = sl_history_series(history, (sl_series_kind)kind, key);
    free(key);
    if (!series || series->hour_count || !read_hours(r, series) || !read_recent(r, series)) return false;
    trim(r, series);
    return true;
}

static void forget_empty(sl_history *history)
{
    SL_MAP_EACH (&history->series, entry) {
        sl_series *series = entry->value;
        if (series->hour_count) continue;
        sl_map_remove(&history->series, (sl_str){entry->key, entry->key_size});
        series_free(series);
    }
}

static bool read_all(sl_history *history, sl_str text, int64_t now_us)
{
    uint32_t crc;
    uint64_t saved, count;
    if (text.size < sizeof head + sizeof crc || memcmp(text.data, head, sizeof head) != 0) return false;
    memcpy(&crc, text.data + text.size - sizeof crc, sizeof crc);
    if (crc != sl_crc32c(0, text.data, text.size - sizeof crc)) return false;
    reading r = {.at = (const uint8_t *)text.data + sizeof head, .end = (const uint8_t *)text.data + text.size - sizeof crc};
    if (!get(&r.at, r.end, &saved) || !get(&r.at, r.end, &count)) return false;
    r.age = (now_us - (int64_t)saved) / (10 * SL_SECOND);
    r.minute = now_us / (60 * SL_SECOND);
    for (uint64_t i = 0; i < count; i++)
        if (!read_series(history, &r)) return false;
    return r.at == r.end;
}

int sl_history_load(sl_history *history, sl_str text, int64_t now_us, sl_error *error)
{
    if (read_all(history, text, now_us)) {
        forget_empty(history);
        return 0;
    }
    SL_MAP_EACH (&history->series, entry) series_free(entry->value);
    sl_map_done(&history->series);
    return sl_error_set(error, 0, "the file is damaged or of another version");
}
