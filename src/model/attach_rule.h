/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rule file that makes an attachment by hand last: what is in it and what it is called. A
 * container and a way to tell a device have one name, so that the same is never written twice.
 */

#include "base/refusal.h"
#include "model/rule_suggestion.h"
#include "model/share.h"

#define ATTACH_RULE_NAME_MAX 192 /* of a file, with the NUL; a container's name has up to 127 */

struct attach_rule {
    char name[ATTACH_RULE_NAME_MAX]; /* "80-attached-CONTAINER-0123456789abcdef.rules" */
    char *text;
    char *told_by; /* by what the rule tells the device, in words */
};

/*
 * A rule that gives `container` what `share` says of the device at `devpath`, told by `suggestion`.
 * Returns 0 and *ret (attach_rule_done() it); -EINVAL and the reason where the share has text that
 * no rule can have; -ENOMEM.
 */
int attach_rule_new(const struct rule_suggestion *suggestion, const char *container,
                    const char *devpath, const struct share *share, struct attach_rule *ret,
                    struct refusal *why);

void attach_rule_done(struct attach_rule *rule);

/* Whether a file has a name that such a rule of this container (NULL: of any) would have. */
bool attach_rule_is_name(const char *name, const char *container);
