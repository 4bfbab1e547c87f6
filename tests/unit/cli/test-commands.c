/* Commands from the command line to what they print, on real flows, modules and states, without a daemon. */
#include "test.h"

#include <ftw.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "capture.h"
#include "cli/commands.h"
#include "engine/modules.h"

static void check(const char *file, int line, sl_captured captured, int code, const char *out, const char *err)
{
    if (captured.code != code)
        sl_test_failed(file, line, "exit code %d, expected %d: %s%s", captured.code, code, captured.out, captured.err);
    if (out && !strstr(captured.out, out)) sl_test_failed(file, line, "printed \"%s\", expected \"%s\" in it", captured.out, out);
    if (err && !strstr(captured.err, err)) sl_test_failed(file, line, "complained \"%s\", expected \"%s\" in it", captured.err, err);
    sl_captured_done(&captured);
}
#define EXPECT(captured, code, out, err) check(__FILE__, __LINE__, captured, code, out, err)

/* ---- expr ------------------------------------------------------------------------------------------------------- */

TEST(expr_evaluates_one)
{
    EXPECT(CAPTURE("expr", "${filename:toUpper()}-#{p}", "--attr", "filename=a.b", "--set", "p=${x}"), 0, "A.B-${x}\n", NULL);
    EXPECT(CAPTURE("expr", "${filename}", "--attr", "filename=caf\xC3\xA9", "--json"), 0, "{\"value\":\"caf\xC3\xA9\"}\n", NULL);
    EXPECT(CAPTURE("expr", "x${filename:toUper()}"), 1, NULL, "EXPR:1:");
    EXPECT(CAPTURE("expr", "${filename:toUper()}"), 1, NULL, "toUpper");
    EXPECT(CAPTURE("expr", "--json", "${filename:toUper()}"), 1, "{\"error\":\"", NULL);
    EXPECT(CAPTURE("expr", "a", "--attr", "novalue"), 2, NULL, "--attr takes NAME=VALUE");
    EXPECT(CAPTURE("expr"), 2, NULL, "an argument is missing");
    EXPECT(CAPTURE("expr", "--jsonl", "a"), 2, NULL, "everything comes from standard input");
}

TEST(expr_answers_a_line_with_a_line)
{
    static const char *const words[] = {"expr", "--jsonl", NULL};
    sl_captured captured = sl_capture("{\"expr\":\"${a}${b:isNull()}\",\"attributes\":{\"a\":\"\\u00e9\",\"b\":null}}\n"
                                      "{\"expr\":\"#{p}\",\"parameters\":{\"p\":\"v\"},\"state\":{}}\n"
                                      "{\"expr\":\"${nosuch:function()}\"}\n"
                                      "not json\n"
                                      "{\"expr\":1}\n"
                                      "{\"expr\":\"\",\"attributes\":{\"a\":1}}\n"
                                      "{\"expr\":\"${getStateValue('k')}\",\"state\":{\"k\":\"kept\"}}",
                                      words);
    CHECK_INT(captured.code, 0);
    const char *at = captured.out;
    static const char *const starts[] = {"{\"value\":\"\xC3\xA9true\"}\n",
                                         "{\"value\":\"v\"}\n",
                                         "{\"error\":\"",
                                         "{\"error\":\"not JSON",
                                         "{\"error\":\"expected an object with text in \\\"expr\\\"\"}\n",
                                         "{\"error\":\"expected text in \\\"attributes\\\".\\\"a\\\"\"}\n",
                                         "{\"value\":\"kept\"}\n"};
    for (size_t i = 0; i < SL_COUNT(starts); i++) {
        if (strncmp(at, starts[i], strlen(starts[i])) != 0)
            sl_test_failed(__FILE__, __LINE__, "line %zu is \"%s\", expected \"%s\"", i, at, starts[i]);
        at = strchrnul(at, '\n');
        at += *at == '\n';
    }
    CHECK_STR(at, "");
    sl_captured_done(&captured);
}

/* ---- validate, describe ------------------------------------------------------------------------------------------ */

static const char good_flow[] = "sluice: 1\nname: good\nparameters:\n  n: {type: int, required: true}\nprocessors:\n"
                                "  make:\n    type: generate-flowfile\n    count: \"#{n}\"\n    to: {success: end}\n";

