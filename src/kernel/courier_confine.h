/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a fresh child becomes a courier: it gives up everything that it does not need. */

#include "kernel/namespace.h"

#define COURIER_HOST_RUN 4

/* What a courier holds. */
struct courier_world {
    int socket_fd;
    int root_fd;       /* the container's root, which is the courier's own by now */
    dev_t host_device; /* st_dev of the host's /dev: a directory there is never written to */
    struct {
        dev_t device; /* 0: the host has none */
        ino_t inode;
    } host_run[COURIER_HOST_RUN]; /* the host's /run and its udev's directories: neither are these
                                   */
};

/*
 * Joins the container's user and mount namespaces, becomes its root, and confines itself. Returns 0
 * and *ret, or a negative errno and the reason; a child that failed is only good for saying so, and
 * ret->socket_fd is set in either case.
 */
int courier_confine(int socket_fd, const struct namespaces *namespaces, struct courier_world *ret,
                    struct refusal *why);
