/* What counts as the beginning of JSON. */
#include "content/json-prefix.h"
#include "test.h"

static bool part(const char *text) { return json_prefix(text, strlen(text), false); }
static bool whole(const char *text) { return json_prefix(text, strlen(text), true); }

TEST(whole_documents)
{
    CHECK(whole("{}") && whole(" [ ] \n") && whole("\xEF\xBB\xBF{\"a\":1}"));
    CHECK(whole("{\"a\":[1,-2.5e+3,true,false,null,\"x\\n\\u00e9\\\"\"],\"b\":{\"c\":{}}}"));
    CHECK(!whole("{") && !whole("[1,]") && !whole("{\"a\"}") && !whole("{a:1}") && !whole("{} {}") && !whole(""));
    CHECK(!whole("[1 2]") && !whole("[tru]") && !whole("{\"a\":1,}") && !whole("[}") && !whole("{]"));
    CHECK(!whole("1") && !whole("\"text\"") && !whole("   "));
    CHECK(!whole("[\"a\nb\"]") && !whole("[\"\\x\"]"));
}

TEST(every_prefix_of_a_document_is_one)
{
    const char *document =
        "[{\"name\": \"a \\\"b\\\" \\u20ac\", \"n\": -12.5e3, \"ok\": true, \"no\": null, \"deep\": [[[{}]], false]}, 7]";
    for (size_t size = 1; size <= strlen(document); size++) CHECK(json_prefix(document, size, false));
    CHECK(whole(document));
}

TEST(other_text_is_not)
{
    CHECK(!part("hello") && !part("{hello") && !part("[hello") && !part("[2024-05-01] log line") && !part("{% template %}"));
    CHECK(!part("[section]\nkey=value\n") && !part("{\"a\"=") && !part(""));
}

TEST(depth_is_bounded)
{
    char deep[5000];
    memset(deep, '[', sizeof deep);
    CHECK(json_prefix(deep, 512, false));
    CHECK(!json_prefix(deep, 513, false));
    CHECK(!json_prefix(deep, sizeof deep, false));
}
