/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The places that programs of ours have in the groups of one container. */

#include <jansson.h>

#include "kernel/device_attachment.h"
#include "kernel/device_place.h"

struct device_places {
    struct device_place *items;
    size_t count;
    unsigned changes; /* so often one came or went */
    char *directory;  /* for pins, or NULL; owned */
};

/* None as yet. Returns 0 or -ENOMEM. */
int device_places_init(struct device_places *places, const char *directory);

/* That of our program `id`, in a group or (0) in any; borrowed until the next change, or NULL. */
struct device_place *device_places_find(const struct device_places *places, uint64_t group_id,
                                        uint32_t id);

/*
 * Takes the place of `program_id`, as device_place_take() does; places of ours that it makes
 * superfluous are given up. Returns 0, -ENOMEM without a reason, or another negative errno with
 * one.
 */
int device_places_take(struct device_places *places, const char *group, int group_fd,
                       uint32_t program_id, int map_fd, struct refusal *why);

/* That of a program of ours that a predecessor put there. Returns 0 or a negative errno. */
int device_places_adopt(struct device_places *places, const char *group, int group_fd,
                        const struct device_program *program);

/* Forgets places on this group that somebody else has taken. */
void device_places_forget_lost(struct device_places *places, uint64_t group_id,
                               const struct device_attachments *now);

/* Gives all back, or leaves all to a successor. */
void device_places_restore(struct device_places *places);
void device_places_leave(struct device_places *places);

/* None must be left. */
void device_places_done(struct device_places *places);

/* The groups, for a successor. NULL when memory is short. */
json_t *device_places_save(const struct device_places *places);