TEST(validate_tells_place_and_remedy)
{
    const char *good = sl_test_file("good.yaml", good_flow);
    const char *wrong =
        sl_test_file("wrong.yaml", "sluice: 1\nname: wrong\nprocessors:\n  make:\n    type: generate-flowfil\n    to: {success: end}\n");
    EXPECT(CAPTURE("validate", good), 0, "good.yaml: ok\n", NULL);
    EXPECT(CAPTURE("validate", good, wrong), 78, "good.yaml: ok\n", "wrong.yaml:5:11: error: ");
    EXPECT(CAPTURE("validate", wrong), 78, NULL, "generate-flowfile");
    EXPECT(CAPTURE("validate", good, "--complete"), 78, NULL, "n");
    EXPECT(CAPTURE("validate", good, "--complete", "--set", "n=3"), 0, "ok\n", NULL);
    EXPECT(CAPTURE("validate", "/nonexistent.yaml"), 78, NULL, "/nonexistent.yaml");
    EXPECT(CAPTURE("validate", good, "--live"), 2, NULL, "not in this version");
    sl_captured captured = CAPTURE("validate", "--json", good, wrong);
    json_t *list = json_loads(captured.out, 0, NULL);
    CHECK_INT(captured.code, 78);
    CHECK(json_is_true(json_object_get(json_array_get(list, 0), "valid")));
    json_t *problem = json_array_get(json_object_get(json_array_get(list, 1), "problems"), 0);
    CHECK_INT(json_integer_value(json_object_get(problem, "line")), 5);
    CHECK_INT(json_integer_value(json_object_get(problem, "column")), 11);
    json_decref(list);
    sl_captured_done(&captured);
}

TEST(the_configuration_gives_parameters_to_its_flow)
{
    const char *good = sl_test_file("good.yaml", good_flow);
    const char *config = sl_test_file("sluiced.yaml", "parameters: {good: {n: 3}, other: {n: x}}\n");
    EXPECT(CAPTURE("validate", good, "--complete", "--config", config), 0, "ok\n", NULL);
    EXPECT(CAPTURE("validate", good, "--complete", "--config", config, "--set", "n=x"), 78, NULL, "n");
    config = sl_test_file("sluiced.yaml", "parametres: {}\n");
    EXPECT(CAPTURE("validate", good, "--config", config), 78, NULL, "sluiced.yaml:1:1: error: ");
}

TEST(complete_asks_for_secrets)
{
    const char *flow =
        sl_test_file("sec.yaml", "sluice: 1\nname: sec\nservices:\n  store:\n    type: s3\n    endpoint: http://127.0.0.1:1\n"
                                 "    region: x\n    access_key_id: {secret: no_such_id}\n    secret_access_key: {secret: no_such_key}\n"
                                 "processors:\n  make:\n    type: generate-flowfile\n    count: 1\n    to: {success: up}\n"
                                 "  up:\n    type: put-s3\n    service: store\n    bucket: b\n    key: k\n"
                                 "    to: {success: end, failure: hold}\n");
    EXPECT(CAPTURE("validate", flow), 0, "ok\n", NULL);
    EXPECT(CAPTURE("validate", flow, "--complete"), 78, NULL, "no_such_key");
    setenv("SLUICE_SECRET_no_such_id", "a", 1);
    setenv("SLUICE_SECRET_no_such_key", "verysecret", 1);
    EXPECT(CAPTURE("validate", flow, "--complete"), 0, "ok\n", NULL);
    unsetenv("SLUICE_SECRET_no_such_id");
    unsetenv("SLUICE_SECRET_no_such_key");
}

TEST(describe_knows_every_type_of_the_modules)
{
    sl_modules *modules = NULL;
    char *folder = sl_modules_folder(NULL);
    CHECK_INT(sl_modules_load(folder, &modules, NULL), 0);
    size_t types = 0;
    const sl_module *module;
    for (size_t i = 0; modules && (module = sl_modules_at(modules, i)); i++) {
        for (size_t p = 0; p < module->processor_count; p++, types++) {
            EXPECT(CAPTURE("describe", module->processors[p].type), 0, module->processors[p].summary, NULL);
            sl_captured captured = CAPTURE("describe", "--json", module->processors[p].type);
            json_t *page = json_loads(captured.out, 0, NULL);
            CHECK_STR(json_string_value(json_object_get(page, "type")), module->processors[p].type);
            CHECK(json_is_array(json_object_get(page, "relationships")));
            json_decref(page);
            sl_captured_done(&captured);
        }
        for (size_t s = 0; s < module->service_count; s++, types++)
            EXPECT(CAPTURE("describe", module->services[s].type), 0, module->services[s].interface, NULL);
    }
    sl_captured captured = CAPTURE("describe", "--json");
    json_t *list = json_loads(captured.out, 0, NULL);
    CHECK_INT(json_array_size(list), types);
    CHECK(types > 5);
    json_decref(list);
    sl_captured_done(&captured);
    EXPECT(CAPTURE("describe", "get-fil"), 1, NULL, "did you mean `get-file`?");
    sl_modules_free(modules);
    free(folder);
}

