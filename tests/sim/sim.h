/* sim: a whole flow's run, drawn from a seed. A *world* is what outlives the simulated process: its disk, its time, the
 * servers it talks to, what it was given and what it has delivered. A *life* is one simulated process: a child with the
 * daemon's engine, journal and content in it, which a power cut or a kill ends at any of its calls.
 *
 *   main.c      seeds run, totals
 *   world.c     the shared memory, chance, time, the trace
 *   plan.c      what a seed means: the flow, the load, the faults
 *   flow.c      ... its flow's shape and text
 *   disk.c      what is in the page cache, what is durable; power cuts
 *   names.c     folders, in the cache and durable
 *   files.c     the table behind base/sys.h
 *   door.c      what happens at each call: time passes, faults, cuts, another thread goes on
 *   vfs.c       SQLite's files over that table
 *   threads.c   one thread at a time; mutexes, conditions, semaphores (linked with --wrap)
 *   loop.c      libuv's loop, timers and wake-ups on the simulated clock (linked with --wrap)
 *   life.c      one process of the daemon; operator.c  what is done to it
 *   rooms.c     a process with journal and content alone
 *   outside.c   sources and servers
 *   account.c   where everything is
 *   module.c    the flow's processors
 *
 * Nothing here looks at a real clock, at real randomness or at an address: the same seed gives the same trace.
 */
#ifndef SIM_H
#define SIM_H

#include "base/base.h"
#include "base/sys.h"
#include "outside.h"

/* ---- chance (world.c) --------------------------------------------------------------------------------------------- */

enum { SIM_BY_PLAN, SIM_BY_THREADS, SIM_BY_DISK, SIM_BY_FAULTS, SIM_BY_TIME, SIM_BY_DAEMON, SIM_BY_OUTSIDE, SIM_BY_OPERATOR, SIM_STREAMS };
uint64_t sim_draw(unsigned stream);
uint64_t sim_below(unsigned stream, uint64_t bound);               /* [0, bound) */
int64_t sim_between(unsigned stream, int64_t least, int64_t most); /* both included */
bool sim_chance(unsigned stream, unsigned per_mille);
uint64_t sim_mix(uint64_t a, uint64_t b);

/* ---- the disk (disk.c, names.c) --------------------------------------------------------------------------------------- */

enum { SIM_SECTOR = 512, SIM_FILES = 1024, SIM_FILE_MOST = 8 << 20, SIM_SECTORS = SIM_FILE_MOST / SIM_SECTOR, SIM_NAMES = 4096 };

typedef struct sim_file {
    bool used, folder, mapped, locked;
    uint32_t names, durable_names, opens, writers;
    uint64_t size, durable_size, high /* bytes that were ever used */, number /* inode */;
    int64_t mtime;
    mode_t mode;
    uint32_t first;                   /* a folder's first name, + 1 */
    uint64_t dirty[SIM_SECTORS / 64]; /* sectors not yet durable */
    uint64_t ghost[SIM_SECTORS / 64]; /* those that a failed sync called clean */
} sim_file;

typedef struct sim_name {
    uint32_t folder, next;
    uint32_t file, durable; /* + 1; 0: none */
    uint32_t group;         /* what one call changed: a rename is durable whole or not at all */
    char text[60];          /* empty: free */
} sim_name;

typedef struct sim_disk {
    sim_file files[SIM_FILES]; /* the first is the root */
    sim_name names[SIM_NAMES];
    uint64_t next_number;
    uint32_t next_group;
} sim_disk;

unsigned char *sim_cached(uint32_t file);
unsigned char *sim_durable(uint32_t file);
int64_t sim_file_new(bool folder, mode_t mode);                                    /* -1: no room */
void sim_file_check(uint32_t file);                                                /* gone when nothing has it */
int sim_file_write(uint32_t file, const void *data, size_t size, uint64_t offset); /* 0 or an errno */
void sim_file_resize(uint32_t file, uint64_t size);
void sim_file_punch(uint32_t file, uint64_t offset, uint64_t size);
void sim_file_sync(uint32_t file);
void sim_file_sync_failed(uint32_t file); /* what was dirty is called clean and is not on the disk */
void sim_disk_new(void);
void sim_disk_cut(void);    /* the power is cut: what was not synced is there or not, by the seed */
void sim_disk_killed(void); /* the process is gone: the cache stays */

int64_t sim_name_of(uint32_t folder, const char *text, size_t size);               /* -1: none */
int sim_resolve(const char *path, uint32_t *ret_folder, const char **ret_last);    /* 0 or an errno */
int64_t sim_look_up(const char *path);                                             /* a file, -1 */
int sim_name_set(uint32_t folder, const char *text, int64_t file, uint32_t group); /* file -1: none; 0 or an errno */
void sim_folder_sync(uint32_t folder);
void sim_names_cut(void);
void sim_name_settle(void); /* the cache's names are what is durable */

/* ---- the table (files.c) and its doors (door.c) ------------------------------------------------------------------------- */

extern const sl_sys sim_sys;
extern const char sim_home[]; /* paths below it are on the simulated disk */
void sim_vfs_register(void);  /* SQLite's default from now on */

