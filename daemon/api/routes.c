/* Every route once: who answers, what OpenAPI says, what is allowed, which query parameters it knows. */
#include <stdio.h>

#include "api/private.h"

#define JSON "application/json"

static const sl_parameter bulletin_query[] = {
    {"after", "Only those with a greater seq."}, {"limit", "At most so many, the newest; 100 unless said, 1,000 at most."}, {NULL, NULL}};
static const sl_parameter status_history_query[] = {
    {"!component", "The processor or connection: FLOW/NAME, or NAME where one flow has it."},
    {"from", "Not before this time (RFC 3339); a day ago unless said."},
    {"to", "Before this time; now unless said."},
    {"step", "A duration of whole minutes; 1m unless said."},
    {NULL, NULL}};
static const sl_parameter queue_query[] = {{"limit", "At most so many FlowFiles; 100 unless said, 1,000 at most."}, {NULL, NULL}};
static const sl_parameter empty_query[] = {{"through", "Only what was in the queue by this seq; a listing's `seq` is the one to give."},
                                           {"flowfile", "Only this FlowFile."},
                                           {"error", "Only those whose error.code is this."},
                                           {"attr.", "attr.NAME=VALUE: only those whose attribute NAME is VALUE."},
                                           {NULL, NULL}};
static const sl_parameter replay_query[] = {{"flowfile", "Only this FlowFile; all unless said."},
                                            {"error", "Only those whose error.code is this."},
                                            {"attr.", "attr.NAME=VALUE: only those whose attribute NAME is VALUE."},
                                            {NULL, NULL}};
static const sl_parameter provenance_query[] = {{"flow", "Of this flow."},
                                                {"component", "Of this processor: PROCESSOR or FLOW/PROCESSOR."},
                                                {"type", "Of this type: RECEIVE, SEND, DROP, ..."},
                                                {"flowfile", "Of this FlowFile: its UUID."},
                                                {"filename", "Of FlowFiles that had this filename."},
                                                {"sha256", "Of FlowFiles whose content had this SHA-256."},
                                                {"attr.", "attr.NAME=VALUE: of FlowFiles whose attribute NAME was VALUE."},
                                                {"from", "Not before this time (RFC 3339)."},
                                                {"to", "Not after this time."},
                                                {"limit", "At most so many; 100 unless said, 1,000 at most."},
                                                {"cursor", "Goes on where the answer with this cursor stopped."},
                                                {"order", "desc (newest first, the default) or asc."},
                                                {"internal", "true: also what only recovery needs, intents and the like."},
                                                {NULL, NULL}};
static const sl_parameter backup_query[] = {{"!to", "The absolute path of a folder that is not there yet, or is empty."},
                                            {"deadline", "Given up after this duration; 6h unless said."},
                                            {"lease", "Given up when nobody asks about it for so long; never unless said."},
                                            {NULL, NULL}};
static const sl_parameter content_query[] = {{"side", "input: before the event; output (the default): after it."}, {NULL, NULL}};