/* ---- run, and what is said of its state afterwards ------------------------------------------------------------------ */

/* Two FlowFiles to one name, which takes only the first. */
static const char *held_flow(void)
{
    char *text = sl_asprintf("sluice: 1\nname: held\nprocessors:\n  make:\n    type: generate-flowfile\n    count: 2\n    size: 300KB\n"
                             "    attributes: {filename: same}\n    to: {success: store}\n  store:\n    type: put-file\n"
                             "    directory: \"%s\"\n    conflict: fail\n    to: {success: end, failure: hold}\n",
                             sl_test_path("out"));
    sl_make_dirs(sl_test_path("out"), 0700, NULL);
    const char *path = sl_test_file("held.yaml", text);
    free(text);
    return path;
}

static int damage_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)walk;
    if (kind != FTW_F || status->st_size < 1000) return 0;
    FILE *file = fopen(path, "r+");
    SL_ASSERT(file);
    fseek(file, 500, SEEK_SET);
    int was = fgetc(file);
    fseek(file, 500, SEEK_SET);
    fputc(was ^ 1, file);
    fclose(file);
    return 0;
}

/* The number of the newest event of the FlowFile that is held; the caller frees it. */
static char *held_event(const char *state)
{
    sl_captured captured = CAPTURE("queue", "list", "store.failure.hold", "--state", state, "--json");
    json_t *listing = json_loads(captured.out, 0, NULL);
    json_t *first = json_array_get(json_object_get(listing, "flowfiles"), 0);
    char *seq = sl_asprintf("%lld", (long long)json_integer_value(json_object_get(first, "seq")));
    json_decref(listing);
    sl_captured_done(&captured);
    return seq;
}

TEST(a_run_holds_and_its_state_can_be_examined)
{
    const char *flow = held_flow();
    char *state = sl_asprintf("%s/state", sl_test_folder());
    EXPECT(CAPTURE("run", flow, "--state", state, "--until-idle", "--timeout", "1m"), 1, "held: idle; 1 delivered, 1 held", NULL);
    EXPECT(CAPTURE("run", flow, "--state", state, "--until-idle", "--json"), 1, "\"held\":1", NULL);
    EXPECT(CAPTURE("queue", "list", "--state", state), 0, "held/store.failure.hold", NULL);
    EXPECT(CAPTURE("queue", "list", "store.failure.hold", "--state", state), 0, "same", NULL);
    EXPECT(CAPTURE("queue", "list", "store.failure.hold", "--state", state, "--json"), 0, "\"truncated\":false", NULL);
    EXPECT(CAPTURE("queue", "list", "nosuch", "--state", state), 1, NULL, "nosuch");
    EXPECT(CAPTURE("provenance", "--state", state, "--type", "SEND"), 0, "held/store", NULL);
    EXPECT(CAPTURE("provenance", "--state", state, "--type", "SENT"), 2, NULL, "no type of event");
    EXPECT(CAPTURE("provenance", "1", "--state", state), 0, "CREATE", NULL);
    EXPECT(CAPTURE("provenance", "1", "--state", state, "--flow", "x"), 2, NULL, "--flow has no meaning");
    EXPECT(CAPTURE("queue", "list", "--state", state, "--limit", "2"), 2, NULL, "--limit goes with a CONNECTION");
    EXPECT(CAPTURE("provenance", "999999", "--state", state), 1, NULL, "999999");
    EXPECT(CAPTURE("lineage", "nonsense", "--state", state), 2, NULL, "uuid");
    EXPECT(CAPTURE("doctor", "--state", state), 0, "all of it is whole", NULL);
    char *held = held_event(state);
    const char *to = sl_test_path("content");
    struct stat status;
    EXPECT(CAPTURE("content", held, "--state", state, "--output", to), 0, NULL, NULL);
    CHECK(stat(to, &status) == 0 && status.st_size == 300000);
    EXPECT(CAPTURE("content", held, "--state", state, "--output", to), 1, NULL, "File exists");
    EXPECT(CAPTURE("content", "1", "--state", state), 1, NULL, "No such file"); /* delivered: its bytes are released */
    free(held);
    char *own = sl_asprintf("%s/content", state);
    nftw(own, damage_one, 16, FTW_PHYS);
    EXPECT(CAPTURE("doctor", "--state", state), 1, "held/store.failure.hold: ", NULL);
    EXPECT(CAPTURE("doctor", "--state", state, "--json"), 1, "\"verdict\":\"damaged\"", NULL);
    free(own);
    free(state);
}

