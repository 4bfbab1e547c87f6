#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"

static sl_level least_level = SL_INFO;

void sl_log_level(sl_level least) { least_level = least; }

int sl_log_level_parse(const char *text, sl_level *ret)
{
    static const struct {
        const char *name;
        sl_level level;
    } names[] = {{"error", SL_ERROR}, {"warning", SL_WARNING}, {"info", SL_INFO}, {"debug", SL_DEBUG}};
    for (size_t i = 0; i < SL_COUNT(names); i++)
        if (strcmp(names[i].name, text) == 0) return *ret = names[i].level, 0;
    return -1;
}

static const char *level_name(sl_level level)
{
    return level <= SL_ERROR ? "error" : level == SL_WARNING ? "warning" : level == SL_INFO ? "info" : "debug";
}

/* File names come from outside: a control byte must not write to somebody's terminal or forge a line. */
static void add_printable(sl_buf *line, const char *text)
{
    sl_str all = sl_str_of(text);
    for (size_t at = 0, size; at < all.size; at += size) {
        unsigned char c = (unsigned char)text[at];
        size = sl_utf8_sequence(all, at);
        if (size > 1 || (size == 1 && c >= 0x20 && c != 0x7F)) {
            sl_buf_add(line, text + at, size);
        } else {
            sl_buf_printf(line, "\\x%02X", c);
            size = 1;
        }
    }
}

static void write_line(const sl_buf *line)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    ssize_t written = write(STDERR_FILENO, line->data, line->size);
    (void)written; /* there is nowhere to say that stderr is gone */
    pthread_mutex_unlock(&lock);
}

void sl_log(sl_level level, const char *where, const char *format, ...)
{
    if (level > least_level) return;
    char text[4096], time[SL_TIME_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_buf line = SL_BUF(64 * 1024);
    if (getenv("JOURNAL_STREAM")) sl_buf_printf(&line, "<%d>", (int)level);
    else sl_buf_printf(&line, "%s %-7s ", sl_time_format(sl_now(), time), level_name(level));
    add_printable(&line, where);
    sl_buf_text(&line, ": ");
    add_printable(&line, text);
    sl_buf_char(&line, '\n');
    write_line(&line);
    sl_buf_done(&line);
}
