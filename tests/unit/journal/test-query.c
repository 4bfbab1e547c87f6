/* Provenance as asked of a journal's folder: what the real journal wrote is what a search, an event, a lineage and a
 * claim give back. */
#include "test.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "journal/journal.h"
#include "journal/query.h"

enum { NODE = 12345 };

typedef struct line { /* a journal and its reader */
    sl_journal *journal;
    sl_reader *reader;
    uint32_t pickup, upload, success, queue;
} line;

static line open_line(uint64_t segment_events)
{
    line line = {0};
    sl_error error = {0};
    sl_journal_options options = {.folder = sl_test_folder(), .segment_events = segment_events};
    CHECK_INT(sl_journal_open(&options, &line.journal, &error), 0);
    line.pickup = sl_journal_name(line.journal, SL_STR("media/pickup"));
    line.upload = sl_journal_name(line.journal, SL_STR("media/upload"));
    line.success = sl_journal_name(line.journal, SL_STR("success"));
    line.queue = sl_journal_name(line.journal, SL_STR("media/pickup.success.upload"));
    sl_journal_component(line.journal, line.pickup, SL_STR("get-file"), SL_STR("00aa"));
    sl_journal_component(line.journal, line.upload, SL_STR("put-s3"), SL_STR("00aa"));
    return line;
}

static void wait_durable(const line *line)
{
    while (sl_journal_durable(line->journal) + 1 < sl_journal_next(line->journal)) usleep(500);
}

static void close_line(line *line)
{
    sl_reader_close(line->reader);
    sl_journal_close(line->journal);
}

/* The rest of the event is the caller's, in the batch. */
static sl_event *begin(sl_batch **batch, const line *line, unsigned type, uint64_t flowfile, uint64_t previous)
{
    *batch = sl_batch_new();
    sl_event *event = sl_batch_add(*batch);
    event->type = type;
    event->flowfile = flowfile;
    event->previous = previous;
    event->whole = !previous;
    event->time = 1700000000000000 + (int64_t)sl_journal_next(line->journal);
    event->entered = event->whole ? 1700000000000000 + (int64_t)flowfile * 1000 : 0;
    return event;
}

static uint64_t receive(const line *line, uint64_t flowfile, const char *filename)
{
    sl_batch *batch;
    sl_event *event = begin(&batch, line, SLUICE_RECEIVE, flowfile, 0);
    event->component = line->pickup;
    event->relationship = line->success;
    event->queue = line->queue;
    event->attributes =
        sl_arena_str(&batch->arena, sl_str_of(sl_arena_printf(&batch->arena, "{\"filename\":\"%s\",\"path\":\"\"}", filename)));
    event->claim = SL_STR("{\"id\":\"0000000000000001\",\"kind\":\"inline\",\"size\":\"3\",\"sha256\":\"aabb\"}");
    event->content = SL_STR("abc");
    event->uri = SL_STR("file:///in/a");
    return sl_journal_append(line->journal, batch);
}

static uint64_t send_on(const line *line, uint64_t flowfile, uint64_t previous)
{
    sl_batch *batch;
    sl_event *event = begin(&batch, line, SLUICE_SEND, flowfile, previous);
    event->component = line->upload;
    event->attributes = SL_STR("{\"s3.etag\":\"e\",\"path\":null}");
    event->uri = SL_STR("http://store/b/k");
    event->details = SL_STR("{\"parts\":1}");
    event->duration = 17;
    uint64_t seq = sl_journal_append(line->journal, batch);
    event = begin(&batch, line, SLUICE_DROP, flowfile, seq);
    event->component = line->upload;
    event->queue = 0;
    event->details = SL_STR("not json");
    return sl_journal_append(line->journal, batch);
}

