/* SPDX-License-Identifier: LGPL-2.1-or-later */
//
// programs GROUP [FILE]: "ID NAME" of each device program that is attached to a cgroup v2.
//
// With FILE it counts them again and again, and FILE holds the lowest count that there was, until
// it is killed.

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAMS_MAX 64 // the kernel's own limit, BPF_CGROUP_MAX_PROGS
#define PAUSE_MICROSECONDS 200

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "programs: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t query(int group, uint32_t *ids)
{
    uint32_t count = PROGRAMS_MAX, flags;
    if (bpf_prog_query(group, BPF_CGROUP_DEVICE, 0, &flags, ids, &count) < 0)
        die("BPF_PROG_QUERY");
    return count;
}

static void print(uint32_t id)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof(info);
    int program = bpf_prog_get_fd_by_id(id);
    if (program < 0 && errno == ENOENT) // it was exchanged meanwhile
        return;
    if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size) < 0)
        die("program");
    printf("%u %s\n", id, info.name);
    close(program);
}

static void write_count(const char *path, uint32_t count)
{
    FILE *file = fopen(path, "we");
    if (!file || fprintf(file, "%u\n", count) < 0 || fclose(file) == EOF)
        die(path);
}

int main(int argc, char **argv)
{
    uint32_t ids[PROGRAMS_MAX], count, lowest = UINT32_MAX;
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: programs GROUP [FILE]\n");
        return 2;
    }
    int group = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0)
        die(argv[1]);
    for (; argc == 3; usleep(PAUSE_MICROSECONDS)) {
        count = query(group, ids);
        if (count < lowest)
            write_count(argv[2], lowest = count);
    }
    count = query(group, ids);
    for (uint32_t index = 0; index < count; index++)
        print(ids[index]);
    return fflush(stdout) == 0 ? 0 : 1;
}
