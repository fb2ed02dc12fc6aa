/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules_bench [--brief | --check]: what an event costs with ten rules and with ten thousand, and
 * what loading them costs.
 *
 * The linear matcher beside it is the same judge without the index: it looks at every rule.
 *
 * --brief takes few samples. --check measures next to nothing, and compares what is the same on
 * every machine: how many rules are looked at, and how many attributes are read. Times never fail.
 */
#include <stdio.h>

#include "rules_event.h"
#include "rules_load.h"

#define LARGEST 10000u

static const unsigned SIZES[] = {10, 100, 1000, LARGEST};
#define SIZE_COUNT ARRAY_SIZE(SIZES)

struct bench {
    struct bench_devices devices;
    unsigned samples;
    unsigned failed;
};

/* What the rules of a mix and a kind of event give for each size. */
struct row {
    uint64_t indexed[SIZE_COUNT];
    uint64_t ten_containers[SIZE_COUNT];
    uint64_t linear[SIZE_COUNT];
};

static void print_times(const char *title, const char *how, const uint64_t times[static SIZE_COUNT])
{
    printf("  %-36s %-14s", title, how);
    for (size_t i = 0; i < SIZE_COUNT; i++)
        printf(" %9llu", (unsigned long long)times[i]);
    printf(" %9.2f\n", (double)times[SIZE_COUNT - 1] / (double)times[0]);
}

static void print_head(const struct mix *mix)
{
    printf("\n%s\n  %-51s", mix->what, "ns per event, with so many rules:");
    for (size_t i = 0; i < SIZE_COUNT; i++)
        printf(" %9u", SIZES[i]);
    printf(" %9s\n", "last:first");
}

static struct row measure_row(struct bench *bench, const struct mix *mix, enum event_kind kind)
{
    struct row row;
    struct rule_set *rules[SIZE_COUNT], linear[SIZE_COUNT];
    struct event indexed[SIZE_COUNT], ten[SIZE_COUNT], walked[SIZE_COUNT];
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        rules[i] = load_mix(mix, SIZES[i]);
        linear[i] = *rules[i];
        linear[i].index = NULL;
        indexed[i] = ten[i] = event_make(kind, &bench->devices, rules[i], SIZES[i]);
        ten[i].container_count = EVENT_CONTAINERS_MAX;
        walked[i] = indexed[i];
        walked[i].rules = &linear[i];
    }
    event_measure(indexed, SIZE_COUNT, bench->samples, row.indexed);
    event_measure(ten, SIZE_COUNT, bench->samples, row.ten_containers);
    event_measure(walked, SIZE_COUNT, bench->samples, row.linear);
    for (size_t i = 0; i < SIZE_COUNT; i++)
        rule_set_free(rules[i]);
    return row;
}

static void measure_events(struct bench *bench, const struct mix *mix, const enum event_kind *kinds,
                           size_t count)
{
    print_head(mix);
    for (size_t i = 0; i < count; i++) {
        struct row row = measure_row(bench, mix, kinds[i]);
        print_times(event_name(kinds[i]), "", row.indexed);
        print_times("", "10 containers", row.ten_containers);
        print_times("", "linear", row.linear);
    }
}

static void measure_load(const struct bench *bench, const struct mix *mix, unsigned files)
{
    struct load_times times = load_measure(mix, LARGEST, files, bench->samples / 10 + 1);
    printf("  %-10s in %4u files %10.1f ms, of which %.1f of this process\n", mix->name, files,
           (double)times.elapsed_ns / 1e6, (double)times.cpu_ns / 1e6);
}

