/* The scenarios on the test host. */
#include <unistd.h>

#include "host.h"
#include "play.h"

enum { MOST_ROUNDS = 100 };

typedef struct stage {
    const scenario *scenario;
    const char *out;
    host *host;
    box *subject;
    bool died, cancelled;
} stage;

static box *make_subject(const stage *stage)
{
    const scenario *scenario = stage->scenario;
    char *yaml = sl_asprintf("type: %s\nout: %s\nscript: %s\nconcurrency: %u\n%s", scenario->type, stage->out, scenario->script,
                             SL_MAX(scenario->concurrency, 1u), scenario->more ? scenario->more : "");
    box *subject = box_new(stage->host, yaml);
    free(yaml);
    return subject;
}

static void feed(const stage *stage)
{
    char *yaml = sl_asprintf("type: conform-feed\nitems: %s\n", scenario_items(stage->scenario));
    box *feed = box_new(stage->host, yaml);
    box_run(feed);
    box_pass(feed, "success", stage->subject);
    free(yaml);
}

static bool has_died(const stage *stage)
{
    char *path = sl_asprintf("%s/died", stage->out);
    bool died = access(path, F_OK) == 0;
    free(path);
    return died;
}

/* Until the queue is empty, no session is open and no effect is left; time goes on where something waits for it. */
static void run(stage *stage)
{
    for (int round = 0; round < MOST_ROUNDS; round++) {
        box_run(stage->subject);
        if (!stage->died && has_died(stage)) {
            stage->died = true;
            box_restart(stage->subject);
            continue;
        }
        if (stage->scenario->cancelled && !stage->cancelled && box_open(stage->subject)) {
            stage->cancelled = true;
            box_cancel(stage->subject);
            host_settle(stage->host);
        }
        if (!box_queued(stage->subject) && !box_open(stage->subject) && !box_effects(stage->subject)) return;
        host_advance(stage->host, SL_SECOND);
    }
    sl_test_failed(__FILE__, __LINE__, "still busy after %d rounds: %zu queued, %zu sessions, %zu effects", MOST_ROUNDS,
                   box_queued(stage->subject), box_open(stage->subject), box_effects(stage->subject));
}

static void tell_events(const stage *stage, const char *relationship, sl_buf *ret)
{
    for (size_t i = 0; i < box_count(stage->subject, relationship); i++) {
        const item *item = box_item(stage->subject, relationship, i);
        for (size_t j = 0; item_event(item, j); j++) {
            const char *uri = item_uri(item, j);
            sl_buf_printf(ret, "event: %s%s%s\n", item_event(item, j), uri ? " " : "", uri ? uri : "");
        }
    }
}

static void write_down(const stage *stage, const char *relationship)
{
    char *yaml = sl_asprintf("type: conform-sink\nout: %s\nlabel: %s\n", stage->out, relationship);
    box *sink = box_new(stage->host, yaml);
    box_pass(stage->subject, relationship, sink);
    box_run(sink);
    free(yaml);
}

static void play(const scenario *scenario)
{
    static const char *const relationships[] = {NULL, "success", "other", "failure"};
    char *out = play_out(), *module = play_module();
    sl_buf events = SL_BUF(1 << 20);
    setenv("CONFORMANCE_DEATH", "no", 1);
    stage stage = {.scenario = scenario, .out = out, .host = host_new(module)};
    stage.subject = make_subject(&stage);
    feed(&stage);
    if (scenario->faulty) host_fault(stage.host);
    run(&stage);
    CHECK(stage.died == play_dies(scenario));
    if (scenario->faulty) CHECK(host_fault(stage.host) != NULL);
    for (size_t i = 0; i < SL_COUNT(relationships); i++) tell_events(&stage, relationships[i], &events);
    for (size_t i = 1; i < SL_COUNT(relationships); i++) write_down(&stage, relationships[i]);
    host_free(stage.host);
    play_check(scenario, out, &events);
    sl_buf_done(&events);
    free(module);
    free(out);
}

#include "scenarios.h"
