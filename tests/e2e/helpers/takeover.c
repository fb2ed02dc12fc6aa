// SPDX-License-Identifier: LGPL-2.1-or-later
//
// takeover NUMBER ONE OTHER: keeps one process of this number, in the mount and network namespaces
// of process ONE or of process OTHER. A line "one" or "other" on standard input ends who has the
// number and gives it to the next at once (clone3(2), set_tid); then it answers "one STARTTIME" or
// "other STARTTIME", field 22 of /proc/NUMBER/stat. All end with standard input.

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    const char *name;
    int mount_fd, net_fd;
};

static int open_namespace(const char *pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* It is in its namespaces from its first moment on: its parent is, too. */
static pid_t start(const struct place *place, pid_t number)
{
    pid_t wanted = number;
    struct clone_args arguments = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&wanted, .set_tid_size = 1};
    if (setns(place->mount_fd, CLONE_NEWNS) < 0 || setns(place->net_fd, CLONE_NEWNET) < 0)
        return -1;
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

static unsigned long long start_time(int proc_fd, pid_t number)
{
    char path[32], text[1024];
    unsigned long long value = 0;
    snprintf(path, sizeof(path), "%d/stat", number);
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *tail = strrchr(text, ')');
    if (!tail || sscanf(tail,
                        ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                        "%*d %*d %llu",
                        &value) != 1)
        return 0;
    return value;
}

static void end(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    char line[16];
    pid_t held = 0;
    if (argc != 4)
        return 2;
    pid_t number = atoi(argv[1]);
    const struct place places[] = {
        {"one", open_namespace(argv[2], "mnt"), open_namespace(argv[2], "net")},
        {"other", open_namespace(argv[3], "mnt"), open_namespace(argv[3], "net")},
    };
    int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (fgets(line, sizeof(line), stdin)) {
        const struct place *place = &places[line[0] != 'o' || line[1] != 'n'];
        end(held);
        held = start(place, number);
        if (held != number) {
            perror("takeover");
            return 1;
        }
        printf("%s %llu\n", place->name, start_time(proc_fd, number));
        fflush(stdout);
    }
    end(held);
    return 0;
}
