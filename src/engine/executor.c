/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/executor.h"

#include <errno.h>

#include "engine/pace.h"

static void advance(struct job *job);

static void report(const struct executor *executor, const struct container *container,
                   const struct step *step, uint64_t started_us, const struct step_result *result)
{
    char text[512];
    struct activity activity = {
        .kind = ACTIVITY_STEP,
        .time_us = started_us,
        .duration_us = now_us() - started_us,
        .container = container->name,
        .devpath = step->grant->devpath,
        .rule_file = step->grant->rule_file,
        .rule_line = step->grant->rule_line,
        .text = step_describe(step, text, sizeof(text)),
        .error = result->why.error ? result->why.text : NULL,
    };
    executor->observer->on_activity(executor->observer->userdata, &activity);
}

/*
 * Turns the first `count` steps into those that take them back, last one first. The inode and the
 * device cgroup come before everything: the rest may take its time.
 */
static void start_undo(struct job *job, size_t count)
{
    executor_cut(job->executor, job->container, job->delivery);
    struct plan undo = {.count = 0};
    for (size_t i = count; i > 0; i--)
        undo.count += (size_t)step_inverse(&job->plan.steps[i - 1], &undo.steps[undo.count]);
    job->plan = undo;
    job->position = 0;
    job->undoing = true;
}

/* The host's ids, right before the step that needs them: names are known only now. */
static int translate_ids(struct job *job, const struct step *step, struct step_ids *ret,
                         struct refusal *why)
{
    struct delivery *delivery = job->delivery;
    if (step->kind != STEP_NODE_MAKE && step->kind != STEP_NODE_CHANGE)
        return 0;
    uint32_t uid = step->grant->owner ? delivery->uid : step->grant->uid;
    uint32_t gid = step->grant->group ? delivery->gid : step->grant->gid;
    delivery->uid = uid;
    delivery->gid = gid;
    delivery->identified = true;
    return grant_translate(step->grant, uid, gid, job->container->facts.uids,
                           job->container->facts.gids, &ret->uid, &ret->gid, why);
}

/* Cutting is done when all of it has succeeded; a take runs what is missing again. */
static void note_cut(struct delivery *delivery, enum step_kind kind)
{
    delivery->denied |= kind == STEP_ACCESS_DENY;
    delivery->revoked |= kind == STEP_NODE_REVOKE;
    delivery->returned |= kind == STEP_INTERFACE_RETURN;
}

static void note_done(struct executor *executor, struct delivery *delivery, const struct step *step,
                      const struct step_result *result)
{
    note_cut(delivery, step->kind);
    if (step->kind == STEP_INTERFACE_MOVE || step->kind == STEP_INTERFACE_RETURN)
        executor->on_interface(executor->userdata, delivery, step->kind, result);
}

static void note_failure(struct job *job, const struct step_result *result)
{
    if (!job->why.error) {
        job->why = result->why;
        job->gate = gate_of_step(job->plan.steps[job->position].kind, result->why.error);
    }
    job->stalled |= result->stalled;
    if (result->stalled)
        job->position = job->plan.count; /* nothing more can be done inside for now */
    else if (job->kind == JOB_GIVE && !job->undoing)
        start_undo(job, job->position + 1); /* half of the step may be done: a courier died */
    else
        job->position++;
}

/*
 * A courier that died has not said how far it came. What is to be taken away would stay: another
 * one is asked to do it again, once.
 */
static bool is_done_again(struct job *job, const struct step_result *result)
{
    bool takes = job->kind == JOB_TAKE || job->undoing;
    bool again = result->why.error == EPIPE && takes && !job->again;
    job->again = again;
    return again;
}

static void finish_step(struct job *job, const struct step_result *result)
{
    const struct step *step = &job->plan.steps[job->position];
    report(job->executor, job->container, step, job->step_started_us, result);
    job->shadowed |= result->shadowed;

    if (is_done_again(job, result))
        return;
    if (result->why.error) {
        note_failure(job, result);
        return;
    }
    note_done(job->executor, job->delivery, step, result);
    if (step->kind == STEP_IDENTIFY) {
        job->delivery->uid = result->uid;
        job->delivery->gid = result->gid;
    }
    job->position++;
}

static void on_done(void *userdata, const struct step_result *result)
{
    struct job *job = userdata;
    finish_step(job, result);
    advance(job);
}

/*
 * What was cut already need not be cut again, and gets no more links. And as long as it could not
 * be cut, the inode is not forgotten and nobody is told that the device went: the plan runs again
 * later.
 */
