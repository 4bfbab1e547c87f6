#include "test.h"

#include <sys/stat.h>

#include "api/api.h"
#include "api/auth.h"
#include "base/sys.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

TEST(who_asks)
{
    sl_auth auth;
    sl_auth_init(&auth, TOKEN, NULL, 0);
    CHECK_INT(sl_auth_identify(&auth, NULL, NULL), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, "Bearer " TOKEN, NULL), SL_BY_BEARER);
    CHECK_INT(sl_auth_identify(&auth, "bearer  " TOKEN " ", NULL), SL_BY_BEARER);
    CHECK_INT(sl_auth_identify(&auth, "Bearer " TOKEN "0", NULL), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, "Bearer 0123456789abcdef0123456789abcdee", NULL), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, "Bearer ", NULL), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, "Basic " TOKEN, NULL), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, TOKEN, NULL), SL_NOBODY);
    sl_auth_done(&auth);
}

TEST(a_cookie_is_not_the_token)
{
    sl_auth auth;
    sl_auth_init(&auth, TOKEN, NULL, 0);
    sl_buf given = SL_BUF(1000);
    sl_auth_cookie(&auth, false, &given);
    CHECK(!strstr(given.data, TOKEN));
    CHECK(strstr(given.data, "; HttpOnly; SameSite=Strict"));
    char *cookie = sl_strndup(given.data, strcspn(given.data, ";")), *among = sl_asprintf("a=b; %s ;c=d", cookie);
    CHECK_INT(sl_auth_identify(&auth, NULL, cookie), SL_BY_COOKIE);
    CHECK_INT(sl_auth_identify(&auth, "Bearer wrong", among), SL_BY_COOKIE);
    char *longer = sl_asprintf("%s0", cookie), *renamed = sl_asprintf("x%s", cookie);
    CHECK_INT(sl_auth_identify(&auth, NULL, longer), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, NULL, renamed), SL_NOBODY);
    cookie[strlen(cookie) - 1] ^= 1;
    CHECK_INT(sl_auth_identify(&auth, NULL, cookie), SL_NOBODY);
    CHECK_INT(sl_auth_identify(&auth, NULL, ";;; ="), SL_NOBODY);
    sl_buf_clear(&given);
    sl_auth_cookie(&auth, true, &given);
    CHECK(strstr(given.data, "=; ") && strstr(given.data, "Max-Age=0"));
    char *texts[] = {cookie, among, longer, renamed};
    for (size_t i = 0; i < SL_COUNT(texts); i++) free(texts[i]);
    sl_buf_done(&given);
    sl_auth_done(&auth);
}

TEST(hosts_of_this_machine_only)
{
    static const char *const hosts[] = {"sluice.example"};
    sl_auth auth;
    sl_auth_init(&auth, TOKEN, hosts, 1);
    static const char *const good[] = {"127.0.0.1",  "127.0.0.1:8470", "localhost",      "LocalHost:1",        "[::1]",
                                       "[::1]:8470", "10.0.0.5:80",    "sluice.example", "Sluice.Example:8470"};
    static const char *const bad[] = {"",
                                      "evil.example",
                                      "evil.example:8470",
                                      "127.0.0.1.evil.example",
                                      "localhost.evil.example",
                                      "[::1].evil",
                                      "[::1",
                                      ":8470",
                                      "sluice.example.evil",
                                      "[]"};
    for (size_t i = 0; i < SL_COUNT(good); i++)
        if (!sl_auth_host(&auth, good[i])) sl_test_failed(__FILE__, __LINE__, "%s is refused", good[i]);
    for (size_t i = 0; i < SL_COUNT(bad); i++)
        if (sl_auth_host(&auth, bad[i])) sl_test_failed(__FILE__, __LINE__, "%s is taken", bad[i]);
    CHECK(!sl_auth_host(&auth, NULL));
    sl_auth_done(&auth);
}

TEST(writes_come_from_the_own_page)
{
    CHECK(sl_auth_origin("127.0.0.1:8470", "http://127.0.0.1:8470", NULL));
    CHECK(sl_auth_origin("sluice.example", "https://sluice.example", "same-origin"));
    CHECK(!sl_auth_origin("127.0.0.1:8470", "http://127.0.0.1:9999", "same-origin"));
    CHECK(!sl_auth_origin("127.0.0.1:8470", "null", NULL));
    CHECK(!sl_auth_origin("127.0.0.1:8470", "http://127.0.0.1:8470.evil", NULL));
    CHECK(!sl_auth_origin("127.0.0.1:8470", NULL, NULL));
    CHECK(!sl_auth_origin("127.0.0.1:8470", NULL, "same-site"));
    CHECK(sl_auth_origin("127.0.0.1:8470", NULL, "same-origin"));
    CHECK(!sl_auth_origin(NULL, "http://127.0.0.1:8470", "same-origin"));
}

TEST(a_token_is_made_once)
{
    sl_error error = {0};
    sl_buf first = SL_BUF(4096), second = SL_BUF(4096);
    struct stat status;
    char *path = sl_asprintf("%s/token", sl_test_folder());
    CHECK_INT(sl_api_token(sl_test_folder(), &first, &error), 0);
    CHECK_INT(first.size, 64);
    CHECK_INT(stat(path, &status), 0);
    CHECK_INT(status.st_mode & 0777, 0600);
    CHECK_INT(sl_api_token(sl_test_folder(), &second, &error), 0);
    CHECK_STR(second.data, first.data);
    CHECK_INT(sl_write_file_durably(path, SL_STR("short\n"), 0600, &error), 0);
    sl_buf_clear(&second);
    CHECK_INT(sl_api_token(sl_test_folder(), &second, &error), -1);
    CHECK(strstr(error.text, "at least 16"));
    CHECK_INT(sl_write_file_durably(path, SL_STR("a token with blanks\n"), 0600, &error), 0);
    CHECK_INT(sl_api_token(sl_test_folder(), &second, &error), -1);
    free(path);
    sl_buf_done(&first);
    sl_buf_done(&second);
}
