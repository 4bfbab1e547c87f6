/* The flows of a daemon: a wrong one keeps no other from starting, and nothing that runs is taken away by a reload. */
#include "test.h"

#include <jansson.h>
#include <unistd.h>

#include "base/sys.h"
#include "cli/commands.h"
#include "cli/flow-set.h"
#include "cli/process.h"

typedef struct world {
    sl_process process;
    sl_flow_set flows;
    sl_config config;
    char *folder, *state, *config_text;
    unsigned began, ended;
    char *failure; /* of the last reload; NULL: none */
    bool told;
} world;

static void write_flow(const world *world, const char *name, const char *line)
{
    char *path = sl_asprintf("%s/%s.yaml", world->folder, name);
    char *text = sl_asprintf(
        "sluice: 1\nname: %s\nprocessors:\n  make:\n    type: generate-flowfile\n    count: 1\n    to: {success: end}\n%s", name, line);
    CHECK_INT(sl_write_file_durably(path, sl_str_of(text), 0600, NULL), 0);
    free(text);
    free(path);
}

static void began(void *context) { ((world *)context)->began++; }
static void ended(void *context) { ((world *)context)->ended++; }

static void world_open(world *world)
{
    sl_problems problems = {0};
    sl_engine_options options = {.state = world->state, .workers = 1};
    sl_process_init(&world->process);
    CHECK_INT(sl_config_parse(sl_str_of(world->config_text), &world->config, &problems), 0);
    CHECK_INT(sl_process_open(&world->process, &options), SL_EXIT_DONE);
    world->flows =
        (sl_flow_set){.engine = world->process.engine, .config = &world->config, .began = began, .ended = ended, .context = world};
    sl_problems_done(&problems);
}

static world *world_new(void)
{
    world *world = sl_alloc(sizeof *world);
    world->folder = sl_asprintf("%s/flows", sl_test_folder());
    world->state = sl_asprintf("%s/state", sl_test_folder());
    world->config_text = sl_asprintf("flows: {dir: %s}\n", world->folder);
    CHECK_INT(sl_make_dirs(world->folder, 0700, NULL), 0);
    return world;
}

static void world_close(world *world)
{
    sl_process_stop(&world->process);
    sl_process_run(&world->process);
    sl_process_done(&world->process);
    sl_config_done(&world->config);
    world->process = (sl_process){0};
}

static void world_free(world *world)
{
    free(world->failure);
    free(world->folder);
    free(world->state);
    free(world->config_text);
    free(world);
}

static void on_reloaded(void *context, const char *failure)
{
    world *world = context;
    free(world->failure);
    world->failure = failure ? sl_strdup(failure) : NULL;
    world->told = true;
}

static void reload(world *world, const char *name)
{
    world->told = false;
    sl_flow_set_reload(&world->flows, name, on_reloaded, world);
    while (!world->told || world->flows.reloading) uv_run(&world->process.loop, UV_RUN_ONCE);
}

static bool runs(const world *world, const char *name) { return sl_engine_flow(world->process.engine, sl_str_of(name)) != NULL; }

/* What the status says is wrong with the flow; the caller frees it. */
static char *problem_of(const world *world, const char *name)
{
    sl_buf text = SL_BUF(1 << 20);
    sl_engine_status_json(world->process.engine, &text);
    json_t *status = json_loadb(text.data, text.size, 0, NULL), *flow;
    size_t i;
    char *problem = NULL;
    json_array_foreach(json_object_get(status, "flows"), i, flow)
    {
        if (strcmp(json_string_value(json_object_get(flow, "name")), name) == 0 && json_is_string(json_object_get(flow, "problem")))
            problem = sl_strdup(json_string_value(json_object_get(flow, "problem")));
    }

    json_decref(status);
    sl_buf_done(&text);
    return problem;
}

static void expect_problem(const world *world, const char *name, const char *part)
{
    char *problem = problem_of(world, name);
    if (!part && problem) sl_test_failed(__FILE__, __LINE__, "%s has the problem \"%s\"", name, problem);
    if (part && (!problem || !strstr(problem, part)))
        sl_test_failed(__FILE__, __LINE__, "%s has the problem \"%s\", expected \"%s\"", name, problem ? problem : "(none)", part);
    free(problem);
}

