/* cli/output: what people read. Text from outside (file names, messages of servers) is made printable; colour only
 * on a terminal. */
#ifndef SL_OUTPUT_H
#define SL_OUTPUT_H

#include "base/base.h"

/* Control bytes and what is not UTF-8 become \xNN: a file name must not write to a terminal. */
void sl_add_printable(sl_buf *buf, sl_str text);
/* Newlines stay; for texts of several lines. */
void sl_add_printable_lines(sl_buf *buf, sl_str text);

/* "sluice: MESSAGE" to stderr. Returns `code`, so that `return sl_complain(...)` reads as what it is. */
int sl_complain(int code, const char *format, ...) SL_PRINTF(2, 3);
/* Writes the buffer to stdout and frees it. Returns an exit code: stdout may be gone. */
int sl_print(sl_buf *buf);

typedef enum sl_style { SL_PLAIN, SL_BOLD, SL_DIM, SL_RED, SL_GREEN, SL_YELLOW } sl_style;
bool sl_coloured(void); /* stdout is a terminal, TERM is not dumb and NO_COLOR is not set */
void sl_add_styled(sl_buf *buf, sl_style style, const char *text);

/* A table with aligned columns, two spaces between. Cells are copied and made printable. */
typedef struct sl_table {
    size_t columns;
    const char *const *heads; /* "-name" is aligned to the right as "name" */
    struct sl_cell {
        char *text;
        size_t width;
        sl_style style;
    } * cells;
    size_t count, capacity; /* cells, row by row */
} sl_table;
#define SL_TABLE(heads_) ((sl_table){.columns = SL_COUNT(heads_), .heads = (heads_)})
void sl_table_cell(sl_table *table, sl_style style, const char *format, ...) SL_PRINTF(3, 4);
void sl_table_print(const sl_table *table, sl_buf *ret);
void sl_table_done(sl_table *table);

/* "1.2 MB" in powers of 1000; "3m 20s", the two largest units. */
#define SL_HUMAN_TEXT 32
char *sl_human_bytes(uint64_t bytes, char text[SL_HUMAN_TEXT]);
char *sl_human_duration(int64_t us, char text[SL_HUMAN_TEXT]);

/* Fills paragraphs (an empty line, an item's "- " or a line that begins with a blank ends one) to `width`, each line
 * after `indent`; lines that begin with a blank stay as they are. */
void sl_add_wrapped(sl_buf *buf, const char *text, size_t indent, size_t width);

#endif
