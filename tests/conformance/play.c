#include "play.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#include "base/sys.h"

enum { MOST_LINES = 256 };

typedef struct lines {
    char *items[MOST_LINES];
    size_t count;
} lines;

bool play_dies(const scenario *scenario)
{
    return strstr(scenario->script, " die,") || (scenario->more && strstr(scenario->more, "effect_dies: true"));
}

char *play_out(void)
{
    sl_error error = {0};
    char *out = sl_asprintf("%s/out", sl_test_folder());
    if (sl_make_dirs(out, 0755, &error) < 0) sl_panic(__FILE__, __LINE__, "%s", error.text);
    return out;
}

char *play_module(void)
{
    char binary[PATH_MAX] = "";
    if (readlink("/proc/self/exe", binary, sizeof binary - 1) < 0) sl_panic(__FILE__, __LINE__, "cannot read /proc/self/exe");
    return sl_asprintf("%s/module", dirname(binary));
}

static void add(lines *lines, const char *prefix, sl_str text)
{
    SL_ASSERT(lines->count < MOST_LINES);
    lines->items[lines->count++] = sl_asprintf("%s%.*s\n", prefix, SL_STR_ARGS(text));
}

static void add_each_line(lines *lines, const char *prefix, sl_str text)
{
    while (text.size) {
        const char *newline = memchr(text.data, '\n', text.size);
        size_t size = newline ? (size_t)(newline - text.data) : text.size;
        add(lines, prefix, (sl_str){text.data, size});
        size_t used = SL_MIN(size + 1, text.size);
        text = (sl_str){text.data + used, text.size - used};
    }
}

static void add_file(lines *lines, const char *prefix, const char *path)
{
    sl_buf text = SL_BUF(1 << 20);
    if (sl_read_file(path, 1 << 20, &text, NULL) == 0) add_each_line(lines, prefix, sl_buf_view(&text));
    sl_buf_done(&text);
}

/* What the sink of a relationship wrote. */
static void add_folder(lines *lines, const char *out, const char *label)
{
    char *folder = sl_asprintf("%s/%s", out, label), *prefix = sl_asprintf("%s: ", label);
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char *path = sl_asprintf("%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') add_file(lines, prefix, path);
        free(path);
    }
    if (directory) closedir(directory);
    free(folder);
    free(prefix);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void play_check(const scenario *scenario, const char *out, const sl_buf *events)
{
    static const char *const labels[] = {"success", "other", "failure"};
    lines found = {0};
    sl_buf text = SL_BUF(1 << 20);
    char *effects = sl_asprintf("%s/effects", out);
    add_file(&found, "effect: ", effects);
    add_each_line(&found, "", sl_buf_view(events));
    for (size_t i = 0; i < SL_COUNT(labels); i++) add_folder(&found, out, labels[i]);
    qsort(found.items, found.count, sizeof found.items[0], by_text);
    for (size_t i = 0; i < found.count; i++) {
        sl_buf_text(&text, found.items[i]);
        free(found.items[i]);
    }
    CHECK_STR(text.data, scenario->expect);
    sl_buf_done(&text);
    free(effects);
}
