/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The alternative names of an interface (Linux 5.5). They go with it wherever it moves, and one
 * that is taken there as anybody's name keeps it out.
 */

#include "kernel/network_socket.h"

struct network_altnames {
    char **names;
    size_t count;
};

/* Reads them. Returns 0 and *ret (network_altnames_done() it), or a negative errno. */
int network_altnames_read(struct network_socket *socket, int ifindex, struct network_altnames *ret);

void network_altnames_done(struct network_altnames *altnames);

/* Takes from the interface all but those in `keep` (NULL: all). Returns 0 or a negative errno. */
int network_altnames_keep_only(struct network_socket *socket, int ifindex,
                               const struct network_altnames *keep);

/* Adds those that it does not have. Returns 0 or a negative errno; what can be added is. */
int network_altnames_add(struct network_socket *socket, int ifindex,
                         const struct network_altnames *altnames);
