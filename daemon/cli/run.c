/* sluice run: one flow in this process. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/sys.h"
#include "cli/common.h"
#include "cli/config.h"
#include "cli/flow-file.h"
#include "cli/output.h"
#include "cli/process.h"

enum { LOOK_EVERY = 20, SHOW_EVERY = 200 }; /* ms */

typedef struct run {
    sl_process process;
    sl_api *api;
    uv_timer_t timer;
    bool timer_open, until_idle, json, terminal, shown;
    int64_t deadline; /* 0: none */
    int64_t show_next;
    const char *ended; /* why: "idle", "paused", "timeout" */
    const char *name;
    sl_engine_summary summary;
} run;

/* ---- until idle ------------------------------------------------------------------------------------------------------- */

static void show_progress(run *run)
{
    const sl_engine_summary *s = &run->summary;
    if (!run->terminal || sl_ticks() < run->show_next) return;
    run->show_next = sl_ticks() + SHOW_EVERY * SL_MILLISECOND;
    run->shown = true;
    fprintf(stderr, "\r\033[K%s: %llu delivered, %llu queued, %llu in flight, %llu held%s%.100s", run->name,
            (unsigned long long)s->delivered, (unsigned long long)s->queued, (unsigned long long)s->in_flight, (unsigned long long)s->held,
            s->why[0] ? "; " : "", s->why);
}

static void end(run *run, const char *why)
{
    run->ended = why;
    uv_timer_stop(&run->timer);
    sl_process_stop(&run->process);
}

static void on_timer(uv_timer_t *timer)
{
    run *run = timer->data;
    sl_engine_summarise(run->process.engine, &run->summary);
    show_progress(run);
    if (run->summary.idle) end(run, "idle");
    else if (run->summary.only_paused) end(run, "paused");
    else if (run->deadline && sl_ticks() >= run->deadline) end(run, "timeout");
    else if (!run->summary.queued && !run->summary.in_flight) sl_engine_hurry(run->process.engine);
}

static void watch(run *run)
{
    uv_timer_init(&run->process.loop, &run->timer);
    run->timer.data = run;
    run->timer_open = true;
    if (run->until_idle) uv_timer_start(&run->timer, on_timer, 0, LOOK_EVERY);
}

/* ---- the end ---------------------------------------------------------------------------------------------------------------- */

static int verdict(const run *run)
{
    if (run->process.failed) return SL_EXIT_FAILED;
    if (!run->until_idle) return SL_EXIT_DONE;
    if (!run->ended || strcmp(run->ended, "idle") != 0) return SL_EXIT_FAILED;
    return run->summary.held || run->summary.failed_ended ? SL_EXIT_FAILED : SL_EXIT_DONE;
}

static int report(const run *run)
{
    const sl_engine_summary *s = &run->summary;
    const char *ended = run->ended ? run->ended : run->process.failed ? "failed" : "stopped";
    if (run->shown) fprintf(stderr, "\r\033[K");
    if (run->json) {
        sl_common_print_json(json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "flow", run->name, "ended", ended, "delivered",
                                       (json_int_t)s->delivered, "failed", (json_int_t)s->failed_ended, "held", (json_int_t)s->held,
                                       "queued", (json_int_t)s->queued, "retrying", (json_int_t)s->retrying, "why", s->why));
        return verdict(run);
    }
    sl_buf out = SL_BUF(4096);
    sl_buf_printf(&out, "%s: %s; %llu delivered, %llu held, %llu ended by a failure, %llu queued\n", run->name, ended,
                  (unsigned long long)s->delivered, (unsigned long long)s->held, (unsigned long long)s->failed_ended,
                  (unsigned long long)s->queued);
    if (s->why[0] && run->ended && strcmp(run->ended, "idle") != 0) sl_buf_printf(&out, "%s: still %s\n", run->name, s->why);
    sl_print(&out);
    return verdict(run);
}

/* ---- the beginning ------------------------------------------------------------------------------------------------------------ */

/* $XDG_STATE_HOME/sluice/NAME; the caller frees it. NULL: there is no home. */
static char *default_state(const char *name)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/') return sl_asprintf("%s/sluice/%s", state, name);
    if (home && home[0] == '/') return sl_asprintf("%s/.local/state/sluice/%s", home, name);
    return NULL;
}

/* Checked before the state is opened or made: a wrong flow leaves nothing behind. */
static int check_flow(const sl_arguments *arguments, const sl_flow_reading *given, char **ret_name)
{
    sl_modules *modules = NULL;
    sl_problems problems = {0};
    int code = sl_common_modules(arguments, &modules);
    if (code != SL_EXIT_DONE) return code;
    sl_flow_reading reading = *given;
    reading.registry = sl_modules_registry(modules);
    sl_flow *flow = sl_flow_file_load(arguments->positional[0], &reading, &problems);
    sl_common_problems(&problems);
    sl_problems_done(&problems);
    if (flow) *ret_name = sl_strdup(flow->name);
    else code = SL_EXIT_INVALID;
    sl_flow_free(flow);
    sl_modules_free(modules);
    return code;
}

static int add_flow(run *run, const char *path, const sl_flow_reading *given)
{
    sl_error error = {0};
    sl_problems problems = {0};
    sl_flow_reading reading = *given;
    reading.registry = sl_engine_registry(run->process.engine);
    sl_flow *flow = sl_flow_file_load(path, &reading, &problems);
    sl_common_problems(&problems);
    sl_problems_done(&problems);
    if (!flow) return SL_EXIT_INVALID;
    if (sl_engine_add_flow(run->process.engine, flow, &error) == 0) return SL_EXIT_DONE;
    sl_flow_free(flow);
    return sl_complain(SL_EXIT_INVALID, "run: %s", error.text);
}

