/* SPDX-License-Identifier: LGPL-2.1-or-later */
//
// plugger [-s SOCKET -n NAME] FIRST COUNT CYCLES [GROUPS]: plugs and unplugs COUNT loop devices
// from number FIRST on, CYCLES times in all. They go at once, as the kernel takes its time for
// each, and each of them as soon as a container has read the event before. What is read is on
// standard input: the lines of the helper `listen`, of this container. With -s and -n the devices
// are plugged in first and stay; they are attached to the container NAME, and detached from it, by
// the daemon whose control socket is SOCKET.
//
// GROUPS is 1 (the kernel's events), 2 (udev's) or 3 (both): the groups that are waited for, and
// judged. A line is a violation where
//
//     it says `add` and the node did not open, or `remove` and it did not fail for want of it;
//     in group 2, it says `add` and there was no record of udev's, or `remove` and there was one;
//     it is a second copy, or another event than the one that was caused;
//     events were lost, or are none.
//
// Each violation is shown. At the end it writes "cycles N violations N seconds N"; the status is 0
// where there was no violation. Where nothing is read for 30 seconds it says for what it waits, and
// fails.

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX 256
#define SILENCE_SECONDS 30
#define BUSY_TRIES 5000

struct device {
    int worker;       // where it is told what to do: 'a', 'r'
    bool unplugging;  // which of the two it was told last
    unsigned waiting; // groups in which that was not read yet; 0: at rest
};

static struct device devices[DEVICES_MAX];
static const char *socket_path, *container;
static unsigned first, count, groups = 1;
static unsigned long cycles, begun, ended, violations;

static void die(const char *what)
{
    fprintf(stderr, "plugger: %s: %s\n", what, strerror(errno));
    exit(1);
}

// A device that somebody has open this moment is tried again.
static void tell_kernel(int control, unsigned long request, unsigned number)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (unsigned tries = 0; ioctl(control, request, number) < 0; tries++) {
        if (errno != EBUSY || tries == BUSY_TRIES)
            die(request == LOOP_CTL_ADD ? "adding a loop device" : "removing a loop device");
        nanosleep(&pause, NULL);
    }
}

static int connect_daemon(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die(socket_path);
    return fd;
}

// A reply ends in a NUL byte.
static void ask_daemon(int daemon, const char *method, unsigned number, char reply[static 16384])
{
    char call[512];
    size_t size = 0;
    int length = snprintf(call, sizeof(call),
                          "{\"method\":\"io.devolve.%s\",\"parameters\":"
                          "{\"container\":\"%s\",\"device\":\"/dev/loop%u\"}}",
                          method, container, number);
    if (write(daemon, call, (size_t)length + 1) != length + 1)
        die("calling the daemon");
    while (size == 0 || reply[size - 1] != '\0') {
        ssize_t got = read(daemon, reply + size, 16384 - size);
        if (got <= 0)
            die("the daemon's reply");
        size += (size_t)got;
    }
}

// A device whose `add` the daemon has not read yet is tried again.
static void call_daemon(int daemon, const char *method, unsigned number)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    char reply[16384];
    for (unsigned tries = 0;; tries++) {
        ask_daemon(daemon, method, number, reply);
        if (!strstr(reply, "\"error\""))
            return;
        if (!strstr(reply, "this moment; try again") || tries == BUSY_TRIES)
            break;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "plugger: %s of loop%u: %s\n", method, number, reply);
    exit(1);
}

// What one device is told is done by a process of its own, as the kernel lets it wait.
static void work(int commands, unsigned number)
{
    char command;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0)
        die("/dev/loop-control");
    int daemon = socket_path ? connect_daemon() : -1;
    if (socket_path)
        tell_kernel(control, LOOP_CTL_ADD, number);
    while (read(commands, &command, 1) == 1)
        if (socket_path)
            call_daemon(daemon, command == 'a' ? "Attach" : "Detach", number);
        else
            tell_kernel(control, command == 'a' ? LOOP_CTL_ADD : LOOP_CTL_REMOVE, number);
    if (socket_path)
        tell_kernel(control, LOOP_CTL_REMOVE, number);
    _exit(0);
}

static void start_worker(unsigned index)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        close(ends[1]);
        work(ends[0], first + index);
    }
    close(ends[0]);
    devices[index].worker = ends[1];
}

