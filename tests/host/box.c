/* Boxes: instances made from YAML, fed, triggered, restarted. */
#include "private.h"

#include <stdio.h>

/* ---- making one ---------------------------------------------------------------------------------------- */

static bool is_own_key(sl_str key) { return sl_str_is(key, "type") || sl_str_is(key, "concurrency"); }

static bool say_problems(const sl_problems *problems, sl_buf *ret)
{
    if (problems->errors) sl_problems_print(problems, ret);
    return problems->errors > 0;
}

static bool find_type(box *box, const sl_node *tree, bool service, sl_problems *problems)
{
    const sl_registry *registry = sl_modules_registry(box->host->modules);
    const sl_node *type = tree->kind == SL_MAPPING ? sl_node_get(tree, "type") : NULL;
    if (!type) {
        sl_problem_error(problems, tree->mark, "expected a mapping with a `type`");
        return false;
    }
    if (service) box->service = registry->service(registry->context, type->text);
    else box->processor = registry->processor(registry->context, type->text);
    if (!box->service && !box->processor)
        sl_problem_error(problems, type->mark, "no module has the type \"%.*s\"", SL_STR_ARGS(type->text));
    return box->service || box->processor;
}

static void decode(box *box, bool service, sl_problems *problems)
{
    sl_node *tree = sl_tree_parse(sl_str_of(box->yaml), &box->arena, problems);
    if (!tree || !find_type(box, tree, service, problems)) return;
    const sl_parameter_scope parameters = host_parameters(box->host);
    const sluice_property *table = service ? box->service->properties : box->processor->properties;
    const sl_node *concurrency = sl_node_get(tree, "concurrency");
    if (concurrency) box->concurrency = (unsigned)strtoul(concurrency->text.data, NULL, 10);
    sl_properties_decode(tree, table, is_own_key, &parameters, &box->arena, &box->properties, problems);
}

static bool init(box *box, sl_buf *ret)
{
    sluice_failure failure = {0};
    int (*module_init)(sluice_instance *, sluice_failure *) = box->service ? box->service->init : box->processor->init;
    box->abi = (sluice_instance){.host = &host_table};
    if (module_init && module_init(&box->abi, &failure) != 0) {
        if (!failure.class_ || !failure.code[0] || !failure.message[0])
            host_fault_found(box->host, "%s: init failed without a class, a code or a message", box->name);
        box->failure = failure;
        sl_buf_printf(ret, "%s: %s", failure.code, failure.message);
        return false;
    }
    return box->initialised = true;
}

static void fini(box *box)
{
    void (*module_fini)(sluice_instance *) = box->service ? box->service->fini : box->processor ? box->processor->fini : NULL;
    if (box->initialised && module_fini) module_fini(&box->abi);
    box->initialised = false;
}

box *box_make(host *host, const char *name, const char *yaml, bool service, sl_buf *ret)
{
    box *box = SL_NEW(struct box);
    sl_problems problems = {.file = name};
    *box = (struct box){.host = host, .concurrency = 1, .name = sl_asprintf("test/%s", name), .yaml = sl_strdup(yaml)};
    *host->boxes_last = box;
    host->boxes_last = &box->next;
    decode(box, service, &problems);
    if (!say_problems(&problems, ret)) init(box, ret);
    sl_problems_done(&problems);
    return box;
}

box *box_new(host *host, const char *yaml)
{
    sl_buf problems = SL_BUF(65536);
    box *box = box_make(host, "box", yaml, false, &problems);
    if (problems.size) sl_test_failed(host->module, 0, "%s", problems.data);
    sl_buf_done(&problems);
    return box;
}

bool box_refused(host *host, const char *yaml, sl_buf *ret)
{
    size_t before = ret->size;
    box_make(host, "box", yaml, false, ret);
    return ret->size > before;
}

/* ---- its end --------------------------------------------------------------------------------------------- */

void box_cancel(box *box)
{
    for (session *session = box->sessions, *next; session; session = next) {
        next = session->next;
        if (box->processor->cancel) box->processor->cancel(&box->abi, &session->abi);
    }
}

static void end_sessions(box *box)
{
    if (!box->open) return;
    box_cancel(box);
    host_settle(box->host);
    if (box->open) host_fault_found(box->host, "%s: %zu sessions did not finish after cancel", box->name, box->open);
}

static void free_items(item_list *list)
{
    for (item *item = list->first, *next; item; item = next) {
        next = item->next;
        item_free(item);
    }
    *list = (item_list){0};
}

static void free_texts(sl_map *map)
{
    SL_MAP_EACH (map, entry) free(entry->value);
    sl_map_done(map);
}

void box_free(box *box)
{
    box->stopping = box->losing = true;
    end_sessions(box);
    fini(box);
    host_settle(box->host);
    while (box->sessions) session_end(box->sessions, SLUICE_ROLLBACK);
    free_items(&box->queue);
    free_items(&box->out);
    for (size_t i = 0; i < box->effect_count; i++) free(box->effects[i].text);
    free(box->effects);
    free(box->bulletins);
    free_texts(&box->state);
    free_texts(&box->figures);
    sl_properties_done(&box->properties);
    free(box->name);
    free(box->yaml);
}

