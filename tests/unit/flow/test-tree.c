#include "test.h"

#include "flow/tree.h"

typedef struct fixture {
    sl_arena arena;
    sl_problems problems;
    sl_node *root;
} fixture;

static fixture read_text(const char *text)
{
    fixture f = {.problems = {.file = "t.yaml"}};
    f.root = sl_tree_parse(sl_str_of(text), &f.arena, &f.problems);
    return f;
}

static void done(fixture *f)
{
    sl_arena_done(&f->arena);
    sl_problems_done(&f->problems);
}

/* The one problem, as it is printed. */
static void refuse(const char *text, const char *expected)
{
    fixture f = read_text(text);
    sl_buf printed = SL_BUF(1 << 20);
    sl_problems_print(&f.problems, &printed);
    CHECK(!f.root);
    if (!strstr(sl_buf_view(&printed).data, expected))
        sl_test_failed(__FILE__, __LINE__, "expected \"%s\", found \"%s\"", expected, sl_buf_view(&printed).data);
    sl_buf_done(&printed);
    done(&f);
}

TEST(scalars_keep_their_text)
{
    fixture f = read_text("a: 1.10\nb: no\nc: \"x\\ny\"\nd: 'it''s'\ne: [1e3, 0x10, '~']\nf: |\n  two\n  lines\n");
    CHECK(f.root && f.root->kind == SL_MAPPING && f.root->count == 6);
    CHECK_VIEW(sl_node_get(f.root, "a")->text, "1.10");
    CHECK_VIEW(sl_node_get(f.root, "b")->text, "no");
    CHECK_VIEW(sl_node_get(f.root, "c")->text, "x\ny");
    CHECK_VIEW(sl_node_get(f.root, "d")->text, "it's");
    CHECK_VIEW(sl_node_get(f.root, "f")->text, "two\nlines\n");
    sl_node *list = sl_node_get(f.root, "e");
    CHECK(list->kind == SL_LIST && list->count == 3);
    CHECK_VIEW(list->items[2]->text, "~");
    CHECK(!sl_node_null(list->items[2]));
    CHECK(!sl_node_get(f.root, "g") && !sl_node_key(f.root, "g"));
    done(&f);
}

TEST(marks_are_lines_and_characters)
{
    fixture f = read_text("\xEF\xBB\xBF"
                          "a: {\xC3\xBC\xF0\x9F\x98\x80: \"\xC3\xA4/x\", b: y}\n"
                          "list:\n  - one\n  - k: v\n");
    sl_node *a = sl_node_get(f.root, "a"), *list = sl_node_get(f.root, "list");
    CHECK_INT(sl_node_key(f.root, "a")->mark.line, 1);
    CHECK_INT(sl_node_key(f.root, "a")->mark.column, 1);
    CHECK_INT(a->items[0]->mark.column, 9);
    CHECK_INT(sl_node_mark_at(a->items[0], 3).column, 12); /* after the quote: two characters in three bytes */
    CHECK_INT(a->keys[1]->mark.column, 16);
    CHECK_INT(list->items[1]->mark.line, 4);
    CHECK_INT(list->items[1]->mark.column, 5);
    CHECK_INT(list->items[1]->items[0]->mark.column, 8);
    done(&f);
}

TEST(an_offset_is_found_where_text_and_source_are_the_same)
{
    fixture f = read_text("a: \"x\\ty\"\nb: plain text\nc: 'it''s'\n");
    sl_mark escaped = sl_node_mark_at(sl_node_get(f.root, "a"), 2), plain = sl_node_mark_at(sl_node_get(f.root, "b"), 6);
    CHECK_INT(escaped.column, 4); /* unknown: where it begins */
    CHECK_INT(plain.column, 10);
    CHECK_INT(sl_node_mark_at(sl_node_get(f.root, "b"), 1000).column, 14);
    CHECK_INT(sl_node_mark_at(sl_node_get(f.root, "c"), 3).column, 4);
    done(&f);
}

