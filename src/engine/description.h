/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * udev's word for containers that run no udevd: what the kernel tells (group 1) is followed, when
 * the host's udev is done with that event, by the device's record and udev's event (group 2). Where
 * no udevd runs on the host it follows at once. A container that does run one gets the kernel's
 * events alone and is left to it; which of the two it is may change.
 */

#include "engine/job.h"

/*
 * Asks whether a udevd runs inside. Where that has changed, a look at all that is delivered is
 * queued, and where it has gone, the marker is to be made again. Cheap: it is asked for every
 * event.
 */
void description_look(struct container *container);

/*
 * Takes up a delivery that is as it should be: starts what udev's word still needs. `event` is one
 * that the kernel itself told the container, or NULL. Returns true where a job was started, with
 * the hint; false where nothing is to be done (for now).
 */
bool description_take_up(struct container *container, struct delivery *delivery,
                         struct device *device, struct hint *hint, const struct uevent *event);

/* The container was told of the event in the job's hint, or the device was given: udev's word is
 * to follow. */
void description_expect(struct job *job);

/*
 * What udev's word on a device would be that is given now. Returns 1 and *ret (udev_word_free()
 * it); 0 where none would follow, as a udevd inside sees to it; or a negative errno with the
 * reason.
 */
int description_foresee(const struct container *container, const struct grant *grant,
                        const struct device *device, struct udev_word **ret, struct refusal *why);

/* Prepares a plan to take: what libudev inside is told of the end. */
void description_prepare_end(struct job *job);

/*
 * A job of these kinds ended. That a record cannot be written is no failure of the delivery:
 * description_soften() says so once for the container and takes it off the job, before it is
 * reported.
 */
void description_soften(struct job *job);
void description_end(struct job *job);
void description_end_hand_over(struct job *job);
