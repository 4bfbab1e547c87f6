/* The journal alone: how many events a second with sync FULL, how long a commit takes while full segments are sealed, how
 * long a search takes over all that while the writer goes on. Prints figures, judges nothing.
 *
 *   bench-journal FOLDER [EVENTS [SECONDS]]     10 M events; searches for 20 s
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "journal/journal.h"
#include "journal/query.h"

enum { BATCH = 200, HOPS = 4, COMPONENTS = 6, NODE = 7, WAITING = 1000 };

typedef struct times { /* us */
    int64_t *items;
    size_t count, capacity;
} times;

static void add_time(times *to, int64_t us)
{
    to->items = sl_grow(to->items, to->count, &to->capacity, sizeof *to->items);
    to->items[to->count++] = us;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *what, times *of)
{
    if (!of->count) return;
    qsort(of->items, of->count, sizeof *of->items, ascending);
    printf("%-34s %8zu   p50 %8.2f ms   p99 %8.2f ms   max %8.2f ms\n", what, of->count, (double)of->items[of->count / 2] / 1000,
           (double)of->items[of->count * 99 / 100] / 1000, (double)of->items[of->count - 1] / 1000);
}

typedef struct bench {
    sl_journal *journal;
    const char *folder;
    uint32_t components[COMPONENTS], queue, success;
    uint64_t last[WAITING]; /* per FlowFile on its way: its last event */
    unsigned hops[WAITING];
    uint64_t ids[WAITING], next_id;
    uint32_t segment[WAITING];
    times commits;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t waits_for; /* seq of the batch whose commit is timed; 0: none */
    int64_t since;
    atomic_bool ends;
    atomic_uint_fast64_t written;
} bench;

/* A commit's latency: from the append of a batch until it is durable. One at a time is timed. */
static void committed(void *context)
{
    bench *b = context;
    pthread_mutex_lock(&b->lock);
    if (b->waits_for && b->journal && sl_journal_durable(b->journal) >= b->waits_for) {
        add_time(&b->commits, sl_ticks() - b->since);
        b->waits_for = 0;
    }
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void open_bench(bench *b)
{
    sl_error error = {0};
    sl_journal *journal;
    sl_journal_options options = {.folder = b->folder, .committed = committed, .context = b};
    if (sl_journal_open(&options, &journal, &error) < 0) {
        fprintf(stderr, "bench-journal: %s\n", error.text);
        exit(1);
    }
    pthread_mutex_lock(&b->lock);
    b->journal = journal;
    pthread_mutex_unlock(&b->lock);
    for (int i = 0; i < COMPONENTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "flow/step%d", i);
        b->components[i] = sl_journal_name(journal, sl_str_of(name));
    }
    b->queue = sl_journal_name(journal, SL_STR("flow/step0.success.step1"));
    b->success = sl_journal_name(journal, SL_STR("success"));
}

static void add_event(bench *b, sl_batch *batch, unsigned at, uint64_t seq)
{
    sl_event *event = sl_batch_add(batch);
    bool here = b->last[at] && b->segment[at] == sl_journal_segment(b->journal);
    unsigned hop = b->hops[at]++;
    if (hop == 0) b->ids[at] = ++b->next_id;
    event->flowfile = b->ids[at];
    event->time = sl_now();
    event->type = hop == 0 ? SLUICE_RECEIVE : hop == HOPS - 1 ? SLUICE_DROP : SLUICE_ATTRIBUTES_MODIFIED;
    event->whole = !here || hop == 0;
    event->previous = event->whole ? 0 : b->last[at];
    event->entered = event->whole ? event->time : 0;
    event->component = b->components[hop % COMPONENTS];
    event->relationship = b->success;
    event->queue = hop == HOPS - 1 ? 0 : b->queue;
    if (event->whole) {
        event->attributes =
            sl_arena_str(&batch->arena, sl_str_of(sl_arena_printf(&batch->arena, "{\"filename\":\"file-%llu.jpg\",\"path\":\"in\"}",
                                                                  (unsigned long long)event->flowfile)));
        event->claim = SL_STR("{\"id\":\"0000000000000001\",\"kind\":\"own\",\"size\":\"12345\"}");
    } else if (hop < HOPS - 1) event->attributes = SL_STR("{\"mime.type\":\"image/jpeg\"}");
    b->last[at] = seq;
    b->segment[at] = sl_journal_segment(b->journal);
    if (hop == HOPS - 1) b->hops[at] = 0, b->last[at] = 0;
}

static void time_one(bench *b, uint64_t seq, int64_t since)
{
    pthread_mutex_lock(&b->lock);
    if (!b->waits_for) {
        b->waits_for = seq;
        b->since = since;
    }
    pthread_mutex_unlock(&b->lock);
}

static void write_batch(bench *b, unsigned *at)
{
    sl_batch *batch = sl_batch_new();
    uint64_t next = sl_journal_next(b->journal);
    for (unsigned i = 0; i < BATCH; i++, *at = (*at + 1) % WAITING) add_event(b, batch, *at, next + batch->count);
    int64_t since = sl_ticks();
    time_one(b, sl_journal_append(b->journal, batch), since);
    atomic_fetch_add(&b->written, BATCH);
    if (sl_journal_full(b->journal) && sl_journal_roll(b->journal, NULL) == 0) sl_journal_checkpoint_end(b->journal);
}

