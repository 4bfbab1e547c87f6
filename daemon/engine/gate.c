/* `concurrency` is how many deliveries an instance has under way. A session that waits for its intent to be durable has none
 * yet: without more of them than that, each delivery would wait for the disk first, and the network for nothing. So up to
 * AHEAD times as many sessions may be open, and one whose intent is durable waits here for its place, in order. */
#include "base/sys.h"
#include "engine/host.h"

enum { AHEAD = 4 };

struct sl_gated { /* an intent on its way; its session may be gone before it */
    sl_instance *instance;
    sl_session *session;
    void (*pass)(void *context);
    void *context;
    bool hurried; /* cancelled */
    struct sl_gated *next;
};

static unsigned under_way(const sl_instance *instance) { return instance->active - instance->intending; }

bool sl_gate_ahead(const sl_instance *instance, unsigned concurrency)
{
    if (!instance->intends || instance->paused || instance->active >= concurrency * AHEAD) return false;
    /* One that has its intent from an earlier try would begin at once. */
    for (size_t i = 0; i < instance->input_count; i++) {
        const sl_flowfile *first = sl_queue_first(instance->inputs[i]);
        if (first && first->body && first->body->intent && first->body->intent->text) return false;
    }
    return true;
}

struct sl_gated *sl_gate_enter(sl_session *session)
{
    struct sl_gated *gated = SL_NEW(struct sl_gated);
    *gated = (struct sl_gated){.instance = session->instance, .session = session};
    session->gated = gated;
    session->instance->intending++;
    session->instance->intends = true;
    return gated;
}

static void leave(struct sl_gated *gated)
{
    void (*pass)(void *context) = gated->pass;
    void *context = gated->context;
    if (gated->session) {
        gated->session->gated = NULL;
        gated->instance->intending--;
    }
    free(gated);
    pass(context);
}

void sl_gate_durable(struct sl_gated *gated, bool at_once, void (*pass)(void *context), void *context)
{
    sl_instance *instance = gated->instance;
    gated->pass = pass;
    gated->context = context;
    if (at_once || !gated->session || under_way(instance) < instance->definition->concurrency) {
        leave(gated);
        return;
    }
    struct sl_gated **link = (struct sl_gated **)&instance->gate;
    while (*link) link = &(*link)->next;
    *link = gated;
}

static bool may_pass(const sl_instance *instance, const struct sl_gated *gated)
{
    return !gated->session || gated->hurried || under_way(instance) < instance->definition->concurrency;
}

void sl_gate_hurry(struct sl_gated *gated) { gated->hurried = true; }

void sl_gate_open(sl_instance *instance)
{
    for (bool passed = true; passed;) {
        passed = false;
        for (struct sl_gated **link = (struct sl_gated **)&instance->gate; *link; link = &(*link)->next) {
            struct sl_gated *gated = *link;
            if (!may_pass(instance, gated)) continue;
            *link = gated->next;
            leave(gated); /* may end sessions, and come here again */
            passed = true;
            break;
        }
    }
}

void sl_gate_session_gone(sl_session *session)
{
    if (!session->gated) return;
    session->gated->session = NULL;
    session->gated = NULL;
    session->instance->intending--;
}
