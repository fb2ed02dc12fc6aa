/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who takes part: containers that come, wait, leave or die. */
#include <errno.h>

#include "engine/delegation_state.h"
#include "engine/description.h"
#include "engine/examination.h"
#include "engine/mark.h"
#include "engine/outcome.h"
#include "engine/overrun.h"
#include "engine/saved.h"

struct container *delegation_find(const struct delegation *delegation, const char *name)
{
    for (struct container *c = delegation->containers; c; c = c->next)
        if (streq(c->name, name))
            return c;
    return NULL;
}

const struct departure *delegation_find_departed(const struct delegation *delegation,
                                                 const char *name)
{
    return departed_find(&delegation->departed, name);
}

struct container *delegation_containers(const struct delegation *delegation)
{
    return delegation->containers;
}

void delegation_note(struct container *container, const char *text, const struct refusal *why)
{
    if (container->note.error && streq(container->note.text, why->text))
        return;
    container->note = *why;
    delegation_report(container->delegation, ACTIVITY_CONTAINER, container, NULL, text, why);
}

void delegation_drop_delivery(struct container *container, struct delivery *delivery)
{
    const struct door *door = container->delegation->door;
    door->item_free(door->userdata, TAKE_PTR(delivery->item));
    container_remove_delivery(container, delivery);
}

/* Nothing comes of what the container waits for. */
static void stop_timers(struct container *container)
{
    const struct door *door = container->delegation->door;
    void *timers[] = {container->retry_timer, container->leave_timer, container->behind_timer};
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
        if (timers[i])
            door->timer_cancel(door->userdata, timers[i]);
}

/*
 * The end of a container: nothing is asked of its inside any more. Cutting comes first, so that
 * what a surviving process of it (or a copy of a node elsewhere) holds is dead in any case.
 */
static void end_container(struct container *container, const char *how)
{
    struct delegation *delegation = container->delegation;
    const struct door *door = delegation->door;

    for (struct container **at = &delegation->containers; *at; at = &(*at)->next)
        if (*at == container) {
            *at = container->next;
            break;
        }
    for (struct delivery *d = container->deliveries_tail; d; d = d->previous)
        delegation_cut(container, d);
    stop_timers(container);
    job_free(TAKE_PTR(container->job));
    while (container->deliveries) {
        _cleanup_free_ char *devpath = strdup(container->deliveries->grant->devpath);
        delegation_drop_delivery(container, container->deliveries);
        if (devpath) /* it may have been the exclusive holder */
            outcome_revive(container, devpath);
    }
    outcome_revive(container, ALL_DEVICES); /* or have been the one that goes first */
    door->place_close(door->userdata, TAKE_PTR(container->place));
    overrun_pass_on(delegation);
    departed_remember(&delegation->departed, container, how);
    delegation_report(delegation, ACTIVITY_CONTAINER, container, NULL, how, NULL);
    examination_end_all(container);
    (void)delegation_call_waiters(container, CONTAINER_GONE);
    container_free(container);
}

static void on_death(void *userdata)
{
    end_container(userdata, "died");
}

/* Whether something of it may still be opened inside. */
static bool has_uncut(const struct container *container)
{
    for (const struct delivery *d = container->deliveries; d; d = d->next)
        if (d->state != DELIVERY_REFUSED && !delivery_is_cut(d))
            return true;
    return false;
}

/* Who waits is not kept by somebody inside who hinders us. */
static void on_leave_deadline(void *userdata)
{
    struct container *container = userdata;
    container->leave_timer = NULL;
    container->turning = true; /* it is still there when the last one was called */
    (void)delegation_call_waiters(container, CONTAINER_HELD);
    container->turning = false;
    delegation_turn(container);
}

