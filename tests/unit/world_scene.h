/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The world between a sysfs of tables and a listener that writes down what it is told. Include it
 * behind cmocka.h. */

#include "fake_world.h"

#define DISK "/devices/block/zram1"
#define DISK_UEVENT "MAJOR=253\nMINOR=1\nDEVNAME=zram1\n"
#define OTHER "/devices/block/zram2"
#define OTHER_UEVENT "MAJOR=253\nMINOR=2\nDEVNAME=zram2\n"

struct world_scene {
    struct fake_world fake;
    struct world *world;
    char *news; /* since the last look, a line each */
};

/* cmocka's setup and teardown: *state is the scene. */
int world_scene_setup(void **state);
int world_scene_teardown(void **state);

#define WORLD_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, world_scene_setup, world_scene_teardown)

/* What the listener was told since the last look. */
void world_scene_expect(struct world_scene *scene, const char *news);

/* One event of the kernel's of a device as it is now; `extra` as for fake_event(). */
int world_scene_hear(struct world_scene *scene, const char *action, const char *devpath,
                     const char *extra);
