/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

const char *step_kind_name(enum step_kind kind)
{
    static const char *const names[] = {
        [STEP_IDENTIFY] = "identify",
        [STEP_NODE_MAKE] = "node-make",
        [STEP_NODE_ATTACH] = "node-attach",
        [STEP_NODE_CHANGE] = "node-change",
        [STEP_LINK_MAKE] = "link-make",
        [STEP_ACCESS_ALLOW] = "access-allow",
        [STEP_INTERFACE_MOVE] = "interface-move",
        [STEP_EVENT] = "event",
        [STEP_ACCESS_DENY] = "access-deny",
        [STEP_NODE_REVOKE] = "node-revoke",
        [STEP_INTERFACE_RETURN] = "interface-return",
        [STEP_LINK_REMOVE] = "link-remove",
        [STEP_NODE_DETACH] = "node-detach",
        [STEP_NODE_DESTROY] = "node-destroy",
        [STEP_RECORD_WRITE] = "record-write",
        [STEP_RECORD_REMOVE] = "record-remove",
        [STEP_UDEV_EVENT] = "udev-event",
    };
    assert((size_t)kind < ARRAY_SIZE(names));
    return names[kind];
}

static struct step *add_step(struct plan *plan, enum step_kind kind, const struct grant *grant)
{
    assert(plan->count < ARRAY_SIZE(plan->steps));
    struct step *step = &plan->steps[plan->count++];
    *step = (struct step){.kind = kind, .grant = grant};
    return step;
}

static struct step *add_link(struct plan *plan, enum step_kind kind, const struct grant *grant,
                             size_t index)
{
    struct step *step = add_step(plan, kind, grant);
    step->link = grant->symlinks[index];
    return step;
}

static void add_event(struct plan *plan, const struct grant *grant, const struct uevent *event)
{
    if (event)
        add_step(plan, STEP_EVENT, grant)->event = event;
}

static void add_record(struct plan *plan, enum step_kind kind, const struct grant *grant,
                       const struct udev_word *word)
{
    if (word && word->id)
        add_step(plan, kind, grant)->word = word;
}

static void add_udev_event(struct plan *plan, const struct grant *grant,
                           const struct udev_word *word)
{
    if (word && word->message)
        add_step(plan, STEP_UDEV_EVENT, grant)->word = word;
}

static void add_identify(struct plan *plan, const struct grant *grant)
{
    if (grant->owner || grant->group)
        add_step(plan, STEP_IDENTIFY, grant);
}

static bool has_number(const struct grant *grant)
{
    return grant->number.kind != NODE_NONE;
}

void plan_give(struct plan *plan, const struct grant *grant, const struct uevent *event)
{
    if (grant->node) {
        add_identify(plan, grant);
        add_step(plan, STEP_NODE_MAKE, grant);
        add_step(plan, STEP_NODE_ATTACH, grant);
        for (size_t i = 0; i < grant->symlink_count; i++)
            if (grant_has_link(grant, i))
                add_link(plan, STEP_LINK_MAKE, grant, i);
    }
    if (has_number(grant))
        add_step(plan, STEP_ACCESS_ALLOW, grant);
    if (grant->interface)
        add_step(plan, STEP_INTERFACE_MOVE, grant);
    add_event(plan, grant, event);
}

void plan_cut(struct plan *plan, const struct grant *grant)
{
    if (has_number(grant))
        add_step(plan, STEP_ACCESS_DENY, grant);
    if (grant->node)
        add_step(plan, STEP_NODE_REVOKE, grant);
    if (grant->interface)
        add_step(plan, STEP_INTERFACE_RETURN, grant);
}

void plan_take(struct plan *plan, const struct grant *grant, const struct uevent *event)
{
    plan_take_described(plan, grant, event, NULL, NULL);
}

void plan_take_described(struct plan *plan, const struct grant *grant, const struct uevent *event,
                         const struct udev_word *word, const struct udev_word *end)
{
    plan_cut(plan, grant);
    if (grant->node) {
        for (size_t i = grant->symlink_count; i > 0; i--)
            if (grant_has_link(grant, i - 1))
                add_link(plan, STEP_LINK_REMOVE, grant, i - 1);
        add_step(plan, STEP_NODE_DETACH, grant);
        add_step(plan, STEP_NODE_DESTROY, grant);
    }
    add_record(plan, STEP_RECORD_REMOVE, grant, word);
    add_event(plan, grant, event);
    add_udev_event(plan, grant, end);
}

void plan_describe(struct plan *plan, const struct grant *grant, const struct udev_word *before,
                   const struct udev_word *word)
{
    if (before && !streq_null(before->id, word->id))
        add_record(plan, STEP_RECORD_REMOVE, grant, before);
    if (!before || !udev_word_same_record(before, word))
        add_record(plan, STEP_RECORD_WRITE, grant, word);
    add_udev_event(plan, grant, word);
}

void plan_hand_over(struct plan *plan, const struct grant *grant, const struct udev_word *word,
                    const struct uevent *event)
{
    add_record(plan, STEP_RECORD_REMOVE, grant, word);
    add_event(plan, grant, event);
}

static void change_node(struct plan *plan, const struct grant *delivered,
                        const struct grant *desired)
{
    if (delivered->mode == desired->mode && grant_same_owner(delivered, desired))
        return;
    add_identify(plan, desired);
    add_step(plan, STEP_NODE_CHANGE, desired)->before = delivered;
}

void plan_change(struct plan *plan, const struct grant *delivered, const struct grant *desired)
{
    assert(grant_same_key(delivered, desired) && grant_same_links(delivered, desired));

    if (desired->node)
        change_node(plan, delivered, desired);
    if (has_number(desired) && delivered->access != desired->access)
        add_step(plan, STEP_ACCESS_ALLOW, desired)->before = delivered;
}

