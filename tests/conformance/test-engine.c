/* The scenarios on the engine: in a process of its own, which dies where the script says and is then started again.
 * What came of it is read by this one, from the sinks' files and the journal. */
#include <jansson.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "engine/engine.h"
#include "journal/query.h"
#include "play.h"

enum { DIED = 9, MOST_STARTS = 3, LONGEST_RUN = 20 };

/* ---- the process that runs the engine --------------------------------------------------------------------- */

typedef struct child {
    uv_loop_t loop;
    uv_timer_t look;
    sl_engine *engine;
    int64_t deadline;
    bool late, drained;
    char why[256];
} child;

static void refuse(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static char *flow_text(const scenario *scenario, const char *out)
{
    sl_buf text = SL_BUF(1 << 20);
    sl_buf_printf(&text,
                  "sluice: 1\nname: conform\nprocessors:\n"
                  "  feed: {type: conform-feed, items: %s, yield: 10ms, to: {success: subject}}\n"
                  "  subject:\n"
                  "    type: %s\n    out: %s\n    script: %s\n    concurrency: %u\n    yield: 10ms\n%s"
                  "    retry: {failure: {backoff: 50ms, max_backoff: 50ms}}\n"
                  "    to: {success: success, other: other, failure: failure}\n",
                  scenario_items(scenario), scenario->type, out, scenario->script, SL_MAX(scenario->concurrency, 1u),
                  scenario->cancelled ? "    timeout: 200ms\n" : "");
    if (scenario->more) sl_buf_printf(&text, "    %s", scenario->more);
    static const char *const labels[] = {"success", "other", "failure"};
    for (size_t i = 0; i < SL_COUNT(labels); i++)
        sl_buf_printf(&text, "  %s: {type: conform-sink, out: %s, label: %s}\n", labels[i], out, labels[i]);
    return sl_buf_take(&text);
}

static void add_flow(child *child, const scenario *scenario, const char *out)
{
    sl_problems problems = {.file = "conform.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(child->engine)};
    sl_buf said = SL_BUF(1 << 20);
    sl_error error = {0};
    char *text = flow_text(scenario, out);
    sl_flow *flow = sl_flow_parse(sl_str_of(text), "conform.yaml", &options, &problems);
    sl_problems_print(&problems, &said);
    if (!flow) refuse(said.data);
    if (sl_engine_add_flow(child->engine, flow, &error) < 0) refuse(error.text);
    sl_problems_done(&problems);
    sl_buf_done(&said);
    free(text);
}

static void look(uv_timer_t *timer)
{
    child *child = timer->data;
    sl_engine_summary summary;
    sl_engine_summarise(child->engine, &summary);
    child->late = sl_ticks() > child->deadline;
    snprintf(child->why, sizeof child->why, "%s", summary.why);
    if (summary.idle || child->late) uv_stop(&child->loop);
}

static void drained(void *context)
{
    child *child = context;
    child->drained = true;
}

static void close_engine(child *child)
{
    sl_engine_drain(child->engine, SL_SECOND, drained, child);
    while (!child->drained) uv_run(&child->loop, UV_RUN_ONCE);
    sl_engine_close(child->engine);
    uv_close((uv_handle_t *)&child->look, NULL);
    while (uv_loop_close(&child->loop) != 0) uv_run(&child->loop, UV_RUN_ONCE);
}

static void run_engine(const scenario *scenario, const char *state, const char *modules, const char *out)
{
    child child = {.deadline = sl_ticks() + LONGEST_RUN * SL_SECOND};
    sl_error error = {0};
    uv_loop_init(&child.loop);
    uv_timer_init(&child.loop, &child.look);
    child.look.data = &child;
    sl_engine_options options = {.loop = &child.loop, .state = state, .modules = modules, .workers = 2};
    if (sl_engine_open(&options, &child.engine, &error) < 0) refuse(error.text);
    add_flow(&child, scenario, out);
    sl_engine_start(child.engine);
    uv_timer_start(&child.look, look, 5, 5);
    uv_run(&child.loop, UV_RUN_DEFAULT);
    uv_timer_stop(&child.look);
    close_engine(&child);
    if (child.late) refuse(child.why);
}

/* ---- this one ----------------------------------------------------------------------------------------------- */

/* Its exit status; negative: a signal. */
static int run_once(const scenario *scenario, const char *state, const char *modules, const char *out)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sl_log_level(scenario->faulty ? 0 : SL_ERROR);
        run_engine(scenario, state, modules, out);
        exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) sl_panic(__FILE__, __LINE__, "cannot run a process");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void tell_event(json_t *event, sl_buf *ret)
{
    const char *uri = json_string_value(json_object_get(event, "transit_uri"));
    sl_buf_printf(ret, "event: %s%s%s\n", json_string_value(json_object_get(event, "type")), uri ? " " : "", uri ? uri : "");
}

static void read_events(const char *state, sl_buf *ret)
{
    char *folder = sl_asprintf("%s/journal", state);
    sl_reader *reader = NULL;
    sl_error error = {0};
    sl_buf found = SL_BUF(1 << 20);
    sl_query query = {.component = SL_STR("conform/subject"), .limit = 1000};
    if (sl_reader_open(folder, 0, &reader, &error) < 0 || sl_query_events(reader, &query, &found, &error) < 0)
        sl_test_failed(__FILE__, __LINE__, "%s", error.text);
    json_t *answer = json_loads(found.data ? found.data : "", 0, NULL);
    json_t *events = json_object_get(answer, "events");
    for (size_t i = 0; i < json_array_size(events); i++) tell_event(json_array_get(events, i), ret);
    json_decref(answer);
    sl_reader_close(reader);
    sl_buf_done(&found);
    free(folder);
}

static void play(const scenario *scenario)
{
    char *out = play_out(), *modules = play_module(), *state = sl_asprintf("%s/state", sl_test_folder());
    sl_buf events = SL_BUF(1 << 20);
    int status = DIED, starts = 0;
    unsetenv("CONFORMANCE_DEATH");
    while (status == DIED && starts++ < MOST_STARTS) status = run_once(scenario, state, modules, out);
    CHECK_INT(status, 0);
    CHECK_INT(starts, play_dies(scenario) ? 2 : 1);
    if (status == 0) read_events(state, &events);
    play_check(scenario, out, &events);
    sl_buf_done(&events);
    free(out);
    free(modules);
    free(state);
}

#include "scenarios.h"
