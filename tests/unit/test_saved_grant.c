/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "model/json_field.h"
#include "model/saved_grant.h"

/* What is written goes through its text, as it does through a file. */
static json_t *through_text(json_t *json_take)
{
    assert_non_null(json_take);
    _cleanup_free_ char *text = json_dumps(json_take, JSON_COMPACT);
    json_decref(json_take);
    assert_non_null(text);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    return json;
}

static struct grant *full_grant(void)
{
    struct grant *grant = calloc(1, sizeof(*grant));
    assert_non_null(grant);
    *grant = (struct grant){
        .devpath = strdup("/devices/pci0/usb1/1-1/tty/ttyUSB0"),
        .inode = 987654321012345,
        .node = strdup("/dev/bus/me"),
        .ifindex = 7,
        .number = {NODE_CHARACTER, 188, 1048575},
        .uid = 4294967294u,
        .gid = 20,
        .owner = strdup("anna"),
        .group = strdup("dial\xfcout"),
        .mode = 0640,
        .access = ACCESS_READ | ACCESS_MKNOD,
        .options = OPTION_SUBTREE | OPTION_EXCLUSIVE,
        .symlinks = calloc(2, sizeof(char *)),
        .symlink_count = 2,
        .link_priority = -SHARE_LINK_PRIORITY_MAX,
        .yielded = 2,
        .rule_file = strdup("10-a.rules"),
        .rule_line = 12,
    };
    grant->symlinks[0] = strdup("/dev/one");
    grant->symlinks[1] = strdup("/dev/two");
    assert_int_equal(property_set(&grant->env, "KEY", "\x92 and \"quotes\"\n"), 0);
    assert_int_equal(property_set(&grant->env, "AGAIN", ""), 0);
    return grant;
}

static void a_grant_is_read_as_it_was(void **state)
{
    (void)state;
    _cleanup_grant_ struct grant *grant = full_grant(), *read = NULL;
    _cleanup_json_ json_t *json = through_text(saved_grant_format(grant));
    assert_int_equal(saved_grant_parse(json, &read), 0);
    assert_true(grant_equal(grant, read));
    assert_true(grant_same_key(grant, read));
    assert_true(devnum_equal(&grant->number, &read->number));
    assert_int_equal(read->yielded, 2);
    assert_int_equal(read->link_priority, -SHARE_LINK_PRIORITY_MAX);
    assert_int_equal(read->ifindex, 7);
    assert_string_equal(read->rule_file, "10-a.rules");
    assert_int_equal(read->rule_line, 12);
    assert_string_equal(property_get(&read->env, "KEY"), "\x92 and \"quotes\"\n");
}

/* Each changes one member of a good grant. */
static void what_cannot_be_a_grant_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } cases[] = {
        {"devpath", "null"},
        {"devpath", "\"devices/a\""},
        {"devpath", "\"/devices/../etc\""},
        {"inode", "0"},
        {"inode", "-1"},
        {"inode", "\"7\""},
        {"inode", "1.5"},
        {"node", "\"/etc/passwd\""},
        {"node", "\"/dev/../etc/passwd\""},
        {"node", "\"/dev/\""},
        {"node", "\"/dev/a\\u0000b\""},
        {"node", "7"},
        {"kind", "0"},
        {"kind", "3"},
        {"major", "4294967296"},
        {"mode", "4096"},
        {"access", "8"},
        {"symlinks", "[\"/tmp/x\"]"},
        {"symlinks", "[7]"},
        {"symlinks", "{}"},
        {"link_priority", "2000001"},
        {"env", "[[\"KEY\"]]"},
        {"env", "{}"},
        {"owner", "\"\\u0100\""},
        {"interface", "\"0123456789abcdef\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_grant_ struct grant *grant = full_grant(), *read = NULL;
        _cleanup_json_ json_t *json = through_text(saved_grant_format(grant));
        json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        json_object_set_new(json, cases[i].key, value);
        if (saved_grant_parse(json, &read) != -EBADMSG)
            fail_msg("%s: %s was taken", cases[i].key, cases[i].value);
    }
    struct grant *read = NULL;
    assert_int_equal(saved_grant_parse(NULL, &read), -EBADMSG);
}

