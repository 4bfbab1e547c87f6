/* A test is one block: TEST(name) { ... } registers itself; a program of tests is test.c and one test-*.c.
 * CHECK continues after a failure, so that one run shows all of them. */
#ifndef SL_TEST_H
#define SL_TEST_H

#include <stdio.h>

#include "base/base.h"

typedef struct sl_test {
    const char *name;
    void (*run)(void);
    struct sl_test *next;
} sl_test;

void sl_test_register(sl_test *test);
void sl_test_failed(const char *file, int line, const char *format, ...) SL_PRINTF(3, 4);
/* A fresh folder for this test, removed at its end. */
const char *sl_test_folder(void);

#define TEST(name_)                                                                                        \
    static void test_##name_(void);                                                                        \
    static sl_test record_##name_ = {#name_, test_##name_, NULL};                                          \
    __attribute__((constructor)) static void register_##name_(void) { sl_test_register(&record_##name_); } \
    static void test_##name_(void)

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) sl_test_failed(__FILE__, __LINE__, "%s", #condition); \
    } while (0)
#define CHECK_INT(found, expected)                                                                                           \
    do {                                                                                                                     \
        long long found_ = (long long)(found), expected_ = (long long)(expected);                                            \
        if (found_ != expected_) sl_test_failed(__FILE__, __LINE__, "%s is %lld, expected %lld", #found, found_, expected_); \
    } while (0)
#define CHECK_STR(found, expected)                                                                                              \
    do {                                                                                                                        \
        const char *found_ = (found), *expected_ = (expected);                                                                  \
        if (!found_ || strcmp(found_, expected_) != 0)                                                                          \
            sl_test_failed(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #found, found_ ? found_ : "(null)", expected_); \
    } while (0)
#define CHECK_VIEW(found, expected)                                                                                       \
    do {                                                                                                                  \
        sl_str found_ = (found);                                                                                          \
        if (!sl_str_is(found_, expected))                                                                                 \
            sl_test_failed(__FILE__, __LINE__, "%s is \"%.*s\", expected \"%s\"", #found, SL_STR_ARGS(found_), expected); \
    } while (0)

#endif
