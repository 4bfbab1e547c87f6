/* main() of every program of unit tests: runs all, or those named; one line a test, TAP-like. */
#include "test.h"

#include <ftw.h>
#include <unistd.h>

static sl_test *tests, **last = &tests;
static int failures;
static char folder[64];

void sl_test_register(sl_test *test)
{
    *last = test;
    last = &test->next;
}

void sl_test_failed(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("  %s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    failures++;
}

const char *sl_test_folder(void)
{
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/sluice-unit-XXXXXX");
        SL_ASSERT(mkdtemp(folder));
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static bool selected(const sl_test *test, int count, char **names)
{
    if (count == 0) return true;
    for (int i = 0; i < count; i++)
        if (strcmp(test->name, names[i]) == 0) return true;
    return false;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (sl_test *test = tests; test; test = test->next) {
        if (!selected(test, argc - 1, argv + 1)) continue;
        failures = 0;
        test->run();
        if (folder[0]) nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        folder[0] = 0;
        printf("%s %s\n", failures ? "not ok" : "ok", test->name);
        failures ? failed++ : passed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}
