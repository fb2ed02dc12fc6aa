/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "world_scene.h"

static void on_news(void *userdata, enum world_news news, struct device *device,
                    const char *old_devpath, const struct uevent *event)
{
    static const char *const names[] = {
        [DEVICE_APPEARED] = "appeared",   [DEVICE_VANISHED] = "vanished",
        [DEVICE_UPDATED] = "updated",     [DEVICE_MOVED] = "moved",
        [DEVICE_DESCRIBED] = "described", [DEVICE_DONE] = "done"};
    struct world_scene *scene = userdata;
    char *grown;
    /* whoever is told of a device finds it, unless it vanished */
    assert_true((news == DEVICE_VANISHED) != (world_find(scene->world, device->devpath) == device));
    assert_true(asprintf(&grown, "%s%s %s%s%s%s%s\n", scene->news, names[news], device->devpath,
                         old_devpath ? " from " : "", old_devpath ? old_devpath : "",
                         event ? " by " : "", event ? uevent_action_name(event->action) : "") > 0);
    free(scene->news);
    scene->news = grown;
}

int world_scene_setup(void **state)
{
    struct world_scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    struct world_source source = fake_world_source(&scene->fake);
    struct world_listener listener = {.on_news = on_news, .userdata = scene};
    scene->world = world_new(&source, &listener);
    scene->news = strdup("");
    assert_non_null(scene->world);
    *state = scene;
    return 0;
}

int world_scene_teardown(void **state)
{
    struct world_scene *scene = *state;
    world_free(scene->world);
    fake_world_done(&scene->fake);
    free(scene->news);
    free(scene);
    return 0;
}

void world_scene_expect(struct world_scene *scene, const char *news)
{
    assert_string_equal(scene->news, news);
    free(scene->news);
    scene->news = strdup("");
}

int world_scene_hear(struct world_scene *scene, const char *action, const char *devpath,
                     const char *extra)
{
    struct uevent event;
    fake_event(&scene->fake, action, devpath, extra, &event);
    return world_apply(scene->world, &event);
}
