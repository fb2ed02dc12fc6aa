/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is given by hand and taken back by hand, beside the rules or by a rule made for it. */
#include <errno.h>

#include "engine/delegation_state.h"
#include "engine/saved.h"
#include "model/attach_rule.h"

static struct attachment *new_attachment(const struct device *device, const struct share *share)
{
    struct attachment *attachment = calloc(1, sizeof(*attachment));
    if (!attachment)
        return NULL;
    attachment->devpath = strdup(device->devpath);
    attachment->inode = device->inode;
    if (!attachment->devpath || share_copy(&attachment->share, share) < 0) {
        free(attachment->devpath);
        free(attachment);
        return NULL;
    }
    return attachment;
}

/* What can be known of a refusal beforehand is, so that it does not cost the grant that is there.
 */
static int check_attach(const struct container *container, const struct grant *grant,
                        struct refusal *why)
{
    uint32_t uid, gid;
    const struct delivery *own = container_find_delivery(container, grant->devpath);
    const struct delivery *holder =
        grant->node ? container_find_node(container, grant->node, own) : NULL;
    if (holder)
        return refuse(why, EBUSY, "%s is held by %s", grant->node, holder->grant->devpath);
    return grant_translate(grant, grant->owner ? 0 : grant->uid, grant->group ? 0 : grant->gid,
                           container->facts.uids, container->facts.gids, &uid, &gid, why);
}

/* The newest of a devpath counts; what it replaces is forgotten only when it is known to be good.
 */
int delegation_attach(struct delegation *delegation, struct container *container,
                      struct device *device, const struct share *share, struct refusal *why)
{
    _cleanup_grant_ struct grant *grant = NULL;
    if (container->leaving)
        return refuse(why, ESHUTDOWN, "container %s is leaving", container->name);
    struct attachment *fresh = new_attachment(device, share), *replaced = container->attachments;
    if (!fresh)
        return refuse(why, ENOMEM, "no memory to attach %s", device->devpath);
    container->attachments = fresh;

    int r = delegation_desired(delegation, container, device, NULL, NULL, &grant, why);
    if (r > 0)
        r = check_attach(container, grant, why);
    if (r < 0)
        container_remove_attachment(container, device->devpath);
    container->attachments = replaced;
    if (r < 0)
        return r;
    container_remove_attachment(container, device->devpath);
    fresh->next = container->attachments;
    container->attachments = fresh;
    saved_note_container(container);
    delegation_compare(container);
    delegation_turn(container);
    return 0;
}

static bool is_attached(const struct container *container, const char *devpath)
{
    for (const struct attachment *a = container->attachments; a; a = a->next)
        if (streq(a->devpath, devpath))
            return true;
    return false;
}

/* What was attached with all below it, and so hands the device down; NULL: nothing. */
static const struct attachment *find_giver(const struct container *container, const char *devpath)
{
    struct device *device = world_find(container->delegation->world, devpath);
    for (; device; device = device_parent(device)) {
        const struct attachment *attachment = container_find_attachment(container, device);
        if (attachment)
            return attachment->share.options & OPTION_SUBTREE ? attachment : NULL;
    }
    return NULL;
}

/* Why there is nothing to detach, and what to do instead. */
static int refuse_detach(const struct container *container, const char *devpath,
                         struct refusal *why)
{
    const struct delivery *delivery = container_find_delivery(container, devpath);
    const struct attachment *giver = find_giver(container, devpath);
    if (!delivery)
        return refuse(why, ENOENT, "%s is not attached to %s", devpath, container->name);
    if (giver)
        return refuse(
            why, EPERM,
            "%s was not attached by itself: it comes with %s, which was attached with all "
            "below it; detach that",
            devpath, giver->devpath);
    if (delivery->grant->rule_file && attach_rule_is_name(delivery->grant->rule_file, NULL))
        return refuse(why, EPERM, "%s comes with another device that was attached: detach %s",
                      devpath, delivery->grant->rule_file);
    return refuse(why, EPERM,
                  "%s was not attached by hand: %s has it by %s:%u; change the rule and reload",
                  devpath, container->name, delivery->grant->rule_file, delivery->grant->rule_line);
}

int delegation_detach(struct delegation *delegation, struct container *container,
                      const char *devpath, struct refusal *why)
{
    (void)delegation;
    const struct delivery *delivery = container_find_delivery(container, devpath);
    if (!is_attached(container, devpath))
        return refuse_detach(container, devpath, why);
    container_remove_attachment(container, devpath);
    saved_note_container(container);
    delegation_compare(container);
    if (delivery && delivery->state == DELIVERY_REFUSED)
        delegation_hint(container, devpath, delivery->grant->inode, NULL);
    delegation_turn(container);
    return 0;
}

int delegation_try_rules(const struct delegation *delegation, const struct rule_set *rules,
                         const struct container *container, struct device *device,
                         struct grant **ret, struct refusal *why)
{
    _cleanup_grant_ struct grant *grant = NULL;
    const struct container bare = {.name = container->name, .labels = container->labels};
    struct policy policy = delegation->policy;
    policy.rules = rules;

    if (container->leaving)
        return refuse(why, ESHUTDOWN, "container %s is leaving", container->name);
    int r = desired_grant(&policy, &bare, device, NULL, NULL, &grant, why);
    if (r > 0 && check_attach(container, grant, why) < 0)
        return -why->error;
    if (r > 0)
        *ret = TAKE_PTR(grant);
    return r;
}
