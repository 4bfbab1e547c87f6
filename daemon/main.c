/* sluiced: the daemon. Reads the configuration, opens the state, loads the flows, serves the API, tells the service
 * manager; the rest is the engine's. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "base/sys.h"
#include "cli/common.h"
#include "cli/flow-set.h"
#include "cli/help.h"
#include "cli/notify.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/state.h"

enum { RUNTIME_SOCKET_NAMES = 16 };

typedef struct configuration { /* one that was in force: the API's threads may still read it */
    sl_config config;
    struct configuration *next;
} configuration;

typedef struct daemon {
    sl_process process;
    const sl_arguments *arguments;
    const char *state;
    configuration *configurations; /* the newest first */
    sl_flow_set flows;
    const char **files; /* --flow */
    sl_api *api;
    uv_timer_t watchdog;
    bool watchdog_open;
} daemon_;

static const sl_config *config_of(const daemon_ *daemon) { return &__atomic_load_n(&daemon->configurations, __ATOMIC_ACQUIRE)->config; }

/* ---- the configuration ------------------------------------------------------------------------------------------------------- */

/* A wrong one is told and not taken; `ret` gets its problems. */
static int read_config(daemon_ *daemon, sl_buf *ret)
{
    sl_problems problems = {0};
    configuration *fresh = SL_NEW(configuration);
    int result = sl_config_load(sl_option_value(daemon->arguments, "config"), &fresh->config, &problems);
    sl_common_problems(&problems);
    sl_problems_print(&problems, ret);
    sl_problems_done(&problems);
    if (result < 0) {
        sl_config_done(&fresh->config);
        free(fresh);
        return SL_EXIT_INVALID;
    }
    fresh->next = daemon->configurations;
    __atomic_store_n(&daemon->configurations, fresh, __ATOMIC_RELEASE);
    daemon->flows.config = &fresh->config;
    sl_log_level(fresh->config.log);
    return SL_EXIT_DONE;
}

static const sl_setting *settings_of(void *context, sl_str flow, size_t *ret_count)
{
    return sl_config_settings(config_of(context), flow, ret_count);
}

/* ---- reload -------------------------------------------------------------------------------------------------------------------- */

static void reload_began(void *context)
{
    (void)context;
    sl_notify_reloading();
}

static void reload_ended(void *context)
{
    daemon_ *daemon = context;
    if (!daemon->process.stops) sl_notify("READY=1");
}

static bool same_texts(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
    if (a_count != b_count) return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0) return false;
    return true;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* What a running process cannot change is said, not silently left. */
static void tell_restart(const sl_config *old, const sl_config *fresh)
{
    bool http = same_texts(old->listen, old->listen_count, fresh->listen, fresh->listen_count) &&
                same_texts(old->open, old->open_count, fresh->open, fresh->open_count);
    if (!http) sl_log(SL_WARNING, "sluiced", "http: has changed; it takes effect at the next start");
    if (!same_text(old->secrets, fresh->secrets)) sl_log(SL_WARNING, "sluiced", "secrets: has changed; it takes effect at the next start");
}

static void reload(void *context, const char *flow, void (*done)(void *done_context, const char *failure), void *done_context)
{
    daemon_ *daemon = context;
    const sl_config *old = config_of(daemon);
    sl_buf failure = SL_BUF(64 * 1024);
    if (read_config(daemon, &failure) == SL_EXIT_DONE) {
        tell_restart(old, config_of(daemon));
        sl_flow_set_reload(&daemon->flows, flow, done, done_context);
    } else {
        sl_buf_text(&failure, "the configuration is wrong; the old one stays in force");
        sl_engine_bulletin(daemon->process.engine, SL_ERROR, "sluiced", failure.data);
        if (done) done(done_context, failure.data);
    }
    sl_buf_done(&failure);
}

