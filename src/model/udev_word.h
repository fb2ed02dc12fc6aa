/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * udev's word on one device, for one container that runs no udevd of its own, ready to be carried
 * inside: the record's text, the message that tells of one event, and the one that will tell of its
 * end.
 */

#include "model/udev_inside.h"

struct udev_word {
    enum uevent_action action;
    char *devpath;
    char *id;      /* of the record; NULL: the device has none */
    char *record;  /* its text */
    char *message; /* of netlink group 2; NULL: nothing is told */
    size_t message_size;
    char *removal; /* the message of `remove`, without what was only of this event */
    size_t removal_size;
};

/*
 * Makes it. `seqnum` is the kernel's number of the event, 1 where there is none. Returns 0 and *ret
 * (udev_word_free() it); -EMSGSIZE where libudev would not take as much, -EINVAL for what it would
 * not take at all, with the reason; -ENOMEM.
 */
int udev_word_new(const struct udev_inside_source *source, enum uevent_action action,
                  uint64_t seqnum, struct udev_word **ret, struct refusal *why);

/* The word that tells of the end, with a message alone. Returns 0 and *ret, or -ENOMEM. */
int udev_word_end(const struct udev_word *word, uint64_t seqnum, struct udev_word **ret);

/* The device has another devpath now, of which nobody is told. Without memory it stays as it was.
 */
void udev_word_move(struct udev_word *word, const char *devpath);

/* Whether both have the same record. */
bool udev_word_same_record(const struct udev_word *a, const struct udev_word *b);

/* NULL accepted. */
void udev_word_free(struct udev_word *word);
DEFINE_CLEANUP(struct udev_word *, udev_word_free)
#define _cleanup_udev_word_ _cleanup_(udev_word_freep)
