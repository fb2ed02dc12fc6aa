/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/network_visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "base/log.h"
#include "base/util.h"

int network_visit(int netns_fd, network_visit_fn fn, void *userdata, struct refusal *why)
{
    /* The thread's own: with threads, /proc/self is another one's namespace. */
    _cleanup_close_ int home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home_fd < 0)
        return refuse(why, errno, "cannot hold the own network namespace: %m");
    if (setns(netns_fd, CLONE_NEWNET) < 0)
        return refuse(why, errno, "cannot enter the container's network namespace: %m");
    int r = fn(userdata, why);
    if (setns(home_fd, CLONE_NEWNET) < 0) {
        log_line(LOG_CRIT, "cannot leave a container's network namespace: %m");
        abort();
    }
    return r;
}
