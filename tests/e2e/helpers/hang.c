// SPDX-License-Identifier: LGPL-2.1-or-later
//
// hang PID PATH: mounts a FUSE file system at PATH in the mount namespace of a process. It answers
// what the kernel asks first (FUSE_INIT, linux/fuse.h), says "mounted", and never answers anything
// again, but takes each question: whoever looks at PATH hangs until this program ends, and then not
// even SIGKILL wakes him.

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static char request[FUSE_MIN_READ_BUFFER + 4096];

static int answer_init(int fd)
{
    struct {
        struct fuse_out_header header;
        struct fuse_init_out init;
    } reply = {.header = {.len = sizeof(reply)}};
    const struct fuse_in_header *header = (const struct fuse_in_header *)request;
    const struct fuse_init_in *init = (const struct fuse_init_in *)(header + 1);
    if (read(fd, request, sizeof(request)) < (ssize_t)sizeof(*header) ||
        header->opcode != FUSE_INIT)
        return -1;
    reply.header.unique = header->unique;
    reply.init.major = FUSE_KERNEL_VERSION;
    reply.init.minor =
        init->minor < FUSE_KERNEL_MINOR_VERSION ? init->minor : FUSE_KERNEL_MINOR_VERSION;
    reply.init.max_write = 4096;
    return write(fd, &reply, sizeof(reply)) == (ssize_t)sizeof(reply) ? 0 : -1;
}

int main(int argc, char **argv)
{
    char path[64], options[128];
    if (argc != 3)
        return 2;
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%s/ns/mnt", argv[1]);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
    if (fd < 0 || namespace < 0 || setns(namespace, CLONE_NEWNS) < 0 ||
        mount("hang", argv[2], "fuse", MS_NOSUID, options) < 0 || answer_init(fd) < 0) {
        perror("hang");
        return 1;
    }
    puts("mounted");
    fflush(stdout);
    while (read(fd, request, sizeof(request)) >= 0)
        continue;
    perror("hang");
    return 1;
}