/* Nothing listens unless --http says where. */
static int start_api(run *run, const char *state, const char *address)
{
    static const char *const open[] = {"healthz", "readyz"};
    sl_error error = {0};
    sl_buf token = SL_BUF(4096);
    if (!address || strcmp(address, "off") == 0) return SL_EXIT_DONE;
    int result = sl_make_dirs(state, 0700, &error);
    if (result == 0) result = sl_api_token(state, &token, &error);
    sl_api_options options = {.loop = &run->process.loop,
                              .state = state,
                              .token = token.data,
                              .listen = &address,
                              .listen_count = 1,
                              .open = open,
                              .open_count = SL_COUNT(open)};
    if (result == 0) result = sl_api_start(&options, &run->api, &error);
    if (token.data) explicit_bzero(token.data, token.capacity);
    sl_buf_done(&token);
    return result < 0 ? sl_complain(SL_EXIT_FAILED, "run: %s", error.text) : SL_EXIT_DONE;
}

static int start(run *run, const sl_arguments *arguments, const sl_flow_reading *reading)
{
    int code = add_flow(run, arguments->positional[0], reading);
    if (code != SL_EXIT_DONE) return code;
    sl_engine_summarise(run->process.engine, &run->summary);
    if (run->until_idle && run->summary.endless)
        return sl_complain(SL_EXIT_USAGE, "run: --until-idle would never end: the flow has a source without an end; leave the option out, "
                                          "or give generate-flowfile a count");
    sl_engine_start(run->process.engine);
    if (run->api) sl_api_engine(run->api, run->process.engine);
    watch(run);
    sl_process_run(&run->process);
    sl_engine_summarise(run->process.engine, &run->summary);
    return report(run);
}

static int open_and_run(run *run, const sl_arguments *arguments, const sl_flow_reading *reading, const char *state)
{
    const char *secrets = sl_option_value(arguments, "secrets");
    sl_engine_options options = {.state = state,
                                 .modules = sl_option_value(arguments, "modules"),
                                 .retain_us = SL_PROVENANCE_AGE,
                                 .retain_bytes = SL_PROVENANCE_SIZE,
                                 .content_disk_percent = reading->config->content_disk_percent,
                                 .content_disk_bytes = reading->config->content_disk_bytes};
    options.secrets = secrets ? secrets : reading->config->secrets;
    sl_process_init(&run->process);
    int code = sl_process_open(&run->process, &options);
    if (code == SL_EXIT_DONE) code = start_api(run, state, sl_option_value(arguments, "http"));
    if (code == SL_EXIT_DONE) code = start(run, arguments, reading);
    if (run->api) sl_api_stop(run->api);
    if (run->timer_open) uv_close((uv_handle_t *)&run->timer, NULL);
    sl_process_done(&run->process);
    return code;
}

static int parse(run *run, const sl_arguments *arguments, sl_flow_reading *reading, sl_arena *arena)
{
    sl_error error = {0};
    sl_setting *settings;
    int64_t timeout = 0;
    const char *text = sl_option_value(arguments, "timeout");
    if (sl_option_settings(arguments, "set", arena, &settings, &reading->setting_count, &error) < 0)
        return sl_complain(SL_EXIT_USAGE, "run: %s", error.text);
    reading->settings = settings;
    run->until_idle = sl_given_option(arguments, "until-idle");
    run->json = sl_given_option(arguments, "json");
    run->terminal = isatty(STDERR_FILENO);
    if (text && !run->until_idle) return sl_complain(SL_EXIT_USAGE, "run: --timeout goes with --until-idle");
    if (text && (sl_duration_parse(sl_str_of(text), &timeout) < 0 || timeout == 0))
        return sl_complain(SL_EXIT_USAGE, "run: --timeout takes a duration like 90s or 10m, not `%s`", text);
    if (timeout) run->deadline = sl_ticks() + timeout;
    return SL_EXIT_DONE;
}

static int run_flow(run *run, const sl_arguments *arguments, const sl_flow_reading *reading)
{
    char *name = NULL, *made = NULL;
    const char *state = sl_option_value(arguments, "state");
    int code = check_flow(arguments, reading, &name);
    if (code == SL_EXIT_DONE && !state) state = made = default_state(name);
    if (code == SL_EXIT_DONE && !state)
        code = sl_complain(SL_EXIT_USAGE, "run: neither XDG_STATE_HOME nor HOME says where state is kept; give --state DIR");
    run->name = name;
    if (code == SL_EXIT_DONE) code = open_and_run(run, arguments, reading, state);
    free(name);
    free(made);
    return code;
}

int sl_command_run(const sl_arguments *arguments)
{
    sl_arena arena = {0};
    sl_config config;
    run *run = sl_alloc(sizeof *run);
    int code = sl_common_config(arguments, &config);
    sl_flow_reading reading = {.config = &config};
    if (code == SL_EXIT_DONE) code = parse(run, arguments, &reading, &arena);
    if (code == SL_EXIT_DONE) sl_log_level(config.log);
    if (code == SL_EXIT_DONE) code = run_flow(run, arguments, &reading);
    free(run);
    sl_config_done(&config);
    sl_arena_done(&arena);
    return code;
}