static bool is_left_out(const struct job *job, const struct step *step)
{
    const struct delivery *delivery = job->delivery;
    bool tells = step->kind == STEP_EVENT || step->kind == STEP_UDEV_EVENT;
    bool seals = step->kind == STEP_NODE_DESTROY || (tells && job->kind == JOB_TAKE);
    return (step->kind == STEP_LINK_MAKE && delivery->cut) ||
           delivery_is_cut_of(delivery, step->kind) || (seals && !delivery_is_cut(delivery));
}

static void on_room_timer(void *userdata)
{
    struct job *job = userdata;
    job->room_timer = NULL;
    advance(job);
}

/*
 * Whether the step has to wait until those who listen have room. The job waits along, and with it
 * whatever else the container is to hear; a device that goes meanwhile is cut and never told of.
 * Who waits for a container's end, or for ours, does not wait for its readers.
 */
static bool waits_for_readers(struct job *job, const struct step *step)
{
    const struct door *door = job->executor->door;
    if (step->kind != STEP_EVENT && step->kind != STEP_UDEV_EVENT)
        return false;
    int r = door->place_look_at_readers(door->userdata, job->container->place, step->kind);
    if (r == -EOVERFLOW)
        job->executor->on_overrun(job->executor->userdata, job->container);
    if (r <= 0 || job->executor->hurried || job->container->leaving) {
        job->room_delay_us = 0;
        return false;
    }
    job->room_delay_us = job->room_delay_us ? 2 * job->room_delay_us : PACE_POLL_US;
    if (job->room_delay_us > PACE_POLL_LAST_US)
        job->room_delay_us = PACE_POLL_LAST_US;
    /* without memory it is told, and perhaps missed */
    return door->timer_start(door->userdata, job->room_delay_us, on_room_timer, job,
                             &job->room_timer) == 0;
}

/* Returns 1 when the step ended, 0 when it is pending. */
static int run_step(struct job *job)
{
    const struct door *door = job->executor->door;
    const struct step *step = &job->plan.steps[job->position];
    struct step_result result = {.why.error = 0};
    struct step_ids ids = {0, 0};
    int r = 1;

    job->step_started_us = now_us();
    if (is_left_out(job, step)) {
        job->position++;
        return 1;
    }
    if (waits_for_readers(job, step))
        return 0;
    if (translate_ids(job, step, &ids, &result.why) == 0)
        r = door->run(door->userdata, job->container->place, job->delivery->item, step, &ids,
                      on_done, job, &result);
    if (r > 0)
        finish_step(job, &result);
    return r;
}

/* Cut while it ran: nothing may be opened up again. Whether there is anything left to run. */
static bool withdraw(struct job *job)
{
    job->withdrawn = true;
    if (!job->why.error)
        refuse(&job->why, ENODEV, "it was taken back meanwhile");
    if (job->kind != JOB_GIVE || job->stalled)
        return false;
    start_undo(job, job->position);
    return true;
}

/*
 * Links that go to others are waited for, whatever becomes of the delivery itself; and what
 * happened to a device is told until its `remove` is.
 */
static bool is_in_vain(const struct job *job)
{
    bool goes_on = job->kind == JOB_TAKE || job->kind == JOB_RELINK || job->kind == JOB_TELL;
    return job->delivery->cut && !goes_on && !job->undoing;
}

static void advance(struct job *job)
{
    for (;;) {
        if (is_in_vain(job) && !withdraw(job))
            break;
        if (job->position >= job->plan.count)
            break;
        if (run_step(job) == 0)
            return;
    }
    job->executor->on_end(job->executor->userdata, job);
}

void executor_start(struct executor *executor, struct job *job)
{
    job->executor = executor;
    job->container->job = job;
    job->started_us = now_us();
    executor->on_start(executor->userdata, job);
    advance(job);
}

void executor_cut(struct executor *executor, struct container *container, struct delivery *delivery)
{
    struct plan plan = {.count = 0};
    if (delivery->state == DELIVERY_REFUSED)
        return;
    delivery->cut = true;
    plan_cut(&plan, delivery->grant);
    for (size_t i = 0; i < plan.count; i++) {
        const struct step *step = &plan.steps[i];
        struct step_result result = {.why.error = 0};
        uint64_t started_us = now_us();
        if (delivery_is_cut_of(delivery, step->kind))
            continue;
        (void)executor->door->run(executor->door->userdata, container->place, delivery->item, step,
                                  NULL, NULL, NULL, &result);
        report(executor, container, step, started_us, &result);
        if (!result.why.error)
            note_done(executor, delivery, step, &result);
        else if (step->kind == STEP_INTERFACE_RETURN)
            executor->on_interface(executor->userdata, delivery, step->kind, &result);
    }
}
