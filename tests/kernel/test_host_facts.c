/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What rules ask of the host, against what the host says of itself. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/utsname.h>

#include "kernel/host_facts.h"
#include "kernel/sysfs.h"

static void assert_sysctl(const char *name, const char *expected)
{
    _cleanup_free_ char *value = NULL;
    const struct host_facts *facts = &host_facts_real;
    int r = facts->read_sysctl(facts->userdata, name, &value);
    if (r != (expected ? 1 : 0) || !streq_null(value, expected))
        fail_msg("%s: %d, '%s'", name, r, value ? value : "");
}

static void a_sysctl_is_read_in_both_spellings(void **state)
{
    (void)state;
    struct utsname name;
    assert_int_equal(uname(&name), 0);
    assert_sysctl("kernel/ostype", name.sysname);
    assert_sysctl("kernel.osrelease", name.release);
    assert_sysctl("net/ipv4/conf/lo/tag", "0");
    assert_sysctl("net.ipv4.conf.lo.tag", "0");
    assert_sysctl("kernel/random", NULL); /* a directory */
    assert_sysctl("nothing", NULL);
    assert_sysctl("../version", NULL);
    assert_sysctl("", NULL);
}

static void assert_reference(const char *subsystem, const char *sysname, const char *attribute,
                             const char *expected)
{
    _cleanup_free_ char *value = NULL;
    const struct host_facts *facts = &host_facts_real;
    int r = facts->read_reference(facts->userdata, subsystem, sysname, attribute, &value);
    if (r != (expected ? 1 : 0) || !streq_null(value, expected))
        fail_msg("[%s/%s]%s: %d, '%s'", subsystem, sysname, attribute, r, value ? value : "");
}

static void an_attribute_of_any_device_is_read(void **state)
{
    (void)state;
    assert_reference("mem", "null", "dev", "1:3");
    assert_reference("net", "lo", "mtu", "65536");
    assert_reference("net", "lo", "nothing", ""); /* the device is there */
    assert_reference("net", "no-such", "mtu", NULL);
    assert_reference("no-such", "lo", "mtu", NULL);
    assert_reference("net", "lo", "../lo/mtu", NULL);
}

static const struct {
    const char *path;
    unsigned mask;
    bool there;
} PATHS[] = {
    {"mtu", 0, true},
    {"mtu", 0444, true},
    {"mtu", 0111, false},
    {"nothing", 0, false},
    {"queues", 0, true},
    {"queues/*/rps_cpus", 0, true},
    {"queues/*/nothing", 0, false},
    {"[net/lo]mtu", 0, true},
    {"[net/lo]/mtu", 0, true},
    {"[mem/null]mtu", 0, false},
    {"[net/no-such]mtu", 0, false},
    {"/proc/self/stat", 0, true},
    {"/proc/self/stat", 0222, false},
    {"/proc/*/stat", 0, true},
    {"/no/such", 0, false},
};

static void files_are_tested_wherever_they_are(void **state)
{
    (void)state;
    struct device *device = NULL;
    const struct host_facts *facts = &host_facts_real;
    assert_int_equal(sysfs_read_device("/devices/virtual/net/lo", NULL, &device), 1);
    for (size_t i = 0; i < ARRAY_SIZE(PATHS); i++)
        if (facts->test_path(facts->userdata, device, PATHS[i].path, PATHS[i].mask) !=
            PATHS[i].there)
            fail_msg("%s", PATHS[i].path);
    device_free(device);
}

static const char *constant(const char *name)
{
    const struct host_facts *facts = &host_facts_real;
    return facts->constant(facts->userdata, name);
}

static void the_architecture_is_the_one_we_are_built_for(void **state)
{
    (void)state;
#if defined(__x86_64__)
    assert_string_equal(constant("arch"), "x86-64");
#elif defined(__aarch64__)
    assert_string_equal(constant("arch"), "arm64");
#else
    assert_non_null(constant("arch"));
#endif
    assert_null(constant("nothing"));
}

/* systemd-detect-virt(1) fails where it says "none". */
static void virtualization_is_what_systemd_calls_it(void **state)
{
    (void)state;
    char text[64] = "";
    FILE *pipe = popen("systemd-detect-virt 2>/dev/null", "re");
    assert_non_null(pipe);
    bool told = fgets(text, sizeof(text), pipe);
    (void)pclose(pipe);
    if (!told) {
        print_message("no systemd-detect-virt here to compare with\n");
        skip();
    }
    text[strcspn(text, "\n")] = '\0';
    assert_string_equal(constant("virt"), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sysctl_is_read_in_both_spellings),
        cmocka_unit_test(an_attribute_of_any_device_is_read),
        cmocka_unit_test(files_are_tested_wherever_they_are),
        cmocka_unit_test(the_architecture_is_the_one_we_are_built_for),
        cmocka_unit_test(virtualization_is_what_systemd_calls_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