static json_t *search(line *line, const sl_query *query)
{
    sl_error error = {0};
    sl_buf text = SL_BUF(16 << 20);
    wait_durable(line);
    if (!line->reader) CHECK_INT(sl_reader_open(sl_test_folder(), NODE, &line->reader, &error), 0);
    if (sl_query_events(line->reader, query, &text, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text);
    json_t *root = json_loads(sl_buf_view(&text).data, 0, NULL);
    if (!root) sl_test_failed(__FILE__, __LINE__, "not JSON: %s", text.data);
    sl_buf_done(&text);
    return root;
}

static size_t found(line *line, const sl_query *query)
{
    json_t *root = search(line, query);
    size_t count = json_array_size(json_object_get(root, "events"));
    json_decref(root);
    return count;
}

static const char *text_of(json_t *object, const char *name) { return json_string_value(json_object_get(object, name)); }

TEST(an_event_says_all_that_surface_promises)
{
    line line = open_line(0);
    uint64_t seq = receive(&line, 7, "a \\\"b\\\".png");
    send_on(&line, 7, seq);
    json_t *root = search(&line, &(sl_query){.type = SLUICE_SEND});
    json_t *event = json_array_get(json_object_get(root, "events"), 0);
    char uuid[SL_UUID_TEXT];
    sl_uuid_make(7, 1700000000007, NODE, uuid);
    CHECK_INT(json_integer_value(json_object_get(event, "seq")), 2);
    CHECK_STR(text_of(event, "flowfile"), uuid);
    CHECK_STR(text_of(event, "time"), "2023-11-14T22:13:20.000002Z");
    CHECK_STR(text_of(event, "flow"), "media");
    CHECK_STR(text_of(event, "component"), "upload");
    CHECK_STR(text_of(event, "component_type"), "put-s3");
    CHECK_STR(text_of(event, "flow_revision"), "00aa");
    CHECK_STR(text_of(event, "transit_uri"), "http://store/b/k");
    CHECK_INT(json_integer_value(json_object_get(event, "duration_us")), 17);
    CHECK_INT(json_integer_value(json_object_get(json_object_get(event, "details"), "parts")), 1);
    json_t *attributes = json_object_get(event, "attributes"), *changed = json_object_get(event, "changed");
    CHECK_INT(json_object_size(attributes), 2);
    CHECK_STR(text_of(attributes, "filename"), "a \"b\".png");
    CHECK_STR(text_of(attributes, "s3.etag"), "e");
    CHECK_INT(json_object_size(changed), 2);
    CHECK(json_is_null(json_array_get(json_object_get(changed, "s3.etag"), 0)));
    CHECK_STR(json_string_value(json_array_get(json_object_get(changed, "path"), 0)), "");
    CHECK(json_is_null(json_array_get(json_object_get(changed, "path"), 1)));
    CHECK_STR(text_of(json_object_get(event, "content"), "sha256"), "aabb");
    CHECK_INT(json_integer_value(json_object_get(json_object_get(event, "content"), "size")), 3);
    json_decref(root);
    root = search(&line, &(sl_query){.type = SLUICE_DROP});
    CHECK_STR(text_of(json_array_get(json_object_get(root, "events"), 0), "details"), "not json");
    json_decref(root);
    close_line(&line);
}

TEST(filters_choose)
{
    line line = open_line(0);
    for (uint64_t id = 1; id <= 20; id++) send_on(&line, id, receive(&line, id, id % 2 ? "odd" : "even"));
    CHECK_INT(found(&line, &(sl_query){0}), 60);
    CHECK_INT(found(&line, &(sl_query){.filename = SL_STR("odd")}), 30);
    CHECK_INT(found(&line, &(sl_query){.filename = SL_STR("od")}), 0);
    CHECK_INT(found(&line, &(sl_query){.filename = SL_STR("odd"), .type = SLUICE_SEND}), 10);
    CHECK_INT(found(&line, &(sl_query){.sha256 = SL_STR("aabb")}), 60);
    CHECK_INT(found(&line, &(sl_query){.sha256 = SL_STR("aab")}), 0);
    sl_str name = SL_STR("s3.etag"), value = SL_STR("e"), other = SL_STR("'; x");
    CHECK_INT(found(&line, &(sl_query){.attribute_names = &name, .attribute_values = &value, .attribute_count = 1}), 60);
    CHECK_INT(found(&line, &(sl_query){.attribute_names = &name, .attribute_values = &other, .attribute_count = 1}), 0);
    CHECK_INT(
        found(&line, &(sl_query){.filename = SL_STR("even"), .attribute_names = &name, .attribute_values = &value, .attribute_count = 1}),
        30);
    CHECK_INT(found(&line, &(sl_query){.component = SL_STR("media/upload")}), 40);
    CHECK_INT(found(&line, &(sl_query){.component = SL_STR("pickup")}), 20);
    CHECK_INT(found(&line, &(sl_query){.flow = SL_STR("media"), .component = SL_STR("pickup")}), 20);
    CHECK_INT(found(&line, &(sl_query){.flow = SL_STR("med")}), 0);
    CHECK_INT(found(&line, &(sl_query){.flowfile = 3}), 3);
    CHECK_INT(found(&line, &(sl_query){.from = 1700000000000000 + 58}), 3);
    CHECK_INT(found(&line, &(sl_query){.to = 1700000000000000 + 3}), 3);
    CHECK_INT(found(&line, &(sl_query){.durable = 9}), 9);
    /* What comes later is found by the same reader, also by a filter that it has answered before. */
    receive(&line, 21, "odd");
    CHECK_INT(found(&line, &(sl_query){.filename = SL_STR("odd")}), 31);
    CHECK_INT(found(&line, &(sl_query){.filename = SL_STR("odd"), .sha256 = SL_STR("aabb")}), 31);
    close_line(&line);
}

static void page(line *line, bool ascending)
{
    uint64_t cursor = 0, expected = ascending ? 1 : 60;
    size_t pages = 0, events = 0;
    for (bool more = true; more && pages < 100; pages++) {
        json_t *root = search(line, &(sl_query){.limit = 7, .cursor = cursor, .ascending = ascending}), *event;
        size_t i;
        json_array_foreach(json_object_get(root, "events"), i, event)
        {
            CHECK_INT(json_integer_value(json_object_get(event, "seq")), expected);
            expected = ascending ? expected + 1 : expected - 1;
            events++;
        }
        more = json_is_string(json_object_get(root, "cursor"));
        if (more) cursor = strtoull(text_of(root, "cursor"), NULL, 10);
        json_decref(root);
    }
    CHECK_INT(events, 60);
    CHECK_INT(pages, 9);
}

TEST(pages_have_every_event_once_over_segments)
{
    line line = open_line(13);
    sl_error error = {0};
    for (uint64_t id = 1; id <= 20; id++) {
        send_on(&line, id, receive(&line, id, "f"));
        if (!sl_journal_full(line.journal)) continue;
        CHECK_INT(sl_journal_roll(line.journal, &error), 0);
        sl_journal_checkpoint_end(line.journal);
    }
    CHECK_INT(sl_journal_segment(line.journal), 5);
    page(&line, false);
    page(&line, true);
    CHECK_INT(found(&line, &(sl_query){.filename = SL_STR("f")}), 60);
    close_line(&line);
}

TEST(an_answer_at_its_ceiling_stops_with_a_cursor)
{
    line line = open_line(0);
    for (uint64_t id = 1; id <= 10; id++) send_on(&line, id, receive(&line, id, "f"));
    wait_durable(&line);
    sl_error error = {0};
    sl_buf text = SL_BUF(2000);
    CHECK_INT(sl_reader_open(sl_test_folder(), NODE, &line.reader, &error), 0);
    CHECK_INT(sl_query_events(line.reader, &(sl_query){0}, &text, &error), 0);
    json_t *root = json_loads(text.data, 0, NULL), *events = json_object_get(root, "events");
    CHECK(json_array_size(events) > 1 && json_array_size(events) < 10);
    json_t *last = json_array_get(events, json_array_size(events) - 1);
    CHECK_INT(strtoll(text_of(root, "cursor"), NULL, 10), json_integer_value(json_object_get(last, "seq")));
    json_decref(root);
    sl_buf_done(&text);
    text = SL_BUF(300);
    CHECK_INT(sl_query_events(line.reader, &(sl_query){0}, &text, &error), -1);
    CHECK_INT(error.code, E2BIG);
    sl_buf_done(&text);
    close_line(&line);
}

/* One commit: 1 is cloned to 2 and 3. */
static void clone(const line *line, uint64_t previous)
{
    sl_batch *batch;
    sl_event *event = begin(&batch, line, SLUICE_ROUTE, 1, previous);
    event->component = line->pickup;
    event->queue = line->queue;
    for (uint64_t id = 2; id <= 3; id++) {
        event = sl_batch_add(batch);
        *event = (sl_event){.type = SLUICE_CLONE, .flowfile = id, .whole = true, .queue = line->queue, .component = line->pickup};
        event->attributes = SL_STR("{\"filename\":\"f\"}");
        event->parents = SL_STR("[1]");
        event->entered = 1700000000000000 + (int64_t)id * 1000;
    }
    sl_journal_append(line->journal, batch);
}

TEST(parents_and_children_are_uuids)
{
    line line = open_line(0);
    clone(&line, receive(&line, 1, "f"));
    json_t *root = search(&line, &(sl_query){.ascending = true}), *events = json_object_get(root, "events");
    char one[SL_UUID_TEXT], two[SL_UUID_TEXT];
    sl_uuid_make(1, 1700000000001, NODE, one);
    sl_uuid_make(2, 1700000000002, NODE, two);
    json_t *children = json_object_get(json_array_get(events, 1), "children");
    CHECK_INT(json_array_size(children), 2);
    CHECK_STR(json_string_value(json_array_get(children, 0)), two);
    json_t *parents = json_object_get(json_array_get(events, 2), "parents");
    CHECK_INT(json_array_size(parents), 1);
    CHECK_STR(json_string_value(json_array_get(parents, 0)), one);
    json_decref(root);
    close_line(&line);
}

static json_t *lineage(line *line, uint64_t flowfile)
{
    sl_error error = {0};
    sl_buf text = SL_BUF(1 << 20);
    if (sl_query_lineage(line->reader, flowfile, &text, &error) < 0) sl_test_failed(__FILE__, __LINE__, "%s", error.text);
    json_t *root = json_loads(sl_buf_view(&text).data, 0, NULL);
    if (!root) sl_test_failed(__FILE__, __LINE__, "not JSON: %s", text.data);
    sl_buf_done(&text);
    return root;
}

static bool has_edge(json_t *root, const char *from, const char *to)
{
    size_t i;
    json_t *edge;
    json_array_foreach(json_object_get(root, "edges"), i,
                       edge) if (strcmp(text_of(edge, "from"), from) == 0 && strcmp(text_of(edge, "to"), to) == 0) return true;
    return false;
}

TEST(lineage_has_ancestors_and_descendants_but_no_siblings)
{
    line line = open_line(0);
    clone(&line, receive(&line, 1, "f"));
    send_on(&line, 2, 3);
    send_on(&line, 9, receive(&line, 9, "other"));
    CHECK_INT(found(&line, &(sl_query){0}), 9);
    json_t *root = lineage(&line, 2);
    /* FlowFiles 1 and 2; events: 2 of the first, 3 of the second */
    CHECK_INT(json_array_size(json_object_get(root, "nodes")), 7);
    char two[64] = "flowfile:";
    sl_uuid_make(2, 1700000000002, NODE, two + 9);
    CHECK(has_edge(root, "event:2", two));
    CHECK(has_edge(root, two, "event:3"));
    CHECK(has_edge(root, "event:3", "event:5"));
    CHECK(!json_is_true(json_object_get(root, "truncated")));
    json_decref(root);
    root = lineage(&line, 1);
    CHECK_INT(json_array_size(json_object_get(root, "nodes")), 3 + 6);
    CHECK(has_edge(root, "event:2", two));
    json_decref(root);
    sl_error error = {0};
    sl_buf text = SL_BUF(1 << 20);
    CHECK_INT(sl_query_lineage(line.reader, 77, &text, &error), -1);
    CHECK_INT(error.code, ENOENT);
    sl_buf_done(&text);
    close_line(&line);
}

TEST(a_claim_before_and_after)
{
    line line = open_line(0);
    uint64_t first = receive(&line, 1, "f");
    sl_batch *batch;
    sl_event *event = begin(&batch, &line, SLUICE_CONTENT_MODIFIED, 1, first);
    event->claim = SL_STR("{\"id\":\"0000000000000002\",\"kind\":\"inline\",\"size\":\"4\"}");
    event->content = SL_STR("wxyz");
    uint64_t second = sl_journal_append(line.journal, batch);
    CHECK_INT(found(&line, &(sl_query){0}), 2);
    sl_error error = {0};
    sl_buf claim = SL_BUF(1000), content = SL_BUF(1000);
    CHECK_INT(sl_query_claim(line.reader, second, true, &claim, &content, &error), 0);
    CHECK_VIEW(sl_buf_view(&content), "abc");
    sl_buf_clear(&content);
    CHECK_INT(sl_query_claim(line.reader, second, false, &claim, &content, &error), 0);
    CHECK_VIEW(sl_buf_view(&content), "wxyz");
    CHECK_INT(sl_query_claim(line.reader, first, true, &claim, &content, &error), -1);
    CHECK_INT(error.code, ENODATA);
    CHECK_INT(sl_query_claim(line.reader, 99, true, &claim, &content, &error), -1);
    CHECK_INT(error.code, ENOENT);
    sl_buf_done(&claim);
    sl_buf_done(&content);
    close_line(&line);
}

TEST(one_event_looks_into_older_segments)
{
    line line = open_line(0);
    sl_error error = {0};
    receive(&line, 1, "f");
    CHECK_INT(sl_journal_roll(line.journal, &error), 0);
    sl_journal_checkpoint_end(line.journal);
    sl_batch *batch;
    sl_event *event = begin(&batch, &line, SLUICE_ATTRIBUTES_MODIFIED, 1, 0);
    event->component = line.upload;
    event->attributes = SL_STR("{\"filename\":\"g\",\"path\":\"\"}");
    uint64_t seq = sl_journal_append(line.journal, batch);
    json_t *root = search(&line, &(sl_query){.limit = 1});
    CHECK(json_is_null(json_object_get(json_array_get(json_object_get(root, "events"), 0), "changed")));
    json_decref(root);
    sl_buf text = SL_BUF(1 << 20), content = SL_BUF(1000);
    CHECK_INT(sl_query_event(line.reader, seq, &text, &error), 0);
    root = json_loads(text.data, 0, NULL);
    json_t *changed = json_object_get(root, "changed");
    CHECK_INT(json_object_size(changed), 1);
    CHECK_STR(json_string_value(json_array_get(json_object_get(changed, "filename"), 0)), "f");
    CHECK_STR(json_string_value(json_array_get(json_object_get(changed, "filename"), 1)), "g");
    json_decref(root);
    CHECK_INT(sl_query_claim(line.reader, seq, true, &text, &content, &error), 0);
    CHECK_VIEW(sl_buf_view(&content), "abc");
    CHECK_INT(sl_query_event(line.reader, 99, &text, &error), -1);
    CHECK_INT(error.code, ENOENT);
    sl_buf_done(&text);
    sl_buf_done(&content);
    close_line(&line);
}

static void count_event(void *context, const sl_event *event, uint32_t segment)
{
    (void)event, (void)segment;
    ++*(unsigned *)context;
}

TEST(a_stopped_folder_is_read_and_left_as_it_is)
{
    line line = open_line(0);
    for (uint64_t id = 1; id <= 5; id++) receive(&line, id, "f");
    sl_journal_close(line.journal);
    line.journal = NULL;
    sl_error error = {0};
    unsigned events = 0;
    sl_journal_fold fold = {.event = count_event, .context = &events};
    CHECK_INT(sl_journal_inspect(sl_test_folder(), &fold, &error), 0);
    CHECK_INT(events, 5);
    sl_buf text = SL_BUF(1 << 20);
    CHECK_INT(sl_reader_open(sl_test_folder(), NODE, &line.reader, &error), 0);
    CHECK_INT(sl_query_events(line.reader, &(sl_query){.filename = SL_STR("f")}, &text, &error), 0);
    sl_reader_close(line.reader);
    line.reader = NULL;
    sl_buf_done(&text);
    events = 0;
    sl_journal_options options = {.folder = sl_test_folder(), .fold = fold};
    CHECK_INT(sl_journal_open(&options, &line.journal, &error), 0);
    CHECK_INT(events, 5);
    CHECK_INT(sl_journal_next(line.journal), 6);
    close_line(&line);
    CHECK_INT(sl_journal_inspect("/nonexistent/journal", &fold, &error), -1);
    CHECK_INT(error.code, ENOENT);
}
