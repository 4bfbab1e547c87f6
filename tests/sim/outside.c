#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "sim.h"

/* ---- sources ---------------------------------------------------------------------------------------------------------- */

bool sim_item_is_file(unsigned item, char path[64])
{
    snprintf(path, 64, "%ssource/%u", sim_home, item);
    return sim->outside.items[item].is_file;
}

unsigned sim_item_count(void) { return sim->outside.item_count; }

bool sim_item_is_there(unsigned item)
{
    char path[64];
    const sim_item *it = &sim->outside.items[item];
    if (sim->time < it->arrives) return false;
    return sim_item_is_file(item, path) ? sim_look_up(path) >= 0 : !it->removed;
}

size_t sim_item_content(unsigned item, unsigned version, void *data)
{
    size_t size = sim->outside.items[item].size;
    uint64_t state = sim_mix(sim->seed * 1000 + item, version);
    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = state += 0x9E3779B97F4A7C15u;
        word = (word ^ word >> 31) * 0xBF58476D1CE4E5B9u;
        memcpy((char *)data + at, &word, SL_MIN(size - at, sizeof word));
    }
    return size;
}

int sim_item_open(const char *path) { return sl_sys_now->open(path, O_RDONLY, 0); }
void sim_item_close(int fd) { sl_sys_now->close(fd); }

/* A file is gone for good when its folder is synced; a server answers when it has it so. */
int sim_item_remove(unsigned item)
{
    char path[64];
    sim_trace("item %u is removed from its source", item);
    if (sim_item_is_file(item, path)) {
        if (sl_sys_now->unlink(path) < 0 && errno != ENOENT) return -1;
        sim->outside.items[item].removed = true; /* it may come back, but from now on it may also not */
        return sl_sync_dir("/sim/source");
    }
    if (sim_door(SIM_OTHER) > 0) return errno = EIO, -1;
    sim->outside.items[item].removed = true;
    return 0;
}

bool sim_item_is_coming(unsigned item) { return sim->time < sim->outside.items[item].arrives; }

int sim_step_fails(unsigned per_mille)
{
    if (sim->calm || !sim_chance(SIM_BY_OUTSIDE, per_mille)) return 0;
    return sim_chance(SIM_BY_OUTSIDE, 800) ? 1 : 2;
}

uint64_t sim_outside_below(uint64_t bound) { return sim_below(SIM_BY_OUTSIDE, bound); }

void sim_step_saw(unsigned item)
{
    if (item >= sim->outside.item_count) sim_found("a FlowFile of item %u, which there never was", item);
}

/* ---- servers ------------------------------------------------------------------------------------------------------------ */

int64_t sim_server_delay(void)
{
    int64_t delay = sim_between(SIM_BY_OUTSIDE, 0, 20 * SL_MILLISECOND);
    return sim_chance(SIM_BY_OUTSIDE, 50) ? sim_between(SIM_BY_OUTSIDE, 0, sim->outside.slowest) : delay;
}

static sim_answer refusal(void)
{
    if (sim->calm) return SIM_TAKEN;
    if (sim_chance(SIM_BY_OUTSIDE, sim->outside.refuses)) return SIM_BUSY;
    return sim_chance(SIM_BY_OUTSIDE, sim->outside.denies) ? SIM_DENIED : SIM_TAKEN;
}

/* Only what is durable may leave: if a cut took it back, another FlowFile would come for the same item. */
static void check_same(sim_delivery *delivery, unsigned sink, unsigned item, const char *uuid)
{
    if (delivery->uuid[0] && strcmp(delivery->uuid, uuid) != 0)
        sim_found("item %u came to sink %u as FlowFile %s, before as %s: it was given away before it was durable", item, sink, uuid,
                  delivery->uuid);
    snprintf(delivery->uuid, sizeof delivery->uuid, "%s", uuid);
}

sim_answer sim_server_put(unsigned sink, unsigned item, unsigned part, const char *uuid)
{
    sim_delivery *delivery = &sim->outside.deliveries[sink][item];
    sim_answer answer = refusal();
    if (answer == SIM_TAKEN) {
        check_same(delivery, sink, item, uuid);
        delivery->begun = true;
        if (part < SIM_PARTS) delivery->parts[part] = true;
        else if (delivery->times++) sim->totals.repeats++;
        else sim->totals.delivered++;
        if (!sim->calm && sim_chance(SIM_BY_OUTSIDE, sim->outside.loses)) answer = SIM_LOST;
    }
    sim_trace("sink %u: item %u part %u of %s: answer %d", sink, item, part, uuid, answer);
    return answer;
}

/* At the beginning of a try: what an earlier one had said must be known. */
void sim_server_resumed(unsigned sink, unsigned item, const char *uuid, bool intent, unsigned parts)
{
    const sim_delivery *delivery = &sim->outside.deliveries[sink][item];
    if (delivery->begun && strcmp(delivery->uuid, uuid) == 0 && !intent && !delivery->left)
        sim_found("item %u has begun to come to sink %u as FlowFile %s, which knows of no intent", item, sink, uuid);
    for (unsigned part = 0; part < parts && part < SIM_PARTS; part++)
        if (!delivery->parts[part]) sim_found("item %u: part %u is journalled as done, sink %u never had it", item, part, sink);
}

void sim_content_is(unsigned item, unsigned version, const void *data, size_t size, uint64_t whole)
{
    static char expected[SIM_CONTENT_MOST];
    size_t should = sim_item_content(item, version, expected);
    if (whole == should && size == should && memcmp(expected, data, size) == 0) return;
    sim->totals.wrong++;
    sim_found("item %u, version %u: %zu of %llu bytes, which are not the %zu that it should be", item, version, size,
              (unsigned long long)whole, should);
}
