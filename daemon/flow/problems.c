/* The list of problems that reading a flow collects: bounded, one line each, printed in the order of the text. */
#include <stdio.h>

#include "flow/tree.h"

enum { MOST_PROBLEMS = 100, MOST_MESSAGE = 1024 };

/* What a flow's text brought into a message must not break the line or the terminal. */
static char *one_line(const char *text, size_t size)
{
    sl_str view = {text, size};
    sl_buf buf = SL_BUF(4 * MOST_MESSAGE);
    for (size_t at = 0, step; at < size; at += step) {
        step = sl_utf8_sequence(view, at);
        unsigned char c = (unsigned char)text[at];
        if (!step) step = 1, sl_buf_char(&buf, '?');
        else if (c < 0x20 || c == 0x7F) sl_buf_char(&buf, ' ');
        else sl_buf_add(&buf, text + at, step);
    }
    return sl_buf_take(&buf);
}

static bool known(const sl_problems *problems, const sl_problem *problem)
{
    for (size_t i = 0; i < problems->count; i++) {
        const sl_problem *other = &problems->items[i];
        if (other->mark.line == problem->mark.line && other->mark.column == problem->mark.column && other->warning == problem->warning &&
            strcmp(other->message, problem->message) == 0)
            return true;
    }
    return false;
}

SL_PRINTF(4, 0) static void add(sl_problems *problems, bool warning, sl_mark mark, const char *format, va_list arguments)
{
    char text[MOST_MESSAGE];
    int size = vsnprintf(text, sizeof text, format, arguments);
    SL_ASSERT(size >= 0);
    sl_problem problem = {warning, mark, one_line(text, SL_MIN((size_t)size, sizeof text - 1))};
    if (known(problems, &problem)) {
        free(problem.message);
        return;
    }
    if (!warning) problems->errors++;
    if (problems->count >= MOST_PROBLEMS) {
        problems->omitted++;
        free(problem.message);
        return;
    }
    problems->items = sl_grow(problems->items, problems->count, &problems->capacity, sizeof problem);
    problems->items[problems->count++] = problem;
}

void sl_problem_error(sl_problems *problems, sl_mark mark, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, false, mark, format, arguments);
    va_end(arguments);
}

void sl_problem_warning(sl_problems *problems, sl_mark mark, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, true, mark, format, arguments);
    va_end(arguments);
}

static int in_text_order(const void *a, const void *b)
{
    const sl_problem *x = *(const sl_problem *const *)a, *y = *(const sl_problem *const *)b;
    if (x->mark.line != y->mark.line) return x->mark.line < y->mark.line ? -1 : 1;
    if (x->mark.column != y->mark.column) return x->mark.column < y->mark.column ? -1 : 1;
    return (x > y) - (x < y);
}

void sl_problems_print(const sl_problems *problems, sl_buf *ret)
{
    const sl_problem **order = sl_alloc((problems->count + 1) * sizeof *order);
    for (size_t i = 0; i < problems->count; i++) order[i] = &problems->items[i];
    if (problems->count) qsort(order, problems->count, sizeof *order, in_text_order);
    const char *file = problems->file ? problems->file : "flow";
    for (size_t i = 0; i < problems->count; i++) {
        const char *kind = order[i]->warning ? "warning" : "error";
        if (order[i]->mark.line)
            sl_buf_printf(ret, "%s:%u:%u: %s: %s\n", file, order[i]->mark.line, order[i]->mark.column, kind, order[i]->message);
        else sl_buf_printf(ret, "%s: %s: %s\n", file, kind, order[i]->message);
    }
    if (problems->omitted)
        sl_buf_printf(ret, "%s: %s: and %zu more problems\n", file, problems->errors ? "error" : "warning", problems->omitted);
    free(order);
}

void sl_problems_done(sl_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) free(problems->items[i].message);
    free(problems->items);
    *problems = (sl_problems){.file = problems->file};
}
