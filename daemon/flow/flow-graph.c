/* What a flow's shape says: who can never get a FlowFile. */
#include "flow/private.h"

static bool is_source(const sl_flow_processor *processor)
{
    return processor->descriptor && (processor->descriptor->flags & SLUICE_SOURCE);
}

/* Marks all that FlowFiles of a source can reach. */
static void spread(const sl_flow *flow, bool *reached)
{
    size_t *open = sl_alloc((flow->processor_count + 1) * sizeof *open), count = 0;
    for (size_t i = 0; i < flow->processor_count; i++)
        if ((reached[i] = is_source(&flow->processors[i]))) open[count++] = i;
    while (count) {
        const sl_flow_processor *processor = &flow->processors[open[--count]];
        for (size_t r = 0; r < processor->relationship_count; r++)
            for (size_t c = 0; c < processor->relationships[r].connection_count; c++) {
                const sl_flow_connection *connection = &flow->connections[processor->relationships[r].connections[c]];
                if (connection->kind != SL_TO_PROCESSOR || reached[connection->to]) continue;
                reached[connection->to] = true;
                open[count++] = connection->to;
            }
    }
    free(open);
}

static bool fed(const sl_flow *flow, size_t processor)
{
    for (size_t i = 0; i < flow->connection_count; i++)
        if (flow->connections[i].kind == SL_TO_PROCESSOR && flow->connections[i].to == processor) return true;
    return false;
}

/* Warnings: a flow whose source was taken out still works off what its queues hold. */
void sl_graph_check(sl_loader *loader)
{
    const sl_flow *flow = loader->flow;
    bool *reached = sl_alloc(flow->processor_count + 1);
    spread(flow, reached);
    for (size_t i = 0; i < flow->processor_count; i++) {
        const sl_flow_processor *processor = &flow->processors[i];
        if (reached[i]) continue;
        if (fed(flow, i))
            sl_problem_warning(loader->problems, processor->mark, "no source leads to `%s`: it will get no new FlowFiles", processor->name);
        else
            sl_problem_warning(loader->problems, processor->mark,
                               "nothing leads to `%s`, and %s is no source: name it in another processor's `to`, or remove it",
                               processor->name, processor->descriptor ? processor->descriptor->type : "it");
    }
    free(reached);
}
