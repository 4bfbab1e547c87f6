#include "test.h"

#include "base/sys.h"
#include "flow/registry.h"

typedef struct fixture {
    sl_flow *flow;
    sl_problems problems;
    sl_buf printed;
} fixture;

static fixture load(const char *text, const sl_flow_options *given)
{
    fixture f = {.printed = SL_BUF(1 << 20)};
    sl_flow_options options = given ? *given : (sl_flow_options){0};
    options.registry = &test_registry;
    f.flow = sl_flow_parse(sl_str_of(text), "flows/media.yaml", &options, &f.problems);
    sl_problems_print(&f.problems, &f.printed);
    return f;
}

static void done(fixture *f)
{
    sl_flow_free(f->flow);
    sl_problems_done(&f->problems);
    sl_buf_done(&f->printed);
}

static void expect(const fixture *f, const char *part)
{
    if (!strstr(sl_buf_view(&f->printed).data, part))
        sl_test_failed(__FILE__, __LINE__, "expected \"%s\", found \"%s\"", part, sl_buf_view(&f->printed).data);
}

static void refuse(const char *text, const char *part)
{
    fixture f = load(text, NULL);
    CHECK(!f.flow);
    expect(&f, part);
    done(&f);
}

static void warn(const char *text, const char *part)
{
    fixture f = load(text, NULL);
    CHECK(f.flow);
    expect(&f, part);
    done(&f);
}

static const char media[] = "sluice: 1\n"
                            "name: media-to-b2\n"
                            "description: Move media from the inbox to B2, keeping a record of each file.\n"
                            "parameters:\n"
                            "  inbox: /srv/inbox                      # a default\n"
                            "  bucket: {type: string, required: true, description: Where media go}\n"
                            "services:\n"
                            "  b2:\n"
                            "    type: s3\n"
                            "    endpoint: https://s3.us-west-004.backblazeb2.com\n"
                            "    access_key_id: {secret: b2_key_id}\n"
                            "    secret_access_key: {secret: b2_key}\n"
                            "processors:\n"
                            "  pickup:\n"
                            "    type: get-file\n"
                            "    directory: \"#{inbox}\"\n"
                            "    source: delete\n"
                            "    schedule: 5s\n"
                            "    to: {success: identify}\n"
                            "  identify:\n"
                            "    type: identify-mime-type\n"
                            "    to: {success: by-kind}\n"
                            "  by-kind:\n"
                            "    type: route-on-attribute\n"
                            "    routes:\n"
                            "      image: \"${mime.type:startsWith('image/')}\"\n"
                            "      video: \"${mime.type:startsWith('video/')}\"\n"
                            "    to: {image: upload, video: upload, unmatched: park}\n"
                            "  upload:\n"
                            "    type: put-s3\n"
                            "    service: b2\n"
                            "    bucket: \"#{bucket}\"\n"
                            "    key: \"${mime.type:substringBefore('/')}/${path}${filename}\"\n"
                            "    concurrency: 8\n"
                            "    to: {success: end, failure: hold}\n"
                            "  park:\n"
                            "    type: put-file\n"
                            "    directory: \"/srv/parked/${path}\"\n"
                            "    conflict: rename\n"
                            "    to: {success: end, failure: hold}\n"
                            "connections:\n"
                            "  by-kind.image: {max_objects: 50000, max_bytes: 4GB, expire: {after: 7d, since: queued, to: hold}}\n";

static const sl_setting bucket[] = {{"bucket", "prod"}};

static const sl_flow_connection *connection(const sl_flow *flow, const char *name)
{
    for (size_t i = 0; i < flow->connection_count; i++)
        if (strcmp(flow->connections[i].name, name) == 0) return &flow->connections[i];
    sl_test_failed(__FILE__, __LINE__, "no connection %s", name);
    return NULL;
}