void plan_relink(struct plan *plan, const struct grant *grant, uint32_t yielded)
{
    struct grant after = *grant;
    after.yielded = yielded;
    for (size_t i = grant->symlink_count; i > 0; i--)
        if (grant_has_link(grant, i - 1) && !grant_has_link(&after, i - 1))
            add_link(plan, STEP_LINK_REMOVE, grant, i - 1);
    for (size_t i = 0; i < grant->symlink_count; i++)
        if (!grant_has_link(grant, i) && grant_has_link(&after, i))
            add_link(plan, STEP_LINK_MAKE, grant, i);
}

void plan_tell(struct plan *plan, const struct grant *grant, const struct uevent *event)
{
    assert(event);
    add_event(plan, grant, event);
}

static int inverse(enum step_kind kind, const struct step *step, struct step *ret)
{
    *ret = (struct step){.kind = kind, .grant = step->grant, .link = step->link};
    return 1;
}

/* Back to the grant that was delivered before. */
static int inverse_change(const struct step *step, struct step *ret)
{
    *ret = (struct step){.kind = step->kind, .grant = step->before, .before = step->grant};
    return 1;
}

int step_inverse(const struct step *step, struct step *ret)
{
    switch (step->kind) {
    case STEP_NODE_MAKE:
        return inverse(STEP_NODE_DESTROY, step, ret);
    case STEP_NODE_ATTACH:
        return inverse(STEP_NODE_DETACH, step, ret);
    case STEP_NODE_CHANGE:
        return inverse_change(step, ret);
    case STEP_LINK_MAKE:
        return inverse(STEP_LINK_REMOVE, step, ret);
    case STEP_ACCESS_ALLOW:
        return step->before ? inverse_change(step, ret) : inverse(STEP_ACCESS_DENY, step, ret);
    case STEP_INTERFACE_MOVE:
        return inverse(STEP_INTERFACE_RETURN, step, ret);
    case STEP_IDENTIFY:
    case STEP_EVENT:
    case STEP_ACCESS_DENY:
    case STEP_NODE_REVOKE:
    case STEP_INTERFACE_RETURN:
    case STEP_LINK_REMOVE:
    case STEP_NODE_DETACH:
    case STEP_NODE_DESTROY:
    case STEP_RECORD_WRITE: /* part of no plan to give */
    case STEP_RECORD_REMOVE:
    case STEP_UDEV_EVENT:
        return 0;
    }
    assert(false);
    return 0;
}

/* Text in the making; what does not fit is cut. */
struct line {
    char text[2 * GRANT_PATH_MAX + 256];
    size_t length;
};

static _printf_(2, 3) void line_add(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - line->length;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        line->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void add_id(struct line *line, const char *name, uint32_t id)
{
    if (name)
        line_add(line, "%s", name);
    else
        line_add(line, "%u", id);
}

static void add_owner(struct line *line, const struct grant *grant)
{
    line_add(line, " owner ");
    add_id(line, grant->owner, grant->uid);
    line_add(line, ":");
    add_id(line, grant->group, grant->gid);
}

static void add_number(struct line *line, const struct devnum *number)
{
    line_add(line, " %c %u:%u", number->kind == NODE_BLOCK ? 'b' : 'c', number->major,
             number->minor);
}

static void add_access(struct line *line, const struct grant *grant)
{
    add_number(line, &grant->number);
    line_add(line, " %s%s%s", grant->access & ACCESS_READ ? "r" : "",
             grant->access & ACCESS_WRITE ? "w" : "", grant->access & ACCESS_MKNOD ? "m" : "");
}

static void add_names(struct line *line, const struct grant *grant)
{
    if (grant->owner)
        line_add(line, " owner %s", grant->owner);
    if (grant->group)
        line_add(line, " group %s", grant->group);
}

static void add_details(struct line *line, const struct step *step)
{
    const struct grant *grant = step->grant;

    switch (step->kind) {
    case STEP_IDENTIFY:
        add_names(line, grant);
        break;
    case STEP_NODE_MAKE:
    case STEP_NODE_CHANGE:
        line_add(line, " %s", grant->node);
        add_number(line, &grant->number);
        add_owner(line, grant);
        line_add(line, " mode %04o", grant->mode);
        break;
    case STEP_NODE_ATTACH:
    case STEP_NODE_REVOKE:
    case STEP_NODE_DETACH:
    case STEP_NODE_DESTROY:
        line_add(line, " %s", grant->node);
        break;
    case STEP_LINK_MAKE:
    case STEP_LINK_REMOVE:
        line_add(line, " %s -> %s", step->link, grant->node);
        break;
    case STEP_ACCESS_ALLOW:
    case STEP_ACCESS_DENY:
        add_access(line, grant);
        break;
    case STEP_INTERFACE_MOVE:
    case STEP_INTERFACE_RETURN:
        line_add(line, " %s", grant->interface);
        break;
    case STEP_EVENT:
        line_add(line, " %s %s", uevent_action_name(step->event->action),
                 uevent_get(step->event, "DEVPATH"));
        break;
    case STEP_RECORD_WRITE:
    case STEP_RECORD_REMOVE:
        line_add(line, " /run/udev/data/%s", step->word->id);
        break;
    case STEP_UDEV_EVENT:
        line_add(line, " %s %s", uevent_action_name(step->word->action), step->word->devpath);
        break;
    }
}

const char *step_describe(const struct step *step, char *out, size_t size)
{
    struct line line = {.length = 0};

    line_add(&line, "%s", step_kind_name(step->kind));
    add_details(&line, step);
    text_printable(out, size, line.text, line.length);
    return out;
}
