/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Attachments that last: each is a rule file of ours in a rule directory, and works as every rule
 * does, after a plug and after a restart of the container or of the daemon. Nothing else remembers
 * them.
 */

#include "daemon/service.h"
#include "model/attach_rule.h"

enum drop_in_life {
    DROP_IN_NONE,
    DROP_IN_RUNTIME, /* below the runtime directory: until the host is started anew */
    DROP_IN_ALWAYS,  /* in the first rule directory */
};

struct drop_in {
    const char *directory; /* borrowed from the service's options */
    struct attach_rule rule;
};

/* NULL accepted. */
void drop_in_free(struct drop_in *drop_in);
DEFINE_CLEANUP(struct drop_in *, drop_in_free)
#define _cleanup_drop_in_ _cleanup_(drop_in_freep)

/*
 * Drafts one that gives the container what `share` says; `life` is not DROP_IN_NONE. It tells the
 * device from all others that are plugged in, and was tried together with the rules as they are in
 * their directories now. Nothing is written. Returns 0 and *ret, or a negative errno and the
 * reason (`why` is not NULL, here and below).
 */
int drop_in_draft(struct service *service, const struct container *container, struct device *device,
                  const struct share *share, enum drop_in_life life, struct drop_in **ret,
                  struct refusal *why);

/* Writes it and puts the rules in force. Returns 0; or a negative errno, the reason, and no file.
 */
int drop_in_write(struct service *service, const struct drop_in *drop_in, struct refusal *why);

/*
 * Removes what drop_in_write() wrote. The rules are read again a moment later, as this may be
 * called while the engine is at work.
 */
void drop_in_withdraw(struct service *service, const struct drop_in *drop_in);

/*
 * Removes the file that gives the container the device (or, with `device` NULL, the one of this
 * name) and puts the rules in force. Returns 1; 0 where there is none; or a negative errno and the
 * reason, and nothing has changed.
 */
int drop_in_remove(struct service *service, const struct container *container,
                   struct device *device, const char *name, struct refusal *why);
