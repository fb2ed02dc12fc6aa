/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "cli/problem.h"
#include "cli/render.h"
#include "model/varlink_message.h"

struct page {
    struct render render;
    char *text;
    size_t size;
};

static void page_open(struct page *page, bool colour, bool utf8)
{
    page->render = (struct render){open_memstream(&page->text, &page->size), colour, utf8};
    assert_non_null(page->render.file);
}

static void page_shows(struct page *page, const char *expected)
{
    assert_int_equal(fclose(page->render.file), 0);
    assert_string_equal(page->text, expected);
    free(page->text);
}

static void add_tree(struct rows *rows)
{
    struct row *row = rows_add(rows, 0);
    row_add(rows, row, STYLE_STRONG, "a");
    row = rows_add(rows, 1);
    row_add(rows, row, STYLE_PLAIN, "b");
    row_add(rows, row, STYLE_PLAIN, "%d", 1);
    row_add(rows, row, STYLE_PLAIN, "x");
    row = rows_add(rows, 2);
    row_add(rows, row, STYLE_PLAIN, "longer");
    row_add(rows, row, STYLE_PLAIN, "%d", 22222);
    row_add(rows, row, STYLE_PLAIN, "y");
    rows_add_text(rows, 1, STYLE_PLAIN, "free text wider than every column of the table");
    rows_add_text(rows, 2, STYLE_PLAIN, "c");
    rows_add_text(rows, 0, STYLE_PLAIN, "d");
}

static void a_tree_is_drawn_with_lines_and_its_columns_are_aligned(void **state)
{
    struct rows rows = {0};
    struct page page;
    (void)state;
    add_tree(&rows);
    page_open(&page, false, true);
    assert_int_equal(rows_print(&rows, &page.render), 0);
    rows_done(&rows);
    page_shows(&page, "a\n"
                      "├─ b          1      x\n"
                      "│  └─ longer  22222  y\n"
                      "└─ free text wider than every column of the table\n"
                      "   └─ c\n"
                      "d\n");
}

static void without_utf8_the_lines_are_ascii(void **state)
{
    struct rows rows = {0};
    struct page page;
    (void)state;
    add_tree(&rows);
    page_open(&page, false, false);
    assert_int_equal(rows_print(&rows, &page.render), 0);
    rows_done(&rows);
    page_shows(&page, "a\n"
                      "|- b          1      x\n"
                      "|  `- longer  22222  y\n"
                      "`- free text wider than every column of the table\n"
                      "   `- c\n"
                      "d\n");
}

static void colour_is_put_around_the_text_and_not_around_the_gaps(void **state)
{
    struct rows rows = {0};
    struct page page;
    (void)state;
    struct row *row = rows_add(&rows, 0);
    row_add(&rows, row, STYLE_BAD, "red");
    row_add(&rows, row, STYLE_PLAIN, "plain");
    page_open(&page, true, false);
    assert_int_equal(rows_print(&rows, &page.render), 0);
    rows_done(&rows);
    page_shows(&page, "\033[31mred\033[0m  plain\n");
}

static void no_escape_sequence_of_a_name_reaches_the_terminal(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"\033[31mred", "\\x1b[31mred"},
        {"two\nlines", "two\\x0alines"},
        {"caf\xc3\xa9", "caf\\xc3\\xa9"},
        {"\x9b"
         "csi",
         "\\x9bcsi"},
        {"del\x7f", "del\\x7f"},
        /* escaped by who sent it, and not again */
        {"\\x1b[31m", "\\x1b[31m"},
        {"%s%n", "%s%n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct page page;
        page_open(&page, true, true);
        render_printf(&page.render, STYLE_PLAIN, "%s", cases[i].in);
        page_shows(&page, cases[i].out);
    }
}

static void a_file_that_is_no_terminal_gets_no_colour(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(render_to(file).colour);
    fclose(file);
}