const sl_route sl_routes[] = {
    {"GET", "/healthz", "healthz", "The process lives", "text/plain", 200, SL_ROUTE_DIRECT | SL_ROUTE_EARLY, NULL, sl_see_healthz},
    {"GET", "/readyz", "readyz", "Recovery is done; 503 until then", "text/plain", 200, SL_ROUTE_DIRECT | SL_ROUTE_EARLY, NULL,
     sl_see_readyz},
    {"GET", "/metrics", "metrics", "Figures as Prometheus text, or OpenMetrics where asked for", "text/plain", 200, 0, NULL,
     sl_see_metrics},
    {"GET", "/api/v1/openapi.json", "openapi", "This document", JSON, 200, SL_ROUTE_DIRECT | SL_ROUTE_EARLY, NULL, sl_see_openapi},
    {"GET", "/api/v1/status", "status", "The daemon, flows, processors, connections, with figures of five minutes", JSON, 200, 0, NULL,
     sl_see_status},
    {"GET", "/api/v1/status/history", "status-history", "Figures of a processor or connection through the last day", JSON, 200, 0,
     status_history_query, sl_see_status_history},
    {"GET", "/api/v1/processor-types", "types", "The types that modules bring", JSON, 200, 0, NULL, sl_see_types},
    {"GET", "/api/v1/processor-types/{type}", "type", "A type whole: properties, relationships, manual", JSON, 200, 0, NULL, sl_see_type},
    {"GET", "/api/v1/flows", "flows", "The flows, with revision and problems", JSON, 200, 0, NULL, sl_see_flows},
    {"GET", "/api/v1/flows/{flow}", "flow", "A flow's text; ETag is its revision", "application/yaml", 200, 0, NULL, sl_see_flow},
    {"POST", "/api/v1/flows/{flow}/validate", "validate", "Checks a text as this flow's", JSON, 200, SL_ROUTE_BODY, NULL, sl_see_validate},
    {"POST", "/api/v1/flows/{flow}/reload", "reload", "Loads the flow's file again; 422 when it is wrong, the old one goes on", JSON, 200,
     SL_ROUTE_SLOW, NULL, sl_see_reload},
    {"POST", "/api/v1/reload", "reload-all", "Loads everything again, as SIGHUP does", JSON, 200, SL_ROUTE_SLOW, NULL, sl_see_reload},
    {"POST", "/api/v1/flows/{flow}/processors/{processor}/start", "start", "Starts a processor that was stopped", JSON, 200, 0, NULL,
     sl_see_processor_start},
    {"POST", "/api/v1/flows/{flow}/processors/{processor}/stop", "stop", "Stops a processor, over restarts too", JSON, 200, 0, NULL,
     sl_see_processor_stop},
    {"GET", "/api/v1/flows/{flow}/connections/{connection}/flowfiles", "queue", "What is in a queue, and why it is held", JSON, 200, 0,
     queue_query, sl_see_queue},
    {"DELETE", "/api/v1/flows/{flow}/connections/{connection}/flowfiles", "queue-empty", "Drops what is in a queue", JSON, 200, 0,
     empty_query, sl_see_queue_empty},
    {"POST", "/api/v1/flows/{flow}/connections/{connection}/replay", "queue-replay",
     "Gives what is held back to its processor, retries counted anew", JSON, 200, 0, replay_query, sl_see_queue_replay},
    {"GET", "/api/v1/provenance", "provenance", "Events that the filters select", JSON, 200, SL_ROUTE_SLOW, provenance_query,
     sl_see_provenance},
    {"GET", "/api/v1/provenance/{seq}", "event", "One event", JSON, 200, SL_ROUTE_SLOW, NULL, sl_see_event},
    {"GET", "/api/v1/provenance/{seq}/content", "content", "The FlowFile's bytes before or after an event", "application/octet-stream", 200,
     SL_ROUTE_SLOW, content_query, sl_see_content},
    {"GET", "/api/v1/lineage/{flowfile}", "lineage", "Where a FlowFile came from and what came of it", JSON, 200, SL_ROUTE_SLOW, NULL,
     sl_see_lineage},
    {"GET", "/api/v1/bulletins", "bulletins", "What an operator should read", JSON, 200, 0, bulletin_query, sl_see_bulletins},
    {"POST", "/api/v1/backup", "backup-begin", "Begins a copy of the state as of one moment; GET tells how far it is", JSON, 202, 0,
     backup_query, sl_see_backup_begin},
    {"GET", "/api/v1/backup", "backup", "The backup that runs, or the last", JSON, 200, 0, NULL, sl_see_backup},
    {"DELETE", "/api/v1/backup", "backup-cancel", "Cancels the backup that runs", JSON, 200, 0, NULL, sl_see_backup_cancel},
    {"GET", "/api/v1/events", "events", "Changes of the status, bulletins: server-sent events", "text/event-stream", 200, SL_ROUTE_STREAM,
     NULL, NULL},
    {"POST", "/api/v1/session", "session", "A cookie for the browser, for the bearer's token", NULL, 204,
     SL_ROUTE_DIRECT | SL_ROUTE_EARLY | SL_ROUTE_BEARER, NULL, sl_see_session},
    {"DELETE", "/api/v1/session", "session-end", "Ends the browser's session", NULL, 204, SL_ROUTE_DIRECT | SL_ROUTE_EARLY, NULL,
     sl_see_session_end},
    {"GET", "/", "ui", "The dashboard", "text/html", 200, SL_ROUTE_DIRECT | SL_ROUTE_EARLY | SL_ROUTE_PUBLIC, NULL, sl_see_ui},
    {"GET", "/ui/{file}", "ui-file", "The dashboard's files", NULL, 200, SL_ROUTE_DIRECT | SL_ROUTE_EARLY | SL_ROUTE_PUBLIC | SL_ROUTE_REST,
     NULL, sl_see_ui},
};
const size_t sl_route_count = SL_COUNT(sl_routes);

/* ---- finding ------------------------------------------------------------------------------------------------------ */

static sl_str joined(const sl_uri *uri, size_t from)
{
    sl_buf path = SL_BUF(SL_URI_LIMIT);
    for (size_t i = from; i < uri->segment_count; i++) {
        if (i > from) sl_buf_char(&path, '/');
        sl_buf_str(&path, uri->segments[i]);
    }
    sl_str made = sl_arena_str((sl_arena *)&uri->arena, sl_buf_view(&path));
    sl_buf_done(&path);
    return made;
}

static bool path_fits(const sl_route *route, const sl_uri *uri, sl_str parameters[SL_ROUTE_PARAMETERS])
{
    size_t at = 0, count = 0;
    for (const char *part = route->path; *part == '/' && part[1]; at++) {
        size_t size = strcspn(++part, "/");
        if (at == uri->segment_count) return false;
        bool last = !part[size];
        if (part[0] == '{') {
            if (!uri->segments[at].size) return false;
            bool rest = last && (route->flags & SL_ROUTE_REST);
            parameters[count++] = rest ? joined(uri, at) : uri->segments[at];
            if (rest) return true;
        } else if (!sl_str_equal(uri->segments[at], (sl_str){part, size})) return false;
        part += size;
    }
    return at == uri->segment_count;
}

const sl_route *sl_route_find(const char *method, const sl_uri *uri, sl_str parameters[SL_ROUTE_PARAMETERS], char ret_allowed[64])
{
    size_t used = 0;
    ret_allowed[0] = 0;
    if (strcmp(method, "HEAD") == 0) method = "GET";
    for (size_t i = 0; i < sl_route_count; i++) {
        if (!path_fits(&sl_routes[i], uri, parameters)) continue;
        if (strcmp(sl_routes[i].method, method) == 0) return &sl_routes[i];
        used += (size_t)snprintf(ret_allowed + used, 64 - used, "%s%s%s", used ? ", " : "", sl_routes[i].method,
                                 strcmp(sl_routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

sl_str sl_route_unknown(const sl_route *route, const sl_uri *uri)
{
    for (size_t i = 0; i < uri->parameter_count; i++) {
        sl_str name = uri->parameters[i].name;
        bool known = false;
        for (const sl_parameter *p = route->query; p && p->name && !known; p++) {
            const char *expected = p->name + (p->name[0] == '!');
            size_t size = strlen(expected);
            known = expected[size - 1] == '.' ? sl_str_starts(name, expected) && name.size > size : sl_str_is(name, expected);
        }
        if (!known) return name;
    }
    return (sl_str){0};
}
