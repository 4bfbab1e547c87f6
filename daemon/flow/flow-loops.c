/* Loops of a flow: processors that lead to each other, and the queues between them. Kosaraju's two walks, without
 * recursion: a hostile flow is as deep as it is large. */
#include "flow/private.h"

typedef struct edges { /* of processor p: to[first[p]] up to to[first[p + 1]] */
    size_t *first, *to;
} edges;

static bool between_processors(const sl_flow_connection *connection) { return connection->kind == SL_TO_PROCESSOR; }

static edges edges_of(const sl_flow *flow, bool backward)
{
    edges e = {.first = sl_alloc((flow->processor_count + 2) * sizeof *e.first),
               .to = sl_alloc((flow->connection_count + 1) * sizeof *e.to)};
    for (size_t i = 0; i < flow->connection_count; i++) {
        const sl_flow_connection *c = &flow->connections[i];
        if (between_processors(c)) e.first[(backward ? c->to : c->from) + 2]++;
    }
    for (size_t p = 2; p < flow->processor_count + 2; p++) e.first[p] += e.first[p - 1];
    for (size_t i = 0; i < flow->connection_count; i++) {
        const sl_flow_connection *c = &flow->connections[i];
        if (between_processors(c)) e.to[e.first[(backward ? c->to : c->from) + 1]++] = backward ? c->from : c->to;
    }
    return e;
}

static void edges_free(edges *e)
{
    free(e->first);
    free(e->to);
}

typedef struct walk {
    const edges *edges;
    size_t *next; /* of each processor: the edge to follow next */
    size_t *path, depth;
    unsigned *mark; /* 0: not yet seen */
} walk;

/* All that can be reached from a processor; *done, when given, gets them in the order in which they were left. */
static size_t reach(walk *w, size_t from, unsigned mark, size_t *done)
{
    size_t count = 0;
    w->mark[from] = mark;
    w->path[w->depth++] = from;
    while (w->depth) {
        size_t at = w->path[w->depth - 1];
        if (w->next[at] == w->edges->first[at + 1]) {
            if (done) done[count] = at;
            count++;
            w->depth--;
            continue;
        }
        size_t to = w->edges->to[w->next[at]++];
        if (w->mark[to]) continue;
        w->mark[to] = mark;
        w->path[w->depth++] = to;
    }
    return count;
}

static walk walk_begin(const sl_flow *flow, const edges *edges)
{
    size_t size = (flow->processor_count + 1) * sizeof(size_t);
    walk w = {.edges = edges, .next = sl_alloc(size), .path = sl_alloc(size)};
    w.mark = sl_alloc((flow->processor_count + 1) * sizeof *w.mark);
    memcpy(w.next, edges->first, flow->processor_count * sizeof *w.next);
    return w;
}

static void walk_end(walk *w)
{
    free(w->next);
    free(w->path);
}

void sl_loops_find(sl_flow *flow)
{
    edges forward = edges_of(flow, false), backward = edges_of(flow, true);
    walk there = walk_begin(flow, &forward), back = walk_begin(flow, &backward);
    size_t *left = sl_alloc((flow->processor_count + 1) * sizeof *left), count = 0;
    unsigned groups = 0;
    for (size_t p = 0; p < flow->processor_count; p++)
        if (!there.mark[p]) count += reach(&there, p, 1, left + count);
    while (count) {
        size_t p = left[--count];
        if (!back.mark[p]) reach(&back, p, ++groups, NULL);
    }
    for (size_t i = 0; i < flow->connection_count; i++) {
        sl_flow_connection *c = &flow->connections[i];
        if (!between_processors(c) || back.mark[c->from] != back.mark[c->to]) continue;
        c->loop = flow->processors[c->from].loop = flow->processors[c->to].loop = back.mark[c->from];
    }
    free(there.mark);
    free(back.mark);
    walk_end(&there);
    walk_end(&back);
    edges_free(&forward);
    edges_free(&backward);
    free(left);
}
