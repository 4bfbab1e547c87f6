/* At build time: fills a manual page's @VERSION@, @COMMANDS@ and @OPTIONS@ from the command tables, so that the pages
 * say what the programs do.
 *
 *   manual PAGE.in PAGE
 */
#include <stdio.h>

#include "base/sys.h"
#include "cli/help.h"

enum { PAGE_LIMIT = 4 * 1024 * 1024 };

static void replace(sl_buf *page, const char *mark, const sl_buf *with)
{
    sl_buf made = SL_BUF(PAGE_LIMIT);
    const char *at = page->data, *found;
    while ((found = strstr(at, mark))) {
        sl_buf_add(&made, at, (size_t)(found - at));
        sl_buf_str(&made, sl_buf_view(with));
        at = found + strlen(mark);
    }
    sl_buf_text(&made, at);
    sl_buf_done(page);
    *page = made;
}

int main(int argc, char **argv)
{
    sl_error error = {0};
    sl_buf page = SL_BUF(PAGE_LIMIT), version = SL_BUF(64), commands = SL_BUF(PAGE_LIMIT), options = SL_BUF(PAGE_LIMIT);
    if (argc != 3) return fprintf(stderr, "usage: manual PAGE.in PAGE\n"), SL_EXIT_USAGE;
    sl_buf_text(&version, SL_VERSION);
    sl_manual_commands(&commands);
    sl_manual_options(&sl_daemon_command, &options);
    int result = sl_read_file(argv[1], PAGE_LIMIT, &page, &error);
    if (result == 0) {
        replace(&page, "@VERSION@", &version);
        replace(&page, "@COMMANDS@\n", &commands);
        replace(&page, "@OPTIONS@\n", &options);
        result = sl_write_file_durably(argv[2], sl_buf_view(&page), 0644, &error);
    }
    if (result < 0) fprintf(stderr, "manual: %s\n", error.text);
    sl_buf_done(&page);
    sl_buf_done(&version);
    sl_buf_done(&commands);
    sl_buf_done(&options);
    return result < 0 ? SL_EXIT_FAILED : SL_EXIT_DONE;
}
