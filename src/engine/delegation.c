/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one path. A container looks at a hint (take_up) when it has no job: it computes what is
 * desired now, compares with what is delivered now, and makes one plan. The plan's end (outcome.c)
 * records the outcome and lets the container look at the next hint.
 */
#include "engine/delegation_state.h"

#include <errno.h>

#include "engine/away.h"
#include "engine/conflict.h"
#include "engine/description.h"
#include "engine/interface.h"
#include "engine/mark.h"
#include "engine/news.h"
#include "engine/outcome.h"
#include "engine/overrun.h"

void delegation_report(struct delegation *delegation, enum activity_kind kind,
                       const struct container *container, const char *devpath, const char *text,
                       const struct refusal *why)
{
    struct activity activity = {
        .kind = kind,
        .time_us = now_us(),
        .container = container ? container->name : NULL,
        .devpath = devpath,
        .text = text,
        .error = why && why->error ? why->text : NULL,
    };
    delegation->observer->on_activity(delegation->observer->userdata, &activity);
}

void delegation_report_plan(const struct job *job, enum activity_kind kind, const char *text)
{
    const struct delegation *delegation = job->container->delegation;
    const struct grant *grant = job->delivery->grant;
    struct activity activity = {
        .kind = kind,
        .time_us = now_us(),
        .duration_us = job->started_us ? now_us() - job->started_us : 0,
        .container = job->container->name,
        .devpath = grant->devpath,
        .action = job->event ? uevent_action_name(job->event->action) : NULL,
        .rule_file = grant->rule_file,
        .rule_line = grant->rule_line,
        .text = text,
        .error = job->why.error ? job->why.text : NULL,
    };
    delegation->observer->on_activity(delegation->observer->userdata, &activity);
}

struct grant *delegation_desired_now(struct container *container, struct device *device, bool say)
{
    struct delegation *delegation = container->delegation;
    struct grant *grant = NULL;
    struct refusal why = {.error = 0};

    if (container->leaving || !device)
        return NULL;
    int r = desired_grant(&delegation->policy, container, device, NULL, NULL, &grant, &why);
    if (r < 0 && say) {
        if (r == -ENOMEM)
            refuse(&why, ENOMEM, "no memory to judge the rules");
        container->note = why;
        delegation->counters.refused++;
        delegation_report(delegation, ACTIVITY_OUTCOME, container, device->devpath, "refused",
                          &why);
    }
    return r > 0 ? grant : NULL;
}

void delegation_cut(struct container *container, struct delivery *delivery)
{
    executor_cut(&container->delegation->executor, container, delivery);
}

void delegation_hint(struct container *container, const char *devpath, uint64_t inode,
                     const struct uevent *event)
{
    char message[UEVENT_TEXT_MAX + 512];
    int size = event ? uevent_serialise(event, message, sizeof(message), NULL) : 0;
    int r = container_push_hint(container, devpath, inode, size > 0 ? message : NULL,
                                size > 0 ? (size_t)size : 0);
    if (r == 0 && event)
        container->hints_tail->seqnum = event->seqnum;
    if (r == -ENOBUFS)
        container->compare_wanted = true; /* the event is lost inside, its effect is not */
    else if (r < 0)
        outcome_retry(container);
}

bool delegation_can_change(const struct grant *delivered, const struct grant *desired)
{
    return grant_same_key(delivered, desired) && delivered->options == desired->options &&
           property_list_equal(&delivered->env, &desired->env) &&
           grant_same_links(delivered, desired);
}

static void start(struct job *job, const char *decision)
{
    job->started_us = 0;
    delegation_report_plan(job, ACTIVITY_DECISION, decision);
    executor_start(&job->container->delegation->executor, job);
}

static void refuse_give(struct container *container, struct delivery *delivery,
                        const struct device *device, const struct refusal *why)
{
    delegation_report(container->delegation, ACTIVITY_OUTCOME, container, device->devpath,
                      "refused", why);
    container->delegation->counters.refused++;
    if (delivery) {
        delivery_refuse(delivery, GATE_RULES, why);
        delivery->conflicting = why->error == EBUSY;
    }
    if (why->error == ENOMEM)
        outcome_retry(container);
}

/* Links go to other deliveries, or come from them, while the device stays what it is inside. */
static void relink(struct container *container, struct delivery *delivery, uint32_t yielded,
                   struct hint *hint_take)
{
    struct job *job = job_new(JOB_RELINK, container, delivery);
    if (!job) {
        outcome_retry(container);
        hint_free(hint_take);
        return;
    }
    job->hint = hint_take;
    job->yielded = yielded;
    plan_relink(&job->plan, delivery->grant, yielded);
    delivery->grant->yielded &= yielded; /* a link in the making counts as there */
    start(job, "relink");
}

