/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rules as text again. Whatever is printed is read again here too: it has to be printed the same
 * then, and to judge every device of the scene the same.
 */

#include "model/rule_print.h"

#include "rule_scene.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/rule_lexer.h"
#include "model/rule_parser.h"

static const struct {
    const char *sentence;
    const char *text;
    const char *printed;
} CASES[] = {
    {"nothing", "# only a comment\n\n", ""},
    {"a rule as one would write it", "SUBSYSTEM==\"tty\", CONTAINER+=\"web1\"\n",
     "SUBSYSTEM==\"tty\", CONTAINER+=\"web1\"\n"},
    {"blanks, commas and joined lines go away",
     "  KERNEL ==\t\"a\" ,\\\n# why\n   MODE= \"0600\"  CONTAINER+=\"web1\"\r\n",
     "KERNEL==\"a\", CONTAINER+=\"web1\", MODE=\"0600\"\n"},
    {"keys in the order in which they are judged",
     "OPTIONS+=\"subtree\", MODE=\"1\", TEST==\"x\", GOTO=\"end\", CONTAINER+=\"web1\", "
     "ATTRS{serial}==\"s\", KERNEL==\"a\", LABEL=\"here\"\nLABEL=\"end\"\n",
     "LABEL=\"here\", KERNEL==\"a\", ATTRS{serial}==\"s\", TEST==\"x\", CONTAINER+=\"web1\", "
     "OPTIONS+=\"subtree\", MODE=\"0001\", GOTO=\"end\"\nLABEL=\"end\"\n"},
    {"keys of one kind stay as written",
     "ATTR{b}==\"1\", ATTR{a}!=\"2\", SYMLINK+=\"d\", OWNER=\"7\", SYMLINK-=\"c\"\n",
     "ATTR{b}==\"1\", ATTR{a}!=\"2\", OWNER=\"7\", SYMLINK+=\"d\", SYMLINK-=\"c\"\n"},
    {"every operator", "KERNEL==\"a\", CONTAINER=\"web1\", CONTAINER-=\"b\", CONTAINER:=\"*\"\n",
     "KERNEL==\"a\", CONTAINER=\"web1\", CONTAINER-=\"b\", CONTAINER:=\"*\"\n"},

    {"alternatives and globs", "KERNEL==\"tty[A-Z]*|?|[!x]|\", MODE=\"1\"\n",
     "KERNEL==\"tty[A-Z]*|?|[!x]|\", MODE=\"0001\"\n"},
    {"an alternative that was escaped", "KERNEL==e\"a\\x7cb\", MODE=\"1\"\n",
     "KERNEL==\"a|b\", MODE=\"0001\"\n"},
    {"the empty value", "DRIVER!=\"\", ENV{A}=\"\", CONTAINER=\"\", SYMLINK=\"\", OPTIONS=\"\"\n",
     "DRIVER!=\"\", CONTAINER=\"\", OPTIONS=\"\", ENV{A}=\"\", SYMLINK=\"\"\n"},
    {"case that does not count", "KERNEL==i\"TTYusb0|1-2\", MODE=\"1\"\n",
     "KERNEL==i\"TTYusb0|1-2\", MODE=\"0001\"\n"},

    {"escapes that are not needed", "KERNEL==e\"tty\\x55SB\\060\\u00e4\", MODE=\"1\"\n",
     "KERNEL==\"ttyUSB0\u00e4\", MODE=\"0001\"\n"},
    {"escapes that are needed", "KERNEL==ie\"\\a\\b\\f\\n\\r\\s\\t\\v\\x01\\177\", MODE=\"1\"\n",
     "KERNEL==ie\"\\a\\b\\f\\n\\r \\t\\v\\x01\\x7f\", MODE=\"0001\"\n"},
    {"a tab as it is", "KERNEL==\"a\tb\", MODE=\"1\"\n", "KERNEL==e\"a\\tb\", MODE=\"0001\"\n"},
    {"quotes", "KERNEL==e\"a\\\"b\", ENV{A}=\"\\\"\"\n", "KERNEL==\"a\\\"b\", ENV{A}=\"\\\"\"\n"},
    {"a backslash", "KERNEL==\"a\\b\", ENV{A}=e\"\\\\c\"\n", "KERNEL==\"a\\b\", ENV{A}=\"\\c\"\n"},
    {"a backslash before a quote", "KERNEL==e\"\\\\\\\"b\", MODE=\"1\"\n",
     "KERNEL==\"\\\\\"b\", MODE=\"0001\"\n"},
    {"a backslash at the end", "KERNEL==e\"a\\\\\", ENV{A}=e\"b\\\\\"\n",
     "KERNEL==e\"a\\\\\", ENV{A}=e\"b\\\\\"\n"},
    {"a backslash at the end of an alternative", "KERNEL==\"a\\|b\", MODE=\"1\"\n",
     "KERNEL==\"a\\|b\", MODE=\"0001\"\n"},

    {"a container by its label", "KERNEL==\"a\", CONTAINER+=i\"label:tier=FRONT|b\"\n",
     "KERNEL==\"a\", CONTAINER+=i\"label:tier=FRONT|b\"\n"},
    {"a label that needs escapes", "KERNEL==\"a\", CONTAINER+=e\"label:a\\nb=c\"\n",
     "KERNEL==\"a\", CONTAINER+=e\"label:a\\nb=c\"\n"},
    {"a match of a container", "CONTAINER!=\"label:tier=front\", MODE=\"1\"\n",
     "CONTAINER!=\"label:tier=front\", MODE=\"0001\"\n"},
    {"a mode", "MODE=\"660\", MODE:=\"04755\"\n", "MODE=\"0660\", MODE:=\"4755\"\n"},
    {"access", "ACCESS=\"mwr\", ACCESS=\"w\"\n", "ACCESS=\"rwm\", ACCESS=\"w\"\n"},
    {"options",
     "OPTIONS+=\"no_event,no_node dangerous exclusive subtree\", OPTIONS-=\"no_node no_node\"\n",
     "OPTIONS+=\"subtree exclusive no_node no_event dangerous\", OPTIONS-=\"no_node\"\n"},
    {"options that are no list",
     "OPTIONS=\"last_rule string_escape=replace\", OPTIONS+=\"string_escape=none\"\n",
     "OPTIONS=\"last_rule string_escape=replace\", OPTIONS+=\"string_escape=none\"\n"},
    {"a priority", "OPTIONS:=\"link_priority=-100,subtree\", OPTIONS=\"link_priority=-0\"\n",
     "OPTIONS:=\"subtree link_priority=-100\", OPTIONS=\"link_priority=0\"\n"},
    {"a test with a mask", "TEST{222}==\"x\", TEST!=\"%s{y}\", MODE=\"1\"\n",
     "TEST{0222}==\"x\", TEST!=\"%s{y}\", MODE=\"0001\"\n"},
    {"arguments",
     "ATTR{[dmi/id]sys_vendor}==\"a\", ATTR{%b x}==\"b\", SYSCTL{kernel.ostype}==\"L*\", "
     "CONST{virt}==\"none\", ENV{.a}==\"b\", MODE=\"1\"\n",
     "ATTR{[dmi/id]sys_vendor}==\"a\", ATTR{%b x}==\"b\", SYSCTL{kernel.ostype}==\"L*\", "
     "CONST{virt}==\"none\", ENV{.a}==\"b\", MODE=\"0001\"\n"},
    {"substitutions stay as written",
     "NODE=\"/dev/$kernel\", OWNER=\"$env{ID_X}\", ENV{A}+=\"%% $$ %s{serial}\"\n",
     "OWNER=\"$env{ID_X}\", ENV{A}+=\"%% $$ %s{serial}\", NODE=\"/dev/$kernel\"\n"},
    {"labels of any name", "GOTO=e\"a\\nb\"\nGOTO=\"c d\"\nLABEL=e\"a\\x0ab\"\nLABEL=\"c d\"\n",
     "GOTO=e\"a\\nb\"\nGOTO=\"c d\"\nLABEL=e\"a\\nb\"\nLABEL=\"c d\"\n"},
    {"rules that give", TTY "MODE=\"600\", SYMLINK+=\"%k\"\nSUBSYSTEMS==\"usb\", ENV{P}=\"%b\"\n",
     "KERNEL==\"ttyUSB0\", CONTAINER+=\"web1\", MODE=\"0600\", SYMLINK+=\"%k\"\n"
     "SUBSYSTEMS==\"usb\", ENV{P}=\"%b\"\n"},
};

