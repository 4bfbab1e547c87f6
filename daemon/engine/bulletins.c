#include "engine/bulletins.h"

#include <pthread.h>
#include <stdio.h>

#include "base/sys.h"

enum { KEPT = 1000, REPEAT_WINDOW = 10 * SL_SECOND, A_MINUTE = 60, MINUTE = 60 * SL_SECOND };

typedef struct bulletin {
    uint64_t seq, changed; /* of the same numbers: when it was new, when somebody was first given its count */
    int64_t time;
    sl_level level;
    char *component, *message;
    unsigned count, given;
} bulletin;

typedef struct speaker { /* a component within its minute */
    int64_t since;       /* ticks */
    unsigned said;
    uint64_t more; /* that were not kept */
    sl_level worst;
} speaker;

struct sl_bulletins {
    pthread_mutex_t lock;
    sl_map speakers;
    bulletin ring[KEPT];
    uint64_t next;   /* place in the ring, from 1 */
    uint64_t number; /* the last that was given */
};

sl_bulletins *sl_bulletins_new(void)
{
    sl_bulletins *bulletins = SL_NEW(sl_bulletins);
    pthread_mutex_init(&bulletins->lock, NULL);
    bulletins->next = 1;
    bulletins->number = (uint64_t)(sl_now() / SL_MILLISECOND); /* so that none of an earlier process is greater */
    return bulletins;
}

void sl_bulletins_free(sl_bulletins *bulletins)
{
    if (!bulletins) return;
    for (size_t i = 0; i < KEPT; i++) {
        free(bulletins->ring[i].component);
        free(bulletins->ring[i].message);
    }
    SL_MAP_EACH (&bulletins->speakers, entry) free(entry->value);
    sl_map_done(&bulletins->speakers);
    pthread_mutex_destroy(&bulletins->lock);
    free(bulletins);
}

/* The newest few are enough: a storm repeats itself at once. */
static bulletin *repeated(sl_bulletins *bulletins, const char *component, const char *message, int64_t now)
{
    for (uint64_t back = 1; back <= 32 && back < bulletins->next; back++) {
        bulletin *b = &bulletins->ring[(bulletins->next - back) % KEPT];
        int64_t age = now - b->time; /* negative: the clock was set back */
        if (b->seq && age < REPEAT_WINDOW && age > -REPEAT_WINDOW && strcmp(b->component, component) == 0 &&
            strcmp(b->message, message) == 0)
            return b;
    }
    return NULL;
}

static void keep(sl_bulletins *bulletins, sl_level level, const char *component, char *message, int64_t now)
{
    bulletin *b = &bulletins->ring[bulletins->next % KEPT];
    free(b->component);
    free(b->message);
    bulletins->next++;
    bulletins->number++;
    *b = (bulletin){bulletins->number, bulletins->number, now, level, sl_strdup(component), message, 1, 1};
}

static speaker *speaker_of(sl_bulletins *bulletins, const char *component)
{
    speaker *known = sl_map_get(&bulletins->speakers, sl_str_of(component));
    if (known) return known;
    known = SL_NEW(speaker);
    known->since = sl_ticks();
    known->worst = SL_DEBUG;
    sl_map_put(&bulletins->speakers, sl_str_of(component), known);
    return known;
}

/* False: it has said enough in this minute. */
static bool may_speak(sl_bulletins *bulletins, sl_level level, const char *component)
{
    speaker *speaker = speaker_of(bulletins, component);
    if (speaker->said < A_MINUTE) return speaker->said++, true;
    speaker->more++;
    speaker->worst = SL_MIN(speaker->worst, level);
    return false;
}

static bool minute_is_over(sl_bulletins *bulletins, const char *component, const speaker *speaker, int64_t now)
{
    if (now - speaker->since < MINUTE) return false;
    if (!speaker->more) return true;
    char *text = sl_asprintf("and %llu more within a minute, which are not told", (unsigned long long)speaker->more);
    sl_log(speaker->worst, component, "%s", text);
    keep(bulletins, speaker->worst, component, text, sl_now());
    return true;
}

void sl_bulletins_tick(sl_bulletins *bulletins)
{
    int64_t now = sl_ticks();
    pthread_mutex_lock(&bulletins->lock);
    SL_MAP_EACH (&bulletins->speakers, entry) {
        if (!minute_is_over(bulletins, entry->key, entry->value, now)) continue;
        free(entry->value);
        sl_map_remove(&bulletins->speakers, (sl_str){entry->key, entry->key_size});
    }
    pthread_mutex_unlock(&bulletins->lock);
}

void sl_bulletin(sl_bulletins *bulletins, sl_level level, const char *component, const char *format, ...)
{
    char text[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int64_t now = sl_now();
    pthread_mutex_lock(&bulletins->lock);
    bulletin *same = repeated(bulletins, component, text, now);
    bool tell = !same && may_speak(bulletins, level, component);
    if (same) same->count++;
    else if (tell) keep(bulletins, level, component, sl_strdup(text), now);
    pthread_mutex_unlock(&bulletins->lock);
    if (tell) sl_log(level, component, "%s", text);
}

static const char *level_name(sl_level level)
{
    return level <= SL_ERROR ? "error" : level == SL_WARNING ? "warning" : level == SL_INFO ? "info" : "debug";
}

static void format(const bulletin *b, sl_buf *ret)
{
    char time[SL_TIME_TEXT];
    sl_buf_printf(ret, "{\"seq\":%llu,\"time\":\"%s\",\"level\":\"%s\",\"count\":%u,\"component\":", (unsigned long long)b->seq,
                  sl_time_format(b->time, time), level_name(b->level), b->count);
    sl_json_string(ret, sl_str_of(b->component));
    sl_buf_text(ret, ",\"message\":");
    sl_json_string(ret, sl_str_of(b->message));
    sl_buf_char(ret, '}');
}

/* One that was repeated is news again, once for each time that somebody asks. */
static void note_repeated(sl_bulletins *bulletins, uint64_t first)
{
    for (uint64_t at = first; at < bulletins->next; at++) {
        bulletin *b = &bulletins->ring[at % KEPT];
        if (b->given == b->count) continue;
        b->given = b->count;
        b->changed = ++bulletins->number;
    }
}

void sl_bulletins_json(sl_bulletins *bulletins, uint64_t after, size_t limit, sl_buf *ret, uint64_t *ret_last)
{
    pthread_mutex_lock(&bulletins->lock);
    uint64_t first = bulletins->next > KEPT ? bulletins->next - KEPT : 1, count = 0;
    note_repeated(bulletins, first);
    if (after > bulletins->number) after = 0; /* of a process under another clock */
    for (uint64_t at = first; at < bulletins->next; at++) count += bulletins->ring[at % KEPT].changed > after;
    uint64_t skipped = count > limit ? count - limit : 0;
    sl_buf_char(ret, '[');
    bool any = false;
    for (uint64_t at = first; at < bulletins->next; at++) {
        const bulletin *b = &bulletins->ring[at % KEPT];
        if (b->changed <= after || (skipped && skipped--)) continue;
        if (any) sl_buf_char(ret, ',');
        any = true;
        format(b, ret);
    }
    sl_buf_char(ret, ']');
    if (ret_last) *ret_last = bulletins->number;
    pthread_mutex_unlock(&bulletins->lock);
}