static void tell(struct device *device, bool unplug)
{
    device->unplugging = unplug;
    device->waiting = groups;
    if (write(device->worker, unplug ? "r" : "a", 1) != 1)
        die("telling a worker");
}

static void plug(struct device *device)
{
    if (begun == cycles)
        return;
    begun++;
    tell(device, false);
}

static void violation(const char *why, const char *line)
{
    violations++;
    printf("violation: %s: %s", why, line);
    fflush(stdout);
}

// The value of a field of the line, "" where it has none.
static const char *field(const char *line, const char *name, char value[static 128])
{
    char key[32];
    snprintf(key, sizeof(key), " %s=", name);
    const char *at = strstr(line, key);
    value[0] = '\0';
    if (at)
        sscanf(at + strlen(key), "%127s", value);
    return value;
}

static bool failed_for_want(const char *outcome)
{
    return strcmp(outcome, "ENOENT") == 0 || strcmp(outcome, "EACCES") == 0 ||
           strcmp(outcome, "EPERM") == 0;
}

static void judge_file(const char *line, const char *name, bool gone, const char *why)
{
    char outcome[128];
    field(line, name, outcome);
    if (gone ? !failed_for_want(outcome) : strcmp(outcome, "0") != 0)
        violation(why, line);
}

static void go_on(struct device *device)
{
    if (!device->unplugging) {
        tell(device, true);
        return;
    }
    ended++;
    plug(device);
}

static void on_event(struct device *device, unsigned group, bool gone, const char *line)
{
    if (!(device->waiting & group) || gone != device->unplugging) {
        violation("nobody caused it", line);
        return;
    }
    judge_file(line, "open", gone, gone ? "opens at remove" : "does not open at add");
    if (group == 2)
        judge_file(line, "record", gone, gone ? "has a record at remove" : "has no record at add");
    device->waiting &= ~group;
    if (!device->waiting)
        go_on(device);
}

static void on_line(const char *line)
{
    char value[128];
    unsigned number, group;
    if (strncmp(line, "ready", 5) == 0)
        return;
    if (strncmp(line, "nl_pid=", 7) != 0) {
        violation("no event", line);
        return;
    }
    if (sscanf(field(line, "devpath", value), "/devices/virtual/block/loop%u", &number) != 1 ||
        number < first || number >= first + count)
        return;
    group = (unsigned)atoi(field(line, "groups", value));
    if (!(group & groups))
        return;
    field(line, "action", value);
    if (strcmp(value, "add") != 0 && strcmp(value, "remove") != 0)
        violation("neither add nor remove", line);
    else
        on_event(&devices[number - first], group, value[0] == 'r', line);
}

static void on_silence(int signal_number)
{
    (void)signal_number;
    for (unsigned i = 0; i < count; i++)
        if (devices[i].waiting)
            fprintf(stderr, "plugger: %s of loop%u is not read in groups %u\n",
                    devices[i].unplugging ? "remove" : "add", first + i, devices[i].waiting);
    _exit(1);
}

static bool parse(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "s:n:")) >= 0)
        if (option == 's')
            socket_path = optarg;
        else if (option == 'n')
            container = optarg;
        else
            return false;
    argv += optind;
    argc -= optind;
    if (argc < 3 || argc > 4 || !socket_path != !container)
        return false;
    first = (unsigned)atoi(argv[0]);
    count = (unsigned)atoi(argv[1]);
    cycles = strtoul(argv[2], NULL, 10);
    groups = argc == 4 ? (unsigned)atoi(argv[3]) : groups;
    return count > 0 && count <= DEVICES_MAX;
}

int main(int argc, char **argv)
{
    char line[8192];
    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: plugger [-s SOCKET -n NAME] FIRST COUNT CYCLES [GROUPS] <LINES\n");
        return 2;
    }
    signal(SIGALRM, on_silence);
    for (unsigned i = 0; i < count; i++)
        start_worker(i);
    time_t start = time(NULL);
    for (unsigned i = 0; i < count; i++)
        plug(&devices[i]);
    while (ended < cycles) {
        alarm(SILENCE_SECONDS);
        if (!fgets(line, sizeof(line), stdin)) {
            errno = EPIPE;
            die("the listener's lines");
        }
        on_line(line);
    }
    printf("cycles %lu violations %lu seconds %ld\n", ended, violations,
           (long)(time(NULL) - start));
    return violations != 0;
}
