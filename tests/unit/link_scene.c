/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "link_scene.h"

const char *const ports[] = {NULL, "/devices/ttyS1", "/devices/ttyS2", "/devices/ttyS3"};

void plug(struct bench *bench, int n)
{
    char uevent[64];
    snprintf(uevent, sizeof(uevent), "MAJOR=4\nMINOR=6%d\nDEVNAME=ttyS%d\n", n, n);
    bench_plug(bench, ports[n], "tty", uevent);
}

void begin(struct bench *bench, const char *rules)
{
    bench_rules(bench, rules);
    bench_register(bench, "c1", 1);
    bench_forget(bench);
}

void expect_holder(struct bench *bench, int holder)
{
    size_t delivered = 0, links = 0;
    for (int n = 1; n <= PORTS; n++) {
        const struct delivery *d = bench_delivery(bench, "c1", ports[n]);
        if (!d)
            continue;
        assert_int_equal(d->state, DELIVERY_DELIVERED);
        delivered++;
        for (size_t i = 0; i < d->grant->symlink_count; i++)
            if (grant_has_link(d->grant, i)) {
                assert_int_equal(n, holder);
                links++;
            }
    }
    assert_int_equal(links, holder != 0);
    struct recording_state state = recording_door_state(&bench->door);
    assert_int_equal(state.links, links);
    assert_int_equal(state.items, delivered);
    assert_int_equal(state.live, delivered);
    assert_int_equal(state.attached, delivered);
    assert_int_equal(state.allowed, delivered);
}

void expect_explained(struct bench *bench, int n, uint32_t yielded)
{
    _cleanup_grant_ struct grant *grant = NULL;
    struct refusal why = {.error = 0};
    assert_int_equal(delegation_desired(bench->delegation, delegation_find(bench->delegation, "c1"),
                                        world_find(delegation_world(bench->delegation), ports[n]),
                                        NULL, NULL, &grant, &why),
                     1);
    assert_int_equal(grant->yielded, yielded);
}
