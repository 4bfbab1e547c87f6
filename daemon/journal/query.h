/* journal/query: provenance. Works on a running daemon's folder (read-only connections, short statements) and on
 * that of a stopped one. Any thread; one sl_reader belongs to one thread at a time.
 *
 * Searches by FlowFile, component, flow and filename go by an index (journal/index.h) where there is one: of full
 * segments the file, of the open one the journal's marks. Others scan, newest first, in slices of 65,536 events. Each
 * stops with a cursor when its budget is spent. Filters on attributes and content select FlowFiles: those that had the value at some time
 * of a segment, and then all their events there, so that one question shows a file's whole story. */
#ifndef SL_QUERY_H
#define SL_QUERY_H

#include "journal/event.h"

typedef struct sl_reader sl_reader;
/* node: the state folder's (STATE/node), part of every FlowFile's UUID. */
int sl_reader_open(const char *journal_folder, uint32_t node, sl_reader **ret, sl_error *error);
/* In the daemon's own process: the open segment is searched by the journal's marks. The journal must outlive the
 * reader's next call. */
struct sl_journal;
void sl_reader_follow(sl_reader *reader, struct sl_journal *journal);
void sl_reader_close(sl_reader *reader);

typedef struct sl_query {
    sl_str flow, component; /* "media-to-b2"; "media-to-b2/upload" or "upload" */
    unsigned type;          /* 0: all of provenance */
    uint64_t flowfile;      /* 0: all */
    sl_str filename, sha256;
    const sl_str *attribute_names, *attribute_values;
    size_t attribute_count;
    int64_t from, to;  /* us; 0: open */
    size_t limit;      /* 0: 100 */
    uint64_t cursor;   /* events with a greater seq (ascending) or a smaller one (descending); 0: from the end there */
    bool ascending;    /* default: newest first */
    bool internal;     /* also internal events */
    int64_t budget_us; /* time after which it stops with a cursor; 0: 2 s */
    uint64_t durable;  /* nothing above it; 0: all */
} sl_query;

/* Appends {"events":[...],"cursor":"..."|null} as surface.md says: seq, time, type, flowfile (UUID), flow,
 * flow_revision, component, component_type, relationship, connection, attributes (all, after the event), changed
 * ({name: [before, after]}), content{sha256,size}, parents, children, transit_uri, duration_us, details.
 * `changed` is null where what was before is in an older segment (sl_query_event looks there); `children` are those
 * of the same commit. When `ret` is at its ceiling it stops with a cursor as at the limit. */
int sl_query_events(sl_reader *reader, const sl_query *query, sl_buf *ret, sl_error *error);
/* One event by seq; error->code ENOENT when there is none. */
int sl_query_event(sl_reader *reader, uint64_t seq, sl_buf *ret, sl_error *error);
/* {"flowfile":UUID, "nodes":[...], "edges":[{"from","to"}], "truncated":bool}: its ancestors and its descendants, at
 * most 1,000 FlowFiles and 10,000 events. A node is {"id":"flowfile:UUID","kind":"flowfile","flowfile":UUID} or
 * {"id":"event:SEQ","kind":"event","seq":..,"time":..,"type":..,"flowfile":UUID,"component":..,...}; edges lead from a
 * FlowFile to its first event, from event to event, and from a parent's event to the FlowFile that came of it.
 * ENOENT: no event of it. */
int sl_query_lineage(sl_reader *reader, uint64_t flowfile, sl_buf *ret, sl_error *error);
/* The claim text and inline bytes of the FlowFile before (input) or after the event; error->code ENODATA: it had none. */
int sl_query_claim(sl_reader *reader, uint64_t seq, bool input, sl_buf *ret_claim, sl_buf *ret_content, sl_error *error);

#endif
