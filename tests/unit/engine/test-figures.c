/* The engine's figures through a day and over restarts. */
#include "rig.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#define FLOW                                                          \
    "  make: {type: misbehave-source, count: 7, to: {success: it}}\n" \
    "  it: {type: misbehave, to: {success: hold, other: end, failure: hold}}\n"

static json_t *history(rig *r, const char *component, int64_t step)
{
    sl_buf text = SL_BUF(1 << 24);
    sl_error error = {0};
    CHECK_INT(sl_engine_history_json(r->engine, sl_str_of(component), 0, 0, step, &text, &error), 0);
    json_t *root = json_loads(text.data ? text.data : "", 0, NULL);
    CHECK(root != NULL);
    sl_buf_done(&text);
    return root;
}

static long long sum(const json_t *points, const char *name)
{
    long long all = 0;
    const json_t *point;
    size_t i;
    json_array_foreach(points, i, point) all += json_integer_value(json_object_get(point, name));
    return all;
}

static long long last(const json_t *points, const char *name)
{
    return json_integer_value(json_object_get(json_array_get(points, json_array_size(points) - 1), name));
}

static void check_day(rig *r)
{
    json_t *root = history(r, "t/it", 60 * SL_SECOND), *points = json_object_get(root, "points");
    CHECK_INT(sum(points, "in"), 7);
    CHECK_INT(sum(points, "out"), 7);
    CHECK_INT(last(json_object_get(json_object_get(root, "figures"), "tries"), "value"), 7);
    json_decref(root);
    root = history(r, "it.success.hold", 600 * SL_SECOND);
    points = json_object_get(root, "points");
    CHECK_STR(json_string_value(json_object_get(root, "kind")), "connection");
    CHECK_INT(sum(points, "in"), 7);
    CHECK_INT(last(points, "objects"), 7);
    json_decref(root);
}

static long long five_minutes(rig *r, const char *list, const char *id, const char *name)
{
    sl_buf text = SL_BUF(1 << 20);
    long long found = -1;
    json_t *item;
    size_t i;
    sl_engine_status_json(r->engine, &text);
    json_t *root = json_loads(text.data, 0, NULL);
    json_array_foreach(json_object_get(root, list), i, item) if (strcmp(json_string_value(json_object_get(item, "id")), id) == 0) found =
        json_integer_value(json_object_get(json_object_get(item, "five_minutes"), name));
    json_decref(root);
    sl_buf_done(&text);
    return found;
}

static bool is_written(rig *r) { return !r->engine->history_writing; }

TEST(a_day_and_five_minutes_survive_a_restart)
{
    rig *r = rig_open(FLOW, false);
    rig_until(r, rig_is_idle);
    rig_set_clock(61 * SL_SECOND);
    sl_engine_history_tick(r->engine);
    rig_until(r, is_written);
    check_day(r);
    CHECK_INT(five_minutes(r, "processors", "t/it", "in"), 7);
    CHECK_INT(five_minutes(r, "connections", "it.success.hold", "in"), 7);
    rig_close(r);
    rig_set_clock(125 * SL_SECOND);
    r = rig_open(FLOW, false);
    check_day(r);
    CHECK_INT(five_minutes(r, "processors", "t/it", "in"), 7);
    CHECK_INT(five_minutes(r, "connections", "it.success.hold", "in"), 7);
    rig_close(r);
    rig_set_clock(86400 * 2 * SL_SECOND);
    r = rig_open(FLOW, false);
    CHECK_INT(five_minutes(r, "processors", "t/it", "in"), 0);
    rig_close(r);
    rig_set_clock(0);
}

TEST(a_damaged_file_begins_anew_and_is_told)
{
    rig *r = rig_open(FLOW, false);
    rig_until(r, rig_is_idle);
    rig_close(r);
    char *path = rig_path("state/history");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK_INT(pwrite(fd, "xxxx", 4, 20), 4);
    CHECK_INT(close(fd), 0);
    r = rig_open(FLOW, false);
    sl_buf said = SL_BUF(1 << 20);
    sl_engine_bulletins_json(r->engine, 0, 100, &said, NULL);
    CHECK(strstr(said.data, "the figures of the day begin anew") != NULL);
    sl_buf_done(&said);
    rig_until(r, rig_is_idle);
    rig_close(r);
    free(path);
}

TEST(what_is_asked_wrongly_is_said)
{
    rig *r = rig_open(FLOW, false);
    sl_buf text = SL_BUF(1 << 20);
    sl_error error = {0};
    CHECK_INT(sl_engine_history_json(r->engine, SL_STR("t/it"), 0, 0, 60 * SL_SECOND, &text, &error), 0);
    CHECK(strstr(text.data, "\"points\":[]") != NULL);
    rig_until(r, rig_is_idle);
    rig_set_clock(61 * SL_SECOND);
    sl_engine_history_tick(r->engine);
    CHECK_INT(sl_engine_history_json(r->engine, SL_STR("nobody"), 0, 0, 60 * SL_SECOND, &text, &error), -1);
    CHECK_INT(sl_engine_history_json(r->engine, SL_STR("it"), 0, 0, 61 * SL_SECOND, &text, &error), -1);
    CHECK(strstr(error.text, "whole minutes") != NULL);
    CHECK_INT(sl_engine_history_json(r->engine, SL_STR("it"), 0, 0, 60 * SL_SECOND, &text, &error), 0);
    sl_buf_done(&text);
    rig_close(r);
    rig_set_clock(0);
}
