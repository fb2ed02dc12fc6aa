/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/preview.h"

#include <errno.h>

#include "engine/description.h"

void preview_done(struct preview *preview)
{
    free(preview->event);
    udev_word_free(preview->word);
    *preview = (struct preview){.event = NULL};
}

/* Which device it is of is all that a plan shows of it. */
static int foresee_event(const struct grant *grant, struct uevent **ret, struct refusal *why)
{
    _cleanup_free_ struct uevent *event = malloc(sizeof(*event));
    if (!event || uevent_init(event, UEVENT_ADD, grant->devpath) < 0)
        return refuse(why, ENOMEM, "no memory for an event");
    *ret = TAKE_PTR(event);
    return 0;
}

void preview_init(struct preview *ret, const struct container *container,
                  const struct device *device, const struct grant *grant)
{
    *ret = (struct preview){.event = NULL};
    if (job_tells(container, grant) && foresee_event(grant, &ret->event, &ret->why) < 0)
        return;
    plan_give(&ret->plan, grant, ret->event);
    if (description_foresee(container, grant, device, &ret->word, &ret->why) > 0)
        plan_describe(&ret->plan, grant, NULL, ret->word);
}
