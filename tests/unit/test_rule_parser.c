/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_parser.h"
#include "model/rule_problem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Each text has exactly one problem, there, with these words in it. */
static const struct {
    const char *sentence;
    const char *text;
    enum problem_severity severity;
    unsigned line, column;
    const char *words;
} PROBLEMS[] = {
    {"an unknown key", "KERNEL==\"a\", FOO==\"b\"", PROBLEM_ERROR, 1, 14, "no key FOO"},
    {"keys are upper case", "kernel==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1, "no key kernel"},
    {"a match key that is assigned", "KERNEL=\"a\", MODE=\"0660\"", PROBLEM_ERROR, 1, 7,
     "KERNEL takes only == !="},
    {"an assigned key that is matched", "KERNEL==\"a\", MODE==\"0660\"", PROBLEM_ERROR, 1, 18,
     "MODE takes only = :="},
    {"a single value that is added to", "OWNER+=\"a\"", PROBLEM_ERROR, 1, 6,
     "OWNER takes only = :="},
    {"a property has no final value", "ENV{A}:=\"a\"", PROBLEM_ERROR, 1, 7,
     "ENV takes only == != = +="},
    {"GOTO only jumps", "GOTO+=\"a\"", PROBLEM_ERROR, 1, 5, "GOTO takes only ="},

    {"setting a tag is refused", "KERNEL==\"a\", TAG+=\"b\"", PROBLEM_ERROR, 1, 14,
     "TAG as an assignment is refused: tags are udev's to set"},
    {"parents have no tags to set", "TAGS+=\"b\"", PROBLEM_ERROR, 1, 5, "TAGS takes only == !="},
    {"a mask that is not octal", "TEST{0448}==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "the mask of TEST is an octal number"},
    {"a mask that no file meets", "TEST{0}==\"x\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "no file has a bit"},
    {"a test of nothing", "TEST==\"\", MODE=\"1\"", PROBLEM_ERROR, 1, 7, "TEST needs the path"},
    {"a test that ignores case", "TEST==i\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 7,
     "TEST names a file"},
    {"an unknown constant", "CONST{cvm}==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "CONST{arch} and CONST{virt}"},
    {"a sysctl without name", "SYSCTL==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "SYSCTL needs a name"},
    {"a name that is too long", "KERNEL==\"a\", NAME=\"sixteen-bytes-it\"", PROBLEM_ERROR, 1, 19,
     "1 to 15 characters"},
    {"a name with a slash", "NAME=\"a/b\"", PROBLEM_ERROR, 1, 6, "must not have"},
    {"another device's attribute without its name", "ATTR{[dmi]x}==\"a\", MODE=\"1\"",
     PROBLEM_ERROR, 1, 1, "ATTR{[SUBSYSTEM/NAME]ATTRIBUTE}"},
    {"another device without attribute", "ATTRS{[dmi/id]}==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "ATTRS{[SUBSYSTEM/NAME]ATTRIBUTE}"},
    {"an attribute's name that substitutes nothing", "ATTR{%q}==\"a\", MODE=\"1\"", PROBLEM_ERROR,
     1, 1, "is no substitution"},

    {"PROGRAM is refused", "PROGRAM==\"/bin/id\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "PROGRAM is refused: a policy that runs as root executes nothing"},
    {"RESULT is refused", "RESULT==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1, "RESULT is refused"},
    {"RUN is refused, of any type", "KERNEL==\"a\", RUN{builtin}+=\"kmod\"", PROBLEM_ERROR, 1, 14,
     "RUN is refused"},
    {"IMPORT is refused", "IMPORT{program}=\"a\"", PROBLEM_ERROR, 1, 1, "IMPORT is refused"},
    {"SECLABEL is refused", "SECLABEL{selinux}=\"a\"", PROBLEM_ERROR, 1, 1, "SECLABEL is refused"},
    {"writing to an attribute is refused", "KERNEL==\"a\", ATTR{x}=\"1\"", PROBLEM_ERROR, 1, 14,
     "ATTR as an assignment is refused: a policy that runs as root writes nothing"},
    {"a key of former days is refused", "KERNEL==\"a\", SYSFS{x}==\"1\"", PROBLEM_ERROR, 1, 14,
     "udev itself has no such key any more (it was ATTRS)"},
    {"writing to a sysctl is refused", "SYSCTL{x}=\"1\"", PROBLEM_ERROR, 1, 1,
     "SYSCTL as an assignment is refused: a policy that runs as root writes nothing"},

    {"ATTR without name", "ATTR==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1, "ATTR needs a name"},
    {"ENV with an empty name", "ENV{}==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1, "ENV needs a name"},
    {"KERNEL with a name", "KERNEL{a}==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "KERNEL takes no {...}"},
    {"a path instead of an attribute", "ATTR{/etc/passwd}==\"a\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "below the device's directory"},
    {"a property of one event", "ENV{SYNTH_UUID}==\"0\", MODE=\"1\"", PROBLEM_ERROR, 1, 1,
     "SYNTH_UUID belongs to one event"},
    {"a property that the kernel sets", "ENV{DEVNAME}=\"x\"", PROBLEM_ERROR, 1, 1,
     "DEVNAME is the kernel's"},
    {"a property that would be two", "ENV{A=B}=\"x\"", PROBLEM_ERROR, 1, 1,
     "no name of a property"},

    {"a container for every device", "CONTAINER+=\"web\"", PROBLEM_ERROR, 1, 1,
     "a rule without a device match is refused"},
    {"ACTION is no device match", "ACTION==\"add\", CONTAINER+=\"web\"", PROBLEM_ERROR, 1, 16,
     "a rule without a device match is refused"},
    {"CONTAINER is no device match", "CONTAINER==\"a*\", CONTAINER=\"web\"", PROBLEM_ERROR, 1, 18,
     "a rule without a device match is refused"},
    {"nobody's container", "KERNEL==\"a\", CONTAINER+=\"\"", PROBLEM_ERROR, 1, 25,
     "CONTAINER needs"},
    {"a label without value", "KERNEL==\"a\", CONTAINER+=\"label:tier\"", PROBLEM_ERROR, 1, 25,
     "label:KEY=GLOB"},
    {"a label among names", "KERNEL==\"a\", CONTAINER+=\"a|label:b=c\"", PROBLEM_ERROR, 1, 25,
     "the first word"},

    {"a node elsewhere", "NODE=\"/etc/passwd\"", PROBLEM_ERROR, 1, 6, "NODE must lie below /dev"},
    {"a node elsewhere with a substitution", "NODE=\"/run/%k\"", PROBLEM_ERROR, 1, 6,
     "NODE must lie below /dev"},
    {"/dev itself", "NODE=\"/dev/\"", PROBLEM_ERROR, 1, 6, "NODE needs a path below /dev"},
    {"a neighbour of /dev", "NODE=\"/device/a\"", PROBLEM_ERROR, 1, 6, "NODE must lie below /dev"},
    {"a node that climbs", "NODE=\"/dev/../etc/a\"", PROBLEM_ERROR, 1, 6, ". or .."},
    {"a node that climbs at its end", "NODE=\"a/..\"", PROBLEM_ERROR, 1, 6, ". or .."},
    {"a node that is a directory", "NODE=\"/dev/a/\"", PROBLEM_ERROR, 1, 6, "empty name"},
    {"no node", "NODE=\"\"", PROBLEM_ERROR, 1, 6, "NODE needs"},
    {"the second link climbs", "SYMLINK+=\"a ../b\"", PROBLEM_ERROR, 1, 10, ". or .."},
    {"a link elsewhere", "SYMLINK+=\"/etc/a\"", PROBLEM_ERROR, 1, 10,
     "SYMLINK must lie below /dev"},
    {"a mode that is not octal", "MODE=\"0680\"", PROBLEM_ERROR, 1, 6, "MODE is an octal number"},
    {"a mode in letters", "MODE=\"u=rw\"", PROBLEM_ERROR, 1, 6, "MODE is an octal number"},
    {"a mode that is too large", "MODE=\"10000\"", PROBLEM_ERROR, 1, 6, "MODE is an octal number"},
    {"an unknown access", "ACCESS=\"rx\"", PROBLEM_ERROR, 1, 8, "ACCESS is made of r, w and m"},
    {"no access", "ACCESS=\"\"", PROBLEM_ERROR, 1, 8, "ACCESS needs"},
    {"the id that stands for none", "OWNER=\"4294967295\"", PROBLEM_ERROR, 1, 7,
     "OWNER is a number up to 4294967294"},
    {"an id beyond all numbers", "GROUP=\"99999999999999999999\"", PROBLEM_ERROR, 1, 7,
     "GROUP is a number up to 4294967294"},
    {"a negative id", "OWNER=\"-1\"", PROBLEM_ERROR, 1, 7, "OWNER needs a number from 0 on"},
    {"an owner with its group", "OWNER=\"a:b\"", PROBLEM_ERROR, 1, 7,
     "OWNER needs a number, or a name without"},
    {"an owner in a path", "GROUP=\"a/b\"", PROBLEM_ERROR, 1, 7,
     "GROUP needs a number, or a name without"},
    {"an owner with a blank", "OWNER=\"a b\"", PROBLEM_ERROR, 1, 7,
     "OWNER needs a number, or a name"},
    {"an unknown option", "OPTIONS+=\"subtree,subtrees\"", PROBLEM_ERROR, 1, 10,
     "\"subtrees\" is no option"},
    {"an option of udev's own", "OPTIONS+=\"watch\"", PROBLEM_ERROR, 1, 10,
     "\"watch\" is for udev itself"},
    {"an option of udev's own with a value", "OPTIONS+=\"static_node=snd/seq\"", PROBLEM_ERROR, 1,
     10, "\"static_node=snd/seq\" is for udev itself"},
    {"a priority in words", "OPTIONS+=\"link_priority=high\"", PROBLEM_ERROR, 1, 10,
     "link_priority is a whole number"},
    {"a priority beyond all bounds", "OPTIONS+=\"link_priority=-1000001\"", PROBLEM_ERROR, 1, 10,
     "link_priority is a whole number"},
    {"an option that is not kept", "OPTIONS-=\"last_rule\"", PROBLEM_ERROR, 1, 10,
     "only words such as subtree are kept"},
    {"an unknown substitution", "SYMLINK+=\"a%q\"", PROBLEM_ERROR, 1, 10,
     "\"%q\" is no substitution"},
    {"the result of no program", "SYMLINK+=\"a%c\"", PROBLEM_ERROR, 1, 10, "there is no PROGRAM"},
    {"an attribute substitution without name", "SYMLINK+=\"$attr\"", PROBLEM_ERROR, 1, 10,
     "is no substitution"},
    {"a newline in a property", "ENV{A}=e\"a\\nB=c\"", PROBLEM_ERROR, 1, 8, "control character"},
    {"an assignment that ignores case", "OWNER=i\"a\"", PROBLEM_ERROR, 1, 7, "is for matches"},

    {"a label that is not there", "KERNEL==\"a\", GOTO=\"end\"", PROBLEM_ERROR, 1, 14,
     "no LABEL=\"end\" follows"},
    {"a label that went before", "LABEL=\"a\"\nKERNEL==\"a\", \\\n  GOTO=\"a\"", PROBLEM_ERROR, 3,
     3, "no LABEL=\"a\" follows"},
    {"two jumps", "KERNEL==\"a\", GOTO=\"b\", GOTO=\"b\"\nLABEL=\"b\"", PROBLEM_ERROR, 1, 24,
     "one GOTO at most"},
    {"a comma at the end of a line", "MODE=\"1\",\n\n", PROBLEM_WARNING, 1, 9,
     "a comma at the line's end"},

    {"a rule for another action", "ACTION==\"remove\", KERNEL==\"a\", CONTAINER+=\"w\"",
     PROBLEM_WARNING, 1, 1, "this rule never grants"},
    {"a rule for all actions but add", "KERNEL==\"a\", ACTION!=\"a*\", MODE=\"1\"", PROBLEM_WARNING,
     1, 14, "this rule never grants"},
    {"a rule that does nothing", "KERNEL==\"a\"", PROBLEM_WARNING, 1, 1, "only matches"},
    {"no comma", "KERNEL==\"a\" MODE=\"1\"", PROBLEM_WARNING, 1, 13, "a comma is expected"},
    {"two commas", "KERNEL==\"a\",, MODE=\"1\"", PROBLEM_WARNING, 1, 13, "a comma too many"},
    {"a comma that begins the line", ", KERNEL==\"a\", MODE=\"1\"", PROBLEM_WARNING, 1, 1,
     "a comma too many"},
};

static void every_mistake_is_told_where_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(PROBLEMS); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        const char *text = PROBLEMS[i].text;
        bool error = PROBLEMS[i].severity == PROBLEM_ERROR;
        int r = rule_parse(rules, "t.rules", text, strlen(text), &problems);
        if (r != (error ? -EBADMSG : 0) || problems.count != 1 || problems.errors != error)
            fail_msg("%s: %d with %zu problems, %zu of them errors", PROBLEMS[i].sentence, r,
                     problems.count, problems.errors);
        const struct rule_problem *p = &problems.items[0];
        assert_int_equal(p->severity, PROBLEMS[i].severity);
        if (p->line != PROBLEMS[i].line || p->column != PROBLEMS[i].column ||
            !strstr(p->text, PROBLEMS[i].words))
            fail_msg("%s: got %u:%u %s", PROBLEMS[i].sentence, p->line, p->column, p->text);
        assert_string_equal(p->file, "t.rules");
        assert_int_equal(rule_set_count(rules), error ? 0 : 1);
        rule_problems_done(&problems);
    }
}

static const struct {
    const char *sentence;
    const char *text;
    size_t rules;
} GOOD[] = {
    {"an empty file", "", 0},
    {"only comments", "# a\n\n  # b\n", 0},
    {"every match key",
     "ACTION==\"add\", KERNEL==\"a\", SUBSYSTEM!=\"b\", DEVPATH==\"*\", DRIVER==\"c\", "
     "ATTR{d}==\"e\", "
     "ENV{f}==\"g\", TAG==\"n\", TAGS!=\"o\", SYMLINK==\"p\", NAME==\"q\", SYSCTL{r/s}==\"t\", "
     "TEST{0200}!=\"u\", TEST==\"/sys/%k\", CONST{arch}==\"x86-64\", CONST{virt}!=\"none\", "
     "ATTR{[dmi/id]sys_vendor}==\"v\", ATTR{%k/x}==\"w\", ENV{ID_X}==\"y\", KERNELS==\"h\", "
     "SUBSYSTEMS==\"i\", DRIVERS==\"j\", ATTRS{k}==\"l\", "
     "CONTAINER==\"m\", "
     "MODE=\"1\"",
     1},
    {"every assignment",
     "KERNEL==\"a\", CONTAINER+=\"w\", NODE=\"/dev/a\", OWNER=\"0\", GROUP:=\"dialout\", "
     "MODE=\"0660\", "
     "ACCESS=\"rw\", NAME=\"lan0\", SYMLINK+=\"b c/d\", ENV{X}=\"y\", OPTIONS+=\"subtree "
     "exclusive,no_node\", "
     "OPTIONS=\"no_event\", OPTIONS-=\"dangerous\", OPTIONS+=\"string_escape=none\", "
     "OPTIONS+=\"string_escape=replace\", OPTIONS+=\"last_rule\", "
     "OPTIONS+=\"link_priority=-100\"",
     1},
    {"the largest ids", "KERNEL==\"a\", OWNER=\"4294967294\", GROUP=\"0000004294967294\"", 1},
    {"every substitution",
     "SYMLINK+=\"%k%n%p%M%m%b%s{a}%E{b}%N%P%r%S%% $kernel$number$devpath$id$driver$attr{a}$sysfs{a}"
     "$env{b}$major$minor$parent$name$links$root$sys$devnode$$\"",
     1},
    {"a jump over rules", "KERNEL!=\"a\", GOTO=\"end\"\nMODE=\"1\"\nLABEL=\"end\"", 3},
    {"a guard of another action warns nobody", "ACTION==\"remove\", GOTO=\"end\"\nLABEL=\"end\"",
     2},
    {"everything is taken back", "CONTAINER=\"\"\nCONTAINER-=\"web*\"", 2},
    {"all actions that matter",
     "ACTION==\"add|change\", MODE=\"1\"\nACTION!=\"remove\", MODE=\"1\"", 2},
    {"links and options are cleared", "SYMLINK=\"\", OPTIONS=\"\"", 1},
    {"a relative node", "NODE=\"a/b\"", 1},
    {"a node of nothing but a substitution", "NODE=\"$env{WHERE}\"", 1},
    {"an attribute in a parent directory", "ATTR{../x}==\"1\", MODE=\"1\"", 1},
};

static void every_good_text_is_parsed_without_a_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(GOOD); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        int r = rule_parse(rules, "t.rules", GOOD[i].text, strlen(GOOD[i].text), &problems);
        if (problems.count > 0)
            fail_msg("%s: %s", GOOD[i].sentence, problems.items[0].text);
        assert_int_equal(r, 0);
        assert_int_equal(rule_set_count(rules), GOOD[i].rules);
        assert_int_equal(rule_set_file_count(rules), 1);
    }
}

static void all_problems_of_a_file_are_told(void **state)
{
    (void)state;
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    const char *text =
        "FOO==\"a\", MODE=\"9\", \\\n BAR=\"b\nMODE=\"0660\" GROUP=\"a\"\nCONTAINER+=\"a\"\n"
        "KERNEL==\"x\", GOTO=\"y\"\nMODE=\"8\", LABEL=\"y\"\n";
    assert_int_equal(rule_parse(rules, "t.rules", text, strlen(text), &problems), -EBADMSG);
    static const unsigned expected[][2] = {{1, 1}, {1, 16}, {2, 6}, {3, 13}, {4, 1}, {6, 6}};
    assert_int_equal(problems.count, ARRAY_SIZE(expected));
    assert_int_equal(problems.errors, ARRAY_SIZE(expected) - 1);
    for (size_t i = 0; i < problems.count; i++) {
        assert_int_equal(problems.items[i].line, expected[i][0]);
        assert_int_equal(problems.items[i].column, expected[i][1]);
    }
    assert_string_equal(problems.items[2].source, " BAR=\"b");
    rule_problems_done(&problems);
}

static void the_source_line_is_shown_byte_for_byte(void **state)
{
    (void)state;
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    const char *text = "\tSYMLINK+=\"\xc3\xa4\", F\x01O==\"a\" \\\n\n";
    assert_int_equal(rule_parse(rules, "t\n.rules", text, strlen(text), &problems), -EBADMSG);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].column, 18);
    assert_string_equal(problems.items[0].source, " SYMLINK+=\"??\", F?O==\"a\" \\");
    assert_string_equal(problems.items[0].file, "t?.rules");
    rule_problems_done(&problems);
}

static void a_broken_file_leaves_the_set_as_it_was(void **state)
{
    (void)state;
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    assert_int_equal(rule_parse(rules, "a", "MODE=\"1\"\n", 9, &problems), 0);
    assert_int_equal(rule_parse(rules, "b", "MODE=\"1\"\nMODE=\"9\"\n", 18, &problems), -EBADMSG);
    assert_int_equal(rule_parse(rules, "c", "MODE=\"1\"\nMODE=\"2\"\n", 18, &problems), 0);
    assert_int_equal(rule_set_count(rules), 3);
    assert_int_equal(rule_set_file_count(rules), 2);
    assert_int_equal(problems.count, 1);
    rule_problems_done(&problems);
}

static char *repeat(const char *text, size_t count)
{
    size_t length = strlen(text);
    char *all = malloc(length * count + 1), *end = all;
    assert_non_null(all);
    all[0] = '\0';
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, text);
    return all;
}

static void a_hundred_problems_are_told_and_one_of_them_is_the_error(void **state)
{
    (void)state;
    _cleanup_free_ char *errors = repeat("FOO\n", 150);
    _cleanup_free_ char *warnings = repeat("KERNEL==\"a\"\n", 151);
    memcpy(warnings + strlen(warnings) - 12, "FOO        \n", 12);
    char *const texts[] = {errors, warnings};
    static const size_t expected[] = {100, 1};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
        struct rule_problems problems = {0};
        assert_int_equal(rule_parse(rules, "t", texts[i], strlen(texts[i]), &problems), -EBADMSG);
        assert_int_equal(problems.count, 100);
        assert_int_equal(problems.errors, expected[i]);
        rule_problems_done(&problems);
    }
}

static void a_file_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    _cleanup_free_ char *text = malloc(RULE_TEXT_MAX + 1);
    assert_non_null(text);
    memset(text, '\n', RULE_TEXT_MAX + 1);
    _cleanup_rule_set_ struct rule_set *rules = rule_set_new();
    struct rule_problems problems = {0};
    assert_int_equal(rule_parse(rules, "t", text, RULE_TEXT_MAX, &problems), 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(rule_parse(rules, "t", text, RULE_TEXT_MAX + 1, &problems), -EBADMSG);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].text, "longer than 1048576 bytes"));
    rule_problems_done(&problems);
}

static void a_problem_of_a_whole_file_has_no_line(void **state)
{
    (void)state;
    char place[RULE_PLACE_MAX], file[] = "50-a.rules", text[] = "x";
    const struct rule_problem of_file = {.file = file, .text = text};
    const struct rule_problem of_key = {.file = file, .text = text, .line = 3, .column = 14};
    assert_string_equal(rule_problem_place(&of_file, place), "50-a.rules");
    assert_string_equal(rule_problem_place(&of_key, place), "50-a.rules:3:14");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_of_a_whole_file_has_no_line),
        cmocka_unit_test(every_mistake_is_told_where_it_stands),
        cmocka_unit_test(every_good_text_is_parsed_without_a_word),
        cmocka_unit_test(all_problems_of_a_file_are_told),
        cmocka_unit_test(the_source_line_is_shown_byte_for_byte),
        cmocka_unit_test(a_broken_file_leaves_the_set_as_it_was),
        cmocka_unit_test(a_hundred_problems_are_told_and_one_of_them_is_the_error),
        cmocka_unit_test(a_file_may_be_as_long_as_the_limit_and_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