void delegation_end_left(struct container *container)
{
    const struct door *door = container->delegation->door;
    if (!container->leaving || !container_settled(container))
        return;
    if (!has_uncut(container))
        end_container(container,
                      container->stalled ? "unregistered while it hung" : "unregistered");
    else if (container->waiters && !container->leave_timer &&
             door->timer_start(door->userdata, LEAVE_DEADLINE_US, on_leave_deadline, container,
                               &container->leave_timer) < 0)
        container->leave_timer = NULL; /* no memory: with the next turn */
}

static int set_labels(struct container *container, const struct property_list *labels)
{
    struct property_list copy = {.count = 0};
    int r = labels ? property_merge(&copy, labels) : 0;
    if (r < 0) {
        property_list_done(&copy);
        return r;
    }
    property_list_done(&container->labels);
    container->labels = copy;
    return 0;
}

/* Containers whose process died, though its death was not read yet: a restart may be faster. */
static void end_dead(struct delegation *delegation)
{
    const struct door *door = delegation->door;
    for (struct container *c = delegation->containers, *next; c; c = next) {
        next = c->next;
        if (!door->place_alive(door->userdata, c->place))
            end_container(c, "died");
    }
}

/* Whether the process or the name is taken: by itself (then *ret_same), or by another. */
static int check_known(struct delegation *delegation, const struct container *fresh,
                       struct container **ret_same, struct refusal *why)
{
    *ret_same = NULL;
    for (struct container *c = delegation->containers; c; c = c->next) {
        bool same_process =
            c->pid == fresh->pid && c->facts.process_key == fresh->facts.process_key;
        if (streq(c->name, fresh->name) && same_process && !c->leaving)
            *ret_same = c;
        else if (streq(c->name, fresh->name))
            return refuse(why, EEXIST, "container %s is %s, with process %d", c->name,
                          c->leaving ? "still leaving" : "registered already", (int)c->pid);
        else if (same_process)
            return refuse(why, EEXIST, "process %d is registered already, as container %s",
                          (int)c->pid, c->name);
    }
    return 0;
}

static void close_fresh(struct delegation *delegation, struct container *fresh)
{
    delegation->door->place_close(delegation->door->userdata, TAKE_PTR(fresh->place));
    container_free(fresh);
}

/* Takes hold of it: *ret is on nobody's list yet, or NULL where it is *ret_same. */
static int open_fresh(struct delegation *delegation, const struct saved_place *who,
                      struct container **ret, struct container **ret_same, struct refusal *why)
{
    const struct door *door = delegation->door;
    int r = container_name_check(who->name, why);
    if (r < 0)
        return r;
    struct container *fresh = container_new(who->name, who->pid);
    if (!fresh)
        return refuse(why, ENOMEM, "no memory for another container");
    fresh->delegation = delegation;
    end_dead(delegation);
    r = door->place_open(door->userdata, who->pid, who->root, on_death, fresh, &fresh->place,
                         &fresh->facts, why);
    if (r == 0 && who->start_time && who->start_time != fresh->facts.process_key)
        r = refuse(why, ESRCH, "another process has its number now");
    if (r == 0)
        r = check_known(delegation, fresh, ret_same, why);
    if (r == 0 && !*ret_same)
        r = door->place_admit(door->userdata, fresh->place, who->name, who->door, why);
    if (r < 0 || *ret_same)
        close_fresh(delegation, TAKE_PTR(fresh));
    *ret = fresh;
    return r;
}

static void add_last(struct delegation *delegation, struct container *container)
{
    struct container **last = &delegation->containers;
    while (*last)
        last = &(*last)->next;
    *last = container;
}

int registration_resume(struct delegation *delegation, const struct saved_place *saved,
                        struct container **ret, struct refusal *why)
{
    struct container *same = NULL;
    int r = open_fresh(delegation, saved, ret, &same, why);
    if (r == 0 && same)
        r = refuse(why, EEXIST, "it is registered already");
    if (r == 0)
        add_last(delegation, *ret);
    return r;
}

int delegation_register(struct delegation *delegation, const char *name, pid_t pid,
                        const char *root, const struct property_list *labels,
                        struct container **ret, struct refusal *why)
{
    const struct saved_place who = {.name = name, .pid = pid, .root = root};
    return delegation_register_process(delegation, &who, labels, ret, why);
}

