/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_lexer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What the lexer makes of a text: "2:1 KEY{arg}==<value>" a line, "2:1 ! reason" for a fault. */
struct listing {
    char text[4096];
    size_t length;
};

static _printf_(2, 3) void list(struct listing *listing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(listing->text + listing->length, sizeof(listing->text) - listing->length,
                      format, arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof(listing->text) - listing->length);
    listing->length += (size_t)n;
}

static void list_expression(struct listing *listing, const struct rule_expression *e)
{
    list(listing, "%u:%u %.*s", e->at.line, e->at.column, (int)e->name_length, e->name);
    if (e->argument)
        list(listing, "{%s}", e->argument);
    list(listing, " %u:%u %s %u:%u %s<%s>\n", e->at_operator.line, e->at_operator.column,
         rule_operator_text(e->op), e->at_value.line, e->at_value.column, e->ignore_case ? "i" : "",
         e->value);
}

static void list_fault(struct listing *listing, const struct rule_fault *fault)
{
    list(listing, "%u:%u ! %s\n", fault->at.line, fault->at.column, fault->text);
}

static void list_line(struct listing *listing, struct rule_lexer *lexer)
{
    struct rule_expression expression;
    struct rule_fault fault;
    int r;
    while ((r = rule_lexer_next(lexer, &expression, &fault)) > 0)
        list_expression(listing, &expression);
    if (r < 0) {
        assert_int_equal(r, -EBADMSG);
        list_fault(listing, &fault);
    }
}

static void list_all(struct listing *listing, const char *text, size_t size)
{
    struct rule_lexer *lexer = malloc(sizeof(*lexer));
    assert_non_null(lexer);
    rule_lexer_init(lexer, text, size);
    struct rule_fault fault;
    int r;
    while ((r = rule_lexer_next_line(lexer, &fault)) != 0) {
        if (r > 0)
            list_line(listing, lexer);
        else
            list_fault(listing, &fault);
    }
    rule_lexer_done(lexer);
    free(lexer);
}

static const struct {
    const char *sentence;
    const char *text;
    const char *expected;
} CASES[] = {
    {"an empty file has no lines", "", ""},
    {"comments and empty lines are passed over", "\n  # one\n\t\n#two", ""},
    {"a key, an operator and a value stand anywhere in the line", "  KERNEL == \"a\"",
     "1:3 KERNEL 1:10 == 1:13 <a>\n"},
    {"all operators are told apart", "A==\"\",A!=\"\",A=\"\",A+=\"\",A-=\"\",A:=\"\"",
     "1:1 A 1:2 == 1:4 <>\n1:7 A 1:8 != 1:10 <>\n1:13 A 1:14 = 1:15 <>\n"
     "1:18 A 1:19 += 1:21 <>\n1:24 A 1:25 -= 1:27 <>\n1:30 A 1:31 := 1:33 <>\n"},
    {"braces hold whatever is before the next closing one", "ATTR{power/control}==\"on\"",
     "1:1 ATTR{power/control} 1:20 == 1:22 <on>\n"},
    {"a backslash at the end goes on, and columns are those of the physical line",
     "A==\"1\", \\\n    B==\"2\"\nC==\"3\"",
     "1:1 A 1:2 == 1:4 <1>\n2:5 B 2:6 == 2:8 <2>\n3:1 C 3:2 == 3:4 <3>\n"},
    {"a comment between continued lines is passed over", "A==\"1\", \\\n# no\n  B==\"2\"",
     "1:1 A 1:2 == 1:4 <1>\n3:3 B 3:4 == 3:6 <2>\n"},
    {"a value goes on over lines without the blanks that begin the next",
     "A==\"one\\\n  two\", B==\"\"", "1:1 A 1:2 == 1:4 <onetwo>\n2:9 B 2:10 == 2:12 <>\n"},
    {"lines that end in CR LF are lines", "A==\"1\",\\\r\nB==\"2\"\r\n",
     "1:1 A 1:2 == 1:4 <1>\n2:1 B 2:2 == 2:4 <2>\n"},
    {"an empty line ends a continuation", "A==\"1\"\\\n\nB==\"2\"",
     "1:1 A 1:2 == 1:4 <1>\n3:1 B 3:2 == 3:4 <2>\n"},
    {"in a plain string only the quote is escaped", "A==\"\\\"\\n\\x41\"",
     "1:1 A 1:2 == 1:4 <\"\\n\\x41>\n"},
    {"an e string has the escapes of C", "A==e\"\\x41\\101\\u00e4\\U0001F600\\t\\\\\\\"\"",
     "1:1 A 1:2 == 1:4 <AA\xc3\xa4\xf0\x9f\x98\x80\t\\\">\n"},
    {"an i string ignores case, and may be an e string too",
     "A==i\"a\", B==ie\"\\x62\", C==ei\"c\"",
     "1:1 A 1:2 == 1:4 i<a>\n1:10 B 1:11 == 1:13 i<b>\n1:23 C 1:24 == 1:26 i<c>\n"},
    {"a value that is not closed is told at its quote, in its line", "A==\"1\", \\\n B==\"2",
     "1:1 A 1:2 == 1:4 <1>\n2:5 ! this quote is not closed\n"},
    {"an argument that is not closed is told at its brace", "ATTR{x==\"1\"",
     "1:5 ! this { has no }\n"},
    {"a value without quotes is told", "A==b", "1:4 ! a value in double quotes is expected here\n"},
    {"an unknown prefix is told at its letter", "A==ix\"b\"",
     "1:4 ! a value in double quotes is expected here\n"},
    {"a key without operator is told where that should be", "KERNEL \"a\"",
     "1:8 ! one of == != = += -= := is expected here\n"},
    {"a NUL escape is refused", "A==e\"\\x00\"",
     "1:6 ! no such escape: see e\"...\" in devolve.rules(5)\n"},
    {"a surrogate is no character", "A==e\"a\\ud800\"",
     "1:7 ! no such escape: see e\"...\" in devolve.rules(5)\n"},
    {"half an escape is refused", "A==e\"\\x4\"",
     "1:6 ! no such escape: see e\"...\" in devolve.rules(5)\n"},
    {"a comment behind a rule is refused", "A==\"1\" # why",
     "1:1 A 1:2 == 1:4 <1>\n1:8 ! a comment needs a line of its own\n"},
    {"a blank behind the backslash is told", "A==\"1\", \\ \nB==\"2\"",
     "1:1 A 1:2 == 1:4 <1>\n1:9 ! a backslash goes on with the next line only as the last "
     "character\n"
     "2:1 B 2:2 == 2:4 <2>\n"},
    {"a file that ends in a backslash is told", "A==\"1\", \\\n",
     "1:9 ! the file ends behind a backslash that goes on\n"},
    {"a control character is told where it stands", "A==\"1\", \\\n B==\"\x01\"",
     "2:6 ! a control character (byte 0x01)\n"},
};