static void a_share_is_read_as_it_was(void **state)
{
    (void)state;
    struct share share = {.given = true, .mode = -1, .access = ACCESS_WRITE}, read;
    share.options = OPTION_NO_EVENT;
    share.node = strdup("/dev/mine");
    share.owner = strdup("anna");
    share.rule_file = strdup("attach");
    assert_int_equal(share_add_symlink(&share, "a/b", 3), 0);
    assert_int_equal(property_set(&share.env, "A", "b"), 0);
    _cleanup_json_ json_t *json = through_text(saved_share_format(&share));
    assert_int_equal(saved_share_parse(json, &read), 0);
    assert_true(read.given);
    assert_int_equal(read.mode, -1);
    assert_int_equal(read.access, ACCESS_WRITE);
    assert_int_equal(read.options, OPTION_NO_EVENT);
    assert_string_equal(read.node, "/dev/mine");
    assert_string_equal(read.owner, "anna");
    assert_null(read.group);
    assert_string_equal(read.rule_file, "attach");
    assert_int_equal(read.symlink_count, 1);
    assert_string_equal(read.symlinks[0], "/dev/a/b");
    assert_true(property_list_equal(&share.env, &read.env));
    share_done(&share);
    share_done(&read);
}

static void a_share_with_too_many_links_is_refused(void **state)
{
    (void)state;
    struct share read;
    _cleanup_json_ json_t *json = json_object();
    json_t *links = json_array();
    for (int i = 0; i <= SHARE_SYMLINKS_MAX; i++)
        json_array_append_new(links, json_string("/dev/x"));
    json_object_set_new(json, "symlinks", links);
    assert_int_equal(saved_share_parse(json, &read), -EBADMSG);
}

static void a_word_is_read_without_the_message_that_was_told(void **state)
{
    (void)state;
    char message[] = "told", removal[] = "libudev\0\xfe\xed\xca\xfe\0K=V";
    struct udev_word word = {.action = UEVENT_CHANGE,
                             .devpath = (char[]){"/devices/a"},
                             .id = (char[]){"c188:0"},
                             .record = (char[]){"I:1\nE:A=\x92\n"},
                             .message = message,
                             .message_size = sizeof(message),
                             .removal = removal,
                             .removal_size = sizeof(removal)};
    _cleanup_udev_word_ struct udev_word *read = NULL;
    _cleanup_json_ json_t *json = through_text(saved_word_format(&word));
    assert_int_equal(saved_word_parse(json, &read), 0);
    assert_true(udev_word_same_record(&word, read));
    assert_int_equal(read->action, UEVENT_CHANGE);
    assert_null(read->message);
    assert_int_equal(read->removal_size, sizeof(removal));
    assert_memory_equal(read->removal, removal, sizeof(removal));
}

static void a_word_whose_record_would_be_elsewhere_is_refused(void **state)
{
    (void)state;
    struct udev_word *read = NULL;
    _cleanup_json_ json_t *json =
        json_pack("{s:i, s:s, s:s}", "action", 0, "devpath", "/devices/a", "id", "../c1:3");
    assert_int_equal(saved_word_parse(json, &read), -EBADMSG);
}

/* Every byte but NUL, and NUL too where it may be. */
static void all_bytes_survive(void **state)
{
    (void)state;
    char all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    struct json_writer writer = json_writer_new();
    json_write_bytes(&writer, "all", all, sizeof(all));
    json_write_bytes(&writer, "text", all + 1, sizeof(all) - 1);
    _cleanup_json_ json_t *json = through_text(json_writer_take(&writer));
    struct json_reader reader = json_reader_of(json);
    size_t size;
    _cleanup_free_ char *bytes = json_read_bytes(&reader, "all", &size);
    assert_int_equal(size, sizeof(all));
    assert_memory_equal(bytes, all, sizeof(all));
    _cleanup_free_ char *text = json_read_text(&reader, "text");
    assert_int_equal(strlen(text), sizeof(all) - 1);
    assert_int_equal(reader.error, 0);
    assert_null(json_read_text(&reader, "all"));
    assert_int_equal(reader.error, -EBADMSG);
    assert_null(json_read_text(&reader, "text")); /* the mistake sticks */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_is_read_as_it_was),
        cmocka_unit_test(what_cannot_be_a_grant_is_refused),
        cmocka_unit_test(a_share_is_read_as_it_was),
        cmocka_unit_test(a_share_with_too_many_links_is_refused),
        cmocka_unit_test(a_word_is_read_without_the_message_that_was_told),
        cmocka_unit_test(a_word_whose_record_would_be_elsewhere_is_refused),
        cmocka_unit_test(all_bytes_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