/* As fast as the bound lets it (rate 0), or so many events a second. */
static void write_events(bench *b, uint64_t count, uint64_t rate)
{
    unsigned at = 0;
    int64_t started = sl_ticks();
    for (uint64_t done = 0; done < count && !atomic_load(&b->ends); done += BATCH) {
        while (sl_journal_congested(b->journal)) usleep(500);
        if (rate)
            while (sl_ticks() - started < (int64_t)(done * 1000000 / rate)) usleep(200);
        write_batch(b, &at);
    }
    pthread_mutex_lock(&b->lock);
    while (sl_journal_durable(b->journal) + 1 < sl_journal_next(b->journal)) pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

/* ---- searching ----------------------------------------------------------------------------------------------- */

typedef struct searching {
    bench *bench;
    int64_t seconds;
    times flowfile, component, filename;
} searching;

static void search(sl_reader *reader, const sl_query *query, times *to)
{
    sl_buf text = SL_BUF(64 << 20);
    sl_error error = {0};
    int64_t since = sl_ticks();
    if (sl_query_events(reader, query, &text, &error) < 0) fprintf(stderr, "bench-journal: %s\n", error.text);
    add_time(to, sl_ticks() - since);
    sl_buf_done(&text);
}

static void *run_searches(void *context)
{
    searching *s = context;
    sl_reader *reader;
    sl_error error = {0};
    char name[64];
    if (sl_reader_open(s->bench->folder, NODE, &reader, &error) < 0) return NULL;
    sl_reader_follow(reader, s->bench->journal);
    int64_t started = sl_ticks();
    for (int64_t n = 0; n < s->seconds * 10; n++) { /* ten a second, each by its own clock: a slow one delays none */
        while (sl_ticks() - started < n * 100 * SL_MILLISECOND) usleep(1000);
        uint64_t random, durable = sl_journal_durable(s->bench->journal);
        sl_sys_now->random(&random, sizeof random);
        uint64_t id = random % (durable / HOPS) + 1;
        snprintf(name, sizeof name, "file-%llu.jpg", (unsigned long long)id);
        sl_query query = {.durable = durable};
        if (n % 3 == 0) query.flowfile = id;
        else if (n % 3 == 1) query.filename = sl_str_of(name);
        else query.component = random % 2 ? SL_STR("flow/step1") : SL_STR("step3"), query.cursor = random % durable + 1;
        search(reader, &query, n % 3 == 0 ? &s->flowfile : n % 3 == 1 ? &s->filename : &s->component);
    }
    sl_reader_close(reader);
    atomic_store(&s->bench->ends, true);
    return NULL;
}

static double per_second(uint64_t count, int64_t us) { return (double)count * 1e6 / (double)SL_MAX(us, (int64_t)1); }

static double fill(bench *b, uint64_t events)
{
    sl_journal_figures before, after;
    sl_journal_measure(b->journal, &before);
    int64_t started = sl_ticks();
    write_events(b, events, 0);
    int64_t took = sl_ticks() - started;
    sl_journal_measure(b->journal, &after);
    printf("%-34s %8.0f events/s   %llu events, %llu a commit, %u segments, %llu MB on disk\n", "as fast as it goes",
           per_second(events, took), (unsigned long long)events,
           (unsigned long long)((after.events - before.events) / SL_MAX(after.commits - before.commits, 1u)), after.segments,
           (unsigned long long)(after.disk >> 20));
    print_times("  commits (others sealed beside)", &b->commits);
    b->commits.count = 0;
    return per_second(events, took);
}

static void search_beside(bench *b, int64_t seconds)
{
    searching s = {.bench = b, .seconds = seconds};
    pthread_t thread;
    atomic_store(&b->ends, false);
    atomic_store(&b->written, 0);
    int64_t started = sl_ticks();
    if (pthread_create(&thread, NULL, run_searches, &s) != 0) return;
    write_events(b, UINT64_MAX / 2, 0);
    pthread_join(thread, NULL);
    printf("%-34s %8.0f events/s\n", "with 10 searches a second", per_second(atomic_load(&b->written), sl_ticks() - started));
    print_times("  commits", &b->commits);
    print_times("  search by FlowFile", &s.flowfile);
    print_times("  search by filename", &s.filename);
    print_times("  search by component, 100 events", &s.component);
    b->commits.count = 0;
    free(s.flowfile.items);
    free(s.filename.items);
    free(s.component.items);
}

int main(int argc, char **argv)
{
    bench *b = SL_NEW(bench);
    if (argc < 2) {
        fprintf(stderr, "usage: bench-journal FOLDER [EVENTS [SECONDS]]\n");
        return 64;
    }
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
    b->folder = argv[1];
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_bench(b);
    fill(b, events);
    int64_t started = sl_ticks();
    write_events(b, 300000, 100000);
    printf("%-34s %8.0f events/s\n", "at a pace of 100,000 a second", per_second(300000, sl_ticks() - started));
    print_times("  commits", &b->commits);
    b->commits.count = 0;
    search_beside(b, argc > 3 ? strtoll(argv[3], NULL, 10) : 20);
    sl_journal_close(b->journal);
    free(b->commits.items);
    free(b);
    return 0;
}