void box_restart(box *box)
{
    sl_buf problems = SL_BUF(65536);
    box->losing = true;
    end_sessions(box);
    fini(box);
    host_settle(box->host);
    while (box->sessions) session_end(box->sessions, SLUICE_ROLLBACK);
    box->losing = box->stopping = box->yielded = false;
    box->yield_until = box->paused_until = box->pause_backoff = 0;
    box->recovered = box->effect_count > 0;
    if (!init(box, &problems)) sl_test_failed(box->host->module, 0, "restart: %s", problems.data);
    sl_buf_done(&problems);
}

void box_stop(box *box, bool stopping) { box->stopping = stopping; }
sluice_instance *box_instance(box *box) { return &box->abi; }

/* ---- feeding --------------------------------------------------------------------------------------------- */

static sl_claim *make_claim(host *host, const void *data, size_t size)
{
    sl_claim *claim = NULL;
    sl_error error = {0};
    sl_content_writer *writer = sl_content_write(host->content);
    sl_content_append(writer, data, size);
    if (sl_content_close_writer(writer, &claim, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    return claim;
}

static uint64_t feed(box *box, const void *data, size_t size, va_list attributes)
{
    item *item = item_new(box->host);
    item->claim = make_claim(box->host, data, size);
    for (const char *name; (name = va_arg(attributes, const char *));)
        attributes_set(&item->attributes, &item->arena, sl_str_of(name), sl_str_of(va_arg(attributes, const char *)));
    items_add(&box->queue, item);
    return item->id;
}

uint64_t box_feed(box *box, const char *text, ...)
{
    va_list attributes;
    va_start(attributes, text);
    uint64_t id = feed(box, text, strlen(text), attributes);
    va_end(attributes);
    return id;
}

uint64_t box_feed_bytes(box *box, const void *data, size_t size, ...)
{
    va_list attributes;
    va_start(attributes, size);
    uint64_t id = feed(box, data, size, attributes);
    va_end(attributes);
    return id;
}

size_t box_pass(box *from, const char *relationship, box *to)
{
    size_t passed = 0;
    for (item *at = from->out.first, *next; at; at = next) {
        next = at->next;
        if (!at->relationship || strcmp(at->relationship, relationship) != 0) continue;
        items_remove(&from->out, at);
        at->left = false;
        at->not_before = 0;
        at->retries = 0;
        items_add(&to->queue, at);
        passed++;
    }
    return passed;
}

/* ---- running --------------------------------------------------------------------------------------------- */

static bool has_work(const box *box)
{
    if (box->processor->flags & SLUICE_SOURCE) return true;
    for (const item *item = box->queue.first; item; item = item->next)
        if (!item->taken && !item->aside && item->not_before <= box->host->realtime) return true;
    return false;
}

static bool may_run(const box *box)
{
    bool one = box->processor && ((box->processor->flags & SLUICE_SERIAL) || box->pause_backoff);
    unsigned most = one ? 1 : box->concurrency;
    int64_t now = box->host->realtime;
    return box->initialised && box->processor && box->open < most && box->yield_until <= now && box->paused_until <= now && has_work(box);
}

typedef struct trigger_run {
    session *session;
    sluice_outcome outcome;
} trigger_run;

static void run_trigger(void *argument)
{
    trigger_run *run = argument;
    box *box = run->session->box;
    run->session->thread = uv_thread_self();
    run->outcome = box->processor->trigger(&box->abi, &run->session->abi);
}

static void run_on_worker(trigger_run *run)
{
    /* The new thread writes its own id before the module can ask for it. */
    uv_thread_t thread;
    SL_ASSERT(uv_thread_create(&thread, run_trigger, run) == 0);
    uv_thread_join(&thread);
}

static void end_trigger(box *box, trigger_run *run)
{
    session *session = run->session;
    session->in_trigger = false;
    if (run->outcome != SLUICE_LATER || session->finished) {
        session_end(session, session->finished ? session->outcome : run->outcome);
        return;
    }
    session->later = true;
    if (!session->on_worker) return;
    host_fault_found(box->host, "%s: SLUICE_LATER on a worker: asynchronous work belongs to the loop", box->name);
    session_end(session, SLUICE_ROLLBACK);
}

bool box_trigger(box *box)
{
    if (!may_run(box)) return false;
    if (box->recovered && box_run_effects(box) > 0) return false;
    box->recovered = false;
    box->rolled_back = false;
    trigger_run run = {.session = session_open(box)};
    run.session->in_trigger = true;
    run.session->on_worker = box->processor->flags & SLUICE_ON_WORKER;
    if (run.session->on_worker) run_on_worker(&run);
    else run_trigger(&run);
    end_trigger(box, &run);
    return true;
}

/* What changes when a session does something. */
static size_t traces(const box *box) { return box->out.count + box->queue.count + box->open + box->effect_count; }

void box_run(box *box)
{
    enum { MOST_TRIGGERS = 100000 };
    bool source = box->processor && (box->processor->flags & SLUICE_SOURCE), more = true;
    for (int triggers = 0; more && triggers < MOST_TRIGGERS; triggers++) {
        size_t before = traces(box);
        more = box_trigger(box) && !box->rolled_back;
        if (source && traces(box) == before) more = false;
        if (!more) {
            host_settle(box->host);
            more = traces(box) != before && !source;
        }
    }
    if (box->effect_count) box_run_effects(box);
}