static char *print(const struct rule_set *rules)
{
    char *text = NULL;
    assert_int_equal(rule_print(rules, &text), 0);
    assert_non_null(text);
    return text;
}

static void rules_are_printed_as_they_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_rule_set_ struct rule_set *rules = scene_parse(CASES[i].sentence, CASES[i].text);
        _cleanup_free_ char *printed = print(rules);
        if (!streq(printed, CASES[i].printed))
            fail_msg("%s: %s", CASES[i].sentence, printed);
    }
}

static void must_judge_the_same(const struct scene *scene, const char *sentence,
                                const struct rule_set *rules, const struct rule_set *again)
{
    for (size_t i = 0; i < SCENE_DEVICES; i++) {
        struct text expected = {0}, got = {0};
        scene_judge(rules, scene->devices[i], NULL, &expected);
        scene_judge(again, scene->devices[i], NULL, &got);
        if (!streq(expected.bytes, got.bytes))
            fail_msg("%s: device %zu\n%s\n%s", sentence, i, expected.bytes, got.bytes);
    }
}

/* Lines that are rules and nothing else keep their number, so that shares can be compared. */
static void what_is_printed_is_read_as_the_same_rules(void **state)
{
    const struct scene *scene = *state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_rule_set_ struct rule_set *rules = scene_parse(CASES[i].sentence, CASES[i].text);
        _cleanup_free_ char *once = print(rules);
        _cleanup_rule_set_ struct rule_set *again = scene_parse(CASES[i].sentence, once);
        _cleanup_free_ char *twice = print(again);
        if (!streq(once, twice))
            fail_msg("%s: %s", CASES[i].sentence, twice);
        assert_int_equal(rule_set_needs_udev(again), rule_set_needs_udev(rules));
        must_judge_the_same(scene, CASES[i].sentence, rules, again);
    }
}