TEST(the_main_flow_loads)
{
    fixture f = load(media, &(sl_flow_options){.settings = bucket, .setting_count = 1});
    CHECK_STR(sl_buf_view(&f.printed).data, "");
    if (!f.flow) return;
    CHECK_STR(f.flow->name, "media-to-b2");
    CHECK_INT(f.flow->processor_count, 5);
    CHECK_INT(f.flow->service_count, 1);
    CHECK(f.flow->enabled);
    const sl_flow_processor *pickup = sl_flow_find(f.flow, SL_STR("pickup")), *upload = sl_flow_find(f.flow, SL_STR("upload"));
    CHECK_VIEW(sl_properties_find(&pickup->properties, "directory")->text, "/srv/inbox");
    CHECK_INT(sl_properties_find(&pickup->properties, "min_age")->number, 10 * SL_SECOND);
    CHECK(!sl_properties_find(&pickup->properties, "min_age")->written);
    CHECK_INT(pickup->schedule.kind, SL_EVERY);
    CHECK_INT(pickup->schedule.every_us, 5 * SL_SECOND);
    CHECK_INT(upload->schedule.kind, SL_AS_SOON);
    CHECK_INT(upload->concurrency, 8);
    CHECK_VIEW(sl_expression_literal(sl_properties_find(&upload->properties, "bucket")->expression), "prod");
    CHECK(!sl_expression_literal(sl_properties_find(&upload->properties, "key")->expression).data);
    CHECK_VIEW(sl_properties_find(&f.flow->services[0].properties, "secret_access_key")->text, "b2_key");
    CHECK(sl_properties_find(&f.flow->services[0].properties, "secret_access_key")->secret);
    done(&f);
}

TEST(connections_have_names_limits_and_holds)
{
    fixture f = load(media, &(sl_flow_options){.settings = bucket, .setting_count = 1});
    if (!f.flow) return expect(&f, "nothing");
    const sl_flow_connection *image = connection(f.flow, "by-kind.image.upload"), *video = connection(f.flow, "by-kind.video.upload");
    const sl_flow_connection *hold = connection(f.flow, "upload.failure.hold");
    CHECK_INT(image->max_objects, 50000);
    CHECK_INT(image->max_bytes, 4000000000);
    CHECK_INT(image->expire_after_us, 7 * 86400 * SL_SECOND);
    CHECK(image->expire_since_queued && image->expire_to == SL_TO_HOLD);
    CHECK_INT(video->max_objects, 10000);
    CHECK_INT(video->max_bytes, 1000000000);
    CHECK_INT(video->expire_after_us, 0);
    CHECK(hold->kind == SL_TO_HOLD && hold->max_objects == 0 && hold->max_bytes == 0);
    const sl_flow_processor *kind = sl_flow_find(f.flow, SL_STR("by-kind"));
    CHECK_INT(kind->relationship_count, 3);
    CHECK(kind->relationships[0].fixed && !kind->relationships[1].fixed);
    CHECK_STR(kind->relationships[1].name, "image");
    CHECK_INT(kind->relationships[1].connection_count, 1);
    const sl_flow_processor *upload = sl_flow_find(f.flow, SL_STR("upload"));
    CHECK(upload->relationships[0].ends && upload->relationships[0].connection_count == 0);
    CHECK(upload->relationships[1].retry.transient.forever && upload->relationships[1].retry.permanent.count == 0);
    CHECK_INT(upload->relationships[1].retry.max_backoff_us, 600 * SL_SECOND);
    done(&f);
}

TEST(a_revision_is_of_the_text_and_its_settings)
{
    sl_setting other[] = {{"bucket", "test"}}, both[] = {{"bucket", "prod"}, {"inbox", "/x"}},
               turned[] = {{"inbox", "/x"}, {"bucket", "prod"}};
    fixture a = load(media, &(sl_flow_options){.settings = bucket, .setting_count = 1});
    fixture b = load(media, &(sl_flow_options){.settings = bucket, .setting_count = 1});
    fixture c = load(media, &(sl_flow_options){.settings = other, .setting_count = 1});
    fixture d = load(media, &(sl_flow_options){.settings = both, .setting_count = 2});
    fixture e = load(media, &(sl_flow_options){.settings = turned, .setting_count = 2});
    CHECK_INT(strlen(a.flow->revision), 16);
    CHECK_STR(a.flow->revision, b.flow->revision);
    CHECK(strcmp(a.flow->revision, c.flow->revision) != 0);
    CHECK(strcmp(a.flow->revision, d.flow->revision) != 0);
    CHECK_STR(d.flow->revision, e.flow->revision);
    fixture *all[] = {&a, &b, &c, &d, &e};
    for (size_t i = 0; i < SL_COUNT(all); i++) done(all[i]);
}

