/* Zones by name, loaded once. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "flow/expression/date.h"

enum { MOST_ZONES = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sl_map loaded; /* id to zone */

static int digits(sl_str text, size_t *at, int most)
{
    int value = 0, count = 0;
    for (; *at < text.size && count < most && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, count++)
        value = value * 10 + text.data[*at] - '0';
    return count ? value : -1;
}

/* "+h", "+hh", "+hh:mm", "+hhmm", "+hh:mm:ss": seconds. */
static bool parse_offset(sl_str text, int32_t *ret)
{
    if (text.size < 2 || (text.data[0] != '+' && text.data[0] != '-')) return false;
    size_t at = 1;
    int part[3] = {digits(text, &at, 2), 0, 0};
    bool colon = at < text.size && text.data[at] == ':';
    for (int i = 1; i < 3 && at < text.size; i++) {
        size_t before = at + colon;
        if (colon && text.data[at++] != ':') return false;
        part[i] = digits(text, &at, 2);
        if (at != before + 2) return false;
    }
    if (at != text.size || part[0] < 0 || part[0] > 18 || part[1] < 0 || part[1] > 59 || part[2] < 0 || part[2] > 59) return false;
    *ret = (part[0] * 3600 + part[1] * 60 + part[2]) * (text.data[0] == '-' ? -1 : 1);
    return *ret <= 18 * 3600 && *ret >= -18 * 3600;
}

static bool fixed_zone(sl_str id, zone *z)
{
    static const char *const prefixes[] = {"UTC", "GMT", "UT"};
    if (sl_str_is(id, "Z")) return true;
    if (parse_offset(id, &z->offset)) return true;
    for (size_t i = 0; i < SL_COUNT(prefixes); i++) {
        size_t size = strlen(prefixes[i]);
        if (!sl_str_starts(id, prefixes[i])) continue;
        sl_str rest = {id.data + size, id.size - size};
        if (!rest.size || parse_offset(rest, &z->offset)) return true;
    }
    return false;
}

static zone *load(sl_str id, sl_error *error)
{
    zone *z = SL_NEW(zone);
    snprintf(z->name, sizeof z->name, "%.*s", SL_STR_ARGS(id));
    if (fixed_zone(id, z) || sl_zone_load(z->name, &z->rules, error) == 0) return z;
    free(z);
    return NULL;
}

const zone *zone_of(sl_str id, sl_error *error)
{
    if (!id.size || id.size >= sizeof((zone *)0)->name) {
        sl_error_set(error, 0, "expected a time zone as UTC, Europe/Paris or +02:00, found \"%.*s\"", (int)SL_MIN(id.size, (size_t)80),
                     id.data);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    zone *z = sl_map_get(&loaded, id);
    if (!z && loaded.live < MOST_ZONES) {
        z = load(id, error);
        if (z) sl_map_put(&loaded, id, z);
    } else if (!z) sl_error_set(error, 0, "expected at most %d different time zones", MOST_ZONES);
    pthread_mutex_unlock(&lock);
    return z;
}

/* ---- the default ---------------------------------------------------------------------------------------- */
static const zone *system_zone;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_default(void)
{
    char target[256] = "";
    const char *name = getenv("TZ");
    if (name && name[0] == ':') name++;
    if (name && name[0]) system_zone = zone_of(sl_str_of(name), NULL);
    ssize_t size = readlink("/etc/localtime", target, sizeof target - 1);
    if (!system_zone && size > 0) {
        target[size] = 0;
        const char *folder = strstr(target, "zoneinfo/");
        if (folder) system_zone = zone_of(sl_str_of(folder + strlen("zoneinfo/")), NULL);
    }
    if (!system_zone) system_zone = zone_of(SL_STR("UTC"), NULL);
}

const zone *zone_default(void)
{
    pthread_once(&once, find_default);
    return system_zone;
}

/* ---- clocks ------------------------------------------------------------------------------------------------ */
int32_t zone_offset(const zone *z, int64_t utc) { return z->rules ? (int32_t)(sl_zone_local(z->rules, utc) - utc) : z->offset; }

bool zone_shows(const zone *z, int64_t local)
{
    int64_t utc = zone_utc(z, local, INT32_MIN);
    return utc + zone_offset(z, utc) == local;
}

int64_t zone_utc(const zone *z, int64_t local, int32_t preferred)
{
    int32_t before = zone_offset(z, local - 86400 - z->offset), after = zone_offset(z, local + 86400 - z->offset);
    if (before == after) return local - before;
    bool before_shows = zone_offset(z, local - before) == before, after_shows = zone_offset(z, local - after) == after;
    if (before_shows && after_shows) return local - (preferred == after ? after : before);
    return local - (after_shows ? after : before);
}