/* A flipped bit of the WAL would only end it early. */
static void checkpoint(const char *path)
{
    sqlite3 *db;
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

TEST(the_doctor_sees_a_flipped_bit_of_the_journal)
{
    const char *flow = held_flow();
    char *state = sl_asprintf("%s/state", sl_test_folder()), *segment = sl_asprintf("%s/journal/000001.db", state);
    EXPECT(CAPTURE("run", flow, "--state", state, "--until-idle", "--timeout", "1m"), 1, NULL, NULL);
    checkpoint(segment);
    sl_buf text = SL_BUF(64 << 20);
    CHECK_INT(sl_read_file(segment, 64 << 20, &text, NULL), 0);
    char *found = text.size ? memmem(text.data, text.size, "{\"filename\":\"same\"", 18) : NULL;
    CHECK(found != NULL);
    if (found) {
        FILE *file = fopen(segment, "r+");
        SL_ASSERT(file);
        fseek(file, found - text.data + 13, SEEK_SET);
        fputc('S', file);
        fclose(file);
        EXPECT(CAPTURE("doctor", "--state", state), 1, "CRC", NULL);
    }
    sl_buf_done(&text);
    free(segment);
    free(state);
}

TEST(a_run_that_cannot_be_is_refused_before_anything_is_made)
{
    const char *endless = sl_test_file(
        "endless.yaml", "sluice: 1\nname: endless\nprocessors:\n  make:\n    type: generate-flowfile\n    to: {success: end}\n");
    char *state = sl_asprintf("%s/state", sl_test_folder());
    EXPECT(CAPTURE("run", endless, "--state", state, "--until-idle"), 2, NULL, "would never end");
    EXPECT(CAPTURE("run", endless, "--state", state, "--timeout", "1s"), 2, NULL, "--timeout goes with --until-idle");
    EXPECT(CAPTURE("run", endless, "--state", state, "--until-idle", "--timeout", "soon"), 2, NULL, "duration");
    free(state);
    state = sl_asprintf("%s/never", sl_test_folder());
    EXPECT(CAPTURE("run", "/nonexistent.yaml", "--state", state), 78, NULL, "/nonexistent.yaml");
    CHECK(access(state, F_OK) != 0);
    free(state);
}

TEST(state_is_kept_below_the_state_home)
{
    const char *good = sl_test_file("good.yaml", good_flow);
    setenv("XDG_STATE_HOME", sl_test_folder(), 1);
    EXPECT(CAPTURE("run", good, "--set", "n=2", "--until-idle", "--timeout", "1m"), 0, "good: idle; 2 delivered, 0 held", NULL);
    unsetenv("XDG_STATE_HOME");
    CHECK(access(sl_test_path("sluice/good/journal"), F_OK) == 0);
    /* It goes on where it was: the two are made already. */
    setenv("XDG_STATE_HOME", sl_test_folder(), 1);
    EXPECT(CAPTURE("run", good, "--set", "n=2", "--until-idle", "--timeout", "1m"), 0, "good: idle; 0 delivered, 0 held", NULL);
    unsetenv("XDG_STATE_HOME");
}

TEST(a_daemon_that_is_not_there_is_said_with_what_was_tried)
{
    char *url = sl_asprintf("unix:%s/no.sock", sl_test_folder());
    EXPECT(CAPTURE("status", "--url", url), 69, NULL, "no.sock (No such file or directory)");
    EXPECT(CAPTURE("status", "--url", "ftp://x"), 2, NULL, "expected a URL");
    setenv("SLUICE_URL", url, 1);
    EXPECT(CAPTURE("queue", "replay", "a.b.hold"), 69, NULL, "not reachable");
    unsetenv("SLUICE_URL");
    free(url);
}

TEST(later_commands_say_so)
{
    EXPECT(CAPTURE("top"), 2, NULL, "top: not in this version");
    EXPECT(CAPTURE("queue", "move", "a", "b"), 2, NULL, "queue move: not in this version");
    EXPECT(CAPTURE("completion", "tcsh"), 2, NULL, "bash, zsh or fish");
    EXPECT(CAPTURE("completion", "bash"), 0, "complete -o default -F _sluice sluice", NULL);
    EXPECT(CAPTURE("completion", "zsh"), 0, "#compdef sluice\n", NULL);
    EXPECT(CAPTURE("completion", "bash", "--json"), 2, NULL, "JSON");
}