static void every_text_is_read_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        struct listing listing = {0};
        list_all(&listing, CASES[i].text, strlen(CASES[i].text));
        if (!streq(listing.text, CASES[i].expected))
            fail_msg("%s\n--- got\n%s--- expected\n%s", CASES[i].sentence, listing.text,
                     CASES[i].expected);
    }
}

static void a_nul_byte_is_a_control_character(void **state)
{
    (void)state;
    struct listing listing = {0};
    static const char text[] = "A==\"\0\"\nB==\"\"";
    list_all(&listing, text, sizeof(text) - 1);
    assert_string_equal(listing.text,
                        "1:5 ! a control character (byte 0x00)\n2:1 B 2:2 == 2:4 <>\n");
}

/* `length` bytes of one line, `pieces` times continued. */
static char *make_line(size_t length, size_t pieces)
{
    char *text = malloc((length + 2) * pieces + 1), *end = text;
    assert_non_null(text);
    for (size_t i = 0; i < pieces; i++) {
        memset(end, 'A', length);
        end += length;
        end = stpcpy(end, i + 1 < pieces ? "\\\n" : "\n");
    }
    return text;
}

static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    static const struct {
        size_t length, pieces;
        const char *expected;
    } lines[] = {
        {RULE_LINE_MAX, 1, "1:16385 ! one of == != = += -= := is expected here\n"},
        {RULE_LINE_MAX + 1, 1, "1:1 ! the line is longer than 16384 bytes\n"},
        {RULE_LINE_MAX / 4, 4, "4:4097 ! one of == != = += -= := is expected here\n"},
        {RULE_LINE_MAX / 4 + 1, 5, "4:1 ! the line is longer than 16384 bytes\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        _cleanup_free_ char *text = make_line(lines[i].length, lines[i].pieces);
        struct listing listing = {0};
        list_all(&listing, text, strlen(text));
        assert_string_equal(listing.text, lines[i].expected);
    }
}

static void a_physical_line_is_found_by_number(void **state)
{
    (void)state;
    struct rule_lexer *lexer = malloc(sizeof(*lexer));
    assert_non_null(lexer);
    rule_lexer_init(lexer, "one\n\nthree", 10);
    const char *line;
    assert_int_equal(rule_lexer_physical_line(lexer, 1, &line), 3);
    assert_memory_equal(line, "one", 3);
    assert_int_equal(rule_lexer_physical_line(lexer, 2, &line), 0);
    assert_int_equal(rule_lexer_physical_line(lexer, 3, &line), 5);
    assert_memory_equal(line, "three", 5);
    assert_int_equal(rule_lexer_physical_line(lexer, 4, &line), 0);
    free(lexer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_is_read_as_expected),
        cmocka_unit_test(a_nul_byte_is_a_control_character),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(a_physical_line_is_found_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
