/* route-on-attribute. */
#include "host.h"

#define ROUTES \
    "routes: {image: \"${mime.type:startsWith('image/')}\", large: '${size:gt(100)}', odd: '${odd}', bad: '${size:matches(${bad})}'}\n"
#define THREE "routes: {image: \"${mime.type:startsWith('image/')}\", large: '${size:gt(100)}', odd: '${odd}'}\n"
#define ROUTE "RouteOnAttribute.Route"

static box *route(host *host, const char *yaml, const char *mime, const char *size, const char *odd, const char *bad)
{
    box *box = box_new(host, yaml);
    box_feed(box, "bytes", "mime.type", mime, "size", size, "odd", odd, "bad", bad, NULL);
    box_run(box);
    CHECK_INT(box_queued(box), 0);
    return box;
}

TEST(one_match_takes_the_original)
{
    host *host = host_new("route");
    box *box = route(host, "type: route-on-attribute\n" ROUTES, "image/png", "5", "false", "x");
    CHECK_INT(box_count(box, "image"), 1);
    CHECK_INT(box_count(box, "large") + box_count(box, "odd") + box_count(box, "unmatched"), 0);
    item *out = box_item(box, "image", 0);
    CHECK_STR(item_attribute(out, ROUTE), "image");
    CHECK_STR(item_event(out, 0), "ROUTE");
    CHECK(!item_event(out, 1));
    CHECK_INT(item_parent(out), 0);
    host_free(host);
}

TEST(further_matches_get_clones)
{
    host *host = host_new("route");
    box *box = box_new(host, "type: route-on-attribute\n" ROUTES);
    uint64_t id = box_feed(box, "bytes", "mime.type", "image/png", "size", "500", "odd", "TRUE", NULL);
    box_run(box);
    item *image = box_item(box, "image", 0), *large = box_item(box, "large", 0), *odd = box_item(box, "odd", 0);
    CHECK_INT(item_id(image), id);
    CHECK_INT(item_parent(large), id);
    CHECK_INT(item_parent(odd), id);
    CHECK(item_id(large) != item_id(odd));
    CHECK_STR(item_attribute(large, ROUTE), "large");
    CHECK_STR(item_attribute(odd, ROUTE), "odd");
    CHECK_STR(item_text(large), "bytes");
    CHECK_STR(item_event(large, 0), "ROUTE");
    CHECK_INT(box_count(box, "unmatched"), 0);
    host_free(host);
}

TEST(what_matches_nothing_is_unmatched)
{
    host *host = host_new("route");
    box *box = route(host, "type: route-on-attribute\n" ROUTES, "text/plain", "5", "yes", "x");
    item *out = box_item(box, "unmatched", 0);
    CHECK_STR(item_attribute(out, ROUTE), "unmatched");
    CHECK_STR(item_event(out, 0), "ROUTE");
    CHECK(!item_attribute(out, "error.message"));
    host_free(host);
}

TEST(an_expression_that_fails_is_unmatched_with_the_reason)
{
    host *host = host_new("route");
    box *box = route(host, "type: route-on-attribute\n" ROUTES, "image/png", "500", "false", "(");
    item *out = box_item(box, "unmatched", 0);
    CHECK_INT(box_count(box, "image"), 0);
    CHECK_STR(item_attribute(out, "error.class"), "permanent");
    CHECK_STR(item_attribute(out, "error.relationship"), "unmatched");
    CHECK(item_attribute(out, "error.message"));
    host_free(host);
}

TEST(all_and_any_have_matched_and_unmatched)
{
    host *host = host_new("route");
    const char *all = "type: route-on-attribute\nstrategy: all\n" THREE, *any = "type: route-on-attribute\nstrategy: any\n" THREE;
    CHECK_INT(box_count(route(host, all, "image/png", "500", "true", "x"), "matched"), 1);
    CHECK_INT(box_count(route(host, all, "image/png", "500", "false", "x"), "unmatched"), 1);
    CHECK_INT(box_count(route(host, any, "text/plain", "500", "false", "x"), "matched"), 1);
    box *none = route(host, any, "text/plain", "5", "false", "x");
    CHECK_STR(item_attribute(box_item(none, "unmatched", 0), ROUTE), "unmatched");
    host_free(host);
}

TEST(a_session_that_is_lost_leaves_one_flowfile_and_no_clone)
{
    host *host = host_new("route");
    box *box = box_new(host, "type: route-on-attribute\n" ROUTES);
    box_feed(box, "bytes", "mime.type", "image/png", "size", "500", "odd", "false", NULL);
    host_fail(host, HOST_COMMIT, 0, SLUICE_TRANSIENT, "", "");
    box_trigger(box);
    box_restart(box);
    CHECK_INT(box_queued(box), 1);
    CHECK_INT(box_count(box, "image") + box_count(box, "large"), 0);
    box_run(box);
    CHECK_INT(box_count(box, "image"), 1);
    CHECK_INT(box_count(box, "large"), 1);
    host_free(host);
}

TEST(needs_routes)
{
    host *host = host_new("route");
    sl_buf said = SL_BUF(10000);
    CHECK(box_refused(host, "type: route-on-attribute\n", &said));
    CHECK(box_refused(host, "type: route-on-attribute\nroutes: {}\n", &said));
    CHECK(box_refused(host, "type: route-on-attribute\nroutes: {'a.b': 'true'}\n", &said));
    sl_buf_done(&said);
    host_free(host);
}
