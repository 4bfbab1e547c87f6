/* What comes from the command tables, and how text is laid out. */
#include "test.h"

#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/output.h"

static bool has(const sl_buf *text, const char *part) { return text->data && strstr(text->data, part); }

TEST(each_command_and_option_is_in_help_manual_and_completion)
{
    sl_buf program = SL_BUF(1 << 20), manual = SL_BUF(1 << 20), bash = SL_BUF(1 << 20), fish = SL_BUF(1 << 20);
    sl_help_program(&program);
    sl_manual_commands(&manual);
    sl_completion("bash", &bash);
    sl_completion("fish", &fish);
    for (const sl_command *c = sl_commands; c->name; c++) {
        if (!c->run) continue;
        char text[128], roff[128];
        snprintf(text, sizeof text, ".SS sluice %s %s\n", c->name, c->arguments);
        CHECK(has(&manual, text));
        CHECK(has(&program, c->name));
        CHECK(has(&program, c->summary));
        sl_buf help = SL_BUF(1 << 20);
        sl_help_command(c, &help);
        SL_OPTIONS_EACH(c, option)
        {
            snprintf(text, sizeof text, "--%s", option->name);
            CHECK_INT(has(&help, text), !(option->flags & SL_LATER));
            CHECK_INT(has(&bash, text), !(option->flags & SL_LATER));
            snprintf(text, sizeof text, "-l %s", option->name);
            CHECK_INT(has(&fish, text), !(option->flags & SL_LATER));
            size_t used = (size_t)snprintf(roff, sizeof roff, ".TP\n\\fB\\-\\-");
            for (const char *at = option->name; *at; at++)
                used += (size_t)snprintf(roff + used, sizeof roff - used, *at == '-' ? "\\-" : "%c", *at);
            snprintf(roff + used, sizeof roff - used, "\\fR");
            CHECK_INT(has(&manual, roff), !(option->flags & SL_LATER));
        }
        sl_buf_done(&help);
    }
    CHECK(!has(&program, "run-once"));
    CHECK_INT(sl_completion("tcsh", &bash), -1);
    sl_buf_done(&program);
    sl_buf_done(&manual);
    sl_buf_done(&bash);
    sl_buf_done(&fish);
}

static void printable(const char *text, size_t size, const char *expected)
{
    sl_buf buf = SL_BUF(1024);
    sl_add_printable(&buf, (sl_str){text, size});
    CHECK_STR(buf.data ? buf.data : "", expected);
    sl_buf_done(&buf);
}

TEST(text_from_outside_cannot_drive_a_terminal)
{
    printable("a\033[31mb", 7, "a\\x1B[31mb");
    printable("l\n\t", 3, "l\\x0A\\x09");
    printable("\xC3\xA9\xFF", 3, "\xC3\xA9\\xFF");
    printable("\xC2\x9B", 2, "\\xC2\\x9B"); /* CSI as one C1 control */
    printable("\x7F", 1, "\\x7F");
}

TEST(tables_are_aligned_by_characters)
{
    static const char *const heads[] = {"NAME", "-N", "LAST"};
    sl_table table = SL_TABLE(heads);
    sl_table_cell(&table, SL_PLAIN, "%s", "\xC3\xA9t\xC3\xA9");
    sl_table_cell(&table, SL_PLAIN, "%d", 7);
    sl_table_cell(&table, SL_PLAIN, "x");
    sl_table_cell(&table, SL_RED, "longer");
    sl_table_cell(&table, SL_PLAIN, "%d", 1234);
    sl_table_cell(&table, SL_PLAIN, "y\n");
    sl_buf out = SL_BUF(1024);
    sl_table_print(&table, &out);
    CHECK_STR(out.data, "NAME       N  LAST\n\xC3\xA9t\xC3\xA9        7  x\nlonger  1234  y\\x0A\n");
    sl_table_done(&table);
    sl_buf_done(&out);
}

TEST(figures_for_people)
{
    char text[SL_HUMAN_TEXT];
    CHECK_STR(sl_human_bytes(0, text), "0 B");
    CHECK_STR(sl_human_bytes(999, text), "999 B");
    CHECK_STR(sl_human_bytes(1000, text), "1.0 kB");
    CHECK_STR(sl_human_bytes(999949, text), "999.9 kB");
    CHECK_STR(sl_human_bytes(999950, text), "1.0 MB");
    CHECK_STR(sl_human_bytes(UINT64_MAX, text), "18.4 EB");
    CHECK_STR(sl_human_duration(0, text), "0ms");
    CHECK_STR(sl_human_duration(-5, text), "0ms");
    CHECK_STR(sl_human_duration(250 * SL_MILLISECOND, text), "250ms");
    CHECK_STR(sl_human_duration(60 * SL_SECOND, text), "1m");
    CHECK_STR(sl_human_duration(200 * SL_SECOND, text), "3m 20s");
    CHECK_STR(sl_human_duration(90061 * SL_SECOND, text), "1d 1h");
}

TEST(paragraphs_are_filled_items_and_layouts_stay)
{
    sl_buf out = SL_BUF(1024);
    sl_add_wrapped(&out, "one two\nthree four\n\n- item a\n- item b\n  laid   out\nend", 2, 14);
    CHECK_STR(out.data, "  one two\n  three four\n\n  - item a\n  - item b\n    laid   out\n  end\n");
    sl_buf_done(&out);
}
