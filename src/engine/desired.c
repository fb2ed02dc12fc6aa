/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/desired.h"

#include <errno.h>

#include "model/danger.h"

static struct rule_container seen_by_rules(const struct container *container)
{
    return (struct rule_container){.name = container->name, .labels = &container->labels};
}

static int judge(const struct policy *policy, const struct container *container,
                 struct device *device, rule_trace_fn trace, void *trace_userdata,
                 struct share *ret)
{
    struct rule_container seen = seen_by_rules(container);
    if (!device
             ->subsystem[0]) /* only a parent: no event tells of it, and udev has no rules for it */
        return 0;
    return rule_judge(policy->rules, device, &seen, trace, trace_userdata, ret);
}

/* The names that a rule gave belong to the device it names, not to what hangs below. */
static void forget_names(struct share *share)
{
    free(share->node);
    free(share->name);
    share->node = share->name = NULL;
    for (size_t i = 0; i < share->symlink_count; i++)
        free(share->symlinks[i]);
    share->symlink_count = 0;
}

/* The same for an attachment, whose strings stay its own. */
static struct share nameless(const struct share *given)
{
    struct share share = *given;
    share.node = NULL;
    share.symlink_count = 0;
    return share;
}

static int check_danger(const struct policy *policy, const struct share *share,
                        const struct device *device, struct refusal *why)
{
    const char *danger = danger_of(device, policy->root_disks, policy->root_disk_count);
    if (share->options & OPTION_DANGEROUS)
        return 0;
    if (policy->expects_udev && danger_waits(device))
        return refuse(why, EAGAIN,
                      "%s waits for udev, which has not told yet whether it belongs to the host's "
                      "seat",
                      device->devpath);
    if (!danger)
        return 0;
    return refuse(why, EPERM,
                  "%s is never delegated, because %s; a rule that means it says "
                  "OPTIONS+=\"dangerous\"",
                  device->devpath, danger);
}

/*
 * Where a udevd runs it names a new interface, and fails where that has left by then. So one that
 * has just come, or come home, stays until udev is done with it; rules see its last name.
 */
static int check_settled(const struct policy *policy, const struct share *share,
                         const struct device *device, struct refusal *why)
{
    if (!policy->expects_udev || device->initialised || !device_is_interface(device) ||
        (share->options & OPTION_NO_NODE))
        return 0;
    return refuse(why, EAGAIN, "%s waits for udev, which may give it another name",
                  device->devpath);
}

/* What may not be given itself has nothing to hand down: a root hub would have the whole bus. */
static bool hands_down(const struct policy *policy, const struct share *share,
                       const struct device *device)
{
    struct refusal why;
    return (share->options & OPTION_SUBTREE) && check_danger(policy, share, device, &why) == 0;
}

/*
 * What the nearest ancestor with OPTIONS+="subtree" hands down. Returns 1 and either *ret, which is
 * the caller's, or *ret_attachment; 0: none has it.
 */
static int judge_ancestors(const struct policy *policy, const struct container *container,
                           const struct device *device, struct share *ret,
                           const struct attachment **ret_attachment)
{
    for (struct device *above = device_parent(device); above; above = device_parent(above)) {
        if (device_is_interface(above)) /* its queues go with it, and the kernel tells of them */
            return 0;
        const struct attachment *attachment = container_find_attachment(container, above);
        if (attachment && hands_down(policy, &attachment->share, above)) {
            *ret_attachment = attachment;
            return 1;
        }
        struct share share = {.given = false};
        int r = attachment ? 0 : judge(policy, container, above, NULL, NULL, &share);
        if (r > 0 && hands_down(policy, &share, above)) {
            forget_names(&share);
            *ret = share;
            return 1;
        }
        share_done(&share);
        if (r < 0)
            return r;
    }
    return 0;
}

/*
 * What a device that no rule gives inherits. Where a rule hands it down, lines about the device
 * itself may refine it, as for one that they give. Returns as judge_ancestors().
 */
static int inherit(const struct policy *policy, const struct container *container,
                   struct device *device, struct share *ret,
                   const struct attachment **ret_attachment)
{
    struct rule_container seen = seen_by_rules(container);
    _cleanup_(share_done) struct share inherited = {.given = false};
    if (!device->subsystem[0])
        return 0;
    int r = judge_ancestors(policy, container, device, &inherited, ret_attachment);
    if (r <= 0 || *ret_attachment)
        return r;
    return rule_judge_heir(policy->rules, device, &seen, &inherited, ret);
}

int desired_grant(const struct policy *policy, const struct container *container,
                  struct device *device, rule_trace_fn trace, void *trace_userdata,
                  struct grant **ret, struct refusal *why)
{
    _cleanup_(share_done) struct share share = {.given = false};
    const struct attachment *attachment = container_find_attachment(container, device),
                            *above = NULL;
    struct share inherited;
    const struct share *given = attachment ? &attachment->share : &share;

    int r = 0;
    if (!attachment || trace)
        r = judge(policy, container, device, trace, trace_userdata, &share);
    if (r == 0 && !attachment) {
        share_done(&share);
        share = (struct share){.given = false};
        r = inherit(policy, container, device, &share, &above);
    }
    if (r < 0 || (r == 0 && !attachment))
        return r;
    if (above) {
        inherited = nameless(&above->share);
        given = &inherited;
    }

    r = check_danger(policy, given, device, why);
    if (r == 0)
        r = check_settled(policy, given, device, why);
    if (r == -EAGAIN)
        return 0;
    if (r == 0)
        r = grant_new(given, device, ret, why);
    return r < 0 ? r : 1;
}
