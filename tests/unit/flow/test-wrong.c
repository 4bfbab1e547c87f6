/* Every flow of tests/flows-wrong must be refused, for the reasons in its first lines and for no other:
 *   # expect LINE:COLUMN: error: A PART OF THE MESSAGE */
#include "test.h"

#include <dirent.h>

#include "base/sys.h"
#include "flow/registry.h"

typedef struct expected {
    unsigned line, column;
    sl_str part;
    bool found;
} expected;

static size_t read_expected(sl_str text, expected *ret, size_t most)
{
    size_t count = 0;
    while (count < most && sl_str_starts(text, "# expect ")) {
        const char *end = memchr(text.data, '\n', text.size);
        int at = 0;
        if (!end || sscanf(text.data, "# expect %u:%u: error: %n", &ret[count].line, &ret[count].column, &at) != 2 || !at) return 0;
        ret[count].part = (sl_str){text.data + at, (size_t)(end - text.data - at)};
        ret[count++].found = false;
        text = (sl_str){end + 1, text.size - (size_t)(end + 1 - text.data)};
    }
    return count;
}

static bool is(const sl_problem *problem, const expected *e)
{
    return !problem->warning && problem->mark.line == e->line && problem->mark.column == e->column &&
           memmem(problem->message, strlen(problem->message), e->part.data, e->part.size);
}

static void compare(const char *file, const sl_problems *problems, expected *e, size_t count)
{
    for (size_t i = 0; i < problems->count; i++) {
        const sl_problem *problem = &problems->items[i];
        bool known = problem->warning;
        for (size_t k = 0; k < count; k++)
            if (is(problem, &e[k])) known = e[k].found = true;
        if (!known)
            sl_test_failed(__FILE__, __LINE__, "%s: not expected: %u:%u: %s", file, problem->mark.line, problem->mark.column,
                           problem->message);
    }
    for (size_t k = 0; k < count; k++)
        if (!e[k].found)
            sl_test_failed(__FILE__, __LINE__, "%s: expected %u:%u: %.*s", file, e[k].line, e[k].column, SL_STR_ARGS(e[k].part));
}

static void run(const char *file)
{
    char path[512];
    expected e[16];
    sl_buf text = SL_BUF(1 << 20);
    sl_problems problems = {0};
    sl_flow_options options = {.registry = &test_registry};
    snprintf(path, sizeof path, "%s/%s", FLOWS_WRONG, file);
    CHECK_INT(sl_read_file(path, 1 << 20, &text, NULL), 0);
    size_t count = read_expected(sl_buf_view(&text), e, SL_COUNT(e));
    if (!count) sl_test_failed(__FILE__, __LINE__, "%s: the first line is no `# expect LINE:COLUMN: error: TEXT`", file);
    sl_flow *flow = sl_flow_load(path, &options, &problems);
    CHECK(!flow);
    compare(file, &problems, e, count);
    sl_flow_free(flow);
    sl_problems_done(&problems);
    sl_buf_done(&text);
}

TEST(every_wrong_flow_says_where_and_why)
{
    DIR *folder = opendir(FLOWS_WRONG);
    size_t count = 0;
    SL_ASSERT(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (sl_str_ends(sl_str_of(entry->d_name), ".yaml")) run(entry->d_name), count++;
    closedir(folder);
    CHECK(count >= 20);
}