static void on_hangup(void *context)
{
    daemon_ *daemon = context;
    if (daemon->process.stops) return;
    sl_log(SL_INFO, "sluiced", "SIGHUP: reads the configuration and the flows anew");
    reload(daemon, NULL, NULL, NULL);
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------------------------ */

/* Of the two default places the socket needs a folder that only a service has. */
static bool can_listen(const char *address)
{
    if (strncmp(address, "unix:", 5) != 0) return true;
    char *folder = sl_strdup(address + 5), *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    bool can = slash && access(*folder ? folder : "/", W_OK) == 0;
    free(folder);
    return can;
}

/* --http instead of the configuration's; "off" nowhere. Fills `ret`, at most `limit`. */
static size_t addresses(const daemon_ *daemon, const char **ret, size_t limit)
{
    const sl_config *config = config_of(daemon);
    size_t count = 0, at = 0;
    const char *given;
    if (sl_given_option(daemon->arguments, "http")) {
        while (count < limit && (given = sl_option_next(daemon->arguments, "http", &at)))
            if (strcmp(given, "off") != 0) ret[count++] = given;
        return count;
    }
    for (size_t i = 0; i < config->listen_count && count < limit; i++)
        if (config->listen_given || can_listen(config->listen[i])) ret[count++] = config->listen[i];
    return count;
}

static int start_api(daemon_ *daemon)
{
    const char *listen[RUNTIME_SOCKET_NAMES];
    const sl_config *config = config_of(daemon);
    sl_error error = {0};
    sl_buf token = SL_BUF(4096);
    size_t count = addresses(daemon, listen, SL_COUNT(listen));
    if (!count) return SL_EXIT_DONE;
    int result = sl_api_token(daemon->state, &token, &error);
    sl_api_options options = {.loop = &daemon->process.loop,
                              .state = daemon->state,
                              .token = token.data,
                              .listen = listen,
                              .listen_count = count,
                              .open = config->open,
                              .open_count = config->open_count,
                              .reload = reload,
                              .settings = settings_of,
                              .context = daemon};
    if (result == 0) result = sl_api_start(&options, &daemon->api, &error);
    if (token.data) explicit_bzero(token.data, token.capacity);
    sl_buf_done(&token);
    if (result == 0) return SL_EXIT_DONE;
    sl_log(SL_ERROR, "sluiced", "%s", error.text);
    return SL_EXIT_FAILED;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static void on_stopping(void *context)
{
    (void)context;
    sl_notify("STOPPING=1");
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    sl_notify("WATCHDOG=1");
}

/* The loop itself gives the sign of life: a loop that hangs gives none. */
static void start_watchdog(daemon_ *daemon)
{
    uint64_t every = sl_notify_watchdog() / 2000;
    if (!every) return;
    uv_timer_init(&daemon->process.loop, &daemon->watchdog);
    daemon->watchdog_open = true;
    uv_timer_start(&daemon->watchdog, on_watchdog, every, every);
}

/* Before the state is opened: who else has it is the better answer than that its port is taken. */
static int check_state(const daemon_ *daemon)
{
    sl_error error = {0};
    bool held = false;
    if (sl_make_dirs(daemon->state, 0700, &error) < 0) {
        sl_log(SL_ERROR, "sluiced", "%s; --state names another folder", error.text);
        return SL_EXIT_FAILED;
    }
    if (sl_state_held(daemon->state, &held, &error) == 0 && held) {
        sl_log(SL_ERROR, "sluiced", "another process has the state in %s; stop it, or name another folder by --state", daemon->state);
        return SL_EXIT_BUSY;
    }
    return SL_EXIT_DONE;
}

static int open_engine(daemon_ *daemon)
{
    sl_engine_options options = {.state = daemon->state,
                                 .modules = sl_option_value(daemon->arguments, "modules"),
                                 .secrets = config_of(daemon)->secrets,
                                 .retain_us = config_of(daemon)->provenance_age,
                                 .retain_bytes = config_of(daemon)->provenance_size,
                                 .content_disk_percent = config_of(daemon)->content_disk_percent,
                                 .content_disk_bytes = config_of(daemon)->content_disk_bytes,
                                 .paused = sl_given_option(daemon->arguments, "paused")};
    int code = sl_process_open(&daemon->process, &options);
    if (code != SL_EXIT_DONE) return code;
    daemon->flows.engine = daemon->process.engine;
    return sl_flow_set_load(&daemon->flows, sl_given_option(daemon->arguments, "strict"));
}

static int serve(daemon_ *daemon)
{
    int code = check_state(daemon);
    if (code == SL_EXIT_DONE) code = start_api(daemon);
    if (code == SL_EXIT_DONE) code = open_engine(daemon);
    if (code != SL_EXIT_DONE) return code;
    sl_engine_start(daemon->process.engine);
    if (daemon->api) sl_api_engine(daemon->api, daemon->process.engine);
    start_watchdog(daemon);
    if (daemon->api) sl_log(SL_INFO, "sluiced", "the token that opens the API is in %s/token", daemon->state);
    sl_notify("READY=1");
    sl_process_run(&daemon->process);
    return daemon->process.failed ? SL_EXIT_FAILED : SL_EXIT_DONE;
}

static void close_all(daemon_ *daemon)
{
    if (daemon->api) sl_api_stop(daemon->api);
    if (daemon->watchdog_open) uv_close((uv_handle_t *)&daemon->watchdog, NULL);
    sl_process_done(&daemon->process);
    for (configuration *at = daemon->configurations, *next; at; at = next) {
        next = at->next;
        sl_config_done(&at->config);
        free(at);
    }
    free(daemon->files);
}

static void take_files(daemon_ *daemon)
{
    size_t at = 0;
    const char *file;
    daemon->files = sl_alloc((daemon->arguments->given_count + 1) * sizeof *daemon->files);
    while ((file = sl_option_next(daemon->arguments, "flow", &at))) daemon->files[daemon->flows.file_count++] = file;
    if (daemon->flows.file_count) daemon->flows.files = daemon->files;
}

static int run(const sl_arguments *arguments)
{
    daemon_ *daemon = SL_NEW(daemon_);
    daemon->arguments = arguments;
    daemon->state = sl_common_state(arguments);
    daemon->process.stopping = on_stopping;
    daemon->process.hangup = on_hangup;
    daemon->process.context = daemon;
    daemon->flows.began = reload_began;
    daemon->flows.ended = reload_ended;
    daemon->flows.context = daemon;
    take_files(daemon);
    sl_process_init(&daemon->process);
    sl_buf ignored = SL_BUF(0);
    int code = read_config(daemon, &ignored);
    if (code == SL_EXIT_DONE) code = serve(daemon);
    close_all(daemon);
    free(daemon);
    return code;
}

static int print(void (*text)(sl_buf *ret))
{
    sl_buf out = SL_BUF(64 * 1024);
    text(&out);
    return sl_print(&out);
}
static void help(sl_buf *ret) { sl_help_command(&sl_daemon_command, ret); }
static void version(sl_buf *ret) { sl_version("sluiced", ret); }

int main(int argc, char **argv)
{
    sl_error error = {0};
    sl_arguments arguments;
    if (sl_arguments_parse(&sl_daemon_command, argc - 1, argv + 1, &arguments, &error) < 0) {
        fprintf(stderr, "sluiced: %s\n", error.text);
        return SL_EXIT_USAGE;
    }
    int code = arguments.help ? print(help) : arguments.version ? print(version) : run(&arguments);
    sl_arguments_done(&arguments);
    return code;
}
