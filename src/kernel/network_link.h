/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A network interface of the host that is in a container's network namespace: where it is, how it
 * was, and the way home.
 */

#include <jansson.h>

#include "base/refusal.h"

#define NETWORK_NAME_MAX 16 /* IFNAMSIZ of linux/if.h, with the NUL */

struct network_link;

/*
 * Moves interface `ifindex` of our namespace into that behind `netns_fd`, where it is called `name`
 * and is down. Refused by name: what the host cannot do without (network_facts.h), a name that is
 * taken inside, what the kernel leaves nowhere but where it is. A wireless one goes with its phy.
 * `on_home` is told how it is at home before it moves, for network_link_resume(): a new object that
 * it takes, or NULL when memory is short; 0 lets it go on. Returns 0 and *ret, or a negative errno
 * and the reason. If *ret is set even so (to NULL before), then it is inside under a wrong name,
 * and is to be brought home.
 */
int network_link_move(int ifindex, const char *name, int netns_fd,
                      int (*on_home)(void *userdata, json_t *home_take, struct refusal *why),
                      void *userdata, struct network_link **ret, struct refusal *why);

/*
 * One that a predecessor moved, to be brought home: it may be inside as `ifindex` (0: under the
 * number that it had at home), at home, or lost. Returns 0 and *ret, or a negative errno and the
 * reason.
 */
int network_link_resume(const json_t *home, int ifindex, int netns_fd, struct network_link **ret,
                        struct refusal *why);

enum network_return {
    NETWORK_RETURN_FAILED, /* it is inside still */
    NETWORK_RETURN_HOME,
    NETWORK_RETURN_LOST, /* it is not inside any more: it was unplugged, deleted, or moved on */
};

/*
 * Brings it home: down, with its own name, alternative names, MAC address, MTU, group and alias,
 * whatever became of these inside. Where its name is taken the kernel gives it a free one; that,
 * and what the driver does not set back, is said in *remark, and so is that it was moved on. *why
 * says why it failed. It is found at home by its inode number in sysfs, so that nothing said inside
 * makes us touch another.
 */
enum network_return network_link_return(struct network_link *link, struct refusal *remark,
                                        struct refusal *why);

/* Its number inside. */
int network_link_ifindex(const struct network_link *link);

/* A descriptor that is readable when something happened to interfaces inside. */
int network_link_fd(const struct network_link *link);

/* Reads what happened. Whether the interface is not inside any more. */
bool network_link_lost(struct network_link *link);

/*
 * Forgets it, wherever it is; the namespace is not kept any longer. NULL accepted. What is in a
 * namespace that ends is moved home by the kernel under the name it has, unless it is virtual: then
 * it ends too.
 */
void network_link_free(struct network_link *link);
DEFINE_CLEANUP(struct network_link *, network_link_free)
