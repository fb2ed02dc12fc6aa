/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "model/udev_message.h"
#include "model/udev_word.h"

#define DEVPATH "/devices/usb1/1-4"

struct scene {
    struct device *device;
    struct grant grant;
    struct uevent event;
};

static char node[] = "/dev/stick";

static void make_scene(struct scene *scene, const char *subsystem)
{
    *scene = (struct scene){.grant = {.node = node}};
    assert_int_equal(device_new(DEVPATH, subsystem, NULL,
                                "MAJOR=189\nMINOR=3\nDEVNAME=bus/usb/001/004\n", 7, NULL,
                                &scene->device),
                     0);
    assert_int_equal(uevent_init(&scene->event, UEVENT_CHANGE, DEVPATH), 0);
    assert_int_equal(uevent_set(&scene->event, "RESIZE", "1"), 0);
}

static struct udev_word *make_word(const struct scene *scene, enum uevent_action action)
{
    const struct udev_inside_source source = {
        .device = scene->device, .grant = &scene->grant, .event = &scene->event, .now_us = 5};
    struct udev_word *word = NULL;
    assert_int_equal(udev_word_new(&source, action, 42, &word, NULL), 0);
    return word;
}

static void expect(const char *message, size_t size, const char *key, const char *value)
{
    struct property_list properties = {0};
    assert_int_equal(udev_message_decode(message, size, &properties, NULL), 0);
    const char *found = property_get(&properties, key);
    if (value)
        assert_string_equal(found, value);
    else
        assert_null(found);
    property_list_done(&properties);
}

static void a_word_is_record_message_and_the_end_to_come(void **state)
{
    struct scene scene;
    (void)state;
    make_scene(&scene, "usb");
    struct udev_word *word = make_word(&scene, UEVENT_CHANGE);
    assert_string_equal(word->id, "c189:3");
    assert_non_null(strstr(word->record, "I:5\n"));
    expect(word->message, word->message_size, "ACTION", "change");
    expect(word->message, word->message_size, "SEQNUM", "42");
    expect(word->message, word->message_size, "RESIZE", "1");
    expect(word->removal, word->removal_size, "ACTION", "remove");
    expect(word->removal, word->removal_size, "RESIZE", NULL);
    expect(word->removal, word->removal_size, "DEVNAME", "/dev/stick");
    udev_word_free(word);
    device_free(scene.device);
}

static void the_end_is_told_with_its_own_number_and_the_newest_path(void **state)
{
    struct scene scene;
    struct udev_word *end = NULL;
    (void)state;
    make_scene(&scene, "usb");
    struct udev_word *word = make_word(&scene, UEVENT_ADD);
    udev_word_move(word, "/devices/usb1/1-5");
    assert_int_equal(udev_word_end(word, 99, &end), 0);
    assert_int_equal(end->action, UEVENT_REMOVE);
    assert_string_equal(end->devpath, "/devices/usb1/1-5");
    assert_null(end->id);
    expect(end->message, end->message_size, "SEQNUM", "99");
    expect(end->message, end->message_size, "DEVPATH", "/devices/usb1/1-5");
    udev_word_free(end);
    udev_word_free(word);
    device_free(scene.device);
}

static void what_libudev_would_not_take_is_refused_by_name(void **state)
{
    static char value[UDEV_MESSAGE_MAX];
    const char *const none[] = {NULL};
    struct scene scene;
    struct property_list properties = {0};
    struct udev_word *word = NULL;
    struct refusal why = {0};
    (void)state;
    make_scene(&scene, "usb");
    memset(value, 'x', sizeof(value) - 1);
    assert_int_equal(property_set(&properties, "ID_LONG", value), 0);
    assert_int_equal(device_set_udev(scene.device, &properties, none, none), 0);
    const struct udev_inside_source source = {.device = scene.device, .grant = &scene.grant};
    assert_int_equal(udev_word_new(&source, UEVENT_ADD, 1, &word, &why), -EMSGSIZE);
    assert_non_null(strstr(why.text, DEVPATH " cannot be told inside: it is too long for libudev"));
    property_list_done(&properties);
    device_free(scene.device);
}

static void words_are_compared_by_their_records(void **state)
{
    struct scene scene;
    (void)state;
    make_scene(&scene, "usb");
    struct udev_word *a = make_word(&scene, UEVENT_ADD), *b = make_word(&scene, UEVENT_CHANGE);
    assert_true(udev_word_same_record(a, b));
    b->record[0] = 'X';
    assert_false(udev_word_same_record(a, b));
    udev_word_free(a);
    udev_word_free(b);
    udev_word_free(NULL);
    device_free(scene.device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_record_message_and_the_end_to_come),
        cmocka_unit_test(the_end_is_told_with_its_own_number_and_the_newest_path),
        cmocka_unit_test(what_libudev_would_not_take_is_refused_by_name),
        cmocka_unit_test(words_are_compared_by_their_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
