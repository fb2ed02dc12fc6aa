/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"
#include "capture.h"
#include "engine_bench.h"
#include "model/udev_message.h"

/*
 * What a real kernel and its udevd said, in the order in which it was heard, for containers with
 * rules as people write them (tests/data/golden/replay.rules). tests/data/golden/SCENARIO.replay
 * has for each message what came of it: the steps, outcomes, and what is given of its device then.
 */

static const char *const containers[] = {"lab", "desk", "store", "board", "net"};

/* Whole captures: what came has gone in the end. */
static const char *const scenarios[] = {"bochs-drm-hotplug",
                                        "dummy_hcd",
                                        "gadget-acm",
                                        "gadget-hid",
                                        "gadget-mass-storage",
                                        "gadget-printer",
                                        "loop-attach",
                                        "net-rename",
                                        "scsi_debug",
                                        "snd-dummy",
                                        "uhid-kbd",
                                        "usb-kbd",
                                        "usb-mouse",
                                        "usb-net",
                                        "usb-serial",
                                        "usb-storage",
                                        "usb-storage-partitioned",
                                        "virtio-blk-hotplug",
                                        "virtio-net-hotplug",
                                        "virtio-serial-hotplug",
                                        "zram"};

/* A text that grows. */
struct report {
    FILE *file;
    char *text;
    size_t size;
};

static void report_open(struct report *report)
{
    report->file = open_memstream(&report->text, &report->size);
    assert_non_null(report->file);
}

static void report_done(struct report *report)
{
    fclose(report->file);
    free(report->text);
}

/* Names between separators into a list. */
static void split(struct name_list *list, const char *text, const char *separators)
{
    _cleanup_free_ char *copy = strdup(text ? text : "");
    char *rest = copy;
    assert_non_null(copy);
    for (const char *name; (name = strsep(&rest, separators));)
        if (*name)
            assert_int_equal(name_list_add(list, name), 0);
}

static struct udev_view view_of(const struct property_list *said)
{
    struct udev_view view = {0};
    assert_int_equal(property_merge(&view.properties, said), 0);
    split(&view.tags, property_get(said, "CURRENT_TAGS"), ":");
    split(&view.links, property_get(said, "DEVLINKS"), " ");
    return view;
}

static void report_access(const struct report *report, unsigned access)
{
    fprintf(report->file, " access %s%s%s", access & ACCESS_READ ? "r" : "",
            access & ACCESS_WRITE ? "w" : "", access & ACCESS_MKNOD ? "m" : "");
}

static void report_grant(const struct report *report, const char *container,
                         const struct delivery *delivery)
{
    const struct grant *grant = delivery->grant;
    fprintf(report->file, "  = %s %s by %s:%u", container,
            delivery->state == DELIVERY_REFUSED ? "refused" : "has", grant->rule_file,
            grant->rule_line);
    if (grant->node) {
        fprintf(report->file, " node %s owner %u:%u mode %04o", grant->node, grant->uid, grant->gid,
                (unsigned)grant->mode);
        report_access(report, grant->access);
    }
    for (size_t i = 0; i < grant->symlink_count; i++)
        fprintf(report->file, " link %s%s", grant->symlinks[i],
                grant_has_link(grant, i) ? "" : " (yielded)");
    for (size_t i = 0; i < grant->env.count; i++)
        fprintf(report->file, " env %s=%s", grant->env.items[i].key, grant->env.items[i].value);
    fprintf(report->file, "\n");
}

static void report_lines(const struct report *report, const char *mark, const char *lines)
{
    for (size_t length; *lines; lines += length + 1) {
        length = strcspn(lines, "\n");
        fprintf(report->file, "  %s %.*s\n", mark, (int)length, lines);
    }
}