/* Who has a link that the grant goes before yields first; then the hint's turn comes again. */
static bool make_way(struct container *container, const struct grant *grant, struct hint *hint_take)
{
    uint32_t yielded;
    struct delivery *loser = conflict_find_unsettled(container, grant, NULL, &yielded);
    if (!loser)
        return false;
    relink(container, loser, yielded, hint_take);
    return true;
}

static void give(struct container *container, struct device *device, struct grant *grant_take,
                 struct hint *hint_take, struct uevent *event_take)
{
    const struct door *door = container->delegation->door;
    struct refusal why = {.error = 0};

    if (conflict_check(container, grant_take, &why) == 0) {
        if (make_way(container, grant_take, hint_take)) {
            grant_free(grant_take);
            free(event_take);
            return;
        }
        grant_take->yielded = conflict_yielded(container, grant_take, NULL);
    }
    struct delivery *delivery = container_add_delivery(container, grant_take);
    struct job *job = delivery ? job_new(JOB_GIVE, container, delivery) : NULL;

    if (!delivery)
        grant_free(grant_take);
    if (job)
        job->hint = hint_take;
    else
        hint_free(hint_take);
    if (!job || job_prepare_add(job, event_take, device,
                                &container->delegation->counters.dropped_properties) < 0) {
        if (!job)
            free(event_take);
        refuse(&why, ENOMEM, "no memory to deliver it");
    } else if (!why.error) {
        delivery->item = door->item_new(door->userdata, container->place, interface_lost, delivery);
        if (!delivery->item)
            refuse(&why, ENOMEM, "no memory to deliver it");
    }
    if (why.error) {
        refuse_give(container, delivery, device, &why);
        job_free(job);
        return;
    }
    if (delivery->grant->interface)
        away_remember_attributes(device); /* sysfs shows them no more then */
    plan_give(&job->plan, delivery->grant, job->event);
    start(job, "give");
}

static void take(struct container *container, struct delivery *delivery, struct hint *hint_take,
                 struct uevent *event_take)
{
    struct job *job = job_new(JOB_TAKE, container, delivery);
    if (!job) { /* the inode is dead at least */
        delegation_cut(container, delivery);
        outcome_retry(container);
        hint_free(hint_take);
        free(event_take);
        return;
    }
    job->hint = hint_take;
    delivery->state = DELIVERY_TAKING;
    job_prepare_remove(job, event_take);
    description_prepare_end(job);
    plan_take_described(&job->plan, delivery->grant, job->event, delivery->word, job->word);
    start(job, "take");
}

static void change(struct container *container, struct delivery *delivery,
                   struct grant *desired_take, struct hint *hint_take)
{
    struct job *job = job_new(JOB_CHANGE, container, delivery);
    if (!job) {
        grant_free(desired_take);
        hint_free(hint_take);
        return;
    }
    job->hint = hint_take;
    job->desired = desired_take;
    desired_take->yielded = delivery->grant->yielded;
    plan_change(&job->plan, delivery->grant, desired_take);
    start(job, "change");
}

static void tell(struct container *container, struct delivery *delivery, struct hint *hint_take,
                 struct uevent *event_take)
{
    struct job *job = job_new(JOB_TELL, container, delivery);
    if (!job) {
        hint_free(hint_take);
        free(event_take);
        return;
    }
    job->hint = hint_take;
    job_prepare_other(job, event_take);
    plan_tell(&job->plan, delivery->grant, job->event);
    start(job, "tell");
}