enum {
    SIM_OPEN = 1,
    SIM_READ = 2,
    SIM_WRITE = 4,
    SIM_SYNC = 8,
    SIM_SHAPE = 16, /* truncate, punch, allocate, clone */
    SIM_LINK = 32,
    SIM_RENAME = 64,
    SIM_UNLINK = 128,
    SIM_LOOK = 256, /* stat, list */
    SIM_OTHER = 512,
};
enum { SIM_SHORT = -1 };
/* Before each call does its work: 0: go on; SIM_SHORT: write less; else fail with that errno. May not return. */
int sim_door(unsigned kind);
void sim_trace(const char *format, ...) SL_PRINTF(1, 2);
void sim_trace_flush(void);

typedef struct sim_fault { /* calls [from, to) of a life, of these kinds, at this rate */
    uint64_t from, to;
    unsigned kinds, per_mille;
    int code;
} sim_fault;

/* ---- threads and the loop ------------------------------------------------------------------------------------------------- */

void sim_threads_begin(void); /* this thread is the first */
void sim_switch(unsigned per_mille);
/* Waits for sim_wake of the same thing, or until `deadline` (ticks; INT64_MAX: none). False: it passed. */
bool sim_wait(const void *thing, int64_t deadline);
void sim_wake(const void *thing, bool all);
unsigned sim_thread(void); /* the number of the one that runs */
int64_t sim_ticks(void);
int64_t sim_wall(void);
void sim_pass(int64_t us);

/* ---- a plan ---------------------------------------------------------------------------------------------------------------- */

enum { SIM_LIVES = 8, SIM_FAULTS = 4, SIM_FLOW = 6144, SIM_BOXES = 12 };

typedef enum sim_kind { SIM_SOURCE, SIM_PASS, SIM_REWRITE, SIM_ROUNDS, SIM_SPLIT, SIM_ROUTE, SIM_SINK } sim_kind;
typedef struct sim_box { /* a processor of the flow */
    sim_kind kind;
    char name[8];
    unsigned on; /* 0: the loop, 1: the loop, each alone, 2: workers */
    unsigned sink, fails, next_count, next[2];
    bool turns;
} sim_box;

typedef struct sim_life {
    uint64_t cut_at, kill_at; /* at this call; 0: not */
    int64_t length;           /* us; then it is stopped */
    unsigned switches;        /* per mille of calls after which another thread goes on */
    unsigned survives;        /* per mille of what was not synced that a cut leaves */
    unsigned operates;        /* per mille of turns of the loop at which an operator does something */
    unsigned jumps;           /* per million of calls at which the wall clock is set */
    sim_fault faults[SIM_FAULTS];
    size_t fault_count;
} sim_life;

typedef struct sim_plan {
    bool rooms; /* journal and content alone */
    bool reflinks;
    unsigned lives; /* the last one is calm: nothing fails, everything must come to its end */
    sim_life life[SIM_LIVES];
    uint64_t segment_events, window, retain_bytes;
    unsigned workers;
    bool expires, empties;
    sim_box boxes[SIM_BOXES]; /* the first is the source */
    unsigned box_count, sink_count;
    char flow[2][SIM_FLOW]; /* the second: the same with other settings, for a reload */
} sim_plan;

void sim_plan_make(sim_plan *ret);
void sim_flow_make(sim_plan *plan); /* flow.c */

/* ---- the world ---------------------------------------------------------------------------------------------------------------- */

typedef enum sim_control { SIM_NO_CONTROL, SIM_NO_SYNC, SIM_SYNC_AGAIN } sim_control;

typedef struct sim_totals {
    uint64_t seeds, lives, cuts, kills, stops, refusals, faults, calls, switches, jumps, operations, accepted, delivered, repeats, held,
        emptied, lost, wrong;
} sim_totals;

typedef struct sim_world {
    uint64_t seed;
    sim_control control;
    bool shown, calm;
    uint64_t chance[SIM_STREAMS];
    int64_t time, booted, wall_offset; /* time: what really passes, us */
    uint64_t calls;                    /* of this life */
    unsigned life;
    uint64_t hash, lines;
    bool found; /* something is wrong; `finding` says what */
    char finding[2048];
    sim_plan plan;
    sim_totals totals;
    sim_outside outside;
    sim_disk disk;
} sim_world;
extern sim_world *sim; /* shared with the lives */

void sim_world_new(uint64_t seed, sim_control control, bool shown);
void sim_world_free(void);
/* Says what is wrong, once, and ends the life. */
void sim_found(const char *format, ...) SL_PRINTF(1, 2) __attribute__((noreturn));

/* How a life ended. */
enum { SIM_STOPPED = 0, SIM_CUT = 40, SIM_KILLED, SIM_FAILED, SIM_REFUSED, SIM_FOUND };
void sim_end_life(int how) __attribute__((noreturn));

void sim_life_run(void) __attribute__((noreturn));  /* in the child */
void sim_rooms_run(void) __attribute__((noreturn)); /* in the child */

#endif
