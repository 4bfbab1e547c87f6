/* The set of texts, against one that is too simple to be wrong. */
#include "file/set.h"

#include "test.h"

TEST(adds_removes_and_knows)
{
    file_set set = {0};
    bool there[500] = {0};
    size_t count = 0;
    uint32_t random = 1;
    char text[16];
    for (int i = 0; i < 20000; i++) {
        random = random * 1103515245 + 12345;
        size_t at = random / 65536 % 500;
        snprintf(text, sizeof text, "%zu", at);
        CHECK(file_set_has(&set, text) == there[at]);
        if (i % 3) {
            CHECK(file_set_add(&set, text) == !there[at]);
            count += !there[at];
            there[at] = true;
        } else {
            file_set_remove(&set, text);
            count -= there[at];
            there[at] = false;
        }
        if (set.count != count) break;
    }
    CHECK_INT(set.count, count);
    CHECK(set.capacity <= 4096);
    file_set_done(&set);
    CHECK(!file_set_has(&set, "1"));
    file_set_done(&set);
}
