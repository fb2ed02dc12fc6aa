/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules_load.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/rule_files.h"
#include "rules_event.h"

#define LINES_OF_A_FILE 1000u /* well below RULE_TEXT_MAX */
#define ROUNDS_MAX 101u

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

struct rule_set *load_mix(const struct mix *mix, unsigned count)
{
    struct rule_problems problems = {0};
    struct rule_set *rules = rule_set_new();
    for (unsigned first = 0; rules && first < count; first += LINES_OF_A_FILE) {
        _cleanup_free_ char *text = mix_text(mix, first, smaller(LINES_OF_A_FILE, count - first));
        int r = rule_parse(rules, "bench.rules", text, strlen(text), &problems);
        if (r < 0)
            errx(1, "%s: %s", mix->name, problems.count ? problems.items[0].text : strerror(-r));
    }
    rule_problems_done(&problems);
    if (!rules)
        errx(1, "no memory");
    return rules;
}

static void path_of(const char *directory, unsigned number, char path[static 256])
{
    (void)snprintf(path, 256, "%s/%05u.rules", directory, number);
}

static void write_files(const struct mix *mix, const char *directory, unsigned count,
                        unsigned files)
{
    char path[256];
    for (unsigned i = 0; i < files; i++) {
        _cleanup_free_ char *text = mix_text(mix, count / files * i, count / files);
        path_of(directory, i, path);
        FILE *file = fopen(path, "we");
        if (!file || fputs(text, file) < 0 || fchmod(fileno(file), 0644) < 0 || fclose(file) != 0)
            err(1, "%s", path);
    }
}

static void remove_files(const char *directory, unsigned files)
{
    char path[256];
    for (unsigned i = 0; i < files; i++) {
        path_of(directory, i, path);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

static uint64_t cpu_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct load_times load_once(const char *directory, unsigned count)
{
    struct rule_problems problems = {0};
    _cleanup_rule_set_ struct rule_set *rules = NULL;
    uint64_t begin = bench_now_ns(), cpu_begin = cpu_now_ns();
    int r = rule_files_load(&directory, 1, &rules, &problems);
    struct load_times times = {bench_now_ns() - begin, cpu_now_ns() - cpu_begin};
    if (r < 0 || rule_set_count(rules) != count)
        errx(1, "loading: %s", problems.count ? problems.items[0].text : strerror(-r));
    rule_problems_done(&problems);
    return times;
}

struct load_times load_measure(const struct mix *mix, unsigned count, unsigned files,
                               unsigned rounds)
{
    char directory[] = "/tmp/rules_bench.XXXXXX";
    uint64_t elapsed[ROUNDS_MAX], cpu[ROUNDS_MAX];
    rounds = smaller(rounds, ROUNDS_MAX);
    if (!mkdtemp(directory))
        err(1, "%s", directory);
    write_files(mix, directory, count, files);
    for (unsigned i = 0; i < rounds; i++) {
        struct load_times times = load_once(directory, count);
        elapsed[i] = times.elapsed_ns;
        cpu[i] = times.cpu_ns;
    }
    remove_files(directory, files);
    return (struct load_times){bench_median(elapsed, rounds), bench_median(cpu, rounds)};
}