/* Desired against delivered, for one device, now. */
static void take_up(struct container *container, struct hint *hint_take)
{
    _cleanup_free_ struct uevent *event = hint_event(hint_take);
    struct delivery *delivery = container_find_delivery(container, hint_take->devpath);
    uint64_t known = delivery ? delivery->grant->inode : hint_take->inode;
    struct device *device = world_find(container->delegation->world, hint_take->devpath);
    _cleanup_grant_ struct grant *grant = delegation_desired_now(container, device, true);
    bool removal = event_has_action(event, UEVENT_REMOVE);
    bool of_it = known == hint_take->inode && (delivery || !grant || grant->inode == known);
    struct delivery *unsettled;
    uint32_t yielded;

    if (!of_it) { /* an event of another incarnation is nobody's business any more */
        free(event);
        event = NULL;
    }

    if (delivery && delivery->state == DELIVERY_REFUSED) {
        if (grant && conflict_lasts(container, delivery, grant)) {
            hint_free(hint_take);
            return;
        }
        delegation_drop_delivery(container, delivery);
        delivery = NULL;
    }
    if (delivery && grant)
        delivery->grant->link_priority = grant->link_priority;
    bool later = delivery && container_awaits_remove(container, delivery, device);
    if (later && delivery_takes_event(delivery, event))
        tell(container, delivery, hint_take, TAKE_PTR(event));
    else if (later)
        hint_free(hint_take);
    else if (delivery &&
             (!grant || delivery->cut || !delegation_can_change(delivery->grant, grant)))
        take(container, delivery, hint_take, TAKE_PTR(event));
    else if (delivery && !grant_equal(delivery->grant, grant))
        change(container, delivery, TAKE_PTR(grant), hint_take);
    else if (delivery &&
             (unsettled = conflict_find_unsettled(container, delivery->grant, delivery, &yielded)))
        relink(container, unsettled, yielded, hint_take);
    else if (delivery && delivery_takes_event(delivery, event))
        tell(container, delivery, hint_take, TAKE_PTR(event));
    else if (delivery && !removal &&
             description_take_up(container, delivery, device, hint_take, event))
        return;
    else if (!delivery && grant && !removal)
        give(container, device, TAKE_PTR(grant), hint_take, TAKE_PTR(event));
    else
        hint_free(hint_take);
}

/* Works hints off until one has to wait, or none is left. */
static void work_off(struct container *container)
{
    while (!container->job && !container->marking && !container->stalled) {
        if (mark_work(container))
            continue;
        struct hint *hint = container_pop_hint(container);
        if (!hint && !container->compare_wanted)
            return;
        if (hint) {
            description_look(container);
            take_up(container, hint);
        } else {
            container->compare_wanted = false;
            delegation_compare(container);
        }
    }
}

void delegation_turn(struct container *container)
{
    if (container->turning)
        return;
    container->turning = true;
    do
        work_off(container);
    while (delegation_settle(container)); /* who waited may have asked for more */
    container->turning = false;
    delegation_end_left(container);
}

void delegation_hurry(struct delegation *delegation)
{
    delegation->executor.hurried = true;
}

struct delegation *delegation_new(const struct door *door, const struct world_source *source,
                                  const struct observer *observer, const struct devnum *root_disks,
                                  size_t root_disk_count)
{
    struct delegation *delegation = calloc(1, sizeof(*delegation));
    if (!delegation)
        return NULL;
    struct world_listener listener = {.on_news = news_receive, .userdata = delegation};
    delegation->door = door;
    delegation->observer = observer;
    delegation->executor = (struct executor){.door = door,
                                             .observer = observer,
                                             .on_start = outcome_expect,
                                             .on_end = outcome_record,
                                             .on_overrun = overrun_begin,
                                             .on_interface = interface_note,
                                             .userdata = delegation};
    delegation->world = world_new(source, &listener);
    delegation->rules = rule_set_new();
    delegation->root_disks = calloc(root_disk_count + 1, sizeof(*root_disks));
    if (!delegation->world || !delegation->rules || !delegation->root_disks) {
        delegation_free(delegation);
        return NULL;
    }
    if (root_disk_count)
        memcpy(delegation->root_disks, root_disks, root_disk_count * sizeof(*root_disks));
    delegation->policy = (struct policy){.rules = delegation->rules,
                                         .root_disks = delegation->root_disks,
                                         .root_disk_count = root_disk_count};
    return delegation;
}

void delegation_expect_udev(struct delegation *delegation)
{
    delegation->policy.expects_udev = true;
}

struct world *delegation_world(struct delegation *delegation)
{
    return delegation->world;
}

void delegation_set_rules(struct delegation *delegation, struct rule_set *rules_take)
{
    rule_set_free(delegation->rules);
    delegation->rules = rules_take;
    delegation->policy.rules = rules_take;
    delegation_forget_attributes(delegation);
    for (struct container *c = delegation->containers, *next; c; c = next) {
        next = c->next;
        mark_judge(c, rules_take);
        delegation_compare(c);
        delegation_turn(c);
    }
}

const struct rule_set *delegation_rules(const struct delegation *delegation)
{
    return delegation->rules;
}

int delegation_desired(struct delegation *delegation, const struct container *container,
                       struct device *device, rule_trace_fn trace, void *trace_userdata,
                       struct grant **ret, struct refusal *why)
{
    int r = desired_grant(&delegation->policy, container, device, trace, trace_userdata, ret, why);
    if (r > 0)
        (*ret)->yielded = conflict_yielded_at_last(
            container, *ret, container_find_delivery(container, device->devpath));
    return r;
}

struct delegation_counters *delegation_counters(struct delegation *delegation)
{
    return &delegation->counters;
}
