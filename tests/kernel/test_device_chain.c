/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/sysfs.h"

/* Each device of sysfs: its parents are those directories above it that are devices. */
static int check_chain(void *userdata, const char *devpath)
{
    size_t *deepest = userdata;
    struct device_chain chain;
    int r = device_chain_read(&chain, devpath);
    if (r == 0)
        return 0; /* others plug and unplug meanwhile */
    assert_int_equal(r, 1);
    assert_string_equal(chain.devices[0]->devpath, devpath);
    for (size_t i = 0; i < chain.count; i++) {
        const struct device *parent = device_parent(chain.devices[i]);
        if (i + 1 == chain.count) {
            assert_null(parent);
            break;
        }
        assert_ptr_equal(parent, chain.devices[i + 1]);
        const char *below = after_prefix(chain.devices[i]->devpath, parent->devpath);
        assert_true(below && *below == '/');
    }
    *deepest = chain.count > *deepest ? chain.count : *deepest;
    device_chain_done(&chain);
    return 0;
}

static void every_device_has_those_above_it(void **state)
{
    size_t deepest = 0;
    (void)state;
    assert_int_equal(sysfs_enumerate(check_chain, &deepest), 0);
    assert_true(deepest > 1);
}

static void attributes_of_all_of_them_can_be_read(void **state)
{
    struct device_chain chain;
    (void)state;
    assert_int_equal(device_chain_read(&chain, "/devices/virtual/mem/null"), 1);
    assert_string_equal(device_attribute(chain.devices[0], "dev"), "1:3");
    device_chain_done(&chain);
}

static void what_is_not_there_has_no_chain(void **state)
{
    struct device_chain chain;
    (void)state;
    assert_int_equal(device_chain_read(&chain, "/devices/virtual/mem/nothing"), 0);
    assert_int_equal(device_chain_read(&chain, "/devices"), 0);
    assert_int_equal(device_chain_read(&chain, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_device_has_those_above_it),
        cmocka_unit_test(attributes_of_all_of_them_can_be_read),
        cmocka_unit_test(what_is_not_there_has_no_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
