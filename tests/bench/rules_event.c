/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules_event.h"

#include <assert.h>
#include <err.h>
#include <stdio.h>

#include "model/rule_candidates.h"
#include "model/rule_set.h"
#include "rules_mix.h"

#define SAMPLES_MAX 1001u
#define SAMPLE_NS 100000u /* a sample is as many events as take this long */

static const char *const NAMES[EVENT_KINDS] = {
    [EVENT_TTY] = "unmatched tty",
    [EVENT_TTY_EARLY] = "unmatched tty, before udev's word",
    [EVENT_TTY_PARENTS] = "unmatched tty, and its five parents",
    [EVENT_NET] = "unmatched net device",
    [EVENT_MATCHED] = "matched tty",
};

const char *event_name(enum event_kind kind)
{
    return NAMES[kind];
}

struct event event_make(enum event_kind kind, struct bench_devices *devices,
                        const struct rule_set *rules, unsigned size)
{
    struct event event = {
        .rules = rules,
        .devices = devices,
        .device = devices->chain[0],
        .vendor = mix_vendor(0),
        .product = 0xffff,
        .family = "kiosk",
        .container_count = 1,
    };
    if (kind == EVENT_MATCHED) {
        unsigned number = size / 2 / MIX_PEOPLE_KINDS * MIX_PEOPLE_KINDS;
        event.vendor = mix_vendor(number);
        event.product = mix_product(number);
        event.family = "lab";
        event.first_container = mix_container(number);
        event.given = 1;
    }
    if (kind == EVENT_NET)
        event.device = devices->net;
    if (kind == EVENT_TTY_EARLY)
        event.device = devices->early;
    event.with_parents = kind == EVENT_TTY_PARENTS;
    return event;
}

uint64_t bench_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare_numbers(const void *one, const void *other)
{
    const uint64_t *a = one, *b = other;
    return (*a > *b) - (*a < *b);
}

uint64_t bench_median(uint64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof(*numbers), compare_numbers);
    return numbers[count / 2];
}

/* The containers of an event. */
struct crowd {
    char names[EVENT_CONTAINERS_MAX][32];
    struct rule_container containers[EVENT_CONTAINERS_MAX];
};

static void crowd_init(struct crowd *crowd, const struct event *event)
{
    *crowd = (struct crowd){0};
    for (unsigned i = 0; i < event->container_count; i++) {
        (void)snprintf(crowd->names[i], sizeof(crowd->names[i]), "%s-%u", event->family,
                       event->first_container + i);
        crowd->containers[i].name = crowd->names[i];
    }
}

/* Whether the container gets the device. */
static bool judge(const struct event *event, const struct rule_container *container)
{
    bool given = false;
    struct device *device = event->device;
    do {
        struct share share;
        int r = rule_judge(event->rules, device, container, NULL, NULL, &share);
        if (r < 0)
            errx(1, "the judge fails: %s", strerror(-r));
        given |= share.given;
        share_done(&share);
        device = device_parent(device);
    } while (event->with_parents && device);
    return given;
}

static void run_once(const struct event *event, const struct crowd *crowd)
{
    unsigned given = 0;
    bench_devices_forget(event->devices);
    for (unsigned i = 0; i < event->container_count; i++)
        given += judge(event, &crowd->containers[i]);
    if (given != event->given)
        errx(1, "%u containers get the device, not %u", given, event->given);
}

static uint64_t run(const struct event *event, const struct crowd *crowd, uint64_t count)
{
    bench_devices_plug(event->devices, event->vendor, event->product);
    uint64_t begin = bench_now_ns();
    for (uint64_t i = 0; i < count; i++)
        run_once(event, crowd);
    return bench_now_ns() - begin;
}

void event_measure(const struct event *events, size_t count, unsigned samples, uint64_t *ret)
{
    static uint64_t times[EVENTS_MAX][SAMPLES_MAX];
    struct crowd crowds[EVENTS_MAX];
    uint64_t batches[EVENTS_MAX];
    assert(count <= EVENTS_MAX && samples <= SAMPLES_MAX);
    for (size_t i = 0; i < count; i++) {
        crowd_init(&crowds[i], &events[i]);
        (void)run(&events[i], &crowds[i], 1); /* what is cold only once */
        batches[i] = 1 + SAMPLE_NS / (1 + run(&events[i], &crowds[i], 1));
    }
    for (unsigned sample = 0; sample < samples; sample++)
        for (size_t i = 0; i < count; i++)
            times[i][sample] = run(&events[i], &crowds[i], batches[i]) / batches[i];
    for (size_t i = 0; i < count; i++)
        ret[i] = bench_median(times[i], samples);
}

struct event_counts event_count(const struct event *event)
{
    struct crowd crowd;
    struct rule_state state;
    struct rule_candidates candidates;
    struct event_counts counts = {0};
    crowd_init(&crowd, event);
    bench_devices_plug(event->devices, event->vendor, event->product);
    rule_state_init(&state, event->device, &crowd.containers[0]);
    rule_candidates_init(&candidates, event->rules->index, &state);
    for (size_t i = 0; (i = rule_candidates_next(&candidates, i)) < event->rules->count; i++)
        counts.candidates++;
    rule_state_done(&state);

    size_t before = event->devices->reads;
    run_once(event, &crowd);
    counts.reads = event->devices->reads - before;
    return counts;
}