int delegation_register_process(struct delegation *delegation, const struct saved_place *who,
                                const struct property_list *labels, struct container **ret,
                                struct refusal *why)
{
    struct container *fresh, *same = NULL;

    int r = open_fresh(delegation, who, &fresh, &same, why);
    if (r < 0)
        return r;
    struct container *container = same ? same : fresh;
    if (set_labels(container, labels) < 0) {
        if (fresh)
            close_fresh(delegation, fresh);
        return refuse(why, ENOMEM, "no memory for the labels");
    }
    if (same)
        mark_forget(same);
    else
        add_last(delegation, fresh);
    saved_note_container(container);
    delegation_report(delegation, ACTIVITY_CONTAINER, container, NULL,
                      same ? "registered again" : "registered", NULL);
    delegation_forget_attributes(delegation);
    mark_judge(container, delegation->rules);
    description_look(container);
    delegation_compare(container);
    delegation_turn(container);
    *ret = container;
    return 0;
}

int delegation_unregister(struct delegation *delegation, const char *name, container_end_fn fn,
                          void *userdata)
{
    struct container *container = delegation_find(delegation, name);
    if (!container)
        return -ENOENT;
    if (fn && container_add_waiter(container, fn, userdata) < 0)
        return -ENOMEM;
    container->leaving = true;
    container_drop_hints(container);
    delegation_compare(container);
    delegation_turn(container);
    return 0;
}

/* A udevd that comes to a container sends no word of it. A host with many is gone through slowly.
 */
static void look_for_udevds(struct delegation *delegation)
{
    size_t at = 0, from = delegation->looked_at, to = from + LOOKS_PER_TURN;
    for (struct container *c = delegation->containers, *next; c; c = next, at++) {
        next = c->next;
        if (at < from || at >= to)
            continue;
        description_look(c);
        delegation_turn(c);
    }
    delegation->looked_at = at > to ? to : 0;
}

void delegation_repair(struct delegation *delegation)
{
    const struct door *door = delegation->door;
    look_for_udevds(delegation);
    for (struct container *c = delegation->containers; c; c = c->next) {
        struct refusal why = {.error = 0};
        int repairs = door->place_repair(door->userdata, c->place, &why);
        if (repairs > 0)
            delegation->counters.repairs += (uint64_t)repairs;
        if (repairs > 0 || (repairs < 0 && !streq(c->note.text, why.text)))
            delegation_report(delegation, ACTIVITY_CONTAINER, c, NULL,
                              repairs > 0
                                  ? "its device cgroup was rewritten by somebody else; repaired"
                                  : "its device cgroup cannot be looked after",
                              &why);
        if (repairs < 0)
            c->note = why;
    }
}

/* Frees a container, and leaves what it has to a successor. */
static void leave_container(struct container *container)
{
    const struct door *door = container->delegation->door;
    stop_timers(container);
    job_free(TAKE_PTR(container->job));
    for (struct delivery *d = container->deliveries; d; d = d->next)
        door->item_leave(door->userdata, TAKE_PTR(d->item));
    door->place_leave(door->userdata, TAKE_PTR(container->place));
    examination_end_all(container);
    (void)delegation_call_waiters(container, CONTAINER_GONE);
    container_free(container);
}

void delegation_leave(struct delegation *delegation)
{
    while (delegation && delegation->containers) {
        struct container *container = delegation->containers;
        delegation->containers = container->next;
        leave_container(container);
    }
    delegation_free(delegation);
}

void delegation_free(struct delegation *delegation)
{
    if (!delegation)
        return;
    for (struct container *c = delegation->containers; c; c = c->next)
        c->leaving = true; /* nobody gets what another lets go of */
    while (delegation->containers)
        end_container(delegation->containers, "let go");
    world_free(delegation->world);
    rule_set_free(delegation->rules);
    free(delegation->root_disks);
    free(delegation);
}
