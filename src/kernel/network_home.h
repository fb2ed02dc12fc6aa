/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an interface is at home: what it was before it left, and making it so again. */

#include <jansson.h>
#include <netlink/route/link.h>

#include "kernel/network_altname.h"
#include "kernel/network_socket.h"

struct network_home {
    struct rtnl_link *was;
    struct network_altnames altnames;
    uint64_t inode; /* of its directory in sysfs, which is the same wherever it is */
};

/* "dev0": where its own name is taken. The kernel fills the number in; it calls its own foundlings
 * so. */
#define NETWORK_HOME_FREE_NAME "dev%d"

/*
 * Looks at an interface of our namespace. Returns 0 and *ret (network_home_done() it), or a
 * negative errno and the reason.
 */
int network_home_read(struct network_socket *host, int ifindex, struct network_home *ret,
                      struct refusal *why);
void network_home_done(struct network_home *home);

/* The same for a successor: a new object, or NULL when memory is short; and read again: 0 and *ret,
 * -EBADMSG or -ENOMEM. */
json_t *network_home_save(const struct network_home *home);
int network_home_load(const json_t *saved, struct network_home *ret);

/* Its name at home, borrowed. */
const char *network_home_name(const struct network_home *home);

/*
 * Its number if it is in our namespace: sysfs shows nobody else under its inode number, whatever is
 * said by whom. 0: it is not.
 */
int network_home_find(const struct network_home *home);

/*
 * The whole way home from the namespace of `inside` in one request, under the name; `now` is how it
 * is. Returns 0 or a negative errno; it may be at home even so.
 */
int network_home_bring(const struct network_home *home, struct network_socket *inside,
                       struct rtnl_link *now, int home_fd, const char *name);

/* It is at home as `ifindex`: what is not as it was gets another try, and is said in *remark. */
void network_home_settle(const struct network_home *home, struct network_socket *host, int ifindex,
                         struct refusal *remark);
