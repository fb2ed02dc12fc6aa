/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_bench.h"

/* When a sysfs attribute that was read once is read again: it changes without an event. */

#define PARENT "/devices/pci0/usb1/1-1/1-1:1.0"
#define BY_OWN "SUBSYSTEM==\"tty\", ATTR{alias}==\"foo\", CONTAINER+=\"c1\"\n"
#define BY_PARENT "SUBSYSTEM==\"tty\", ATTRS{alias}==\"foo\", CONTAINER+=\"c1\"\n"

static const struct {
    const char *rule, *of;
} cases[] = {{BY_OWN, TTY}, {BY_PARENT, PARENT}};

/* A port whose alias was asked for and is not there. */
static void plug(struct bench *bench, const char *rule)
{
    fake_plug(&bench->fake, PARENT, "usb", "");
    assert_int_equal(bench_event(bench, "add", PARENT, NULL), 0);
    bench_rules(bench, rule);
    bench_register(bench, "c1", 1);
    bench_plug(bench, TTY, "tty", TTY_UEVENT);
    assert_null(bench_delivery(bench, "c1", TTY));
}

static void set_alias(struct bench *bench, const char *devpath, const char *value)
{
    fake_set_attribute(fake_find(&bench->fake, devpath), "alias", value);
}

static void unplug_all(struct bench *bench)
{
    bench_unplug(bench, TTY);
    bench_unplug(bench, PARENT);
    assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
    bench_forget(bench);
}

static void a_reload_reads_attributes_anew(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        plug(bench, cases[i].rule);
        set_alias(bench, cases[i].of, "foo"); /* it was absent */
        bench_rules(bench, cases[i].rule);
        assert_non_null(bench_delivery(bench, "c1", TTY));
        set_alias(bench, cases[i].of, "bar"); /* it was read */
        bench_rules(bench, cases[i].rule);
        assert_null(bench_delivery(bench, "c1", TTY));
        unplug_all(bench);
    }
}

static void a_container_that_comes_is_judged_with_attributes_as_they_are(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        plug(bench, cases[i].rule);
        set_alias(bench, cases[i].of, "foo");
        assert_int_equal(delegation_unregister(bench->delegation, "c1", NULL, NULL), 0);
        bench_register(bench, "c1", 1);
        assert_non_null(bench_delivery(bench, "c1", TTY));
        unplug_all(bench);
    }
}

static void between_events_an_attribute_is_read_once(void **state)
{
    struct bench *bench = *state;
    plug(bench, BY_OWN);
    struct device *device = world_find(delegation_world(bench->delegation), TTY);
    set_alias(bench, TTY, "foo");
    assert_null(device_attribute(device, "alias"));
    assert_int_equal(bench_event(bench, "change", TTY, NULL), 0);
    assert_non_null(bench_delivery(bench, "c1", TTY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_reload_reads_attributes_anew),
        BENCH_TEST(a_container_that_comes_is_judged_with_attributes_as_they_are),
        BENCH_TEST(between_events_an_attribute_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