static void show_problem(const char *severity, int line, int column, const char *source,
                         const char *expected)
{
    struct page page;
    _cleanup_json_ json_t *problems =
        json_pack("[{s:s, s:s, s:i, s:i, s:s, s:s}]", "severity", severity, "file", "50-a.rules",
                  "line", line, "column", column, "text", "what is wrong", "source", source);
    assert_non_null(problems);
    page_open(&page, false, false);
    problem_print_all(&page.render, problems);
    page_shows(&page, expected);
}

static void a_problem_is_shown_with_its_line_and_a_caret(void **state)
{
    (void)state;
    show_problem("error", 3, 14, "KERNEL==\"a\", FOO==\"b\"",
                 "50-a.rules:3:14: error: what is wrong\n"
                 "    KERNEL==\"a\", FOO==\"b\"\n"
                 "                 ^\n");
    show_problem("warning", 1, 1, "x", "50-a.rules:1:1: warning: what is wrong\n    x\n    ^\n");
}

static void backslashes_in_a_source_line_move_no_caret(void **state)
{
    (void)state;
    show_problem("error", 1, 9, "e\"\\x41\" FOO",
                 "50-a.rules:1:9: error: what is wrong\n"
                 "    e\"\\x41\" FOO\n"
                 "            ^\n");
}

static void the_caret_may_stand_behind_the_line_and_never_further(void **state)
{
    (void)state;
    show_problem("error", 1, 4, "FOO", "50-a.rules:1:4: error: what is wrong\n    FOO\n       ^\n");
    show_problem("error", 1, 2000000000, "FOO",
                 "50-a.rules:1:2000000000: error: what is wrong\n    FOO\n       ^\n");
}

static void a_problem_of_the_whole_file_has_no_line(void **state)
{
    (void)state;
    show_problem("error", 0, 0, "", "50-a.rules: error: what is wrong\n");
}

static void the_parsers_problems_become_those_of_the_interface(void **state)
{
    struct rule_problem items[] = {
        {PROBLEM_ERROR, (char *)"/etc/\xff.rules", 2, 5, (char *)"bad", (char *)"source"},
        {PROBLEM_WARNING, (char *)"b.rules", 7, 1, (char *)"odd", (char *)""},
    };
    const struct rule_problems problems = {items, ARRAY_SIZE(items), 1};
    (void)state;

    _cleanup_json_ json_t *list = problem_list(&problems);
    _cleanup_json_ json_t *expected = json_loads(
        "[{\"severity\":\"error\",\"file\":\"/etc/\\\\xff.rules\",\"line\":2,\"column\":5,"
        "\"text\":\"bad\",\"source\":\"source\"},"
        "{\"severity\":\"warning\",\"file\":\"b.rules\",\"line\":7,\"column\":1,"
        "\"text\":\"odd\",\"source\":\"\"}]",
        0, NULL);
    assert_non_null(expected);
    assert_true(json_equal(list, expected));
    assert_int_equal(problem_count(list, "error"), 1);
    assert_int_equal(problem_count(list, "warning"), 1);
    assert_int_equal(problem_count(NULL, "error"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_drawn_with_lines_and_its_columns_are_aligned),
        cmocka_unit_test(without_utf8_the_lines_are_ascii),
        cmocka_unit_test(colour_is_put_around_the_text_and_not_around_the_gaps),
        cmocka_unit_test(no_escape_sequence_of_a_name_reaches_the_terminal),
        cmocka_unit_test(a_file_that_is_no_terminal_gets_no_colour),
        cmocka_unit_test(a_problem_is_shown_with_its_line_and_a_caret),
        cmocka_unit_test(backslashes_in_a_source_line_move_no_caret),
        cmocka_unit_test(the_caret_may_stand_behind_the_line_and_never_further),
        cmocka_unit_test(a_problem_of_the_whole_file_has_no_line),
        cmocka_unit_test(the_parsers_problems_become_those_of_the_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