TEST(parameters_that_have_no_value)
{
    fixture f = load(media, NULL);
    CHECK(!f.flow);
    expect(&f, "flows/media.yaml:6:3: error: the parameter `bucket` is required and has no value; set it with --set bucket=VALUE");
    done(&f);
    f = load(media, &(sl_flow_options){.unset_allowed = true});
    CHECK(f.flow);
    done(&f);
    sl_setting unknown[] = {{"bucket", "x"}, {"inbax", "/x"}};
    f = load(media, &(sl_flow_options){.settings = unknown, .setting_count = 2});
    CHECK(!f.flow);
    expect(&f, "flows/media.yaml: error: a value is set for `inbax`, which is no parameter of this flow; did you mean `inbox`?");
    done(&f);
}

TEST(names)
{
    fixture f = load(media, &(sl_flow_options){.settings = bucket, .setting_count = 1, .stem_must_match = true});
    CHECK(!f.flow);
    expect(&f, "flows/media.yaml:2:7: error: the name `media-to-b2` is not the file's, `media`");
    done(&f);
    static const char *const right[] = {"a", "a1_b-c", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"};
    static const char *const wrong[] = {
        "", "1a", "-a", "A", "a.b", "\xC3\xA4", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"};
    for (size_t i = 0; i < SL_COUNT(right); i++) CHECK(sl_flow_name_valid(sl_str_of(right[i])));
    for (size_t i = 0; i < SL_COUNT(wrong); i++) CHECK(!sl_flow_name_valid(sl_str_of(wrong[i])));
}

#define HEAD   "sluice: 1\nname: media\n"
#define SOURCE "  make: {type: generate-flowfile, to: {success: park}}\n"
#define PARK   "  park: {type: put-file, directory: /srv, to: {success: end, failure: hold}}\n"

TEST(defaults_and_what_overrides_them)
{
    fixture f = load(HEAD "defaults:\n  schedule: 1m\n  retry: {failure: {transient: 5, backoff: 20m}}\n"
                          "  connection: {max_objects: 7}\nprocessors:\n"
                          "  make: {type: generate-flowfile, schedule: 0s, to: {success: [park, also]}}\n"
                          "  park: {type: put-file, directory: /srv, to: {success: [also, end], failure: hold},"
                          " retry: {failure: {permanent: 3, policy: yield}, success: {transient: 2h}}}\n"
                          "  also: {type: put-file, directory: /srv, to: {success: end, failure: hold}}\n"
                          "connections:\n  make.success.also: {max_objects: 1}\n  make.success: {max_objects: 9, max_bytes: 5MB}\n",
                     NULL);
    if (!f.flow) return expect(&f, "nothing");
    CHECK_INT(sl_flow_find(f.flow, SL_STR("make"))->schedule.kind, SL_AS_SOON);
    const sl_flow_processor *park = sl_flow_find(f.flow, SL_STR("park")), *also = sl_flow_find(f.flow, SL_STR("also"));
    CHECK_INT(park->schedule.every_us, 60 * SL_SECOND);
    CHECK_INT(park->relationships[1].retry.transient.count, 5);
    CHECK(!park->relationships[1].retry.transient.forever);
    CHECK_INT(park->relationships[1].retry.permanent.count, 3);
    CHECK(park->relationships[1].retry.policy == SL_YIELD && park->relationships[0].retry.policy == SL_PENALIZE);
    CHECK_INT(park->relationships[0].retry.transient.duration_us, 7200 * SL_SECOND);
    CHECK_INT(also->relationships[1].retry.permanent.count, 0);
    CHECK_INT(also->relationships[1].retry.max_backoff_us, 1200 * SL_SECOND);
    CHECK_INT(connection(f.flow, "make.success.also")->max_objects, 1);
    CHECK_INT(connection(f.flow, "make.success.also")->max_bytes, 5000000);
    CHECK_INT(connection(f.flow, "make.success.park")->max_objects, 9);
    CHECK_INT(connection(f.flow, "park.success.also")->max_objects, 7);
    CHECK(park->relationships[0].ends && park->relationships[0].connection_count == 1);
    done(&f);
}

TEST(keys_of_every_processor)
{
    fixture f =
        load(HEAD "processors:\n  make: {type: generate-flowfile, to: {success: park}, schedule: {cron: '0 4 * * *', tz: Europe/Berlin},\n"
                  "    description: x, concurrency: 2, yield: 2s, enabled: false, timeout: 1h, run_duration: 25ms,\n"
                  "    labels: {team: media}, log: debug}\n" PARK,
             NULL);
    if (!f.flow) return expect(&f, "nothing");
    const sl_flow_processor *make = &f.flow->processors[0];
    CHECK_INT(make->schedule.kind, SL_AT_CRON);
    CHECK_STR(make->description, "x");
    CHECK_INT(make->concurrency, 2);
    CHECK_INT(make->yield_us, 2 * SL_SECOND);
    CHECK(!make->enabled);
    CHECK_INT(make->timeout_us, 3600 * SL_SECOND);
    CHECK_INT(make->run_duration_us, 25 * SL_MILLISECOND);
    CHECK_VIEW(sl_node_get(make->labels, "team")->text, "media");
    CHECK_INT(make->log, SL_DEBUG);
    done(&f);
}

TEST(warnings_keep_nothing_from_running)
{
    warn(HEAD "processors:\n" SOURCE "  park: {type: put-file, directory: /srv, to: {success: end, failure: end}}\n",
         "flows/media.yaml:5:71: warning: `failure` of `park` goes to `end`");
    warn(HEAD "processors:\n" SOURCE PARK "  idle: {type: update-attribute, to: {success: park}}\n",
         "6:3: warning: nothing leads to `idle`, and update-attribute is no source");
    warn(HEAD "processors:\n" SOURCE PARK "  a: {type: update-attribute, to: {success: a}}\n", "6:3: warning: no source leads to `a`");
    warn(HEAD "parameters: {x: 1}\nprocessors:\n" SOURCE PARK, "3:14: warning: the parameter `x` is not used");
    warn(HEAD "services: {db: {type: database, url: x}}\nprocessors:\n" SOURCE PARK,
         "3:12: warning: the service `db` is used by no processor");
}

TEST(a_loop_is_allowed)
{
    fixture f = load(
        HEAD "processors:\n  make: {type: generate-flowfile, to: {success: a}}\n  a: {type: update-attribute, to: {success: [a, end]}}\n",
        NULL);
    CHECK(f.flow);
    CHECK_STR(sl_buf_view(&f.printed).data, "");
    done(&f);
}

#define ROUTE(strategy, to)                                         \
    HEAD "processors:\n"                                            \
         "  make: {type: generate-flowfile, to: {success: kind}}\n" \
         "  kind: {type: route-on-attribute, " strategy "routes: {a: '${x}', b: '${y}'}, to: {" to "}}\n"

TEST(relationships_that_depend_on_a_property)
{
    fixture f = load(ROUTE("", "a: end, b: end, unmatched: end"), NULL);
    CHECK(f.flow && f.flow->processors[1].relationship_count == 3);
    done(&f);
    f = load(ROUTE("strategy: any, ", "matched: end, unmatched: end"), NULL);
    CHECK(f.flow && f.flow->processors[1].relationship_count == 2);
    done(&f);
    refuse(ROUTE("", "a: end, b: end, unmatched: end, matched: end"), "`kind` has no relationship \"matched\"");
    refuse(ROUTE("strategy: all, ", "unmatched: end"), "the relationship `matched` of `kind` leads nowhere (All or any conditions hold.)");
    refuse(ROUTE("strategy: all, ", "matched: end, unmatched: end, a: end"), "`kind` has no relationship \"a\"; it has matched, unmatched");
    refuse(HEAD "processors:\n  make: {type: generate-flowfile, to: {success: kind}}\n"
                "  kind: {type: route-on-attribute, routes: {matched: '${x}'}, to: {unmatched: end}}\n",
           "5:45: error: `routes`: route-on-attribute has a relationship `matched` of its own");
    f = load(ROUTE("strategy: some, ", "a: end, unmatched: end"), NULL); /* which it has is unknown: told once */
    CHECK(!f.flow && f.problems.errors == 1);
    done(&f);
}

TEST(what_a_flow_may_not_say)
{
    refuse(HEAD "processors:\n  make: {type: generate-flowfile, to: {success: kind}}\n"
                "  kind: {type: route-on-attribute, routes: {expired: '${x}'}, to: {expired: hold, unmatched: end}}\n",
           "5:45: error: `routes`: `expired` is the name of a hold that every processor has");
    refuse(HEAD, "1:1: error: the key `processors` is missing");
    refuse(HEAD "processors: {}\n", "3:13: error: `processors`: expected one at least");
    refuse("- a\n", "1:1: error: expected a flow");
    refuse("a\n", "1:1: error: expected a flow");
    refuse("name: x\nprocessors:\n" SOURCE PARK, "1:1: error: the key `sluice` is missing");
    refuse("sluice: 1\nprocessors:\n" SOURCE PARK, "1:1: error: the key `name` is missing; write `name: media`");
    refuse(HEAD "processors:\n  make: {type: get-file, directory: /s, source: keep, concurrency: 2, to: {success: park}}\n" PARK,
           "4:68: error: `concurrency`: get-file runs one at a time");
    refuse(HEAD "processors:\n" SOURCE "  park: {type: put-file, directory: /srv, to: {success: [end, end], failure: []}}\n",
           "5:63: error: `to`: `end` is there twice");
    refuse(HEAD "processors:\n  make: {type: generate-flowfile, to: {success: {a: b}}}\n",
           "4:49: error: `to`: expected a text, found a mapping");
    refuse(HEAD "processors:\n  make: {to: {success: end}}\n", "4:3: error: the processor `make` needs `type`");
    refuse(HEAD "processors:\n" SOURCE PARK "enabled: maybe\n", "6:10: error: `enabled`: expected true or false");
    refuse(HEAD "processors:\n" SOURCE PARK "connections: {park: {max_objects: 1}}\n",
           "6:15: error: `connections`: expected PROCESSOR.RELATIONSHIP");
    refuse(HEAD "processors:\n" SOURCE PARK "connections: {make.success.also: {max_objects: 1}}\n",
           "6:15: error: `connections`: no queue \"make.success.also\"; there are make.success.park");
    refuse(HEAD "processors:\n" SOURCE PARK "connections: {park.failure.hold: {max_objects: 1}}\n",
           "6:15: error: `connections`: `hold` has no limits");
    refuse(HEAD "defaults: {retry: {nosuch: {transient: 1}}}\nprocessors:\n" SOURCE PARK,
           "3:20: error: no processor of this flow has a relationship `nosuch`");
    refuse(HEAD "defaults: {schedule: {cron: '* * *'}}\nprocessors:\n" SOURCE PARK, "3:29: error: `cron`: expected five fields");
    refuse(HEAD "defaults: {retry: {failure: {backoff: 5m, max_backoff: 1m}}}\nprocessors:\n" SOURCE PARK,
           "3:20: error: `retry`: `max_backoff` is less");
    refuse(HEAD "defaults: {retry: {failure: {policy: rest}}}\nprocessors:\n" SOURCE PARK,
           "3:38: error: `policy`: expected penalize (the FlowFile waits, others pass it) or yield (the processor rests), found \"rest\"");
}

static unsigned loop_of(fixture *f, const char *name) { return connection(f->flow, name)->loop; }

TEST(loops_are_found)
{
    fixture f = load(HEAD "processors:\n"
                          "  make: {type: generate-flowfile, to: {success: a}}\n"
                          "  a: {type: put-file, directory: /srv, to: {success: b, failure: a}}\n"
                          "  b: {type: put-file, directory: /srv, to: {success: c, failure: hold}}\n"
                          "  c: {type: put-file, directory: /srv, to: {success: [d, out], failure: b}}\n"
                          "  d: {type: put-file, directory: /srv, to: {success: e, failure: hold}}\n"
                          "  e: {type: put-file, directory: /srv, to: {success: c, failure: end}}\n"
                          "  out: {type: put-file, directory: /srv, to: {success: end, failure: hold}}\n",
                     NULL);
    CHECK_INT(loop_of(&f, "make.success.a"), 0);
    CHECK(loop_of(&f, "a.failure.a") > 0);
    CHECK_INT(loop_of(&f, "a.success.b"), 0);
    CHECK(loop_of(&f, "b.success.c") > 0 && loop_of(&f, "b.success.c") != loop_of(&f, "a.failure.a"));
    const char *const same[] = {"c.failure.b", "c.success.d", "d.success.e", "e.success.c"};
    for (size_t i = 0; i < SL_COUNT(same); i++) CHECK_INT(loop_of(&f, same[i]), loop_of(&f, "b.success.c"));
    CHECK_INT(loop_of(&f, "c.success.out"), 0);
    CHECK_INT(loop_of(&f, "b.failure.hold"), 0);
    CHECK_INT(sl_flow_find(f.flow, SL_STR("out"))->loop, 0);
    CHECK(sl_flow_find(f.flow, SL_STR("e"))->loop == loop_of(&f, "b.success.c"));
    done(&f);
}

TEST(services_must_exist_and_fit)
{
#define UPLOAD "  park: {type: put-s3, service: store, bucket: b, key: k, to: {success: end, failure: hold}}\n"
    refuse(HEAD "services: {store: {type: database, url: x}}\nprocessors:\n" SOURCE UPLOAD,
           "6:33: error: `service`: expected a service with the interface s3/1; `store` is of type database, which has sql/1");
    refuse(HEAD "processors:\n" SOURCE UPLOAD, "5:33: error: `service`: no service \"store\"");
    refuse(HEAD "services: {store: {type: s4, endpoint: x}}\nprocessors:\n" SOURCE UPLOAD,
           "3:26: error: no service type \"s4\"; did you mean `s3`?");
    refuse(HEAD "services: {store: {endpoint: x}}\nprocessors:\n" SOURCE UPLOAD,
           "3:12: error: the service `store` needs `type`; there are s3, database");
    refuse(HEAD "services: {store: {type: s3}}\nprocessors:\n" SOURCE UPLOAD, "3:12: error: the service type s3 needs `endpoint`");
}

TEST(shared_services_come_from_the_configuration)
{
    sl_arena arena = {0};
    sl_problems problems = {0};
    sl_flow_options options = {
        .shared_services = sl_tree_parse(SL_STR("store: {type: s3, endpoint: x}\nother: {type: s3}\n"), &arena, &problems),
        .shared_services_file = "sluiced.yaml",
    };
    fixture f = load(HEAD "processors:\n" SOURCE UPLOAD, &options);
    CHECK(f.flow);
    if (f.flow) CHECK(f.flow->service_count == 1 && f.flow->services[0].shared);
    done(&f);
    f = load(HEAD "services: {store: {type: s3, endpoint: y}}\nprocessors:\n" SOURCE UPLOAD, &options);
    CHECK(!f.flow);
    expect(&f, "3:12: error: the service `store` would shadow");
    done(&f);
    f = load(HEAD "processors:\n" SOURCE "  park: {type: put-s3, service: other, bucket: b, key: k, to: {success: end, failure: hold}}\n",
             &options);
    CHECK(!f.flow);
    expect(&f, "5:33: error: the shared service `other`: sluiced.yaml:2:1: the service type s3 needs `endpoint`");
    done(&f);
    sl_problems_done(&problems);
    sl_arena_done(&arena);
}

TEST(a_secret_is_never_in_a_message)
{
    static const char *const flows[] = {
        HEAD "services: {store: {type: s3, endpoint: x, secret_access_key: hunter2}}\nprocessors:\n" SOURCE UPLOAD,
        HEAD "services: {store: {type: s3, endpoint: x, secret_access_key: {secret: hunter2/}}}\nprocessors:\n" SOURCE UPLOAD,
        HEAD
        "parameters: {k: {type: secret, default: {secret: 'hunter2 '}}}\nservices: {store: {type: s3, endpoint: x, secret_access_key: '#{k}'}}\nprocessors:\n" SOURCE
            UPLOAD,
        HEAD
        "parameters: {k: {type: secret, default: hunter2}}\nservices: {store: {type: s3, endpoint: x, secret_access_key: '#{k}'}}\nprocessors:\n" SOURCE
            UPLOAD,
    };
    for (size_t i = 0; i < SL_COUNT(flows); i++) {
        fixture f = load(flows[i], NULL);
        CHECK(!f.flow && f.problems.errors == 1);
        CHECK(!strstr(f.printed.data, "hunter2"));
        done(&f);
    }
}

TEST(files)
{
    char path[128];
    sl_problems problems = {0};
    sl_flow_options options = {.registry = &test_registry};
    snprintf(path, sizeof path, "%s/media.yaml", sl_test_folder());
    CHECK(!sl_flow_load(path, &options, &problems));
    CHECK_INT(problems.errors, 1);
    sl_problems_done(&problems);
    CHECK_INT(sl_write_file_durably(path, SL_STR(HEAD "processors:\n" SOURCE PARK), 0600, NULL), 0);
    options.stem_must_match = true;
    problems = (sl_problems){0};
    sl_flow *flow = sl_flow_load(path, &options, &problems);
    CHECK(flow);
    sl_flow_free(flow);
    sl_problems_done(&problems);
}
