#include "rig.h"

#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the clock ---------------------------------------------------------------------------------------------------- */

static _Atomic int64_t offset;
static sl_sys sys;

static int64_t moved_realtime(void) { return sl_sys_real.realtime() + offset; }

void rig_set_clock(int64_t offset_us) { offset = offset_us; }

/* ---- files ---------------------------------------------------------------------------------------------------------- */

char *rig_path(const char *name) { return sl_asprintf("%s/%s", sl_test_folder(), name); }

void rig_gate(const char *name, bool closed)
{
    char *path = rig_path(name);
    FILE *file = closed ? fopen(path, "w") : NULL;
    if (file) fclose(file);
    if (!closed) unlink(path);
    free(path);
}

static void link_into(const char *folder, const char *from, const char *as)
{
    char *to = sl_asprintf("%s/%s", folder, as);
    if (symlink(from, to) < 0 && access(to, F_OK) < 0) sl_test_failed(__FILE__, __LINE__, "cannot link %s", from);
    free(to);
}

static char *module_folder(void)
{
    static const char *const families[] = {"route", "attribute", "file", NULL};
    char binary[PATH_MAX] = "", *folder = rig_path("modules"), *build = sl_modules_folder(NULL);
    CHECK(readlink("/proc/self/exe", binary, sizeof binary - 1) > 0);
    mkdir(folder, 0755);
    char *own = sl_asprintf("%s/engine/misbehave.so", dirname(binary));
    link_into(folder, own, "misbehave.so");
    for (size_t i = 0; families[i]; i++) {
        char *family = sl_asprintf("%s/%s", build, families[i]);
        link_into(folder, family, families[i]);
        free(family);
    }
    free(own);
    free(build);
    return folder;
}

/* ---- the engine ------------------------------------------------------------------------------------------------------- */

static sl_flow *flow_of(sl_engine *engine, const char *processors)
{
    char *text = sl_asprintf("sluice: 1\nname: t\nprocessors:\n%s", processors);
    sl_problems problems = {.file = "t.yaml"};
    sl_flow_options options = {.registry = sl_engine_registry(engine)};
    sl_flow *flow = sl_flow_parse(sl_str_of(text), "t.yaml", &options, &problems);
    sl_buf printed = SL_BUF(1 << 20);
    sl_problems_print(&problems, &printed);
    if (!flow) sl_panic(__FILE__, __LINE__, "%s", printed.data);
    sl_buf_done(&printed);
    sl_problems_done(&problems);
    free(text);
    return flow;
}

rig *rig_open(const char *processors, bool paused)
{
    rig *r = SL_NEW(rig);
    sl_error error = {0};
    char *state = rig_path("state"), *modules = module_folder();
    sys = sl_sys_real;
    sys.realtime = moved_realtime;
    sl_sys_now = &sys;
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->look);
    r->look.data = r;
    sl_engine_options options = {.loop = &r->loop, .state = state, .modules = modules, .paused = paused, .workers = 2};
    if (sl_engine_open(&options, &r->engine, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    if (sl_engine_add_flow(r->engine, flow_of(r->engine, processors), &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    sl_engine_start(r->engine);
    free(state);
    free(modules);
    return r;
}

void rig_close(rig *r)
{
    if (!r->engine->draining) sl_engine_drain(r->engine, 5 * SL_SECOND, NULL, NULL);
    while (!r->engine->drained) uv_run(&r->loop, UV_RUN_ONCE);
    sl_engine_close(r->engine);
    uv_close((uv_handle_t *)&r->look, NULL);
    while (uv_loop_close(&r->loop) != 0) uv_run(&r->loop, UV_RUN_ONCE);
    sl_sys_now = &sl_sys_real;
    free(r);
}

static void look(uv_timer_t *timer)
{
    rig *r = timer->data;
    r->met = r->until(r);
    if (r->met || sl_ticks() > r->deadline) uv_stop(&r->loop);
}

bool rig_is_idle(rig *r)
{
    sl_engine_summarise(r->engine, &r->summary);
    return r->summary.idle;
}

void rig_until(rig *r, bool (*until)(struct rig *rig))
{
    r->until = until;
    r->deadline = sl_ticks() + 60 * SL_SECOND;
    uv_timer_start(&r->look, look, 1, 1);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&r->look);
    if (r->met) return;
    rig_is_idle(r);
    sl_test_failed(__FILE__, __LINE__, "it did not come to be: %s", r->summary.why);
}

/* ---- what is there ------------------------------------------------------------------------------------------------------- */

sl_queue *rig_queue(rig *r, const char *name)
{
    char *key = sl_asprintf("t/%s", name);
    sl_queue *queue = sl_map_get(&r->engine->queues, sl_str_of(key));
    free(key);
    return queue;
}

uint64_t rig_objects(rig *r, const char *name)
{
    const sl_queue *queue = rig_queue(r, name);
    return queue ? queue->objects : 0;
}

sl_instance *rig_instance(rig *r, const char *name)
{
    char *full = sl_asprintf("t/%s", name);
    sl_instance *instance = sl_engine_instance(r->engine, full);
    free(full);
    return instance;
}

int64_t rig_figure(rig *r, const char *processor, const char *figure)
{
    const sl_instance *instance = rig_instance(r, processor);
    for (size_t i = 0; i < instance->figures.named_count; i++)
        if (strcmp(instance->figures.named[i].name, figure) == 0) return instance->figures.named[i].value;
    return 0;
}
