#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"

enum { CELL_LIMIT = 64 * 1024 };

/* ---- text from outside ------------------------------------------------------------------------------- */

static void add_safe(sl_buf *buf, sl_str text, bool lines)
{
    for (size_t at = 0, size; at < text.size; at += size) {
        unsigned char c = (unsigned char)text.data[at];
        size = sl_utf8_sequence(text, at);
        /* C1 controls (U+0080 to U+009F) are as live on some terminals as those below a blank. */
        bool control = (size == 1 && (c < 0x20 || c == 0x7F)) || (size == 2 && c == 0xC2 && (unsigned char)text.data[at + 1] < 0xA0);
        if (size && (!control || (lines && c == '\n'))) {
            sl_buf_add(buf, text.data + at, size);
            continue;
        }
        size = SL_MAX(size, 1U);
        for (size_t i = 0; i < size; i++) sl_buf_printf(buf, "\\x%02X", (unsigned char)text.data[at + i]);
    }
}

void sl_add_printable(sl_buf *buf, sl_str text) { add_safe(buf, text, false); }
void sl_add_printable_lines(sl_buf *buf, sl_str text) { add_safe(buf, text, true); }

int sl_complain(int code, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_buf line = SL_BUF(64 * 1024);
    sl_buf_text(&line, "sluice: ");
    sl_add_printable_lines(&line, sl_str_of(text));
    fprintf(stderr, "%s\n", line.data);
    sl_buf_done(&line);
    return code;
}

int sl_print(sl_buf *buf)
{
    size_t at = 0;
    int code = SL_EXIT_DONE;
    while (at < buf->size) {
        ssize_t written = write(STDOUT_FILENO, buf->data + at, buf->size - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            /* `sluice ... | head` is no failure of ours to speak of. */
            if (errno != EPIPE) sl_complain(0, "cannot write to standard output: %s", strerror(errno));
            code = SL_EXIT_FAILED;
            break;
        }
        at += (size_t)written;
    }
    sl_buf_done(buf);
    return code;
}

/* ---- colour ------------------------------------------------------------------------------------------- */

bool sl_coloured(void)
{
    static int known = -1;
    if (known < 0) {
        const char *terminal = getenv("TERM"), *never = getenv("NO_COLOR");
        known = isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0 && !(never && *never);
    }
    return known;
}

void sl_add_styled(sl_buf *buf, sl_style style, const char *text)
{
    static const char *const codes[] = {"", "1", "2", "31", "32", "33"};
    bool coloured = style != SL_PLAIN && sl_coloured();
    if (coloured) sl_buf_printf(buf, "\033[%sm", codes[style]);
    sl_buf_text(buf, text);
    if (coloured) sl_buf_text(buf, "\033[0m");
}

/* ---- tables ------------------------------------------------------------------------------------------- */

static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void sl_table_cell(sl_table *table, sl_style style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *raw = NULL;
    int size = vasprintf(&raw, format, arguments);
    va_end(arguments);
    SL_ASSERT(size >= 0);
    sl_buf text = SL_BUF(CELL_LIMIT);
    sl_add_printable(&text, (sl_str){raw, SL_MIN((size_t)size, (size_t)CELL_LIMIT / 4)});
    free(raw);
    table->cells = sl_grow(table->cells, table->count, &table->capacity, sizeof *table->cells);
    char *taken = sl_buf_take(&text);
    table->cells[table->count++] = (struct sl_cell){taken, width_of(taken), style};
}

static void add_blanks(sl_buf *buf, size_t count)
{
    while (count--) sl_buf_char(buf, ' ');
}

static void add_cell(sl_buf *ret, const sl_table *table, size_t column, const struct sl_cell *cell, size_t width)
{
    bool right = table->heads[column][0] == '-', last = column + 1 == table->columns;
    if (column) sl_buf_text(ret, "  ");
    if (right) add_blanks(ret, width - cell->width);
    sl_add_styled(ret, cell->style, cell->text);
    if (!right && !last) add_blanks(ret, width - cell->width);
    if (last) sl_buf_char(ret, '\n');
}

