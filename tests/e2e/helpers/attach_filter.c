/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * attach_filter CGROUP SHAPE FLAGS
 *
 * Attaches a device program to a cgroup v2, as a container runtime would have done: everything is
 * denied but /dev/null, zero, full, random, urandom, tty, ptmx, the ptys, and mknod.
 *
 *   CGROUP  the group's directory
 *   SHAPE   runc, crun, lxc, systemd, map, helper or subprog: how the program is written
 *   FLAGS   0, override or multi: attached so, and the program ends;
 *           link: attached by a link, which this program holds until its standard input ends
 *
 * The program's id is written to standard output. Exit status 0, 1 (refused) or 2 (wrong usage).
 * cc -D_GNU_SOURCE attach_filter.c -lbpf
 */

#include "filter_shape.h"

#include <fcntl.h>
#include <stdio.h>

static int find(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static int usage(void)
{
    fprintf(stderr, "usage: attach_filter CGROUP runc|crun|lxc|systemd|map|helper|subprog "
                    "0|override|multi|link\n");
    return 2;
}

static int failed(const char *what, int error)
{
    fprintf(stderr, "attach_filter: %s: %s\n", what, strerror(error));
    return 1;
}

static int print_id(int program_fd)
{
    struct bpf_prog_info info = {0};
    uint32_t length = sizeof(info);
    int r = bpf_obj_get_info_by_fd(program_fd, &info, &length);
    if (r < 0)
        return r;
    printf("%u\n", info.id);
    return fflush(stdout) == EOF ? -EIO : 0;
}

static void wait_for_end_of_input(void)
{
    char buffer[64];
    while (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
        ;
}

int main(int argc, char **argv)
{
    int shape = argc == 4 ? find(shape_names, SHAPE_COUNT, argv[2]) : -1;
    int flags = argc == 4 ? find(shape_flag_names, SHAPE_FLAGS_COUNT, argv[3]) : -1;
    if (shape < 0 || flags < 0)
        return usage();

    int group_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group_fd < 0)
        return failed(argv[1], errno);
    int program_fd = shape_load_program((enum shape)shape);
    if (program_fd < 0)
        return failed("load", -program_fd);
    int r = shape_attach(program_fd, group_fd, (enum shape_flags)flags);
    if (r < 0)
        return failed("attach", -r);
    r = print_id(program_fd);
    if (r < 0)
        return failed("standard output", -r);
    if (flags == SHAPE_LINK)
        wait_for_end_of_input();
    return 0;
}
