/* outside: what a simulated flow takes from and delivers to. The part that the flow's module sees. */
#ifndef SIM_OUTSIDE_H
#define SIM_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SHOWN __attribute__((visibility("default")))

enum { SIM_ITEMS = 64, SIM_SINKS = 4, SIM_CONTENT_MOST = 400 << 10, SIM_UUID = 40, SIM_PARTS = 3, SIM_NUMBERS = 4096 };

typedef struct sim_item {
    int64_t arrives; /* us of the world's time */
    uint32_t size;
    bool is_file;     /* in the source's folder, to be adopted; else a server has it */
    bool removed;     /* the source has let it go: it is the flow's now */
    unsigned emptied; /* sinks that it need not come to: an operator may have dropped it on the way */
} sim_item;

typedef struct sim_delivery { /* of one item to one sink */
    uint32_t times;
    bool begun; /* something of it is there */
    bool left;  /* it has been held since: what was intended is forgotten */
    bool parts[SIM_PARTS];
    char uuid[SIM_UUID];
} sim_delivery;

typedef struct sim_outside {
    uint64_t acknowledged;  /* of rooms.c: the last event */
    bool made[SIM_NUMBERS]; /* ... those that made a FlowFile of that number */
    unsigned item_count;
    sim_item items[SIM_ITEMS];
    sim_delivery deliveries[SIM_SINKS][SIM_ITEMS];
    unsigned loses, refuses, denies; /* per mille of answers: lost on the way back; 503; nobody is let in */
    int64_t slowest;                 /* us: the longest that an answer takes */
} sim_outside;

/* The module's calls; any thread. */
SIM_SHOWN bool sim_item_is_there(unsigned item);
SIM_SHOWN bool sim_item_is_coming(unsigned item);
SIM_SHOWN unsigned sim_item_count(void);
SIM_SHOWN bool sim_item_is_file(unsigned item, char path[64]);
SIM_SHOWN size_t sim_item_content(unsigned item, unsigned version, void *data /* SIM_CONTENT_MOST */);
SIM_SHOWN int sim_item_open(const char *path); /* -1 and errno */
SIM_SHOWN void sim_item_close(int fd);
SIM_SHOWN int sim_item_remove(unsigned item); /* -1 and errno */
SIM_SHOWN uint64_t sim_outside_below(uint64_t bound);
typedef enum sim_answer { SIM_TAKEN, SIM_LOST, SIM_BUSY, SIM_DENIED } sim_answer;
/* What a server says to a part of an upload or, with part SIM_PARTS, to its end. */
SIM_SHOWN sim_answer sim_server_put(unsigned sink, unsigned item, unsigned part, const char *uuid);
SIM_SHOWN void sim_server_resumed(unsigned sink, unsigned item, const char *uuid, bool intent, unsigned parts);
SIM_SHOWN int64_t sim_server_delay(void);
SIM_SHOWN void sim_content_is(unsigned item, unsigned version, const void *data, size_t size, uint64_t whole);
SIM_SHOWN void sim_step_saw(unsigned item);
SIM_SHOWN int sim_step_fails(unsigned per_mille); /* 0: no; 1: for now; 2: for good */

#endif