void sl_table_print(const sl_table *table, sl_buf *ret)
{
    SL_ASSERT(table->columns > 0);
    size_t *widths = sl_alloc(table->columns * sizeof *widths);
    for (size_t i = 0; i < table->columns; i++) widths[i] = width_of(table->heads[i]) - (table->heads[i][0] == '-');
    for (size_t i = 0; i < table->count; i++) widths[i % table->columns] = SL_MAX(widths[i % table->columns], table->cells[i].width);
    for (size_t i = 0; i < table->columns; i++) {
        char *head = sl_strdup(table->heads[i] + (table->heads[i][0] == '-'));
        struct sl_cell cell = {head, width_of(head), SL_DIM};
        add_cell(ret, table, i, &cell, widths[i]);
        free(head);
    }
    for (size_t i = 0; i < table->count; i++) add_cell(ret, table, i % table->columns, &table->cells[i], widths[i % table->columns]);
    free(widths);
}

void sl_table_done(sl_table *table)
{
    for (size_t i = 0; i < table->count; i++) free(table->cells[i].text);
    free(table->cells);
    table->cells = NULL;
    table->count = table->capacity = 0;
}

/* ---- figures for people ---------------------------------------------------------------------------------- */

char *sl_human_bytes(uint64_t bytes, char text[SL_HUMAN_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    /* 999.95 would be printed as 1000.0. */
    while (value >= 999.95 && unit + 1 < SL_COUNT(units)) value /= 1000, unit++;
    snprintf(text, SL_HUMAN_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

char *sl_human_duration(int64_t us, char text[SL_HUMAN_TEXT])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    if (us < SL_SECOND) {
        snprintf(text, SL_HUMAN_TEXT, "%lldms", (long long)(us < 0 ? 0 : us / SL_MILLISECOND));
        return text;
    }
    int64_t seconds = us / SL_SECOND;
    size_t first = 0;
    while (seconds < units[first].seconds) first++;
    int64_t rest = first + 1 < SL_COUNT(units) ? seconds % units[first].seconds / units[first + 1].seconds : 0;
    int used = snprintf(text, SL_HUMAN_TEXT, "%lld%s", (long long)(seconds / units[first].seconds), units[first].name);
    if (rest) snprintf(text + used, SL_HUMAN_TEXT - (size_t)used, " %lld%s", (long long)rest, units[first + 1].name);
    return text;
}

/* ---- paragraphs ------------------------------------------------------------------------------------------ */

typedef struct wrapping {
    sl_buf *buf;
    size_t indent, width, column; /* of what is in the line after its indent */
} wrapping;

static void end_line(wrapping *w)
{
    if (w->column) sl_buf_char(w->buf, '\n');
    w->column = 0;
}

static void add_word(wrapping *w, sl_str word)
{
    if (w->column && w->indent + w->column + 1 + word.size > w->width) end_line(w);
    if (!w->column) add_blanks(w->buf, w->indent);
    else sl_buf_char(w->buf, ' ');
    sl_buf_str(w->buf, word);
    w->column += word.size + (w->column != 0);
}

static void add_words(wrapping *w, sl_str line)
{
    while (line.size) {
        size_t size = 0;
        while (size < line.size && line.data[size] != ' ') size++;
        if (size) add_word(w, (sl_str){line.data, size});
        size += size < line.size;
        line = (sl_str){line.data + size, line.size - size};
    }
}

/* A list's item, or a line that is laid out already. */
static bool stands_alone(const char *line) { return *line == ' ' || (*line == '-' && line[1] == ' '); }

void sl_add_wrapped(sl_buf *buf, const char *text, size_t indent, size_t width)
{
    wrapping w = {buf, indent, width, 0};
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (!size || stands_alone(text)) end_line(&w);
        if (!size) sl_buf_char(buf, '\n');
        else if (*text == ' ') {
            add_blanks(buf, indent);
            sl_buf_add(buf, text, size);
            sl_buf_char(buf, '\n');
        } else add_words(&w, (sl_str){text, size});
        text += size + (text[size] == '\n');
    }
    end_line(&w);
}