/* What came of one message. */
static void report_message(const struct report *report, struct bench *bench, const char *who,
                           const char *action, const char *devpath)
{
    fprintf(report->file, "%s %s %s\n", who, action, devpath);
    report_lines(report, "-", bench->door.log);
    report_lines(report, "!", bench->heard);
    for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
        const struct delivery *delivery = bench_delivery(bench, containers[i], devpath);
        if (delivery && (*bench->door.log || *bench->heard))
            report_grant(report, containers[i], delivery);
    }
    bench_forget(bench);
}

static void hear_kernel(struct bench *bench, const struct report *report,
                        const struct capture_record *record)
{
    struct uevent event;
    assert_int_equal(uevent_parse(&event, record->bytes, record->size, NULL), 0);
    capture_follow(&bench->fake, &event);
    assert_int_equal(world_apply(delegation_world(bench->delegation), &event), 0);
    report_message(report, bench, "kernel", uevent_action_name(event.action),
                   uevent_get(&event, "DEVPATH"));
}

/* As the daemon does: of `remove` the kernel has told already. */
static void hear_udev(struct bench *bench, const struct report *report,
                      const struct capture_record *record)
{
    _cleanup_(property_list_done) struct property_list said = {0};
    struct refusal why = {.error = 0};
    uint64_t seqnum;

    if (udev_message_decode(record->bytes, record->size, &said, &why) < 0)
        fail_msg("%s", why.text);
    const char *action = property_get(&said, "ACTION"), *devpath = property_get(&said, "DEVPATH");
    if (streq(action, "remove"))
        return;
    assert_true(text_to_number(property_get(&said, "SEQNUM"), UINT64_MAX, &seqnum) > 0);
    struct udev_view view = view_of(&said);
    world_describe(delegation_world(bench->delegation), devpath, seqnum, &view);
    report_message(report, bench, "udev", action, devpath);
}

/* Both streams of a scenario as one, by the time at which they were heard. */
static void replay(struct bench *bench, const struct capture *udev, const char *scenario,
                   const struct report *report)
{
    struct capture kernel;
    struct capture_record event, message;
    char name[256];
    size_t event_at = 0, message_at = capture_find(udev, scenario);

    snprintf(name, sizeof(name), "captures/%s/kernel.cap", scenario);
    capture_load(&kernel, name);
    bool events = capture_next(&kernel, &event_at, &event);
    bool messages = capture_next(udev, &message_at, &message) && message.group == CAPTURE_UDEV;
    assert_true(events && messages);
    while (events || messages) {
        if (!messages || (events && event.time <= message.time)) {
            hear_kernel(bench, report, &event);
            events = capture_next(&kernel, &event_at, &event);
        } else {
            hear_udev(bench, report, &message);
            messages = capture_next(udev, &message_at, &message) && message.group == CAPTURE_UDEV;
        }
    }
    capture_done(&kernel);
}

static void register_all(struct bench *bench, const struct capture *rules)
{
    bench->fake.udevd = FAKE_UDEVD_BUSY; /* it is there, and what it knows is in the capture only */
    bench_rules(bench, rules->bytes);
    for (size_t i = 0; i < ARRAY_SIZE(containers); i++)
        bench_register(bench, containers[i], (pid_t)(i + 1));
    bench_forget(bench);
}

static void a_capture_with_udev_becomes_the_same_grants_and_steps_as_ever(void **state)
{
    struct capture rules, udev;
    char name[256];
    (void)state;
    capture_load(&rules, "golden/replay.rules");
    capture_load(&udev, "captures-udev/6.1.cap");
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        struct report report = {0};
        void *fresh;
        bench_setup(&fresh);
        report_open(&report);
        register_all(fresh, &rules);
        replay(fresh, &udev, scenarios[i], &report);
        assert_int_equal(fflush(report.file), 0);
        snprintf(name, sizeof(name), "%s.replay", scenarios[i]);
        capture_expect_golden(name, report.text);
        bench_expect_nothing(fresh);
        report_done(&report);
        bench_teardown(&fresh);
    }
    capture_done(&udev);
    capture_done(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_with_udev_becomes_the_same_grants_and_steps_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