static char *read_file(const char *path)
{
    _cleanup_free_ char *text = calloc(1, RULE_TEXT_MAX + 1);
    FILE *file = fopen(path, "re");
    assert_non_null(text);
    if (!file) {
        fail_msg("%s cannot be read", path);
        return NULL;
    }
    size_t size = fread(text, 1, RULE_TEXT_MAX, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size > 0);
    return TAKE_PTR(text);
}

static void must_be_a_fixed_point(const char *path)
{
    _cleanup_free_ char *text = read_file(path);
    _cleanup_rule_set_ struct rule_set *rules = scene_parse(path, text);
    _cleanup_free_ char *once = print(rules);
    _cleanup_rule_set_ struct rule_set *again = scene_parse(path, once);
    _cleanup_free_ char *twice = print(again);
    assert_int_equal(rule_set_count(again), rule_set_count(rules));
    if (!streq(once, twice))
        fail_msg("%s: %s", path, twice);
}

static void files_of_ours_are_printed_and_read_again(void **state)
{
    (void)state;
    static const char *const PATTERNS[] = {"rules/examples/*.rules", "rules/70-devolve.rules"};
    const char *source = getenv("srcdir"); /* automake's, where the build is elsewhere */
    for (size_t i = 0; i < ARRAY_SIZE(PATTERNS); i++) {
        char pattern[512];
        glob_t found;
        (void)snprintf(pattern, sizeof(pattern), "%s/%s", source ? source : ".", PATTERNS[i]);
        assert_int_equal(glob(pattern, 0, NULL, &found), 0);
        for (size_t j = 0; j < found.gl_pathc; j++)
            must_be_a_fixed_point(found.gl_pathv[j]);
        globfree(&found);
    }
}

/* The one thing that the printer cannot promise. */
static void a_line_may_come_out_too_long_to_be_read(void **state)
{
    (void)state;
    static const char MATCH[] = "TAG==\"\"";
    struct rule_problems problems = {0};
    char text[RULE_LINE_MAX + 1] = "";
    for (size_t used = 0; used + sizeof(MATCH) < sizeof(text); used += sizeof(MATCH) - 1)
        memcpy(text + used, MATCH, sizeof(MATCH));
    _cleanup_rule_set_ struct rule_set *rules = scene_parse("no commas", text);
    _cleanup_free_ char *printed = print(rules);
    assert_true(strlen(printed) > RULE_LINE_MAX);
    assert_true(rule_parse(rules, "t", printed, strlen(printed), &problems) < 0);
    assert_int_equal(problems.errors, 1);
    assert_non_null(strstr(problems.items[0].text, "the line is longer than"));
    rule_problems_done(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_printed_as_they_are_understood),
        cmocka_unit_test_setup_teardown(what_is_printed_is_read_as_the_same_rules, scene_make,
                                        scene_free),
        cmocka_unit_test(files_of_ours_are_printed_and_read_again),
        cmocka_unit_test(a_line_may_come_out_too_long_to_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