TEST(a_wrong_flow_keeps_no_other_from_starting)
{
    world *world = world_new();
    write_flow(world, "good", "");
    write_flow(world, "wrong", "bogus: 1\n");
    write_flow(world, "good.test", "bogus: 1\n"); /* not a flow */
    write_flow(world, "good.layout", "bogus: 1\n");
    world_open(world);
    CHECK_INT(sl_flow_set_load(&world->flows, false), SL_EXIT_DONE);
    CHECK(runs(world, "good"));
    CHECK(!runs(world, "wrong"));
    expect_problem(world, "good", NULL);
    expect_problem(world, "wrong", "wrong.yaml:8:1: error: ");
    world_close(world);
    world_open(world);
    CHECK_INT(sl_flow_set_load(&world->flows, true), SL_EXIT_INVALID);
    world_close(world);
    world_free(world);
}

TEST(the_last_good_text_runs_in_a_wrong_ones_place)
{
    world *world = world_new();
    write_flow(world, "one", "");
    world_open(world);
    CHECK_INT(sl_flow_set_load(&world->flows, false), SL_EXIT_DONE);
    char *revision = sl_strdup(sl_engine_flow(world->process.engine, SL_STR("one"))->revision);
    world_close(world);
    write_flow(world, "one", "bogus: 1\n");
    world_open(world);
    CHECK_INT(sl_flow_set_load(&world->flows, false), SL_EXIT_DONE);
    CHECK(runs(world, "one"));
    if (runs(world, "one")) CHECK_STR(sl_engine_flow(world->process.engine, SL_STR("one"))->revision, revision);
    expect_problem(world, "one", "one.yaml:8:1: error: ");
    world_close(world);
    free(revision);
    world_free(world);
}

TEST(a_reload_swaps_what_is_right_and_leaves_what_is_wrong)
{
    world *world = world_new();
    write_flow(world, "one", "");
    write_flow(world, "two", "");
    world_open(world);
    CHECK_INT(sl_flow_set_load(&world->flows, false), SL_EXIT_DONE);
    sl_engine_start(world->process.engine);
    char *before = sl_strdup(sl_engine_flow(world->process.engine, SL_STR("two"))->revision);
    write_flow(world, "one", "description: changed\n");
    write_flow(world, "two", "bogus: 1\n");
    write_flow(world, "three", "");
    reload(world, NULL);
    CHECK(world->failure && strstr(world->failure, "two.yaml:8:1: error: "));
    CHECK_STR(sl_engine_flow(world->process.engine, SL_STR("one"))->description, "changed");
    CHECK_STR(sl_engine_flow(world->process.engine, SL_STR("two"))->revision, before);
    CHECK(runs(world, "three"));
    expect_problem(world, "two", "two.yaml:8:1: error: ");
    write_flow(world, "two", "description: mended\n");
    reload(world, "two");
    CHECK(!world->failure);
    expect_problem(world, "two", NULL);
    CHECK_STR(sl_engine_flow(world->process.engine, SL_STR("two"))->description, "mended");
    reload(world, "four");
    CHECK(world->failure && strstr(world->failure, "there is no file of a flow four"));
    CHECK_INT(world->began, 3);
    CHECK_INT(world->ended, 3);
    free(before);
    world_close(world);
    world_free(world);
}

TEST(a_reload_that_was_asked_for_during_another_follows_it)
{
    world *world = world_new();
    write_flow(world, "one", "");
    world_open(world);
    CHECK_INT(sl_flow_set_load(&world->flows, false), SL_EXIT_DONE);
    sl_engine_start(world->process.engine);
    write_flow(world, "one", "description: first\n");
    sl_flow_set_reload(&world->flows, NULL, NULL, NULL);
    write_flow(world, "one", "description: second\n");
    sl_flow_set_reload(&world->flows, "one", on_reloaded, world);
    write_flow(world, "one", "description: third\n");
    sl_flow_set_reload(&world->flows, NULL, NULL, NULL); /* SIGHUP again */
    while (world->flows.reloading) uv_run(&world->process.loop, UV_RUN_ONCE);
    CHECK(world->failure && strstr(world->failure, "one: a newer definition"));
    CHECK_STR(sl_engine_flow(world->process.engine, SL_STR("one"))->description, "third");
    char *problem = problem_of(world, "one");
    CHECK(!problem); /* the newer one is no fault of the older */
    free(problem);
    CHECK_INT(world->ended, 1);
    world_close(world);
    world_free(world);
}