TEST(what_is_not_allowed)
{
    refuse("a: &x 1\n", "t.yaml:1:4: error: the anchor &x");
    refuse("a: *x\n", "t.yaml:1:4: error: the alias *x");
    refuse("a: !!int 1\n", "t.yaml:1:4: error: the tag tag:yaml.org,2002:int");
    refuse("a: ! 1\n", "t.yaml:1:4: error: the tag !");
    refuse("- !x {a: 1}\n", "t.yaml:1:3: error: the tag !x");
    refuse("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: error: duplicate key `a`, first written in line 1");
    refuse("a: {x: 1, x: 2}\n", "t.yaml:1:11: error: duplicate key `x`");
    refuse("a:\nb: 1\n", "t.yaml:1:3: error: `a` has no value");
    refuse("a: ~\n", "t.yaml:1:4: error: `a` has no value");
    refuse("a: [1, null]\n", "t.yaml:1:8: error: expected an item");
    refuse("{[1]: 2}\n", "t.yaml:1:2: error: expected a name as the key, found a list");
    refuse("a: 1\n--- \nb: 1\n", "t.yaml:2:1: error: a second document");
    refuse("%YAML 1.1\n---\na: 1\n", "error: directives");
    refuse("", "t.yaml:1:1: error: the file is empty");
    refuse("# nothing\n", "t.yaml:1:1: error: the file is empty");
    refuse("a: \"\\0\"\n", "t.yaml:1:4: error: a text cannot hold the character NUL");
    refuse("a: b: c\n", "t.yaml:1:5: error: not YAML: mapping values are not allowed");
    refuse("a: 1\n\tb: 2\n", "t.yaml:2:1: error: not YAML");
    refuse("a: \xFF\n", "t.yaml:1:4: error: expected UTF-8, found the byte 0xFF");
    refuse("\xC3\xA4: \x01\n", "t.yaml:1:4: error: not YAML: control characters are not allowed");
    refuse("a: [1, 2\n", "t.yaml:2:1: error: not YAML");
}

TEST(bounds)
{
    sl_buf text = SL_BUF(4 << 20);
    for (int i = 0; i < 64; i++) sl_buf_char(&text, '[');
    sl_buf_char(&text, 'x');
    for (int i = 0; i < 64; i++) sl_buf_char(&text, ']');
    fixture f = read_text(sl_buf_view(&text).data);
    CHECK(f.root);
    done(&f);
    sl_buf_clear(&text);
    for (int i = 0; i < 65; i++) sl_buf_char(&text, '[');
    refuse(sl_buf_view(&text).data, "t.yaml:1:65: error: more than 64 levels deep");
    sl_buf_clear(&text);
    for (int i = 0; i < 100001; i++) sl_buf_text(&text, "- a\n");
    refuse(sl_buf_view(&text).data, "t.yaml:100000:3: error: more than 100000 values");
    sl_buf_clear(&text);
    sl_buf_text(&text, "a: ");
    for (int i = 0; i < 1 << 20; i++) sl_buf_char(&text, 'x');
    refuse(sl_buf_view(&text).data, "t.yaml: error: the file has 1048579 bytes");
    sl_buf_done(&text);
}

TEST(reading_goes_on_after_what_leaves_a_tree)
{
    fixture f = {0};
    f.root = sl_tree_read(SL_STR("a: &x 1\nb: *x\nc:\nd: 4\n"), &f.arena, &f.problems);
    CHECK(f.root);
    CHECK_INT(f.problems.errors, 3);
    CHECK(sl_node_null(sl_node_get(f.root, "b")) && sl_node_null(sl_node_get(f.root, "c")));
    CHECK_VIEW(sl_node_get(f.root, "d")->text, "4");
    done(&f);
}

TEST(problems_are_printed_in_the_order_of_the_text)
{
    sl_problems problems = {.file = "f"};
    sl_buf printed = SL_BUF(4096);
    sl_problem_error(&problems, (sl_mark){7, 2}, "second");
    sl_problem_warning(&problems, (sl_mark){7, 1}, "first\nof\x1b two");
    sl_problem_error(&problems, (sl_mark){7, 2}, "second");
    sl_problem_error(&problems, (sl_mark){0, 0}, "whole");
    sl_problems_print(&problems, &printed);
    CHECK_STR(printed.data, "f: error: whole\nf:7:1: warning: first of  two\nf:7:2: error: second\n");
    CHECK_INT(problems.errors, 2);
    sl_buf_done(&printed);
    sl_problems_done(&problems);
}

TEST(problems_are_bounded)
{
    sl_problems problems = {.file = "f"};
    sl_buf printed = SL_BUF(1 << 20);
    for (unsigned i = 1; i <= 250; i++) sl_problem_error(&problems, (sl_mark){i, 1}, "wrong");
    CHECK_INT(problems.count, 100);
    CHECK_INT(problems.errors, 250);
    sl_problems_print(&problems, &printed);
    CHECK(sl_str_ends(sl_buf_view(&printed), "f: error: and 150 more problems\n"));
    sl_buf_done(&printed);
    sl_problems_done(&problems);
}