static void measure(struct bench *bench)
{
    static const enum event_kind all[] = {EVENT_TTY, EVENT_TTY_EARLY, EVENT_TTY_PARENTS, EVENT_NET,
                                          EVENT_MATCHED};
    measure_events(bench, &MIX_PEOPLE, all, ARRAY_SIZE(all));
    for (size_t i = 0; i < MIX_HOSTILE_COUNT; i++)
        measure_events(bench, &MIX_HOSTILE[i], all, 1);

    printf("\nloading %u rules: reading, parsing, checking, indexing\n", LARGEST);
    measure_load(bench, &MIX_PEOPLE, 10);
    measure_load(bench, &MIX_PEOPLE, 1000);
    measure_load(bench, &MIX_ENDINGS, 10);
    for (size_t i = 0; i < MIX_HOSTILE_COUNT; i++)
        measure_load(bench, &MIX_HOSTILE[i], 10);
}

/* What the counts have to be. */
struct expectation {
    const struct mix *mix;
    enum event_kind kind;
    unsigned size, containers;
    struct event_counts counts;
};

static void check_one(struct bench *bench, const struct expectation *expected)
{
    _cleanup_rule_set_ struct rule_set *rules = load_mix(expected->mix, expected->size);
    struct event event = event_make(expected->kind, &bench->devices, rules, expected->size);
    event.container_count = expected->containers;
    struct event_counts counts = event_count(&event);
    bool right =
        counts.candidates == expected->counts.candidates && counts.reads == expected->counts.reads;
    printf("  %-9s %-36s %2u containers: %zu of %u rules looked at, %zu attributes read\n",
           expected->mix->name, event_name(expected->kind), expected->containers, counts.candidates,
           expected->size, counts.reads);
    if (!right)
        printf("  but it should be %zu, and %zu read\n", expected->counts.candidates,
               expected->counts.reads);
    bench->failed += !right;
}

static void check(struct bench *bench)
{
    const struct expectation expected[] = {
        {&MIX_PEOPLE, EVENT_TTY, 10, 1, {0, 13}},
        {&MIX_PEOPLE, EVENT_TTY, LARGEST, 1, {0, 13}},
        {&MIX_PEOPLE, EVENT_TTY, LARGEST, 10, {0, 13}},
        {&MIX_PEOPLE, EVENT_TTY_EARLY, 10, 1, {0, 13}},
        {&MIX_PEOPLE, EVENT_TTY_EARLY, LARGEST, 1, {0, 13}},
        {&MIX_PEOPLE, EVENT_TTY_PARENTS, 10, 1, {0, 13}},
        {&MIX_PEOPLE, EVENT_TTY_PARENTS, LARGEST, 1, {0, 13}},
        {&MIX_PEOPLE, EVENT_NET, 10, 1, {0, 1}},
        {&MIX_PEOPLE, EVENT_NET, LARGEST, 1, {0, 1}},
        {&MIX_PEOPLE, EVENT_MATCHED, 10, 1, {2, 13}},
        {&MIX_PEOPLE, EVENT_MATCHED, LARGEST, 1, {3, 13}},
        {&MIX_HOSTILE[0], EVENT_TTY, LARGEST, 1, {LARGEST, 0}},
        {&MIX_HOSTILE[1], EVENT_TTY, LARGEST, 1, {LARGEST, 0}},
        {&MIX_HOSTILE[2], EVENT_TTY, LARGEST, 1, {LARGEST / 2, 0}},
    };
    printf("\ncounted\n");
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        check_one(bench, &expected[i]);
}

int main(int argc, char **argv)
{
    struct bench bench = {.samples = 201};
    const char *option = argc > 1 ? argv[1] : "";
    if (argc > 2 || (argc > 1 && !streq(option, "--brief") && !streq(option, "--check"))) {
        (void)fprintf(stderr, "usage: rules_bench [--brief | --check]\n");
        return 2;
    }
    if (streq(option, "--brief"))
        bench.samples = 5;
    if (streq(option, "--check"))
        bench.samples = 1;
    bench_devices_init(&bench.devices);
    measure(&bench);
    check(&bench);
    bench_devices_done(&bench.devices);
    return bench.failed ? 1 : 0;
}
