/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/waiting_note.h"

#define WHO "\"boot_id\":\"b\",\"pid\":7,\"start_time\":9,\"name\":\"web1\""

static void a_note_is_read(void **state)
{
    static const char text[] =
        "{" WHO ",\"root\":\"/bundle/rootfs\",\"labels\":{\"tier\":\"front\"}}";
    struct waiting_note note;
    struct refusal why = {.error = 0};
    (void)state;
    assert_int_equal(waiting_note_parse(text, strlen(text), &note, &why), 0);
    assert_string_equal(note.boot_id, "b");
    assert_int_equal(note.pid, 7);
    assert_int_equal(note.start_time, 9);
    assert_string_equal(note.name, "web1");
    assert_string_equal(note.root, "/bundle/rootfs");
    assert_string_equal(property_get(&note.labels, "tier"), "front");
    waiting_note_done(&note);
}

static void root_and_labels_may_be_missing(void **state)
{
    static const char text[] = "{" WHO "}";
    struct waiting_note note;
    (void)state;
    assert_int_equal(waiting_note_parse(text, strlen(text), &note, NULL), 0);
    assert_null(note.root);
    assert_int_equal(note.labels.count, 0);
    waiting_note_done(&note);
}

static void what_is_no_note_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "end of file"},
        {"{" WHO, "column"},
        {"[]", "xpected object"},
        {"{" WHO ",\"pid\":8}", "duplicate"},
        {"{" WHO ",\"user\":\"root\"}", "user"},
        {"{\"boot_id\":\"b\",\"pid\":7,\"start_time\":9}", "name"},
        {"{\"boot_id\":\"b\",\"pid\":\"7\",\"start_time\":9,\"name\":\"a\"}", "xpected integer"},
        {"{\"boot_id\":\"b\",\"pid\":0,\"start_time\":9,\"name\":\"a\"}", "no process"},
        {"{\"boot_id\":\"b\",\"pid\":-1,\"start_time\":9,\"name\":\"a\"}", "no process"},
        {"{\"boot_id\":\"b\",\"pid\":4294967297,\"start_time\":9,\"name\":\"a\"}", "no process"},
        {"{\"boot_id\":\"b\",\"pid\":7,\"start_time\":0,\"name\":\"a\"}", "no process"},
        {"{" WHO ",\"root\":\"rootfs\"}", "no absolute path"},
        {"{" WHO ",\"labels\":{\"tier\":7}}", "labels"},
        {"{" WHO ",\"labels\":[]}", "labels"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct waiting_note note;
        struct refusal why = {.error = 0};
        assert_int_equal(waiting_note_parse(cases[i].text, strlen(cases[i].text), &note, &why),
                         -EBADMSG);
        if (!strstr(why.text, cases[i].reason))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, why.text, cases[i].reason);
    }
}

static void one_that_is_too_large_is_not_even_looked_at(void **state)
{
    static char text[WAITING_NOTE_MAX + 1];
    struct waiting_note note;
    struct refusal why = {.error = 0};
    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "{" WHO "}", strlen("{" WHO "}"));
    assert_int_equal(waiting_note_parse(text, sizeof(text), &note, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "bytes"));
    assert_int_equal(waiting_note_parse(text, sizeof(text) - 1, &note, &why), 0);
    waiting_note_done(&note);
}

static void what_is_written_reads_the_same(void **state)
{
    static const char text[] = "{" WHO ",\"root\":\"/a \\\"b\\\"\",\"labels\":{\"id\":\"c\"}}";
    struct waiting_note note, again;
    (void)state;
    assert_int_equal(waiting_note_parse(text, strlen(text), &note, NULL), 0);
    char *written = waiting_note_format(&note);
    assert_non_null(written);
    assert_int_equal(waiting_note_parse(written, strlen(written), &again, NULL), 0);
    assert_string_equal(again.boot_id, note.boot_id);
    assert_int_equal(again.pid, note.pid);
    assert_int_equal(again.start_time, note.start_time);
    assert_string_equal(again.name, note.name);
    assert_string_equal(again.root, "/a \"b\"");
    assert_true(property_list_equal(&again.labels, &note.labels));
    free(written);
    waiting_note_done(&note);
    waiting_note_done(&again);
}

static void without_a_root_none_is_written(void **state)
{
    static const char text[] = "{" WHO "}";
    struct waiting_note note;
    (void)state;
    assert_int_equal(waiting_note_parse(text, strlen(text), &note, NULL), 0);
    char *written = waiting_note_format(&note);
    assert_non_null(written);
    assert_null(strstr(written, "root"));
    free(written);
    waiting_note_done(&note);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_read),
        cmocka_unit_test(root_and_labels_may_be_missing),
        cmocka_unit_test(what_is_no_note_is_refused_by_name),
        cmocka_unit_test(one_that_is_too_large_is_not_even_looked_at),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(without_a_root_none_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
