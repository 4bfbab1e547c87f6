/* What the service manager hears. */
#include "test.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/notify.h"

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') address.sun_path[0] = 0;
    SL_ASSERT(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) == 0);
    return fd;
}

static void hear(int fd, const char *start)
{
    char text[256] = "";
    ssize_t size = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    CHECK(size > 0);
    if (strncmp(text, start, strlen(start)) != 0) sl_test_failed(__FILE__, __LINE__, "heard \"%s\", expected \"%s\"", text, start);
}

TEST(the_manager_hears_by_path_and_by_abstract_name)
{
    char *path = sl_asprintf("%s/notify", sl_test_folder()), *name = sl_asprintf("@sluice-test-%d", (int)getpid());
    int by_path = listen_at(path), by_name = listen_at(name);
    setenv("NOTIFY_SOCKET", path, 1);
    sl_notify("READY=1");
    hear(by_path, "READY=1");
    sl_notify_reloading();
    hear(by_path, "RELOADING=1\nMONOTONIC_USEC=");
    setenv("NOTIFY_SOCKET", name, 1);
    sl_notify("STOPPING=1");
    hear(by_name, "STOPPING=1");
    unsetenv("NOTIFY_SOCKET");
    sl_notify("READY=1"); /* nobody asked */
    close(by_path);
    close(by_name);
    free(path);
    free(name);
}

TEST(signs_of_life_are_wanted_of_this_process_only)
{
    char *pid = sl_asprintf("%d", (int)getpid());
    unsetenv("WATCHDOG_USEC");
    CHECK_INT(sl_notify_watchdog(), 0);
    setenv("WATCHDOG_USEC", "60000000", 1);
    unsetenv("WATCHDOG_PID");
    CHECK_INT(sl_notify_watchdog(), 60000000);
    setenv("WATCHDOG_PID", pid, 1);
    CHECK_INT(sl_notify_watchdog(), 60000000);
    setenv("WATCHDOG_PID", "1", 1);
    CHECK_INT(sl_notify_watchdog(), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    free(pid);
}
